-- Models: from JSON to a plan, applied, planned again, and refused.
CREATE SCHEMA desired_models;
SET search_path = desired_models, public;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.plan_of(models jsonb) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN kints_plan_format(models, 'sql');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;

-- every model type
SELECT pg_temp.plan_of(jsonb_build_object('models', jsonb_build_array(jsonb_build_object(
	'table', 'types',
	'fields', jsonb_agg(jsonb_build_object('name', 'f' || n, 'type', type) ORDER BY n)))))
FROM unnest('{string,int,int64,int32,int16,bool,float64,float32,time,time.Time,[]byte,bytes,json,uuid,decimal,date,duration}'::text[])
	WITH ORDINALITY AS t (type, n);

-- no models, no columns, names that need quotes
SELECT pg_temp.plan_of('{"models": []}');
SELECT pg_temp.plan_of('{"models": [{"table": "empty", "fields": []}, {"table": "Order", "schema": "desired_models", "comment": "it''s", "fields": [{"name": "Group", "type": "int", "tags": "unique,index:By Group"}]}]}');

-- models stand in any order; fields of a group make one key
CREATE TEMP TABLE wanted (version int, models jsonb);
INSERT INTO wanted VALUES (1, '{"models": [
	{"table": "items", "fields": [
		{"name": "tenant", "type": "int", "tags": "primary_key:pk,fk:orders(tenant),fk_name:items_order,unique:sku,index:by_note"},
		{"name": "order_id", "type": "int", "tags": "primary_key:pk,fk:orders(id),fk_name:items_order,on_delete:cascade"},
		{"name": "line", "type": "int16", "tags": "primary_key:pk"},
		{"name": "sku", "type": "string", "nullable": false, "tags": "unique:sku,unique_name:one_sku"},
		{"name": "note", "type": "string", "tags": "index:by_note,index_where:note > ''a''"}]},
	{"table": "orders", "comment": "What was ordered", "fields": [
		{"name": "tenant", "type": "int", "tags": "primary_key:pk,unique:number"},
		{"name": "id", "type": "int", "tags": "primary_key:pk,auto_increment"},
		{"name": "number", "type": "string", "tags": "not_null,unique:number,index_where:tenant > 0"},
		{"name": "version", "tags": "version"},
		{"name": "deleted_at", "tags": "soft_delete,index"},
		{"name": "items", "type": "[]Item", "tags": "-"}]}]}');
SELECT pg_temp.plan_of(models) FROM wanted;
SELECT count(*) > 0 FROM wanted, kints_apply(models);
SELECT count(*) FROM wanted, kints_plan(models);

-- renames keep what is there
INSERT INTO orders (tenant, id, number) VALUES (1, 1, 'one');
INSERT INTO wanted VALUES (2, '{"models": [
	{"table": "items", "fields": [
		{"name": "tenant", "type": "int", "tags": "primary_key:pk,fk:purchases(tenant),fk_name:items_order,unique:sku,index:by_note"},
		{"name": "order_id", "type": "int", "tags": "primary_key:pk,fk:purchases(id),fk_name:items_order,on_delete:cascade"},
		{"name": "line", "type": "int16", "tags": "primary_key:pk"},
		{"name": "sku", "type": "string", "nullable": false, "tags": "unique:sku,unique_name:one_sku"},
		{"name": "note", "type": "string", "tags": "index:by_note,index_where:note > ''a''"}]},
	{"table": "purchases", "rename_from": "orders", "comment": "What was ordered", "fields": [
		{"name": "tenant", "type": "int", "tags": "primary_key:pk,unique:number"},
		{"name": "id", "type": "int", "tags": "primary_key:pk,auto_increment"},
		{"name": "code", "type": "string", "tags": "rename:number,not_null,unique:number,index_where:tenant > 0"},
		{"name": "version", "tags": "version"},
		{"name": "deleted_at", "tags": "soft_delete,index"}]}]}');
SELECT count(*) > 0 FROM wanted, kints_apply(models, '{"allow": "all"}') WHERE version = 2;
SELECT tenant, id, code, version FROM purchases;
SELECT count(*) FROM wanted, kints_plan(models) WHERE version = 2;

-- refused, with the place
SELECT '## ' || models || E'\n' || pg_temp.plan_of(models::jsonb)
FROM unnest(ARRAY[
	'{"models": {}}',
	'{"models": [], "extra": 1}',
	'{"models": [1]}',
	'{"models": [{"fields": []}]}',
	'{"models": [{"table": "", "fields": []}]}',
	'{"models": [{"table": 5, "fields": []}]}',
	'{"models": [{"table": "a"}]}',
	'{"models": [{"table": "a", "fields": "b"}]}',
	'{"models": [{"table": "a", "fields": []}, {"table": "b", "tabel": "c", "fields": []}]}',
	'{"models": [{"table": "a", "comment": 3, "fields": []}]}',
	'{"models": [{"table": "a", "rename_from": "", "fields": []}]}',
	'{"models": [{"table": "a", "fields": []}, {"table": "a", "schema": "desired_models", "fields": []}]}',
	'{"models": [{"table": "' || repeat('x', 64) || '", "fields": []}]}',
	'{"models": [{"table": "a", "fields": ["b"]}]}',
	'{"models": [{"table": "a", "fields": [{"type": "int"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "typ": "int"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "tags": ["index"]}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "nullable": "no"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int"}, {"name": "c", "type": "int", "tags": "column:b"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "tags": "primary_key"}, {"name": "c", "type": "int", "tags": "primary_key"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "tags": "primary_key:x"}, {"name": "c", "type": "int", "tags": "primary_key:y"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "tags": "unique:x,unique_name:p"}, {"name": "c", "type": "int", "tags": "unique:x,unique_name:q"}]}]}',
	'{"models": [{"table": "a", "fields": [{"name": "b", "type": "int", "tags": "fk:a(b),fk_name:x"}, {"name": "c", "type": "int", "tags": "fk:d(c),fk_name:x"}]}]}'
	]) WITH ORDINALITY AS t (models, n)
ORDER BY n;

-- with the hint
SELECT kints_plan_format('{"models": [{"table": "a", "fields": [{"name": "b", "typ": "int"}]}]}'::jsonb, 'sql');
SELECT kints_plan_format('{"models": [{"table": "a", "fields": [{"name": "b", "type": "wat"}]}]}'::jsonb, 'sql');

DROP SCHEMA desired_models CASCADE;
-- A rename that has nothing to rename: the same models make a new database.
SELECT sql FROM kints_plan('{"models": [{"table": "renamed_new", "rename_from": "renamed_old", "fields": [{"name": "a", "type": "int", "tags": "rename:b"}]}]}'::jsonb) WHERE kind = 'create_table';
SELECT test.fails($$SELECT kints_plan('{"models": [{"table": "t", "fields": [{"name": "a", "type": "string", "tags": "not_null,varchar(a)"}]}]}'::jsonb)$$);
SELECT test.fails($$SELECT kints_plan('{"models": [{"table": "t", "fields": [{"name": "a", "type": "int", "tags": "default:1 +"}]}]}'::jsonb)$$);
