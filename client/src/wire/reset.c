/*
 * reset.c
 *		Undoes what somebody's function may have left in the session.
 *
 * A function can set what its text does not show: settings, the role, locks, temporary tables.  The
 * connection is marked when one was called, and before its next flight, in the same message and as
 * a transaction of its own, goes all that DISCARD ALL does, but for the statements that are
 * prepared: they are the library's.  Whoever is next has nothing of it and waits for nothing.
 *
 * That it is done is not known when the next statements are sent.  So its last word prepares an
 * empty statement of a name that is used once, and theirs begin by running that: if anything has
 * kept the session from being cleaned, the server passes over them.
 */
#include "wire/flight.h"

#include <stdio.h>
#include <string.h>

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
static bool send_mark(kn__conn *conn);
static void refuse(kn__flying *flight, const kn__fault *why);

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
	return kn__reset_is_due(conn) ? 4 * (COUNT + KN__SETTLED) + 8 : 0;
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
	if (!is_sent || !send_mark(conn) || !PQpipelineSync(conn->pg))
		kn__flight_lose(flight);
	return !flight->is_lost;
}

/* The mark of the last time goes with it. */
static bool
send_mark(kn__conn *conn)
{
	char sql[40];

	if (conn->never_prepares)
		return true;
	if (conn->clean > 0)
	{
		(void) snprintf(sql, sizeof(sql), "DEALLOCATE kn_clean_%u", conn->clean);
		conn->resets++;
		if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
			return false;
	}
	(void) snprintf(sql, sizeof(sql), "kn_clean_%u", ++conn->clean);
	conn->resets++;
	return PQsendPrepare(conn->pg, sql, "", 0, NULL) != 0;
}

/*
 * Before the first statement of a flight that the reset goes out with; false: the connection is
 * gone, or nobody can have it.  Where nothing is prepared, the reset is waited for.
 */
bool
kn__reset_guard(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	char name[40];

	if (flight->is_lost || conn->resets == 0)
		return !flight->is_lost;
	if (conn->never_prepares)
	{
		kn__reset_answer(flight);
		flight->is_flushed = false;
		return !flight->is_lost;
	}
	(void) snprintf(name, sizeof(name), "kn_clean_%u", conn->clean);
	conn->is_guarded = PQsendQueryPrepared(conn->pg, name, 0, NULL, NULL, NULL, 0) != 0;
	if (!conn->is_guarded)
		kn__flight_lose(flight);
	return !flight->is_lost;
}

/* It has been let through, or was cancelled just there. */
void
kn__reset_answer_guard(kn__flying *flight)
{
	bool was_guarded = flight->conn->is_guarded;

	flight->conn->is_guarded = false;
	if (flight->is_lost || !was_guarded)
		return;
	kn__answer_command(flight, NULL, NULL);
	if (!flight->group_failed || flight->is_lost)
		return;
	flight->status = flight->stopped != KN_OK ? flight->stopped : flight->fault->error.status;
	flight->fault->error.status = flight->status;
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

/* Its answers.  Where it has failed nobody is to have the session, and nothing more is done. */
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
	flight->fault = fault;
	if (flight->group_failed && !flight->is_lost)
		refuse(flight, &own);
	else if (flight->is_lost && own.error.status != KN_OK)
		kn__fault_copy(fault, &own);
	if (!flight->is_lost)
		kn__answer_sync(flight, NULL);
	flight->group_done = false;
}

/* Another connection will do, and it is neither the server's fault nor that of what is not run. */
static void
refuse(kn__flying *flight, const kn__fault *why)
{
	flight->is_lost = flight->conn->is_broken = true;
	flight->is_undone = true;
	if (flight->stopped != KN_OK)
	{
		flight->status =
			kn__fail(flight->fault, flight->stopped, "%s", kn_status_text(flight->stopped));
		return;
	}
	flight->status = kn__fail(flight->fault,
							  KN_CONN_LOST,
							  "what a function has left in the session could not be undone: %s",
							  why->error.message);
	memcpy(flight->fault->error.sqlstate, why->error.sqlstate, 6);
	flight->fault->is_unclean = true;
	flight->fault->may_quote = why->may_quote;
}
