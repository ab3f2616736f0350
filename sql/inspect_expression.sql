-- Expressions: the columns are called what they are called, whatever their names, and no relation is locked.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_expression;
SET search_path = inspect_expression, public;
CREATE TABLE t (gone int, a int, "A" int, t int, "select" int, "in""ner" int, g int GENERATED ALWAYS AS (a + "A") STORED, d int DEFAULT -1, n timestamptz DEFAULT now(), s text DEFAULT 'it''s \ %s',
	CONSTRAINT c_names CHECK (a > "A" AND t > "select" AND "in""ner" > 0), CONSTRAINT c_row CHECK (t.* IS NOT NULL), CONSTRAINT c_system CHECK (tableoid <> 0), CONSTRAINT c_none CHECK (1 < 2));
ALTER TABLE t DROP gone;
CREATE POLICY pol ON t USING (tableoid <> 0 AND a > 0);
CREATE INDEX i ON t ((a + t), lower(s), (t."in""ner" * 2)) WHERE "select" IS NOT NULL;
CREATE TABLE p (a int, b text) PARTITION BY RANGE ((a % 4), lower(b));
CREATE DOMAIN dom AS int DEFAULT 1 + 2 CONSTRAINT pos CHECK (VALUE > 0);
BEGIN;
SELECT concat_ws('.', o ->> 'parent', o ->> 'name') AS object, coalesce(o ->> 'expression', o ->> 'definition', o ->> 'default', o ->> 'partition_key') AS text
FROM jsonb_array_elements(kints_snapshot('{inspect_expression}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE coalesce(o ->> 'expression', o ->> 'definition', o ->> 'default', o ->> 'partition_key') IS NOT NULL ORDER BY n;
SELECT relation::regclass, mode FROM pg_locks WHERE relation IN ('t'::regclass, 'i'::regclass, 'p'::regclass);
COMMIT;
-- what is printed is what the server takes
SELECT test.plan(kints_snapshot('{inspect_expression}'));
SELECT sql FROM kints_diff(kints_snapshot('{}'), kints_snapshot('{inspect_expression}')) WHERE kind IN ('create_domain', 'create_table', 'create_index') ORDER BY step;
DROP SCHEMA inspect_expression CASCADE;
