/*
 * test_base_clock.c
 *		Clocks, the system's and one that was handed in, and moments after others.
 */
#include "base/base.h"
#include "suite.h"

static int64_t
read_number(void *user)
{
	return *(int64_t *) user;
}

START_TEST(the_systems)
{
	const kn_clock unset = { 0 };
	int64_t before = kn__now(NULL);
	int64_t wall = kn__wall(&unset);

	ck_assert_int_ge(kn__now(&unset), before);
	ck_assert_int_ge(kn__wall(NULL), wall);
	ck_assert_int_gt(wall, INT64_C(1577836800) * KN__NS_PER_S); /* 2020 */
}
END_TEST

START_TEST(what_is_soon_is_still_to_come)
{
	for (int i = 0; i < 1000; i++)
	{
		int64_t coarse = kn__coarse(NULL);
		int64_t before = kn__now(NULL);
		int64_t soon = kn__soon(NULL);

		/* Unless the machine has missed a tick itself. */
		ck_assert(soon >= before || before - coarse > KN__TICK);
		ck_assert_int_le(soon, kn__now(NULL) + KN__TICK);
	}
}
END_TEST

START_TEST(one_handed_in)
{
	int64_t number = 42;
	kn_clock clock = { .monotonic = read_number, .wall = read_number, .user = &number };

	ck_assert_int_eq(kn__now(&clock), 42);
	ck_assert_int_eq(kn__coarse(&clock), 42);
	ck_assert_int_eq(kn__soon(&clock), 42);
	number = -1;
	ck_assert_int_eq(kn__wall(&clock), -1);
}
END_TEST

static const struct
{
	int64_t now;
	int64_t milliseconds;
	int64_t expected;
} afters[] = {
	{ 0, 0, 0 },
	{ 5, 1, 1000005 },
	{ -5, 1, 999995 },
	{ 5, -1, KN__NEVER },
	{ 5, INT64_MIN, KN__NEVER },
	{ 0, INT64_MAX, KN__NEVER },
	{ INT64_MIN, INT64_MAX, KN__NEVER },
	{ 0, INT64_MAX / KN__NS_PER_MS, INT64_MAX / KN__NS_PER_MS *KN__NS_PER_MS },
	{ 0, INT64_MAX / KN__NS_PER_MS + 1, KN__NEVER },
	{ INT64_MAX - 1000000, 1, INT64_MAX },
	{ INT64_MAX - 999999, 1, KN__NEVER },
	{ KN__NEVER, 0, KN__NEVER },
	{ INT64_MIN, 0, INT64_MIN },
};

START_TEST(after)
{
	ck_assert_int_eq(kn__after(afters[_i].now, afters[_i].milliseconds), afters[_i].expected);
}
END_TEST

static const int64_t origins[] = { INT64_MIN, -5 * KN__NS_PER_S, -1, 0 };

/* It goes as fast, from a moment on that is one. */
START_TEST(one_that_begins_with_no_moment)
{
	int64_t number = origins[_i];
	kn_clock clock = { .monotonic = read_number, .wall = read_number, .user = &number };
	kn__shifted shifted;
	const kn_clock *used = kn__clock_shift(&shifted, &clock);
	int64_t begun = kn__now(used);

	ck_assert_int_gt(begun, 0);
	number += 1000;
	ck_assert_int_eq(kn__now(used), begun + 1000);
	ck_assert_int_eq(kn__coarse(used), begun + 1000);
	ck_assert_int_eq(kn__wall(used), origins[_i] + 1000);
}
END_TEST

START_TEST(others_stay_as_they_are)
{
	int64_t number = 1;
	kn_clock clock = { .monotonic = read_number, .user = &number };
	kn_clock wall = { .wall = read_number, .user = &number };
	kn__shifted shifted;

	ck_assert_ptr_eq(kn__clock_shift(&shifted, &clock), &clock);
	ck_assert_ptr_eq(kn__clock_shift(&shifted, &wall), &wall);
	ck_assert_ptr_null(kn__clock_shift(&shifted, NULL));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, the_systems);
	tcase_add_test(tcase, what_is_soon_is_still_to_come);
	tcase_add_test(tcase, one_handed_in);
	LOOP(tcase, one_that_begins_with_no_moment, origins);
	tcase_add_test(tcase, others_stay_as_they_are);
	LOOP(tcase, after, afters);
}

int
main(void)
{
	return suite_run("base_clock", fill);
}
