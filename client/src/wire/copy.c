/*
 * copy.c
 *		COPY, in and out.
 *
 * What goes in is handed to libpq piece by piece, and each once the socket has taken the one
 * before it, so that libpq keeps no more than one.  libpq tells of what the server has against
 * the data at the end only, however early that was; the server passes over the rest.
 */
#include "wire/copying.h"

#include <string.h>

typedef struct kn__copying
{
	kn__flying flight;
	kn__item item;
	kn__sent sent;
	kn__direction direction;
	char *piece;  /* libpq's, that was handed out last */
	bool is_over; /* all answers are in */
} kn__copying;

static void start(kn__copying *copy, kn__copy_shape *shape);
static kn__copying *resume(kn__conn *conn, const kn__wait *wait, kn__fault *fault);
static bool flush(kn__copying *copy);
static void put_end(kn__copying *copy, const char *why);
static void read_answers(kn__copying *copy);
static kn_status end(kn__copying *copy, kn__outcome *outcome);

kn_status
kn__copy_begin(kn__conn *conn, const kn__item *item, kn__direction direction, const kn__wait *wait,
			   kn__copy_shape *shape, kn__outcome *outcome, kn__fault *fault)
{
	kn__copying *copy;
	kn__flying *flight;

	*outcome = KN__NOTHING_DONE;
	if (conn->is_broken || conn->stream != NULL || conn->copy != NULL)
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	copy = kn__allocate_zero(conn->allocator, 1, sizeof(kn__copying));
	if (copy == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	copy->item = *item;
	copy->item.wants_rows = false;
	copy->item.affected = -1;
	copy->direction = direction;
	flight = &copy->flight;
	flight->conn = conn;
	flight->wait = wait;
	flight->items = &copy->item;
	flight->sent = &copy->sent;
	flight->count = 1;
	flight->fault = fault;
	conn->copy = copy;
	copy->is_over = kn__flight_is_late(flight);
	if (!copy->is_over)
		start(copy, shape);
	return flight->status == KN_OK ? KN_OK : end(copy, outcome);
}

static void
start(kn__copying *copy, kn__copy_shape *shape)
{
	kn__flying *flight = &copy->flight;
	ExecStatusType expected = copy->direction == KN__COPY_IN ? PGRES_COPY_IN : PGRES_COPY_OUT;
	PGresult *result;
	ExecStatusType kind;

	if (!PQsendQuery(flight->conn->pg, copy->item.sql))
	{
		kn__flight_lose(flight);
		return;
	}
	flight->is_sent = true;
	result = kn__answer_next(flight);
	kind = PQresultStatus(result);
	if (flight->is_lost)
	{
		PQclear(result);
		return;
	}
	if (kind == expected)
	{
		shape->is_binary = PQbinaryTuples(result) != 0;
		shape->columns = PQnfields(result);
	}
	else if (kind == PGRES_FATAL_ERROR)
		kn__answer_error(flight, &copy->item, &copy->sent, result);
	else
	{
		/* Whoever sends it has read the text before: then the connection is not worth saving. */
		flight->is_lost =
			kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH;
		flight->status = kn__fail(flight->fault, KN_USAGE, "the statement is not COPY");
	}
	PQclear(result);
}

/* What there is to go on with; NULL: nothing is under way. */
static kn__copying *
resume(kn__conn *conn, const kn__wait *wait, kn__fault *fault)
{
	kn__copying *copy = conn->copy;

	if (copy == NULL)
	{
		(void) kn__fail(fault, KN_INTERNAL, "no COPY is under way");
		return NULL;
	}
	copy->flight.wait = wait;
	copy->flight.fault = fault;
	return copy;
}

kn_status
kn__copy_put(kn__conn *conn, const void *data, size_t length, const kn__wait *wait,
			 kn__outcome *outcome, kn__fault *fault)
{
	kn__copying *copy = resume(conn, wait, fault);
	kn__waited waited;

	*outcome = KN__NOTHING_DONE;
	if (copy == NULL)
		return KN_INTERNAL;
	waited = kn__wait_over(conn, wait);
	if (waited != KN__WAITED_READY)
		kn__flight_stop(&copy->flight, waited);
	else if (flush(copy))
	{
		/* 0: libpq has no memory for it. */
		if (PQputCopyData(conn->pg, data, (int) length) > 0)
			return KN_OK;
		kn__flight_lose(&copy->flight);
	}
	put_end(copy, "the client has given up");
	return end(copy, outcome);
}

/*
 * Until the socket has taken all; false: it has ended.  What the server says meanwhile is taken in,
 * or else it would stop to listen.
 */
static bool
flush(kn__copying *copy)
{
	kn__flying *flight = &copy->flight;
	kn__conn *conn = flight->conn;

	for (;;)
	{
		int unsent = PQflush(conn->pg);
		kn__waited waited = KN__WAITED_ERROR;

		if (unsent == 0)
			return true;
		if (unsent > 0)
			waited = kn__wait_socket(conn,
									 true,
									 flight->stopped == KN_OK ? flight->wait : &flight->last);
		if (waited == KN__WAITED_READY && PQconsumeInput(conn->pg))
			continue;
		if (waited == KN__WAITED_READY || waited == KN__WAITED_ERROR)
			kn__flight_lose(flight);
		else
			kn__flight_stop(flight, waited);
		if (flight->is_lost || flight->stopped != KN_OK)
			return false;
	}
}

/* Tells the server that this is all, or why it is not to be done. */
static void
put_end(kn__copying *copy, const char *why)
{
	kn__flying *flight = &copy->flight;

	if (copy->is_over || flight->is_lost)
		return;
	flight->is_flushed = false;
	if (PQputCopyEnd(flight->conn->pg, why) < 0)
		kn__flight_lose(flight);
}

int
kn__copy_read_on(kn__flying *flight, char **piece, int size)
{
	kn__conn *conn = flight->conn;
	bool is_dead = false;

	for (;; size = PQgetCopyData(conn->pg, piece, 1))
	{
		const kn__wait *wait = flight->stopped == KN_OK ? flight->wait : &flight->last;
		kn__waited waited;

		if (size > 0 && flight->stopped == KN_OK)
			return size;
		if (size > 0)
		{
			PQfreemem(*piece);
			*piece = NULL;
			continue;
		}
		if (size == -1)
			return 0;
		/* What had arrived before the end of the connection comes first. */
		if (size < 0 || is_dead)
		{
			kn__flight_lose(flight);
			return 0;
		}
		/* Where the server does not stop to send, there is always something to be read. */
		waited = kn__wait_over(conn, wait);
		if (waited == KN__WAITED_READY)
			waited = kn__wait_socket(conn, false, wait);
		if (waited == KN__WAITED_READY)
			is_dead = !PQconsumeInput(conn->pg);
		else if (waited == KN__WAITED_ERROR)
			is_dead = true;
		else
			kn__flight_stop(flight, waited);
		if (flight->is_lost)
			return 0;
	}
}

kn_status
kn__copy_get(kn__conn *conn, kn_str *piece, const kn__wait *wait, kn__outcome *outcome,
			 kn__fault *fault)
{
	kn__copying *copy = resume(conn, wait, fault);
	int size;

	*piece = (kn_str){ NULL, 0 };
	*outcome = KN__NOTHING_DONE;
	if (copy == NULL)
		return KN_INTERNAL;
	if (copy->is_over)
		return KN_OK;
	PQfreemem(copy->piece);
	copy->piece = NULL;
	size = kn__copy_read(&copy->flight, &copy->piece);
	if (size > 0)
	{
		*piece = (kn_str){ copy->piece, (size_t) size };
		return KN_OK;
	}
	read_answers(copy);
	/* Part of it has been passed over. */
	if (copy->flight.status == KN_OK && copy->flight.stopped != KN_OK)
		copy->flight.status =
			kn__fail(fault, copy->flight.stopped, "%s", kn_status_text(copy->flight.stopped));
	return copy->flight.status == KN_OK ? KN_OK : end(copy, outcome);
}

static void
read_answers(kn__copying *copy)
{
	kn__flying *flight = &copy->flight;

	if (!copy->is_over && !flight->is_lost)
		kn__answer_command(flight, &copy->item, &copy->sent);
	copy->is_over = true;
}

kn_status
kn__copy_end(kn__conn *conn, const char *why, const kn__wait *wait, int64_t *affected,
			 kn__outcome *outcome, kn__fault *fault)
{
	kn__copying *copy = resume(conn, wait, fault);
	kn__flying *flight;

	*affected = -1;
	*outcome = KN__NOTHING_DONE;
	if (copy == NULL)
		return KN_INTERNAL;
	flight = &copy->flight;
	if (copy->direction == KN__COPY_IN)
		put_end(copy, why);
	else if (!copy->is_over)
	{
		if (why != NULL)
			kn__flight_stop(flight, KN__WAITED_CANCELED);
		do
		{
			PQfreemem(copy->piece);
			copy->piece = NULL;
		} while (!flight->is_lost && kn__copy_read(flight, &copy->piece) > 0);
	}
	read_answers(copy);
	*affected = copy->item.affected;
	/* That it came to nothing is what was asked for. */
	if (why != NULL && flight->status == KN_CANCELED && !flight->is_lost)
	{
		kn__fault_clear(fault);
		flight->status = KN_OK;
	}
	/* It was not the caller who wanted it to be cancelled. */
	else if (why != NULL && copy->direction == KN__COPY_OUT && flight->status == KN_CANCELED)
		flight->status = kn__fail(fault, KN_CONN_LOST, "%s", kn_status_text(KN_CONN_LOST));
	return end(copy, outcome);
}

/* Reads what is left, and frees what is kept. */
static kn_status
end(kn__copying *copy, kn__outcome *outcome)
{
	kn__flying *flight = &copy->flight;
	kn__conn *conn = flight->conn;
	kn_status status;

	if (flight->is_sent)
	{
		read_answers(copy);
		if (!flight->is_lost && !flight->group_failed)
			flight->group_done = true;
		kn__flight_finish(flight);
	}
	*outcome = kn__flight_outcome(flight);
	status = flight->status;
	kn__copy_forget(conn);
	return status;
}

void
kn__copy_forget(kn__conn *conn)
{
	if (conn->copy == NULL)
		return;
	PQfreemem(conn->copy->piece);
	kn__release(conn->allocator, conn->copy, sizeof(kn__copying));
	conn->copy = NULL;
}
