-- Extensions: created, moved and dropped where the script says anything of extensions.
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
DROP SCHEMA de CASCADE;
