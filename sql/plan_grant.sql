-- Privileges that change: what a REVOKE on the whole takes along is given back.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_pg_a;
SELECT test.case('of a table, less; of its columns, the same', 'CREATE TABLE t (a int, b int); GRANT SELECT, UPDATE ON t TO regress_pg_a; GRANT SELECT (a) ON t TO regress_pg_a; GRANT INSERT (b) ON t TO regress_pg_a',
	'CREATE TABLE t (a int, b int); GRANT UPDATE ON t TO regress_pg_a; GRANT SELECT (a) ON t TO regress_pg_a; GRANT INSERT (b) ON t TO regress_pg_a');
SELECT test.case('of a table, and of some of its columns', 'CREATE TABLE t (a int, b int, c int); GRANT ALL ON t TO regress_pg_a; GRANT ALL (a, b) ON t TO regress_pg_a',
	'CREATE TABLE t (a int, b int, c int); GRANT ALL (a) ON t TO regress_pg_a; GRANT SELECT (c) ON t TO regress_pg_a');
SELECT test.case('of columns alone', 'CREATE TABLE t (a int, b int); GRANT SELECT (a), UPDATE (a) ON t TO regress_pg_a', 'CREATE TABLE t (a int, b int); GRANT SELECT (b), UPDATE (a) ON t TO regress_pg_a');
SELECT test.case('of a view', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b; GRANT SELECT ON v TO regress_pg_a; GRANT SELECT (a) ON v TO regress_pg_a', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b; GRANT SELECT (a) ON v TO regress_pg_a');
SELECT test.case('of a column that goes, and one that comes', 'CREATE TABLE t (a int, b int); GRANT SELECT ON t TO regress_pg_a; GRANT SELECT (b) ON t TO regress_pg_a', 'CREATE TABLE t (a int, c int); GRANT SELECT (a), SELECT (c) ON t TO regress_pg_a');
DROP ROLE regress_pg_a;
