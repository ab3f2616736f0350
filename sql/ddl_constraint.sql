-- Constraints.
\pset format unaligned
\pset tuples_only on

SELECT test.case('all kinds, on a table that is there', 'CREATE TABLE t (a int, b int, c int, r int4range); CREATE TABLE u (a int, b int)', $$
	CREATE TABLE t (a int, b int, c int, r int4range,
		CONSTRAINT pk PRIMARY KEY (a) INCLUDE (c),
		CONSTRAINT un UNIQUE NULLS NOT DISTINCT (b, c) DEFERRABLE INITIALLY DEFERRED,
		CONSTRAINT ck CHECK (b > 0) NO INHERIT,
		CONSTRAINT ex EXCLUDE USING gist (r WITH &&) WHERE (a > 0));
	CREATE TABLE u (a int, b int,
		CONSTRAINT fk FOREIGN KEY (a) REFERENCES t ON DELETE SET NULL (a) ON UPDATE CASCADE DEFERRABLE);
	COMMENT ON CONSTRAINT fk ON u IS 'fk'$$);
SELECT test.case('names that nobody gave', '', 'CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE CHECK (b > 0) REFERENCES t, CHECK (a <> b))');
SELECT test.case('check', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 1))');
SELECT test.case('not valid', 'CREATE TABLE t (a int); INSERT INTO t VALUES (-1)', 'CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID');
SELECT test.case('valid', 'CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))');
SELECT test.case('key of another column, with one that refers to it', 'CREATE TABLE t (a int, b int, CONSTRAINT k PRIMARY KEY (a)); CREATE TABLE u (x int, CONSTRAINT f FOREIGN KEY (x) REFERENCES t (a))',
	'CREATE TABLE t (a int NOT NULL, b int, CONSTRAINT k PRIMARY KEY (b)); CREATE TABLE u (x int, CONSTRAINT f FOREIGN KEY (x) REFERENCES t (b))');
SELECT test.case('actions of a key', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t)', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t ON DELETE CASCADE)');
SELECT test.case('deferrable', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t)', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t DEFERRABLE INITIALLY DEFERRED)');
SELECT test.case('foreign key, not valid', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int)', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int); ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t NOT VALID');
SELECT test.case('match full', '', 'CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE u (a int, b int, FOREIGN KEY (a, b) REFERENCES t MATCH FULL)');
SELECT test.case('unique to index', 'CREATE TABLE t (a int, CONSTRAINT x UNIQUE (a))', 'CREATE TABLE t (a int); CREATE UNIQUE INDEX x ON t (a)');
SELECT test.case('index to unique', 'CREATE TABLE t (a int); CREATE UNIQUE INDEX x ON t (a)', 'CREATE TABLE t (a int, CONSTRAINT x UNIQUE (a))');
SELECT test.case('drop', 'CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE, CHECK (b > 0)); CREATE TABLE u (a int REFERENCES t)', 'CREATE TABLE t (a int NOT NULL, b int); CREATE TABLE u (a int)');
SELECT test.case('key drops its not null', 'CREATE TABLE t (a int PRIMARY KEY)', 'CREATE TABLE t (a int)');
SELECT test.case('constraint trigger', '', $$CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()$$);
SELECT test.case('inherited check', '', 'CREATE TABLE p (a int CHECK (a > 0)); CREATE TABLE c () INHERITS (p)');
SELECT test.case('key between partitioned tables', '', 'CREATE TABLE p (a int PRIMARY KEY) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); CREATE TABLE u (a int REFERENCES p)');
SELECT test.case('storage and comment of the index behind', 'CREATE TABLE t (a int, CONSTRAINT k UNIQUE (a))', 'CREATE TABLE t (a int, CONSTRAINT k UNIQUE (a) WITH (fillfactor = 60)); COMMENT ON INDEX k IS ''i''');
SELECT test.case('the type of a column that a key includes, and foreign keys need', 'CREATE TABLE t (a int, b int, c int, UNIQUE (a) INCLUDE (b)); CREATE TABLE u (a int, FOREIGN KEY (a) REFERENCES t (a))', 'CREATE TABLE t (a int, b bigint, c int, UNIQUE (a) INCLUDE (b)); CREATE TABLE u (a int, FOREIGN KEY (a) REFERENCES t (a))');
