-- Statements that change the schema: seen by event triggers when they are done, and not when they are only tried.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA bu;
SET search_path = bu, public;
CREATE TABLE t (version int, updated_at timestamptz);
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'seen: %', tg_tag; END$$;
CREATE EVENT TRIGGER bu_seen ON ddl_command_end EXECUTE FUNCTION seen();
SELECT count(*) FROM kints_plan('CREATE TABLE t (version int, updated_at timestamptz); SELECT kints_version_enable(''t'')');
-- also after one that has failed
SELECT test.plan_fails('CREATE TABLE t (version text); SELECT kints_version_enable(''t'')');
SELECT kints_version_enable('t');
SELECT count(*) FROM kints_apply('CREATE TABLE t (version int, updated_at timestamptz); SELECT kints_touch_enable(''t'')', '{"allow": "all", "ignore": ["bu.seen", "bu.seen()"]}');
DROP EVENT TRIGGER bu_seen;
DELETE FROM kints.schema_migrations;
DROP SCHEMA bu CASCADE;
