-- What depends on what, and what that does to the order.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA inspect_depend;
SET search_path = inspect_depend, public;
CREATE TYPE e AS ENUM ('a');
CREATE DOMAIN d AS int;
CREATE SEQUENCE q;
CREATE FUNCTION f(d) RETURNS d LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE t (a int PRIMARY KEY DEFAULT nextval('q'), b e DEFAULT 'a', c d CHECK (f(c) > 0), g d GENERATED ALWAYS AS (f(a)) STORED);
CREATE TABLE u (a int REFERENCES t, b serial);
CREATE VIEW v AS SELECT f(c), b FROM t;
CREATE MATERIALIZED VIEW m AS SELECT v.* FROM v JOIN u ON u.a = f;
CREATE INDEX i ON t (f(c)) WHERE b = 'a';
CREATE POLICY p ON t USING (EXISTS (SELECT FROM u WHERE u.a = t.a));
COMMENT ON COLUMN u.a IS 'a';
COMMENT ON CONSTRAINT t_pkey ON t IS 'b';
SELECT o ->> 'kind' || ' ' || concat_ws('.', o ->> 'parent', o ->> 'name') AS object, o ->> 'comment', replace(o ->> 'depends', 'inspect_depend', 'i')
FROM jsonb_array_elements(kints_snapshot('{inspect_depend}') -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY n;
SELECT object FROM kints_diff(kints_snapshot('{}'), kints_snapshot('{inspect_depend}')) WHERE kind ~ '^(create|add)' ORDER BY step;
SELECT object FROM kints_diff(kints_snapshot('{inspect_depend}'), kints_snapshot('{}')) WHERE kind ~ '^drop' ORDER BY step;
DROP SCHEMA inspect_depend CASCADE;
-- what goes when an extension goes is not modelled, and is named where it differs
SELECT test.part('depends on an extension', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER INDEX i DEPENDS ON EXTENSION citext', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER FUNCTION f() DEPENDS ON EXTENSION citext');
SELECT test.part('depends on it as before', 'CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER INDEX i DEPENDS ON EXTENSION citext', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); ALTER INDEX i DEPENDS ON EXTENSION citext');
-- Where rows lie in the catalogs is an accident, and no snapshot and no plan goes by it.
CREATE SCHEMA inspect_depend;
CREATE TABLE a1 (x int);
CREATE TABLE a2 (x int);
CREATE TABLE a3 (x int);
CREATE TABLE t (y int) INHERITS (a1, a2, a3);
CREATE VIEW v AS SELECT x, y FROM t;
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_depend}') AS snapshot, kints_fingerprint('{inspect_depend}') AS fingerprint;
UPDATE pg_depend SET deptype = deptype
WHERE refobjid = 't'::regclass AND refobjsubid = 1 AND classid = 'pg_rewrite'::regclass;
UPDATE pg_inherits SET inhseqno = inhseqno WHERE inhrelid = 't'::regclass AND inhseqno = 2;
UPDATE pg_inherits SET inhseqno = inhseqno WHERE inhrelid = 't'::regclass AND inhseqno = 1;
SELECT string_agg(inhparent::regclass::text, ' ' ORDER BY ctid) AS lie FROM pg_inherits WHERE inhrelid = 't'::regclass;
SELECT o ->> 'name', o ->> 'inherits', o ->> 'depends'
FROM jsonb_array_elements(kints_snapshot('{inspect_depend}') -> 'objects') AS t (o) WHERE o ->> 'name' IN ('t', 'v');
SELECT snapshot = kints_snapshot('{inspect_depend}'), fingerprint = kints_fingerprint('{inspect_depend}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_depend CASCADE;
