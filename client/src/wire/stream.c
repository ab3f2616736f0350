/*
 * stream.c
 *		The rows of one statement as they arrive.
 *
 * libpq hands them out one by one, and keeps none.  The first is waited for when the
 * stream begins, so that what fails before there is any row fails there, and can be tried
 * again like any other call.
 */
#include "wire/flight.h"

#include <string.h>

#define MOST_BEFORE 4 /* statements that go before it in the same flight */

typedef struct kn__streaming
{
	kn__flying flight;
	kn__item items[MOST_BEFORE + 1];
	kn__sent sent[MOST_BEFORE + 1];
	kn__item *item; /* whose rows they are */
	PGresult *first;
	bool is_over; /* all answers are in */
} kn__streaming;

static void send(kn__streaming *stream);
static void read_before(kn__streaming *stream, int closes);
static PGresult *next_row(kn__streaming *stream);
static void finish(kn__streaming *stream);
static void end(kn__conn *conn);

kn_status
kn__stream_begin(kn__conn *conn, kn__item *prelude, int count, kn__item *item, const kn__wait *wait,
				 kn__outcome *outcome, kn__fault *fault)
{
	kn__streaming *stream;
	kn__flying *flight;
	bool was_in_transaction;
	bool is_stale;
	kn_status status;

	*outcome = KN__NOTHING_DONE;
	if (conn->is_broken || conn->stream != NULL || count > MOST_BEFORE)
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	stream = kn__allocate_zero(conn->allocator, 1, sizeof(kn__streaming));
	if (stream == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	was_in_transaction = kn__conn_in_transaction(conn);
	if (count > 0)
		memcpy(stream->items, prelude, (size_t) count * sizeof(kn__item));
	stream->items[count] = *item;
	stream->item = &stream->items[count];
	flight = &stream->flight;
	flight->conn = conn;
	flight->wait = wait;
	flight->items = stream->items;
	flight->sent = stream->sent;
	flight->count = count + 1;
	flight->fault = fault;
	conn->stream = stream;
	if (!kn__flight_is_late(flight) && kn__flight_learn(flight) == KN_OK)
		send(stream);
	*outcome = kn__flight_outcome(flight);
	item->affected = stream->item->affected;
	for (int i = 0; i < count; i++)
	{
		prelude[i].result = stream->items[i].result;
		stream->items[i].result = NULL;
	}
	if (was_in_transaction)
		kn__flight_note_stale(flight);
	status = flight->status;
	/* Once more, where nothing has happened but that a name meant something else. */
	is_stale = flight->is_stale && !was_in_transaction && *outcome == KN__NOTHING_DONE &&
			   !flight->is_lost && flight->stopped == KN_OK;
	if (status != KN_OK)
		end(conn);
	if (status == KN_OK || !is_stale || !kn__flight_roll_back(conn, wait))
		return status;
	kn__fault_clear(fault);
	return kn__stream_begin(conn, prelude, count, item, wait, outcome, fault);
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
	if (flight->status != KN_OK && (flight->is_sent || closes > 0))
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
	stream->first = next_row(stream);
}

kn_status
kn__stream_next(kn__conn *conn, const kn__wait *wait, kn__result **row, kn__outcome *outcome,
				kn__fault *fault)
{
	kn__streaming *stream = conn->stream;
	kn_status status;

	*row = NULL;
	if (stream == NULL)
		return KN_OK;
	stream->flight.wait = wait;
	stream->flight.fault = fault;
	*row = (kn__result *) stream->first;
	stream->first = NULL;
	if (*row == NULL)
		*row = (kn__result *) next_row(stream);
	*outcome = kn__flight_outcome(&stream->flight);
	if (*row != NULL)
		return KN_OK;
	status = stream->flight.status;
	end(conn);
	return status;
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
	if (!flight->is_lost)
		kn__answer_sync(flight, NULL);
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
	PQclear(stream->first);
	stream->first = NULL;
	while (!stream->is_over &&
		   (how == KN__STREAM_TO_ITS_END || flight->is_lost || !PQisBusy(conn->pg)))
		PQclear(next_row(stream));
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
		flight->last.deadline = kn__now(conn->clock) + conn->cancel_ns;
		if (!kn__cancel_send(conn))
			flight->is_lost = true;
		(void) next_row(stream);
	}
	is_lost = flight->is_lost;
	*outcome = kn__flight_outcome(flight);
	end(conn);
	return is_lost ? KN_CONN_LOST : KN_OK;
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
	for (int i = 0; i < stream->flight.count; i++)
		kn__result_free(stream->items[i].result);
	conn->stream = NULL;
	kn__release(conn->allocator, stream, sizeof(kn__streaming));
}
