/*
 * hedge.h
 *		When a read is slow, and how many may be sent twice.
 */
#ifndef KN_SRC_RUN_HEDGE_H
#define KN_SRC_RUN_HEDGE_H

#include <stdatomic.h>

#include "base/base.h"

/* Four buckets for each doubling of time, up to a minute. */
#define KN__LATENCY_BUCKETS 104
/* Fewer say nothing. */
#define KN__LATENCY_LEAST 100

/*
 * How long calls take.  The newest count most: now and then all that is in it is halved.  Any
 * thread may write; two at a time may lose one, which is no harm.
 */
typedef struct kn__latency
{
	_Atomic(uint32_t) buckets[KN__LATENCY_BUCKETS];
	_Atomic(uint32_t) count;
	_Atomic(int64_t) p95; /* as it was found last; 0: not known */
} kn__latency;

extern void kn__latency_note(kn__latency *latency, int64_t ns);
/* What 95 % take at most, in nanoseconds and a quarter too much at worst; 0: not known yet. */
extern int64_t kn__latency_p95(const kn__latency *latency);

/* How many calls may be hedged: a share of those that could be.  In hundredths of a call. */
typedef struct kn__hedges
{
	_Atomic(int64_t) balance;
	int percent;
} kn__hedges;

extern void kn__hedges_init(kn__hedges *hedges, int percent);
/* One that could be. */
extern void kn__hedges_call(kn__hedges *hedges);
/* Whether one may be now; it is, unless it is given back. */
extern bool kn__hedges_take(kn__hedges *hedges);
extern void kn__hedges_give_back(kn__hedges *hedges);

#endif
