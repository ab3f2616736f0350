-- Which statement changes a row: a DELETE, an UPDATE that moves it, a foreign key.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ru;
SET search_path = ru, public;
CREATE TABLE p (id int, part int, deleted_at timestamptz, batch bigint) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	SET LOCAL kints.soft_delete = off;
	DELETE FROM ru.p;
	INSERT INTO ru.p SELECT i, 1 FROM generate_series(1, 6) AS i;
END $$;
CREATE VIEW now_there AS SELECT tableoid::regclass AS part, string_agg(id || CASE WHEN deleted_at IS NULL THEN '' ELSE '-' END, ',' ORDER BY id) FROM p GROUP BY 1 ORDER BY 1;
SELECT kints_soft_delete_enable('p', batch => 'batch');
SELECT fill();
-- moved, by whatever way, and deleted
UPDATE p SET part = 2 WHERE id = 1;
WITH m AS (UPDATE p SET part = 2 WHERE id = 2) SELECT 1;
MERGE INTO p USING (VALUES (3, 2)) AS v (id, part) ON v.id = p.id WHEN MATCHED THEN UPDATE SET part = v.part;
MERGE INTO p USING (VALUES (4, 0)) AS v (id, part) ON v.id = p.id
	WHEN MATCHED AND v.part > 0 THEN UPDATE SET batch = 7 WHEN MATCHED THEN DELETE;
SELECT test.fails('MERGE INTO ru.p USING (VALUES (3, 1), (5, 0)) AS v (id, part) ON v.id = p.id
	WHEN MATCHED AND v.part > 0 THEN UPDATE SET part = v.part WHEN MATCHED THEN DELETE');
DO $$ BEGIN UPDATE ru.p SET part = 2 WHERE id = 5; DELETE FROM ru.p WHERE id = 6; END $$;
SELECT * FROM now_there;
-- in the first statement of a session
SELECT fill();
\c -
SET search_path = ru, public;
UPDATE p SET part = 2 WHERE id = 1;
\c -
SET search_path = ru, public;
DELETE FROM p WHERE id = 2;
\c -
SET search_path = ru, public;
WITH d AS (DELETE FROM p WHERE id = 3) SELECT 1;
\c -
SET search_path = ru, public;
WITH d AS (UPDATE p SET part = 2 WHERE id = 4 RETURNING id) SELECT * FROM d;
\c -
SET search_path = ru, public;
MERGE INTO p USING (VALUES (5)) AS v (id) ON v.id = p.id WHEN MATCHED THEN DELETE;
SELECT * FROM now_there;
-- where it is not known what it is, it is not guessed
\c -
SELECT test.fails('UPDATE ru.p SET part = 2 WHERE id = 6');
DO $$ BEGIN UPDATE ru.p SET part = 2 WHERE id = 6; END $$;
SET search_path = ru, public;
SELECT * FROM now_there;
-- it is not the statement that the client has sent
SELECT fill();
CREATE TABLE o (id int);
CREATE FUNCTION del() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM ru.p WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER del AFTER INSERT ON o FOR EACH ROW EXECUTE FUNCTION del();
\c -
INSERT INTO ru.o VALUES (1);
INSERT INTO ru.o VALUES (1);
\c -
WITH d AS (DELETE FROM ru.p WHERE id = 2) UPDATE ru.p SET part = 2 WHERE id = 3;
WITH d AS (DELETE FROM ru.p WHERE id = 2) UPDATE ru.p SET part = 2 WHERE id = 3;
SET search_path = ru, public;
SELECT * FROM now_there;
-- a table that is divided by whether its rows are deleted
CREATE TABLE q (id int, deleted_at timestamptz) PARTITION BY LIST ((deleted_at IS NULL));
CREATE TABLE q_live PARTITION OF q FOR VALUES IN (true);
CREATE TABLE q_gone PARTITION OF q FOR VALUES IN (false);
SELECT kints_soft_delete_enable('q');
INSERT INTO q VALUES (1), (2), (3);
DELETE FROM q WHERE id = 1 RETURNING id;
WITH d AS (DELETE FROM q WHERE id = 2) SELECT 1;
SELECT tableoid::regclass, id FROM q ORDER BY id;
\c -
SET search_path = ru, public;
DELETE FROM q WHERE id = 3;
DELETE FROM q WHERE id = 3;
INSERT INTO q VALUES (4);
SELECT test.fails('MERGE INTO ru.q USING (VALUES (4)) AS v (id) ON v.id = q.id WHEN MATCHED THEN DELETE');
SELECT tableoid::regclass, id FROM q ORDER BY id;
-- nobody can pass for a foreign key, not even in the trigger of one
CREATE TABLE victim (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE fk (id int PRIMARY KEY);
CREATE TABLE fr (id int REFERENCES fk ON DELETE CASCADE);
SELECT kints_soft_delete_enable('victim');
INSERT INTO victim VALUES (1), (2), (3);
INSERT INTO fk VALUES (1), (2);
INSERT INTO fr VALUES (1), (2);
CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE 'DELETE FROM ru.victim WHERE $1 OPERATOR(pg_catalog.=) id' USING OLD.id;
	RETURN OLD; END $$;
CREATE TRIGGER evil BEFORE DELETE ON fr FOR EACH ROW EXECUTE FUNCTION evil();
DELETE FROM fk WHERE id = 1;
\c -
DELETE FROM ru.fk WHERE id = 2;
DELETE FROM ru.fk WHERE id = 2;
SET search_path = ru, public;
SELECT id, deleted_at IS NOT NULL FROM victim ORDER BY id;
-- a key whose columns the server has to cast
CREATE TABLE country (code varchar(2) PRIMARY KEY);
CREATE TABLE city (id int PRIMARY KEY, code varchar(2) REFERENCES country ON DELETE CASCADE ON UPDATE CASCADE, deleted_at timestamptz, version int NOT NULL DEFAULT 1);
SELECT kints_soft_delete_enable('city'), kints_version_enable('city', mode => 'require');
INSERT INTO country VALUES ('a'), ('b');
INSERT INTO city VALUES (1, 'a'), (2, 'b');
UPDATE country SET code = 'c' WHERE code = 'b';
DELETE FROM country WHERE code = 'a';
SELECT id, code, version FROM city;
-- errors leave nothing behind
CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz CHECK (id < 3 OR deleted_at IS NULL));
CREATE TABLE r (t int REFERENCES t ON DELETE CASCADE, deleted_at timestamptz);
SELECT kints_soft_delete_enable('t'), kints_soft_delete_enable('r');
INSERT INTO t VALUES (1), (2), (3);
INSERT INTO r VALUES (1), (2), (3);
SELECT split_part(test.fails('DELETE FROM ru.t WHERE id = 3'), E'\n', 1);
SELECT split_part(test.fails('WITH d AS (DELETE FROM ru.t WHERE id = 3) SELECT 1'), E'\n', 1);
DELETE FROM t WHERE id = 2;
SELECT id, deleted_at IS NULL FROM t ORDER BY id;
-- for a foreign key it goes for good, and with the row that it refers to
ALTER TABLE t DISABLE TRIGGER kints_soft_delete;
DELETE FROM t WHERE id < 3;
SELECT t FROM r;
-- an action of a foreign key counts a version up, and what its triggers do has to say it
CREATE TABLE v (id int PRIMARY KEY);
CREATE TABLE w (v int REFERENCES v ON UPDATE CASCADE, version int NOT NULL DEFAULT 1);
CREATE TABLE x (id int, version int NOT NULL DEFAULT 1);
SELECT kints_version_enable('w', mode => 'require'), kints_version_enable('x', mode => 'require');
INSERT INTO v VALUES (1);
INSERT INTO w VALUES (1);
INSERT INTO x VALUES (1);
UPDATE v SET id = 2;
SELECT * FROM w;
CREATE FUNCTION blind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE ru.x SET id = id + 1; RETURN NULL; END $$;
CREATE TRIGGER blind AFTER UPDATE ON w FOR EACH ROW EXECUTE FUNCTION blind();
SELECT test.fails('UPDATE ru.v SET id = 3');
SET client_min_messages = warning;
-- a foreign table keeps no rows by a trigger
CREATE FOREIGN DATA WRAPPER ru_none;
CREATE SERVER ru_none FOREIGN DATA WRAPPER ru_none;
CREATE FOREIGN TABLE far (id int, deleted_at timestamptz) SERVER ru_none;
SELECT test.fails($$SELECT public.kints_soft_delete_enable('ru.far')$$);
CREATE EXTENSION postgres_fdw;
DO $$ BEGIN
	EXECUTE format('CREATE SERVER ru_self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
		current_setting('unix_socket_directories'), current_setting('port'), current_database());
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER ru_self;
CREATE FOREIGN TABLE near (id int, deleted_at timestamptz) SERVER ru_self OPTIONS (schema_name 'ru', table_name 'victim');
CREATE TRIGGER kints_soft_delete BEFORE DELETE ON near FOR EACH ROW EXECUTE FUNCTION kints_soft_delete();
\c -
DELETE FROM ru.near WHERE id = 3;
DELETE FROM ru.near WHERE id = 3;
SET search_path = ru, public;
SELECT id, deleted_at IS NOT NULL FROM victim ORDER BY id;
DROP FOREIGN TABLE near;
SET client_min_messages = warning;
DROP EXTENSION postgres_fdw CASCADE;
-- TRUNCATE of a partition
SELECT test.fails('TRUNCATE ru.p1');
BEGIN;
SET LOCAL kints.soft_delete = off;
TRUNCATE p1;
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA ru CASCADE;
DROP FOREIGN DATA WRAPPER ru_none CASCADE;
