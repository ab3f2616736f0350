/*
 * stream.c
 *		Rows as they arrive: to their end, ended early, failing half-way.
 */
#include <time.h>

#include "one.h"

static void
set_up(void)
{
	look = look_open();
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_stream; CREATE TABLE kn_stream (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
	OPEN(db, .max_connections = 1, .cancel_ms = 20000);
	cx = kn_begin(db);
}

/* Reads so many rows, or all for -1, and gives their sum. */
static int64_t
sum(kn_rows *rows, int most)
{
	int64_t total = 0;

	for (int i = 0; i != most && kn_next(rows); i++)
		total += kn_get_i64(rows, 0);
	return total;
}

START_TEST(reads_all)
{
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_stream(cx, "SELECT g FROM generate_series(1, $1) g", 10000);

		ck_assert_int_eq(kn_row_count(rows), -1);
		ck_assert_int_eq(sum(rows, -1), 50005000);
		ck_assert_int_eq(kn_row_count(rows), 10000);
		ck_assert_int_eq(kn_next(rows), false);
		EXPECT_OK(cx, kn_done(rows));
		ck_assert_int_eq(stats_of(db).busy, 0);
	}
	ck_assert_int_eq(sum(kn_stream(cx, "SELECT 1 WHERE false"), -1), 0);
}
END_TEST

/*
 * What a row is read into has room for 8,192 bytes at first, and for twice as many each time that
 * one is longer: rows that just fit, those that are a byte too long, and the first one, which comes
 * behind what all begins with.
 */
START_TEST(reads_rows_of_any_size)
{
	static const struct
	{
		const char *sql;
		int64_t first;
		int64_t step;
		int count;
	} rows_of[] = {
		{ "SELECT repeat(chr(97 + g % 26), g), g FROM generate_series(8150, 8190) g", 8150, 1, 41 },
		{ "SELECT repeat(chr(97 + g % 26), g), g FROM generate_series(8190, 8150, -1) g",
		  8190,
		  -1,
		  41 },
		{ "SELECT repeat(chr(97 + g % 26), g), g FROM generate_series(16350, 16390) g",
		  16350,
		  1,
		  41 },
		{ "SELECT repeat(chr(97 + g % 26), g), g FROM generate_series(1, 4000001, 1000000) g",
		  1,
		  1000000,
		  5 },
		{ "SELECT repeat(chr(97 + g % 26), g), g FROM generate_series(3000000, 0, -1000000) g",
		  3000000,
		  -1000000,
		  4 },
	};

	for (int i = 0; i < 2 * COUNT(rows_of); i++)
	{
		kn_rows *rows = kn_stream(cx, rows_of[i / 2].sql);
		int64_t expected = rows_of[i / 2].first;
		int count = 0;

		for (; kn_next(rows); expected += rows_of[i / 2].step, count++)
		{
			kn_str text = kn_get_str(rows, 0);

			ck_assert_int_eq(kn_get_i64(rows, 1), expected);
			ck_assert_int_eq((int64_t) text.n, expected);
			/* Each of its letters is that one. */
			ck_assert_int_eq(text.n == 0 ? 0 : text.p[0], text.n == 0 ? 0 : 'a' + expected % 26);
			ck_assert(text.n == 0 || memcmp(text.p, text.p + 1, text.n - 1) == 0);
		}
		EXPECT_OK(cx, kn_done(rows));
		ck_assert_int_eq(count, rows_of[i / 2].count);
	}
}
END_TEST

START_TEST(ends_early)
{
	int64_t pid = number_of(cx, kn_query(cx, "SELECT pg_backend_pid()"));

	for (int i = 0; i < 20; i++)
	{
		kn_rows *rows = kn_stream(cx, "SELECT generate_series(1, 2000000000)");

		ck_assert_int_eq(stats_of(db).busy, 1);
		ck_assert_int_eq(sum(rows, i), i * (i + 1) / 2);
		EXPECT_OK(cx, kn_done(rows));
		EXPECT_OK(cx, kn_done(rows));
		ck_assert_int_eq(stats_of(db).busy, 0);
		/* Nothing hits what comes after it. */
		EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0)"));
	}
	if (!is_pooled())
		ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT pg_backend_pid()")), pid);
}
END_TEST

START_TEST(fails_half_way)
{
	kn_rows *rows = kn_stream(cx, "SELECT 1000 / (500 - g) FROM generate_series(1, 1000) g");
	int64_t count = 0;

	while (kn_next(rows))
		count++;
	ck_assert_int_eq(count, 499);
	EXPECT(cx, kn_done(rows), KN_DATA);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, "22012");
	ck_assert_int_eq(stats_of(db).busy, 0);
	/* It was no success because its first rows came. */
	ck_assert_uint_eq(stats_of(db).queries, 1);
	ck_assert_uint_eq(stats_of(db).errors, 1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

/* Nor to the breaker, which has heard of no end of it yet. */
START_TEST(is_judged_by_its_end)
{
	kn_db *wary;
	kn_ctx *c;
	kn_rows *rows;
	kn_status status;

	OPEN(wary,
		 .max_connections = 1,
		 .breaker_calls = 1,
		 .breaker_failure_percent = 1,
		 .breaker_open_ms = 3600000);
	c = kn_begin(wary);
	rows = kn_stream(c,
					 "SELECT g, CASE WHEN g = 3000 THEN pg_terminate_backend(pg_backend_pid()) END"
					 " FROM generate_series(1, 3000) g");
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_CLOSED);
	while (kn_next(rows))
		;
	status = kn_done(rows);
	/* A pooler does not say that the server has ended it. */
	ck_assert_msg(status == KN_CONN_LOST || status == KN_UNAVAILABLE, "%s", kn_status_name(status));
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_OPEN);
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_CIRCUIT_OPEN);
	kn_end(c);
	close_even(wary);
}
END_TEST

START_TEST(lets_nothing_else_go_meanwhile)
{
	kn_rows *rows = kn_stream(cx, "SELECT generate_series(1, 10)");
	kn_ctx *other;
	uint64_t broken = stats_of(db).closed_broken;
	time_t begun = time(NULL);

	ck_assert_int_eq(kn_next(rows), true);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_USAGE);
	EXPECT(cx, kn_done(kn_query(cx, "SELECT 1")), KN_USAGE);
	ck_assert_int_eq(sum(rows, -1), 54);
	EXPECT_OK(cx, kn_done(rows));
	/* The end of the context is the end of its stream. */
	other = kn_begin(db);
	rows = kn_stream(other, "SELECT generate_series(1, 2000000000)");
	ck_assert_int_eq(kn_next(rows), true);
	kn_clear(other);
	EXPECT_OK(other, kn_exec(other, "SELECT 1"));
	rows = kn_stream(other, "SELECT generate_series(1, 2000000000)");
	ck_assert_int_eq(kn_next(rows), true);
	kn_end(other);
	ck_assert_int_eq(stats_of(db).busy, 0);
	/* It was cancelled, and the connection kept. */
	ck_assert_int_lt(time(NULL) - begun, 30);
	ck_assert_int_eq(stats_of(db).closed_broken, broken);
}
END_TEST

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 100);
	kn_rows *rows =
		kn_stream(hasty, "SELECT pg_sleep(g * 0.01) IS NULL FROM generate_series(1, 10000) g");

	while (kn_next(rows))
		ck_assert_int_eq(kn_get_bool(rows, 0), false);
	EXPECT(hasty, kn_done(rows), KN_TIMEOUT);
	kn_end(hasty);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

START_TEST(does_writes_to_their_end)
{
	kn_rows *rows =
		kn_stream(cx, "INSERT INTO kn_stream SELECT generate_series(1, 5000) RETURNING id");

	ck_assert_int_eq(sum(rows, 2), 3);
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 5000);
	/* That they do not fit is seen once all rows are out. */
	for (int i = 0; i < 3; i++)
	{
		rows =
			kn_stream(cx,
					  "INSERT INTO kn_stream SELECT generate_series(9999, 5000, -1) RETURNING id");
		ck_assert_int_eq(sum(rows, 1 - 2 * (i == 1)), i == 1 ? 37497500 : 9999);
		EXPECT(cx, kn_done(rows), KN_DUPLICATE);
		ck_assert_int_eq(kn_last_error(cx)->status, KN_DUPLICATE);
	}
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 5000);
}
END_TEST

/* Rows that are written count as they do elsewhere, whether they come back or not. */
START_TEST(counts_what_is_written)
{
	kn_rows *rows = kn_stream(cx, "INSERT INTO kn_stream SELECT generate_series(1, 5)");

	ck_assert(!kn_next(rows));
	ck_assert_int_eq(kn_row_count(rows), 5);
	EXPECT_OK(cx, kn_done(rows));
	rows = kn_stream(cx, "UPDATE kn_stream SET id = id + 10 WHERE id > 2 RETURNING id");
	ck_assert_int_eq(sum(rows, -1), 42);
	ck_assert_int_eq(kn_row_count(rows), 3);
	EXPECT_OK(cx, kn_done(rows));
}
END_TEST

static kn_status
body(kn_ctx *c, void *argument)
{
	kn_rows *rows = kn_stream(c, "SELECT generate_series(1, 1000)");

	(void) argument;
	ck_assert_int_eq(sum(rows, 3), 6);
	EXPECT_OK(c, kn_done(rows));
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_stream VALUES (1)"));
	rows = kn_stream(c, "SELECT id FROM kn_stream");
	ck_assert_int_eq(sum(rows, -1), 1);
	return kn_done(rows);
}

static kn_status
forgetful_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_stream VALUES (2)"));
	ck_assert_int_eq(kn_next(kn_stream(c, "SELECT generate_series(1, 1000)")), true);
	return KN_OK;
}

static kn_status
streaming_body(kn_ctx *c, void *argument)
{
	kn_rows *rows = kn_stream(c, "INSERT INTO kn_stream VALUES (71), (72) RETURNING id");

	(void) argument;
	ck_assert_int_eq(sum(rows, -1), 143);
	return kn_done(rows);
}

START_TEST(is_all_of_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, streaming_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 2);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(is_part_of_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 1);
	EXPECT(cx, kn_transact(cx, forgetful_body, NULL), KN_USAGE);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 1);
	ck_assert_int_eq(stats_of(db).busy, 0);
}
END_TEST

START_TEST(survives_another_shape)
{
	look_do(look, "INSERT INTO kn_stream VALUES (5)");
	for (int i = 0; i < 8; i++)
	{
		/* All at once it becomes prepared, and then it streams by its name. */
		kn_rows *rows = i % 4 < 3 ? kn_query(cx, "SELECT * FROM kn_stream")
								  : kn_stream(cx, "SELECT * FROM kn_stream");

		ck_assert_int_eq(sum(rows, -1), 5);
		EXPECT_OK(cx, kn_done(rows));
		if (i == 2)
			look_do(look, "ALTER TABLE kn_stream ADD b text");
	}
}
END_TEST

START_TEST(has_role_and_claims)
{
	const char *const claims[] = { "app.tenant", "seven", NULL };
	kn_ctx *tenant = kn_begin(db, .claims = claims);
	kn_rows *rows =
		kn_stream(tenant, "SELECT current_setting('app.tenant') FROM generate_series(1, 3)");

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_str_eq(kn_get_text(rows, 0), "seven");
	EXPECT_OK(tenant, kn_done(rows));
	rows = kn_query(cx, "SELECT coalesce(current_setting('app.tenant', true), '')");
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_str_eq(kn_get_text(rows, 0), "");
	EXPECT_OK(cx, kn_done(rows));
	kn_end(tenant);
}
END_TEST

/*
 * Rows one by one are for the stream alone: what comes next on its connection, with role and
 * claims before it in the same flight, is done once.
 */
START_TEST(says_nothing_to_what_comes_next)
{
	const char *const claims[] = { "app.x", "1", NULL };
	kn_ctx *other = kn_begin(db, .claims = claims);

	look_do(look, "CREATE TABLE IF NOT EXISTS kn_next (a int); TRUNCATE kn_next");
	for (int i = 1; i < 4; i++)
	{
		kn_rows *rows = kn_stream(cx, "SELECT generate_series(1, 50)");

		ck_assert_int_eq(kn_next(rows), true);
		while (i > 1 && kn_next(rows))
			;
		EXPECT_OK(cx, kn_done(rows));
		EXPECT_OK(other, kn_exec(other, "INSERT INTO kn_next VALUES ($1)", i));
		ck_assert_int_eq(kn_last_error(other)->attempts, 0);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_next"), i);
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
	kn_end(other);
}
END_TEST

/* A value that cannot be sent: nothing has happened, and nothing is kept waiting. */
START_TEST(sends_nothing_that_cannot_be_sent)
{
	static const char x_insert[] = "INSERT INTO kn_stream VALUES (length($1::text))";
	const char *const claims[] = { "app.x", "1", NULL };
	kn_ctx *other = kn_begin(db, .claims = claims);

	/* So that it need not be described any more. */
	EXPECT_OK(cx, kn_done(kn_stream(cx, x_insert, ((kn_str){ "ab", 2 }))));
	look_do(look, "TRUNCATE kn_stream");
	for (int i = 0; i < 3; i++)
	{
		kn_ctx *by = i % 2 == 0 ? cx : other;

		EXPECT(by, kn_done(kn_stream(by, x_insert, UNSENDABLE)), KN_DATA);
		ck_assert_int_eq(sum(kn_stream(by, "SELECT generate_series(1, 3)"), -1), 6);
		EXPECT_OK(by, kn_exec(by, "SELECT 1"));
	}
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_stream"), 0);
	/* What would have come before it in the same flight was not sent either. */
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(other);
}
END_TEST

/* A statement of a transaction that cannot be sent, nor is what would have come before it. */
static kn_status
unsent_body(kn_ctx *c, void *argument)
{
	static const char write[] = "INSERT INTO kn_stream SELECT length($1) RETURNING id";
	const bool *is_first = argument;
	const kn_str bad = { "a\0b", 3 };

	if (!*is_first)
		EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	EXPECT(c, kn_done(kn_stream(c, write, bad)), KN_DATA);
	EXPECT_OK(c, kn_done(kn_stream(c, write, "abc")));
	EXPECT(c, kn_done(kn_stream(c, "SELECT $1::text", bad)), KN_DATA);
	return kn_exec(c, "INSERT INTO kn_stream VALUES (4)");
}

START_TEST(leaves_the_transaction_alone_where_it_was_not_sent)
{
	bool is_first = _i == 1;

	for (int i = 0; i < 3; i++)
	{
		EXPECT_OK(cx, kn_transact(cx, unsent_body, &is_first));
		ck_assert_int_eq(look_number(look, "SELECT sum(id) FROM kn_stream"), 7);
		look_do(look, "DELETE FROM kn_stream");
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, reads_all);
	tcase_add_test(tcase, reads_rows_of_any_size);
	tcase_add_test(tcase, ends_early);
	tcase_add_test(tcase, fails_half_way);
	tcase_add_test(tcase, is_judged_by_its_end);
	tcase_add_test(tcase, lets_nothing_else_go_meanwhile);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, does_writes_to_their_end);
	tcase_add_test(tcase, counts_what_is_written);
	tcase_add_test(tcase, is_all_of_a_transaction);
	tcase_add_test(tcase, is_part_of_a_transaction);
	tcase_add_test(tcase, survives_another_shape);
	tcase_add_test(tcase, has_role_and_claims);
	tcase_add_test(tcase, says_nothing_to_what_comes_next);
	tcase_add_test(tcase, sends_nothing_that_cannot_be_sent);
	tcase_add_loop_test(tcase, leaves_the_transaction_alone_where_it_was_not_sent, 0, 2);
}

int
main(void)
{
	return suite_run("stream", fill);
}
