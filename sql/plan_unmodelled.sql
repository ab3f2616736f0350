-- What a plan leaves as it is, and names.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
-- what is not modelled: on either side, or on both
CREATE SCHEMA pu;
SET search_path = pu, public;
SELECT test.plan('CREATE COLLATION co FROM "C"; CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq); CREATE TEXT SEARCH DICTIONARY di (TEMPLATE = simple)');
CREATE COLLATION co FROM "C";
CREATE COLLATION gone FROM "POSIX";
SELECT test.plan('CREATE COLLATION co FROM "C"');
SELECT test.plan('CREATE COLLATION co FROM "POSIX"');
SELECT test.plan('CREATE TABLE t (a text COLLATE co); CREATE COLLATION co FROM "C"', '{"ignore": ["pu.gone"]}');
SELECT test.fails('SELECT * FROM kints_apply(''CREATE TABLE t (a text COLLATE missing); CREATE COLLATION missing FROM "C"'')');
SELECT kind, object, sql, undo, severity, lock, hazards, transactional, phase FROM kints_plan('CREATE TABLE t (a int)') ORDER BY step;
-- only that: nothing runs, nothing is recorded, and it is no error
SELECT count(*) FROM kints_status() AS before \gset
SELECT count(*) FROM kints_apply('CREATE COLLATION co FROM "POSIX"');
SELECT count(*) = :count FROM kints_status();
DROP SCHEMA pu CASCADE;

-- owners, where the text is about all and states none: those that are not who would load it
CREATE ROLE regress_pu_a;
CREATE SCHEMA pu AUTHORIZATION regress_pu_a;
CREATE TABLE pu.t (a serial, b int);
CREATE VIEW pu.v AS SELECT a FROM pu.t;
CREATE FUNCTION pu.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER TABLE pu.t OWNER TO regress_pu_a;
ALTER VIEW pu.v OWNER TO regress_pu_a;
CREATE FUNCTION pg_temp.named(desired text, options jsonb) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(': ', severity, object, array_to_string(hazards, '; ')) FROM public.kints_plan(desired, options) WHERE kind = 'unmodelled' AND object ~ 'owner' ORDER BY step
$$;
\set text 'CREATE TABLE pu.t (a serial, b int); CREATE VIEW pu.v AS SELECT a FROM pu.t; CREATE FUNCTION pu.f() RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE TABLE pu.n (a int)'
SELECT pg_temp.named(:'text', '{"schemas": "*"}');
SELECT pg_temp.named(:'text', '{"schemas": "*", "ignore": ["pu.t*"]}');
SELECT pg_temp.named(:'text', '{"schemas": ["pu"]}');
SELECT pg_temp.named(:'text', '{}');
SELECT pg_temp.named('CREATE SCHEMA pu; ' || :'text', '{"schemas": "*"}');
SELECT pg_temp.named(:'text' || '; ALTER TABLE pu.t OWNER TO regress_pu_a', '{"schemas": "*"}');
SELECT pg_temp.named(replace(:'text', 'pu.v', 'pu.w'), '{"schemas": "*", "renames": {"pu.v": "w"}}');
DROP SCHEMA pu CASCADE;
DROP ROLE regress_pu_a;
CREATE SCHEMA pu;
CREATE COLLATION pu.found FROM "C";
CREATE TEXT SEARCH DICTIONARY pu.both (TEMPLATE = simple);
SELECT object, severity, phase, sql IS NULL, hazards FROM kints_plan('CREATE SCHEMA pu; CREATE COLLATION pu.wanted FROM "C"; CREATE TEXT SEARCH DICTIONARY pu.both (TEMPLATE = simple); ALTER DEFAULT PRIVILEGES IN SCHEMA pu GRANT SELECT ON TABLES TO PUBLIC');
DROP SCHEMA pu CASCADE;
-- a column that a table has to declare before it can join the parent that it is wanted from
SELECT test.part('declared to join', 'CREATE TABLE p (a int, b text); CREATE TABLE q (a int)', 'CREATE TABLE p (a int, b text); CREATE TABLE q (a int) INHERITS (p)');
SELECT test.part('added above', 'CREATE TABLE p (a int); CREATE TABLE q () INHERITS (p); CREATE TABLE r () INHERITS (q)', 'CREATE TABLE p (a int, b text); CREATE TABLE q () INHERITS (p); CREATE TABLE r () INHERITS (q)');
