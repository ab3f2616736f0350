/*
 * cache_put.c
 *		Rows that go into the cache with the commit of who has written them.
 *
 * Until then they are in the handle's list, beside the reads that are under way.  Two transactions
 * that write one key through at the same time may put it in another order than they have
 * committed in, and neither may have seen what the other did: then neither puts, and the key is
 * removed.  A read that is under way when rows are put may be of before, and is not kept.
 */
#include "run/cache.h"
#include "run/rows.h"

#include <string.h>

typedef struct Put
{
	kn__load load; /* first */
	kn_db *db;
	int64_t cache_ms;
} Put;

static kn_status check(kn_ctx *cx, const kn_rows *rows, const char *sql, const kn_options *options);
static void announce(Put *put);
static void end_put(void *argument, kn_status how);
static void hand_over(Put *put);

kn_status
kn_cache_rows(kn_ctx *cx, const kn_rows *rows, const char *sql, const kn_value *values, int count,
			  const kn_options *options)
{
	kn_status status;
	Put *put;

	if (!kn__ctx_is_usable(cx, &status))
		return status;
	status = kn__ctx_take_options(cx, &options);
	if (status != KN_OK)
		return status;
	status = check(cx, rows, sql, options);
	if (status != KN_OK)
		return status;
	if (count < 0 || (count > 0 && values == NULL))
		return kn__fail(&cx->fault, KN_USAGE, "a statement or its values are missing");
	put = kn__arena_get_zero(&cx->after, 1, sizeof(Put));
	if (put == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	put->db = cx->db;
	put->cache_ms = options->cache_ms;
	put->load.writer = cx;
	put->load.key = kn__entry_key(cx, &cx->after, options->cache_key);
	if (put->load.key == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	status = kn__after_end(cx, end_put, put);
	if (status != KN_OK)
		return status;
	kn__buf_init(&put->load.entry, cx->db->allocator, KN__ENTRY_MOST);
	kn__entry_begin(&put->load.entry, cx, sql, values, count);
	/* What is there is old, even if there is no memory for the new. */
	put->load.is_stale = !kn__result_freeze(rows->result, cx->db->known, &put->load.entry);
	announce(put);
	return KN_OK;
}

static kn_status
check(kn_ctx *cx, const kn_rows *rows, const char *sql, const kn_options *options)
{
	if (cx->db->config.cache == NULL || options == NULL || options->cache_key == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "there is no cache, or no key");
	if (!kn_in_transaction(cx))
		return kn__fail(&cx->fault, KN_USAGE, "rows go into the cache with a commit only");
	if (sql == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "a statement or its values are missing");
	if (rows == NULL || rows->cx != cx || rows->result == NULL || rows->columns == 0 ||
		rows->is_streaming || rows->is_done || rows->status != KN_OK)
		return kn__fail(&cx->fault, KN_USAGE, "there are no rows, or not all of them");
	return KN_OK;
}

/* From now on others know of it, and it of them. */
static void
announce(Put *put)
{
	kn_db *db = put->db;

	(void) pthread_mutex_lock(&db->lock);
	for (kn__load *other = db->loads; other != NULL; other = other->next)
	{
		if (other->writer == NULL || strcmp(other->key, put->load.key) != 0)
			continue;
		/* Of what one transaction writes through the last counts. */
		other->is_stale = true;
		put->load.is_stale |= other->writer != put->load.writer;
	}
	put->load.next = db->loads;
	db->loads = &put->load;
	(void) pthread_mutex_unlock(&db->lock);
}

static void
end_put(void *argument, kn_status how)
{
	Put *put = argument;

	if (how == KN_OK || how == KN_OUTCOME_UNKNOWN)
	{
		(void) pthread_mutex_lock(&put->db->lock);
		put->load.is_stale |= how != KN_OK;
		(void) pthread_mutex_unlock(&put->db->lock);
		hand_over(put);
	}
	/* In a child nobody looks at the list, and a thread that is not there may have its lock. */
	else if (!kn__db_is_child(put->db))
		(void) kn__cache_unlink(put->db, &put->load);
	kn__buf_release(&put->load.entry);
}

/* What somebody else puts at this moment is not the last word either: to be removed behind it. */
static void
await_others(const Put *put)
{
	const kn__load *other = put->db->loads;

	while (other != NULL)
	{
		if (other->writer == NULL || !other->is_kept || strcmp(other->key, put->load.key) != 0)
		{
			other = other->next;
			continue;
		}
		(void) kn__cond_wait(&put->db->woken, &put->db->lock, KN__NEVER);
		other = put->db->loads;
	}
}

static void
hand_over(Put *put)
{
	const kn_cache *cache = put->db->config.cache;
	const kn__buf *entry = &put->load.entry;
	bool was_stale;

	(void) pthread_mutex_lock(&put->db->lock);
	kn__cache_outdate(put->db, put->load.key, false);
	if (put->load.is_stale)
		await_others(put);
	was_stale = put->load.is_stale;
	put->load.is_kept = !was_stale;
	(void) pthread_mutex_unlock(&put->db->lock);
	if (was_stale)
		cache->remove(cache->user, put->load.key);
	else
		cache->put(cache->user, put->load.key, entry->data, entry->length, put->cache_ms);
	/* Written through by somebody else as well, right now. */
	if (kn__cache_unlink(put->db, &put->load) && !was_stale)
		cache->remove(cache->user, put->load.key);
}
