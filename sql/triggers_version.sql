-- Versions: what an UPDATE makes of them, and which it refuses.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA tv;
SET search_path = tv, public;
CREATE TABLE t (id int PRIMARY KEY, body text, version int NOT NULL DEFAULT 1);
INSERT INTO t VALUES (1, 'a'), (2, 'b');
SELECT kints_version_enable('t');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal;
-- bump: whatever the statement says
UPDATE t SET body = 'x' WHERE id = 1 RETURNING *;
UPDATE t SET version = 99, body = 'y' WHERE id = 1 RETURNING *;
UPDATE t SET version = NULL RETURNING *;
-- by an upsert, a MERGE and a join; what is inserted keeps its own
INSERT INTO t VALUES (1, 'upsert') ON CONFLICT (id) DO UPDATE SET body = excluded.body RETURNING *;
MERGE INTO t USING (VALUES (1), (3)) AS s (id) ON s.id = t.id
	WHEN MATCHED THEN UPDATE SET body = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'new');
UPDATE t SET body = s.body FROM (VALUES (2, 'joined')) AS s (id, body) WHERE s.id = t.id;
SELECT * FROM t ORDER BY id;
-- what is rolled back has not counted
BEGIN;
SAVEPOINT s;
UPDATE t SET body = 'lost' WHERE id = 3;
ROLLBACK TO s;
UPDATE t SET body = 'kept' WHERE id = 3;
COMMIT;
SELECT version FROM t WHERE id = 3;
SELECT kints_version_disable('t');
UPDATE t SET body = 'z' WHERE id = 1 RETURNING *;
-- check: what is said has to fit
SELECT kints_version_enable('t', mode => 'check');
UPDATE t SET body = 'first', version = 6 WHERE id = 1 RETURNING *;
SELECT test.fails($$UPDATE tv.t SET body = 'second', version = 6 - 1 WHERE id = 1$$);
SELECT test.fails($$UPDATE tv.t SET version = 9 WHERE id = 1$$);
SELECT test.fails($$UPDATE tv.t SET version = NULL WHERE id = 1$$);
UPDATE t SET version = version + 1 WHERE id = 1 AND version = 7 RETURNING *;
UPDATE t SET body = 'says nothing' WHERE id = 1 RETURNING *;
INSERT INTO t VALUES (1, 'upsert', 9) ON CONFLICT (id) DO UPDATE SET version = excluded.version RETURNING *;
SELECT test.fails($$INSERT INTO tv.t VALUES (1, 'upsert', 9) ON CONFLICT (id) DO UPDATE SET version = excluded.version$$);
SELECT kints_version_disable('t');
-- require: and it has to be said
SELECT kints_version_enable('t', 'version', 'require');
SELECT test.fails($$UPDATE tv.t SET body = 'blind'$$);
SELECT test.fails($$MERGE INTO tv.t USING (VALUES (1)) AS s (id) ON s.id = t.id WHEN MATCHED THEN UPDATE SET body = 'blind'$$);
UPDATE t SET body = 'seen', version = 10 WHERE id = 1 RETURNING *;
UPDATE t SET version = version WHERE id = 2 RETURNING *;
SELECT kints_version_disable('t');
-- NULL counts as 0
ALTER TABLE t ALTER version DROP NOT NULL;
UPDATE t SET version = NULL WHERE id = 3;
SELECT kints_version_enable('t', mode => 'check');
SELECT test.fails($$UPDATE tv.t SET version = 2 WHERE id = 3$$);
UPDATE t SET version = NULL WHERE id = 3 RETURNING *;
SELECT test.fails($$UPDATE tv.t SET version = NULL WHERE id = 1$$);
UPDATE t SET version = 1 WHERE id = 3 RETURNING *;
-- all types, and where they end
CREATE DOMAIN small AS int CHECK (VALUE < 4);
CREATE TABLE types (a smallint, b bigint, c small);
INSERT INTO types VALUES (32766, 9223372036854775806, 2);
SELECT kints_version_enable('types', 'a');
UPDATE types SET b = b RETURNING *;
SELECT test.fails('UPDATE tv.types SET b = b');
SELECT kints_version_disable('types');
SELECT kints_version_enable('types', 'b', 'check');
UPDATE types SET b = b RETURNING *;
SELECT test.fails('UPDATE tv.types SET b = b');
SELECT kints_version_disable('types');
SELECT kints_version_enable('types', 'c');
UPDATE types SET b = 1 RETURNING *;
SELECT test.fails('UPDATE tv.types SET b = 1');
-- with the time of the change, in the same trigger
CREATE TABLE timed (a int, v int DEFAULT 1, at timestamptz);
INSERT INTO timed VALUES (1);
SELECT kints_version_enable('timed', 'v', touch => 'at');
UPDATE timed SET a = 2 RETURNING a, v, at = now();
SELECT kints_version_disable('timed');
SELECT kints_version_enable('timed', 'v', 'bump', 'at', 'clock');
UPDATE timed SET a = 2 RETURNING v, at > now();
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'timed'::regclass;
-- partitions that are laid out in another way, and a row that moves
CREATE TABLE p (k int, v int DEFAULT 1, body text) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (gone int, body text, k int, v bigint);
ALTER TABLE p2 DROP gone, ALTER v TYPE int;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
INSERT INTO p VALUES (1, 1, 'a'), (2, 1, 'b');
SELECT kints_version_enable('p', 'v', 'require');
UPDATE p SET body = body || '!', v = 1 RETURNING *;
UPDATE p SET k = 3 - k, v = v RETURNING tableoid::regclass, *;
SELECT test.fails('UPDATE tv.p SET v = 2');
SELECT test.fails('UPDATE tv.p2 SET k = 2');
SELECT test.fails($$SELECT public.kints_version_disable('tv.p2')$$);
SELECT kints_version_disable('p');
UPDATE p SET v = 0 RETURNING v;
-- through a view
CREATE VIEW seen AS SELECT id, body, version AS v FROM t WHERE id < 3;
UPDATE seen SET body = 'by a view', v = v WHERE id = 1 RETURNING *;
SELECT test.fails($$UPDATE tv.seen SET v = 1 WHERE id = 1$$);
-- what the server does for a foreign key says nothing, and is let pass
CREATE TABLE owner (id int PRIMARY KEY);
CREATE TABLE owned (id int, owner int REFERENCES owner ON DELETE SET NULL ON UPDATE CASCADE, version int NOT NULL DEFAULT 1);
INSERT INTO owner VALUES (1), (2);
INSERT INTO owned VALUES (1, 1), (2, 2);
SELECT kints_version_enable('owned', mode => 'require');
UPDATE owner SET id = 3 WHERE id = 2;
DELETE FROM owner WHERE id = 1;
SELECT * FROM owned ORDER BY id;
SELECT test.fails('UPDATE tv.owned SET owner = 3');
-- of several actions of a MERGE one that says it says it for all of them
MERGE INTO owned USING (VALUES (1)) AS s (id) ON s.id = owned.id
	WHEN MATCHED AND false THEN UPDATE SET version = owned.version WHEN MATCHED THEN UPDATE SET owner = 3;
SELECT * FROM owned WHERE id = 1;
-- a parent of others does not count for them
CREATE TABLE parent (v int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1);
SELECT kints_version_enable('parent', 'v');
UPDATE parent SET v = v RETURNING v;
-- what does not do
SELECT test.fails($$SELECT public.kints_version_enable('tv.t', 'version', 'sometimes')$$);
SELECT test.fails($$SELECT public.kints_version_enable('tv.t', 'body')$$);
SELECT test.fails($$SELECT public.kints_version_enable(NULL)$$);
SELECT test.fails($$SELECT public.kints_version_enable('tv.t', NULL)$$);
SELECT test.fails($$SELECT public.kints_version_enable('tv.t', mode => NULL)$$);
SELECT test.fails($$SELECT public.kints_version_enable('tv.t', clock => NULL)$$);
SELECT test.fails($$SELECT public.kints_version_disable(NULL)$$);
DROP SCHEMA tv CASCADE;
