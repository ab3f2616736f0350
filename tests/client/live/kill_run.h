/*
 * kill_run.h
 *		The tests of a program that loses connections: a test for each way, which goes through all
 *		calls and moments.
 */
#ifndef KN_TESTS_KILL_RUN_H
#define KN_TESTS_KILL_RUN_H

#include "kill_harm.h"

/* How long a call lasts that is told nothing, and a cancel request after it. */
#define PATIENCE_MS 80
#define CANCEL_MS   30

/* What is played: so many calls, by their numbers. */
typedef struct kill_plan
{
	const char *name; /* of the program */
	int count;
	bool (*has_moment)(int number, moment when);
	/* False: the time was over before the harm was done. */
	bool (*play)(way how, moment when, int number, int64_t patience_ms);
} kill_plan;

static kill_plan plan;

static void
play_all(way how, int number)
{
	for (moment when = MOMENT_BEFORE; when < MOMENT_COUNT; when++)
	{
		int64_t patience_ms = PATIENCE_MS;

		mark_point();
		if (!plan.has_moment(number, when))
			continue;
		while (!plan.play(how, when, number, patience_ms))
			patience_ms *= 2;
		++*combinations;
	}
}

/* The way is the test, the call the number; a server that restarts takes its time. */
START_TEST(is_cut_off)
{
	play_all(WAY_CUT, _i);
}
END_TEST

START_TEST(is_closed)
{
	play_all(WAY_CLOSE, _i);
}
END_TEST

START_TEST(is_reset)
{
	play_all(WAY_RESET, _i);
}
END_TEST

START_TEST(is_dropped)
{
	play_all(WAY_DROP, _i);
}
END_TEST

START_TEST(is_frozen)
{
	play_all(WAY_FREEZE, _i);
}
END_TEST

START_TEST(is_terminated)
{
	play_all(WAY_TERMINATE, _i);
}
END_TEST

START_TEST(is_killed)
{
	play_all(WAY_KILL, _i);
}
END_TEST

START_TEST(is_stopped)
{
	play_all(WAY_STOP, _i);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up_kill, NULL);
	tcase_add_loop_test(tcase, is_cut_off, 0, plan.count);
	if (is_tls())
		tcase_add_loop_test(tcase, is_closed, 0, plan.count);
	else
		(void) printf("not run without TLS: is_closed: there is nothing to end in order\n");
	(void) fflush(stdout);
	tcase_add_loop_test(tcase, is_reset, 0, plan.count);
	tcase_add_loop_test(tcase, is_dropped, 0, plan.count);
	tcase_add_loop_test(tcase, is_frozen, 0, plan.count);
	tcase_add_loop_test(tcase, is_terminated, 0, plan.count);
	tcase_add_loop_test(tcase, is_killed, 0, plan.count);
	tcase_add_loop_test(tcase, is_stopped, 0, plan.count);
}

/* How many moments the calls do not have. */
static int
missing_moments(void)
{
	int missing = 0;

	for (int i = 0; i < plan.count; i++)
	{
		for (moment when = MOMENT_BEFORE; when < MOMENT_COUNT; when++)
			missing += plan.has_moment(i, when) ? 0 : 1;
	}
	return missing;
}

/* Whether libcheck has been told to play only some, or none. */
static bool
is_filtered(void)
{
	static const char *const filters[] = { "CK_RUN_SUITE",
										   "CK_RUN_CASE",
										   "CK_INCLUDE_TAGS",
										   "CK_EXCLUDE_TAGS" };
	bool is_set = false;

	for (int i = 0; i < COUNT(filters); i++)
		is_set |= getenv(filters[i]) != NULL;
	return is_set;
}

/* The main() of a program that plays these: each has to have been played. */
static int
kill_run(const kill_plan *played)
{
	int ways = is_tls() ? WAY_COUNT : WAY_COUNT - 1;
	int missing;
	int expected;
	int status;

	plan = *played;
	missing = missing_moments();
	expected = (plan.count * MOMENT_COUNT - missing) * ways;
	combinations_begin();
	status = suite_run(plan.name, fill);
	if (status == EXIT_SUCCESS && *combinations != expected && !is_filtered())
	{
		(void) printf("%d combinations were to be played\n", expected);
		status = EXIT_FAILURE;
	}
	(void) printf(
		"%d combinations of %d calls, %d moments and %d ways; "
		"%d left out, of calls that do not have the moment\n",
		*combinations,
		plan.count,
		MOMENT_COUNT,
		ways,
		missing * ways);
	return status;
}

#endif
