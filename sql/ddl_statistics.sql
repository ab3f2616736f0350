-- Extended statistics.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('create', 'CREATE TABLE t (a int, b int, c text)', 'CREATE TABLE t (a int, b int, c text); CREATE STATISTICS one (ndistinct, mcv) ON a, b, lower(c) FROM t; CREATE STATISTICS "Two" ON (a + b) FROM t; ALTER STATISTICS one SET STATISTICS 7; COMMENT ON STATISTICS one IS ''1''');
SELECT test.case('target and comment', 'CREATE TABLE t (a int, b int); CREATE STATISTICS one ON a, b FROM t; ALTER STATISTICS one SET STATISTICS 7', 'CREATE TABLE t (a int, b int); CREATE STATISTICS one ON a, b FROM t; COMMENT ON STATISTICS one IS ''1''');
SELECT test.case('other columns', 'CREATE TABLE t (a int, b int, c int); CREATE STATISTICS one ON a, b FROM t', 'CREATE TABLE t (a int, b int, c int); CREATE STATISTICS one ON a, c FROM t');
SELECT test.case('on a column that gets another type, and one that goes', 'CREATE TABLE t (a int, b int, c int); CREATE STATISTICS one ON a, b FROM t; CREATE STATISTICS two ON b, c FROM t', 'CREATE TABLE t (a bigint, b int); CREATE STATISTICS one ON a, b FROM t');
SELECT test.case('drop', 'CREATE TABLE t (a int, b int); CREATE STATISTICS one ON a, b FROM t', 'CREATE TABLE t (a int, b int)');
