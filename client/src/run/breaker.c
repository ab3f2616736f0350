/*
 * breaker.c
 *		When a server is left alone for a while.
 *
 * Closed, calls are counted in buckets of time; when enough of those in the window have
 * failed, or were slow, it opens, and nothing goes through.  After open_ns a few
 * calls may try: if all of them succeed it closes, if one fails it opens again.  A
 * permit to try is a lease: one that is never handed in again runs out, so that a
 * caller who vanishes does not keep the door shut.  Whatever began in an earlier
 * state says nothing about this one: that is what the generation is for.
 */
#include "run/breaker.h"

#include <string.h>

static void count(kn__breaker *breaker, int64_t now, bool has_failed, bool is_slow);
static void gather(kn__breaker *breaker);
static int64_t slice_ns(const kn__breaker *breaker);
static void give_place(kn__breaker *breaker, const kn__permit *permit);
static bool has_room(kn__breaker *breaker, int64_t now);
static kn__breaker_bucket *bucket_of(kn__breaker *breaker, int64_t now);
static int64_t slice_of(const kn__breaker *breaker, int64_t now);
static bool must_open(kn__breaker *breaker, int64_t now);
static void move(kn__breaker *breaker, kn__breaker_state state, int64_t now);

void
kn__breaker_init(kn__breaker *breaker, const kn__breaker_options *options)
{
	memset(breaker, 0, sizeof(*breaker));
	breaker->options = *options;
	(void) pthread_mutex_init(&breaker->lock, NULL);
	for (int i = 0; i < KN__BREAKER_BUCKETS; i++)
		breaker->buckets[i].began = -1;
	atomic_init(&breaker->slice_end, INT64_MIN);
}

void
kn__breaker_release(kn__breaker *breaker)
{
	(void) pthread_mutex_destroy(&breaker->lock);
}

bool
kn__breaker_may_admit(kn__breaker *breaker, int64_t now)
{
	bool may = true;

	if (atomic_load_explicit(&breaker->state, memory_order_acquire) == KN__BREAKER_CLOSED)
		return true;
	(void) pthread_mutex_lock(&breaker->lock);
	if (breaker->state == KN__BREAKER_OPEN)
		may = now - breaker->opened_at >= breaker->options.open_ns;
	else if (breaker->state == KN__BREAKER_HALF_OPEN)
		may = has_room(breaker, now);
	(void) pthread_mutex_unlock(&breaker->lock);
	return may;
}

/* Half open, for one more probe; the lock is held. */
static bool
has_room(kn__breaker *breaker, int64_t now)
{
	/* Those that were let through and never came back. */
	if (breaker->probes_out > 0 && now - breaker->probe_at >= breaker->options.lease_ns)
	{
		breaker->probes_out = 0;
		breaker->lease++;
	}
	return breaker->probes_out + breaker->probes_good < breaker->options.probes;
}

bool
kn__breaker_admit(kn__breaker *breaker, int64_t now, kn__permit *permit)
{
	bool is_admitted = false;

	if (kn__breaker_pass(breaker, permit))
		return true;
	(void) pthread_mutex_lock(&breaker->lock);
	if (breaker->state == KN__BREAKER_OPEN && now - breaker->opened_at >= breaker->options.open_ns)
	{
		move(breaker, KN__BREAKER_HALF_OPEN, now);
		permit->is_first = true;
	}
	if (breaker->state == KN__BREAKER_CLOSED)
		is_admitted = true;
	else if (breaker->state == KN__BREAKER_HALF_OPEN && has_room(breaker, now))
	{
		breaker->probes_out++;
		breaker->probe_at = now;
		permit->is_probe = true;
		permit->lease = breaker->lease;
		is_admitted = true;
	}
	permit->generation = breaker->generation;
	(void) pthread_mutex_unlock(&breaker->lock);
	return is_admitted;
}

bool
kn__breaker_report(kn__breaker *breaker, const kn__permit *permit, int64_t now, int64_t took,
				   bool has_failed, kn__breaker_state *was, kn__breaker_state *is)
{
	const kn__breaker_options *options = &breaker->options;
	bool is_slow = options->slow_percent > 0 && took >= options->slow_ns;

	/* Nearly all calls are good ones while it is closed, and they take no lock. */
	if (KN__LIKELY(!has_failed && !is_slow &&
				   now < atomic_load_explicit(&breaker->slice_end, memory_order_acquire) &&
				   permit->generation ==
					   atomic_load_explicit(&breaker->generation, memory_order_relaxed)))
	{
		atomic_fetch_add_explicit(&breaker->good_calls, 1, memory_order_relaxed);
		*was = *is = KN__BREAKER_CLOSED;
		return false;
	}
	(void) pthread_mutex_lock(&breaker->lock);
	*was = *is = (kn__breaker_state) breaker->state;
	if (permit->generation == breaker->generation)
	{
		if (breaker->state == KN__BREAKER_CLOSED)
		{
			count(breaker, now, has_failed, is_slow);
			if ((has_failed || is_slow) && must_open(breaker, now))
				move(breaker, KN__BREAKER_OPEN, now);
		}
		else if (permit->is_probe)
		{
			give_place(breaker, permit);
			if (has_failed || is_slow)
				move(breaker, KN__BREAKER_OPEN, now);
			else if (++breaker->probes_good >= options->probes)
				move(breaker, KN__BREAKER_CLOSED, now);
		}
	}
	*is = (kn__breaker_state) breaker->state;
	(void) pthread_mutex_unlock(&breaker->lock);
	return *was != *is;
}

void
kn__breaker_withdraw(kn__breaker *breaker, const kn__permit *permit)
{
	if (!permit->is_probe)
		return;
	(void) pthread_mutex_lock(&breaker->lock);
	if (permit->generation == breaker->generation)
		give_place(breaker, permit);
	(void) pthread_mutex_unlock(&breaker->lock);
}

/* A probe is over; one that was given up before has no place any more. */
static void
give_place(kn__breaker *breaker, const kn__permit *permit)
{
	if (permit->lease == breaker->lease && breaker->probes_out > 0)
		breaker->probes_out--;
}

/* A call while it is closed; the lock is held. */
static void
count(kn__breaker *breaker, int64_t now, bool has_failed, bool is_slow)
{
	kn__breaker_bucket *bucket;

	gather(breaker);
	bucket = bucket_of(breaker, now);
	bucket->calls++;
	bucket->failures += has_failed;
	bucket->slow += is_slow;
	breaker->slice = bucket->began;
	atomic_store_explicit(&breaker->slice_end,
						  (bucket->began + 1) * slice_ns(breaker),
						  memory_order_release);
}

/*
 * Good calls go to the bucket that they belong to, if that is still of the window.  One that is
 * counted at this moment may come to the next one's: that is no harm.
 */
static void
gather(kn__breaker *breaker)
{
	uint32_t calls = atomic_exchange_explicit(&breaker->good_calls, 0, memory_order_relaxed);
	kn__breaker_bucket *bucket = &breaker->buckets[breaker->slice % KN__BREAKER_BUCKETS];

	if (bucket->began == breaker->slice)
		bucket->calls += calls;
}

static kn__breaker_bucket *
bucket_of(kn__breaker *breaker, int64_t now)
{
	int64_t slice = slice_of(breaker, now);
	kn__breaker_bucket *bucket = &breaker->buckets[slice % KN__BREAKER_BUCKETS];

	if (bucket->began != slice)
		*bucket = (kn__breaker_bucket){ .began = slice };
	return bucket;
}

static int64_t
slice_of(const kn__breaker *breaker, int64_t now)
{
	return now / slice_ns(breaker);
}

static int64_t
slice_ns(const kn__breaker *breaker)
{
	return breaker->options.window_seconds * KN__NS_PER_S / KN__BREAKER_BUCKETS;
}

static bool
must_open(kn__breaker *breaker, int64_t now)
{
	const kn__breaker_options *options = &breaker->options;
	int64_t oldest = slice_of(breaker, now) - KN__BREAKER_BUCKETS + 1;
	uint64_t calls = 0;
	uint64_t failures = 0;
	uint64_t slow = 0;

	for (int i = 0; i < KN__BREAKER_BUCKETS; i++)
	{
		const kn__breaker_bucket *bucket = &breaker->buckets[i];

		if (bucket->began < oldest)
			continue;
		calls += bucket->calls;
		failures += bucket->failures;
		slow += bucket->slow;
	}
	if (calls < (uint64_t) options->calls)
		return false;
	return (options->failure_percent > 0 &&
			failures * 100 >= calls * (uint64_t) options->failure_percent) ||
		   (options->slow_percent > 0 && slow * 100 >= calls * (uint64_t) options->slow_percent);
}

/* The one place that changes the state; the lock is held. */
static void
move(kn__breaker *breaker, kn__breaker_state state, int64_t now)
{
	breaker->probes_out = 0;
	breaker->probes_good = 0;
	for (int i = 0; i < KN__BREAKER_BUCKETS; i++)
		breaker->buckets[i].began = -1;
	atomic_store_explicit(&breaker->slice_end, INT64_MIN, memory_order_release);
	if (state == KN__BREAKER_OPEN)
	{
		breaker->opened_at = now;
		atomic_fetch_add_explicit(&breaker->openings, 1, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&breaker->generation, 1, memory_order_release);
	atomic_store_explicit(&breaker->state, (int) state, memory_order_release);
}
