-- Running the steps: the settings they run with, and where one fails.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA mr;
SET search_path = mr, public;
CREATE TABLE t (a int, b text);
INSERT INTO t VALUES (NULL, 'not a number'), (7, '8'), (7, NULL);
SELECT kints_fingerprint('{mr}') AS before \gset
-- the step that fails is named, with what the server says; nothing of the others stays
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int NOT NULL, b text, c int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int, b int, c int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int UNIQUE, b text, c int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int CHECK (a < 5), b text, c int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE u (a int PRIMARY KEY); CREATE TABLE t (a int REFERENCES u, b text, c int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int, b text, c int NOT NULL)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE FUNCTION boom() RETURNS int LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''ZZ999'''' USING MESSAGE = ''''boom''''; END''; CREATE TABLE t (a int, b text, c int DEFAULT boom())')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE t (a int, b text); CREATE MATERIALIZED VIEW m AS SELECT 1 / (a - 7) AS x FROM t')$$);
SELECT :'before' = kints_fingerprint('{mr}');
SELECT * FROM t;
-- settings of the session do not change what the steps mean, and are as they were afterwards
SELECT $x${"models": [{"table": "s", "fields": [
	{"name": "a", "type": "string", "tags": "default:E'back\\\\slash'"}, {"name": "b", "type": "string", "tags": "type:text[],default:ARRAY[NULL]::text[]"}, {"name": "c", "type": "date", "tags": "default:'2020-03-04'"},
	{"name": "d", "type": "duration", "tags": "default:'-1 days +02:00'"}, {"name": "e", "type": "time", "tags": "default:'2020-03-04 05:06:07+08'"}, {"name": "f", "type": "bytes", "tags": "default:decode('00ff', 'hex')"}]}]}$x$ AS models \gset
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET array_nulls = off;
SET DateStyle = 'German, DMY';
SET IntervalStyle = sql_standard;
SET TimeZone = 'Asia/Kathmandu';
SET transform_null_equals = on;
SET xmloption = document;
SET check_function_bodies = on;
SELECT count(*) FROM kints_apply(:'models'::jsonb, '{"allow": "all"}');
SELECT current_setting('standard_conforming_strings'), current_setting('array_nulls'), current_setting('transform_null_equals'), current_setting('xmloption'), current_setting('check_function_bodies'), current_setting('search_path');
RESET ALL;
SET client_min_messages = warning;
SET search_path = mr, public;
INSERT INTO s DEFAULT VALUES;
SELECT * FROM s;
SELECT column_name, column_default FROM information_schema.columns WHERE table_schema = 'mr' AND table_name = 's' ORDER BY ordinal_position;
SELECT kints_plan_format(:'models'::jsonb);
-- the caller's settings reach what a step calls
SET my.own = 'kept';
SELECT count(*) FROM kints_apply('CREATE FUNCTION own() RETURNS text LANGUAGE sql AS ''SELECT current_setting(''''my.own'''')''; CREATE TABLE s (a text DEFAULT own(), b text)', '{"allow": "all"}');
-- the count of one, and of many
SELECT test.fails($$SELECT * FROM kints_apply('CREATE FUNCTION own() RETURNS text LANGUAGE sql AS ''SELECT current_setting(''''my.own'''')''; CREATE TABLE s (a text DEFAULT own())')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE s (b text)')$$);
-- what is left as it is says so
CREATE COLLATION co FROM "C";
SET client_min_messages = notice;
SELECT count(*) FROM kints_apply('CREATE TABLE s (b text)', '{"allow": "all"}');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SET client_min_messages = warning;
DROP SCHEMA mr CASCADE;
