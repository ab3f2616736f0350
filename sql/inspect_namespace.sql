-- Schemas: what is read of them; those that are never read.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA "In ns";
COMMENT ON SCHEMA "In ns" IS 'it''s';
GRANT USAGE ON SCHEMA "In ns" TO PUBLIC;
SELECT o - 'owner' - 'privileges', o ? 'owner', jsonb_array_length(o -> 'privileges') FROM jsonb_array_elements(kints_snapshot('{"In ns"}') -> 'objects') AS o;
SELECT kints_snapshot() -> 'schemas' @> '["In ns", "public"]', kints_snapshot() -> 'schemas' ?| '{pg_catalog,information_schema,pg_toast,kints}';
CREATE EXTENSION hstore SCHEMA "In ns";
SELECT o FROM jsonb_array_elements(kints_snapshot('{"In ns"}') -> 'objects') AS o WHERE o ->> 'kind' = 'extension';
SELECT jsonb_array_length(kints_snapshot('{"In ns"}') -> 'objects');
SELECT test.plan('CREATE TABLE "In ns".t (h "In ns".hstore)');
DROP SCHEMA "In ns" CASCADE;
