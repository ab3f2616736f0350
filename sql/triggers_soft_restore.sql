-- Rows that were deleted are there again, with what went with them, or it is said why not.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA so;
SET search_path = so, public;
CREATE TABLE a (id int PRIMARY KEY, name citext, deleted_at timestamptz, deleted_by text, batch bigint, version int NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX a_name ON a (name) WHERE deleted_at IS NULL;
CREATE TABLE b (x int, y text, a int REFERENCES a, deleted_at timestamptz, batch bigint, PRIMARY KEY (y, x));
CREATE TABLE c (id int, bx int, "by" text, deleted_at timestamptz, batch bigint, FOREIGN KEY ("by", bx) REFERENCES b (y, x));
SELECT kints_soft_delete_enable('a', by => 'deleted_by', batch => 'batch'), kints_soft_delete_enable('b', batch => 'batch'),
	kints_soft_delete_enable('c', batch => 'batch'), kints_version_enable('a', mode => 'require');
INSERT INTO a VALUES (1, 'One'), (2, 'Two');
INSERT INTO b VALUES (1, 'p', 1), (2, 'q', 1), (3, 'r', 2);
INSERT INTO c VALUES (1, 1, 'p'), (2, 1, 'p'), (3, 2, 'q'), (4, 3, 'r');
-- what was deleted before stays deleted
DELETE FROM c WHERE id = 1;
DELETE FROM a WHERE id = 1;
SELECT "table", row_key - 'batch' - 'deleted_at', restored FROM kints_restore('a', '{"id": 1}');
SELECT * FROM a ORDER BY id;
SELECT id, deleted_at IS NULL, batch IS NULL FROM c ORDER BY id;
SELECT * FROM kints_restore('a', '{"id": 1}');
-- without what went with it, and that by itself
DELETE FROM a WHERE id = 1;
SELECT * FROM kints_restore('b', '{"x": 1, "y": "p"}');
SELECT * FROM kints_restore('a', '{"id": 1}', cascade => false);
SELECT "table", row_key - 'batch' - 'deleted_at', restored FROM kints_restore('b', '{"a": 1}');
SELECT row_key ->> 'id', restored FROM kints_restore('c', '{"id": 1}');
-- a key that is taken by now; the others are restored
DELETE FROM a;
INSERT INTO a VALUES (3, 'one');
SELECT * FROM kints_restore('a', '{"name": "One"}');
SELECT * FROM kints_restore('a', '{"name": "one"}');
SELECT * FROM kints_restore('a', '{"deleted_by": null}');
SELECT count(*), count(*) FILTER (WHERE restored) FROM a AS d, kints_restore('a', jsonb_build_object('id', d.id)) WHERE d.id < 3;
SELECT id, deleted_at IS NULL FROM a ORDER BY id;
-- other errors are errors
CREATE FUNCTION nay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nay' USING ERRCODE = 'XX999'; END $$;
CREATE TRIGGER nay BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION nay();
SELECT test.fails($$SELECT public.kints_restore('so.a', '{"id": 1}')$$);
DROP TRIGGER nay ON a;
CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER no BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION no();
SELECT * FROM kints_restore('a', '{"id": 1}');
DROP TRIGGER no ON a;
ALTER TABLE a ADD CHECK (deleted_at IS NOT NULL OR id > 1) NOT VALID;
SELECT restored, split_part(conflict, ':', 1) FROM kints_restore('a', '{"id": 1}');
-- a tree, and partitions
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, deleted_at timestamptz, batch bigint) ;
SELECT kints_soft_delete_enable('tree', batch => 'batch');
INSERT INTO tree SELECT i, nullif(i / 2, 0) FROM generate_series(1, 15) AS i;
DELETE FROM tree WHERE id = 14;
DELETE FROM tree WHERE id = 3;
SELECT string_agg(row_key ->> 'id', ',') FROM kints_restore('tree', '{"id": 3}') WHERE restored;
CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz, batch bigint) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
SELECT kints_soft_delete_enable('p', batch => 'batch');
INSERT INTO p VALUES (1), (11);
DELETE FROM p;
SELECT * FROM kints_restore('p', '{"id": 11}');
SELECT * FROM kints_restore('p1', '{"id": 1}');
SELECT count(*) FROM p WHERE deleted_at IS NULL;
-- by the number of a statement, each row once, parents first
CREATE TABLE loop (id int PRIMARY KEY, up int REFERENCES loop, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('loop', batch => 'batch');
INSERT INTO loop VALUES (3, NULL), (2, 3), (1, 2), (9, 9);
DELETE FROM loop WHERE id IN (3, 9);
SELECT row_key, restored, conflict FROM (SELECT min(batch) AS batch FROM loop) AS b,
	kints_restore('loop', jsonb_build_object('batch', b.batch)) ORDER BY row_key;
-- what is hidden is hidden from the triggers as ever
CREATE TABLE y (id int PRIMARY KEY, mail text, deleted_at timestamptz);
SELECT kints_soft_delete_enable('y', reads => 'view');
CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF EXISTS (SELECT FROM so.y_live WHERE mail = NEW.mail) THEN RAISE 'taken'; END IF; RETURN NEW; END $$;
CREATE TRIGGER taken BEFORE UPDATE ON y FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION taken();
INSERT INTO y VALUES (1, 'm');
DELETE FROM y;
SELECT row_key, restored FROM kints_restore('y', '{"id": 1}');
-- without a primary key, and without a batch
CREATE TABLE bare (note text, twice int GENERATED ALWAYS AS (2) STORED, doc json, deleted_at timestamptz);
SELECT kints_soft_delete_enable('bare');
INSERT INTO bare VALUES ('x');
DELETE FROM bare;
SELECT row_key - 'deleted_at', restored FROM kints_restore('bare', '{"note": "x", "twice": 2}');
-- wrong use
SELECT test.fails($$SELECT public.kints_restore(NULL, '{"id": 1}')$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', NULL)$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', '{"id": 1}', NULL)$$);
SELECT kints_soft_delete_disable('bare');
SELECT test.fails($$SELECT public.kints_restore('so.bare', '{"note": "x"}')$$);
-- and who may not
CREATE ROLE so_clerk;
GRANT USAGE ON SCHEMA so, test TO so_clerk;
GRANT SELECT, DELETE ON a TO so_clerk;
SET ROLE so_clerk;
SELECT test.fails($$SELECT public.kints_restore('so.a', '{"id": 2}')$$);
RESET ROLE;
DROP OWNED BY so_clerk;
DROP ROLE so_clerk;
DROP SCHEMA so CASCADE;
