/*
 * nothing.h
 *		A cache that has nothing, and counts what it is told.
 */
#ifndef KN_TESTS_NOTHING_H
#define KN_TESTS_NOTHING_H

#include <stdatomic.h>

#include "kints/kints.h"

typedef struct nothing
{
	atomic_int puts;
	atomic_int removals;
} nothing;

static void
get_nothing(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	(void) key;
	(void) found;
	(void) into;
}

static void
count_put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) key;
	(void) bytes;
	(void) size;
	(void) ttl_ms;
	atomic_fetch_add(&((nothing *) user)->puts, 1);
}

static void
count_removal(void *user, const char *key)
{
	(void) key;
	atomic_fetch_add(&((nothing *) user)->removals, 1);
}

static inline kn_cache
cache_of(nothing *n)
{
	return (kn_cache){ get_nothing, count_put, count_removal, n };
}

#endif
