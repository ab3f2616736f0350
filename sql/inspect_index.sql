-- Indexes: what is read of them, and of statistics.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_index;
SET search_path = inspect_index, public;

CREATE TABLE t (a int, b text, c int[]);
CREATE INDEX i ON t (a DESC, b COLLATE "C" text_pattern_ops NULLS FIRST) INCLUDE (c) WITH (fillfactor = 60) WHERE a IS NOT NULL;
CREATE UNIQUE INDEX u ON t ((a + 1), lower(b)) NULLS NOT DISTINCT;
ALTER INDEX u ALTER COLUMN 1 SET STATISTICS 42;
CREATE INDEX g ON t USING gin (c);
COMMENT ON INDEX g IS 'gin';
CREATE TABLE p (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE INDEX pi ON p (b);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE INDEX mi ON m (a);
CREATE STATISTICS st (mcv) ON a, b, (a * 2) FROM t;
ALTER STATISTICS st SET STATISTICS 9;

SELECT o - 'owner' - 'schema' FROM jsonb_array_elements(kints_snapshot('{inspect_index}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('index', 'statistics') ORDER BY n;

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_index}') AS snapshot;
DROP SCHEMA inspect_index CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_index}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_index CASCADE;
