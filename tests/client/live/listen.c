/*
 * listen.c
 *		Listeners: what they hear, and who may have them.
 */
#include "listen.h"

#include <sys/wait.h>
#include <unistd.h>

#include "../failing.h"
#include "run/listen.h"

START_TEST(hears)
{
	char most[8000];

	memset(most, 'x', sizeof(most));
	most[sizeof(most) - 1] = '\0';
	MUST(kn_listen(listener, "one"));
	MUST(kn_listen(listener, "one"));
	notify("one", "a");
	notify("two", "b");
	notify("one", "");
	notify("one", "gr\303\274\303\237e, \"quoted\"\n'and' \\ so on");
	notify("one", most);
	must_hear("one", "a");
	must_hear("one", "");
	must_hear("one", "gr\303\274\303\237e, \"quoted\"\n'and' \\ so on");
	must_hear("one", most);
	must_not_hear();
}
END_TEST

static const char *const names[] = {
	"a",
	"Upper",
	"with space",
	"sel\"ect",
	"\"",
	"\"\"; DROP TABLE x; --",
	"'",
	"\\",
	"$1",
	"select",
	"%s%n",
	"gr\303\274\303\237e",
	"x.y",
	"\n",
	"a23456789b123456789c123456789d123456789e123456789f123456789g123",
	"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
};

START_TEST(takes_any_name)
{
	kn_ctx *cx = kn_begin(db);
	const kn_notification *heard;

	for (int i = 0; i < COUNT(names); i++)
		MUST(kn_listen(listener, names[i]));
	for (int i = 0; i < COUNT(names); i++)
	{
		notify(names[i], names[i]);
		EXPECT_OK(cx, kn_notify(cx, names[i], NULL));
	}
	for (int i = 0; i < COUNT(names); i++)
	{
		must_hear(names[i], names[i]);
		MUST(kn_next_notification(listener, PATIENCE_MS, &heard));
		ck_assert_str_eq(heard->channel, names[i]);
		ck_assert_str_eq(heard->payload, "");
	}
	/* And when all are listened to again. */
	terminate();
	must_hear(NULL, NULL);
	for (int i = 0; i < COUNT(names); i++)
		notify(names[i], "again");
	for (int i = 0; i < COUNT(names); i++)
		must_hear(names[i], "again");
	kn_end(cx);
}
END_TEST

START_TEST(refuses_other_names)
{
	kn_ctx *cx = kn_begin(db);
	char name[65];

	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	ck_assert_int_eq(kn_listen(listener, name), KN_USAGE);
	ck_assert_ptr_nonnull(strstr(kn_listener_error(listener)->message, "63"));
	ck_assert_int_eq(kn_listen(listener, ""), KN_USAGE);
	ck_assert_int_eq(kn_listen(listener, NULL), KN_USAGE);
	ck_assert_int_eq(kn_unlisten(listener, NULL), KN_USAGE);
	EXPECT(cx, kn_notify(cx, name, ""), KN_USAGE);
	EXPECT(cx, kn_notify(cx, "", ""), KN_USAGE);
	EXPECT(cx, kn_notify(cx, NULL, ""), KN_USAGE);
	name[63] = '\0';
	MUST(kn_listen(listener, name));
	EXPECT_OK(cx, kn_notify(cx, name, "x"));
	notify(name, "y");
	MUST(kn_next_notification(listener, PATIENCE_MS, &(const kn_notification *){ NULL }));
	must_hear(name, "y");
	kn_end(cx);
}
END_TEST

static kn_status
notify_body(kn_ctx *cx, void *argument)
{
	const kn_notification *heard;
	char payload[8001];

	memset(payload, 'x', sizeof(payload));
	payload[sizeof(payload) - 1] = '\0';
	EXPECT_OK(cx, kn_notify(cx, "one", "committed"));
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	/* It is refused before the transaction has anything of it. */
	EXPECT(cx, kn_notify(cx, "one", payload), KN_DATA);
	return *(kn_status *) argument;
}

START_TEST(notifies_at_commit)
{
	kn_ctx *cx = kn_begin(db);
	kn_status end = KN_CONFLICT;
	const kn_notification *heard;

	MUST(kn_listen(listener, "one"));
	EXPECT(cx, kn_transact(cx, notify_body, &end), KN_CONFLICT);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	end = KN_OK;
	EXPECT_OK(cx, kn_transact(cx, notify_body, &end));
	MUST(kn_next_notification(listener, PATIENCE_MS, &heard));
	ck_assert_str_eq(heard->payload, "committed");
	look_do(look, "BEGIN");
	notify("one", "late");
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	look_do(look, "COMMIT");
	must_hear("one", "late");
	must_not_hear();
	kn_end(cx);
}
END_TEST

START_TEST(no_longer)
{
	MUST(kn_listen(listener, "one"));
	MUST(kn_listen(listener, "two"));
	notify("one", "a");
	MUST(kn_unlisten(listener, "one"));
	MUST(kn_unlisten(listener, "three"));
	notify("one", "b");
	notify("two", "c");
	/* What was notified before is handed out. */
	must_hear("one", "a");
	must_hear("two", "c");
	terminate();
	must_hear(NULL, NULL);
	notify("one", "d");
	notify("two", "e");
	must_hear("two", "e");
	must_not_hear();
}
END_TEST

START_TEST(is_woken)
{
	const kn_notification *heard;
	pthread_t thread;

	MUST(kn_listen(listener, "one"));
	ck_assert_int_eq(pthread_create(&thread, NULL, wake_it, look), 0);
	ck_assert_int_eq(kn_next_notification(listener, -1, &heard), KN_CANCELED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	/* One that came too early is not lost, and many are one. */
	kn_wake_listener(listener);
	kn_wake_listener(listener);
	MUST(kn_listen(listener, "two"));
	ck_assert_int_eq(kn_next_notification(listener, -1, &heard), KN_CANCELED);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	notify("two", "a");
	must_hear("two", "a");
	ck_assert_uint_eq(stats_of(db).total, 0);
	kn_wake_listener(NULL);
}
END_TEST

static void *
close_it(void *argument)
{
	kn_db *closing = argument;

	ck_assert_int_eq(kn_close(closing, 1000), KN_OK);
	return NULL;
}

START_TEST(outlives_its_handle)
{
	const kn_notification *heard;
	kn_listener *other;
	pthread_t thread;

	MUST(kn_listen(listener, "one"));
	ck_assert_int_eq(kn_open_listener(&other, db, NULL), KN_OK);
	notify("one", "a");
	ck_assert_int_eq(pthread_create(&thread, NULL, close_it, db), 0);
	while (kn_next_notification(listener, -1, &heard) == KN_OK)
		ck_assert_str_eq(heard->payload, "a");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(kn_listener_error(listener)->status, KN_CLOSED);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_CLOSED);
	ck_assert_int_eq(kn_listen(listener, "two"), KN_CLOSED);
	ck_assert_int_eq(kn_unlisten(listener, "one"), KN_CLOSED);
	ck_assert_int_eq(kn_listen(other, "one"), KN_CLOSED);
	kn_close_listener(other);
	kn_close_listener(listener);
	kn_close_listener(NULL);
	PQfinish(look);
	set_up();
}
END_TEST

typedef struct waiter
{
	kn_listener *listener;
	_Atomic(bool) has_begun; /* and has seen that the handle is open */
	_Atomic(bool) is_over;
	kn_status status;
} waiter;

static _Thread_local bool is_waiting;

/* How long it may wait is reckoned once it is known that it may wait at all. */
static int64_t
read_by_waiter(void *user)
{
	struct timespec now;

	if (is_waiting)
		((waiter *) user)->has_begun = true;
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *
wait_for_ever(void *argument)
{
	const kn_notification *heard;
	waiter *w = argument;

	is_waiting = true;
	w->status = kn_next_notification(w->listener, -1, &heard);
	w->is_over = true;
	return NULL;
}

/* Whether it waits for a word, or until it may try again to connect. */
START_TEST(is_told_of_the_end_while_it_waits)
{
	waiter w = { .listener = NULL };
	const kn_clock clock = { .monotonic = read_by_waiter, .user = &w };
	kn_db *closing;
	pthread_t thread;

	OPEN(closing,
		 .listen_conninfo = _i == 0 ? listens_by() : "host=/nowhere",
		 .retry_base_ms = 3600000,
		 .retry_cap_ms = 3600000,
		 .clock = &clock);
	ck_assert_int_eq(kn_open_listener(&w.listener, closing, NULL), KN_OK);
	if (_i == 0)
		ck_assert_int_eq(kn_listen(w.listener, "one"), KN_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_ever, &w), 0);
	while (!w.has_begun)
		(void) poll(NULL, 0, 1);
	ck_assert_int_eq(kn_close(closing, 1000), KN_OK);
	for (int i = 0; i < PATIENCE_MS && !w.is_over; i++)
		(void) poll(NULL, 0, 1);
	ck_assert_msg(w.is_over, "it waits for ever");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(w.status, KN_CLOSED);
	kn_close_listener(w.listener);
}
END_TEST

static int64_t
stand_still(void *user)
{
	(void) user;
	return INT64_C(1000000000000);
}

/* Listeners that have lost the same server do not come back in the same moment. */
START_TEST(pauses_as_no_other)
{
	const kn_clock clock = { .monotonic = stand_still };
	const kn_notification *heard;
	int64_t pauses[4];
	int different = 0;
	kn_db *own;

	OPEN(own,
		 .listen_conninfo = "host=/nowhere",
		 .retry_base_ms = 1000,
		 .retry_cap_ms = 1000,
		 .clock = &clock);
	for (int i = 0; i < COUNT(pauses); i++)
	{
		kn_listener *one;

		ck_assert_int_eq(kn_open_listener(&one, own, NULL), KN_OK);
		ck_assert_int_eq(kn_next_notification(one, 0, &heard), KN_TIMEOUT);
		pauses[i] = one->retry_at - stand_still(NULL);
		ck_assert(pauses[i] >= 0 && pauses[i] <= 1000 * KN__NS_PER_MS);
		different += pauses[i] != pauses[0];
		kn_close_listener(one);
	}
	ck_assert_int_gt(different, 0);
	ck_assert_int_eq(kn_close(own, 1000), KN_OK);
}
END_TEST

START_TEST(is_the_parents_own)
{
	const kn_notification *heard;
	pid_t child;
	int result;

	MUST(kn_listen(listener, "one"));
	child = fork();
	if (child == 0)
	{
		int bad = 0;

		kn_wake_listener(listener);
		bad += kn_next_notification(listener, 0, &heard) != KN_FORKED;
		bad += kn_listen(listener, "two") != KN_FORKED;
		bad += kn_unlisten(listener, "one") != KN_FORKED;
		bad += kn_open_listener(&(kn_listener *){ NULL }, db, NULL) != KN_FORKED;
		kn_close_listener(listener);
		bad += kn_close(db, 0) != KN_OK;
		_exit(bad);
	}
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	notify("one", "a");
	must_hear("one", "a");
}
END_TEST

static void
use_all(const failing *f)
{
	char why[256];
	const kn_notification *heard;
	kn_db *own;
	kn_listener *mine = NULL;
	kn_status status = kn_open(&own,
							   why,
							   sizeof(why),
							   .conninfo = "application_name=kn_calls",
							   .listen_conninfo = is_pooled() ? getenv("KN_TEST_DIRECT") : NULL,
							   .allocator = &f->allocator);

	if (status == KN_OK)
		status = kn_open_listener(&mine, own, NULL);
	if (status == KN_OK)
		status = kn_listen(mine, "one");
	if (status == KN_OK)
	{
		terminate();
		status = kn_next_notification(mine, PATIENCE_MS, &heard);
		ck_assert(status == KN_OK ? heard->is_gap : status == KN_NO_MEMORY);
		/* Memory that is there again is all it takes. */
		if (status == KN_NO_MEMORY && f->fails_at != 0 && !f->stays)
			ck_assert_int_eq(kn_next_notification(mine, PATIENCE_MS, &heard), KN_OK);
	}
	ck_assert(status == KN_OK || status == KN_NO_MEMORY);
	kn_close_listener(mine);
	ck_assert_int_eq(kn_close(own, 1000), KN_OK);
}

START_TEST(without_memory)
{
	long most;

	kn_close_listener(listener);
	listener = NULL;
	for (long at = 0;; at++)
	{
		failing f;

		failing_init(&f, at, false);
		use_all(&f);
		ck_assert(failing_is_even(&f));
		if (at == 0)
			most = f.calls;
		if (at == most)
			break;
	}
	ck_assert_int_gt(most, 10);
}
END_TEST

START_TEST(refuses_a_pooler)
{
	const kn_notification *heard;
	kn_listener *own;
	kn_db *through;

	OPEN(through, .pgbouncer = KN_ON);
	ck_assert_int_eq(kn_open_listener(&own, through, NULL), KN_OK);
	ck_assert_int_eq(kn_listen(own, "one"), KN_CONFIG);
	ck_assert_ptr_nonnull(strstr(kn_listener_error(own)->message, "listen_conninfo"));
	kn_close_listener(own);
	ck_assert_int_eq(kn_close(through, 1000), KN_OK);
	if (!is_pooled())
		return;
	OPEN(through, .max_connections = 1);
	ck_assert_int_eq(kn_open_listener(&own, through, NULL), KN_OK);
	for (int i = 0; i < 2; i++)
	{
		ck_assert_int_eq(kn_listen(own, "one"), KN_CONFIG);
		ck_assert_ptr_nonnull(strstr(kn_listener_error(own)->message, "pooler"));
		ck_assert_ptr_nonnull(strstr(kn_listener_error(own)->message, "listen_conninfo"));
		ck_assert_int_eq(kn_next_notification(own, -1, &heard), KN_CONFIG);
	}
	kn_close_listener(own);
	ck_assert_int_eq(kn_close(through, 1000), KN_OK);
	/* Nor where the conninfo for listeners leads to one. */
	OPEN(through, .listen_conninfo = named_port());
	ck_assert_int_eq(kn_open_listener(&own, through, NULL), KN_OK);
	ck_assert_int_eq(kn_listen(own, "one"), KN_CONFIG);
	kn_close_listener(own);
	ck_assert_int_eq(kn_close(through, 1000), KN_OK);
}
END_TEST

START_TEST(refuses_nonsense)
{
	const struct
	{
		kn_listener_options options;
		int64_t more;
	} later = { .options = { .size = sizeof(later) }, .more = 1 };
	const kn_notification *heard;
	kn_listener *own = listener;
	kn_listener_options none = { 0 };

	ck_assert_int_eq(kn_open_listener(NULL, db, NULL), KN_USAGE);
	ck_assert_int_eq(kn_open_listener(&own, NULL, NULL), KN_USAGE);
	ck_assert_ptr_null(own);
	ck_assert_int_eq(kn_open_listener(&own, db, &none), KN_USAGE);
	/* Of a later version, with something in it that this one cannot do. */
	ck_assert_int_eq(kn_open_listener(&own, db, &later.options), KN_USAGE);
	ck_assert_int_eq(kn_listen(NULL, "one"), KN_USAGE);
	ck_assert_int_eq(kn_unlisten(NULL, "one"), KN_USAGE);
	ck_assert_int_eq(kn_next_notification(NULL, 0, &heard), KN_USAGE);
	ck_assert_int_eq(kn_next_notification(listener, 0, NULL), KN_USAGE);
	ck_assert_int_eq(kn_listener_fd(NULL), -1);
	ck_assert_ptr_nonnull(kn_listener_error(NULL));
	ck_assert_int_eq(kn_notify(NULL, "one", ""), KN_NO_MEMORY);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, hears);
	tcase_add_test(tcase, takes_any_name);
	tcase_add_test(tcase, refuses_other_names);
	tcase_add_test(tcase, notifies_at_commit);
	tcase_add_test(tcase, no_longer);
	tcase_add_test(tcase, is_woken);
	tcase_add_test(tcase, outlives_its_handle);
	tcase_add_loop_test(tcase, is_told_of_the_end_while_it_waits, 0, 2);
	tcase_add_test(tcase, pauses_as_no_other);
	QUICK_ONLY(tcase, is_the_parents_own, LEAVES_MEMORY);
	tcase_add_test(tcase, without_memory);
	tcase_add_test(tcase, refuses_a_pooler);
	tcase_add_test(tcase, refuses_nonsense);
}

int
main(void)
{
	return suite_run("listen", fill);
}
