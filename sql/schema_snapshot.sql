-- Snapshots: there and back, fingerprints, and all that can be wrong with one.
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA schema_snapshot;
SET search_path = schema_snapshot, public;
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, e e DEFAULT 'b');
COMMENT ON TABLE t IS 'it''s';
SELECT jsonb_pretty(kints_snapshot('{schema_snapshot}') #- '{objects,0,owner}') ~ 'schema_snapshot';
SELECT jsonb_object_agg(key, value) FROM jsonb_each(kints_snapshot('{schema_snapshot}')) WHERE key <> 'objects';
SELECT o - 'owner' - 'depends' FROM jsonb_array_elements(kints_snapshot('{schema_snapshot}') -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY n;

-- as a desired state: nothing to do, and the way to and fro
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{schema_snapshot}') AS snapshot, kints_fingerprint('{schema_snapshot}') AS fingerprint;
SELECT test.plan(snapshot) FROM kept;
SELECT test.diff(snapshot, kints_snapshot('{schema_snapshot}')) FROM kept;
SELECT count(*) FROM kints_apply('CREATE TABLE t (id bigint, x text)', '{"allow": "all"}');
SELECT fingerprint <> kints_fingerprint('{schema_snapshot}') FROM kept;
SELECT test.diff(kints_snapshot('{schema_snapshot}'), snapshot) FROM kept;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT fingerprint = kints_fingerprint('{schema_snapshot}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);

-- schemas: none, unknown, repeated, null
SELECT kints_snapshot('{}');
SELECT kints_snapshot('{nosuch,NULL,nosuch}');
SELECT kints_fingerprint('{}') = kints_fingerprint('{nosuch}');
SELECT kints_fingerprint('{schema_snapshot,schema_snapshot}') = kints_fingerprint('{schema_snapshot}');
SELECT kints_snapshot() -> 'schemas' ? 'schema_snapshot', kints_snapshot() -> 'schemas' ? 'kints', kints_snapshot() -> 'schemas' ? 'pg_catalog';
SELECT kints_diff(NULL, '{}');

-- what a fingerprint sees, and what it does not
SELECT bool_and(differs = (what !~ '^no'))
FROM kept, LATERAL (VALUES
	('a comment', 'COMMENT ON COLUMN t.e IS ''x'''),
	('an owner', 'ALTER TABLE t OWNER TO pg_monitor'),
	('a privilege', 'GRANT SELECT ON t TO PUBLIC'),
	('no rows', 'INSERT INTO t DEFAULT VALUES'),
	('no statistics', 'ANALYZE t'),
	('no other schema', 'CREATE TABLE public.never (a int)')) AS c (what, statement),
	LATERAL (SELECT test.fails(statement || format('; DO $x$BEGIN IF kints_fingerprint(''{schema_snapshot}'') <> %L THEN RAISE ''differs''; END IF; END$x$', fingerprint)) ~ 'differs') AS d (differs);

-- malformed
CREATE FUNCTION pg_temp.malformed(snapshot jsonb) RETURNS text
LANGUAGE sql AS $$
	SELECT '## ' || left(snapshot::text, 150) || E'\n'
		|| test.fails(format('SELECT * FROM kints_diff(%L, kints_snapshot(''{}''))', snapshot)) || E'\n'
		|| CASE WHEN test.fails(format('SELECT * FROM kints_diff(kints_snapshot(''{}''), %L)', snapshot))
			= test.fails(format('SELECT * FROM kints_diff(%L, kints_snapshot(''{}''))', snapshot)) THEN 'the same as "to"' ELSE 'not the same as "to"' END
$$;
SELECT pg_temp.malformed(snapshot::jsonb)
FROM unnest(ARRAY[
	'null', '5', '"x"', '[]', '{}', '{"format": null}', '{"format": "1"}', '{"format": 2}', '{"format": -1, "objects": []}', '{"format": 1e30}',
	'{"format": 1}', '{"format": 1, "objects": {}}', '{"format": 1, "objects": null}', '{"format": 1, "objects": "x"}',
	'{"format": 1, "schemas": "s", "objects": []}', '{"format": 1, "schemas": [1], "objects": []}', '{"format": 1, "owners": "yes", "objects": []}',
	'{"format": 1, "privileges": 1, "objects": []}',
	'{"format": 1, "objects": [1]}', '{"format": 1, "objects": [[]]}', '{"format": 1, "objects": [null]}', '{"format": 1, "objects": [{}]}',
	'{"format": 1, "objects": [{"kind": "table"}]}', '{"format": 1, "objects": [{"name": "t"}]}',
	'{"format": 1, "objects": [{"kind": "tabel", "name": "t"}]}', '{"format": 1, "objects": [{"kind": 5, "name": "t"}]}',
	'{"format": 1, "objects": [{"kind": "table", "name": 5}]}', '{"format": 1, "objects": [{"kind": "table", "name": "t", "schema": 5}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t"}, {"kind": "table", "schema": "s", "name": "t"}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "depends": ["schema s"]}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "depends": "schema s"}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "options": "x"}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "options": [1]}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "row_security": "x"}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "persistence": true}]}',
	'{"format": 1, "objects": [{"kind": "table", "schema": "s", "name": "t", "privileges": 7}]}',
	'{"format": 1, "objects": [{"kind": "sequence", "schema": "s", "name": "t", "start_value": "x"}]}',
	'{"format": 1, "objects": [{"kind": "sequence", "schema": "s", "name": "t", "start_value": 1e30}]}'])
	WITH ORDINALITY AS t (snapshot, n)
ORDER BY n;
SET client_min_messages = warning;
DROP SCHEMA schema_snapshot CASCADE;

-- extensions, and names under quote_all_identifiers
CREATE SCHEMA snapshot_a;
CREATE EXTENSION hstore SCHEMA snapshot_a;
CREATE TABLE snapshot_a.t (h snapshot_a.hstore);
SET quote_all_identifiers = on;
SELECT test.plan(kints_snapshot('{snapshot_a}'));
RESET quote_all_identifiers;
DROP SCHEMA snapshot_a CASCADE;
