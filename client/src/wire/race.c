/*
 * race.c
 *		The same statements on two connections, and one thread that waits for both.
 *
 * What arrives on a connection is taken from libpq as it comes and kept; only when all of it is
 * there is it read, by the same code that reads the answers to a flight.  So nothing of one leg
 * is told before it has come to its end, and the other can be given up at any time.
 *
 * A leg that is given up is one whose time is over: its statement is cancelled, its answers are
 * read, and the connection is fenced; see answer.c and cancel.c.
 */
#include "wire/flight.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define MOST_LEGS 2

struct kn__leg
{
	kn__flying flight;
	kn__inbox inbox;
	kn__wait over; /* when it was given up */
	kn__fault fault;
	const kn_allocator *allocator;
	size_t size;
	int count; /* of items; the flight may have sent fewer */
	int syncs; /* that are to come */
	bool has_sent;
	bool is_in;
};

static kn__leg *make(kn__conn *conn, kn__item *items, int count);
static bool learn_from(kn__conn *conn, const kn__conn *like, kn__item *items, int count);
static void count_syncs(kn__leg *leg);
static bool take_in(kn__leg *leg);
static bool is_last(kn__leg *leg, const PGresult *result);
static void break_off(kn__leg *leg);

kn_status
kn__leg_begin(kn__leg **out, kn__conn *conn, const kn__conn *like, kn__item *items, int count,
			  const kn__wait *wait, kn__fault *fault)
{
	kn__leg *leg;

	*out = NULL;
	if (conn->is_broken || conn->stream != NULL)
		return kn__fail(fault, KN_CONN_LOST, "the connection is not usable");
	/* Where nothing is prepared that is waited for, while the other one's answer may be there. */
	if (like != NULL && conn->never_prepares && kn__reset_is_due(conn))
		return kn__fail(fault, KN_UNAVAILABLE, "the session has to be put in order first");
	if (like != NULL && !learn_from(conn, like, items, count))
		return kn__fail(fault, KN_UNAVAILABLE, "the statement is not known yet");
	leg = make(conn, items, count);
	if (leg == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	kn__shapes_begin(conn, false);
	leg->flight.wait = wait;
	if (kn__flight_is_late(&leg->flight))
	{
		kn_status status = leg->flight.status;

		kn__fault_copy(fault, &leg->fault);
		kn__leg_free(leg);
		return status;
	}
	leg->has_sent = kn__flight_send(&leg->flight);
	leg->is_in = !leg->has_sent || leg->flight.status != KN_OK;
	if (!leg->is_in)
		count_syncs(leg);
	for (int i = 0; i < count; i++)
		leg->flight.items[i].values = NULL;
	*out = leg;
	return KN_OK;
}

/* The most that come before those of the statements: of what is closed, and of a reset. */
static size_t
answers_before(const kn__conn *conn)
{
	const kn__buf *closing = &conn->cache.closing;
	size_t most = kn__reset_answers(conn);

	for (size_t at = 0; at < closing->length; at += strlen(closing->data + at) + 1)
		most += 2;
	return most + 2;
}

/* All in one piece of memory: the leg, items, what was sent for them, their texts, the inbox. */
static kn__leg *
make(kn__conn *conn, kn__item *items, int count)
{
	size_t n = (size_t) count;
	/* Each has two results and their NULLs at most, an error of the sync and the sync itself. */
	size_t room = 6 * n + 8 + answers_before(conn);
	size_t size =
		sizeof(kn__leg) + n * (sizeof(kn__item) + sizeof(kn__sent)) + room * sizeof(PGresult *);
	kn__leg *leg;
	char *text;

	for (int i = 0; i < count; i++)
		size += items[i].length + 1;
	leg = kn__allocate_zero(conn->allocator, 1, size);
	if (leg == NULL)
		return NULL;
	leg->allocator = conn->allocator;
	leg->size = size;
	leg->inbox.results = (PGresult **) (void *) (leg + 1);
	leg->inbox.room = (int) room;
	leg->flight.conn = conn;
	leg->flight.inbox = &leg->inbox;
	leg->flight.items = (kn__item *) (void *) (leg->inbox.results + room);
	leg->flight.sent = (kn__sent *) (void *) (leg->flight.items + count);
	leg->flight.count = count;
	leg->count = count;
	leg->flight.fault = &leg->fault;
	kn__fault_clear(&leg->fault);
	text = (char *) (leg->flight.sent + count);
	for (int i = 0; i < count; i++)
	{
		leg->flight.items[i] = items[i];
		leg->flight.items[i].sql = memcpy(text, items[i].sql, items[i].length + 1);
		text += items[i].length + 1;
	}
	return leg;
}

/*
 * A statement's columns have the same types on both, for it is one database: so what is known of
 * it there is known here.
 */
static bool
learn_from(kn__conn *conn, const kn__conn *like, kn__item *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint64_t key = kn__send_key(&items[i]);
		unsigned shape;

		if (!items[i].wants_rows || kn__memo_find(conn->shapes, key) != KN__SHAPE_UNKNOWN)
			continue;
		shape = kn__memo_find(like->shapes, key);
		if (shape == KN__SHAPE_UNKNOWN)
			return false;
		kn__memo_note(conn->shapes, key, shape);
	}
	return true;
}

static void
count_syncs(kn__leg *leg)
{
	if (!leg->flight.is_piped)
		return;
	leg->syncs = (leg->flight.closes > 0 ? 1 : 0) + (leg->flight.conn->resets > 0 ? 1 : 0);
	for (int i = 0; i < leg->flight.count; i++)
		leg->syncs += leg->flight.items[i].sync_after ? 1 : 0;
}

bool
kn__leg_is_in(const kn__leg *leg)
{
	return leg->is_in;
}

const char *
kn__leg_sql(const kn__leg *leg)
{
	return leg->flight.items[0].sql;
}

kn_status
kn__leg_wait(kn__leg *const *legs, int count, const kn__wait *wait)
{
	const kn__conn *first = legs[0]->flight.conn;

	for (;;)
	{
		struct pollfd fds[MOST_LEGS + 1] = { { .fd = first->wake[0], .events = POLLIN } };
		kn__waited over;

		for (int i = 0; i < count && i < MOST_LEGS; i++)
		{
			PGconn *pg = legs[i]->flight.conn->pg;

			if (take_in(legs[i]))
				return KN_OK;
			fds[i + 1].fd = PQsocket(pg);
			fds[i + 1].events = (short) (POLLIN | (PQflush(pg) > 0 ? POLLOUT : 0));
		}
		over = kn__wait_over(first, wait);
		if (over != KN__WAITED_READY)
			return over == KN__WAITED_TIMEOUT ? KN_TIMEOUT : KN_CANCELED;
		if (poll(fds, (nfds_t) count + 1, kn__wait_timeout(first, wait)) < 0 && errno != EINTR)
			return KN_TIMEOUT;
		if (fds[0].revents != 0)
			kn__wake_empty(first->wake[0]);
		for (int i = 0; i < count && i < MOST_LEGS; i++)
		{
			if (fds[i + 1].revents != 0 && !PQconsumeInput(legs[i]->flight.conn->pg))
				break_off(legs[i]);
		}
	}
}

/* What has arrived; true: that is all. */
static bool
take_in(kn__leg *leg)
{
	PGconn *pg = leg->flight.conn->pg;
	kn__inbox *inbox = &leg->inbox;

	if (!leg->is_in && PQflush(pg) < 0)
		break_off(leg);
	while (!leg->is_in && !PQisBusy(pg))
	{
		PGresult *result;

		/* More than was thought of is read later. */
		if (inbox->count == inbox->room)
		{
			leg->is_in = true;
			break;
		}
		result = PQgetResult(pg);
		inbox->results[inbox->count++] = result;
		leg->is_in = is_last(leg, result);
	}
	return leg->is_in;
}

static bool
is_last(kn__leg *leg, const PGresult *result)
{
	ExecStatusType kind = PQresultStatus(result);

	if (PQstatus(leg->flight.conn->pg) != CONNECTION_OK)
		return true;
	/* It is refused where it is read. */
	if (result != NULL &&
		(kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH))
		return true;
	if (!leg->flight.is_piped)
		return result == NULL;
	if (result != NULL && kind == PGRES_PIPELINE_SYNC)
		leg->syncs--;
	return leg->syncs == 0;
}

/* The connection is gone; the last result says why. */
static void
break_off(kn__leg *leg)
{
	kn__inbox *inbox = &leg->inbox;
	PGresult *result = PQgetResult(leg->flight.conn->pg);

	leg->is_in = true;
	if (result != NULL && inbox->count < inbox->room)
		inbox->results[inbox->count++] = result;
	else
	{
		PQclear(result);
		kn__flight_lose(&leg->flight);
		kn__flight_finish(&leg->flight);
		leg->has_sent = false;
	}
}

kn_status
kn__leg_end(kn__leg *leg, kn__item *items, const kn__wait *wait, kn__outcome *outcome,
			kn__fault *fault)
{
	kn__flying *flight = &leg->flight;
	int count = leg->count;

	flight->wait = wait;
	if (leg->has_sent)
		kn__flight_answer(flight);
	*outcome = kn__flight_outcome(flight);
	/* As a flight does it. */
	if (kn__flight_is_once_more(flight, false))
		return kn__flight(flight->conn, items, count, wait, outcome, fault);
	for (int i = 0; i < count; i++)
	{
		items[i].status = flight->items[i].status;
		items[i].affected = flight->items[i].affected;
		items[i].result = flight->items[i].result;
		items[i].sync_after = flight->items[i].sync_after;
		flight->items[i].result = NULL;
	}
	if (flight->status != KN_OK)
		kn__fault_copy(fault, &leg->fault);
	else if (flight->conn->strangers > 0)
		return kn__flight_ask_late(flight->conn, wait, fault);
	return flight->status;
}

void
kn__leg_abandon(kn__leg *leg, const int *stop)
{
	leg->over.deadline = kn__now(leg->flight.conn->clock);
	leg->over.stop = stop;
	leg->flight.wait = &leg->over;
	if (leg->has_sent)
		kn__flight_answer(&leg->flight);
}

void
kn__leg_free(kn__leg *leg)
{
	kn__inbox *inbox = &leg->inbox;

	for (int i = 0; i < leg->count; i++)
		kn__result_free(leg->flight.items[i].result);
	for (; inbox->at < inbox->count; inbox->at++)
		PQclear(inbox->results[inbox->at]);
	kn__release(leg->allocator, leg, leg->size);
}
