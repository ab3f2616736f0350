-- The order of steps: loops that SQL can break, and those it cannot.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('foreign keys in a circle, with rows to come', '', 'CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, c int); CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c');
SELECT test.case('functions and defaults', '', 'CREATE TABLE t (a int); CREATE FUNCTION f(t) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1.a''; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS ''SELECT max(a) FROM t''; ALTER TABLE t ALTER a SET DEFAULT g(); ALTER TABLE t ADD CHECK (f(t) > 0)');
SELECT test.case('functions that call each other', '', 'CREATE FUNCTION a(n int) RETURNS int LANGUAGE sql AS ''SELECT CASE WHEN n > 0 THEN b(n - 1) END''; CREATE FUNCTION b(n int) RETURNS int LANGUAGE sql AS ''SELECT a(n)''');
SELECT test.case('views upon views, in the order of need and not of names', '', 'CREATE VIEW z AS SELECT 1 AS a; CREATE VIEW m AS SELECT a FROM z; CREATE VIEW a AS SELECT m.a FROM m, z');
SELECT test.case('views that turn round', 'CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW b AS SELECT x FROM a; CREATE VIEW c AS SELECT x FROM b', 'CREATE VIEW c AS SELECT 1 AS x; CREATE VIEW b AS SELECT x FROM c; CREATE VIEW a AS SELECT x FROM b');
SELECT test.case('names that are swapped', 'CREATE TABLE a (x int); CREATE VIEW b AS SELECT 1 AS y', 'CREATE TABLE b (x int); CREATE VIEW a AS SELECT 1 AS y');
SELECT test.case('names of indexes that are swapped', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b)', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b); CREATE INDEX j ON t (a)');
SELECT test.case('a table with a column of a type that has a domain over a function', '', 'CREATE FUNCTION f(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1 > 0''; CREATE DOMAIN d AS int CHECK (f(VALUE)); CREATE TYPE c AS (d d); CREATE TABLE t (c c[])');
-- the same in any order of the script
SELECT count(DISTINCT test.plan(script))
FROM (SELECT string_agg(statement, '; ' ORDER BY md5(statement || n)) AS script
	FROM generate_series(1, 10) AS n, unnest(ARRAY['CREATE SCHEMA plan_order', 'CREATE TABLE plan_order.a (id int PRIMARY KEY)', 'CREATE TABLE plan_order.b (id int REFERENCES plan_order.a)', 'CREATE VIEW plan_order.v AS SELECT a.id FROM plan_order.a, plan_order.b',
		'CREATE TYPE plan_order.e AS ENUM (''x'')', 'CREATE TABLE plan_order.c (e plan_order.e)', 'CREATE INDEX i ON plan_order.a ((id + 1))']) AS statement GROUP BY n) AS s;
