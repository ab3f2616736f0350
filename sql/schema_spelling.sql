-- What the server spells in two ways: the text of an author and that of a plan lead to the same.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.texts(ddl text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	CREATE SCHEMA s;
	SET LOCAL search_path = s, public;
	EXECUTE ddl;
	RETURN QUERY
	SELECT coalesce(f.value #>> '{}', '')
	  FROM jsonb_array_elements(kints_snapshot('{s}') -> 'objects') o,
	       LATERAL (SELECT key, value FROM jsonb_each(o)
	                UNION ALL
	                SELECT key, value FROM jsonb_each(CASE WHEN jsonb_typeof(o -> 'fields') = 'object' THEN o -> 'fields' ELSE '{}' END)) f
	 WHERE f.key IN ('definition', 'definitions', 'expression', 'using_expression', 'check_expression')
	   AND f.value ->> 0 ~ 'AND|OR|ARRAY'
	 ORDER BY 1;
	DROP SCHEMA s CASCADE;
END $$;
SET client_min_messages = warning;

-- IN hides a cast of an array
SELECT pg_temp.texts('CREATE TABLE t (a varchar(9) CHECK (a IN (''x'', ''y,]('')))');
SELECT test.law('', 'CREATE TABLE t (a varchar(9) CHECK (a IN (''x'', ''y,]('')), b char(3) CHECK (b NOT IN (''x'', ''y'')))');
SELECT pg_temp.texts('CREATE TABLE t (a varchar(9), b varchar, c text, CHECK (c = ANY (ARRAY[a, b || ''z'', upper(b)]::text[])))');
SELECT test.law('', 'CREATE TABLE t (a varchar, b varchar, CHECK (a = ANY (ARRAY[a, coalesce(b, ''q''), (ARRAY[a, b])[1]])))');
SELECT test.law('', 'CREATE TABLE t (a varchar, b varchar[]); CREATE VIEW v AS SELECT (ARRAY[ARRAY[a], ARRAY[''it''''s ]'']])::text[] AS x, ARRAY[]::varchar[]::text[] AS y FROM t');

-- what the elements are cast to hangs on what they are, so the text stays as the server has it
CREATE FUNCTION pg_temp.arrays(expression text) RETURNS text LANGUAGE sql AS $$
	SELECT test.case(expression, functions || 'CREATE TABLE t (a varchar, b char(3)[])',
		functions || format('CREATE TABLE t (a varchar, b char(3)[], CHECK (%s)); CREATE STATISTICS st ON (%1$s), (a || ''x'') FROM t', expression))
	FROM (VALUES ('CREATE FUNCTION f(text[]) RETURNS bool LANGUAGE sql IMMUTABLE AS ''SELECT true'';
		CREATE FUNCTION g(varchar[]) RETURNS bool LANGUAGE sql IMMUTABLE AS ''SELECT true'';')) AS t (functions)
$$;
SELECT pg_temp.arrays('f(ARRAY[a, b[1], ''x''])');
SELECT pg_temp.arrays('f(ARRAY[ARRAY[a, ''x''], ARRAY[''y'', a]])');
SELECT pg_temp.arrays('g(ARRAY[b[1] || ''x'', upper(b[2])::char(9)::text, a::date::timestamp(3) without time zone::text, a::time with time zone::text || ''y'', current_user::text])');
SELECT pg_temp.arrays('f(ARRAY[b::text[], b::text[]])');
-- XXX: the server makes another text of this one
SELECT pg_temp.arrays('f(ARRAY[b, b])');

-- a domain over an array is no array type; neither is what only looks like one
SELECT test.law('', 'CREATE DOMAIN d AS text[]; CREATE TABLE t (a varchar, CHECK (cardinality((ARRAY[a, ''x''])::d) > 0 AND a <> ''(ARRAY[1])::text[]''))');
SELECT test.law('', 'CREATE TABLE t ("(ARRAY[a])::text[]" int, CHECK ("(ARRAY[a])::text[]" BETWEEN 1 AND 2 AND "(ARRAY[a])::text[]" <> 3))');

-- BETWEEN hides AND, or OR
SELECT pg_temp.texts('CREATE TABLE t (a int CHECK (a BETWEEN 1 AND 9 AND a <> 5), b int CHECK (b NOT BETWEEN 1 AND 9 OR b = 5 OR b IS NULL))');
SELECT test.law('', 'CREATE TABLE t (a int CHECK (a BETWEEN 1 AND 9 AND a <> 5), b int CHECK (b NOT BETWEEN 1 AND 9 OR b = 5), c int)');
SELECT test.law('', 'CREATE TABLE t (a int CHECK ((a BETWEEN SYMMETRIC 9 AND 1 OR a = 12) AND a BETWEEN 0 AND 99 AND (a > 3 AND (a > 4 AND a > 5))))');
SELECT test.law('', 'CREATE TABLE t (a int, b bool); CREATE VIEW v AS SELECT a, (SELECT b AND a BETWEEN 1 AND 2 AND b) AND b AS x FROM t WHERE a BETWEEN 1 AND 2 AND b');
SELECT test.law('', 'CREATE TABLE t (a int, b bool); CREATE VIEW v AS SELECT (EXISTS (SELECT FROM t WHERE a BETWEEN 1 AND 2 AND b)) AND bool_and(b) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AND a BETWEEN 1 AND 2 AS x FROM t');
SELECT test.law('', 'CREATE TABLE t (a int, b bool); CREATE VIEW v AS SELECT CASE WHEN a BETWEEN 1 AND 2 AND b THEN 1 END AS x, row(a BETWEEN 1 AND 2 AND b, 1) = row(b, 1) AND b AS y FROM t');

-- everywhere
SELECT test.law('', $$
CREATE DOMAIN d AS varchar(9) DEFAULT 'x' CONSTRAINT c CHECK (VALUE IN ('x', 'y'));
CREATE FUNCTION f(a varchar DEFAULT CASE WHEN 'a'::varchar IN ('a', 'b') THEN 'x' END) RETURNS bool
	BEGIN ATOMIC SELECT a IN ('x', 'y') AND length(a) BETWEEN 1 AND 9 AND true; END;
CREATE FUNCTION g(a varchar) RETURNS bool LANGUAGE sql AS $f$ SELECT ((a BETWEEN 'a' AND 'b') AND ((ARRAY['a'])::text[] IS NOT NULL AND true)) AND $1 <> '(' $f$;
CREATE TABLE t (id int, a varchar(9), ok bool DEFAULT ('a'::varchar IN ('a', 'b')),
	good bool GENERATED ALWAYS AS (a IN ('x', 'y') AND id BETWEEN 1 AND 2 AND true) STORED,
	EXCLUDE USING btree (id WITH =) WHERE (a IN ('x', 'y') AND id BETWEEN 1 AND 2 AND true));
CREATE INDEX i ON t ((a IN ('x', 'y') AND id BETWEEN 1 AND 2 AND true)) WHERE a IN ('x', 'y') AND id BETWEEN 1 AND 2 AND true;
CREATE STATISTICS st ON (a IN ('x', 'y')), (a IN (a || 'x', lower(a), a)), (id BETWEEN 1 AND 2 AND true) FROM t;
CREATE VIEW v AS SELECT a IN ('x', 'y') AS a FROM t WHERE id BETWEEN 1 AND 2 AND true;
CREATE MATERIALIZED VIEW m AS SELECT a IN ('x', 'y') AS a FROM t WHERE id BETWEEN 1 AND 2 AND true;
CREATE RULE r AS ON INSERT TO t WHERE NEW.a IN ('x', 'y') AND NEW.id BETWEEN 1 AND 2 AND true DO NOTHING;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a IN ('x', 'y') AND NEW.id BETWEEN 1 AND 2 AND true) EXECUTE FUNCTION tf();
CREATE POLICY p ON t USING (a IN ('x', 'y')) WITH CHECK (id BETWEEN 1 AND 2 AND true)$$);
-- a comment is nobody's expression
SELECT test.law('', $$CREATE TABLE t (a int CHECK (a BETWEEN 1 AND 2 AND a > 0)); COMMENT ON COLUMN t.a IS '((a AND b) AND c) (ARRAY[1])::text[]'$$);
