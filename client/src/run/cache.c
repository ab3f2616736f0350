/*
 * cache.c
 *		Reads that go by a cache of the program's own.
 *
 * What is found under a key is taken only where it says itself that it is of the same statement and
 * for the same people: see cache_entry.c.  Who misses a key notes that he loads it;
 * others who miss it wait for him, and look again.  What is not there then cannot be kept, and they
 * ask the server: nobody waits twice, or a cache that is down would let one after the other read.
 *
 * A key that is removed while it is being loaded is not kept: what was read may be of before.  For
 * the same reason only what the primary said is kept: a replica may not have heard yet of the write
 *that a key was removed for, here or by another process.  Nobody looks after the only server there
 *is, which may be a replica or one of several; so what each connection leads to, it says itself.
 */
#include "run/cache.h"

#include <string.h>

typedef struct Found
{
	kn__buf bytes;
	bool is_found;
} Found;

static kn_status run(kn__call *call, kn__load *load);
static kn_status load_fresh(kn__call *call);
static bool look_up(kn__call *call, const kn__load *load);
static void take_found(void *into, const void *bytes, size_t size);
static bool begin_load(kn_ctx *cx, kn__load *load, bool may_wait);
static bool is_loading(const kn_db *db, uint64_t number);
static void end_load(kn__call *call, kn__load *load, kn_status status);
static void keep(kn__call *call, kn__load *load);
static void remove_key(kn_db *db, const char *key);
static void remove_later(void *argument);

bool
kn__cache_serves(const kn__call *call)
{
	const kn_options *options = call->options;

	return KN__UNLIKELY(options != NULL) && options->cache_key != NULL &&
		   call->cx->db->config.cache != NULL && call->cx->work.depth == 0 && call->count == 1 &&
		   call->items[0].wants_rows && kn__run_is_read(call);
}

kn_status
kn__cache_run(kn__call *call)
{
	kn_ctx *cx = call->cx;
	const kn__item *item = &call->items[0];
	kn__load load = { .key = kn__entry_key(cx, &cx->arena, call->options->cache_key) };
	kn_status status;

	if (load.key == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	kn__buf_init(&load.entry, cx->db->allocator, KN__ENTRY_MOST);
	kn__entry_begin(&load.entry, cx, item->sql, item->values, item->count);
	/* Without memory to say what it is, or too large for that: as if there were no cache. */
	status = load.entry.has_failed ? kn__run(call) : run(call, &load);
	kn__buf_release(&load.entry);
	return status;
}

static kn_status
run(kn__call *call, kn__load *load)
{
	kn_ctx *cx = call->cx;
	bool has_waited = false;
	kn_status status;

	for (;;)
	{
		if (look_up(call, load))
			return KN_OK;
		if (begin_load(cx, load, !has_waited))
			break;
		/* Somebody has loaded it by now; or the time is over, and the server is asked after all. */
		if (has_waited || atomic_load(&cx->is_cancelled) ||
			kn__now(cx->db->clock) >= cx->wait.deadline)
			return kn__run(call);
		has_waited = true;
	}
	status = load_fresh(call);
	end_load(call, load, status);
	return status;
}

/* Asks the primary, if it is there and a replica is not insisted on. */
static kn_status
load_fresh(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn_status status;

	cx->wants_fresh = cx->route == KN_ROUTE_AUTO && cx->db->server_count > 1;
	status = kn__run(call);
	cx->wants_fresh = false;
	return status;
}

static bool
look_up(kn__call *call, const kn__load *load)
{
	kn_ctx *cx = call->cx;
	const kn_cache *cache = cx->db->config.cache;
	kn__item *item = &call->items[0];
	Found found = { .is_found = false };

	kn__buf_init(&found.bytes, cx->db->allocator, KN__ENTRY_MOST);
	cache->get(cache->user, load->key, take_found, &found);
	if (found.is_found && !found.bytes.has_failed && found.bytes.length > load->entry.length &&
		memcmp(found.bytes.data, load->entry.data, load->entry.length) == 0)
		item->result = kn__result_thaw(found.bytes.data + load->entry.length,
									   found.bytes.length - load->entry.length);
	kn__buf_release(&found.bytes);
	if (item->result == NULL)
		return false;
	item->status = KN_OK;
	item->affected = kn__result_rows(item->result);
	return true;
}

static void
take_found(void *into, const void *bytes, size_t size)
{
	Found *found = into;

	kn__buf_clear(&found->bytes);
	kn__buf_add(&found->bytes, bytes, size);
	found->is_found = true;
}

/* False: somebody else is loading it, or, if one may wait, was; or the time is over. */
static bool
begin_load(kn_ctx *cx, kn__load *load, bool may_wait)
{
	kn_db *db = cx->db;
	const kn__load *other;
	int64_t until = kn__cond_until(db->clock, cx->wait.deadline);

	(void) pthread_mutex_lock(&db->lock);
	for (other = db->loads;
		 other != NULL && (other->writer != NULL || strcmp(other->key, load->key) != 0);)
		other = other->next;
	if (other == NULL)
	{
		load->number = ++db->load_count;
		load->next = db->loads;
		db->loads = load;
	}
	else if (may_wait)
	{
		uint64_t number = other->number;

		/* Who cancels says so before he wakes whom the lock has let go to sleep. */
		while (is_loading(db, number) && !atomic_load(&cx->is_cancelled) &&
			   kn__cond_wait(&db->woken, &db->lock, until))
			;
	}
	(void) pthread_mutex_unlock(&db->lock);
	return other == NULL;
}

static bool
is_loading(const kn_db *db, uint64_t number)
{
	const kn__load *load = db->loads;

	while (load != NULL && load->number != number)
		load = load->next;
	return load != NULL;
}

static void
end_load(kn__call *call, kn__load *load, kn_status status)
{
	kn_db *db = call->cx->db;

	(void) pthread_mutex_lock(&db->lock);
	load->is_kept = status == KN_OK && !load->is_stale && !call->is_of_standby &&
					atomic_load(&call->server->is_primary);
	(void) pthread_mutex_unlock(&db->lock);
	/* Kept before the others look again. */
	if (load->is_kept)
		keep(call, load);
	(void) kn__cache_unlink(db, load);
}

bool
kn__cache_unlink(kn_db *db, kn__load *load)
{
	kn__load **place;
	bool is_stale;

	(void) pthread_mutex_lock(&db->lock);
	for (place = &db->loads; *place != load;)
		place = &(*place)->next;
	*place = load->next;
	is_stale = load->is_stale;
	(void) pthread_cond_broadcast(&db->woken);
	(void) pthread_mutex_unlock(&db->lock);
	return is_stale;
}

static void
keep(kn__call *call, kn__load *load)
{
	const kn_cache *cache = call->cx->db->config.cache;
	kn__buf *entry = &load->entry;

	if (kn__result_freeze(call->items[0].result, call->cx->db->known, entry))
		cache->put(cache->user, load->key, entry->data, entry->length, call->options->cache_ms);
}

typedef struct Removal
{
	kn_db *db;
	const char *key;
} Removal;

kn_status
kn_uncache(kn_ctx *cx, const char *key)
{
	kn__arena *arena;
	Removal *removal;
	kn_status status;

	/*
	 * It takes no connection: neither rows that stream nor a cancel are in its way; nor that the
	 * handle is closed, for what is committed is so all the same.
	 */
	if (!kn__ctx_is_sound(cx, &status) && status != KN_CLOSED)
		return status;
	kn__fault_tidy(&cx->fault);
	if (key == NULL || cx->db->config.cache == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "there is no cache, or no key");
	/* What is removed after a commit has to outlive a kn_clear() before it. */
	arena = kn_in_transaction(cx) ? &cx->after : &cx->arena;
	removal = kn__arena_get(arena, sizeof(Removal));
	if (removal == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	*removal = (Removal){ cx->db, kn__entry_key(cx, arena, key) };
	if (removal->key == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	if (kn_in_transaction(cx))
		return kn__after_doubt(cx, remove_later, removal);
	remove_later(removal);
	return KN_OK;
}

static void
remove_later(void *argument)
{
	const Removal *removal = argument;

	remove_key(removal->db, removal->key);
}

static void
remove_key(kn_db *db, const char *key)
{
	(void) pthread_mutex_lock(&db->lock);
	kn__cache_outdate(db, key, true);
	(void) pthread_mutex_unlock(&db->lock);
	db->config.cache->remove(db->config.cache->user, key);
}

void
kn__cache_outdate(kn_db *db, const char *key, bool with_writes)
{
	bool waits;

	do
	{
		waits = false;
		for (kn__load *load = db->loads; load != NULL; load = load->next)
		{
			if ((load->writer != NULL && !with_writes) || strcmp(load->key, key) != 0)
				continue;
			load->is_stale = true;
			waits |= load->is_kept;
		}
		if (waits)
			(void) kn__cond_wait(&db->woken, &db->lock, KN__NEVER);
	} while (waits);
}
