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
-- partitions, and tables that inherit
CREATE TABLE p (id int PRIMARY KEY, a int, sys_period tstzrange) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
SELECT kints_history_enable('p');
ALTER TABLE p ADD b int;
ALTER TABLE p RENAME a TO aa;
ALTER TABLE p RENAME sys_period TO since;
INSERT INTO p VALUES (1, 1);
UPDATE p SET b = 2;
SELECT id, aa, b FROM p__history ORDER BY lower(since);
CREATE TABLE i (id int PRIMARY KEY, a int, sys_period tstzrange);
CREATE TABLE i1 (PRIMARY KEY (id)) INHERITS (i);
SELECT kints_history_enable('i'), kints_history_enable('i1');
ALTER TABLE i ADD b int;
ALTER TABLE i RENAME a TO aa;
SELECT cols('i_history'), cols('i1_history');
INSERT INTO i1 VALUES (1, 1);
UPDATE i SET b = 2;
SELECT id, aa, b FROM i1_history;
-- unless it is not to
SET kints.history_follow = off;
ALTER TABLE i1 ADD c int;
RESET kints.history_follow;
SELECT test.fails('UPDATE hf.i1 SET c = 1');
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
DROP OWNED BY hf_reader;
DROP ROLE hf_reader;
