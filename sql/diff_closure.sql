-- What else has to step aside for a change, and comes back as it was: options, comments, owners, privileges, indexes, triggers.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_kints_a;
CREATE ROLE regress_kints_b;
-- A snapshot of the whole is the wanted state: owners and privileges are stated.
CREATE FUNCTION test.closure(name text, from_sql text, change text) RETURNS text
LANGUAGE plpgsql SET client_min_messages = warning SET check_function_bodies = off AS $$
DECLARE
	wanted jsonb;
	found jsonb;
	plan text;
	after jsonb;
	verdict text;
BEGIN
	BEGIN
		PERFORM set_config('search_path', 's, public', true);
		CREATE SCHEMA s;
		EXECUTE from_sql;
		found := public.kints_snapshot('{s}');
		BEGIN
			-- The wanted state is what the script makes with another word in it.
			DROP SCHEMA s CASCADE;
			CREATE SCHEMA s;
			EXECUTE regexp_replace(from_sql, split_part(change, ' => ', 1), split_part(change, ' => ', 2), 'g');
			wanted := public.kints_snapshot('{s}');
			RAISE EXCEPTION SQLSTATE 'TEST1';
		EXCEPTION WHEN SQLSTATE 'TEST1' THEN NULL;
		END;
		plan := test.plan(wanted);
		PERFORM public.kints_apply(wanted, '{"allow": "all"}');
		after := public.kints_snapshot('{s}');
		verdict := CASE WHEN NOT EXISTS (SELECT FROM public.kints_diff(after, wanted)) AND public.kints_fingerprint('{s}') IS NOT NULL THEN 'ok' ELSE 'differs: ' || test.diff(after, wanted) END;
		PERFORM public.kints_rollback(1, '{"allow": "all"}');
		verdict := verdict || CASE WHEN NOT EXISTS (SELECT FROM public.kints_diff(public.kints_snapshot('{s}'), found)) THEN '' ELSE ', and back differs: ' || test.diff(public.kints_snapshot('{s}'), found) END;
		RAISE EXCEPTION SQLSTATE 'TEST0';
	EXCEPTION
		WHEN SQLSTATE 'TEST0' THEN NULL;
		WHEN OTHERS THEN verdict := SQLSTATE || ': ' || SQLERRM;
	END;
	RETURN concat_ws(E'\n', '## ' || name, plan, '=> ' || verdict);
END
$$;
SELECT test.closure('a column type under views, a materialized view with its index, a policy, a trigger, a rule, an SQL body', $x$
	CREATE TABLE t (a int, b text);
	CREATE VIEW v1 WITH (security_barrier) AS SELECT a, b FROM t WHERE a > 0 WITH CASCADED CHECK OPTION;
	CREATE VIEW v2 (x) AS SELECT a FROM v1;
	CREATE MATERIALIZED VIEW m WITH (fillfactor = 70) AS SELECT x FROM v2;
	CREATE UNIQUE INDEX m_x ON m (x) WITH (fillfactor = 60);
	CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE FUNCTION body() RETURNS bigint STABLE BEGIN ATOMIC SELECT sum(a) FROM t; END;
	CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f();
	CREATE TRIGGER tv INSTEAD OF INSERT ON v1 FOR EACH ROW EXECUTE FUNCTION f();
	ALTER TABLE t DISABLE TRIGGER tr;
	CREATE RULE r AS ON DELETE TO v2 DO INSTEAD NOTHING;
	CREATE POLICY p ON t AS RESTRICTIVE FOR UPDATE TO regress_kints_a USING (a > 5);
	COMMENT ON VIEW v1 IS 'one'; COMMENT ON COLUMN v2.x IS 'x'; COMMENT ON MATERIALIZED VIEW m IS 'm'; COMMENT ON INDEX m_x IS 'm_x'; COMMENT ON TRIGGER tr ON t IS 'tr'; COMMENT ON TRIGGER tv ON v1 IS 'tv';
	COMMENT ON RULE r ON v2 IS 'r'; COMMENT ON POLICY p ON t IS 'p'; COMMENT ON FUNCTION body() IS 'body';
	ALTER VIEW v1 ALTER COLUMN b SET DEFAULT 'none';
	ALTER VIEW v2 OWNER TO regress_kints_a; ALTER MATERIALIZED VIEW m OWNER TO regress_kints_b; ALTER FUNCTION body() OWNER TO regress_kints_a;
	GRANT SELECT ON v1 TO regress_kints_a; GRANT SELECT (x) ON v2 TO regress_kints_b; GRANT SELECT ON m TO PUBLIC; REVOKE ALL ON FUNCTION body() FROM PUBLIC$x$, 'TABLE t \(a int => TABLE t (a bigint');
SELECT test.closure('a view under views: a column of another type', $x$
	CREATE VIEW v1 AS SELECT 1::int AS a, 'x'::text AS b;
	CREATE VIEW v2 WITH (security_invoker) AS SELECT a FROM v1;
	CREATE VIEW v3 AS SELECT v2.a, v1.b FROM v2, v1;
	COMMENT ON VIEW v3 IS 'three'; ALTER VIEW v3 OWNER TO regress_kints_a; GRANT SELECT ON v2 TO regress_kints_b WITH GRANT OPTION$x$, '1::int => 1::bigint');
SELECT test.closure('a function under a default, a check, a generated column, an index, a policy and a view', $x$
	CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
	CREATE TABLE t (a int DEFAULT f(1), b int CONSTRAINT ck CHECK (f(b) > 0), g bigint GENERATED ALWAYS AS (f(a)) STORED);
	CREATE INDEX i ON t (f(b)) WHERE f(a) > 1;
	CREATE POLICY p ON t USING (f(a) > 0);
	CREATE VIEW v AS SELECT f(a) AS x FROM t;
	COMMENT ON CONSTRAINT ck ON t IS 'ck'; COMMENT ON INDEX i IS 'i'; COMMENT ON POLICY p ON t IS 'p'; COMMENT ON VIEW v IS 'v'; COMMENT ON COLUMN t.g IS 'g'; COMMENT ON FUNCTION f(int) IS 'f';
	ALTER VIEW v OWNER TO regress_kints_a; ALTER FUNCTION f(int) OWNER TO regress_kints_b; GRANT SELECT ON v TO PUBLIC; GRANT SELECT (g) ON t TO regress_kints_a$x$, 'RETURNS int LANGUAGE sql IMMUTABLE AS .SELECT .1. => RETURNS bigint LANGUAGE sql IMMUTABLE AS ''SELECT $1::bigint''');
SELECT test.closure('a type under columns, arrays, a view, a function, a default and a check', $x$
	CREATE TYPE e AS ENUM ('a', 'b');
	CREATE TABLE t (a e DEFAULT 'a', b e[] DEFAULT '{a,b}', c text, CONSTRAINT ck CHECK (a <> 'b'));
	CREATE FUNCTION f(x e) RETURNS e LANGUAGE sql AS 'SELECT x';
	CREATE VIEW v AS SELECT f(a) AS x, b FROM t;
	CREATE INDEX i ON t (a) WHERE a = 'a';
	COMMENT ON TYPE e IS 'e'; COMMENT ON COLUMN t.a IS 'a'; COMMENT ON CONSTRAINT ck ON t IS 'ck'; COMMENT ON FUNCTION f(e) IS 'f'; COMMENT ON VIEW v IS 'v'; COMMENT ON INDEX i IS 'i';
	ALTER TYPE e OWNER TO regress_kints_a; REVOKE ALL ON TYPE e FROM PUBLIC; GRANT USAGE ON TYPE e TO regress_kints_b; ALTER VIEW v OWNER TO regress_kints_b$x$, '..a., .b.. => (''b'', ''a'')');
SELECT test.closure('a key under a foreign key and a view that groups by it', $x$
	CREATE TABLE t (a int, b int, c text, CONSTRAINT k PRIMARY KEY (a));
	CREATE TABLE u (a int, b int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t (a) ON DELETE CASCADE DEFERRABLE);
	CREATE VIEW v AS SELECT a, c FROM t GROUP BY a;
	COMMENT ON CONSTRAINT k ON t IS 'k'; COMMENT ON CONSTRAINT f ON u IS 'f'; COMMENT ON VIEW v IS 'v'; ALTER VIEW v OWNER TO regress_kints_a$x$, 'PRIMARY KEY \(a\) => PRIMARY KEY (a) INCLUDE (b)');
SELECT test.closure('a table that rows are of', $x$
	CREATE TABLE t (a int, b text);
	CREATE FUNCTION f(t) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.b';
	CREATE FUNCTION g() RETURNS SETOF t LANGUAGE sql STABLE AS 'SELECT * FROM t';
	CREATE VIEW v AS SELECT f(t) FROM t;
	CREATE TABLE u (t t)$x$, 'b text => b text, c int');
SELECT test.closure('a function under a domain that a column has', $x$
	CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
	CREATE DOMAIN d AS int CHECK (f(VALUE) > 0);
	CREATE TABLE t (a d)$x$, 'SELECT .1 => SELECT $1 + 1');
-- what does not need to step aside
SELECT test.case('defaults that the server converts', 'CREATE TABLE t (a varchar(10) DEFAULT ''x'', b numeric(10,2) DEFAULT 1.5, c int DEFAULT 1)', 'CREATE TABLE t (a varchar(20) DEFAULT ''x'', b numeric(12,2) DEFAULT 1.5, c bigint DEFAULT 1)');
SELECT test.case('both ends of a foreign key', 'CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t); CREATE TABLE u (a int REFERENCES t)', 'CREATE TABLE t (a bigint PRIMARY KEY, b bigint REFERENCES t); CREATE TABLE u (a bigint REFERENCES t)');
SELECT test.case('a key that includes columns', 'CREATE TABLE t (a int, b int, CONSTRAINT k UNIQUE (a) INCLUDE (b)); CREATE TABLE u (a int, b int, CONSTRAINT l UNIQUE (a) INCLUDE (b)); CREATE TABLE v (a int REFERENCES u (a))', 'CREATE TABLE t (a int, b bigint, CONSTRAINT k UNIQUE (a) INCLUDE (b)); CREATE TABLE u (a int, b bigint, CONSTRAINT l UNIQUE (a) INCLUDE (b)); CREATE TABLE v (a int REFERENCES u (a))');
SELECT test.case('a composite type that only a function has', 'CREATE TYPE c AS (a int); CREATE FUNCTION f(c) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE TYPE c AS (a bigint); CREATE FUNCTION f(c) RETURNS int LANGUAGE sql AS ''SELECT 1''');
SELECT test.case('a new label that is not used', 'CREATE TYPE e AS ENUM (''a''); CREATE TABLE t (e e)', 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE TABLE t (e e DEFAULT ''a'', CHECK (e <> ''a''))');
SELECT test.case('a new label that is', 'CREATE TYPE e AS ENUM (''a''); CREATE TABLE t (e e)', 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE TABLE t (e e, CHECK (e <> ''b''))');
-- both ends of a foreign key, of tables that only their schemas tell apart
CREATE SCHEMA diff_closure;
SET search_path = diff_closure;
CREATE TABLE t (a int PRIMARY KEY);
CREATE SCHEMA diff_closure_b CREATE TABLE t (a int REFERENCES diff_closure.t);
SELECT public.kints_snapshot('{diff_closure,diff_closure_b}') AS there \gset
SELECT replace(:'there', '"integer"', '"bigint"') AS wanted \gset
SELECT test.plan(:'wanted'::jsonb);
BEGIN;
SELECT count(*) FROM public.kints_apply(:'wanted'::jsonb, '{"allow": "all"}');
SELECT test.plan(:'wanted'::jsonb);
ROLLBACK;
RESET search_path;
DROP SCHEMA diff_closure, diff_closure_b CASCADE;
DROP FUNCTION test.closure;
DROP ROLE regress_kints_a, regress_kints_b;
