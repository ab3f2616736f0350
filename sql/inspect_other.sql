-- What is not modelled is named, and left alone.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE SCHEMA inspect_other;
SET search_path = inspect_other, public;
CREATE COLLATION co FROM "C";
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE OPERATOR FAMILY fam USING btree;
CREATE OPERATOR CLASS cls FOR TYPE int USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 3 =;
CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION conf (PARSER = "default");
CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TYPE shell;
CREATE AGGREGATE pct(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE FOREIGN DATA WRAPPER inspect_other;
CREATE SERVER inspect_other FOREIGN DATA WRAPPER inspect_other;
CREATE FOREIGN TABLE ft (a int) SERVER inspect_other;
CREATE TABLE t (a int, b text COLLATE co);
SELECT step, kind, object, sql, undo, severity, lock, hazards, transactional, phase FROM kints_plan('CREATE TABLE t (a int)') ORDER BY step;
SELECT kints_plan_format('CREATE TABLE t (a int, b text COLLATE pg_catalog."C", c int)', 'sql', '{"ignore": ["*other.t.b"]}');
SET client_min_messages = notice;
SELECT step, sql FROM kints_apply('CREATE TABLE t (a int, c int)', '{"allow": "all"}');
SELECT count(*) > 0 FROM kints_plan('CREATE TABLE t (a int, c int)') WHERE kind <> 'unmodelled';
SET client_min_messages = warning;
SELECT collname FROM pg_collation WHERE collnamespace = 'inspect_other'::regnamespace;
-- wanted
CREATE SCHEMA inspect_other_2;
SET search_path = inspect_other_2, public;
SELECT kind, object, severity, hazards FROM kints_plan('CREATE COLLATION co FROM "C"; CREATE TABLE t (a int)') ORDER BY step;
DROP SCHEMA inspect_other, inspect_other_2 CASCADE;
DROP FOREIGN DATA WRAPPER inspect_other CASCADE;
