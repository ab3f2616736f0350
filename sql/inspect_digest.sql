-- A plan is kept as long as no catalog changes: any change, even of one row of one catalog, is seen, and that it is undone.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_inspect_digest;
CREATE SCHEMA inspect_digest;
SET search_path = inspect_digest, public;
CREATE TYPE en AS ENUM ('a');
CREATE DOMAIN dom AS int;
CREATE SEQUENCE q;
CREATE TABLE t (a int NOT NULL, b int DEFAULT 1, c text, CONSTRAINT f UNIQUE (a));
CREATE TABLE u (a int NOT NULL, CONSTRAINT k FOREIGN KEY (a) REFERENCES inspect_digest.t (a));
CREATE UNIQUE INDEX i ON u ((a + 1), a);
CREATE UNIQUE INDEX j ON u (a);
CREATE STATISTICS st ON a, b FROM t;
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();
CREATE RULE ru AS ON DELETE TO t DO ALSO NOTHING;
CREATE POLICY po ON t USING (a > 0);
CREATE FUNCTION pg_temp.seen(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	snapshot jsonb := public.kints_snapshot('{inspect_digest}');
	before text := test.plan(snapshot);
	during text;
BEGIN
	BEGIN
		EXECUTE change;
		during := test.plan(snapshot);
		RAISE EXCEPTION USING ERRCODE = 'TEST3';
	EXCEPTION WHEN SQLSTATE 'TEST3' THEN
		NULL;
	END;
	RETURN concat_ws(E'\n', '## ' || change, nullif(before, 'nothing to do'), replace(split_part(during, E'\n', 1), current_user, '<owner>'), nullif(test.plan(snapshot), 'nothing to do'));
END
$$;
SELECT pg_temp.seen(change)
FROM unnest(ARRAY['COMMENT ON TABLE t IS ''x''', 'GRANT SELECT ON t TO PUBLIC', 'GRANT SELECT (a) ON t TO PUBLIC', 'ALTER SEQUENCE q INCREMENT 2', 'ALTER TYPE en ADD VALUE ''b''', 'ALTER DOMAIN dom SET NOT NULL',
	'ALTER TABLE t ALTER b SET DEFAULT 2', 'ALTER TABLE t ALTER c SET STATISTICS 5', 'ALTER TABLE u ALTER CONSTRAINT k DEFERRABLE', 'ALTER INDEX i ALTER 1 SET STATISTICS 7', 'ALTER TABLE u REPLICA IDENTITY USING INDEX j',
	'ALTER STATISTICS st SET STATISTICS 5', 'CREATE OR REPLACE VIEW v AS SELECT a + 0 AS a FROM t', 'ALTER FUNCTION tf() COST 7', 'ALTER TABLE t DISABLE TRIGGER tr', 'ALTER TABLE t DISABLE RULE ru', 'ALTER POLICY po ON t USING (a > 1)',
	'ALTER TABLE t OWNER TO regress_inspect_digest', 'ALTER SCHEMA inspect_digest OWNER TO regress_inspect_digest', 'CREATE TABLE w (a int)', 'DROP INDEX i']) WITH ORDINALITY AS c (change, n) ORDER BY n;
-- rows of tables, and statistics of them, are no change
SELECT pg_temp.seen('INSERT INTO t VALUES (1)');
SELECT pg_temp.seen('SELECT nextval(''q'')');
DROP SCHEMA inspect_digest CASCADE;
DROP ROLE regress_inspect_digest;
