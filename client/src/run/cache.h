/*
 * cache.h
 *		Reads that go by a cache of the program's own.
 */
#ifndef KN_SRC_RUN_CACHE_H
#define KN_SRC_RUN_CACHE_H

#include "run/run.h"

/* The loads that are under way in a handle; in its lock. */
typedef struct kn__load
{
	struct kn__load *next;
	const char *key;
	bool is_stale; /* the key was removed meanwhile: what comes is not to be kept */
} kn__load;

/* Whether a call can go by the cache. */
extern bool kn__cache_serves(const kn__call *call);
/* Runs a read of one statement, by the cache or by the server; as kn__run() does. */
extern kn_status kn__cache_run(kn__call *call);

#endif
