-- Rules: replaced in place, enabled and disabled.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('create', 'CREATE TABLE t (a int); CREATE TABLE log (a int)', 'CREATE TABLE t (a int); CREATE TABLE log (a int); CREATE RULE "R r" AS ON INSERT TO t WHERE NEW.a > 0 DO ALSO (INSERT INTO log VALUES (NEW.a); UPDATE log SET a = 1); CREATE RULE n AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE n; COMMENT ON RULE n ON t IS ''n''');
SELECT test.case('replace', 'CREATE TABLE t (a int); CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING; COMMENT ON RULE r ON t IS ''kept''', 'CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING; COMMENT ON RULE r ON t IS ''kept''');
SELECT test.case('enabled', 'CREATE TABLE t (a int); CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING; ALTER TABLE t ENABLE ALWAYS RULE r', 'CREATE TABLE t (a int); CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING; ALTER TABLE t ENABLE REPLICA RULE r');
SELECT test.case('drop', 'CREATE TABLE t (a int); CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING', 'CREATE TABLE t (a int)');
-- what a snapshot says a rule is
SELECT test.fails(format('SELECT * FROM kints_diff(%L, %L)', one, replace(one, 'CREATE RULE', 'CREATE TABLE')))
FROM (VALUES ('{"format": 1, "schemas": ["s"], "objects": [{"kind": "table", "schema": "s", "name": "t"}, {"kind": "rule", "schema": "s", "parent": "t", "name": "r", "enabled": "ENABLE", "definition": "CREATE RULE r AS ON UPDATE TO s.t DO INSTEAD NOTHING"}]}')) AS t (one);
