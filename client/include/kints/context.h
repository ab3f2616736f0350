/*
 * kints/context.h
 *		A request: who asks, how long it may take, what it got, what went wrong.
 *
 * All that a call hands out lives in the context's arena until kn_end() or
 * kn_clear(): there is nothing else to free.
 *
 * In a child process every call with a context of the parent's handle gives KN_FORKED; once
 * kn_close() has been called each gives KN_CLOSED, but for those in a transaction that kn_close()
 * waits for, and kn_uncache().
 *
 * Threads: a context, and what hangs on it, belongs to one thread at a time; kn_cancel() alone may
 * be called from any.
 */
#ifndef KINTS_CONTEXT_H
#define KINTS_CONTEXT_H

#include "kints/db.h"
#include "kints/value.h"

KN_BEGIN_DECLS

typedef struct kn_ctx kn_ctx;

/* Where statements go. */
typedef enum kn_route
{
	KN_ROUTE_AUTO, /* reads to a replica that is fresh enough, the rest to the primary */
	KN_ROUTE_PRIMARY,
	KN_ROUTE_REPLICA /* KN_UNAVAILABLE where there is none that serves */
} kn_route;

/*
 * Role and claims hold for a transaction: what may commit by itself, such as CALL or VACUUM, is
 * KN_USAGE with them outside of kn_transact(), for it would go on as somebody else.
 *
 * Texts are copied.  With claims that cannot be understood, without a size, or with a timeout_ms or
 * a route that there is none of, each call gives KN_USAGE, and says so; a role that does not exist
 * or may not be assumed, or a setting that cannot be set, is KN_AUTH.
 */
typedef struct kn_request
{
	size_t size; /* of this struct, filled in by the caller, as in all that begin so */
	/* Milliseconds from now; 0: statement_ms of the configuration, -1: no deadline.  From a second
	 * on, up to 10 ms more. */
	int64_t timeout_ms;
	const char *actor;         /* who acts, for audit and events; NULL: nobody knows */
	const char *role;          /* the role that statements run as, in their transaction only;
								* NULL or "": that of the connection */
	const char *const *claims; /* settings for row-level security: name, value, ..., NULL */
	const char *trace_id;      /* correlation id, in events and in the SQL's comment never */
	uint64_t min_lsn;          /* replicas have to have replayed up to here; 0: any will do */
	kn_route route;
	bool hedge;       /* a read that takes longer than 95 % of them do with its server is sent to a
					   * second one that may serve it, and the first answer counts; hedge_percent of
					   * the configuration bounds how many.  Not in transactions, and no streams */
	const char *file; /* where it began, for reports of leaks: a literal, as kn_begin() fills both
					   * in; it is not copied */
	int line;
} kn_request;

/*
 * Begins a request; request need not outlive the call.  Asks no server, and waits for nothing.
 * Never NULL: without memory or a handle every call with what it returns gives KN_NO_MEMORY, and
 * without a request KN_USAGE.  kn_end() ends it.  It may outlive kn_close(): the handle is freed
 * with its last context.
 */
KN_API kn_ctx *kn_begin_request(kn_db *db, const kn_request *request);
#ifndef __cplusplus
/* kn_begin(db), kn_begin(db, .timeout_ms = 250, .role = "teller") */
#define kn_begin(...) \
	KN_BEGIN_(__VA_ARGS__, .size = sizeof(kn_request), .file = __FILE__, .line = __LINE__)
#define KN_BEGIN_(db, ...) kn_begin_request(db, &(kn_request){ __VA_ARGS__ })
#endif

/*
 * Frees it, and all that was got from it.  Rows that are still there are ended as by kn_done(), a
 * COPY is given up, a transaction is rolled back, which may take cancel_ms of the configuration; a
 * connection that is still held goes back.  NULL does nothing.
 */
KN_API void kn_end(kn_ctx *cx);
/*
 * Frees what was got so far, and ends rows, batches and COPY, but the context goes on: same
 * request, same deadline, same transaction, and kn_cancel() is forgotten.  NULL does nothing.
 */
KN_API void kn_clear(kn_ctx *cx);
static inline void
kn_ctx_cleanup(kn_ctx *const *cx)
{
	kn_end(*cx);
}

/*
 * What the last call failed with.  Never NULL; of status KN_OK where nothing has failed, and
 * KN_NO_MEMORY where cx is NULL or there was no memory for it.  Lives until the next call.
 */
KN_API const kn_error *kn_last_error(const kn_ctx *cx);

/*
 * Ends what the context is doing, from any thread: that call returns KN_CANCELED,
 * and so does each one after it until kn_clear().  Does nothing else: a statement
 * of another context never suffers from it.  The context must not end meanwhile.  It takes locks:
 * not for the handler of a signal.  NULL does nothing, nor does any in a child process.
 */
KN_API void kn_cancel(kn_ctx *cx);

/*
 * Another deadline, in milliseconds from now; 0: it is over, -1: none, less is KN_USAGE of each
 * call after it.  NULL does nothing.
 */
KN_API void kn_set_timeout(kn_ctx *cx, int64_t timeout_ms);

/*
 * A place in the primary's log not before the last commit, 0 if there was none: for min_lsn of
 * other requests; the context's own reads go by it anyway.  UINT64_MAX where the answer was lost,
 * or rows of a write were streamed: then only the primary will do.  Known where the handle has
 * replicas.  0 of NULL.
 */
KN_API uint64_t kn_last_lsn(const kn_ctx *cx);

/* size bytes in the arena, zeroed, aligned for anything.  NULL: out of memory, or cx is NULL. */
KN_API void *kn_alloc(kn_ctx *cx, size_t size);
/* A copy in the arena, with all that it borrows.  KN_TYPE_NULL if there is no memory for that. */
KN_API kn_value kn_copy_value(kn_ctx *cx, kn_value value);
/* A NUL-terminated copy in the arena.  NULL: out of memory, or cx is NULL. */
KN_API char *kn_copy_text(kn_ctx *cx, kn_str text);

KN_END_DECLS

#endif
