/*
 * cache.h
 *		Reads that go by a cache of the program's own.
 */
#ifndef KN_SRC_RUN_CACHE_H
#define KN_SRC_RUN_CACHE_H

#include "run/run.h"

#define KN__ENTRY_MOST (64 << 20) /* what is larger is not worth keeping */

/* The loads that are under way in a handle, and what is to be kept after a commit; in its lock. */
typedef struct kn__load
{
	struct kn__load *next;
	const char *key;
	uint64_t number;      /* no other has it; 0: nobody waits for it */
	kn__buf entry;        /* as it begins */
	const kn_ctx *writer; /* whose commit it waits for; NULL: it is read from the server */
	bool is_stale;        /* the key was removed meanwhile: what comes is not to be kept */
	bool is_kept;         /* the cache is being handed it */
} kn__load;

/* Whether a call can go by the cache. */
extern KN__HOT bool kn__cache_serves(const kn__call *call);
/* Runs a read of one statement, by the cache or by the server; as kn__run() does. */
extern kn_status kn__cache_run(kn__call *call);

/*
 * With the handle's lock: nothing of a key that is under way is kept from here on, and what the
 * cache is just being handed is waited for, as it would come later.  Rows that others write
 * through are left alone unless with_writes.
 */
extern void kn__cache_outdate(kn_db *db, const char *key, bool with_writes);
/* Takes it out of the list; whether it has become stale. */
extern bool kn__cache_unlink(kn_db *db, kn__load *load);

/* cache_entry.c */
extern const char *kn__entry_key(kn_ctx *cx, kn__arena *arena, const char *key);
extern void kn__entry_begin(kn__buf *out, const kn_ctx *cx, const char *sql, const kn_value *values,
							int count);

#endif
