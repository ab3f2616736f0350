/*
 * closed.c
 *		A handle that is closed while it is in use: calls end, and nothing is left over.
 */
#include <time.h>

#include "live.h"
#include "nothing.h"

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

/* What is left of a time may be less than nothing. */
START_TEST(is_closed_without_time)
{
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	time_t begun = time(NULL);

	OPEN(db, .max_connections = 1, .drain_ms = 600000);
	cx = kn_begin(db);
	rows = kn_stream(cx, "SELECT generate_series(1, 1000)");
	ck_assert(kn_next(rows));
	ck_assert_int_eq(kn_close(db, -5), KN_TIMEOUT);
	ck_assert_int_lt(time(NULL) - begun, 300);
	kn_end(cx);
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

typedef struct work
{
	kn_db *db;
	kn_ctx *other; /* who is told that the handle is closed */
	_Atomic(bool) is_begun;
	kn_status status;
	bool is_late;
} work;

/* Its second statement comes when the handle is closed, and the third when the time is over. */
static kn_status
insert_twice(kn_ctx *cx, void *argument)
{
	work *w = argument;

	EXPECT_OK(cx, kn_exec(cx, "CREATE TEMP TABLE kn_closed (a int) ON COMMIT DROP"));
	w->is_begun = true;
	/* What is under way of it may be cancelled first. */
	while (kn_exec(w->other, "SELECT 1") != KN_CLOSED)
		;
	if (!w->is_late)
		return kn_exec(cx, "INSERT INTO kn_closed VALUES (1)");
	while (kn_exec(cx, "INSERT INTO kn_closed VALUES (1)") == KN_OK)
		;
	return KN_OK;
}

static void *
transact(void *argument)
{
	work *w = argument;
	kn_ctx *cx = kn_begin(w->db);

	w->status = kn_transact(cx, insert_twice, w);
	kn_end(cx);
	kn_end(w->other);
	return NULL;
}

/* A transaction is under way between its statements as well, and ends as it would. */
START_TEST(waits_for_transactions)
{
	work w = { .is_late = _i == 1 };
	pthread_t thread;

	OPEN(w.db, .max_connections = 2);
	w.other = kn_begin(w.db);
	ck_assert_int_eq(pthread_create(&thread, NULL, transact, &w), 0);
	while (!w.is_begun)
		;
	ck_assert_int_eq(kn_close(w.db, w.is_late ? 50 : 20000), w.is_late ? KN_TIMEOUT : KN_OK);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	if (!w.is_late)
		ck_assert_int_eq(w.status, KN_OK);
	else
		ck_assert_msg(w.status == KN_CANCELED || w.status == KN_CLOSED,
					  "%s",
					  kn_status_name(w.status));
}
END_TEST

/* What is committed is to be removed from the cache, closed or not. */
START_TEST(is_closed_before_what_is_cached_is_removed)
{
	nothing has = { 0 };
	kn_cache cache = cache_of(&has);
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .cache = &cache);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(kn_close(db, 1000), KN_OK);
	EXPECT_OK(cx, kn_uncache(cx, "a key"));
	ck_assert_int_eq(has.removals, 1);
	kn_end(cx);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_closed_without_time);
	tcase_add_test(tcase, is_closed_while_busy);
	tcase_add_test(tcase, is_closed_before_requests_end);
	tcase_add_test(tcase, is_closed_with_a_stream_open);
	tcase_add_test(tcase, is_closed_with_nothing_open);
	tcase_add_loop_test(tcase, waits_for_transactions, 0, 2);
	tcase_add_test(tcase, is_closed_before_what_is_cached_is_removed);
}

int
main(void)
{
	return suite_run("closed", fill);
}
