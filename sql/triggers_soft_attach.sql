-- Soft delete: what it is enabled with, what that makes, and what is refused.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sa;
SET search_path = sa, public;
CREATE FUNCTION made(tbl regclass) RETURNS SETOF text LANGUAGE sql AS $$
	(SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = tbl AND NOT tgisinternal ORDER BY tgname)
	UNION ALL (SELECT format('%s %s %s %s', polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid))
		FROM pg_policy WHERE polrelid = tbl ORDER BY polname)
	UNION ALL SELECT 'row security' FROM pg_class WHERE oid = tbl AND relrowsecurity
	UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'sa'::regnamespace AND relkind = 'v'
	UNION ALL (SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = tbl AND NOT indisprimary ORDER BY 1)
$$;
CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, body text, deleted_at timestamptz, deleted_by text, deleted_batch bigint,
	number int, twice text GENERATED ALWAYS AS (body || body) STORED);
SELECT kints_soft_delete_enable('t');
SELECT made('t');
SELECT kints_soft_delete_disable('t');
SELECT made('t');
SELECT kints_soft_delete_enable('t', by => 'deleted_by', batch => 'deleted_batch', uniques => 'partial', reads => 'view',
	truncate => 'allow', clock => 'clock');
SELECT made('t');
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t')$$);
SELECT kints_soft_delete_disable('t');
SELECT made('t');
SELECT kints_soft_delete_enable('t', cascade => 'restrict', reads => 'policy');
SELECT made('t');
SELECT kints_soft_delete_disable('t');
SELECT made('t');
-- policies that were there stay, and so does row security
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t USING (id > 0);
SELECT kints_soft_delete_enable('t', reads => 'policy');
SELECT made('t');
SELECT kints_soft_delete_disable('t');
SELECT made('t');
SELECT kints_soft_delete_enable('t', batch => 'deleted_batch', cascade => 'none', truncate => 'allow');
SELECT made('t');
SELECT kints_soft_delete_disable('t');
-- wrong use
SELECT test.fails($$SELECT public.kints_soft_delete_disable('sa.t')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable(NULL)$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', NULL)$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', clock => NULL)$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', truncate => NULL)$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', 'gone')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', 'body')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', 'twice')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', by => 'number')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', batch => 'number')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', cascade => 'registered')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', cascade => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', uniques => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', reads => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', truncate => 'perhaps')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', clock => 'sand')$$);
CREATE VIEW v AS SELECT * FROM t;
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.v')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t_pkey')$$);
SELECT test.fails($$SELECT public.kints_soft_delete_enable('pg_catalog.pg_class')$$);
-- policies that have come since stay, and what they say
DROP POLICY mine ON t;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
SELECT kints_soft_delete_enable('t', reads => 'policy');
CREATE POLICY later ON t AS RESTRICTIVE USING (id > 5);
SELECT kints_soft_delete_disable('t');
SELECT made('t');
-- a view of that name that was there is not ours
CREATE VIEW t_live AS SELECT id FROM t;
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', reads => 'view')$$);
SELECT kints_soft_delete_enable('t');
SELECT kints_soft_delete_disable('t');
SELECT count(*) FROM t_live;
DROP VIEW t_live;
SELECT kints_soft_delete_enable('t', reads => 'view');
CREATE VIEW upon AS SELECT id FROM t_live;
SELECT test.fails($$SELECT public.kints_soft_delete_disable('sa.t')$$);
DROP VIEW t_live CASCADE;
SELECT kints_soft_delete_disable('t');
CREATE TABLE t_live ();
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t', reads => 'view')$$);
CREATE ROLE sa_other;
GRANT USAGE ON SCHEMA sa, test TO sa_other;
GRANT ALL ON t TO sa_other;
SET ROLE sa_other;
SELECT test.fails($$SELECT public.kints_soft_delete_enable('sa.t')$$);
RESET ROLE;
DROP OWNED BY sa_other;
DROP ROLE sa_other;
DROP SCHEMA sa CASCADE;
