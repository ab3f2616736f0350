/*
 * kints/cache.h
 *		A cache of the program's own, put before reads.
 *
 * A read whose options have a cache_key is looked for there first; what is found is handed out
 * as rows like any others.  Where several threads miss the same key at a time, one of
 * them asks the server and the others wait for what it gets.
 *
 * What is kept belongs to the key, and to the role and claims of the context that asked:
 * one that acts as somebody else has entries of its own.  All of that is in the entry, word for
 * word, and compared, however keys fall together.  It is only taken for the same
 * statement with the same values, and for a handle of the same server, database, user and options,
 * as the configuration, PG* variables or a service file name them: where handles of several share a
 * cache, give their keys a prefix each, or they take turns at one entry.  Nothing is read
 * from the cache within a transaction.
 *
 * What is to be kept is read from the primary, so that no replica that is late brings back what was
 * removed.  Where the primary is not there, or the context's route is KN_ROUTE_REPLICA, a replica
 * is asked, and what it says is not kept.
 *
 * Threads: the calls here as the context.  The functions of a kn_cache are called in the threads of
 * whoever reads or writes, several at a time, and must not call the library with that context.
 */
#ifndef KINTS_CACHE_H
#define KINTS_CACHE_H

#include "kints/query.h"

KN_BEGIN_DECLS

/* Hands in what was found, before the get function returns; size is in bytes, which are copied. The
 * last call counts; without one it is a miss. */
typedef void kn_found_fn(void *into, const void *bytes, size_t size);

/*
 * How to reach a cache, with all three functions.  None of them has to succeed: what cannot be read
 * is a miss, and what cannot be kept is not kept.  Keys end with a NUL; bytes are of no use to
 * anybody else.  What they are handed lives until they return.  ttl_ms is the cache_ms of the
 * read's options, and what 0 means there is for the cache to say: the library does not look at it.
 * What would be larger than 64 MiB is not kept.
 */
typedef struct kn_cache
{
	void (*get)(void *user, const char *key, kn_found_fn *found, void *into);
	void (*put)(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms);
	void (*remove)(void *user, const char *key);
	void *user;
} kn_cache;

/*
 * Removes what is kept under a key for the context's role and claims: in a transaction once
 * that is committed, or may be; else at once.  A read of this handle's that was under way by then
 * is not kept; one of another handle's, or another process's, may be, for as long as its cache_ms
 * says.  What put is being handed of that key at that moment is waited for, and removed after it:
 * that takes as long as put does.  key is copied.  KN_USAGE without a cache or a key; KN_NO_MEMORY,
 * KN_FORKED.  It needs no connection: rows that stream, kn_cancel(), or that the handle is closed
 * are not in its way.
 */
KN_API KN_MUST_CHECK kn_status kn_uncache(kn_ctx *cx, const char *key);

/*
 * Write-through: keeps rows as what the read of sql with values and options would give, as soon as
 * the transaction is committed that cx is in.  rows are those of a kn_query() of the same context
 * that kn_done() has not ended, wherever their loop is: of the read itself, or of an INSERT, UPDATE
 * or DELETE with a RETURNING list that has the same columns.  They have to be what everybody
 * will read after the commit, whatever others commit meanwhile: rows that the transaction has
 * written or locked.  All is copied.
 *
 * Nothing is kept if the transaction, or a savepoint that this is called in, is rolled back.  The
 * key is removed instead where it is not certain what is the last word: the outcome of the
 * commit is unknown, the key was removed or written through by another transaction of this handle
 * that was under way at the same time, or there was no memory.  Other processes that share the
 * cache are not known of: where they write as well, kn_uncache() is the safe way.
 *
 * KN_USAGE outside of a transaction, without a cache or a cache_key, or with rows that have no
 * columns, or are streamed, failed, ended or another context's; KN_NO_MEMORY, KN_CANCELED,
 * KN_FORKED, KN_CLOSED.
 */
KN_API KN_MUST_CHECK kn_status kn_cache_rows(kn_ctx *cx, const kn_rows *rows, const char *sql,
											 const kn_value *values, int count,
											 const kn_options *options);

KN_END_DECLS

#endif
