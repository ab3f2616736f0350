-- Which types are cast to which: where the server has no cast, by way of text.  Compared with the catalog, for each pair.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ddl_cast;
SET search_path = ddl_cast, public;
CREATE TABLE pairs AS
SELECT format_type(a.oid, NULL) AS source, format_type(b.oid, NULL) AS target, format('c_%s_%s', a.oid, b.oid) AS name,
	EXISTS (SELECT FROM pg_cast WHERE castsource = a.oid AND casttarget = b.oid) AS has_cast
FROM pg_type AS a, pg_type AS b
WHERE a.typnamespace = 'pg_catalog'::regnamespace AND b.typnamespace = a.typnamespace AND a.oid <> b.oid
	AND ARRAY[a.typname, b.typname] <@ '{bool,bit,varbit,box,bytea,char,cidr,circle,date,inet,int2,int4,int8,interval,json,jsonb,lseg,line,macaddr,macaddr8,money,numeric,oid,path,point,polygon,time,timetz,timestamp,timestamptz,uuid,xml}';
DO $$BEGIN EXECUTE (SELECT format('CREATE TABLE t (%s)', string_agg(name || ' ' || source, ', ')) FROM pairs); END$$;
CREATE TABLE plan AS
SELECT replace(object, 'ddl_cast.t.', '') AS name, sql
FROM kints_plan((SELECT format('CREATE TABLE ddl_cast.t (%s)', string_agg(name || ' ' || target, ', ')) FROM pairs), '{"ignore": ["ddl_cast.pairs"]}');
SELECT count(*), count(*) FILTER (WHERE sql ~ '::text::'), count(sql) FROM pairs LEFT JOIN plan USING (name);
SELECT source, target, has_cast, sql FROM pairs LEFT JOIN plan USING (name)
WHERE has_cast = coalesce(sql ~ '::text', true) AND sql !~ 'TYPE (smallint|integer|bigint|numeric)$' ORDER BY 1, 2;
DROP SCHEMA ddl_cast CASCADE;

-- with and without, and values that get through
SELECT test.case('casts', 'CREATE TABLE t (a date, b date, c int, d int, e numeric(5, 2), f int[], g jsonb)',
	'CREATE TABLE t (a jsonb, b timestamptz, c boolean, d uuid, e money, f text[], g int)');
SELECT test.case('values', 'CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 42)', 'CREATE TABLE t (a boolean, b json)');
