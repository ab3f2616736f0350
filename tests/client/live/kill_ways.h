/*
 * kill_ways.h
 *		Ways to lose a connection, each at each moment of what is done with it.
 *
 * The moments are those of the protocol, so what passes has to be read: where the rest goes by
 * TLS, that ends at the proxy.  See kill_bytes.c for streams of which nobody knows what they mean.
 */
#ifndef KN_TESTS_KILL_WAYS_H
#define KN_TESTS_KILL_WAYS_H

#include <signal.h>

#include "kill_expected.h"

/* How long a call lasts that is told nothing, and a cancel request after it. */
#define PATIENCE_MS 80
#define CANCEL_MS   30
#define SLOWNESS_MS 3000 /* of the machine */

typedef struct play_state
{
	proxy proxy;
	scene scene;
	way how;
	moment when;
	PGresult *frozen; /* the processes of the server that are stopped */
} play_state;

static void
terminate(scene *s)
{
	PGresult *pids = PQexec(s->killer,
							"SELECT pid, pg_terminate_backend(pid), pg_stat_clear_snapshot()"
							" FROM pg_stat_activity WHERE application_name = 'kn_kill'");

	for (int i = 0; i < PQntuples(pids);)
	{
		char sql[128];
		PGresult *alive;

		(void) snprintf(sql,
						sizeof(sql),
						"SELECT 1 FROM pg_stat_activity, pg_sleep(0.002) WHERE pid = %s",
						PQgetvalue(pids, i, 0));
		alive = PQexec(s->killer, sql);
		i += PQntuples(alive) == 0;
		PQclear(alive);
	}
	PQclear(pids);
}

/* All sessions end with it, and only then is it a new server that one is connected to. */
static void
await_restart(scene *s)
{
	for (int i = 0; i < 60 && PQstatus(s->killer) == CONNECTION_OK; i++)
		PQclear(PQexec(s->killer, "SELECT pg_sleep(1)"));
	ck_assert_int_eq(PQstatus(s->killer), CONNECTION_BAD);
	PQfinish(s->killer);
	s->killer = look_silently();
	/* Others go on, with numbers of transactions that there is no trace of any more. */
	for (int i = 0; i < 30; i++)
		look_do(s->killer, "SELECT pg_current_xact_id()");
}

static void
kill_victims(scene *s)
{
	PGresult *pids =
		PQexec(s->killer, "SELECT pid FROM pg_stat_activity WHERE application_name = 'kn_kill'");

	for (int i = 0; i < PQntuples(pids); i++)
		(void) kill((pid_t) atol(PQgetvalue(pids, i, 0)), SIGKILL);
	/* A pooler may have given the victim no session yet; the server goes down all the same. */
	(void) kill((pid_t) PQbackendPID(s->holder), SIGKILL);
	PQclear(pids);
	await_restart(s);
}

static void
signal_frozen(const play_state *p, int number)
{
	for (int i = 0; p->frozen != NULL && i < PQntuples(p->frozen); i++)
		ck_assert_int_eq(kill((pid_t) atol(PQgetvalue(p->frozen, i, 0)), number), 0);
}

static void
freeze(play_state *p)
{
	p->frozen = PQexec(p->scene.killer,
					   "SELECT pid FROM pg_stat_activity WHERE application_name = 'kn_kill'");
	signal_frozen(p, SIGSTOP);
}

static void
thaw(play_state *p)
{
	signal_frozen(p, SIGCONT);
	PQclear(p->frozen);
	p->frozen = NULL;
}

/* What is in the log by then lasts: numbers of transactions are not given out again. */
static void
stop_server(scene *s)
{
	look_do(s->killer, "SELECT pg_logical_emit_message(true, 'kn_kill', '')");
	ck_assert_int_eq(system(getenv("KN_TEST_STOP")), 0);
	ck_assert_int_eq(system(getenv("KN_TEST_START")), 0);
	await_restart(s);
}

static bool
do_harm(void *user)
{
	play_state *p = user;

	if (p->when == MOMENT_DURING)
		look_await(
			p->scene.killer,
			"SELECT count(*) FROM (SELECT 1 FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND wait_event = 'advisory' LIMIT 1) x",
			1);
	if (p->how == WAY_TERMINATE)
		terminate(&p->scene);
	if (p->how == WAY_KILL)
		kill_victims(&p->scene);
	if (p->how == WAY_STOP)
		stop_server(&p->scene);
	if (p->how == WAY_FREEZE)
		freeze(p);
	p->proxy.drops = p->how == WAY_DROP;
	if (p->when == MOMENT_DURING)
		PQclear(PQexec(p->scene.holder, "SELECT pg_advisory_unlock(4711)"));
	return p->how <= WAY_DROP;
}

static kn_db *
open_through(play_state *p)
{
	char conninfo[160];
	kn_db *db;

	(void) snprintf(conninfo, sizeof(conninfo), "%s application_name=kn_kill", p->proxy.conninfo);
	OPEN(db,
		 .conninfo = conninfo,
		 .max_connections = 2,
		 .stable_functions = "kn_pause",
		 .cancel_ms = is_silent(p->how) ? CANCEL_MS : 1000,
		 .allocator = &p->scene.allocator,
		 .cache = &p->scene.cache);
	return db;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: the time was over before the harm was done. */
static bool
play_once(way how, moment when, const deed *d, int64_t patience_ms)
{
	play_state p = { .how = how, .when = when };
	bool is_done;
	int64_t begun;
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	scene_begin(&p.scene);
	if (when == MOMENT_DURING)
		look_do(p.scene.holder, "SELECT pg_advisory_lock(4711)");
	p.proxy.text = d->text;
	p.proxy.kind = d->message;
	p.proxy.when = when;
	p.proxy.harm = do_harm;
	p.proxy.user = &p;
	p.proxy.resets = how == WAY_RESET;
	p.proxy.says_end = how == WAY_CLOSE;
	p.proxy.is_tcp = how == WAY_RESET;
	proxy_start(&p.proxy);
	db = open_through(&p);
	cx = kn_begin(db, .claims = claims_of(d), .timeout_ms = 20000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 0"));
	/* To roll back takes no longer than to cancel, whatever time there is. */
	if (is_silent(how) && d->kind != DEED_ROLLS_BACK && d->kind != DEED_GIVES_UP)
		kn_set_timeout(cx, patience_ms);
	begun = now_ms();
	status = d->act(&p.scene, cx);
	if (is_silent(how))
		ck_assert_int_lt(now_ms() - begun, patience_ms + 2 * CANCEL_MS + SLOWNESS_MS);
	is_done = p.proxy.is_done;
	ck_assert_msg(is_done || is_silent(how), "no harm was done");
	/* It falls silent while the call runs out of time, and not after all is to go on. */
	proxy_await_harm(&p.proxy);
	p.proxy.drops = false;
	thaw(&p);
	ck_assert_int_eq(stats_of(db).busy, 0);
	/* And all goes on. */
	kn_set_timeout(cx, 20000);
	if (is_done)
	{
		check_truth(&p.scene, cx, d, status);
		ck_assert_msg(is_expected(d, how, when, status),
					  "%s, moment %d: %s [%s] %s",
					  d->name,
					  when,
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
		/* A commit that was done is not done again. */
		if (d->kind == DEED_ENDS_A_BODY && when >= MOMENT_AFTER && status == KN_OK)
			ck_assert_int_eq(p.scene.runs, 1);
		while (how >= WAY_KILL && kn_exec(cx, "SELECT 1") != KN_OK)
			(void) poll(NULL, 0, 10);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	}
	kn_end(cx);
	/* Requests to cancel have been left waiting, and to close the handle waits for them. */
	if (how == WAY_DROP)
		proxy_close_silent(&p.proxy);
	close_even(db);
	proxy_end(&p.proxy);
	scene_end(&p.scene);
	return is_done;
}

static bool
has_moment(const deed *d, moment when)
{
	/* Nobody knows when the server is at what it does not wait at. */
	if (when == MOMENT_DURING)
		return d->waits;
	/* To data there is no answer before its end. */
	return when < MOMENT_DURING || d->message != 'd';
}

static void
play(way how, moment when, const deed *d)
{
	int64_t patience_ms = PATIENCE_MS;

	mark_point();
	if (!has_moment(d, when))
		return;
	while (!play_once(how, when, d, patience_ms))
		patience_ms *= 2;
	++*combinations;
}

static const deed *played;
static int played_count;

static void
play_all(way how, const deed *d)
{
	for (moment when = MOMENT_BEFORE; when < MOMENT_COUNT; when++)
		play(how, when, d);
}

/* The way is the test, the deed the number; a server that restarts takes its time. */
START_TEST(is_cut_off)
{
	play_all(WAY_CUT, &played[_i]);
}
END_TEST

START_TEST(is_closed)
{
	play_all(WAY_CLOSE, &played[_i]);
}
END_TEST

START_TEST(is_reset)
{
	play_all(WAY_RESET, &played[_i]);
}
END_TEST

START_TEST(is_dropped)
{
	play_all(WAY_DROP, &played[_i]);
}
END_TEST

START_TEST(is_frozen)
{
	play_all(WAY_FREEZE, &played[_i]);
}
END_TEST

START_TEST(is_terminated)
{
	play_all(WAY_TERMINATE, &played[_i]);
}
END_TEST

START_TEST(is_killed)
{
	play_all(WAY_KILL, &played[_i]);
}
END_TEST

START_TEST(is_stopped)
{
	play_all(WAY_STOP, &played[_i]);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up_kill, NULL);
	tcase_add_loop_test(tcase, is_cut_off, 0, played_count);
	if (is_tls())
		tcase_add_loop_test(tcase, is_closed, 0, played_count);
	else
		(void) printf("not run without TLS: is_closed: there is nothing to end in order\n");
	(void) fflush(stdout);
	tcase_add_loop_test(tcase, is_reset, 0, played_count);
	tcase_add_loop_test(tcase, is_dropped, 0, played_count);
	tcase_add_loop_test(tcase, is_frozen, 0, played_count);
	tcase_add_loop_test(tcase, is_terminated, 0, played_count);
	tcase_add_loop_test(tcase, is_killed, 0, played_count);
	tcase_add_loop_test(tcase, is_stopped, 0, played_count);
}

/* How many moments the deeds do not have, by their table. */
static int
missing_moments(void)
{
	int missing = 0;

	for (int i = 0; i < played_count; i++)
	{
		missing += played[i].waits ? 0 : 1;
		missing += played[i].message == 'd' ? 2 : 0; /* the answer's */
	}
	return missing;
}

/* Whether libcheck has been told to play only some, or none. */
static bool
is_filtered(void)
{
	static const char *const filters[] = { "CK_RUN_SUITE",
										   "CK_RUN_CASE",
										   "CK_INCLUDE_TAGS",
										   "CK_EXCLUDE_TAGS" };
	bool is_set = false;

	for (int i = 0; i < COUNT(filters); i++)
		is_set |= getenv(filters[i]) != NULL;
	return is_set;
}

/* The main() of a program that plays these: each has to have been played. */
static int
kill_run(const char *name, const deed *table, int count)
{
	int ways = is_tls() ? WAY_COUNT : WAY_COUNT - 1;
	int missing;
	int expected;
	int status;

	played = table;
	played_count = count;
	missing = missing_moments();
	expected = (count * MOMENT_COUNT - missing) * ways;
	combinations_begin();
	status = suite_run(name, fill);
	if (status == EXIT_SUCCESS && *combinations != expected && !is_filtered())
	{
		(void) printf("%d combinations were to be played\n", expected);
		status = EXIT_FAILURE;
	}
	(void) printf(
		"%d combinations of %d calls, %d moments and %d ways; "
		"%d left out, of calls that do not have the moment\n",
		*combinations,
		count,
		MOMENT_COUNT,
		ways,
		missing * ways);
	return status;
}

#endif
