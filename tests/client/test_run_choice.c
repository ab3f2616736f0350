/*
 * test_run_choice.c
 *		Which server a call goes to: whoever is fit for it, in turns.
 */
#include <string.h>

#include "base/cond.h"
#include "run/run.h"
#include "suite.h"

#define SERVERS 4

static kn_db db;
static kn__server servers[SERVERS];
static kn_ctx cx;

/* A primary, and replicas that have all there is. */
static void
set_up(void)
{
	const kn__breaker_options options = { .failure_percent = 50,
										  .window_seconds = 10,
										  .calls = 10,
										  .probes = 1,
										  .open_ns = KN__NS_PER_S };

	memset(&db, 0, sizeof(db));
	memset(servers, 0, sizeof(servers));
	memset(&cx, 0, sizeof(cx));
	cx.db = &db;
	(void) pthread_mutex_init(&db.lock, NULL);
	kn__cond_init(&db.woken);
	db.servers = servers;
	db.server_count = SERVERS;
	db.config.lag_ms = -1;
	for (int i = 0; i < SERVERS; i++)
	{
		kn__breaker_init(&servers[i].breaker, &options);
		servers[i].db = &db;
		servers[i].is_known = true;
		servers[i].is_primary = i == 0;
		servers[i].replayed = 100;
	}
}

static void
tear_down(void)
{
	for (int i = 0; i < SERVERS; i++)
		kn__breaker_release(&servers[i].breaker);
	(void) pthread_cond_destroy(&db.woken);
	(void) pthread_mutex_destroy(&db.lock);
}

/* -1: none, and nothing else is the reason. */
static int
choose(bool is_read, int except)
{
	kn_status status;
	const kn__server *chosen =
		kn__route(&cx, is_read, except < 0 ? NULL : &servers[except], &status);

	ck_assert_int_eq(status, chosen == NULL ? KN_UNAVAILABLE : KN_OK);
	return chosen == NULL ? -1 : (int) (chosen - servers);
}

/* How the turns are, where so many of the servers are no replicas that serve. */
START_TEST(takes_turns_evenly)
{
	int turns[SERVERS] = { 0 };
	int fit = 0;

	for (int i = 0; i < SERVERS; i++)
	{
		servers[i].is_known = (_i >> i & 1) == 0;
		fit += i > 0 && servers[i].is_known;
	}
	for (int i = 0; i < 600; i++)
	{
		int chosen = choose(true, -1);

		ck_assert_int_ge(chosen, 0);
		turns[chosen]++;
	}
	for (int i = 1; i < SERVERS; i++)
		ck_assert_int_eq(turns[i], servers[i].is_known ? 600 / fit : 0);
	ck_assert_int_eq(turns[0], fit == 0 ? 600 : 0);
}
END_TEST

START_TEST(spares_the_one_of_before)
{
	for (int i = 0; i < 30; i++)
	{
		ck_assert_int_ne(choose(true, 2), 2);
		ck_assert_int_gt(choose(true, 2), 0);
	}
	servers[1].is_known = servers[3].is_known = false;
	ck_assert_int_eq(choose(true, 2), 0);
	cx.route = KN_ROUTE_REPLICA;
	ck_assert_int_eq(choose(true, 2), 2);
	servers[2].is_known = false;
	ck_assert_int_eq(choose(true, 2), -1);
}
END_TEST

START_TEST(asks_who_has_it)
{
	cx.min_lsn = 101;
	ck_assert_int_eq(choose(true, -1), 0);
	servers[3].replayed = 101;
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(choose(true, -1), 3);
	db.config.lag_ms = 10;
	servers[3].lag_us = 10001;
	ck_assert_int_eq(choose(true, -1), 0);
}
END_TEST

START_TEST(writes_to_the_primary)
{
	ck_assert_int_eq(choose(false, -1), 0);
	ck_assert_int_eq(choose(false, 0), 0);
	cx.route = KN_ROUTE_PRIMARY;
	ck_assert_int_eq(choose(true, -1), 0);
}
END_TEST

/* What is to be kept comes from the primary, if that is there, and was not tried just now. */
START_TEST(reads_what_is_fresh_where_that_is_to_be_had)
{
	cx.wants_fresh = true;
	ck_assert_int_eq(choose(true, -1), 0);
	ck_assert_int_gt(choose(true, 0), 0);
	servers[0].is_known = false;
	ck_assert_int_gt(choose(true, -1), 0);
	for (int i = 1; i < SERVERS; i++)
		servers[i].is_known = false;
	ck_assert_int_eq(choose(true, -1), 0);
}
END_TEST

/* A standby is asked in place of a primary, but not for what it does not have. */
START_TEST(reads_nothing_stale_without_a_primary)
{
	servers[0].is_primary = false;
	servers[0].is_known = false;
	servers[0].timeline = 2;
	ck_assert_int_gt(choose(true, -1), 0);
	cx.min_lsn = 101;
	cx.wants_fresh = _i == 1;
	ck_assert_int_eq(choose(true, -1), -1);
	/* The server itself refuses that. */
	ck_assert_int_eq(choose(false, -1), 0);
	servers[3].replayed = 101;
	ck_assert_int_eq(choose(true, -1), 3);
	servers[3].is_known = false;
	ck_assert_int_eq(choose(true, -1), -1);
	cx.min_lsn = UINT64_MAX;
	ck_assert_int_eq(choose(true, -1), -1);
	cx.min_lsn = 0;
	for (int i = 0; i < SERVERS; i++)
		servers[i].is_known = false;
	ck_assert_int_eq(choose(true, -1), 0);
	cx.route = KN_ROUTE_PRIMARY;
	ck_assert_int_eq(choose(true, -1), -1);
	ck_assert_int_eq(choose(false, -1), 0);
}
END_TEST

/* It takes writes, and they are lost. */
START_TEST(writes_to_none_that_were_left_behind)
{
	db.newest_primary = 3;
	for (int i = 0; i < SERVERS; i++)
	{
		servers[i].timeline = i == 3 ? 0 : 2;
		servers[i].is_primary = true;
	}
	ck_assert_int_eq(choose(false, -1), -1);
	ck_assert_int_eq(choose(true, -1), -1);
	servers[2].is_primary = false;
	ck_assert_int_eq(choose(false, -1), 2);
	servers[3].timeline = 3;
	ck_assert_int_eq(choose(false, -1), 3);
}
END_TEST

/* The newest timeline's, also while that is away; of one timeline the one that is there. */
START_TEST(does_not_fall_back_to_an_older_timeline)
{
	servers[0].timeline = 1;
	servers[1].timeline = servers[2].timeline = 2;
	servers[1].is_primary = servers[2].is_primary = true;
	servers[2].is_known = false;
	ck_assert_int_eq(choose(false, -1), 1);
	servers[1].is_known = false;
	servers[2].is_known = true;
	ck_assert_int_eq(choose(false, -1), 2);
	servers[2].is_known = false;
	ck_assert_int_gt(choose(false, -1), 0);
	/* One that says of itself that it is none can do no harm. */
	servers[1].is_primary = servers[2].is_primary = false;
	db.newest_primary = 2;
	ck_assert_int_gt(choose(false, -1), 0);
	ck_assert_int_lt(choose(false, -1), 3);
}
END_TEST

/* Nor where the primary is none any more, and the next one is not known yet. */
START_TEST(remembers_the_newest_timeline)
{
	db.newest_primary = 2;
	db.newest_server = &servers[2];
	servers[0].timeline = 1;
	servers[1].timeline = servers[2].timeline = 2;
	ck_assert_int_gt(choose(false, -1), 0);
	ck_assert(!kn__route_is_left_behind(&servers[1]));
	ck_assert(kn__route_is_comparable(&servers[2]));
	servers[2].is_primary = true;
	ck_assert_int_eq(choose(false, -1), 2);
	/* Whatever it says then: it may have no note of it, or may not be asked. */
	servers[2].is_primary = false;
	servers[1].timeline = servers[2].timeline = _i;
	ck_assert_int_gt(choose(false, -1), 0);
	/* That somebody says that the pool is to be made anew does not mean that one is gone. */
	for (int i = 1; i < SERVERS; i++)
	{
		servers[i].timeline = 2;
		kn__route_forget(&servers[i]);
	}
	ck_assert_int_gt(choose(false, -1), 0);
	/* Nor does it that another one is, or that it does not answer. */
	kn__route_lose(&servers[1], true);
	kn__route_lose(&servers[2], false);
	kn__route_forget(&servers[2]);
	ck_assert_int_gt(choose(false, -1), 0);
	kn__route_lose(&servers[2], true);
	ck_assert_int_eq(choose(false, -1), 0);
	ck_assert(kn__route_is_left_behind(&servers[3]));
}
END_TEST

/* It is another cluster by now, whose timelines begin at 1. */
START_TEST(comes_to_terms_with_what_was_made_anew)
{
	for (int i = 1; i < SERVERS; i++)
		servers[i].timeline = 5;
	kn__route_find(&servers[0], 5);
	ck_assert_int_eq(choose(false, -1), 0);
	kn__route_find(&servers[0], 1);
	ck_assert_int_gt(choose(false, -1), 0);
	db.older_since -= 61 * KN__NS_PER_S;
	kn__route_find(&servers[1], 1);
	ck_assert_int_gt(choose(false, -1), 0);
	kn__route_find(&servers[0], 1);
	ck_assert_int_eq(choose(false, -1), 0);
}
END_TEST

/* However long it is away, and whatever the others are: it has been the newest, and is a standby.
 */
START_TEST(is_not_talked_out_of_the_newest)
{
	servers[2].is_primary = true;
	kn__route_find(&servers[2], 2);
	servers[2].is_primary = false;
	kn__route_lose(&servers[2], true);
	for (int i = 0; i < 2; i++)
	{
		kn__route_find(&servers[0], 1);
		kn__route_find(&servers[1], 1);
		kn__route_find(&servers[3], 2);
		kn__route_find(&servers[2], _i == 0 ? 2 : 0);
		ck_assert_int_ne(choose(false, -1), 0);
		db.older_since -= 61 * KN__NS_PER_S;
	}
	/* Made anew as a standby of the first one it says so itself. */
	kn__route_find(&servers[2], 2);
	kn__route_find(&servers[2], 1);
	ck_assert_int_ne(choose(false, -1), 0);
	db.older_since -= 61 * KN__NS_PER_S;
	kn__route_find(&servers[2], 1);
	ck_assert_int_eq(choose(false, -1), 0);
	/* The next one that is seen is the newest. */
	kn__route_find(&servers[0], 1);
	ck_assert_int_eq(db.newest_primary, 1);
}
END_TEST

/* The timeline of a standby not everybody may ask for. */
START_TEST(believes_who_makes_the_pool_anew)
{
	servers[2].is_primary = true;
	kn__route_find(&servers[2], 2);
	servers[2].is_primary = false;
	kn__route_find(&servers[0], 1);
	for (int i = 0; i < SERVERS; i++)
		kn__route_forget(&servers[i]);
	kn__route_find(&servers[2], 2);
	ck_assert_int_ne(choose(false, -1), 0);
	kn__route_forget(&servers[2]);
	kn__route_find(&servers[1], 0);
	ck_assert_int_ne(choose(false, -1), 0);
	kn__route_find(&servers[2], 0);
	ck_assert_int_eq(choose(false, -1), 0);
}
END_TEST

/* On an older one, or on a newer, which the primary that is there is not on: by a failover back. */
START_TEST(leaves_those_of_other_timelines_behind)
{
	servers[0].timeline = 2;
	for (int i = 1; i < SERVERS; i++)
		servers[i].timeline = i;
	ck_assert(kn__route_is_left_behind(&servers[1]));
	ck_assert(!kn__route_is_left_behind(&servers[2]));
	ck_assert(kn__route_is_left_behind(&servers[3]));
	ck_assert(!kn__route_is_left_behind(&servers[0]));
	ck_assert(kn__route_is_comparable(&servers[2]));
	/* Who is ahead may follow the next primary already, as this one is gone. */
	servers[0].is_known = false;
	ck_assert(kn__route_is_left_behind(&servers[1]));
	ck_assert(!kn__route_is_left_behind(&servers[3]));
	/* But what it has is not what was asked for. */
	ck_assert(!kn__route_is_comparable(&servers[3]));
	/* Without any primary the newest counts, be it the first or not. */
	servers[0].is_known = true;
	servers[0].is_primary = false;
	ck_assert(kn__route_is_left_behind(&servers[0]));
	ck_assert(kn__route_is_left_behind(&servers[2]));
	ck_assert(!kn__route_is_left_behind(&servers[3]));
	servers[3].is_known = false;
	ck_assert(kn__route_is_left_behind(&servers[2]));
	servers[3].is_known = servers[0].is_primary = true;
	/* Nobody has said. */
	servers[3].timeline = 0;
	ck_assert(!kn__route_is_left_behind(&servers[3]));
	ck_assert(kn__route_is_comparable(&servers[3]));
}
END_TEST

/* The primary has never been seen, or was forgotten: the newest of the others counts. */
START_TEST(leaves_the_others_behind_without_a_primary)
{
	servers[0].is_known = false;
	servers[0].timeline = _i == 0 ? 0 : 2;
	servers[0].is_primary = _i == 0;
	for (int i = 1; i < SERVERS; i++)
		servers[i].timeline = i == 1 ? 1 : 2;
	ck_assert(kn__route_is_left_behind(&servers[1]));
	ck_assert(!kn__route_is_comparable(&servers[1]));
	for (int i = 2; i < SERVERS; i++)
	{
		ck_assert(!kn__route_is_left_behind(&servers[i]));
		ck_assert(kn__route_is_comparable(&servers[i]));
	}
	/* Also while those cannot be reached, unless somebody says that they are gone. */
	for (int i = 0; i < SERVERS; i++)
	{
		if (i != 1)
			kn__route_lose(&servers[i], true);
	}
	ck_assert(kn__route_is_left_behind(&servers[1]));
	for (int i = 0; i < SERVERS; i++)
		kn__route_forget(&servers[i]);
	ck_assert(!kn__route_is_left_behind(&servers[1]));
	ck_assert(kn__route_is_comparable(&servers[1]));
}
END_TEST

START_TEST(looks_again_where_nobody_else_does)
{
	ck_assert_int_eq(kn__route_pace(&servers[1], -1), -1);
	ck_assert_int_eq(kn__route_pace(&servers[1], 60000), 60000);
	servers[1].lag_us = -1;
	ck_assert_int_eq(kn__route_pace(&servers[1], -1), 1000);
	ck_assert_int_eq(kn__route_pace(&servers[1], 100), 100);
	servers[1].is_known = false;
	ck_assert_int_eq(kn__route_pace(&servers[1], -1), 10000);
	ck_assert_int_eq(kn__route_pace(&servers[1], 60000), 10000);
	ck_assert_int_eq(kn__route_pace(&servers[1], 2000), 2000);
}
END_TEST

START_TEST(is_left_only_if_it_can_be_asked)
{
	servers[1].lag_us = -1;
	ck_assert(kn__route_is_left(&servers[1]));
	ck_assert(!kn__route_is_left(&servers[2]));
	servers[0].lag_us = -1;
	ck_assert(!kn__route_is_left(&servers[0]));
	servers[1].is_known = false;
	ck_assert(!kn__route_is_left(&servers[1]));
}
END_TEST

/* Writes of a new handle, until somebody has seen all servers. */
static void *
meet(void *argument)
{
	for (int i = 0; i < SERVERS; i++)
		kn__route_note_met(argument);
	return NULL;
}

START_TEST(waits_for_the_first_look)
{
	int64_t began = kn__now(NULL);
	pthread_t thread;

	cx.wait.deadline = KN__NEVER;
	atomic_store(&db.first_look_by, kn__now(NULL) + 60 * KN__NS_PER_S);
	ck_assert_int_eq(pthread_create(&thread, NULL, meet, &db), 0);
	ck_assert_int_eq(kn__route_await(&cx), KN_OK);
	ck_assert_int_eq(atomic_load(&db.first_look_by), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	/* No longer than that, and half of what time there is. */
	db.met = 0;
	atomic_store(&db.first_look_by, kn__now(NULL) + 10 * KN__NS_PER_MS);
	ck_assert_int_eq(kn__route_await(&cx), KN_OK);
	ck_assert_int_ge(kn__now(NULL), atomic_load(&db.first_look_by));
	atomic_store(&db.first_look_by, kn__now(NULL) + 600 * KN__NS_PER_S);
	cx.wait.deadline = kn__now(NULL) + 40 * KN__NS_PER_MS;
	ck_assert_int_eq(kn__route_await(&cx), KN_OK);
	ck_assert_int_ge(kn__now(NULL), cx.wait.deadline - 21 * KN__NS_PER_MS);
	ck_assert_int_lt(kn__now(NULL) - began, 60 * KN__NS_PER_S);
	cx.wait.deadline = kn__now(NULL) - KN__NS_PER_S;
	ck_assert_int_eq(kn__route_await(&cx), KN_OK);
}
END_TEST

START_TEST(waits_for_nothing_once_it_is_over)
{
	cx.wait.deadline = KN__NEVER;
	atomic_store(&db.first_look_by, kn__now(NULL) + 600 * KN__NS_PER_S);
	cx.is_cancelled = true;
	ck_assert_int_eq(kn__route_await(&cx), KN_CANCELED);
	cx.is_cancelled = false;
	atomic_store(&db.is_closing, true);
	ck_assert_int_eq(kn__route_await(&cx), KN_CLOSED);
	ck_assert_str_eq(cx.fault.error.message, kn_status_text(KN_CLOSED));
}
END_TEST

/* What can be reached is not forgotten. */
START_TEST(forgets_who_is_gone)
{
	servers[1].timeline = servers[2].timeline = 2;
	kn__route_lose(&servers[2], true);
	kn__route_forget(&servers[1]);
	kn__route_forget(&servers[2]);
	ck_assert_int_eq(servers[1].timeline, 2);
	ck_assert_int_eq(servers[2].timeline, 0);
	/* Nobody knew yet that it was gone. */
	servers[3].timeline = 2;
	kn__route_lose(&servers[3], true);
	ck_assert_int_eq(servers[3].timeline, 2);
	kn__route_lose(&servers[1], false);
	ck_assert_int_eq(servers[1].timeline, 2);
	ck_assert(!servers[1].is_known);
	kn__route_lose(&servers[1], true);
	ck_assert_int_eq(servers[1].timeline, 0);
	kn__route_find(&servers[1], 3);
	ck_assert_int_eq(db.newest_primary, 0);
	kn__route_lose(&servers[1], true);
	ck_assert_int_eq(servers[1].timeline, 3);
	kn__route_find(&servers[0], 3);
	ck_assert_int_eq(db.newest_primary, 3);
	ck_assert(servers[0].is_known);
	ck_assert(!servers[1].is_known);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, takes_turns_evenly, 0, 1 << SERVERS);
	tcase_add_test(tcase, spares_the_one_of_before);
	tcase_add_test(tcase, asks_who_has_it);
	tcase_add_test(tcase, writes_to_the_primary);
	tcase_add_test(tcase, does_not_fall_back_to_an_older_timeline);
	tcase_add_loop_test(tcase, reads_nothing_stale_without_a_primary, 0, 2);
	tcase_add_test(tcase, writes_to_none_that_were_left_behind);
	tcase_add_test(tcase, believes_who_makes_the_pool_anew);
	tcase_add_loop_test(tcase, is_not_talked_out_of_the_newest, 0, 2);
	tcase_add_test(tcase, waits_for_the_first_look);
	tcase_add_test(tcase, waits_for_nothing_once_it_is_over);
	tcase_add_loop_test(tcase, remembers_the_newest_timeline, 0, 3);
	tcase_add_test(tcase, comes_to_terms_with_what_was_made_anew);
	tcase_add_test(tcase, looks_again_where_nobody_else_does);
	tcase_add_test(tcase, forgets_who_is_gone);
	tcase_add_loop_test(tcase, leaves_the_others_behind_without_a_primary, 0, 2);
	tcase_add_test(tcase, is_left_only_if_it_can_be_asked);
	tcase_add_test(tcase, leaves_those_of_other_timelines_behind);
	tcase_add_test(tcase, reads_what_is_fresh_where_that_is_to_be_had);
}

int
main(void)
{
	return suite_run("run_choice", fill);
}
