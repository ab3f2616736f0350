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
	('integer[]', 'bigint[]'), ('bigint[]', 'integer[]'), ('varchar(9)[]', 'varchar(5)[]')) AS t (source, target);
DROP SCHEMA plan_conversion;
