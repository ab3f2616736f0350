-- Snapshots as they are written: every field of every kind, empty ones left out, and read again the same.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sw;
SET search_path = sw, public;
CREATE TYPE en AS ENUM ('a', '');
CREATE TYPE ra AS RANGE (SUBTYPE = int);
CREATE TYPE co AS (a int, b text);
CREATE DOMAIN dom AS int NOT NULL DEFAULT 1 CHECK (VALUE > 0);
CREATE FUNCTION fu(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE ag(int) (SFUNC = int4pl, STYPE = int);
CREATE SEQUENCE q MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807;
CREATE TABLE ta (a int PRIMARY KEY, b int REFERENCES ta, c text DEFAULT E'\u00fc"\\\n') WITH (fillfactor = 50);
CREATE INDEX ix ON ta (b);
CREATE STATISTICS st ON a, b FROM ta;
CREATE VIEW vi AS SELECT a FROM ta;
CREATE MATERIALIZED VIEW ma AS SELECT a FROM ta;
CREATE RULE ru AS ON DELETE TO ta DO ALSO NOTHING;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER tr AFTER INSERT ON ta FOR EACH ROW EXECUTE FUNCTION tf();
CREATE POLICY po ON ta;
COMMENT ON TABLE ta IS '';
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{sw}') AS s;
SELECT s - 'objects' FROM kept;
-- one of each kind: its fields; none is empty, but what an array has in it
SELECT DISTINCT ON (o ->> 'kind') o ->> 'kind', (SELECT string_agg(k, ' ') FROM jsonb_object_keys(o) AS k) FROM kept, jsonb_array_elements(s -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY o ->> 'kind', n;
SELECT count(*) FROM kept, jsonb_array_elements(s -> 'objects') AS o, jsonb_each(o) AS e WHERE e.value IN ('null', 'false', '0', '[]', '{}');
SELECT o -> 'labels', o -> 'depends' FROM kept, jsonb_array_elements(s -> 'objects') AS o WHERE o ->> 'name' = 'en';
SELECT o -> 'min_value', o -> 'max_value' FROM kept, jsonb_array_elements(s -> 'objects') AS o WHERE o ->> 'name' = 'q';
-- keys are found, as in any other jsonb; as text and back, and by way of a plan, it is the same
SELECT count(*) FILTER (WHERE o ? 'kind' AND o @> jsonb_build_object('name', o -> 'name')), count(*) FROM kept, jsonb_array_elements(s -> 'objects') AS o;
SELECT s = s::text::jsonb FROM kept;
SELECT count(*) FROM (SELECT jsonb_array_elements(s -> 'objects') -> 'depends' AS d FROM kept) AS x, jsonb_array_elements_text(CASE jsonb_typeof(d) WHEN 'array' THEN d ELSE '[]' END) AS key
WHERE key !~ '^[a-z ]+ ("?sw|sw$)';
DROP SCHEMA sw CASCADE;
SELECT count(*) > 20 FROM kept, LATERAL kints_apply(s, '{"allow": "all"}');
SELECT s = kints_snapshot('{sw}') FROM kept;
DROP SCHEMA sw CASCADE;
