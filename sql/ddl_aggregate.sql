-- Aggregates: all clauses, made anew where anything of them changes.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('create', '', $$CREATE FUNCTION "two f"(text, int, text) RETURNS text LANGUAGE sql AS 'SELECT $3'; CREATE FUNCTION add(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 + $2'; CREATE AGGREGATE total(int) (SFUNC = add, STYPE = int, SSPACE = 16, FINALFUNC = int4abs, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = add, INITCOND = '0', PARALLEL = SAFE);
	CREATE AGGREGATE largest(int) (SFUNC = int4larger, STYPE = int, SORTOP = >); CREATE AGGREGATE counted(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0'); CREATE AGGREGATE "Two"(int, text) (SFUNC = "two f", STYPE = text);
	 COMMENT ON AGGREGATE total(int) IS 't'; COMMENT ON AGGREGATE counted(*) IS 'n'$$);
SELECT test.case('moving', '', $$CREATE AGGREGATE moving(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MSSPACE = 8, MFINALFUNC = int4abs, MINITCOND = '0', INITCOND = '0')$$);
SELECT test.case('another start, under a view', 'CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int); CREATE VIEW v AS SELECT total(x) FROM (VALUES (1)) AS t (x); COMMENT ON AGGREGATE total(int) IS ''kept''', 'CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = ''1''); CREATE VIEW v AS SELECT total(x) FROM (VALUES (1)) AS t (x); COMMENT ON AGGREGATE total(int) IS ''kept''');
SELECT test.case('drop', 'CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int); CREATE AGGREGATE total(bigint) (SFUNC = int8pl, STYPE = int8)', 'CREATE AGGREGATE total(bigint) (SFUNC = int8pl, STYPE = int8)');
SELECT test.case('comment', 'CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int); COMMENT ON AGGREGATE total(int) IS ''x''', 'CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)');
SELECT test.case('all that an aggregate can say', '', 'CREATE FUNCTION f(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1 + $2''; CREATE FUNCTION g(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1''; CREATE AGGREGATE ag(int) (SFUNC = f, STYPE = int, FINALFUNC = g, FINALFUNC_EXTRA, FINALFUNC_MODIFY = SHAREABLE, MSFUNC = f, MINVFUNC = f, MSTYPE = int, MSSPACE = 10, MFINALFUNC = g, MFINALFUNC_EXTRA, MFINALFUNC_MODIFY = READ_WRITE, MINITCOND = ''0'', INITCOND = ''1'')');
