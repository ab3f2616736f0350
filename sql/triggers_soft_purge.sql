-- Rows that were deleted softly long ago are deleted for good, some at a time.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA sp;
SET search_path = sp, public;
CREATE TABLE a (id int PRIMARY KEY, deleted_at timestamptz, batch bigint);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz, batch bigint);
CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b, up int REFERENCES c, deleted_at date, batch bigint);
CREATE TABLE plain (a int REFERENCES a ON DELETE CASCADE);
SELECT kints_soft_delete_enable('a', batch => 'batch', cascade => 'none'), kints_soft_delete_enable('b', batch => 'batch', reads => 'policy'),
	kints_soft_delete_enable('c', batch => 'batch');
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL kints.soft_delete = off;
	TRUNCATE sp.a, sp.b, sp.c, sp.plain;
	INSERT INTO sp.a SELECT i, CASE WHEN i % 2 = 0 THEN now() - interval '1 year' END FROM generate_series(1, 10) AS i;
	INSERT INTO sp.b SELECT i, i, CASE WHEN i % 4 = 0 THEN now() - interval '1 year' END FROM generate_series(1, 8) AS i;
	INSERT INTO sp.c SELECT i, i, greatest(i - 1, 1), now() - interval '1 year' FROM generate_series(1, 5) AS i;
END $$;
CREATE VIEW left_over AS SELECT (SELECT string_agg(id::text, ',' ORDER BY id) FROM a) AS a,
	(SELECT string_agg(id::text, ',' ORDER BY id) FROM b) AS b, (SELECT string_agg(id::text, ',' ORDER BY id) FROM c) AS c;
SELECT fill();
-- rows that somebody still refers to stay, be it by a foreign key that would delete them
CALL kints_purge('a', '2 years');
CALL kints_purge('a', '1 month', 1);
SELECT * FROM left_over;
INSERT INTO plain VALUES (2);
DELETE FROM b WHERE id = 2;
UPDATE b SET deleted_at = now() - interval '2 months' WHERE id = 2;
CALL kints_purge('a', '1 month');
SELECT * FROM left_over;
DELETE FROM plain;
-- within a transaction, and within a function
BEGIN;
CALL kints_purge('a', '1 month', 2);
ROLLBACK;
SELECT * FROM left_over;
DO $$ DECLARE n bigint; BEGIN CALL kints_purge('sp.a', '1 month', 2, n); RAISE WARNING '%', n; END $$;
SELECT * FROM left_over;
-- what a trigger deletes meanwhile stays as ever
SELECT fill();
CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM sp.a WHERE id = 1; RETURN OLD; END $$;
CREATE TRIGGER also AFTER DELETE ON c FOR EACH ROW EXECUTE FUNCTION also();
CALL kints_purge('c', '1 month', 3);
SELECT id, deleted_at IS NOT NULL FROM a WHERE id = 1;
SELECT * FROM left_over;
-- a table of partitions
CREATE TABLE p (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
SELECT kints_soft_delete_enable('p');
INSERT INTO p SELECT i, CASE WHEN i % 3 = 0 THEN timestamptz '2020-01-01' END FROM generate_series(0, 19) AS i;
CALL kints_purge('p', '1 month', 2);
SELECT string_agg(id::text, ',' ORDER BY id) FROM p;
-- the owner alone, and of other tables what he owns
CREATE ROLE sp_clerk;
GRANT USAGE ON SCHEMA sp, test TO sp_clerk;
GRANT ALL ON ALL TABLES IN SCHEMA sp TO sp_clerk;
SET ROLE sp_clerk;
SELECT test.fails('CALL public.kints_purge(''sp.a'', ''1 month'')');
RESET ROLE;
SELECT fill();
ALTER TABLE a OWNER TO sp_clerk;
ALTER TABLE b OWNER TO sp_clerk;
SET ROLE sp_clerk;
CALL kints_purge('a', '1 month');
RESET ROLE;
SELECT * FROM left_over;
-- wrong use
SELECT test.fails('CALL public.kints_purge(NULL, ''1 month'')');
SELECT test.fails('CALL public.kints_purge(''sp.a'', NULL)');
SELECT test.fails('CALL public.kints_purge(''sp.a'', ''1 month'', NULL)');
SELECT test.fails('CALL public.kints_purge(''sp.a'', ''1 month'', 0)');
SELECT test.fails('CALL public.kints_purge(''sp.plain'', ''1 month'')');
SELECT test.fails('CALL public.kints_purge(''sp.left_over'', ''1 month'')');
DROP SCHEMA sp CASCADE;
DROP OWNED BY sp_clerk;
DROP ROLE sp_clerk;
