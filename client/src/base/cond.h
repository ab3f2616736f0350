/*
 * cond.h
 *		Waiting for another thread, by the system's monotonic clock.
 */
#ifndef KN_SRC_BASE_COND_H
#define KN_SRC_BASE_COND_H

#include <pthread.h>

#include "base/base.h"

extern void kn__cond_init(pthread_cond_t *cond);
/*
 * Waits to be woken, as pthread_cond_wait() does, but not past a moment of kn__now(NULL);
 * KN__NEVER: as long as it takes.  False: it is past.
 */
extern bool kn__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until);
/* What a moment of another clock is by kn__now(NULL); KN__NEVER stays that. */
extern int64_t kn__cond_until(const kn_clock *clock, int64_t moment);

#endif
