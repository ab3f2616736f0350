-- Scripts: what may stand in one, what is skipped, what is refused and where.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = notice;
CREATE SCHEMA desired_script;
SET search_path = desired_script, public;

-- nothing
SELECT test.plan('CREATE SCHEMA desired_script');
SELECT test.plan(E'-- a comment\n/* another /* nested */ */ ;;; CREATE SCHEMA desired_script ;');

-- refused, with the line
SELECT '## ' || statement || E'\n' || test.plan_fails(E'CREATE TABLE a (x int);\n-- a comment; with a semicolon\n\n  /* and\nmore */ ' || statement || E';\nCREATE TABLE b (x int)')
FROM unnest(ARRAY[
	'INSERT INTO a VALUES (1)', 'UPDATE a SET x = 1', 'DELETE FROM a', 'TRUNCATE a', 'SELECT 1', 'SELECT f(x) FROM a', 'SELECT set_config(''a.b'', ''c'', false) FROM a',
	'SELECT other.set_config(''a'', ''b'', false)', 'SELECT setval(''q'', 1), 2', 'VALUES (1)', 'TABLE a', 'WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x', 'SELECT 1 INTO b', 'MERGE INTO a USING a AS c ON true WHEN MATCHED THEN DO NOTHING',
	'COPY a FROM stdin', 'copy a (x) TO ''/tmp/x''', 'DO $$BEGIN END$$', 'CALL p()', 'EXECUTE x', 'PREPARE x AS SELECT 1', 'DECLARE c CURSOR FOR SELECT 1',
	'EXPLAIN SELECT 1', 'CREATE ROLE r', 'ALTER ROLE r LOGIN', 'DROP ROLE r', 'GRANT r TO s', 'REASSIGN OWNED BY r TO s', 'DROP OWNED BY r',
	'CREATE DATABASE d', 'ALTER DATABASE d SET x = 1', 'DROP DATABASE d', 'CREATE TABLESPACE t LOCATION ''/x''', 'ALTER SYSTEM SET a = b',
	'CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()', 'CREATE PUBLICATION p', 'CREATE SUBSCRIPTION s CONNECTION ''x'' PUBLICATION p', 'CREATE SERVER s FOREIGN DATA WRAPPER w', 'CREATE FOREIGN TABLE ft (a int) SERVER s',
	'CREATE LANGUAGE l', 'CREATE ACCESS METHOD m TYPE INDEX HANDLER h', 'CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal))', 'CREATE CAST (int AS text) WITH INOUT',
	'VACUUM', 'ANALYZE a', 'CLUSTER', 'REINDEX TABLE a', 'CHECKPOINT', 'LOAD ''x''', 'LOCK a', 'NOTIFY x', 'LISTEN x', 'DISCARD ALL',
	'ROLLBACK', 'SAVEPOINT x', 'RELEASE x', 'ROLLBACK TO x', 'PREPARE TRANSACTION ''x''', 'ALTER EXTENSION citext UPDATE'])
	WITH ORDINALITY AS t (statement, n)
ORDER BY n;

-- skipped: what a dump has besides
SELECT test.plan($x$\restrict abc'def"ghi
--
-- PostgreSQL database dump
--
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET nosuch_setting = on;
SET nosuch.setting = 'x';
SET default_table_access_method = heap;
SELECT pg_catalog.set_config('search_path', '', false);
\connect other
BEGIN;
START TRANSACTION;
CREATE TABLE desired_script.a (x int, y text DEFAULT '\not a command; COPY');
SELECT pg_catalog.setval('desired_script.nosuch', 5, true);
SHOW search_path;
REFRESH MATERIALIZED VIEW desired_script.nosuch;
COMMENT ON EXTENSION citext IS 'x';
COMMENT ON DATABASE nosuch IS 'x';
RESET ALL;
COMMIT;
END;
\unrestrict abc'def"ghi
$x$);

-- a word that only begins like COPY
SELECT test.plan('CREATE TABLE copy (copy int); COMMENT ON TABLE copy IS ''COPY x FROM stdin;''');
SELECT test.plan('copying');

-- the search_path of the script decides, at each place
SELECT test.plan('CREATE TABLE a (x int); SET search_path = public; CREATE TABLE b (x citext); SET search_path TO DEFAULT; CREATE TABLE c (x int)', '{"schemas": ["desired_script", "public"], "ignore": ["public.[!b]*"]}') ~ 'CREATE TABLE public.b';
SELECT test.plan_fails('SET search_path = nosuch; CREATE TABLE b (x int)');

-- CONCURRENTLY
SELECT test.plan('CREATE TABLE a (x int); CREATE INDEX CONCURRENTLY i ON a (x); DROP INDEX CONCURRENTLY i; CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS j ON a (x)');

-- syntax errors say the line
SELECT test.plan_fails(E'CREATE TABLE a (x int);\n\nCREATE TABEL b (x int)');
SELECT test.plan_fails(E'CREATE TABLE a (x int);\nCREATE TABLE b (x int');
SELECT test.plan_fails(E'CREATE TABLE a (x int);\nCREATE TABLE b (x text DEFAULT ''never ends)');
SELECT test.plan_fails(E'\\restrict x\nCREATE TABLE a (x int);\nCREATE TABLE b (x text DEFAULT $a$ never ends)');
SELECT test.plan_fails(E'CREATE TABLE "" (x int)');
SELECT test.plan_fails(E'/* never ends');
SELECT test.plan_fails(E'\\');
SELECT test.plan(E'CREATE SCHEMA desired_script;\\');
SELECT test.plan_fails(NULL);

-- what is wrong with a statement says its line and the statement
SELECT test.plan_fails(E'CREATE TABLE a (x int);\nCREATE TABLE b (x nosuch);\nCREATE TABLE c (x nosuch2)');
SELECT test.plan_fails(E'CREATE TABLE a (x int);\n\nCREATE TABLE a (y int)');
SELECT test.plan_fails(E'CREATE VIEW v AS\n  SELECT x\n  FROM nosuch');
SELECT test.plan_fails(E'CREATE TABLE a (x int, ' || repeat('é', 500) || ' nosuch)');
SELECT test.plan_fails(E'CREATE TABLE a (x int DEFAULT ''x'')');
SELECT test.plan_fails(E'CREATE TABLE a (x int REFERENCES nosuch)');
SELECT test.plan_fails(E'CREATE TABLE public.a (x int)', '{"schemas": ["desired_script"]}');
SELECT test.plan_fails(E'CREATE TABLE nosuch.a (x int)');
-- of SELECT, only what a dump has
SELECT sql, split_part(test.plan_fails(sql), E'\n', 1) FROM unnest(ARRAY['SELECT 1', 'SELECT 1, 2', 'SELECT FROM pg_class', 'SELECT setval(''q'', 1) FROM pg_class', 'SELECT mine.set_config(''search_path'', '''', false)', 'SELECT set_config(''search_path'', lower(''x''), false)', 'SELECT set_config(''search_path'', NULL, false)', 'SELECT set_config(''search_path'', 1, false)', 'SELECT set_config(1, '''', false)']) WITH ORDINALITY AS t (sql, n) ORDER BY n;
SELECT test.plan('SELECT pg_catalog.set_config(''work_mem'', ''1MB'', false); SELECT setval(''nosuch'', 1); SELECT pg_catalog.set_config(''search_path'', ''desired_script'', false); RESET ALL; CREATE TABLE one (a int)');
-- a path that leads nowhere, or is none
SELECT sql, test.plan_fails(sql) FROM unnest(ARRAY['SET search_path = pg_temp, "$user"; CREATE TABLE one (a int)', 'SELECT set_config(''search_path'', ''"'', false); CREATE TABLE one (a int)']) WITH ORDINALITY AS t (sql, n) ORDER BY n;
-- what CREATE SCHEMA has in it, in front of the path
SELECT test.plan('SET search_path = public; CREATE SCHEMA desired_new CREATE TABLE a (x int) CREATE VIEW v AS SELECT x FROM a GRANT SELECT ON v TO PUBLIC');
SET client_min_messages = warning;
DROP SCHEMA desired_script CASCADE;
