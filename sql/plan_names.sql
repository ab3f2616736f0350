-- A name is taken when it has been given up.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('of one kind for another', 'CREATE TABLE a (x int); CREATE SEQUENCE b; CREATE TYPE c AS ENUM (''x''); CREATE TABLE q (x int); CREATE INDEX d ON q (x)', 'CREATE SEQUENCE a; CREATE TABLE b (x int); CREATE TABLE c (x int); CREATE TABLE q (x int); CREATE TABLE d (x int)');
SELECT test.case('a view and a materialized view change places', 'CREATE TABLE t (x int); CREATE VIEW v AS SELECT x FROM t; CREATE MATERIALIZED VIEW m AS SELECT x FROM t; CREATE VIEW d AS SELECT v.x FROM v, m', 'CREATE TABLE t (x int); CREATE MATERIALIZED VIEW v AS SELECT x FROM t; CREATE VIEW m AS SELECT x FROM t; CREATE VIEW d AS SELECT v.x FROM v, m');
SELECT test.case('a key for an index', 'CREATE TABLE t (a int, b int, CONSTRAINT k UNIQUE (a)); CREATE UNIQUE INDEX l ON t (b)', 'CREATE TABLE t (a int, b int, CONSTRAINT l UNIQUE (b)); CREATE UNIQUE INDEX k ON t (a)');
