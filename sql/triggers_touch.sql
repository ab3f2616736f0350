-- The time of the last change.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA tt;
SET search_path = tt, public;
CREATE TABLE t (a int, updated_at timestamptz);
INSERT INTO t VALUES (1, '2000-01-01');
SELECT kints_touch_enable('t');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass;
UPDATE t SET a = 2 RETURNING updated_at = now();
UPDATE t SET updated_at = '2000-01-01' RETURNING updated_at = now();
SELECT kints_touch_disable('t');
UPDATE t SET updated_at = '2000-01-01' RETURNING updated_at = '2000-01-01';
-- one column as well as another
ALTER TABLE t ADD day date, ADD "Tag" date;
SELECT kints_touch_enable('t', 'day');
SELECT kints_touch_enable('t', 'updated_at');
SELECT kints_touch_enable('t', 'Tag', 'clock');
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t', 'day')$$);
SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY 1;
UPDATE t SET a = 3 RETURNING updated_at = now(), day = current_date, "Tag" = current_date;
SELECT kints_touch_disable('t', 'updated_at');
SELECT test.fails($$SELECT public.kints_touch_disable('tt.t', 'updated_at')$$);
SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY 1;
SELECT kints_touch_disable('t');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass;
SELECT test.fails('SELECT public.kints_touch_disable(NULL)');
SELECT test.fails('SELECT public.kints_touch_enable(NULL)');
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t', NULL)$$);
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t', clock => NULL)$$);
-- once, whoever does it
CREATE TRIGGER byhand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION kints_touch();
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t')$$);
ALTER TABLE t ADD version int;
SELECT test.fails($$SELECT public.kints_version_enable('tt.t', touch => 'updated_at')$$);
SELECT kints_touch_disable('t', 'updated_at');
SELECT kints_version_enable('t', touch => 'updated_at');
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t')$$);
SELECT kints_version_disable('t');
-- the clocks
BEGIN;
SELECT kints_touch_enable('t', clock => 'statement');
UPDATE t SET a = 3 RETURNING updated_at > now(), updated_at = statement_timestamp(), updated_at < clock_timestamp();
SELECT kints_touch_disable('t');
SELECT kints_touch_enable('t', clock => 'clock');
UPDATE t SET a = 3 RETURNING updated_at > statement_timestamp(), updated_at < clock_timestamp();
COMMIT;
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t', 'updated_at', 'sundial')$$);
-- the types, with their precision, and the checks of a domain
SET timezone = 'Asia/Kathmandu';
CREATE DOMAIN before_2000 AS timestamptz(0) CHECK (VALUE < '2000-01-01');
CREATE TABLE types (a timestamptz(0), b timestamp, c timestamp(3), d date, e before_2000);
INSERT INTO types DEFAULT VALUES;
SELECT kints_touch_enable('types', 'a');
UPDATE types SET b = NULL RETURNING a = now()::timestamptz(0);
SELECT kints_touch_disable('types');
SELECT kints_touch_enable('types', 'b');
UPDATE types SET a = NULL RETURNING b = now()::timestamp;
SELECT kints_touch_disable('types');
SELECT kints_touch_enable('types', 'c');
UPDATE types SET a = NULL RETURNING c = now()::timestamp(3);
SELECT kints_touch_disable('types');
SELECT kints_touch_enable('types', 'd');
UPDATE types SET a = NULL RETURNING d = current_date;
SELECT kints_touch_disable('types');
SELECT kints_touch_enable('types', 'e');
SELECT test.fails('UPDATE tt.types SET a = NULL');
RESET timezone;
SELECT test.fails($$SELECT public.kints_touch_enable('tt.t', 'a')$$);
DROP SCHEMA tt CASCADE;
