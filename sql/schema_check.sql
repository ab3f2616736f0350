-- Snapshots that do not hold together: nothing in one is relied on before it was looked at.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sc;
SET search_path = sc, public;
CREATE TYPE e AS ENUM ('a', 'b');
CREATE DOMAIN d AS int CHECK (VALUE > 0);
CREATE TYPE c AS (x int, y text);
CREATE SEQUENCE q INCREMENT 3;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE t (a int PRIMARY KEY, b e DEFAULT 'a', c text COLLATE "C", g int GENERATED ALWAYS AS (a + 1) STORED, i int GENERATED ALWAYS AS IDENTITY, CONSTRAINT ck CHECK (a > 0), CONSTRAINT un UNIQUE (c));
COMMENT ON TABLE t IS 't';
CREATE TABLE u (a int REFERENCES t, s serial);
CREATE INDEX ix ON t (c) WHERE a > 1;
CREATE VIEW v AS SELECT a, c FROM t;
CREATE VIEW w AS SELECT a FROM v;
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();
CREATE RULE r AS ON DELETE TO u DO ALSO NOTHING;
CREATE POLICY p ON t USING (a > 0);
CREATE STATISTICS st ON a, c FROM t;
CREATE AGGREGATE ag(int) (SFUNC = int4pl, STYPE = int);
CREATE TYPE rg AS RANGE (SUBTYPE = int);
CREATE COLLATION co FROM "C";
GRANT SELECT ON t TO PUBLIC;
GRANT SELECT (c) ON v TO PUBLIC;
CREATE TABLE pp (a int) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF pp FOR VALUES FROM (0) TO (3);
CREATE TABLE inh () INHERITS (t);
-- Every field of every object, missing or replaced, as either end of a plan: how often it fails, with what.
CREATE FUNCTION pg_temp.outcomes(replacement jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	good jsonb := kints_snapshot('{sc}');
	empty jsonb := kints_snapshot('{}');
	bad jsonb;
	value record;
	states text[] := '{}';
BEGIN
	FOR value IN
		SELECT ARRAY['objects', (n - 1)::text, key] AS path, replacement -> jsonb_typeof(v) AS new, key
		FROM jsonb_array_elements(good -> 'objects') WITH ORDINALITY AS t (o, n), jsonb_each(o) AS f (key, v) ORDER BY n, key
	LOOP
		bad := CASE WHEN value.new IS NULL THEN good #- value.path ELSE jsonb_set(good, value.path, value.new) END;
		FOR turn IN 1..4 LOOP
			BEGIN
				PERFORM kints_diff((ARRAY[good, bad, empty, bad])[turn], (ARRAY[bad, good, bad, empty])[turn]);
				states := states || 'none'::text;
			EXCEPTION WHEN OTHERS THEN
				IF SQLSTATE NOT IN ('22023', 'KN004') THEN
					RAISE EXCEPTION '%: %: %', value.path, SQLSTATE, SQLERRM;
				END IF;
				states := states || SQLSTATE;
			END;
		END LOOP;
	END LOOP;
	RETURN (SELECT string_agg(DISTINCT state, ' ' ORDER BY state) FROM unnest(states) AS state)
		|| CASE WHEN cardinality(states) > 1000 THEN '' ELSE ' of too few' END;
END
$$;
SELECT pg_temp.outcomes('{}');
SELECT pg_temp.outcomes('{"string": "", "array": [], "number": 0, "boolean": true}');
SELECT pg_temp.outcomes('{"string": "x(", "array": ["x", null, ""], "number": -9223372036854775808}');
SELECT pg_temp.outcomes('{"string": "a.b.c", "array": ["=", "a=b", "a=b/c", "\"", "=r/"], "number": 9223372036854775807}');
SELECT pg_temp.outcomes('{"string": ["x"], "array": {"x": 1}, "number": "1", "boolean": null}');
-- what is said
SELECT '## ' || left(objects, 150) || E'\n' || test.fails(format('SELECT * FROM kints_diff(kints_snapshot(''{}''), %L)', jsonb_build_object('format', 1, 'owners', true, 'privileges', true, 'schemas', '["s"]'::jsonb, 'objects', objects::jsonb)))
FROM unnest(ARRAY[
	'[{"kind": "table", "name": "", "schema": "s"}]', '[{"kind": "table", "name": "t"}]', '[{"kind": "table", "name": "t", "schema": "s", "parent": "u", "replica_identity": "DEFAULT"}]', '[{"kind": "column", "name": "a", "schema": "s", "type": "int"}]',
	'[{"kind": "column", "name": "a", "schema": "s", "parent": "t"}]', '[{"kind": "column", "name": "a", "schema": "s", "parent": "t", "type": "int"}]', '[{"kind": "function", "name": "f", "schema": "s", "definition": "x"}]', '[{"kind": "enum", "name": "e", "schema": "s", "arguments": ""}]',
	'[{"kind": "table", "name": "t", "schema": "s", "replica_identity": "DEFAULT"}, {"kind": "default", "name": "a", "schema": "s", "parent": "t", "expression": "1"}]',
	'[{"kind": "table", "name": "t", "schema": "s", "replica_identity": "DEFAULT"}, {"kind": "column", "name": "a", "schema": "s", "parent": "t", "type": "int"}, {"kind": "default", "name": "a", "schema": "s", "parent": "t", "expression": "1", "is_generated": true}]',
	'[{"kind": "index", "name": "i", "schema": "s", "table": "t", "definition": "x"}]', '[{"kind": "enum", "name": "e", "schema": "s", "labels": [null]}]', '[{"kind": "composite", "name": "c", "schema": "s", "attributes": ["a"]}]', '[{"kind": "enum", "name": "e", "schema": "s", "depends": [null]}]',
	'[{"kind": "enum", "name": "e", "schema": "s", "owner": "x", "privileges": [null]}]', '[{"kind": "enum", "name": "e", "schema": "s", "owner": "x", "privileges": ["a"]}]', '[{"kind": "enum", "name": "e", "schema": "s", "owner": "x", "privileges": ["a=!/b"]}]', '[{"kind": "enum", "name": "e", "schema": "s", "owner": "x", "privileges": ["a=r"]}]',
	'[{"kind": "view", "name": "v", "schema": "s", "definition": "x", "columns": ["a b"], "types": ["int"], "comments": [null], "column_acl": ["a b =r/x"]}]',
	'[{"kind": "view", "name": "v", "schema": "s", "definition": "x", "columns": ["a b"], "types": ["int"], "comments": [null], "column_acl": ["\"a b\" x"]}]'])
	WITH ORDINALITY AS t (objects, n) ORDER BY n;
SELECT test.fails('SELECT * FROM kints_diff(''{"format": 1, "schemas": [null], "objects": []}'', kints_snapshot(''{}''))');
-- what depends on itself, or in a circle
SELECT test.fails('SELECT * FROM kints_diff(kints_snapshot(''{}''), ''{"format": 1, "schemas": ["s"], "objects": [{"kind": "enum", "name": "e", "schema": "s", "depends": ["enum s.e"]}]}'')');
SELECT test.fails('SELECT * FROM kints_diff(kints_snapshot(''{}''), ''{"format": 1, "schemas": ["s"], "objects": [{"kind": "enum", "name": "e", "schema": "s", "depends": ["enum s.f"]}, {"kind": "enum", "name": "f", "schema": "s", "depends": ["enum s.e"]}]}'')');
-- what is not modelled keeps its name on the way
SELECT test.plan(kints_snapshot('{sc}'));
DROP SCHEMA sc CASCADE;
