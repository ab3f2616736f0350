-- A plan asked for again comes from memory only while nothing has changed.
CREATE SCHEMA plan_cache;
SET search_path = plan_cache, public;
CREATE TABLE t (a integer);
CREATE FUNCTION pg_temp.ask(desired text DEFAULT 'CREATE TABLE t (a integer, b text)', options jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT test.plan(desired, options)';
SELECT pg_temp.ask();
SELECT pg_temp.ask();
-- What is found: each kind of change is seen, in this transaction and after it.
BEGIN;
ALTER TABLE t ADD b text;
SELECT pg_temp.ask();
COMMENT ON COLUMN t.b IS 'note';
SELECT pg_temp.ask();
SAVEPOINT before;
CREATE INDEX t_b ON t (b);
SELECT pg_temp.ask();
ROLLBACK TO before;
SELECT pg_temp.ask();
CREATE POLICY p ON t USING (a > 0);
SELECT pg_temp.ask();
ROLLBACK;
SELECT pg_temp.ask();
-- What is asked for, and how.
SELECT pg_temp.ask('CREATE TABLE t (a integer)');
SELECT pg_temp.ask('CREATE TABLE t (a bigint)');
SELECT pg_temp.ask('CREATE TABLE t (a bigint)', '{"ignore": ["plan_cache.t"]}');
SELECT test.fails($$SELECT kints_plan('CREATE TABLE t (a bigint)', '{"expect": "x"}')$$);
SET DateStyle = 'ISO, DMY';
SELECT test.plan($$CREATE TABLE t (a integer, d date DEFAULT '01-02-2020')$$);
SET DateStyle = 'ISO, MDY';
SELECT test.plan($$CREATE TABLE t (a integer, d date DEFAULT '01-02-2020')$$);
RESET DateStyle;
-- What it is read by: a type elsewhere.
CREATE SCHEMA plan_cache_types;
CREATE DOMAIN plan_cache_types.d AS integer;
SELECT test.plan('CREATE TABLE plan_cache.t (a plan_cache_types.d)');
DROP DOMAIN plan_cache_types.d;
SELECT test.fails($$SELECT kints_plan('CREATE TABLE plan_cache.t (a plan_cache_types.d)')$$);
-- By whom: what the owner has asked for is not told to others.
SELECT pg_temp.ask();
CREATE ROLE regress_plan_cache;
GRANT USAGE ON SCHEMA test, plan_cache TO regress_plan_cache;
SET ROLE regress_plan_cache;
SELECT test.fails($$SELECT kints_plan('CREATE TABLE t (a integer, b text)')$$);
RESET ROLE;
-- As text, SQL and JSON it is the same plan.
SELECT kints_plan_format('CREATE TABLE t (a integer, b text)', 'sql');
SELECT kints_plan_format('CREATE TABLE t (a integer, b text)', 'sql');
SELECT jsonb_array_length(kints_plan_format('CREATE TABLE t (a integer, b text)', 'json')::jsonb -> 'steps');
SET client_min_messages = warning;
DROP SCHEMA plan_cache, plan_cache_types CASCADE;
DROP OWNED BY regress_plan_cache;
DROP ROLE regress_plan_cache;
