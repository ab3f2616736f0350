-- Values out of the catalogs: options sorted, privileges only where they are not what the owner has anyway, types.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_inspect_read;
CREATE SCHEMA ir;
SET search_path = ir, public;
CREATE TABLE t (a numeric(5, 2), b varchar(3)[], c timestamptz(3), d interval hour to minute, e bit(4), f public.citext, "G" int) WITH (fillfactor = 50, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE t ALTER a SET (n_distinct_inherited = 5, n_distinct = -0.5);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE en AS ENUM ('a');
CREATE SEQUENCE q;
CREATE FUNCTION pg_temp.show(field text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', o ->> 'kind', o ->> 'name', replace(o ->> field, current_user, '<owner>'))
	FROM jsonb_array_elements(public.kints_snapshot('{ir}') -> 'objects') WITH ORDINALITY AS t (o, n)
	WHERE o ? field AND o ->> 'kind' <> 'schema' ORDER BY n
$$;
SELECT pg_temp.show('options');
SELECT pg_temp.show('type');
-- given and taken: as if nothing had been; nothing left even for the owner; what is said of a column
SELECT pg_temp.show('privileges');
GRANT ALL ON t, q TO regress_inspect_read;
GRANT SELECT (a) ON t TO regress_inspect_read;
GRANT USAGE ON TYPE en TO regress_inspect_read;
REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
SELECT pg_temp.show('privileges') LIKE '%regress_inspect_read%';
REVOKE ALL ON t, q FROM regress_inspect_read;
REVOKE SELECT (a) ON t FROM regress_inspect_read;
REVOKE USAGE ON TYPE en FROM regress_inspect_read;
GRANT EXECUTE ON FUNCTION f() TO PUBLIC;
SELECT pg_temp.show('privileges');
REVOKE ALL ON t FROM CURRENT_USER;
SELECT pg_temp.show('privileges');
ALTER TABLE t OWNER TO regress_inspect_read;
SELECT pg_temp.show('owner');
DROP SCHEMA ir CASCADE;
DROP ROLE regress_inspect_read;
