/*
 * test_run_lag.c
 *		How late a replica is taken for.
 */
#include "run/lag.h"

#include "suite.h"

#define MS     INT64_C(1000000)
#define US(ms) (INT64_C(1000) * (ms))

/* One look a second, which takes 10 ms. */
static void
look(kn__sights *sights, int64_t at_ms, uint64_t lsn)
{
	kn__sights_note(sights, 0, 1, lsn, at_ms * MS, (at_ms + 10) * MS);
}

static const struct
{
	const char *name;
	uint64_t replayed;
	int64_t own_us;
	bool is_even;
	int64_t expected_us;
} cases[] = {
	{ "all that was seen", 300, US(60000), true, 0 },
	{ "more than was seen", 400, -1, false, 0 },
	{ "cut off: it has all it was sent", 200, US(60000), true, US(3000) },
	{ "the commit it has replayed last is younger than that", 200, US(2500), false, US(2500) },
	{ "it does not know", 200, -1, false, US(3000) },
	{ "its clock is ahead", 200, US(1), false, US(1990) },
	{ "it stands still for longer", 150, -1, true, US(5000) },
	{ "it was late before anybody looked", 50, US(7200000), false, US(7200000) },
	{ "likewise, and its clock is ahead", 50, US(1), false, US(4990) },
	{ "likewise, and it knows nothing", 50, -1, true, -1 },
};

START_TEST(is_known_by_what_the_primary_had)
{
	kn__sights sights = { .count = 0 };

	look(&sights, 1000, 100);
	look(&sights, 2000, 200);
	look(&sights, 3000, 200);
	look(&sights, 4000, 300);
	ck_assert_msg(kn__sights_lag(&sights,
								 cases[_i].replayed,
								 cases[_i].own_us,
								 cases[_i].is_even,
								 6000 * MS) == cases[_i].expected_us,
				  "%s",
				  cases[_i].name);
}
END_TEST

START_TEST(idleness_is_no_lag)
{
	kn__sights sights = { .count = 0 };

	for (int i = 0; i < 100000; i++)
		look(&sights, i * 1000, 100);
	ck_assert_int_eq(sights.count, 1);
	ck_assert_int_eq(kn__sights_lag(&sights, 100, US(100000000), true, 100000000 * MS), 0);
	/* And the first write after it is as late as it is, and not as the one before. */
	look(&sights, 100000000, 101);
	ck_assert_int_eq(kn__sights_lag(&sights, 100, US(100000000), false, 100000020 * MS), US(1020));
}
END_TEST

START_TEST(without_a_primary_it_has_its_own_word)
{
	kn__sights sights = { .count = 0 };

	ck_assert_int_eq(kn__sights_lag(&sights, 100, US(5), true, MS), 0);
	ck_assert_int_eq(kn__sights_lag(&sights, 100, US(5), false, MS), US(5));
	ck_assert_int_eq(kn__sights_lag(&sights, 100, -1, false, MS), -1);
}
END_TEST

START_TEST(another_primary_begins_anew)
{
	kn__sights sights = { .count = 0 };

	look(&sights, 1000, 500);
	/* It was promoted without the last of what the one before had. */
	kn__sights_note(&sights, 1, 2, 400, 2000 * MS, 2010 * MS);
	ck_assert_int_eq(kn__sights_lag(&sights, 400, -1, true, 60000 * MS), 0);
	kn__sights_note(&sights, 1, 3, 450, 3000 * MS, 3010 * MS);
	ck_assert_int_eq(sights.count, 1);
	kn__sights_note(&sights, 1, 3, 440, 4000 * MS, 4010 * MS);
	ck_assert_int_eq(kn__sights_lag(&sights, 440, -1, true, 60000 * MS), 0);
}
END_TEST

/* However long it lasts, it is never taken for less late than it is. */
START_TEST(remembers_long_ago)
{
	kn__sights sights = { .count = 0 };

	for (int i = 1; i <= 10000; i++)
	{
		look(&sights, i * 1000, (uint64_t) i);
		ck_assert_int_le(sights.count, KN__SIGHTS);
		if (i > 100)
			ck_assert_int_ge(kn__sights_lag(&sights, 100, -1, true, i * 1000 * MS),
							 US((i - 100) * 1000));
	}
	ck_assert_int_ge(sights.sights[0].lsn, 1);
	for (int i = 1; i < sights.count; i++)
		ck_assert_uint_gt(sights.sights[i].lsn, sights.sights[i - 1].lsn);
	/* What is recent is known well. */
	ck_assert_int_eq(kn__sights_lag(&sights, 9990, -1, true, 10000 * 1000 * MS), US(10000));
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, is_known_by_what_the_primary_had, cases);
	tcase_add_test(tcase, idleness_is_no_lag);
	tcase_add_test(tcase, without_a_primary_it_has_its_own_word);
	tcase_add_test(tcase, another_primary_begins_anew);
	tcase_add_test(tcase, remembers_long_ago);
}

int
main(void)
{
	return suite_run("run_lag", fill);
}
