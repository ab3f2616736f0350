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

static const struct
{
	kn__item items[3];
	int count;
	const char *told;
} batches[] = {
	{ { { .sql = "INSERT INTO t VALUES ('secret')" }, { .sql = "SELECT $1, 5", .count = 1 } },
	  2,
	  "INSERT INTO t VALUES (?); SELECT $1, 5" },
	{ { { .sql = "SELECT 1" }, { .sql = "" }, { .sql = "SELECT 'secret" } },
	  3,
	  "SELECT ?; ; SELECT ?" },
	/* What is the same of all is said once, but values are told of none that has them. */
	{ { { .sql = "SELECT $1", .count = 1 },
		{ .sql = "SELECT $1", .count = 1 },
		{ .sql = "SELECT $1", .count = 1 } },
	  3,
	  "SELECT $1" },
	{ { { .sql = "SELECT 'secret'" }, { .sql = "SELECT 'secret'" } }, 2, "SELECT ?" },
	{ { { .sql = "SELECT $1, 5", .count = 1 }, { .sql = "SELECT $1, 5" } },
	  2,
	  "SELECT $1, 5; SELECT $1, ?" },
};

START_TEST(batches_are_told_as_a_whole)
{
	kn__told_sql told;

	ck_assert_str_eq(kn__told_batch_init(&told, NULL, batches[_i].items, batches[_i].count, false),
					 batches[_i].told);
	kn__told_sql_release(&told);
}
END_TEST

START_TEST(batches_are_told_as_they_are)
{
	const kn__item items[] = { { .sql = "SELECT 1" }, { .sql = "SELECT 2" } };
	kn__told_sql told;

	ck_assert_str_eq(kn__told_batch_init(&told, NULL, items, 2, true), "SELECT 1; SELECT 2");
	kn__told_sql_release(&told);
}
END_TEST

/* Between two statements, and it is said how many are left out. */
START_TEST(long_batches_are_cut)
{
	static char large[3 * KN__TOLD_BATCH_LIMIT / 2];
	static kn__item items[10000];
	kn__told_sql told;
	const char *sql;
	const char *rest;
	int shown = 1;

	for (int i = 0; i < COUNT(items); i++)
		items[i].sql = i % 2 == 0 ? "SELECT a" : "SELECT b";
	sql = kn__told_batch_init(&told, NULL, items, COUNT(items), false);
	ck_assert_uint_le(strlen(sql), KN__TOLD_BATCH_LIMIT + 30);
	ck_assert_uint_gt(strlen(sql), KN__TOLD_BATCH_LIMIT - 30);
	for (rest = sql; (rest = strstr(rest, "; SELECT ")) != NULL; rest += 2)
		shown++;
	rest = strstr(sql, "; /* and ");
	ck_assert_ptr_nonnull(rest);
	ck_assert_int_eq(shown + atoi(rest + strlen("; /* and ")), COUNT(items));
	ck_assert_ptr_nonnull(strstr(rest, " more */"));
	kn__told_sql_release(&told);
	/* The first is there as a whole, as it is alone; so is one that just fits. */
	memset(large, 'x', sizeof(large) - 1);
	items[0].sql = large;
	sql = kn__told_batch_init(&told, NULL, items, 2, false);
	ck_assert_int_eq(strncmp(sql, large, sizeof(large) - 1), 0);
	ck_assert_str_eq(sql + sizeof(large) - 1, "; /* and 1 more */");
	kn__told_sql_release(&told);
	items[1].sql = large + sizeof(large) - 1 - (KN__TOLD_BATCH_LIMIT - strlen("SELECT a; "));
	items[0].sql = "SELECT a";
	sql = kn__told_batch_init(&told, NULL, items, 2, false);
	ck_assert_uint_eq(strlen(sql), KN__TOLD_BATCH_LIMIT);
	ck_assert_ptr_null(strchr(sql, '*'));
	kn__told_sql_release(&told);
	items[1].sql--;
	ck_assert_str_eq(kn__told_batch_init(&told, NULL, items, 3, false),
					 "SELECT a; /* and 2 more */");
	kn__told_sql_release(&told);
}
END_TEST

START_TEST(without_memory_no_batch_is_told)
{
	const kn__item items[] = { { .sql = "SELECT 1" }, { .sql = "SELECT 'secret'" } };
	failing f;
	kn__told_sql told;

	failing_init(&f, 1, true);
	ck_assert_ptr_null(kn__told_batch_init(&told, &f.allocator, items, 2, true));
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
	LOOP(tcase, batches_are_told_as_a_whole, batches);
	tcase_add_test(tcase, batches_are_told_as_they_are);
	tcase_add_test(tcase, long_batches_are_cut);
	tcase_add_test(tcase, without_memory_no_batch_is_told);
}

int
main(void)
{
	return suite_run("run_mask", fill);
}
