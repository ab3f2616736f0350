-- A DELETE that keeps the rows: by whatever way, told as a DELETE.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA tr;
SET search_path = tr, public;
CREATE TABLE t (id int PRIMARY KEY, body text, deleted_at timestamptz, deleted_by text);
SELECT kints_soft_delete_enable('t', by => 'deleted_by');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY tgname;
INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 9) AS i;
\pset tuples_only off
-- plain, with what it returns, and again
DELETE FROM t WHERE id = 1;
DELETE FROM t WHERE id IN (1, 2) RETURNING id, body, deleted_at = now() AS at, deleted_by = current_user AS by;
DELETE FROM t WHERE id < 3;
-- prepared, with another table, in a CTE
PREPARE d (int) AS DELETE FROM t WHERE id = $1 RETURNING id;
EXECUTE d(3);
EXECUTE d(3);
DEALLOCATE d;
DELETE FROM t USING (VALUES (4)) AS v (id) WHERE v.id = t.id;
WITH d AS (DELETE FROM t WHERE id = 5 RETURNING *) SELECT count(*), max(body) FROM d;
-- in PL/pgSQL, by a cursor, and by MERGE
DO $$
DECLARE
	n bigint; c CURSOR FOR SELECT * FROM t WHERE id = 7 FOR UPDATE; r record;
BEGIN
	DELETE FROM t WHERE id = 6;
	GET DIAGNOSTICS n = ROW_COUNT;
	RAISE WARNING '% %', n, FOUND;
	OPEN c;
	FETCH c INTO r;
	DELETE FROM t WHERE CURRENT OF c;
	GET DIAGNOSTICS n = ROW_COUNT;
	RAISE WARNING '%', n;
END $$;
MERGE INTO t USING (VALUES (1), (8)) AS v (id) ON v.id = t.id WHEN MATCHED THEN DELETE;
SELECT count(*), count(deleted_at), count(deleted_by) FROM t;
-- a view, and who may only delete
CREATE VIEW v AS SELECT id, body FROM t WHERE deleted_at IS NULL;
DELETE FROM v WHERE id = 9 RETURNING body;
SELECT count(*) FROM v;
EXPLAIN (COSTS OFF) DELETE FROM t WHERE id = 1;
-- an SQL function, COPY of what a DELETE returns, and a rule that deletes elsewhere
CREATE TABLE u (id int PRIMARY KEY, owner name, body text, deleted_at timestamptz, version int DEFAULT 1);
SELECT kints_soft_delete_enable('u'), kints_version_enable('u', mode => 'require');
INSERT INTO u SELECT i, CASE WHEN i % 2 = 0 THEN 'tr_clerk' ELSE 'other' END, 'b' FROM generate_series(1, 20) AS i;
CREATE FUNCTION del(i int) RETURNS text LANGUAGE sql AS 'DELETE FROM tr.u WHERE id = i RETURNING body';
SELECT del(1), del(1);
COPY (DELETE FROM u WHERE id = 3 RETURNING id, version) TO STDOUT;
CREATE TABLE front (id int);
CREATE RULE along AS ON DELETE TO front DO ALSO DELETE FROM u WHERE id = OLD.id;
INSERT INTO front VALUES (5);
DELETE FROM front;
SELECT id, version FROM u WHERE deleted_at IS NOT NULL ORDER BY id;
-- who may only delete, and only what a policy for that lets him
CREATE ROLE tr_clerk;
GRANT USAGE ON SCHEMA tr TO tr_clerk;
GRANT SELECT (id, owner), DELETE ON u TO tr_clerk;
ALTER TABLE u ENABLE ROW LEVEL SECURITY;
CREATE POLICY sees ON u FOR SELECT USING (deleted_at IS NULL AND id < 15);
CREATE POLICY deletes ON u FOR DELETE USING (owner = current_user);
SET ROLE tr_clerk;
DELETE FROM u WHERE id IN (7, 8, 16) RETURNING id;
DELETE FROM u;
RESET ROLE;
SELECT string_agg(id::text, ',' ORDER BY id) FROM u WHERE deleted_at IS NOT NULL;
DROP OWNED BY tr_clerk;
DROP ROLE tr_clerk;
-- triggers of an UPDATE fire, and not those of a DELETE
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '% % %', TG_WHEN, TG_OP, TG_LEVEL; RETURN NULL; END $$;
CREATE TRIGGER a AFTER UPDATE OF deleted_at ON u FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER b AFTER UPDATE OR DELETE ON u FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER c AFTER DELETE ON u FOR EACH ROW EXECUTE FUNCTION tell();
DELETE FROM u WHERE id = 9;
-- joined with itself, by a subquery, and of no row at all
DELETE FROM u USING u AS v WHERE u.id = v.id + 1 AND v.id = 12 RETURNING u.id, v.id;
DELETE FROM u WHERE id IN (SELECT max(id) FROM u);
DELETE FROM ONLY u WHERE false;
-- of tables that inherit from one another: each has its own
CREATE TABLE kid () INHERITS (t);
INSERT INTO kid VALUES (100, 'kid');
DELETE FROM t WHERE id = 100;
SELECT count(*), count(deleted_at) FROM kid;
DROP SCHEMA tr CASCADE;
