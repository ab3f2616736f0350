/*
 * test_run_pool_linger.c
 *		Members whose server does not end what was cancelled: they keep their place for a while.
 */
#include "pool_fake.h"
#include "run/pool_parts.h"

static _Atomic(bool) is_over;
static _Atomic(int) questions;

static bool
lingers(void *user, kn__member *member)
{
	(void) user;
	return serial_of(member) > 0;
}

static bool
has_ended(void *user, kn__member *member, int64_t deadline)
{
	(void) user;
	(void) deadline;
	questions++;
	return is_over && serial_of(member) > 0;
}

/*
 * Waits until more than so many have been asked, and when to ask next has been laid down: what the
 * test's clock does before that would put it off.
 */
static void
await_question(kn__pool *pool, int before)
{
	bool is_asking;

	while (questions <= before)
		sched_yield();
	do
	{
		sched_yield();
		is_asking = false;
		pthread_mutex_lock(&pool->lock);
		for (int i = 0; i < pool->max; i++)
			is_asking = is_asking || kn__slot_state_of(&pool->slots[i]) == KN__SLOT_ASKED;
		pthread_mutex_unlock(&pool->lock);
	} while (is_asking);
}

/* One of them that lingers, and has been asked about once. */
static kn__pool *
begin(fake *f, int max)
{
	kn__pool *pool;

	is_over = false;
	questions = 0;
	fake_init(f, max);
	f->driver.lingers = lingers;
	f->driver.has_ended = has_ended;
	f->options.acquire_ms = -1;
	pool = fake_pool(f);
	kn__pool_give(pool, take(pool), KN__GIVE_BROKEN);
	ck_assert_int_eq(pool_stats(pool).lingering, 1);
	ck_assert_uint_eq(pool_stats(pool).closed_broken, 1);
	ck_assert_int_eq(pool_stats(pool).total, 0);
	await_question(pool, 0);
	return pool;
}

START_TEST(its_place_is_not_filled)
{
	kn__member *none;
	kn__fault fault;
	fake f;
	taker other;
	kn__pool *pool = begin(&f, 1);

	ck_assert_int_eq(kn__pool_take(pool, 0, "test.c", 1, NULL, &none, &fault), KN_TIMEOUT);
	ck_assert_str_eq(fault.error.detail, "the server has not ended 1 statement that was cancelled");
	ck_assert(!kn__pool_is_barren(pool));
	taker_queue(&other, pool, KN__NEVER);
	ck_assert_int_eq(f.opened, 1);
	is_over = true;
	fake_advance(&f, pool, 20);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	ck_assert_int_eq(pool_stats(pool).lingering, 0);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

/* Whatever the server says, or does not say. */
START_TEST(its_place_is_filled_at_last)
{
	fake f;
	taker other;
	kn__pool *pool = begin(&f, 1);

	taker_queue(&other, pool, KN__NEVER);
	for (int i = 0; i < 2; i++)
	{
		int before = questions;

		fake_advance(&f, pool, 2000);
		await_question(pool, before);
	}
	ck_assert_int_eq(f.opened, 1);
	ck_assert_int_eq(pool_stats(pool).lingering, 1);
	fake_advance(&f, pool, KN__LINGER_MS);
	AWAIT(pool, lingering == 0);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

/* Only what max leaves is opened, and that is opened. */
START_TEST(others_are_opened_beside_it)
{
	fake f;
	kn__member *members[2];
	kn__pool *pool = begin(&f, 3);
	taker other;

	for (int i = 0; i < 2; i++)
		members[i] = take(pool);
	taker_queue(&other, pool, KN__NEVER);
	ck_assert_int_eq(f.opened, 3);
	ck_assert_int_eq(pool_stats(pool).total, 2);
	give(pool, members[0]);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, other.member);
	give(pool, members[1]);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, its_place_is_not_filled);
	tcase_add_test(tcase, its_place_is_filled_at_last);
	tcase_add_test(tcase, others_are_opened_beside_it);
}

int
main(void)
{
	return suite_run("run_pool_linger", fill);
}
