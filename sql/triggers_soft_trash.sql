-- Which rows are meant by a key, and what they are called.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA so;
SET search_path = so, public;
CREATE TABLE a (id int PRIMARY KEY, name citext, deleted_at timestamptz);
CREATE TABLE bare (note text, "Odd ""one""" int, deleted_at timestamptz);
ALTER TABLE bare ADD doc json;
SELECT kints_soft_delete_enable('a'), kints_soft_delete_enable('bare');
INSERT INTO a VALUES (1, 'One');
INSERT INTO bare VALUES ('x', 5);
DELETE FROM a;
DELETE FROM bare;
SELECT row_key FROM kints_restore('a', '{"name": "ONE"}');
SELECT row_key - 'deleted_at' FROM kints_restore('bare', '{"Odd \"one\"": 5, "note": "x"}');
SELECT row_key FROM kints_restore('bare', '{"note": null}');
-- keys of types that have a length
CREATE TABLE ch (code char(5) PRIMARY KEY, flags bit(4), deleted_at timestamptz);
SELECT kints_soft_delete_enable('ch');
INSERT INTO ch VALUES ('D', '1000'), ('DE', '1010');
DELETE FROM ch;
SELECT row_key FROM kints_restore('ch', '{"code": "DE"}');
SELECT row_key FROM kints_restore('ch', '{"flags": "1000"}');
-- what is no key
SELECT test.fails($$SELECT public.kints_restore('so.a', '{}')$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', '[1]')$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', '3')$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', '{"gone": 1}')$$);
SELECT test.fails($$SELECT public.kints_restore('so.a', '{"id": "x"}')$$);
SELECT test.fails($$SELECT public.kints_restore('so.bare', '{"doc": {}}')$$);
DROP SCHEMA so CASCADE;
