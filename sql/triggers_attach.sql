-- Triggers that functions make and remove: whose tables, and which.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ta;
SET search_path = ta, public;
CREATE TABLE "T x" (a int, "v=1" int DEFAULT 1, "at'" timestamptz);
CREATE VIEW v AS SELECT * FROM "T x";
CREATE MATERIALIZED VIEW m AS SELECT * FROM "T x";
CREATE SEQUENCE s;
CREATE INDEX i ON "T x" (a);
CREATE FOREIGN DATA WRAPPER ta_nothing;
CREATE SERVER ta_nowhere FOREIGN DATA WRAPPER ta_nothing;
CREATE FOREIGN TABLE f (version int) SERVER ta_nowhere;
SELECT test.fails(format('SELECT public.kints_version_enable(%L)', 'ta.' || name)) FROM unnest('{v,m,s,i,f}'::text[]) AS name;
SELECT test.fails($$SELECT public.kints_version_enable('pg_class', 'relnatts')$$);
SELECT test.fails($$SELECT public.kints_version_enable('ta.nothing')$$);
SELECT test.fails($$SELECT public.kints_version_enable(0)$$);
-- names that need quotes
SELECT kints_version_enable('"T x"', 'v=1', touch => 'at''');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = '"T x"'::regclass;
INSERT INTO "T x" VALUES (1);
UPDATE "T x" SET a = 2 RETURNING "v=1", "at'" = now();
-- twice, and not at all
SELECT test.fails($$SELECT public.kints_version_enable('ta."T x"', 'a')$$);
SELECT test.fails($$SELECT public.kints_touch_disable('ta."T x"')$$);
SELECT kints_version_disable('"T x"');
SELECT kints_touch_enable('"T x"', 'at''', 'clock');
SELECT test.fails($$SELECT public.kints_version_disable('ta."T x"')$$);
-- under another name it is the same
ALTER TRIGGER "kints_touch_at'" ON "T x" RENAME TO zz;
SELECT test.fails($$SELECT public.kints_touch_enable('ta."T x"', 'at''')$$);
SELECT kints_touch_disable('"T x"');
SELECT count(*) FROM pg_trigger WHERE tgrelid = '"T x"'::regclass;
-- temporary tables, and partitions of their own
CREATE TEMP TABLE tmp (version int);
INSERT INTO tmp VALUES (1);
SELECT kints_version_enable('tmp');
UPDATE tmp SET version = 0 RETURNING *;
CREATE TABLE p (version int) PARTITION BY LIST (version);
CREATE TABLE p1 PARTITION OF p DEFAULT;
SELECT kints_version_enable('p1');
SELECT test.fails($$SELECT public.kints_version_enable('ta.p')$$);
SELECT kints_version_disable('p1');
SELECT kints_version_enable('p');
SELECT test.fails($$SELECT public.kints_version_enable('ta.p1')$$);
-- only of one's own, whatever else one may do
CREATE ROLE regress_kints_other;
GRANT USAGE, CREATE ON SCHEMA ta TO regress_kints_other;
GRANT ALL ON "T x" TO regress_kints_other;
GRANT USAGE ON SCHEMA test TO regress_kints_other;
SET ROLE regress_kints_other;
SELECT test.fails($$SELECT public.kints_version_enable('ta."T x"', 'a')$$);
SELECT test.fails($$SELECT public.kints_touch_disable('ta."T x"')$$);
-- and nothing that lies in the way is called
CREATE FUNCTION ta.kints_version() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'hijacked'; END$$;
CREATE TABLE own (version int);
INSERT INTO own VALUES (1);
SELECT kints_version_enable('own');
UPDATE own SET version = 1 RETURNING version;
SELECT tgfoid::regprocedure FROM pg_trigger WHERE tgrelid = 'own'::regclass;
RESET ROLE;
DROP SCHEMA ta CASCADE;
DROP FOREIGN DATA WRAPPER ta_nothing CASCADE;
REVOKE USAGE ON SCHEMA test FROM regress_kints_other;
DROP ROLE regress_kints_other;
