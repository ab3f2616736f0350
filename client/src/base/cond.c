/*
 * cond.c
 *		Waiting for another thread, by the system's monotonic clock.
 */
#include "base/cond.h"

#include <errno.h>
#include <time.h>

void
kn__cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	(void) pthread_condattr_init(&monotonic);
	(void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void) pthread_cond_init(cond, &monotonic);
	(void) pthread_condattr_destroy(&monotonic);
}

bool
kn__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until)
{
	struct timespec time = { 0 };

	/* A moment below zero is as past as any, but no time that the system takes. */
	if (until > 0)
	{
		time.tv_sec = (time_t) (until / KN__NS_PER_S);
		time.tv_nsec = (long) (until % KN__NS_PER_S);
	}
	if (until == KN__NEVER)
	{
		(void) pthread_cond_wait(cond, lock);
		return true;
	}
	return pthread_cond_timedwait(cond, lock, &time) != ETIMEDOUT;
}

int64_t
kn__cond_until(const kn_clock *clock, int64_t moment)
{
	return moment == KN__NEVER ? KN__NEVER : kn__now(NULL) + (moment - kn__now(clock));
}
