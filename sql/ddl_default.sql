-- Defaults: of columns, of views, of generated columns.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('set, changed, dropped', 'CREATE TABLE t (a int, b int DEFAULT 1, c int DEFAULT 2)', 'CREATE TABLE t (a int DEFAULT 0, b int DEFAULT 3, c int)');
SELECT test.case('of children', 'CREATE TABLE p (a int DEFAULT 1); CREATE TABLE c () INHERITS (p); ALTER TABLE c ALTER a SET DEFAULT 2', 'CREATE TABLE p (a int DEFAULT 5); CREATE TABLE c () INHERITS (p); ALTER TABLE c ALTER a SET DEFAULT 2');
SELECT test.case('of a view', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b; ALTER VIEW v ALTER a SET DEFAULT 5', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b; ALTER VIEW v ALTER b SET DEFAULT 6');
SELECT test.case('generated to default, and a new type', 'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)', 'CREATE TABLE t (a bigint, b bigint DEFAULT 4)');
SELECT test.case('a default and values: gone when it becomes generated', 'CREATE TABLE t (a int, b int DEFAULT 4)', 'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)');
-- values stay where a column stops being generated
CREATE SCHEMA dd;
CREATE TABLE dd.t (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO dd.t VALUES (1), (2);
SELECT sql FROM kints_apply('CREATE TABLE dd.t (a int, b bigint DEFAULT 7)');
INSERT INTO dd.t VALUES (3);
SELECT * FROM dd.t ORDER BY a;
SELECT test.fails('SELECT * FROM kints_rollback()');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT * FROM dd.t ORDER BY a;
DROP SCHEMA dd CASCADE;
