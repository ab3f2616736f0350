/*
 * stream.c
 *		Rows as they arrive: the connection is held until they are done.
 */
#include "run/rows.h"
#include "run/tell.h"

#include <string.h>

static void keep_options(kn_rows *rows);
static kn_status begin(kn_rows *rows);
static kn_status begin_once(kn_rows *rows);
static kn_status begin_here(kn_rows *rows);
static kn_status begin_scan(kn_rows *rows, kn__item *before, int *count);
static void unwrap(kn_rows *rows, kn_status *status);
static void note_lsn(const kn_rows *rows);
static kn_status settle_end(kn_rows *rows, kn_status status, const kn__fault *fault);
static void end(kn_rows *rows, kn_status status, kn_status told);

kn_rows *
kn_stream_values(kn_ctx *cx, const char *sql, const kn_value *values, int count,
				 const kn_options *options)
{
	kn_rows *rows;
	kn_status status;

	if (cx == NULL || cx->db == NULL)
		return kn__rows_failed();
	if (!kn__ctx_is_usable(cx, &status))
		return kn__rows_fail(cx, status);
	rows = kn__rows_new(cx);
	if (rows->cx == NULL)
		return rows;
	memset((char *) rows + KN__ROWS_HEAD, 0, sizeof(*rows) - KN__ROWS_HEAD);
	rows->sql = sql;
	rows->status = kn__query_prepare(cx, sql, values, count, options, &rows->item, &rows->call);
	if (rows->status != KN_OK)
		return rows;
	keep_options(rows);
	kn__tell_begin(&rows->call);
	rows->status = begin(rows);
	kn__query_explain(&rows->call, rows->status);
	/* They are the caller's, and may be gone by the time of the last row. */
	rows->item.values = NULL;
	if (rows->status != KN_OK)
		kn__tell_end(&rows->call, rows->status, -1);
	return rows;
}

/* What the stream is ended by is the caller's, too, and may be gone by then. */
static void
keep_options(kn_rows *rows)
{
	const kn_options *options = rows->call.options;

	if (options == NULL)
		return;
	rows->options = *options;
	if (options->name != NULL)
		rows->options.name =
			kn_copy_text(rows->cx, (kn_str){ options->name, strlen(options->name) });
	rows->call.options = &rows->options;
}

/* Until the first answer nothing has been handed out, so it can be tried again like any call. */
static kn_status
begin(kn_rows *rows)
{
	kn__call *call = &rows->call;
	kn_ctx *cx = rows->cx;

	call->attempts = 0;
	rows->item.wants_rows = true;
	if (cx->work.depth == 0)
		kn__budget_call(&cx->db->budget);
	for (;;)
	{
		kn_status status;

		call->attempts++;
		call->outcome = KN__NOTHING_DONE;
		status = begin_once(rows);
		if (status == KN_OK)
		{
			rows->is_streaming = true;
			cx->stream = rows;
			return KN_OK;
		}
		if (kn__transact_swap(cx, &status))
			continue;
		if (cx->work.depth > 0 || !kn__run_may_repeat(call, status) ||
			!kn__run_again(call, &status))
			return kn__run_settle(call, status);
	}
}

static kn_status
begin_once(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__call *call = &rows->call;
	int64_t since;
	kn_status status;

	status = kn__transact_check(cx);
	if (status != KN_OK)
		return status;
	if (cx->link == NULL)
	{
		status = cx->work.depth > 0 ? kn__transact_take(cx) : kn__run_take(call, &rows->permit);
		if (status != KN_OK && cx->work.depth > 0)
			kn__transact_fail(cx, status);
		if (status != KN_OK)
			return status;
	}
	if (cx->work.depth > 0)
		call->server = cx->work.server;
	if (cx->link == NULL)
		return kn__fail(&cx->fault, KN_INTERNAL, "there is no connection");
	kn__transact_show(cx, rows->item.sql);
	since = kn__run_waits(cx);
	status = kn__run_suits_pooler(call);
	if (status == KN_OK)
	{
		status = begin_here(rows);
		kn__run_waited(cx, since);
		kn__run_soil(cx, call->class);
	}
	if (cx->work.depth > 0)
	{
		/* While rows are under way libpq knows nothing of the transaction that is open. */
		kn__transact_note_begun(cx, status);
		if (status != KN_OK)
		{
			kn__transact_show(cx, NULL);
			kn__transact_note(cx, status);
		}
	}
	else if (status != KN_OK)
	{
		unwrap(rows, &status);
		if (call->outcome != KN__NOTHING_DONE)
			note_lsn(rows);
		kn__run_end_held(cx, call->server, &rows->permit, status);
	}
	return status;
}

/* On the connection that the context has by now. */
static kn_status
begin_here(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__call *call = &rows->call;
	kn__conn *conn = cx->link->conn;
	kn__item before[3];
	int count =
		cx->work.depth > 0 ? kn__transact_before_stream(call, before) : kn__run_before(cx, before);
	kn_status status;

	/* A read, and nothing but that: what it does besides might be done to its end otherwise. */
	rows->item.may_scan = call->class == (KN__CLASS_KNOWN | KN__CLASS_READ | KN__CLASS_ATOMIC) &&
						  (call->options == NULL || !call->options->is_write);
	kn__run_mark_read(call, &rows->item);
	if (count > 0 && kn__stream_scans(conn, &rows->item))
	{
		status = begin_scan(rows, before, &count);
		if (status != KN_OK)
			return status;
	}
	status =
		kn__stream_begin(conn, before, count, &rows->item, &cx->wait, &call->outcome, &cx->fault);
	if (cx->work.depth > 0 && count > 0)
		kn__doubt_note(cx, &before[count - 1]);
	return status;
}

/*
 * COPY goes in no flight, so what has to come before it goes in one of its own; role and claims
 * take a transaction then, which ends with the rows.
 */
static kn_status
begin_scan(kn_rows *rows, kn__item *before, int *count)
{
	kn_ctx *cx = rows->cx;
	kn__call *call = &rows->call;
	kn_status status;

	if (cx->work.depth == 0)
	{
		before[1] = before[0];
		before[0] = kn__run_plain("BEGIN");
		*count = 2;
		rows->is_wrapped = true;
	}
	status = kn__flight(cx->link->conn, before, *count, &cx->wait, &call->outcome, &cx->fault);
	*count = 0;
	if (status == KN_OK)
		return KN_OK;
	cx->fault.error.item = -1;
	return status;
}

/* Ends the transaction that was for no more than these rows; *status is that of the rows, or both.
 */
static void
unwrap(kn_rows *rows, kn_status *status)
{
	kn_ctx *cx = rows->cx;
	kn__item item = kn__run_plain("COMMIT");
	kn__wait wait = { .deadline = kn__run_end_by(cx) };
	kn__outcome outcome;
	kn__fault fault;
	kn_status ended;

	if (!rows->is_wrapped)
		return;
	rows->is_wrapped = false;
	if (!kn__conn_in_transaction(cx->link->conn))
		return;
	kn__fault_clear(&fault);
	/* Past the deadline as well: all that it could do has been done. */
	ended = kn__flight(cx->link->conn, &item, 1, &wait, &outcome, &fault);
	if (*status != KN_OK || ended == KN_OK)
		return;
	*status = ended;
	kn__fault_copy(&cx->fault, &fault);
}

/* The next rows; false: there are none, and the stream is over. */
bool
kn__stream_more(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__row row;
	int64_t since;
	kn_status status;

	/* The socket is the parent's as well. */
	if (kn__db_is_child(cx->db))
	{
		rows->is_streaming = false;
		rows->status = kn__fail(&cx->fault, KN_FORKED, "%s", kn_status_text(KN_FORKED));
		return false;
	}
	since = kn__run_waits(cx);
	status = kn__stream_next(cx->link->conn, &cx->wait, &row, &rows->call.outcome, &cx->fault);
	kn__run_waited(cx, since);
	if (row.result != NULL)
	{
		kn__result_free(rows->result);
		rows->result = row.result;
		rows->columns = kn__result_columns(row.result);
		rows->count = 1;
	}
	rows->fields = row.fields;
	if (row.result != NULL || row.fields != NULL)
	{
		rows->row = 0;
		rows->number++;
		return true;
	}
	unwrap(rows, &status);
	/* Rows have been handed out by now: to try again is the caller's affair. */
	rows->status = status == KN_OK ? KN_OK : kn__run_settle(&rows->call, status);
	rows->affected = rows->number + 1;
	/* Without a RETURNING list there are no rows, though some were written. */
	if (status == KN_OK && rows->item.affected > rows->affected)
		rows->affected = rows->item.affected;
	end(rows, status, rows->status);
	return false;
}

/* Ended by the caller, with rows to come. */
void
kn__stream_close(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__call *call = &rows->call;
	kn__fault fault;
	kn_status status;

	if (kn__db_is_child(cx->db))
	{
		rows->is_streaming = false;
		rows->status = KN_FORKED;
		return;
	}
	kn__fault_clear(&fault);
	/* To cancel a read outside of a transaction harms nobody; anything else would be undone. */
	if (rows->is_undone || (cx->work.depth == 0 && kn__run_is_harmless(call)))
	{
		status =
			kn__stream_end(cx->link->conn, KN__STREAM_CANCEL, &cx->wait, &call->outcome, &fault);
		end(rows, status, status);
		return;
	}
	status =
		kn__stream_end(cx->link->conn, KN__STREAM_TO_ITS_END, &cx->wait, &call->outcome, &fault);
	end(rows, status, status == KN_OK ? KN_OK : settle_end(rows, status, &fault));
}

/*
 * What has become of it, which is told.  What has gone wrong with its rows before is the caller's
 * to hear, unless nobody knows whether what it has written is in force.
 */
static kn_status
settle_end(kn_rows *rows, kn_status status, const kn__fault *fault)
{
	kn_ctx *cx = rows->cx;
	kn__fault before;

	kn__fault_copy(&before, &cx->fault);
	kn__fault_copy(&cx->fault, fault);
	status = kn__run_settle(&rows->call, status);
	if (rows->status == KN_OK || status == KN_OUTCOME_UNKNOWN)
		rows->status = status;
	else
		kn__fault_copy(&cx->fault, &before);
	return status;
}

/* Ends what is streaming; rows that are there as a whole are the caller's all the same. */
void
kn__stream_drop(kn_ctx *cx)
{
	kn_status status;

	if (cx->stream == NULL)
		return;
	cx->stream->is_undone = true;
	status = kn_done(cx->stream);
	(void) status;
}

/* How far a reader has to be who is to see what it may have written: as far as anybody is. */
static void
note_lsn(const kn_rows *rows)
{
	const kn__call *call = &rows->call;

	if (kn__lsn_is_wanted(rows->cx) && !kn__run_is_harmless(call) &&
		(!kn__run_is_read(call) || kn__lsn_may_be_written(rows->cx->link)))
		rows->cx->last_lsn = UINT64_MAX;
}

/* Told is the status with what is known of the whole call. */
static void
end(kn_rows *rows, kn_status status, kn_status told)
{
	kn_ctx *cx = rows->cx;

	rows->is_streaming = false;
	rows->fields = NULL;
	cx->stream = NULL;
	unwrap(rows, &status);
	kn__tell_end(&rows->call, told, rows->number + 1);
	if (cx->work.depth == 0)
	{
		note_lsn(rows);
		kn__run_end_held(cx, rows->call.server, &rows->permit, status);
		return;
	}
	kn__transact_show(cx, NULL);
	if (status != KN_OK || kn__conn_in_failed_transaction(cx->link->conn))
		kn__transact_fail(cx, status == KN_OK ? KN_ABORTED : status);
	else if (!kn__conn_in_transaction(cx->link->conn))
		kn__transact_fail(cx, KN_CONN_LOST);
}
