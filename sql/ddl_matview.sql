-- Materialized views: made anew with their indexes and comments.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$
	CREATE TABLE t (a int, b text);
	CREATE MATERIALIZED VIEW m (x, y) WITH (fillfactor = 60) AS SELECT a, b FROM t WITH NO DATA;
	CREATE UNIQUE INDEX m_x ON m (x);
	COMMENT ON MATERIALIZED VIEW m IS 'm'; COMMENT ON COLUMN m.y IS 'y';
	ALTER MATERIALIZED VIEW m ALTER y SET STORAGE EXTERNAL, ALTER x SET STATISTICS 7;
	ALTER MATERIALIZED VIEW m CLUSTER ON m_x$$);
SELECT test.case('another query', 'CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE INDEX m_a ON m (a); CREATE VIEW v AS SELECT a FROM m',
	'CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t WHERE a > 0; CREATE INDEX m_a ON m (a); CREATE VIEW v AS SELECT a FROM m');
SELECT test.case('options', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a', 'CREATE MATERIALIZED VIEW m WITH (fillfactor = 50) AS SELECT 1 AS a');
SELECT test.case('data or none is no difference', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA');
SELECT test.case('drop', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE INDEX m_a ON m (a)', '');
SELECT test.case('view to materialized view', 'CREATE VIEW m AS SELECT 1 AS a', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a');

-- Settings of columns: each of them comes, changes and goes.
SELECT test.case('column settings', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, ''x''::text AS "B, c", ''y''::text AS d; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET STATISTICS 10; ALTER MATERIALIZED VIEW m ALTER COLUMN "B, c" SET COMPRESSION pglz; ALTER MATERIALIZED VIEW m ALTER COLUMN "B, c" SET (n_distinct = 5)', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, ''x''::text AS "B, c", ''y''::text AS d; ALTER MATERIALIZED VIEW m ALTER COLUMN d SET STATISTICS 20; ALTER MATERIALIZED VIEW m ALTER COLUMN d SET COMPRESSION pglz; ALTER MATERIALIZED VIEW m ALTER COLUMN "B, c" SET (n_distinct = 6, n_distinct_inherited = 7)');
SELECT test.case('column options', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 2 AS b; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET (n_distinct = 6, n_distinct_inherited = 7); ALTER MATERIALIZED VIEW m ALTER COLUMN b SET (n_distinct = -0.5)', 'CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 2 AS b; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET (n_distinct_inherited = 8)');
SELECT test.case('column settings of a new one', '', 'CREATE MATERIALIZED VIEW m AS SELECT ''x''::text AS a, ''x''::text AS b, 1::numeric AS c, ''x''::tsquery AS d; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET STORAGE MAIN; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET COMPRESSION pglz; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET STATISTICS 7; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET (n_distinct = -0.5); ALTER MATERIALIZED VIEW m ALTER COLUMN b SET STORAGE EXTERNAL; ALTER MATERIALIZED VIEW m ALTER COLUMN c SET STORAGE EXTENDED');

-- It is filled again when it was made anew.
CREATE SCHEMA ddl_matview;
SET search_path = ddl_matview, public;
CREATE TABLE t (a int);
INSERT INTO t VALUES (1), (2);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
SELECT sql FROM kints_apply('CREATE TABLE t (a bigint); CREATE MATERIALIZED VIEW m AS SELECT a FROM t', '{"allow": "all"}');
SELECT * FROM m ORDER BY a;
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT * FROM m ORDER BY a;
DROP SCHEMA ddl_matview CASCADE;
