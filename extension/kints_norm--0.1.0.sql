/*
 * kints_norm--0.1.0.sql
 *		The SQL surface of kints_norm, in the order in which one reads it.
 *
 * Functions are created in the schema that the extension is installed in;
 * tables are in schema kints.  Every function checks what its caller may do,
 * so calling it is harmless; nobody but the functions writes to the tables.
 */
\echo Use "CREATE EXTENSION kints_norm" to load this file. \quit

/* The step rows of a plan: one row a statement. */
CREATE FUNCTION kints_plan(
	desired text, options jsonb DEFAULT '{}',
	OUT step integer, OUT kind text, OUT object text, OUT sql text, OUT undo text, OUT severity text,
	OUT lock text, OUT hazards text[], OUT transactional boolean, OUT phase text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_plan_sql' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_plan(text, jsonb) IS
	'steps that take the live schema to the one that SQL statements describe';

CREATE FUNCTION kints_plan(
	desired jsonb, options jsonb DEFAULT '{}',
	OUT step integer, OUT kind text, OUT object text, OUT sql text, OUT undo text, OUT severity text,
	OUT lock text, OUT hazards text[], OUT transactional boolean, OUT phase text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_plan_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_plan(jsonb, jsonb) IS
	'steps that take the live schema to the one that models, a snapshot or another schema describe';

CREATE FUNCTION kints_plan_format(desired text, format text DEFAULT 'text', options jsonb DEFAULT '{}')
RETURNS text
AS 'MODULE_PATHNAME', 'kints_plan_format_sql' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_plan_format(text, text, jsonb) IS
	'a plan as one text: text, sql or json';

CREATE FUNCTION kints_plan_format(desired jsonb, format text DEFAULT 'text', options jsonb DEFAULT '{}')
RETURNS text
AS 'MODULE_PATHNAME', 'kints_plan_format_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_plan_format(jsonb, text, jsonb) IS
	'a plan as one text: text, sql or json';

CREATE FUNCTION kints_diff(
	"from" jsonb, "to" jsonb, options jsonb DEFAULT '{}',
	OUT step integer, OUT kind text, OUT object text, OUT sql text, OUT undo text, OUT severity text,
	OUT lock text, OUT hazards text[], OUT transactional boolean, OUT phase text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_diff' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION kints_diff(jsonb, jsonb, jsonb) IS
	'steps between two snapshots; no live schema is looked at';

CREATE FUNCTION kints_snapshot(schemas name[] DEFAULT NULL) RETURNS jsonb
AS 'MODULE_PATHNAME', 'kints_snapshot' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_snapshot(name[]) IS
	'live schemas as a value; NULL for all schemas that users made';

CREATE FUNCTION kints_fingerprint(schemas name[] DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'kints_fingerprint' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_fingerprint(name[]) IS
	'hash of live schemas: the same exactly if a plan between them is empty';

/* What ran.  The functions below read and write it as its owner; nobody else needs to. */
DO $$
BEGIN
	IF pg_catalog.to_regnamespace('kints') IS NULL THEN
		CREATE SCHEMA kints;
		COMMENT ON SCHEMA kints IS 'tables of the extension kints_norm';
	ELSIF NOT EXISTS (
		SELECT FROM pg_catalog.pg_namespace
		 WHERE nspname OPERATOR(pg_catalog.=) 'kints'
		   AND nspowner OPERATOR(pg_catalog.=) pg_catalog.to_regrole(pg_catalog.quote_ident(current_user)))
	THEN
		RAISE EXCEPTION 'schema kints belongs to somebody else' USING ERRCODE = 'duplicate_schema';
	END IF;
END
$$;

CREATE TABLE kints.schema_migrations (
	version            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name               text,
	checksum           text NOT NULL,
	schemas            text[] NOT NULL,
	plan               jsonb NOT NULL,
	undo               jsonb NOT NULL,
	fingerprint_before text NOT NULL,
	fingerprint_after  text NOT NULL,
	applied_by         name NOT NULL,
	applied_at         timestamptz NOT NULL DEFAULT pg_catalog.now(),
	duration           interval NOT NULL,
	rolled_back_at     timestamptz,
	rolled_back_by     name
);
COMMENT ON TABLE kints.schema_migrations IS 'migrations that were applied, with their way back';
COMMENT ON COLUMN kints.schema_migrations.version IS 'counts up';
COMMENT ON COLUMN kints.schema_migrations.name IS 'the option of that name';
COMMENT ON COLUMN kints.schema_migrations.checksum IS 'SHA-256 of the statements of plan and undo';
COMMENT ON COLUMN kints.schema_migrations.schemas IS 'those it was about';
COMMENT ON COLUMN kints.schema_migrations.plan IS 'the steps that ran';
COMMENT ON COLUMN kints.schema_migrations.undo IS 'the steps that lead back';
COMMENT ON COLUMN kints.schema_migrations.fingerprint_before IS 'kints_fingerprint(schemas) before the first step';
COMMENT ON COLUMN kints.schema_migrations.fingerprint_after IS 'kints_fingerprint(schemas) after the last step';
COMMENT ON COLUMN kints.schema_migrations.applied_by IS 'role that called kints_apply';
COMMENT ON COLUMN kints.schema_migrations.applied_at IS 'when its transaction began';
COMMENT ON COLUMN kints.schema_migrations.duration IS 'time that the steps took';
COMMENT ON COLUMN kints.schema_migrations.rolled_back_at IS 'when it was undone; NULL: it was not';
COMMENT ON COLUMN kints.schema_migrations.rolled_back_by IS 'role that called kints_rollback';
REVOKE ALL ON TABLE kints.schema_migrations FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('kints.schema_migrations', '');
SELECT pg_catalog.pg_extension_config_dump('kints.schema_migrations_version_seq', '');

CREATE FUNCTION kints_apply(
	desired text, options jsonb DEFAULT '{}', OUT step integer, OUT sql text, OUT ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_apply_sql' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_apply(text, jsonb) IS
	'makes the live schema the one that SQL statements describe, in this transaction';

CREATE FUNCTION kints_apply(
	desired jsonb, options jsonb DEFAULT '{}', OUT step integer, OUT sql text, OUT ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_apply_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_apply(jsonb, jsonb) IS
	'makes the live schema the one that models, a snapshot or another schema describe, in this transaction';

CREATE FUNCTION kints_rollback(
	steps integer DEFAULT 1, options jsonb DEFAULT '{}',
	OUT version bigint, OUT step integer, OUT sql text, OUT ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_rollback' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_rollback(integer, jsonb) IS
	'undoes the newest migrations, in this transaction';

CREATE FUNCTION kints_status(
	OUT version bigint, OUT name text, OUT state text, OUT steps integer, OUT checksum_ok boolean,
	OUT drifted boolean, OUT applied_by text, OUT applied_at timestamptz, OUT ms double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'kints_status' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_status() IS
	'migrations, the newest first; drifted: the live schema is no longer as the newest one left it';

/*
 * What happens to a row.  Each of these makes a trigger of the same name, whose arguments say all
 * there is to say; the trigger functions are for those triggers, and CREATE TRIGGER does as well.
 */
CREATE FUNCTION kints_version() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_version' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_version() IS
	'trigger, before each row that is updated: makes its version one more';

CREATE FUNCTION kints_version_enable(
	tbl regclass, col name DEFAULT 'version', mode text DEFAULT 'bump', touch name DEFAULT NULL,
	clock text DEFAULT 'tx')
RETURNS void
AS 'MODULE_PATHNAME', 'kints_version_enable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_version_enable(regclass, name, text, name, text) IS
	'makes each update of a row count its version up, and refuse, if the mode says so, what is for another one';

CREATE FUNCTION kints_version_disable(tbl regclass) RETURNS void
AS 'MODULE_PATHNAME', 'kints_version_disable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_version_disable(regclass) IS
	'ends what kints_version_enable has begun; the column stays';

CREATE FUNCTION kints_touch() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_touch' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_touch() IS
	'trigger, before each row that is updated: notes the time in it';

CREATE FUNCTION kints_touch_enable(tbl regclass, col name DEFAULT 'updated_at', clock text DEFAULT 'tx')
RETURNS void
AS 'MODULE_PATHNAME', 'kints_touch_enable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_touch_enable(regclass, name, text) IS
	'makes each update of a row note its time';

CREATE FUNCTION kints_touch_disable(tbl regclass, col name DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'kints_touch_disable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_touch_disable(regclass, name) IS
	'ends what kints_touch_enable has begun, for one column or all; they stay';

CREATE SEQUENCE kints.soft_delete_batch_seq;
COMMENT ON SEQUENCE kints.soft_delete_batch_seq IS 'numbers the statements that delete rows softly';
REVOKE ALL ON SEQUENCE kints.soft_delete_batch_seq FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('kints.soft_delete_batch_seq', '');

CREATE FUNCTION kints_soft_delete() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_soft_delete' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete() IS
	'trigger, before each row that is deleted: notes that it is, and keeps it';

CREATE FUNCTION kints_soft_delete_cascade() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_soft_delete_cascade' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_cascade() IS
	'trigger, after each row that is deleted softly: deletes what refers to it, or refuses';

CREATE FUNCTION kints_soft_delete_truncate() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_soft_delete_truncate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_truncate() IS
	'trigger, before TRUNCATE of a table whose rows are to stay: refuses it';

CREATE FUNCTION kints_soft_delete_batch() RETURNS bigint
AS 'MODULE_PATHNAME', 'kints_soft_delete_batch' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_batch() IS
	'a new number for a statement that deletes rows softly, the same for all of its rows';

CREATE FUNCTION kints_soft_delete_enable(
	tbl regclass, col name DEFAULT 'deleted_at', by name DEFAULT NULL, batch name DEFAULT NULL,
	cascade text DEFAULT NULL, uniques text DEFAULT 'keep', reads text DEFAULT 'none',
	truncate text DEFAULT 'deny', clock text DEFAULT 'tx')
RETURNS void
AS 'MODULE_PATHNAME', 'kints_soft_delete_enable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_enable(regclass, name, name, name, text, text, text, text, text) IS
	'makes DELETE keep the rows of a table, and note when they were deleted';

CREATE FUNCTION kints_soft_delete_disable(tbl regclass) RETURNS void
AS 'MODULE_PATHNAME', 'kints_soft_delete_disable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_disable(regclass) IS
	'ends what kints_soft_delete_enable has begun; rows, columns and indexes stay';

CREATE FUNCTION kints_soft_delete_uniques(tbl regclass, col name DEFAULT NULL)
RETURNS TABLE (index text, sql text, undo text, note text)
AS 'MODULE_PATHNAME', 'kints_soft_delete_uniques' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_soft_delete_uniques(regclass, name) IS
	'what makes the unique constraints of a table hold for the rows alone that are not deleted';

CREATE FUNCTION kints_is_shown_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'kints_is_shown_support' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION kints_is_shown_support(internal) IS
	'what kints_is_shown means, for the planner';

CREATE FUNCTION kints_is_shown(deleted_at anyelement) RETURNS boolean
AS 'MODULE_PATHNAME', 'kints_is_shown' LANGUAGE C STABLE LEAKPROOF PARALLEL SAFE COST 1
SUPPORT kints_is_shown_support;
COMMENT ON FUNCTION kints_is_shown(anyelement) IS
	'whether a row that was deleted then, or never, is to be seen: as kints.trashed says';

CREATE FUNCTION kints_restore(tbl regclass, key jsonb, cascade boolean DEFAULT true)
RETURNS TABLE ("table" regclass, row_key jsonb, restored boolean, conflict text)
AS 'MODULE_PATHNAME', 'kints_restore' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_restore(regclass, jsonb, boolean) IS
	'restores the rows with a key that were deleted softly, and what went with them';

CREATE PROCEDURE kints_purge(
	tbl regclass, older_than interval, batch_size integer DEFAULT 10000, INOUT purged bigint DEFAULT 0)
AS 'MODULE_PATHNAME', 'kints_purge' LANGUAGE C;
COMMENT ON PROCEDURE kints_purge(regclass, interval, integer, bigint) IS
	'deletes rows for good that were deleted softly before, those that refer to others first';

CREATE FUNCTION kints_history_stamp() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_history_stamp' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history_stamp() IS
	'trigger, before each row that is inserted or updated: notes since when it is so';

CREATE FUNCTION kints_history() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_history' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history() IS
	'trigger, after each row that is deleted, or updated in a partition: keeps what it was';

CREATE FUNCTION kints_history_truncate() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_history_truncate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history_truncate() IS
	'trigger, before TRUNCATE: puts all rows into the history';

CREATE FUNCTION kints_history_enable(
	tbl regclass, history text DEFAULT NULL, period name DEFAULT 'sys_period', until name DEFAULT NULL,
	clock text DEFAULT 'tx', conflict text DEFAULT 'adjust', collapse boolean DEFAULT NULL,
	exclude name[] DEFAULT NULL, index text DEFAULT 'btree')
RETURNS void
AS 'MODULE_PATHNAME', 'kints_history_enable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history_enable(regclass, text, name, name, text, text, boolean, name[], text) IS
	'makes a table keep what its rows were, and when';

CREATE FUNCTION kints_history_disable(tbl regclass, drop_history boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'kints_history_disable' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history_disable(regclass, boolean) IS
	'ends what kints_history_enable has begun; the old rows stay, unless they are to go';

CREATE FUNCTION kints_history_follow() RETURNS event_trigger
AS 'MODULE_PATHNAME', 'kints_history_follow' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_history_follow() IS
	'event trigger, before and after ALTER TABLE: alters the history of the table as well';

CREATE EVENT TRIGGER kints_history_before ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
EXECUTE FUNCTION kints_history_follow();
COMMENT ON EVENT TRIGGER kints_history_before IS 'takes away what reads a history while its table is altered';

CREATE EVENT TRIGGER kints_history_after ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
EXECUTE FUNCTION kints_history_follow();
COMMENT ON EVENT TRIGGER kints_history_after IS 'alters the history of a table that was altered';

CREATE FUNCTION kints_versioning() RETURNS trigger
AS 'MODULE_PATHNAME', 'kints_versioning' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_versioning() IS
	'trigger, as versioning() of temporal_tables: keeps what rows were';

CREATE FUNCTION kints_set_system_time(at timestamptz) RETURNS void
AS 'MODULE_PATHNAME', 'kints_set_system_time' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION kints_set_system_time(timestamptz) IS
	'the time that kints_versioning notes in this session; NULL: when the transaction began';
REVOKE ALL ON FUNCTION kints_set_system_time(timestamptz) FROM PUBLIC;
