-- Domains: defaults, constraints, what they are based on.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$CREATE DOMAIN d AS text COLLATE "C" DEFAULT 'x' NOT NULL CONSTRAINT short CHECK (length(VALUE) < 9) CHECK (VALUE <> '');
	COMMENT ON DOMAIN d IS 'd'; COMMENT ON CONSTRAINT short ON DOMAIN d IS 's'$$);
SELECT test.case('drop', 'CREATE DOMAIN d AS int', '');
SELECT test.case('default and not null', 'CREATE DOMAIN d AS int DEFAULT 1; CREATE DOMAIN e AS int NOT NULL', 'CREATE DOMAIN d AS int NOT NULL; CREATE DOMAIN e AS int DEFAULT 2');
SELECT test.case('constraints', 'CREATE DOMAIN d AS int CONSTRAINT a CHECK (VALUE > 0) CONSTRAINT b CHECK (VALUE < 9)',
	'CREATE DOMAIN d AS int CONSTRAINT a CHECK (VALUE > 1) CONSTRAINT c CHECK (VALUE <> 5)');
SELECT test.case('not valid', 'CREATE DOMAIN d AS int', 'CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT a CHECK (VALUE > 0) NOT VALID');
SELECT test.case('validated', 'CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID', 'CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0)');
SELECT test.case('another base, under a column', 'CREATE DOMAIN d AS int CHECK (VALUE > 0); CREATE TABLE t (d d, e d[]); INSERT INTO t VALUES (5, NULL)',
	'CREATE DOMAIN d AS bigint CHECK (VALUE > 0); CREATE TABLE t (d d, e d[])');
SELECT test.case('stricter, inside of a row and of an array', 'CREATE DOMAIN d AS int; CREATE DOMAIN e AS int; CREATE TYPE c AS (d d); CREATE TABLE t (c c, e e[])',
	'CREATE DOMAIN d AS int NOT NULL; CREATE DOMAIN e AS int CHECK (VALUE > 0); CREATE TYPE c AS (d d); CREATE TABLE t (c c, e e[])');
SELECT test.case('of a domain', '', 'CREATE DOMAIN d AS int; CREATE DOMAIN e AS d CHECK (VALUE > 3); CREATE TABLE t (e e)');
SELECT test.case('comments', $$CREATE DOMAIN d AS int CONSTRAINT a CHECK (VALUE > 0); COMMENT ON CONSTRAINT a ON DOMAIN d IS 'x'$$,
	$$CREATE DOMAIN d AS int CONSTRAINT a CHECK (VALUE > 0); COMMENT ON DOMAIN d IS 'y'$$);
SELECT test.case('with a function in the check', '', 'CREATE FUNCTION f(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1 > 0''; CREATE DOMAIN d AS int CHECK (f(VALUE))');
SELECT test.case('stricter in a row that a default has', 'CREATE DOMAIN d AS text; CREATE TYPE c AS (d d[]); CREATE PROCEDURE p(a c DEFAULT NULL) LANGUAGE plpgsql AS ''BEGIN END''', 'CREATE DOMAIN d AS text CHECK (length(VALUE) > 0); CREATE TYPE c AS (d d[]); CREATE PROCEDURE p(a c DEFAULT NULL) LANGUAGE plpgsql AS ''BEGIN END''');
