/*
 * test_run_classes.c
 *		What is known of a statement, at the first look and at each after it.
 */
#include <string.h>

#include "failing.h"
#include "run/classes.h"
#include "suite.h"

#define K  KN__CLASS_KNOWN
#define R  KN__CLASS_READ
#define A  KN__CLASS_ATOMIC
#define T  KN__CLASS_TRANSACTION
#define SE KN__CLASS_SETTING
#define SO KN__CLASS_SOILS
#define KE KN__CLASS_KEEPS
#define C  KN__CLASS_COPY
#define M  KN__CLASS_MULTIPLE
#define B  KN__CLASS_BROKEN
#define CA KN__CLASS_CALLS
#define LA (KN__CLASS_CALLS | KN__CLASS_LASTS)
#define CO KN__CLASS_COMMITS
#define U  KN__CLASS_UNKNOWN
#define CR KN__CLASS_CREATES

static kn__memo *classes;

static void
set_up(void)
{
	classes = kn__memo_new(NULL);
	ck_assert_ptr_nonnull(classes);
}

static void
tear_down(void)
{
	kn__memo_free(classes);
}

static unsigned
class_of(const char *sql)
{
	return kn__classes_of(classes, NULL, sql, strlen(sql), kn__hash(sql, strlen(sql), 0));
}

static const struct
{
	const char *sql;
	unsigned expected;
} statements[] = {
	{ "SELECT 1", K | R | A },
	{ "select * from t", K | R | A },
	{ "VALUES (1)", K | R | A },
	{ "TABLE t", K | R | A },
	{ "WITH x AS (SELECT 1) SELECT * FROM x", K | R | A },
	{ "SELECT * FROM t FOR UPDATE", K | A },
	{ "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED", K | A },
	{ "SELECT * FROM t FOR SHARE", K | A },
	{ "SELECT * FROM (SELECT * FROM t FOR KEY SHARE) x", K | A },
	{ "SELECT nextval('s')", K | A },
	{ "SELECT dblink_exec('a', 'b')", K | A | SO | LA },
	{ "SELECT x.dblink_exec('a', 'b')", K | A | SO | LA },
	{ "SELECT * FROM dblink('a', 'b') AS (c int)", K | A | SO | LA },
	{ "INSERT INTO t SELECT dblink_exec('a', 'b')", K | A | SO | LA },
	{ "SELECT dblink_connect('a', 'b')", K | A | KE },
	{ "SELECT pg_logical_emit_message(false, 'a', 'b')", K | A | LA },
	{ "SELECT pg_notify('a', 'b')", K | A },
	{ "SELECT dblink_exec FROM t", K | R | A },
	{ "SELECT * INTO t2 FROM t", K | CR | A },
	{ "INSERT INTO t VALUES (1)", K | A },
	{ "INSERT INTO t VALUES (1) RETURNING id", K | A },
	{ "UPDATE t SET a = 1 RETURNING *", K | A },
	{ "DELETE FROM t", K | A },
	{ "WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM x", K | A },
	{ "WITH x AS (DELETE FROM t RETURNING *) SELECT count(*) FROM x", K | A },
	{ "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", K | A },
	{ "EXPLAIN SELECT 1", K | R },
	{ "EXPLAIN ANALYZE INSERT INTO t VALUES (1)", K },
	{ "SHOW work_mem", K | R },
	{ "CALL p()", K | CA | CO },
	{ "SELECT p()", K | R | A | CA },
	{ "SELECT now()", K | R | A },
	{ "SELECT t.f, (t).* FROM t", K | R | A },
	{ "SELECT (t).f FROM t", K | R | A | CA },
	{ "SELECT $1.f", K | R | A | CA },
	{ "SELECT 1 FROM t JOIN u ON (t).f", K | R | A | CA },
	{ "SELECT 1 FROM t JOIN u ON (t.a = u.a) v", K | R | A },
	{ "INSERT INTO t (a) VALUES (f(1))", K | A | CA },
	{ "INSERT INTO t (a) VALUES (1)", K | A },
	{ "VACUUM t", K | CO },
	{ "REINDEX TABLE t", K | CO },
	{ "CLUSTER t", K | CO },
	{ "CREATE DATABASE d", K | CR | CO },
	{ "drop database d", K | CO },
	{ "ALTER SYSTEM SET a = 1", K | CO },
	{ "CREATE INDEX CONCURRENTLY ON t (a)", K | CR | CO },
	{ "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", K | CR | CO },
	{ "DROP INDEX CONCURRENTLY i", K | CO },
	{ "ALTER TABLE t DETACH PARTITION u CONCURRENTLY", K | CO },
	{ "CREATE INDEX ON t (a)", K | CR },
	{ "CREATE INDEX \"concurrently\" ON t (a)", K | CR },
	{ "ALTER TABLE t ADD COLUMN database int", K },
	{ "DROP TABLE t", K },
	{ "CREATE TABLE t (a int)", K | CR },
	{ "CREATE TEMP TABLE t (a int)", K | CR | KE },
	{ "CREATE TEMP TABLE t (a int) ON COMMIT DROP", K | CR | SO },
	{ "DO $$ BEGIN END $$", K | SO | CO },
	{ "SELECT pg_advisory_lock(1)", K | A | KE },
	{ "SELECT set_config('a.b', 'c', false)", K | A | KE },
	{ "SET work_mem = '1MB'", K | SE },
	{ "LISTEN c", K | SE },
	{ "PREPARE p AS SELECT 1", K | SE },
	{ "DISCARD ALL", K | SE },
	{ "BEGIN", K | T },
	{ "COMMIT", K | T },
	{ "ROLLBACK TO SAVEPOINT a", K | T },
	{ "COPY t FROM STDIN", K | C },
	{ "COPY t TO STDOUT", K | R | C },
	{ "SELECT 1; SELECT 2", K | R | A | M },
	{ "SELECT 1;", K | R | A },
	{ "SELECT 1; DELETE FROM t", K | A | M },
	{ "SELECT 'open", K | A | B },
	{ "REPACK t", K | U },
	{ "WITH x AS (SELECT 1) FETCHALL x", K | U },
	{ "'open'", K | U },
	{ "((SELECT 1))", K | R | A },
	{ "(VALUES (1)) UNION SELECT 2", K | R | A },
	{ "(TABLE t)", K | R | A },
	{ "", K },
	{ ";", K },
};

START_TEST(a_statement)
{
	const char *sql = statements[_i].sql;

	ck_assert_msg(class_of(sql) == statements[_i].expected,
				  "\"%s\" is %#x, expected %#x",
				  sql,
				  class_of(sql),
				  statements[_i].expected);
	ck_assert_uint_eq(class_of(sql), statements[_i].expected);
}
END_TEST

/* Those that share a place push each other out, and are never taken for one another. */
START_TEST(a_shared_place)
{
	const uint64_t high = UINT64_C(1) << 60;

	for (int i = 0; i < 3; i++)
	{
		ck_assert_uint_eq(kn__classes_of(classes, NULL, "SELECT 1", 8, 0), K | R | A);
		ck_assert_uint_eq(kn__classes_of(classes, NULL, "BEGIN", 5, high), K | T);
	}
}
END_TEST

/* A text that is known is not read again: only its hash tells it from others. */
START_TEST(is_kept)
{
	const uint64_t hash = UINT64_C(0x123456789abcd800);

	ck_assert_uint_eq(kn__classes_of(classes, NULL, "SELECT 1", 8, hash), K | R | A);
	ck_assert_uint_eq(kn__classes_of(classes, NULL, "BEGIN", 5, hash), K | R | A);
	ck_assert_uint_eq(kn__classes_of(classes, NULL, "BEGIN", 5, hash + (1U << KN__MEMO_BITS)),
					  K | T);
}
END_TEST

/* The lowest bits of a hash make room for the flags, and hashes of zero are hashes. */
START_TEST(a_hash_of_zero)
{
	ck_assert_uint_eq(kn__classes_of(classes, NULL, "BEGIN", 5, 0), K | T);
	ck_assert_uint_eq(kn__classes_of(classes, NULL, "BEGIN", 5, 0), K | T);
}
END_TEST

START_TEST(no_memory)
{
	failing f;

	failing_init(&f, 1, false);
	ck_assert_ptr_null(kn__memo_new(&f.allocator));
	kn__memo_free(NULL);
	failing_init(&f, 0, false);
	kn__memo_free(kn__memo_new(&f.allocator));
	ck_assert(failing_is_even(&f));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, a_statement, statements);
	tcase_add_test(tcase, a_shared_place);
	tcase_add_test(tcase, is_kept);
	tcase_add_test(tcase, a_hash_of_zero);
	tcase_add_test(tcase, no_memory);
}

int
main(void)
{
	return suite_run("run_classes", fill);
}
