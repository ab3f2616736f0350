-- What is spelled here for speed is what the server's own function says.
CREATE SCHEMA "Index Def";
SET search_path = "Index Def", public;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE COLLATION "my Coll" FROM "C";
CREATE OPERATOR CLASS "Int Ops" FOR TYPE integer USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE TABLE "T 1" (
	id integer, "select" text, name varchar(10), c "char", d text COLLATE "C", tags text[], doc jsonb,
	at timestamptz, mood mood, ip inet, box box, words tsvector, key citext, span int4range, vid name
);
CREATE INDEX ON "T 1" (id);
CREATE INDEX ON "T 1" ("select", name DESC, key DESC NULLS LAST, at NULLS FIRST, id ASC NULLS LAST);
CREATE UNIQUE INDEX ON "T 1" (id, mood) INCLUDE (name, "select");
CREATE UNIQUE INDEX ON "T 1" (name) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX ON "T 1" (name) INCLUDE (id) NULLS NOT DISTINCT;
CREATE INDEX ON "T 1" (d COLLATE "my Coll", "select" COLLATE "C", d COLLATE "default");
CREATE INDEX ON "T 1" ("select" text_pattern_ops, name varchar_pattern_ops DESC, id "Int Ops");
CREATE INDEX ON "T 1" USING hash (id);
CREATE INDEX ON "T 1" USING gin (tags, doc);
CREATE INDEX ON "T 1" USING gin (doc jsonb_path_ops);
CREATE INDEX ON "T 1" USING gin ("select" gin_trgm_ops);
CREATE INDEX ON "T 1" USING gist ("select" gist_trgm_ops (siglen = 32));
CREATE INDEX ON "T 1" USING gist (box, ip inet_ops, span);
CREATE INDEX ON "T 1" USING spgist (ip);
CREATE INDEX ON "T 1" USING spgist (span);
CREATE INDEX ON "T 1" USING brin (at, id int4_minmax_multi_ops (values_per_range = 16));
CREATE INDEX ON "T 1" USING brin (at) WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX ON "T 1" (id) WITH (fillfactor = 70);
CREATE INDEX ON "T 1" (key, vid, mood);
CREATE INDEX ON "T 1" (lower("select"), (id + 1) DESC);
CREATE INDEX ON "T 1" (EXTRACT(year FROM at AT TIME ZONE 'UTC'), COALESCE(id, 1), GREATEST(id, 1), LEAST(id, 1), NULLIF(id, 1), ("select" COLLATE "C"), (id::text));
CREATE INDEX ON "T 1" (substring("select" from 1 for 2), overlay("select" placing 'y' from 1), trim(both from "select"), normalize("select"), (id IS NULL), (NOT id > 1));
CREATE INDEX ON "T 1" ((ARRAY[id, 1]), (tags[1]), ((ROW(id, 1)) IS NULL), (id IN (1, 2)), ("select" LIKE 'x%'), id);
CREATE INDEX ON "T 1" (id) WHERE name IS NOT NULL;
CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE INDEX ON p (b);
CREATE INDEX ON ONLY p (a);
ALTER TABLE "T 1" DROP COLUMN c;
CREATE MATERIALIZED VIEW m AS SELECT id, d, name FROM "T 1";
CREATE UNIQUE INDEX ON m (id);
CREATE INDEX ON m (name DESC, d);

SET search_path = pg_catalog;
WITH spelled AS (
	SELECT object ->> 'name' AS name, object ->> 'definition' AS definition
	FROM jsonb_array_elements(public.kints_snapshot('{"Index Def"}') -> 'objects') AS object
	WHERE object ->> 'kind' = 'index'
)
SELECT count(*) AS indexes, count(*) FILTER (WHERE definition IS DISTINCT FROM pg_get_indexdef(indexrelid)) AS wrong
FROM pg_index
LEFT JOIN spelled ON name = (SELECT relname FROM pg_class WHERE oid = indexrelid)
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '"Index Def"'::regnamespace);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA "Index Def" CASCADE;
