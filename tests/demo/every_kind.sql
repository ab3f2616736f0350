-- A database with something of every kind in it, to be dumped and given to tests/demo.sh.
CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore; CREATE EXTENSION btree_gist; CREATE EXTENSION postgres_fdw; CREATE EXTENSION pgcrypto;
CREATE ROLE app_owner; CREATE ROLE "App Reader"; CREATE ROLE app_writer;
CREATE SCHEMA "My Schema" AUTHORIZATION app_owner; CREATE SCHEMA "select"; CREATE SCHEMA data; CREATE SCHEMA ext; CREATE EXTENSION "uuid-ossp" SCHEMA ext;
COMMENT ON SCHEMA "My Schema" IS 'with "quotes" and ''apostrophes''';
CREATE TYPE data.mood AS ENUM ('happy', 'so so', 'it''s "bad"');
CREATE TYPE data.address AS (street text, zip varchar(10), geo point);
CREATE TYPE data.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN data.email AS public.citext CONSTRAINT has_at CHECK (VALUE ~ '@') ;
CREATE DOMAIN data.pos AS integer NOT NULL DEFAULT 1 CHECK (VALUE > 0);
CREATE SEQUENCE data.counter AS integer START 5 INCREMENT 5 MAXVALUE 1000 CYCLE CACHE 3;
CREATE COLLATION data.german (provider = icu, locale = 'de-x-icu');
CREATE FUNCTION data.touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.updated_at := now(); RETURN NEW; END $f$;
CREATE FUNCTION data.slug(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5 AS $$ SELECT lower(regexp_replace(t, '[^a-z]+', '-', 'gi')) $$;
CREATE FUNCTION data.std(t int DEFAULT 3) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT t + 1; END;
CREATE PROCEDURE data.clean(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := 0; END $$;
CREATE AGGREGATE data.my_sum(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TABLE data.people (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
  mail data.email UNIQUE NULLS NOT DISTINCT, mood data.mood DEFAULT 'happy', home data.address, tags text[] DEFAULT '{}'::text[] NOT NULL,
  "Weird ""Name" text COLLATE "C" DEFAULT E'a\nb\\c', slug text GENERATED ALWAYS AS (data.slug('x')) STORED,
  attrs hstore, doc jsonb COMPRESSION lz4, during tstzrange, updated_at timestamptz DEFAULT now(),
  boss bigint REFERENCES data.people ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  EXCLUDE USING gist (boss WITH =, during WITH &&) WHERE (boss IS NOT NULL)) WITH (fillfactor=80, autovacuum_enabled=false);
ALTER TABLE data.people ALTER doc SET STORAGE EXTERNAL, ALTER tags SET STATISTICS 500, ALTER mood SET (n_distinct = 3);
CREATE INDEX ON data.people USING gin (mail public.gin_trgm_ops);
CREATE INDEX people_lower ON data.people (lower("Weird ""Name") DESC NULLS LAST) INCLUDE (mood) WHERE boss IS NULL;
ALTER TABLE data.people CLUSTER ON people_pkey;
ALTER TABLE data.people REPLICA IDENTITY FULL;
CREATE STATISTICS data.st (dependencies, mcv) ON mood, boss FROM data.people;
CREATE TRIGGER touch BEFORE UPDATE OF mood ON data.people FOR EACH ROW WHEN (OLD.mood IS DISTINCT FROM NEW.mood) EXECUTE FUNCTION data.touch();
ALTER TABLE data.people DISABLE TRIGGER touch;
ALTER TABLE data.people ENABLE ROW LEVEL SECURITY; ALTER TABLE data.people FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON data.people FOR SELECT TO app_writer, "App Reader" USING (boss = 1);
CREATE POLICY rest ON data.people AS RESTRICTIVE FOR ALL USING (true) WITH CHECK (id > 0);
CREATE TABLE "My Schema"."Order" ("Id" serial PRIMARY KEY, "user" bigint REFERENCES data.people(id) ON UPDATE CASCADE, total numeric(10,2) CHECK (total >= 0) NO INHERIT, at date);
COMMENT ON COLUMN "My Schema"."Order"."user" IS E'multi\nline';
CREATE TABLE "select"."table" ("from" int, "where" text, PRIMARY KEY ("from", "where")) ;
CREATE UNLOGGED TABLE data.cache (k text PRIMARY KEY, v bytea);
CREATE TABLE data.parent (a int NOT NULL, b text DEFAULT 'p'); CREATE TABLE data.child (c int) INHERITS (data.parent);
CREATE TABLE data.log (at timestamptz NOT NULL, msg text, n int) PARTITION BY RANGE (at);
CREATE TABLE data.log_2023 PARTITION OF data.log FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE data.log_rest PARTITION OF data.log DEFAULT PARTITION BY LIST (n);
CREATE TABLE data.log_rest_1 PARTITION OF data.log_rest FOR VALUES IN (1, 2);
CREATE INDEX ON data.log (msg);
CREATE TABLE data.typed OF data.address (street WITH OPTIONS NOT NULL);
CREATE VIEW data.v AS SELECT p.id, p.mood, o.total FROM data.people p LEFT JOIN "My Schema"."Order" o ON o."user" = p.id;
CREATE VIEW data.vv WITH (security_barrier) AS SELECT * FROM data.v WHERE mood = 'happy';
CREATE VIEW data.upd AS SELECT k, v FROM data.cache WHERE k <> '' WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW data.nums (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM nums WHERE n < 10;
CREATE MATERIALIZED VIEW data.mv AS SELECT mood, count(*) AS n FROM data.people GROUP BY mood WITH NO DATA; CREATE UNIQUE INDEX ON data.mv (mood);
CREATE RULE no_delete AS ON DELETE TO data.cache DO INSTEAD NOTHING;
CREATE FUNCTION data.ins() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER vi INSTEAD OF INSERT ON data.vv FOR EACH ROW EXECUTE FUNCTION data.ins();
CREATE CONSTRAINT TRIGGER ct AFTER INSERT ON data.people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION data.ins();
ALTER SEQUENCE data.counter OWNED BY data.people.boss;
GRANT USAGE ON SCHEMA data TO "App Reader"; GRANT SELECT ON ALL TABLES IN SCHEMA data TO "App Reader"; GRANT INSERT (mail), UPDATE (mood) ON data.people TO app_writer WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION data.slug(text) TO app_writer; REVOKE EXECUTE ON FUNCTION data.slug(text) FROM PUBLIC; GRANT USAGE ON TYPE data.mood TO app_writer;
ALTER TABLE data.cache OWNER TO app_owner;
COMMENT ON TABLE data.people IS 'people'; COMMENT ON CONSTRAINT people_pkey ON data.people IS 'pk'; COMMENT ON INDEX data.people_lower IS 'i'; COMMENT ON TRIGGER touch ON data.people IS 't';
COMMENT ON POLICY own ON data.people IS 'p'; COMMENT ON FUNCTION data.slug(text) IS 'f'; COMMENT ON TYPE data.mood IS 'e'; COMMENT ON VIEW data.v IS 'v'; COMMENT ON COLUMN data.v.total IS 'vc';
