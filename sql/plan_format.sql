-- A plan as one text.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA pf;
SET search_path = pf, public;
CREATE TABLE t (a int, b text);
CREATE VIEW v AS SELECT a FROM t;
CREATE INDEX i ON t (b);
CREATE COLLATION co FROM "C";
SELECT $w$CREATE TABLE t (a bigint, c int NOT NULL); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE "new; table" (x int PRIMARY KEY REFERENCES "new; table"); CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT E'\n;--'$$; COMMENT ON TABLE t IS 'it''s'$w$ AS wanted \gset
SELECT kints_plan_format(:'wanted');
SELECT kints_plan_format(:'wanted', 'text') = kints_plan_format(:'wanted'), kints_plan_format(:'wanted', NULL) = kints_plan_format(:'wanted'), kints_plan_format(:'wanted', 'text', NULL) = kints_plan_format(:'wanted');
SELECT kints_plan_format(:'wanted', 'sql');
SELECT jsonb_pretty(kints_plan_format(:'wanted', 'json')::jsonb - 'fingerprint');
SELECT kints_plan_format(:'wanted', 'json')::jsonb ->> 'fingerprint' = kints_fingerprint('{pf}');
-- in each format the same steps
SELECT count(*), bool_and(position(sql IN kints_plan_format(:'wanted', 'sql')) > 0 OR sql IS NULL) FROM kints_plan(:'wanted');
SELECT count(*) FROM jsonb_array_elements(kints_plan_format(:'wanted', 'json')::jsonb -> 'steps');
-- twice the same, byte for byte
SELECT count(DISTINCT kints_plan_format(:'wanted', format)) FROM unnest('{text,sql,json,text,sql,json}'::text[]) AS f (format);
-- nothing to do
SELECT kints_plan_format(kints_snapshot('{pf}'), 'text');
SELECT kints_plan_format(kints_snapshot('{pf}'), 'sql');
SELECT kints_plan_format('{"schema": "pf", "as": "pf_2"}'::jsonb, 'sql');
-- other formats there are not
SELECT test.fails(format('SELECT kints_plan_format(''''::text, %L)', format)) FROM unnest(ARRAY['', 'TEXT', 'markdown', 'dot', 'yaml']) AS f (format);
SELECT test.fails('SELECT kints_plan_format(''{"models": []}''::jsonb, ''nosuch'')');
-- the SQL does what apply does
SELECT kints_plan_format(:'wanted', 'sql') AS script \gset
SELECT kints_fingerprint('{pf}') AS before \gset
BEGIN;
SELECT count(*) > 0 FROM kints_apply(:'wanted', '{"allow": "all"}');
SELECT kints_fingerprint('{pf}') AS applied \gset
ROLLBACK;
DO $$ BEGIN PERFORM set_config('pf.script', '', false); END $$;
SELECT set_config('pf.script', :'script', false) = :'script';
BEGIN;
DO $$ BEGIN EXECUTE current_setting('pf.script'); END $$;
SELECT kints_fingerprint('{pf}') = :'applied';
ROLLBACK;
SELECT kints_fingerprint('{pf}') = :'before';
DROP SCHEMA pf CASCADE;
