-- The workers in a scratch database: rights and settings of the caller, errors and results by the queue.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET kints.elaborate_in = 'database';
CREATE ROLE regress_desired_worker NOLOGIN;
CREATE SCHEMA dw AUTHORIZATION regress_desired_worker;
GRANT USAGE ON SCHEMA test TO regress_desired_worker;
CREATE FUNCTION test.there(query text) RETURNS text LANGUAGE sql AS $$
	SELECT split_part(test.fails(format('SELECT * FROM public.kints_plan(%L)', format('
		CREATE FUNCTION dw.f() RETURNS int LANGUAGE plpgsql AS %L;
		CREATE TABLE dw.p (a int) PARTITION BY LIST (a);
		CREATE TABLE dw.q PARTITION OF dw.p FOR VALUES IN (dw.f())', format('BEGIN RAISE EXCEPTION ''%%'', (%s); END', query)))), E'\n', 1)
$$;
SET statement_timeout = '100s';
SET ROLE regress_desired_worker;
SELECT test.there('SELECT concat_ws('' '', current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))');
SELECT test.there('SELECT string_agg(current_setting(s), '' '' ORDER BY s) FROM unnest(''{statement_timeout,lock_timeout,synchronous_commit,check_function_bodies,session_replication_role,default_transaction_isolation,row_security}''::text[]) AS s');
SELECT test.there('SELECT set_config(''role'', ''none'', false)');
-- an error as the server says it, its line in the script, and notices
SELECT test.plan_fails(E'CREATE TABLE dw.t (a int);\n\nCREATE TABLE dw.u (a int, CHECK (a))');
SET client_min_messages = notice;
SELECT count(*) FROM kints_plan('CREATE FUNCTION dw.f() RETURNS int LANGUAGE plpgsql AS ''BEGIN RAISE WARNING ''''heard''''; RETURN 1; END''; CREATE TABLE dw.p (a int) PARTITION BY LIST (a); CREATE TABLE dw.q PARTITION OF dw.p FOR VALUES IN (dw.f())');
SET client_min_messages = warning;
-- a great result, and letters that are not ASCII, come through
SELECT count(*), max(length(sql)) FROM kints_plan((SELECT string_agg(format('CREATE TABLE dw.t%s (%s); COMMENT ON TABLE dw.t%1$s IS %L', n, (SELECT string_agg('column_' || c || ' int DEFAULT 12345', ', ') FROM generate_series(1, 50) AS c), 'Übung €'), '; ') FROM generate_series(1, 120) AS n));
SELECT test.plan('CREATE TABLE dw."Übung €" (a text DEFAULT ''ß'')');
RESET ROLE;
REVOKE USAGE ON SCHEMA test FROM regress_desired_worker;
DROP FUNCTION test.there(text);
-- the database goes in the background
DO $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
BEGIN
	WHILE EXISTS (SELECT FROM pg_database WHERE datname ~ '^kints_scratch_') LOOP
		IF clock_timestamp() > deadline THEN
			RAISE 'something is left';
		END IF;
	END LOOP;
END
$$;
DROP SCHEMA dw CASCADE;
DROP ROLE regress_desired_worker;
