-- The four doors, and which schemas are planned.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA dd_a;
CREATE SCHEMA dd_b;
SET search_path = dd_a, public;
CREATE TABLE dd_b.t (a int PRIMARY KEY, b text DEFAULT 'x');
CREATE FUNCTION dd_b.f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM dd_b.t; END;
CREATE VIEW dd_b.v AS SELECT dd_b.f(), t.* FROM dd_b.t;

-- SQL: those that it names, else the current one
SELECT test.plan('CREATE TABLE t (a int)');
SELECT test.plan('CREATE TABLE dd_b.t (a int PRIMARY KEY, b text DEFAULT ''x'')');
SELECT test.plan('CREATE TABLE t (a int)', '{"schemas": "dd_a"}');
SELECT test.plan('CREATE TABLE t (a int)', '{"schemas": ["dd_a", "dd_b"]}');
SELECT test.plan('', '{"schemas": ["nosuch"]}');
SET search_path = '';
SELECT public.kints_plan_format('');
SELECT test.plan_fails('CREATE TABLE t (a int)');
SELECT test.plan_fails('CREATE TABLE t (a int)', '{"schemas": ["dd_a"]}');
SET search_path = dd_a, public;

-- another schema
SELECT test.plan('{"schema": "dd_b"}'::jsonb);
SELECT test.plan('{"schema": "dd_b", "as": "dd_c"}'::jsonb);
SELECT count(*) FROM kints_apply('{"schema": "dd_b"}'::jsonb);
SELECT test.plan('{"schema": "dd_b"}'::jsonb);
SELECT test.plan('{"schema": "dd_a", "as": "dd_b"}'::jsonb);
SELECT * FROM v;
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');

-- of a snapshot, those that it covers; others that are named become empty
SELECT kints_snapshot('{dd_a}') AS kept \gset
SELECT test.plan(:'kept'::jsonb);
SELECT test.plan(:'kept'::jsonb, '{"schemas": ["dd_a", "dd_b"]}');
SELECT string_agg(kind || ' ' || object, ', ') FROM kints_plan(:'kept'::jsonb, '{"schemas": "*", "ignore": ["public*", "test*", "citext*"]}') WHERE object LIKE 'dd\_%';
SELECT '## ' || o || E'\n' || test.fails(format('SELECT * FROM kints_plan(%L::jsonb, %L)', d, o))
FROM (VALUES (:'kept', '{"schemas": "dd_b"}'), (:'kept', '{"schemas": ["dd_a", "pg_catalog"]}'),
	('{"schema": "dd_b"}', '{"schemas": "*"}'), ('{"schema": "dd_b"}', '{"schemas": ["dd_b"]}'),
	('{"schema": "dd_b"}', '{"schemas": ["dd_a", "dd_b"]}')) AS t (d, o);
SELECT count(*) > 0 FROM kints_plan('{"schema": "dd_b"}'::jsonb, '{"schemas": "dd_a"}');

-- JSON that is none of them
SELECT '## ' || j || E'\n' || test.fails(format('SELECT * FROM kints_plan(%L::jsonb)', j))
FROM unnest(ARRAY['null', '1', '[]', '"x"', '{}', '{"modles": []}', '{"models": null}', '{"schema": null}', '{"schema": 5}', '{"schema": "nosuch"}', '{"schema": "dd_b", "as": 5}', '{"schema": "dd_b", "as": "dd_b"}', '{"schema": "dd_a"}', '{"format": 9}', '{"schema": "pg_catalog"}'])
	WITH ORDINALITY AS t (j, n) ORDER BY n;
SELECT test.fails('SELECT * FROM kints_plan(NULL::jsonb)');
SELECT test.fails('SELECT * FROM kints_plan_format(NULL::text)');
SELECT test.fails('SELECT * FROM kints_plan_format(NULL::jsonb)');
SELECT test.fails('SELECT * FROM kints_apply(NULL::text)');
SELECT test.fails('SELECT * FROM kints_apply(NULL::jsonb)');
DROP SCHEMA dd_a, dd_b CASCADE;
-- An extension that would never come, and what a dump with DROP begins with.
SELECT test.fails($$SELECT kints_plan('CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public; CREATE SCHEMA desired_late; CREATE TABLE desired_late.t (a public.hstore)')$$);
SELECT test.plan($$
	DROP EXTENSION IF EXISTS pg_trgm;
	DROP SCHEMA IF EXISTS desired_late;
	CREATE SCHEMA desired_late;
	CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
	CREATE TABLE desired_late.t (a text);
	CREATE INDEX ON desired_late.t USING gin (a public.gin_trgm_ops)$$);
