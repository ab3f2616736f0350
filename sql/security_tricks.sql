-- Desired states that try to get out of the elaboration, or to run something with rights that are not the caller's.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_kints_mallory;
CREATE ROLE "regress_kints$$; SELECT 1/0; --" IN ROLE regress_kints_mallory;
CREATE SCHEMA tricks AUTHORIZATION regress_kints_mallory;
CREATE SCHEMA tricks_log;
CREATE TABLE tricks_log.calls (who name, whose name, super text);
GRANT USAGE ON SCHEMA tricks_log, test TO PUBLIC;
GRANT INSERT, SELECT ON tricks_log.calls TO PUBLIC;
CREATE SEQUENCE tricks_log.counter;
GRANT ALL ON SEQUENCE tricks_log.counter TO PUBLIC;
-- Both ways to elaborate: what comes out, and that it is the same.
CREATE FUNCTION test.both(desired text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	one text; two text;
BEGIN
	SET LOCAL kints.elaborate_in = 'schema';
	one := test.fails(format('SELECT * FROM public.kints_plan(%L::text, %L)', desired, options));
	IF one = 'does not fail' THEN one := test.plan(desired, options); END IF;
	SET LOCAL kints.elaborate_in = 'database';
	two := test.fails(format('SELECT * FROM public.kints_plan(%L::text, %L)', desired, options));
	IF two = 'does not fail' THEN two := test.plan(desired, options); END IF;
	RETURN CASE WHEN one = two THEN one ELSE E'-- schema\n' || one || E'\n-- database\n' || two END;
END
$$;
SET ROLE regress_kints_mallory;
SET search_path = tricks, public;
-- functions that would leave a trace are not called: in defaults, queries, checks, generated columns, indexes, bodies
CREATE FUNCTION tricks.trace() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO tricks_log.calls VALUES (current_user, session_user, current_setting('is_superuser'));
	PERFORM nextval('tricks_log.counter');
	RETURN 1;
END
$$;
\set trace 'CREATE FUNCTION trace() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval(\'tricks_log.counter\'); RETURN 1; END $$; CREATE FUNCTION pure(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval(\'tricks_log.counter\'); RETURN 1; END $$;'
SELECT count(*) > 0 FROM kints_plan(:'trace' || 'CREATE TABLE t (a int DEFAULT trace(), b int CHECK (trace() > 0), c int GENERATED ALWAYS AS (pure(a)) STORED); CREATE INDEX i ON t (pure(b)); CREATE TABLE ctas AS SELECT trace() AS x;
	CREATE MATERIALIZED VIEW m AS SELECT trace() AS x; CREATE VIEW v AS SELECT trace() AS x; CREATE DOMAIN d AS int DEFAULT trace() CHECK (trace() > 0); ALTER TABLE t ADD COLUMN e int DEFAULT trace(); REFRESH MATERIALIZED VIEW m; ALTER TABLE t ALTER e TYPE bigint USING trace()', '{"ignore": ["tricks.trace*"]}');
SET kints.elaborate_in = 'database';
SELECT count(*) > 0 FROM kints_plan(:'trace' || 'CREATE TABLE t (a int DEFAULT trace(), b int CHECK (trace() > 0), c int GENERATED ALWAYS AS (pure(a)) STORED); CREATE INDEX i ON t (pure(b)); CREATE TABLE ctas AS SELECT trace() AS x;
	CREATE MATERIALIZED VIEW m AS SELECT trace() AS x; CREATE VIEW v AS SELECT trace() AS x; CREATE DOMAIN d AS int DEFAULT trace() CHECK (trace() > 0); ALTER TABLE t ADD COLUMN e int DEFAULT trace(); REFRESH MATERIALIZED VIEW m; ALTER TABLE t ALTER e TYPE bigint USING trace()', '{"ignore": ["tricks.trace*"]}');
RESET kints.elaborate_in;
SELECT is_called FROM tricks_log.counter;
-- a bound of a partition is evaluated at once, with the caller's rights: nothing it does gets further
\set bound 'CREATE FUNCTION bound() RETURNS int LANGUAGE plpgsql AS $$ BEGIN %s; RETURN 5; END $$; CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (bound()) TO (9)'
SELECT '## ' || what || E'\n' || test.both(replace(:'bound', '%s', what))
FROM unnest(ARRAY['COMMIT', 'ROLLBACK', 'SET ROLE postgres', 'RESET ROLE', 'SET ROLE NONE', 'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT',
	'PERFORM set_config(''role'', ''postgres'', false)', 'PERFORM set_config(''session_authorization'', ''postgres'', false)',
	'COPY (SELECT 1) TO PROGRAM ''true''', 'COPY (SELECT 1) TO ''/tmp/kints''', 'PERFORM pg_read_file(''/etc/passwd'')', 'CREATE ROLE regress_kints_new', 'ALTER ROLE regress_kints_mallory SUPERUSER', 'CREATE DATABASE regress_kints',
	'DROP DATABASE postgres', 'DROP TABLE tricks_log.calls', 'TRUNCATE kints.schema_migrations', 'CREATE EXTENSION pg_stat_statements', 'ALTER SYSTEM SET fsync = off', 'LOAD ''nosuch''',
	'SET session_replication_role = replica', 'SET kints.elaborate_in = ''schema''; PERFORM public.kints_plan(''CREATE TABLE tricks.t (a int)'')'])
	WITH ORDINALITY AS t (what, n) ORDER BY n;
-- who it is there
CREATE FUNCTION tricks.who(way text) RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
	PERFORM set_config('kints.elaborate_in', way, true);
	PERFORM public.kints_plan($x$CREATE FUNCTION tricks.bound() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'current_user %, superuser %', current_user, current_setting('is_superuser'); END $$;
		CREATE TABLE tricks.p (a int) PARTITION BY RANGE (a); CREATE TABLE tricks.p1 PARTITION OF tricks.p FOR VALUES FROM (tricks.bound()) TO (9)$x$);
	RETURN 'not called';
EXCEPTION WHEN raise_exception THEN
	RETURN SQLERRM;
END
$f$;
SELECT tricks.who('schema');
SELECT tricks.who('database');
RESET ROLE;
SELECT count(*) FROM tricks_log.calls;
-- a role whose name would end a quoted string
SET ROLE "regress_kints$$; SELECT 1/0; --";
SELECT test.both('CREATE TABLE t (a int); CREATE TABLE u (a int)', '{"ignore": ["tricks.trace*"]}');
RESET ROLE;
GRANT CREATE ON DATABASE :"DBNAME" TO "regress_kints$$; SELECT 1/0; --";
SET ROLE "regress_kints$$; SELECT 1/0; --";
SELECT test.both('CREATE SCHEMA "tri''cks$$"; CREATE TABLE "tri''cks$$"."t$$; DROP" ("a''); DROP" int)');
RESET ROLE;
REVOKE CREATE ON DATABASE :"DBNAME" FROM "regress_kints$$; SELECT 1/0; --";
SELECT rolname, rolsuper FROM pg_roles WHERE rolname ~ '^regress_kints' ORDER BY 1;
-- names with quotes, line feeds, dollars, backslashes, comments: in every place, there and back
CREATE FUNCTION pg_temp.named(template text, ugly text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN n % 2 = 0 THEN quote_ident(ugly || part) ELSE part END, '' ORDER BY n)
	FROM regexp_split_to_table(regexp_replace(template, '%(\w+)', E'\r\\1\r', 'g'), E'\r') WITH ORDINALITY AS t (part, n)
$$;
SELECT replace(quote_literal(ugly), E'\n', '\n'), test.law('', pg_temp.named($x$
	CREATE TYPE %e AS ENUM ('a''b', E'c\nd', 'e\f', '$$', '/*', '--');
	CREATE DOMAIN %d AS text CONSTRAINT %dc CHECK (VALUE <> E'a\n''b\\');
	CREATE TYPE %c AS (%a1 int, %a2 text);
	CREATE SEQUENCE %q;
	CREATE FUNCTION %f(%arg text DEFAULT E'x\n''y\\') RETURNS text LANGUAGE sql AS E'SELECT \'$$ $function$ /*\'';
	CREATE FUNCTION %tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TABLE %t (%k int CONSTRAINT %pk PRIMARY KEY, %e1 %e DEFAULT E'c\nd', %d1 %d, %n text DEFAULT E'a\nb''c\\d', CONSTRAINT %ck CHECK (%k > 0 AND %n <> E'\n'), CONSTRAINT %un UNIQUE (%n));
	CREATE TABLE %u (%k int CONSTRAINT %fk REFERENCES %t ON DELETE CASCADE, %g int GENERATED ALWAYS AS (%k + 1) STORED, %i int GENERATED ALWAYS AS IDENTITY);
	CREATE INDEX %ix ON %t (lower(%n), (%k + 1)) WHERE %n <> '''';
	CREATE STATISTICS %st ON %k, %n FROM %t;
	CREATE VIEW %v (%vc) AS SELECT %k FROM %t WHERE %n <> '/*';
	CREATE MATERIALIZED VIEW %m AS SELECT %k AS %mc FROM %t;
	CREATE TRIGGER %tr BEFORE INSERT ON %t FOR EACH ROW EXECUTE FUNCTION %tf('it''s', E'a\nb');
	CREATE RULE %r AS ON UPDATE TO %v DO INSTEAD NOTHING;
	CREATE POLICY %po ON %t USING (%n = E'\n''');
	COMMENT ON TABLE %t IS E'line\n''quote'' \\ $$ --';
	COMMENT ON COLUMN %t.%n IS E'\n';
	COMMENT ON CONSTRAINT %ck ON %t IS '''';
	COMMENT ON TRIGGER %tr ON %t IS '''';
	COMMENT ON POLICY %po ON %t IS '''';
	COMMENT ON RULE %r ON %v IS '''';
	COMMENT ON TYPE %e IS '''';
	COMMENT ON DOMAIN %d IS '''';
	COMMENT ON FUNCTION %f(text) IS ''''$x$, ugly))
FROM unnest(ARRAY['', ' ', '"', '''''', '''''''', E'\n', '\', '$$', '--', '/*', '*/', ';', '%s', '.', '","', '{}', '"."', 'ü', '(', ')::', '$1', 'E''', E'a"b''c\nd\\e']) WITH ORDINALITY AS t (ugly, n) ORDER BY n;
-- models: a tag says one thing of one column, whatever stands in it
SELECT '## ' || tags || E'\n' || CASE outcome WHEN 'does not fail' THEN kints_plan_format(m, 'sql') ELSE regexp_replace(outcome, E'\nHINT:.*', '') END
FROM unnest(ARRAY['default:0); CREATE TABLE injected (a int', 'default:0, b int', 'default:0 REFERENCES x', 'default:0 PRIMARY KEY', 'default:1 --', 'default:1 /*', 'default:''unclosed', 'default:$$unclosed', 'default:(SELECT 1)', 'check:true), CHECK (false', 'check:true); DROP TABLE t; --',
	'index,index_where:true; DROP TABLE t', 'index,index_where:true) INCLUDE (a', 'index,using:btree; DROP', 'index,using:btree (a) WHERE true --', 'index,include:a) WHERE (true', 'index,opclass:int4_ops) WHERE (true', 'index:i ON t (a); DROP TABLE t; --',
	'collate:"C" DEFAULT 5', 'comment:it is \ "x"', 'fk:t(a) ON DELETE CASCADE', 'fk:t(a); DROP TABLE t', 'fk:t(a),on_delete:cascade; DROP TABLE t', 'unique,unique_name:x) CHECK (a', 'generated:1) STORED, b int GENERATED ALWAYS AS (1', 'identity:always, b int',
	'type:int); DROP TABLE t; --', 'type:int DEFAULT 5', 'varchar(5) DEFAULT 1', 'numeric(5,2)); DROP TABLE t', 'column:a" int); DROP TABLE t; --', 'primary_key:x) , CHECK (true']) WITH ORDINALITY AS t (tags, n),
	LATERAL (SELECT jsonb_build_object('models', jsonb_build_array(jsonb_build_object('table', 't', 'schema', 'tricks', 'fields', jsonb_build_array(jsonb_build_object('name', 'a', 'type', 'int', 'tags', tags)))))) AS x (m),
	LATERAL (SELECT test.fails(format('SELECT * FROM kints_plan(%L::jsonb, ''{"ignore": ["tricks.trace*", "tricks.who*"]}'')', m))) AS o (outcome)
ORDER BY n;
DROP FUNCTION test.both;
DROP SCHEMA tricks, tricks_log CASCADE;
REVOKE USAGE ON SCHEMA test FROM PUBLIC;
DROP ROLE regress_kints_mallory, "regress_kints$$; SELECT 1/0; --";
