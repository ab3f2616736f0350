-- Old rows that wait to be written: many of them, and those of what is rolled back.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hk;
SET search_path = hk, public;
CREATE TABLE t (id int PRIMARY KEY, a int, long text, sys_period tstzrange);
SELECT kints_history_enable('t');
INSERT INTO t SELECT i, 0, repeat('x', 3000) FROM generate_series(1, 2500) AS i;
UPDATE t SET a = 1;
SELECT count(*), count(DISTINCT id), sum(length(long)), count(DISTINCT sys_period) FROM t_history;
-- parts that are rolled back, within more than wait at once
BEGIN;
UPDATE t SET a = 2 WHERE id <= 1200;
SAVEPOINT s;
UPDATE t SET a = 3 WHERE id > 1200 AND id <= 2400;
ROLLBACK TO s;
SAVEPOINT u;
UPDATE t SET a = 4 WHERE id > 2400;
RELEASE u;
COMMIT;
SELECT count(*), count(DISTINCT id) FROM t_history WHERE a = 1;
-- and within a statement
CREATE FUNCTION try(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE hk.t SET a = 5 WHERE id = n;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	UPDATE hk.t SET a = 6 WHERE id = n + 1;
END $$;
SELECT try(i) FROM generate_series(10, 14, 2) AS i;
SELECT string_agg(id::text, ',' ORDER BY id) FROM t_history WHERE a = 2;
SELECT string_agg(id || '=' || a, ',' ORDER BY id) FROM t WHERE id BETWEEN 10 AND 15;
-- a statement that fails has kept rows that are gone
SELECT count(*) FROM t_history \gset
UPDATE t SET a = 7 / (id - 1500) WHERE id > 1400;
SELECT count(*) - :count FROM t_history;
ALTER TABLE t ADD CHECK (a < 100);
SELECT split_part(test.fails('UPDATE hk.t SET a = CASE WHEN id = 2500 THEN 100 ELSE 9 END'), E'\n', 1);
UPDATE t SET a = 8 WHERE id = 1;
SELECT count(*) - :count FROM t_history;
-- triggers that change the row, and those that keep it from being changed
CREATE FUNCTION zero() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.a = 50 THEN RETURN NULL; END IF; NEW.a := 0; RETURN NEW; END $$;
CREATE TRIGGER before BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION zero();
TRUNCATE t_history;
UPDATE t SET a = 50 WHERE id = 5;
UPDATE t SET a = 51 WHERE id = 5;
UPDATE t SET a = 52 WHERE id = 5;
SELECT id, a FROM t_history;
ALTER TRIGGER before ON t RENAME TO "zzz";
SELECT test.fails('UPDATE hk.t SET a = 53 WHERE id = 5');
INSERT INTO t VALUES (3001, 1);
CREATE FUNCTION past() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.sys_period := '[2000-01-01,)'; RETURN NEW; END $$;
CREATE TRIGGER "zzzz" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION past();
SELECT test.fails('INSERT INTO hk.t VALUES (3002, 1)');
DROP TRIGGER "zzzz" ON t;
ALTER TABLE t DISABLE TRIGGER "zzz";
UPDATE t SET a = 54 WHERE id = 5;
DROP TRIGGER "zzz" ON t;
-- what an UPDATE does in its midst to others of the table
CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE hk.t SET a = a + 1 WHERE id = NEW.id + 1000; RETURN NEW; END $$;
CREATE TRIGGER other BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.id < 1000) EXECUTE FUNCTION other();
TRUNCATE t_history;
UPDATE t SET a = 60 WHERE id IN (1, 2);
SELECT string_agg(id::text, ',' ORDER BY id) FROM t_history;
DROP TRIGGER other ON t;
-- actions of foreign keys, for which no statement of the table's own is
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE, sys_period tstzrange);
SELECT kints_history_enable('c');
INSERT INTO p VALUES (1), (2);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 1);
UPDATE p SET id = 11 WHERE id = 1;
DELETE FROM p WHERE id = 11;
SELECT test.shown('c', 'id, p');
-- a table that inherits, changed by its parent
CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (c);
SELECT kints_history_enable('heir');
INSERT INTO heir VALUES (9, 9);
UPDATE c SET p = 2 WHERE id = 9;
SELECT test.shown('heir', 'id, p');
-- a table that is dropped with rows that wait, and one that is altered
BEGIN;
UPDATE c SET p = 1 WHERE id = 9;
DROP TABLE heir CASCADE;
COMMIT;
-- what is rolled back within a statement takes nothing of that with it
CREATE TABLE a (id int PRIMARY KEY, v int, sys_period tstzrange);
CREATE TABLE b (id int PRIMARY KEY, v int, sys_period tstzrange);
SELECT kints_history_enable('a'), kints_history_enable('b');
INSERT INTO a SELECT i, 0 FROM generate_series(1, 3) AS i;
INSERT INTO b SELECT i, 0 FROM generate_series(1, 3) AS i;
CREATE FUNCTION nothing(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	UPDATE hk.b SET v = v + 1;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN RETURN i + 1;
END $$;
UPDATE a SET v = nothing(v);
SELECT (SELECT count(*) FROM a_history), (SELECT count(*) FROM b_history);
-- nor does what comes after
CREATE TABLE s (id int PRIMARY KEY, v int, deleted_at timestamptz, sys_period tstzrange);
SELECT kints_history_enable('s'), kints_soft_delete_enable('s');
INSERT INTO s VALUES (1, 1), (2, 1), (3, 1);
BEGIN;
MERGE INTO s USING (VALUES (1)) AS m (id) ON m.id = s.id WHEN MATCHED THEN DELETE;
SAVEPOINT p;
UPDATE b SET v = 7;
ROLLBACK TO p;
COMMIT;
SELECT (SELECT count(*) FROM s_history), (SELECT count(*) FROM b_history);
-- altered in the same transaction
BEGIN;
MERGE INTO s USING (VALUES (2)) AS m (id) ON m.id = s.id WHEN MATCHED THEN DELETE;
ALTER TABLE s ALTER v TYPE text USING v::text;
COMMIT;
SELECT id, v FROM s_history ORDER BY id;
-- enabled anew in the same transaction
BEGIN;
UPDATE a SET v = 10;
SELECT kints_history_disable('a');
SELECT kints_history_enable('a', history => 'a_other', collapse => false);
UPDATE a SET v = 11;
COMMIT;
SELECT (SELECT count(*) FROM a_history WHERE v = 1), (SELECT count(*) FROM a_other WHERE v = 10);
-- a trigger of the history that has an exception block, and changes another
CREATE FUNCTION tries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		UPDATE hk.b SET v = v + 1 WHERE id = NEW.id;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	UPDATE hk.b SET v = v + 10 WHERE id = NEW.id;
	UPDATE hk.a SET v = v + 1 WHERE id = 4 AND NEW.id <> 4;
	RETURN NEW;
END $$;
CREATE TRIGGER tries BEFORE INSERT ON a_other FOR EACH ROW EXECUTE FUNCTION tries();
INSERT INTO a VALUES (4, 0);
UPDATE a SET v = 20 WHERE id < 4;
SELECT (SELECT count(*) FROM a_other WHERE v = 11), (SELECT count(*) FROM a_other WHERE id = 4), (SELECT v FROM a WHERE id = 4), (SELECT array_agg(v ORDER BY id) FROM b), (SELECT count(*) FROM b_history);
-- and one that fails, which the statement lives through
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';
CREATE TRIGGER fails BEFORE INSERT ON a_other FOR EACH ROW EXECUTE FUNCTION fails();
DO $$
BEGIN
	UPDATE hk.a SET v = 21;
EXCEPTION WHEN division_by_zero THEN
	UPDATE hk.b SET v = 0;
END $$;
DROP TRIGGER fails ON a_other;
DROP TRIGGER tries ON a_other;
UPDATE a SET v = 11;
SELECT (SELECT count(*) FROM a_other WHERE v = 20), (SELECT array_agg(v ORDER BY v) FROM b_history);
-- two histories of one table
CREATE TABLE two (id int PRIMARY KEY, v int, sys_period tstzrange NOT NULL);
CREATE TABLE one_of_two (LIKE two);
CREATE TABLE other_of_two (LIKE two);
CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE ON two
	FOR EACH ROW EXECUTE FUNCTION public.kints_versioning('sys_period', 'one_of_two', 'true');
CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON two
	FOR EACH ROW EXECUTE FUNCTION public.kints_versioning('sys_period', 'other_of_two', 'true');
INSERT INTO two VALUES (1, 1), (2, 2);
UPDATE two SET v = v + 1;
DELETE FROM two WHERE id = 1;
SELECT (SELECT array_agg(v ORDER BY v) FROM one_of_two), (SELECT array_agg(v ORDER BY v) FROM other_of_two);
-- the first statement of a session, as well
\c -
DELETE FROM hk.s WHERE id = 3;
SELECT count(*) FROM hk.s_history WHERE id = 3;
\c -
UPDATE hk.a SET v = 12;
SELECT count(*) FROM hk.a_other WHERE v = 11;
-- which is of the shape that the table had
INSERT INTO hk.s VALUES (4, 1);
\c -
BEGIN;
DELETE FROM hk.s WHERE id = 4;
ALTER TABLE hk.s DROP v, ADD w int DEFAULT 5;
COMMIT;
SELECT id, w FROM hk.s_history WHERE id = 4;
SET client_min_messages = warning;
DROP SCHEMA hk CASCADE;
