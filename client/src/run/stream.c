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
static void end(kn_rows *rows, kn_status status);

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
	rows->status = kn__query_prepare(cx, sql, values, count, options, &rows->item, &rows->call);
	if (rows->status != KN_OK)
		return rows;
	keep_options(rows);
	kn__tell_begin(&rows->call);
	rows->status = begin(rows);
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
		if (cx->work.depth > 0 || !kn__run_may_repeat(call, status) || !kn__run_again(call))
			return kn__run_settle(call, status);
	}
}

static kn_status
begin_once(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__call *call = &rows->call;
	kn__item before[3];
	kn__link *link;
	int count;
	kn_status status;

	status = kn__transact_check(cx);
	if (status != KN_OK)
		return status;
	if (cx->link == NULL)
	{
		status = cx->work.depth > 0 ? kn__transact_take(cx) : kn__run_take(call, &rows->permit);
		if (status != KN_OK)
			return status;
	}
	if (cx->work.depth > 0)
		call->server = cx->work.server;
	count =
		cx->work.depth > 0 ? kn__transact_before_stream(call, before) : kn__run_before(cx, before);
	link = cx->link;
	if (link == NULL)
		return kn__fail(&cx->fault, KN_INTERNAL, "there is no connection");
	link->member.last_sql = rows->item.sql;
	status = kn__stream_begin(link->conn,
							  before,
							  count,
							  &rows->item,
							  &cx->wait,
							  &call->outcome,
							  &cx->fault);
	if ((call->class & KN__CLASS_SOILS) != 0)
		kn__conn_soil(cx->link->conn);
	if (cx->work.depth > 0)
	{
		/* While rows are under way libpq knows nothing of the transaction that is open. */
		cx->work.has_begun =
			cx->work.has_begun || status == KN_OK || kn__conn_in_transaction(cx->link->conn);
		if (count > 0)
			kn__doubt_note(cx, &before[count - 1]);
		if (status != KN_OK)
			cx->work.failed = status;
	}
	else if (status != KN_OK)
		kn__run_end(cx, call->server, &rows->permit, call->began, status);
	return status;
}

/* The next rows; false: there are none, and the stream is over. */
bool
kn__stream_more(kn_rows *rows)
{
	kn_ctx *cx = rows->cx;
	kn__result *result = NULL;
	kn_status status;

	/* The socket is the parent's as well. */
	if (kn__db_is_child(cx->db))
	{
		rows->is_streaming = false;
		rows->status = kn__fail(&cx->fault, KN_FORKED, "%s", kn_status_text(KN_FORKED));
		return false;
	}
	status = kn__stream_next(cx->link->conn, &cx->wait, &result, &rows->call.outcome, &cx->fault);

	if (status == KN_OK && result != NULL)
	{
		kn__result_free(rows->result);
		rows->result = result;
		rows->columns = kn__result_columns(result);
		rows->count = kn__result_rows(result);
		rows->row = 0;
		rows->number++;
		return true;
	}
	/* Rows have been handed out by now: to try again is the caller's affair. */
	rows->status = status == KN_OK ? KN_OK : kn__run_settle(&rows->call, status);
	rows->affected = rows->number + 1;
	rows->row = rows->count;
	end(rows, status);
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
	if (cx->work.depth == 0 && kn__run_is_read(call))
	{
		status =
			kn__stream_end(cx->link->conn, KN__STREAM_CANCEL, &cx->wait, &call->outcome, &fault);
		end(rows, status);
		return;
	}
	status =
		kn__stream_end(cx->link->conn, KN__STREAM_TO_ITS_END, &cx->wait, &call->outcome, &fault);
	if (status != KN_OK && rows->status == KN_OK)
	{
		kn__fault_copy(&cx->fault, &fault);
		rows->status = kn__run_settle(call, status);
	}
	end(rows, status);
}

static void
end(kn_rows *rows, kn_status status)
{
	kn_ctx *cx = rows->cx;

	rows->is_streaming = false;
	cx->stream = NULL;
	kn__tell_end(&rows->call, status, rows->number + 1);
	if (cx->work.depth == 0)
	{
		if (!kn__run_is_read(&rows->call) && kn__lsn_is_wanted(cx))
			cx->last_lsn = UINT64_MAX;
		kn__run_end(cx, rows->call.server, &rows->permit, rows->call.began, status);
		return;
	}
	if (status != KN_OK || kn__conn_in_failed_transaction(cx->link->conn) ||
		!kn__conn_in_transaction(cx->link->conn))
		cx->work.failed = status == KN_OK ? KN_ABORTED : status;
}
