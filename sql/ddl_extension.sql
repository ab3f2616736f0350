-- Extensions: created and dropped where the script says anything of extensions; moved where a snapshot says so.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA de;
SET search_path = de, public;
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de; CREATE TABLE t (h hstore)');
SELECT sql FROM kints_apply('CREATE EXTENSION hstore SCHEMA de; CREATE TABLE t (h hstore)');
SELECT test.plan('CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA de; CREATE TABLE t (h hstore)');
SELECT test.plan('CREATE TABLE t (h hstore)');
SELECT test.plan('CREATE EXTENSION cube SCHEMA de; CREATE TABLE t (c cube)');
SELECT test.fails('SELECT * FROM kints_apply(''CREATE EXTENSION cube SCHEMA de; CREATE TABLE t (c cube)'', ''{"allow": ["drop_column"]}'')');
SELECT sql FROM kints_apply('CREATE EXTENSION cube SCHEMA de; CREATE TABLE t (c cube)', '{"allow": ["drop_column", "drop_extension"]}');
SELECT sql FROM kints_rollback(2, '{"allow": "all"}');
-- elsewhere
CREATE SCHEMA de_other;
CREATE EXTENSION hstore SCHEMA de_other;
SELECT kints_snapshot('{de,de_other}') AS there \gset
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de_other; CREATE EXTENSION IF NOT EXISTS hstore; CREATE TABLE t (h de_other.hstore)', '{"schemas": ["de", "de_other"]}');
SELECT test.plan_fails(E'CREATE TABLE t (h int);\nCREATE EXTENSION hstore SCHEMA de', '{"schemas": ["de", "de_other"]}');
SET kints.elaborate_in = database;
SELECT test.plan_fails(E'CREATE TABLE t (h int);\nCREATE EXTENSION hstore SCHEMA de', '{"schemas": ["de", "de_other"]}');
RESET kints.elaborate_in;
ALTER EXTENSION hstore SET SCHEMA de;
SELECT test.plan(:'there'::jsonb);
-- two are there, one is stated
CREATE EXTENSION cube SCHEMA de_other;
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de', '{"schemas": ["de", "de_other"]}');
SET kints.elaborate_in = database;
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de; CREATE SCHEMA de_other', '{"schemas": ["de", "de_other"]}');
RESET kints.elaborate_in;
DROP EXTENSION cube, hstore;
-- a schema with nothing in it but an extension
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de', '{"schemas": ["de", "de_other"]}');
SELECT test.plan('CREATE EXTENSION hstore', '{"schemas": ["de", "de_other"]}');
SET kints.elaborate_in = database;
SELECT test.plan('SET search_path = de_other; CREATE EXTENSION hstore', '{"schemas": ["de", "de_other"]}');
RESET kints.elaborate_in;
CREATE EXTENSION hstore SCHEMA de;
SELECT test.plan('CREATE EXTENSION hstore SCHEMA de');
DROP SCHEMA de, de_other CASCADE;
