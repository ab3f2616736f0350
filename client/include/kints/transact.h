/*
 * kints/transact.h
 *		Transactions: a function that runs in one, and again where the server asks for it.
 *
 * Threads: as the context.
 */
#ifndef KINTS_TRANSACT_H
#define KINTS_TRANSACT_H

#include "kints/context.h"

KN_BEGIN_DECLS

typedef enum kn_isolation
{
	KN_ISOLATION_DEFAULT, /* the server's default_transaction_isolation */
	KN_READ_COMMITTED,
	KN_REPEATABLE_READ,
	KN_SERIALIZABLE
} kn_isolation;

/* All zero is the usual; an isolation that there is none of, or attempts below 0, is KN_USAGE. */
typedef struct kn_transaction
{
	size_t size; /* of this struct, filled in by the caller */
	kn_isolation isolation;
	bool is_read_only;  /* may go to a replica, where the context's route allows it */
	bool is_deferrable; /* with serializable and read-only: waits for a snapshot that cannot fail */
	int attempts;       /* of the body, in all; 0: retry_attempts of the configuration, 1: once */
} kn_transaction;

/*
 * What is done in a transaction: calls with cx, which go to the one connection of it.  KN_OK
 * commits; anything else rolls back and is returned.  It may run several times: what it
 * does besides is done several times, too, and so is what functions that it calls do that is not
 * undone with a transaction, such as what they write at other servers or into files.  Who cannot
 * have that says attempts = 1.  It must not end the context; what its calls hand out
 * lives on after it, and rows that stream, or a COPY, have to be ended in it.
 *
 * It has to return.  One that is left by longjmp() or by an exception of C++ leaves its transaction
 * open, and whatever is done with the context after that is done in it: nothing but kn_end() may
 * be, which rolls it back.
 */
typedef kn_status kn_body_fn(kn_ctx *cx, void *argument);

/*
 * Runs body in a transaction, and again from its beginning after a serialization failure, a
 * deadlock, or a connection that was lost before COMMIT.  BEGIN goes out with the first
 * statement, role and claims of the context with it; a body without statements costs nothing.
 *
 * Within a transaction it makes a savepoint of it: what body did is rolled back alone if it
 * fails, and the outer one can go on.  Where it cannot be rolled back, the status says why, be
 * body's what it may: the outer one is at its end then.  Its options are those of the outer one:
 * another isolation, is_read_only or is_deferrable where that has not got it, or other attempts
 * are KN_USAGE.
 *
 * KN_OUTCOME_UNKNOWN: the connection was lost during COMMIT, and not even the server could be
 * asked afterwards whether it was done.  Where it could, it is KN_OK or tried again.
 *
 * Else returns what body did, or, where that passes over the failure of a statement, what that
 * failed with (KN_DATA, KN_USAGE and KN_NO_MEMORY of what was not sent leave the transaction as it
 * was, and are body's affair); what COMMIT failed with, such as a constraint that is deferred;
 * KN_ABORTED where the server answers it with a rollback; KN_USAGE without body or options, or for
 * what body has left open; KN_TIMEOUT, KN_CANCELED, KN_CONN_LOST: nothing of it is in force, but
 * for what functions have done elsewhere; KN_NO_MEMORY, KN_FORKED, KN_CLOSED.  In a child process
 * that body has forked it is KN_FORKED, whatever that returns there: the transaction is the
 * parent's.
 */
KN_API KN_MUST_CHECK kn_status kn_transact_options(kn_ctx *cx, kn_body_fn *body, void *argument,
												   const kn_transaction *options);
#ifndef __cplusplus
/* kn_transact(cx, transfer, &order); kn_transact(cx, transfer, &order, .isolation =
 * KN_SERIALIZABLE) */
#define kn_transact(cx, body, ...) \
	KN_TRANSACT_(cx, body, __VA_ARGS__, .size = sizeof(kn_transaction))
#define KN_TRANSACT_(cx, body, argument, ...) \
	kn_transact_options(cx, body, argument, &(kn_transaction){ __VA_ARGS__ })
#endif

/*
 * Calls a function once the outermost transaction has been committed, or right away outside of
 * one; in the order they were asked for, in this thread, before kn_transact() returns.  What a
 * savepoint, or a run of the body, that is rolled back has asked for is forgotten.  argument has to
 * live until then.  It must not use cx.  KN_OK; KN_NO_MEMORY, KN_FORKED, KN_CLOSED; KN_USAGE
 * without a function.
 */
typedef void kn_after_fn(void *argument);
KN_API KN_MUST_CHECK kn_status kn_after_commit(kn_ctx *cx, kn_after_fn *after, void *argument);
/* Likewise once it has been rolled back, or its outcome is unknown; never outside of one.  Each run
 * of a body that is rolled back calls what it has asked for.  A child process calls nothing. */
KN_API KN_MUST_CHECK kn_status kn_after_rollback(kn_ctx *cx, kn_after_fn *after, void *argument);

/* Whether cx is in a transaction of kn_transact().  Not if it is NULL. */
KN_API bool kn_in_transaction(const kn_ctx *cx);

KN_END_DECLS

#endif
