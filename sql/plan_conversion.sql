-- Changes of a type: what is lost, what is rewritten.  The second is compared with what the server does.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA plan_conversion;
SET search_path = plan_conversion, public;
CREATE FUNCTION pg_temp.convert(source text, target text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	step record;
	file oid;
	rewritten boolean;
BEGIN
	EXECUTE format('CREATE TABLE plan_conversion.t (a %s)', source);
	SELECT * INTO STRICT step FROM public.kints_plan(format('CREATE TABLE plan_conversion.t (a %s)', target));
	file := pg_relation_filenode('plan_conversion.t');
	EXECUTE step.sql;
	rewritten := file <> pg_relation_filenode('plan_conversion.t');
	DROP TABLE plan_conversion.t;
	RETURN concat_ws(' ', source, '->', target || ':', step.severity, CASE WHEN rewritten THEN 'rewrites' ELSE 'keeps rows' END,
		CASE WHEN step.severity <> 'destructive' AND rewritten <> (array_to_string(step.hazards, ';') ~ 'rewrites') THEN '(says the opposite)' END);
END
$$;
SELECT pg_temp.convert(source, target)
FROM (VALUES ('smallint', 'integer'), ('bigint', 'integer'), ('integer', 'numeric'), ('integer', 'numeric(10)'), ('integer', 'numeric(9)'), ('bigint', 'numeric(20,2)'),
	('numeric', 'numeric(5,2)'), ('numeric(5,2)', 'numeric(8,2)'), ('numeric(5,2)', 'numeric(8,5)'), ('numeric(5,2)', 'numeric(8,6)'), ('numeric(5,2)', 'numeric(5,1)'), ('numeric(5,2)', 'numeric'), ('numeric', 'integer'),
	('integer', 'real'), ('smallint', 'real'), ('integer', 'double precision'), ('bigint', 'double precision'), ('numeric', 'double precision'), ('double precision', 'real'), ('real', 'double precision'), ('integer', 'boolean'),
	('varchar(5)', 'varchar(9)'), ('varchar(9)', 'varchar(5)'), ('varchar(9)', 'text'), ('varchar', 'text'), ('text', 'varchar'), ('text', 'varchar(9)'), ('char(5)', 'varchar(5)'), ('char(5)', 'varchar(4)'), ('char(5)', 'text'),
	('varbit(3)', 'varbit(5)'), ('varbit(3)', 'varbit'), ('varbit(5)', 'varbit(3)'), ('varbit', 'bit(3)'), ('bit(3)', 'varbit(3)'),
	('timestamp(3)', 'timestamp'), ('timestamp(3)', 'timestamp(5)'), ('timestamp(3)', 'timestamp(2)'), ('timestamp', 'timestamp(3)'), ('timestamp', 'date'), ('timestamptz', 'date'), ('date', 'timestamp'), ('timestamptz(3)', 'timestamptz'),
	('timestamp(3)', 'time'), ('timestamptz', 'time'), ('timestamptz', 'timestamp'), ('timestamp', 'timestamptz'), ('timetz', 'time'), ('time', 'timetz'), ('interval', 'time'), ('time', 'interval'), ('real', 'numeric'), ('double precision', 'numeric'), ('text', '"char"'), ('box', 'point'), ('point', 'box'),
	('time', 'time(0)'), ('interval', 'interval(0)'), ('cidr', 'inet'), ('inet', 'cidr'),
	('interval', 'interval hour'), ('interval year to month', 'interval month'), ('interval day to second(3)', 'interval day to minute'), ('interval hour', 'interval'), ('interval second(3)', 'interval second(1)'),
	('text', 'name'), ('varchar(99)[]', 'name[]'), ('name', 'text'), ('numeric', 'money'), ('money', 'numeric'), ('jsonb', 'integer'), ('jsonb', 'boolean'),
	('text', 'numeric'), ('text', 'numeric(9,2)'), ('varchar(3)', 'numeric(9)'), ('name', 'real'), ('bpchar', 'double precision'), ('char(9)', 'money'),
	('text', 'date'), ('varchar', 'time'), ('varchar(30)', 'timetz'), ('char(30)', 'timestamp'), ('text', 'timestamp(3)'), ('text', 'timestamptz'), ('text', 'timestamptz(3)'), ('name', 'timestamptz(0)'),
	('text', 'interval'), ('text', 'interval(3)'), ('text', 'interval hour'), ('varchar', 'interval day to second'), ('bpchar', '"char"'), ('name', 'varchar(9)'), ('name', 'varchar'),
	('text', 'integer'), ('text', 'bigint'), ('text', 'boolean'), ('varchar(40)', 'uuid'), ('text', 'json'), ('text[]', 'date[]'), ('text', 'date[]'), ('varchar(9)[]', 'numeric(5,2)[]'), ('name[]', 'integer[]'),
	('integer[]', 'bigint[]'), ('bigint[]', 'integer[]'), ('varchar(9)[]', 'varchar(5)[]')) AS t (source, target);
DROP SCHEMA plan_conversion;
-- types that users made, by what is inside: an explicit cast cuts off silently
CREATE FUNCTION pg_temp.gated(from_sql text, to_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	steps text;
BEGIN
	CREATE SCHEMA plan_conversion;
	EXECUTE from_sql;
	SELECT string_agg(object || ' ' || severity, ', ' ORDER BY step) INTO steps
	FROM public.kints_plan(to_sql) WHERE kind IN ('narrow_type', 'alter_column_type');
	DROP SCHEMA plan_conversion CASCADE;
	RETURN steps;
END
$$;
SET search_path = plan_conversion, public;
SELECT pg_temp.gated('CREATE DOMAIN d AS varchar(3); CREATE TABLE t (a text, b text[], c varchar(2), e d)', 'CREATE DOMAIN d AS varchar(3); CREATE TABLE t (a d, b d[], c d, e varchar(4))');
SELECT pg_temp.gated('CREATE DOMAIN d AS varchar(5); CREATE DOMAIN e AS d; CREATE TABLE t (a d, b e[])', 'CREATE DOMAIN d AS varchar(3); CREATE DOMAIN e AS d; CREATE TABLE t (a d, b e[])');
SELECT pg_temp.gated('CREATE DOMAIN d AS numeric(9,1); CREATE DOMAIN e AS timestamptz; CREATE TABLE t (a d, b e)', 'CREATE DOMAIN d AS numeric(9,2); CREATE DOMAIN e AS date; CREATE TABLE t (a d, b e)');
SELECT pg_temp.gated('CREATE TYPE c AS (a varchar(5), b text); CREATE TABLE t (a c)', 'CREATE TYPE c AS (a varchar(3), b text); CREATE TABLE t (a c)');
SELECT pg_temp.gated('CREATE TYPE c AS (a text, b text); CREATE TABLE t (a c, b c[])', 'CREATE TYPE c AS (b text, a text); CREATE TABLE t (a c, b c[])');
SELECT pg_temp.gated('CREATE TYPE c AS (a int, b text); CREATE TABLE t (a c)', 'CREATE TYPE c AS (a bigint, b text); CREATE TABLE t (a c)');
SELECT pg_temp.gated('CREATE TYPE e AS ENUM (''abcd''); CREATE TABLE t (a e[], b e)', 'CREATE TABLE t (a varchar(3)[], b text)');
SELECT pg_temp.gated('CREATE DOMAIN d AS text; CREATE DOMAIN e AS d; CREATE TABLE t (a d, b e[], c e, f text, g d)', 'CREATE DOMAIN d AS text; CREATE DOMAIN e AS d; CREATE DOMAIN r AS real; CREATE TABLE t (a date, b timestamp[], c timestamptz, f r, g integer)');
