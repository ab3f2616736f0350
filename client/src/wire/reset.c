/*
 * reset.c
 *		Undoes what somebody's function may have left in the session.
 *
 * A function can set what its text does not show: settings, the role, locks, temporary tables.  The
 * connection is marked when one was called, and before its next flight, in the same message and as
 * a transaction of its own, goes all that DISCARD ALL does, but for the statements that are
 * prepared: they are the library's.  Whoever is next has nothing of it and waits for nothing.
 */
#include "wire/flight.h"

#include <stdio.h>

static const char *const x_statements[] = {
	"RESET SESSION AUTHORIZATION",
	"RESET ROLE",
	"RESET ALL",
	"CLOSE ALL",
	"UNLISTEN *",
	"DISCARD TEMP",
	"DISCARD SEQUENCES",
	"SELECT pg_catalog.pg_advisory_unlock_all()",
};

#define COUNT ((int) (sizeof(x_statements) / sizeof(x_statements[0])))

static bool send_one(kn__conn *conn, int i, const char *sql);

void
kn__conn_touch(kn__conn *conn)
{
	conn->must_reset = true;
}

/* Whether the next flight begins with it: not within a transaction, whose settings they are. */
bool
kn__reset_is_due(const kn__conn *conn)
{
	return conn->must_reset && PQtransactionStatus(conn->pg) == PQTRANS_IDLE;
}

/* Each is prepared and run, and its sync may say what is wrong. */
size_t
kn__reset_answers(const kn__conn *conn)
{
	return kn__reset_is_due(conn) ? 4 * (COUNT + KN__SETTLED) + 2 : 0;
}

/* In a pipeline; false: the connection is gone. */
bool
kn__reset_send(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	bool is_sent = true;

	if (flight->is_lost || !kn__reset_is_due(conn))
		return !flight->is_lost;
	conn->must_reset = false;
	for (int i = 0; i < COUNT + KN__SETTLED && is_sent; i++)
	{
		const char *sql = i < COUNT ? x_statements[i] : conn->settled[i - COUNT];

		is_sent = sql == NULL || send_one(conn, i, sql);
	}
	conn->has_reset = !conn->never_prepares;
	if (!is_sent || !PQpipelineSync(conn->pg))
		kn__flight_lose(flight);
	return !flight->is_lost;
}

/* By a name, from the first time on, for most of their cost is to be read. */
static bool
send_one(kn__conn *conn, int i, const char *sql)
{
	char name[20];

	conn->resets++;
	if (conn->never_prepares)
		return PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 0;
	(void) snprintf(name, sizeof(name), "kn_reset_%d", i);
	if (!conn->has_reset)
	{
		conn->resets++;
		if (!PQsendPrepare(conn->pg, name, sql, 0, NULL))
			return false;
	}
	return PQsendQueryPrepared(conn->pg, name, 0, NULL, NULL, NULL, 0) != 0;
}

/* Its answers.  Where it has failed nobody is to have the session after this flight. */
void
kn__reset_answer(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	kn__fault *fault = flight->fault;
	kn__fault own;

	if (conn->resets == 0)
		return;
	kn__fault_clear(&own);
	flight->fault = &own;
	for (; conn->resets > 0 && !flight->is_lost; conn->resets--)
		kn__answer_command(flight, NULL, NULL);
	conn->resets = 0;
	if (flight->group_failed)
		kn__conn_soil(conn);
	if (!flight->is_lost)
		kn__answer_sync(flight, NULL);
	flight->fault = fault;
	if (flight->is_lost && own.error.status != KN_OK)
		kn__fault_copy(fault, &own);
	flight->group_done = false;
}
