-- Composite types: attributes added, dropped, altered.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$CREATE TYPE c AS (a int, "B" text COLLATE "C", d numeric(5, 2)[]); COMMENT ON TYPE c IS 'c'; COMMENT ON COLUMN c.a IS 'a'$$);
SELECT test.case('empty', '', 'CREATE TYPE c AS ()');
SELECT test.case('drop', 'CREATE TYPE c AS (a int)', '');
SELECT test.case('add and drop', 'CREATE TYPE c AS (a int, b int)', 'CREATE TYPE c AS (b int, d int)');
SELECT test.case('add and drop under a column', 'CREATE TYPE c AS (a int, b int); CREATE TABLE t (c c)', 'CREATE TYPE c AS (b int, d int); CREATE TABLE t (c c)');
SELECT test.case('another type', 'CREATE TYPE c AS (a int)', 'CREATE TYPE c AS (a bigint)');
SELECT test.case('another type under a column', 'CREATE TYPE c AS (a int, b text); CREATE TABLE t (c c); INSERT INTO t VALUES ((1, 2))', 'CREATE TYPE c AS (a bigint, b text); CREATE TABLE t (c c)');
SELECT test.case('another type under a default', 'CREATE TYPE c AS (a int); CREATE PROCEDURE p(x c DEFAULT NULL) LANGUAGE plpgsql AS ''BEGIN END''',
	'CREATE TYPE c AS (a text); CREATE PROCEDURE p(x c DEFAULT NULL) LANGUAGE plpgsql AS ''BEGIN END''');
SELECT test.case('another type in one of another, under a column', 'CREATE TYPE c AS (a int); CREATE TYPE d AS (c c); CREATE TABLE t (d d[])',
	'CREATE TYPE c AS (a text); CREATE TYPE d AS (c c); CREATE TABLE t (d d[])');
SELECT test.case('of an enum that loses a label, under a column', $$CREATE TYPE e AS ENUM ('a', 'b'); CREATE TYPE c AS (e e); CREATE TABLE t (c c, e e)$$,
	$$CREATE TYPE e AS ENUM ('b'); CREATE TYPE c AS (e e); CREATE TABLE t (c c, e e)$$);
SELECT test.case('another order', 'CREATE TYPE c AS (a int, b int)', 'CREATE TYPE c AS (b int, a int)');
SELECT test.case('one in another, under a function', 'CREATE TYPE c AS (a int); CREATE TYPE d AS (c c); CREATE FUNCTION f() RETURNS SETOF d LANGUAGE sql AS ''SELECT NULL::d''',
	'CREATE TYPE c AS (a bigint); CREATE TYPE d AS (c c); CREATE FUNCTION f() RETURNS SETOF d LANGUAGE sql AS ''SELECT NULL::d''');
SELECT test.case('comments', $$CREATE TYPE c AS (a int, b int); COMMENT ON COLUMN c.a IS 'x'$$, $$CREATE TYPE c AS (a int, b int); COMMENT ON COLUMN c.b IS 'y'$$);
SELECT test.case('of a typed table: comments', 'CREATE TYPE c AS (a int); CREATE TABLE t OF c', $$CREATE TYPE c AS (a int); CREATE TABLE t OF c; COMMENT ON COLUMN c.a IS 'a'$$);
SELECT test.case('of a typed table', 'CREATE TYPE c AS (a int, b int); CREATE TABLE t OF c', 'CREATE TYPE c AS (a bigint, b int); CREATE TABLE t OF c');
SELECT test.case('of a typed table: one more', 'CREATE TYPE c AS (a int); CREATE TABLE t OF c', 'CREATE TYPE c AS (a int, b int); CREATE TABLE t OF c');
SELECT test.case('of a table that no longer is typed', 'CREATE TYPE c AS (a int); CREATE TABLE t OF c', 'CREATE TYPE c AS (a bigint, b int); CREATE TABLE t (a bigint, b int)');
SELECT test.case('a table of another type', 'CREATE TYPE c AS (a int); CREATE TABLE t OF c', 'CREATE TYPE d AS (a bigint); CREATE TABLE t OF d');
SELECT test.case('of a typed table: values that may not fit', 'CREATE TYPE c AS (a numeric(9,4), "b c" text); CREATE TABLE t OF c', 'CREATE TYPE c AS (a numeric(9,1), "b c" varchar(3)); CREATE TABLE t OF c');
