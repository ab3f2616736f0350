-- A history follows its table when that is altered.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hf;
SET search_path = hf, public;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, secret text, sys_period tstzrange);
SELECT kints_history_enable('t', exclude => '{secret}');
CREATE ROLE hf_reader;
GRANT USAGE ON SCHEMA hf TO hf_reader;
GRANT SELECT ON t, t_history TO hf_reader;
GRANT SELECT ON t__history TO hf_reader WITH GRANT OPTION;
REVOKE ALL ON FUNCTION t__as_of(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION t__as_of(timestamptz) TO hf_reader;
CREATE FUNCTION cols(tbl regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = tbl AND attnum > 0 AND NOT attisdropped $$;
CREATE FUNCTION rights() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT relacl::text FROM pg_class WHERE oid = 'hf.t__history'::regclass
	UNION ALL SELECT proacl::text FROM pg_proc WHERE oid = 'hf.t__as_of(timestamptz)'::regprocedure
	UNION ALL SELECT coalesce(proacl::text, 'as ever') FROM pg_proc WHERE oid = 'hf.t__between(timestamptz,timestamptz)'::regprocedure $$;
INSERT INTO t VALUES (1, 1, 'one');
UPDATE t SET a = 2;
SELECT rights();
-- columns that are added, renamed, get another type, and are dropped
ALTER TABLE t ADD COLUMN c numeric(8,2) NOT NULL DEFAULT 5 CHECK (c > 0), ADD COLUMN IF NOT EXISTS a int, ADD d text COLLATE "C" UNIQUE;
SELECT cols('t_history');
UPDATE t SET c = 6;
ALTER TABLE t RENAME COLUMN b TO body;
SELECT cols('t_history');
ALTER TABLE t ALTER COLUMN a TYPE text USING 'a' || a, ALTER c TYPE numeric(10,3);
SELECT cols('t_history');
UPDATE t SET body = 'two';
ALTER TABLE t DROP COLUMN c;
UPDATE t SET body = 'three';
SELECT cols('t_history');
SELECT a, body, c FROM t_history ORDER BY lower(sys_period);
SELECT a, body, d FROM t__history ORDER BY lower(sys_period);
SELECT a, body FROM t__as_of(now());
SELECT rights();
-- one that has the name of another that is gone
ALTER TABLE t ADD c date;
SELECT cols('t_history');
UPDATE t SET c = '2020-01-01';
UPDATE t SET c = '2020-01-02';
ALTER TABLE t DROP COLUMN c, ADD COLUMN c int;
UPDATE t SET c = 3;
SELECT cols('t_history');
SELECT c_1 IS NOT NULL, c_2 IS NOT NULL, c FROM t_history ORDER BY lower(sys_period);
-- columns that triggers name
ALTER TABLE t ADD v int DEFAULT 1, ADD gone timestamptz, ADD who text, ADD batch bigint, ADD at timestamptz, ADD day date;
SELECT kints_version_enable('t', 'v', touch => 'at'), kints_soft_delete_enable('t', 'gone', 'who', 'batch'), kints_touch_enable('t', 'day');
ALTER TABLE t RENAME v TO "Ver's";
ALTER TABLE t RENAME gone TO deleted;
ALTER TABLE t RENAME who TO deleter;
ALTER TABLE t RENAME batch TO "number";
ALTER TABLE t RENAME at TO "a t";
ALTER TABLE t RENAME day TO "d""y";
ALTER TABLE t RENAME sys_period TO since;
ALTER TABLE t RENAME secret TO "Se ""cret";
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal ORDER BY tgname;
UPDATE t SET body = 'four', "Se ""cret" = 's';
DELETE FROM t;
SELECT body, "Ver's", "a t" IS NOT NULL AS at, "d""y" = current_date AS day, deleted IS NOT NULL AS deleted, deleter = current_user AS by_me, number > 0 AS batch FROM t;
SELECT count(*) FROM t__history WHERE since @> now();
-- another name, and another schema
ALTER TABLE t RENAME TO "T t";
SELECT body FROM "T t__as_of"(now());
SELECT to_regclass('t__history'), to_regprocedure('t__as_of(timestamptz)'), to_regclass('"T t__history"');
CREATE SCHEMA hf_other;
ALTER TABLE "T t" SET SCHEMA hf_other;
SELECT to_regclass('hf."T t__history"'), to_regclass('hf_other."T t__history"'), to_regclass('hf_other.t_history');
UPDATE hf_other."T t" SET body = 'five';
SELECT count(*) > 5 FROM hf_other."T t__history";
-- what is rolled back is as it was; what fails leaves it alone
CREATE TABLE u (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT kints_history_enable('u');
BEGIN;
ALTER TABLE u DROP COLUMN a;
ROLLBACK;
SELECT cols('u__history'), cols('u_history');
ALTER TABLE u ALTER a TYPE date USING 'x';
SELECT cols('u__history'), cols('u_history');
DO $$ BEGIN ALTER TABLE hf.u ALTER a TYPE date USING 'x'; EXCEPTION WHEN OTHERS THEN ALTER TABLE hf.u ADD b int; END $$;
SELECT cols('u__history'), cols('u_history');
-- other statements are none of its business
ALTER TABLE u SET (fillfactor = 70), ALTER a SET NOT NULL;
ALTER TABLE u ADD CHECK (a > 0);
ALTER TABLE IF EXISTS nothing ADD a int;
-- somebody's view upon it is in the way, as of any view
CREATE VIEW upon AS SELECT id FROM u__history;
SELECT test.fails('ALTER TABLE hf.u ADD c int');
DROP VIEW upon;
-- partitions, whose history is altered once, and which have nothing to be read by
CREATE TABLE p (id int PRIMARY KEY, a int, sys_period tstzrange) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
SELECT kints_history_enable('p');
INSERT INTO p VALUES (1, 100), (11, 100);
UPDATE p SET a = a + 1;
ALTER TABLE p ADD b int;
ALTER TABLE p RENAME a TO aa;
ALTER TABLE p RENAME sys_period TO since;
ALTER TABLE p ALTER aa TYPE numeric USING aa / 10.0;
UPDATE p SET b = 2;
SELECT cols('p_history');
SELECT id, round(aa, 1), b FROM p__history ORDER BY id, lower(since);
ALTER TABLE p1 RENAME TO p1_old;
ALTER TABLE p1_old RENAME CONSTRAINT p1_pkey TO p1_key;
SELECT to_regclass('p1_old__history'), to_regclass('p1__history');
DROP TABLE p1_old;
-- tables that inherit, each with its own
CREATE TABLE i (id int PRIMARY KEY, a int, sys_period tstzrange);
CREATE TABLE i1 (b date, PRIMARY KEY (id)) INHERITS (i);
SELECT kints_history_enable('i'), kints_history_enable('i1');
INSERT INTO i1 VALUES (1, 1, NULL, '2020-01-01');
UPDATE i SET a = 2;
ALTER TABLE i ADD c int;
ALTER TABLE i RENAME a TO aa;
ALTER TABLE i ADD b date;
SELECT cols('i_history'), cols('i1_history');
UPDATE i SET c = 2;
SELECT id, aa, b, c FROM i1_history ORDER BY lower(sys_period);
SELECT id, aa, b, c FROM i1__as_of(now());
ALTER TABLE i DROP COLUMN c;
CREATE TABLE j (id int, a int);
CREATE TABLE j1 (sys_period tstzrange, PRIMARY KEY (id)) INHERITS (j);
SELECT kints_history_enable('j1');
ALTER TABLE j ADD c int;
ALTER TABLE j ALTER a TYPE text;
INSERT INTO j1 VALUES (1, 'x');
UPDATE j SET c = 1;
SELECT cols('j1_history'), (SELECT count(*) FROM j1__history);
-- old rows that cannot get another type keep what they have, and a name that is free again is taken
CREATE TABLE k (id int PRIMARY KEY, a text, b int, sys_period tstzrange);
SELECT kints_history_enable('k');
INSERT INTO k VALUES (1, 'abc');
UPDATE k SET a = '1';
SET client_min_messages = notice;
ALTER TABLE k ALTER a TYPE int USING a::int;
SET client_min_messages = warning;
UPDATE k SET a = 2;
SELECT a, a_1 FROM k_history ORDER BY lower(sys_period);
ALTER TABLE k DROP b;
ALTER TABLE k RENAME a TO b;
SELECT cols('k_history');
ALTER TABLE k ADD COLUMN b date, DROP COLUMN b;
SELECT cols('k_history');
UPDATE k SET b = '2020-01-01';
-- one statement fails, and another one stands where it stood
DO $$ DECLARE n text; BEGIN
	FOREACH n IN ARRAY '{k,u,i,j,k,u,i,j}'::text[] LOOP
		BEGIN
			EXECUTE format('ALTER TABLE hf.%I ADD COLUMN id int', n);
		EXCEPTION WHEN duplicate_column THEN
			EXECUTE format('ALTER TABLE hf.%I ADD COLUMN IF NOT EXISTS id int', n);
		END;
	END LOOP; END $$;
SELECT cols('k__history');
-- another owner, in whose schema it may be made
CREATE ROLE hf_owner;
GRANT USAGE, CREATE ON SCHEMA hf TO hf_owner;
ALTER TABLE k OWNER TO hf_owner;
SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relname ~ '^k_*(history)?$' AND relkind <> 'i' ORDER BY 1;
UPDATE k SET b = '2020-01-02';
-- what belongs to others does not follow, nor is it taken away
CREATE TABLE accounts (id int, balance int);
SET ROLE hf_owner;
CREATE TABLE mal (id int PRIMARY KEY, balance int, sys_period tstzrange);
CREATE TRIGGER zz BEFORE INSERT ON mal FOR EACH ROW EXECUTE FUNCTION kints_history_stamp('history=accounts');
RESET ROLE;
CREATE VIEW mal__history AS SELECT 1 AS mine;
ALTER TABLE mal ADD x int;
ALTER TABLE mal RENAME balance TO b;
SELECT cols('accounts'), (SELECT mine FROM mal__history);
-- what else has columns
CREATE TYPE comp AS (a int);
CREATE INDEX idx ON u ((a + 1));
ALTER TABLE comp RENAME COLUMN a TO b;
ALTER TABLE idx RENAME COLUMN expr TO e;
CREATE TABLE i2 (id int PRIMARY KEY, sys_period tstzrange);
SELECT kints_history_enable('i2');
INSERT INTO i2 VALUES (1);
-- unless it is not to
SET kints.history_follow = off;
ALTER TABLE i2 ADD c int;
RESET kints.history_follow;
SELECT test.fails('UPDATE hf.i2 SET c = 1');
-- the period cannot go, nor a foreign table be a history
SELECT test.fails('ALTER TABLE hf.i2 DROP sys_period');
CREATE FOREIGN DATA WRAPPER hf_none;
CREATE SERVER hf_none FOREIGN DATA WRAPPER hf_none;
CREATE FOREIGN TABLE far (id int, sys_period tstzrange) SERVER hf_none;
CREATE TABLE i3 (id int PRIMARY KEY, sys_period tstzrange);
SELECT test.fails($$SELECT public.kints_history_enable('hf.i3', history => 'far')$$);
DROP FOREIGN DATA WRAPPER hf_none CASCADE;
-- a history that is gone
DROP TABLE i2_history CASCADE;
ALTER TABLE i2 ADD d int;
SELECT test.fails('UPDATE hf.i2 SET d = 1');
-- what is planned is done once, and both ways
CREATE SCHEMA hf_plan;
SET search_path = hf_plan, public;
SELECT count(*) FROM kints_apply($$CREATE TABLE t (id int PRIMARY KEY, a int, sys_period tstzrange); SELECT kints_history_enable('t')$$);
INSERT INTO t VALUES (1, 1);
UPDATE t SET a = 2;
SELECT sql FROM kints_apply($$CREATE TABLE t (id int PRIMARY KEY, b bigint, sys_period tstzrange, c text); SELECT kints_history_enable('t')$$,
	'{"renames": {"hf_plan.t.a": "b", "hf_plan.t_history.a": "b"}}') WHERE sql LIKE 'ALTER TABLE%';
UPDATE t SET c = 'x';
SELECT id, b, c FROM t__history ORDER BY lower(sys_period);
SELECT count(*) FROM kints_rollback(1, '{"allow": "all"}');
UPDATE t SET a = 9;
SELECT id, a FROM t__history ORDER BY lower(sys_period);
DELETE FROM kints.schema_migrations;
-- who does not own it
SET ROLE hf_reader;
ALTER TABLE hf.u ADD d int;
RESET ROLE;
SELECT test.fails('SELECT public.kints_history_follow()');
DROP SCHEMA hf, hf_other, hf_plan CASCADE;
DROP OWNED BY hf_reader, hf_owner;
DROP ROLE hf_reader, hf_owner;
