-- What is left out of a plan, and what it is compared with.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA pm;
SET search_path = pm, public;
CREATE TABLE keep (a int PRIMARY KEY, b int);
CREATE INDEX keep_b ON keep (b);
CREATE TABLE "Odd.Name" (a int);
CREATE VIEW keep_v AS SELECT a FROM keep;
CREATE FUNCTION keep_f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE keep_e AS ENUM ('a');
CREATE TABLE log_2020 (a int, b keep_e);
CREATE TABLE log_2021 (a int);
CREATE TRIGGER tr BEFORE INSERT ON keep FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- patterns: of names, with * and ?; what is part of a relation goes with it
SELECT '## ' || patterns || E'\n' || test.plan('CREATE TABLE new (a int)', jsonb_build_object('ignore', patterns::jsonb))
FROM unnest(ARRAY['[]', '["pm.*"]', '["*"]', '["pm.log_*"]', '["pm.log_202?"]', '["pm.log_????", "pm.keep*"]', '["log_*"]', '["pm.keep"]', '["pm.keep_b"]', '["pm.keep.b"]', '["pm.keep.*"]', '["*.tr"]', '["pm.\"Odd.Name\""]', '["pm.Odd*"]',
	'["pm.keep_f(integer)"]', '["pm.keep_f*"]', '["*e*"]', '["**"]', '["?*"]', '["pm.new"]', '["PM.*"]', '[""]', '["pm"]', '["*.new", "pm.k*", "pm.log*", "pm.\"*"]', '["***************************************************z"]'])
	WITH ORDINALITY AS t (patterns, n) ORDER BY n;
-- applied: what is ignored stays, and comes back to nothing
SELECT sql FROM kints_apply('CREATE TABLE new (a int)', '{"ignore": ["pm.keep*", "pm.log*"], "allow": "all"}');
SELECT count(*) FROM kints_plan('CREATE TABLE new (a int)', '{"ignore": ["pm.keep*", "pm.log*"]}');
SELECT sql FROM kints_rollback(1, '{"allow": "all"}');
-- what is wanted can be ignored as well
SELECT test.plan('CREATE TABLE new (a int); CREATE TABLE newer (b int REFERENCES keep); CREATE TABLE keep (a int PRIMARY KEY)', '{"ignore": ["pm.new", "pm.keep*", "pm.log*", "pm.\"*"]}');
-- ignored, and yet needed by what is not
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE newer (b keep_e); CREATE TYPE keep_e AS ENUM (''a'', ''b'')', '{"ignore": ["pm.keep*", "pm.log*", "pm.\"*"]}')$$);
SELECT test.fails($$SELECT * FROM kints_apply('CREATE TABLE newer (b missing); CREATE TYPE missing AS ENUM (''a'', ''b'')', '{"ignore": ["pm.keep*", "pm.log*", "pm.\"*", "pm.missing"]}')$$);
-- the state that is expected: as it is found, whatever is ignored
SELECT test.plan('CREATE TABLE new (a int)', jsonb_build_object('expect', kints_fingerprint('{pm}'), 'ignore', '["pm.[a-z]*", "pm.*"]'::jsonb));
SELECT test.plan_fails('CREATE TABLE new (a int)', jsonb_build_object('expect', kints_fingerprint('{public}')));
-- undo of each step
SELECT step, sql, undo FROM kints_plan('CREATE TABLE keep (a bigint PRIMARY KEY, c text DEFAULT ''x''); COMMENT ON TABLE keep IS ''k''; CREATE INDEX keep_c ON keep (c); CREATE TYPE keep_e AS ENUM (''a'', ''b'')') ORDER BY step;
DROP SCHEMA pm CASCADE;
