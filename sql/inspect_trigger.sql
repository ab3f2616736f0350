-- Triggers, rules and policies: what is read of them.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA inspect_trigger;
SET search_path = inspect_trigger, public;

CREATE TABLE t (a int, b int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER one BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f('x', 'it''s');
CREATE TRIGGER two AFTER DELETE ON t REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION f();
CREATE CONSTRAINT TRIGGER three AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t DISABLE TRIGGER two, ENABLE ALWAYS TRIGGER one, ENABLE REPLICA TRIGGER three;
COMMENT ON TRIGGER one ON t IS 'first';
CREATE TABLE p (a int) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE TRIGGER cloned AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
CREATE RULE r AS ON DELETE TO t WHERE OLD.a > 5 DO INSTEAD UPDATE t SET b = 0 WHERE t.a = OLD.a;
ALTER TABLE t DISABLE RULE r;
COMMENT ON RULE r ON t IS 'keep';
CREATE POLICY po ON t AS RESTRICTIVE FOR ALL TO CURRENT_USER USING (a > 0) WITH CHECK (b > 0);
CREATE POLICY pp ON t FOR INSERT WITH CHECK (true);
COMMENT ON POLICY pp ON t IS 'all';
CREATE VIEW v AS SELECT a FROM t;
CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();

SELECT o - 'owner' - 'schema' - 'roles' FROM jsonb_array_elements(kints_snapshot('{inspect_trigger}') -> 'objects') WITH ORDINALITY AS t (o, n)
WHERE o ->> 'kind' IN ('trigger', 'rule', 'policy') ORDER BY n;

-- built from nothing, it reads the same
CREATE TEMP TABLE kept AS SELECT kints_snapshot('{inspect_trigger}') AS snapshot;
DROP SCHEMA inspect_trigger CASCADE;
SELECT count(*) > 0 FROM kept, kints_apply(snapshot, '{"allow": "all"}');
SELECT snapshot = kints_snapshot('{inspect_trigger}') FROM kept;
SELECT count(*) FROM kept, kints_plan(snapshot);
DROP SCHEMA inspect_trigger CASCADE;
