-- Names and values in SQL: quoted where they need it and only there, whatever the settings, so that each comes back as it was.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
-- plain, upper case, a key word, a digit first, quotes of both kinds, a backslash, a dot, a dollar, no ASCII, 63 letters
SELECT test.case('names', '', $$
	CREATE TABLE plain (a_1 int, "B" int, "select" int, "1st" int, "dou""ble" int, "sin'gle" int, "back\slash" int, "s.t" int, "per%s" int, "ü" int, "a b" int, "$1" int);
	CREATE TABLE "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" (a int)$$);
SELECT test.case('values', 'CREATE TABLE "T" (a int)', $$
	CREATE TABLE "T" (a int, "A" int);
	COMMENT ON TABLE "T" IS 'it''s "a" \back $1 %s
second line';
	COMMENT ON COLUMN "T"."A" IS E'\ttab';
	CREATE TYPE "E" AS ENUM ('it''s', '\', '"', ' ', '')$$);

-- all names in quotes, or backslashes that escape: the plan is the same
CREATE TABLE public.base_sqltext AS SELECT test.plan($$CREATE SCHEMA s; CREATE TABLE s.t (a int, "B" int DEFAULT 1); COMMENT ON TABLE s.t IS 'a\b'$$) AS plan;
SET quote_all_identifiers = on;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT plan, plan = test.plan($$CREATE SCHEMA s; CREATE TABLE s.t (a int, "B" int DEFAULT 1); COMMENT ON TABLE s.t IS E'a\\b'$$) FROM public.base_sqltext;
RESET ALL;
DROP TABLE public.base_sqltext;
