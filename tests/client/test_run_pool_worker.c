/*
 * test_run_pool_worker.c
 *		The pool's own threads: opening, growing and shrinking, keepalive.
 */
#include "pool_fake.h"
#include "run/pool_parts.h"

START_TEST(no_more_than_max_opening_at_a_time)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 5);
	f.options.min = 5;
	f.is_gated = true;
	pool = fake_pool(&f);
	for (int i = 0; i < 5; i++)
	{
		AWAIT_FAKE(&f, opening == (i < 4 ? 2 : 1));
		fake_permit(&f, 1);
		AWAIT(pool, idle == i + 1);
	}
	ck_assert_int_eq(f.most_opening, 2);
	fake_end(&f, pool);
}
END_TEST

START_TEST(grows_up_to_max)
{
	fake f;
	kn__pool *pool;
	taker takers[8];
	int taken = 0;

	fake_init(&f, 4);
	f.options.min = 2;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 2);
	for (int i = 0; i < 8; i++)
		taker_start(&takers[i], pool, kn__after(f.now, 50));
	AWAIT(pool, busy == 4);
	AWAIT(pool, waiting == 4);
	ck_assert_int_eq(pool_stats(pool).opened, 4);
	ADVANCE_UNTIL(&f, pool, 50, waiting == 0);
	for (int i = 0; i < 8; i++)
	{
		if (taker_join(&takers[i]) != KN_OK)
			continue;
		taken++;
		give(pool, takers[i].member);
	}
	ck_assert_int_eq(taken, 4);
	fake_end(&f, pool);
}
END_TEST

/* Many callers for a short time do not make many connections. */
START_TEST(a_spike_opens_few)
{
	fake f;
	kn__pool *pool;
	kn__member *members[5];
	taker takers[20];

	fake_init(&f, 10);
	f.options.min = 5;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 5);
	for (int i = 0; i < 5; i++)
		members[i] = take(pool);
	fake_lock(&f);
	f.is_gated = true; /* opening takes longer than all of them need */
	fake_unlock(&f);
	for (int i = 0; i < 20; i++)
		taker_queue(&takers[i], pool, KN__NEVER);
	fake_advance(&f, pool, 2);
	for (int i = 0; i < 5; i++)
		give(pool, members[i]);
	for (int i = 0; i < 20; i++)
	{
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
		give(pool, takers[i].member);
	}
	fake_permit(&f, 100);
	AWAIT(pool, opening == 0);
	ck_assert_int_le(pool_stats(pool).opened, 5 + 2);
	fake_end(&f, pool);
}
END_TEST

/* Who waits waits for one, however many may be opened at a time. */
START_TEST(one_who_waits_opens_one)
{
	fake f;
	kn__pool *pool;
	taker takers[2];

	fake_init(&f, 10);
	f.options.max_opening = 4;
	f.is_gated = true;
	pool = fake_pool(&f);
	for (int i = 0; i < 2; i++)
	{
		taker_queue(&takers[i], pool, KN__NEVER);
		AWAIT_FAKE(&f, opening == i + 1);
	}
	fake_permit(&f, 100);
	for (int i = 0; i < 2; i++)
	{
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
		give(pool, takers[i].member);
	}
	AWAIT(pool, opening == 0);
	ck_assert_uint_eq(pool_stats(pool).opened, 2);
	ck_assert_int_eq(f.most_opening, 2);
	fake_end(&f, pool);
}
END_TEST

START_TEST(shrinks_to_min)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 4);
	f.options.min = 2;
	f.options.idle_ms = 200;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 2);
	fill_pool(pool, 4);
	fake_advance(&f, pool, 199);
	give(pool, take(pool));
	ck_assert_int_eq(pool_stats(pool).total, 4);
	ADVANCE_UNTIL(&f, pool, 1, closed_idle == 2);
	ck_assert_int_eq(pool_stats(pool).total, 2);
	fake_advance(&f, pool, 5000);
	give(pool, take(pool));
	ck_assert_int_eq(pool_stats(pool).total, 2);
	fake_end(&f, pool);
}
END_TEST

START_TEST(shrinks_to_nothing_and_grows_again)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 3);
	f.options.idle_ms = 1000;
	pool = fake_pool(&f);
	for (int i = 1; i <= 3; i++)
	{
		fill_pool(pool, 3);
		ADVANCE_UNTIL(&f, pool, 1000, closed_idle == 3 * (uint64_t) i);
		ck_assert_int_eq(pool_stats(pool).total, 0);
	}
	fake_end(&f, pool);
}
END_TEST

START_TEST(keeps_alive_what_nobody_uses)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 2);
	f.options.keepalive_ms = 100;
	pool = fake_pool(&f);
	fill_pool(pool, 2);
	fake_advance(&f, pool, 100);
	AWAIT_FAKE(&f, kept_alive == 2);
	AWAIT(pool, idle == 2);
	fake_advance(&f, pool, 99);
	member = take(pool); /* what is used needs none */
	fake_advance(&f, pool, 1);
	AWAIT_FAKE(&f, kept_alive == 3);
	give(pool, member);
	fake_lock(&f);
	f.is_unkept = true;
	fake_unlock(&f);
	ADVANCE_UNTIL(&f, pool, 100, closed_broken == 2);
	AWAIT(pool, total == 0);
	fake_end(&f, pool);
}
END_TEST

/* However long that takes, who needs another one gets it. */
START_TEST(opens_while_it_keeps_alive)
{
	fake f;
	kn__pool *pool;
	kn__member *members[2];

	fake_init(&f, 3);
	f.options.keepalive_ms = 100;
	f.options.max_opening = 1;
	pool = fake_pool(&f);
	fill_pool(pool, 2);
	f.is_slow = true;
	fake_advance(&f, pool, 100);
	AWAIT_FAKE(&f, kept_alive == 1);
	/* One of the two is looked at, and nobody can have it. */
	members[0] = take(pool);
	members[1] = take(pool);
	ck_assert_int_eq(f.opened, 3);
	fake_lock(&f);
	f.is_slow = false;
	fake_unlock(&f);
	give(pool, members[0]);
	give(pool, members[1]);
	ck_assert_int_eq(f.most_opening, 1);
	fake_end(&f, pool);
}
END_TEST

/* Attempts follow each other after 10 ms, 20 ms and so on to a second, less up to a quarter. */
START_TEST(tries_again_after_pauses)
{
	static const int pauses[] = { 10, 20, 40, 80, 160, 320, 640, 1000, 1000 };
	fake f;
	kn__pool *pool;

	fake_init(&f, 1);
	f.options.min = 1;
	f.options.max_opening = 1;
	f.open_status = KN_CONN_LOST;
	pool = fake_pool(&f);
	AWAIT(pool, failed_to_open == 1);
	for (int i = 0; i < COUNT(pauses); i++)
	{
		AWAIT(pool, opening == 0);
		fake_advance(&f, pool, pauses[i] / 2);
		ck_assert_int_eq(f.attempts, i + 1);
		ADVANCE_UNTIL(&f, pool, pauses[i] - pauses[i] / 2, failed_to_open == (uint64_t) i + 2);
	}
	fake_set_status(&f, KN_OK);
	ADVANCE_UNTIL(&f, pool, 1000, idle == 1);
	fake_end(&f, pool);
}
END_TEST

/* Not all clients of a server that comes back are there in the same moment. */
START_TEST(pauses_differ)
{
	int64_t pause[4];
	int different = 0;

	for (int i = 0; i < COUNT(pause); i++)
	{
		fake f;
		kn__pool *pool;

		fake_init(&f, 1);
		f.options.min = 1;
		f.open_status = KN_CONN_LOST;
		pool = fake_pool(&f);
		AWAIT(pool, failed_to_open == 1);
		pause[i] = pool->retry_at - pool->failed_at;
		ck_assert(pause[i] > 75 * KN__NS_PER_MS / 10 && pause[i] <= 10 * KN__NS_PER_MS);
		different += pause[i] != pause[0];
		fake_end(&f, pool);
	}
	ck_assert_int_gt(different, 0);
}
END_TEST

/* After a time in which nothing could be opened the pool is as large as it was. */
START_TEST(recovers_all_of_min)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 4);
	f.options.min = 4;
	f.open_status = KN_CONN_LOST;
	pool = fake_pool(&f);
	AWAIT(pool, failed_to_open > 0);
	fake_set_status(&f, KN_OK);
	AWAIT(pool, opening == 0);
	ADVANCE_UNTIL(&f, pool, 1000, idle == 4);
	fake_end(&f, pool);
}
END_TEST

/* A server that takes connections and ends them at once is no better than one that takes none. */
START_TEST(what_is_dead_at_once_is_opened_after_pauses)
{
	static const int pauses[] = { 10, 20, 40, 80, 160, 320, 640, 1000, 1000 };
	uint64_t before;
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 1);
	f.options.acquire_ms = 60000;
	f.is_stillborn = true;
	pool = fake_pool(&f);
	taker_queue(&other, pool, KN__NEVER);
	for (int i = 0; i < COUNT(pauses); i++)
	{
		AWAIT(pool, closed_broken > (uint64_t) i);
		fake_advance(&f, pool, pauses[i] / 2);
		ck_assert_int_eq(f.attempts, i + 1);
		fake_advance(&f, pool, pauses[i] - pauses[i] / 2);
	}
	AWAIT(pool, closed_broken > COUNT(pauses));
	fake_advance(&f, pool, 60000);
	ck_assert_int_eq(taker_join(&other), KN_CONN_LOST);
	ck_assert_str_eq(other.fault.error.message,
					 "no connection could be opened: one was closed as soon as it was there");
	/* One more may have been opened meanwhile: to find it dead would be the next pause. */
	kn__pool_renew(pool);
	AWAIT(pool, total == 0);
	fake_lock(&f);
	f.is_stillborn = false;
	fake_unlock(&f);
	fake_advance(&f, pool, 1000);
	give(pool, take(pool));
	ck_assert_int_eq(pool_stats(pool).failed_to_open, 0);
	/* It was the last: whatever comes next begins anew. */
	fake_lock(&f);
	f.is_stillborn = true;
	fake_unlock(&f);
	kn__pool_renew(pool);
	AWAIT(pool, total == 0);
	before = pool_stats(pool).closed_broken;
	taker_queue(&other, pool, KN__NEVER);
	AWAIT(pool, closed_broken > before);
	fake_lock(&f);
	f.is_stillborn = false;
	fake_unlock(&f);
	fake_advance(&f, pool, 10);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

/* All have died while nobody used them, which a look at them shows: it is as large as it was. */
START_TEST(opens_again_what_has_died)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 4);
	f.options.min = 4;
	f.options.keepalive_ms = 100;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 4);
	fake_lock(&f);
	f.is_unkept = true;
	f.open_status = KN_CONN_LOST;
	fake_unlock(&f);
	ADVANCE_UNTIL(&f, pool, 100, closed_broken == 4);
	AWAIT(pool, total == 0);
	fake_lock(&f);
	f.is_unkept = false;
	f.open_status = KN_OK;
	fake_unlock(&f);
	/* What was begun before has failed, and its pause is by the clock as it is. */
	AWAIT(pool, opening == 0);
	ADVANCE_UNTIL(&f, pool, 1000, idle == 4);
	ck_assert_int_eq(f.opened, 8);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, no_more_than_max_opening_at_a_time);
	tcase_add_test(tcase, grows_up_to_max);
	tcase_add_test(tcase, a_spike_opens_few);
	tcase_add_test(tcase, one_who_waits_opens_one);
	tcase_add_test(tcase, shrinks_to_min);
	tcase_add_test(tcase, shrinks_to_nothing_and_grows_again);
	tcase_add_test(tcase, keeps_alive_what_nobody_uses);
	tcase_add_test(tcase, opens_while_it_keeps_alive);
	tcase_add_test(tcase, tries_again_after_pauses);
	tcase_add_test(tcase, pauses_differ);
	tcase_add_test(tcase, recovers_all_of_min);
	tcase_add_test(tcase, what_is_dead_at_once_is_opened_after_pauses);
	tcase_add_test(tcase, opens_again_what_has_died);
}

int
main(void)
{
	return suite_run("run_pool_worker", fill);
}
