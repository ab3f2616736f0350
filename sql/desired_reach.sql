-- A script that reaches beyond the schemas that are planned.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA desired_reach;
CREATE SCHEMA reach_other;
SET search_path = desired_reach, reach_other, public;
CREATE TABLE reach_other.t (x int);
CREATE TABLE reach_other.parent (x int) PARTITION BY LIST (x);
CREATE TYPE reach_other.e AS ENUM ('one');
CREATE TYPE reach_other.c AS (x int);
CREATE DOMAIN reach_other.d AS int CONSTRAINT positive CHECK (VALUE > 0);
CREATE FUNCTION reach_other.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW reach_other.v AS SELECT 1 AS x;
CREATE SEQUENCE reach_other.s;
CREATE RULE r AS ON INSERT TO reach_other.t DO ALSO NOTHING;
CREATE POLICY p ON reach_other.t;
CREATE STATISTICS reach_other.st ON (x + 1) FROM reach_other.t;
CREATE TEMP TABLE reach_temp (x int);

CREATE FUNCTION pg_temp.reach(statement text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s: %s', statement,
		test.plan_fails('CREATE TABLE desired_reach.a (x int PRIMARY KEY); ' || statement)) $$;

-- by the search_path, not only by name
SELECT pg_temp.reach(statement) FROM (VALUES
	(1, 'ALTER TABLE t ADD y int'), (2, 'ALTER TABLE t RENAME TO u'), (3, 'ALTER TABLE t RENAME x TO y'),
	(4, 'ALTER TABLE t SET SCHEMA desired_reach'), (5, 'ALTER TABLE t OWNER TO CURRENT_USER'),
	(6, 'CREATE INDEX ON t (x)'), (7, 'CREATE POLICY q ON t'), (8, 'ALTER POLICY p ON t USING (true)'),
	(9, 'CREATE RULE q AS ON DELETE TO t DO ALSO NOTHING'),
	(10, 'CREATE TRIGGER q AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
	(11, 'COMMENT ON TABLE t IS ''t'''), (12, 'COMMENT ON COLUMN t.x IS ''x'''), (13, 'COMMENT ON RULE r ON t IS ''r'''),
	(14, 'COMMENT ON FUNCTION f() IS ''f'''), (15, 'COMMENT ON TYPE e IS ''e'''), (16, 'COMMENT ON CONSTRAINT positive ON DOMAIN d IS ''c'''),
	(17, 'GRANT SELECT ON t TO PUBLIC'), (18, 'GRANT EXECUTE ON FUNCTION f() TO PUBLIC'), (19, 'GRANT USAGE ON TYPE e TO PUBLIC'),
	(20, 'GRANT SELECT ON ALL TABLES IN SCHEMA reach_other TO PUBLIC'),
	(21, 'DROP TABLE t'), (22, 'DROP VIEW IF EXISTS reach_other.v'), (23, 'DROP FUNCTION f()'), (24, 'DROP TYPE e'),
	(25, 'DROP POLICY p ON t'), (26, 'DROP RULE r ON t'),
	(27, 'ALTER TYPE e ADD VALUE ''two'''), (28, 'ALTER TYPE e RENAME TO e2'), (29, 'ALTER TYPE e OWNER TO CURRENT_USER'),
	(30, 'ALTER TYPE c ADD ATTRIBUTE y int'), (31, 'ALTER DOMAIN d DROP CONSTRAINT positive'), (32, 'ALTER DOMAIN d RENAME CONSTRAINT positive TO q'),
	(33, 'ALTER FUNCTION f() COST 5'), (34, 'ALTER FUNCTION f() SET SCHEMA desired_reach'),
	(35, 'ALTER SEQUENCE s CYCLE'), (36, 'ALTER VIEW v ALTER x SET DEFAULT 1'), (37, 'ALTER STATISTICS st SET STATISTICS 5'),
	(38, 'CREATE TABLE b PARTITION OF parent FOR VALUES IN (1)'), (39, 'CREATE TABLE b () INHERITS (t)'), (40, 'ALTER TABLE a INHERIT t'),
	(41, 'CREATE TABLE b (x int) PARTITION BY LIST (x); ALTER TABLE b ATTACH PARTITION t DEFAULT')) AS cases (n, statement)
ORDER BY n;

-- what does not stay, or is created elsewhere
SELECT pg_temp.reach(statement) FROM (VALUES
	(1, 'ALTER TABLE reach_temp ADD y int'),
	(2, 'SET search_path = nosuch, reach_other; CREATE TABLE b (x int)')) AS cases (n, statement)
ORDER BY n;

-- a partition of a table in another schema
SELECT sql FROM kints_plan('CREATE TABLE desired_reach.b PARTITION OF reach_other.parent FOR VALUES IN (1)');

-- in a database of its own, all the same
SET kints.elaborate_in = 'database';
SELECT pg_temp.reach('ALTER TABLE t ADD y int');
RESET kints.elaborate_in;

-- objects of the server and of extensions may be mentioned, and schemas
SELECT sql FROM kints_plan('CREATE TABLE desired_reach.a (x int); COMMENT ON SCHEMA desired_reach IS ''s'';
	GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO PUBLIC;
	GRANT EXECUTE ON FUNCTION kints_status() TO PUBLIC');

-- of statements that are rare
SELECT sql, split_part(test.plan_fails(sql), E'\n', 1) FROM unnest(ARRAY['SECURITY LABEL ON TABLE reach_other.t IS ''x''', 'ALTER TYPE reach_other.c SET (STORAGE = plain)', 'ALTER FUNCTION test.step(text, text, text, text, text, text[]) DEPENDS ON EXTENSION kints_norm', 'ALTER INDEX reach_other.nosuch DEPENDS ON EXTENSION kints_norm']) WITH ORDINALITY AS t (sql, n) ORDER BY n;
RESET search_path;
DROP SCHEMA desired_reach, reach_other CASCADE;
