-- Relations: what is read of tables, views, sequences.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_relation;
SET search_path = inspect_relation, public;

COMMENT ON SCHEMA inspect_relation IS 'relations';
CREATE UNLOGGED TABLE t (a int PRIMARY KEY, b text) WITH (fillfactor = 70, toast.autovacuum_enabled = off);
ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL, CLUSTER ON t_pkey;
COMMENT ON TABLE t IS 'a table';
CREATE TABLE p (a int, b int) PARTITION BY HASH (a, (b + 1));
CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (b);
CREATE TABLE p1d PARTITION OF p1 DEFAULT;
CREATE TYPE ty AS (a int);
CREATE TABLE o OF ty;
CREATE TABLE c (d int) INHERITS (t);
CREATE VIEW v WITH (security_barrier) AS SELECT a, b AS "B" FROM t WHERE a > 0 WITH CHECK OPTION;
COMMENT ON COLUMN v."B" IS 'b';
GRANT SELECT (a, "B"), UPDATE ("B") ON v TO PUBLIC;
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
GRANT SELECT (a) ON m TO PUBLIC;
CREATE SEQUENCE q AS smallint INCREMENT 5 MINVALUE -3 MAXVALUE 100 START 7 CACHE 2 CYCLE OWNED BY t.a;
CREATE TEMP TABLE nothing (a int);

SELECT o - 'owner' - 'schema' FROM jsonb_array_elements(kints_snapshot('{inspect_relation}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('table', 'view', 'materialized_view', 'sequence', 'schema') ORDER BY n;

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_relation}') AS snapshot;
DROP SCHEMA inspect_relation CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_relation}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_relation CASCADE;
-- Who may use the sequence of an identity column is named where it differs.
CREATE ROLE regress_kints_seq;
CREATE SCHEMA inspect_relation_seq;
CREATE TABLE inspect_relation_seq.t (a int GENERATED ALWAYS AS IDENTITY);
SELECT test.plan('CREATE TABLE inspect_relation_seq.t (a int GENERATED ALWAYS AS IDENTITY)');
SELECT test.plan('CREATE TABLE inspect_relation_seq.t (a int GENERATED ALWAYS AS IDENTITY); GRANT USAGE ON SEQUENCE inspect_relation_seq.t_a_seq TO regress_kints_seq');
GRANT USAGE ON SEQUENCE inspect_relation_seq.t_a_seq TO regress_kints_seq;
SELECT test.plan('CREATE TABLE inspect_relation_seq.t (a int GENERATED ALWAYS AS IDENTITY); GRANT USAGE ON SEQUENCE inspect_relation_seq.t_a_seq TO regress_kints_seq');
SELECT test.plan('CREATE TABLE inspect_relation_seq.t (a int GENERATED ALWAYS AS IDENTITY)');
DROP SCHEMA inspect_relation_seq CASCADE;
DROP ROLE regress_kints_seq;
