-- Enums: labels added, renamed, removed, put in another order.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$CREATE TYPE e AS ENUM ('a', 'b c', 'it''s', 'D'); COMMENT ON TYPE e IS 'four'$$);
SELECT test.case('labels that are long', '', $$CREATE TYPE e AS ENUM ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'it''s')$$);
SELECT test.case('without labels', '', 'CREATE TYPE e AS ENUM ()');
SELECT test.case('drop', $$CREATE TYPE e AS ENUM ('a')$$, '');
SELECT test.case('labels before, between and after', $$CREATE TYPE e AS ENUM ('b', 'd')$$, $$CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd', 'e', 'f')$$);
SELECT test.case('a label less', $$CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (e e DEFAULT 'a', f e[]); INSERT INTO t VALUES ('b', '{a,b}')$$,
	$$CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (e e DEFAULT 'a', f e[])$$);
SELECT test.case('another order, under a view, an index and a function', $$
	CREATE TYPE e AS ENUM ('a', 'b');
	CREATE TABLE t (e e NOT NULL DEFAULT 'a' CHECK (e < 'b'));
	CREATE INDEX t_e ON t (e) WHERE e = 'a';
	CREATE VIEW v AS SELECT * FROM t WHERE e = 'a'::e;
	CREATE FUNCTION f(e e) RETURNS e LANGUAGE sql AS 'SELECT $1'$$, $$
	CREATE TYPE e AS ENUM ('b', 'a');
	CREATE TABLE t (e e NOT NULL DEFAULT 'a' CHECK (e < 'b'));
	CREATE INDEX t_e ON t (e) WHERE e = 'a';
	CREATE VIEW v AS SELECT * FROM t WHERE e = 'a'::e;
	CREATE FUNCTION f(e e) RETURNS e LANGUAGE sql AS 'SELECT $1'$$);
SELECT test.case('renamed label', $$CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (e e DEFAULT 'a')$$,
	$$CREATE TYPE e AS ENUM ('x', 'b'); CREATE TABLE t (e e DEFAULT 'x')$$, '{"renames": {"s.e.a": "x"}}');

-- A removed label that a row has: nothing happens.
CREATE SCHEMA ddl_enum;
SET search_path = ddl_enum, public;
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (e e);
INSERT INTO t VALUES ('a'), ('c');
SELECT test.fails($$SELECT * FROM kints_apply($x$CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (e e)$x$, '{"allow": "all"}')$$);
SELECT string_agg(e::text, ',') FROM t;

-- A new label that is used at once, in a type that is committed.
SELECT sql FROM kints_apply($$CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd'); CREATE TABLE t (e e DEFAULT 'd')$$, '{"allow": "all"}');
INSERT INTO t DEFAULT VALUES;
SELECT string_agg(e::text, ',' ORDER BY e) FROM t;
SELECT count(*) FROM kints_plan($$CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd'); CREATE TABLE t (e e DEFAULT 'd')$$);
-- Rolling back would take away a label that a row has by now.
SELECT test.fails($$SELECT * FROM kints_rollback(1, '{"allow": "all"}')$$);
DELETE FROM t WHERE e = 'd';
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT string_agg(e::text, ',' ORDER BY e) FROM t;
DROP SCHEMA ddl_enum CASCADE;
