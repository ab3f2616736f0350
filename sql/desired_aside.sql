-- The live schema while a script stands in its place: not touched, its rights and its extensions are carried over.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_desired_aside;
CREATE SCHEMA da;
CREATE SCHEMA da_other;
CREATE EXTENSION hstore SCHEMA da;
CREATE TABLE da.t (a int PRIMARY KEY, h da.hstore);
CREATE VIEW da_other.v AS SELECT a FROM da.t;
COMMENT ON SCHEMA da IS 'kept';
GRANT USAGE ON SCHEMA da TO regress_desired_aside;
CREATE TEMP TABLE kept AS SELECT 'da'::regnamespace::oid AS schema, 'da.t'::regclass::oid AS tab, 'da.hstore'::regtype::oid AS type;
-- nothing is said of rights and comment: they stay; CREATE SCHEMA says that there is no comment; not mentioned, and planned: to be dropped, unless an extension in it stays
SELECT test.plan('CREATE TABLE da.t (a int PRIMARY KEY, h da.hstore)');
SELECT test.plan('CREATE SCHEMA da; CREATE TABLE da.t (a int PRIMARY KEY, h da.hstore)');
SELECT test.plan('CREATE TABLE da_other.u (a int)', '{"schemas": ["da_other"]}');
SELECT step, kind, object FROM kints_plan('CREATE SCHEMA da_new', '{"schemas": ["da", "da_new", "da_other"]}') WHERE kind ~ 'schema' ORDER BY step;
SELECT step, kind, object FROM kints_plan('CREATE EXTENSION IF NOT EXISTS citext; CREATE SCHEMA da_new', '{"schemas": ["da", "da_new", "da_other"]}') WHERE kind ~ 'schema|extension' ORDER BY step;
SELECT test.plan('CREATE SCHEMA public', '{"schemas": ["public"], "ignore": ["public.*"]}');
-- but public is there in any new database
SELECT test.plan('CREATE SCHEMA IF NOT EXISTS public AUTHORIZATION regress_desired_aside', '{"schemas": ["public"], "ignore": ["public.*"]}');

-- a script that states extensions states all of them
SELECT kind, object FROM kints_plan('CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE da.t (a int PRIMARY KEY)') WHERE kind ~ 'extension';

-- whatever the script did, all is what it was, with or without an error; its members are found where they were
SELECT test.plan_fails('CREATE TABLE da.t (a int); CREATE TABLE da.u (a nosuch)');
SELECT schema = 'da'::regnamespace, tab = 'da.t'::regclass, type = 'da.hstore'::regtype FROM kept;
SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'hstore';
SELECT count(*) FROM pg_namespace WHERE nspname ~ '^kints_';
SELECT 'a=>1'::da.hstore, (SELECT count(*) FROM da_other.v);

-- who does not own the schema may not
GRANT USAGE ON SCHEMA test TO regress_desired_aside;
SET ROLE regress_desired_aside;
SELECT test.plan_fails('CREATE TABLE da.t (a int)');
RESET ROLE;
REVOKE USAGE ON SCHEMA test FROM regress_desired_aside;
DROP SCHEMA da, da_other CASCADE;
DROP ROLE regress_desired_aside;
