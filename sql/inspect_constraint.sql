-- Constraints: what is read of them.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_constraint;
SET search_path = inspect_constraint, public;

CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE DEFERRABLE INITIALLY DEFERRED, c int CONSTRAINT pos CHECK (c > 0) NO INHERIT, r int4range, UNIQUE NULLS NOT DISTINCT (b, c) INCLUDE (a),
	EXCLUDE USING gist (r WITH &&) WHERE (c > 0), CONSTRAINT two UNIQUE (a, b));
CREATE TABLE u (a int REFERENCES t ON DELETE CASCADE, b int, c int, FOREIGN KEY (a, b) REFERENCES t (a, b) MATCH FULL ON UPDATE SET NULL DEFERRABLE);
ALTER TABLE u ADD CONSTRAINT later CHECK (b > 0) NOT VALID, ADD CONSTRAINT later_f FOREIGN KEY (b) REFERENCES t NOT VALID;
COMMENT ON CONSTRAINT pos ON t IS 'positive';
COMMENT ON INDEX t_pkey IS 'the index behind';
CREATE TABLE i () INHERITS (u);
CREATE TABLE p (a int PRIMARY KEY, b int REFERENCES t) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1);

SELECT o - 'owner' - 'schema' FROM jsonb_array_elements(kints_snapshot('{inspect_constraint}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('constraint') ORDER BY n;

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_constraint}') AS snapshot;
DROP SCHEMA inspect_constraint CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_constraint}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_constraint CASCADE;
