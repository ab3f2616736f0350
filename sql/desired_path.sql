-- The search_path that the statements of a script run with.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA dp;
CREATE SCHEMA dp_2;
CREATE TABLE dp_2.helper (a int);
SET search_path = dp, public;
-- the server's types are meant, unless the script itself puts something before them
CREATE DOMAIN dp_2.text AS varchar(3);
SELECT test.plan('CREATE TABLE t (a text)');
SET search_path = dp_2, pg_catalog, dp;
SELECT p.sql FROM public.kints_plan('CREATE TABLE dp.t (a text)') AS p;
SET search_path = dp, public;
SELECT test.plan('SET search_path = dp, dp_2, pg_catalog; CREATE TABLE t (a text)', '{"schemas": ["dp"]}');
-- back to what the caller's is
SELECT test.plan('SET search_path = dp_2; CREATE TABLE two (a int); RESET search_path; CREATE TABLE one (a int)', '{"schemas": ["dp", "dp_2"], "ignore": ["dp_2.helper", "dp_2.text"]}');
SELECT test.plan('SET search_path TO DEFAULT; CREATE TABLE one (a int)');
-- nothing to create in
SELECT test.plan_fails(format('SET search_path = %L; ', '') || statement) FROM unnest(ARRAY['CREATE TABLE t (a int)', 'CREATE VIEW v AS SELECT 1', 'CREATE SEQUENCE q', 'CREATE TYPE e AS ENUM ()', 'CREATE TYPE c AS (a int)', 'CREATE TYPE r AS RANGE (SUBTYPE = int)', 'CREATE DOMAIN d AS int',
	'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE AGGREGATE a(int) (SFUNC = int4pl, STYPE = int)', 'CREATE TABLE x AS SELECT 1', 'CREATE STATISTICS s ON a, b FROM t']) AS s (statement);
SELECT test.plan('SELECT pg_catalog.set_config(''search_path'', '''', false); CREATE TABLE dp.t (a text DEFAULT now()::text); CREATE INDEX i ON dp.t (lower(a))');
SELECT test.plan_fails('SET search_path = pg_temp; CREATE TABLE t (a int)');
SELECT test.plan_fails('SET search_path = "unclosed; CREATE TABLE t (a int)');
DROP SCHEMA dp, dp_2 CASCADE;
