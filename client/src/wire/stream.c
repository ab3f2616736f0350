/*
 * stream.c
 *		The rows of one statement as they arrive.
 *
 * libpq hands them out one by one, and keeps none; where it is known that they can, they come by
 * COPY, see scan.c.  The first is waited for when the
 * stream begins, so that what fails before there is any row fails there, and can be tried
 * again like any other call.
 */
#include "wire/copying.h"

#include <string.h>

#define MOST_TIMES 5 /* that it begins; what comes then is what there is */

static kn_status begin(kn__conn *conn, kn__item *prelude, int count, kn__item *item, int times,
					   const kn__wait *wait, kn__outcome *outcome, kn__fault *fault);
static void start(kn__streaming *stream);
static bool is_once_more(const kn__streaming *stream);
static void send(kn__streaming *stream);
static void read_before(kn__streaming *stream, int closes);
static void refuse_rows(kn__streaming *stream);
static PGresult *next_row(kn__streaming *stream);
static inline bool next(kn__streaming *stream);
static void finish(kn__streaming *stream);
static void pass_over(kn__streaming *stream);
static void end(kn__conn *conn);

kn_status
kn__stream_begin(kn__conn *conn, kn__item *prelude, int count, kn__item *item, const kn__wait *wait,
				 kn__outcome *outcome, kn__fault *fault)
{
	return begin(conn, prelude, count, item, 1, wait, outcome, fault);
}

static kn_status
begin(kn__conn *conn, kn__item *prelude, int count, kn__item *item, int times, const kn__wait *wait,
	  kn__outcome *outcome, kn__fault *fault)
{
	kn__streaming *stream;
	kn__flying *flight;
	kn_status status;
	bool is_again;
	bool is_unfit;
	bool in_transaction;

	*outcome = KN__NOTHING_DONE;
	if (conn->is_broken || conn->stream != NULL || conn->copy != NULL || count > KN__MOST_BEFORE)
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	stream = kn__allocate_zero(conn->allocator, 1, sizeof(kn__streaming));
	if (stream == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	stream->in_transaction = kn__conn_in_transaction(conn);
	if (!stream->in_transaction)
		conn->give_up_at = KN__NEVER;
	kn__shapes_begin(conn, stream->in_transaction);
	if (count > 0)
		memcpy(stream->items, prelude, (size_t) count * sizeof(kn__item));
	stream->items[count] = *item;
	stream->item = &stream->items[count];
	if (times >= MOST_TIMES)
		stream->item->may_repeat = false;
	flight = &stream->flight;
	flight->conn = conn;
	flight->wait = wait;
	flight->items = stream->items;
	flight->sent = stream->sent;
	flight->count = count + 1;
	flight->fault = fault;
	conn->stream = stream;
	start(stream);
	*outcome = kn__flight_outcome(flight);
	item->affected = stream->item->affected;
	for (int i = 0; i < count; i++)
	{
		prelude[i].result = stream->items[i].result;
		stream->items[i].result = NULL;
	}
	if (stream->in_transaction)
		kn__flight_note_stale(flight);
	status = flight->status;
	is_again = is_once_more(stream) && (stream->is_unfit || times < MOST_TIMES);
	is_unfit = stream->is_unfit;
	in_transaction = stream->in_transaction;
	if (is_unfit)
		item->may_scan = false;
	else
		is_again = is_again && *outcome == KN__NOTHING_DONE;
	if (is_again || status != KN_OK)
		end(conn);
	/* What has only been passed over has not failed. */
	if (!is_again)
		return status;
	if (!in_transaction && !kn__flight_roll_back(conn, wait))
		return is_unfit ? kn__fail(fault, KN_CONN_LOST, "%s", kn_status_text(KN_CONN_LOST))
						: status;
	for (int i = 0; i < count; i++)
	{
		kn__result_free(prelude[i].result);
		prelude[i].result = NULL;
	}
	kn__fault_clear(fault);
	return begin(conn, prelude, count, item, times + 1, wait, outcome, fault);
}

bool
kn__stream_scans(const kn__conn *conn, kn__item *item)
{
	return kn__scan_serves(conn, item);
}

static void
start(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	if (kn__flight_is_late(flight) || kn__flight_learn(flight) != KN_OK)
		return;
	if (flight->count > 1 || !kn__scan_serves(flight->conn, stream->item))
		send(stream);
	else
	{
		kn__scan_send(stream);
		if (flight->status == KN_OK)
			kn__scan_begin(stream);
		if (!stream->is_unfit)
			stream->has_row = next(stream);
		else
			finish(stream);
	}
	/* It was not the caller who wanted it to be cancelled. */
	if (stream->is_unfit && flight->is_lost)
		flight->status = kn__fail(flight->fault, KN_CONN_LOST, "%s", kn_status_text(KN_CONN_LOST));
}

/*
 * Whether it is to begin once more, where nothing has happened but that a name meant something
 * else, or that a table has other columns than it had.
 */
static bool
is_once_more(const kn__streaming *stream)
{
	const kn__flying *flight = &stream->flight;

	if (flight->is_lost)
		return false;
	if (stream->is_unfit)
		return !flight->group_failed || flight->stopped != KN_OK;
	return (flight->is_stale || flight->is_rebound) && !stream->in_transaction &&
		   flight->stopped == KN_OK;
}

/*
 * In a pipeline, also where it is alone: only there does libpq forget at the end of the statement
 * that rows are wanted one by one.  Else the first command of the next pipeline gets its rows so.
 */
static void
send(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;
	kn__conn *conn = flight->conn;
	int closes = 0;

	flight->is_piped = true;
	flight->status = kn__send_check(conn, stream->item, flight->fault);
	if (flight->status != KN_OK)
	{
		stream->is_over = true;
		return;
	}
	if (!PQenterPipelineMode(conn->pg) || !kn__flight_send_closes(flight, &closes))
	{
		kn__flight_lose(flight);
		finish(stream);
		return;
	}
	for (int i = 0; i < flight->count && flight->status == KN_OK; i++)
	{
		flight->status =
			kn__send_item(conn, &flight->items[i], true, &flight->sent[i], flight->fault);
		flight->is_sent |= flight->status == KN_OK;
	}
	if (flight->status == KN_CONN_LOST || (flight->status == KN_OK && !PQpipelineSync(conn->pg)))
		kn__flight_lose(flight);
	/* What could not be sent as a whole is not worth saving: without a sync nothing is in force. */
	if (flight->status != KN_OK && (flight->is_sent || closes > 0 || conn->resets > 0))
		flight->is_undone = flight->is_lost = true;
	if (flight->status == KN_OK)
	{
		read_before(stream, closes);
		return;
	}
	stream->is_over = true;
	kn__flight_finish(flight);
}

/* Everything up to the first row. */
static void
read_before(kn__streaming *stream, int closes)
{
	kn__flying *flight = &stream->flight;
	int last = flight->count - 1;

	kn__answer_closes(flight, closes);
	for (int i = 0; i <= last && !flight->is_lost; i++)
	{
		if (flight->sent[i].is_prepare)
			kn__answer_command(flight, NULL, &flight->sent[i]);
		if (i < last && !flight->is_lost)
			kn__answer_command(flight, &flight->items[i], &flight->sent[i]);
	}
	if (!flight->is_lost)
		(void) PQsetSingleRowMode(flight->conn->pg);
	stream->has_row = next(stream);
	if (stream->has_row &&
		(!kn__flight_fits(flight, &flight->sent[last], stream->first) ||
		 kn__shape_of(flight->conn, stream->first) == KN__SHAPE_UNKNOWN) &&
		stream->item->may_repeat)
		refuse_rows(stream);
}

/* They came in a form that will not do.  As with COPY, a cancel would be the end of a transaction.
 */
static void
refuse_rows(kn__streaming *stream)
{
	stream->is_unfit = true;
	stream->has_row = false;
	PQclear(stream->first);
	stream->first = NULL;
	if (!stream->in_transaction)
		kn__flight_stop(&stream->flight, KN__WAITED_CANCELED);
	do
		pass_over(stream);
	while (!stream->is_over);
}

KN__HOT kn_status
kn__stream_next(kn__conn *conn, const kn__wait *wait, kn__row *row, kn__outcome *outcome,
				kn__fault *fault)
{
	kn__streaming *stream = conn->stream;
	kn_status status;

	*row = (kn__row){ .result = NULL };
	if (stream == NULL)
		return KN_OK;
	stream->flight.wait = wait;
	stream->flight.fault = fault;
	if (stream->has_row || next(stream))
	{
		row->result = (kn__result *) stream->first;
		row->fields = stream->fields;
		stream->first = NULL;
		stream->has_row = false;
		return KN_OK;
	}
	*outcome = kn__flight_outcome(&stream->flight);
	status = stream->flight.status;
	end(conn);
	return status;
}

/* False: there is none, and all answers are in. */
static inline bool
next(kn__streaming *stream)
{
	if (!stream->is_scan)
		return (stream->first = next_row(stream)) != NULL;
	if (!stream->is_over && kn__scan_next(stream))
		return true;
	finish(stream);
	return false;
}

/* NULL: there is none, and all answers are in. */
static PGresult *
next_row(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	while (!stream->is_over)
	{
		PGresult *result = flight->is_lost ? NULL : kn__answer_next(flight);

		if (result == NULL)
		{
			finish(stream);
			break;
		}
		switch (PQresultStatus(result))
		{
			case PGRES_SINGLE_TUPLE:
				if (flight->stopped == KN_OK)
					return result;
				break;
			case PGRES_TUPLES_OK:
			case PGRES_COMMAND_OK:
			case PGRES_EMPTY_QUERY:
				stream->item->status = KN_OK;
				stream->item->affected = kn__answer_affected(result);
				break;
			case PGRES_PIPELINE_ABORTED:
				break;
			case PGRES_COPY_IN:
			case PGRES_COPY_OUT:
			case PGRES_COPY_BOTH:
				/* Nothing that the library lets through. */
				flight->is_lost = true;
				flight->status = kn__fail(flight->fault, KN_USAGE, "COPY has calls of its own");
				break;
			default:
				kn__answer_error(flight, stream->item, &flight->sent[flight->count - 1], result);
				break;
		}
		PQclear(result);
	}
	return NULL;
}

/* The sync of a pipeline, and what has to be done after a cancel. */
static void
finish(kn__streaming *stream)
{
	kn__flying *flight = &stream->flight;

	if (stream->is_over)
		return;
	stream->is_over = true;
	/* COPY goes without a pipeline. */
	if (!flight->is_lost && PQpipelineStatus(flight->conn->pg) != PQ_PIPELINE_OFF)
		kn__answer_sync(flight, NULL);
	else if (!flight->is_lost && !flight->group_failed)
		flight->group_done = true;
	kn__flight_finish(flight);
	if (flight->status == KN_OK && flight->stopped != KN_OK)
		flight->status =
			kn__fail(flight->fault, flight->stopped, "%s", kn_status_text(flight->stopped));
}

/*
 * Ends it early: the statement is cancelled, unless the rest has arrived already.  KN_OK, or
 * KN_CONN_LOST: the connection is to be closed.  With KN__STREAM_TO_ITS_END the rest is read,
 * and what becomes of the statement is returned.
 */
kn_status
kn__stream_end(kn__conn *conn, kn__stream_how how, const kn__wait *wait, kn__outcome *outcome,
			   kn__fault *fault)
{
	kn__streaming *stream = conn->stream;
	kn__flying *flight;
	kn_status status;
	bool is_lost;

	if (stream == NULL)
		return KN_OK;
	flight = &stream->flight;
	flight->fault = fault;
	flight->wait = wait;
	stream->has_row = false;
	PQclear(stream->first);
	stream->first = NULL;
	if (how == KN__STREAM_CANCEL)
		kn__scan_skip(stream);
	while (!stream->is_over && (how == KN__STREAM_TO_ITS_END || flight->is_lost ||
								(!stream->is_copying && !PQisBusy(conn->pg))))
		pass_over(stream);
	if (how == KN__STREAM_TO_ITS_END)
	{
		*outcome = kn__flight_outcome(flight);
		status = flight->status;
		end(conn);
		return status;
	}
	if (!stream->is_over && flight->stopped == KN_OK)
	{
		flight->stopped = KN_CANCELED;
		flight->give_up_at = kn__now(conn->clock) + conn->cancel_ns;
		flight->last.deadline = conn->give_up_at = flight->give_up_at;
		if (!kn__cancel_send(conn, flight->give_up_at, wait->stop))
			flight->is_lost = true;
		pass_over(stream);
	}
	is_lost = flight->is_lost;
	*outcome = kn__flight_outcome(flight);
	end(conn);
	return is_lost ? KN_CONN_LOST : KN_OK;
}

static void
pass_over(kn__streaming *stream)
{
	(void) next(stream);
	PQclear(stream->first);
	stream->first = NULL;
}

/* Forgets a stream, if there is one, whose connection is closed. */
void
kn__stream_forget(kn__conn *conn)
{
	if (conn->stream != NULL)
		end(conn);
}

static void
end(kn__conn *conn)
{
	kn__streaming *stream = conn->stream;

	PQclear(stream->first);
	kn__scan_release(stream);
	for (int i = 0; i < stream->flight.count; i++)
		kn__result_free(stream->items[i].result);
	conn->stream = NULL;
	kn__release(conn->allocator, stream, sizeof(kn__streaming));
}
