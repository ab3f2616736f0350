/*
 * copy.c
 *		COPY: many rows in, many bytes out.
 *
 * What is handed over is gathered, and goes out in pieces of some 60 KB.  The first failure ends
 * it: the server is told, the transaction rolled back, or noted to have failed, and the
 * connection is free again; the status stays with the handle.
 */
#include "run/copy.h"
#include "run/tell.h"

#include <string.h>

#define PIECE      ((size_t) 60 * 1024) /* is sent when there is so much */
#define MOST_PIECE ((size_t) 64 * 1024)

static kn_copy failed_copy = { .status = KN_NO_MEMORY, .has_ended = true };

/* Signature, flags, and the length of what else there might be. */
static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
_Static_assert(sizeof(header) - 1 == 19, "as COPY has it");

static kn_copy *begin(kn_ctx *cx, const char *sql, kn__direction direction);
static kn_status may_put(kn_copy *copy, kn__copy_mode mode);
static kn_status send_pieces(kn_copy *copy, size_t least);
static kn_status send_piece(kn_copy *copy, const char *data, size_t length);
static kn_status refuse_row(kn_copy *copy, int count);
static kn_status fail(kn_copy *copy, kn_status status, const char *why);
static void give_up(kn_copy *copy, kn_status status);
static bool is_childs(kn_copy *copy);
static bool is_cut_short(const kn_copy *copy);
static kn_status end(kn_copy *copy);
static kn_status finish(kn_copy *copy, kn_status status);

kn_copy *
kn_copy_in(kn_ctx *cx, const char *sql)
{
	return begin(cx, sql, KN__COPY_IN);
}

kn_copy *
kn_copy_out(kn_ctx *cx, const char *sql)
{
	return begin(cx, sql, KN__COPY_OUT);
}

static kn_copy *
begin(kn_ctx *cx, const char *sql, kn__direction direction)
{
	kn_copy *copy;
	kn_status status;
	bool is_usable = kn__ctx_is_usable(cx, &status);

	copy = kn_alloc(cx, sizeof(kn_copy));
	if (copy == NULL)
	{
		if (is_usable)
			(void) kn__fail(&cx->fault, KN_NO_MEMORY, "out of memory");
		return &failed_copy;
	}
	copy->cx = cx;
	copy->direction = direction;
	copy->item.affected = -1;
	if (is_usable)
		status = kn__copy_prepare(copy, sql);
	copy->status = status;
	copy->has_ended = status != KN_OK;
	if (status != KN_OK)
		return copy;
	kn__tell_begin(&copy->call);
	copy->status = kn__copy_start(copy);
	copy->is_open = copy->status == KN_OK;
	copy->has_ended = !copy->is_open;
	if (copy->is_open)
		cx->copy = copy;
	else
		kn__tell_end(&copy->call, copy->status, -1);
	return copy;
}

kn_status
kn_copy_put(kn_copy *copy, const void *data, size_t length)
{
	const char *next = data;
	kn_status may = may_put(copy, KN__COPY_BYTES);

	if (may != KN_OK)
		return may;
	if (data == NULL && length > 0)
		return fail(copy, KN_USAGE, "the data is missing");
	while (length > 0)
	{
		size_t n = length < PIECE ? length : PIECE;
		kn_status status;

		/* What is large enough by itself need not be gathered. */
		if (n == PIECE && copy->buf.length == 0)
			status = send_piece(copy, next, n);
		else
		{
			if (n > PIECE - copy->buf.length)
				n = PIECE - copy->buf.length;
			kn__buf_add(&copy->buf, next, n);
			status = send_pieces(copy, PIECE);
		}
		if (status != KN_OK)
			return status;
		next += n;
		length -= n;
	}
	return KN_OK;
}

/* Whether it goes on in that way; else the handle has a status that says why not. */
static kn_status
may_put(kn_copy *copy, kn__copy_mode mode)
{
	if (copy == NULL)
		return KN_USAGE;
	if (copy->status != KN_OK)
		return copy->status;
	/* How it has ended stays as it is. */
	if (copy->has_ended)
		return kn__fail(&copy->cx->fault, KN_USAGE, "COPY has ended");
	if (copy->direction != KN__COPY_IN)
		(void) fail(copy, KN_USAGE, "COPY TO takes no data");
	else if (copy->mode != KN__COPY_NOTHING && copy->mode != mode)
		(void) fail(copy, KN_USAGE, "COPY takes rows or bytes, not both");
	copy->mode = mode;
	return copy->status;
}

/* Sends what has been gathered, if it is so much. */
static kn_status
send_pieces(kn_copy *copy, size_t least)
{
	const char *next = copy->buf.data;
	size_t left = copy->buf.length;

	if (copy->buf.has_failed)
		return fail(copy, KN_NO_MEMORY, "out of memory");
	if (left < least || left == 0)
		return KN_OK;
	while (left > 0)
	{
		size_t n = left < MOST_PIECE ? left : MOST_PIECE;
		kn_status status = send_piece(copy, next, n);

		if (status != KN_OK)
			return status;
		next += n;
		left -= n;
	}
	kn__buf_clear(&copy->buf);
	return KN_OK;
}

static kn_status
send_piece(kn_copy *copy, const char *data, size_t length)
{
	kn_ctx *cx = copy->cx;
	int64_t since;
	kn_status status;

	if (is_childs(copy))
		return copy->status;
	since = kn__run_waits(cx);
	status = kn__copy_put(cx->link->conn, data, length, &cx->wait, &copy->call.outcome, &cx->fault);
	kn__run_waited(cx, since);
	return status == KN_OK ? KN_OK : finish(copy, status);
}

kn_status
kn_copy_row_values(kn_copy *copy, const kn_value *values, int count)
{
	const char *why = "";
	int column;
	kn_status status;

	if (copy == NULL || copy->status != KN_OK || copy->mode != KN__COPY_ROWS || copy->has_ended)
	{
		status = may_put(copy, KN__COPY_ROWS);
		if (status != KN_OK)
			return status;
		kn__buf_add(&copy->buf, header, sizeof(header) - 1);
	}
	if (count != copy->shape.columns || count != copy->known || (count > 0 && values == NULL))
		return refuse_row(copy, count);
	status = kn__row_encode(&copy->buf, values, count, copy->types, copy->elements, &column, &why);
	if (status == KN_OK)
	{
		copy->rows++;
		return copy->buf.length < PIECE ? KN_OK : send_pieces(copy, PIECE);
	}
	if (column < 0)
		return fail(copy, status, why);
	(void) kn__fail(&copy->cx->fault,
					status,
					"column %d (\"%s\") of row %lld: %s",
					column,
					copy->names[column],
					(long long) copy->rows,
					why);
	copy->cx->fault.error.row = copy->rows;
	copy->cx->fault.error.column = column;
	kn__fault_text(&copy->cx->fault, &copy->cx->fault.error.column_name, copy->names[column]);
	give_up(copy, status);
	return copy->status;
}

/* What is wrong with it before its values are looked at. */
static kn_status
refuse_row(kn_copy *copy, int count)
{
	kn__fault *fault = &copy->cx->fault;
	kn_status status = KN_USAGE;

	if (!copy->shape.is_binary || !copy->text.is_binary)
		(void) kn__fail(fault, status, "rows are for COPY with (FORMAT binary)");
	else if (copy->known != copy->shape.columns)
		(void) kn__fail(fault, status, "the columns could not be found out: it takes bytes only");
	else
		(void) kn__fail(fault,
						status,
						"row %lld has %d values, and COPY %d columns",
						(long long) copy->rows,
						count,
						copy->known);
	fault->error.row = copy->rows;
	give_up(copy, status);
	return copy->status;
}

bool
kn_copy_get(kn_copy *copy, kn_str *piece)
{
	kn_ctx *cx;
	int64_t since;
	kn_status status;

	if (piece != NULL)
		*piece = (kn_str){ "", 0 };
	if (copy == NULL || copy->status != KN_OK || copy->has_ended)
		return false;
	cx = copy->cx;
	if (piece == NULL)
	{
		(void) fail(copy, KN_USAGE, "there is no place for the data");
		return false;
	}
	if (copy->direction != KN__COPY_OUT)
	{
		(void) fail(copy, KN_USAGE, "COPY FROM gives no data");
		return false;
	}
	if (is_childs(copy))
		return false;
	since = kn__run_waits(cx);
	status = kn__copy_get(cx->link->conn, piece, &cx->wait, &copy->call.outcome, &cx->fault);
	kn__run_waited(cx, since);
	if (status != KN_OK)
		(void) finish(copy, status);
	if (piece->p != NULL)
		return true;
	copy->mode = KN__COPY_BYTES; /* to the last of them */
	*piece = (kn_str){ "", 0 };
	return false;
}

kn_status
kn_copy_end(kn_copy *copy, int64_t *rows)
{
	kn_status status;

	if (rows != NULL)
		*rows = 0;
	if (copy == NULL)
		return KN_USAGE;
	status = copy->has_ended ? copy->status : end(copy);
	if (rows != NULL && status == KN_OK && copy->item.affected > 0)
		*rows = copy->item.affected;
	return status;
}

/* To cancel a read harms nobody, unless it is part of a transaction. */
static bool
is_cut_short(const kn_copy *copy)
{
	return copy->direction == KN__COPY_OUT && copy->mode == KN__COPY_NOTHING && copy->is_own &&
		   kn__run_is_harmless(&copy->call);
}

static kn_status
end(kn_copy *copy)
{
	kn_ctx *cx = copy->cx;
	bool is_in = copy->direction == KN__COPY_IN;
	const char *why = NULL;
	int64_t since;
	kn_status status;

	if (is_childs(copy))
		return copy->status;
	if (is_in && copy->mode == KN__COPY_NOTHING && copy->shape.is_binary)
		kn__buf_add(&copy->buf, header, sizeof(header) - 1);
	if (is_in && copy->mode != KN__COPY_BYTES && copy->shape.is_binary)
		kn__buf_u16(&copy->buf, UINT16_MAX);
	if (is_in && send_pieces(copy, 0) != KN_OK)
		return copy->status;
	if (is_cut_short(copy))
		why = "";
	since = kn__run_waits(cx);
	status = kn__copy_end(cx->link->conn,
						  why,
						  &cx->wait,
						  &copy->item.affected,
						  &copy->call.outcome,
						  &cx->fault);
	kn__run_waited(cx, since);
	return finish(copy, status);
}

void
kn_copy_abort(kn_copy *copy)
{
	if (copy == NULL || copy->has_ended)
		return;
	(void) fail(copy, KN_CANCELED, kn_status_text(KN_CANCELED));
}

/* The context goes on, or ends: what it has to say is something else. */
void
kn__copy_drop(kn_ctx *cx)
{
	kn__fault kept;

	if (cx->copy == NULL)
		return;
	kn__fault_copy(&kept, &cx->fault);
	kn_copy_abort(cx->copy);
	kn__fault_copy(&cx->fault, &kept);
}

/* Ends it with an error of the library's own. */
static kn_status
fail(kn_copy *copy, kn_status status, const char *why)
{
	(void) kn__fail(&copy->cx->fault, status, "%s", why);
	give_up(copy, status);
	return copy->status;
}

/* The server undoes it; the error is in the context's fault already. */
static void
give_up(kn_copy *copy, kn_status status)
{
	kn_ctx *cx = copy->cx;
	kn__wait wait = { .deadline = kn__run_end_by(cx) };
	kn__fault fault;
	kn__outcome outcome;
	int64_t affected;

	kn__fault_text(&cx->fault, &cx->fault.error.sql, copy->item.sql);
	if (is_childs(copy))
		return;
	kn__fault_clear(&fault);
	/* Past the deadline as well: what cannot be undone is closed. */
	(void) kn__copy_end(cx->link->conn, "given up", &wait, &affected, &outcome, &fault);
	(void) finish(copy, status);
}

/* In a child process the session is the parent's, and nothing is said to it. */
static bool
is_childs(kn_copy *copy)
{
	kn_ctx *cx = copy->cx;

	if (!kn__db_is_child(cx->db))
		return false;
	copy->has_ended = true;
	copy->is_open = false;
	copy->status = kn__fail(&cx->fault, KN_FORKED, "%s", kn_status_text(KN_FORKED));
	cx->copy = NULL;
	kn__buf_release(&copy->buf);
	return true;
}

/* The transaction that it is part of goes on, or has failed. */
static void
leave_open(kn_ctx *cx, kn_status status)
{
	kn__transact_show(cx, NULL);
	if (status != KN_OK)
		kn__transact_note(cx, status);
}

/* The server is done with it, in one way or another: so is the transaction, if it is our own. */
static kn_status
finish(kn_copy *copy, kn_status status)
{
	kn_ctx *cx = copy->cx;

	copy->is_open = false;
	copy->has_ended = true;
	cx->copy = NULL;
	kn__buf_release(&copy->buf);
	if (copy->is_own && status == KN_OK && is_cut_short(copy) &&
		kn__conn_in_failed_transaction(cx->link->conn))
		kn__transact_undo(cx); /* it has nothing to commit; of anything else COMMIT tells that */
	else if (copy->is_own)
		status = kn__transact_close(cx, status);
	else
		leave_open(cx, status);
	if (status != KN_OK)
		copy->item.affected = -1;
	/* Without COMMIT nothing has happened, and what COMMIT has done is known by now. */
	copy->call.outcome = KN__NOTHING_DONE;
	copy->status = kn__run_settle(&copy->call, status);
	kn__tell_end(&copy->call,
				 copy->status,
				 copy->direction == KN__COPY_IN ? -1 : copy->item.affected);
	return copy->status;
}
