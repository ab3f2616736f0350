-- Undo: which step each statement back goes to.  That all of them in reverse lead back is also
-- checked by every test.case.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.undo(name text, from_sql text, to_sql text, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql SET client_min_messages = warning SET check_function_bodies = off AS $$
DECLARE
	steps text;
BEGIN
	PERFORM set_config('search_path', 's, public', true);
	BEGIN
		CREATE SCHEMA s;
		EXECUTE from_sql;
		SELECT string_agg(concat(sql, replace(coalesce(E'\n' || undo, ''), E'\n', E'\n    <- ')), E'\n' ORDER BY step) INTO steps
		FROM public.kints_plan(to_sql, options - 'allow' || '{"schemas": ["s"]}') WHERE sql IS NOT NULL;
		RAISE EXCEPTION USING ERRCODE = 'TEST0';
	EXCEPTION WHEN SQLSTATE 'TEST0' THEN
		NULL;
	END;
	RETURN concat_ws(E'\n', '## ' || name, steps, '=> ' || test.law(from_sql, to_sql, options));
END
$$;
-- each statement with its opposite
SELECT pg_temp.undo('a table with all that is on it', '', 'CREATE TABLE t (a int PRIMARY KEY, b int DEFAULT 1, CHECK (a > 0)); COMMENT ON TABLE t IS ''t''; CREATE TABLE u (a int REFERENCES t); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t; CREATE POLICY p ON t; CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()');
SELECT pg_temp.undo('and away with it', 'CREATE TABLE t (a int PRIMARY KEY, b int DEFAULT 1, CHECK (a > 0)); COMMENT ON TABLE t IS ''t''; CREATE TABLE u (a int REFERENCES t); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t; CREATE POLICY p ON t; CREATE TABLE kept (a int)', 'CREATE TABLE kept (a int)');
SELECT pg_temp.undo('a column altered', 'CREATE TABLE t (a int, b text, c int); COMMENT ON COLUMN t.a IS ''x''', 'CREATE TABLE t (a bigint NOT NULL DEFAULT 5, b varchar, d int); COMMENT ON COLUMN t.a IS ''y''; COMMENT ON TABLE t IS ''z''');
SELECT pg_temp.undo('several settings of a table', 'CREATE TABLE t (a text, b text); ALTER TABLE t ALTER a SET STATISTICS 10; ALTER TABLE t ALTER a SET STORAGE EXTERNAL', 'CREATE UNLOGGED TABLE t (a text, b text) WITH (fillfactor = 70); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; ALTER TABLE t ALTER a SET (n_distinct = 5); COMMENT ON TABLE t IS ''t''');
SELECT pg_temp.undo('a type recreated under a column', 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE TABLE t (e e DEFAULT ''a''); CREATE VIEW v AS SELECT e FROM t', 'CREATE TYPE e AS ENUM (''b'', ''a''); CREATE TABLE t (e e DEFAULT ''a''); CREATE VIEW v AS SELECT e FROM t');
SELECT pg_temp.undo('renames', 'CREATE TABLE t (a int, b int); CREATE TYPE e AS ENUM (''x'')', 'CREATE TABLE u (c int, b bigint); CREATE TYPE e AS ENUM (''y'', ''z'')', '{"renames": {"s.t": "u", "s.t.a": "c", "s.e.x": "y"}}');
-- what no statement can take back by itself
SELECT pg_temp.undo('a label', 'CREATE TYPE e AS ENUM (''a''); CREATE TABLE t (e e); CREATE INDEX i ON t (e)', 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE TABLE t (e e); CREATE INDEX i ON t (e)');
SELECT pg_temp.undo('an attribute that was not the last', 'CREATE TYPE c AS (a int, b int, d int); CREATE TABLE t (c c)', 'CREATE TYPE c AS (a int, d int); CREATE TABLE t (c c)');
SELECT pg_temp.undo('a constraint validated, and deferrable', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int); ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t NOT VALID; COMMENT ON CONSTRAINT f ON u IS ''f''; CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID; COMMENT ON CONSTRAINT c ON DOMAIN d IS ''c''', 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t DEFERRABLE); CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0)');
SELECT pg_temp.undo('an expression more in a policy', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0); COMMENT ON POLICY p ON t IS ''p''', 'CREATE TABLE t (a int); CREATE POLICY p ON t TO pg_monitor USING (a > 1) WITH CHECK (a > 0)');
SELECT pg_temp.undo('a column more in a view that others read', 'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; COMMENT ON VIEW v IS ''v''', 'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w AS SELECT a FROM v; COMMENT ON VIEW v IS ''u''');
SELECT pg_temp.undo('a default more in a function that a view calls', 'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE VIEW v AS SELECT f(1) AS a', 'CREATE FUNCTION f(a int DEFAULT 5) RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE VIEW v AS SELECT f(1) AS a');
SELECT pg_temp.undo('a column that is no longer generated', 'CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT b FROM t', 'CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT b FROM t');
-- what goes with another statement back
SELECT pg_temp.undo('a storage that goes with the type', 'CREATE TABLE t (a text); ALTER TABLE t ALTER a SET STORAGE EXTERNAL', 'CREATE TABLE t (a varchar)');
SELECT pg_temp.undo('limits of a sequence that go with the type', 'CREATE TABLE t (a bigint GENERATED ALWAYS AS IDENTITY)', 'CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)');
SELECT pg_temp.undo('an index that rows were clustered by', 'CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t CLUSTER ON i; ALTER TABLE t REPLICA IDENTITY USING INDEX i', 'CREATE TABLE t (a int NOT NULL)');
SELECT pg_temp.undo('constraints of a domain, with comments', $$CREATE DOMAIN d AS int CONSTRAINT a CHECK (VALUE > 0) CONSTRAINT b CHECK (VALUE > 1); COMMENT ON CONSTRAINT a ON DOMAIN d IS 'x'; COMMENT ON CONSTRAINT b ON DOMAIN d IS 'y'$$,
	$$CREATE DOMAIN d AS int DEFAULT 3 CONSTRAINT a CHECK (VALUE > 2); COMMENT ON CONSTRAINT a ON DOMAIN d IS 'z'$$);
SELECT pg_temp.undo('partitions that leave, and one that moves', 'CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE INDEX i ON p (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1); CREATE TABLE d PARTITION OF p FOR VALUES IN (2)', 'CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE INDEX i ON p (a); CREATE TABLE c (a int); CREATE INDEX c_a_idx ON c (a); CREATE TABLE d PARTITION OF p FOR VALUES IN (3)');
SELECT pg_temp.undo('a sequence that gets another column', 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE SEQUENCE q OWNED BY t.a', 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE SEQUENCE q OWNED BY u.a');
SELECT pg_temp.undo('a constraint by a function that takes the row', '', 'CREATE TABLE t (a int); CREATE FUNCTION f(t) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT true''; ALTER TABLE t ADD CONSTRAINT c CHECK (f(t)); CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN (SELECT a FROM t); ALTER TABLE t ALTER a SET DEFAULT g()');
-- what leaves and joins owners, privileges and parents
CREATE ROLE undo_role;
SELECT pg_temp.undo('owners and privileges', 'CREATE TABLE t (a serial); GRANT SELECT ON t TO undo_role; GRANT INSERT (a) ON t TO undo_role; CREATE VIEW v AS SELECT a FROM t', 'CREATE TABLE t (a serial); ALTER TABLE t OWNER TO undo_role; CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO undo_role');
DROP ROLE undo_role;
SELECT pg_temp.undo('privileges that nobody states', 'CREATE TABLE t (a int); GRANT SELECT ON t TO PUBLIC; CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO PUBLIC; CREATE TABLE gone (a int); GRANT SELECT ON gone TO PUBLIC', 'CREATE TABLE t (a bigint); CREATE VIEW v AS SELECT a FROM t', '{"allow": "part"}');
SELECT pg_temp.undo('a column that children inherit', 'CREATE TABLE p (a int); CREATE TABLE c (b int) INHERITS (p)', 'CREATE TABLE p (a bigint, d int DEFAULT 1); CREATE TABLE c (b int) INHERITS (p)');
SELECT pg_temp.undo('a partition more', 'CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5)', 'CREATE TABLE p (a int, b int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (5) TO (9)');
-- what cannot be undone: who made it in three statements left a circle, and all steps say so
CREATE SCHEMA s;
SET search_path = s, public;
CREATE FUNCTION g(a int) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN g(1);
CREATE OR REPLACE FUNCTION g(a int) RETURNS int LANGUAGE sql RETURN f(1);
CREATE TABLE t (a int);
\set wanted 'CREATE TABLE t (a int, b int); CREATE FUNCTION g(a int DEFAULT 5) RETURNS int LANGUAGE sql RETURN 1; CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN g(1); CREATE OR REPLACE FUNCTION g(a int DEFAULT 5) RETURNS int LANGUAGE sql RETURN f(1)'
SELECT kind, object, undo IS NULL, hazards FROM kints_plan(:'wanted', '{"schemas": ["s"]}') ORDER BY step;
SELECT test.fails(format('SELECT * FROM kints_apply(%L::text, %L)', :'wanted', '{"schemas": ["s"], "allow": "all"}'));
RESET search_path;
DROP SCHEMA s CASCADE;
-- all kinds at once
\set one 'CREATE TYPE e AS ENUM (''a'', ''b''); CREATE DOMAIN d AS int CHECK (VALUE > 0); CREATE TYPE c AS (x int, y text); CREATE SEQUENCE q INCREMENT 3; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1''; CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TABLE t (a int PRIMARY KEY, b e DEFAULT ''a'', c text COLLATE "C", g int GENERATED ALWAYS AS (a + 1) STORED, i int GENERATED ALWAYS AS IDENTITY, CONSTRAINT ck CHECK (a > 0), CONSTRAINT un UNIQUE (c)); COMMENT ON TABLE t IS ''t''; COMMENT ON COLUMN t.c IS ''c''; CREATE TABLE u (a int REFERENCES t, s serial); CREATE INDEX ix ON t (c) WHERE a > 1; CREATE VIEW v AS SELECT a, c FROM t; COMMENT ON VIEW v IS ''v''; CREATE VIEW w AS SELECT a FROM v; CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX mx ON m (a); CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf(); CREATE RULE r AS ON DELETE TO u DO ALSO NOTHING; CREATE POLICY p ON t USING (a > 0); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE STATISTICS st ON a, c FROM t; CREATE AGGREGATE ag(int) (SFUNC = int4pl, STYPE = int); CREATE TYPE rg AS RANGE (SUBTYPE = int)'
\set two 'CREATE TYPE e AS ENUM (''a'', ''b'', ''c''); CREATE DOMAIN d AS int DEFAULT 3 NOT NULL; CREATE TYPE c AS (x int, z text); CREATE SEQUENCE q INCREMENT 4; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS ''SELECT $1 + 1''; CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''; CREATE TABLE t (a bigint PRIMARY KEY, b e DEFAULT ''b'', c varchar(10), g int, i int GENERATED BY DEFAULT AS IDENTITY, n int NOT NULL DEFAULT 1, CONSTRAINT ck CHECK (a > 1)); COMMENT ON TABLE t IS ''tt''; CREATE TABLE u (a bigint REFERENCES t ON DELETE CASCADE, s serial); CREATE INDEX ix ON t (c); CREATE VIEW v AS SELECT a, c, n FROM t; CREATE VIEW w AS SELECT a FROM v; CREATE MATERIALIZED VIEW m AS SELECT a FROM t WHERE a > 1; CREATE UNIQUE INDEX mx ON m (a); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf(); CREATE RULE r AS ON DELETE TO u DO INSTEAD NOTHING; CREATE POLICY p ON t USING (a > 5) WITH CHECK (a > 6); CREATE STATISTICS st (mcv) ON a, c FROM t; CREATE AGGREGATE ag(int) (SFUNC = int4pl, STYPE = int, INITCOND = ''1''); CREATE TYPE rg AS RANGE (SUBTYPE = bigint)'
SELECT test.law('', :'one');
SELECT test.law(:'one', 'CREATE TABLE nothing ()');
SELECT test.law(:'one', :'two');
SELECT test.law(:'two', :'one');
-- what leaves a parent does not become its child again as it was
CREATE SCHEMA pu;
CREATE TABLE pu.p (a int, b int);
CREATE TABLE pu.c () INHERITS (pu.p);
SELECT sql, undo, hazards FROM kints_plan('CREATE TABLE pu.p (a int, b int); CREATE TABLE pu.c (a int, b int)');
SELECT count(*) FROM kints_apply('CREATE TABLE pu.p (a int, b int); CREATE TABLE pu.c (a int, b int)');
SELECT test.fails('SELECT * FROM kints_rollback()');
DROP SCHEMA pu CASCADE;
DELETE FROM kints.schema_migrations;
