/*
 * test_run_pool_tidy.c
 *		Idle members that have something left in them: they are used soon, for nothing but that.
 */
#include "pool_fake.h"

static _Atomic(bool) is_left;

static bool
fake_is_untidy(void *user, kn__member *member)
{
	(void) user;
	(void) member;
	return atomic_load(&is_left);
}

static kn__pool *
untidy_pool(fake *f)
{
	fake_init(f, 1);
	f->driver.is_untidy = fake_is_untidy;
	atomic_store(&is_left, true);
	return fake_pool(f);
}

static int
kept_alive(fake *f)
{
	int count;

	fake_lock(f);
	count = f->kept_alive;
	fake_unlock(f);
	return count;
}

/* After a tenth of a second, and not before; once for each time. */
START_TEST(are_used_soon)
{
	fake f;
	kn__pool *pool = untidy_pool(&f);

	for (int i = 1; i <= 3; i++)
	{
		atomic_store(&is_left, true);
		give(pool, take(pool));
		kn__pool_tidy(pool);
		fake_advance(&f, pool, 99);
		ck_assert_int_eq(kept_alive(&f), i - 1);
		fake_advance(&f, pool, 1);
		AWAIT_FAKE(&f, kept_alive == i);
		atomic_store(&is_left, false);
		fake_advance(&f, pool, 1000);
	}
	fake_end(&f, pool);
}
END_TEST

/* By then somebody has used it, or has it still. */
START_TEST(are_left_alone_while_they_are_used)
{
	fake f;
	kn__pool *pool = untidy_pool(&f);
	kn__member *member;

	give(pool, take(pool));
	kn__pool_tidy(pool);
	member = take(pool);
	fake_advance(&f, pool, 200);
	ck_assert_int_eq(kept_alive(&f), 0);
	give(pool, member);
	kn__pool_tidy(pool);
	fake_advance(&f, pool, 100);
	AWAIT_FAKE(&f, kept_alive == 1);
	fake_end(&f, pool);
}
END_TEST

/* Also while all that works for the pool waits for another to be opened. */
START_TEST(are_used_while_another_is_opened)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;

	fake_init(&f, 2);
	f.driver.is_untidy = fake_is_untidy;
	f.is_gated = true;
	f.permits = 1;
	atomic_store(&is_left, true);
	pool = fake_pool(&f);
	member = take(pool);
	if (_i == 0)
	{
		/* It has been asked for before. */
		give(pool, member);
		kn__pool_tidy(pool);
		member = take(pool);
	}
	taker_queue(&other, pool, KN__NEVER);
	AWAIT_FAKE(&f, opening == 1);
	give(pool, member);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	kn__pool_tidy(pool);
	fake_advance(&f, pool, 100);
	AWAIT_FAKE(&f, kept_alive == 1);
	fake_lock(&f);
	f.permits = 1;
	fake_unlock(&f);
	fake_end(&f, pool);
}
END_TEST

/* Nobody has said that there is anything left. */
START_TEST(are_not_looked_for)
{
	fake f;
	kn__pool *pool = untidy_pool(&f);

	atomic_store(&is_left, false);
	give(pool, take(pool));
	kn__pool_tidy(pool);
	fake_advance(&f, pool, 100);
	give(pool, take(pool));
	/* Whatever was done by then was done before this. */
	atomic_store(&is_left, true);
	kn__pool_tidy(pool);
	fake_advance(&f, pool, 100);
	AWAIT_FAKE(&f, kept_alive > 0);
	ck_assert_int_eq(kept_alive(&f), 1);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, are_used_soon);
	tcase_add_test(tcase, are_left_alone_while_they_are_used);
	tcase_add_loop_test(tcase, are_used_while_another_is_opened, 0, 2);
	tcase_add_test(tcase, are_not_looked_for);
}

int
main(void)
{
	return suite_run("run_pool_tidy", fill);
}
