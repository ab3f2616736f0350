-- Sequences.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create', '', $$
	CREATE SEQUENCE a;
	CREATE SEQUENCE b AS smallint START 5 INCREMENT -2 MINVALUE -100 MAXVALUE 50 CACHE 3 CYCLE;
	CREATE UNLOGGED SEQUENCE c;
	COMMENT ON SEQUENCE b IS 'b'$$);
SELECT test.case('owned', '', 'CREATE TABLE t (a int, b serial, c bigserial, d smallserial); CREATE SEQUENCE q OWNED BY t.a');
SELECT test.case('options', 'CREATE SEQUENCE a', 'CREATE SEQUENCE a AS int START 7 INCREMENT 3 MAXVALUE 1000 CACHE 9 CYCLE');
SELECT test.case('owner', 'CREATE TABLE t (a int, b int); CREATE SEQUENCE q OWNED BY t.a', 'CREATE TABLE t (a int, b int); CREATE SEQUENCE q OWNED BY t.b');
SELECT test.case('owned by a column that goes', 'CREATE TABLE t (a int, b int); CREATE SEQUENCE q OWNED BY t.b', 'CREATE TABLE t (a int); CREATE SEQUENCE q');
SELECT test.case('owned by a table that goes', 'CREATE TABLE t (a serial); CREATE TABLE u (a int DEFAULT nextval(''t_a_seq''))', 'CREATE SEQUENCE t_a_seq AS int; CREATE TABLE u (a int DEFAULT nextval(''t_a_seq''))');
SELECT test.case('drop', 'CREATE SEQUENCE a; CREATE TABLE t (b serial)', 'CREATE TABLE t (b int NOT NULL)');
SELECT test.case('int to serial', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a serial)');
SELECT test.case('serial to bigserial', 'CREATE TABLE t (a serial)', 'CREATE TABLE t (a bigserial)');
SELECT test.case('persistence', 'CREATE SEQUENCE a', 'CREATE UNLOGGED SEQUENCE a');

-- The position survives.
CREATE SCHEMA ddl_sequence;
SET search_path = ddl_sequence, public;
CREATE SEQUENCE a;
SELECT setval('a', 41);
SELECT sql FROM kints_apply('CREATE SEQUENCE a INCREMENT 2');
SELECT nextval('a');
SELECT sql FROM kints_rollback();
SELECT nextval('a');
DROP SCHEMA ddl_sequence CASCADE;
