/*
 * test_base_cond.c
 *		Waiting: until one is woken, or until a moment is past.
 */
#include "base/cond.h"
#include "suite.h"

typedef struct Meeting
{
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_set;
} Meeting;

static void
meet(Meeting *meeting)
{
	(void) pthread_mutex_init(&meeting->lock, NULL);
	kn__cond_init(&meeting->cond);
	meeting->is_set = false;
}

static void
part(Meeting *meeting)
{
	(void) pthread_cond_destroy(&meeting->cond);
	(void) pthread_mutex_destroy(&meeting->lock);
}

static void *
wake(void *argument)
{
	Meeting *meeting = argument;

	(void) pthread_mutex_lock(&meeting->lock);
	meeting->is_set = true;
	(void) pthread_cond_signal(&meeting->cond);
	(void) pthread_mutex_unlock(&meeting->lock);
	return NULL;
}

START_TEST(past)
{
	int64_t begun = kn__now(NULL);
	const int64_t moments[] = { INT64_MIN, -1, 0, begun - 1, begun + 2 * KN__NS_PER_MS };
	Meeting meeting;

	meet(&meeting);
	(void) pthread_mutex_lock(&meeting.lock);
	for (int i = 0; i < COUNT(moments); i++)
	{
		/* Nobody wakes it; a wake-up without reason is no lie about the time. */
		while (kn__cond_wait(&meeting.cond, &meeting.lock, moments[i]))
			;
		ck_assert_int_ge(kn__now(NULL), moments[i]);
	}
	(void) pthread_mutex_unlock(&meeting.lock);
	part(&meeting);
}
END_TEST

START_TEST(woken)
{
	const int64_t moments[] = { KN__NEVER, kn__now(NULL) + 3600 * KN__NS_PER_S };

	for (int i = 0; i < COUNT(moments); i++)
	{
		Meeting meeting;
		pthread_t thread;

		meet(&meeting);
		(void) pthread_mutex_lock(&meeting.lock);
		ck_assert_int_eq(pthread_create(&thread, NULL, wake, &meeting), 0);
		while (!meeting.is_set)
			ck_assert(kn__cond_wait(&meeting.cond, &meeting.lock, moments[i]));
		(void) pthread_mutex_unlock(&meeting.lock);
		(void) pthread_join(thread, NULL);
		part(&meeting);
	}
}
END_TEST

static int64_t
tell_time(void *user)
{
	return *(const int64_t *) user;
}

START_TEST(until_a_moment_of_another_clock)
{
	int64_t now = 7 * KN__NS_PER_S;
	const kn_clock clock = { .monotonic = tell_time, .user = &now };
	int64_t begun = kn__now(NULL);
	int64_t until = kn__cond_until(&clock, now + KN__NS_PER_S);

	ck_assert_int_ge(until, begun + KN__NS_PER_S);
	ck_assert_int_le(until, kn__now(NULL) + KN__NS_PER_S);
	ck_assert_int_le(kn__cond_until(&clock, now - KN__NS_PER_S), kn__now(NULL) - KN__NS_PER_S);
	ck_assert_int_eq(kn__cond_until(&clock, KN__NEVER), KN__NEVER);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, past);
	tcase_add_test(tcase, woken);
	tcase_add_test(tcase, until_a_moment_of_another_clock);
}

int
main(void)
{
	return suite_run("base_cond", fill);
}
