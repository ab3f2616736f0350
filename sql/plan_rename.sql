-- Renames: of all kinds, of what is in what is renamed, again, and wrong ones.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA pr;
SET search_path = pr, public;
CREATE TABLE t (a int PRIMARY KEY, b text, CONSTRAINT ck CHECK (a > 0));
CREATE INDEX i ON t (b);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE TYPE e AS ENUM ('x', 'y');
CREATE SEQUENCE q;
INSERT INTO t VALUES (1, 'one');
SELECT kints_fingerprint('{pr}') AS before \gset
\set wanted 'CREATE TABLE "T 2" (aa int, b text, CONSTRAINT "T 2_pkey" PRIMARY KEY (aa), CONSTRAINT ck2 CHECK (aa > 0)); CREATE INDEX i2 ON "T 2" (b); CREATE VIEW v2 AS SELECT aa AS a, b FROM "T 2"; CREATE TYPE e2 AS ENUM (''x'', ''z''); CREATE SEQUENCE q2'
\set renames '{"renames": {"pr.t": "T 2", "pr.t.a": "aa", "pr.t.ck": "ck2", "pr.t.t_pkey": "T 2_pkey", "pr.i": "i2", "pr.v": "v2", "pr.e": "e2", "pr.e.y": "z", "pr.q": "q2"}}'
SELECT test.plan(:'wanted', :'renames');
SELECT count(*) FROM kints_apply(:'wanted', :'renames');
SELECT * FROM "T 2";
-- again: they are done
SELECT test.plan(:'wanted', :'renames');
SELECT test.plan(:'wanted');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT kints_fingerprint('{pr}') = :'before';
-- without saying so: something goes and something else comes
SELECT count(*) > 0 FROM kints_plan(:'wanted') WHERE kind = 'drop_table';
-- a member by the new name of what it is in
SELECT test.plan('CREATE TABLE t2 (aa int PRIMARY KEY, b text, CONSTRAINT ck CHECK (aa > 0))', '{"renames": {"pr.t": "t2", "pr.t2.a": "aa"}, "ignore": ["pr.?"]}');
-- wrong ones
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.nosuch": "x"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.t.nosuch": "x"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.e.x": "y"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.e.nosuch": "x2"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"nosuch.t": "x"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.t": "v"}}');
SELECT test.plan_fails('CREATE TABLE x (a int)', '{"renames": {"pr.t": ""}}');
-- one after the other; said again when that is done, it does nothing
DROP SCHEMA pr CASCADE;
CREATE SCHEMA pr;
CREATE TABLE a (x int, y int);
CREATE TABLE b (z int);
\set wanted 'CREATE TABLE b (y int, w int); CREATE TABLE c (z int)'
\set renames '{"renames": {"pr.a": "b", "pr.b": "c", "pr.a.x": "y", "pr.a.y": "w"}}'
SELECT sql FROM kints_apply(:'wanted', :'renames');
SELECT test.plan(:'wanted', :'renames');
SELECT sql FROM kints_rollback();
-- round in a circle
SELECT test.plan_fails('CREATE TABLE a (z int); CREATE TABLE b (x int)', '{"renames": {"pr.a": "b", "pr.b": "a"}}');
DROP SCHEMA pr CASCADE;
