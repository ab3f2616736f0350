/*
 * test_run_pool_wait.c
 *		Waiting for a connection: whose turn it is, for how long, and why it ends.
 */
#include "pool_fake.h"

#define TAKERS 6

START_TEST(first_come_first_served)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker takers[TAKERS];

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	for (int i = 0; i < TAKERS; i++)
		taker_queue(&takers[i], pool, KN__NEVER);
	fake_advance(&f, pool, 2);
	for (int i = 0; i < TAKERS; i++)
	{
		give(pool, member);
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
		ck_assert_ptr_eq(takers[i].member, member);
		ck_assert_int_eq(pool_stats(pool).waiting, TAKERS - 1 - i);
	}
	give(pool, member);
	ck_assert_int_eq(pool_stats(pool).waits, TAKERS + 1);
	fake_end(&f, pool);
}
END_TEST

/* It is never idle in between, so nobody can come in from the side. */
START_TEST(who_waited_for_long_is_handed_it)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	kn__member *mine;
	kn__fault fault;
	taker other;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	/* In the moment between, if there were one, who waits may be the faster one now and then. */
	for (int i = 0; i < 200; i++)
	{
		member = take(pool);
		taker_queue(&other, pool, KN__NEVER);
		fake_advance(&f, pool, 1);
		give(pool, member);
		ck_assert_int_eq(kn__pool_take(pool, 0, "test.c", 1, NULL, &mine, &fault), KN_TIMEOUT);
		ck_assert_int_eq(taker_join(&other), KN_OK);
		give(pool, member);
	}
	fake_end(&f, pool);
}
END_TEST

/* Below a millisecond either may have it; the other one gets it then. */
START_TEST(who_waits_since_now_may_be_overtaken)
{
	for (int i = 0; i < 50; i++)
	{
		fake f;
		kn__pool *pool;
		kn__member *member;
		kn__member *mine;
		kn__fault fault;
		taker other;

		fake_init(&f, 1);
		pool = fake_pool(&f);
		member = take(pool);
		taker_queue(&other, pool, KN__NEVER);
		give(pool, member);
		if (kn__pool_take(pool, 0, "test.c", 1, NULL, &mine, &fault) == KN_OK)
			give(pool, mine);
		ck_assert_int_eq(taker_join(&other), KN_OK);
		give(pool, member);
		ck_assert_int_eq(f.opened, 1);
		fake_end(&f, pool);
	}
}
END_TEST

START_TEST(what_was_handed_over_is_looked_at_too)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;
	taker third;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	taker_queue(&other, pool, KN__NEVER);
	taker_queue(&third, pool, KN__NEVER);
	fake_advance(&f, pool, 2);
	atomic_store(&((fake_member *) member)->is_dead, true);
	give(pool, member);
	ck_assert_int_eq(taker_join(&other), KN_OK); /* it has not lost its place */
	ck_assert_int_eq(serial_of(other.member), 2);
	give(pool, other.member);
	ck_assert_int_eq(taker_join(&third), KN_OK);
	give(pool, third.member);
	ck_assert_int_eq(pool_stats(pool).closed_broken, 1);
	fake_end(&f, pool);
}
END_TEST

/* What comes back broken is no loss to those who wait: another one is opened. */
START_TEST(a_broken_one_is_replaced_for_a_waiter)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	taker_queue(&other, pool, KN__NEVER);
	kn__pool_give(pool, member, KN__GIVE_BROKEN);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	ck_assert_int_eq(serial_of(other.member), 2);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

START_TEST(no_more_than_max_waiters)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker takers[3];
	taker refused;

	fake_init(&f, 1);
	f.options.max_waiters = 3;
	pool = fake_pool(&f);
	member = take(pool);
	for (int i = 0; i < 3; i++)
		taker_queue(&takers[i], pool, KN__NEVER);
	taker_start(&refused, pool, KN__NEVER);
	ck_assert_int_eq(taker_join(&refused), KN_POOL_FULL);
	ck_assert_ptr_null(refused.member);
	ck_assert_str_eq(refused.fault.error.message, "3 callers wait for a connection already");
	ck_assert_int_eq(strncmp(refused.fault.error.detail, "test.c:", 7), 0);
	ck_assert_int_eq(pool_stats(pool).refused, 1);
	fake_advance(&f, pool, 2);
	for (int i = 0; i < 3; i++)
	{
		give(pool, member);
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
	}
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

/* The pool's patience or the caller's deadline, whichever ends first. */
static const struct
{
	int64_t acquire_ms;
	int64_t deadline_ms; /* from now on; -1: none */
	int64_t after_ms;
	kn_status expected;
	const char *message;
} endings[] = {
	{ 100, -1, 100, KN_POOL_TIMEOUT, "no connection became free in 100 ms: 2 of 2 are in use" },
	{ 100, 100, 100, KN_POOL_TIMEOUT, "no connection became free in 100 ms: 2 of 2 are in use" },
	{ 100, 99, 99, KN_TIMEOUT, "the deadline was over after waiting 99 ms for a connection" },
	{ -1, 250, 300, KN_TIMEOUT, "the deadline was over after waiting 300 ms for a connection" },
	{ 300, 250, 300, KN_TIMEOUT, "the deadline was over after waiting 300 ms for a connection" },
	{ -1, 0, 0, KN_TIMEOUT, "the deadline was over after waiting 0 ms for a connection" },
};

START_TEST(the_end_of_patience)
{
	fake f;
	kn__pool *pool;
	kn__member *one;
	kn__member *two;
	taker other;
	char detail[200];

	fake_init(&f, 2);
	f.options.acquire_ms = endings[_i].acquire_ms;
	pool = fake_pool(&f);
	one = take(pool);
	atomic_store(&one->last_sql, "SELECT 1\nFROM t");
	atomic_fetch_add(&f.now, 7 * KN__NS_PER_MS);
	two = take(pool);
	taker_start(&other, pool, kn__after(f.now, endings[_i].deadline_ms));
	if (endings[_i].after_ms > 0)
	{
		AWAIT(pool, waiting == 1);
		fake_advance(&f, pool, endings[_i].after_ms);
	}
	ck_assert_int_eq(taker_join(&other), endings[_i].expected);
	ck_assert_str_eq(other.fault.error.message, endings[_i].message);
	snprintf(
		detail,
		sizeof(detail),
		"test.c:%d has one for %d ms, active: SELECT 1 FROM t\ntest.c:%d has one for %d ms, idle",
		one->line,
		(int) endings[_i].after_ms + 7,
		two->line,
		(int) endings[_i].after_ms);
	ck_assert_str_eq(other.fault.error.detail, detail);
	ck_assert_ptr_null(other.member);
	ck_assert_int_eq(pool_stats(pool).timeouts, 1);
	ck_assert_int_eq(pool_stats(pool).waiting, 0);
	give(pool, one);
	give(pool, two);
	fake_end(&f, pool);
}
END_TEST

/* Who gave up leaves no gap in the queue, and takes nothing with it. */
START_TEST(a_waiter_that_gave_up_loses_nothing)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker takers[5];

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	for (int i = 0; i < 5; i++)
		taker_queue(&takers[i], pool, i % 2 == 0 ? kn__after(f.now, 10) : KN__NEVER);
	fake_advance(&f, pool, 20);
	for (int i = 0; i < 5; i += 2)
		ck_assert_int_eq(taker_join(&takers[i]), KN_TIMEOUT);
	for (int i = 1; i < 5; i += 2)
	{
		give(pool, member);
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
	}
	give(pool, member);
	ck_assert_int_eq(pool_stats(pool).idle, 1);
	fake_end(&f, pool);
}
END_TEST

START_TEST(another_thread_cancels_a_waiter)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker takers[3];

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	for (int i = 0; i < 3; i++)
		taker_queue(&takers[i], pool, KN__NEVER);
	atomic_store(&takers[1].is_cancelled, true);
	kn__pool_wake(pool);
	ck_assert_int_eq(taker_join(&takers[1]), KN_CANCELED);
	ck_assert_str_eq(takers[1].fault.error.message, "cancelled while waiting for a connection");
	ck_assert_int_eq(pool_stats(pool).waiting, 2);
	fake_advance(&f, pool, 2);
	give(pool, member);
	ck_assert_int_eq(taker_join(&takers[0]), KN_OK);
	give(pool, member);
	ck_assert_int_eq(taker_join(&takers[2]), KN_OK);
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

START_TEST(refused_credentials_are_told_at_once)
{
	fake f;
	kn__pool *pool;
	taker other;
	kn_status why = _i == 0 ? KN_AUTH : KN_CONFIG;

	fake_init(&f, 1);
	f.open_status = why;
	pool = fake_pool(&f);
	taker_start(&other, pool, KN__NEVER);
	ck_assert_int_eq(taker_join(&other), why);
	ck_assert_str_eq(other.fault.error.message,
					 _i == 0 ? "no connection could be opened: the server is strict"
							 : "no connection could be opened: there is no such database");
	ck_assert_str_eq(other.fault.error.sqlstate, _i == 0 ? "28P01" : "3D000");
	ck_assert_str_eq(other.fault.error.detail, "1 attempt failed, the last 0 ms ago.\nIt said so.");
	/* New ones are tried without a pause. */
	fake_set_status(&f, KN_OK);
	kn__pool_renew(pool);
	give(pool, take(pool));
	fake_end(&f, pool);
}
END_TEST

/* What cannot be opened does not matter to those who wait for what is out. */
START_TEST(one_that_is_out_is_waited_for)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;

	fake_init(&f, 2);
	pool = fake_pool(&f);
	member = take(pool);
	fake_set_status(&f, KN_AUTH);
	taker_queue(&other, pool, KN__NEVER);
	AWAIT(pool, failed_to_open == 1);
	fake_advance(&f, pool, 2);
	give(pool, member);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	taker_queue(&other, pool, KN__NEVER);
	fake_advance(&f, pool, 5000);
	ck_assert_int_eq(taker_join(&other), KN_POOL_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(other.fault.error.detail, "To open another failed"));
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

/* Still being opened when patience ends: what comes of it is kept for the next one. */
START_TEST(an_abandoned_opening_is_not_lost)
{
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 1);
	f.is_gated = true;
	pool = fake_pool(&f);
	taker_start(&other, pool, KN__NEVER);
	AWAIT(pool, opening == 1);
	AWAIT(pool, waiting == 1);
	fake_advance(&f, pool, 5000);
	ck_assert_int_eq(taker_join(&other), KN_CONN_LOST);
	ck_assert_str_eq(other.fault.error.message, "no connection could be opened in 5000 ms");
	fake_permit(&f, 1);
	AWAIT(pool, idle == 1);
	give(pool, take(pool));
	ck_assert_int_eq(f.opened, 1);
	fake_end(&f, pool);
}
END_TEST

/* How long ago the first opening began, and how the caller's patience ends. */
static const struct
{
	int64_t after_ms;
	const char *where;
	bool is_barren;
	const char *message;
} barren[] = {
	{ 99,
	  "db.example",
	  false,
	  "the deadline was over after waiting 99 ms for a connection: none could be opened yet"
	  " to server \"db.example\"" },
	{ 100,
	  NULL,
	  true,
	  "the deadline was over after waiting 100 ms for a connection: none could be opened yet" },
};

/* That none is open, and to open one takes long, is no affair of the caller's. */
START_TEST(nothing_is_open_for_long)
{
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 2);
	f.is_gated = true;
	f.where = barren[_i].where;
	pool = fake_pool(&f);
	ck_assert(!kn__pool_is_barren(pool));
	taker_queue(&other, pool, kn__after(f.now, barren[_i].after_ms));
	AWAIT(pool, opening == 1);
	fake_advance(&f, pool, barren[_i].after_ms);
	ck_assert_int_eq(taker_join(&other), KN_TIMEOUT);
	ck_assert_str_eq(other.fault.error.message, barren[_i].message);
	ck_assert_int_eq(kn__pool_is_barren(pool), barren[_i].is_barren);
	fake_permit(&f, 1);
	AWAIT(pool, idle == 1);
	fake_advance(&f, pool, 1000);
	ck_assert(!kn__pool_is_barren(pool));
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, first_come_first_served);
	tcase_add_test(tcase, who_waited_for_long_is_handed_it);
	tcase_add_test(tcase, who_waits_since_now_may_be_overtaken);
	tcase_add_test(tcase, what_was_handed_over_is_looked_at_too);
	tcase_add_test(tcase, a_broken_one_is_replaced_for_a_waiter);
	tcase_add_test(tcase, no_more_than_max_waiters);
	LOOP(tcase, the_end_of_patience, endings);
	tcase_add_test(tcase, a_waiter_that_gave_up_loses_nothing);
	tcase_add_test(tcase, another_thread_cancels_a_waiter);
	tcase_add_loop_test(tcase, refused_credentials_are_told_at_once, 0, 2);
	tcase_add_test(tcase, one_that_is_out_is_waited_for);
	tcase_add_test(tcase, an_abandoned_opening_is_not_lost);
	LOOP(tcase, nothing_is_open_for_long, barren);
}

int
main(void)
{
	return suite_run("run_pool_wait", fill);
}
