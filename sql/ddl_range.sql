\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('create', '', $$CREATE FUNCTION d(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2'; CREATE TYPE r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = d, MULTIRANGE_TYPE_NAME = "R s"); CREATE TYPE t AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops); COMMENT ON TYPE r IS 'r'$$);
SELECT test.case('another subtype', 'CREATE TYPE r AS RANGE (SUBTYPE = int)', 'CREATE TYPE r AS RANGE (SUBTYPE = bigint)');
SELECT test.case('drop', 'CREATE TYPE r AS RANGE (SUBTYPE = int)', '');
SELECT test.case('comment', 'CREATE TYPE r AS RANGE (SUBTYPE = int); COMMENT ON TYPE r IS ''x''', 'CREATE TYPE r AS RANGE (SUBTYPE = int)');
-- XXX: a canonical function takes the type, so the type has to be there before it, if only in name
SELECT test.case('a canonical function that is there', 'CREATE TYPE r; CREATE FUNCTION c(r) RETURNS r LANGUAGE internal IMMUTABLE STRICT AS ''int4range_canonical''; CREATE TYPE r AS RANGE (SUBTYPE = int, CANONICAL = c)', 'CREATE TYPE r; CREATE FUNCTION c(r) RETURNS r LANGUAGE internal IMMUTABLE STRICT AS ''int4range_canonical''; CREATE TYPE r AS RANGE (SUBTYPE = int, CANONICAL = c); CREATE TABLE t (a r)');
SELECT test.case('one that comes', '', 'CREATE TYPE r; CREATE FUNCTION c(r) RETURNS r LANGUAGE internal IMMUTABLE STRICT AS ''int4range_canonical''; CREATE TYPE r AS RANGE (SUBTYPE = int, CANONICAL = c)');
