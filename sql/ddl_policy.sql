-- Policies of row security.
\pset format unaligned
\pset tuples_only on

SET client_min_messages = warning;
CREATE ROLE regress_kints_a;
CREATE ROLE "regress_kints B";
SELECT test.case('create', '', $$
	CREATE TABLE t (a int, b text);
	ALTER TABLE t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON t;
	CREATE POLICY q ON t AS RESTRICTIVE FOR UPDATE TO regress_kints_a, "regress_kints B" USING (a > 0) WITH CHECK (b <> '');
	CREATE POLICY "R s" ON t FOR INSERT WITH CHECK (b = current_user);
	COMMENT ON POLICY q ON t IS 'q'$$);
SELECT test.case('roles and expressions', 'CREATE TABLE t (a int); CREATE POLICY p ON t TO regress_kints_a USING (a > 0) WITH CHECK (a > 1)',
	'CREATE TABLE t (a int); CREATE POLICY p ON t TO "regress_kints B" USING (a > 2) WITH CHECK (a > 3)');
SELECT test.case('to public', 'CREATE TABLE t (a int); CREATE POLICY p ON t TO regress_kints_a USING (a > 0)', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0)');
SELECT test.case('an expression less', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0) WITH CHECK (a > 1)', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0)');
SELECT test.case('another command', 'CREATE TABLE t (a int); CREATE POLICY p ON t FOR SELECT USING (a > 0)', 'CREATE TABLE t (a int); CREATE POLICY p ON t FOR DELETE USING (a > 0)');
SELECT test.case('drop', 'CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0)', 'CREATE TABLE t (a int)');
SELECT test.case('over another table', '', 'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE POLICY p ON t USING (EXISTS (SELECT FROM u WHERE u.a = t.a))');
SELECT test.case('over a function that is made anew', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; CREATE TABLE t (a int); CREATE POLICY p ON t USING (a = f())',
	'CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS ''SELECT 1::bigint''; CREATE TABLE t (a int); CREATE POLICY p ON t USING (a = f())');
DROP ROLE regress_kints_a, "regress_kints B";
