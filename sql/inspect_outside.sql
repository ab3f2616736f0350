-- What is in no schema is named: what uses a planned schema, and for a whole database everything.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_inspect_outside;
CREATE SCHEMA inspect_outside;
CREATE SCHEMA inspect_outside_2;
SET search_path = inspect_outside, public;
CREATE TYPE e AS ENUM ('a');
CREATE TYPE r AS RANGE (SUBTYPE = int);
CREATE TABLE t (a int, b e);
CREATE FUNCTION f(e) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION inspect_outside_2.g() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE inspect_outside_2.t (a int);
CREATE FUNCTION pg_temp.named(schemas text, ignore text DEFAULT '[]') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', severity, lock, phase, object, hazards)
	FROM public.kints_plan(public.kints_snapshot(nullif(string_to_array(schemas, ' '), '{*}')), jsonb_build_object('schemas', to_jsonb(string_to_array(schemas, ' ')), 'ignore', ignore::jsonb) || CASE schemas WHEN '*' THEN '{"schemas": "*"}' ELSE '{}' END::jsonb) ORDER BY step
$$;
-- nothing at first: neither what initdb made, nor what extensions brought
SELECT pg_temp.named('*');
SELECT kints_fingerprint('{inspect_outside,inspect_outside_2}') AS before \gset
-- casts
CREATE CAST (e AS int) WITH FUNCTION f(e);
CREATE CAST (text AS e) WITH INOUT AS ASSIGNMENT;
CREATE CAST (date AS int) WITH INOUT;
SELECT pg_temp.named('inspect_outside');
SELECT pg_temp.named('inspect_outside', '["(inspect_outside.e *"]');
SELECT pg_temp.named('inspect_outside_2');
-- publications: of a table, of a schema, of everything, of nothing; not of others
SET client_min_messages = error;
CREATE PUBLICATION inspect_outside_t FOR TABLE t;
CREATE PUBLICATION "inspect_outside S" FOR TABLES IN SCHEMA inspect_outside;
CREATE PUBLICATION inspect_outside_all FOR ALL TABLES;
CREATE PUBLICATION inspect_outside_none;
SET client_min_messages = warning;
SELECT pg_temp.named('inspect_outside', '["(*"]');
SELECT pg_temp.named('inspect_outside_2');
SELECT pg_temp.named('inspect_outside_2 inspect_outside', '["(*"]');
-- event triggers, by the schema of their function
CREATE EVENT TRIGGER inspect_outside ON sql_drop WHEN TAG IN ('DROP STATISTICS') EXECUTE FUNCTION inspect_outside_2.g();
SELECT pg_temp.named('inspect_outside', '["(*"]');
SELECT pg_temp.named('inspect_outside_2');
-- privileges of what will be created, by whomever
ALTER DEFAULT PRIVILEGES FOR ROLE regress_inspect_outside GRANT SELECT ON TABLES TO PUBLIC;
SELECT pg_temp.named('inspect_outside', '["(*", "*inspect_outside_t", "*all*"]');
SELECT pg_temp.named('inspect_outside_2');
-- the others
CREATE FOREIGN DATA WRAPPER inspect_outside;
CREATE SERVER "inspect_outside S" FOREIGN DATA WRAPPER inspect_outside OPTIONS (host 'secret');
CREATE USER MAPPING FOR PUBLIC SERVER "inspect_outside S" OPTIONS (password 'secret');
CREATE USER MAPPING FOR regress_inspect_outside SERVER "inspect_outside S" OPTIONS (password 'secret');
CREATE LANGUAGE inspect_outside HANDLER plpgsql_call_handler;
CREATE TRANSFORM FOR e LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
CREATE ACCESS METHOD inspect_outside TYPE INDEX HANDLER bthandler;
SET client_min_messages = error;
CREATE SUBSCRIPTION inspect_outside CONNECTION 'dbname=secret' PUBLICATION p WITH (connect = false, slot_name = NONE);
SET client_min_messages = warning;
SELECT pg_temp.named('inspect_outside', '["(*", "*inspect_outside_t", "*all*"]');
SELECT pg_temp.named('*');
-- no part of a schema as a value: neither applying nor rolling back minds them
SELECT kints_fingerprint('{inspect_outside,inspect_outside_2}') = :'before';
SET client_min_messages = notice;
SELECT sql FROM kints_apply('CREATE TABLE inspect_outside.u (a int)', '{"schemas": "inspect_outside", "allow": "all", "ignore": ["*.e", "*.r", "*.f(*", "(*"]}');
SET client_min_messages = warning;
SELECT kind, object FROM kints_plan('CREATE TABLE inspect_outside.u (a int)', '{"schemas": "inspect_outside", "ignore": ["*.e", "*.r", "*.f(*", "(*"]}') ORDER BY step;
SELECT count(*) > 0 FROM kints_rollback(1, '{"allow": "all"}');
SELECT kints_fingerprint('{inspect_outside,inspect_outside_2}') = :'before';
-- a function that an event trigger calls cannot go
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE inspect_outside_2.t (a int)', '{"schemas": "inspect_outside_2", "allow": "all"}')$$);
-- those of one schema are its own
ALTER DEFAULT PRIVILEGES FOR ROLE regress_inspect_outside IN SCHEMA inspect_outside_2 GRANT SELECT ON SEQUENCES TO PUBLIC;
SELECT pg_temp.named('inspect_outside_2');
-- to whoever may plan
ALTER SCHEMA inspect_outside OWNER TO regress_inspect_outside;
ALTER TABLE t OWNER TO regress_inspect_outside;
ALTER TYPE e OWNER TO regress_inspect_outside;
ALTER TYPE r OWNER TO regress_inspect_outside;
ALTER FUNCTION f OWNER TO regress_inspect_outside;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_inspect_outside;
SET ROLE regress_inspect_outside;
SELECT kind, object FROM public.kints_plan('CREATE TYPE inspect_outside.e AS ENUM (''a''); CREATE TYPE inspect_outside.r AS RANGE (SUBTYPE = int); CREATE TABLE inspect_outside.t (a int, b inspect_outside.e)', '{"schemas": "inspect_outside"}') ORDER BY step;
RESET ROLE;
REVOKE CREATE ON DATABASE :"DBNAME" FROM regress_inspect_outside;
DROP SUBSCRIPTION inspect_outside;
DROP ACCESS METHOD inspect_outside;
DROP LANGUAGE inspect_outside;
DROP FOREIGN DATA WRAPPER inspect_outside CASCADE;
DROP PUBLICATION inspect_outside_t, "inspect_outside S", inspect_outside_all, inspect_outside_none;
DROP CAST (date AS int);
DROP SCHEMA inspect_outside, inspect_outside_2 CASCADE;
DROP OWNED BY regress_inspect_outside;
DROP ROLE regress_inspect_outside;
SELECT pg_temp.named('*');
