-- Statements: in any order, altering what was made before, in one or many schemas.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA desired_statement;
SET search_path = desired_statement, public;

-- in any order
SELECT test.plan('
	COMMENT ON TABLE b IS ''b'';
	CREATE INDEX i ON b (f(x));
	CREATE VIEW v AS SELECT * FROM b;
	ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a;
	CREATE TABLE b (x int, y e DEFAULT ''one'', z d);
	CREATE TABLE a (x int PRIMARY KEY);
	CREATE DOMAIN d AS int CHECK (f(VALUE) > 0);
	CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1'';
	CREATE TYPE e AS ENUM (''one'');
	CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION tr();
	CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''')
	= test.plan('
	CREATE TYPE e AS ENUM (''one'');
	CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1'';
	CREATE DOMAIN d AS int CHECK (f(VALUE) > 0);
	CREATE TABLE a (x int PRIMARY KEY);
	CREATE TABLE b (x int REFERENCES a, y e DEFAULT ''one'', z d);
	COMMENT ON TABLE b IS ''b'';
	CREATE INDEX i ON b (f(x));
	CREATE VIEW v AS SELECT * FROM b;
	CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END'';
	CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION tr()');

-- the first real error, not one that only follows from it
SELECT test.plan_fails(E'CREATE VIEW v AS SELECT * FROM b;\nCREATE TABLE b (x nosuch)');
SELECT test.plan_fails(E'CREATE VIEW v AS SELECT * FROM b;\nCREATE TABLE b (x int);\nCREATE TABLE c (x int, x int)');
SELECT test.plan_fails(E'CREATE TABLE b (x int);\nALTER TABLE b ALTER x TYPE nosuch;\nCREATE VIEW v AS SELECT nosuch FROM b');

-- what is made, altered, renamed, moved and dropped again
SELECT test.plan('
	CREATE TABLE a (x int);
	ALTER TABLE a ADD COLUMN y int DEFAULT 5, ADD z int;
	ALTER TABLE a RENAME COLUMN y TO yy;
	ALTER TABLE a RENAME TO b;
	ALTER TABLE b DROP COLUMN z;
	CREATE TABLE gone (x int);
	DROP TABLE gone;
	CREATE TABLE IF NOT EXISTS b (never int);
	CREATE TYPE e AS ENUM (''a'');
	ALTER TYPE e ADD VALUE ''b'';
	CREATE TABLE public.c (x int);
	ALTER TABLE public.c SET SCHEMA desired_statement;
	CREATE TABLE l (LIKE b INCLUDING ALL);
	CREATE TABLE ctas AS SELECT 1 AS one, ''x''::text AS two', '{"schemas": ["desired_statement", "public"], "ignore": ["public.*"]}');

-- many schemas, made by the script
SELECT test.plan('CREATE SCHEMA ds_a CREATE TABLE x (a int) CREATE VIEW y AS SELECT a FROM x; CREATE SCHEMA IF NOT EXISTS ds_b; CREATE TABLE ds_b.x (a int); CREATE TABLE ds_a.z (b int); CREATE SCHEMA AUTHORIZATION CURRENT_USER');
SELECT test.plan_fails('CREATE SCHEMA ds_a; CREATE SCHEMA ds_a');
-- AUTHORIZATION states the owner of the schema, and of what stands in the statement
CREATE ROLE regress_ds_a;
CREATE ROLE regress_ds_b;
\set authorized 'CREATE SCHEMA ds_a AUTHORIZATION regress_ds_a CREATE TABLE x (a int, b serial) CREATE VIEW y AS SELECT a FROM x CREATE SEQUENCE z CREATE INDEX i ON x (a); CREATE SCHEMA IF NOT EXISTS ds_b AUTHORIZATION regress_ds_b; CREATE SCHEMA AUTHORIZATION regress_ds_b'
SELECT test.plan(:'authorized');
CREATE SCHEMA ds_a AUTHORIZATION regress_ds_b;
CREATE SCHEMA ds_b;
SELECT count(*) FROM kints_apply(:'authorized');
SELECT count(*) FROM kints_plan(:'authorized');
SELECT kints_fingerprint('{ds_a,ds_b,regress_ds_b}') AS applied \gset
SET kints.elaborate_in = 'database';
SELECT count(*) FROM kints_plan(:'authorized');
RESET kints.elaborate_in;
DROP SCHEMA ds_a, ds_b, regress_ds_b CASCADE;
:authorized;
SELECT kints_fingerprint('{ds_a,ds_b,regress_ds_b}') = :'applied';
-- where it states some owner, CREATE SCHEMA without AUTHORIZATION is the caller's
SELECT test.plan('CREATE SCHEMA ds_b; CREATE TABLE ds_b.t (a int); ALTER TABLE ds_b.t OWNER TO regress_ds_a');
SELECT test.plan('CREATE SCHEMA ds_b; CREATE TABLE ds_b.t (a int)');
SET kints.elaborate_in = 'database';
SELECT test.plan('CREATE SCHEMA ds_b; CREATE TABLE ds_b.t (a int); ALTER TABLE ds_b.t OWNER TO regress_ds_a');
RESET kints.elaborate_in;
DROP SCHEMA ds_a, ds_b, regress_ds_b CASCADE;
DROP ROLE regress_ds_a, regress_ds_b;
SELECT test.plan_fails('CREATE SCHEMA pg_x');
SELECT test.plan_fails('CREATE TABLE pg_catalog.x (a int)');

-- what only a session would have
SELECT test.plan_fails('CREATE TABLE t (a int); CREATE TEMPORARY TABLE u (a int)');
SELECT test.plan_fails('CREATE TEMP VIEW v AS SELECT 1 AS a');
SELECT test.plan_fails('CREATE TEMP SEQUENCE s');
SELECT test.plan_fails('CREATE TEMP TABLE u AS SELECT 1 AS a');

-- a foreign key to where nothing is planned
CREATE SCHEMA ds_real;
CREATE TABLE ds_real.t (a int PRIMARY KEY);
SELECT test.plan_fails('CREATE TABLE u (a int REFERENCES ds_real.t)');
SELECT test.plan('CREATE TABLE ds_real.t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES ds_real.t)');
SELECT test.plan_fails('CREATE TABLE u (a int REFERENCES ds_real.nosuch)');
-- what is live and not in the script does not count
CREATE TABLE live (a int PRIMARY KEY);
SELECT test.plan_fails('CREATE VIEW v AS SELECT * FROM live');
SELECT test.plan_fails('CREATE TABLE u (a int REFERENCES desired_statement.live)');
SELECT test.plan_fails('ALTER TABLE live ADD b int');
DROP SCHEMA desired_statement, ds_real CASCADE;
