/*
 * test_run_mask.c
 *		SQL as events have it: no value that is written into it, unless it has parameters.
 */
#include <string.h>

#include "failing.h"
#include "run/observe.h"
#include "suite.h"

static const struct
{
	const char *sql;
	const char *masked;
} cases[] = {
	{ "", "" },
	{ "SELECT 1", "SELECT ?" },
	{ "SELECT * FROM t WHERE a = 'x' AND b=-1.5", "SELECT * FROM t WHERE a = ? AND b=-?" },
	{ "  SELECT\n\t'a' -- secret\n, $$b$$", "SELECT ? , ?" },
	{ "SELECT /* secret */ E'\\'' 'a''b'", "SELECT ? ?" },
	{ "ALTER ROLE r PASSWORD 'secret'", "ALTER ROLE r PASSWORD ?" },
	{ "SELECT \"a\" FROM \"t 1\"", "SELECT \"a\" FROM \"t 1\"" },
	{ "SELECT x'ff', b'01', U&'\\0061', n'a'", "SELECT ?, ?, ?, ?" },
	{ "VALUES (1,2,3)", "VALUES (?,?,?)" },
	{ "SELECT a1, t.b2 FROM t", "SELECT a1, t.b2 FROM t" },
	{ "SELECT 'unterminated secret", "SELECT ?" },
	{ "SELECT $1, 5", "SELECT $1, ?" },
	{ "SELECT 1a secret", "SELECT ? secret" },
	{ "SELECT 'a'\n'secret'", "SELECT ?" },
};

START_TEST(literals_are_masked)
{
	kn__told_sql told;

	ck_assert_str_eq(kn__told_sql_init(&told, NULL, cases[_i].sql, false, false), cases[_i].masked);
	kn__told_sql_release(&told);
}
END_TEST

START_TEST(others_are_told_as_they_are)
{
	const char *sql = "SELECT 1 -- a";
	kn__told_sql told;

	ck_assert_ptr_eq(kn__told_sql_init(&told, NULL, sql, true, false), sql);
	kn__told_sql_release(&told);
	ck_assert_ptr_eq(kn__told_sql_init(&told, NULL, sql, false, true), sql);
	kn__told_sql_release(&told);
	ck_assert_ptr_null(kn__told_sql_init(&told, NULL, NULL, false, false));
	kn__told_sql_release(&told);
}
END_TEST

START_TEST(without_memory_nothing_is_told)
{
	failing f;
	kn__told_sql told;

	failing_init(&f, 1, true);
	ck_assert_ptr_null(kn__told_sql_init(&told, &f.allocator, "SELECT 'secret'", false, false));
	kn__told_sql_release(&told);
	ck_assert(failing_is_even(&f));
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, literals_are_masked, cases);
	tcase_add_test(tcase, others_are_told_as_they_are);
	tcase_add_test(tcase, without_memory_nothing_is_told);
}

int
main(void)
{
	return suite_run("run_mask", fill);
}
