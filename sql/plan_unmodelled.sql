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
