/*
 * closed.c
 *		A handle that is closed while it is in use: calls end, and nothing is left over.
 */
#include "live.h"

static void *
close_slowly(void *argument)
{
	kn_status status = kn_close(argument, 20);

	return status == KN_TIMEOUT ? argument : NULL;
}

/* What runs is cancelled once the patience is over, and the last context frees it all. */
START_TEST(is_closed_while_busy)
{
	kn_db *db;
	kn_ctx *cx;
	kn_ctx *idle;
	pthread_t thread;
	void *result;
	kn_status status;

	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
	idle = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(pthread_create(&thread, NULL, close_slowly, db), 0);
	do
		status = kn_exec(cx, "SELECT pg_sleep(30)");
	while (status == KN_OK);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_msg(status == (result == NULL ? KN_CLOSED : KN_CANCELED),
				  "%s",
				  kn_status_name(status));
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CLOSED);
	EXPECT(idle, kn_exec(idle, "SELECT 1"), KN_CLOSED);
	kn_end(cx);
	kn_end(idle);
}
END_TEST

/* One after the other, and two at a time. */
static void *
begin_and_end(void *argument)
{
	kn_db *db = argument;
	kn_ctx *last = kn_begin(db);

	for (int i = 0; i < 2000; i++)
	{
		kn_ctx *cx = kn_begin(db, .actor = "somebody");

		if (i % 3 == 0)
		{
			kn_end(last);
			last = kn_begin(db);
		}
		ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
		kn_end(cx);
	}
	return last;
}

START_TEST(is_closed_before_requests_end)
{
	kn_db *db;
	pthread_t threads[8];
	void *last[8];
	kn_rows *rows;

	OPEN(db, .max_connections = 2);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, begin_and_end, db), 0);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_join(threads[i], &last[i]), 0);
	rows = kn_query(last[0], "SELECT 1");
	ck_assert_int_eq(kn_next(rows), true);
	EXPECT_OK(last[0], kn_done(rows));
	kn_end(kn_begin(db));
	kn_end(last[1]);
	ck_assert_int_eq(kn_close(db, 1000), KN_OK);
	EXPECT(last[0], kn_exec(last[0], "SELECT 1"), KN_CLOSED);
	EXPECT(last[7], kn_exec(last[7], "SELECT 1"), KN_CLOSED);
	kn_end(last[0]);
	for (int i = 2; i < 8; i++)
		kn_end(last[i]);
}
END_TEST

START_TEST(is_closed_with_a_stream_open)
{
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;

	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
	rows = kn_stream(cx, "SELECT generate_series(1, 100000000)");
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_close(db, 0), KN_TIMEOUT);
	while (kn_next(rows))
		;
	EXPECT(cx, kn_done(rows), KN_CANCELED);
	kn_end(cx);
}
END_TEST

START_TEST(is_closed_with_nothing_open)
{
	kn_db *db;

	OPEN(db, .min_connections = 2);
	ck_assert_int_eq(kn_close(db, 1000), KN_OK);
	ck_assert_int_eq(kn_close(NULL, 0), KN_OK);
	OPEN(db, .conninfo = "");
	ck_assert_int_eq(kn_close(db, -1), KN_OK);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_closed_while_busy);
	tcase_add_test(tcase, is_closed_before_requests_end);
	tcase_add_test(tcase, is_closed_with_a_stream_open);
	tcase_add_test(tcase, is_closed_with_nothing_open);
}

int
main(void)
{
	return suite_run("closed", fill);
}
