/*
 * test_run_hedge.c
 *		What is slow, and how much may be sent twice.
 */
#include <pthread.h>

#include "run/hedge.h"
#include "suite.h"

#define US INT64_C(1000)
#define MS KN__NS_PER_MS

static kn__latency latency;

static void
note(int times, int64_t ns)
{
	for (int i = 0; i < times; i++)
		kn__latency_note(&latency, ns);
}

/* Never less than the truth, and a quarter more at most, but for what is shorter than 4 us. */
static void
must_be(int64_t truth)
{
	int64_t found = kn__latency_p95(&latency);

	ck_assert_int_ge(found, truth);
	ck_assert_int_le(found, truth + truth / 4 + 1024);
}

START_TEST(few_say_nothing)
{
	note(KN__LATENCY_LEAST - 1, MS);
	ck_assert_int_eq(kn__latency_p95(&latency), 0);
	note(64, MS);
	must_be(MS);
}
END_TEST

static const int64_t times[] = {
	0,
	1,
	US,
	3 * US,
	4 * US,
	5 * US,
	7 * US,
	100 * US,
	333 * US,
	MS,
	7 * MS,
	KN__NS_PER_S,
	59 * KN__NS_PER_S,
};

START_TEST(any_time_has_its_bucket)
{
	note(256, times[_i]);
	must_be(times[_i]);
}
END_TEST

START_TEST(what_makes_no_sense_is_kept_in_bounds)
{
	note(256, -5);
	ck_assert_int_gt(kn__latency_p95(&latency), 0);
	note(60000, INT64_MAX);
	ck_assert_int_ge(kn__latency_p95(&latency), 60 * KN__NS_PER_S);
	note(60000, INT64_MIN);
	ck_assert_int_le(kn__latency_p95(&latency), 1024);
}
END_TEST

/* One in twenty is above it, and no more. */
START_TEST(leaves_the_slow_out)
{
	for (int i = 0; i < 1024; i++)
		note(1, i % 25 == 0 ? KN__NS_PER_S : MS);
	must_be(MS);
	for (int i = 0; i < 1024; i++)
		note(1, i % 10 == 0 ? KN__NS_PER_S : MS);
	ck_assert_int_ge(kn__latency_p95(&latency), MS);
}
END_TEST

START_TEST(follows_what_changes)
{
	note(100000, MS);
	must_be(MS);
	note(4096, 20 * MS);
	must_be(20 * MS);
	/* The old are forgotten by halves. */
	note(30000, MS);
	must_be(MS);
}
END_TEST

START_TEST(only_a_share_is_hedged)
{
	const int percent[] = { 1, 5, 50, 100 };

	for (int p = 0; p < COUNT(percent); p++)
	{
		kn__hedges hedges;
		int taken = 0;

		kn__hedges_init(&hedges, percent[p]);
		ck_assert(!kn__hedges_take(&hedges));
		for (int i = 1; i <= 10000; i++)
		{
			kn__hedges_call(&hedges);
			taken += kn__hedges_take(&hedges);
			ck_assert_int_le(taken * 100, i * percent[p]);
		}
		ck_assert_int_eq(taken, 100 * percent[p]);
	}
}
END_TEST

START_TEST(quiet_times_save_a_few)
{
	kn__hedges hedges;
	int taken = 0;

	kn__hedges_init(&hedges, 5);
	for (int i = 0; i < 100000; i++)
		kn__hedges_call(&hedges);
	while (kn__hedges_take(&hedges))
		taken++;
	ck_assert_int_eq(taken, 10);
	kn__hedges_give_back(&hedges);
	ck_assert(kn__hedges_take(&hedges));
	ck_assert(!kn__hedges_take(&hedges));
	kn__hedges_init(&hedges, 0);
	for (int i = 0; i < 1000; i++)
		kn__hedges_call(&hedges);
	ck_assert(!kn__hedges_take(&hedges));
}
END_TEST

#define THREADS 4
#define CALLS   50000

static kn__hedges shared;

static void *
take_on(void *argument)
{
	int *taken = argument;

	for (int i = 0; i < CALLS; i++)
	{
		kn__hedges_call(&shared);
		*taken += kn__hedges_take(&shared);
		kn__latency_note(&latency, MS);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[THREADS];
	int taken[THREADS] = { 0 };
	int all = 0;

	kn__hedges_init(&shared, 7);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_on, &taken[i]), 0);
	for (int i = 0; i < THREADS; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		all += taken[i];
	}
	ck_assert_int_le(all, THREADS * CALLS / 100 * 7);
	ck_assert_int_gt(all, THREADS * CALLS / 100 * 6);
	must_be(MS);
}
END_TEST

static void
set_up(void)
{
	latency = (kn__latency){ 0 };
}

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, few_say_nothing);
	LOOP(tcase, any_time_has_its_bucket, times);
	tcase_add_test(tcase, what_makes_no_sense_is_kept_in_bounds);
	tcase_add_test(tcase, leaves_the_slow_out);
	tcase_add_test(tcase, follows_what_changes);
	tcase_add_test(tcase, only_a_share_is_hedged);
	tcase_add_test(tcase, quiet_times_save_a_few);
	tcase_add_test(tcase, threads_share_it);
}

int
main(void)
{
	return suite_run("run_hedge", fill);
}
