-- What is unique among the rows that are not deleted: as a plan, and done.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA su;
SET search_path = su, public;
CREATE TABLE "T" (id int PRIMARY KEY, mail text, "Code" text, a int, b int, deleted_at timestamptz,
	CONSTRAINT mail_key UNIQUE NULLS NOT DISTINCT (mail), CONSTRAINT "Code key" UNIQUE ("Code") INCLUDE (a),
	CONSTRAINT later UNIQUE (a) DEFERRABLE, CONSTRAINT referred UNIQUE (a, b), r int NOT NULL DEFAULT 0, CONSTRAINT replicated UNIQUE (id, r));
CREATE TABLE refers (a int, b int, FOREIGN KEY (a, b) REFERENCES "T" (a, b));
CREATE UNIQUE INDEX lower ON "T" (lower(mail) DESC) WITH (fillfactor = 70) WHERE a > 0;
CREATE UNIQUE INDEX already ON "T" (b) WHERE deleted_at IS NULL;
CREATE INDEX plain ON "T" (b);
COMMENT ON INDEX "Code key" IS 'it''s one';
ALTER TABLE "T" REPLICA IDENTITY USING INDEX replicated;
\pset format aligned
\pset expanded on
SELECT * FROM kints_soft_delete_uniques('"T"');
\pset expanded off
\pset format unaligned
CREATE TABLE before AS SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS def, pg_get_constraintdef(c.oid) AS con,
	obj_description(i.indexrelid) FROM pg_index AS i LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype = 'u'
	WHERE i.indrelid = '"T"'::regclass;
SELECT string_agg(undo, ';') AS undo FROM kints_soft_delete_uniques('"T"') \gset
SET client_min_messages = notice;
SELECT kints_soft_delete_enable('"T"', uniques => 'partial');
SET client_min_messages = warning;
SELECT name, note FROM kints_soft_delete_uniques('"T"') AS u (name, sql, undo, note);
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '"T"'::regclass ORDER BY 1;
SELECT obj_description('"Code key"'::regclass);
-- a key that was deleted is free, and one that was not is taken
INSERT INTO "T" VALUES (1, 'a@b', 'x', 1, 1);
DELETE FROM "T" WHERE id = 1;
INSERT INTO "T" VALUES (2, 'a@b', 'x', 2, 2);
SELECT test.fails($$INSERT INTO su."T" VALUES (3, 'a@b', 'y', 3, 3)$$);
SELECT conflict FROM kints_restore('"T"', '{"id": 1}');
-- and back
SET kints.soft_delete = off;
DELETE FROM "T" WHERE deleted_at IS NOT NULL;
RESET kints.soft_delete;
:undo;
SELECT count(*) FROM (TABLE before EXCEPT SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), pg_get_constraintdef(c.oid),
	obj_description(i.indexrelid) FROM pg_index AS i LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype = 'u'
	WHERE i.indrelid = '"T"'::regclass) AS d;
-- nobody's function of a name like that is called
CREATE FUNCTION taken(name, name) RETURNS name LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE AGGREGATE min(name) (SFUNC = taken, STYPE = name);
SELECT count(*) FROM kints_soft_delete_uniques('"T"');
-- what else belongs to one
CREATE TABLE more (a int, undeleted_at timestamptz, deleted_at timestamptz, CONSTRAINT more_a UNIQUE (a));
COMMENT ON CONSTRAINT more_a ON more IS 'of the constraint';
CREATE UNIQUE INDEX more_b ON more (a) WHERE undeleted_at IS NULL;
SELECT * FROM kints_soft_delete_uniques('more');
-- of a partitioned table
CREATE TABLE p (id int, mail text, deleted_at timestamptz, UNIQUE (id, mail)) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
SELECT * FROM kints_soft_delete_uniques('p', 'deleted_at');
SELECT kints_soft_delete_enable('p', uniques => 'partial');
INSERT INTO p VALUES (1, 'm');
DELETE FROM p;
INSERT INTO p VALUES (1, 'm');
SELECT test.fails($$INSERT INTO su.p VALUES (1, 'm')$$);
SELECT * FROM kints_soft_delete_uniques('p1');
-- wrong use
SELECT test.fails('SELECT public.kints_soft_delete_uniques(NULL)');
SELECT test.fails($$SELECT public.kints_soft_delete_uniques('su.refers')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_uniques('su.p', 'gone')$$);
DROP SCHEMA su CASCADE;
