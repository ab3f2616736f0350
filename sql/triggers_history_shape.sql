-- The table for old rows gets the columns that the table has: of all types, and back.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hs;
SET search_path = hs, public;
CREATE FUNCTION cols(tbl regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = tbl AND attnum > 0 AND NOT attisdropped $$;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, f timestamptz, u timestamptz);
SELECT kints_history_enable('t', '"T old"', period => 'f', until => 'u');
INSERT INTO t VALUES (1);
ALTER TABLE t ADD a positive NOT NULL DEFAULT 1, ADD m mood[], ADD "Odd ""name""" varchar(7) COLLATE "C", ADD g int GENERATED ALWAYS AS (a * 2) STORED,
	ADD i int GENERATED ALWAYS AS IDENTITY, ADD s serial, ADD r int REFERENCES t;
SELECT cols('"T old"');
UPDATE t SET "Odd ""name""" = 'x', m = '{ok,sad}';
UPDATE t SET a = 2;
SELECT a, m, "Odd ""name""", g, i, s, r FROM "T old" ORDER BY f;
ALTER TABLE t ALTER m TYPE text USING m::text, ALTER "Odd ""name""" TYPE text COLLATE "POSIX", DROP g, DROP i, ALTER a TYPE bigint;
SELECT cols('"T old"');
UPDATE t SET a = 3;
SELECT a, m FROM t__history ORDER BY f;
ALTER TABLE t RENAME "Odd ""name""" TO even;
ALTER TABLE t RENAME f TO "from";
ALTER TABLE t RENAME u TO "until";
UPDATE t SET even = 'y';
SELECT even, "until" > now() FROM t__history ORDER BY "from" DESC LIMIT 2;
DROP SCHEMA hs CASCADE;
