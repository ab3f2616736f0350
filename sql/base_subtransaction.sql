-- Errors inside: the session goes on, and nothing stays.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA bs;
CREATE TABLE bs.t (a int);
BEGIN;
CREATE TABLE bs.mine (a int);
SELECT test.plan_fails('CREATE TABLE bs.t (a nosuch)');
SELECT test.plan_fails('CREATE VIEW bs.v AS SELECT 1 / 0 AS a; CREATE TABLE bs.t (a int, a int)');
SELECT count(*) FROM kints_plan('CREATE TABLE bs.t (a int); CREATE TABLE bs.mine (a int)');
INSERT INTO bs.mine VALUES (1);
COMMIT;
SELECT * FROM bs.mine;
BEGIN;
SAVEPOINT s;
SELECT kints_plan('CREATE TABLE bs.t (a nosuch)');
ROLLBACK TO s;
SELECT count(*) FROM kints_plan('CREATE TABLE bs.t (a int, b int); CREATE TABLE bs.mine (a int)');
COMMIT;
SELECT count(*) FROM pg_namespace WHERE nspname ~ 'kints_aside';
-- a statement timeout passes through
BEGIN;
SET LOCAL statement_timeout = '1ms';
SELECT kints_plan('CREATE SCHEMA bs_many; ' || (SELECT string_agg(format('CREATE TABLE bs_many.t%s (a int PRIMARY KEY, b text UNIQUE)', n), '; ') FROM generate_series(1, 300) AS n));
ROLLBACK;
SELECT count(*) FROM kints_plan('CREATE TABLE bs.t (a int); CREATE TABLE bs.mine (a int)');
DROP SCHEMA bs CASCADE;
