-- Names: as keys, quoted where they need it.
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA "Schema Name";
SET search_path = "Schema Name", public;
CREATE TABLE "Ta.ble" ("co""l" int PRIMARY KEY, plain int DEFAULT 1, CHECK (plain > 0));
CREATE INDEX "in'dex" ON "Ta.ble" (plain);
CREATE FUNCTION "F n"("A" int, b "char"[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE DOMAIN "Int" AS int;
CREATE AGGREGATE total("Int") (SFUNC = int4larger, STYPE = int);
SELECT o ->> 'kind', o ->> 'schema', o ->> 'parent', o ->> 'name', o ->> 'arguments', o ->> 'depends'
FROM jsonb_array_elements(kints_snapshot('{"Schema Name"}') -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY n;
SELECT object, sql FROM kints_diff(kints_snapshot('{nosuch}'), kints_snapshot('{"Schema Name"}')) ORDER BY step;
SELECT count(*) FROM kints_apply('CREATE TABLE "Ta.ble" ("co""l" int PRIMARY KEY)', '{"allow": "all"}');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT test.plan(kints_snapshot('{"Schema Name"}'));
SET client_min_messages = warning;
DROP SCHEMA "Schema Name" CASCADE;
