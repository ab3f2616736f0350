/*
 * hedge_lost.c
 *		Reads at two servers, where time is over or one is lost.  tests/client/replica runs it.
 */
#include "hedge.h"

#include "gate.h"
#include "proxy.h"

#define SLOWNESS_MS 3000 /* of the machine */
#define LOOK_MS     1000 /* what a look at a server may take */

/* When the time is over both are cancelled. */
START_TEST(deadline_counts_for_both)
{
	uint64_t before;

	warm_up();
	be_slow("kn_a", SLOW);
	be_slow("kn_b", SLOW);
	before = hedges();
	for (int i = 0; i < 4; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = 200);

		ck_assert_str_eq(read_at(cx), "");
		ck_assert_int_eq(kn_last_error(cx)->status, KN_TIMEOUT);
	}
	ck_assert_uint_gt(hedges(), before);
	await_even();
	look_await(standby, x_a_reads, 0);
	look_await(standby, x_b_reads, 0);
}
END_TEST

static void *
cancel_both(void *argument)
{
	PGconn *conn = PQconnectdb(getenv("KN_TEST_REPLICA"));

	look_await(conn, x_a_reads, 1);
	look_await(conn, x_b_reads, 1);
	kn_cancel(argument);
	PQfinish(conn);
	return NULL;
}

START_TEST(cancelling_counts_for_both)
{
	warm_up();
	be_slow("kn_a", SLOW);
	be_slow("kn_b", SLOW);
	for (int i = 0; i < 4; i++)
	{
		kn_ctx *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, cancel_both, cx), 0);
		ck_assert_str_eq(read_at(cx), "");
		ck_assert_int_eq(kn_last_error(cx)->status, KN_CANCELED);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		kn_end(cx);
		await_even();
		look_await(standby, x_a_reads, 0);
		look_await(standby, x_b_reads, 0);
	}
}
END_TEST

static atomic_bool is_read; /* maybe before anybody has seen both at it */
static atomic_int ended;

/* The session of a server, once both are at it. */
static void *
end_session(void *argument)
{
	PGconn *conn = PQconnectdb(getenv("KN_TEST_REPLICA"));
	char sql[256];

	while (!atomic_load(&is_read) &&
		   (look_number(conn, x_a_reads) != 1 || look_number(conn, x_b_reads) != 1))
		look_do(conn, "SELECT pg_sleep(0.002)");
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
					" WHERE application_name = '%s' AND state = 'active' AND query ~ 'kn_read'",
					(const char *) argument);
	if (look_number(conn, sql) == 1 && !atomic_load(&is_read))
		atomic_fetch_add(&ended, 1);
	PQfinish(conn);
	return NULL;
}

/* Whichever is lost, the other has the answer; to lose a connection is none. */
START_TEST(what_is_lost_does_not_win)
{
	static char names[2][8] = { "kn_a", "kn_b" };

	warm_up();
	for (int i = 0; i < 8; i++)
	{
		kn_ctx *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);
		pthread_t thread;

		be_slow(names[i % 2], SLOW);
		be_slow(names[1 - i % 2], "1");
		atomic_store(&is_read, false);
		ck_assert_int_eq(pthread_create(&thread, NULL, end_session, names[i % 2]), 0);
		ck_assert_msg(strcmp(read_at(cx), names[1 - i % 2]) == 0,
					  "%d: %s: %s",
					  i,
					  kn_status_name(kn_last_error(cx)->status),
					  kn_last_error(cx)->message);
		atomic_store(&is_read, true);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		kn_end(cx);
		await_even();
	}
	ck_assert_int_gt(atomic_load(&ended), 0);
}
END_TEST

static bool
harms_nobody(void *user)
{
	(void) user;
	return false;
}

static _Atomic(int64_t) jumped;

static int64_t
jumping_now(void *user)
{
	return kn__now(NULL) + atomic_load((_Atomic(int64_t) *) user);
}

static int64_t
jumping_wall(void *user)
{
	return kn__wall(NULL) + atomic_load((_Atomic(int64_t) *) user);
}

/* As whom one connects there, and how: a certificate is checked over TLS. */
static const char *
as_usual(void)
{
	static char conninfo[200];

	(void) snprintf(conninfo, sizeof(conninfo), "user=postgres dbname=postgres");
	if (is_tls())
		(void) snprintf(conninfo,
						sizeof(conninfo),
						"user=postgres dbname=postgres sslmode=verify-full sslrootcert=%s/ca.crt",
						getenv("KN_TEST_TLS"));
	return conninfo;
}

/* A server that says nothing any more: reads go on, its connection is closed, its breaker knows. */
START_TEST(silence_is_a_failure)
{
	const kn_clock clock = { jumping_now, jumping_wall, &jumped };
	proxy p = { .text = "\n", .harm = harms_nobody };
	char conninfo[400];
	int64_t began;

	await_even();
	close_even(db);
	ck_assert_int_eq(setenv("KN_TEST_SOCKET", getenv("KN_TEST_REPLICA_HOST"), 1), 0);
	proxy_start(&p);
	(void) snprintf(conninfo, sizeof(conninfo), "%s %s", p.conninfo, as_usual());
	open_with((kn_config){ .hedge_percent = 100,
						   .cancel_ms = 200,
						   .breaker_calls = 1,
						   .breaker_failure_percent = 1,
						   .breaker_open_ms = 3600000,
						   .clock = &clock },
			  conninfo);
	warm_up();
	ck_assert_int_eq(p.encrypted > 0, is_tls());
	ck_assert_int_eq(stats_at(A).breaker, KN_BREAKER_CLOSED);
	proxy_mute(&p);
	/* How well it went before does not count any more. */
	atomic_store(&jumped, 60 * KN__NS_PER_S);
	began = kn__now(NULL);
	while (stats_at(A).breaker == KN_BREAKER_CLOSED)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		ck_assert_msg(*read_at(cx) != '\0', "%s", kn_last_error(cx)->message);
		ck_assert_int_lt(kn__now(NULL) - began, SOON_NS);
	}
	await_even();
	ck_assert_uint_ge(stats_at(A).closed_broken, 1);
	ck_assert_int_eq(stats_at(B).breaker, KN_BREAKER_CLOSED);
	/* Each has its own: the other one serves as before. */
	for (int i = 0; i < 3; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = NEVER_MS);

		ck_assert_msg(*read_at(cx) != '\0', "%s", kn_last_error(cx)->message);
	}
	close_even(db);
	proxy_end(&p);
	open_with((kn_config){ 0 }, NULL);
}
END_TEST

static bool
cut(void *user)
{
	(void) user;
	return true;
}

/* Nobody knows what it calls; but a standby has written nothing, whatever that was. */
START_TEST(what_a_standby_has_lost_is_not_to_be_seen)
{
	proxy p = { .text = "kn_guess", .when = MOMENT_DURING, .harm = cut };
	kn_status status = KN_OK;
	char conninfo[400];

	await_even();
	close_even(db);
	ck_assert_int_eq(setenv("KN_TEST_SOCKET", getenv("KN_TEST_REPLICA_HOST"), 1), 0);
	proxy_start(&p);
	(void) snprintf(conninfo, sizeof(conninfo), "%s %s", p.conninfo, as_usual());
	open_with((kn_config){ .retry_attempts = 1 }, conninfo);
	while (status == KN_OK)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .route = KN_ROUTE_REPLICA, .timeout_ms = NEVER_MS);
		kn_rows *rows =
			_i == 0 ? kn_stream(cx, "SELECT kn_guess(1)") : kn_query(cx, "SELECT kn_guess(1)");

		while (kn_next(rows))
			;
		status = kn_done(rows);
		ck_assert_uint_eq(kn_last_lsn(cx), 0);
		/* They take turns, and it is to be the other one's next time. */
		ck_assert_str_ne(read_at(cx), "");
		ck_assert_str_ne(read_at(cx), "");
	}
	ck_assert_int_eq(status, KN_OUTCOME_UNKNOWN);
	ck_assert(p.is_done);
	close_even(db);
	proxy_end(&p);
	open_with((kn_config){ 0 }, NULL);
}
END_TEST

/* To close the handle waits for what is being cancelled. */
START_TEST(closing_waits_for_losers)
{
	for (int i = 0; i < 3; i++)
	{
		be_slow("kn_a", "0");
		warm_up();
		be_slow("kn_a", SLOW);
		for (int j = 0; j < 4; j++)
		{
			KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

			ck_assert_str_eq(read_at(cx), "kn_b");
		}
		ck_assert_int_eq(kn_close(db, 30000), KN_OK);
		look_await(standby, x_a_reads, 0);
		open_with((kn_config){ .hedge_percent = 100 }, NULL);
	}
}
END_TEST

/* Before one of the names of the standby. */
static const char *
open_gate(gate *g)
{
	static char conninfo[300];

	await_even();
	close_even(db);
	ck_assert_int_eq(setenv("KN_TEST_SOCKET", getenv("KN_TEST_REPLICA_HOST"), 1), 0);
	gate_start(g);
	(void) snprintf(conninfo, sizeof(conninfo), "host=127.0.0.1 port=%d %s", g->port, as_usual());
	return conninfo;
}

/* What has lost is told to end, and does not even hear it: it does not keep the handle open. */
START_TEST(closing_does_not_wait_for_the_silent)
{
	int64_t begun;
	int accepted;
	gate g;

	open_with((kn_config){ .hedge_percent = 100, .cancel_ms = NEVER_MS }, open_gate(&g));
	warm_up();
	gate_set_both(&g, FLOW_DROP, 0);
	accepted = g.accepted;
	while (stats_at(A).busy == 0)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		ck_assert_msg(*read_at(cx) != '\0', "%s", kn_last_error(cx)->message);
	}
	/* The request to cancel. */
	while (g.accepted == accepted)
		(void) poll(NULL, 0, 2);
	begun = gate_now();
	ck_assert_int_eq(kn_close(db, 0), KN_TIMEOUT);
	ck_assert_int_lt((int) (gate_now() - begun), SLOWNESS_MS);
	gate_end(&g);
	open_with((kn_config){ 0 }, NULL);
}
END_TEST

/* Nobody cancels a look: what does not answer to it is not read from. */
START_TEST(the_silent_are_not_read_from)
{
	const char *replicas[] = { NULL, NULL };
	int64_t begun;
	int accepted;
	gate g;

	replicas[0] = open_gate(&g);
	OPEN(db,
		 .conninfo = getenv("KN_TEST_DIRECT"),
		 .replicas = replicas,
		 .probe_ms = 20,
		 .cancel_ms = -1);
	while (stats_at(A).queries == 0)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = NEVER_MS);

		(void) number_of(cx, kn_query(cx, "SELECT count(*) FROM kn_slow"));
	}
	gate_set_both(&g, FLOW_DROP, 0);
	accepted = g.accepted;
	begun = gate_now();
	/* Its look is over, and another connection is tried. */
	while (g.accepted == accepted)
		(void) poll(NULL, 0, 2);
	ck_assert_int_lt((int) (gate_now() - begun), LOOK_MS + SLOWNESS_MS);
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = NEVER_MS);
		kn_rows *rows = kn_query(cx, "SELECT pg_is_in_recovery()");

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_get_bool(rows, 0), false);
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_int_lt((int) (gate_now() - begun), LOOK_MS + 2 * SLOWNESS_MS);
	begun = gate_now();
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
	ck_assert_int_lt((int) (gate_now() - begun), SLOWNESS_MS);
	gate_end(&g);
	open_with((kn_config){ 0 }, NULL);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_unchecked_fixture(tcase, make_tables, NULL);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, deadline_counts_for_both);
	tcase_add_test(tcase, cancelling_counts_for_both);
	tcase_add_test(tcase, what_is_lost_does_not_win);
	tcase_add_test(tcase, silence_is_a_failure);
	tcase_add_loop_test(tcase, what_a_standby_has_lost_is_not_to_be_seen, 0, 2);
	tcase_add_test(tcase, closing_waits_for_losers);
	tcase_add_test(tcase, closing_does_not_wait_for_the_silent);
	tcase_add_test(tcase, the_silent_are_not_read_from);
}

int
main(void)
{
	return suite_run("hedge_lost", fill);
}
