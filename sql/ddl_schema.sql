-- Schemas: made, commented, dropped.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.plan('CREATE SCHEMA "New s"; COMMENT ON SCHEMA "New s" IS ''it''''s new''; CREATE TABLE "New s".t (a int)');
SELECT sql FROM kints_apply('CREATE SCHEMA "New s"; COMMENT ON SCHEMA "New s" IS ''it''''s new''; CREATE TABLE "New s".t (a int)');
SELECT test.plan('CREATE SCHEMA "New s"; COMMENT ON SCHEMA "New s" IS ''newer''; CREATE TABLE "New s".t (a int)');
SELECT test.plan('CREATE TABLE "New s".t (a int)');
SELECT test.plan('', '{"schemas": ["New s"]}');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT count(*) FROM pg_namespace WHERE nspname = 'New s';
