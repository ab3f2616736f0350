/*
 * cache.c
 *		Reads that go by a cache of the program's own.
 *
 * An entry begins with the hash of the statement and its values, so that a key that
 * is used for two of them is a miss and not a lie.  Who misses a key notes that he loads it;
 * others who miss it wait for him, and look again.  A key that is removed while it is being
 * loaded is not kept: what was read may be of before.
 */
#include "run/cache.h"

#include <stdio.h>
#include <string.h>

#define MOST_BYTES (64 << 20) /* what is larger is not worth keeping */

typedef struct Found
{
	kn__buf bytes;
	bool is_found;
} Found;

static const char *full_key(kn_ctx *cx, kn__arena *arena, const char *key);
static uint64_t fingerprint(const kn__item *item);
static uint64_t hash_value(uint64_t hash, const kn_value *value);
static bool look_up(kn__call *call, const char *key);
static void take_found(void *into, const void *bytes, size_t size);
static bool begin_load(kn_ctx *cx, kn__load *load);
static void end_load(kn__call *call, kn__load *load, kn_status status);
static void keep(kn__call *call, const char *key);
static void remove_key(kn_db *db, const char *key);
static void remove_later(void *argument);

bool
kn__cache_serves(const kn__call *call)
{
	const kn_options *options = call->options;

	return options != NULL && options->cache_key != NULL && call->cx->db->config.cache != NULL &&
		   call->cx->work.depth == 0 && call->count == 1 && call->items[0].wants_rows &&
		   kn__run_is_read(call);
}

kn_status
kn__cache_run(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn__load load = { .key = full_key(cx, &cx->arena, call->options->cache_key) };
	kn_status status;

	if (load.key == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	for (;;)
	{
		if (look_up(call, load.key))
			return KN_OK;
		if (begin_load(cx, &load))
			break;
		/* Somebody has loaded it by now; or the time is over, and the server is asked after all. */
		if (atomic_load(&cx->is_cancelled) || kn__now(cx->db->clock) >= cx->wait.deadline)
			return kn__run(call);
	}
	status = kn__run(call);
	end_load(call, &load, status);
	return status;
}

/* With the role and the claims: nobody gets what somebody else may see. */
static const char *
full_key(kn_ctx *cx, kn__arena *arena, const char *key)
{
	uint64_t hash = 0;
	char text[24];
	kn__buf out;
	const char *copy;

	for (int i = 0; i < cx->prelude_count; i++)
		hash = hash_value(hash, &cx->prelude_values[i]);
	if (cx->prelude_count == 0)
		return kn__arena_copy(arena, key, strlen(key));
	(void) snprintf(text, sizeof(text), ":%016llx", (unsigned long long) hash);
	kn__buf_init(&out, cx->db->allocator, 1 << 20);
	kn__buf_text(&out, key);
	kn__buf_text(&out, text);
	copy = out.has_failed ? NULL : kn__arena_copy(arena, out.data, out.length);
	kn__buf_release(&out);
	return copy;
}

static uint64_t
fingerprint(const kn__item *item)
{
	uint64_t hash = item->hash;

	for (int i = 0; i < item->count; i++)
		hash = hash_value(hash, &item->values[i]);
	return hash;
}

/* The kind first: 1 is not true, and "1" is neither. */
static uint64_t
hash_value(uint64_t hash, const kn_value *value)
{
	uint32_t head[3] = { value->type, value->oid, value->n };

	hash = kn__hash(head, sizeof(head), hash);
	switch (value->type)
	{
		case KN_TYPE_TEXT:
		case KN_TYPE_BYTES:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			return kn__hash(value->as.p, value->n, hash);
		case KN_TYPE_ARRAY:
			for (int i = 0; i < value->as.array->dimensions; i++)
				hash = kn__hash(&value->as.array->sizes[i], sizeof(int32_t), hash);
			for (uint32_t i = 0; i < value->n; i++)
				hash = hash_value(hash, &value->as.array->items[i]);
			return hash;
		case KN_TYPE_NULL:
			return hash;
		case KN_TYPE_BOOL:
			return kn__hash(&value->as.b, sizeof(value->as.b), hash);
		case KN_TYPE_UUID:
			return kn__hash(&value->as.uuid, sizeof(value->as.uuid), hash);
		case KN_TYPE_INTERVAL:
			return kn__hash(&value->as.interval, sizeof(value->as.interval), hash);
		default:
			return kn__hash(&value->as.i, sizeof(value->as.i), hash);
	}
}

static bool
look_up(kn__call *call, const char *key)
{
	kn_ctx *cx = call->cx;
	const kn_cache *cache = cx->db->config.cache;
	kn__item *item = &call->items[0];
	Found found = { .is_found = false };

	kn__buf_init(&found.bytes, cx->db->allocator, MOST_BYTES);
	cache->get(cache->user, key, take_found, &found);
	if (found.is_found && !found.bytes.has_failed && found.bytes.length > 8 &&
		kn__load_u64(found.bytes.data) == fingerprint(item))
		item->result = kn__result_thaw(found.bytes.data + 8, found.bytes.length - 8);
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

/* False: somebody else was loading it, and is done by now, or the time is over. */
static bool
begin_load(kn_ctx *cx, kn__load *load)
{
	kn_db *db = cx->db;
	const kn__load *other;
	int64_t until = cx->wait.deadline;

	/* The deadline is one of the handle's clock. */
	if (until != KN__NEVER)
		until = kn__now(NULL) + (until - kn__now(db->clock));
	(void) pthread_mutex_lock(&db->lock);
	for (other = db->loads; other != NULL && strcmp(other->key, load->key) != 0;)
		other = other->next;
	if (other == NULL)
	{
		load->next = db->loads;
		db->loads = load;
	}
	else
		(void) kn__cond_wait(&db->woken, &db->lock, until);
	(void) pthread_mutex_unlock(&db->lock);
	return other == NULL;
}

static void
end_load(kn__call *call, kn__load *load, kn_status status)
{
	kn_db *db = call->cx->db;
	kn__load **place;
	bool is_stale;

	(void) pthread_mutex_lock(&db->lock);
	is_stale = load->is_stale;
	(void) pthread_mutex_unlock(&db->lock);
	/* Kept before the others look again; one that is removed right now is removed once more. */
	if (status == KN_OK && !is_stale)
		keep(call, load->key);
	(void) pthread_mutex_lock(&db->lock);
	for (place = &db->loads; *place != load;)
		place = &(*place)->next;
	*place = load->next;
	is_stale = load->is_stale && !is_stale;
	(void) pthread_cond_broadcast(&db->woken);
	(void) pthread_mutex_unlock(&db->lock);
	if (is_stale)
		db->config.cache->remove(db->config.cache->user, load->key);
}

static void
keep(kn__call *call, const char *key)
{
	const kn_cache *cache = call->cx->db->config.cache;
	kn__buf bytes;

	kn__buf_init(&bytes, call->cx->db->allocator, MOST_BYTES);
	kn__buf_u64(&bytes, fingerprint(&call->items[0]));
	if (kn__result_freeze(call->items[0].result, &bytes))
		cache->put(cache->user, key, bytes.data, bytes.length, call->options->cache_ms);
	kn__buf_release(&bytes);
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

	if (!kn__ctx_is_usable(cx, &status))
		return status;
	if (key == NULL || cx->db->config.cache == NULL)
		return kn__fail(&cx->fault, KN_USAGE, "there is no cache, or no key");
	/* What is removed after a commit has to outlive a kn_clear() before it. */
	arena = cx->work.depth > 0 ? &cx->own : &cx->arena;
	removal = kn__arena_get(arena, sizeof(Removal));
	if (removal == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	*removal = (Removal){ cx->db, full_key(cx, arena, key) };
	if (removal->key == NULL)
		return kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
	return kn__after_doubt(cx, remove_later, removal);
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
	for (kn__load *load = db->loads; load != NULL; load = load->next)
	{
		if (strcmp(load->key, key) == 0)
			load->is_stale = true;
	}
	(void) pthread_mutex_unlock(&db->lock);
	db->config.cache->remove(db->config.cache->user, key);
}
