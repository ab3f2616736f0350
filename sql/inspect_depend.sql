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
