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

	if (atomic_load_explicit(&pool->is_untidy, memory_order_relaxed) || kn__pool_is_forked(pool) ||
		atomic_exchange(&pool->is_untidy, true))
		return;
	(void) pthread_mutex_lock(&pool->lock);
	at = kn__after(kn__pool_now(pool), TIDY_MS);
	if (at < pool->sweep_at)
		pool->sweep_at = at;
	(void) pthread_cond_broadcast(&pool->work);
	(void) pthread_mutex_unlock(&pool->lock);
}

/* When an idle one is to be used for that; KN__NEVER: there is nothing left in it. */
int64_t
kn__pool_tidy_at(const kn__pool *pool, kn__member *member)
{
	if (pool->driver.is_untidy == NULL || !pool->driver.is_untidy(pool->driver.user, member))
		return KN__NEVER;
	return kn__after(member->idle_since, TIDY_MS);
}
