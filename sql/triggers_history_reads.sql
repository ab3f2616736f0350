-- Rows as they were: at a time, between two, and all versions.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hr;
SET search_path = hr, public;
CREATE TABLE t (gone int, id int PRIMARY KEY, at int, since text, "un til" int, sys_period tstzrange);
ALTER TABLE t DROP COLUMN gone;
CREATE TABLE u (id int PRIMARY KEY, at int, f timestamptz, "t ill" timestamptz, secret text);
SELECT kints_history_enable('t'), kints_history_enable('u', period => 'f', until => 't ill', exclude => '{secret}');
CREATE TABLE moments (n serial, m timestamptz);
INSERT INTO moments (m) VALUES (now());
INSERT INTO t VALUES (1, 1, 'a', 1), (2, 1, 'a', 1);
INSERT INTO u VALUES (1, 1, NULL, NULL, 's'), (2, 1, NULL, NULL, NULL);
INSERT INTO moments (m) VALUES (clock_timestamp());
UPDATE t SET at = 2;
UPDATE u SET at = 2;
INSERT INTO moments (m) VALUES (clock_timestamp());
DELETE FROM t WHERE id = 2;
DELETE FROM u WHERE id = 2;
INSERT INTO t VALUES (3, 9, 'c', 3);
INSERT INTO u VALUES (3, 9);
INSERT INTO moments (m) VALUES (clock_timestamp());
SELECT n, (SELECT string_agg(id || '=' || at || since || "un til", ' ' ORDER BY id) FROM t__as_of(m)) AS t,
	(SELECT string_agg(id || '=' || at || coalesce(secret, ''), ' ' ORDER BY id) FROM u__as_of(m)) AS u FROM moments ORDER BY n;
SELECT a.n, b.n, (SELECT string_agg(id || '=' || at, ' ' ORDER BY id, at) FROM t__between(a.m, b.m)) AS t,
	(SELECT string_agg(id || '=' || at, ' ' ORDER BY id, at) FROM u__between(a.m, b.m)) AS u
	FROM moments AS a, moments AS b WHERE a.n < b.n ORDER BY 1, 2;
SELECT string_agg(id || '=' || at, ' ' ORDER BY id, at) FROM t__history;
SELECT string_agg(id || '=' || at || coalesce(secret, ''), ' ' ORDER BY id, at) FROM u__history;
SELECT (SELECT count(*) FROM t__between(NULL, NULL)), (SELECT count(*) FROM u__between(NULL, NULL)),
	(SELECT count(*) FROM t__between(m, m)), (SELECT count(*) FROM u__between(m, m)) FROM moments WHERE n = 2;
-- the planner sees through them
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT at FROM t__as_of('2020-01-01') WHERE id = 1;
EXPLAIN (COSTS OFF) SELECT at FROM u__between('2020-01-01', '2021-01-01') WHERE id = 1;
EXPLAIN (COSTS OFF) SELECT at FROM t__history WHERE id = 1;
RESET enable_seqscan;
-- a table that inherits from its history
CREATE TABLE of_both (id int, v int, sys_period tstzrange);
CREATE TABLE now_only (PRIMARY KEY (id)) INHERITS (of_both);
SELECT kints_history_enable('now_only', history => 'of_both');
INSERT INTO now_only VALUES (1, 1);
UPDATE now_only SET v = 2;
SELECT v FROM now_only__history ORDER BY v;
SELECT v FROM now_only__as_of(now());
SELECT v FROM now_only__between(NULL, NULL) ORDER BY v;
SELECT v FROM of_both ORDER BY v;
-- types of others, of the same names
CREATE DOMAIN hr.timestamptz AS text;
CREATE TABLE named (id int PRIMARY KEY, sys_period tstzrange);
GRANT SELECT ON named TO PUBLIC;
SET search_path = hr, pg_catalog, public;
SELECT kints_history_enable('named');
GRANT SELECT ON named__history TO PUBLIC;
ALTER TABLE named ADD v int;
SET search_path = hr, public;
SELECT proname, proargtypes::regtype[] FROM pg_proc WHERE proname LIKE 'named!_!_%' ESCAPE '!' ORDER BY 1;
SELECT relacl IS NOT NULL AS granted FROM pg_class WHERE oid = 'named__history'::regclass;
DROP DOMAIN hr.timestamptz;
-- with the rights of who asks
CREATE ROLE hr_reader;
GRANT USAGE ON SCHEMA hr, test TO hr_reader;
GRANT SELECT ON t, t__history TO hr_reader;
SET ROLE hr_reader;
SELECT test.fails('SELECT * FROM hr.t__history');
SELECT test.fails('SELECT * FROM hr.t__as_of(now())');
RESET ROLE;
GRANT SELECT ON t_history TO hr_reader;
SET ROLE hr_reader;
SELECT count(*) FROM t__history;
SELECT count(*) FROM t__as_of(now());
RESET ROLE;
DROP OWNED BY hr_reader;
DROP ROLE hr_reader;
-- a name that is as long as can be
CREATE TABLE this_name_is_as_long_as_a_name_can_be_in_postgresql_and_no_longer (id int PRIMARY KEY, sys_period tstzrange);
SELECT kints_history_enable('this_name_is_as_long_as_a_name_can_be_in_postgresql_and_no_longer');
SELECT relname FROM pg_class WHERE relname LIKE 'this%' ORDER BY 1;
SELECT proname FROM pg_proc WHERE proname LIKE 'this%' ORDER BY 1;
SELECT kints_history_disable('this_name_is_as_long_as_a_name_can_be_in_postgresql_and_no_longer', true);
SELECT relname FROM pg_class WHERE relname LIKE 'this%' ORDER BY 1;
SELECT proname FROM pg_proc WHERE proname LIKE 'this%' ORDER BY 1;
-- and without them
SELECT kints_history_disable('t');
DROP SCHEMA hr CASCADE;
