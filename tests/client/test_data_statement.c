/*
 * test_data_statement.c
 *		What each kind of statement does: reads, writes, returns rows, outlives the transaction.
 */
#include "statement.h"

static const statement_example nothings[] = {
	{ "", "" },
	{ " -- nothing", "" },
	{ ";", "" },
	{ ";;/* */;", "" },
	{ "$1", "" },
	{ "'a", " broken" },
	{ "frobnicate", "" },
	{ "\"select\" 1", "" },
	{ "SELECT 'a", "SELECT rows broken" },
	{ "SELECT 1a", "SELECT rows broken" },
	{ "SELECT $1a", "SELECT rows broken" },
	{ "SELECT $2147483648", "SELECT rows broken" },
	{ "SELECT {", "SELECT rows broken" },
};

static const statement_example queries[] = {
	{ "SELECT 1", "SELECT read rows" },
	{ "select\n*\nfrom t;", "SELECT read rows" },
	{ "/* c */ SeLeCt 1 -- d", "SELECT read rows" },
	{ "SELECT $1, $2 FROM t WHERE a = $10", "SELECT read rows $10" },
	{ "SELECT '$1', \"$2\", $$ $3 $$ /* $4 */", "SELECT read rows" },
	{ "SELECT $0", "SELECT read rows" },
	{ "VALUES (1), ($2)", "VALUES read rows $2" },
	{ "TABLE t", "TABLE read rows" },
	{ "(SELECT $1)", "SELECT read rows $1" },
	{ "((TABLE t))", "TABLE read rows" },
	{ "(SELECT 1) UNION (SELECT 2) ORDER BY 1", "SELECT read rows" },
	{ "SELECT 1 EXCEPT SELECT 2", "SELECT read rows" },
	{ "WITH a AS (SELECT $1) SELECT * FROM a", "SELECT read rows $1" },
	{ "WITH a AS (SELECT 1) TABLE a", "TABLE read rows" },
	{ "SELECT random(), now(), clock_timestamp(), pg_sleep(0)", "SELECT read rows" },
	{ "SHOW ALL", "SHOW read rows" },
	{ "SHOW search_path", "SHOW read rows" },
};

static const statement_example locks[] = {
	{ "SELECT * FROM t FOR UPDATE", "SELECT rows locks" },
	{ "SELECT * FROM t FOR NO KEY UPDATE", "SELECT rows locks" },
	{ "SELECT * FROM t FOR SHARE", "SELECT rows locks" },
	{ "SELECT * FROM t FOR KEY SHARE", "SELECT rows locks" },
	{ "SELECT * FROM t, u FOR UPDATE OF u SKIP LOCKED", "SELECT rows locks" },
	{ "SELECT * FROM t FOR/**/UPDATE NOWAIT LIMIT 1", "SELECT rows locks" },
	{ "SELECT * FROM (SELECT * FROM t FOR UPDATE) u", "SELECT rows locks" },
	{ "WITH a AS (SELECT * FROM t FOR SHARE) SELECT * FROM a", "SELECT rows locks" },
	{ "SELECT EXISTS (SELECT FROM t FOR UPDATE)", "SELECT rows locks" },
	{ "SELECT * FROM t FOR READ ONLY", "SELECT read rows" },
	{ "SELECT 'FOR UPDATE'", "SELECT read rows" },
	{ "SELECT substring(a FOR 2), overlay(a PLACING b FROM 1 FOR 2) FROM t", "SELECT read rows" },
	{ "INSERT INTO t SELECT * FROM u FOR UPDATE", "INSERT locks" },
	{ "LOCK TABLE t IN SHARE MODE", "LOCK" },
};

static const statement_example writes[] = {
	{ "INSERT INTO t VALUES ($1, $2)", "INSERT $2" },
	{ "INSERT INTO t DEFAULT VALUES RETURNING id", "INSERT rows" },
	{ "INSERT INTO t SELECT 1 RETURNING *", "INSERT rows" },
	{ "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = $1", "INSERT $1" },
	{ "INSERT INTO returning VALUES (1)", "INSERT rows" }, /* a reserved word: refused anyway */
	{ "INSERT INTO \"returning\" VALUES (1)", "INSERT" },
	{ "UPDATE t SET a = $1 WHERE b = $2", "UPDATE $2" },
	{ "UPDATE t SET a = 1 RETURNING a", "UPDATE rows" },
	{ "DELETE FROM t WHERE a = $1", "DELETE $1" },
	{ "DELETE FROM t RETURNING (SELECT 1)", "DELETE rows" },
	{ "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE", "MERGE" },
	{ "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE RETURNING *", "MERGE rows" },
	{ "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "INSERT" },
	{ "WITH a AS (SELECT 1) UPDATE t SET b = 1 RETURNING b", "UPDATE rows" },
	{ "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "SELECT rows" },
	{ "WITH a AS (INSERT INTO t VALUES ($1) RETURNING *) DELETE FROM u", "DELETE $1" },
	{ "TRUNCATE t", "TRUNCATE" },
	{ "GRANT SELECT ON t TO u", "GRANT" },
	{ "REVOKE SELECT ON t FROM u", "REVOKE" },
	{ "COMMENT ON TABLE t IS 'SELECT'", "COMMENT" },
	{ "ALTER TABLE t ADD a int", "ALTER" },
	{ "DROP TABLE t", "DROP" },
	{ "REFRESH MATERIALIZED VIEW v", "REFRESH" },
	{ "REINDEX TABLE t", "REINDEX" },
	{ "CLUSTER", "CLUSTER" },
	{ "VACUUM (ANALYZE) t", "VACUUM" },
	{ "ANALYZE t", "ANALYZE" },
	{ "analyse", "ANALYZE" },
	{ "CHECKPOINT", "CHECKPOINT" },
	{ "SECURITY LABEL ON TABLE t IS 'a'", "SECURITY" },
	{ "IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "IMPORT" },
	{ "REASSIGN OWNED BY a TO b", "REASSIGN" },
	{ "NOTIFY a, 'b'", "NOTIFY" },
};

static const statement_example selects_into[] = {
	{ "SELECT 1 INTO t", "SELECT" },
	{ "SELECT a INTO TABLE t FROM u", "SELECT" },
	{ "SELECT a INTO TEMP t FROM u", "SELECT session" },
	{ "SELECT a INTO TEMPORARY TABLE t FROM u", "SELECT session" },
	{ "SELECT a INTO LOCAL TEMP t FROM u", "SELECT session" },
	{ "SELECT a INTO UNLOGGED t FROM u", "SELECT" },
	{ "SELECT 1 INTO pg_temp.t", "SELECT session" },
	{ "WITH a AS (SELECT 1) SELECT * INTO t FROM a", "SELECT" },
	{ "SELECT 1 AS into", "SELECT read rows" },
	{ "SELECT t.into FROM t", "SELECT read rows" },
	{ "SELECT 'into'", "SELECT read rows" },
};

static const statement_example functions[] = {
	{ "SELECT nextval('s')", "SELECT rows" },
	{ "SELECT pg_catalog.setval('s', 1)", "SELECT rows" },
	{ "SELECT NEXTVAL ('s')", "SELECT rows" },
	{ "SELECT \"nextval\"('s')", "SELECT rows" },
	{ "SELECT \"NEXTVAL\"('s')", "SELECT read rows" },
	{ "SELECT U&\"nextva\\006C\"('s')", "SELECT rows session" },
	{ "SELECT nextval FROM t", "SELECT read rows" },
	{ "SELECT 's'::regclass.nextval", "SELECT rows" },
	{ "SELECT (x).nextval FROM t", "SELECT rows" },
	{ "SELECT a FROM t WHERE a = (SELECT nextval('s'))", "SELECT rows" },
	{ "SELECT a FROM t ORDER BY nextval('s')", "SELECT rows" },
	{ "VALUES (nextval('s'))", "VALUES rows" },
	{ "SELECT pg_advisory_lock(1)", "SELECT rows session" },
	{ "SELECT pg_advisory_xact_lock(1)", "SELECT rows" },
	{ "SELECT pg_try_advisory_lock_shared(1)", "SELECT rows session" },
	{ "SELECT set_config('a', $1, true)", "SELECT rows $1" },
	{ "SELECT set_config('a', $1, TRUE), set_config('b', $2, true)", "SELECT rows $2" },
	{ "SELECT set_config('a', f(1, true), is_local => true)", "SELECT rows" },
	{ "SELECT set_config('a', 'b', \"is_local\" := 't')", "SELECT rows" },
	{ "SELECT set_config(is_local => false, setting_name => 'a', new_value => 'true')",
	  "SELECT rows session" },
	{ "SELECT set_config('a', is_local := false, new_value := 't')", "SELECT rows session" },
	{ "SELECT set_config('a', is_local => false, U&\"new\\005Fvalue\" => 'true')",
	  "SELECT rows session" },
	{ "SELECT set_config('a', 'b', false)", "SELECT rows session" },
	{ "SELECT set_config('a', 'b', $1)", "SELECT rows session $1" },
	{ "SELECT set_config('a', 'b', NOT true)", "SELECT rows session" },
	{ "SELECT set_config('a', 'b', false OR true)", "SELECT rows session" },
	{ "SELECT * FROM dblink('', 'DELETE FROM t') AS (a int)", "SELECT rows session" },
	{ "SELECT dblink_exec('', 'DELETE FROM t')", "SELECT rows session" },
	{ "SELECT lo_unlink(1)", "SELECT rows" },
	{ "SELECT pg_notify('a', 'b')", "SELECT rows" },
	{ "SELECT pg_terminate_backend(1)", "SELECT rows" },
	{ "SELECT kints_apply('a')", "SELECT rows" },
};

static const statement_example transactions[] = {
	{ "BEGIN", "BEGIN transaction" },
	{ "begin isolation level serializable read only", "BEGIN transaction" },
	{ "START TRANSACTION", "START transaction" },
	{ "COMMIT", "COMMIT transaction" },
	{ "COMMIT PREPARED 'a'", "COMMIT transaction" },
	{ "END", "END transaction" },
	{ "ROLLBACK", "ROLLBACK transaction" },
	{ "ROLLBACK TO SAVEPOINT a", "ROLLBACK transaction" },
	{ "ABORT AND CHAIN", "ABORT transaction" },
	{ "SAVEPOINT a", "SAVEPOINT transaction" },
	{ "RELEASE a", "RELEASE transaction" },
	{ "PREPARE TRANSACTION 'a'", "PREPARE transaction" },
	{ "/* a */ ; COMMIT", "COMMIT transaction" },
	{ "SELECT 1 AS commit", "SELECT read rows" },
};

static const statement_example sessions[] = {
	{ "SET a.b = 'c'", "SET session" },
	{ "SET SESSION a = 1", "SET session" },
	{ "SET TIME ZONE 'UTC'", "SET session" },
	{ "SET ROLE a", "SET session" },
	{ "SET SESSION AUTHORIZATION a", "SET session" },
	{ "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET session" },
	{ "SET LOCAL a = 1", "SET" },
	{ "SET LOCAL ROLE a", "SET" },
	{ "SET TRANSACTION READ ONLY", "SET" },
	{ "SET CONSTRAINTS ALL DEFERRED", "SET" },
	{ "SET local.a = 1", "SET session" },
	{ "SET transaction = 1", "SET session" },
	{ "SET constraints TO 1", "SET session" },
	{ "RESET ALL", "RESET session" },
	{ "DISCARD ALL", "DISCARD session" },
	{ "LISTEN a", "LISTEN session" },
	{ "UNLISTEN *", "UNLISTEN session" },
	{ "LOAD 'a'", "LOAD session" },
	{ "DO $$ BEGIN DELETE FROM t; END $$", "DO session" },
	{ "PREPARE a AS SELECT $1", "PREPARE session" },
	{ "PREPARE transaction AS SELECT 1", "PREPARE session" },
	{ "PREPARE a (int) AS DELETE FROM t WHERE b = $1", "PREPARE session" },
	{ "EXECUTE a (1)", "EXECUTE rows" },
	{ "DEALLOCATE a", "DEALLOCATE session" },
	{ "DECLARE c CURSOR FOR SELECT 1", "DECLARE" },
	{ "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "DECLARE session" },
	{ "DECLARE c BINARY NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1", "DECLARE" },
	{ "FETCH ALL FROM c", "FETCH rows" },
	{ "MOVE c", "MOVE" },
	{ "CLOSE c", "CLOSE" },
	{ "CREATE TEMP TABLE t (a int)", "CREATE session" },
	{ "CREATE LOCAL TEMPORARY TABLE t (a int)", "CREATE session" },
	{ "CREATE TEMP VIEW v AS SELECT 1", "CREATE session" },
	{ "CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE session" },
	{ "CREATE TEMP SEQUENCE s", "CREATE session" },
	{ "CREATE TABLE pg_temp.t (a int)", "CREATE session" },
	{ "CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1", "CREATE session" },
	{ "CREATE TABLE \"pg_temp\".t (a int)", "CREATE session" },
	{ "INSERT INTO pg_temp.t VALUES (1)", "INSERT session" },
	{ "UPDATE pg_settings SET setting = $1 WHERE name = 'a'", "UPDATE session $1" },
	{ "UPDATE ONLY pg_catalog.\"pg_settings\" SET setting = $1", "UPDATE session $1" },
	{ "EXPLAIN UPDATE pg_settings SET setting = '1'", "EXPLAIN read rows" },
	{ "SELECT setting FROM pg_settings", "SELECT read rows" },
};

/* What is there to leave something in the session, and what only may. */
static const struct
{
	const char *sql;
	bool keeps;
} keepers[] = {
	{ "SELECT set_config('a', 'b', false)", true },
	{ "SELECT set_config('a', 'b', true)", false },
	{ "SELECT pg_advisory_lock(1)", true },
	{ "SELECT pg_try_advisory_lock_shared(1)", true },
	{ "SELECT pg_advisory_xact_lock(1)", false },
	{ "SELECT * FROM dblink('', 'SELECT 1') AS (a int)", false },
	{ "SELECT query_to_xml('SELECT 1', true, true, '')", false },
	{ "DO $$ BEGIN NULL; END $$", false },
	{ "CREATE TEMP TABLE t (a int)", true },
	{ "CREATE TEMP TABLE t (a int) ON COMMIT DROP", false },
	{ "CREATE TEMP TABLE t (a int) ON COMMIT DELETE ROWS", true },
	{ "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1", false },
	{ "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT pg_advisory_lock(1)", true },
	{ "CREATE TEMP TABLE t AS SELECT 1", true },
	{ "CREATE TEMP VIEW v AS SELECT 1", true },
	{ "CREATE TABLE t (a int)", false },
	{ "SELECT a INTO TEMP t FROM u", true },
	{ "DECLARE c CURSOR WITH HOLD FOR SELECT 1", true },
	{ "DECLARE c CURSOR FOR SELECT 1", false },
	{ "UPDATE pg_settings SET setting = 'a'", true },
	{ "SELECT * FROM pg_settings", false },
	{ "INSERT INTO pg_temp.t VALUES (1)", false },
	{ "CREATE TABLE pg_temp.t (a int)", true },
	{ "CREATE TABLE pg_temp.t (a int) ON COMMIT DROP", false },
	{ "CREATE TABLE \"pg_temp\".t AS SELECT 1", true },
	{ "CREATE VIEW pg_temp.v AS SELECT 1", true },
	{ "CREATE VIEW v AS SELECT * FROM pg_temp.t", true },
	{ "CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1", true },
	{ "EXPLAIN CREATE TABLE pg_temp.t AS SELECT 1", false },
	{ "SELECT 1 INTO pg_temp.t", true },
	{ "SELECT * FROM pg_temp.t", false },
	{ "SELECT U&\"pg\\005fadvisory\\005flock\"(5)", true },
	{ "SELECT pg_backup_start('a')", true },
	{ "SELECT dblink_connect('a', 'b')", true },
	{ "SELECT dblink_exec('a', 'b')", false },
	{ "SELECT set_config('a', 'b', 't')", false },
	{ "SELECT set_config('a', 'b', 'true')", false },
	{ "SELECT set_config('a', 'b', 'f')", true },
	{ "SELECT set_config('a', 'b', 'false')", true },
	{ "SELECT app.set_config('a', 'b')", false },
	{ "SELECT pg_catalog.set_config('a', 'b', false)", true },
	{ "SELECT t.set_config FROM t", false },
	{ "UPDATE ONLY pg_settings SET setting = 'a'", true },
	{ "UPDATE pg_catalog.pg_settings SET setting = 'a'", true },
	{ "MERGE INTO pg_settings USING t ON true WHEN MATCHED THEN UPDATE SET setting = 'a'", true },
	{ "INSERT INTO t SELECT count(*) FROM pg_settings", false },
	{ "CREATE TABLE t AS SELECT * FROM pg_settings", false },
};

START_TEST(keeps)
{
	kn__statement s = kn__statement_of((kn_str){ keepers[_i].sql, strlen(keepers[_i].sql) });

	ck_assert_int_eq(s.keeps_session, keepers[_i].keeps);
	ck_assert(s.sets_session || !s.keeps_session);
}
END_TEST

static const statement_example creations[] = {
	{ "CREATE TABLE t (a int)", "CREATE" },
	{ "CREATE UNLOGGED TABLE t (a int DEFAULT nextval('s'))", "CREATE" },
	{ "CREATE TABLE t (temp int, temporary text)", "CREATE" },
	{ "CREATE TABLE t AS SELECT 1 AS a", "CREATE" },
	{ "CREATE TABLE t AS SELECT pg_advisory_lock(1)", "CREATE session" },
	{ "CREATE MATERIALIZED VIEW v AS SELECT pg_advisory_lock(1)", "CREATE session" },
	{ "CREATE VIEW v AS SELECT pg_advisory_lock(1)", "CREATE" },
	{ "CREATE TABLE t (a int CHECK (pg_advisory_lock(1) IS NULL))", "CREATE" },
	{ "CREATE INDEX ON t (a)", "CREATE" },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT $1; SELECT 2 $$", "CREATE" },
	{ "CREATE FUNCTION f(int) RETURNS int RETURN $1", "CREATE" },
	{ "CREATE FUNCTION f(int) RETURNS int BEGIN ATOMIC SELECT $1; SELECT 2; END", "CREATE" },
	{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
	  "CREATE" },
	{ "CREATE PROCEDURE p() BEGIN ATOMIC END; COMMIT", "CREATE transaction multiple" },
	{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;", "CREATE multiple" },
	{ "CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM a; DELETE FROM b)", "CREATE" },
	{ "CREATE SCHEMA a CREATE TABLE t (b int)", "CREATE" },
};

static const statement_example calls[] = {
	{ "CALL p($1, $2)", "CALL rows $2" },
	{ "CALL p(nextval('s'))", "CALL rows" },
	{ "COPY t FROM STDIN", "COPY copy" },
	{ "COPY t (a, b) FROM STDIN WITH (FORMAT binary)", "COPY copy" },
	{ "COPY t TO STDOUT", "COPY read copy" },
	{ "COPY t (a) TO STDOUT (FORMAT csv)", "COPY read copy" },
	{ "COPY (SELECT 1) TO STDOUT", "COPY read copy" },
	{ "COPY (SELECT nextval('s')) TO STDOUT", "COPY copy" },
	{ "COPY (SELECT 1 FROM t FOR UPDATE) TO STDOUT", "COPY copy locks" },
	{ "COPY (DELETE FROM t RETURNING *) TO STDOUT", "COPY copy" },
	{ "COPY (WITH a AS (DELETE FROM t RETURNING *) TABLE a) TO STDOUT", "COPY copy" },
	{ "COPY t TO '/tmp/a'", "COPY" },
	{ "COPY t FROM '/tmp/a' (FORMAT csv)", "COPY" },
	{ "COPY (SELECT 1) TO E'/tmp/a'", "COPY" },
	{ "COPY t TO PROGRAM 'rm a'", "COPY" },
	{ "COPY t FROM PROGRAM 'cat a'", "COPY" },
	{ "COPY BINARY t TO STDOUT", "COPY read copy" },
};

static const statement_example explanations[] = {
	{ "EXPLAIN SELECT $1", "EXPLAIN read rows $1" },
	{ "EXPLAIN VERBOSE SELECT 1", "EXPLAIN read rows" },
	{ "EXPLAIN DELETE FROM t", "EXPLAIN read rows" },
	{ "EXPLAIN (COSTS off) DELETE FROM t", "EXPLAIN read rows" },
	{ "EXPLAIN SELECT nextval('s')", "EXPLAIN read rows" },
	{ "EXPLAIN ANALYZE SELECT 1", "EXPLAIN read rows" },
	{ "EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN rows" },
	{ "EXPLAIN ANALYZE VERBOSE UPDATE t SET a = $1", "EXPLAIN rows $1" },
	{ "EXPLAIN (ANALYZE) INSERT INTO t VALUES (1)", "EXPLAIN rows" },
	{ "EXPLAIN (VERBOSE, analyze true) DELETE FROM t RETURNING *", "EXPLAIN rows" },
	{ "EXPLAIN (\"analyze\") DELETE FROM t", "EXPLAIN rows" },
	{ "EXPLAIN (ANALYZE) SELECT nextval('s')", "EXPLAIN rows" },
	{ "EXPLAIN ANALYZE SELECT * FROM t FOR UPDATE", "EXPLAIN rows locks" },
	{ "EXPLAIN ANALYZE WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "EXPLAIN rows" },
	{ "EXPLAIN (SELECT 1)", "EXPLAIN read rows" },
	{ "EXPLAIN ((SELECT nextval('s')))", "EXPLAIN read rows" },
	{ "EXPLAIN ANALYZE (SELECT nextval('s'))", "EXPLAIN rows" },
	{ "EXPLAIN EXECUTE a", "EXPLAIN rows" },
	{ "EXPLAIN ANALYZE EXECUTE a", "EXPLAIN rows" },
	{ "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "EXPLAIN rows" },
	{ "EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", "EXPLAIN rows session" },
	{ "EXPLAIN CREATE TEMP TABLE t AS SELECT 1", "EXPLAIN read rows" },
	{ "EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT 1", "EXPLAIN rows" },
};

static const statement_example several[] = {
	{ "SELECT 1; SELECT 2", "SELECT read rows multiple" },
	{ "SELECT 1;", "SELECT read rows" },
	{ ";SELECT 1;;", "SELECT read rows" },
	{ "SELECT 1; DELETE FROM t", "SELECT rows multiple" },
	{ "DELETE FROM t; SELECT 1", "DELETE rows multiple" },
	{ "SELECT 1; COMMIT", "SELECT rows transaction multiple" },
	{ "SET LOCAL a = 1; SET b = 1", "SET session multiple" },
	{ "SELECT ';'; SELECT $$;$$", "SELECT read rows multiple" },
	{ "SELECT 1 -- ;", "SELECT read rows" },
	{ "SELECT $1; SELECT $3", "SELECT read rows multiple $3" },
	{ "SELECT 1; 'a", "SELECT rows multiple broken" },
	{ "INSERT INTO t VALUES (1); SELECT 1 AS returning", "INSERT rows multiple" },
	{ "SELECT 1 INTO t; DELETE FROM t", "SELECT multiple" },
};

#define TABLES(X)   \
	X(nothings)     \
	X(queries)      \
	X(locks)        \
	X(writes)       \
	X(selects_into) \
	X(functions) X(transactions) X(sessions) X(creations) X(calls) X(explanations) X(several)

TABLES(STATEMENT_TEST)

/* The verb is static text, so that it outlives the statement. */
START_TEST(verbs_are_static)
{
	char sql[] = "delete from t";
	kn__statement s = kn__statement_of((kn_str){ sql, sizeof(sql) - 1 });

	memset(sql, 'x', sizeof(sql) - 1);
	ck_assert_str_eq(s.verb, "DELETE");
}
END_TEST

static void
fill(TCase *tcase)
{
#define X(table) LOOP(tcase, table##_do, table);
	TABLES(X)
#undef X
	LOOP(tcase, keeps, keepers);
	tcase_add_test(tcase, verbs_are_static);
}

int
main(void)
{
	return suite_run("data_statement", fill);
}
