/*
 * test_run_retry.c
 *		What repeats cost, and how long the pauses before them are.
 */
#include <pthread.h>

#include "run/retry.h"
#include "suite.h"

#define MS KN__NS_PER_MS
#define S  KN__NS_PER_S

/* So many repeats as there are. */
static int
take_all(kn__budget *budget, int64_t now)
{
	int count = 0;

	while (count < 100000 && kn__budget_take(budget, now))
		count++;
	return count;
}

static const struct
{
	int percent;
	int calls;
	int64_t passed; /* since the beginning */
	int expected;
} budgets[] = {
	{ 20, 0, 0, 10 }, /* what there is at the beginning */
	{ 20, 4, 0, 10 }, /* four calls do not make a repeat, */
	{ 20, 5, 0, 11 }, /* five do */
	{ 20, 100, 0, 30 },
	{ 100, 10, 0, 20 },
	{ 1, 100, 0, 11 },
	{ 20, 1000000, 0, 100 }, /* what is kept has an end */
	{ 20, 0, 99 * MS, 10 },
	{ 20, 0, 100 * MS, 11 }, /* ten a second */
	{ 20, 0, S, 20 },
	{ 20, 0, 9 * S, 100 },
	{ 20, 0, 10000 * S, 100 },
	{ 20, 1000000, 10 * S, 100 },
	{ 0, 1000000, 10000 * S, 0 },
	{ -1, 1000000, 10000 * S, 0 },
};

START_TEST(pays)
{
	kn__budget budget;
	int64_t begin = 77 * S;
	int64_t now = begin + budgets[_i].passed;

	kn__budget_init(&budget, budgets[_i].percent, begin);
	for (int i = 0; i < budgets[_i].calls; i++)
		kn__budget_call(&budget);
	ck_assert_int_eq(take_all(&budget, now), budgets[_i].expected);
	ck_assert(!kn__budget_take(&budget, now));
}
END_TEST

START_TEST(fills_again)
{
	kn__budget budget;
	int64_t now = 5 * S;
	int taken = 0;

	kn__budget_init(&budget, 20, now);
	ck_assert_int_eq(take_all(&budget, now), 10);
	/* However often it is asked, it is ten a second. */
	for (int i = 0; i < 1000; i++)
	{
		now += MS;
		taken += kn__budget_take(&budget, now);
	}
	ck_assert_int_ge(taken, 9);
	ck_assert_int_le(taken, 10);
	/* A clock that stands still, or that somebody else has read later, gives nothing. */
	(void) take_all(&budget, now);
	ck_assert(!kn__budget_take(&budget, now - S));
}
END_TEST

/* With a budget of 20 %, a server that fails each call sees no more than 1.2 times the calls. */
START_TEST(no_storm)
{
	kn__budget budget;
	int attempts = 0;

	kn__budget_init(&budget, 20, 0);
	(void) take_all(&budget, 0);
	for (int i = 0; i < 10000; i++)
	{
		kn__budget_call(&budget);
		attempts++;
		for (int repeat = 0; repeat < 2 && kn__budget_take(&budget, 0); repeat++)
			attempts++;
	}
	ck_assert_int_le(attempts, 12000);
	ck_assert_int_ge(attempts, 11999);
}
END_TEST

#define THREADS 4
#define ROUNDS  200000

typedef struct payer
{
	pthread_t thread;
	kn__budget *budget;
	int taken;
} payer;

static void *
pay_and_take(void *argument)
{
	payer *p = argument;

	for (int i = 0; i < ROUNDS; i++)
	{
		for (int call = 0; call < 5; call++)
			kn__budget_call(p->budget);
		p->taken += kn__budget_take(p->budget, 0);
	}
	return NULL;
}

/* Many at a time: a fifth of the calls and what there was at first, and not one more. */
START_TEST(no_storm_of_many)
{
	kn__budget budget;
	payer payers[THREADS] = { { .budget = &budget } };
	int taken = 0;

	kn__budget_init(&budget, 20, 0);
	for (int i = 0; i < THREADS; i++)
	{
		payers[i].budget = &budget;
		ck_assert_int_eq(pthread_create(&payers[i].thread, NULL, pay_and_take, &payers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
	{
		ck_assert_int_eq(pthread_join(payers[i].thread, NULL), 0);
		taken += payers[i].taken;
	}
	taken += take_all(&budget, 0);
	ck_assert_int_eq(taken, THREADS * ROUNDS + 10);
}
END_TEST

static const struct
{
	int64_t base;
	int64_t cap;
	int attempt;
	int64_t most;
} pauses[] = {
	{ 10 * MS, 1000 * MS, 1, 10 * MS },
	{ 10 * MS, 1000 * MS, 2, 20 * MS },
	{ 10 * MS, 1000 * MS, 3, 40 * MS },
	{ 10 * MS, 1000 * MS, 7, 640 * MS },
	{ 10 * MS, 1000 * MS, 8, 1000 * MS },
	{ 10 * MS, 1000 * MS, 1000000, 1000 * MS },
	{ 10 * MS, 5 * MS, 1, 5 * MS },
	{ 10 * MS, 0, 3, 0 },
	{ 0, 1000 * MS, 5, 0 },
	{ 1, INT64_MAX, 64, INT64_MAX },
	{ 1, INT64_MAX, 63, INT64_C(1) << 62 },
	{ INT64_MAX / 2 + 1, INT64_MAX, 2, INT64_MAX },
	{ INT64_MAX, INT64_MAX, 9, INT64_MAX },
};

START_TEST(pause)
{
	int64_t base = pauses[_i].base;
	int64_t cap = pauses[_i].cap;
	int attempt = pauses[_i].attempt;
	uint64_t most = (uint64_t) pauses[_i].most;

	ck_assert_int_eq(kn__backoff(base, cap, attempt, most), pauses[_i].most);
	ck_assert_int_eq(kn__backoff(base, cap, attempt, 0), 0);
	ck_assert_int_eq(kn__backoff(base, cap, attempt, most + 1), 0);
	ck_assert_int_eq(kn__backoff(base, cap, attempt, most / 2), (int64_t) (most / 2));
	ck_assert_int_ge(kn__backoff(base, cap, attempt, UINT64_MAX), 0);
	ck_assert_int_le(kn__backoff(base, cap, attempt, UINT64_MAX), pauses[_i].most);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, pays, budgets);
	tcase_add_test(tcase, fills_again);
	tcase_add_test(tcase, no_storm);
	tcase_add_test(tcase, no_storm_of_many);
	LOOP(tcase, pause, pauses);
}

int
main(void)
{
	return suite_run("run_retry", fill);
}
