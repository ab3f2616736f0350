/*
 * prepared.c
 *		The prepared statements of a connection.
 *
 * An entry is made when a statement is first seen, and counts how often it is
 * used; it is prepared when that is worth it.  The name is made of the key, which
 * is a hash of the text and the types of the parameters: where a pooler lets two
 * clients share a server, the same name is the same statement.  What has to make
 * room is closed along with the next flight, not by a round trip of its own.
 */
#include "wire/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static kn__prepared *slot_of(const kn__prepared_cache *cache, uint64_t key);
static void make_room(kn__prepared_cache *cache, const kn_allocator *allocator, size_t length);
static void drop(kn__prepared_cache *cache, const kn_allocator *allocator, kn__prepared *entry);
static void link_newest(kn__prepared_cache *cache, kn__prepared *entry);
static void unlink_entry(kn__prepared_cache *cache, kn__prepared *entry);
static void relink(kn__prepared_cache *cache, kn__prepared *entry);

bool
kn__prepared_init(kn__prepared_cache *cache, const kn_allocator *allocator, int limit,
				  int64_t byte_limit)
{
	memset(cache, 0, sizeof(*cache));
	kn__buf_init(&cache->closing, allocator, SIZE_MAX / 2);
	if (limit <= 0)
		return true;
	cache->limit = limit;
	cache->byte_limit = byte_limit;
	cache->slot_count = 16;
	/* At most half full, so that a look-up ends soon. */
	while (cache->slot_count < (size_t) limit * 2)
		cache->slot_count *= 2;
	cache->slots = kn__allocate_zero(allocator, cache->slot_count, sizeof(kn__prepared));
	return cache->slots != NULL;
}

void
kn__prepared_release(kn__prepared_cache *cache, const kn_allocator *allocator)
{
	while (cache->oldest != NULL)
		drop(cache, allocator, cache->oldest);
	kn__release(allocator, cache->slots, cache->slot_count * sizeof(kn__prepared));
	kn__buf_release(&cache->closing);
	memset(cache, 0, sizeof(*cache));
}

kn__prepared *
kn__prepared_get(kn__prepared_cache *cache, uint64_t key, const char *sql, size_t length)
{
	kn__prepared *entry;

	if (KN__UNLIKELY(cache->slot_count == 0))
		return NULL;
	entry = slot_of(cache, key);
	if (KN__UNLIKELY(entry->key != key || key == 0 || entry->length != length ||
					 memcmp(entry->sql, sql, length) != 0))
		return NULL;
	if (KN__UNLIKELY(cache->newest != entry))
	{
		unlink_entry(cache, entry);
		link_newest(cache, entry);
	}
	return entry;
}

kn__prepared *
kn__prepared_find(kn__prepared_cache *cache, const kn_allocator *allocator, uint64_t key,
				  const char *sql, size_t length)
{
	kn__prepared *entry;
	char *copy;

	if (cache->slot_count == 0 || key == 0 || (int64_t) length > cache->byte_limit)
		return NULL;
	entry = kn__prepared_get(cache, key, sql, length);
	if (entry != NULL)
		return entry;
	/* Another text with the same hash: leave that one alone, and do without. */
	if (slot_of(cache, key)->key == key)
		return NULL;
	copy = kn__allocate(allocator, length + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, sql, length);
	copy[length] = '\0';
	make_room(cache, allocator, length);
	entry = slot_of(cache, key); /* making room moves entries */
	memset(entry, 0, sizeof(*entry));
	entry->key = key;
	entry->sql = copy;
	entry->length = length;
	kn__prepared_name(entry->name, key);
	entry->is_prepared = kn__prepared_take_back(cache, entry->name);
	cache->count++;
	cache->bytes += (int64_t) length;
	link_newest(cache, entry);
	return entry;
}

/* Those that have been sent are closed; what has been let go of since is for the next flight. */
void
kn__prepared_closed(kn__prepared_cache *cache)
{
	kn__buf *closing = &cache->closing;

	memmove(closing->data, closing->data + cache->sent, closing->length - cache->sent);
	closing->length -= cache->sent;
	cache->sent = 0;
}

void
kn__prepared_name(char *name, uint64_t key)
{
	(void) snprintf(name, KN__NAME_SIZE, "kn_%016" PRIx64, key);
}

bool
kn__prepared_take_back(kn__prepared_cache *cache, const char *name)
{
	kn__buf *closing = &cache->closing;
	size_t size = strlen(name) + 1;

	for (size_t at = cache->sent; at < closing->length; at += strlen(closing->data + at) + 1)
	{
		if (strcmp(closing->data + at, name) != 0)
			continue;
		memmove(closing->data + at, closing->data + at + size, closing->length - at - size);
		closing->length -= size;
		return true;
	}
	return false;
}

/* The slot that has the key, or the free one where it would be. */
static kn__prepared *
slot_of(const kn__prepared_cache *cache, uint64_t key)
{
	size_t at = (size_t) key & (cache->slot_count - 1);

	while (KN__UNLIKELY(cache->slots[at].key != 0 && cache->slots[at].key != key))
		at = (at + 1) & (cache->slot_count - 1);
	return &cache->slots[at];
}

static void
make_room(kn__prepared_cache *cache, const kn_allocator *allocator, size_t length)
{
	while (cache->oldest != NULL &&
		   (cache->count >= cache->limit || cache->bytes + (int64_t) length > cache->byte_limit))
	{
		kn__prepared_forget(cache, cache->oldest, cache->oldest->is_prepared);
		drop(cache, allocator, cache->oldest);
	}
}

/* Frees a slot; those behind it that it has pushed on move back. */
static void
drop(kn__prepared_cache *cache, const kn_allocator *allocator, kn__prepared *entry)
{
	size_t mask = cache->slot_count - 1;
	size_t hole = (size_t) (entry - cache->slots);

	unlink_entry(cache, entry);
	cache->count--;
	cache->bytes -= (int64_t) entry->length;
	kn__release(allocator, entry->sql, entry->length + 1);
	entry->key = 0;
	for (size_t at = (hole + 1) & mask; cache->slots[at].key != 0; at = (at + 1) & mask)
	{
		size_t home = (size_t) cache->slots[at].key & mask;

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		cache->slots[hole] = cache->slots[at];
		relink(cache, &cache->slots[hole]);
		cache->slots[at].key = 0;
		hole = at;
	}
}

void
kn__prepared_forget(kn__prepared_cache *cache, kn__prepared *entry, bool is_there)
{
	/* What could not be noted for want of memory stays at the server; what follows need not. */
	cache->closing.has_failed = false;
	if (is_there)
		kn__buf_add(&cache->closing, entry->name, strlen(entry->name) + 1);
	entry->is_prepared = false;
	entry->is_fit = false;
	entry->uses = 0;
}

/* The server has none of them any more. */
void
kn__prepared_forget_all(kn__prepared_cache *cache, bool are_there)
{
	for (kn__prepared *entry = cache->newest; entry != NULL; entry = entry->older)
		kn__prepared_forget(cache, entry, are_there && entry->is_prepared);
	if (are_there)
		return;
	kn__buf_clear(&cache->closing);
	cache->sent = 0;
}

static void
link_newest(kn__prepared_cache *cache, kn__prepared *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest != NULL)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void
unlink_entry(kn__prepared_cache *cache, kn__prepared *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		cache->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		cache->oldest = entry->newer;
}

/* An entry is at another address now. */
static void
relink(kn__prepared_cache *cache, kn__prepared *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry;
	else
		cache->newest = entry;
	if (entry->older != NULL)
		entry->older->newer = entry;
	else
		cache->oldest = entry;
}
