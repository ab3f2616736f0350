-- What tags say of the rows of a model: versions, and the time of the last change.
CREATE SCHEMA desired_behaviour;
SET search_path = desired_behaviour, public;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.model(fields text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT ('{"models": [{"table": "t", "fields": [{"name": "id", "type": "int", "tags": "primary_key"},' || fields || ']}]}')::jsonb
$$;
CREATE FUNCTION pg_temp.triggers(fields text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT sql FROM kints_plan(pg_temp.model(fields)) WHERE sql LIKE '%TRIGGER%'
$$;
CREATE FUNCTION pg_temp.fails(fields text) RETURNS text LANGUAGE sql AS $$
	SELECT test.fails(format('SELECT * FROM public.kints_plan(%L::jsonb)', pg_temp.model(fields)))
$$;

SELECT pg_temp.triggers('{"name": "v", "tags": "version"}');
SELECT pg_temp.triggers('{"name": "at", "type": "time", "tags": "on_update:now()"}');
-- the same clock has several names
SELECT pg_temp.triggers(format('{"name": "at", "type": "date", "tags": "on_update:%s"}', moment))
FROM unnest('{Now ( ),CURRENT_TIMESTAMP,pg_catalog.now(),transaction_timestamp(),statement_timestamp(),PG_CATALOG . clock_timestamp()}'::text[])
	AS moment;
-- one trigger for both, and one for each that is left
SELECT pg_temp.triggers('{"name": "at", "type": "time", "tags": "on_update:clock_timestamp()"},
	{"name": "v", "type": "int16", "tags": "version,column:Ver"}, {"name": "day", "type": "date", "tags": "on_update:now()"}');
SELECT pg_temp.triggers('{"name": "a", "type": "time", "tags": "on_update:now()"}, {"name": "b", "type": "date", "tags": "on_update:now()"}');
-- it holds, and is there once; without the tags it goes
SELECT count(*) FROM kints_apply(pg_temp.model('{"name": "v", "tags": "version"}, {"name": "at", "type": "time", "tags": "on_update:now()"}'));
INSERT INTO t VALUES (1);
UPDATE t SET v = 1 RETURNING v, at = now();
SELECT test.fails('UPDATE desired_behaviour.t SET v = 4');
SELECT count(*) FROM kints_plan(pg_temp.model('{"name": "v", "tags": "version"}, {"name": "at", "type": "time", "tags": "on_update:now()"}'));
SELECT sql, undo FROM kints_plan(pg_temp.model('{"name": "v", "tags": "version"}, {"name": "at", "type": "time"}'));
SELECT kints_snapshot('{desired_behaviour}') AS snapshot \gset
SELECT count(*) FROM kints_plan(:'snapshot'::jsonb);
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
-- what does not do
SELECT pg_temp.fails('{"name": "v", "tags": "version"}, {"name": "w", "tags": "version"}');
SELECT pg_temp.fails('{"name": "at", "type": "time", "tags": "on_update:now() + interval ''1 day''"}');
SELECT pg_temp.fails('{"name": "who", "type": "string", "tags": "on_update:current_user"}');
SELECT pg_temp.fails('{"name": "at", "type": "string", "tags": "on_update:now()"}');
SELECT pg_temp.fails('{"name": "a", "tags": "soft_delete"}, {"name": "b", "tags": "soft_delete"}');
SELECT pg_temp.fails('{"name": "a", "type": "time", "tags": "soft_delete,on_update:now()"}');
SELECT pg_temp.fails('{"name": "a", "type": "string", "tags": "soft_delete"}');
-- rows that stay when they are deleted
SELECT pg_temp.triggers('{"name": "gone", "tags": "soft_delete,column:Gone at"}');
SELECT count(*) FROM kints_apply(pg_temp.model('{"name": "gone", "tags": "soft_delete"}, {"name": "v", "tags": "version"}'));
INSERT INTO t VALUES (1);
DELETE FROM t;
SELECT id, v, gone IS NOT NULL FROM t;
SELECT count(*) FROM kints_plan(pg_temp.model('{"name": "gone", "tags": "soft_delete"}, {"name": "v", "tags": "version"}'));
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
-- rows of which is kept what they were
SELECT sql FROM kints_plan(pg_temp.model('{"name": "since", "tags": "history"}, {"name": "v", "tags": "version"}'));
SELECT count(*) FROM kints_apply(pg_temp.model('{"name": "since", "tags": "history"}, {"name": "v", "tags": "version"}'));
INSERT INTO t VALUES (1);
UPDATE t SET id = 2;
SELECT id, v FROM t__history ORDER BY id;
SELECT count(*) FROM kints_plan(pg_temp.model('{"name": "since", "tags": "history"}, {"name": "v", "tags": "version"}'));
SELECT kints_snapshot('{desired_behaviour}') AS snapshot \gset
SELECT count(*) FROM kints_plan(:'snapshot'::jsonb);
SELECT sql FROM kints_plan(pg_temp.model('{"name": "since", "tags": "history"}, {"name": "v", "tags": "version"}, {"name": "more", "type": "string"}'));
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT pg_temp.fails('{"name": "a", "tags": "history"}, {"name": "b", "tags": "history"}');
SELECT pg_temp.fails('{"name": "a", "tags": "history,nullable"}');
SELECT pg_temp.fails('{"name": "a", "type": "string", "tags": "history"}');
DELETE FROM kints.schema_migrations;
DROP SCHEMA desired_behaviour CASCADE;
