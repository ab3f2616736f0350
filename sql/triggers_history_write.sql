-- Into which table old rows are written, whatever that is, and into which not.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hw;
SET search_path = hw, public;
CREATE TABLE t (gone int, id int PRIMARY KEY, a int, b text COLLATE "C", arr int[], sys_period tstzrange);
ALTER TABLE t DROP COLUMN gone;
-- columns in another order, more of them, and what a row there has to be
CREATE TABLE old (sys_period tstzrange, arr int[], extra int DEFAULT 5, b text, a int CHECK (a < 100), twice int GENERATED ALWAYS AS (a * 2) STORED, id int);
SELECT kints_history_enable('t', 'old');
INSERT INTO t VALUES (1, 1, 'b', '{1,2}'), (2, 200, NULL, NULL);
UPDATE t SET a = 2 WHERE id = 1;
DELETE FROM t WHERE id = 1;
SELECT id, a, b, arr, extra, twice, upper_inf(sys_period) FROM old ORDER BY lower(sys_period);
SELECT split_part(test.fails('UPDATE hw.t SET a = 3 WHERE id = 2'), E'\n', 1);
SELECT kints_history_disable('t');
-- with triggers of its own, and indexes
CREATE TABLE seen (id int PRIMARY KEY, a int, sys_period tstzrange);
CREATE TABLE seen_history (id int, a int, sys_period tstzrange, EXCLUDE USING gist (sys_period WITH &&));
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '% % %', TG_WHEN, TG_OP, NEW.a; RETURN NEW; END $$;
SELECT kints_history_enable('seen');
INSERT INTO seen VALUES (1, 1);
CREATE TRIGGER b BEFORE INSERT ON seen_history FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER a AFTER INSERT ON seen_history FOR EACH ROW EXECUTE FUNCTION tell();
UPDATE seen SET a = 2;
-- many rows, by triggers that keep something for the next one, and change others meanwhile
CREATE TABLE noted (id int, a int, sys_period tstzrange, PRIMARY KEY (id, a));
SELECT kints_history_enable('noted');
INSERT INTO noted VALUES (0, 0);
INSERT INTO seen SELECT i, 0 FROM generate_series(2, 5) AS i;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = hw AS $$ BEGIN
	INSERT INTO noted VALUES (NEW.id, NEW.a);
	UPDATE noted SET id = id WHERE a = NEW.a;
	UPDATE noted SET a = a - 1 WHERE id = 0;
	RETURN NEW; END $$;
DROP TRIGGER b ON seen_history;
DROP TRIGGER a ON seen_history;
CREATE TRIGGER b BEFORE INSERT ON seen_history FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE seen_history DROP CONSTRAINT seen_history_sys_period_excl;
UPDATE seen SET a = a + 10 WHERE id > 1;
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE hw.seen SET a = a + 1 WHERE id = 1 AND NEW.id > 1; RETURN NULL; END $$;
CREATE TRIGGER a AFTER INSERT ON seen_history FOR EACH ROW EXECUTE FUNCTION again();
DELETE FROM noted WHERE id > 0;
UPDATE seen SET a = a + 100 WHERE id > 1;
SELECT count(*), count(DISTINCT id) FROM seen_history;
SELECT count(*) FROM noted;
TRUNCATE seen_history;
ALTER TABLE seen_history ADD EXCLUDE USING gist (sys_period WITH &&);
DROP TRIGGER a ON seen_history;
DROP TRIGGER b ON seen_history;
INSERT INTO seen_history VALUES (7, 7, tstzrange(clock_timestamp(), NULL));
SELECT split_part(test.fails('UPDATE hw.seen SET a = 3'), E'\n', 1);
-- one that has partitions, by the time
CREATE TABLE parts (id int PRIMARY KEY, a int, f timestamptz, u timestamptz);
CREATE TABLE parts_history (id int, a int, f timestamptz, u timestamptz) PARTITION BY RANGE (u);
CREATE TABLE parts_new PARTITION OF parts_history FOR VALUES FROM ('2020-01-01') TO ('2200-01-01');
CREATE TABLE parts_old (u timestamptz, f timestamptz, id int, a int);
ALTER TABLE parts_history ATTACH PARTITION parts_old FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
SELECT kints_history_enable('parts', period => 'f', until => 'u', index => 'none');
INSERT INTO parts VALUES (1, 1), (2, 1);
UPDATE parts SET a = 2;
DELETE FROM parts;
SELECT tableoid::regclass, id, a FROM parts_history ORDER BY id, a;
-- in another schema
CREATE SCHEMA "hw Old";
CREATE TABLE far (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT kints_history_enable('far', '"hw Old"."far ""old"""');
INSERT INTO far VALUES (1, 1);
UPDATE far SET a = 2;
SELECT id, a FROM "hw Old"."far ""old""";
-- a table that does not fit, or not any more
CREATE TABLE n (id int PRIMARY KEY, a int, sys_period tstzrange);
CREATE TABLE less (id int, sys_period tstzrange);
CREATE TABLE other (id bigint, a int, sys_period tstzrange);
CREATE VIEW v AS SELECT * FROM n;
SELECT test.fails($$SELECT public.kints_history_enable('hw.n', 'less')$$);
SELECT test.fails($$SELECT public.kints_history_enable('hw.n', 'other')$$);
SELECT test.fails($$SELECT public.kints_history_enable('hw.n', 'v')$$);
SELECT test.fails($$SELECT public.kints_history_enable('hw.n', 'nowhere.x')$$);
SELECT kints_history_enable('n', 'less', exclude => '{a}');
INSERT INTO n VALUES (1, 1);
ALTER TABLE less RENAME TO lesser;
SELECT test.fails('UPDATE hw.n SET id = 2');
SELECT test.fails('DELETE FROM hw.n');
SELECT test.fails('TRUNCATE hw.n');
-- precision, and a table that is its own
CREATE TABLE len (id int PRIMARY KEY, s varchar(20), n numeric, sys_period tstzrange);
CREATE TABLE len_history (id int, s varchar(3), n numeric, sys_period tstzrange);
SELECT test.fails($$SELECT public.kints_history_enable('hw.len')$$);
ALTER TABLE len_history ALTER s TYPE varchar, ALTER n TYPE numeric(4,1);
SELECT test.fails($$SELECT public.kints_history_enable('hw.len')$$);
SELECT test.fails($$SELECT public.kints_history_enable('hw.len', 'len')$$);
ALTER TABLE len_history ALTER n TYPE numeric;
SELECT kints_history_enable('len');
-- it has to belong to whom the table belongs to
CREATE ROLE hw_mal;
GRANT USAGE, CREATE ON SCHEMA hw TO hw_mal;
GRANT USAGE ON SCHEMA test TO hw_mal;
CREATE TABLE victim (id int, a int, sys_period tstzrange);
SET ROLE hw_mal;
CREATE TABLE mine (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT test.fails($$SELECT public.kints_history_enable('hw.mine', 'victim')$$);
INSERT INTO mine VALUES (1, 1, '[2020-01-01,)');
CREATE TRIGGER s BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION kints_history_stamp('history=victim');
SELECT test.fails('UPDATE hw.mine SET a = 2');
RESET ROLE;
DROP OWNED BY hw_mal;
DROP ROLE hw_mal;
DROP SCHEMA hw, "hw Old" CASCADE;
