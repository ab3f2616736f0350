-- Functions and procedures: replaced where that will do, else made anew.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$
	CREATE FUNCTION f(a int, b text DEFAULT 'x', VARIADIC c int[] DEFAULT '{}') RETURNS TABLE (x int, y text)
		LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER PARALLEL SAFE COST 7 ROWS 9 SET search_path = s, pg_temp
		AS $f$ BEGIN RETURN QUERY SELECT 1, 'it''s $1'; END $f$;
	CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
	COMMENT ON FUNCTION f(int, text, int[]) IS 'f';
	COMMENT ON PROCEDURE p(int) IS 'p'$$);
SELECT test.case('body and properties', $$CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT 2'$$);
SELECT test.case('another result', $$CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'$$);
SELECT test.case('another name of an argument', $$CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT test.case('fewer defaults', $$CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT test.case('more defaults', $$CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT test.case('other arguments are another function', $$CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'$$, $$CREATE FUNCTION f(a text) RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
SELECT test.case('function to procedure', $$CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT 1'$$, $$CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'$$);
SELECT test.case('a body that calls what comes later', '', $$
	CREATE FUNCTION a() RETURNS int LANGUAGE sql AS 'SELECT b()';
	CREATE FUNCTION b() RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM t';
	CREATE TABLE t (a int)$$);
SELECT test.case('new-style bodies', '', $$
	CREATE TABLE t (a int);
	CREATE FUNCTION b() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM t; END;
	CREATE FUNCTION a() RETURNS bigint RETURN b() + 1$$);
SELECT test.case('a new result under a default, a check, an index and a view', $$
	CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
	CREATE TABLE t (a int DEFAULT f(1), CHECK (f(a) > 0));
	CREATE INDEX t_f ON t (f(a));
	CREATE VIEW v AS SELECT f(a) AS f FROM t$$, $$
	CREATE FUNCTION f(int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint';
	CREATE TABLE t (a int DEFAULT f(1), CHECK (f(a) > 0));
	CREATE INDEX t_f ON t (f(a));
	CREATE VIEW v AS SELECT f(a) AS f FROM t$$);
SELECT test.case('aggregates and window functions', '', $$
	CREATE FUNCTION add(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 + $2';
	CREATE AGGREGATE total(int) (SFUNC = add, STYPE = int, INITCOND = '0', PARALLEL = SAFE);
	COMMENT ON AGGREGATE total(int) IS 't'$$);
SELECT test.case('another aggregate', $$CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)$$, $$CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '5')$$);
SELECT test.case('drop', $$CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)$$, '');
SELECT test.case('dollars and quotes in the body', '', $$CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT $function$a$function$ || ''b''''c'' || E''\\n'''$$);
