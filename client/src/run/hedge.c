/*
 * hedge.c
 *		When a read is slow, and how many may be sent twice.
 */
#include "run/hedge.h"

#define LOOK_EVERY 32   /* samples, between two looks for the 95 % */
#define MOST       2048 /* samples, and all are halved */
#define WHOLE      INT64_C(100)
#define KEPT       (10 * WHOLE) /* hedges that quiet times save up */

static int bucket_of(int64_t ns);
static int64_t bucket_end(int bucket);
static void look(kn__latency *latency);

void
kn__latency_note(kn__latency *latency, int64_t ns)
{
	_Atomic(uint32_t) *bucket = &latency->buckets[bucket_of(ns)];
	uint32_t count = atomic_load_explicit(&latency->count, memory_order_relaxed) + 1;

	atomic_store_explicit(bucket,
						  atomic_load_explicit(bucket, memory_order_relaxed) + 1,
						  memory_order_relaxed);
	atomic_store_explicit(&latency->count, count, memory_order_relaxed);
	if (count % LOOK_EVERY == 0)
		look(latency);
}

/* Units of 1024 ns: the first four buckets are one each, then four for each doubling. */
static int
bucket_of(int64_t ns)
{
	uint64_t units = ns <= 0 ? 0 : (uint64_t) ns >> 10;
	int doublings;
	int bucket;

	if (units < 4)
		return (int) units;
	doublings = 63 - __builtin_clzll(units);
	bucket = (doublings - 1) * 4 + (int) ((units >> (doublings - 2)) & 3);
	return bucket < KN__LATENCY_BUCKETS ? bucket : KN__LATENCY_BUCKETS - 1;
}

static int64_t
bucket_end(int bucket)
{
	if (bucket < 4)
		return INT64_C(1024) * (bucket + 1);
	return (INT64_C(1024) * (4 + bucket % 4 + 1)) << (bucket / 4 - 1);
}

static void
look(kn__latency *latency)
{
	uint32_t counts[KN__LATENCY_BUCKETS];
	uint32_t total = 0;
	uint32_t below = 0;
	int bucket = 0;

	for (int i = 0; i < KN__LATENCY_BUCKETS; i++)
	{
		counts[i] = atomic_load_explicit(&latency->buckets[i], memory_order_relaxed);
		total += counts[i];
	}
	if (total < KN__LATENCY_LEAST)
		return;
	for (; bucket < KN__LATENCY_BUCKETS - 1; bucket++)
	{
		below += counts[bucket];
		if ((uint64_t) below * 100 >= (uint64_t) total * 95)
			break;
	}
	atomic_store_explicit(&latency->p95, bucket_end(bucket), memory_order_relaxed);
	if (total < MOST)
		return;
	for (int i = 0; i < KN__LATENCY_BUCKETS; i++)
		atomic_store_explicit(&latency->buckets[i], counts[i] / 2, memory_order_relaxed);
}

int64_t
kn__latency_p95(const kn__latency *latency)
{
	return atomic_load_explicit(&latency->p95, memory_order_relaxed);
}

void
kn__hedges_init(kn__hedges *hedges, int percent)
{
	hedges->percent = percent;
	atomic_init(&hedges->balance, 0);
}

void
kn__hedges_call(kn__hedges *hedges)
{
	if (atomic_load_explicit(&hedges->balance, memory_order_relaxed) < KEPT)
		atomic_fetch_add_explicit(&hedges->balance, hedges->percent, memory_order_relaxed);
}

bool
kn__hedges_take(kn__hedges *hedges)
{
	int64_t balance = atomic_load(&hedges->balance);

	while (balance >= WHOLE)
	{
		if (atomic_compare_exchange_weak(&hedges->balance, &balance, balance - WHOLE))
			return true;
	}
	return false;
}

void
kn__hedges_give_back(kn__hedges *hedges)
{
	atomic_fetch_add(&hedges->balance, WHOLE);
}
