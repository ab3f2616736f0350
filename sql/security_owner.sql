-- Whose rights it takes: of a schema's owner, of others, of members of the owning role, of roles that cannot log in.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_kints_owner;
CREATE ROLE regress_kints_member LOGIN IN ROLE regress_kints_owner;
CREATE ROLE regress_kints_other;
CREATE ROLE regress_kints_reader;
CREATE SCHEMA so AUTHORIZATION regress_kints_owner;
CREATE SCHEMA so_other AUTHORIZATION regress_kints_other;
GRANT USAGE ON SCHEMA so TO regress_kints_reader;
GRANT USAGE, CREATE ON SCHEMA so TO regress_kints_other;
GRANT USAGE ON SCHEMA test TO PUBLIC;
CREATE FUNCTION test.both(desired text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	one text; two text;
BEGIN
	SET LOCAL kints.elaborate_in = 'schema';
	one := test.fails(format('SELECT * FROM public.kints_plan(%L::text, %L)', desired, options));
	IF one = 'does not fail' THEN one := test.plan(desired, options); END IF;
	SET LOCAL kints.elaborate_in = 'database';
	two := test.fails(format('SELECT * FROM public.kints_plan(%L::text, %L)', desired, options));
	IF two = 'does not fail' THEN two := test.plan(desired, options); END IF;
	RETURN CASE WHEN one = two THEN one ELSE E'-- schema\n' || one || E'\n-- database\n' || two END;
END
$$;
-- the owner, who has no other right and cannot log in
SET ROLE regress_kints_owner;
SET search_path = so, public;
\set wanted '''CREATE TYPE e AS ENUM (''''a''''); CREATE TABLE t (a int PRIMARY KEY, e e, c citext); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''''SELECT 1''''; CREATE MATERIALIZED VIEW m AS SELECT f() AS x'''
SELECT test.both(:wanted);
SELECT count(*) FROM kints_apply(:wanted);
SELECT test.both(:wanted);
SELECT c.relname, c.relowner::regrole FROM pg_class c WHERE relnamespace = 'so'::regnamespace ORDER BY 1;
SELECT applied_by, state, drifted, checksum_ok FROM kints_status() LIMIT 1;
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT count(*) FROM kints_apply(:wanted);
SELECT test.plan(kints_snapshot('{so}'));
SELECT kints_plan_format('{"models": [{"table": "t", "fields": [{"name": "a", "type": "int32", "tags": "primary_key"}]}]}'::jsonb, 'sql') ~ 'DROP VIEW';
SELECT test.plan('CREATE TABLE so.t (a int PRIMARY KEY)', '{"ignore": ["so.*"]}');
-- foreign keys out of the schema: into one that the owner may refer to, and one not
RESET ROLE;
CREATE TABLE so_other.r (a int PRIMARY KEY);
ALTER TABLE so_other.r OWNER TO regress_kints_other;
SET ROLE regress_kints_owner;
SELECT test.both('CREATE TABLE x (a int REFERENCES so_other.r)');
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE x (a int REFERENCES so_other.r)', '{"allow": "all"}')$$);
RESET ROLE;
GRANT USAGE ON SCHEMA so_other TO regress_kints_owner;
GRANT REFERENCES ON so_other.r TO regress_kints_owner;
SET ROLE regress_kints_owner;
SELECT test.both('CREATE TABLE x (a int REFERENCES so_other.r)');
-- what a superuser must do
SELECT test.both('CREATE EXTENSION pg_stat_statements');
SELECT test.both('CREATE FUNCTION f() RETURNS int LANGUAGE c AS ''$libdir/kints_norm'', ''nosuch''');
SELECT test.both('CREATE FUNCTION f() RETURNS int LANGUAGE internal AS ''now''');
SELECT test.both('CREATE TABLE t (a int); ALTER TABLE t OWNER TO regress_kints_other');
SELECT test.both('CREATE FUNCTION f() RETURNS int LANGUAGE sql LEAKPROOF AS ''SELECT 1''');
SELECT test.both('CREATE SCHEMA so_new; CREATE TABLE so_new.t (a int)');
SELECT test.fails($$SELECT * FROM kints_apply('CREATE SCHEMA so_new; CREATE TABLE so_new.t (a int)')$$);
SELECT test.both('CREATE TABLE so_other.t (a int)');
SELECT test.both('CREATE TABLE t (a int)', '{"schemas": ["so", "so_other"]}');
SELECT test.both('CREATE TABLE t (a int)', '{"schemas": "*"}');
SELECT test.fails($$SELECT * FROM kints_plan('{"schema": "so_other", "as": "so"}'::jsonb)$$);
SELECT test.fails($$SELECT * FROM kints_plan('{"schema": "so", "as": "so_other"}'::jsonb)$$);
-- the ledger is nobody's to read or write
SELECT test.fails('TABLE kints.schema_migrations');
SELECT test.fails('DELETE FROM kints.schema_migrations');
SELECT test.fails('SELECT nextval(''kints.schema_migrations_version_seq'')');
SELECT test.fails('CREATE TABLE kints.t (a int)');
RESET ROLE;
-- a member of the owning role
SET ROLE regress_kints_member;
SELECT test.both('CREATE TABLE t (a int PRIMARY KEY)', '{"ignore": ["so.[!t]*", "so.?"]}');
SELECT sql FROM kints_apply('CREATE TABLE so.t (a int PRIMARY KEY, b int)', '{"allow": "all"}');
SELECT applied_by FROM kints_status() LIMIT 1;
-- one who may create there, and one who may look
SET ROLE regress_kints_other;
SELECT test.both('CREATE TABLE so.u (a int)');
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE so.u (a int)')$$);
SELECT test.fails($$SELECT * FROM kints_rollback(1, '{"allow": "all"}')$$);
SET ROLE regress_kints_reader;
SELECT test.both('CREATE TABLE so.u (a int)');
SELECT test.fails($$SELECT * FROM kints_plan(kints_snapshot('{so}'))$$);
SELECT test.fails($$SELECT * FROM kints_apply(jsonb_set(kints_snapshot('{so}'), '{objects}', '[]'), '{"allow": "all"}')$$);
SELECT kints_fingerprint('{so}') ~ '^[0-9a-f]{64}$';
-- owns the schema, but not the table in it
RESET ROLE;
CREATE TABLE so.alien (a int);
SET ROLE regress_kints_owner;
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE so.t (a int PRIMARY KEY, b int); CREATE TABLE so.alien (a int, b int)', '{"allow": "all"}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE so.t (a int PRIMARY KEY, b int)', '{"allow": "all"}')$$);
-- who applies it owns what is made, where nobody is named
RESET ROLE;
SELECT sql FROM kints_apply('CREATE TABLE so.t (a int PRIMARY KEY, b int); CREATE TABLE so.u (a int)', '{"allow": "all"}');
SELECT tableowner FROM pg_tables WHERE schemaname = 'so' ORDER BY tablename;
-- no database, no worker and no setting is left
SELECT count(*) FROM pg_database WHERE datname ~ '^kints_scratch';
SELECT current_setting('kints.elaborate_in');
DROP FUNCTION test.both;
DROP SCHEMA so, so_other CASCADE;
REVOKE USAGE ON SCHEMA test FROM PUBLIC;
DROP ROLE regress_kints_member, regress_kints_owner, regress_kints_other, regress_kints_reader;
