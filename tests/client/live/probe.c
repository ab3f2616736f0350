/*
 * probe.c
 *		Calls that a breaker lets through to see whether the server is well again.
 */
#include "live.h"

static PGconn *look;
static kn_db *db;
static _Atomic(int64_t) later; /* than it is */

static int64_t
read_later(void *user)
{
	struct timespec now;

	(void) user;
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return later + (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static const kn_clock clock_of_tests = { .monotonic = read_later };

#define AN_HOUR_MS 3600000

static void
open_wary(int probes)
{
	look = look_open();
	later = 0;
	OPEN(db,
		 .max_connections = 2,
		 .lifetime_ms = -1,
		 .idle_ms = -1,
		 .acquire_ms = -1,
		 .retry_attempts = 1,
		 .breaker_calls = 1,
		 .breaker_failure_percent = 1,
		 .breaker_open_ms = AN_HOUR_MS,
		 .breaker_probes = probes,
		 .clock = &clock_of_tests);
}

static void
tear_down(void)
{
	close_even(db);
	PQfinish(look);
}

/* The server has no room on its disk, and then the time is over for which it is left alone. */
static void
let_probes_in(kn_ctx *cx)
{
	EXPECT(cx,
		   kn_exec(cx, "COPY (SELECT generate_series(1, 100000)) TO '/dev/full'"),
		   KN_UNAVAILABLE);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CIRCUIT_OPEN);
	later += INT64_C(1000000) * AN_HOUR_MS;
}

/* Whoever finds all connections in use leaves his place to another. */
START_TEST(leaves_its_place_without_a_connection)
{
	kn_ctx *holders[2];
	kn_rows *rows[2];
	kn_ctx *cx;

	open_wary(2);
	cx = kn_begin(db);
	for (int i = 0; i < 2; i++)
	{
		holders[i] = kn_begin(db);
		rows[i] = kn_stream(holders[i], "SELECT generate_series(1, 3)");
		ck_assert_int_eq(kn_next(rows[i]), true);
		if (i == 0)
			let_probes_in(cx);
	}
	kn_set_timeout(cx, 20);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	kn_set_timeout(cx, -1);
	ck_assert_int_eq(stats_of(db).breaker, KN_BREAKER_HALF_OPEN);
	EXPECT_OK(holders[0], kn_done(rows[0]));
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	EXPECT_OK(holders[1], kn_done(rows[1]));
	ck_assert_int_eq(stats_of(db).breaker, KN_BREAKER_CLOSED);
	for (int i = 0; i < 2; i++)
		kn_end(holders[i]);
	kn_end(cx);
}
END_TEST

static kn_status
body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "SELECT 1");
}

static kn_status
execute(kn_ctx *cx)
{
	return body(cx, NULL);
}

static kn_status
transact(kn_ctx *cx)
{
	return kn_transact(cx, body, NULL);
}

static kn_status
stream(kn_ctx *cx)
{
	return kn_done(kn_stream(cx, "SELECT 1"));
}

static kn_status
copy_out(kn_ctx *cx)
{
	return kn_copy_end(kn_copy_out(cx, "COPY (SELECT 1) TO STDOUT"), NULL);
}

static kn_status (*const calls[])(kn_ctx *cx) = { execute, transact, stream, copy_out };

/* The server has not seen it: so it is not known to be well, and the next one is to find out. */
START_TEST(says_nothing_if_it_is_never_sent)
{
	kn_ctx *cx;

	open_wary(1);
	cx = kn_begin(db);
	let_probes_in(cx);
	kn_set_timeout(cx, 0);
	EXPECT(cx, calls[_i](cx), KN_TIMEOUT);
	ck_assert_int_ne(stats_of(db).breaker, KN_BREAKER_CLOSED);
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, calls[_i](cx));
	ck_assert_int_eq(stats_of(db).breaker, KN_BREAKER_CLOSED);
	kn_end(cx);
}
END_TEST

static kn_status
execute_what_cannot_be_sent(kn_ctx *cx)
{
	return kn_exec(cx, "SELECT $1::text", UNSENDABLE);
}

static kn_status
body_of_what_cannot_be_sent(kn_ctx *cx, void *argument)
{
	(void) argument;
	return execute_what_cannot_be_sent(cx);
}

static kn_status
transact_what_cannot_be_sent(kn_ctx *cx)
{
	return kn_transact(cx, body_of_what_cannot_be_sent, NULL);
}

static kn_status
stream_what_cannot_be_sent(kn_ctx *cx)
{
	return kn_done(kn_stream(cx, "SELECT $1::text", UNSENDABLE));
}

static kn_status
run_batch_that_cannot_be_sent(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "SELECT $1::text", UNSENDABLE);
	(void) kn_add(batch, "SELECT 1");
	return kn_run_batch(batch, NULL);
}

static kn_status (*const unsendable[])(kn_ctx *cx) = { execute_what_cannot_be_sent,
													   transact_what_cannot_be_sent,
													   stream_what_cannot_be_sent,
													   run_batch_that_cannot_be_sent };

/* What is wrong with a value says nothing of the server, which may be down still. */
START_TEST(says_nothing_if_it_cannot_be_sent)
{
	kn_ctx *cx;

	open_wary(1);
	cx = kn_begin(db);
	let_probes_in(cx);
	EXPECT(cx, unsendable[_i](cx), KN_DATA);
	ck_assert_int_ne(stats_of(db).breaker, KN_BREAKER_CLOSED);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(stats_of(db).breaker, KN_BREAKER_CLOSED);
	kn_end(cx);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, leaves_its_place_without_a_connection);
	LOOP(tcase, says_nothing_if_it_is_never_sent, calls);
	LOOP(tcase, says_nothing_if_it_cannot_be_sent, unsendable);
}

int
main(void)
{
	return suite_run("probe", fill);
}
