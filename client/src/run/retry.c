/*
 * retry.c
 *		Whether, and when, something is tried again.
 */
#include "run/retry.h"

#define WHOLE      INT64_C(1000) /* one repeat */
#define PER_SECOND (10 * WHOLE)
#define SECONDS    10 /* so much of what comes in by itself is kept */

static void fill(kn__budget *budget, int64_t now);

void
kn__budget_init(kn__budget *budget, int percent, int64_t now)
{
	budget->per_call = (int64_t) percent * WHOLE / 100;
	budget->per_second = percent > 0 ? PER_SECOND : 0;
	budget->most = SECONDS * PER_SECOND;
	atomic_init(&budget->balance, percent > 0 ? PER_SECOND : 0);
	atomic_init(&budget->filled_at, now);
}

void
kn__budget_call(kn__budget *budget)
{
	/* A balance that was read before must not be written: repeats are taken out meanwhile. */
	if (KN__UNLIKELY(atomic_load_explicit(&budget->balance, memory_order_relaxed) < budget->most))
		(void) atomic_fetch_add_explicit(&budget->balance, budget->per_call, memory_order_relaxed);
}

bool
kn__budget_take(kn__budget *budget, int64_t now)
{
	int64_t balance;

	fill(budget, now);
	balance = atomic_load(&budget->balance);
	while (balance >= WHOLE)
	{
		if (atomic_compare_exchange_weak(&budget->balance, &balance, balance - WHOLE))
			return true;
	}
	return false;
}

static void
fill(kn__budget *budget, int64_t now)
{
	int64_t before = atomic_load(&budget->filled_at);
	int64_t passed = now - before;
	int64_t room;
	int64_t more;

	if (passed < KN__NS_PER_S / 10 ||
		!atomic_compare_exchange_strong(&budget->filled_at, &before, now))
		return;
	if (passed > SECONDS * KN__NS_PER_S)
		passed = SECONDS * KN__NS_PER_S;
	more = passed / KN__NS_PER_MS * budget->per_second / 1000;
	room = budget->most - atomic_load(&budget->balance);
	if (more > room)
		more = room;
	if (more > 0)
		atomic_fetch_add(&budget->balance, more);
}

int64_t
kn__backoff(int64_t base_ns, int64_t cap_ns, int attempt, uint64_t random)
{
	int64_t most = base_ns;

	for (int i = 1; i < attempt && most < cap_ns; i++)
		most = most > cap_ns / 2 ? cap_ns : most * 2;
	if (most > cap_ns)
		most = cap_ns;
	if (most <= 0)
		return 0;
	return (int64_t) (random % ((uint64_t) most + 1));
}
