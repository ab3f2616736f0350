-- JSON: values of the wrong type are named with their path.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.option(options jsonb) RETURNS text
LANGUAGE sql AS $$SELECT '## ' || options::text || E'\n' || test.plan_fails('CREATE TABLE public.never (a int)', options)$$;
SELECT pg_temp.option(options::jsonb)
FROM unnest(ARRAY[
	'{"schemas": 5}', '{"schemas": null}', '{"schemas": {}}', '{"schemas": [1]}', '{"schemas": ["public", ["a"]]}', '{"schemas": [true]}',
	'{"name": 5}', '{"name": null}', '{"name": ["a"]}', '{"expect": 1}', '{"expect": {"a": 1}}',
	'{"ignore": "x"}', '{"ignore": [{}]}', '{"allow": 1}', '{"allow": [1]}', '{"allow": [[]]}',
	'{"renames": {"a.b": 5}}', '{"renames": {"a.b": null}}', '{"lock_timeout": true}', '{"lock_timeout": null}'])
	WITH ORDINALITY AS t (options, n)
ORDER BY n;

-- null for an option that has none, and numbers that are times
SELECT test.plan('CREATE TABLE public.never (a int)', '{"expect": null, "lock_timeout": 1000}');

-- keys come out in one order
SELECT kints_plan_format('CREATE TABLE s.never (a int); CREATE SCHEMA s', 'json')::jsonb -> 'steps' -> 1;
