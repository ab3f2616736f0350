/*
 * pool_end.c
 *		How members, and the pool, come to an end: renewed, drained, freed, forgotten in a child.
 */
#include "run/pool_parts.h"

static bool close_idle(kn__pool *pool);
static bool is_empty(const kn__pool *pool);
static void forget(kn__pool *pool);

void
kn__pool_renew(kn__pool *pool)
{
	if (kn__pool_is_forked(pool))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->generation, 1);
	/* It may be another server by now, or other credentials: no reason to wait any more. */
	pool->has_failed = false;
	kn__pool_call_sweeper(pool);
	(void) pthread_mutex_unlock(&pool->lock);
}

void
kn__pool_wake(kn__pool *pool)
{
	if (kn__pool_is_forked(pool))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	for (kn__waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
		(void) pthread_cond_signal(&waiter->woken);
	(void) pthread_cond_broadcast(&pool->work);
	(void) pthread_cond_broadcast(&pool->drained);
	(void) pthread_mutex_unlock(&pool->lock);
}

void
kn__pool_dismiss(kn__pool *pool)
{
	if (kn__pool_is_forked(pool))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	pool->dismissals++;
	for (kn__waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
		(void) pthread_cond_signal(&waiter->woken);
	(void) pthread_mutex_unlock(&pool->lock);
}

kn_status
kn__pool_drain(kn__pool *pool, int64_t deadline)
{
	kn_status status = KN_OK;

	if (kn__pool_is_forked(pool))
		return KN_FORKED;
	(void) pthread_mutex_lock(&pool->lock);
	if (!pool->is_closing)
	{
		pool->is_closing = true;
		atomic_store(&pool->gate, 0);
		/* From now on all who give something back take the lock. */
		atomic_fetch_add(&pool->attention, 1);
		for (kn__waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
			(void) pthread_cond_signal(&waiter->woken);
	}
	for (;;)
	{
		if (close_idle(pool))
			continue;
		if (is_empty(pool))
			break;
		if (kn__pool_now(pool) >= deadline)
		{
			status = KN_TIMEOUT;
			break;
		}
		kn__pool_sleep(pool, &pool->drained, deadline);
	}
	(void) pthread_mutex_unlock(&pool->lock);
	return status;
}

/* Closes one that is idle, or forgets one that lingers; lets go of the lock for it. */
static bool
close_idle(kn__pool *pool)
{
	for (int i = 0; i < pool->max; i++)
	{
		kn__slot *slot = &pool->slots[i];

		if (kn__slot_move(slot, KN__SLOT_IDLE, KN__SLOT_CLOSING))
		{
			(void) pthread_mutex_unlock(&pool->lock);
			kn__pool_close(pool, slot, KN__CLOSED_AT_END);
			(void) pthread_mutex_lock(&pool->lock);
			return true;
		}
		if (kn__slot_move(slot, KN__SLOT_LINGERING, KN__SLOT_CLOSING))
		{
			kn__pool_bury(pool, slot);
			return true;
		}
	}
	return false;
}

/* Nothing is out.  What a worker opens, or looks after, is nobody's, and will be closed. */
static bool
is_empty(const kn__pool *pool)
{
	int out = pool->total - pool->opening;

	for (int i = 0; i < pool->max; i++)
	{
		uint32_t state = kn__slot_state_of(&pool->slots[i]);

		out -= state == KN__SLOT_CHECKING || state == KN__SLOT_ASKED;
	}
	return out == 0 && pool->waiting == 0;
}

void
kn__pool_free(kn__pool *pool)
{
	bool is_forked;

	if (pool == NULL)
		return;
	is_forked = kn__pool_is_forked(pool);
	if (is_forked)
		forget(pool);
	else
	{
		(void) kn__pool_drain(pool, INT64_MIN);
		(void) pthread_mutex_lock(&pool->lock);
		pool->is_stopping = true;
		(void) pthread_cond_broadcast(&pool->work);
		(void) pthread_mutex_unlock(&pool->lock);
		for (int i = 0; i < pool->thread_count; i++)
			(void) pthread_join(pool->threads[i], NULL);
		/* What a worker had in its hands is idle only now. */
		(void) kn__pool_drain(pool, INT64_MIN);
		(void) pthread_cond_destroy(&pool->work);
		(void) pthread_cond_destroy(&pool->drained);
		(void) pthread_mutex_destroy(&pool->lock);
	}
	kn__release(pool->allocator, pool->slot_memory, pool->slot_bytes);
	kn__release(pool->allocator,
				pool->threads,
				(size_t) kn__pool_most_threads(pool) * sizeof(pthread_t));
	kn__release(pool->allocator, pool, sizeof(kn__pool));
}

/*
 * In a child: its parent's threads are not here, and the lock may be held by one of them
 * for ever.  A member that was being opened or closed when the process forked is lost.
 */
static void
forget(kn__pool *pool)
{
	for (int i = 0; i < pool->max; i++)
	{
		kn__slot *slot = &pool->slots[i];
		uint32_t state = kn__slot_state_of(slot);

		if (slot->member != NULL && state != KN__SLOT_EMPTY && state != KN__SLOT_OPENING &&
			state != KN__SLOT_CLOSING)
			pool->driver.forget(pool->driver.user, slot->member);
	}
}
