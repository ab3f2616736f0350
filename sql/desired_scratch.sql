-- The elaboration: what it leaves alone, in which transactions it works, whose rights it has.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA desired_scratch;
SET search_path = desired_scratch, public;
CREATE TABLE t (a int PRIMARY KEY, b text);
INSERT INTO t VALUES (1, 'x');
CREATE VIEW v AS SELECT a FROM t;
CREATE TEMP TABLE kept AS SELECT kints_fingerprint() AS fingerprint, (SELECT max(oid::int8) FROM pg_namespace) AS last_schema;

-- nothing stays: no schema, no lock on the live tables, no setting
BEGIN;
SELECT test.plan('CREATE TABLE t (a bigint PRIMARY KEY); CREATE VIEW v AS SELECT a FROM t');
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^kints_';
SELECT relation::regclass, mode FROM pg_locks WHERE relation IN ('t'::regclass, 'v'::regclass) ORDER BY 1, 2;
SELECT current_setting('search_path'), current_setting('check_function_bodies'), current_setting('client_min_messages');
COMMIT;
SELECT fingerprint = kints_fingerprint() FROM kept;
SELECT * FROM v;

-- in a subtransaction, after an error, again and again, two in one query
DO $$
BEGIN
	FOR i IN 1..20 LOOP
		BEGIN
			PERFORM kints_plan('CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a nosuch)');
		EXCEPTION WHEN undefined_object THEN
			PERFORM kints_plan('CREATE TABLE t (a int PRIMARY KEY)');
		END;
	END LOOP;
END
$$;
SELECT count(*) FILTER (WHERE a.sql = b.sql), count(*)
FROM kints_plan('CREATE TABLE t (a int)') AS a FULL JOIN kints_plan('CREATE TABLE t (a int)') AS b USING (step);
SELECT count(DISTINCT kints_plan_format('CREATE TABLE t (x' || n / 10 || ' int)')) FROM generate_series(1, 20) AS n;
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM kints_plan('CREATE TABLE t (a int)');
ROLLBACK TO a;
CREATE TABLE mine (a int);
SELECT test.plan('CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT a FROM t');
ROLLBACK;

-- isolation levels, read only
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
SELECT count(*) FROM kints_plan('CREATE TABLE t (a int)');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int)', '{"allow": "all"}');
SELECT count(*) FROM kints_plan('CREATE TABLE t (a int)');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int)', '{"allow": "all"}');
ROLLBACK;
BEGIN READ ONLY;
SELECT test.plan_fails('CREATE TABLE t (a int)');
SELECT test.fails('SELECT * FROM kints_plan(''{"schema": "public"}''::jsonb)');
SELECT test.fails('SELECT * FROM kints_apply(''CREATE TABLE t (a int)'')');
SELECT kints_fingerprint() <> '', kints_snapshot() IS NOT NULL;
SELECT count(*) >= 0 FROM kints_status();
SELECT count(*) FROM kints_diff(kints_snapshot('{desired_scratch}'), kints_snapshot('{}'));
COMMIT;

-- event triggers do not see it, but what is applied
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'seen: %', tg_tag; END$$;
CREATE EVENT TRIGGER desired_scratch ON ddl_command_end EXECUTE FUNCTION public.watch();
SELECT count(*) FROM kints_plan('CREATE TABLE t (a int, z int)');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, z int); CREATE VIEW v AS SELECT a FROM t');
DROP EVENT TRIGGER desired_scratch;
DROP FUNCTION public.watch();

-- settings do not change a plan, and are as they were afterwards
CREATE TABLE texts (setting text, plan text);
CREATE FUNCTION pg_temp.remember(setting text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO desired_scratch.texts SELECT setting, public.kints_plan_format($x$
		CREATE TABLE desired_scratch.t (a int, "Q" timestamptz DEFAULT '2020-01-02 03:04:05+06', f float8 DEFAULT 0.1, i interval DEFAULT '1 day -3:00', m bytea DEFAULT '\x00', d date DEFAULT '2020-03-04');
		CREATE VIEW desired_scratch.v AS SELECT a, 'x'::text AS x, '2020-01-02'::date AS d FROM desired_scratch.t WHERE a IN (1, 2);
		CREATE FUNCTION desired_scratch.f() RETURNS text LANGUAGE sql AS 'SELECT ''x''';
		CREATE INDEX i ON desired_scratch.t (lower('a' || a))$x$, 'json')
$$;
SET search_path = desired_scratch, public;
SELECT pg_temp.remember('none');
SET search_path = ''; SELECT pg_temp.remember('search_path');
SET search_path = public, desired_scratch; SELECT pg_temp.remember('search_path 2'); RESET search_path;
SET DateStyle = 'German, DMY'; SELECT pg_temp.remember('DateStyle'); RESET DateStyle;
SET IntervalStyle = 'sql_standard'; SELECT pg_temp.remember('IntervalStyle'); RESET IntervalStyle;
SET TimeZone = 'Asia/Kathmandu'; SELECT pg_temp.remember('TimeZone'); RESET TimeZone;
SET quote_all_identifiers = on; SELECT pg_temp.remember('quote_all_identifiers'); RESET quote_all_identifiers;
SET extra_float_digits = -5; SELECT pg_temp.remember('extra_float_digits'); RESET extra_float_digits;
SET bytea_output = escape; SELECT pg_temp.remember('bytea_output'); RESET bytea_output;
SET check_function_bodies = on; SELECT pg_temp.remember('check_function_bodies');
SET default_toast_compression = pglz; SET xmloption = document; SET array_nulls = off; SELECT pg_temp.remember('others'); RESET ALL;
SET client_min_messages = error; SET row_security = off; SELECT pg_temp.remember('row_security'); RESET ALL;
SET standard_conforming_strings = off; SET escape_string_warning = off; SELECT pg_temp.remember('standard_conforming_strings'); RESET ALL;
SET search_path = public, desired_scratch; SET DateStyle = 'German, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Kathmandu'; SET quote_all_identifiers = on; SET extra_float_digits = -5; SET bytea_output = escape; SET client_min_messages = error;
SELECT pg_temp.remember('all');
SELECT current_setting('search_path'), current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('TimeZone'), current_setting('quote_all_identifiers'), current_setting('extra_float_digits'), current_setting('bytea_output'), current_setting('check_function_bodies'), current_setting('client_min_messages');
RESET ALL;
SET client_min_messages = warning;
SET search_path = desired_scratch, public;
SELECT count(*), count(DISTINCT plan), string_agg(setting, ',') FILTER (WHERE plan <> (SELECT plan FROM texts WHERE setting = 'none')) FROM desired_scratch.texts;

-- members of extensions resolve, whatever the schema, and are left alone
CREATE SCHEMA ds_ext;
CREATE EXTENSION hstore SCHEMA ds_ext;
CREATE EXTENSION cube SCHEMA ds_ext;
CREATE EXTENSION earthdistance SCHEMA ds_ext;
SET search_path = ds_ext, public;
SELECT test.plan('
	CREATE TABLE t (a citext PRIMARY KEY, b public.citext DEFAULT ''X''::citext, c hstore, d ds_ext.hstore[], e cube, f earth,
		g text GENERATED ALWAYS AS (public.similarity(a::text, ''x'')::text) STORED, h citext CHECK (h ~ ''^a''));
	CREATE INDEX i ON t USING gin ((a::text) gin_trgm_ops);
	CREATE INDEX j ON t USING gin (c ds_ext.gin_hstore_ops);
	CREATE INDEX k ON t USING gist (e);
	CREATE VIEW v AS SELECT c -> ''x'' AS x, a || ''y''::citext AS y FROM t WHERE c ? ''z'' AND a = ''q''', '{"schemas": ["ds_ext"]}');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a citext, c hstore); CREATE INDEX j ON t USING gin (c)');
SELECT test.plan('CREATE TABLE t (a citext, c hstore); CREATE INDEX j ON t USING gin (c)');
SELECT 'a=>1'::hstore -> 'a', 'A'::citext = 'a';
SELECT test.plan('CREATE EXTENSION hstore SCHEMA ds_ext; CREATE EXTENSION cube SCHEMA ds_ext; CREATE EXTENSION IF NOT EXISTS earthdistance; CREATE TABLE t (a citext, c hstore); CREATE INDEX j ON t USING gin (c)');
SELECT test.plan('CREATE EXTENSION hstore SCHEMA ds_ext; CREATE TABLE t (a citext, c hstore); CREATE INDEX j ON t USING gin (c)');
SELECT test.plan('CREATE EXTENSION hstore SCHEMA ds_ext; CREATE EXTENSION cube SCHEMA ds_ext; CREATE EXTENSION earthdistance SCHEMA ds_ext; CREATE EXTENSION fuzzystrmatch SCHEMA ds_ext; CREATE TABLE t (a citext, c hstore); CREATE INDEX j ON t USING gin (c)');
SELECT test.plan_fails('CREATE EXTENSION nosuch');
SELECT test.plan_fails('CREATE TABLE u (a nosuch.citext)');
RESET search_path;
SELECT test.law('CREATE TABLE t (a text)', 'CREATE TABLE t (a citext); CREATE INDEX i ON t USING gist ((a::text) gist_trgm_ops)');
DROP SCHEMA desired_scratch, ds_ext CASCADE;
