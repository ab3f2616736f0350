-- Views: replaced where that will do, else made anew with what is on them.
\pset format unaligned
\pset tuples_only on

SELECT test.case('create, with options', '', $$
	CREATE TABLE t (a int, b text);
	CREATE VIEW v (x, y) WITH (security_barrier, security_invoker = true) AS SELECT a, b FROM t WHERE a > 0 WITH LOCAL CHECK OPTION;
	COMMENT ON VIEW v IS 'v'; COMMENT ON COLUMN v.x IS 'x';
	ALTER VIEW v ALTER x SET DEFAULT 5;
	CREATE RECURSIVE VIEW r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5$$);
SELECT test.case('another query', 'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a FROM t', 'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a FROM t WHERE a > 1');
SELECT test.case('a column more', 'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a FROM t', 'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a, b FROM t');
SELECT test.case('a column less, under a view', 'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w AS SELECT a FROM v; COMMENT ON COLUMN w.a IS ''kept''',
	'CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; COMMENT ON COLUMN w.a IS ''kept''');
SELECT test.case('another type', 'CREATE VIEW v AS SELECT 1 AS a', 'CREATE VIEW v AS SELECT 1::bigint AS a');
SELECT test.case('options', 'CREATE VIEW v WITH (security_barrier) AS SELECT 1 AS a', 'CREATE VIEW v WITH (security_invoker) AS SELECT 1 AS a');
SELECT test.case('check option', 'CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t WHERE a > 0', 'CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t WHERE a > 0 WITH CASCADED CHECK OPTION');
SELECT test.case('two that swap', 'CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW b AS SELECT x FROM a', 'CREATE VIEW b AS SELECT 1 AS x; CREATE VIEW a AS SELECT x FROM b');
SELECT test.case('drop, with one on it', 'CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW b AS SELECT x FROM a', '');
SELECT test.case('table to view', 'CREATE TABLE v (a int)', 'CREATE VIEW v AS SELECT 1 AS a');
SELECT test.case('over a key that groups', '', 'CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT a, b FROM t GROUP BY a');
SELECT test.case('over a column that is new', 'CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t', 'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT * FROM t');
SELECT test.case('trigger, rule and default of a view made anew', $$
	CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE VIEW v AS SELECT 1 AS a, 2 AS b;
	CREATE TRIGGER tr INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
	CREATE RULE r AS ON UPDATE TO v DO INSTEAD NOTHING;
	ALTER VIEW v ALTER a SET DEFAULT 4$$, $$
	CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE VIEW v AS SELECT 1 AS a;
	CREATE TRIGGER tr INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
	CREATE RULE r AS ON UPDATE TO v DO INSTEAD NOTHING;
	ALTER VIEW v ALTER a SET DEFAULT 4$$);
