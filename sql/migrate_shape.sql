-- A snapshot whose texts are more than definitions: nothing of it runs.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ms;
CREATE TABLE public.ms_victim (a int);
CREATE TABLE ms.t (a int DEFAULT 1, b int, CHECK (a > 0));
CREATE INDEX i ON ms.t (a);
CREATE VIEW ms.v AS SELECT 1 AS x;
CREATE FUNCTION ms.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT kints_snapshot('{ms}')::text AS kept \gset
CREATE FUNCTION pg_temp.try(kept text, was text, becomes text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF strpos(kept, was) = 0 THEN
		RETURN 'the snapshot has no such text';
	END IF;
	RETURN test.fails(format('SELECT * FROM kints_apply(%L::jsonb, ''{"schemas": ["ms"], "allow": ["drop_view"]}'')', replace(kept, was, becomes)));
END $$;
DROP SCHEMA ms CASCADE;
CREATE SCHEMA ms;
-- more than one statement
SELECT pg_temp.try(:'kept', 'SELECT 1 AS x', 'SELECT 1 AS x; DROP TABLE public.ms_victim; --');
-- one, but another one
SELECT pg_temp.try(:'kept', 'CREATE INDEX i ON ms.t USING btree (a)', 'DROP TABLE public.ms_victim');
SELECT pg_temp.try(:'kept', 'CREATE INDEX i ON ms.t USING btree (a)', 'DO ''BEGIN DROP TABLE public.ms_victim; END''');
CREATE TABLE ms.t (a int, b int);
CREATE VIEW ms.v AS SELECT 1 AS x;
SELECT pg_temp.try(:'kept', '"expression": "1"', '"expression": "1, DROP COLUMN b"');
SELECT pg_temp.try(:'kept', 'CHECK ((a > 0))', 'CHECK ((a > 0)), DISABLE ROW LEVEL SECURITY');
-- as it was
SELECT count(*) FROM kints_apply(:'kept'::jsonb, '{"schemas": ["ms"]}');
SELECT count(*) FROM public.ms_victim;
DROP TABLE public.ms_victim;
DROP SCHEMA ms CASCADE;
