/*
 * plain.c
 *		What most calls are: one statement, prepared, outside of a transaction, that succeeds.
 *
 * All that may be otherwise is looked for with as little as it takes.  Where it is, nothing has
 * been sent, or flight.c goes on with what has.
 */
#include "wire/flight.h"

static KN__HOT bool is_plain(const kn__conn *conn);
static KN__HOT void take_answer(kn__conn *conn, const kn__item *item, const kn__wait *wait,
								kn__begun *begun);
static KN__HOT bool has_more(kn__conn *conn, kn__begun *begun);

bool
kn__flight_plain(kn__conn *conn, kn__item *item, const kn__wait *wait, kn__begun *begun,
				 kn__fault *fault)
{
	PGresult *result;

	begun->how = KN__PLAIN_NOT;
	if (KN__UNLIKELY(!is_plain(conn) || kn__wait_over(conn, wait) != KN__WAITED_READY))
		return false;
	begun->how = kn__send_plain(conn, item, begun, fault);
	if (KN__UNLIKELY(begun->how == KN__PLAIN_NOT))
		return false;
	conn->give_up_at = KN__NEVER;
	begun->count = 0;
	begun->is_flushed = false;
	begun->is_lost = begun->how == KN__PLAIN_LOST;
	if (KN__UNLIKELY(begun->is_lost))
		return false;
	take_answer(conn, item, wait, begun);
	if (KN__UNLIKELY(begun->count < 2 || begun->results[1] != NULL || conn->is_unreplicated))
		return false;
	result = begun->results[0];
	item->status = KN_OK;
	item->affected = kn__answer_affected(result);
	item->result = item->wants_rows ? (kn__result *) result : NULL;
	if (!item->wants_rows)
		PQclear(result);
	return true;
}

/* Whether nothing has to go before a statement, and nothing is under way. */
static bool
is_plain(const kn__conn *conn)
{
	return !conn->is_broken && !conn->must_reset && conn->stream == NULL && conn->copy == NULL &&
		   conn->cache.closing.length == 0 && PQtransactionStatus(conn->pg) == PQTRANS_IDLE;
}

/* Stops where anything is not as it most often is. */
static void
take_answer(kn__conn *conn, const kn__item *item, const kn__wait *wait, kn__begun *begun)
{
	ExecStatusType kind;

	if (KN__UNLIKELY(PQflush(conn->pg) != 0))
		return;
	begun->is_flushed = true;
	if (KN__UNLIKELY(kn__wait_first(conn, wait) != KN__WAITED_READY))
		return;
	if (KN__UNLIKELY(!PQconsumeInput(conn->pg)))
	{
		/* The server's last words may still be there to be read. */
		PGresult *result = PQstatus(conn->pg) == CONNECTION_OK ? NULL : PQgetResult(conn->pg);

		begun->is_lost = result == NULL;
		if (result != NULL)
			begun->results[begun->count++] = result;
		return;
	}
	if (KN__UNLIKELY(!has_more(conn, begun)))
		return;
	kind = PQresultStatus(begun->results[0]);
	if (KN__LIKELY(kind == PGRES_TUPLES_OK) || (kind == PGRES_COMMAND_OK && !item->is_commit))
		(void) has_more(conn, begun);
}

/* False: it has to be waited for, or there is nothing more. */
static bool
has_more(kn__conn *conn, kn__begun *begun)
{
	if (KN__UNLIKELY(PQisBusy(conn->pg)))
		return false;
	begun->results[begun->count] = PQgetResult(conn->pg);
	return begun->results[begun->count++] != NULL;
}

void
kn__plain_go_on(kn__flying *flight, const kn__begun *begun)
{
	PGresult *results[] = { begun->results[0], begun->results[1] };
	kn__inbox inbox = { .results = results, .count = begun->count };

	kn__flight_begin(flight->items);
	flight->items->sync_after = true;
	*flight->sent = (kn__sent){ .key = begun->key, .is_by_name = true, .is_fit = begun->is_fit };
	flight->inbox = &inbox;
	flight->is_sent = begun->how == KN__PLAIN_SENT;
	flight->is_flushed = begun->is_flushed;
	if (begun->is_lost)
		kn__flight_lose(flight);
	else
		kn__answer_alone(flight);
	flight->inbox = NULL;
	kn__flight_finish(flight);
}
