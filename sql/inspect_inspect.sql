-- Reading schemas: which ones, in one order and one spelling, without the members of extensions.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA "ii B";
CREATE SCHEMA ii_a;
CREATE EXTENSION hstore SCHEMA ii_a;
CREATE TABLE ii_a.z (b date DEFAULT '2020-03-04', a interval DEFAULT '1 day', "C" float8 DEFAULT 0.1, t timestamptz DEFAULT '2020-01-01 00:00+00', h ii_a.hstore);
CREATE TABLE ii_a.a (x int);
CREATE TABLE "ii B".a (x int);
CREATE VIEW ii_a.v AS SELECT z.b, '2020-03-04'::date AS d FROM ii_a.z;
SELECT concat_ws(' ', o ->> 'kind', o ->> 'schema', o ->> 'parent', o ->> 'name') FROM jsonb_array_elements(kints_snapshot('{nosuch,ii_a,"ii B"}') -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY n;
SELECT kints_fingerprint('{ii_a,"ii B"}') = kints_fingerprint('{"ii B",ii_a}'), kints_fingerprint('{ii_a}') = kints_fingerprint('{"ii B"}');
-- another order of making, and another OID: the same
CREATE TEMP TABLE kept AS SELECT kints_fingerprint('{"ii B"}') AS fingerprint, kints_snapshot('{ii_a}') AS snapshot;
CREATE TABLE "ii B".b (x int);
DROP TABLE "ii B".a;
CREATE TABLE "ii B".a (x int);
DROP TABLE "ii B".b;
SELECT fingerprint = kints_fingerprint('{"ii B"}') FROM kept;
-- settings do not change what is read, and are as they were
SET DateStyle = 'German, DMY';
SET IntervalStyle = sql_standard;
SET TimeZone = 'Asia/Kathmandu';
SET extra_float_digits = -5;
SET quote_all_identifiers = on;
SET search_path = ii_a;
SELECT snapshot = public.kints_snapshot('{ii_a}') FROM kept;
SELECT current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('TimeZone'), current_setting('extra_float_digits'), current_setting('quote_all_identifiers'), current_setting('search_path');
RESET ALL;
-- what this transaction has made so far is there, a temporary table is not
BEGIN;
CREATE TABLE "ii B".new (a int);
CREATE TEMP TABLE temporary (a int);
SELECT o ->> 'name' FROM jsonb_array_elements(kints_snapshot() -> 'objects') AS o WHERE o ->> 'name' IN ('new', 'temporary', 'schema_migrations', 'hstore', 'pg_class') AND o ->> 'kind' IN ('table', 'type', 'extension') ORDER BY 1;
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA ii_a, "ii B" CASCADE;
-- not in a parallel query, whatever somebody says that the functions are
BEGIN;
ALTER FUNCTION public.kints_plan(text, jsonb) PARALLEL SAFE;
ALTER FUNCTION public.kints_fingerprint(name[]) PARALLEL SAFE;
ALTER FUNCTION public.kints_status() PARALLEL SAFE;
SELECT count(set_config(name, 'on', true)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT test.fails('SELECT * FROM public.kints_plan(''CREATE TABLE public.t (a int)'')');
SELECT test.fails('SELECT public.kints_fingerprint()');
SELECT test.fails('SELECT * FROM public.kints_status()');
ROLLBACK;
