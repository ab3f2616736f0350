-- kints.trashed: what a policy and a view show of the rows that are deleted.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sr;
SET search_path = sr, public;
CREATE TABLE t (id int PRIMARY KEY, body text, deleted_at timestamptz);
CREATE TABLE u (LIKE t INCLUDING ALL);
CREATE INDEX live ON t (body) WHERE deleted_at IS NULL;
SELECT kints_soft_delete_enable('t', reads => 'view'), kints_soft_delete_enable('u', reads => 'policy');
INSERT INTO t SELECT i, 'b' || i FROM generate_series(1, 9) AS i;
INSERT INTO u SELECT i, 'b' || i FROM generate_series(1, 9) AS i;
DELETE FROM t_live WHERE id <= 3;
CREATE ROLE sr_reader;
GRANT USAGE ON SCHEMA sr, test TO sr_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON u TO sr_reader;
GRANT SELECT ON t_live TO sr_reader;
PREPARE seen AS SELECT count(*) FROM t_live;
EXECUTE seen;
SET kints.trashed = show;
EXECUTE seen;
SET kints.trashed = 'only';
EXECUTE seen;
BEGIN;
SET LOCAL kints.trashed = hide;
EXECUTE seen;
ROLLBACK;
EXECUTE seen;
RESET kints.trashed;
EXECUTE seen;
SELECT test.fails('SET kints.trashed = perhaps');
-- as a condition that indexes know
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT body FROM t_live WHERE body = 'b5';
SET kints.trashed = show;
EXPLAIN (COSTS OFF) SELECT body FROM t_live WHERE id = 5;
SET kints.trashed = 'only';
EXPLAIN (COSTS OFF) SELECT body FROM t_live WHERE id = 5;
RESET kints.trashed;
RESET enable_seqscan;
-- the view gives nobody the rights of its owner
SET ROLE sr_reader;
SELECT test.fails('SELECT * FROM sr.t_live');
-- the policy: what it hides, and that a DELETE is none of its business
DELETE FROM u WHERE id <= 3 RETURNING id;
SELECT count(*) FROM u;
DELETE FROM u WHERE id = 1;
SET kints.trashed = 'only';
SELECT count(*) FROM u;
SET kints.trashed = show;
SELECT count(*) FROM u;
RESET kints.trashed;
UPDATE u SET body = 'x' WHERE id IN (3, 4) RETURNING id;
SELECT test.fails('UPDATE sr.u SET deleted_at = now() WHERE id = 4');
SELECT row_key, restored FROM kints_restore('u', '{"id": 2}');
SELECT current_setting('kints.trashed'), count(*) FROM u GROUP BY 1;
RESET ROLE;
-- the owner sees all, as of any policy, unless it is forced on him
SELECT count(*) FROM u;
-- the function by itself
SELECT kints_is_shown(NULL::date), kints_is_shown(current_date);
CREATE FUNCTION shown(at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text := ''; way text; BEGIN
	FOREACH way IN ARRAY '{hide,show,only}'::text[] LOOP
		PERFORM set_config('kints.trashed', way, true);
		said := said || kints_is_shown(at)::text || ' ';
	END LOOP; RETURN said; END $$;
SELECT shown(NULL), shown(now());
-- in a worker process of the same query
SET kints.trashed = 'only';
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on;
SELECT count(*) FROM t_live;
RESET ALL;
SET search_path = sr, public;
SET client_min_messages = warning;
DROP SCHEMA sr CASCADE;
DROP OWNED BY sr_reader;
DROP ROLE sr_reader;
