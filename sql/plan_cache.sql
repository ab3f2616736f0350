-- The plan that a session keeps is given again only where nothing has changed, and to nobody else.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_kints_cache;
GRANT USAGE ON SCHEMA test TO regress_kints_cache;
CREATE SCHEMA pc;
SET search_path = pc, public;
CREATE TABLE t (a int);
SELECT test.plan('CREATE TABLE t (a int, b int)');
SELECT test.plan('CREATE TABLE t (a int, b int)');
SET ROLE regress_kints_cache;
SELECT test.plan_fails('CREATE TABLE pc.t (a int, b int)');
SELECT test.plan_fails('CREATE TABLE t (a int, b int)');
RESET ROLE;
ALTER TABLE t ADD c int;
SELECT test.plan('CREATE TABLE t (a int, b int)');
COMMENT ON COLUMN t.c IS 'c';
SELECT test.plan('CREATE TABLE t (a int, b int, c int)');
SELECT test.plan('CREATE TABLE t (a int, b int, c int)', '{"ignore": ["pc.t.b"]}');
ALTER SCHEMA pc OWNER TO regress_kints_cache;
ALTER TABLE t OWNER TO regress_kints_cache;
SET ROLE regress_kints_cache;
SELECT test.plan('CREATE TABLE pc.t (a int, b int, c int)');
RESET ROLE;
ALTER SCHEMA pc OWNER TO CURRENT_USER;
SET ROLE regress_kints_cache;
SELECT test.plan_fails('CREATE TABLE pc.t (a int, b int, c int)');
RESET ROLE;
REVOKE USAGE ON SCHEMA test FROM regress_kints_cache;
-- one that is too big is made again each time
SELECT format('CREATE TABLE pc.t (); COMMENT ON TABLE pc.t IS %L', repeat('x', 17000000)) AS big \gset
SELECT count(*), max(length(sql)) FROM kints_plan(:'big');
SELECT count(*), max(length(sql)) FROM kints_plan(:'big');
DROP SCHEMA pc CASCADE;
DROP ROLE regress_kints_cache;
