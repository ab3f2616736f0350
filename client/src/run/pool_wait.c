/*
 * pool_wait.c
 *		The queue: callers that found no idle member, first come, first served.
 */
#include "run/pool_parts.h"

static void enter(kn__pool *pool, kn__waiter *waiter, bool is_first);
static void leave(kn__pool *pool, kn__waiter *waiter);
static bool is_accepted(kn__pool *pool, kn__waiter *waiter, const char *file, int line);
static bool is_set(const volatile bool *flag);
static bool is_hopeless(const kn__pool *pool, int64_t now);
static kn_status why_not_opened(const kn__pool *pool);
static kn_status why_stays(const kn__pool *pool);
static void count(kn__pool *pool, int64_t waited);

/* What a waiter goes by. */
typedef struct limits
{
	int64_t deadline;
	int64_t patience; /* the pool's own */
	const volatile bool *is_cancelled;
	uint32_t dismissals; /* when it came */
} limits;

/* Why it has to stop waiting now, or KN_OK. */
static kn_status
must_stop(const kn__pool *pool, const limits *limits, int64_t now)
{
	if (pool->is_closing)
		return KN_CLOSED;
	if (is_set(limits->is_cancelled))
		return KN_CANCELED;
	if (pool->dismissals != limits->dismissals)
		return KN_READ_ONLY;
	if (is_hopeless(pool, now))
		return why_not_opened(pool);
	if (now >= limits->deadline && limits->deadline < limits->patience)
		return KN_TIMEOUT;
	if (now < limits->patience)
		return KN_OK;
	if (kn__pool_open_count(pool) > pool->opening || pool->lingering == pool->max)
		return KN_POOL_TIMEOUT;
	return why_not_opened(pool);
}

/* What the server has said, if it is something that its caller can act upon. */
static kn_status
why_not_opened(const kn__pool *pool)
{
	switch (pool->has_failed ? pool->failure.error.status : KN_CONN_LOST)
	{
		case KN_AUTH:
			return KN_AUTH;
		case KN_CONFIG:
			return KN_CONFIG;
		case KN_UNAVAILABLE:
			return KN_UNAVAILABLE;
		case KN_NO_MEMORY:
			return KN_NO_MEMORY;
		default:
			return KN_CONN_LOST;
	}
}

/* It is an atomic of the caller's, who has no reason to tell more about it. */
static bool
is_set(const volatile bool *flag)
{
	return flag != NULL && atomic_load((const volatile _Atomic(bool) *) flag);
}

/*
 * There is none, none is being opened, and that it will not help to wait is known: for it has
 * not helped for as long as callers have patience, or the reason is of those that stay.
 */
static bool
is_hopeless(const kn__pool *pool, int64_t now)
{
	if (!pool->has_failed || kn__pool_open_count(pool) > 0 || now >= pool->retry_at)
		return false;
	return why_stays(pool) != KN_OK ||
		   (pool->options.acquire_ms >= 0 &&
			now >= kn__after(pool->failing_since, pool->options.acquire_ms));
}

/* The reason why none could be opened, if it is of those that stay, else KN_OK. */
static kn_status
why_stays(const kn__pool *pool)
{
	kn_status status = pool->has_failed ? pool->failure.error.status : KN_OK;

	return status == KN_AUTH || status == KN_CONFIG ? status : KN_OK;
}

bool
kn__pool_is_barren(kn__pool *pool)
{
	bool is_barren;

	if (kn__pool_is_forked(pool))
		return false;
	(void) pthread_mutex_lock(&pool->lock);
	is_barren = kn__pool_open_count(pool) == pool->opening && pool->lingering < pool->max &&
				((pool->has_failed && !pool->failure.is_ours) ||
				 (pool->opening > 0 && kn__pool_now(pool) - pool->barren_since >= KN__BARREN_NS));
	(void) pthread_mutex_unlock(&pool->lock);
	return is_barren;
}

/* In the queue until it is handed a slot, claims one, or has to stop.  The lock is held. */
static kn_status
queue(kn__pool *pool, kn__waiter *waiter, const limits *limits)
{
	int64_t until = limits->deadline < limits->patience ? limits->deadline : limits->patience;

	for (;;)
	{
		kn_status status;

		if (waiter->slot != NULL || waiter->denied != KN_OK)
			return waiter->denied;
		waiter->is_nudged = false;
		if (!pool->is_closing)
			waiter->slot = kn__pool_claim(pool);
		status = waiter->slot != NULL ? KN_OK : must_stop(pool, limits, kn__pool_now(pool));
		if (waiter->slot != NULL || status != KN_OK)
		{
			leave(pool, waiter);
			return status;
		}
		kn__pool_call_opener(pool);
		/* Without a single worker it is the waiters who try to start one again. */
		kn__pool_sleep(pool,
					   &waiter->woken,
					   pool->thread_count == 0 && pool->retry_at < until ? pool->retry_at : until);
	}
}

kn_status
kn__pool_wait(kn__pool *pool, int64_t deadline, const char *file, int line,
			  const volatile bool *is_cancelled, kn__member **out, kn__fault *fault)
{
	int64_t now = kn__pool_now(pool);
	limits limits = { deadline, kn__after(now, pool->options.acquire_ms), is_cancelled, 0 };
	kn__waiter waiter = { .since = now };
	kn_status status;

	(void) pthread_mutex_lock(&pool->lock);
	limits.dismissals = pool->dismissals;
	if (pool->options.max_waiters > 0 && pool->waiting >= pool->options.max_waiters)
	{
		pool->refused++;
		status = kn__pool_explain(pool, KN_POOL_FULL, 0, fault);
		(void) pthread_mutex_unlock(&pool->lock);
		kn__pool_tell_wait(pool, status, 0, file, line, fault);
		return status;
	}
	kn__cond_init(&waiter.woken);
	enter(pool, &waiter, false);
	while ((status = queue(pool, &waiter, &limits)) == KN_OK &&
		   !is_accepted(pool, &waiter, file, line))
		;
	now = kn__pool_now(pool);
	if (status == KN_OK)
	{
		*out = waiter.slot->member;
		count(pool, now - waiter.since);
	}
	else
	{
		if (status == KN_POOL_TIMEOUT || status == KN_TIMEOUT)
			pool->timeouts++;
		status = kn__pool_explain(pool, status, now - waiter.since, fault);
	}
	if (pool->is_closing)
		(void) pthread_cond_broadcast(&pool->drained);
	(void) pthread_mutex_unlock(&pool->lock);
	(void) pthread_cond_destroy(&waiter.woken);
	kn__pool_tell_wait(pool, status, now - waiter.since, file, line, fault);
	return status;
}

/*
 * Whether what it got is any good.  If not, it is back in its place before the slot is free:
 * what is opened there is for it.  Lets go of the lock.
 */
static bool
is_accepted(kn__pool *pool, kn__waiter *waiter, const char *file, int line)
{
	kn__slot *slot = waiter->slot;
	kn__closed why;

	(void) pthread_mutex_unlock(&pool->lock);
	if (kn__pool_accept(pool, slot, kn__coarse(&pool->hook), file, line, &why))
	{
		(void) pthread_mutex_lock(&pool->lock);
		return true;
	}
	(void) pthread_mutex_lock(&pool->lock);
	waiter->slot = NULL;
	enter(pool, waiter, true);
	(void) pthread_mutex_unlock(&pool->lock);
	kn__pool_close(pool, slot, why);
	(void) pthread_mutex_lock(&pool->lock);
	return false;
}

static void
enter(kn__pool *pool, kn__waiter *waiter, bool is_first)
{
	waiter->is_nudged = false;
	waiter->previous = is_first ? NULL : pool->last;
	waiter->next = is_first ? pool->first : NULL;
	*(waiter->previous == NULL ? &pool->first : &waiter->previous->next) = waiter;
	*(waiter->next == NULL ? &pool->last : &waiter->next->previous) = waiter;
	pool->waiting++;
	atomic_fetch_add(&pool->attention, 1);
}

static void
leave(kn__pool *pool, kn__waiter *waiter)
{
	*(waiter->previous == NULL ? &pool->first : &waiter->previous->next) = waiter->next;
	*(waiter->next == NULL ? &pool->last : &waiter->next->previous) = waiter->previous;
	pool->waiting--;
	atomic_fetch_sub(&pool->attention, 1);
}

/*
 * What the server has said does not get better by itself: all are told, and that none of them waits
 * any longer keeps it from being asked once more, however late they look.
 */
void
kn__pool_deny(kn__pool *pool)
{
	if (why_stays(pool) == KN_OK || kn__pool_open_count(pool) > 0)
		return;
	while (pool->first != NULL)
	{
		kn__waiter *waiter = pool->first;

		leave(pool, waiter);
		waiter->denied = why_stays(pool);
		(void) pthread_cond_signal(&waiter->woken);
	}
}

static void
count(kn__pool *pool, int64_t waited)
{
	int bucket = 0;

	while (bucket < 31 && waited >= (INT64_C(1000) << bucket))
		bucket++;
	pool->wait_histogram[bucket]++;
	pool->waits++;
	pool->wait_ns += (uint64_t) (waited < 0 ? 0 : waited);
}

void
kn__pool_nudge(kn__pool *pool)
{
	for (kn__waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
	{
		if (waiter->is_nudged)
			continue;
		waiter->is_nudged = true;
		(void) pthread_cond_signal(&waiter->woken);
		return;
	}
}

bool
kn__pool_hand(kn__pool *pool, kn__slot *slot)
{
	kn__waiter *waiter = pool->first;

	if (waiter == NULL)
		return false;
	kn__slot_set(slot, KN__SLOT_CLAIMED);
	leave(pool, waiter);
	waiter->slot = slot;
	(void) pthread_cond_signal(&waiter->woken);
	/* The slot that it was nudged for is somebody else's now. */
	if (waiter->is_nudged)
		kn__pool_nudge(pool);
	return true;
}

void
kn__pool_put_back(kn__pool *pool, kn__slot *slot)
{
	if (pool->first != NULL && kn__pool_now(pool) - pool->first->since >= KN__HAND_OFF_NS &&
		kn__pool_hand(pool, slot))
		return;
	kn__slot_set(slot, KN__SLOT_IDLE);
	kn__pool_nudge(pool);
	if (pool->is_closing)
		(void) pthread_cond_broadcast(&pool->drained);
}

/* By the system's clock, whatever the clock handed in says; who wakes too early sleeps again. */
void
kn__pool_sleep(kn__pool *pool, pthread_cond_t *cond, int64_t until)
{
	int64_t left = until - kn__pool_now(pool);

	if (until != KN__NEVER)
	{
		if (left < 0)
			left = 0;
		if (left > KN__NS_PER_S * 86400)
			left = KN__NS_PER_S * 86400;
		until = kn__now(NULL) + left;
	}
	(void) kn__cond_wait(cond, &pool->lock, until);
}
