-- Indexes.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', 'CREATE TABLE t (a int, b text, c int[])', $$
	CREATE TABLE t (a int, b text, c int[]);
	CREATE INDEX i1 ON t (a DESC NULLS LAST, b COLLATE "C" text_pattern_ops);
	CREATE UNIQUE INDEX i2 ON t (lower(b), (a + 1)) INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor = 50) WHERE a > 0;
	CREATE INDEX i3 ON t USING gin (c) WITH (fastupdate = off);
	CREATE INDEX i4 ON t USING hash (b);
	CREATE INDEX i5 ON t USING brin (a) WITH (pages_per_range = 8);
	COMMENT ON INDEX i1 IS 'one';
	ALTER INDEX i2 ALTER COLUMN 1 SET STATISTICS 77$$);
SELECT test.case('concurrently is noted', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a)');
SELECT test.case('without a name', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int); CREATE INDEX ON t (a)');
SELECT test.case('another definition', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b)');
SELECT test.case('storage parameters', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a) WITH (fillfactor = 50)', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a) WITH (fillfactor = 60)');
SELECT test.case('comment', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a); COMMENT ON INDEX i IS ''x''', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a)');
SELECT test.case('drop', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int)');
SELECT test.case('along with the column', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b)', 'CREATE TABLE t (a int)');
SELECT test.case('kept, of a column that goes', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b)', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a)');
SELECT test.case('to another table', 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE INDEX i ON t (a)', 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE INDEX i ON u (a)');
SELECT test.case('of a partitioned table', '', $$CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX i ON p (b)$$);
SELECT test.case('an operator class of an extension', 'CREATE TABLE t (a text)', 'CREATE TABLE t (a text); CREATE INDEX i ON t USING gin (a gin_trgm_ops); CREATE INDEX j ON t USING gist (a public.gist_trgm_ops (siglen = 32))');
SELECT test.case('statistics', '', $$CREATE TABLE t (a int, b int); CREATE STATISTICS st (ndistinct, dependencies) ON a, b FROM t; ALTER STATISTICS st SET STATISTICS 33; COMMENT ON STATISTICS st IS 's'; CREATE STATISTICS ex ON (a + b) FROM t$$);
SELECT test.case('other statistics', 'CREATE TABLE t (a int, b int); CREATE STATISTICS st (ndistinct) ON a, b FROM t', 'CREATE TABLE t (a int, b int); CREATE STATISTICS st (mcv) ON a, b FROM t');
SELECT test.case('on what is no call and reads like one', 'CREATE TABLE t (a timestamptz, b text, c int)', 'CREATE TABLE t (a timestamptz, b text, c int); CREATE INDEX i ON t ((a AT TIME ZONE ''UTC''), (b IS NORMALIZED), (CASE WHEN c > 1 THEN 2 END))');
