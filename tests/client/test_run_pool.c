/*
 * test_run_pool.c
 *		The pool: taking and giving, and each way a member goes.
 */
#include "failing.h"
#include "pool_fake.h"

static kn_status
try_take(kn__pool *pool, int64_t deadline, kn__member **member)
{
	kn__fault fault;

	return kn__pool_take(pool, deadline, "test.c", 1, NULL, member, &fault);
}

START_TEST(opens_none_before_one_is_needed)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 4);
	pool = fake_pool(&f);
	ck_assert_int_eq(pool_stats(pool).total, 0);
	member = take(pool);
	ck_assert_int_eq(serial_of(member), 1);
	ck_assert_str_eq(member->file, "test.c");
	ck_assert_int_eq(pool_stats(pool).busy, 1);
	ck_assert_int_eq(pool_stats(pool).idle, 0);
	give(pool, member);
	ck_assert_int_eq(pool_stats(pool).busy, 0);
	ck_assert_int_eq(pool_stats(pool).idle, 1);
	ck_assert_int_eq(f.attempts, 1);
	fake_end(&f, pool);
}
END_TEST

START_TEST(opens_min_in_the_background)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 4);
	f.options.min = 3;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 3);
	ck_assert_int_eq(pool_stats(pool).opened, 3);
	fake_end(&f, pool);
}
END_TEST

static const struct
{
	int min, max, max_opening;
	int expected_min, expected_max;
} sizes[] = {
	{ 0, 0, 0, 0, 1 }, { -1, 2, 1, 0, 2 },  { 4, 2, 1, 2, 2 },
	{ 2, 2, 2, 2, 2 }, { 0, -5, -5, 0, 1 },
};

START_TEST(sizes_are_made_to_fit)
{
	fake f;
	kn__pool *pool;
	kn__member *members[2];
	kn__member *none;

	fake_init(&f, sizes[_i].max);
	f.options.min = sizes[_i].min;
	f.options.max_opening = sizes[_i].max_opening;
	pool = fake_pool(&f);
	AWAIT(pool, idle == sizes[_i].expected_min);
	ck_assert_int_eq(pool_stats(pool).max, sizes[_i].expected_max);
	for (int i = 0; i < sizes[_i].expected_max; i++)
		members[i] = take(pool);
	ck_assert_int_eq(try_take(pool, 0, &none), KN_TIMEOUT);
	ck_assert_ptr_null(none);
	for (int i = 0; i < sizes[_i].expected_max; i++)
		give(pool, members[i]);
	fake_end(&f, pool);
}
END_TEST

START_TEST(is_really_a_pool)
{
	fake f;
	kn__pool *pool;
	kn__member *one;
	kn__member *two;

	fake_init(&f, 2);
	pool = fake_pool(&f);
	one = take(pool);
	two = take(pool);
	ck_assert_ptr_ne(one, two);
	give(pool, two);
	ck_assert_ptr_eq(take(pool), two); /* the one that this thread had last */
	give(pool, two);
	give(pool, one);
	ck_assert_int_eq(pool_stats(pool).acquires, 3);
	ck_assert_int_eq(f.opened, 2);
	fake_end(&f, pool);
}
END_TEST

START_TEST(what_is_broken_is_closed)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	kn__pool_give(pool, take(pool), KN__GIVE_BROKEN);
	ck_assert_int_eq(f.closed, 1);
	ck_assert_int_eq(pool_stats(pool).total, 0);
	member = take(pool);
	ck_assert_int_eq(serial_of(member), 2);
	give(pool, member);
	ck_assert_int_eq(pool_stats(pool).closed_broken, 1);
	fake_end(&f, pool);
}
END_TEST

/* Each checkout looks, so that a server that went away costs nobody a failed call. */
START_TEST(what_is_dead_is_not_handed_out)
{
	fake f;
	kn__pool *pool;
	kn__member *members[3];

	fake_init(&f, 3);
	pool = fake_pool(&f);
	for (int i = 0; i < 3; i++)
		members[i] = take(pool);
	for (int i = 0; i < 3; i++)
	{
		atomic_store(&((fake_member *) members[i])->is_dead, i != 1);
		give(pool, members[i]);
	}
	ck_assert_int_eq(serial_of(take(pool)), 2);
	ck_assert_int_le(pool_stats(pool).closed_broken, 2);
	give(pool, members[1]);
	atomic_store(&((fake_member *) members[1])->is_dead, true);
	ck_assert_int_eq(serial_of(members[0] = take(pool)), 4);
	ck_assert_int_eq(pool_stats(pool).closed_broken, 3);
	give(pool, members[0]);
	fake_end(&f, pool);
}
END_TEST

/* Its server has gone as well: who wants it waits for another one as long as anybody does. */
START_TEST(what_has_died_with_its_server_is_waited_for)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;

	fake_init(&f, 1);
	f.options.acquire_ms = 1000;
	pool = fake_pool(&f);
	member = take(pool);
	atomic_store(&((fake_member *) member)->is_dead, true);
	give(pool, member);
	fake_set_status(&f, KN_CONN_LOST);
	taker_queue(&other, pool, KN__NEVER);
	AWAIT(pool, failed_to_open == 1);
	fake_advance(&f, pool, 999);
	AWAIT(pool, failed_to_open == 2);
	ck_assert_int_eq(pool_stats(pool).waiting, 1);
	fake_advance(&f, pool, 1);
	ck_assert_int_eq(taker_join(&other), KN_CONN_LOST);
	ck_assert_uint_eq(pool_stats(pool).closed_broken, 1);
	fake_set_status(&f, KN_OK);
	fake_advance(&f, pool, 1000);
	give(pool, take(pool));
	fake_end(&f, pool);
}
END_TEST

START_TEST(what_is_too_old_is_not_handed_out)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	f.options.lifetime_ms = 1000;
	pool = fake_pool(&f);
	member = take(pool);
	atomic_store(&f.now, member->expires_at - 1);
	give(pool, member);
	ck_assert_ptr_eq(take(pool), member);
	atomic_fetch_add(&f.now, 1);
	give(pool, member); /* the time has come, but nobody has looked at the clock */
	member = take(pool);
	ck_assert_int_eq(serial_of(member), 2);
	ck_assert_int_eq(pool_stats(pool).closed_old, 1);
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

START_TEST(giving_what_is_not_out_does_nothing)
{
	fake f;
	fake other;
	kn__pool *pool;
	kn__pool *other_pool;
	kn__member *member;
	kn__member stranger = { .slot = 7 };

	fake_init(&f, 1);
	fake_init(&other, 1);
	pool = fake_pool(&f);
	other_pool = fake_pool(&other);
	member = take(pool);
	kn__pool_give(other_pool, member, KN__GIVE_BROKEN);
	give(other_pool, member);
	give(pool, &stranger);
	stranger.slot = -1;
	give(pool, &stranger);
	ck_assert_int_eq(pool_stats(pool).busy, 1);
	give(pool, member);
	give(pool, member);
	kn__pool_give(pool, member, KN__GIVE_BROKEN);
	ck_assert_int_eq(pool_stats(pool).idle, 1);
	ck_assert_int_eq(f.closed, 0);
	fake_end(&f, pool);
	fake_end(&other, other_pool);
}
END_TEST

/* A thread may use several pools, more than it remembers slots of. */
START_TEST(many_pools_in_one_thread)
{
	fake f[20];
	kn__pool *pools[20];

	for (int i = 0; i < 20; i++)
	{
		fake_init(&f[i], 1 + i % 3);
		pools[i] = fake_pool(&f[i]);
		fill_pool(pools[i], 1 + i % 3);
	}
	for (int i = 0; i < 20; i++)
		give(pools[i], take(pools[i]));
	for (int i = 0; i < 20; i++)
	{
		ck_assert_int_eq(f[i].opened, 1 + i % 3);
		fake_end(&f[i], pools[i]);
	}
}
END_TEST

/* Memory that cannot be had makes no half a pool, and no leak. */
START_TEST(out_of_memory)
{
	failing memory = { 0 };
	long fails_at = 0;
	kn_status status = KN_NO_MEMORY;

	while (status != KN_OK)
	{
		fake f;
		kn__pool *pool;

		fake_init(&f, 3);
		f.options.allocator = &memory.allocator;
		failing_init(&memory, ++fails_at, _i != 0);
		status = kn__pool_new(&pool, &f.options, &f.driver);
		ck_assert(status == KN_OK || status == KN_NO_MEMORY);
		if (status == KN_OK)
		{
			give(pool, take(pool));
			fake_end(&f, pool);
		}
		else
			ck_assert_int_eq(memory.calls >= fails_at, true);
		ck_assert(failing_is_even(&memory));
	}
	ck_assert_int_eq(fails_at, 4); /* the pool, its slots, its threads; taking allocates nothing */
}
END_TEST

START_TEST(freeing_nothing)
{
	fake f;
	kn__pool *pool;

	kn__pool_free(NULL);
	fake_init(&f, 2);
	pool = fake_pool(&f);
	fill_pool(pool, 2);
	kn__pool_free(pool); /* without a drain */
	ck_assert_int_eq(f.closed, 2);
}
END_TEST

/* Whoever looks late finds the pause over, and would have the server asked once more. */
START_TEST(refused_credentials_are_tried_once)
{
	fake f;
	kn__pool *pool;
	taker all[3];

	fake_init(&f, 1);
	f.haste = KN__NS_PER_S;
	f.options.acquire_ms = 3600000;
	f.is_gated = true;
	f.open_status = KN_AUTH;
	pool = fake_pool(&f);
	for (int i = 0; i < 3; i++)
		taker_queue(&all[i], pool, KN__NEVER);
	fake_permit(&f, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(taker_join(&all[i]), KN_AUTH);
	ck_assert_int_eq(pool_stats(pool).failed_to_open, 1);
	ck_assert_int_eq(pool_stats(pool).waiting, 0);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, refused_credentials_are_tried_once);
	tcase_add_test(tcase, opens_none_before_one_is_needed);
	tcase_add_test(tcase, opens_min_in_the_background);
	LOOP(tcase, sizes_are_made_to_fit, sizes);
	tcase_add_test(tcase, is_really_a_pool);
	tcase_add_test(tcase, what_is_broken_is_closed);
	tcase_add_test(tcase, what_is_dead_is_not_handed_out);
	tcase_add_test(tcase, what_has_died_with_its_server_is_waited_for);
	tcase_add_test(tcase, what_is_too_old_is_not_handed_out);
	tcase_add_test(tcase, giving_what_is_not_out_does_nothing);
	tcase_add_test(tcase, many_pools_in_one_thread);
	tcase_add_loop_test(tcase, out_of_memory, 0, 2);
	tcase_add_test(tcase, freeing_nothing);
}

int
main(void)
{
	return suite_run("run_pool", fill);
}
