/*
 * chaos.c
 *		A network that delays, throttles, corrupts and closes, and the pool behind it.
 *
 * Whatever it does, each call ends in its time and tells the truth, and once it does
 * it no more, all is served again.  README.md says which case is whose in userver's list.
 */
#include "gate.h"

#define TIMEOUT_MS  100 /* of a call, where it is to be over */
#define CANCEL_MS   50
#define CONNECT_MS  400
#define ACQUIRE_MS  1000
#define SLOWNESS_MS 3000 /* of the machine */
#define THREADS     12

static PGconn *look;
static gate g;
static kn_db *db;
static kn_ctx *cx;
static int done;    /* writes that are in force */
static int unknown; /* and those that may be */

static void
set_up(void)
{
	char conninfo[100];

	done = unknown = 0;
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_chaos; CREATE TABLE kn_chaos (n int)");
	gate_start(&g);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=127.0.0.1 port=%d application_name=kn_chaos",
					g.port);
	OPEN(db,
		 .conninfo = conninfo,
		 .max_connections = 3,
		 .max_opening = 1,
		 .acquire_ms = ACQUIRE_MS,
		 .connect_ms = CONNECT_MS,
		 .cancel_ms = CANCEL_MS);
	cx = kn_begin(db);
}

static kn_status
read_some(void)
{
	kn_rows *rows = kn_query(cx, "SELECT g, repeat('x', 20) FROM generate_series(1, 20) g");
	int count = 0;
	kn_status status;

	while (kn_next(rows))
		count++;
	status = kn_done(rows);
	if (status == KN_OK)
		ck_assert_int_eq(count, 20);
	return status;
}

static kn_status
write_some(void)
{
	kn_status status = kn_exec(cx, "INSERT INTO kn_chaos VALUES ($1)", 1);

	done += status == KN_OK;
	unknown += status == KN_OUTCOME_UNKNOWN;
	return status;
}

/* One of each, in time. */
static kn_status
call_both(void)
{
	int64_t begun = gate_now();
	kn_status status;
	kn_status written;

	kn_set_timeout(cx, TIMEOUT_MS);
	status = read_some();
	ck_assert_int_lt((int) (gate_now() - begun), TIMEOUT_MS + 2 * CANCEL_MS + SLOWNESS_MS);
	begun = gate_now();
	kn_set_timeout(cx, TIMEOUT_MS);
	written = write_some();
	ck_assert_int_lt((int) (gate_now() - begun), TIMEOUT_MS + 2 * CANCEL_MS + SLOWNESS_MS);
	ck_assert_int_eq(stats_of(db).busy, 0);
	return status == KN_OK ? written : status;
}

/* As it was: reads, and writes of which each is done once. */
static void
check_that_it_restores(void)
{
	int64_t until = gate_now() + 20000;
	long rows;

	gate_open(&g);
	kn_set_timeout(cx, 20000);
	while (read_some() != KN_OK)
	{
		ck_assert_int_lt(gate_now(), until);
		(void) poll(NULL, 0, 5);
	}
	EXPECT_OK(cx, write_some());
	/* The server has ended what nobody waits for. */
	while (
		look_number(
			look,
			"SELECT count(*) FROM pg_sleep(0.002), pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_chaos' AND state <> 'idle'") >
		0)
		ck_assert_int_lt(gate_now(), until);
	rows = look_number(look, "SELECT count(*) FROM kn_chaos");
	ck_assert_int_ge(rows, done);
	ck_assert_int_le(rows, done + unknown);
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	gate_end(&g);
	PQfinish(look);
}

typedef enum prospect
{
	IS_FINE,  /* nobody notices */
	ENDS,     /* sooner or later a call fails */
	MAY_END,  /* or the pool gets over it */
	IS_LYING, /* what is corrupt may look right, but to TLS */
} prospect;

typedef struct weather
{
	const char *name;
	flow flows[2]; /* to the server, and to the client */
	prospect prospect;
} weather;

#define DELAY               \
	{                       \
		FLOW_DELAY, 1000, 0 \
	}
#define CLOSE            \
	{                    \
		FLOW_CLOSE, 0, 0 \
	}
#define RATE             \
	{                    \
		FLOW_RATE, 10, 0 \
	}
#define TIME              \
	{                     \
		FLOW_TIME, 100, 0 \
	}
#define PARTS             \
	{                     \
		FLOW_PARTS, 40, 0 \
	}
#define BYTES(n)         \
	{                    \
		FLOW_BYTES, n, 0 \
	}
#define PASS            \
	{                   \
		FLOW_PASS, 0, 0 \
	}
#define CORRUPT(n)         \
	{                      \
		FLOW_CORRUPT, n, 0 \
	}
#define DROP            \
	{                   \
		FLOW_DROP, 0, 0 \
	}

static const weather weathers[] = {
	{ "fine", { PASS, PASS }, IS_FINE },
	{ "close on data", { CLOSE, CLOSE }, ENDS },
	{ "close on data, sends", { CLOSE, PASS }, ENDS },
	{ "close on data, recv", { PASS, CLOSE }, ENDS },
	{ "close to client, 100", { PASS, BYTES(100) }, ENDS },
	{ "close to client, 150", { PASS, BYTES(150) }, ENDS },
	{ "close to client, 200", { PASS, BYTES(200) }, ENDS },
	{ "close to server, 100", { BYTES(100), PASS }, ENDS },
	{ "close to server, 150", { BYTES(150), PASS }, ENDS },
	{ "close to server, 200", { BYTES(200), PASS }, ENDS },
	{ "corrupted request", { CORRUPT(0), PASS }, IS_LYING },
	{ "corrupted request later", { CORRUPT(77), PASS }, IS_LYING },
	{ "corrupted response", { PASS, CORRUPT(0) }, IS_LYING },
	{ "corrupted response later", { PASS, CORRUPT(77) }, IS_LYING },
	{ "delay, sends", { DELAY, PASS }, ENDS },
	{ "delay, recv", { PASS, DELAY }, ENDS },
	{ "delay", { DELAY, DELAY }, ENDS },
	{ "limit bps, sends", { RATE, PASS }, ENDS },
	{ "limit bps, recv", { PASS, RATE }, ENDS },
	{ "limit bps", { RATE, RATE }, ENDS },
	{ "limit time, sends", { TIME, PASS }, MAY_END },
	{ "limit time, recv", { PASS, TIME }, MAY_END },
	{ "limit time", { TIME, TIME }, MAY_END },
	{ "smaller parts, sends", { PARTS, PASS }, IS_FINE },
	{ "smaller parts, recv", { PASS, PARTS }, IS_FINE },
	{ "smaller parts", { PARTS, PARTS }, IS_FINE },
	{ "limit bytes, sends", { BYTES(1024), PASS }, ENDS },
	{ "limit bytes, recv", { PASS, BYTES(1024) }, ENDS },
	{ "limit bytes", { BYTES(1024), BYTES(1024) }, ENDS },
	{ "silence, sends", { DROP, PASS }, ENDS },
	{ "silence, recv", { PASS, DROP }, ENDS },
	{ "silence", { DROP, DROP }, ENDS },
};

static void
live_through(const weather *w)
{
	int64_t until = gate_now() + 20000;
	int64_t at_least = gate_now() + 300;
	int accepted = g.accepted;
	kn_status status = KN_OK;

	for (int to = 0; to < 2; to++)
		gate_set(&g, (direction) to, w->flows[to].kind, w->flows[to].n);
	if (w->prospect == IS_FINE)
	{
		/* In small pieces it takes its time, and nothing else. */
		kn_set_timeout(cx, 20000);
		for (int i = 0; i < 3; i++)
		{
			EXPECT_OK(cx, read_some());
			EXPECT_OK(cx, write_some());
		}
		return;
	}
	while ((status == KN_OK || w->prospect == MAY_END) && gate_now() < until &&
		   (w->prospect == ENDS || gate_now() < at_least ||
			(w->prospect == MAY_END && g.accepted == accepted)))
		status = call_both();
	if (w->prospect == ENDS || (w->prospect == IS_LYING && is_tls()))
		ck_assert_msg(status == KN_TIMEOUT || status == KN_CONN_LOST ||
						  status == KN_OUTCOME_UNKNOWN || status == KN_CIRCUIT_OPEN,
					  "%s: %s [%s] %s",
					  w->name,
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
	/* Those whose time is over have been replaced. */
	if (w->prospect == MAY_END)
		ck_assert_int_gt(g.accepted, accepted);
}

START_TEST(lives_through_it)
{
	mark_point();
	EXPECT_OK(cx, read_some());
	live_through(&weathers[_i]);
	check_that_it_restores();
}
END_TEST

/* The same while there is no connection yet. */
START_TEST(begins_in_it)
{
	weather w = weathers[_i];

	/* PgBouncer does not take a first packet in pieces; with TLS it does not see them. */
	if (is_pooled() && !is_tls() && w.flows[TO_SERVER].kind == FLOW_PARTS)
		w.prospect = ENDS;
	live_through(&w);
	check_that_it_restores();
}
END_TEST

/* What is open serves on, while nobody can connect; and what cannot be had is waited for in time.
 */
START_TEST(goes_on_without_new_connections)
{
	kn_ctx *other = kn_begin(db, .timeout_ms = TIMEOUT_MS);
	int64_t begun;
	kn_rows *rows;

	EXPECT_OK(cx, read_some());
	if (_i == 0)
		gate_be_deaf(&g);
	else
		gate_refuse(&g);
	for (int i = 0; i < 10; i++)
		EXPECT_OK(cx, read_some());
	rows = kn_stream(cx, "SELECT generate_series(1, 3)");
	ck_assert_int_eq(kn_next(rows), true);
	begun = gate_now();
	EXPECT(other, kn_exec(other, "SELECT 1"), KN_TIMEOUT);
	ck_assert_int_lt((int) (gate_now() - begun), TIMEOUT_MS + SLOWNESS_MS);
	EXPECT_OK(cx, kn_done(rows));
	kn_end(other);
	check_that_it_restores();
}
END_TEST

/* A statement is prepared, and nobody hears of it: its name is no trouble afterwards. */
START_TEST(prepares_what_it_does_not_hear_of)
{
	static const char sql[] = "SELECT $1::int + 1";

	EXPECT_OK(cx, read_some());
	EXPECT_OK(cx, kn_exec(cx, sql, 1));
	gate_set(&g, TO_CLIENT, FLOW_DELAY, 4000);
	kn_set_timeout(cx, TIMEOUT_MS);
	EXPECT(cx, kn_exec(cx, sql, 1), KN_TIMEOUT);
	gate_open(&g);
	kn_set_timeout(cx, 20000);
	for (int i = 0; i < 5; i++)
		EXPECT_OK(cx, kn_exec(cx, sql, 1));
	check_that_it_restores();
}
END_TEST

typedef enum point
{
	BEFORE_BEGIN,
	AFTER_BEGIN,
	BEFORE_COMMIT,
	POINT_COUNT
} point;

typedef struct interference
{
	point at;
	bool closes; /* or else delays */
	int runs;
	int64_t begun;
} interference;

static void
interfere(interference *i, point at)
{
	if (i->at != at || i->runs > 1)
		return;
	if (i->closes)
	{
		gate_close_all(&g, at == AFTER_BEGIN);
		return;
	}
	gate_set(&g, TO_CLIENT, FLOW_DELAY, 4000);
	/* Not before that: what came before it may have taken its time. */
	i->begun = gate_now();
	kn_set_timeout(cx, TIMEOUT_MS);
}

static kn_status
interrupted_body(kn_ctx *c, void *argument)
{
	interference *i = argument;
	kn_status status;

	i->runs++;
	interfere(i, BEFORE_BEGIN);
	status = kn_exec(c, "INSERT INTO kn_chaos VALUES (1)");
	interfere(i, AFTER_BEGIN);
	if (status == KN_OK)
		status = kn_exec(c, "SELECT 1");
	interfere(i, BEFORE_COMMIT);
	return status;
}

/* A transaction whose connection is closed before COMMIT has answered runs again. */
START_TEST(runs_again_what_was_closed)
{
	interference i = { .at = (point) _i, .closes = true };

	EXPECT_OK(cx, read_some());
	EXPECT_OK(cx, kn_transact(cx, interrupted_body, &i));
	done++;
	/* An idle connection that was closed is replaced before anybody notices. */
	ck_assert_int_eq(i.runs, i.at == BEFORE_BEGIN ? 1 : 2);
	check_that_it_restores();
}
END_TEST

START_TEST(ends_a_transaction_in_time)
{
	interference i = { .at = (point) _i };
	kn_status status;

	EXPECT_OK(cx, read_some());
	status = kn_transact(cx, interrupted_body, &i);
	ck_assert_int_lt((int) (gate_now() - i.begun), TIMEOUT_MS + 4 * CANCEL_MS + SLOWNESS_MS);
	ck_assert_msg(status == (i.at == BEFORE_COMMIT ? KN_OUTCOME_UNKNOWN : KN_TIMEOUT),
				  "%s",
				  kn_status_name(status));
	unknown += status == KN_OUTCOME_UNKNOWN;
	ck_assert_int_eq(i.runs, 1);
	check_that_it_restores();
}
END_TEST

/* Rows that stop coming: closed, reset, or without a word. */
START_TEST(ends_a_stream)
{
	int rows_before = _i / LOSS_COUNT;
	loss by = (loss) (_i % LOSS_COUNT);
	kn_rows *rows;

	EXPECT_OK(cx, read_some());
	rows = kn_stream(cx, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
	for (int i = 0; i < rows_before; i++)
		ck_assert_int_eq(kn_next(rows), true);
	kn_set_timeout(cx, TIMEOUT_MS);
	if (by == LOSS_SILENCE)
		gate_set_both(&g, FLOW_DROP, 0);
	else
	{
		kn_set_timeout(cx, 20000);
		gate_close_all(&g, by == LOSS_RESET);
	}
	while (kn_next(rows))
		;
	EXPECT(cx, kn_done(rows), by == LOSS_SILENCE ? KN_TIMEOUT : KN_CONN_LOST);
	ck_assert_int_eq(stats_of(db).busy, 0);
	check_that_it_restores();
}
END_TEST

/* The server stops, too, when the time of the call is over. */
START_TEST(passes_the_deadline_on)
{
	kn_set_timeout(cx, 20000);
	EXPECT_OK(cx, read_some());
	kn_set_timeout(cx, TIMEOUT_MS);
	EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(3600)"), KN_TIMEOUT);
	check_that_it_restores();
}
END_TEST

static void *
call_in_a_storm(void *argument)
{
	kn_ctx *c = kn_begin(db, .timeout_ms = 1000);

	*(kn_status *) argument = kn_exec(c, "SELECT 1");
	kn_end(c);
	return NULL;
}

/* However many call: one connection is opened at a time, and fewer and fewer the longer it fails.
 */
START_TEST(does_not_storm_the_server)
{
	pthread_t threads[THREADS];
	kn_status statuses[THREADS];
	int accepted;

	EXPECT_OK(cx, read_some());
	gate_set_both(&g, FLOW_CLOSE, 0);
	gate_close_all(&g, false);
	accepted = g.accepted;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call_in_a_storm, &statuses[i]), 0);
	for (int i = 0; i < THREADS; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_msg(statuses[i] == KN_CONN_LOST || statuses[i] == KN_TIMEOUT ||
						  statuses[i] == KN_CIRCUIT_OPEN,
					  "%s",
					  kn_status_name(statuses[i]));
	}
	ck_assert_int_lt(g.accepted - accepted, THREADS);
	ck_assert_int_gt(g.accepted, accepted);
	check_that_it_restores();
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, lives_through_it, weathers);
	LOOP(tcase, begins_in_it, weathers);
	tcase_add_loop_test(tcase, goes_on_without_new_connections, 0, 2);
	tcase_add_test(tcase, prepares_what_it_does_not_hear_of);
	tcase_add_loop_test(tcase, runs_again_what_was_closed, 0, POINT_COUNT);
	tcase_add_loop_test(tcase, ends_a_transaction_in_time, 0, POINT_COUNT);
	tcase_add_loop_test(tcase, ends_a_stream, 0, 2 * LOSS_COUNT);
	tcase_add_test(tcase, passes_the_deadline_on);
	tcase_add_test(tcase, does_not_storm_the_server);
}

int
main(void)
{
	return suite_run("chaos", fill);
}
