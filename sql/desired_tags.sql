-- Tags: what each makes of a field, and how each is refused.
CREATE SCHEMA desired_tags;
SET search_path = desired_tags, public;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

-- The plan of a model with this field beside a unique "id", or the error.
CREATE FUNCTION pg_temp.plan_of(type text, tags text, nullable boolean = NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN kints_plan_format(
		jsonb_build_object('models', jsonb_build_array(jsonb_build_object(
			'table', 'users',
			'fields', jsonb_build_array(
				jsonb_build_object('name', 'id', 'type', 'int', 'tags', 'unique,not_null'),
				jsonb_build_object('name', 'email', 'type', type, 'tags', tags, 'nullable', nullable))))),
		'sql');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;

CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, type text, tags text, nullable boolean);
CREATE FUNCTION pg_temp.run() RETURNS SETOF text
BEGIN ATOMIC
	SELECT concat_ws(' ', '##', type, '|', tags, '| nullable ' || nullable) || E'\n'
		|| pg_temp.plan_of(type, tags, nullable)
	FROM cases ORDER BY n;
END;

-- types: of the model, written as a tag, any other
INSERT INTO cases (type, tags) VALUES
	('string', ''),
	('string', 'varchar(255)'),
	('string', ' Numeric( 10 , 2 ) '),
	('string', 'double precision'),
	('string', 'timestamp(3) with time zone'),
	('string', 'text[]'),
	('string', 'interval day to second(3)'),
	('string', 'type:pg_catalog.int4range'),
	('string', 'type:"char"'),
	(NULL, 'jsonb'),
	('[]Order', '-'),
	('[]Order', 'ignore,index');
SELECT pg_temp.run();

-- columns
TRUNCATE cases;
INSERT INTO cases (type, tags, nullable) VALUES
	('int', 'identity', NULL),
	('int', 'identity:by_default', NULL),
	('int32', 'auto_increment', NULL),
	('int', 'version', NULL),
	('int32', 'version,default:7', NULL),
	(NULL, 'version', NULL),
	(NULL, 'soft_delete', NULL),
	('time', 'soft_delete', false),
	('string', '', false),
	('string', 'nullable', false),
	('string', 'not_null', true),
	('time', 'not_null,default:now(),on_update:now()', NULL),
	('string', 'default:''it''''s, a-b: (c''', NULL),
	('string', 'type:text[],default:ARRAY[''a'', ''b,c'']', NULL),
	('int', 'check:email BETWEEN 1 AND greatest(id, 9)', NULL),
	('int', 'generated:id * 2', NULL),
	('string', 'collate:C', NULL),
	('string', 'collate:pg_catalog."C"', NULL),
	('string', 'column:e_mail,comment:''One, ''''two''''; (three''', NULL),
	('string', 'comment:plain: it goes on', NULL);
SELECT pg_temp.run();

-- keys and indexes
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('string', 'unique,not_null,index,varchar(255)'),
	('string', 'primary_key,index'),
	('string', 'primary_key,include:id,initially_deferred'),
	('string', 'UNIQUE, Unique_Name : "One of a kind" ,deferrable'),
	('string', 'unique:a,unique:b,index:c,index:d,index_where:id > 0,using:hash'),
	('string', 'unique,index_where:(email <> '''')'),
	('string', 'unique:live,index_where:email <> '''''),
	('string', 'unique,index:email_prefix,opclass:pg_catalog.text_pattern_ops,include:id'),
	('string', 'index_where:email IS NOT NULL,index');
SELECT pg_temp.run();

-- foreign keys
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('int', 'fk:users(id)'),
	('int', 'fk:users.id,on_delete:cascade'),
	('int', 'fk:desired_tags.users(id),on_delete:SET NULL,on_update_fk:set_default'),
	('int', 'fk:desired_tags.users.id,on_delete:no action'),
	('int', 'references:"users"("id"),fk_name:owner,on_delete:restrict,unique,deferrable');
SELECT pg_temp.run();

-- the server judges what it can judge
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('string', 'check:nosuch > 0'),
	('string', 'default:1 +'),
	('string', 'type:nosuch'),
	('string', 'fk:nosuch(id)');
SELECT pg_temp.run();

-- unknown
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('string', 'varchar(255),uniqe'),
	('string', 'comment:''a, b'',uniqe:now'),
	('string', 'primary key'),
	('string', 'varchr(50)'),
	('string', 'comment:one, two'),
	('string', 'unique,,index'),
	('string', 'unique, '),
	('nosuch', 'unique'),
	(NULL, 'unique');
SELECT pg_temp.run();
SELECT kints_plan_format('{"models": [{"table": "users", "fields": [{"name": "email", "type": "string", "tags": "not_null,uniqe"}]}]}'::jsonb, 'sql');

-- malformed
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('string', 'default'),
	('string', 'not_null,default: ,index'),
	('string', 'unique:'),
	('string', 'index:""'),
	('string', 'not_null:yes'),
	('string', 'default:(1'),
	('string', 'default:1)'),
	('string', 'default:[1'),
	('string', 'default:f([1)'),
	('string', 'default:''x'),
	('string', 'comment:it''s'),
	('string', 'column:"x'),
	('string', 'column:' || repeat('x', 64)),
	('string', 'identity:sometimes'),
	('int', 'fk:users'),
	('int', 'fk:users()'),
	('int', 'fk:users(id, email)'),
	('int', 'fk:a.b.c.d'),
	('int', 'fk:users(id),on_delete:explode'),
	('string', 'index,include:id||id'),
	('string', 'index,opclass:a.b.c'),
	('string', 'type:int NOT NULL'),
	('string', 'type:int DEFAULT 1'),
	('string', 'auto_increment'),
	('uuid', 'version');
SELECT pg_temp.run();

-- given twice, contradictory, astray
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('string', 'unique,unique'),
	('string', 'index:a,index:a'),
	('int', 'fk:users(id),fk:users(id)'),
	('string', 'default:1,default:2'),
	('string', 'text,varchar(5)'),
	('string', 'index,using:hash,index_type:gin'),
	('int', 'not_null,nullable'),
	('int', 'nullable,primary_key:a'),
	('int', 'auto_increment,identity'),
	('int', 'auto_increment,default:1'),
	('int', 'default:1,generated:2'),
	('int', 'identity,generated:2'),
	('int', 'version,nullable'),
	('time', 'soft_delete,not_null'),
	('string', 'on_delete:cascade'),
	('string', 'using:gin'),
	('string', 'unique_name:x'),
	('string', 'deferrable'),
	('string', 'unique,index,index_where:id > 0'),
	('string', 'unique,index_where:id > 0,deferrable');
SELECT pg_temp.run();

-- nothing leaves the parentheses it is put in
TRUNCATE cases;
INSERT INTO cases (type, tags) VALUES
	('int', 'default:1; DROP TABLE users'),
	('int', 'default:1), evil int DEFAULT (2'),
	('int', 'check:true) NO INHERIT, CHECK (true'),
	('int', 'default:1 -- x'),
	('int', 'check:true /* x'),
	('int', E'default:1\n--x'),
	('string', 'default:$$x$$'),
	('string', 'default:''x\'''),
	('string', 'default:E''\''; DROP TABLE users; --'''),
	('string', 'index,index_where:true; DROP TABLE users'),
	('string', 'type:int); DROP TABLE users; --'),
	('string', 'collate:C" NOT NULL'),
	('string', 'default:''a'''';b''');
SELECT pg_temp.run();

SELECT kints_plan_format('{"models": []}'::jsonb, 'sql');
DROP SCHEMA desired_tags;
