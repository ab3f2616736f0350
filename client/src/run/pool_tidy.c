/*
 * pool_tidy.c
 *		What somebody's function may have left in a session does not stay there while it is idle.
 *
 * It is undone before the next statement, but that may be long in coming, and others may wait for a
 * lock of it meanwhile.  So what is idle for a while is used once for that alone.
 */
#include "run/pool_parts.h"

#define TIDY_MS 100

/* After it was given back: a member may have something left in it. */
void
kn__pool_tidy(kn__pool *pool)
{
	int64_t at;

	/* Who sees it set before it is idle is seen by who looks at it afterwards. */
	if (atomic_load(&pool->is_untidy) || kn__pool_is_forked(pool) ||
		atomic_exchange(&pool->is_untidy, true))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	at = kn__after(kn__pool_now(pool), TIDY_MS);
	if (at < pool->sweep_at)
		pool->sweep_at = at;
	(void) pthread_cond_broadcast(&pool->work);
	kn__pool_keep_sweeper(pool, KN__NEVER);
	(void) pthread_mutex_unlock(&pool->lock);
}

/*
 * Somebody is to be there when it is time to look at all members, if that is before until: those
 * that open one may take as long as they can.  The lock is held.
 */
void
kn__pool_keep_sweeper(kn__pool *pool, int64_t until)
{
	if (pool->sweep_at < until && pool->sleeping == 0 && !pool->is_sweeping && !pool->is_stopping &&
		pool->thread_count < kn__pool_most_threads(pool))
		kn__pool_start_worker(pool);
}

/* When an idle one is to be used for that; KN__NEVER: there is nothing left in it. */
int64_t
kn__pool_tidy_at(const kn__pool *pool, kn__member *member)
{
	if (pool->driver.is_untidy == NULL || !pool->driver.is_untidy(pool->driver.user, member))
		return KN__NEVER;
	return kn__after(member->idle_since, TIDY_MS);
}
