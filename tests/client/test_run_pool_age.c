/*
 * test_run_pool_age.c
 *		Members that grow old: when they go, and that there is another one before.
 */
#include "pool_fake.h"

/* Those that are opened together do not end together. */
START_TEST(lifetimes_differ)
{
	fake f;
	kn__pool *pool;
	kn__member *members[64];
	int64_t first = KN__NEVER;
	int64_t last = 0;

	fake_init(&f, 64);
	f.options.lifetime_ms = 1000;
	pool = fake_pool(&f);
	for (int i = 0; i < 64; i++)
	{
		int64_t life;

		members[i] = take(pool);
		life = members[i]->expires_at - members[i]->opened_at;
		first = life < first ? life : first;
		last = life > last ? life : last;
	}
	ck_assert_int_ge(first, 900 * KN__NS_PER_MS);
	ck_assert_int_le(last, 1100 * KN__NS_PER_MS);
	/* Both sooner and later than that. */
	ck_assert_int_lt(first, 980 * KN__NS_PER_MS);
	ck_assert_int_gt(last, 1020 * KN__NS_PER_MS);
	for (int i = 0; i < 64; i++)
		give(pool, members[i]);
	fake_end(&f, pool);
}
END_TEST

START_TEST(the_old_are_replaced)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 2);
	f.options.min = 2;
	f.options.lifetime_ms = 1000;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 2);
	ADVANCE_UNTIL(&f, pool, 1100, closed_old == 2);
	AWAIT(pool, idle == 2);
	ck_assert_int_eq(pool_stats(pool).opened, 4);
	fake_end(&f, pool);
}
END_TEST

START_TEST(who_gets_old_while_it_is_out_goes_too)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	f.options.lifetime_ms = 1000;
	pool = fake_pool(&f);
	member = take(pool);
	fake_advance(&f, pool, 1100);
	give(pool, member);
	ADVANCE_UNTIL(&f, pool, 101, closed_old == 1);
	fake_end(&f, pool);
}
END_TEST

/* Times of nothing are short times, and nobody runs in circles. */
START_TEST(times_of_nothing)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 2);
	f.options.idle_ms = f.options.lifetime_ms = f.options.keepalive_ms = f.options.leak_ms = 0;
	pool = fake_pool(&f);
	member = take(pool);
	atomic_store(&member->last_sql, "SELECT 1");
	ADVANCE_UNTIL(&f, pool, 1, leaks == 1);
	give(pool, member);
	ADVANCE_UNTIL(&f, pool, 3, closed_old == 1);
	fake_end(&f, pool);
}
END_TEST

START_TEST(those_that_live_for_ever)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	f.options.lifetime_ms = _i == 0 ? -1 : INT64_MAX / KN__NS_PER_MS;
	pool = fake_pool(&f);
	member = take(pool);
	ck_assert_int_eq(member->expires_at, KN__NEVER);
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

/* Two that are idle, and when the first and the last of them expires. */
static kn__pool *
two_that_age(fake *f, int max, int64_t ends[2])
{
	kn__pool *pool;
	kn__member *members[2];

	fake_init(f, max);
	f->options.min = 2;
	f->options.lifetime_ms = 1000000;
	pool = fake_pool(f);
	AWAIT(pool, idle == 2);
	fake_lock(f);
	f->is_gated = true;
	fake_unlock(f);
	for (int i = 0; i < 2; i++)
		members[i] = take(pool);
	for (int i = 0; i < 2; i++)
	{
		ends[members[i]->expires_at < members[1 - i]->expires_at ? 0 : 1] = members[i]->expires_at;
		give(pool, members[i]);
	}
	ck_assert_int_lt(ends[0], ends[1]);
	return pool;
}

/* To a moment before that one. */
static void
advance_to(fake *f, kn__pool *pool, int64_t end)
{
	fake_advance(f, pool, (end - atomic_load(&f->now)) / KN__NS_PER_MS - 1);
}

START_TEST(the_old_stay_until_there_are_new_ones)
{
	fake f;
	int64_t ends[2];
	kn__pool *pool = two_that_age(&f, 3, ends);

	advance_to(&f, pool, ends[0]);
	AWAIT_FAKE(&f, opening == 1);
	ck_assert_int_eq(pool_stats(pool).idle, 2);
	fill_pool(pool, 2);
	ck_assert_uint_eq(pool_stats(pool).closed_old, 0);
	fake_permit(&f, 1);
	AWAIT(pool, closed_old == 1);
	AWAIT(pool, idle == 2);
	advance_to(&f, pool, ends[1]);
	fake_permit(&f, 1);
	AWAIT(pool, closed_old == 2);
	AWAIT(pool, idle == 2);
	ck_assert_uint_eq(pool_stats(pool).opened, 4);
	fake_end(&f, pool);
}
END_TEST

/* There may be no more than there are: so one goes, and another when there is one in its place. */
START_TEST(one_goes_at_a_time_where_there_are_as_many_as_may_be)
{
	fake f;
	int64_t ends[2];
	kn__pool *pool = two_that_age(&f, 2, ends);

	for (int i = 0; i < 2; i++)
	{
		advance_to(&f, pool, ends[i]);
		AWAIT(pool, closed_old == (uint64_t) i + 1);
		AWAIT_FAKE(&f, opening == 1);
		ck_assert_int_eq(pool_stats(pool).idle, 1);
		give(pool, take(pool));
		fake_permit(&f, 1);
		AWAIT(pool, opened == (uint64_t) i + 3);
	}
	AWAIT(pool, idle == 2);
	fake_end(&f, pool);
}
END_TEST

/* One that cannot be replaced is kept as long as it may live. */
START_TEST(the_old_stay_while_none_can_be_opened)
{
	fake f;
	int64_t ends[2];
	kn__pool *pool = two_that_age(&f, 3, ends);

	fake_set_status(&f, KN_CONN_LOST);
	fake_permit(&f, 100);
	advance_to(&f, pool, ends[0]);
	AWAIT(pool, failed_to_open == 1);
	fill_pool(pool, 2);
	ck_assert_uint_eq(pool_stats(pool).closed_old, 0);
	AWAIT(pool, idle == 2);
	ADVANCE_UNTIL(&f, pool, 2, closed_old >= 1);
	fake_set_status(&f, KN_OK);
	ADVANCE_UNTIL(&f, pool, 1000, idle == 2);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, lifetimes_differ);
	tcase_add_test(tcase, the_old_are_replaced);
	tcase_add_test(tcase, who_gets_old_while_it_is_out_goes_too);
	tcase_add_test(tcase, times_of_nothing);
	tcase_add_loop_test(tcase, those_that_live_for_ever, 0, 2);
	tcase_add_test(tcase, the_old_stay_until_there_are_new_ones);
	tcase_add_test(tcase, one_goes_at_a_time_where_there_are_as_many_as_may_be);
	tcase_add_test(tcase, the_old_stay_while_none_can_be_opened);
}

int
main(void)
{
	return suite_run("run_pool_age", fill);
}
