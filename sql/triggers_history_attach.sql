-- History: what it is enabled with, what that makes, and what is refused.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ha;
SET search_path = ha, public;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE "T t" (id int, part text COLLATE "C", m mood, n numeric(5,2)[], "at" timestamptz, "exclude" int, sys_period tstzrange, PRIMARY KEY (part, id));
SELECT kints_history_enable('"T t"');
\pset tuples_only off
\d "T t"
\d "T t_history"
\sf "T t__as_of"
\sf "T t__between"
\d+ "T t__history"
\pset tuples_only on
SELECT test.fails($$SELECT public.kints_history_enable('ha."T t"')$$);
SELECT kints_history_disable('"T t"');
SELECT count(*) FROM pg_trigger WHERE tgrelid = '"T t"'::regclass;
SELECT to_regprocedure('"T t__as_of"(timestamptz)'), to_regprocedure('"T t__between"(timestamptz, timestamptz)'), to_regclass('"T t__history"'), to_regclass('"T t_history"');
-- one that is there is taken up again, with what is in it
INSERT INTO "T t_history" (id) VALUES (7);
SELECT kints_history_enable('"T t"', exclude => '{exclude,"at"}');
SELECT id FROM "T t__history";
SELECT kints_history_disable('"T t"', true);
SELECT to_regclass('"T t_history"');
SELECT kints_history_enable('"T t"', index => 'brin', clock => 'clock', conflict => 'error', collapse => false);
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = '"T t"'::regclass ORDER BY tgname;
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '"T t_history"'::regclass;
SELECT kints_history_disable('"T t"', true);
SELECT kints_history_enable('"T t"', index => 'gist', exclude => '{m,n}');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '"T t_history"'::regclass;
SELECT kints_history_disable('"T t"', true);
CREATE TABLE two (id int PRIMARY KEY, f timestamptz, u timestamptz);
SELECT kints_history_enable('two', period => 'f', until => 'u');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'two_history'::regclass;
SELECT kints_history_disable('two', true);
-- names that need to be quoted
CREATE TABLE quoted (id int PRIMARY KEY, "a ""b" mood, sys_period tstzrange);
SELECT kints_history_enable('quoted', exclude => ARRAY['a "b']::name[]);
INSERT INTO quoted VALUES (1, 'ok');
UPDATE quoted SET id = 2, "a ""b" = 'sad';
SET search_path = public;
SELECT * FROM ha.quoted__as_of(now() - interval '0') AS q (id, m, p) WHERE false;
SELECT id, "a ""b" FROM ha.quoted__history ORDER BY id;
SET search_path = ha, public;
-- what is there under their names is somebody's
CREATE TABLE mine (id int PRIMARY KEY, sys_period tstzrange);
CREATE FUNCTION mine__as_of(timestamptz) RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT test.fails($$SELECT public.kints_history_enable('ha.mine')$$);
-- who enables it for the table of another gets nothing of it
CREATE ROLE ha_other;
GRANT CREATE, USAGE ON SCHEMA ha TO ha_other;
CREATE TABLE others (id int PRIMARY KEY, sys_period tstzrange);
ALTER TABLE others OWNER TO ha_other;
SELECT kints_history_enable('others');
SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relname LIKE 'others%' AND relkind <> 'i' ORDER BY 1;
SELECT proname, pg_get_userbyid(proowner) FROM pg_proc WHERE proname LIKE 'others%' ORDER BY 1;
INSERT INTO others VALUES (1);
UPDATE others SET id = 2;
SELECT id FROM others_history;
DROP OWNED BY ha_other;
DROP ROLE ha_other;
-- nobody else gets any right to it, whatever the default is
CREATE ROLE ha_app;
CREATE ROLE ha_own;
GRANT USAGE, CREATE ON SCHEMA ha TO ha_own;
GRANT USAGE ON SCHEMA ha, test TO ha_app;
SET ROLE ha_own;
ALTER DEFAULT PRIVILEGES IN SCHEMA ha GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ha_app, PUBLIC;
CREATE TABLE app (id int PRIMARY KEY, a int, sys_period tstzrange);
SELECT kints_history_enable('app');
SELECT relname, relacl FROM pg_class WHERE relnamespace = 'ha'::regnamespace AND relname LIKE 'app%' AND relkind <> 'i' ORDER BY 1;
-- who may change rows makes history, but cannot write it, read it, or end it
SET ROLE ha_app;
INSERT INTO app VALUES (1, 1, '[2000-01-01,2001-01-01)');
UPDATE app SET a = 2, sys_period = '[2000-01-01,2001-01-01)';
DELETE FROM app;
SELECT test.fails('SELECT * FROM ha.app_history');
SELECT test.fails('SELECT * FROM ha.app__history');
SELECT test.fails('SELECT * FROM ha.app__as_of(now())');
SELECT test.fails('INSERT INTO ha.app_history VALUES (1)');
SELECT test.fails('UPDATE ha.app_history SET a = 7');
SELECT test.fails('DELETE FROM ha.app_history');
SELECT test.fails('TRUNCATE ha.app_history');
SELECT test.fails('ALTER TABLE ha.app DISABLE TRIGGER zz_kints_history');
SELECT test.fails('DROP TRIGGER zz_kints_history ON ha.app');
SELECT test.fails('SET session_replication_role = replica');
SELECT test.fails($$SELECT public.kints_history_disable('ha.app')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.app')$$);
SELECT test.fails($$CREATE TRIGGER x AFTER DELETE ON ha.app REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION public.kints_history_delete('history=app_history')$$);
RESET ROLE;
SELECT a, lower(sys_period) > '2020-01-01' AS true_time FROM app_history ORDER BY a;
DROP OWNED BY ha_own, ha_app;
DROP ROLE ha_own, ha_app;
-- wrong use
CREATE TABLE none (id int, sys_period tstzrange);
CREATE TABLE bad (id int PRIMARY KEY, a int, day date, sys_period tsrange, p tstzrange, f timestamptz, short timestamptz(0), g tstzrange GENERATED ALWAYS AS (tstzrange(NULL, NULL)) STORED);
SELECT test.fails($$SELECT public.kints_history_enable('ha.none')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'gone')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'g')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'f', until => 'day')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', until => 'f')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', exclude => '{id}')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', exclude => '{p}')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', exclude => '{gone}')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', exclude => '{a,NULL}')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', clock => 'sand')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', conflict => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'short', until => 'f')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'f', until => 'short')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => 'p', index => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_history_enable('ha.bad', period => NULL)$$);
SELECT test.fails($$SELECT public.kints_history_enable(NULL)$$);
SELECT test.fails($$SELECT public.kints_history_disable('ha.bad')$$);
SELECT test.fails($$SELECT public.kints_history_disable('ha.bad', NULL)$$);
CREATE VIEW v AS SELECT * FROM bad;
SELECT test.fails($$SELECT public.kints_history_enable('ha.v')$$);
DROP SCHEMA ha CASCADE;
