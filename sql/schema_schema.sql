-- Objects and their keys: what counts as the same object, and as the same value.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA ss;
SET search_path = ss, public;
-- one name for objects of many kinds, and routines told apart by their arguments
CREATE TABLE same (same int CONSTRAINT same CHECK (same > 0));
CREATE FUNCTION same() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION same(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE POLICY same ON same;
CREATE RULE same AS ON DELETE TO same DO ALSO NOTHING;
CREATE STATISTICS same ON (same + 1) FROM same;
CREATE TABLE other (z int, same int, a int CONSTRAINT same CHECK (a > 0));
SELECT concat_ws(' ', o ->> 'kind', o ->> 'parent', o ->> 'name', o ->> 'arguments', o ->> 'position') FROM jsonb_array_elements(kints_snapshot('{ss}') -> 'objects') WITH ORDINALITY AS t (o, n) ORDER BY n;
SELECT test.plan(kints_snapshot('{ss}'));
SELECT object FROM kints_plan(jsonb_set(kints_snapshot('{ss}'), '{objects}', (SELECT jsonb_agg(o) FROM jsonb_array_elements(kints_snapshot('{ss}') -> 'objects') AS o WHERE o ->> 'name' <> 'same' OR o ->> 'kind' IN ('table', 'column'))))
WHERE kind ~ '^drop' ORDER BY object;
-- twice the same key
SELECT test.fails(format('SELECT * FROM kints_plan(%L::jsonb)', jsonb_set(s, '{objects}', (s -> 'objects') || jsonb_build_array(o)))) FROM kints_snapshot('{ss}') AS s, jsonb_array_elements(s -> 'objects') AS o WHERE o ->> 'kind' = 'function' AND o ->> 'arguments' = 'integer';
-- the order of objects does not matter
SELECT test.diff(s, jsonb_set(s, '{objects}', (SELECT jsonb_agg(o ORDER BY n DESC) FROM jsonb_array_elements(s -> 'objects') WITH ORDINALITY AS t (o, n)))) FROM kints_snapshot('{ss}') AS s;
DROP SCHEMA ss CASCADE;
-- values of all types of a field: a text, a text that is none, a number, a truth, a list and its order
SELECT test.law('CREATE TABLE t (a int)', 'CREATE TABLE t (a int); COMMENT ON TABLE t IS ''x''');
SELECT test.case('text', 'CREATE TABLE t (a text)', 'CREATE TABLE t (a text DEFAULT '''')');
SELECT test.case('number', 'CREATE SEQUENCE q CACHE 5', 'CREATE SEQUENCE q CACHE 6');
SELECT test.case('truth', 'CREATE SEQUENCE q CYCLE', 'CREATE SEQUENCE q');
SELECT test.case('list', 'CREATE VIEW v AS SELECT 1 AS a, 2 AS b', 'CREATE VIEW v AS SELECT 1 AS b, 2 AS a');
