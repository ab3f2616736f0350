-- Order: what is altered between what goes and what comes steps aside.
\pset format unaligned
\pset tuples_only on

SELECT test.case('a policy that looks at another table, under the names of the old one', $$
CREATE TABLE a (id int, CONSTRAINT same PRIMARY KEY (id));
CREATE TABLE t (id int); CREATE POLICY p ON t USING (EXISTS (SELECT FROM a))$$, $$
CREATE TABLE b (id int, CONSTRAINT same PRIMARY KEY (id));
CREATE TABLE t (id int); CREATE POLICY p ON t USING (EXISTS (SELECT FROM b))$$);
SELECT test.case('a view of another table, under the names of the old one', $$
CREATE TABLE a (id int, CONSTRAINT same PRIMARY KEY (id));
CREATE VIEW v AS SELECT id FROM a; CREATE VIEW w AS SELECT id FROM v; COMMENT ON VIEW w IS 'w'$$, $$
CREATE TABLE b (id int, CONSTRAINT same PRIMARY KEY (id));
CREATE VIEW v AS SELECT id FROM b; CREATE VIEW w AS SELECT id FROM v; COMMENT ON VIEW w IS 'w'$$);
SELECT test.case('a table that changes, with another column under its view', $$
CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT b AS x FROM t$$, $$
CREATE UNLOGGED TABLE t (a int, c int); CREATE VIEW v AS SELECT c AS x FROM t$$);
SELECT test.case('a sequence that changes and loses its column', $$
CREATE SEQUENCE q; CREATE TABLE t (a int, b int DEFAULT nextval('q')); ALTER SEQUENCE q OWNED BY t.b$$, $$
CREATE SEQUENCE q INCREMENT BY 5; CREATE TABLE t (a int)$$);
SELECT test.case('two functions that trade what they call', $$
CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN f()$$, $$
CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN g()$$);
-- tables that refer to each other become logged without their foreign keys
\set q 'CREATE UNLOGGED TABLE a (id int PRIMARY KEY, b int); CREATE UNLOGGED TABLE b (id int PRIMARY KEY REFERENCES a); ALTER TABLE a ADD CONSTRAINT ab FOREIGN KEY (b) REFERENCES b; CREATE UNLOGGED TABLE c (id int PRIMARY KEY, c int REFERENCES c)'
SELECT test.case('a loop that becomes logged', :'q', replace(:'q', 'UNLOGGED ', ''));
