/*
 * retry.h
 *		Whether, and when, something is tried again.
 */
#ifndef KN_SRC_RUN_RETRY_H
#define KN_SRC_RUN_RETRY_H

#include <stdatomic.h>

#include "base/base.h"

/*
 * A budget of repeats: calls pay in, repeats pay out, and a little comes in by itself, so
 * that a server in trouble is not given the rest by its own clients.  In thousandths of a repeat.
 */
typedef struct kn__budget
{
	_Atomic(int64_t) balance;
	_Atomic(int64_t) filled_at; /* monotonic nanoseconds */
	int64_t per_call;
	int64_t per_second;
	int64_t most;
} kn__budget;

extern void kn__budget_init(kn__budget *budget, int percent, int64_t now);
extern KN__HOT void kn__budget_call(kn__budget *budget);
/* Takes one repeat out, if there is one. */
extern bool kn__budget_take(kn__budget *budget, int64_t now);

/*
 * A pause before the attempt-th repeat, from 1 on: anything up to the base doubled each time,
 * and up to the cap.  random is any number, of whose bits all are used.
 */
extern int64_t kn__backoff(int64_t base_ns, int64_t cap_ns, int attempt, uint64_t random);

#endif
