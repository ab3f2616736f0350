/*
 * hedge.c
 *		Reads that are sent to a second server.  tests/client/replica runs it.
 *
 * KN_TEST_DIRECT is the primary, KN_TEST_REPLICA a standby.  That goes by two names, kn_a and
 * kn_b, as if there were two of them; how slow each one is says a table.
 */
#include "proxy.h"

#include "base/base.h"

#define SLOW     "120"               /* seconds: nobody waits for that to end by itself */
#define SOON_NS  (30 * KN__NS_PER_S) /* long before that */
#define NEVER_MS 60000               /* and so does a deadline that is not to be met */
#define BATCH    40                  /* reads; some of them begin at either server */

enum
{
	PRIMARY,
	A,
	B,
	SERVERS
};

static PGconn *look;    /* at the primary */
static PGconn *standby; /* at the standby */
static kn_db *db;

static const char x_read[] = "SELECT kn_read(1)";
static const char x_a_reads[] =
	"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
	" WHERE application_name = 'kn_a' AND state = 'active' AND query ~ 'kn_read'";
static const char x_b_reads[] =
	"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
	" WHERE application_name = 'kn_b' AND state = 'active' AND query ~ 'kn_read'";

static kn_stats
stats_at(int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	ck_assert_int_eq(kn_get_stats(db, server, &stats), KN_OK);
	return stats;
}

static uint64_t
hedges(void)
{
	return stats_at(PRIMARY).hedges + stats_at(A).hedges + stats_at(B).hedges;
}

/* How long a server takes; the standby knows it when this returns. */
static void
be_slow(const char *name, const char *seconds)
{
	char sql[256];

	(void) snprintf(sql,
					sizeof(sql),
					"UPDATE kn_slow SET seconds = '%s' WHERE name = '%s'",
					seconds,
					name);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT count(*) FROM kn_slow WHERE name = '%s' AND seconds = '%s'",
					name,
					seconds);
	look_await(standby, sql, 1);
}

/* A read, and the name of the server that has answered it; "" where it failed. */
static const char *
read_at(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, x_read);
	const char *name = kn_next(rows) ? kn_get_text(rows, 0) : "";

	ck_assert_int_eq(kn_next(rows), false);
	return kn_done(rows) == KN_OK ? name : "";
}

/* What was taken comes back, also what is being cancelled. */
static void
await_even(void)
{
	for (int i = 0; i < SERVERS; i++)
		while (stats_at(i).busy > 0)
			(void) poll(NULL, 0, 1);
}

static void
open_with(kn_config config, const char *a)
{
	static char conninfo[2][512];
	const char *const replicas[] = { conninfo[0], conninfo[1], NULL };
	char why[256];

	(void) snprintf(conninfo[0],
					sizeof(conninfo[0]),
					"%s application_name=kn_a",
					a == NULL ? getenv("KN_TEST_REPLICA") : a);
	(void) snprintf(conninfo[1],
					sizeof(conninfo[1]),
					"%s application_name=kn_b",
					getenv("KN_TEST_REPLICA"));
	config.size = sizeof(config);
	config.conninfo = getenv("KN_TEST_DIRECT");
	config.replicas = replicas;
	config.probe_ms = 20;
	config.max_connections = 6;
	/* Of what else is called, nobody knows whether it may happen twice. */
	config.stable_functions = "kn_read";
	ck_assert_msg(kn_open_config(&db, why, sizeof(why), &config) == KN_OK, "%s", why);
}

/* Reads until both know how long that takes. */
static void
warm_up(void)
{
	while (stats_at(A).queries < 300 || stats_at(B).queries < 300)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		(void) read_at(cx);
	}
	await_even();
}

static void
set_up(void)
{
	look = look_open();
	standby = PQconnectdb(getenv("KN_TEST_REPLICA"));
	ck_assert_int_eq(PQstatus(standby), CONNECTION_OK);
	be_slow("kn_a", "0");
	be_slow("kn_b", "0");
	open_with((kn_config){ .hedge_percent = 100 }, NULL);
}

static void
tear_down(void)
{
	await_even();
	close_even(db);
	PQfinish(standby);
	PQfinish(look);
}

START_TEST(first_answer_counts)
{
	uint64_t closed;
	uint64_t won;
	int64_t began;
	uint64_t queries;

	warm_up();
	closed = stats_at(A).closed_broken;
	won = stats_at(B).hedges_won;
	queries = stats_at(A).queries + stats_at(B).queries;
	be_slow("kn_a", SLOW);
	began = kn__now(NULL);
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		ck_assert_str_eq(read_at(cx), "kn_b");
		ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	}
	ck_assert_int_lt(kn__now(NULL) - began, SOON_NS);
	ck_assert_uint_ge(stats_at(B).hedges_won, won + BATCH / 4);
	/* Nobody counts twice. */
	ck_assert_uint_eq(stats_at(A).queries + stats_at(B).queries, queries + BATCH);
	/* What has lost is cancelled at the server, and its connection is as good as before. */
	await_even();
	look_await(standby, x_a_reads, 0);
	ck_assert_uint_eq(stats_at(A).closed_broken, closed);
	ck_assert_uint_eq(stats_at(A).errors, 0);
	be_slow("kn_a", "0");
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .route = KN_ROUTE_REPLICA, .timeout_ms = NEVER_MS);

		ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	}
	ck_assert_uint_eq(stats_at(A).errors, 0);
	ck_assert_uint_eq(stats_at(A).closed_broken, closed);
}
END_TEST

/* The same with claims before it, in a batch, and where all of it fails. */
START_TEST(all_kinds_of_reads)
{
	const char *const claims[] = { "app.tenant", "t", NULL };
	uint64_t before;

	warm_up();
	/* What nobody has sent before is not hedged yet. */
	for (int round = 0; round < 2; round++)
	{
		before = hedges();
		for (int i = 0; i < BATCH; i++)
		{
			KN_AUTO(kn_ctx) *cx =
				kn_begin(db, .hedge = true, .claims = claims, .timeout_ms = NEVER_MS);
			kn_batch *batch = kn_begin_batch(cx);
			kn_rows *rows;

			(void) kn_add(batch, "SELECT kn_read($1)", 1);
			(void) kn_add(batch, "SELECT current_setting('app.tenant')");
			(void) kn_add(batch, "SELECT generate_series(1, 3)");
			EXPECT_OK(cx, kn_run_batch(batch, NULL));
			rows = kn_batch_rows(batch, 0);
			ck_assert(kn_next(rows));
			if (round == 1)
				ck_assert_str_eq(kn_get_text(rows, 0), "kn_b");
			EXPECT_OK(cx, kn_done(rows));
			rows = kn_batch_rows(batch, 1);
			ck_assert(kn_next(rows));
			ck_assert_str_eq(kn_get_text(rows, 0), "t");
			EXPECT_OK(cx, kn_done(rows));
			ck_assert_int_eq(kn_row_count(kn_batch_rows(batch, 2)), 3);
			EXPECT(cx, kn_exec(cx, "SELECT kn_read($1), 1 / (kn_read($1) = '')::int", 1), KN_DATA);
			ck_assert_str_eq(kn_last_error(cx)->sqlstate, "22012");
			ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
		}
		if (round == 1)
			ck_assert_uint_ge(hedges(), before + BATCH / 4);
		await_even();
		be_slow("kn_a", SLOW);
	}
	look_await(standby, x_a_reads, 0);
}
END_TEST

static void
read_often(bool hedge)
{
	for (int i = 0; i < 4 * BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = hedge, .timeout_ms = NEVER_MS);

		ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	}
}

START_TEST(only_where_asked)
{
	uint64_t before;

	warm_up();
	be_slow("kn_a", "0.02");
	before = hedges();
	read_often(false);
	ck_assert_uint_eq(hedges(), before);
	read_often(true);
	ck_assert_uint_gt(hedges(), before);
	await_even();
	close_even(db);
	open_with((kn_config){ 0 }, NULL);
	be_slow("kn_a", "0");
	warm_up();
	be_slow("kn_a", "0.02");
	read_often(true);
	ck_assert_uint_eq(hedges(), 0);
}
END_TEST

START_TEST(only_a_share)
{
	await_even();
	close_even(db);
	open_with((kn_config){ .hedge_percent = 5 }, NULL);
	for (int round = 0; round < 6 || (hedges() == 0 && round < 100); round++)
	{
		uint64_t calls;

		be_slow("kn_a", round % 2 == 0 ? "0" : "0.02");
		read_often(true);
		calls = stats_at(PRIMARY).queries + stats_at(A).queries + stats_at(B).queries;
		ck_assert_uint_le(hedges() * 100, calls * 5);
	}
	ck_assert_uint_gt(hedges(), 0);
}
END_TEST

static kn_status
read_body(kn_ctx *cx, void *argument)
{
	ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	(void) argument;
	return KN_OK;
}

/* Writes, transactions and streams are never sent twice, however slow they are. */
START_TEST(nothing_but_reads)
{
	const kn_options writes = { .size = sizeof(writes), .is_write = true };
	uint64_t before;
	long rows;

	warm_up();
	for (int i = 0; i < 300; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .route = KN_ROUTE_PRIMARY);

		(void) read_at(cx);
	}
	await_even();
	before = hedges();
	rows = look_number(look, "SELECT count(*) FROM kn_written");
	be_slow("kn_p", "0.01");
	be_slow("kn_a", "0.01");
	be_slow("kn_b", "0.01");
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);
		kn_rows *stream;

		EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_written SELECT kn_read(1)"));
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_read(1), nextval('kn_numbers')"));
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_guess(1)"));
		EXPECT_OK(cx, kn_exec_values(cx, x_read, NULL, 0, &writes, NULL));
		EXPECT_OK(cx, kn_transact(cx, read_body, NULL));
		EXPECT_OK(cx, kn_transact(cx, read_body, NULL, .is_read_only = true));
		stream = kn_stream(cx, x_read);
		ck_assert(kn_next(stream));
		EXPECT_OK(cx, kn_done(stream));
	}
	be_slow("kn_p", "0");
	ck_assert_uint_eq(hedges(), before);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_written"), rows + BATCH);
}
END_TEST

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

/* The session of a server, once both are at it. */
static void *
end_session(void *argument)
{
	PGconn *conn = PQconnectdb(getenv("KN_TEST_REPLICA"));
	char sql[256];

	look_await(conn, x_a_reads, 1);
	look_await(conn, x_b_reads, 1);
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
					" WHERE application_name = '%s' AND state = 'active' AND query ~ 'kn_read'",
					(const char *) argument);
	look_do(conn, sql);
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
		ck_assert_int_eq(pthread_create(&thread, NULL, end_session, names[i % 2]), 0);
		ck_assert_msg(strcmp(read_at(cx), names[1 - i % 2]) == 0,
					  "%d: %s: %s",
					  i,
					  kn_status_name(kn_last_error(cx)->status),
					  kn_last_error(cx)->message);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		kn_end(cx);
		await_even();
	}
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

/* A server that says nothing any more: reads go on, its connection is closed, its breaker knows. */
START_TEST(silence_is_a_failure)
{
	const kn_clock clock = { jumping_now, jumping_wall, &jumped };
	proxy p = { .text = "\n", .harm = harms_nobody };
	char conninfo[256];
	int64_t began;

	await_even();
	close_even(db);
	ck_assert_int_eq(setenv("KN_TEST_SOCKET", getenv("KN_TEST_REPLICA_HOST"), 1), 0);
	proxy_start(&p);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s port=54321 user=postgres dbname=postgres",
					p.directory);
	open_with((kn_config){ .hedge_percent = 100,
						   .cancel_ms = 200,
						   .breaker_calls = 1,
						   .breaker_failure_percent = 1,
						   .breaker_open_ms = 3600000,
						   .clock = &clock },
			  conninfo);
	warm_up();
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

static void
count_hedged(void *user, const kn_event *event)
{
	ck_assert(strcmp(event->what, "hedged") != 0 || event->host != NULL);
	*(_Atomic(int) *) user += strcmp(event->what, "hedged") == 0;
}

START_TEST(is_told)
{
	/* The handle is closed once this is over. */
	static _Atomic(int) told;
	static const kn_hooks hooks = { .size = sizeof(hooks), .user = &told, .retry = count_hedged };

	await_even();
	close_even(db);
	open_with((kn_config){ .hedge_percent = 100, .hooks = &hooks }, NULL);
	warm_up();
	be_slow("kn_a", "0.02");
	read_often(true);
	ck_assert_int_gt(told, 0);
	ck_assert_uint_eq(hedges(), (uint64_t) told);
}
END_TEST

#define THREADS 4

static _Atomic(int) answers;

static void *
read_on(void *argument)
{
	for (int i = 0; i < 200; i++)
	{
		kn_ctx *cx = kn_begin(db, .hedge = true, .timeout_ms = i % 7 == 0 ? 2 : NEVER_MS);

		answers += *read_at(cx) != '\0';
		if (kn_last_error(cx)->status != KN_OK)
			ck_assert_int_eq(kn_last_error(cx)->status, KN_TIMEOUT);
		kn_end(cx);
	}
	return argument;
}

START_TEST(many_at_a_time)
{
	pthread_t threads[THREADS];

	warm_up();
	be_slow("kn_a", "0.004");
	be_slow("kn_b", "0.002");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_ge(answers, THREADS * 170);
	await_even();
	look_await(standby, x_a_reads, 0);
	look_await(standby, x_b_reads, 0);
}
END_TEST

/* Once, before all tests. */
static void
make_tables(void)
{
	PGconn *conn = look_open();
	PGconn *there = PQconnectdb(getenv("KN_TEST_REPLICA"));

	look_do(conn,
			"CREATE TABLE kn_slow (name text PRIMARY KEY, seconds text);"
			"INSERT INTO kn_slow VALUES ('kn_p', '0'), ('kn_a', '0'), ('kn_b', '0');"
			"CREATE TABLE kn_written (name text); CREATE SEQUENCE kn_numbers;"
			"CREATE FUNCTION kn_read(int) RETURNS text STABLE LANGUAGE plpgsql AS $$BEGIN"
			" PERFORM pg_sleep(seconds::float8) FROM kn_slow"
			" WHERE name = current_setting('application_name') AND seconds <> '0';"
			" RETURN current_setting('application_name'); END$$;"
			"CREATE FUNCTION kn_guess(int) RETURNS text LANGUAGE sql AS 'SELECT kn_read($1)'");
	/* So that no read is ended for what the primary cleans up. */
	look_do(there, "ALTER SYSTEM SET hot_standby_feedback = on");
	look_do(there, "SELECT pg_reload_conf()");
	look_await(there, "SELECT count(*) FROM pg_proc WHERE proname = 'kn_guess'", 1);
	PQfinish(there);
	PQfinish(conn);
}

static void
fill(TCase *tcase)
{
	tcase_add_unchecked_fixture(tcase, make_tables, NULL);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, first_answer_counts);
	tcase_add_test(tcase, all_kinds_of_reads);
	tcase_add_test(tcase, only_where_asked);
	tcase_add_test(tcase, only_a_share);
	tcase_add_test(tcase, nothing_but_reads);
	tcase_add_test(tcase, deadline_counts_for_both);
	tcase_add_test(tcase, cancelling_counts_for_both);
	tcase_add_test(tcase, what_is_lost_does_not_win);
	tcase_add_test(tcase, silence_is_a_failure);
	tcase_add_test(tcase, closing_waits_for_losers);
	tcase_add_test(tcase, is_told);
	tcase_add_test(tcase, many_at_a_time);
}

int
main(void)
{
	return suite_run("hedge", fill);
}
