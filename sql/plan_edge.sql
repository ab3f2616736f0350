-- Which step waits for which.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('an index gives its name to a table, a constraint to an index', 'CREATE TABLE t (a int, CONSTRAINT y UNIQUE (a)); CREATE INDEX x ON t (a)', 'CREATE TABLE t (a int); CREATE TABLE x (a int); CREATE INDEX y ON t (a)');
SELECT test.case('a sequence gives its name to an identity, and back', 'CREATE TABLE t (a serial)', 'CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)');
SELECT test.case('of a table that goes to one that comes', 'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s.ids))', 'CREATE TABLE u (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s.ids))');
SELECT test.case('a sequence is let go before its table goes', 'CREATE TABLE t (a serial); CREATE TABLE u (a int DEFAULT nextval(''t_a_seq''))', 'CREATE SEQUENCE t_a_seq AS bigint; CREATE TABLE u (a int DEFAULT nextval(''t_a_seq''))');
SELECT test.case('a trigger waits for its function, a policy for its table', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int, b int); CREATE TABLE z (a int); CREATE FUNCTION z() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.b > 0) EXECUTE FUNCTION z(); CREATE POLICY a ON t USING (EXISTS (SELECT FROM z WHERE z.a = b))');
SELECT test.case('replica identity and cluster wait for their index', 'CREATE TABLE t (a int NOT NULL)', 'CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX i; ALTER TABLE t CLUSTER ON i');
SELECT test.case('a view is dropped before its column', 'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT b FROM t', 'CREATE TABLE t (a int); CREATE VIEW v AS SELECT a AS b FROM t');
SELECT test.case('both ends of a foreign key become unlogged, and logged again', 'CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE a (id int REFERENCES b); CREATE TABLE c (id int REFERENCES b)', 'CREATE UNLOGGED TABLE b (id int PRIMARY KEY); CREATE UNLOGGED TABLE a (id int REFERENCES b); CREATE UNLOGGED TABLE c (id int REFERENCES b)');
SELECT test.case('unlogged once nobody refers to it', 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE z (id int REFERENCES a)', 'CREATE UNLOGGED TABLE a (id int PRIMARY KEY)');
SELECT test.case('a table becomes unlogged before it gets a sequence', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a serial); ALTER TABLE t SET UNLOGGED; ALTER SEQUENCE t_a_seq SET LOGGED');
SELECT test.case('a sequence goes from a table to the one that takes its place', 'CREATE SEQUENCE q; CREATE TABLE t (a int DEFAULT nextval(''q''), CONSTRAINT k PRIMARY KEY (a)); ALTER SEQUENCE q OWNED BY t.a', 'CREATE SEQUENCE q; CREATE TABLE u (a int DEFAULT nextval(''q''), CONSTRAINT k PRIMARY KEY (a)); ALTER SEQUENCE q OWNED BY u.a');
SELECT test.case('an index on only the partitioned table', '', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX i ON ONLY p (b); CREATE INDEX j ON p (a)');
SELECT test.case('an index that is to stay alone waits until its table is a partition', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE INDEX i ON p (b)', 'CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1); CREATE INDEX i ON p (b); CREATE INDEX j ON q (b)');
