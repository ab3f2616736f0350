-- Types: what is read of enums, domains, composite types and ranges.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_type;
SET search_path = inspect_type, public;

CREATE TYPE e AS ENUM ('z', 'a', 'm');
ALTER TYPE e ADD VALUE 'b' BEFORE 'a';
ALTER TYPE e RENAME VALUE 'm' TO 'M m';
CREATE TYPE ee AS ENUM ();
CREATE DOMAIN d AS varchar(5) COLLATE "C" DEFAULT 'x' NOT NULL CHECK (VALUE <> 'y');
ALTER DOMAIN d ADD CONSTRAINT two CHECK (length(VALUE) > 0) NOT VALID;
COMMENT ON CONSTRAINT two ON DOMAIN d IS 'second';
CREATE TYPE c AS (a int, dropped int, b d[], c text COLLATE "C");
ALTER TYPE c DROP ATTRIBUTE dropped;
COMMENT ON COLUMN c.c IS 'last';
CREATE FUNCTION diff(text, text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0::float8';
CREATE TYPE r AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops, SUBTYPE_DIFF = diff, MULTIRANGE_TYPE_NAME = rs);
CREATE TYPE r2 AS RANGE (SUBTYPE = int);
COMMENT ON TYPE r IS 'a range';

SELECT o - 'owner' - 'schema' FROM jsonb_array_elements(kints_snapshot('{inspect_type}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('enum', 'domain', 'composite', 'range') ORDER BY n;

-- the constructors of a range and of its multirange are part of it
SELECT o ->> 'name', o ->> 'arguments' FROM jsonb_array_elements(kints_snapshot('{inspect_type}') -> 'objects') AS o
WHERE o ->> 'kind' = 'function';

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_type}') AS snapshot;
DROP SCHEMA inspect_type CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_type}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_type CASCADE;
