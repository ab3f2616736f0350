-- Which extensions a script means: those that it states, or those that there are.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA dx;
CREATE SCHEMA dx_lib;
COMMENT ON SCHEMA dx_lib IS 'for all';
SET search_path = dx, dx_lib, public;
CREATE EXTENSION cube SCHEMA dx_lib;
CREATE EXTENSION earthdistance SCHEMA dx_lib;
CREATE EXTENSION hstore SCHEMA dx;
CREATE TABLE t (a int, h hstore, c cube);
CREATE TABLE dx_lib.old (a int);
-- the plan, as far as it is about schemas and extensions, made in both ways
CREATE FUNCTION pg_temp.about_extensions(desired text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql SET client_min_messages = error AS $$
	SELECT coalesce(string_agg(test.step(severity, lock, kind, object, sql, hazards), E'\n' ORDER BY step), 'nothing to do')
	FROM public.kints_plan(desired, options || '{"ignore": ["public", "public.*", "test*", "citext", "pg_trgm"]}')
	WHERE kind ~ 'extension|schema|set_comment' OR object ~ 'extension'
$$;
CREATE FUNCTION pg_temp.both(name text, desired text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	one text := pg_temp.about_extensions(desired, options);
	other text;
BEGIN
	PERFORM set_config('kints.elaborate_in', 'database', true);
	other := pg_temp.about_extensions(desired, options);
	PERFORM set_config('kints.elaborate_in', 'auto', true);
	RETURN concat_ws(E'\n', '## ' || name, one, CASE WHEN one <> other THEN E'in a database:\n' || other END);
END
$$;
\set whole '{"schemas": "*"}'
\set both '{"schemas": ["dx", "dx_lib"]}'

-- none stated: all stay; what is needed goes without saying, the others are named where the text is about all
SELECT pg_temp.both('none, of one schema', 'CREATE TABLE dx.t (a int)');
SELECT pg_temp.both('none, of all', 'CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('none, of all, needed', 'CREATE TABLE dx.t (a int, h hstore, c dx_lib.cube)', :'whole');
SELECT pg_temp.both('none, of all, nothing left', '', :'whole');
SELECT pg_temp.both('none, a schema of them not mentioned', 'CREATE TABLE dx.t (a int)', :'both');
SELECT pg_temp.both('none, a schema of them said anew', 'CREATE SCHEMA dx_lib; CREATE TABLE dx.t (a int)', :'both');
-- some stated: the others go, but for what is needed
SELECT pg_temp.both('one', 'CREATE EXTENSION hstore SCHEMA dx; CREATE TABLE dx.t (a int)');
SELECT pg_temp.both('one, of all', 'CREATE EXTENSION hstore SCHEMA dx; CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('one, and one needed', 'CREATE EXTENSION hstore SCHEMA dx; CREATE TABLE dx.t (a int, c dx_lib.cube)', :'whole');
SELECT pg_temp.both('one that needs another', 'CREATE EXTENSION earthdistance SCHEMA dx_lib CASCADE; CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('a new one', 'CREATE SCHEMA dx_new; CREATE EXTENSION hstore SCHEMA dx; CREATE EXTENSION ltree SCHEMA dx_new; CREATE TABLE dx.t (a int)', :'whole');
DROP EXTENSION cube CASCADE;
SELECT pg_temp.both('a new one that brings a new one along', 'CREATE SCHEMA dx_lib; CREATE EXTENSION hstore SCHEMA dx; CREATE EXTENSION earthdistance SCHEMA dx_lib CASCADE; CREATE TABLE dx.t (a int)', :'whole');
-- in a schema that is never planned
CREATE EXTENSION adminpack;
SELECT pg_temp.both('none, of all, one elsewhere', 'CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('one, of all, another elsewhere', 'CREATE EXTENSION hstore SCHEMA dx; CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('one elsewhere', 'CREATE EXTENSION adminpack; CREATE TABLE dx.t (a int)', :'whole');
SELECT pg_temp.both('one schema', 'CREATE TABLE dx.t (a int)');
DROP EXTENSION adminpack;

-- applied and rolled back
CREATE EXTENSION cube SCHEMA dx_lib;
SELECT sql FROM kints_apply('CREATE EXTENSION IF NOT EXISTS cube WITH SCHEMA dx_lib; CREATE TABLE dx.t (a int)', :'both'::jsonb || '{"allow": "all"}');
SELECT sql FROM kints_plan('CREATE EXTENSION IF NOT EXISTS cube WITH SCHEMA dx_lib; CREATE TABLE dx.t (a int)', :'both');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT sql FROM kints_apply('CREATE TABLE dx.t (a int)', :'both'::jsonb || '{"allow": "all"}');
SELECT sql FROM kints_plan('CREATE TABLE dx.t (a int)', :'both');
SELECT object, hazards FROM kints_plan('CREATE TABLE dx.t (a int)', :'both');
SELECT count(*) FROM kints_plan('CREATE TABLE dx.t (a int)', :'both'::jsonb || '{"ignore": ["hs*", "cube"]}');
DROP SCHEMA dx, dx_lib CASCADE;

-- where kints_norm itself is
BEGIN;
DROP EXTENSION kints_norm;
CREATE SCHEMA dx_home;
CREATE EXTENSION kints_norm SCHEMA dx_home;
SELECT kind, object, sql FROM dx_home.kints_plan('CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS pg_trgm', '{"schemas": "*", "ignore": ["test*"]}');
SELECT kind, object, sql FROM dx_home.kints_plan('CREATE TABLE public.t (a int)', '{"schemas": ["dx_home", "public"]}');
ROLLBACK;
