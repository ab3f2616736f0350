-- What is not modelled has no DDL: it is named, left alone, and does not come back.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT test.part('dropped', 'CREATE COLLATION c FROM "C"', '');
SELECT test.part('created', '', 'CREATE COLLATION c FROM "C"');
CREATE SCHEMA do_;
CREATE COLLATION do_.c FROM "C";
SELECT count(*) FROM kints_apply('', '{"schemas": ["do_"], "allow": "all", "ignore": ["do_"]}');
SELECT test.fails('SELECT * FROM kints_apply('''', ''{"schemas": ["do_"], "allow": "all"}'')');
DROP SCHEMA do_ CASCADE;
