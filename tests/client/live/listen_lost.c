/*
 * listen_lost.c
 *		Listeners whose connection is lost: a gap is told where they may have missed something.
 */
#include "listen.h"
#include "proxy.h"

/* What had arrived comes first, then the gap, then what the new connection hears. */
START_TEST(tells_a_gap)
{
	struct pollfd fd = { .events = POLLIN };

	MUST(kn_listen(listener, "one"));
	fd.fd = kn_listener_fd(listener);
	notify("one", "before");
	ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
	terminate();
	notify("one", "meanwhile");
	must_hear("one", "before");
	must_hear(NULL, NULL);
	notify("one", "after");
	must_hear("one", "after");
	/* The same where kn_listen() finds it out, or makes it again. */
	terminate();
	MUST(kn_listen(listener, "two"));
	notify("two", "x");
	must_hear(NULL, NULL);
	must_hear("two", "x");
	notify("one", "y");
	must_hear("one", "y");
	/* Who listens to nothing misses nothing. */
	MUST(kn_unlisten(listener, "one"));
	MUST(kn_unlisten(listener, "two"));
	terminate();
	must_not_hear();
}
END_TEST

/* kn_unlisten() needs no connection. */
START_TEST(forgets_without_a_connection)
{
	MUST(kn_listen(listener, "one"));
	MUST(kn_listen(listener, "two"));
	terminate();
	MUST(kn_unlisten(listener, "one"));
	must_hear(NULL, NULL);
	notify("one", "a");
	notify("two", "b");
	must_hear("two", "b");
	must_not_hear();
}
END_TEST

#define NUMBERS 3000

static _Atomic(bool) must_end;

/* Writes and notifies 1, 2, 3 ..., each in a transaction of its own. */
static void *
send_on(void *argument)
{
	PGconn *conn = PQconnectdb(getenv("KN_TEST_DIRECT"));

	for (long i = 1; i <= NUMBERS; i++)
	{
		char sql[128];
		PGresult *result;

		(void) snprintf(sql,
						sizeof(sql),
						"BEGIN; INSERT INTO kn_number VALUES (%ld); NOTIFY numbers, '%ld'; COMMIT",
						i,
						i);
		result = PQexec(conn, sql);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			abort();
		PQclear(result);
	}
	PQfinish(conn);
	return argument;
}

static void *
kill_on(void *argument)
{
	PGconn *conn = PQconnectdb(getenv("KN_TEST_DIRECT"));

	while (!atomic_load(&must_end))
	{
		PQclear(PQexec(conn,
					   "SELECT pg_terminate_backend(pid), pg_sleep(0.01 * random())"
					   " FROM pg_stat_activity, pg_stat_clear_snapshot()"
					   " WHERE query LIKE 'LISTEN %'"));
	}
	PQfinish(conn);
	return argument;
}

/* Each number is heard, or a gap is told, and then it is to be seen in the table. */
START_TEST(loses_nothing_untold)
{
	pthread_t sender;
	pthread_t killer;
	const kn_notification *heard;
	long next = 1; /* all below were heard, or seen when a gap was told */
	int gaps = 0;

	look_do(look, "DROP TABLE IF EXISTS kn_number; CREATE TABLE kn_number (i bigint PRIMARY KEY)");
	atomic_store(&must_end, false);
	MUST(kn_listen(listener, "numbers"));
	ck_assert_int_eq(pthread_create(&sender, NULL, send_on, NULL), 0);
	ck_assert_int_eq(pthread_create(&killer, NULL, kill_on, NULL), 0);
	while (next <= NUMBERS)
	{
		MUST(kn_next_notification(listener, PATIENCE_MS, &heard));
		if (heard->is_gap)
		{
			long by_now = look_number(look, "SELECT coalesce(max(i), 0) FROM kn_number");

			gaps++;
			next = next > by_now ? next : by_now + 1;
			continue;
		}
		/* It may be one that was seen already, but no number may be passed over. */
		ck_assert_int_le(atol(heard->payload), next);
		if (atol(heard->payload) == next)
			next++;
	}
	atomic_store(&must_end, true);
	ck_assert_int_eq(pthread_join(sender, NULL), 0);
	ck_assert_int_eq(pthread_join(killer, NULL), 0);
	ck_assert_int_gt(gaps, 0);
	(void) printf("%d gaps in %d notifications\n", gaps, NUMBERS);
}
END_TEST

START_TEST(outlives_the_server)
{
	const kn_notification *heard;

	MUST(kn_listen(listener, "one"));
	ck_assert_int_eq(system(getenv("KN_TEST_STOP")), 0);
	ck_assert_int_eq(kn_next_notification(listener, 100, &heard), KN_TIMEOUT);
	/* It says why there is nothing to hear. */
	ck_assert_int_gt((int) strlen(kn_listener_error(listener)->message), 0);
	ck_assert_str_ne(kn_listener_error(listener)->message, "nothing was notified in time");
	ck_assert_int_eq(kn_listener_fd(listener), -1);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	ck_assert_int_ne(kn_listen(listener, "two"), KN_OK);
	ck_assert_int_eq(system(getenv("KN_TEST_START")), 0);
	must_hear(NULL, NULL);
	PQreset(look);
	notify("two", "x");
	notify("one", "y");
	must_hear("one", "y");
}
END_TEST

static bool
harms_nobody(void *user)
{
	(void) user;
	return false;
}

/* A listener that goes through the proxy takes the place of the usual one; and the other way. */
static void
begin_through(proxy *p)
{
	proxy_lead_to_server(p);
	proxy_start(p);
	kn_close_listener(listener);
	close_even(db);
}

static void
end_through(proxy *p)
{
	kn_close_listener(listener);
	close_even(db);
	proxy_end(p);
	PQfinish(look);
	set_up();
}

/* Nothing comes any more, and nothing says so: only a question does. */
START_TEST(notices_silence)
{
	proxy p = { .text = "\n", .harm = harms_nobody };
	kn_listener *quiet;
	const kn_notification *heard;

	begin_through(&p);
	OPEN(db, .listen_conninfo = p.conninfo, .retry_base_ms = 1, .retry_cap_ms = 50);
	ck_assert_int_eq(kn_open_listener(&listener,
									  db,
									  &(kn_listener_options){ .size = sizeof(kn_listener_options),
															  .probe_ms = 50,
															  .timeout_ms = 1000 }),
					 KN_OK);
	ck_assert_int_eq(kn_open_listener(&quiet,
									  db,
									  &(kn_listener_options){ .size = sizeof(kn_listener_options),
															  .probe_ms = -1 }),
					 KN_OK);
	MUST(kn_listen(listener, "one"));
	ck_assert_int_eq(kn_listen(quiet, "one"), KN_OK);
	/* Questions and answers are no events. */
	ck_assert_int_eq(kn_next_notification(listener, 300, &heard), KN_TIMEOUT);
	notify("one", "a");
	must_hear("one", "a");
	ck_assert_int_eq(kn_next_notification(quiet, PATIENCE_MS, &heard), KN_OK);
	ck_assert_str_eq(heard->payload, "a");
	proxy_silence(&p);
	notify("one", "b");
	must_hear(NULL, NULL);
	notify("one", "c");
	must_hear("one", "c");
	/* Who asks nothing never knows. */
	ck_assert_int_eq(kn_next_notification(quiet, 100, &heard), KN_TIMEOUT);
	kn_close_listener(quiet);
	end_through(&p);
}
END_TEST

/* What it asks for itself has the listener's time, and is not cancelled. */
START_TEST(has_its_own_time)
{
	proxy p = { .text = "\n", .harm = harms_nobody };
	struct timespec begun;
	struct timespec now;

	begin_through(&p);
	OPEN(db, .listen_conninfo = p.conninfo, .cancel_ms = PATIENCE_MS);
	ck_assert_int_eq(kn_open_listener(&listener,
									  db,
									  &(kn_listener_options){ .size = sizeof(kn_listener_options),
															  .timeout_ms = 1000 }),
					 KN_OK);
	MUST(kn_listen(listener, "one"));
	proxy_mute(&p);
	(void) clock_gettime(CLOCK_MONOTONIC, &begun);
	ck_assert_int_eq(kn_listen(listener, "two"), KN_TIMEOUT);
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	ck_assert_int_lt((int) (now.tv_sec - begun.tv_sec), 5);
	end_through(&p);
}
END_TEST

/* In calls that do not wait, the same as in a loop around poll(). */
START_TEST(serves_a_loop)
{
	const kn_notification *heard;
	int n = 0;

	ck_assert_int_eq(kn_listener_fd(listener), -1);
	MUST(kn_listen(listener, "one"));
	for (int round = 0; round < 20; round++)
	{
		int gaps = 0;

		notify("one", "a");
		notify("one", "b");
		for (n = 0; n < 2;)
		{
			struct pollfd fd = { .fd = kn_listener_fd(listener), .events = POLLIN };
			kn_status status;

			if (fd.fd >= 0)
				ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
			while ((status = kn_next_notification(listener, 0, &heard)) == KN_OK)
				n += heard->is_gap ? 0 : 1;
			ck_assert_int_eq(status, KN_TIMEOUT);
		}
		terminate();
		while (gaps == 0)
			gaps += kn_next_notification(listener, 0, &heard) == KN_OK && heard->is_gap;
	}
}
END_TEST

/* Also while there is no server. */
START_TEST(is_woken_while_it_connects)
{
	const kn_notification *heard;
	pthread_t thread;

	MUST(kn_listen(listener, "one"));
	ck_assert_int_eq(system(getenv("KN_TEST_STOP")), 0);
	PQfinish(look);
	ck_assert_int_eq(kn_next_notification(listener, 20, &heard), KN_TIMEOUT);
	ck_assert_int_eq(system(getenv("KN_TEST_START")), 0);
	look = look_open();
	ck_assert_int_eq(pthread_create(&thread, NULL, wake_it, look), 0);
	while (kn_next_notification(listener, -1, &heard) != KN_CANCELED)
		ck_assert(heard->is_gap);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

typedef struct told
{
	kn_hooks hooks;
	int lost;
	int failed;
	int again;
} told;

static void
count_event(void *user, const kn_event *event)
{
	told *t = user;

	t->lost += strcmp(event->what, "listen_lost") == 0;
	t->failed += strcmp(event->what, "listen_failed") == 0;
	t->again += strcmp(event->what, "listen_again") == 0;
	ck_assert_int_eq(event->status == KN_OK, strcmp(event->what, "listen_again") == 0);
}

START_TEST(tells_who_hooks)
{
	told t = { .hooks = { .size = sizeof(kn_hooks), .pool = count_event } };
	const kn_notification *heard;

	t.hooks.user = &t;
	kn_close_listener(listener);
	close_even(db);
	OPEN_DB(.hooks = &t.hooks, .retry_base_ms = 1, .retry_cap_ms = 10);
	ck_assert_int_eq(kn_open_listener(&listener, db, NULL), KN_OK);
	MUST(kn_listen(listener, "one"));
	terminate();
	must_hear(NULL, NULL);
	ck_assert_int_eq(t.lost, 1);
	ck_assert_int_eq(t.again, 1);
	ck_assert_int_eq(system(getenv("KN_TEST_STOP")), 0);
	while (t.failed < 3)
		ck_assert_int_eq(kn_next_notification(listener, 10, &heard), KN_TIMEOUT);
	ck_assert_int_eq(system(getenv("KN_TEST_START")), 0);
	must_hear(NULL, NULL);
	ck_assert_int_eq(t.lost, 2);
	ck_assert_int_eq(t.again, 2);
	kn_close_listener(listener);
	close_even(db);
	PQfinish(look);
	set_up();
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, tells_a_gap);
	tcase_add_test(tcase, forgets_without_a_connection);
	tcase_add_test(tcase, loses_nothing_untold);
	tcase_add_test(tcase, outlives_the_server);
	tcase_add_test(tcase, notices_silence);
	tcase_add_test(tcase, has_its_own_time);
	tcase_add_test(tcase, serves_a_loop);
	tcase_add_test(tcase, is_woken_while_it_connects);
	tcase_add_test(tcase, tells_who_hooks);
}

int
main(void)
{
	return suite_run("listen_lost", fill);
}
