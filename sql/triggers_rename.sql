-- A column is renamed that triggers name in their arguments.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA rn;
SET search_path = rn, public;
CREATE FUNCTION args(tbl regclass) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT tgname || ': ' || replace(encode(tgargs, 'escape'), '\000', ' ') FROM pg_trigger WHERE tgrelid = tbl AND NOT tgisinternal ORDER BY tgname $$;
CREATE TABLE t (id int, v int DEFAULT 1, "Touched" timestamptz, other text) PARTITION BY LIST (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
SELECT kints_version_enable('t', 'v', touch => 'Touched');
ALTER TABLE t RENAME v TO "v of it";
ALTER TABLE t RENAME "Touched" TO touched;
ALTER TABLE t RENAME other TO v;
SELECT args('t');
SELECT args('t1');
INSERT INTO t VALUES (1);
UPDATE t SET v = 'x' RETURNING "v of it", touched IS NOT NULL;
-- rolled back, and in a function
BEGIN;
ALTER TABLE t RENAME touched TO nothing;
ROLLBACK;
DO $$ BEGIN ALTER TABLE rn.t RENAME touched TO again; END $$;
UPDATE t SET v = 'y' RETURNING "v of it", again IS NOT NULL;
-- triggers of others are theirs
CREATE TABLE o (id int PRIMARY KEY, v int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER f BEFORE UPDATE ON o FOR EACH ROW EXECUTE FUNCTION f('column=v', 'exclude=v');
ALTER TABLE o RENAME v TO w;
SELECT args('o');
-- no more than the name of a column, and the whole of it
CREATE TABLE n (id int PRIMARY KEY, tx int DEFAULT 1, adjust text, txx text, sys_period tstzrange);
SELECT kints_version_enable('n', 'tx'), kints_history_enable('n', exclude => '{adjust,txx}');
ALTER TABLE n RENAME tx TO vers;
ALTER TABLE n RENAME adjust TO "Ad, just";
SELECT args('n');
INSERT INTO n VALUES (1);
UPDATE n SET id = 2 RETURNING vers;
DROP SCHEMA rn CASCADE;
