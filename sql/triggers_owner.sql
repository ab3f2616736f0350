-- What is done as the owner of another table: not more, and nothing as anybody else.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE ow_shop;
CREATE ROLE ow_spy;
CREATE ROLE ow_mal;
CREATE SCHEMA ow AUTHORIZATION ow_shop;
GRANT USAGE ON SCHEMA ow, test TO ow_spy, ow_mal;
SET search_path = ow, public;
-- a trigger of the child names a table that it does not qualify
SET ROLE ow_shop;
CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz, batch bigint);
CREATE TABLE c (p int REFERENCES p, deleted_at timestamptz, batch bigint);
CREATE TABLE secret (s text);
CREATE TABLE log (who text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (current_user); RETURN NEW; END $$;
CREATE TRIGGER before BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION note();
SELECT kints_soft_delete_enable('p', batch => 'batch'), kints_soft_delete_enable('c', batch => 'batch');
INSERT INTO p VALUES (1), (2);
INSERT INTO c VALUES (1), (2);
GRANT DELETE, SELECT ON p TO ow_spy;
SET ROLE ow_spy;
CREATE TEMP TABLE log (who text);
CREATE FUNCTION pg_temp.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN GRANT ALL ON ow.secret TO PUBLIC; RETURN NEW; END $$;
CREATE TRIGGER evil BEFORE INSERT ON pg_temp.log FOR EACH ROW EXECUTE FUNCTION pg_temp.evil();
GRANT ALL ON pg_temp.log TO PUBLIC;
DELETE FROM p WHERE id = 1;
SELECT has_table_privilege('ow.secret', 'SELECT');
-- one after the row is done as whoever deletes, as for a foreign key
RESET ROLE;
DROP TRIGGER before ON c;
CREATE TRIGGER after AFTER UPDATE ON c FOR EACH ROW EXECUTE FUNCTION note();
SET ROLE ow_spy;
SELECT test.fails('DELETE FROM ow.p WHERE id = 2');
SELECT has_table_privilege('ow.secret', 'SELECT');
RESET ROLE;
DROP TABLE pg_temp.log;
TABLE log;
DROP TRIGGER after ON c;
-- whose rows go along does not get the rights of who restores or purges
CREATE TABLE sa (id int PRIMARY KEY, deleted_at timestamptz, batch bigint);
GRANT REFERENCES ON sa TO ow_mal;
GRANT CREATE ON SCHEMA ow TO ow_mal;
SELECT kints_soft_delete_enable('sa', batch => 'batch');
SET ROLE ow_mal;
CREATE TABLE sb (sa int REFERENCES sa ON DELETE CASCADE, deleted_at timestamptz, batch bigint);
SELECT kints_soft_delete_enable('sb', batch => 'batch');
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '% as %', TG_OP, current_user; RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER tell BEFORE UPDATE OR DELETE ON sb FOR EACH ROW EXECUTE FUNCTION tell();
RESET ROLE;
INSERT INTO sa VALUES (1);
INSERT INTO sb VALUES (1);
DELETE FROM sa;
SELECT "table", restored FROM kints_restore('sa', '{"id": 1}');
DELETE FROM sa;
CALL kints_purge('sa', '-1 day');
-- rows that nobody can see are there, and who does not let others see them stops nothing
SET ROLE ow_mal;
CREATE TABLE hidden (sa int REFERENCES sa ON DELETE CASCADE);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
ALTER TABLE sa OWNER TO ow_shop;
INSERT INTO sa VALUES (2), (3);
INSERT INTO hidden VALUES (2);
DELETE FROM sa;
SET ROLE ow_shop;
CALL kints_purge('sa', '-1 day');
RESET ROLE;
SELECT id FROM sa;
SELECT * FROM hidden;
-- a foreign key to a partition, and one to a table that inherits
CREATE TABLE lf (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE lf1 PARTITION OF lf FOR VALUES FROM (0) TO (10);
CREATE TABLE kid (lf int REFERENCES lf1 ON DELETE CASCADE);
CREATE TABLE ih (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE ihk (PRIMARY KEY (id)) INHERITS (ih);
CREATE TABLE ihf (ih int REFERENCES ihk ON DELETE CASCADE);
SELECT kints_soft_delete_enable('lf'), kints_soft_delete_enable('ih'), kints_soft_delete_enable('ihk');
INSERT INTO lf VALUES (1), (2);
INSERT INTO kid VALUES (1);
INSERT INTO ihk VALUES (1), (2);
INSERT INTO ihf VALUES (1);
DELETE FROM lf;
DELETE FROM ih;
CALL kints_purge('lf', '-1 day');
CALL kints_purge('ih', '-1 day');
SELECT (SELECT string_agg(id::text, ',') FROM lf), (SELECT string_agg(id::text, ',') FROM ih), (SELECT count(*) FROM kid), (SELECT count(*) FROM ihf);
-- who may not look into the schema of the extension deletes nevertheless
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
SET ROLE ow_spy;
DELETE FROM ow.p WHERE id = 2;
RESET ROLE;
GRANT USAGE ON SCHEMA public TO PUBLIC;
SELECT id, batch > 0 FROM p WHERE id = 2;
DROP SCHEMA ow CASCADE;
DROP OWNED BY ow_shop, ow_spy, ow_mal;
DROP ROLE ow_shop, ow_spy, ow_mal;
