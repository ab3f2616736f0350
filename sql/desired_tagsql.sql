-- SQL in a tag that does not parse: refused with the place of the tag, and nothing else is.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA desired_tagsql;
SET search_path = desired_tagsql, public;
CREATE FUNCTION pg_temp.tagged(tags text) RETURNS text LANGUAGE sql AS $$
	SELECT '## ' || tags || E'\n' || test.fails(format('SELECT * FROM public.kints_plan(%L::jsonb)', jsonb_build_object('models', jsonb_build_array(jsonb_build_object(
		'table', 'users', 'fields', jsonb_build_array(jsonb_build_object('name', 'id', 'type', 'int'), jsonb_build_object('name', 'n', 'type', 'int', 'tags', tags)))))))
$$;
SELECT pg_temp.tagged(tags)
FROM unnest(ARRAY['default:1 +', 'default:)', 'default:1 + 2', 'check:n >', 'check:n > 0', 'check:n > 0) OR (', 'default:nosuch(1)', $$check:n::text <> E'\u00'$$, $$default:E'\xff'$$]) WITH ORDINALITY AS t (tags, n) ORDER BY n;
-- the session goes on, in a subtransaction too
BEGIN;
SELECT pg_temp.tagged('default:1 +');
SELECT pg_temp.tagged('default:1');
COMMIT;
DROP SCHEMA desired_tagsql;
