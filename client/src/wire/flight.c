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
#include "wire/flight.h"

#include <stdio.h>
#include <string.h>

#define FEW 8

static kn_status fly_on(kn__conn *conn, kn__item *items, int count, const kn__begun *begun,
						const kn__wait *wait, kn__outcome *outcome, kn__fault *fault);
static kn_status fly(kn__flying *flight);
static kn_status fly_apart(kn__conn *conn, kn__item *items, int count, const kn__wait *wait,
						   kn__outcome *outcome, kn__fault *fault);
static int send_descriptions(kn__flying *flight, int count);
static void answer_descriptions(kn__flying *flight, int count);
static bool goes_whole(const kn__conn *conn);
static bool is_unknown(const kn__conn *conn, kn__item *item);
static bool send_alone(kn__flying *flight);
static bool send_pipeline(kn__flying *flight);

kn_status
kn__flight(kn__conn *conn, kn__item *items, int count, const kn__wait *wait, kn__outcome *outcome,
		   kn__fault *fault)
{
	kn__begun begun = { .how = KN__PLAIN_NOT };

	if (count == 1 && kn__flight_plain(conn, items, wait, &begun, fault))
	{
		*outcome = KN__DONE;
		return KN_OK;
	}
	return fly_on(conn, items, count, &begun, wait, outcome, fault);
}

kn_status
kn__flight_on(kn__conn *conn, kn__item *item, const kn__begun *begun, const kn__wait *wait,
			  kn__outcome *outcome, kn__fault *fault)
{
	return fly_on(conn, item, 1, begun, wait, outcome, fault);
}

/* begun: what there is of it by now. */
static kn_status
fly_on(kn__conn *conn, kn__item *items, int count, const kn__begun *begun, const kn__wait *wait,
	   kn__outcome *outcome, kn__fault *fault)
{
	kn__sent few[FEW];
	kn__flying flight = { .conn = conn,
						  .wait = wait,
						  .items = items,
						  .count = count,
						  .fault = fault };
	size_t size = (size_t) count * sizeof(kn__sent);
	bool is_begun = begun->how != KN__PLAIN_NOT;
	bool was_in_transaction = !is_begun && kn__conn_in_transaction(conn);
	bool is_repeated;

	*outcome = KN__NOTHING_DONE;
	kn__shapes_begin(conn, was_in_transaction);
	if (count <= 0)
		return KN_OK;
	if (count > 1 && items[count - 1].is_aside && goes_whole(conn))
		return fly_apart(conn, items, count, wait, outcome, fault);
	if (!was_in_transaction)
		conn->give_up_at = KN__NEVER;
	if (!is_begun && (conn->is_broken || conn->stream != NULL || conn->copy != NULL))
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	if (!is_begun && kn__flight_is_late(&flight))
		return flight.status;
	flight.sent = count <= FEW ? few : kn__allocate(conn->allocator, size);
	if (flight.sent == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	if (is_begun)
		kn__plain_go_on(&flight, begun);
	else
		(void) fly(&flight);
	*outcome = kn__flight_outcome(&flight);
	is_repeated = kn__flight_is_once_more(&flight, was_in_transaction) &&
				  (was_in_transaction || kn__flight_roll_back(conn, wait));
	if (is_repeated)
	{
		kn__flying again = { .conn = conn,
							 .wait = wait,
							 .items = items,
							 .count = count,
							 .fault = fault };

		again.sent = flight.sent;
		kn__fault_clear(fault);
		for (int i = 0; i < count; i++)
			kn__result_free(items[i].result);
		(void) fly(&again);
		*outcome = kn__flight_outcome(&again);
		flight.status = again.status;
	}
	if (was_in_transaction || (!is_repeated && *outcome == KN__NOTHING_DONE))
		kn__flight_note_stale(&flight);
	/* It answers again: what was late before is over, and what comes next has time of its own. */
	if (was_in_transaction && flight.status == KN_OK)
		conn->give_up_at = KN__NEVER;
	if (flight.status == KN_OK && conn->strangers > 0)
		flight.status = kn__flight_ask_late(conn, wait, fault);
	if (count > FEW)
		kn__release(conn->allocator, flight.sent, size);
	return flight.status;
}

/* What is asked aside comes after a sync, and goes by itself; how that fares is for who reads it.
 */
static kn_status
fly_apart(kn__conn *conn, kn__item *items, int count, const kn__wait *wait, kn__outcome *outcome,
		  kn__fault *fault)
{
	kn__item *aside = &items[count - 1];
	kn_status status = kn__flight(conn, items, count - 1, wait, outcome, fault);
	kn__outcome asides;
	kn__fault own;

	kn__flight_begin(aside);
	if (status != KN_OK)
		return status;
	kn__fault_clear(&own);
	(void) kn__flight(conn, aside, 1, wait, &asides, &own);
	return KN_OK;
}

/*
 * Where nothing has happened but that a name meant something else; or rows were asked for in a
 * form that will not do, and may be asked for again.
 */
bool
kn__flight_is_once_more(const kn__flying *flight, bool was_in_transaction)
{
	bool may_repeat = flight->is_misshapen && flight->status == KN_OK;

	if (flight->is_lost || flight->stopped != KN_OK)
		return false;
	if (flight->is_stale || flight->is_rebound)
		return !was_in_transaction && kn__flight_outcome(flight) == KN__NOTHING_DONE &&
			   kn__flight_is_undone(flight, !flight->is_stale && !flight->is_retyped);
	for (int i = 0; may_repeat && i < flight->count; i++)
		may_repeat = flight->items[i].may_repeat;
	return may_repeat;
}

/* Undoes the BEGIN of a flight that is to be sent once more; false: it cannot be. */
bool
kn__flight_roll_back(kn__conn *conn, const kn__wait *wait)
{
	static const char sql[] = "ROLLBACK";
	kn__item item = { .sql = sql, .length = sizeof(sql) - 1, .never_prepare = true };
	kn__sent sent;
	kn__fault fault;
	kn__flying flight = { .conn = conn,
						  .wait = wait,
						  .items = &item,
						  .sent = &sent,
						  .count = 1,
						  .fault = &fault };

	if (!kn__conn_in_transaction(conn))
		return true;
	kn__fault_clear(&fault);
	return fly(&flight) == KN_OK;
}

/* Past the deadline, or cancelled: then nothing is to be sent any more. */
bool
kn__flight_is_late(kn__flying *flight)
{
	kn__waited waited = kn__wait_over(flight->conn, flight->wait);

	if (waited == KN__WAITED_READY)
		return false;
	flight->status = waited == KN__WAITED_TIMEOUT ? KN_TIMEOUT : KN_CANCELED;
	(void) kn__fail(flight->fault, flight->status, "%s", kn_status_text(flight->status));
	return true;
}

static kn_status
fly(kn__flying *flight)
{
	if (kn__flight_send(flight))
		kn__flight_answer(flight);
	return flight->status;
}

bool
kn__flight_send(kn__flying *flight)
{
	for (int i = 0; i < flight->count; i++)
		kn__flight_begin(&flight->items[i]);
	if (kn__flight_learn(flight) != KN_OK)
		return false;
	flight->is_piped = flight->count > 1 || flight->conn->cache.closing.length > 0 ||
					   kn__reset_is_due(flight->conn) || !send_alone(flight);
	return flight->is_piped ? send_pipeline(flight) : flight->is_sent;
}

void
kn__flight_answer(kn__flying *flight)
{
	if (flight->is_piped)
		kn__answer_pipeline(flight, flight->closes);
	else
		kn__answer_alone(flight);
	kn__flight_finish(flight);
}

/*
 * Asks for the types of the columns of those statements that nobody has seen yet.  One that
 * cannot be described goes out all the same, and has its columns as text: a statement before
 * it may make what it needs, and if none does, it fails in its place.  Within a transaction
 * a failure would be the end of that, so there only those are described that nothing but
 * reads and writes of rows come before.
 */
kn_status
kn__flight_learn(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	kn__item *items = flight->items;
	bool in_transaction;
	int count = 0;
	int unknown = 0;
	int syncs;
	kn__fault why;

	if (flight->count == 1 && !is_unknown(conn, items))
		return KN_OK;
	in_transaction = kn__conn_in_transaction(conn);
	for (; count < flight->count; count++)
	{
		unknown += is_unknown(conn, &items[count]);
		if (in_transaction && (items[count].never_prepare || items[count].may_make))
		{
			count++;
			break;
		}
	}
	if (unknown == 0)
		return KN_OK;
	if (!PQenterPipelineMode(conn->pg))
	{
		kn__flight_lose(flight);
		return flight->status;
	}
	flight->is_piped = true;
	memset(flight->sent, 0, (size_t) flight->count * sizeof(kn__sent));
	/* What is described is what will be found. */
	(void) kn__reset_send(flight);
	syncs = send_descriptions(flight, count);
	if (kn__reset_answer(flight, &why))
	{
		kn__reset_pass_over(flight, syncs);
		kn__reset_refuse(flight, &why, true);
	}
	answer_descriptions(flight, count);
	kn__flight_finish(flight);
	/* What is sent next is another message. */
	flight->is_piped = flight->is_flushed = flight->group_done = false;
	if (flight->stopped != KN_OK && flight->status == KN_OK)
		flight->status =
			kn__fail(flight->fault, flight->stopped, "%s", kn_status_text(flight->stopped));
	if (flight->is_refused && !flight->is_lost && flight->stopped == KN_OK && !in_transaction)
	{
		kn__fault_clear(flight->fault);
		flight->status = KN_OK;
	}
	/* Once these are known, the same descriptions will do. */
	if (flight->status == KN_OK && kn__flight_ask_types(flight))
		return kn__flight_learn(flight);
	return flight->status;
}

/*
 * One that does not parse must not keep the others from being described, but for where a pooler
 * may be: those go with one sync, and may have their columns as text for once.
 * Returns how many syncs there are.
 */
static int
send_descriptions(kn__flying *flight, int count)
{
	kn__conn *conn = flight->conn;
	bool is_whole = goes_whole(conn);
	int syncs = is_whole ? 1 : 0;

	for (int i = 0; i < count && flight->status == KN_OK; i++)
	{
		if (!is_unknown(conn, &flight->items[i]))
			continue;
		flight->status =
			kn__send_describe(conn, &flight->items[i], &flight->sent[i], flight->fault);
		if (flight->status == KN_CONN_LOST ||
			(flight->status == KN_OK && !is_whole && !PQpipelineSync(conn->pg)))
			kn__flight_lose(flight);
		else if (flight->status != KN_OK && flight->count > 1)
			flight->fault->error.item = i;
		syncs += flight->status == KN_OK && !is_whole ? 1 : 0;
	}
	if (is_whole && !flight->is_lost && !PQpipelineSync(conn->pg))
		kn__flight_lose(flight);
	return syncs;
}

static void
answer_descriptions(kn__flying *flight, int count)
{
	bool is_whole = goes_whole(flight->conn);

	for (int i = 0; i < count && !flight->is_lost; i++)
	{
		if (!flight->sent[i].is_described)
			continue;
		kn__answer_command(flight, NULL, &flight->sent[i]);
		flight->sent[i].is_parsed = true;
		if (!flight->is_lost)
			kn__answer_command(flight, NULL, &flight->sent[i]);
		if (!flight->is_lost && !is_whole)
			kn__answer_sync(flight, NULL);
		if (flight->status != KN_OK && *flight->fault->error.sql == '\0')
			kn__fault_text(flight->fault, &flight->fault->error.sql, flight->items[i].sql);
	}
	if (is_whole && !flight->is_lost)
		kn__answer_sync(flight, NULL);
}

/*
 * PgBouncer hands a session on with the answer to the last sync that it has seen as a whole, be it
 * in the middle of the message that comes after it.  So there is nothing after a sync.
 */
static bool
goes_whole(const kn__conn *conn)
{
	return conn->never_prepares;
}

static bool
is_unknown(const kn__conn *conn, kn__item *item)
{
	return item->wants_rows && kn__memo_find(conn->shapes, kn__send_key(item)) == KN__SHAPE_UNKNOWN;
}

/* False: nothing was sent, for it has to be prepared along with it, and that takes a pipeline. */
static bool
send_alone(kn__flying *flight)
{
	flight->items->sync_after = true;
	flight->status = kn__send_item(flight->conn, flight->items, false, flight->sent, flight->fault);
	if (flight->status == KN_OK && flight->sent->is_due)
		return false;
	if (flight->status == KN_CONN_LOST)
		kn__flight_lose(flight);
	flight->is_sent = flight->status == KN_OK;
	return true;
}

static bool
send_pipeline(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	int sent = 0;

	if (!PQenterPipelineMode(conn->pg))
	{
		kn__flight_lose(flight);
		return false;
	}
	if (!kn__flight_send_closes(flight, &flight->closes))
		return false;
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
			kn__flight_lose(flight);
	}
	if (flight->status == KN_CONN_LOST)
		kn__flight_lose(flight);
	if (flight->status != KN_OK && !flight->is_lost)
	{
		/* What is not sent as a whole must not be done in part: it ends in an error. */
		if (!PQsendQueryParams(conn->pg, "kn_abort", 0, NULL, NULL, NULL, NULL, 0) ||
			!PQpipelineSync(conn->pg))
			kn__flight_lose(flight);
		flight->count = sent;
	}
	return true;
}

/*
 * What the cache has let go is closed along the way; false if the connection is gone.  In a
 * transaction that has failed the server would not do it.
 */
bool
kn__flight_send_closes(kn__flying *flight, int *closes)
{
	kn__conn *conn = flight->conn;
	const kn__buf *closing = &conn->cache.closing;
	char sql[64];

	*closes = 0;
	if (!kn__reset_send(flight))
		return false;
	if (kn__conn_in_failed_transaction(conn))
		return true;
	for (size_t at = 0; at < closing->length; at += strlen(closing->data + at) + 1)
	{
		(void) snprintf(sql, sizeof(sql), "DEALLOCATE %s", closing->data + at);
		if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
			kn__flight_lose(flight);
		(*closes)++;
	}
	conn->cache.sent = closing->length;
	if (*closes > 0 && !PQpipelineSync(conn->pg))
		kn__flight_lose(flight);
	return kn__reset_guard(flight);
}

/* All answers are in: the connection is as it was, or is to be closed. */
void
kn__flight_finish(kn__flying *flight)
{
	kn__conn *conn = flight->conn;

	if (flight->is_piped && !flight->is_lost && PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF &&
		!PQexitPipelineMode(conn->pg))
		kn__flight_lose(flight);
	if (!flight->is_lost && flight->stopped != KN_OK &&
		!kn__cancel_fence(conn, flight->give_up_at, flight->last.stop))
		flight->is_lost = true;
	if (flight->is_lost)
		conn->is_broken = true;
	if (!conn->is_unreplicated)
		return;
	conn->is_unreplicated = false;
	flight->is_unreplicated = true;
	flight->status = kn__fail(flight->fault,
							  KN_OUTCOME_UNKNOWN,
							  "it is committed on this server, which was told to stop waiting for "
							  "the standbys that have to have it too");
	flight->fault->is_ours = true;
}

static bool
may_have_committed(const kn__flying *flight)
{
	for (int i = 0; i < flight->count; i++)
	{
		if (flight->items[i].commits)
			return true;
	}
	return false;
}

kn__outcome
kn__flight_outcome(const kn__flying *flight)
{
	if (!flight->is_sent)
		return KN__NOTHING_DONE;
	if (flight->group_done || flight->is_unreplicated)
		return KN__DONE;
	if (!flight->is_lost)
		return may_have_committed(flight) ? KN__PART_DONE : KN__NOTHING_DONE;
	return flight->is_undone ? KN__NOTHING_DONE : KN__MAYBE_DONE;
}
