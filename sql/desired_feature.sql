-- Calls that make triggers, in a desired schema.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA df;
SET search_path = df, public;
SELECT test.plan($$SELECT kints_version_enable('t', mode => 'check');
	CREATE TABLE t (id int PRIMARY KEY, version int, updated_at timestamptz);
	SELECT public.kints_touch_enable(tbl => 'df.t'::regclass, clock => 'clock')$$);
SELECT count(*) FROM kints_apply($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	SELECT kints_version_enable('t', 'version', 'require', NULL)$$);
INSERT INTO t VALUES (1);
UPDATE t SET version = 1 RETURNING version;
-- the same again, and what becomes of it
SELECT test.plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	SELECT kints_version_enable('t', 'version', 'require', NULL)$$);
SELECT test.plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	CREATE TRIGGER kints_version BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_version('column=version', 'mode=require')$$);
SELECT step, sql, undo FROM kints_plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	SELECT kints_version_enable('t', touch => 'updated_at')$$);
SELECT step, sql, undo FROM kints_plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz)$$);
-- in a scratch database as well
SET kints.elaborate_in = 'database';
SELECT test.plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	SELECT kints_version_enable('t', touch => 'updated_at')$$);
RESET kints.elaborate_in;
-- nobody sees it happen, before it does
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'seen: %', tg_tag; END$$;
CREATE EVENT TRIGGER df_seen ON ddl_command_end EXECUTE FUNCTION seen();
SELECT count(*) FROM kints_plan($$CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL DEFAULT 1, updated_at timestamptz);
	SELECT kints_touch_enable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version text); SELECT kints_version_enable('t')$$);
SELECT kints_touch_enable('t');
SELECT kints_touch_disable('t');
DROP EVENT TRIGGER df_seen;
-- what does not do
SELECT test.plan_fails($$CREATE TABLE t (version text); SELECT kints_version_enable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('none')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('public.none')$$);
CREATE TABLE public.df_outside (version int);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('public.df_outside')$$);
DROP TABLE public.df_outside;
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t') FROM t$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t'), 1$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t') LIMIT 1$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t') HAVING false$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT DISTINCT kints_version_enable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t') ORDER BY 1$$);
SELECT test.plan_fails(format($$CREATE TABLE t (version int); SELECT kints_version_enable('%s')$$, 'df.t'::regclass::oid::int % 10));
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable(lower('t')::regclass)$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t', 1.5)$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable(NULL)$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable(col => 'version', tbl => 't')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable(VARIADIC 't')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT df.kints_version_enable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_disable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('a.b.c.d')$$);
-- nothing that lies in the way is called, and numbers are constants too
CREATE FUNCTION df.kints_version_enable(text, text) RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE 'hijacked'; END$$;
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t', 5)$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t', true)$$);
SELECT count(*) FROM kints_plan($$CREATE TABLE t (version int);
	CREATE FUNCTION df.kints_version_enable(text, text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
	SELECT kints_version_enable('t', 'version')$$);
-- the extension is somewhere else when it comes to that
SELECT test.plan_fails($$CREATE TABLE t (version int); ALTER SCHEMA public RENAME TO elsewhere; SELECT public.kints_version_enable('t')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t', kind => 'check')$$);
SELECT test.plan_fails($$CREATE TABLE t (version int); SELECT kints_version_enable('t', 'version', col => 'version')$$);
SELECT test.plan_fails($$CREATE TABLE t (updated_at date); SELECT kints_touch_enable('t', 'updated_at', 'tx', 'more')$$);
SELECT test.plan_fails($$CREATE TABLE t (updated_at date); SELECT kints_touch_enable('t', NULL)$$);
-- soft delete with all that belongs to it
CREATE SCHEMA df_soft;
SET search_path = df_soft, public;
SELECT $$CREATE TABLE soft (id int PRIMARY KEY, mail text UNIQUE, deleted_at timestamptz, batch bigint);
	CREATE TABLE kept (id int PRIMARY KEY, soft int REFERENCES soft, deleted_at timestamptz);
	SELECT kints_soft_delete_enable('soft', batch => 'batch', cascade => 'restrict', uniques => 'partial', reads => 'policy');
	SELECT kints_soft_delete_enable('kept', cascade => 'restrict', reads => 'view', truncate => 'allow')$$ AS desired \gset
SELECT test.plan(:'desired');
SELECT count(*) FROM kints_apply(:'desired');
SELECT test.plan(:'desired');
INSERT INTO soft VALUES (1, 'a');
DELETE FROM soft;
INSERT INTO soft VALUES (2, 'a');
INSERT INTO kept VALUES (1, 2);
SELECT kints_snapshot('{df_soft}') AS snapshot \gset
SELECT test.plan(:'snapshot'::jsonb, '{"schemas": ["df_soft"]}');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT count(*) FROM pg_class WHERE relnamespace = 'df_soft'::regnamespace;
-- history
SELECT test.plan($$CREATE TABLE kept (id int PRIMARY KEY, a int, secret text, f timestamptz, u timestamptz);
	SELECT kints_history_enable('kept', history => 'olden', period => 'f', until => 'u', exclude => '{secret}', collapse => false)$$);
SELECT test.plan_fails($$CREATE TABLE kept (id int, f timestamptz, u timestamptz); SELECT kints_history_enable('kept', period => 'f', until => 'u')$$);
DELETE FROM kints.schema_migrations;
DROP SCHEMA df, df_soft CASCADE;
