/*
 * flight.c
 *		Statements out, answers in.
 *
 * One statement alone goes without a pipeline, for that is cheaper.  In a
 * pipeline each command is answered by its results and a NULL, each sync by a result of
 * its own; after an error the server passes over everything up to the next sync.
 *
 * When the time is over, or the caller is cancelled, the server is asked to end
 * what it does, and the answers are read all the same: only they tell what has
 * become of it.  What has come to its end by then has come to its end.
 */
#include "wire/conn.h"

#include <string.h>

#define FEW 8

typedef struct Flight
{
	kn__conn *conn;
	const kn__wait *wait;
	kn__wait last;         /* for the answers after a cancel */
	kn__item *items;
	kn__sent *sent;
	int count;
	kn__fault *fault;
	kn_status status;      /* the first that is not KN_OK */
	kn_status stopped;     /* KN_TIMEOUT or KN_CANCELED, once a cancel was sent */
	bool is_sent;          /* the server may have seen some of it */
	bool is_lost;          /* the connection is gone */
	bool is_undone;        /* and the server said so before it had answered the item */
	bool group_failed;     /* since the last sync */
	bool group_done;       /* a transaction of the server's making is complete */
	bool is_stale;         /* a prepared statement was not what it was taken for */
} Flight;

static kn_status fly(Flight *flight);
static kn_status learn(Flight *flight);
static bool is_unknown(const kn__conn *conn, const kn__item *item);
static void send_alone(Flight *flight);
static void send_pipeline(Flight *flight);
static void send_closes(Flight *flight);
static void read_alone(Flight *flight);
static void read_pipeline(Flight *flight, int closes);
static void read_command(Flight *flight, kn__item *item, const kn__sent *sent);
static void read_sync(Flight *flight);
static PGresult *next_result(Flight *flight);
static void stop(Flight *flight, kn__waited waited);
static void take_result(Flight *flight, kn__item *item, const kn__sent *sent, PGresult *result);
static void take_error(Flight *flight, kn__item *item, const kn__sent *sent,
					   const PGresult *result);
static void note_stale(Flight *flight, const kn__sent *sent, const PGresult *result);
static void end_copy(Flight *flight, kn__item *item, ExecStatusType kind);
static void lose(Flight *flight);
static void finish(Flight *flight);
static kn__outcome outcome_of(const Flight *flight);
static int64_t affected_by(PGresult *result);

kn_status
kn__flight(kn__conn *conn, kn__item *items, int count, const kn__wait *wait, kn__outcome *outcome,
		   kn__fault *fault)
{
	kn__sent few[FEW];
	Flight flight = { .conn = conn, .wait = wait, .items = items, .count = count, .fault = fault };
	size_t size = (size_t) count * sizeof(kn__sent);
	bool was_in_transaction = kn__conn_in_transaction(conn);

	*outcome = KN__NOTHING_DONE;
	if (count <= 0)
		return KN_OK;
	if (conn->is_broken || conn->is_streaming)
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	flight.sent = count <= FEW ? few : kn__allocate(conn->allocator, size);
	if (flight.sent == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	(void) fly(&flight);
	*outcome = outcome_of(&flight);
	/* Once more, where nothing has happened but that a name meant something else. */
	if (flight.is_stale && !was_in_transaction && *outcome == KN__NOTHING_DONE && !flight.is_lost &&
		flight.stopped == KN_OK)
	{
		Flight again = { .conn = conn, .wait = wait, .items = items, .count = count, .fault = fault };

		again.sent = flight.sent;
		(void) fly(&again);
		*outcome = outcome_of(&again);
		flight.status = again.status;
	}
	if (count > FEW)
		kn__release(conn->allocator, flight.sent, size);
	return flight.status;
}

static kn_status
fly(Flight *flight)
{
	kn__conn *conn = flight->conn;

	for (int i = 0; i < flight->count; i++)
	{
		flight->items[i].status = KN_ABORTED;
		flight->items[i].result = NULL;
		flight->items[i].affected = -1;
	}
	if (learn(flight) != KN_OK)
		return flight->status;
	if (flight->count == 1 && conn->cache.closing.length == 0)
	{
		const kn__item *item = flight->items;
		kn__prepared *entry = NULL;

		if (!conn->never_prepares && !item->never_prepare)
			entry = kn__prepared_find(&conn->cache,
									  conn->allocator,
									  kn__send_key(item),
									  item->sql,
									  item->length);
		if (entry == NULL || entry->is_prepared || entry->uses < conn->prepare_after)
		{
			send_alone(flight);
			return flight->status;
		}
	}
	send_pipeline(flight);
	return flight->status;
}

/* Asks for the types of the columns of those statements that nobody has seen yet. */
static kn_status
learn(Flight *flight)
{
	kn__conn *conn = flight->conn;
	kn__item *items = flight->items;
	int unknown = 0;

	for (int i = 0; i < flight->count; i++)
		unknown += is_unknown(conn, &items[i]);
	if (unknown == 0)
		return KN_OK;
	if (!PQenterPipelineMode(conn->pg))
	{
		lose(flight);
		return flight->status;
	}
	for (int i = 0; i < flight->count && flight->status == KN_OK; i++)
	{
		memset(&flight->sent[i], 0, sizeof(kn__sent));
		if (!is_unknown(conn, &items[i]))
			continue;
		flight->status = kn__send_describe(conn, &items[i], &flight->sent[i], flight->fault);
		/* One that does not parse must not keep the others from being described. */
		if (!PQpipelineSync(conn->pg))
			lose(flight);
	}
	for (int i = 0; i < flight->count && !flight->is_lost; i++)
	{
		if (!flight->sent[i].is_described)
			continue;
		read_command(flight, NULL, &flight->sent[i]);
		read_command(flight, NULL, &flight->sent[i]);
		read_sync(flight);
		if (flight->status != KN_OK && *flight->fault->error.sql == '\0')
			kn__fault_text(flight->fault, &flight->fault->error.sql, items[i].sql);
	}
	finish(flight);
	flight->group_done = false;
	return flight->status;
}

static bool
is_unknown(const kn__conn *conn, const kn__item *item)
{
	return item->wants_rows &&
		   kn__shapes_find(conn->shapes, kn__send_key(item)) == KN__SHAPE_UNKNOWN;
}

static void
send_alone(Flight *flight)
{
	flight->items->sync_after = true;
	flight->status = kn__send_item(flight->conn, flight->items, false, flight->sent, flight->fault);
	if (flight->status == KN_CONN_LOST)
		lose(flight);
	if (flight->status != KN_OK)
		return;
	flight->is_sent = true;
	read_alone(flight);
	finish(flight);
}

static void
read_alone(Flight *flight)
{
	read_command(flight, flight->items, flight->sent);
	if (!flight->is_lost && !flight->group_failed)
		flight->group_done = true;
}

static void
send_pipeline(Flight *flight)
{
	kn__conn *conn = flight->conn;
	int sent = 0;
	int closes = 0;

	if (!PQenterPipelineMode(conn->pg))
	{
		lose(flight);
		return;
	}
	for (size_t at = 0; at < conn->cache.closing.length; closes++)
		at += strlen(conn->cache.closing.data + at) + 1;
	if (closes > 0)
		send_closes(flight);
	flight->items[flight->count - 1].sync_after = true;
	for (; sent < flight->count && flight->status == KN_OK; sent++)
	{
		kn__item *item = &flight->items[sent];

		flight->status = kn__send_item(conn, item, true, &flight->sent[sent], flight->fault);
		if (flight->status != KN_OK)
		{
			item->status = flight->status;
			flight->fault->error.item = flight->count > 1 ? sent : -1;
			break;
		}
		flight->is_sent = true;
		if (item->sync_after && !PQpipelineSync(conn->pg))
			lose(flight);
	}
	if (flight->status != KN_OK && !flight->is_lost)
	{
		/* What is not sent as a whole must not be done in part: it ends in an error. */
		(void) PQsendQueryParams(conn->pg, "kn_abort", 0, NULL, NULL, NULL, NULL, 0);
		(void) PQpipelineSync(conn->pg);
		flight->count = sent;
	}
	read_pipeline(flight, closes);
	finish(flight);
}

static void
send_closes(Flight *flight)
{
	kn__conn *conn = flight->conn;
	const kn__buf *closing = &conn->cache.closing;
	char sql[64];

	for (size_t at = 0; at < closing->length; at += strlen(closing->data + at) + 1)
	{
		size_t length = strlen(closing->data + at);

		memcpy(sql, "DEALLOCATE ", 11);
		memcpy(sql + 11, closing->data + at, length + 1);
		if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
			lose(flight);
	}
	if (!PQpipelineSync(conn->pg))
		lose(flight);
}

static void
read_pipeline(Flight *flight, int closes)
{
	kn__conn *conn = flight->conn;
	kn_status unsent = flight->status;

	for (int i = 0; i < closes && !flight->is_lost; i++)
		read_command(flight, NULL, NULL);
	if (closes > 0 && !flight->is_lost)
	{
		read_sync(flight);
		flight->group_done = false;
		kn__buf_clear(&conn->cache.closing);
	}
	for (int i = 0; i < flight->count && !flight->is_lost; i++)
	{
		kn__item *item = &flight->items[i];

		if (flight->sent[i].is_prepare)
			read_command(flight, NULL, &flight->sent[i]);
		if (!flight->is_lost)
			read_command(flight, item, &flight->sent[i]);
		if (item->sync_after && !flight->is_lost)
			read_sync(flight);
	}
	if (unsent == KN_OK || flight->is_lost)
		return;
	read_command(flight, NULL, NULL);
	if (!flight->is_lost)
		read_sync(flight);
}

/* The results of one command, up to the NULL; item is NULL for one of our own. */
static void
read_command(Flight *flight, kn__item *item, const kn__sent *sent)
{
	for (;;)
	{
		PGresult *result = next_result(flight);

		if (result == NULL)
			return;
		take_result(flight, item, sent, result);
		if (flight->is_lost)
			return;
	}
}

static void
read_sync(Flight *flight)
{
	PGresult *result = next_result(flight);

	if (flight->is_lost)
		return;
	if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		(void) kn__fail(flight->fault, KN_INTERNAL, "the pipeline is out of step");
		flight->status = KN_INTERNAL;
		flight->is_lost = true;
		return;
	}
	PQclear(result);
	flight->group_done |= !flight->group_failed;
	flight->group_failed = false;
}

/* NULL: the end of a command, or of the connection. */
static PGresult *
next_result(Flight *flight)
{
	kn__conn *conn = flight->conn;

	for (;;)
	{
		const kn__wait *wait = flight->stopped == KN_OK ? flight->wait : &flight->last;
		kn__waited waited = kn__wait_result(conn, wait);

		if (waited == KN__WAITED_READY)
			return PQgetResult(conn->pg);
		if (waited == KN__WAITED_ERROR)
		{
			/* The server's last words may still be there to be read. */
			PGresult *result = PQgetResult(conn->pg);

			if (result == NULL)
				lose(flight);
			return result;
		}
		stop(flight, waited);
		if (flight->is_lost)
			return NULL;
	}
}

/* Asks the server to end it, once; the second time nothing more can be had of it. */
static void
stop(Flight *flight, kn__waited waited)
{
	kn__conn *conn = flight->conn;

	if (flight->stopped != KN_OK)
	{
		flight->is_lost = true;
		flight->status = kn__fail(flight->fault,
								  flight->stopped,
								  "%s, and the server did not answer the cancel request",
								  kn_status_text(flight->stopped));
		return;
	}
	flight->stopped = waited == KN__WAITED_TIMEOUT ? KN_TIMEOUT : KN_CANCELED;
	if (!kn__cancel_send(conn))
	{
		flight->is_lost = true;
		flight->status = kn__fail(flight->fault,
								  flight->stopped,
								  "%s, and a cancel request could not be sent",
								  kn_status_text(flight->stopped));
		return;
	}
	flight->last.deadline = kn__now(conn->clock) + conn->cancel_ns;
}

/* Owns the result. */
static void
take_result(Flight *flight, kn__item *item, const kn__sent *sent, PGresult *result)
{
	ExecStatusType kind = PQresultStatus(result);

	switch (kind)
	{
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
		case PGRES_EMPTY_QUERY:
			if (sent != NULL && sent->is_described)
				kn__shapes_note(flight->conn->shapes, sent->key, kn__shape_of(result));
			if (item == NULL)
				break;
			item->status = KN_OK;
			item->affected = affected_by(result);
			if (!item->wants_rows)
				break;
			kn__result_free(item->result);
			item->result = (kn__result *) result;
			return;
		case PGRES_PIPELINE_ABORTED:
			break;
		case PGRES_COPY_IN:
		case PGRES_COPY_OUT:
		case PGRES_COPY_BOTH:
			end_copy(flight, item, kind);
			break;
		default:
			take_error(flight, item, sent, result);
			break;
	}
	PQclear(result);
}

static void
take_error(Flight *flight, kn__item *item, const kn__sent *sent, const PGresult *result)
{
	kn__conn *conn = flight->conn;
	kn_status status;

	flight->group_failed = true;
	if (sent != NULL)
		note_stale(flight, sent, result);
	if (flight->status == KN_OK)
	{
		status = kn__fault_of_result(flight->fault, result, item == NULL ? NULL : item->sql);
		/* It was us who cancelled it. */
		if (status == KN_CANCELED && flight->stopped != KN_OK)
		{
			status = flight->stopped;
			flight->fault->error.status = status;
			kn__fault_text(flight->fault, &flight->fault->error.message, kn_status_text(status));
		}
		if (item != NULL && flight->count > 1)
			flight->fault->error.item = (int) (item - flight->items);
		/* Those of our own making are not the caller's failures, but for the Parse of his. */
		if (item != NULL || sent != NULL)
			flight->status = status;
		if (item != NULL)
			item->status = status;
	}
	if (kn__is_fatal(result) || PQstatus(conn->pg) == CONNECTION_BAD)
	{
		flight->is_lost = true;
		flight->is_undone = kn__is_fatal(result) && (item == NULL || item->is_atomic);
		if (flight->status == KN_OK)
			flight->status = kn__fault_of_result(flight->fault, result, NULL);
	}
}

/*
 * The statement is not prepared, or for another one, or for a table that has changed
 * since: it is forgotten, and will be prepared anew.
 */
static void
note_stale(Flight *flight, const kn__sent *sent, const PGresult *result)
{
	kn__conn *conn = flight->conn;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *routine = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	kn__prepared *entry = conn->cache.newest;
	bool is_changed;

	if (sqlstate == NULL || (!sent->is_prepare && !sent->is_by_name))
		return;
	is_changed = strcmp(sqlstate, "0A000") == 0 && routine != NULL &&
				 strcmp(routine, "RevalidateCachedQuery") == 0;
	/* 26000: it is not there.  42P05: it is there already; 08P01: with other parameters. */
	if (!is_changed && strcmp(sqlstate, "26000") != 0 && strcmp(sqlstate, "42P05") != 0 &&
		strcmp(sqlstate, "08P01") != 0)
		return;
	flight->is_stale = true;
	while (entry != NULL && entry->key != sent->key)
		entry = entry->older;
	if (entry != NULL)
		kn__prepared_forget(&conn->cache, entry, is_changed);
	kn__shapes_note(conn->shapes, sent->key, KN__SHAPE_UNKNOWN);
	/* Somebody else hands out servers: names mean nothing here. */
	if (!is_changed)
		kn__conn_never_prepare(conn);
}

/* COPY has calls of its own; here it is an error, and must not leave the server waiting. */
static void
end_copy(Flight *flight, kn__item *item, ExecStatusType kind)
{
	kn__conn *conn = flight->conn;
	char *data;
	int length;

	flight->group_failed = true;
	if (flight->status == KN_OK)
		flight->status = kn__fail(flight->fault, KN_USAGE, "COPY has calls of its own");
	if (item != NULL)
		item->status = KN_USAGE;
	if (kind != PGRES_COPY_OUT)
	{
		(void) PQputCopyEnd(conn->pg, "COPY has calls of its own");
		return;
	}
	while ((length = PQgetCopyData(conn->pg, &data, 1)) >= 0)
	{
		kn__waited waited;

		if (length > 0)
		{
			PQfreemem(data);
			continue;
		}
		waited = kn__wait_socket(conn, false, flight->stopped == KN_OK ? flight->wait : &flight->last);
		if (waited == KN__WAITED_READY && PQconsumeInput(conn->pg))
			continue;
		if (waited == KN__WAITED_ERROR || waited == KN__WAITED_READY)
			lose(flight);
		else
			stop(flight, waited);
		if (flight->is_lost)
			return;
	}
}

/* The connection is gone, and libpq knows why. */
static void
lose(Flight *flight)
{
	if (flight->status == KN_OK)
		flight->status = kn__fault_of_conn(flight->fault, flight->conn, KN_CONN_LOST);
	flight->is_lost = true;
}

/* All answers are in: the connection is as it was, or is to be closed. */
static void
finish(Flight *flight)
{
	kn__conn *conn = flight->conn;

	if (!flight->is_lost && PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF &&
		!PQexitPipelineMode(conn->pg))
		lose(flight);
	if (!flight->is_lost && flight->stopped != KN_OK && !kn__cancel_fence(conn))
		flight->is_lost = true;
	if (flight->is_lost)
		conn->is_broken = true;
}

static kn__outcome
outcome_of(const Flight *flight)
{
	if (!flight->is_sent)
		return KN__NOTHING_DONE;
	if (flight->group_done)
		return KN__DONE;
	if (!flight->is_lost)
		return KN__NOTHING_DONE;
	return flight->is_undone ? KN__NOTHING_DONE : KN__MAYBE_DONE;
}

static int64_t
affected_by(PGresult *result)
{
	const char *text = PQcmdTuples(result);
	int64_t count = 0;

	if (*text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		count = count * 10 + (*text - '0');
	return count;
}
