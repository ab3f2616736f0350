-- Whose code a rollback runs: what a lesser role has written never runs as the mightier one who rolls back.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
DELETE FROM kints.schema_migrations;
CREATE ROLE regress_kints_lesser;
CREATE SCHEMA mo;
GRANT USAGE, CREATE ON SCHEMA mo TO regress_kints_lesser;
SET ROLE regress_kints_lesser;
SET search_path = mo, public;
CREATE TABLE seen (what text, by_whom name DEFAULT current_user);
CREATE FUNCTION look(what text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO mo.seen VALUES (what);
	PERFORM set_config('search_path', 'nowhere', false) WHERE current_setting('my.spoil', true) = 'on';
	RETURN 1;
END $$;
CREATE FUNCTION steady(what text, a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN a + mo.look(what);
END $$;
CREATE DOMAIN d AS int;
CREATE TABLE t (a int, b d, c varchar(10));
INSERT INTO t VALUES (1, 2, '3');
RESET ROLE;
SELECT kints_snapshot('{mo}') AS plain \gset
SET ROLE regress_kints_lesser;
ALTER TABLE t ADD x int DEFAULT look('default');
ALTER TABLE t ADD y int GENERATED ALWAYS AS (steady('generated', a)) STORED;
ALTER TABLE t ADD CONSTRAINT k CHECK (look('check') > 0);
ALTER TABLE t ADD n int GENERATED ALWAYS AS IDENTITY;
ALTER DOMAIN d ADD CONSTRAINT kd CHECK (VALUE > 0 AND look('domain') > 0);
CREATE MATERIALIZED VIEW m AS SELECT a, look('matview') AS l FROM t;
CREATE INDEX i ON t (steady('index', a));
CREATE TABLE p (a int, b text) PARTITION BY LIST (steady('partition', a));
CREATE TABLE p1 (a int, b text);
INSERT INTO p1 VALUES (1, 'x');
ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (2);
RESET ROLE;
RESET search_path;
SET search_path = mo, public;
DELETE FROM mo.seen;
SELECT kints_fingerprint('{mo}') AS before \gset
-- a superuser takes all of it away, and back
SELECT sql FROM kints_apply(:'plain'::jsonb, '{"allow": "all"}');
DELETE FROM mo.seen;
SET my.spoil = 'on';
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
SELECT current_setting('search_path');
SELECT by_whom, what, count(*) > 0 FROM mo.seen GROUP BY 1, 2 ORDER BY 1, 2;
SELECT kints_fingerprint('{mo}') = :'before';
SELECT a, b, c, x, y, n FROM t;
SELECT * FROM m;
-- and the conversion of a type, which checks all rows
SELECT count(*) FROM kints_apply(replace(:'plain', 'character varying(10)', 'character varying(20)')::jsonb, '{"allow": "all"}');
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
SELECT DISTINCT by_whom FROM mo.seen;
-- and a constraint of rows that is to be a valid one again
RESET my.spoil;
SELECT kints_snapshot('{mo}') AS valid \gset
ALTER DOMAIN d DROP CONSTRAINT kd;
ALTER DOMAIN d ADD CONSTRAINT kd CHECK (VALUE > 0 AND look('domain') > 0) NOT VALID;
ALTER TABLE t DROP CONSTRAINT k;
ALTER TABLE t ADD CONSTRAINT k CHECK (look('check') > 0) NOT VALID;
SELECT kints_snapshot('{mo}') AS not_valid \gset
SELECT count(*) FROM kints_apply(:'valid'::jsonb);
SELECT count(*) FROM kints_apply(:'not_valid'::jsonb, '{"allow": "all"}');
DELETE FROM mo.seen;
SELECT sql FROM kints_rollback();
SELECT by_whom, what, count(*) > 0 FROM mo.seen GROUP BY 1, 2 ORDER BY 1, 2;
-- what the owner may not do fails, and names him
CREATE TYPE kept AS (a int);
REVOKE USAGE ON TYPE kept FROM PUBLIC;
ALTER TABLE t ADD z kept;
SELECT count(*) FROM kints_apply((SELECT jsonb_set(s, '{objects}', (SELECT jsonb_agg(o) FROM jsonb_array_elements(s -> 'objects') AS o WHERE o ->> 'name' <> 'z'))
	FROM (SELECT kints_snapshot('{mo}')) AS q (s)), '{"allow": "all"}');
SELECT test.fails($$SELECT * FROM kints_rollback(1, '{"allow": "all"}')$$);
SELECT state FROM kints_status() LIMIT 1;
DROP SCHEMA mo CASCADE;
DROP ROLE regress_kints_lesser;
DELETE FROM kints.schema_migrations;
