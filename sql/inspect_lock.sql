-- Views, rules and SQL bodies are read with all locks or none: who waits for one relation holds none on another.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION dblink;
CREATE SCHEMA il;
CREATE TABLE il.a (x int);
CREATE TABLE il.b (x int);
CREATE TABLE il.t (x int);
CREATE VIEW il.v AS SELECT a.x FROM il.a, il.b;
CREATE RULE r AS ON INSERT TO il.t DO ALSO SELECT * FROM il.a, il.b;
CREATE FUNCTION il.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM il.a, il.b; END;
-- nothing stays locked
BEGIN;
SELECT o ->> 'name', length(o ->> 'definition') > 20 FROM jsonb_array_elements(kints_snapshot('{il}') -> 'objects') AS o WHERE o ->> 'kind' IN ('view', 'rule', 'function');
SELECT relation::regclass, mode FROM pg_locks WHERE relation IN ('il.a'::regclass, 'il.b'::regclass, 'il.t'::regclass, 'il.v'::regclass);
COMMIT;

-- another session reads while one relation is being altered: it waits for that one alone
SELECT dblink_connect('reader', format('host=%s port=%s dbname=%s user=%s application_name=regress_inspect_lock',
	split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database(), current_user));
CREATE FUNCTION pg_temp.waits_for() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
	reader int;
	found text;
BEGIN
	SELECT pid INTO STRICT reader FROM pg_stat_activity WHERE application_name = 'regress_inspect_lock';
	LOOP
		SELECT string_agg(relation::regclass || CASE WHEN granted THEN ' held' ELSE ' waited for' END, ', ' ORDER BY relation) INTO found
		FROM pg_locks WHERE pid = reader AND relation IN ('il.a'::regclass, 'il.b'::regclass)
		HAVING bool_or(NOT granted);
		IF found IS NOT NULL OR clock_timestamp() > deadline THEN
			RETURN found;
		END IF;
	END LOOP;
END
$$;
CREATE PROCEDURE pg_temp.read_while_locked(altered text, other text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('LOCK %s IN ACCESS EXCLUSIVE MODE', altered);
	PERFORM public.dblink_send_query('reader', 'SELECT length(public.kints_fingerprint(''{il}''))');
	RAISE WARNING '%', pg_temp.waits_for();
	EXECUTE format('LOCK %s IN ACCESS EXCLUSIVE MODE NOWAIT', other);
END
$$;
CALL pg_temp.read_while_locked('il.a', 'il.b');
SELECT * FROM dblink_get_result('reader') AS t (length int);
SELECT * FROM dblink_get_result('reader') AS t (length int);
CALL pg_temp.read_while_locked('il.b', 'il.a');
SELECT * FROM dblink_get_result('reader') AS t (length int);
SELECT * FROM dblink_get_result('reader') AS t (length int);
SELECT dblink_disconnect('reader');
DROP EXTENSION dblink;
DROP SCHEMA il CASCADE;
