-- The elaboration in a scratch database: whose rights it has, what it finds there, what it leaves.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
SET kints.elaborate_in = 'database';
CREATE ROLE "dd owner$$; --'" NOLOGIN CONNECTION LIMIT 0;
CREATE ROLE dd_other NOLOGIN;
CREATE SCHEMA dd_app AUTHORIZATION "dd owner$$; --'";
CREATE SCHEMA dd_lib AUTHORIZATION dd_other;
CREATE EXTENSION hstore SCHEMA dd_lib;
CREATE FUNCTION dd_app.hold() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE dd_app.t (a int PRIMARY KEY);
ALTER TABLE dd_app.t OWNER TO "dd owner$$; --'";
ALTER FUNCTION dd_app.hold() OWNER TO "dd owner$$; --'";
CREATE TABLE dd_lib.l (a int PRIMARY KEY);
CREATE TABLE dd_lib.m (a int REFERENCES dd_app.t, b dd_lib.hstore);
CREATE VIEW dd_lib.v AS SELECT a FROM dd_app.t;
GRANT USAGE ON SCHEMA dd_lib TO "dd owner$$; --'";
GRANT REFERENCES ON dd_lib.l TO "dd owner$$; --'";
GRANT USAGE ON SCHEMA test TO "dd owner$$; --'";
CREATE TABLE dd_before AS SELECT count(*) FROM pg_database;

-- a role that may not log in, nor make a schema; other schemas are there, but for what needs the planned one
SET ROLE "dd owner$$; --'";
SELECT test.plan('
	CREATE TABLE dd_app.t (a int PRIMARY KEY, b int REFERENCES dd_lib.l, h dd_lib.hstore);
	CREATE INDEX t_h ON dd_app.t USING gin (h dd_lib.gin_hstore_ops);
	CREATE FUNCTION dd_app.hold() RETURNS int LANGUAGE sql AS ''SELECT 1''');
SELECT test.plan_fails('CREATE SCHEMA dd_new; CREATE TABLE dd_new.t (a int)');
SELECT test.plan_fails('CREATE TABLE dd_app.t (a dd_lib.m, b dd_lib.nosuch)');
SELECT test.plan_fails('CREATE TABLE dd_lib.l (a int)');

-- what runs in it has the caller's rights, and cannot get rid of them
CREATE TABLE dd_app.made (a int);
DROP TABLE dd_app.made;
CREATE FUNCTION dd_app.rights(statement text) RETURNS text LANGUAGE sql AS $$
	SELECT public.kints_plan_format(format('
		CREATE FUNCTION dd_app.hold() RETURNS int LANGUAGE plpgsql AS %L;
		CREATE TABLE dd_app.p (a int) PARTITION BY LIST (a);
		CREATE TABLE dd_app.q PARTITION OF dd_app.p FOR VALUES IN (dd_app.hold())',
		'BEGIN ' || statement || '; RETURN 1; END'))
$$;
SELECT test.fails('SELECT dd_app.rights(''RESET ROLE'')');
SELECT test.fails('SELECT dd_app.rights(''RESET SESSION AUTHORIZATION'')');
SELECT test.fails('SELECT dd_app.rights(''SET SESSION AUTHORIZATION DEFAULT'')');
SELECT test.fails('SELECT dd_app.rights(''SET ROLE NONE'')');
SELECT test.fails('SELECT dd_app.rights(''SET ROLE dd_other'')');
SELECT test.fails('SELECT dd_app.rights(''RESET ALL; CREATE ROLE dd_evil SUPERUSER'')');
SELECT test.fails('SELECT dd_app.rights(''SET session_replication_role = replica'')');
SELECT test.fails('SELECT dd_app.rights(''PERFORM pg_read_file(''''PG_VERSION'''')'')');
SELECT test.fails('SELECT dd_app.rights(''RAISE EXCEPTION ''''%'''', current_user'')');
DROP FUNCTION dd_app.rights(text);
RESET ROLE;

-- the caller's settings decide what a text means, nobody else's do
CREATE FUNCTION dd_both(desired text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	here text;
	there text;
BEGIN
	PERFORM set_config('kints.elaborate_in', 'schema', true);
	here := public.kints_plan_format(desired, 'sql');
	PERFORM set_config('kints.elaborate_in', 'database', true);
	there := public.kints_plan_format(desired, 'sql');
	RETURN CASE WHEN here = there THEN here ELSE 'DIFFERENT: ' || here || E'\n' || there END;
END
$$;
BEGIN;
SET DateStyle = 'German, DMY';
SET IntervalStyle = sql_standard;
SET TimeZone = 'Asia/Kathmandu';
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET search_path = dd_app, public, dd_lib;
SELECT dd_both($$CREATE TABLE t (a int PRIMARY KEY, d date DEFAULT '01.02.2003', z timestamptz DEFAULT '01.02.2003 04:05',
	i interval DEFAULT '1-2', s text DEFAULT 'a\tb', h hstore);
	CREATE FUNCTION hold() RETURNS int LANGUAGE sql AS 'SELECT 1'$$);
COMMIT;
ALTER DATABASE :DBNAME SET default_transaction_read_only = on;
ALTER DATABASE :DBNAME SET search_path = dd_lib;
ALTER ROLE CURRENT_USER SET quote_all_identifiers = on;
ALTER ROLE CURRENT_USER SET lock_timeout = 1;
SELECT dd_both('CREATE TABLE dd_app.t (a int PRIMARY KEY); CREATE FUNCTION dd_app.hold() RETURNS int LANGUAGE sql AS ''SELECT 1''');
ALTER DATABASE :DBNAME RESET default_transaction_read_only;
ALTER DATABASE :DBNAME RESET search_path;
ALTER ROLE CURRENT_USER RESET quote_all_identifiers;
ALTER ROLE CURRENT_USER RESET lock_timeout;

-- no connections allowed to the live database
ALTER DATABASE :DBNAME CONNECTION LIMIT 0;
SELECT dd_both('CREATE TABLE dd_app.t (a int PRIMARY KEY, b int)');
ALTER DATABASE :DBNAME CONNECTION LIMIT -1;

-- names of roles, odd settings, extensions in a planned schema: as the first way has it
SET quote_all_identifiers = on;
SELECT dd_both('CREATE SCHEMA AUTHORIZATION CURRENT_USER; CREATE TABLE dd_app.t (a int PRIMARY KEY, b int)');
RESET quote_all_identifiers;
SELECT dd_both('CREATE TABLE dd_lib.t (h dd_lib.hstore)');

-- an error, and an end of it, leave nothing: the keeper is gone, and what it kept
SELECT test.plan_fails('CREATE TABLE dd_app.t (a nosuch)');
SELECT test.plan_fails('CREATE TABLE dd_app.t (a int); CREATE TABLE dd_app.t (a int)');
DO $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
BEGIN
	WHILE EXISTS (SELECT FROM pg_database WHERE datname ~ '^kints_') OR EXISTS (SELECT FROM pg_stat_activity WHERE backend_type ~ '^kints') LOOP
		IF clock_timestamp() > deadline THEN
			RAISE 'something is left';
		END IF;
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
END
$$;
SELECT count(*) = (SELECT count FROM dd_before) FROM pg_database;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';

RESET kints.elaborate_in;
DROP FUNCTION dd_both(text);
DROP TABLE dd_before;
REVOKE USAGE ON SCHEMA test FROM "dd owner$$; --'";
DROP SCHEMA dd_app, dd_lib CASCADE;
DROP ROLE "dd owner$$; --'", dd_other;
