-- Options: each one that is wrong says how.
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.option(options jsonb) RETURNS text
LANGUAGE sql AS $$SELECT '## ' || options::text || E'\n' || test.plan_fails('CREATE TABLE public.never (a int)', options)$$;
SELECT pg_temp.option(options::jsonb)
FROM unnest(ARRAY[
	'null', '5', '"x"', '[]', '[{}]', 'true', '{}', '{"": 1}', '{"Schemas": ["public"]}', '{"schema": "public"}', '{"lock_timeout ": 1}', '{"online": true}', '{"schemas": ["public"], "prove": true, "zzz": 1}',
	'{"schemas": []}', '{"schemas": ["pg_catalog"]}', '{"schemas": ["*"]}', '{"schemas": ""}', '{"schemas": "nosuch"}', '{"schemas": ["public", "public"]}',
	'{"allow": "everything"}', '{"allow": ""}', '{"allow": []}', '{"allow": ["nosuch_kind"]}', '{"allow": {}}',
	'{"expect": "x"}', '{"name": ""}', '{"ignore": []}', '{"ignore": [""]}', '{"ignore": ["a", null]}', '{"allow": [null]}',
	'{"renames": []}', '{"renames": "a"}', '{"renames": {}}', '{"renames": {"a": "b"}}', '{"renames": {"a.b.c.d": "e"}}', '{"renames": {"": "e"}}', '{"renames": {"a..b": "e"}}', '{"renames": {"public.\"a": "e"}}', '{"renames": {"public.nosuch": "e"}}',
	'{"renames": {"public.nosuch.a": "e"}}', '{"renames": {"public.a": ["b"]}}', '{"renames": {"public.a": {"b": "c"}}}', '{"lock_timeout": {}}', '{"lock_timeout": 1.5}', '{"lock_timeout": 1e30}', '{"lock_timeout": -5}'])
	WITH ORDINALITY AS t (options, n)
ORDER BY n;
-- the same for all functions that take options
SELECT DISTINCT test.fails(statement)
FROM unnest(ARRAY['SELECT * FROM kints_plan(''''::text, ''{"x": 1}'')', 'SELECT * FROM kints_plan(''{"models": []}''::jsonb, ''{"x": 1}'')', 'SELECT kints_plan_format(''''::text, ''text'', ''{"x": 1}'')',
	'SELECT kints_plan_format(''{"models": []}''::jsonb, ''text'', ''{"x": 1}'')', 'SELECT * FROM kints_apply(''''::text, ''{"x": 1}'')', 'SELECT * FROM kints_apply(''{"models": []}''::jsonb, ''{"x": 1}'')',
	'SELECT * FROM kints_diff(kints_snapshot(''{}''), kints_snapshot(''{}''), ''{"x": 1}'')', 'SELECT * FROM kints_rollback(0, ''{"x": 1}'')']) AS t (statement);
-- null is as if nothing was said
SELECT count(*) FROM kints_plan('CREATE TABLE public.never (a int)', NULL);
SELECT count(*) FROM kints_diff(kints_snapshot('{}'), kints_snapshot('{}'), NULL);
-- a pattern with many stars takes no longer than a short one
CREATE SCHEMA plan_options;
CREATE TABLE plan_options.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ();
SELECT pattern, count(*) FROM unnest(ARRAY['*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b', '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a', 'plan_options.?*', '*?.a*?', '**', '?', 'plan_options.*a?', 'plan*a', 'plan_option?*.b*']) AS pattern,
	LATERAL kints_plan('CREATE SCHEMA plan_options', jsonb_build_object('schemas', '["plan_options"]'::jsonb, 'ignore', ARRAY[pattern, 'plan_options'])) GROUP BY pattern ORDER BY pattern;
DROP SCHEMA plan_options CASCADE;
