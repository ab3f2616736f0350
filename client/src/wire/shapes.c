/*
 * shapes.c
 *		Of which statements all columns can be had in binary.
 *
 * libpq asks for all columns of a result in one format, so it has to be known
 * beforehand whether each of them has a codec.  What the server has said once
 * of a statement is kept in a memo.  What is wrong there, for the schema has changed, is
 * found out when the result comes, and noted anew.
 *
 * Types that are a database's own have numbers of its own: the server is asked for each of
 * them once in the life of a handle.  Until it has answered the statement stays unknown.  Who gets
 * no answer, for he may not ask, has them as text, and does not ask each time; whoever may, does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/flight.h"

#define PAUSE_S 60 /* after a question that failed */

static bool asks_in_vain(const kn__conn *conn);
static uint32_t second(const kn__conn *conn);
static void note_strange(kn__conn *conn, uint32_t oid);
static void note_refusal(kn__conn *conn, kn_status status, bool in_transaction);
static bool make_question(kn__buf *sql, const uint32_t *oids, int count);
static void take_forms(kn__known *known, const PGresult *result);

/* Of a description, or of a result. */
kn__shape
kn__shape_of(const kn__conn *conn, const PGresult *result)
{
	kn__shape shape = KN__SHAPE_BINARY;

	for (int i = 0; i < PQnfields(result); i++)
	{
		uint32_t oid = PQftype(result, i);
		kn__form form;

		if (kn__has_codec(oid))
			continue;
		form = kn__known_find(conn->known, oid);
		if (form == KN__FORM_UNKNOWN && !asks_in_vain(conn))
			return KN__SHAPE_UNKNOWN;
		if (form == KN__FORM_UNKNOWN || form == KN__FORM_OTHER)
			shape = KN__SHAPE_TEXT;
	}
	return shape;
}

static bool
asks_in_vain(const kn__conn *conn)
{
	return conn->has_asked_in_vain || kn__known_is_refused(conn->known, conn->asker, second(conn));
}

static uint32_t
second(const kn__conn *conn)
{
	return (uint32_t) (kn__now(conn->clock) / KN__NS_PER_S);
}

/* The role is the last of what is set. */
void
kn__shapes_note_role(kn__conn *conn, const kn__item *item)
{
	const kn_value *last = &item->values[item->count - 1];

	if (item->count >= 2 && last[-1].n == 4 && memcmp(last[-1].as.p, "role", 4) == 0)
		conn->role = (uint32_t) kn__hash(last->as.p, last->n, 0);
}

void
kn__shape_note(kn__conn *conn, uint64_t key, const PGresult *description)
{
	kn__shape shape = kn__shape_of(conn, description);

	kn__memo_note(conn->shapes, key, shape);
	for (int i = 0; shape == KN__SHAPE_UNKNOWN && i < PQnfields(description); i++)
	{
		uint32_t oid = PQftype(description, i);

		if (!kn__has_codec(oid) && kn__known_find(conn->known, oid) == KN__FORM_UNKNOWN)
			note_strange(conn, oid);
	}
}

static void
note_strange(kn__conn *conn, uint32_t oid)
{
	for (int i = 0; i < conn->strangers; i++)
	{
		if (conn->strange[i] == oid)
			return;
	}
	if (conn->strangers < KN__MOST_STRANGE)
		conn->strange[conn->strangers++] = oid;
}

/*
 * Asks for the types that descriptions had and nobody knows; false: there are none, or the time is
 * over, the connection is lost, or the transaction failed.  What the server does not know goes as a
 * type without a codec, from now on; where it will not tell, all does that is had as the same role.
 */
bool
kn__flight_ask_types(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	kn__item item = { .never_prepare = true, .wants_rows = true };
	kn__sent sent;
	kn__flying own = { .conn = conn,
					   .wait = flight->wait,
					   .items = &item,
					   .sent = &sent,
					   .count = 1,
					   .fault = flight->fault };
	uint32_t oids[KN__MOST_STRANGE];
	int count = conn->strangers;
	bool in_transaction = kn__conn_in_transaction(conn);
	kn__buf sql;

	if (count == 0)
		return false;
	memcpy(oids, conn->strange, sizeof(oids));
	conn->strangers = 0;
	conn->asker = in_transaction ? conn->role | 1 : 0;
	if (asks_in_vain(conn))
		return false;
	kn__buf_init(&sql, conn->allocator, SIZE_MAX / 2);
	if (!make_question(&sql, oids, count))
		own.status = kn__fail(flight->fault, KN_NO_MEMORY, "out of memory");
	else
	{
		item.sql = sql.data;
		item.length = sql.length - 1;
		item.hash = kn__hash(item.sql, item.length, 0);
		/* It is not to be described in its turn. */
		kn__memo_note(conn->shapes, kn__send_key(&item), KN__SHAPE_TEXT);
		if (kn__flight_send(&own))
			kn__flight_answer(&own);
	}
	kn__buf_release(&sql);
	if (own.status == KN_OK && item.result != NULL)
	{
		take_forms(conn->known, (const PGresult *) item.result);
		for (int i = 0; i < count; i++)
		{
			if (kn__known_find(conn->known, oids[i]) == KN__FORM_UNKNOWN)
				kn__known_note(conn->known, oids[i], KN__FORM_OTHER);
		}
	}
	else if (own.status != KN_NO_MEMORY && own.stopped == KN_OK && !own.is_lost)
	{
		note_refusal(conn, own.status, in_transaction);
		if (!in_transaction)
		{
			kn__fault_clear(flight->fault);
			own.status = KN_OK;
		}
	}
	kn__result_free(item.result);
	if (own.status == KN_OK && own.stopped != KN_OK)
		own.status = kn__fail(flight->fault, own.stopped, "%s", kn_status_text(own.stopped));
	/* Nothing of the caller's has been sent. */
	flight->fault->was_begun = false;
	flight->fault->error.item = -1;
	flight->status = own.status;
	flight->stopped = own.stopped;
	flight->is_lost = own.is_lost;
	return own.status == KN_OK;
}

/* A transaction that fails for that is too much to have it more than once. */
static void
note_refusal(kn__conn *conn, kn_status status, bool in_transaction)
{
	bool is_for_good = in_transaction && status == KN_AUTH;

	conn->has_asked_in_vain = true;
	kn__known_refuse(conn->known, conn->asker, is_for_good ? UINT32_MAX : second(conn) + PAUSE_S);
}

/*
 * What came as text, and could not be described beforehand: a statement before it may have made its
 * types.  That it has been answered stands, unless this is the end of its transaction.
 */
kn_status
kn__flight_ask_late(kn__conn *conn, const kn__wait *wait, kn__fault *fault)
{
	bool in_transaction = kn__conn_in_transaction(conn);
	kn__flying flight = { .conn = conn, .wait = wait, .fault = fault };

	if (kn__flight_ask_types(&flight))
		return KN_OK;
	if (in_transaction && !flight.is_lost &&
		(flight.stopped == KN_OK || kn__conn_in_failed_transaction(conn)))
		return flight.status;
	kn__fault_clear(fault);
	return KN_OK;
}

static bool
make_question(kn__buf *sql, const uint32_t *oids, int count)
{
	static const char head[] = "SELECT t.oid, " KN__SQL_OF_FORM
							   "  FROM pg_catalog.pg_type AS t"
							   " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_type AS d"
							   "   WHERE d.oid OPERATOR(pg_catalog.=) t.typelem"
							   "    AND d.typdelim OPERATOR(pg_catalog.<>) ',')"
							   "  AND t.oid OPERATOR(pg_catalog.=) ANY ('{";
	char number[16];

	kn__buf_add(sql, head, sizeof(head) - 1);
	for (int i = 0; i < count; i++)
	{
		(void) snprintf(number, sizeof(number), "%s%u", i == 0 ? "" : ",", oids[i]);
		kn__buf_add(sql, number, strlen(number));
	}
	kn__buf_add(sql, "}'::pg_catalog.oid[])", sizeof("}'::pg_catalog.oid[])"));
	return !sql->has_failed;
}

static void
take_forms(kn__known *known, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
	{
		uint32_t oid = (uint32_t) strtoul(PQgetvalue(result, i, 0), NULL, 10);
		long form = strtol(PQgetvalue(result, i, 1), NULL, 10);

		if (form == KN__FORM_TEXT || form == KN__FORM_TEXTS)
			kn__known_note(known, oid, (kn__form) form);
	}
}
