/*
 * test_run_pool_age.c
 *		Members that grow old: there is another one before they go.
 */
#include "pool_fake.h"

/* Looks at all members until something has come of it: a worker looks when it comes to it. */
#define ADVANCE_UNTIL(f, pool, milliseconds, condition) \
	do                                                  \
	{                                                   \
		fake_advance(f, pool, milliseconds);            \
		AWAIT(pool, condition);                         \
	} while (0)

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
	tcase_add_test(tcase, the_old_stay_until_there_are_new_ones);
	tcase_add_test(tcase, one_goes_at_a_time_where_there_are_as_many_as_may_be);
	tcase_add_test(tcase, the_old_stay_while_none_can_be_opened);
}

int
main(void)
{
	return suite_run("run_pool_age", fill);
}
