-- What a scratch database is made like: encoding and locale, schemas with their rights, extensions, settings.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET kints.elaborate_in = 'database';
CREATE ROLE regress_desired_request;
CREATE SCHEMA dq AUTHORIZATION regress_desired_request;
CREATE SCHEMA dq_other;
CREATE EXTENSION hstore SCHEMA dq_other;
CREATE TABLE dq_other.o (a int PRIMARY KEY, h dq_other.hstore);
COMMENT ON SCHEMA dq IS 'it''s';
GRANT USAGE ON SCHEMA dq TO PUBLIC;
/* What a query says there, told by an error of a function that runs in it. */
CREATE FUNCTION pg_temp.there(query text) RETURNS text LANGUAGE sql AS $$
	SELECT split_part(test.fails(format('SELECT * FROM public.kints_plan(%L)', format('
		CREATE TABLE dq.refers (a int REFERENCES dq_other.o);
		CREATE FUNCTION dq.f() RETURNS int LANGUAGE plpgsql AS %L;
		CREATE TABLE dq.p (a int) PARTITION BY LIST (a);
		CREATE TABLE dq.q PARTITION OF dq.p FOR VALUES IN (dq.f())', format('BEGIN RAISE EXCEPTION ''%%'', (%s); END', query)))), E'\n', 1)
$$;
CREATE FUNCTION pg_temp.same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	here text;
BEGIN
	EXECUTE 'SELECT ''P0001: '' || (' || query || ')' INTO here;
	RETURN '## ' || query || E'\n' || CASE WHEN here = pg_temp.there(query) THEN 'the same' ELSE here || ' - ' || pg_temp.there(query) END;
END
$$;
SELECT pg_temp.same(query) FROM unnest(ARRAY[
	$$SELECT concat_ws(' ', encoding, datcollate, datctype, dattablespace, datdba) FROM pg_database WHERE datname = current_database()$$,
	$$SELECT string_agg(concat_ws(' ', extname, extversion, extnamespace::regnamespace), ',' ORDER BY extname) FROM pg_extension$$,
	$$SELECT concat_ws(' ', nspowner::regrole, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(nspacl) AS a), obj_description(oid, 'pg_namespace')) FROM pg_namespace WHERE nspname = 'dq'$$,
	$$SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname ~ '^dq'$$,
	$$SELECT count(*) FROM dq_other.o$$]) AS q (query);
-- the settings that a text depends on are the caller's, others are not
BEGIN;
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL TimeZone = 'Asia/Kathmandu';
SET LOCAL default_text_search_config = 'german';
SET LOCAL work_mem = '77MB';
SELECT pg_temp.there($$SELECT concat_ws(' ', current_setting('DateStyle'), current_setting('TimeZone'), current_setting('default_text_search_config'), current_setting('work_mem') = '77MB')$$);
COMMIT;
SELECT pg_temp.there($$SELECT current_database() ~ '^kints_scratch_[0-9]+_[0-9a-f]{16}$' AND current_database() <> '$$ || current_database() || $$'$$);
-- the database goes in the background
DO $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
BEGIN
	WHILE EXISTS (SELECT FROM pg_database WHERE datname ~ '^kints_scratch_') LOOP
		IF clock_timestamp() > deadline THEN
			RAISE 'something is left';
		END IF;
	END LOOP;
END
$$;
DROP SCHEMA dq, dq_other CASCADE;
DROP ROLE regress_desired_request;

-- another provider of the locale, and no schema public
SELECT current_database() AS here \gset
CREATE DATABASE regress_desired_request TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en';
\c regress_desired_request
CREATE SCHEMA home;
CREATE EXTENSION kints_norm SCHEMA home;
DROP SCHEMA public;
SET client_min_messages = warning;
LOAD 'kints_norm';
SET kints.elaborate_in = 'database';
CREATE SCHEMA dq;
SELECT sql FROM home.kints_plan('CREATE TABLE dq.t (a text COLLATE "en-x-icu")');
DO $$
BEGIN
	PERFORM home.kints_plan('
		CREATE FUNCTION dq.f() RETURNS int LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''% % %'''',
			(SELECT datlocprovider FROM pg_database WHERE datname = current_database()),
			(SELECT daticulocale FROM pg_database WHERE datname = current_database()), to_regnamespace(''''public''''); END'';
		CREATE TABLE dq.p (a int) PARTITION BY LIST (a);
		CREATE TABLE dq.q PARTITION OF dq.p FOR VALUES IN (dq.f())');
EXCEPTION WHEN raise_exception THEN
	RAISE WARNING '%', SQLERRM;
END
$$;
\c :here
SET client_min_messages = warning;
DROP DATABASE regress_desired_request;
