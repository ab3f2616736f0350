-- Rows are looked at before an enum loses a label, and the column is named.
CREATE SCHEMA plan_check;
SET search_path = plan_check, public;
CREATE TYPE mood AS ENUM ('sad', 'it''s $check$', 'ok');
CREATE DOMAIN dmood AS mood;
CREATE TABLE "T" (one mood DEFAULT 'ok', "Many" mood[], other dmood);
INSERT INTO "T" VALUES ('ok', '{ok,sad}', 'ok');
CREATE TABLE wanted (sql text);
INSERT INTO wanted VALUES ($$
	CREATE TYPE plan_check.mood AS ENUM ('ok');
	CREATE DOMAIN plan_check.dmood AS plan_check.mood;
	CREATE TABLE plan_check."T" (one plan_check.mood DEFAULT 'ok', "Many" plan_check.mood[], other plan_check.dmood);
	CREATE TABLE plan_check.wanted (sql text)$$);
SELECT test.plan(sql) FROM wanted;
SELECT test.fails($$SELECT kints_apply((SELECT sql FROM plan_check.wanted), '{"allow": ["all"]}')$$);
UPDATE "T" SET "Many" = '{ok}', one = 'it''s $check$';
SELECT test.fails($$SELECT kints_apply((SELECT sql FROM plan_check.wanted), '{"allow": ["all"]}')$$);
UPDATE "T" SET one = 'ok';
SELECT count(*) FROM kints_apply((SELECT sql FROM wanted), '{"allow": ["all"]}');
SELECT test.plan(sql) FROM wanted;
TABLE "T";
SET client_min_messages = warning;
DROP SCHEMA plan_check CASCADE;
