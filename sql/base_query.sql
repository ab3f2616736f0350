-- One statement through SPI: parameters of any content and null ones, rows in order, inside of other queries, after errors.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA base_query;
SET search_path = base_query, public;
BEGIN;
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int)', '{"name": "it''s $1; \"--\\ %s"}');
SELECT count(*) FROM kints_apply('CREATE TABLE t (a int, b text DEFAULT ''$1 %s'')');
-- what went in as $n comes out the same, and NULL is not the text
SELECT name, name IS NULL, state, steps, checksum_ok FROM kints_status() LIMIT 2;
SELECT name, plan #>> '{0,sql}' FROM kints.schema_migrations ORDER BY version DESC LIMIT 2;

-- from a function that is in a query itself: the rows of both are right
CREATE FUNCTION pg_temp.nested(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := '';
	r record;
BEGIN
	FOR r IN SELECT s.steps, s.state FROM public.kints_status() AS s LIMIT 2 LOOP
		result := result || r.steps || r.state || (SELECT count(*) FROM public.kints_apply(format('CREATE TABLE t (a int, b%s int)', n), '{"allow": "all"}')) || ' ';
	END LOOP;
	RETURN result;
END
$$;
SELECT n, pg_temp.nested(n) FROM generate_series(1, 2) AS n;

-- after an error in a statement that it ran, the next one runs
INSERT INTO t VALUES (1);
SELECT test.fails('SELECT * FROM kints_apply(''CREATE TABLE t (a int, b2 int, c int NOT NULL)'')');
SELECT sql FROM kints_apply('CREATE TABLE t (a int, b2 int, c int)');
ROLLBACK;
DROP SCHEMA base_query;
