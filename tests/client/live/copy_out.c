/*
 * copy_out.c
 *		What comes by COPY: pieces as the server sends them, and the memory that it takes.
 */
#include "copy_out.h"

START_TEST(reads_pieces)
{
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT * FROM kn_out ORDER BY a) TO STDOUT");
	kn_str piece;
	int64_t rows = 0;
	int count = 0;

	while (kn_copy_get(copy, &piece))
	{
		char line[40];

		count++;
		(void) snprintf(line,
						sizeof(line),
						count % 3 == 0 ? "%d\t\\N\n" : "%d\ttext %d\n",
						count,
						count);
		ck_assert_uint_eq(piece.n, strlen(line));
		ck_assert_mem_eq(piece.p, line, piece.n);
	}
	ck_assert_int_eq(count, 1000);
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, 1000);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* With an actor it is in a transaction, of which nothing is left after the cancel. */
START_TEST(reads_a_part_for_somebody)
{
	kn_ctx *named = kn_begin(db, .actor = "somebody");
	kn_str piece;
	int64_t rows = -1;

	for (int i = 0; i < 3; i++)
	{
		kn_copy *copy = kn_copy_out(named, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT");

		if (i > 0)
			ck_assert_int_eq(kn_copy_get(copy, &piece), true);
		EXPECT_OK(named, kn_copy_end(copy, &rows));
		EXPECT_OK(named, kn_exec(named, "SELECT pg_sleep(0)"));
	}
	kn_end(named);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(reads_none_or_a_part)
{
	kn_str piece;
	int64_t rows = 0;
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT 1 WHERE false) TO STDOUT");

	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, 0);
	for (int i = 0; i < 5; i++)
	{
		copy = kn_copy_out(cx, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT");
		for (int j = 0; j < i; j++)
			ck_assert_int_eq(kn_copy_get(copy, &piece), true);
		if (i % 2 == 0)
		{
			EXPECT_OK(cx, kn_copy_end(copy, &rows));
			ck_assert_int_ge(rows, 0);
		}
		else
			kn_copy_abort(copy);
		EXPECT(cx, kn_copy_end(copy, NULL), i % 2 == 0 ? KN_OK : KN_CANCELED);
		EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0)"));
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static const struct
{
	const char *sql;
	kn_status status;
} wrongs[] = {
	{ "SELECT 1", KN_USAGE },
	{ "COPY kn_out FROM STDIN", KN_USAGE },
	{ "COPY kn_out TO '/tmp/x'", KN_USAGE },
	{ "COPY kn_nowhere TO STDOUT", KN_SCHEMA },
	{ "COPY (SELECT 1 / (500 - a) FROM kn_out ORDER BY a) TO STDOUT", KN_DATA },
};

START_TEST(refuses)
{
	kn_copy *copy = kn_copy_out(cx, wrongs[_i].sql);
	kn_str piece;
	int64_t rows = 7;

	while (kn_copy_get(copy, &piece))
		;
	ck_assert_int_eq(kn_copy_put(copy, "x", 1), wrongs[_i].status);
	EXPECT(cx, kn_copy_end(copy, &rows), wrongs[_i].status);
	ck_assert_str_eq(kn_last_error(cx)->sql, wrongs[_i].sql);
	ck_assert_int_eq(rows, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

START_TEST(goes_one_way)
{
	kn_str piece;
	kn_copy *copy = kn_copy_out(cx, "COPY kn_out TO STDOUT");

	ck_assert_int_eq(kn_copy_put(copy, "x", 1), KN_USAGE);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	copy = kn_copy_in(cx, "COPY kn_out FROM STDIN");
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	ck_assert_int_eq(stats_of(db).busy, 0);
}
END_TEST

/* What it does is done, whether its rows are read or not. */
START_TEST(writes)
{
	for (int reads = 0; reads < 2; reads++)
	{
		kn_copy *copy =
			kn_copy_out(cx, "COPY (DELETE FROM kn_out WHERE a <= 10 RETURNING a) TO STDOUT");
		kn_str piece;
		int64_t rows;

		while (reads && kn_copy_get(copy, &piece))
			;
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(rows, 10);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a <= 10"), 0);
		look_do(look, "INSERT INTO kn_out SELECT generate_series(1, 10)");
	}
}
END_TEST

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 100);
	kn_copy *copy =
		kn_copy_out(hasty,
					"COPY (SELECT pg_sleep(g * 0.01) FROM generate_series(1, 10000) g) TO STDOUT");
	kn_str piece;

	while (kn_copy_get(copy, &piece))
		;
	EXPECT(hasty, kn_copy_end(copy, NULL), KN_TIMEOUT);
	kn_end(hasty);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
out_body(kn_ctx *c, void *argument)
{
	kn_copy *copy;
	kn_str piece;

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_out VALUES (-1, 'mine')"));
	copy = kn_copy_out(c, "COPY (SELECT b FROM kn_out WHERE a < 0) TO STDOUT");
	ck_assert_int_eq(kn_copy_get(copy, &piece), true);
	ck_assert_mem_eq(piece.p, "mine\n", 5);
	EXPECT_OK(c, kn_copy_end(copy, NULL));
	copy = kn_copy_out(c, "COPY kn_out TO STDOUT");
	ck_assert_int_eq(kn_copy_get(copy, &piece), true);
	EXPECT_OK(c, kn_copy_end(copy, NULL));
	return KN_OK;
}

START_TEST(is_part_of_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, out_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a < 0"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* Kilobytes of the process that are in memory, at the most so far. */
static long
resident(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long found = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, "VmHWM:", 6) == 0)
			found = strtol(line + 6, NULL, 10);
	}
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_gt(found, 0);
	return found;
}

/* A million rows go out and come in, and the process does not grow by more than a megabyte. */
START_TEST(takes_no_more_memory)
{
	long before = 0;

	look_do(
		look,
		"DROP TABLE IF EXISTS kn_many; CREATE UNLOGGED TABLE kn_many (a int, b text, c float8)");
	for (int i = 0; i < 2; i++)
	{
		int64_t most = i == 0 ? 10000 : 1000000;
		kn_copy *copy = kn_copy_in(cx, "COPY kn_many FROM STDIN (FORMAT binary)");
		kn_str piece;
		int64_t rows;
		kn_rows *stream;
		int64_t sum = 0;

		for (int j = 0; j < most; j++)
			ck_assert_int_eq(kn_copy_row(copy, j, "some text", j * 0.5), KN_OK);
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(rows, most);
		stream = kn_stream(cx, "SELECT a, b, c FROM kn_many");
		while (kn_next(stream))
			sum += kn_get_i32(stream, 0) + (int64_t) kn_get_str(stream, 1).n;
		EXPECT_OK(cx, kn_done(stream));
		ck_assert_int_eq(sum, most * (most - 1) / 2 + 9 * most);
		/* With a parameter it goes row by row, without COPY. */
		stream = kn_stream(cx, "SELECT a, b, c FROM kn_many WHERE a >= $1", 0);
		while (kn_next(stream))
			sum -= kn_get_i32(stream, 0) + (int64_t) kn_get_str(stream, 1).n;
		EXPECT_OK(cx, kn_done(stream));
		ck_assert_int_eq(sum, 0);
		sum = most * (most - 1) / 2 + 9 * most;
		copy = kn_copy_out(cx, "COPY kn_many TO STDOUT");
		while (kn_copy_get(copy, &piece))
			sum--;
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(sum, most * (most - 1) / 2 + 8 * most);
		look_do(look, "TRUNCATE kn_many");
		if (i == 0)
			before = resident();
	}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_int_lt(resident() - before, 1024);
#else
	(void) before;
#endif
	look_do(look, "DROP TABLE kn_many");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, reads_pieces);
	tcase_add_test(tcase, reads_none_or_a_part);
	tcase_add_test(tcase, reads_a_part_for_somebody);
	LOOP(tcase, refuses, wrongs);
	tcase_add_test(tcase, goes_one_way);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, is_part_of_a_transaction);
	QUICK_ONLY(tcase, takes_no_more_memory, "memcheck keeps what is freed for a while");
}

int
main(void)
{
	return suite_run("copy_out", fill);
}
