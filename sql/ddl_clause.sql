-- Clauses that several kinds share: options, set and reset.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.case('options of a table: more, other, fewer', 'CREATE TABLE t (a text) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, toast.autovacuum_enabled = off)', 'CREATE TABLE t (a text) WITH (fillfactor = 60, parallel_workers = 2, toast.vacuum_index_cleanup = auto)');
SELECT test.case('of a table: none', 'CREATE TABLE t (a text) WITH (fillfactor = 50, toast.autovacuum_enabled = off)', 'CREATE TABLE t (a text)');
SELECT test.case('of a column', 'CREATE TABLE t (a int); ALTER TABLE t ALTER a SET (n_distinct = 5, n_distinct_inherited = 6)', 'CREATE TABLE t (a int); ALTER TABLE t ALTER a SET (n_distinct = -0.25)');
SELECT test.case('of a view', 'CREATE TABLE t (a int); CREATE VIEW v WITH (security_barrier = false, check_option = local) AS SELECT a FROM t', 'CREATE TABLE t (a int); CREATE VIEW v WITH (security_barrier = true) AS SELECT a FROM t');
SELECT test.case('of an index behind a key', 'CREATE TABLE t (a int PRIMARY KEY WITH (fillfactor = 50), b int UNIQUE)', 'CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE WITH (fillfactor = 70, deduplicate_items = off))');
-- what no word and no number is, as only a snapshot by hand has it
SELECT test.diff('{"format": 1, "schemas": ["s"], "objects": [{"kind": "table", "schema": "s", "name": "t", "options": ["fillfactor=70"]}]}',
	'{"format": 1, "schemas": ["s"], "objects": [{"kind": "table", "schema": "s", "name": "t", "options": ["fillfactor=-7.5", "a=it''s", "b=Word", "\"C\"=", "toast.d=1x"]}]}');
