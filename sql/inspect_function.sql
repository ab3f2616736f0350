-- Functions: what is read of them, of procedures and of aggregates.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_function;
SET search_path = inspect_function, public;

CREATE TABLE t (a int);
CREATE FUNCTION f(IN a int, OUT b int, INOUT c text DEFAULT 'x') LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION f(VARIADIC a text[]) RETURNS SETOF t LANGUAGE sql STABLE ROWS 5 AS 'SELECT * FROM t';
CREATE FUNCTION g() RETURNS TABLE (a int, b text) SET work_mem = '5MB' SET search_path FROM CURRENT LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE FUNCTION h(a anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE PROCEDURE p(a int, INOUT b int DEFAULT 3) BEGIN ATOMIC INSERT INTO t VALUES (a); SELECT 1; END;
CREATE AGGREGATE total(int) (SFUNC = int4_sum, STYPE = bigint);
CREATE AGGREGATE moving(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, INITCOND = '0', MINITCOND = '0', SORTOP = <, COMBINEFUNC = int4pl, PARALLEL = SAFE);
COMMENT ON AGGREGATE total(int) IS 'sum';

SELECT o - 'owner' - 'schema' FROM jsonb_array_elements(kints_snapshot('{inspect_function}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('function', 'aggregate') ORDER BY n;

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_function}') AS snapshot;
DROP SCHEMA inspect_function CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_function}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_function CASCADE;
