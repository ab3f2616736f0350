/*
 * kints/batch.h
 *		Several statements in one round trip: a pipeline.
 *
 * All of a batch are one transaction: where one fails, none has happened, and the
 * error's item is its index.  Within kn_transact() they are part of that transaction.
 * What may commit by itself, such as CALL or VACUUM, has no place in one: KN_USAGE.
 *
 * Threads: as the context.
 */
#ifndef KINTS_BATCH_H
#define KINTS_BATCH_H

#include "kints/query.h"

KN_BEGIN_DECLS

typedef struct kn_batch kn_batch;

/* An empty one, which lives until kn_end() or kn_clear() of the context.  Never NULL: without
 * memory, or a context, kn_run_batch() gives KN_NO_MEMORY. */
KN_API kn_batch *kn_begin_batch(kn_ctx *cx);
/*
 * Adds a statement; sql and what values borrow has to live until the batch has run, the array
 * itself need not.  Returns the statement's index, from 0; -1: it cannot be added, which comes out
 * of kn_run_batch(), or one before it could not, or batch is NULL or has run.
 */
KN_API int kn_add_values(kn_batch *batch, const char *sql, const kn_value *values, int count);
#ifndef __cplusplus
/* kn_add(batch, "INSERT INTO t VALUES ($1)", 7) */
#define kn_add(batch, ...) kn_add_values(batch, KN_SQL_(__VA_ARGS__))
#endif
/*
 * Sends all, and has all answers when it returns.  options hold for the batch as a whole and
 * may be NULL.  Returns what a call with one statement may (see kints/query.h); KN_OK for an empty
 * one; KN_USAGE for NULL, or one that has run already: a batch runs once.
 */
KN_API KN_MUST_CHECK kn_status kn_run_batch(kn_batch *batch, const kn_options *options);
/* How many rows a statement affected; -1: it says none, the batch has failed or has not run, or
 * there is no such statement. */
KN_API int64_t kn_batch_affected(const kn_batch *batch, int index);
/*
 * The rows of a statement, once: to be ended by kn_done(), which says KN_USAGE where they have been
 * taken, the batch has not run, or there is no such statement.  Never NULL.  Where the batch has
 * failed: what it has failed with for the statement that is the error's item, and KN_ABORTED for
 * all others.  The connection, the server, the time and COMMIT are those of all: so is the status
 * then, and where there is no such statement.
 */
KN_API kn_rows *kn_batch_rows(kn_batch *batch, int index);

KN_END_DECLS

#endif
