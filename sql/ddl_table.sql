-- Tables: created, altered in each of their properties, dropped.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create, with all a table can say', '', $$
	CREATE UNLOGGED TABLE t (id int PRIMARY KEY, n text NOT NULL DEFAULT 'x', CHECK (id > 0), UNIQUE (n, id))
		WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);
	COMMENT ON TABLE t IS 'it''s a table';
	COMMENT ON COLUMN t.n IS 'a "column"';
	COMMENT ON CONSTRAINT t_id_check ON t IS 'positive'$$);
SELECT test.case('no columns', '', 'CREATE TABLE nothing ()');
SELECT test.case('no columns any more', 'CREATE TABLE t (a int)', 'CREATE TABLE t ()');
SELECT test.case('drop', 'CREATE TABLE t (a int); CREATE TABLE u (b int)', 'CREATE TABLE u (b int)');
SELECT test.case('drop with rows, indexes, keys and what refers to it', $$
	CREATE TABLE t (a int PRIMARY KEY, b text);
	CREATE INDEX t_b ON t (b);
	CREATE TABLE u (a int REFERENCES t);
	CREATE VIEW v AS SELECT * FROM t;
	INSERT INTO t VALUES (1, 'x')$$, 'CREATE TABLE u (a int)');
SELECT test.case('two that refer to each other', '', $$
	CREATE TABLE a (id int PRIMARY KEY, b int);
	CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
	ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b$$);
SELECT test.case('one that refers to itself', '', 'CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a)');
SELECT test.case('persistence', 'CREATE TABLE t (a int)', 'CREATE UNLOGGED TABLE t (a int)');
SELECT test.case('persistence, which sequences do not share', $$
CREATE SEQUENCE kept; CREATE UNLOGGED SEQUENCE follows;
CREATE TABLE t (a int DEFAULT nextval('kept'), b int DEFAULT nextval('follows'), c serial);
ALTER SEQUENCE kept OWNED BY t.a; ALTER SEQUENCE follows OWNED BY t.b$$, $$
CREATE SEQUENCE kept; CREATE UNLOGGED SEQUENCE follows; CREATE UNLOGGED SEQUENCE t_c_seq AS int;
CREATE UNLOGGED TABLE t (a int DEFAULT nextval('kept'), b int DEFAULT nextval('follows'), c int NOT NULL DEFAULT nextval('t_c_seq'));
ALTER SEQUENCE kept OWNED BY t.a; ALTER SEQUENCE follows OWNED BY t.b; ALTER SEQUENCE t_c_seq OWNED BY t.c$$);
SELECT test.case('several keys on the same columns', '', $$
CREATE TABLE t (a int, b int, CONSTRAINT one UNIQUE (a, b), CONSTRAINT two PRIMARY KEY (a, b) INCLUDE (b));
ALTER TABLE t ADD CONSTRAINT three UNIQUE (a, b); ALTER TABLE t ADD CONSTRAINT four UNIQUE NULLS NOT DISTINCT (a, b);
COMMENT ON CONSTRAINT three ON t IS 'the third'$$);
SELECT test.case('storage parameters', 'CREATE TABLE t (a int) WITH (fillfactor = 70, toast_tuple_target = 200)',
	'CREATE TABLE t (a int) WITH (fillfactor = 80, autovacuum_enabled = off)');
SELECT test.case('storage parameters of what a new column brings', 'CREATE TABLE t (a int) WITH (toast.autovacuum_enabled = off)',
	'CREATE TABLE t (a text, b text) WITH (toast.autovacuum_enabled = off)');
SELECT test.case('comments', $$CREATE TABLE t (a int); COMMENT ON TABLE t IS 'one'$$, 'CREATE TABLE t (a int)');
SELECT test.case('row security', 'CREATE TABLE t (a int)',
	'CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY');
SELECT test.case('replica identity', 'CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX t_a ON t (a)',
	'CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX t_a ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX t_a');
SELECT test.case('cluster', 'CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)',
	'CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); ALTER TABLE t CLUSTER ON t_a');
SELECT test.case('inheritance', 'CREATE TABLE p (a int, b text); CREATE TABLE c (a int, b text)',
	'CREATE TABLE p (a int, b text); CREATE TABLE c (d date) INHERITS (p)');
SELECT test.case('partitions', '', $$
	CREATE TABLE p (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE p0 PARTITION OF p DEFAULT$$);
SELECT test.case('one more partition', $$
	CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')$$, $$
	CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')$$);
SELECT test.case('a partition key cannot be altered', 'CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)',
	'CREATE TABLE p (a int, b int) PARTITION BY RANGE (b)');
SELECT test.case('of a type', 'CREATE TYPE ty AS (a int); CREATE TABLE t (a int)', 'CREATE TYPE ty AS (a int); CREATE TABLE t OF ty');
SELECT test.case('names that need quotes', '', $$
	CREATE TABLE "Order" ("Group" int PRIMARY KEY, "a ""b"" 'c'" text, "select" int, "Ünïcode é 表" int CHECK ("select" > 0));
	CREATE TABLE "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (
		"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" int UNIQUE REFERENCES "Order");
	CREATE INDEX "an index" ON "Order" ("a ""b"" 'c'");
	COMMENT ON COLUMN "Order"."a ""b"" 'c'" IS 'quoted'$$);

-- many columns, and back
SELECT verdict, count(*)
FROM (SELECT 'CREATE TABLE t (' || string_agg(format('c%s int DEFAULT %s', n, n), ', ') || ')' AS wide
	FROM generate_series(1, 300) AS n) AS w,
	LATERAL test.try('CREATE TABLE t (c1 int)', wide, '{}') AS t (plan, verdict),
	LATERAL regexp_split_to_table(t.plan, E'\n')
GROUP BY verdict;

-- dropped columns are no difference
SELECT test.law('CREATE TABLE t (a int, x int, b text, y int, c date); ALTER TABLE t DROP x, DROP y',
	'CREATE TABLE t (a int, b text, c date)');

-- where it is kept, and how
SET client_min_messages = warning;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_a LOCATION '';
CREATE TABLESPACE "regress B" LOCATION '';
CREATE ACCESS METHOD regress_heap TYPE TABLE HANDLER heap_tableam_handler;
SELECT test.case('a tablespace', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int) TABLESPACE "regress B"');
SELECT test.case('created in one', '', 'CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE regress_a) TABLESPACE "regress B"; CREATE INDEX i ON t (a) TABLESPACE regress_a');
SELECT test.case('indexes in one', 'CREATE TABLE t (a int, CONSTRAINT k PRIMARY KEY (a) USING INDEX TABLESPACE regress_a); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int, CONSTRAINT k PRIMARY KEY (a) USING INDEX TABLESPACE "regress B"); CREATE INDEX i ON t (a) TABLESPACE regress_a');
SELECT test.case('a partitioned table in one', 'CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE q PARTITION OF p FOR VALUES IN (1)', 'CREATE TABLE p (a int) PARTITION BY LIST (a) TABLESPACE regress_a; CREATE TABLE q PARTITION OF p FOR VALUES IN (1) TABLESPACE regress_a');
SELECT test.case('an access method', 'CREATE TABLE t (a int) USING regress_heap', 'CREATE TABLE t (a int)');
SELECT test.case('both', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int) USING regress_heap TABLESPACE regress_a');
SELECT test.case('by settings of the script', '', 'SET default_tablespace = regress_a; SET default_table_access_method = regress_heap; CREATE TABLE t (a int PRIMARY KEY); SET default_tablespace = ''''; SET default_table_access_method = heap; CREATE TABLE u (a int)');
SELECT test.case('a materialized view', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE MATERIALIZED VIEW n AS SELECT 1 AS a', 'CREATE MATERIALIZED VIEW m TABLESPACE regress_a AS SELECT 1 AS a; CREATE MATERIALIZED VIEW n USING regress_heap WITH (fillfactor = 70) TABLESPACE "regress B" AS SELECT 1 AS a');
DROP ACCESS METHOD regress_heap;
DROP TABLESPACE regress_a;
DROP TABLESPACE "regress B";
