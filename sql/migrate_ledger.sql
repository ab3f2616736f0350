-- The table of migrations: what is in it, that it cannot be forged unseen, who may use it.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ml;
SET search_path = ml, public;
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int, b int)', '{"name": "first"}');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int, c int)', '{"name": "second", "allow": "all"}');
SELECT name, length(checksum), schemas, jsonb_pretty(plan), jsonb_pretty(undo), length(fingerprint_before), fingerprint_after = kints_fingerprint('{ml}'), applied_by, duration > '0', rolled_back_at, rolled_back_by
FROM kints.schema_migrations ORDER BY version DESC LIMIT 1;
SELECT a.fingerprint_after = b.fingerprint_before FROM kints.schema_migrations a, kints.schema_migrations b WHERE a.name = 'first' AND b.name = 'second';
SELECT max(version) AS version FROM kints.schema_migrations \gset
-- forged: any change of a statement, of its order, of what is undone is seen
CREATE FUNCTION pg_temp.forged(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen boolean;
	refused text;
BEGIN
	EXECUTE 'UPDATE kints.schema_migrations SET ' || change || ' WHERE name = ''second''';
	SELECT NOT checksum_ok INTO seen FROM public.kints_status() WHERE name = 'second';
	refused := test.fails('SELECT * FROM public.kints_rollback(1, ''{"allow": "all"}'')');
	RAISE EXCEPTION SQLSTATE 'TEST2' USING MESSAGE = concat_ws(' | ', '## ' || change, seen, refused);
EXCEPTION WHEN SQLSTATE 'TEST2' THEN
	RETURN SQLERRM;
END
$$;
SELECT pg_temp.forged(change)
FROM unnest(ARRAY[
	$$undo = jsonb_set(undo, '{0,sql}', '"DROP SCHEMA ml CASCADE"')$$, $$plan = jsonb_set(plan, '{0,sql}', '"SELECT 1"')$$, $$undo = undo || '{"kind": "x", "object": "y", "sql": "DROP TABLE t"}'$$,
	$$undo = undo - 0$$, $$undo = '[]'$$, $$plan = '[]'$$, $$undo = jsonb_build_array(undo -> 1, undo -> 0)$$, $$plan = undo, undo = plan$$, $$checksum = repeat('0', 64)$$, $$checksum = ''$$,
	$$undo = '{}'$$, $$undo = 'null'$$, $$undo = '"x"'$$, $$undo = '[[]]'$$, $$undo = '[1, "x", null]'$$, $$undo = '[{"sql": 5}]'$$, $$undo = '[{}]'$$, $$undo = '[{"kind": null, "sql": null}]'$$,
	$$undo = jsonb_set(undo, '{1,gated}', 'false')$$, $$undo = jsonb_set(undo, '{0,kind}', '"drop_table"')$$, $$schemas = '{other}'$$, $$schemas = '{}'$$, $$fingerprint_after = 'x'$$, $$fingerprint_before = 'x'$$])
	WITH ORDINALITY AS t (change, n) ORDER BY n;
SELECT name, checksum_ok, state FROM kints_status() LIMIT 2;
-- the name is only a name; a migration that is undone stays
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT name, state, checksum_ok, drifted FROM kints_status() LIMIT 2;
SELECT rolled_back_by = current_user, rolled_back_at > applied_at FROM kints.schema_migrations WHERE version = :version;
UPDATE kints.schema_migrations SET name = 'renamed' WHERE version = :version;
SELECT name, checksum_ok FROM kints_status() LIMIT 1;
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int, c int)', '{"allow": "all"}');
SELECT name, state FROM kints_status() LIMIT 3;
-- not for others
CREATE ROLE regress_kints_ledger;
GRANT USAGE ON SCHEMA test TO regress_kints_ledger;
SET ROLE regress_kints_ledger;
SELECT count(*) >= 3 FROM public.kints_status();
SELECT test.fails('TABLE kints.schema_migrations');
SELECT test.fails('INSERT INTO kints.schema_migrations (name) VALUES (''x'')');
SELECT test.fails('SELECT * FROM public.kints_rollback(1, ''{"allow": "all"}'')');
RESET ROLE;
REVOKE USAGE ON SCHEMA test FROM regress_kints_ledger;
DROP ROLE regress_kints_ledger;
-- the extension keeps its own: its table and schema are no part of any plan
SELECT test.plan('CREATE TABLE t (a int, c int)', '{"schemas": "*"}') ~ 'schema_migrations';
SELECT kints_snapshot() -> 'schemas' ? 'kints';
SELECT test.fails('DROP TABLE kints.schema_migrations');
-- an extension that is created where somebody else has the schema
BEGIN;
DROP EXTENSION kints_norm CASCADE;
CREATE ROLE regress_kints_squatter;
CREATE SCHEMA IF NOT EXISTS kints;
ALTER SCHEMA kints OWNER TO regress_kints_squatter;
SELECT test.fails('CREATE EXTENSION kints_norm SCHEMA public');
ALTER SCHEMA kints OWNER TO CURRENT_USER;
CREATE EXTENSION kints_norm SCHEMA ml;
SELECT count(*) FROM ml.kints_status();
SELECT count(*) FROM ml.kints_plan('CREATE TABLE ml.t (a int)');
SELECT test.fails('SELECT ml.kints_rollback()');
ROLLBACK;
DROP SCHEMA ml CASCADE;
