-- The plan between two snapshots: no live schema is looked at.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA df;
SET search_path = df, public;
CREATE TABLE t (a int);
CREATE TABLE x (old int);
SELECT kints_snapshot('{df}') AS one \gset
DROP TABLE t;
CREATE TABLE t (a bigint, b text);
CREATE TABLE u (a int PRIMARY KEY);
DROP TABLE x;
SELECT kints_snapshot('{df}') AS two \gset
DROP SCHEMA df CASCADE;
SELECT test.diff(:'one', :'two');
SELECT test.diff(:'two', :'one');
SELECT test.diff(:'one', :'one');
SELECT test.diff('{"format": 1, "schemas": ["df"], "objects": []}', :'one');
SELECT test.diff(:'one', '{"format": 1, "schemas": ["df"], "objects": []}');
-- by whoever may call it, where nothing may be written, in a parallel query
BEGIN READ ONLY;
SELECT count(*) FROM kints_diff(:'one', :'two');
COMMIT;
-- what owners and privileges say counts where both state them
SELECT test.diff(jsonb_set(:'one', '{objects,1,owner}', '"somebody"'), :'one');
SELECT test.diff(jsonb_set(:'one', '{objects,1,owner}', '"somebody"'), jsonb_set(:'one', '{owners}', 'false'));
SELECT test.diff(:'one', jsonb_set(:'one', '{objects,1,privileges}', '["=r/postgres"]'));
SELECT test.diff(:'one', jsonb_set(jsonb_set(:'one', '{objects,1,privileges}', '["=r/postgres"]'), '{privileges}', 'false'));
-- likewise on columns of a view, which the other state may have in another order, or not at all
\set view '{"kind": "view", "name": "v", "schema": "df", "definition": " SELECT 1 AS a, 2 AS b", "columns": ["a", "b"], "types": ["integer", "integer"], "comments": [null, null], "owner": "o"}'
\set other '{"kind": "view", "name": "v", "schema": "df", "definition": " SELECT 2 AS b", "columns": ["b"], "types": ["integer"], "comments": [null], "owner": "o"}'
SELECT test.diff(jsonb_build_object('format', 1, 'schemas', '["df"]'::jsonb, 'objects', jsonb_build_array(:'view'::jsonb || '{"column_acl": ["a =r/o", "b x=rw/o"]}')),
	jsonb_build_object('format', 1, 'schemas', '["df"]'::jsonb, 'objects', jsonb_build_array(:'other'::jsonb || '{"column_acl": ["b y=w/o"]}'), 'privileges', stated)) FROM unnest('{true, false}'::boolean[]) AS stated;
-- NULL
SELECT count(*) FROM kints_diff(NULL, :'one');
SELECT count(*) FROM kints_diff(:'one', NULL);
