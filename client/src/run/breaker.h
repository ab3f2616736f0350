/*
 * breaker.h
 *		When a server is left alone for a while.
 */
#ifndef KN_SRC_RUN_BREAKER_H
#define KN_SRC_RUN_BREAKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

typedef enum kn__breaker_state
{
	KN__BREAKER_CLOSED,   /* calls go through, and are counted */
	KN__BREAKER_OPEN,     /* none does */
	KN__BREAKER_HALF_OPEN /* a few do, to see */
} kn__breaker_state;

typedef struct kn__breaker_options
{
	int failure_percent; /* <= 0: it never opens for failures */
	int slow_percent;    /* <= 0: nor for slowness */
	int64_t slow_ns;
	int window_seconds;
	int calls; /* fewer in the window decide nothing */
	int64_t open_ns;
	int probes;
	int64_t lease_ns; /* a probe that has not reported by then is given up */
} kn__breaker_options;

#define KN__BREAKER_BUCKETS 10

typedef struct kn__breaker_bucket
{
	int64_t began; /* the number of its time slice; others have no say in the window */
	uint32_t calls;
	uint32_t failures;
	uint32_t slow;
} kn__breaker_bucket;

typedef struct kn__breaker
{
	kn__breaker_options options;
	_Atomic(int) state;           /* kn__breaker_state; written with the lock held */
	_Atomic(uint32_t) generation; /* changes with the state: what began before does not count */
	_Atomic(int64_t) slice_end;   /* until when calls are counted as follows: the common case */
	_Atomic(uint32_t) good_calls; /* neither failed nor slow, not in the bucket of slice yet */
	pthread_mutex_t lock;
	int64_t opened_at;
	_Atomic(uint64_t) openings;
	uint32_t lease; /* changes when probes that are out are given up: they have no place then */
	int probes_out;
	int probes_good;
	int64_t probe_at; /* when the newest was let through */
	kn__breaker_bucket buckets[KN__BREAKER_BUCKETS];
	int64_t slice; /* that good_calls belong to */
} kn__breaker;

/* What an admitted call has to hand in again. */
typedef struct kn__permit
{
	uint32_t generation;
	uint32_t lease; /* of a probe */
	bool is_probe;
	bool is_first; /* of the probes: with it the breaker became half open */
} kn__permit;

extern void kn__breaker_init(kn__breaker *breaker, const kn__breaker_options *options);
extern void kn__breaker_release(kn__breaker *breaker);
/* Whether a call may go through now. */
extern bool kn__breaker_may_admit(kn__breaker *breaker, int64_t now);
/* The same for one that is closed, which is to be asked first; false: ask kn__breaker_admit(). */
static inline bool
kn__breaker_pass(const kn__breaker *breaker, kn__permit *permit)
{
	permit->is_probe = false;
	permit->is_first = false;
	permit->generation = atomic_load_explicit(&breaker->generation, memory_order_acquire);
	return atomic_load_explicit(&breaker->state, memory_order_acquire) == KN__BREAKER_CLOSED;
}

/* The same, and it does: what it is given has to be handed in again. */
extern KN__COLD bool kn__breaker_admit(kn__breaker *breaker, int64_t now, kn__permit *permit);
/*
 * How it went: each admitted call reports once, or is withdrawn.  Failures are those of the server
 * or the way to it; that a statement is wrong, or a row not there, is none.  Returns whether the
 * state changed, and *was and *is then tell from what to what.
 */
extern KN__HOT bool kn__breaker_report(kn__breaker *breaker, const kn__permit *permit, int64_t now,
									   int64_t took, bool has_failed, kn__breaker_state *was,
									   kn__breaker_state *is);
/* The call has never been made, and tells nothing. */
extern void kn__breaker_withdraw(kn__breaker *breaker, const kn__permit *permit);

#endif
