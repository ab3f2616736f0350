-- The keeper of a scratch database: it marks it, lets nobody in, and drops it, and what a lost keeper left behind.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET kints.elaborate_in = 'database';
CREATE SCHEMA dk;
CREATE FUNCTION pg_temp.gone(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
BEGIN
	WHILE EXISTS (SELECT FROM pg_database WHERE datname ~ name) AND clock_timestamp() < deadline LOOP
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
	RETURN NOT EXISTS (SELECT FROM pg_database WHERE datname ~ name);
END
$$;
SELECT pg_temp.gone('^kints_scratch_');
-- while it is there
SELECT split_part(test.plan_fails($$
	CREATE FUNCTION dk.f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''%'', (
		SELECT concat_ws('' | '', datallowconn, datistemplate, shobj_description(oid, ''pg_database''),
			(SELECT count(*) FROM pg_locks WHERE locktype = ''advisory'' AND database = 0 AND mode = ''ExclusiveLock'' AND granted),
			(SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ ''keeper''))
		FROM pg_database WHERE datname = current_database()); END';
	CREATE TABLE dk.p (a int) PARTITION BY LIST (a);
	CREATE TABLE dk.q PARTITION OF dk.p FOR VALUES IN (dk.f())$$), E'\n', 1);
SELECT pg_temp.gone('^kints_scratch_');

-- abandoned ones go when the next one is made; one that only looks like it stays
CREATE DATABASE kints_scratch_1_00000000000000ab;
CREATE DATABASE kints_scratch_1_00000000000000ac;
CREATE DATABASE kints_scratch_other;
COMMENT ON DATABASE kints_scratch_1_00000000000000ab IS 'scratch database of kints_norm, will be dropped by itself';
COMMENT ON DATABASE kints_scratch_other IS 'scratch database of kints_norm, will be dropped by itself';
SELECT test.plan('CREATE TABLE dk.t (a int)');
SELECT pg_temp.gone('^kints_scratch_(?!1_00000000000000ac|other)');
SELECT datname FROM pg_database WHERE datname ~ '^kints_scratch_' ORDER BY 1;
DROP DATABASE kints_scratch_1_00000000000000ac;
DROP DATABASE kints_scratch_other;
DROP SCHEMA dk;
