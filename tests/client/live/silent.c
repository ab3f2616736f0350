/*
 * silent.c
 *		A server that says nothing any more: who notices it, and how long that may take.
 */
#include "../threads.h"
#include "gate.h"
#include "notes.h"

#define TIMEOUT_MS  150
#define CANCEL_MS   100
#define SLOWNESS_MS 3000 /* of the machine */
#define LATE_MS     1000 /* what a word to keep alive may take */

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
	cx = kn_begin(db, .timeout_ms = 1000);
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

/* What the handle's threads are at when it is closed. */
typedef enum pursuit
{
	CONNECTING,
	CONNECTING_FOR_EVER,
	LOOKING,       /* at servers to which no connection could be opened yet */
	LOOKING_AGAIN, /* over those that are open */
	LOOKING_LATE,  /* over those, and their time is over by now */
	KEEPING_ALIVE,
	KEEPING_ALIVE_LATE,
	PURSUITS
} pursuit;

static bool
is_looking(pursuit what)
{
	return what == LOOKING || what == LOOKING_AGAIN || what == LOOKING_LATE;
}

static bool
is_keeping_alive(pursuit what)
{
	return what == KEEPING_ALIVE || what == KEEPING_ALIVE_LATE;
}

/* What is to be kept alive is there, or the last of the servers was looked at. */
static bool
is_under_way(const kn_db *db, pursuit what)
{
	kn_stats last = { .size = sizeof(last) };

	if (is_keeping_alive(what))
		return stats_of(db).idle == 1;
	ck_assert_int_eq(kn_get_stats(db, kn_server_count(db) - 1, &last), KN_OK);
	return last.is_primary;
}

static kn_db *
begin_pursuit(pursuit what)
{
	const char *replicas[9] = { NULL };
	bool is_silent = !is_keeping_alive(what) && what != LOOKING_AGAIN && what != LOOKING_LATE;
	bool is_late = what == LOOKING_LATE || what == KEEPING_ALIVE_LATE;
	int accepted;
	kn_db *db;

	for (int i = 0; is_looking(what) && i < 8; i++)
		replicas[i] = conninfo;
	if (is_silent)
		gate_set_both(&g, FLOW_DROP, 0);
	OPEN(db,
		 .conninfo = is_looking(what) && is_silent ? "" : conninfo,
		 .replicas = is_looking(what) ? replicas : NULL,
		 .min_connections = is_looking(what) ? 0 : 1,
		 .max_opening = 1,
		 .connect_ms = what == CONNECTING_FOR_EVER  ? -1
					   : what == KEEPING_ALIVE_LATE ? LATE_MS
													: 60000,
		 .keepalive_ms = is_keeping_alive(what) ? 20 : -1,
		 .probe_ms = 20,
		 .cancel_ms = 60000);
	while (!is_silent && !is_under_way(db, what))
		(void) poll(NULL, 0, 2);
	gate_set_both(&g, FLOW_DROP, 0);
	accepted = g.accepted;
	/* Something has been said that nobody answers. */
	while (g.lost == 0)
		(void) poll(NULL, 0, 2);
	/* And then something is tried on another connection. */
	while (is_late && g.accepted == accepted)
		(void) poll(NULL, 0, 2);
	return db;
}

/* None of it has an end of its own before the test has. */
START_TEST(is_closed_in_time)
{
	kn_db *db = begin_pursuit((pursuit) _i);
	int64_t begun = gate_now();

	(void) kn_close(db, 0);
	ck_assert_int_lt((int) (gate_now() - begun), SLOWNESS_MS);
}
END_TEST

/* An allocator that is gone with its handle. */
typedef struct mortal
{
	_Atomic(bool) is_dead;
	_Atomic(int) calls_after;
} mortal;

static void *
mortal_allocate(void *user, size_t size)
{
	mortal *m = user;

	m->calls_after += m->is_dead;
	return malloc(size);
}

static void *
mortal_resize(void *user, void *p, size_t old_size, size_t new_size)
{
	mortal *m = user;

	(void) old_size;
	m->calls_after += m->is_dead;
	return realloc(p, new_size);
}

static void
mortal_release(void *user, void *p, size_t size)
{
	mortal *m = user;

	(void) size;
	m->calls_after += m->is_dead;
	free(p);
}

/* Requests to cancel that nobody answers: so many at a time, and nothing of theirs is the handle's.
 */
START_TEST(leaves_few_behind)
{
	mortal m = { .is_dead = false };
	kn_allocator allocator = { .allocate = mortal_allocate,
							   .resize = mortal_resize,
							   .release = mortal_release,
							   .user = &m };
	int before = threads_now();
	kn_db *db;

	OPEN(db,
		 .conninfo = conninfo,
		 .min_connections = 24,
		 .max_connections = 24,
		 .breaker_failure_percent = -1,
		 .cancel_ms = 20,
		 .allocator = &allocator);
	while (stats_of(db).idle < 24)
		(void) poll(NULL, 0, 2);
	gate_set_both(&g, FLOW_DROP, 0);
	for (int i = 0; i < 24; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 20);

		EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
		kn_end(cx);
	}
	/* Sixteen, the workers, and who looks after deadlines. */
	ck_assert_int_le(threads_now() - before, 16 + 4 + 1);
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
	m.is_dead = true;
	ck_assert_int_gt(threads_now(), before);
	gate_close_all(&g, false);
	while (threads_now() > before)
		(void) poll(NULL, 0, 2);
	ck_assert_int_eq(m.calls_after, 0);
}
END_TEST

#define LONG_CANCEL_MS 4000

static kn_status
sleeping_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "SELECT pg_sleep(600)");
}

/* Each answer comes late, and there are several to wait for: all of them have one limit. */
START_TEST(is_waited_for_once)
{
	kn_db *db;
	kn_ctx *cx;
	int64_t begun;

	OPEN(db, .conninfo = conninfo, .max_connections = 1, .cancel_ms = LONG_CANCEL_MS);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	gate_set_both(&g, FLOW_DELAY, LONG_CANCEL_MS * 7 / 10);
	begun = gate_now();
	kn_set_timeout(cx, TIMEOUT_MS);
	EXPECT(cx,
		   _i == 0 ? kn_exec(cx, "SELECT pg_sleep(600)") : kn_transact(cx, sleeping_body, NULL),
		   KN_TIMEOUT);
	ck_assert_int_lt((int) (gate_now() - begun), TIMEOUT_MS + LONG_CANCEL_MS + SLOWNESS_MS);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* It may have been done: to whoever reads that later, it has not failed. */
START_TEST(audits_what_is_not_known)
{
	kn_db *db;
	kn_ctx *cx;

	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_silent; CREATE TABLE kn_silent (n int)");
	OPEN(db, .conninfo = conninfo, .hooks = &all, .max_connections = 1, .cancel_ms = 50);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	gate_set(&g, TO_CLIENT, FLOW_DROP, 0);
	kn_set_timeout(cx, 500);
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_silent VALUES (3)"), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "unknown")->status, KN_OUTCOME_UNKNOWN);
	ck_assert_ptr_null(find(KN_EVENT_AUDIT, "failed"));
	kn_end(cx);
	(void) kn_close(db, 0);
	PQfinish(look);
}
END_TEST

#define MANY 48

/* Ended by somebody else, at the same moment as all others. */
static void *
be_ended(void *argument)
{
	kn_ctx *cx = argument;

	return kn_exec(cx, "SELECT pg_sleep(60)") == KN_CANCELED ? NULL : cx;
}

static const char x_asleep[] =
	"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
	" WHERE wait_event = 'PgSleep'";

/* That many have to be ended says nothing of the server: they are, one after the other. */
START_TEST(is_not_one_of_many_to_end)
{
	pthread_t threads[MANY];
	kn_ctx *contexts[MANY];
	void *failed;
	kn_db *db;

	look = look_open();
	/* By itself a pooler lets fewer than that run at a time. */
	OPEN(db,
		 .conninfo = is_pooled() ? "dbname=kn_many" : "",
		 .max_connections = MANY,
		 .max_opening = 8,
		 .acquire_ms = 20000,
		 .cancel_ms = 20000);
	for (int i = 0; i < MANY; i++)
	{
		contexts[i] = kn_begin(db);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, be_ended, contexts[i]), 0);
	}
	look_await(look, x_asleep, MANY);
	for (int i = 0; i < MANY; i++)
		kn_cancel(contexts[i]);
	for (int i = 0; i < MANY; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
		kn_end(contexts[i]);
	}
	ck_assert_int_eq(look_number(look, x_asleep), 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	close_even(db);
	PQfinish(look);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, opens_the_breaker);
	tcase_add_test(tcase, opens_the_breaker_before_anything_is_open);
	tcase_add_loop_test(tcase, is_not_a_server_that_takes_long, 0, 2);
	tcase_add_loop_test(tcase, is_closed_in_time, 0, PURSUITS);
	tcase_add_test(tcase, leaves_few_behind);
	tcase_add_test(tcase, audits_what_is_not_known);
	tcase_add_loop_test(tcase, is_waited_for_once, 0, 2);
	tcase_add_test(tcase, is_not_one_of_many_to_end);
}

int
main(void)
{
	return suite_run("silent", fill);
}
