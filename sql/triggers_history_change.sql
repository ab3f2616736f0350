-- Rows that are deleted, truncated, and changed in partitions.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hc;
SET search_path = hc, public;
CREATE TABLE t (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT kints_history_enable('t');
INSERT INTO t SELECT i, i FROM generate_series(1, 1500) AS i;
DELETE FROM t WHERE id > 3;
SELECT count(*), count(DISTINCT sys_period) FROM t_history;
TRUNCATE t_history;
DELETE FROM t USING (VALUES (1)) AS v (id) WHERE v.id = t.id;
WITH d AS (DELETE FROM t WHERE id = 2 RETURNING id) SELECT * FROM d;
TRUNCATE t;
SELECT test.shown('t');
BEGIN;
DELETE FROM t WHERE false;
INSERT INTO t VALUES (1, 1);
TRUNCATE t;
COMMIT;
SELECT test.shown('t');
-- with soft delete, versions and the time of the last change
CREATE TABLE all_of_it (id int PRIMARY KEY, a int, version int DEFAULT 1, deleted_at timestamptz, sys_period tstzrange);
SELECT kints_history_enable('all_of_it'), kints_version_enable('all_of_it', mode => 'check'), kints_soft_delete_enable('all_of_it');
INSERT INTO all_of_it VALUES (1, 1);
UPDATE all_of_it SET a = 2;
DELETE FROM all_of_it;
SELECT test.shown('all_of_it', 'id, a, version, deleted_at IS NULL');
-- partitions: of the whole, by name, and from one to the other
CREATE TABLE p (id int PRIMARY KEY, a int, sys_period tstzrange) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (a int, gone int, sys_period tstzrange, id int NOT NULL);
ALTER TABLE p2 DROP COLUMN gone;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
SELECT kints_history_enable('p');
INSERT INTO p VALUES (1, 1), (2, 1), (11, 1), (12, 1);
UPDATE p SET a = 2 WHERE id IN (1, 11);
UPDATE p2 SET a = 3 WHERE id = 12;
DELETE FROM p1 WHERE id = 2;
UPDATE p SET id = 13 WHERE id = 1;
SELECT test.shown('p');
CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30);
INSERT INTO p VALUES (21, 1);
UPDATE p SET a = 2 WHERE id = 21;
DELETE FROM p WHERE id = 21;
SELECT test.shown('p') AS s OFFSET 6;
-- TRUNCATE of the whole, and of a part
INSERT INTO p VALUES (3, 1), (22, 1);
SELECT test.fails('TRUNCATE hc.p3');
TRUNCATE p;
SELECT string_agg(id || '=' || a, ' ' ORDER BY id) FROM p_history WHERE id IN (3, 22, 11);
BEGIN;
TRUNCATE p;
SELECT test.fails('TRUNCATE hc.p3');
COMMIT;
-- a partition by itself, and one that was a table of its own
CREATE TABLE q (id int PRIMARY KEY, a int, sys_period tstzrange) PARTITION BY RANGE (id);
CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (0) TO (10);
CREATE TABLE q2 (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT kints_history_enable('q1'), kints_history_enable('q2');
ALTER TABLE q ATTACH PARTITION q2 FOR VALUES FROM (10) TO (20);
INSERT INTO q VALUES (1, 1), (2, 1);
UPDATE q SET a = 2 WHERE id = 1;
DELETE FROM q WHERE id = 2;
SELECT test.shown('q1');
SELECT test.fails('INSERT INTO hc.q VALUES (11, 1)');
SELECT kints_history_disable('q2'), kints_history_enable('q2');
INSERT INTO q VALUES (11, 1);
UPDATE q SET a = 2 WHERE id = 11;
SELECT test.shown('q2');
-- tables that inherit: each has its own
CREATE TABLE i (id int PRIMARY KEY, a int, sys_period tstzrange);
CREATE TABLE i1 (PRIMARY KEY (id)) INHERITS (i);
SELECT kints_history_enable('i'), kints_history_enable('i1');
INSERT INTO i VALUES (1, 1);
INSERT INTO i1 VALUES (2, 1), (3, 1);
UPDATE i SET a = 2;
DELETE FROM i WHERE id = 3;
SELECT test.shown('i');
SELECT test.shown('i1');
-- with soft delete by MERGE, which counts what it has done
CREATE TABLE m (id int PRIMARY KEY, a int, deleted_at timestamptz, sys_period tstzrange);
SELECT kints_history_enable('m'), kints_soft_delete_enable('m');
CREATE FUNCTION keep2() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER keep2 BEFORE UPDATE ON m FOR EACH ROW EXECUTE FUNCTION keep2();
INSERT INTO m VALUES (1, 1), (2, 1);
DO $$ DECLARE n int; BEGIN
	MERGE INTO hc.m USING (VALUES (1), (2), (3)) AS v (id) ON v.id = m.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 1);
	GET DIAGNOSTICS n = ROW_COUNT; RAISE WARNING '%', n; END $$;
SELECT test.shown('m', 'id, deleted_at IS NULL');
-- triggers made by hand
CREATE TABLE h (id int PRIMARY KEY, sys_period tstzrange);
CREATE TABLE h_history (LIKE h);
INSERT INTO h VALUES (1, '[2020-01-01,)');
CREATE TRIGGER d BEFORE DELETE ON h FOR EACH ROW EXECUTE FUNCTION kints_history('history=h_history');
SELECT test.fails('DELETE FROM hc.h');
DROP TRIGGER d ON h;
CREATE TRIGGER d AFTER UPDATE ON h FOR EACH ROW EXECUTE FUNCTION kints_history('history=h_history');
UPDATE h SET sys_period = '[2021-01-01,)';
SELECT count(*) FROM h_history;
DROP TRIGGER d ON h;
CREATE TRIGGER d AFTER TRUNCATE ON h FOR EACH STATEMENT EXECUTE FUNCTION kints_history_truncate('history=h_history');
SELECT test.fails('TRUNCATE hc.h');
DROP TRIGGER d ON h;
CREATE TRIGGER d BEFORE TRUNCATE ON h FOR EACH STATEMENT EXECUTE FUNCTION kints_history_truncate('history=h_history');
TRUNCATE h;
SELECT test.fails('SELECT public.kints_history()');
SELECT test.fails('SELECT public.kints_history_truncate()');
DROP SCHEMA hc CASCADE;
