/*
 * test_run_pool_down.c
 *		Callers of a pool whose server is down, for a while or for good.
 */
#include "pool_fake.h"

/* A server that comes back within the patience of callers costs them time only. */
START_TEST(a_server_that_is_down_is_waited_for)
{
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 1);
	f.options.acquire_ms = 60000;
	f.open_status = KN_CONN_LOST;
	pool = fake_pool(&f);
	taker_queue(&other, pool, KN__NEVER);
	for (int i = 1; i <= 5; i++)
	{
		AWAIT(pool, failed_to_open == (uint64_t) i);
		if (i == 5)
			fake_set_status(&f, KN_OK);
		fake_advance(&f, pool, 1000); /* the pause is over */
	}
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

/* One that stays down is told: first after acquire_ms, then at once, until a try is due. */
START_TEST(a_server_that_stays_down)
{
	fake f;
	kn__pool *pool;
	taker other;
	uint64_t failed;
	kn_status why = _i == 0 ? KN_CONN_LOST : KN_UNAVAILABLE;

	fake_init(&f, 1);
	f.options.acquire_ms = 3000;
	f.open_status = why;
	pool = fake_pool(&f);
	taker_queue(&other, pool, KN__NEVER);
	AWAIT(pool, failed_to_open == 1);
	fake_advance(&f, pool, 3000);
	ck_assert_int_eq(taker_join(&other), why);
	ck_assert_str_eq(other.fault.error.message,
					 "no connection could be opened: the server is down");
	ck_assert_ptr_nonnull(strstr(other.fault.error.detail, "ms ago.\nIt said so."));
	ck_assert_str_eq(other.fault.error.hint, "Ask it.");
	/* An attempt is due, so the next one waits for what comes of it. */
	AWAIT(pool, opening == 0);
	fake_advance(&f, pool, 1000);
	failed = pool_stats(pool).failed_to_open;
	taker_start(&other, pool, KN__NEVER);
	ck_assert_int_eq(taker_join(&other), why);
	ck_assert_int_eq(pool_stats(pool).failed_to_open, failed + 1);
	/* And the one after that is told the same without one. */
	taker_start(&other, pool, KN__NEVER);
	ck_assert_int_eq(taker_join(&other), why);
	ck_assert_int_eq(pool_stats(pool).failed_to_open, failed + 1);
	/* It is up again. */
	fake_set_status(&f, KN_OK);
	fake_advance(&f, pool, 1000);
	give(pool, take(pool));
	fake_end(&f, pool);
}
END_TEST

/* That one more was not to be had, long ago, says nothing of how long to wait once all are gone. */
START_TEST(one_that_goes_down_later_is_waited_for)
{
	fake f;
	kn__pool *pool;
	kn__member *only;
	taker other;
	taker hasty;
	uint64_t failed;

	fake_init(&f, 2);
	f.options.acquire_ms = 60000;
	pool = fake_pool(&f);
	only = take(pool);
	fake_set_status(&f, KN_CONN_LOST);
	taker_queue(&other, pool, KN__NEVER);
	AWAIT(pool, failed_to_open == 1);
	give(pool, only);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	fake_advance(&f, pool, 600000);
	AWAIT(pool, opening == 0);
	failed = pool_stats(pool).failed_to_open;
	kn__pool_give(pool, other.member, KN__GIVE_BROKEN);
	taker_queue(&other, pool, KN__NEVER);
	/* One pause is over by then, and not the patience of others, however late it is looked at. */
	ADVANCE_UNTIL(&f, pool, 1000, failed_to_open > failed);
	/* Not at once, that is, but when its time is over. */
	taker_start(&hasty, pool, atomic_load(&f.now));
	ck_assert_int_eq(taker_join(&hasty), KN_TIMEOUT);
	fake_set_status(&f, KN_OK);
	/* What was begun before has failed, and its pause is by the clock as it is. */
	AWAIT(pool, opening == 0);
	fake_advance(&f, pool, 1000);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, a_server_that_is_down_is_waited_for);
	tcase_add_loop_test(tcase, a_server_that_stays_down, 0, 2);
	tcase_add_test(tcase, one_that_goes_down_later_is_waited_for);
}

int
main(void)
{
	return suite_run("run_pool_down", fill);
}
