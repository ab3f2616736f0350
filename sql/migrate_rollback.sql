-- Several migrations undone in one call, the newest first.
SET client_min_messages = warning;
DELETE FROM kints.schema_migrations;
CREATE SCHEMA s;
SET search_path = s, public;
SELECT kints_fingerprint('{s}') AS empty \gset
SELECT step, sql FROM kints_apply('CREATE TABLE s.a (id int)', '{"name": "first"}');
SELECT kints_fingerprint('{s}') AS first \gset
SELECT step, sql FROM kints_apply('CREATE TABLE s.a (id int, name text)', '{"name": "second"}');
SELECT step, sql FROM kints_apply('CREATE TABLE s.a (id int, name text); CREATE INDEX ON s.a (id)', '{"name": "third"}');

-- All or none: the first of the two would go, the second may not.
SELECT test.fails('SELECT * FROM kints_rollback(2, ''{"allow": ["drop_index"]}'')');
SELECT name, state FROM kints_status();
SELECT version - min(version) OVER () AS nth, step, sql FROM kints_rollback(2, '{"allow": "all"}');
SELECT kints_fingerprint('{s}') = :'first' AS is_first;
SELECT name, state, drifted FROM kints_status();

-- What was rolled back is not rolled back again.
SELECT test.fails('SELECT * FROM kints_rollback(2, ''{"allow": "all"}'')');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT kints_fingerprint('{s}') = :'empty' AS is_empty;
SELECT test.fails('SELECT * FROM kints_rollback()');
SELECT test.fails('SELECT * FROM kints_rollback(-1)');
SELECT * FROM kints_rollback(0);
DROP SCHEMA s;
