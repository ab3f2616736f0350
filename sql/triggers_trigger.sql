-- How trigger functions are called, and what their triggers say.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA tg;
SET search_path = tg, public;
CREATE TABLE t (a int, version int, updated_at timestamptz);
INSERT INTO t VALUES (1, 1);
SELECT test.fails('SELECT public.kints_version()');
SELECT test.fails('SELECT public.kints_touch()');
-- at another time
CREATE TRIGGER wrong AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_version();
SELECT test.fails('UPDATE tg.t SET a = 2');
DROP TRIGGER wrong ON t;
CREATE TRIGGER wrong BEFORE UPDATE ON t EXECUTE FUNCTION kints_version();
SELECT test.fails('UPDATE tg.t SET a = 2');
DROP TRIGGER wrong ON t;
CREATE TRIGGER wrong BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_touch();
SELECT test.fails('INSERT INTO tg.t DEFAULT VALUES');
DROP TRIGGER wrong ON t;
-- with what is no option
CREATE TRIGGER wrong BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_version('version');
SELECT test.fails('UPDATE tg.t SET a = 2');
DROP TRIGGER wrong ON t;
CREATE TRIGGER wrong BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_touch('column=updated_at', 'columns=a');
SELECT test.fails('UPDATE tg.t SET a = 2');
DROP TRIGGER wrong ON t;
-- with the options that there are, and those that are not said
CREATE TRIGGER byhand BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION kints_version();
UPDATE t SET a = 2 RETURNING version;
UPDATE t SET a = 1 RETURNING version;
UPDATE t SET version = 1 RETURNING version;
DROP TRIGGER byhand ON t;
CREATE TRIGGER byhand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_version('mode=bump', 'column=none', 'column=a', 'mode=check');
UPDATE t SET a = 1 RETURNING a;
SELECT test.fails('UPDATE tg.t SET a = 4');
DROP TRIGGER byhand ON t;
CREATE TRIGGER byhand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_touch();
UPDATE t SET a = 1 RETURNING updated_at = now();
DROP SCHEMA tg CASCADE;
