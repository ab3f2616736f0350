-- Statements of a script: in any order that works, each made fit for an elaboration; the error that is shown is the first cause.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA dr;
CREATE SCHEMA dr_other;
CREATE TABLE dr_other.o (a int PRIMARY KEY);
SET search_path = dr, public;
-- the wrong way round, and round about
SELECT test.plan('
	CREATE VIEW w AS SELECT a FROM v;
	CREATE INDEX CONCURRENTLY i ON t (f(a));
	CREATE VIEW v AS SELECT a FROM t;
	CREATE TABLE t (a d, b int REFERENCES u);
	CREATE FUNCTION f(d) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT 1'';
	COMMENT ON DOMAIN d IS ''x'';
	CREATE TABLE u (a int PRIMARY KEY);
	CREATE DOMAIN d AS int');

-- of many that fail, the one that says why
SELECT test.plan_fails(E'CREATE VIEW w AS SELECT a FROM v;\nCREATE VIEW v AS SELECT a FROM t;\nCREATE TABLE t (a nosuch);\nCOMMENT ON VIEW w IS ''x''');
SELECT test.plan_fails(E'CREATE VIEW v AS SELECT a FROM w;\nCREATE VIEW w AS SELECT a FROM v');
SELECT test.plan_fails(E'CREATE TABLE t (a int);\nCREATE TABLE u (a int);\nCREATE TABLE t (a int)');
SELECT test.plan_fails(E'CREATE TABLE t (a int DEFAULT 1/0 CHECK (a));\nCREATE VIEW v AS SELECT * FROM t');
-- the same in a database
SET kints.elaborate_in = 'database';
SELECT test.plan_fails(E'CREATE VIEW w AS SELECT a FROM v;\nCREATE VIEW v AS SELECT a FROM t;\nCREATE TABLE t (a nosuch);\nCOMMENT ON VIEW w IS ''x''');
SELECT test.plan('CREATE VIEW v AS SELECT a FROM t; CREATE TABLE t (a int)');
RESET kints.elaborate_in;

-- queries do not run; a materialized view is meant to be filled, or not
SELECT test.plan('CREATE MATERIALIZED VIEW m AS SELECT 1 / g AS a FROM generate_series(0, 1) AS g; CREATE MATERIALIZED VIEW n AS SELECT 1 / 0 AS a WITH NO DATA; CREATE TABLE t AS SELECT 1 / g AS a FROM generate_series(0, 1) AS g');
-- what a dump begins with
SELECT test.plan('DROP TABLE IF EXISTS t; DROP EXTENSION IF EXISTS citext; DROP SCHEMA IF EXISTS dr; CREATE SCHEMA dr; CREATE TABLE t (a citext)');
-- a table that is not planned would be locked, but for a database
SELECT test.plan('CREATE TABLE t (a int REFERENCES dr_other.o)');
SET kints.elaborate_in = 'schema';
SELECT test.plan_fails('CREATE TABLE t (a int REFERENCES dr_other.o)');
SELECT test.plan_fails('CREATE TABLE t (a int); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES dr_other.o');
RESET kints.elaborate_in;
DROP SCHEMA dr, dr_other CASCADE;
