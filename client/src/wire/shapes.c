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
 * them once in the life of a handle.  Until it has answered the statement stays unknown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/flight.h"

static void note_strange(kn__conn *conn, uint32_t oid);
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
		if (form == KN__FORM_UNKNOWN)
			return KN__SHAPE_UNKNOWN;
		if (form == KN__FORM_OTHER)
			shape = KN__SHAPE_TEXT;
	}
	return shape;
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
 * over, the connection is lost, or the transaction failed.  What the server will not tell goes as a
 * type without a codec, from now on.
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
		take_forms(conn->known, (const PGresult *) item.result);
	kn__result_free(item.result);
	if (own.status != KN_NO_MEMORY && own.stopped == KN_OK && !own.is_lost)
	{
		for (int i = 0; i < count; i++)
		{
			if (kn__known_find(conn->known, oids[i]) == KN__FORM_UNKNOWN)
				kn__known_note(conn->known, oids[i], KN__FORM_OTHER);
		}
		if (own.status != KN_OK && !in_transaction)
		{
			kn__fault_clear(flight->fault);
			own.status = KN_OK;
		}
	}
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
	if (in_transaction && !flight.is_lost && flight.stopped == KN_OK)
		return flight.status;
	kn__fault_clear(fault);
	return KN_OK;
}

static bool
make_question(kn__buf *sql, const uint32_t *oids, int count)
{
	static const char head[] = "SELECT t.oid, " KN__SQL_OF_FORM
							   "  FROM pg_catalog.pg_type AS t"
							   " WHERE t.oid OPERATOR(pg_catalog.=) ANY"
							   " ('{";
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
