-- Keys of models: the names that are chosen, what a group agrees on, and what only an index can be.
CREATE SCHEMA desired_keys;
SET search_path = desired_keys, public;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.keys(fields text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line
	FROM kints_plan(('{"models": [{"table": "t", "fields": [' || fields || ']}]}')::jsonb) AS p,
		regexp_split_to_table(p.sql, E',?\n *') AS line
	WHERE line ~ 'CONSTRAINT|INDEX'
$$;

SELECT pg_temp.keys('{"name": "a", "type": "int", "tags": "unique:g"}, {"name": "b", "type": "int", "tags": "unique:g"}');
SELECT pg_temp.keys('{"name": "a", "type": "int", "tags": "unique:g,index_where:a > 1"}, {"name": "b", "type": "int", "tags": "unique:g"}');
SELECT pg_temp.keys('{"name": "a", "type": "int", "tags": "primary_key,index"}, {"name": "b", "type": "int", "tags": "unique,index"}');
SELECT pg_temp.keys('{"name": "a", "type": "int", "tags": "primary_key:p,unique"}, {"name": "b", "type": "int", "tags": "primary_key:p,index,include:a"}');
SELECT pg_temp.keys('{"name": "a", "type": "int", "tags": "unique,fk:t(a),fk_name:f,on_delete:set_null,on_update_fk:cascade,deferrable"}');
SELECT test.fails($$SELECT * FROM public.kints_plan('{"models": [{"table": "t", "fields": [{"name": "a", "type": "int", "tags": "primary_key"}, {"name": "b", "type": "int", "tags": "primary_key"}]}]}'::jsonb)$$);
DROP SCHEMA desired_keys;
