-- The second way to elaborate: in a database of its own, by background workers.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA dd_x;
CREATE SCHEMA dd_y;
CREATE TABLE dd_y.far (id int PRIMARY KEY);
SET search_path = dd_x, public;
SET kints.elaborate_in = 'database';
CREATE TABLE t (a int);
\set wanted 'CREATE TYPE e AS ENUM (''a''); CREATE TABLE t (a int PRIMARY KEY, e e, c citext, d date DEFAULT ''01.02.2020''); CREATE VIEW v AS SELECT a FROM t; CREATE INDEX i ON t USING gin ((c::text) gin_trgm_ops); CREATE MATERIALIZED VIEW m AS SELECT a FROM t'
SELECT kints_plan_format(:'wanted', 'sql') AS one \gset
SET kints.elaborate_in = 'schema';
SELECT kints_plan_format(:'wanted', 'sql') = :'one';
SET kints.elaborate_in = 'database';
SELECT sql FROM kints_apply(:'wanted');
SELECT count(*) FROM kints_plan(:'wanted');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
-- settings of the caller decide what the text means there as well
SET DateStyle = 'SQL, DMY';
SELECT kints_plan_format('CREATE TABLE t (a int, d date DEFAULT ''03.02.2020'')', 'sql');
SET DateStyle = 'SQL, MDY';
SELECT kints_plan_format('CREATE TABLE t (a int, d date DEFAULT ''03.02.2020'')', 'sql');
RESET DateStyle;
-- foreign keys to other schemas: chosen by itself, and refused in the other way
RESET kints.elaborate_in;
SELECT test.plan('CREATE TABLE t (a int REFERENCES dd_y.far)');
SET kints.elaborate_in = 'schema';
SELECT test.plan_fails('CREATE TABLE t (a int REFERENCES dd_y.far)');
SET kints.elaborate_in = 'database';
-- errors come back with their line, state and hint; so do notices
SELECT test.plan_fails(E'CREATE TABLE a (x int);\nCREATE TABLE b (x nosuch)');
SELECT test.plan_fails(E'CREATE TABLE a (x int);\nCREATE TABLE a (x int)');
SELECT test.plan_fails(E'CREATE VIEW v AS SELECT * FROM b;\nCREATE TABLE b (x nosuch)');
SELECT test.plan_fails('CREATE EXTENSION nosuch');
SELECT test.plan_fails('INSERT INTO t VALUES (1)');
SELECT test.plan('CREATE VIEW v AS SELECT * FROM t; CREATE TABLE t (a int)');
-- many in one statement, one of them failing; in a transaction that fails
SELECT count(DISTINCT kints_plan_format('CREATE TABLE t (a' || n % 2 || ' int)')) FROM generate_series(1, 4) AS n;
BEGIN;
SELECT count(*) FROM kints_plan('CREATE TABLE t (x int)');
SELECT 1 / 0;
ROLLBACK;
-- no worker is free
SELECT setting::int > 0 FROM pg_settings WHERE name = 'max_worker_processes';
SELECT test.fails('SET kints.elaborate_in = ''nosuch''');
-- nothing is left of any of them
SELECT count(*) FROM pg_database WHERE datname ~ '^kints_';
SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ '^kints';
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
RESET kints.elaborate_in;
DROP SCHEMA dd_x, dd_y CASCADE;
