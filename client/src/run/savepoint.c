/*
 * savepoint.c
 *		Transactions within transactions.
 *
 * What one did is rolled back alone, and leaves no trace: a savepoint that is rolled back to
 * and not released stays with the server, and a loop of them fills its memory.
 */
#include "run/tell.h"

#include <stdio.h>

/* What there was when it began. */
typedef struct Before
{
	kn__aftermath *after;
	int depth;
	int savepoint;
	int pending;
} Before;

static kn_status check_options(kn_ctx *cx, const kn_transaction *options);
static kn_status end(kn_ctx *cx, const Before *before, kn_status status);
static bool can_undo(const kn_ctx *cx);
static void note_lost(kn_ctx *cx);
static kn_status undo(kn_ctx *cx, const Before *before, kn_status status);
static void tell_undone(kn_ctx *cx, const Before *before, kn_status status);
static kn_status mark(kn_ctx *cx, int depth, const char *const *verbs, int count);

#define SQL_SIZE 64

static const char x_name[] = "%s kn_%d";
static const char *const x_begin[] = { "SAVEPOINT" };
static const char *const x_keep[] = { "RELEASE" };
static const char *const x_undo[] = { "ROLLBACK TO", "RELEASE" };

kn_status
kn__savepoint_run(kn_ctx *cx, kn_body_fn *body, void *argument, const kn_transaction *options)
{
	const Before before = { .after = cx->work.after,
							.depth = cx->work.depth,
							.savepoint = cx->work.savepoint,
							.pending = cx->work.pending };
	kn_status status = check_options(cx, options);

	if (status == KN_OK)
		status = kn__transact_check(cx);
	if (status == KN_OK)
		status = mark(cx, before.depth, x_begin, 1);
	if (status != KN_OK)
		return status;
	cx->work.depth++;
	cx->work.savepoint = ++cx->work.savepoints;
	status = body(cx, argument);
	cx->work.depth = before.depth;
	status = kn__transact_own_up(cx, status);
	if (status == KN_OK)
		status = kn__transact_check_ended(cx);
	if (status != KN_OK)
		kn__after_forget(cx, before.after);
	status = end(cx, &before, status);
	cx->work.savepoint = before.savepoint;
	return status;
}

/* What holds for the whole of a transaction cannot be another thing for a part of it. */
static kn_status
check_options(kn_ctx *cx, const kn_transaction *options)
{
	const kn_transaction *outer = cx->work.options;
	const char *name = NULL;

	if (options->isolation != KN_ISOLATION_DEFAULT && options->isolation != outer->isolation)
		name = "isolation";
	else if (options->is_read_only && !outer->is_read_only)
		name = "is_read_only";
	else if (options->is_deferrable && !outer->is_deferrable)
		name = "is_deferrable";
	else if (options->attempts > 1 && options->attempts != outer->attempts)
		name = "attempts";
	if (name == NULL)
		return KN_OK;
	return kn__fail(&cx->fault,
					KN_USAGE,
					"option \"%s\" of a transaction within another is not that of the outer one",
					name);
}

static kn_status
end(kn_ctx *cx, const Before *before, kn_status status)
{
	if (status != KN_OK)
		return undo(cx, before, status);
	status = mark(cx, before->depth, x_keep, 1);
	if (status != KN_OK && cx->work.failed == KN_OK)
		kn__transact_fail(cx, status);
	return status;
}

/* A connection that is gone, or a transaction that has to be run again, is not for a savepoint. */
static bool
can_undo(const kn_ctx *cx)
{
	return cx->link != NULL && kn__conn_in_transaction(cx->link->conn) &&
		   cx->work.failed != KN_SERIALIZATION && cx->work.failed != KN_DEADLOCK;
}

/*
 * Of what can_undo() says no to: where a statement's error is noted that could be undone, the
 * connection has gone along with it, and that is why there is no going on.
 */
static void
note_lost(kn_ctx *cx)
{
	switch (cx->work.failed)
	{
		case KN_DATA:
		case KN_SCHEMA:
		case KN_FOREIGN_KEY:
		case KN_CHECK:
		case KN_NOT_NULL:
		case KN_LOCK_TIMEOUT:
		case KN_DUPLICATE:
		case KN_AUTH:
		case KN_CONFLICT:
		case KN_SERVER:
			(void) kn__fail(&cx->fault, KN_CONN_LOST, "%s", kn_status_text(KN_CONN_LOST));
			kn__transact_fail(cx, KN_CONN_LOST);
			break;
		default:
			break;
	}
}

/*
 * What the savepoint ended with; if that could not be undone, why not.  A body may return what is a
 * failure to nobody but its caller, who goes on then: it must not be told where that is not so.
 */
static kn_status
undo(kn_ctx *cx, const Before *before, kn_status status)
{
	kn__fault kept;
	kn_status undone;

	kn__stream_drop(cx);
	kn__copy_drop(cx);
	if (!can_undo(cx))
	{
		note_lost(cx);
		return kn__transact_own_up(cx, cx->work.failed == KN_OK ? status : KN_OK);
	}
	kn__fault_copy(&kept, &cx->fault);
	cx->work.failed = KN_OK;
	undone = mark(cx, before->depth, x_undo, 2);
	if (undone == KN_OK)
	{
		kn__fault_copy(&cx->fault, &kept);
		tell_undone(cx, before, status);
		return status;
	}
	/* With what the body did still in it, the transaction must not be committed. */
	if (cx->work.failed == KN_OK)
		kn__transact_fail(cx, undone);
	return undone;
}

/* To who was told of writes in it that they are pending, and is told of COMMIT later. */
static void
tell_undone(kn_ctx *cx, const Before *before, kn_status status)
{
	char sql[SQL_SIZE];

	if (cx->work.pending == before->pending)
		return;
	cx->work.pending = before->pending;
	(void) snprintf(sql, sizeof(sql), x_name, x_undo[0], before->depth);
	kn__tell_undone(cx, sql, status);
}

/* Statements about the savepoint of a depth, in one flight; the verbs are static texts. */
static kn_status
mark(kn_ctx *cx, int depth, const char *const *verbs, int count)
{
	char sql[2][SQL_SIZE];
	kn__item items[2];
	kn__call call = { .cx = cx, .items = items, .count = count, .class = KN__CLASS_READ };

	/* In a child the session is the parent's. */
	if (kn__db_is_child(cx->db))
		return kn__fail(&cx->fault, KN_FORKED, "%s", kn_status_text(KN_FORKED));
	for (int i = 0; i < count; i++)
	{
		(void) snprintf(sql[i], sizeof(sql[i]), x_name, verbs[i], depth);
		items[i] = kn__run_plain(sql[i]);
	}
	call.told = verbs[0];
	return kn__transact_run(&call);
}
