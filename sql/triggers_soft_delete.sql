-- Soft delete: the trigger for itself, its batch, and what is deleted for good.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sd;
SET search_path = sd, public;
CREATE TABLE t (id int PRIMARY KEY, body text, deleted_at timestamptz, deleted_by name, batch bigint, day date, who varchar(63), few varchar(3));
INSERT INTO t (id) SELECT generate_series(1, 20);
SELECT kints_soft_delete_enable('t');
-- TRUNCATE, and a DELETE that is meant
SELECT test.fails('TRUNCATE sd.t');
SET kints.soft_delete = off;
DELETE FROM t WHERE id = 20;
RESET kints.soft_delete;
SELECT count(*), count(deleted_at) FROM t;
-- a plan that is kept knows of the setting, of the trigger, and of the role of the session
SET plan_cache_mode = force_generic_plan;
PREPARE d (int) AS DELETE FROM t WHERE id = $1;
EXECUTE d(1);
SET kints.soft_delete = off;
EXECUTE d(19);
RESET kints.soft_delete;
EXECUTE d(2);
SELECT count(*), count(deleted_at) FROM t;
SELECT kints_soft_delete_disable('t');
EXECUTE d(18);
SELECT count(*), count(deleted_at) FROM t;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal;
SELECT kints_soft_delete_enable('t', truncate => 'allow', by => 'deleted_by', clock => 'clock', batch => 'batch');
BEGIN;
EXECUTE d(3);
SELECT deleted_at > now(), deleted_by = current_user, batch > 0 FROM t WHERE id = 3;
COMMIT;
SET session_replication_role = replica;
EXECUTE d(17);
RESET session_replication_role;
SELECT count(*), count(deleted_at) FROM t;
ALTER TABLE t DISABLE TRIGGER kints_soft_delete;
EXECUTE d(16);
SELECT count(*), count(deleted_at) FROM t;
ALTER TABLE t ENABLE TRIGGER kints_soft_delete;
DEALLOCATE d;
-- the rows of one statement have one number, and each statement another one
DELETE FROM t WHERE id IN (4, 5);
DELETE FROM t WHERE id = 6;
SELECT count(DISTINCT batch), count(*) FILTER (WHERE batch = (SELECT batch FROM t WHERE id = 4)) FROM t WHERE id IN (4, 5, 6);
BEGIN;
TRUNCATE t;
ROLLBACK;
-- the first statement of a session is planned before the library is there
SELECT kints_soft_delete_disable('t');
SELECT kints_soft_delete_enable('t', truncate => 'allow', by => 'who', batch => 'batch');
\c -
SET search_path = sd, public;
DELETE FROM t WHERE id IN (7, 8) RETURNING id;
SELECT count(*), count(deleted_at), count(DISTINCT batch), bool_and(who = current_user) FROM t WHERE id IN (7, 8);
DELETE FROM t WHERE id IN (8, 9);
-- a role that may delete and no more
CREATE ROLE sd_clerk;
GRANT USAGE ON SCHEMA sd, test TO sd_clerk;
GRANT DELETE, SELECT ON t TO sd_clerk;
\c -
SET search_path = sd, public;
SET ROLE sd_clerk;
DELETE FROM t WHERE id = 10;
DELETE FROM t WHERE id = 11;
SELECT test.fails('UPDATE sd.t SET deleted_at = NULL WHERE id = 10');
SELECT test.fails('SET kints.soft_delete = off');
SELECT test.fails($$SELECT public.kints_soft_delete_disable('sd.t')$$);
SELECT test.fails($$SELECT nextval('kints.soft_delete_batch_seq')$$);
RESET ROLE;
SELECT id, who FROM t WHERE id IN (10, 11) ORDER BY id;
DROP OWNED BY sd_clerk;
DROP ROLE sd_clerk;
-- columns of other types, and one that is too short
SELECT kints_soft_delete_disable('t');
SELECT kints_soft_delete_enable('t', 'day', truncate => 'allow');
DELETE FROM t WHERE id = 12;
SELECT day = current_date FROM t WHERE id = 12;
SELECT kints_soft_delete_disable('t');
SELECT kints_soft_delete_enable('t', 'day', 'few', truncate => 'allow');
SELECT test.fails('DELETE FROM sd.t WHERE id = 13');
\c -
SELECT test.fails('DELETE FROM sd.t WHERE id = 13');
SET search_path = sd, public;
SELECT kints_soft_delete_disable('t');
-- a column that is gone, a sequence that is gone, and a trigger made by hand
CREATE TRIGGER kints_soft_delete BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION kints_soft_delete('colum=x');
SELECT test.fails('DELETE FROM sd.t WHERE id = 13');
DROP TRIGGER kints_soft_delete ON t;
CREATE TRIGGER kints_soft_delete AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION kints_soft_delete();
SELECT test.fails('DELETE FROM sd.t WHERE id = 13');
DROP TRIGGER kints_soft_delete ON t;
SELECT test.fails('SELECT public.kints_soft_delete()');
CREATE TRIGGER other BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION kints_soft_delete();
DELETE FROM t WHERE id = 13;
SELECT deleted_at IS NOT NULL FROM t WHERE id = 13;
ALTER TABLE t RENAME COLUMN deleted_at TO trashed_at;
SELECT test.fails('DELETE FROM sd.t WHERE id = 14');
SELECT kints_soft_delete_disable('t');
SELECT kints_soft_delete_enable('t', 'trashed_at', batch => 'batch');
ALTER EXTENSION kints_norm DROP SEQUENCE kints.soft_delete_batch_seq;
ALTER SEQUENCE kints.soft_delete_batch_seq RENAME TO gone;
SELECT test.fails('DELETE FROM sd.t WHERE id = 14');
ALTER SEQUENCE kints.gone RENAME TO soft_delete_batch_seq;
ALTER EXTENSION kints_norm ADD SEQUENCE kints.soft_delete_batch_seq;
SELECT kints_soft_delete_batch() > 0;
SET client_min_messages = warning;
DROP SCHEMA sd CASCADE;
