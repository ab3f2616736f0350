-- Applying: gates, fingerprints, timeouts, the outcome; rolling back; what ran.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ma;
SET search_path = ma, public;
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$ SELECT kints_fingerprint('{ma}') || (SELECT count(*) FROM kints_status()) $$;
CREATE TABLE t (a int PRIMARY KEY, b text, c int CHECK (c > 0));
CREATE TABLE u (a int);
CREATE INDEX i ON t (b);
CREATE VIEW v AS SELECT a FROM t;
INSERT INTO t VALUES (1, 'one', 5), (2, 'two', 6);
-- refused: the error lists every step that is, and nothing runs
SELECT pg_temp.state() AS before \gset
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, new int)')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, new int)', '{"allow": ["drop_view", "drop_index", "drop_table", "drop_column"]}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, new int)', '{"allow": []}')$$) = test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, new int)')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a smallint PRIMARY KEY, b text, c int CHECK (c > 0)); CREATE TABLE u (a int); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t', '{"allow": ["drop_view"]}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('', '{"schemas": ["ma"]}')$$);
SELECT :'before' = pg_temp.state();
-- allowed by kind
SELECT step, sql FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0))', '{"allow": ["drop_view", "drop_index", "drop_table"]}');
-- again: nothing to do, nothing recorded
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0))');
SELECT :'before' <> pg_temp.state();
SELECT * FROM t;
-- the fingerprint that was expected
SELECT kints_fingerprint('{ma}') AS fingerprint \gset
SELECT test.fails(format($$SELECT * FROM kints_apply('CREATE TABLE t (a int)', '{"expect": "%s", "allow": "all"}')$$, repeat('0', 64)));
SELECT test.fails($$SELECT * FROM kints_plan('CREATE TABLE t (a int)', '{"expect": ""}')$$);
SELECT sql FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new bigint, c int CHECK (c > 0))', format('{"expect": "%s"}', :'fingerprint')::jsonb);
SELECT test.fails(format($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new bigint, c int CHECK (c > 0))', '{"expect": "%s"}')$$, :'fingerprint'));
SELECT sql FROM kints_rollback(1, '{"allow": ["narrow_type"]}');
SELECT kints_fingerprint('{ma}') = :'fingerprint';
-- a lock that somebody else holds
CREATE EXTENSION dblink;
-- what the extension brought along is its own business
SELECT test.plan('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0))');
ALTER EXTENSION dblink SET SCHEMA public;
SELECT dblink_connect('other', format('dbname=%s host=%s port=%s user=%s', current_database(), split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_user));
SELECT dblink_exec('other', 'BEGIN; LOCK TABLE ma.t IN ACCESS SHARE MODE');
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)', '{"lock_timeout": "10ms"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)', '{"lock_timeout": 10}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)', '{"lock_timeout": "soon"}')$$);
SELECT test.fails($$SELECT * FROM kints_rollback(1, '{"lock_timeout": "10ms", "allow": "all"}')$$);
SHOW lock_timeout;
SELECT dblink_exec('other', 'COMMIT');
-- one at a time in a database: the other one waits, and finds that it is done
SELECT dblink_exec('other', 'BEGIN; SET search_path = ma, public; SET lock_timeout = ''10ms''');
BEGIN;
SELECT sql FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)');
SELECT test.fails($$SELECT * FROM dblink('other', 'SELECT count(*) FROM kints_apply(''CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)'')') AS t (n int)$$) ~ '55P03.*lock timeout';
COMMIT;
SELECT dblink_exec('other', 'ROLLBACK; SET search_path = ma, public');
SELECT * FROM dblink('other', 'SELECT count(*) FROM kints_apply(''CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int)'')') AS t (n int);
SELECT dblink_disconnect('other');
DROP EXTENSION dblink;
-- what is left to be done after the steps is an error: here something undoes them at once
CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_tag = 'COMMENT' THEN RETURN; END IF;
	COMMENT ON COLUMN ma.t.a IS 'meddled with';
END
$$;
CREATE EVENT TRIGGER ma_meddle ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.meddle();
SELECT pg_temp.state() AS before \gset
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, new int, c int CHECK (c > 0), d int, e int)')$$);
SELECT test.fails($$SELECT * FROM kints_rollback(1, '{"allow": "all"}')$$);
DROP EVENT TRIGGER ma_meddle;
DROP FUNCTION public.meddle();
SELECT :'before' = pg_temp.state();
-- rolling back: gates, a schema that has changed, more than there is
SELECT test.fails('SELECT * FROM kints_rollback()');
SELECT test.fails('SELECT * FROM kints_rollback(1, ''{"allow": ["drop_table"]}'')');
ALTER TABLE t ADD extra int;
SELECT test.fails('SELECT * FROM kints_rollback(1, ''{"allow": "all"}'')');
SELECT drifted FROM kints_status() LIMIT 1;
ALTER TABLE t DROP extra;
SELECT drifted FROM kints_status() LIMIT 1;
SELECT test.fails('SELECT * FROM kints_rollback(-1)');
SELECT count(*) FROM kints_rollback(0);
SELECT test.fails('DELETE FROM kints.schema_migrations WHERE schemas <> ''{ma}''; SELECT * FROM kints_rollback(100000, ''{"allow": "all"}'')');
SELECT test.fails('DELETE FROM kints.schema_migrations; SELECT * FROM kints_rollback()');
SELECT :'before' = pg_temp.state();
SELECT step, sql FROM kints_rollback(NULL, '{"allow": "all"}');
SELECT test.fails('SELECT * FROM kints_rollback(1, NULL)');
SELECT step, sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT test.fails('SELECT * FROM kints_rollback(1, ''{"nosuch": 1}'')');
-- rows of what was dropped are gone, all else is as before
SELECT * FROM t;
SELECT count(*) FROM kints_rollback(0, '{}');
-- several at once, and the name
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, c int CHECK (c > 0)); CREATE TABLE u (a int); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE one (a int)', '{"name": "add one"}');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY, b text, c int CHECK (c > 0)); CREATE TABLE u (a int); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE one (a int); CREATE TABLE two (a int)', '{"name": "it''s two"}');
SELECT name, state, steps, checksum_ok, drifted, applied_by = current_user, applied_at <= now(), ms > 0 FROM kints_status() LIMIT 2;
BEGIN READ ONLY;
SELECT test.fails('SELECT * FROM kints_rollback(1, ''{"allow": "all"}'')');
COMMIT;
SELECT sql FROM kints_rollback(2, '{"allow": "all"}');
SELECT name, state, steps, checksum_ok, drifted FROM kints_status() LIMIT 2;
-- applied and rolled back in one statement
SELECT (SELECT count(*) FROM kints_apply('CREATE TABLE t (a int PRIMARY KEY)', '{"allow": "all"}')) > 0, (SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}')) > 0, (SELECT state FROM kints_status() LIMIT 1);
-- in a transaction that is rolled back, nothing stays
SELECT pg_temp.state() AS before \gset
BEGIN;
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int)', '{"allow": "all"}');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int)', '{"allow": "all"}');
ROLLBACK;
SELECT :'before' = pg_temp.state();
-- what takes another way than in
SELECT test.fails('SELECT * FROM kints_apply(''CREATE TABLE t (a int)'', ''[]'')');
DROP SCHEMA ma CASCADE;
