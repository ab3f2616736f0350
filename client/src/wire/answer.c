/*
 * answer.c
 *		What the server says to a flight.
 *
 * In a pipeline each command is answered by its results and a NULL, each sync by a result of
 * its own; after an error the server passes over everything up to the next sync.
 *
 * When the time is over, or the caller is cancelled, the server is asked to end
 * what it does, and the answers are read all the same: only they tell what has
 * become of it.
 */
#include "wire/copying.h"

#include <string.h>

/* Until a second request to cancel; each pause is twice as long as the one before. */
#define FIRST_PAUSE(cancel_ns) ((cancel_ns) / 16 < MOST_FIRST ? (cancel_ns) / 16 : MOST_FIRST)
#define MOST_FIRST             (250 * KN__NS_PER_MS)

static void answer_item(kn__flying *flight, kn__item *item, const kn__sent *sent);
static void answer_aside(kn__flying *flight, kn__item *item, const kn__sent *sent);
static void take_result(kn__flying *flight, kn__item *item, const kn__sent *sent, PGresult *result);
static void refuse_commit(kn__flying *flight, kn__item *item);
static bool are_atomic(const kn__flying *flight);
static void end_copy(kn__flying *flight, kn__item *item, ExecStatusType kind);

void
kn__answer_alone(kn__flying *flight)
{
	kn__answer_command(flight, flight->items, flight->sent);
	if (!flight->is_lost && !flight->group_failed)
		flight->group_done = true;
}

/* The answers to what kn__flight_send_closes() has sent. */
void
kn__answer_closes(kn__flying *flight, int closes)
{
	kn__fault why;
	bool is_unclean = kn__reset_answer(flight, &why);

	for (int i = 0; i < closes && !flight->is_lost; i++)
		kn__answer_command(flight, NULL, NULL);
	if (closes > 0 && !flight->is_lost)
	{
		kn__answer_sync(flight, NULL);
		flight->group_done = false;
		kn__prepared_closed(&flight->conn->cache);
	}
	kn__reset_answer_guard(flight, is_unclean ? &why : NULL);
}

void
kn__answer_pipeline(kn__flying *flight, int closes)
{
	kn_status unsent = flight->status;

	kn__answer_closes(flight, closes);
	for (int i = 0; i < flight->count && !flight->is_lost; i++)
	{
		kn__item *item = &flight->items[i];

		if (item->is_aside)
			answer_aside(flight, item, &flight->sent[i]);
		else
			answer_item(flight, item, &flight->sent[i]);
	}
	if (unsent == KN_OK || flight->is_lost)
		return;
	kn__answer_command(flight, NULL, NULL);
	if (!flight->is_lost)
		kn__answer_sync(flight, NULL);
}

static void
answer_item(kn__flying *flight, kn__item *item, const kn__sent *sent)
{
	if (sent->is_prepare)
		kn__answer_command(flight, NULL, sent);
	if (!flight->is_lost)
		kn__answer_command(flight, item, sent);
	if (item->sync_after && !flight->is_lost)
		kn__answer_sync(flight, item);
}

/* How the others have fared stands; if the connection is lost, that is the next caller's affair. */
static void
answer_aside(kn__flying *flight, kn__item *item, const kn__sent *sent)
{
	kn__fault *fault = flight->fault;
	kn_status status = flight->status;
	bool is_done = flight->group_done;
	bool is_stale = flight->is_stale;
	kn__fault own;

	kn__fault_clear(&own);
	flight->fault = &own;
	flight->status = KN_OK;
	answer_item(flight, item, sent);
	flight->fault = fault;
	flight->status = status;
	flight->group_done = is_done;
	flight->is_stale = is_stale;
	/* What the server has refused before stays refused. */
	flight->is_undone |= flight->is_lost && !is_done;
}

/* The results of one command, up to the NULL; item is NULL for one of our own. */
void
kn__answer_command(kn__flying *flight, kn__item *item, const kn__sent *sent)
{
	for (;;)
	{
		PGresult *result = kn__answer_next(flight);

		if (result == NULL)
			return;
		take_result(flight, item, sent, result);
		if (flight->is_lost)
			return;
	}
}

/* Before it may come what is wrong with the transaction as a whole, such as a deferred constraint.
 */
void
kn__answer_sync(kn__flying *flight, kn__item *item)
{
	for (int i = 0; i < 3; i++)
	{
		PGresult *result = kn__answer_next(flight);
		bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;

		if (flight->is_lost)
		{
			PQclear(result);
			return;
		}
		if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR)
		{
			kn__answer_error(flight, item, NULL, result);
			flight->fault->error.item = -1;
			if (flight->status == KN_OK)
				flight->status = flight->fault->error.status;
		}
		PQclear(result);
		if (flight->is_lost)
			return;
		if (is_sync)
		{
			flight->group_done |= !flight->group_failed;
			flight->group_failed = false;
			return;
		}
	}
	flight->status = kn__fail(flight->fault, KN_INTERNAL, "the pipeline is out of step");
	flight->is_lost = true;
}

/* NULL: the end of a command, or of the connection. */
PGresult *
kn__answer_next(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	kn__inbox *inbox = flight->inbox;

	if (inbox != NULL && inbox->at < inbox->count)
		return inbox->results[inbox->at++];
	for (;;)
	{
		const kn__wait *wait = flight->stopped == KN_OK ? flight->wait : &flight->last;
		kn__waited waited = kn__wait_result(conn, wait, flight->is_piped, &flight->is_flushed);

		if (waited == KN__WAITED_READY)
			return PQgetResult(conn->pg);
		if (waited == KN__WAITED_ERROR)
		{
			/*
			 * The server's last words may still be there to be read.  Where it is not the server
			 * who is gone, libpq would wait for more.
			 */
			PGresult *result = PQstatus(conn->pg) == CONNECTION_OK ? NULL : PQgetResult(conn->pg);

			if (result == NULL)
				kn__flight_lose(flight);
			return result;
		}
		kn__flight_stop(flight, waited);
		if (flight->is_lost)
			return NULL;
	}
}

/*
 * Asks the server to end it; and again, for a request that comes before the statement has begun
 * hits nothing.  After cancel_ns nothing more can be had of it; nor, at once, of what is not worth
 * a request.
 */
void
kn__flight_stop(kn__flying *flight, kn__waited waited)
{
	kn__conn *conn = flight->conn;
	bool is_first = flight->stopped == KN_OK;
	int64_t now = kn__now(conn->clock);

	if (!is_first && now >= flight->give_up_at)
	{
		conn->is_silent = true;
		flight->is_lost = true;
		flight->status = kn__fail(flight->fault,
								  flight->stopped,
								  "%s, and the server did not answer the cancel request",
								  kn_status_text(flight->stopped));
		return;
	}
	if (is_first)
	{
		flight->stopped = waited == KN__WAITED_TIMEOUT ? KN_TIMEOUT : KN_CANCELED;
		if (flight->wait->is_not_cancelled)
		{
			flight->is_lost = true;
			flight->status =
				kn__fail(flight->fault, flight->stopped, "%s", kn_status_text(flight->stopped));
			return;
		}
		flight->last.stop = flight->wait->stop;
		flight->give_up_at = conn->give_up_at = now + conn->cancel_ns;
		flight->pause = FIRST_PAUSE(conn->cancel_ns);
		conn->was_heard = false;
	}
	if (!kn__cancel_send(conn, flight->give_up_at, flight->wait->stop))
	{
		flight->is_lost = true;
		flight->status = kn__fail(flight->fault,
								  flight->stopped,
								  "%s, and a cancel request could not be sent",
								  kn_status_text(flight->stopped));
		return;
	}
	now = kn__now(conn->clock);
	flight->last.deadline = now + flight->pause;
	flight->pause *= 2;
	if (flight->last.deadline > flight->give_up_at)
		flight->last.deadline = flight->give_up_at;
}

/* Owns the result. */
static void
take_result(kn__flying *flight, kn__item *item, const kn__sent *sent, PGresult *result)
{
	ExecStatusType kind = PQresultStatus(result);

	switch (kind)
	{
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
		case PGRES_EMPTY_QUERY:
			/* The answer to Parse has no columns, whatever the statement has. */
			if (sent != NULL && sent->is_described && sent->is_parsed)
				kn__shape_note(flight->conn, sent->key, result);
			if (item == NULL)
				break;
			if (item->is_commit && strcmp(PQcmdStatus(result), "COMMIT") != 0)
			{
				refuse_commit(flight, item);
				break;
			}
			item->status = KN_OK;
			item->affected = kn__answer_affected(result);
			if (!item->wants_rows)
				break;
			if (!kn__flight_fits(flight, sent, result))
				flight->is_misshapen = true;
			kn__result_free(item->result);
			item->result = (kn__result *) result;
			return;
		case PGRES_PIPELINE_ABORTED:
			kn__note_unprepared(flight, item, sent);
			break;
		case PGRES_COPY_IN:
		case PGRES_COPY_OUT:
		case PGRES_COPY_BOTH:
			end_copy(flight, item, kind);
			break;
		default:
			kn__answer_error(flight, item, sent, result);
			kn__note_unprepared(flight, item, sent);
			break;
	}
	PQclear(result);
}

/*
 * A statement that was not prepared, or is only now, has the columns that its table has now: they
 * may be others than those that it was taken for when all of them were asked for in binary; and
 * what is known of it may be of another connection, where its names mean something else.  But once
 * prepared here it has the same columns each time, or it fails.
 */
bool
kn__flight_fits(kn__flying *flight, const kn__sent *sent, const PGresult *result)
{
	kn__prepared *entry;
	kn__shape shape;

	if (sent->is_fit || PQntuples(result) == 0)
		return true;
	shape = kn__shape_of(flight->conn, result);
	/* As text they will do; what they are is asked for behind it, as in binary. */
	if (shape == KN__SHAPE_UNKNOWN)
		kn__shape_note(flight->conn, sent->key, result);
	if (!PQbinaryTuples(result))
		return true;
	if (shape == KN__SHAPE_BINARY)
	{
		entry = sent->is_by_name ? kn__find_entry(flight->conn, sent) : NULL;
		if (entry != NULL && entry->is_prepared)
			entry->is_fit = true;
		return true;
	}
	kn__memo_note(flight->conn->shapes, sent->key, shape);
	return false;
}

/* To COMMIT in a transaction that has failed the server says ROLLBACK, and calls it a success. */
static void
refuse_commit(kn__flying *flight, kn__item *item)
{
	flight->group_failed = true;
	item->status = KN_ABORTED;
	if (flight->status == KN_OK)
		flight->status =
			kn__fail(flight->fault, KN_ABORTED, "the server rolled back what was to be committed");
}

void
kn__answer_error(kn__flying *flight, kn__item *item, const kn__sent *sent, const PGresult *result)
{
	kn__conn *conn = flight->conn;
	/* What is said of a Parse or Describe of our own making is said of the caller's statement. */
	kn__item *of = sent != NULL ? &flight->items[sent - flight->sent] : item;
	kn_status status;

	flight->group_failed = true;
	if (sent != NULL)
		kn__note_stale(flight, sent, result);
	if (flight->status == KN_OK)
	{
		status = kn__fault_of_result(flight->fault, result, of == NULL ? NULL : of->sql);
		/* It was us who cancelled it. */
		if (status == KN_CANCELED && flight->stopped != KN_OK)
		{
			status = flight->stopped;
			flight->fault->error.status = status;
			kn__fault_text(flight->fault, &flight->fault->error.message, kn_status_text(status));
		}
		/* A role or a setting that is not there, say; who it is to be, nobody can be. */
		if (of != NULL && of->is_identity && (status == KN_DATA || status == KN_SCHEMA))
		{
			status = KN_AUTH;
			flight->fault->error.status = status;
		}
		if (of != NULL)
		{
			if (flight->count > 1)
				flight->fault->error.item = (int) (of - flight->items);
			flight->status = status;
			flight->is_refused = item == NULL && sent->is_described;
		}
		if (item != NULL)
			item->status = status;
	}
	/* Without a SQLSTATE it is libpq's word, and the server may have done it all. */
	if (kn__is_fatal(result) || PQstatus(conn->pg) == CONNECTION_BAD ||
		PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
	{
		flight->is_lost = true;
		flight->is_undone = kn__is_undone(result) && are_atomic(flight);
		if (flight->status == KN_OK)
			flight->status = kn__fault_of_result(flight->fault, result, NULL);
		/* What asks for columns, or says who it is to be, is not the statement itself. */
		flight->fault->was_begun = flight->is_sent && of != NULL && !of->is_identity;
	}
}

/* None of them can have committed something by itself. */
static bool
are_atomic(const kn__flying *flight)
{
	for (int i = 0; i < flight->count; i++)
	{
		if (!flight->items[i].is_atomic)
			return false;
	}
	return true;
}

/* COPY has calls of its own; here it is an error, and must not leave the server waiting. */
static void
end_copy(kn__flying *flight, kn__item *item, ExecStatusType kind)
{
	kn__conn *conn = flight->conn;
	char *data;

	flight->group_failed = true;
	if (flight->status == KN_OK)
		flight->status = kn__fail(flight->fault, KN_USAGE, "COPY has calls of its own");
	if (item != NULL)
		item->status = KN_USAGE;
	if (kind != PGRES_COPY_OUT)
	{
		(void) PQputCopyEnd(conn->pg, "COPY has calls of its own");
		flight->is_flushed = false;
		return;
	}
	while (kn__copy_read(flight, &data) > 0)
		PQfreemem(data);
}

/* The connection is gone, and libpq knows why. */
void
kn__flight_lose(kn__flying *flight)
{
	if (flight->status == KN_OK)
		flight->status = kn__fault_of_conn(flight->fault, flight->conn, KN_CONN_LOST);
	/* What has become of any other statement nobody knows; the data of a COPY are not in force. */
	flight->fault->was_begun |= flight->is_sent && flight->conn->copy != NULL;
	flight->is_lost = true;
	/* Part of a message may be left in libpq's buffer, to go out with the next one. */
	flight->conn->is_broken = true;
}

int64_t
kn__answer_affected(PGresult *result)
{
	const char *text = PQcmdStatus(result);
	int64_t count = 0;

	/* The tag of most that is asked, and as many rows. */
	if (KN__LIKELY(text[0] == 'S' && text[1] == 'E' && text[2] == 'L' && PQntuples(result) > 0))
		return PQntuples(result);
	text = PQcmdTuples(result);
	if (*text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		count = count * 10 + (*text - '0');
	return count;
}
