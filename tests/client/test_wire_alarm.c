/*
 * test_wire_alarm.c
 *		Who waits is woken when his time is over, and not before; nobody is overlooked.
 */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "failing.h"
#include "suite.h"
#include "threads.h"
#include "wire/alarm.h"

#define LONG_NS (3600 * KN__NS_PER_S)

/* One who waits. */
typedef struct Waiter
{
	kn__alarm *alarm;
	kn__bell bell;
	int wake[2];
	int late; /* waits that ended before their time, or were not woken at all */
} Waiter;

static void
come(Waiter *waiter, kn__alarm *alarm)
{
	waiter->alarm = alarm;
	waiter->late = 0;
	ck_assert(kn__wake_open(waiter->wake));
	kn__alarm_add(alarm, &waiter->bell, waiter->wake[1]);
}

static void
go(Waiter *waiter)
{
	kn__alarm_remove(waiter->alarm, &waiter->bell);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(close(waiter->wake[i]), 0);
}

/* Whether it rings within so many milliseconds; what is in the pipe is taken out. */
static bool
rings(const Waiter *waiter, int timeout)
{
	struct pollfd fd = { .fd = waiter->wake[0], .events = POLLIN };
	bool has_rung = poll(&fd, 1, timeout) == 1;

	kn__wake_empty(waiter->wake[0]);
	return has_rung;
}

START_TEST(rings_in_time)
{
	const int64_t left[] = { -KN__NS_PER_S, 0, 1, KN__NS_PER_MS, 20 * KN__NS_PER_MS };
	kn__alarm *alarm = kn__alarm_new(NULL);
	Waiter waiter;

	come(&waiter, alarm);
	for (int i = 0; i < COUNT(left); i++)
	{
		int64_t deadline = kn__now(NULL) + left[i];

		ck_assert(kn__alarm_set(alarm, &waiter.bell, deadline));
		ck_assert(rings(&waiter, -1));
		ck_assert_int_ge(kn__now(NULL), deadline);
		ck_assert_int_eq(atomic_load(&waiter.bell.deadline), KN__NEVER);
	}
	ck_assert(!rings(&waiter, 0));
	go(&waiter);
	kn__alarm_free(alarm);
}
END_TEST

/* The thread sleeps for an hour by then. */
START_TEST(rings_before_a_later_one)
{
	kn__alarm *alarm = kn__alarm_new(NULL);
	Waiter waiters[3];

	for (int i = 0; i < 3; i++)
		come(&waiters[i], alarm);
	ck_assert(kn__alarm_set(alarm, &waiters[0].bell, kn__now(NULL) + LONG_NS));
	ck_assert(kn__alarm_set(alarm, &waiters[1].bell, kn__now(NULL) + 20 * KN__NS_PER_MS));
	ck_assert(kn__alarm_set(alarm, &waiters[2].bell, kn__now(NULL) + KN__NS_PER_MS));
	ck_assert(rings(&waiters[2], -1));
	ck_assert(rings(&waiters[1], -1));
	ck_assert(!rings(&waiters[0], 0));
	for (int i = 0; i < 3; i++)
		go(&waiters[i]);
	kn__alarm_free(alarm);
}
END_TEST

/* One that comes later is looked at when the first is due. */
START_TEST(goes_on_to_the_next)
{
	kn__alarm *alarm = kn__alarm_new(NULL);
	Waiter waiters[2];
	int64_t now = kn__now(NULL);

	for (int i = 0; i < 2; i++)
		come(&waiters[i], alarm);
	ck_assert(kn__alarm_set(alarm, &waiters[0].bell, now + 10 * KN__NS_PER_MS));
	ck_assert(kn__alarm_set(alarm, &waiters[1].bell, now + 20 * KN__NS_PER_MS));
	ck_assert(rings(&waiters[0], -1));
	ck_assert(rings(&waiters[1], -1));
	ck_assert_int_ge(kn__now(NULL), now + 20 * KN__NS_PER_MS);
	for (int i = 0; i < 2; i++)
		go(&waiters[i]);
	kn__alarm_free(alarm);
}
END_TEST

START_TEST(is_quiet_once_cleared)
{
	kn__alarm *alarm = kn__alarm_new(NULL);
	Waiter waiters[2];
	Waiter gone;
	int64_t now = kn__now(NULL);

	for (int i = 0; i < 2; i++)
		come(&waiters[i], alarm);
	come(&gone, alarm);
	ck_assert(kn__alarm_set(alarm, &waiters[0].bell, now + LONG_NS));
	kn__alarm_clear(&waiters[0].bell);
	ck_assert(kn__alarm_set(alarm, &gone.bell, now + LONG_NS));
	go(&gone);
	/* Where it was due by the time that it was cleared, it may have rung. */
	do
	{
		now = kn__now(NULL);
		kn__wake_empty(waiters[0].wake[0]);
		ck_assert(kn__alarm_set(alarm, &waiters[0].bell, now + 10 * KN__NS_PER_MS));
		kn__alarm_clear(&waiters[0].bell);
	} while (kn__now(NULL) >= now + 10 * KN__NS_PER_MS);
	/* Both are looked at together. */
	ck_assert(kn__alarm_set(alarm, &waiters[1].bell, now + 20 * KN__NS_PER_MS));
	ck_assert(rings(&waiters[1], -1));
	ck_assert(!rings(&waiters[0], 0));
	for (int i = 0; i < 2; i++)
		go(&waiters[i]);
	kn__alarm_free(alarm);
}
END_TEST

/* The bell of the wait before may ring once more: who is woken looks at the time, here as
 * elsewhere. */
static bool
rings_from(Waiter *waiter, int64_t deadline)
{
	while (rings(waiter, 60000))
	{
		if (kn__now(NULL) >= deadline)
			return true;
	}
	return false;
}

#define WAITS 2000

/* Waits of all lengths, most of which are over before their time: a few microseconds. */
static void *
wait_often(void *argument)
{
	Waiter *waiter = argument;

	for (int i = 0; i < WAITS; i++)
	{
		int64_t deadline = kn__now(NULL) + (i % 7 == 0 ? i % 50 * 1000 : i % 3 * LONG_NS);

		if (!kn__alarm_set(waiter->alarm, &waiter->bell, deadline))
			waiter->late++;
		if (i % 7 == 0 && !rings_from(waiter, deadline))
			waiter->late++;
		kn__alarm_clear(&waiter->bell);
		/* It may have rung before it was cleared. */
		kn__wake_empty(waiter->wake[0]);
	}
	return NULL;
}

START_TEST(overlooks_nobody)
{
	kn__alarm *alarm = kn__alarm_new(NULL);
	Waiter waiters[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
	{
		come(&waiters[i], alarm);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_often, &waiters[i]), 0);
	}
	for (int i = 0; i < 4; i++)
	{
		(void) pthread_join(threads[i], NULL);
		ck_assert_int_eq(waiters[i].late, 0);
		go(&waiters[i]);
	}
	kn__alarm_free(alarm);
}
END_TEST

/* Where nobody has waited there is no thread, and nothing is left over. */
START_TEST(ends_without_having_begun)
{
	int threads = threads_now();
	failing f;
	kn__alarm *alarm;
	Waiter waiter;

	failing_init(&f, 0, false);
	alarm = kn__alarm_new(&f.allocator);
	come(&waiter, alarm);
	ck_assert_int_eq(threads_now(), threads);
	ck_assert(!rings(&waiter, 0));
	go(&waiter);
	kn__alarm_free(alarm);
	ck_assert_int_eq(threads_now(), threads);
	ck_assert_int_gt(f.calls, 0);
	ck_assert(failing_is_even(&f));
	kn__alarm_free(NULL);
	failing_arm(&f, 1);
	ck_assert_ptr_null(kn__alarm_new(&f.allocator));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, rings_in_time);
	tcase_add_test(tcase, rings_before_a_later_one);
	tcase_add_test(tcase, goes_on_to_the_next);
	tcase_add_test(tcase, is_quiet_once_cleared);
	tcase_add_test(tcase, overlooks_nobody);
	tcase_add_test(tcase, ends_without_having_begun);
}

int
main(void)
{
	return suite_run("wire_alarm", fill);
}
