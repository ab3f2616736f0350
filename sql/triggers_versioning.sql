-- versioning() of temporal_tables, called by another name, or by its own.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ve;
SET search_path = ve, public;
-- inserted, updated, deleted
CREATE TABLE versioning (a bigint, "b b" date, sys_period tstzrange);
INSERT INTO versioning (a, sys_period) VALUES (1, tstzrange('-infinity', NULL)), (2, tstzrange('2000-01-01', NULL));
CREATE TABLE versioning_history (a bigint, c date, sys_period tstzrange);
CREATE TRIGGER versioning_trigger BEFORE INSERT OR UPDATE OR DELETE ON versioning
	FOR EACH ROW EXECUTE PROCEDURE kints_versioning('sys_period', 'versioning_history', false);
BEGIN;
INSERT INTO versioning (a) VALUES (3);
SELECT a, "b b", lower(sys_period) = now() FROM versioning ORDER BY a;
SELECT count(*) FROM versioning_history;
COMMIT;
BEGIN;
UPDATE versioning SET a = 4 WHERE a = 3;
SELECT a, lower(sys_period) = now() FROM versioning ORDER BY a;
SELECT a, c, upper(sys_period) = now() FROM versioning_history ORDER BY a;
-- again in the same transaction: once
UPDATE versioning SET a = 5 WHERE a = 4;
UPDATE versioning SET "b b" = '2012-01-01' WHERE a = 5;
SELECT a, upper(sys_period) = now() FROM versioning_history ORDER BY a;
COMMIT;
BEGIN;
DELETE FROM versioning WHERE a = 5;
INSERT INTO versioning VALUES (7);
DELETE FROM versioning WHERE a = 7;
SELECT a, upper(sys_period) = now() FROM versioning_history ORDER BY a, lower(sys_period);
END;
SELECT * FROM versioning WHERE a > 2;
-- rolled back
BEGIN;
UPDATE versioning SET a = 2 WHERE a = 2;
ROLLBACK;
SELECT count(*) FROM versioning_history;
-- a time that is later: an error, or adjusted
INSERT INTO versioning VALUES (9);
BEGIN;
SELECT kints_set_system_time('2000-01-01');
SELECT test.fails('DELETE FROM ve.versioning WHERE a = 9');
SELECT test.fails('UPDATE ve.versioning SET a = 10 WHERE a = 9');
SELECT kints_set_system_time(NULL);
UPDATE versioning SET a = 10 WHERE a = 9;
COMMIT;
DROP TRIGGER versioning_trigger ON versioning;
CREATE TRIGGER versioning_trigger BEFORE INSERT OR UPDATE OR DELETE ON versioning
	FOR EACH ROW EXECUTE PROCEDURE kints_versioning('sys_period', 'versioning_history', 'true');
BEGIN;
SELECT kints_set_system_time('2000-01-01');
UPDATE versioning SET a = 11 WHERE a = 10;
INSERT INTO versioning VALUES (12);
SELECT lower(sys_period) = '2000-01-01' FROM versioning WHERE a = 12;
SELECT kints_set_system_time(NULL);
COMMIT;
SELECT upper(sys_period) - lower(sys_period) FROM versioning_history WHERE a = 10;
SELECT lower(sys_period) > '2000-01-01' FROM versioning WHERE a = 11;
INSERT INTO versioning VALUES (13);
SELECT lower(sys_period) > '2000-01-01' FROM versioning WHERE a = 13;
-- the time holds for the session, unless what set it is rolled back, or it is reset
BEGIN;
SELECT kints_set_system_time('2001-01-01');
SAVEPOINT p;
SELECT kints_set_system_time('2002-01-01');
INSERT INTO versioning VALUES (20);
SELECT lower(sys_period) = '2002-01-01' FROM versioning WHERE a = 20;
ROLLBACK TO p;
INSERT INTO versioning VALUES (21);
COMMIT;
INSERT INTO versioning VALUES (22);
SELECT a, lower(sys_period) = '2001-01-01' FROM versioning WHERE a > 20 ORDER BY a;
BEGIN;
SELECT kints_set_system_time(NULL);
INSERT INTO versioning VALUES (23);
ROLLBACK;
INSERT INTO versioning VALUES (24);
RESET ALL;
SET client_min_messages = warning;
SET search_path = ve, public;
INSERT INTO versioning VALUES (25);
SELECT a, lower(sys_period) = '2001-01-01' FROM versioning WHERE a > 22 ORDER BY a;
SELECT test.fails('SET kints.system_time = now');
SELECT test.fails($$SET kints.system_time = '99999999999999999999'$$);
-- columns in another order, dropped ones, one in another schema, and long values
CREATE SCHEMA ve_old;
CREATE TABLE shape (x int, big text, gone int, sys_period tstzrange NOT NULL, y int[]);
ALTER TABLE shape DROP COLUMN gone;
CREATE TABLE ve_old.shape (y int[], sys_period tstzrange NOT NULL, big text, x int);
CREATE TRIGGER v BEFORE INSERT OR UPDATE OR DELETE ON shape FOR EACH ROW EXECUTE FUNCTION kints_versioning('sys_period', 've_old.shape', true);
INSERT INTO shape (x, big, y) VALUES (1, repeat('long ', 10000), '{1,2}');
UPDATE shape SET x = 2;
SELECT x, length(big), y FROM ve_old.shape;
-- upsert
CREATE TABLE up (id int PRIMARY KEY, n int, sys_period tstzrange);
CREATE TABLE up_old (LIKE up);
CREATE TRIGGER v BEFORE INSERT OR UPDATE OR DELETE ON up FOR EACH ROW EXECUTE FUNCTION kints_versioning('sys_period', 'up_old', true);
INSERT INTO up VALUES (1, 1);
INSERT INTO up VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
SELECT n FROM up_old;
-- MERGE
MERGE INTO up USING (VALUES (1, 5), (2, 6)) AS m (id, n) ON m.id = up.id
	WHEN MATCHED THEN UPDATE SET n = m.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (m.id, m.n);
MERGE INTO up USING (VALUES (2)) AS m (id) ON m.id = up.id WHEN MATCHED THEN DELETE;
SELECT array_agg(n ORDER BY n) FROM up_old;
SELECT id, n, lower(sys_period) IS NOT NULL FROM up;
-- COPY
COPY up (id, n) FROM stdin;
3	7
4	8
\.
SELECT id, n FROM up WHERE lower(sys_period) IS NOT NULL ORDER BY id;
-- of what is rolled back to a savepoint nothing is left
BEGIN;
UPDATE up SET n = n + 10 WHERE id = 3;
SAVEPOINT p;
UPDATE up SET n = n + 10 WHERE id = 4;
ROLLBACK TO p;
DELETE FROM up WHERE id = 4;
COMMIT;
SELECT id, n FROM up_old WHERE id > 2 ORDER BY id;
SELECT id, n FROM up ORDER BY id;
TRUNCATE up_old;
DELETE FROM up WHERE id > 1;
-- from one partition to another, and a partition that has the history of all
CREATE TABLE part (id int, n int, sys_period tstzrange) PARTITION BY LIST (n);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
CREATE TABLE part_old (LIKE part);
CREATE TRIGGER v BEFORE INSERT OR UPDATE OR DELETE ON part FOR EACH ROW EXECUTE FUNCTION kints_versioning('sys_period', 'part_old', true);
INSERT INTO part VALUES (1, 1), (2, 1), (3, 2);
UPDATE part SET n = 2 WHERE id < 3;
SELECT id, n FROM part_old ORDER BY id;
SELECT id, n FROM part WHERE lower(sys_period) IS NOT NULL ORDER BY id;
DELETE FROM part WHERE id = 3;
BEGIN;
SAVEPOINT p;
UPDATE part SET n = 1 WHERE id = 2;
ROLLBACK TO p;
DELETE FROM part WHERE id = 2;
COMMIT;
SELECT id, n FROM part_old ORDER BY id, n;
-- under their own names
CREATE FUNCTION versioning() RETURNS trigger AS '$libdir/kints_norm', 'kints_versioning' LANGUAGE C;
CREATE FUNCTION set_system_time(timestamptz) RETURNS void AS '$libdir/kints_norm', 'kints_set_system_time' LANGUAGE C;
DROP TRIGGER v ON up;
CREATE TRIGGER v BEFORE INSERT OR UPDATE OR DELETE ON up FOR EACH ROW EXECUTE FUNCTION versioning('sys_period', 'up_old', true);
UPDATE up SET n = 3;
SELECT string_agg(n::text, ' ' ORDER BY n) FROM up_old;
-- nobody needs a right to the old rows, nobody who has none can set the time
CREATE ROLE ve_app;
GRANT USAGE ON SCHEMA ve, test TO ve_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON up TO ve_app;
SET ROLE ve_app;
UPDATE up SET n = 4;
SELECT test.fails('SELECT * FROM ve.up_old');
SELECT test.fails($$SELECT public.kints_set_system_time('2000-01-01')$$);
SELECT test.fails('SET kints.system_time = 0');
RESET ROLE;
SELECT count(*) FROM up_old;
-- wrong use
CREATE FUNCTION wrong(arguments text, before text DEFAULT 'BEFORE', level text DEFAULT 'ROW') RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; BEGIN
	EXECUTE format('CREATE TRIGGER w %s INSERT OR UPDATE OR DELETE ON ve.bad FOR EACH %s EXECUTE FUNCTION public.kints_versioning(%s)', before, level, arguments);
	said := test.fails('UPDATE ve.bad SET a = 2');
	DROP TRIGGER w ON ve.bad;
	RETURN said;
END $$;
CREATE TABLE bad (a int, t text, r int4range, sys_period tstzrange, p2 tstzrange);
CREATE TABLE bad_history (a int, sys_period tstzrange);
CREATE TABLE bad_type (a bigint, sys_period tstzrange);
CREATE VIEW bad_view AS SELECT * FROM bad_history;
INSERT INTO bad VALUES (1);
SELECT wrong($$'sys_period'$$);
SELECT wrong($$'sys_period', 'bad_history'$$);
SELECT wrong($$'sys_period', 'bad_history', 'perhaps'$$);
SELECT wrong($$'sys_period', 'bad_history', true, 4$$);
SELECT wrong($$'gone', 'bad_history', true$$);
SELECT wrong($$'t', 'bad_history', true$$);
SELECT wrong($$'r', 'bad_history', true$$);
SELECT wrong($$'p2', 'bad_history', true$$);
SELECT wrong($$'sys_period', 'nowhere', true$$);
SELECT wrong($$'sys_period', 'nowhere.nothing', true$$);
SELECT wrong($$'sys_period', 'bad_history', true$$);
UPDATE bad SET sys_period = '[2000-01-01,)';
SELECT wrong($$'sys_period', 'bad_type', true$$);
SELECT wrong($$'sys_period', 'bad_view', true$$);
SELECT wrong($$'sys_period', 'bad_history', true$$, 'AFTER');
SELECT wrong($$'sys_period', 'bad_history', true$$, 'BEFORE', 'STATEMENT');
SELECT test.fails('SELECT public.kints_versioning()');
DROP SCHEMA ve, ve_old CASCADE;
DROP OWNED BY ve_app;
DROP ROLE ve_app;
