-- Which foreign keys refer to a row: of columns and operators of any name.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA "R e";
SET search_path = "R e", public;
CREATE TABLE "a ""b" ("i d" citext, k numeric, n int UNIQUE, deleted_at timestamptz, batch bigint, PRIMARY KEY ("i d", k));
CREATE TABLE c ("K" int, "I" citext, n bigint REFERENCES "a ""b" (n), deleted_at timestamptz, batch bigint, FOREIGN KEY ("I", "K") REFERENCES "a ""b");
SELECT kints_soft_delete_enable('"a ""b"', batch => 'batch'), kints_soft_delete_enable('c', batch => 'batch');
INSERT INTO "a ""b" VALUES ('X', 1, 1), ('y', 2, NULL), ('z', 3, 3);
INSERT INTO c VALUES (1, 'x', NULL), (1, 'X', NULL), (2, 'Y', NULL), (NULL, NULL, 3), (NULL, 'X', NULL), (NULL, NULL, NULL);
-- nobody's own operator is in the way
CREATE FUNCTION never(citext, citext) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR "R e".= (LEFTARG = citext, RIGHTARG = citext, FUNCTION = never);
SET search_path = "R e", pg_catalog, public;
DELETE FROM "a ""b" WHERE "i d" OPERATOR(public.=) 'x';
SELECT "K", "I" FROM c WHERE deleted_at IS NOT NULL ORDER BY 2 USING OPERATOR(public.<), "I"::text COLLATE "C";
DELETE FROM "a ""b" WHERE k = 2;
DELETE FROM "a ""b" WHERE n = 3;
SELECT "K", "I", n, deleted_at IS NOT NULL FROM c ORDER BY "I"::text COLLATE "C", "K", n;
SELECT row_key - 'deleted_at' - 'batch', restored FROM kints_restore('"a ""b"', '{"n": 3}');
SELECT row_key, restored FROM kints_restore('"a ""b"', '{"i d": "x", "k": 1.0}') WHERE "table" = '"a ""b"'::regclass;
CALL kints_purge('"a ""b"', '-1 day');
SELECT count(*) FROM c;
SELECT k FROM "a ""b" ORDER BY k;
DROP SCHEMA "R e" CASCADE;
