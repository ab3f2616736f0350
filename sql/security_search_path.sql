-- A hostile search_path: what stands before pg_catalog, there or among temporary objects, changes nothing.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public;
-- What the functions give, in both ways to elaborate; every name in it is qualified.
CREATE SCHEMA security_app;
CREATE FUNCTION security_app.outcome(way text) RETURNS text
LANGUAGE plpgsql AS $f$
DECLARE
	one pg_catalog.text;
	two pg_catalog.text;
	lines pg_catalog.text[];
	line pg_catalog.text;
	before pg_catalog.jsonb;
	wanted pg_catalog.text := $w$
		CREATE TYPE security_s.mood AS ENUM ('sad', 'ok');
		CREATE DOMAIN security_s.short AS text CHECK (length(VALUE) < 9);
		CREATE FUNCTION security_s.twice(int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT $1 + $1; END;
		CREATE TABLE security_s.t (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20) NOT NULL DEFAULT lower('X'), mood security_s.mood DEFAULT 'ok',
			at timestamptz DEFAULT now(), n int CHECK (n > 0 AND n <> 5), d security_s.short, j jsonb DEFAULT '{}', b bytea DEFAULT '\x00', tags text[] DEFAULT '{a,NULL}',
			g text GENERATED ALWAYS AS (name::text || 'x') STORED, EXCLUDE USING btree (n WITH =));
		CREATE INDEX i ON security_s.t (lower(name), (n + 1)) WHERE n IS NOT NULL AND name <> 'it''s\';
		CREATE VIEW security_s.v AS SELECT count(*), max(n) + 1 AS m, date '2020-01-02' AS d FROM security_s.t WHERE name ~ '^a' GROUP BY mood;
		CREATE POLICY p ON security_s.t USING (name = current_user);
		COMMENT ON TABLE security_s.t IS 'a table'$w$;
BEGIN
	PERFORM pg_catalog.set_config('kints.elaborate_in', way, true);
	CREATE SCHEMA security_s;
	CREATE TABLE security_s.t (id pg_catalog.int4, name pg_catalog.text, gone pg_catalog.int4 DEFAULT 3);
	CREATE VIEW security_s.v AS SELECT t.id FROM security_s.t;
	INSERT INTO security_s.t VALUES (1, 'a', 2);
	before := public.kints_snapshot('{security_s}');
	SELECT pg_catalog.array_agg(pg_catalog.concat_ws(': ', p.step, p.severity, p.lock, p.sql, p.undo, p.hazards) ORDER BY p.step) INTO lines
	FROM public.kints_plan(wanted, '{"renames": {"security_s.t.gone": "n"}}'::pg_catalog.jsonb) AS p;
	lines := pg_catalog.array_append(lines, public.kints_plan_format(wanted, 'text'::pg_catalog.text));
	lines := pg_catalog.array_append(lines, public.kints_plan_format(wanted, 'sql'::pg_catalog.text));
	lines := pg_catalog.array_append(lines, public.kints_plan_format(wanted, 'json'::pg_catalog.text));
	lines := pg_catalog.array_append(lines, public.kints_plan_format('{"models": [{"table": "u", "schema": "security_s", "fields": [
		{"name": "id", "type": "int", "tags": "primary_key,auto_increment"}, {"name": "at", "type": "time", "tags": "default:now(),index"},
		{"name": "kind", "type": "string", "tags": "default:''x'',check:kind <> ''y'',varchar(9)"}]}]}'::pg_catalog.jsonb, 'sql'::pg_catalog.text));
	lines := pg_catalog.array_append(lines, public.kints_plan_format('{"schema": "security_app", "as": "security_s"}'::pg_catalog.jsonb, 'sql'::pg_catalog.text));
	SELECT pg_catalog.array_agg(a.sql ORDER BY a.step) OPERATOR(pg_catalog.||) lines INTO lines
	FROM public.kints_apply(wanted, '{"allow": "all", "name": "hostile", "renames": {"security_s.t.gone": "n"}}'::pg_catalog.jsonb) AS a;
	lines := pg_catalog.array_append(lines, public.kints_fingerprint('{security_s}'));
	lines := pg_catalog.array_append(lines, public.kints_snapshot('{security_s}')::pg_catalog.text);
	lines := pg_catalog.array_append(lines, public.kints_plan_format(wanted, 'text'::pg_catalog.text));
	SELECT pg_catalog.array_agg(d.sql ORDER BY d.step) OPERATOR(pg_catalog.||) lines INTO lines
	FROM public.kints_diff(before, public.kints_snapshot('{security_s}')) AS d;
	SELECT pg_catalog.concat_ws(' ', s.name, s.state, s.steps, s.checksum_ok, s.drifted) OPERATOR(pg_catalog.||) lines INTO lines
	FROM public.kints_status() AS s ORDER BY s.version DESC LIMIT 1;
	SELECT pg_catalog.array_agg(r.sql ORDER BY r.step) OPERATOR(pg_catalog.||) lines INTO lines
	FROM public.kints_rollback(1, '{"allow": "all"}'::pg_catalog.jsonb) AS r;
	SELECT pg_catalog.concat_ws(' ', s.name, s.state, s.steps, s.checksum_ok, s.drifted) OPERATOR(pg_catalog.||) lines INTO lines
	FROM public.kints_status() AS s ORDER BY s.version DESC LIMIT 1;
	lines := pg_catalog.array_append(lines, public.kints_fingerprint('{security_s}'));
	DROP SCHEMA security_s CASCADE;
	RETURN pg_catalog.array_to_string(lines, E'\n');
END
$f$;
SELECT security_app.outcome('schema') AS plain \gset
SELECT security_app.outcome('database') = :'plain';
SELECT :'plain' ~ 'CREATE TABLE', :'plain' ~ 'Nothing to do', :'plain' ~ 'hostile rolled back', length(:'plain') > 10000;
-- What was committed by then, in tables of the extension.
SELECT count(*) FROM kints.schema_migrations WHERE name = 'hostile';
-- All that is in pg_catalog, once more in another schema; to call any of it is an error.
CREATE SCHEMA evil;
DO $$
DECLARE
	o record;
	functions int := 0;
	operators int := 0;
BEGIN
	FOR o IN
		SELECT proname AS name, pg_get_function_result(p.oid) AS result,
			(SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) FROM unnest(proargtypes) WITH ORDINALITY AS a (t, n)) AS arguments
		FROM pg_proc p
		WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset
			AND NOT EXISTS (SELECT FROM unnest(proargtypes::oid[] || prorettype) AS t JOIN pg_type y ON y.oid = t WHERE typtype = 'p')
	LOOP
		EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', o.name, o.arguments, o.result, 'BEGIN RAISE EXCEPTION ''hostile function''; END');
		functions := functions + 1;
	END LOOP;
	FOR o IN
		SELECT oprname AS name, oprleft::regtype AS lefttype, oprright::regtype AS righttype, oprresult::regtype AS result, 'operate_' || oprresult AS function
		FROM pg_operator
		WHERE oprnamespace = 'pg_catalog'::regnamespace
			AND NOT EXISTS (SELECT FROM pg_type WHERE oid IN (oprleft, oprright, oprresult) AND typtype = 'p')
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', o.function, concat_ws(', ', nullif(o.lefttype::text, '-'), o.righttype), o.result,
			'BEGIN RAISE EXCEPTION ''hostile operator''; END');
		EXECUTE format('CREATE OPERATOR evil.%s (%s, FUNCTION = evil.%I)', o.name, concat_ws(', ', 'LEFTARG = ' || nullif(o.lefttype::text, '-'), 'RIGHTARG = ' || o.righttype), o.function);
		operators := operators + 1;
	END LOOP;
	IF functions < 1500 OR operators < 700 THEN
		RAISE EXCEPTION 'only % functions and % operators', functions, operators;
	END IF;
END
$$;
-- Types and relations, in that schema and among the temporary objects; casts are of no schema.
CREATE TYPE evil.lure AS (a int);
CREATE FUNCTION evil.lured(text) RETURNS evil.lure LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''hostile cast''; END';
CREATE CAST (text AS evil.lure) WITH FUNCTION evil.lured(text) AS IMPLICIT;
DO $$
DECLARE
	o pg_catalog.record;
	types pg_catalog.int4 := 0;
BEGIN
	FOR o IN
		SELECT t.typname AS name FROM pg_catalog.pg_type AS t
		WHERE t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace AND t.typtype OPERATOR(pg_catalog.=) 'b' AND t.typelem OPERATOR(pg_catalog.=) 0
	LOOP
		EXECUTE pg_catalog.format('CREATE DOMAIN evil.%I AS pg_catalog.int2 CHECK (false)', o.name);
		EXECUTE pg_catalog.format('CREATE DOMAIN pg_temp.%I AS pg_catalog.int2 CHECK (false)', o.name);
		types := types OPERATOR(pg_catalog.+) 1;
	END LOOP;
	FOR o IN
		SELECT c.relname AS name FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace AND c.relkind OPERATOR(pg_catalog.<>) 'i'
	LOOP
		EXECUTE pg_catalog.format('CREATE TABLE evil.%I (hostile pg_catalog.int4)', o.name);
		EXECUTE pg_catalog.format('CREATE TABLE pg_temp.%I (hostile pg_catalog.int4)', o.name);
	END LOOP;
	IF types OPERATOR(pg_catalog.<) 40 THEN
		RAISE EXCEPTION 'only % types', types;
	END IF;
END
$$;
-- They do stand in front.
SET search_path = evil, pg_catalog, public;
SELECT lower('X'::pg_catalog.text);
SELECT 1 + 1;
SELECT '1'::text;
SELECT * FROM pg_class;
-- And change nothing.
SELECT security_app.outcome('schema') AS hostile \gset
SELECT :'hostile' OPERATOR(pg_catalog.=) :'plain';
SELECT security_app.outcome('database') AS hostile \gset
SELECT :'hostile' OPERATOR(pg_catalog.=) :'plain';
SET search_path = pg_temp, evil, pg_catalog;
SELECT security_app.outcome('schema') AS hostile \gset
SELECT :'hostile' OPERATOR(pg_catalog.=) :'plain';
SET search_path = '';
SELECT security_app.outcome('schema') AS hostile \gset
SELECT :'hostile' OPERATOR(pg_catalog.=) :'plain';
SELECT security_app.outcome('database') AS hostile \gset
SELECT :'hostile' OPERATOR(pg_catalog.=) :'plain';
-- Among those on the path, the first that can be planned is the current one; nothing becomes temporary.
SET search_path = pg_catalog, pg_temp, security_app;
SELECT p.sql FROM public.kints_plan('CREATE TABLE t (a text)', '{"ignore": ["security_app.outcome*"]}'::pg_catalog.jsonb) AS p;
SET search_path = pg_temp;
SELECT p.sql FROM public.kints_plan('CREATE TABLE t (a text)') AS p;
SET search_path = '';
SELECT p.sql FROM public.kints_plan('CREATE FUNCTION t() RETURNS text LANGUAGE sql AS ''SELECT 1''') AS p;
DISCARD TEMP;
RESET search_path;
DROP SCHEMA evil CASCADE;
-- Code on the table of migrations would run as its owner.
SET search_path = security_app;
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile trigger''; END';
CREATE TRIGGER trap BEFORE INSERT ON kints.schema_migrations FOR EACH ROW EXECUTE FUNCTION trap();
CREATE SCHEMA security_s;
SELECT test.fails('SELECT * FROM public.kints_apply(''CREATE TABLE security_s.t (a int)'')');
SELECT test.fails('SELECT * FROM public.kints_status()');
SELECT test.fails('SELECT * FROM public.kints_rollback()');
DROP TRIGGER trap ON kints.schema_migrations;
CREATE RULE trap AS ON INSERT TO kints.schema_migrations DO INSTEAD NOTHING;
SELECT test.fails('SELECT * FROM public.kints_apply(''CREATE TABLE security_s.t (a int)'')');
DROP RULE trap ON kints.schema_migrations;
ALTER TABLE kints.schema_migrations ENABLE ROW LEVEL SECURITY;
SELECT test.fails('SELECT * FROM public.kints_apply(''CREATE TABLE security_s.t (a int)'')');
ALTER TABLE kints.schema_migrations DISABLE ROW LEVEL SECURITY;
-- A foreign key to it is no such thing.
CREATE TABLE refers (version bigint REFERENCES kints.schema_migrations);
SELECT sql FROM public.kints_apply('CREATE TABLE security_s.t (a int)');
DROP TABLE refers;
-- A table in its place is not it.
ALTER TABLE kints.schema_migrations RENAME TO elsewhere;
CREATE TABLE kints.schema_migrations (LIKE kints.elsewhere INCLUDING ALL);
SELECT test.fails('SELECT * FROM public.kints_apply(''CREATE TABLE security_s.t (a int, b int)'')');
DROP TABLE kints.schema_migrations;
SELECT test.fails('SELECT * FROM public.kints_status()');
ALTER TABLE kints.elsewhere RENAME TO schema_migrations;
-- Event triggers fire for what is applied, with the caller's rights, and not for what is planned or recorded.
CREATE ROLE regress_kints_events;
GRANT CREATE, USAGE ON SCHEMA security_app TO regress_kints_events;
ALTER SCHEMA security_s OWNER TO regress_kints_events;
ALTER TABLE security_s.t OWNER TO regress_kints_events;
CREATE TABLE seen (who name, tag text);
GRANT INSERT ON seen TO PUBLIC;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO security_app.seen VALUES (current_user, tg_tag); END';
CREATE EVENT TRIGGER security_watch ON ddl_command_end EXECUTE FUNCTION watch();
SET ROLE regress_kints_events;
SELECT sql FROM public.kints_plan('CREATE TABLE security_s.t (a int, b int)');
SELECT sql FROM public.kints_apply('CREATE TABLE security_s.t (a int, b int)');
SELECT count(*) > 0 FROM public.kints_status();
RESET ROLE;
DROP EVENT TRIGGER security_watch;
SELECT * FROM seen;
SELECT count(*) FROM public.kints_rollback(1, '{"allow": "all"}');
DROP SCHEMA security_app, security_s CASCADE;
DROP ROLE regress_kints_events;
