-- What is created or dropped in one go.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('a table says its columns, defaults, keys and checks', '', 'CREATE SEQUENCE q; CREATE TABLE t (a int DEFAULT nextval(''q'') PRIMARY KEY, b int UNIQUE CHECK (b > 0), c int GENERATED ALWAYS AS (b + 1) STORED, EXCLUDE USING btree (b WITH =))');
SELECT test.case('unless they need the table', '', 'CREATE TABLE t (a int, b int); CREATE FUNCTION f(t) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1.a > 0''; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS ''SELECT 1''; ALTER TABLE t ADD CONSTRAINT c CHECK (f(t)), ALTER b SET DEFAULT g()');
SELECT test.case('a table takes along what is part of it', 'CREATE TABLE t (a serial PRIMARY KEY, b int DEFAULT 3); CREATE INDEX i ON t (b); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE POLICY p ON t; CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING', '');
SELECT test.case('a column its default, its index and its sequence', 'CREATE TABLE t (a int, b serial, c int DEFAULT 4); CREATE INDEX i ON t (c)', 'CREATE TABLE t (a int)');
SELECT test.case('a type that columns have is put aside', 'CREATE TYPE c AS (a int); CREATE TABLE t (c c, d c[])', 'CREATE TYPE c AS (a text); CREATE TABLE t (c c, d c[])');
SELECT test.case('a table cannot be made anew', 'CREATE TABLE t (a int, b int) PARTITION BY LIST (a)', 'CREATE TABLE t (a int, b int) PARTITION BY LIST (b)');
SELECT test.case('a table that is to be partitioned', 'CREATE TABLE t (a int)', 'CREATE TABLE t (a int) PARTITION BY LIST (a)');
-- names as long as they can be leave room for the one aside
SELECT test.law(format('CREATE TYPE %I AS ENUM (''a'', ''b''); CREATE TABLE t (a %1$I)', repeat('é', 31)), format('CREATE TYPE %I AS ENUM (''b'', ''a''); CREATE TABLE t (a %1$I)', repeat('é', 31)));
-- what cannot be made anew under rows
CREATE SCHEMA pa;
CREATE TABLE pa.p (a int, "from" int, b text) PARTITION BY RANGE (a, "from", lower(b));
SELECT test.plan_fails('CREATE TABLE pa.p (a bigint, "from" int, b text) PARTITION BY RANGE (a, "from", lower(b))');
SELECT test.plan_fails('CREATE TABLE pa.p (a int, "from" bigint, b text) PARTITION BY RANGE (a, "from", lower(b))');
SELECT test.plan_fails('CREATE TABLE pa.p (a int, "from" int, b varchar(9)) PARTITION BY RANGE (a, "from", lower(b))');
DROP TABLE pa.p;
CREATE TYPE pa.r AS RANGE (SUBTYPE = float8);
CREATE TABLE pa.t (r pa.r);
SELECT test.plan_fails('CREATE TYPE pa.r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi); CREATE TABLE pa.t (r pa.r)');
DROP SCHEMA pa CASCADE;
