-- What is a difference, and which one takes a new object.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.verbs(name text, from_sql text, to_sql text) RETURNS text LANGUAGE sql AS $$
	SELECT '## ' || name || ': ' || coalesce((SELECT string_agg(DISTINCT part, ', ' ORDER BY part)
		FROM regexp_split_to_table(t.plan, E'\n') AS line, regexp_replace(line, '^\w+( \([A-Z ]+\))?: ((CREATE( OR REPLACE)?|DROP|ALTER|COMMENT|GRANT|REVOKE)( [A-Z]+)+).*', '\2') AS part WHERE line ~ '^\w+( \([A-Z ]+\))?: [A-Z]'), 'no difference') || ' => ' || t.verdict
	FROM test.try(from_sql, to_sql, '{}') AS t
$$;
SELECT pg_temp.verbs(name, from_sql, to_sql) FROM (VALUES
	(1, 'labels at the end', 'CREATE TYPE e AS ENUM (''a'')', 'CREATE TYPE e AS ENUM (''a'', ''b'')'),
	(2, 'labels fewer', 'CREATE TYPE e AS ENUM (''a'', ''b'')', 'CREATE TYPE e AS ENUM (''b'')'),
	(3, 'labels in another order', 'CREATE TYPE e AS ENUM (''a'', ''b'')', 'CREATE TYPE e AS ENUM (''b'', ''a'')'),
	(4, 'attributes at the end', 'CREATE TYPE c AS (a int)', 'CREATE TYPE c AS (a int, b int)'),
	(5, 'attributes before', 'CREATE TYPE c AS (a int)', 'CREATE TYPE c AS (b int, a int)'),
	(6, 'attributes fewer', 'CREATE TYPE c AS (a int, b int)', 'CREATE TYPE c AS (b int)'),
	(7, 'the name of an argument', 'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql AS ''SELECT 1'''),
	(8, 'a name for an argument', 'CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql AS ''SELECT 1'''),
	(9, 'a default of an argument', 'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS ''SELECT 1'''),
	(10, 'no default of an argument', 'CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS ''SELECT 1'''),
	(11, 'an out argument', 'CREATE FUNCTION f(OUT a int) LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f(OUT b int) LANGUAGE sql AS ''SELECT 1'''),
	(12, 'a set', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql AS ''SELECT 1'''),
	(13, 'white space in a body', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT  1'''),
	(14, 'white space in a view', 'CREATE VIEW v AS SELECT 1 AS a', 'CREATE VIEW v AS SELECT   1   AS   "a"'),
	(15, 'a view column more', 'CREATE VIEW v AS SELECT 1 AS a', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b'),
	(16, 'a view column of another name', 'CREATE VIEW v AS SELECT 1 AS a', 'CREATE VIEW v AS SELECT 1 AS b'),
	(17, 'a view column of another collation', 'CREATE VIEW v AS SELECT ''x''::text AS a', 'CREATE VIEW v AS SELECT ''x''::text COLLATE "C" AS a'),
	(18, 'a view column of another length', 'CREATE VIEW v AS SELECT ''x''::varchar(5) AS a', 'CREATE VIEW v AS SELECT ''x''::varchar(9) AS a'),
	(19, 'a valid constraint that is not to be', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))', 'CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID'),
	(20, 'a constraint of another kind', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))', 'CREATE TABLE t (a int, CONSTRAINT c UNIQUE (a))'),
	(21, 'a constraint, spelled otherwise', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a IN (1, 2)))', 'CREATE TABLE t (a int, CONSTRAINT c CHECK (a = ANY (ARRAY[1, 2])))'),
	(22, 'using in a policy', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0)', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 1)'),
	(23, 'no using in a policy', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0) WITH CHECK (true)', 'CREATE TABLE t (a int); CREATE POLICY p ON t WITH CHECK (true)'),
	(24, 'a restrictive policy', 'CREATE TABLE t (a int); CREATE POLICY p ON t', 'CREATE TABLE t (a int); CREATE POLICY p ON t AS RESTRICTIVE'),
	(25, 'a default, spelled otherwise', 'CREATE TABLE t (a int DEFAULT 1 + 1)', 'CREATE TABLE t (a int DEFAULT (1+1))'),
	(26, 'a default, cast', 'CREATE TABLE t (a text DEFAULT ''x'')', 'CREATE TABLE t (a text DEFAULT ''x''::text)'),
	(27, 'the names of types', 'CREATE TABLE t (a int4, b varchar, c timestamptz, d float8, e decimal(5,2), f bool)', 'CREATE TABLE t (a integer, b character varying, c timestamp with time zone, d double precision, e numeric(5, 2), f boolean)'),
	(28, 'the order of columns', 'CREATE TABLE t (a int, b int)', 'CREATE TABLE t (b int, a int)'),
	(29, 'the order of statements', 'CREATE TABLE t (a int); CREATE TABLE u (a int)', 'CREATE TABLE u (a int); CREATE TABLE t (a int)'),
	(30, 'an unnamed key', 'CREATE TABLE t (a int CONSTRAINT t_pkey PRIMARY KEY)', 'CREATE TABLE t (a int PRIMARY KEY)'),
	(31, 'an index on the same columns with another name', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int); CREATE INDEX j ON t (a)'),
	(32, 'an index, spelled otherwise', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int); CREATE INDEX i ON ONLY s.t USING btree (a ASC NULLS LAST)'),
	(33, 'storage of a table', 'CREATE TABLE t (a int) WITH (fillfactor = 50, autovacuum_enabled = off)', 'CREATE TABLE t (a int) WITH (autovacuum_enabled = off, fillfactor = 50)'),
	(34, 'a sequence with what it has anyway', 'CREATE SEQUENCE q', 'CREATE SEQUENCE q AS bigint START 1 INCREMENT 1 NO CYCLE CACHE 1'),
	(35, 'an empty comment', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int); COMMENT ON TABLE t IS '''''),
	(36, 'trigger, another function', 'CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
		'CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g()'))
	AS c (n, name, from_sql, to_sql) ORDER BY n;
