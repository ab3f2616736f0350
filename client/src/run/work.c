/*
 * work.c
 *		Whether a transaction can go on, or why nothing but its end will do.
 */
#include "run/run.h"

/* What a body has ended with: it may have passed over a failure, the server has not. */
kn_status
kn__transact_own_up(kn_ctx *cx, kn_status status)
{
	kn_status failed = cx->work.failed;

	if (status != KN_OK || failed == KN_OK)
		return status;
	if (cx->fault.error.status != failed)
		(void) kn__fail(&cx->fault, failed, "a statement of the transaction failed");
	return failed;
}

/* An error where the body has left something open that has the connection. */
kn_status
kn__transact_check_ended(kn_ctx *cx)
{
	if (cx->stream != NULL)
		return kn__fail(&cx->fault, KN_USAGE, "rows are still streaming: kn_done() ends them");
	if (cx->copy != NULL)
		return kn__fail(&cx->fault, KN_USAGE, "COPY is under way: kn_copy_end() ends it");
	return KN_OK;
}

/* An error once a statement of it has failed: nothing but its end will do. */
kn_status
kn__transact_check(kn_ctx *cx)
{
	/* What an earlier one has failed with says nothing of what comes after it. */
	if (cx->work.depth == 0 || cx->work.failed == KN_OK)
		return KN_OK;
	return kn__fail(&cx->fault,
					KN_ABORTED,
					"an earlier statement of the transaction failed: %s",
					kn_status_name(cx->work.failed));
}

/*
 * After a flight of it.  One that went well had BEGIN with it, whatever has become of the
 * connection since: what is lost before its COMMIT must not pass for what has none to send.
 */
void
kn__transact_note_begun(kn_ctx *cx, kn_status status)
{
	cx->work.has_begun =
		cx->work.has_begun || status == KN_OK || kn__conn_in_transaction(cx->link->conn);
}

/*
 * What cannot be sent leaves the transaction as it was; found out only behind what goes with it, it
 * would be the end of it.
 */
kn_status
kn__transact_check_values(kn__call *call)
{
	kn_ctx *cx = call->cx;
	kn_status status = KN_OK;

	if (call->count == 1 && cx->work.has_begun && cx->work.xid[0] != '\0' &&
		!kn__conn_has_to_close(cx->link->conn))
		return KN_OK;
	for (int i = 0; i < call->count && status == KN_OK; i++)
	{
		status = kn__send_check(cx->link->conn, &call->items[i], &cx->fault);
		if (status == KN_OK)
			continue;
		call->items[i].status = status;
		cx->fault.error.item = call->count > 1 ? i : -1;
	}
	return status;
}

/*
 * A statement of it has failed.  What never reached the server has left the transaction as it was,
 * be it that it has not even begun.
 */
void
kn__transact_note(kn_ctx *cx, kn_status status)
{
	kn__conn *conn = cx->link == NULL ? NULL : cx->link->conn;

	/* Nor does the time that is over, or a cancel, know of what it would have done. */
	bool is_passed_over = status != KN_TIMEOUT && status != KN_CANCELED;

	if (conn != NULL && is_passed_over && !kn__conn_in_failed_transaction(conn) &&
		(kn__conn_in_transaction(conn) || (!cx->work.has_begun && kn__conn_is_clean(conn))))
		return;
	kn__transact_fail(cx, status);
}

void
kn__transact_fail(kn_ctx *cx, kn_status status)
{
	/* What comes after the first is of its own making. */
	if (cx->work.failed == KN_OK)
		cx->work.verdict = kn__run_judge(cx, status);
	cx->work.failed = status;
	cx->work.is_answer = cx->fault.is_answer;
}

/* That its stream is given up is not what the transaction has failed by. */
void
kn__transact_drop_stream(kn_ctx *cx)
{
	kn__work before = cx->work;

	kn__stream_drop(cx);
	cx->work.failed = before.failed;
	cx->work.verdict = before.verdict;
	cx->work.is_answer = before.is_answer;
}

bool
kn__transact_swap(kn_ctx *cx, kn_status *status)
{
	kn__work *work = &cx->work;

	/* There are no more of those than connections. */
	if (*status == KN_OK || work->depth == 0 || work->has_begun || cx->link == NULL ||
		!cx->fault.is_unclean || work->swaps >= cx->db->config.max_connections)
		return false;
	work->swaps++;
	kn__run_end_held(cx, work->server, &work->permit, *status);
	*status = kn__transact_take(cx);
	work->failed = *status;
	work->is_answer = false;
	return *status == KN_OK;
}

void
kn__transact_hide(const kn_ctx *cx)
{
	/* In a child the session is the parent's. */
	if (cx->work.depth > 0 && cx->link != NULL && !kn__db_is_child(cx->db))
		kn__pool_retell(cx->link->server->pool, &cx->link->member, NULL);
}

/*
 * What the server is judged by is what has become of its own statements, whatever the body has made
 * of that, or has ended with for reasons of its own.
 */
void
kn__transact_give(kn_ctx *cx, kn_status status)
{
	kn__work *work = &cx->work;
	kn__verdict verdict = { .is_unsent = !work->has_begun };

	if (work->failed != KN_OK)
		verdict = work->verdict;
	kn__run_end_as(cx,
				   work->server,
				   &work->permit,
				   kn__coarse(cx->db->clock) - cx->longest,
				   status,
				   &verdict);
}

bool
kn_in_transaction(const kn_ctx *cx)
{
	return cx != NULL && cx->work.depth > 0 && !cx->work.is_own;
}
