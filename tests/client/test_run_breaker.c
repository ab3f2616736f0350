/*
 * test_run_breaker.c
 *		When a server is left alone, when it is tried again, and whose word counts.
 */
#include <stdatomic.h>

#include "run/breaker.h"
#include "suite.h"

#define MS KN__NS_PER_MS
#define S  KN__NS_PER_S

static const kn__breaker_options usual = {
	.failure_percent = 50,
	.slow_percent = 50,
	.slow_ns = 100 * MS,
	.window_seconds = 10,
	.calls = 10,
	.open_ns = 2 * S,
	.probes = 3,
	.lease_ns = 10 * S,
};

static kn__breaker breaker;
static int64_t now; /* the clock */

static void
set_up(void)
{
	now = 1000 * S;
	kn__breaker_init(&breaker, &usual);
}

static void
tear_down(void)
{
	kn__breaker_release(&breaker);
}

static bool
report(const kn__permit *permit, int64_t took, bool has_failed)
{
	kn__breaker_state was;
	kn__breaker_state is;
	int before = atomic_load(&breaker.state);
	bool has_changed = kn__breaker_report(&breaker, permit, now, took, has_failed, &was, &is);

	ck_assert_int_eq(was, before);
	ck_assert_int_eq(is, atomic_load(&breaker.state));
	ck_assert(has_changed == (was != is));
	return has_changed;
}

/* So many calls that went that way. */
static void
calls(int count, int64_t took, bool has_failed)
{
	for (int i = 0; i < count; i++)
	{
		kn__permit permit;

		ck_assert(kn__breaker_admit(&breaker, now, &permit));
		(void) report(&permit, took, has_failed);
	}
}

static kn__permit
admit(void)
{
	kn__permit permit;

	ck_assert(kn__breaker_admit(&breaker, now, &permit));
	return permit;
}

static bool
is_refused(void)
{
	kn__permit permit;

	return !kn__breaker_admit(&breaker, now, &permit);
}

static const struct
{
	int good;
	int slow;
	int bad; /* the last ones */
	kn__breaker_state expected;
} counts[] = {
	{ 0, 0, 9, KN__BREAKER_CLOSED },                                     /* too few */
	{ 0, 0, 10, KN__BREAKER_OPEN },     { 6, 0, 5, KN__BREAKER_CLOSED }, /* 45 % */
	{ 5, 0, 5, KN__BREAKER_OPEN },      { 100, 0, 99, KN__BREAKER_CLOSED },
	{ 100, 0, 100, KN__BREAKER_OPEN },  { 0, 9, 0, KN__BREAKER_CLOSED },
	{ 0, 10, 0, KN__BREAKER_OPEN },     { 5, 5, 0, KN__BREAKER_OPEN },
	{ 4, 4, 4, KN__BREAKER_CLOSED }, /* neither alone makes half */
	{ 1000, 0, 0, KN__BREAKER_CLOSED },
};

START_TEST(counts_open)
{
	calls(counts[_i].good, 99 * MS, false);
	calls(counts[_i].slow, 100 * MS, false);
	calls(counts[_i].bad, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), counts[_i].expected);
	ck_assert(is_refused() == (counts[_i].expected == KN__BREAKER_OPEN));
	ck_assert_uint_eq(breaker.openings, counts[_i].expected == KN__BREAKER_OPEN);
}
END_TEST

static const struct
{
	int failure_percent;
	int slow_percent;
	kn__breaker_state after_failures;
	kn__breaker_state after_slow;
} switches[] = {
	{ 50, 50, KN__BREAKER_OPEN, KN__BREAKER_OPEN },
	{ -1, 50, KN__BREAKER_CLOSED, KN__BREAKER_OPEN },
	{ 50, -1, KN__BREAKER_OPEN, KN__BREAKER_CLOSED },
	{ -1, -1, KN__BREAKER_CLOSED, KN__BREAKER_CLOSED },
};

START_TEST(switched_off)
{
	breaker.options.failure_percent = switches[_i].failure_percent;
	breaker.options.slow_percent = switches[_i].slow_percent;
	calls(10, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), switches[_i].after_failures);
	tear_down();
	kn__breaker_init(&breaker, &usual);
	breaker.options.failure_percent = switches[_i].failure_percent;
	breaker.options.slow_percent = switches[_i].slow_percent;
	calls(10, S, false);
	ck_assert_int_eq(atomic_load(&breaker.state), switches[_i].after_slow);
}
END_TEST

START_TEST(old_calls_have_no_say)
{
	calls(9, 0, true);
	now += 9 * S; /* still within the window */
	calls(1, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_OPEN);
	tear_down();
	set_up();
	calls(9, 0, true);
	now += 10 * S;
	calls(9, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
	/* A bucket comes round again, and has nothing in it of a year ago. */
	now += INT64_C(365) * 86400 * S;
	calls(9, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
	calls(1, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_OPEN);
}
END_TEST

/* Ten failures; the clock stands where the first probe may go. */
static void
open_and_wait(void)
{
	calls(10, 0, true);
	now += 2 * S - 1;
	ck_assert(!kn__breaker_may_admit(&breaker, now));
	ck_assert(is_refused());
	now++;
	ck_assert(kn__breaker_may_admit(&breaker, now));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_OPEN);
}

START_TEST(probes_close_it)
{
	kn__permit probes[3];

	open_and_wait();
	for (int i = 0; i < 3; i++)
	{
		probes[i] = admit();
		ck_assert(probes[i].is_probe);
		ck_assert_int_eq(probes[i].is_first, i == 0);
	}
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_HALF_OPEN);
	ck_assert(!kn__breaker_may_admit(&breaker, now));
	ck_assert(is_refused());
	ck_assert(!report(&probes[0], 0, false));
	ck_assert(is_refused()); /* three in all, not three at a time */
	ck_assert(!report(&probes[1], 0, false));
	ck_assert(report(&probes[2], 0, false));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
	ck_assert(kn__breaker_may_admit(&breaker, now));
	/* What was counted before it opened is forgotten. */
	calls(9, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
}
END_TEST

static const struct
{
	int64_t took;
	bool has_failed;
} bad_probes[] = { { 0, true }, { 100 * MS, false } };

START_TEST(a_bad_probe_opens_it)
{
	kn__permit first;
	kn__permit second;

	open_and_wait();
	first = admit();
	second = admit();
	ck_assert(!report(&first, 0, false));
	now += S;
	ck_assert(report(&second, bad_probes[_i].took, bad_probes[_i].has_failed));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_OPEN);
	/* The time begins anew. */
	now += 2 * S - 1;
	ck_assert(is_refused());
	now++;
	ck_assert(admit().is_probe);
}
END_TEST

START_TEST(a_lost_probe_runs_out)
{
	kn__permit lost[3];
	kn__permit probe;

	open_and_wait();
	for (int i = 0; i < 3; i++)
		lost[i] = admit();
	now += 10 * S - 1;
	ck_assert(is_refused());
	now++;
	ck_assert(kn__breaker_may_admit(&breaker, now));
	probe = admit();
	ck_assert(probe.is_probe);
	ck_assert(!report(&probe, 0, false));
	/* One that comes back after all is as good as any. */
	ck_assert(!report(&lost[0], 0, false));
	ck_assert(report(&lost[1], 0, false));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
	ck_assert(!report(&lost[2], 0, true));
}
END_TEST

/* It is not its place that is free when it comes back: that was given to another. */
START_TEST(a_late_probe_takes_nobodys_place)
{
	kn__permit late[3];
	kn__permit probes[3];

	open_and_wait();
	for (int i = 0; i < 3; i++)
		late[i] = admit();
	now += 10 * S;
	for (int i = 0; i < 3; i++)
		probes[i] = admit();
	kn__breaker_withdraw(&breaker, &late[0]);
	ck_assert(is_refused());
	ck_assert(!report(&late[1], 0, false));
	ck_assert_int_eq(breaker.probes_out, 3);
	kn__breaker_withdraw(&breaker, &probes[0]);
	ck_assert_int_eq(breaker.probes_out, 2);
	ck_assert(!report(&probes[1], 0, false));
	ck_assert(report(&probes[2], 0, false));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
}
END_TEST

START_TEST(earlier_states_have_no_say)
{
	kn__permit old = admit();
	kn__permit probe;

	open_and_wait();
	ck_assert(!report(&old, 0, false));
	probe = admit();
	ck_assert(!report(&old, 0, true));
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_HALF_OPEN);
	ck_assert(report(&probe, 0, true));
	now += 2 * S;
	(void) admit();
	/* A probe of the last time neither closes nor opens it. */
	ck_assert(!report(&probe, 0, true));
	ck_assert(!report(&probe, 0, false));
	ck_assert_int_eq(breaker.probes_good, 0);
	ck_assert_int_eq(breaker.probes_out, 1);
}
END_TEST

START_TEST(a_withdrawn_call_says_nothing)
{
	kn__permit permit = admit();
	kn__permit probe;

	for (int i = 0; i < 100; i++)
	{
		permit = admit();
		kn__breaker_withdraw(&breaker, &permit);
	}
	calls(9, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_CLOSED);
	calls(1, 0, true);
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_OPEN);
	kn__breaker_withdraw(&breaker, &permit);
	now += 2 * S;
	for (int i = 0; i < 100; i++)
	{
		probe = admit();
		ck_assert(probe.is_probe);
		kn__breaker_withdraw(&breaker, &probe);
	}
	ck_assert_int_eq(atomic_load(&breaker.state), KN__BREAKER_HALF_OPEN);
	ck_assert_int_eq(breaker.probes_out, 0);
	ck_assert_int_eq(breaker.probes_good, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, counts_open, counts);
	LOOP(tcase, switched_off, switches);
	tcase_add_test(tcase, old_calls_have_no_say);
	tcase_add_test(tcase, probes_close_it);
	LOOP(tcase, a_bad_probe_opens_it, bad_probes);
	tcase_add_test(tcase, a_lost_probe_runs_out);
	tcase_add_test(tcase, a_late_probe_takes_nobodys_place);
	tcase_add_test(tcase, earlier_states_have_no_say);
	tcase_add_test(tcase, a_withdrawn_call_says_nothing);
}

int
main(void)
{
	return suite_run("run_breaker", fill);
}
