-- Since when a row is as it is: what counts as a change, by which clock, and what nobody can say himself.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hi;
SET search_path = hi, public;
CREATE TABLE t (id int PRIMARY KEY, a int, note text, big text, sys_period tstzrange);
SELECT kints_history_enable('t');
INSERT INTO t VALUES (1, 1, 'x', repeat('big ', 2000)), (2, 1, NULL, NULL);
UPDATE t SET a = 2;
SELECT test.shown('t');
-- what is not changed is not changed; NULLs and long values are compared as they are
UPDATE t SET a = a;
UPDATE t SET a = 2, note = 'x' WHERE id = 1;
UPDATE t SET note = note, big = big;
SELECT test.shown('t');
UPDATE t SET note = 'y' WHERE id = 2;
UPDATE t SET note = NULL WHERE id = 2;
UPDATE t SET big = big || '!' WHERE id = 1;
SELECT test.shown('t', 'id, a, note, length(big)');
-- nobody says himself when it was
INSERT INTO t VALUES (3, 1, 'forged', NULL, '[2001-01-01,2002-01-01)') RETURNING lower(sys_period) = now(), upper_inf(sys_period);
UPDATE t SET sys_period = '[2001-01-01,)', a = 9 WHERE id = 3 RETURNING lower(sys_period) = now(), upper_inf(sys_period);
UPDATE t SET sys_period = NULL WHERE id = 3 RETURNING lower(sys_period) < now(), upper_inf(sys_period);
UPDATE t SET sys_period = 'empty' WHERE id = 3;
COPY t (id, a, sys_period) FROM STDIN;
4	1	[2001-01-01,2002-01-01)
\.
SELECT count(*) FROM t__history WHERE lower(sys_period) < '2020-01-01';
SELECT test.shown('t') AS s FROM generate_series(1, 1) WHERE true;
-- upsert and MERGE
DELETE FROM t;
TRUNCATE t_history;
INSERT INTO t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = excluded.a;
INSERT INTO t VALUES (1, 2), (2, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a;
INSERT INTO t VALUES (1, 3) ON CONFLICT (id) DO NOTHING;
MERGE INTO t USING (VALUES (1, 5), (2, 0), (3, 7)) AS s (id, a) ON s.id = t.id
	WHEN MATCHED AND s.a = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a);
SELECT test.shown('t');
-- several changes of a transaction are one, and what came and went in it never was
BEGIN;
UPDATE t SET a = 10 WHERE id = 1;
UPDATE t SET a = 11 WHERE id = 1;
INSERT INTO t VALUES (8, 1);
UPDATE t SET a = 2 WHERE id = 8;
DELETE FROM t WHERE id = 8;
DELETE FROM t WHERE id = 3;
COMMIT;
SELECT test.shown('t');
SELECT kints_history_disable('t', drop_history => true);
-- unless each is to be one
SELECT kints_history_enable('t', collapse => false);
BEGIN;
UPDATE t SET a = 12 WHERE id = 1;
UPDATE t SET a = 13 WHERE id = 1;
INSERT INTO t VALUES (8, 1);
DELETE FROM t WHERE id = 8;
COMMIT;
SELECT test.shown('t');
SELECT bool_and(upper(sys_period) - lower(sys_period) = '1 microsecond') FROM t_history WHERE a <> 11;
SELECT kints_history_disable('t', drop_history => true);
-- by the clock on the wall, and by that of the statement
SELECT kints_history_enable('t', clock => 'clock', collapse => false);
BEGIN;
UPDATE t SET a = 14;
UPDATE t SET a = 15;
UPDATE t SET a = 16;
SELECT count(*), count(DISTINCT upper(sys_period)), bool_and(upper(sys_period) >= now()) FROM t_history;
COMMIT;
SELECT kints_history_disable('t', drop_history => true);
SELECT kints_history_enable('t', clock => 'statement', collapse => false);
DO $$ BEGIN UPDATE hi.t SET a = 17; UPDATE hi.t SET a = 18; END $$;
SELECT count(*), count(DISTINCT upper(sys_period)) FROM t_history;
SELECT kints_history_disable('t', drop_history => true);
-- a row that has been changed at a later time: on its heels, or not at all
CREATE TABLE later (id int PRIMARY KEY, a int, f timestamptz, u timestamptz);
INSERT INTO later VALUES (1, 1, '2100-01-01', 'infinity');
SELECT kints_history_enable('later', period => 'f', until => 'u');
UPDATE later SET a = 2;
SELECT id, a, f - timestamptz '2100-01-01' AS since, u FROM later;
SELECT a, u - f FROM later_history;
SELECT kints_history_disable('later', drop_history => true);
SELECT kints_history_enable('later', period => 'f', until => 'u', conflict => 'error');
SELECT split_part(test.fails('UPDATE hi.later SET a = 3'), E'\n', 1);
SELECT split_part(test.fails('DELETE FROM hi.later'), E'\n', 1);
-- a row that says nothing of its time
SELECT kints_history_disable('later', drop_history => true);
CREATE TABLE when_so (id int PRIMARY KEY, a int, sys_period tstzrange);
INSERT INTO when_so VALUES (1, 1, '[2020-01-01,)'), (2, 1, NULL);
SELECT test.fails($$SELECT public.kints_history_enable('hi.when_so')$$);
UPDATE when_so SET sys_period = '[2020-01-01,2021-01-01)' WHERE id = 2;
SELECT test.fails($$SELECT public.kints_history_enable('hi.when_so')$$);
UPDATE when_so SET sys_period = 'empty' WHERE id = 2;
SELECT test.fails($$SELECT public.kints_history_enable('hi.when_so')$$);
UPDATE when_so SET sys_period = '(,)' WHERE id = 2;
SELECT test.fails($$SELECT public.kints_history_enable('hi.when_so')$$);
UPDATE when_so SET sys_period = '(2020-01-01,)' WHERE id = 2;
SELECT kints_history_enable('when_so');
ALTER TABLE when_so DISABLE TRIGGER zz_kints_history;
INSERT INTO when_so VALUES (20, 1, NULL), (21, 1, 'empty'), (22, 1, '(,)');
ALTER TABLE when_so ENABLE TRIGGER zz_kints_history;
SELECT test.fails(format('UPDATE hi.when_so SET a = 2 WHERE id = %s', id)) FROM when_so WHERE id >= 20 ORDER BY id;
SELECT test.fails('DELETE FROM hi.when_so WHERE id = 20');
UPDATE when_so SET a = 2 WHERE id = 2;
SELECT lower(sys_period) AT TIME ZONE 'UTC' FROM when_so_history WHERE lower_inc(sys_period);
SELECT test.fails($$SELECT public.kints_history_enable('hi.later', period => 'f', until => 'u', collapse => true, clock => 'clock')$$);
UPDATE later SET u = '2200-01-01';
SELECT test.fails($$SELECT public.kints_history_enable('hi.later', period => 'f', until => 'u')$$);
-- what changes nothing makes nothing unseen
TRUNCATE t;
SELECT kints_history_enable('t', exclude => '{note}');
INSERT INTO t VALUES (1, 1, 'n');
BEGIN;
UPDATE t SET a = a;
UPDATE t SET note = 'm';
UPDATE t SET a = 2;
UPDATE t SET a = 3;
COMMIT;
BEGIN;
UPDATE t SET a = a;
DELETE FROM t;
COMMIT;
SELECT test.shown('t');
-- two transactions of one moment: each sees the other's
SELECT kints_history_disable('t', drop_history => true);
SELECT kints_history_enable('t');
BEGIN\; INSERT INTO t VALUES (5, 1)\; COMMIT\; BEGIN\; DELETE FROM t\; COMMIT;
SELECT id, upper(sys_period) - lower(sys_period) FROM t_history;
-- a conflict is with others
SELECT kints_history_disable('t', drop_history => true);
SELECT kints_history_enable('t', conflict => 'error', collapse => false);
BEGIN;
INSERT INTO t VALUES (6, 1);
UPDATE t SET a = 2;
UPDATE t SET a = 3;
DELETE FROM t;
COMMIT;
SELECT test.shown('t');
SELECT kints_history_disable('t', drop_history => true);
INSERT INTO t VALUES (1, 18, NULL, NULL, '[2020-01-01,)');
-- columns that do not count
SELECT kints_history_enable('t', exclude => '{note,big}');
UPDATE t SET note = 'unseen' WHERE id = 1;
UPDATE t SET note = 'seen', a = 30 WHERE id = 1;
SELECT id, a, note FROM t__history WHERE id = 1 ORDER BY a;
\d t_history
-- what is rolled back never was
BEGIN;
SAVEPOINT s;
UPDATE t SET a = 31 WHERE id = 1;
ROLLBACK TO s;
UPDATE t SET a = 32 WHERE id = 1;
COMMIT;
SELECT a FROM t__history WHERE id = 1 ORDER BY a;
-- options that are none
CREATE TABLE w (id int PRIMARY KEY, sys_period tstzrange);
CREATE TABLE w_history (id int, sys_period tstzrange);
CREATE TRIGGER s BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION kints_history_stamp('history=w_history', 'collapse=perhaps');
SELECT test.fails('INSERT INTO hi.w VALUES (1)');
DROP TRIGGER s ON w;
CREATE TRIGGER s BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION kints_history_stamp('history=w_history', 'exclude=a,,b');
SELECT test.fails('INSERT INTO hi.w VALUES (1)');
DROP TRIGGER s ON w;
CREATE TRIGGER s BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION kints_history_stamp();
SELECT test.fails('INSERT INTO hi.w VALUES (1)');
DROP TRIGGER s ON w;
CREATE TRIGGER s AFTER INSERT ON w FOR EACH ROW EXECUTE FUNCTION kints_history_stamp('history=w_history');
SELECT test.fails('INSERT INTO hi.w VALUES (1)');
SELECT test.fails('SELECT public.kints_history_stamp()');
DROP SCHEMA hi CASCADE;
