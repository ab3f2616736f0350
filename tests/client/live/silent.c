/*
 * silent.c
 *		A server that says nothing any more: who notices it, and how long that may take.
 */
#include "gate.h"

#define TIMEOUT_MS  150
#define CANCEL_MS   100
#define SLOWNESS_MS 3000 /* of the machine */

static gate g;
static char conninfo[100];

static void
set_up(void)
{
	gate_start(&g);
	(void) snprintf(conninfo, sizeof(conninfo), "host=127.0.0.1 port=%d", g.port);
}

static void
tear_down(void)
{
	gate_end(&g);
}

/* Calls until the breaker is open, at most so many. */
static int
calls_until_open(kn_db *db, int most)
{
	for (int i = 0; i < most; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = TIMEOUT_MS);
		kn_status status = kn_exec(cx, "SELECT 1");

		ck_assert_msg(status == KN_TIMEOUT || status == KN_CONN_LOST || status == KN_CIRCUIT_OPEN,
					  "%s",
					  kn_status_name(status));
		kn_end(cx);
		if (status == KN_CIRCUIT_OPEN)
			return i;
	}
	return -1;
}

/* What was open answers no more, and not to the request to cancel either. */
START_TEST(opens_the_breaker)
{
	kn_db *db;

	OPEN(db,
		 .conninfo = conninfo,
		 .min_connections = 6,
		 .max_connections = 6,
		 .breaker_calls = 5,
		 .breaker_open_ms = 600000,
		 .cancel_ms = CANCEL_MS);
	while (stats_of(db).idle < 6)
		(void) poll(NULL, 0, 2);
	gate_set_both(&g, FLOW_DROP, 0);
	ck_assert_int_eq(calls_until_open(db, 10), 5);
	ck_assert_int_eq(stats_of(db).breaker, KN_BREAKER_OPEN);
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
}
END_TEST

/* The same where none could be opened yet, and it is the caller's patience that ends first. */
START_TEST(opens_the_breaker_before_anything_is_open)
{
	kn_ctx *cx;
	kn_db *db;

	gate_set_both(&g, FLOW_DROP, 0);
	OPEN(db,
		 .conninfo = conninfo,
		 .breaker_calls = 5,
		 .breaker_open_ms = 600000,
		 .connect_ms = 20000,
		 .cancel_ms = CANCEL_MS);
	cx = kn_begin(db, .timeout_ms = TIMEOUT_MS);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "none could be opened yet"));
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "to server \"127.0.0.1\""));
	kn_end(cx);
	ck_assert_int_eq(calls_until_open(db, 10), 4);
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
}
END_TEST

/* The server ends what it is told to end: it was slow, and that is all. */
START_TEST(is_not_a_server_that_takes_long)
{
	bool counts_slowness = _i == 1;
	kn_db *db;

	OPEN(db,
		 .conninfo = conninfo,
		 .breaker_calls = 4,
		 .breaker_failure_percent = 50,
		 .breaker_slow_percent = counts_slowness ? 50 : -1,
		 .breaker_slow_ms = 60000,
		 .breaker_open_ms = 600000);
	for (int i = 0; i < 6; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);
		kn_status expected = counts_slowness && i >= 4 ? KN_CIRCUIT_OPEN : KN_TIMEOUT;

		if (expected == KN_TIMEOUT)
			kn_set_timeout(cx, TIMEOUT_MS + (i == 0 ? SLOWNESS_MS : 0));
		EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(600)"), expected);
		kn_end(cx);
	}
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, opens_the_breaker);
	tcase_add_test(tcase, opens_the_breaker_before_anything_is_open);
	tcase_add_loop_test(tcase, is_not_a_server_that_takes_long, 0, 2);
}

int
main(void)
{
	return suite_run("silent", fill);
}
