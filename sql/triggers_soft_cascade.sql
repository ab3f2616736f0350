-- What refers to a row that is deleted softly: it goes too, forbids it, or stays.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sc;
SET search_path = sc, public;
CREATE TABLE a (id int PRIMARY KEY, code text NOT NULL, deleted_at timestamptz, by_whom text, batch bigint, UNIQUE (code, id));
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, deleted_at timestamp, batch bigint, version int NOT NULL DEFAULT 1);
CREATE TABLE c (id int, b int REFERENCES b ON DELETE CASCADE, deleted_at date, by_whom name, batch bigint);
CREATE TABLE two (id bigint, code varchar(9), deleted_at timestamptz, batch bigint, FOREIGN KEY (code, id) REFERENCES a (code, id));
CREATE TABLE plain (a int REFERENCES a);
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL kints.soft_delete = off;
	TRUNCATE sc.a, sc.b, sc.c, sc.two, sc.plain;
	INSERT INTO sc.a SELECT i, 'c' || i FROM generate_series(1, 5) AS i;
	INSERT INTO sc.b SELECT i, (i + 1) / 2 FROM generate_series(1, 10) AS i;
	INSERT INTO sc.c SELECT i, (i + 1) / 2 FROM generate_series(1, 20) AS i;
	INSERT INTO sc.two VALUES (1, 'c1'), (2, 'c2'), (3, NULL);
	INSERT INTO sc.plain VALUES (1);
END $$;
CREATE VIEW gone AS
	SELECT 'a' AS tbl, string_agg(id::text, ',' ORDER BY id) AS ids, count(DISTINCT batch), max(by_whom) FROM a WHERE deleted_at IS NOT NULL
	UNION ALL SELECT 'b', string_agg(id::text, ',' ORDER BY id), count(DISTINCT batch), max(version)::text FROM b WHERE deleted_at IS NOT NULL
	UNION ALL SELECT 'c', string_agg(id::text, ',' ORDER BY id), count(DISTINCT batch), max(by_whom) FROM c WHERE deleted_at IS NOT NULL
	UNION ALL SELECT 'two', string_agg(id::text, ',' ORDER BY id), count(DISTINCT batch), NULL FROM two WHERE deleted_at IS NOT NULL;
SELECT kints_soft_delete_enable('a', batch => 'batch', by => 'by_whom');
SELECT kints_soft_delete_enable('b', batch => 'batch');
SELECT kints_soft_delete_enable('c', batch => 'batch', by => 'by_whom');
SELECT kints_soft_delete_enable('two', batch => 'batch');
SELECT kints_version_enable('b', mode => 'require');
SELECT fill();
CREATE ROLE sc_clerk;
GRANT USAGE ON SCHEMA sc TO sc_clerk;
GRANT SELECT, DELETE ON a TO sc_clerk;
-- who may delete here needs no right there
SET ROLE sc_clerk;
DELETE FROM a WHERE id = 1 RETURNING id;
RESET ROLE;
SELECT * FROM gone;
SELECT a.deleted_at = b.deleted_at AT TIME ZONE current_setting('TimeZone') AND a.batch = b.batch
	FROM a JOIN b ON b.a = a.id WHERE b.id = 1;
-- an UPDATE that says so does the same, and one that takes it back does nothing
SELECT test.fails('UPDATE sc.a SET deleted_at = now() WHERE id = 2');
UPDATE a SET deleted_at = now(), batch = kints_soft_delete_batch() WHERE id = 2;
UPDATE a SET deleted_at = NULL WHERE id = 2;
SELECT test.fails('UPDATE sc.a SET deleted_at = now() WHERE id = 2');
SELECT * FROM gone;
-- many at once, one statement each
SELECT fill();
DELETE FROM a;
SELECT * FROM gone;
-- the first statement of a session
SELECT fill();
\c -
SET search_path = sc, public;
DELETE FROM a WHERE id IN (3, 4);
SELECT * FROM gone;
-- rolled back to a savepoint
SELECT fill();
BEGIN;
SAVEPOINT s;
DELETE FROM a;
ROLLBACK TO s;
DELETE FROM a WHERE id = 5;
COMMIT;
SELECT * FROM gone;
-- a foreign key that cascades for good, and a trigger below it that deletes softly as ever
SELECT fill();
CREATE TABLE log (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO log VALUES (1);
SELECT kints_soft_delete_enable('log');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM sc.log WHERE id = 1; RETURN NULL; END $$;
CREATE TRIGGER note AFTER DELETE ON c FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE a DISABLE TRIGGER kints_soft_delete;
CREATE FUNCTION for_good() RETURNS bigint LANGUAGE plpgsql SET kints.soft_delete = off AS $$
DECLARE n bigint; BEGIN DELETE FROM sc.b WHERE id = 1; GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END $$;
ALTER TABLE a ENABLE TRIGGER kints_soft_delete;
ALTER TABLE b DISABLE TRIGGER kints_soft_delete;
DELETE FROM b WHERE id = 1;
ALTER TABLE b ENABLE TRIGGER kints_soft_delete;
SELECT count(*), count(deleted_at) FROM c;
SELECT id, deleted_at IS NOT NULL FROM log;
SELECT for_good();
-- restrict
SELECT kints_soft_delete_disable('a');
SELECT kints_soft_delete_enable('a', cascade => 'restrict');
SELECT fill();
SELECT test.fails('DELETE FROM sc.a WHERE id = 1');
SELECT test.fails('DELETE FROM sc.a WHERE id = 2');
DELETE FROM b WHERE a = 3;
DELETE FROM a WHERE id = 3;
DELETE FROM two;
SELECT test.fails('DELETE FROM sc.a WHERE id = 2');
DELETE FROM b;
DELETE FROM a WHERE id = 2;
SELECT test.fails('DELETE FROM sc.a WHERE id = 1');
SELECT * FROM gone;
-- none
SELECT kints_soft_delete_disable('a');
SELECT kints_soft_delete_enable('a', cascade => 'none');
SELECT fill();
DELETE FROM a WHERE id = 1;
SELECT * FROM gone;
-- another owner's rows go only where the foreign key says that they may
SELECT kints_soft_delete_disable('a');
SELECT kints_soft_delete_enable('a', batch => 'batch');
SELECT fill();
GRANT REFERENCES ON a TO sc_clerk;
ALTER TABLE b OWNER TO sc_clerk;
SELECT test.fails('DELETE FROM sc.a WHERE id = 1');
ALTER TABLE b DROP CONSTRAINT b_a_fkey, ADD FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE;
ALTER TABLE b ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT test.fails('DELETE FROM sc.a WHERE id = 1');
ALTER TABLE c OWNER TO sc_clerk;
DELETE FROM a WHERE id = 1;
SELECT * FROM gone;
-- who has no column for the batch could not be restored with the others
SELECT kints_soft_delete_disable('two');
SELECT kints_soft_delete_enable('two');
SELECT test.fails('DELETE FROM sc.a WHERE id = 2');
-- a tree, and partitions on both sides
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('tree', batch => 'batch');
INSERT INTO tree SELECT i, nullif(i / 2, 0) FROM generate_series(1, 15) AS i;
DELETE FROM tree WHERE id = 3;
SELECT string_agg(id::text, ',' ORDER BY id), count(DISTINCT batch) FROM tree WHERE deleted_at IS NOT NULL;
CREATE TABLE up (id int PRIMARY KEY, deleted_at timestamptz, batch bigint) PARTITION BY RANGE (id);
CREATE TABLE up1 PARTITION OF up FOR VALUES FROM (0) TO (10);
CREATE TABLE up2 (batch bigint, extra int, deleted_at timestamptz, id int NOT NULL);
ALTER TABLE up2 DROP COLUMN extra;
ALTER TABLE up ATTACH PARTITION up2 FOR VALUES FROM (10) TO (20);
CREATE TABLE down (id int, up int REFERENCES up, deleted_at timestamptz, batch bigint) PARTITION BY LIST (id);
CREATE TABLE down1 PARTITION OF down FOR VALUES IN (1);
CREATE TABLE down2 PARTITION OF down DEFAULT;
SELECT kints_soft_delete_enable('up', batch => 'batch'), kints_soft_delete_enable('down', batch => 'batch');
INSERT INTO up VALUES (1), (11);
INSERT INTO down VALUES (1, 1), (2, 11), (3, 1);
DELETE FROM up WHERE id = 11;
DELETE FROM up1 WHERE id = 1;
SELECT tableoid::regclass, id, deleted_at IS NOT NULL, batch = (SELECT batch FROM up WHERE id = down.up) FROM down ORDER BY id;
-- a trigger made by hand
CREATE TABLE hand (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE finger (hand int REFERENCES hand, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('hand'), kints_soft_delete_enable('finger', batch => 'batch');
INSERT INTO hand VALUES (1), (2);
INSERT INTO finger VALUES (1), (2);
CREATE TRIGGER kints_soft_delete_cascade AFTER UPDATE ON hand FOR EACH ROW
	WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION kints_soft_delete_cascade();
SELECT test.fails('DELETE FROM sc.hand WHERE id = 1');
DELETE FROM finger WHERE hand = 1;
DELETE FROM hand WHERE id = 1;
SELECT hand, deleted_at IS NOT NULL, batch > 0 FROM finger ORDER BY hand;
ALTER TABLE hand RENAME COLUMN deleted_at TO trashed_at;
SELECT test.fails('UPDATE sc.hand SET trashed_at = now() WHERE id = 2');
SELECT test.fails('SELECT public.kints_soft_delete_cascade()');
SET client_min_messages = warning;
-- who is only to refer to nothing stays
CREATE TABLE us (id int PRIMARY KEY, deleted_at timestamptz, batch bigint);
CREATE TABLE ti (us int REFERENCES us ON DELETE SET NULL, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('us', batch => 'batch'), kints_soft_delete_enable('ti', batch => 'batch');
INSERT INTO us VALUES (1);
INSERT INTO ti VALUES (1);
DELETE FROM us;
SELECT us, deleted_at IS NULL FROM ti;
-- keys that are the same to a collation, and to a type
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE pk (code text COLLATE ci PRIMARY KEY, c3 char(3) UNIQUE, deleted_at timestamptz, batch bigint);
CREATE TABLE fk (code text REFERENCES pk, deleted_at timestamptz, batch bigint);
CREATE TABLE f3 (c3 text REFERENCES pk (c3), deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('pk', batch => 'batch'), kints_soft_delete_enable('fk', batch => 'batch'), kints_soft_delete_enable('f3', batch => 'batch');
INSERT INTO pk VALUES ('A', 'D');
INSERT INTO fk VALUES ('a');
INSERT INTO f3 VALUES ('D  ');
DELETE FROM pk;
SELECT code, c3, fk.deleted_at IS NOT NULL, f3.deleted_at IS NOT NULL FROM fk, f3;
CALL kints_purge('pk', '-1 day');
SELECT count(*) FROM pk;
-- one statement, one number, however it comes
CREATE TABLE m (id int PRIMARY KEY, part int, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('m', batch => 'batch');
INSERT INTO m SELECT i, i % 2 FROM generate_series(1, 9) AS i;
MERGE INTO m USING (VALUES (1), (2), (3)) AS v (id) ON v.id = m.id WHEN MATCHED AND m.part = 0 THEN DELETE WHEN MATCHED THEN DELETE;
WITH d AS (DELETE FROM m WHERE id = 4) DELETE FROM m WHERE id = 5;
SELECT count(*), count(DISTINCT batch) FROM m WHERE deleted_at IS NOT NULL;
DROP SCHEMA sc CASCADE;
DROP OWNED BY sc_clerk;
DROP ROLE sc_clerk;
