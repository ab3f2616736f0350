-- The functions: their arguments, null ones too, and the columns of a step.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA plan_plan;
SET search_path = plan_plan, public;
CREATE TABLE t (a int);
SELECT test.fails('SELECT * FROM kints_plan(NULL::text)');
SELECT test.fails('SELECT * FROM kints_plan(NULL::jsonb)');
SELECT test.fails('SELECT kints_plan_format(NULL::text)');
-- options come first, then the format, then the desired state
SELECT test.fails('SELECT * FROM kints_plan(NULL::text, ''{"nosuch": 1}'')');
SELECT test.fails('SELECT kints_plan_format(''nonsense'', ''nosuch'', ''{}'')');
SELECT count(*) FROM kints_plan('CREATE TABLE t (a bigint)', NULL);
SELECT kints_plan_format('CREATE TABLE t (a bigint)', NULL, NULL) = kints_plan_format('CREATE TABLE t (a bigint)', 'text');
SELECT count(*) FROM kints_diff(kints_snapshot('{plan_plan}'), NULL);

-- all columns, with and without a value; both forms say the same
\x on
SELECT * FROM kints_plan('CREATE TABLE t (a bigint); CREATE TABLE u (b int); CREATE INDEX i ON u (b)');
SELECT step, kind, object, sql, replace(undo, current_user, '<owner>') AS undo, severity, lock, hazards, transactional, phase FROM kints_diff(kints_snapshot('{plan_plan}'), kints_snapshot('{}')) LIMIT 1;
\x off
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{plan_plan}') AS snapshot;
ALTER TABLE t ADD b int;
SELECT count(*) FROM (SELECT * FROM kints_plan((SELECT snapshot FROM kept)) EXCEPT SELECT * FROM kints_plan('CREATE TABLE t (a int)')) AS d;
SELECT kints_plan_format((SELECT snapshot FROM kept), 'sql') = kints_plan_format('CREATE TABLE t (a int)', 'sql');

-- names of schemas: once each, null ones and unknown ones do not count
SELECT kints_fingerprint('{plan_plan,NULL,plan_plan}') = kints_fingerprint('{plan_plan}');
SELECT kints_snapshot('{plan_plan,NULL,plan_plan,nosuch}') -> 'schemas', jsonb_array_length(kints_snapshot('{plan_plan,NULL,plan_plan,nosuch}') -> 'objects');
SELECT kints_snapshot('{}') -> 'objects', kints_fingerprint('{}') = kints_fingerprint('{NULL}');
SELECT kints_snapshot() -> 'schemas' ?& '{plan_plan,public,test}', kints_snapshot() -> 'schemas' ?| '{kints,pg_catalog,pg_toast,information_schema}';
SELECT kints_fingerprint() = kints_fingerprint(NULL), kints_fingerprint() = kints_fingerprint('{plan_plan}');
DROP SCHEMA plan_plan CASCADE;
