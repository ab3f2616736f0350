/*
 * reset.c
 *		Undoes what somebody's function may have left in the session.
 *
 * A function can set what its text does not show: settings, the role, locks, temporary tables.  The
 * connection is marked when one was called, and before its next flight, in the same message and as
 * a transaction of its own, goes all that DISCARD ALL does, but for the statements that are
 * prepared: they are the library's, and where there are others the session is nobody's any more.
 * Whoever is next has nothing of it and waits for nothing.
 *
 * That it is done is not known when the next statements are sent.  So its last word prepares an
 * empty statement of a name that is used once, and theirs begin by running that: if anything has
 * kept the session from being cleaned, the server passes over them.  Nobody can have taken the name
 * before, for nobody knows it.
 */
#include "wire/flight.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* The library's come by messages of the protocol: any other may stand where one of these was. */
static const char x_others[] =
	"SELECT 1 / CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql)"
	" THEN 0 ELSE 1 END";

static const char *const x_statements[] = {
	"RESET SESSION AUTHORIZATION",
	"RESET ROLE",
	"RESET ALL",
	"CLOSE ALL",
	"UNLISTEN *",
	"DISCARD TEMP",
	"DISCARD SEQUENCES",
	"SELECT pg_catalog.pg_advisory_unlock_all()",
	x_others,
};

#define COUNT     ((int) (sizeof(x_statements) / sizeof(x_statements[0])))
#define NAME_SIZE 40

static bool send_one(kn__conn *conn, int i, const char *sql);
static bool send_mark(kn__conn *conn);
static int syncs_due(const kn__flying *flight);
static uint64_t new_number(const kn__conn *conn);

void
kn__conn_touch(kn__conn *conn)
{
	conn->must_reset = true;
}

bool
kn__conn_is_touched(const kn__conn *conn)
{
	return conn->must_reset;
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
	char sql[NAME_SIZE];

	if (conn->never_prepares)
		return true;
	if (conn->clean != 0)
	{
		(void) snprintf(sql, sizeof(sql), "DEALLOCATE kn_clean_%016" PRIx64, conn->clean);
		conn->resets++;
		if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
			return false;
	}
	conn->clean = new_number(conn);
	(void) snprintf(sql, sizeof(sql), "kn_clean_%016" PRIx64, conn->clean);
	conn->resets++;
	return PQsendPrepare(conn->pg, sql, "", 0, NULL) != 0;
}

/* One that nobody can tell before, and never 0. */
static uint64_t
new_number(const kn__conn *conn)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t) sizeof(number))
	{
		const uint64_t seeds[] = { (uint64_t) kn__now(NULL), (uint64_t) (uintptr_t) conn };

		number = kn__hash(seeds, sizeof(seeds), conn->clean);
	}
	return number == 0 ? 1 : number;
}

/*
 * Before the first statement of a flight that the reset goes out with; false: the connection is
 * gone, or nobody can have it.  Where nothing is prepared, the reset is waited for.
 */
bool
kn__reset_guard(kn__flying *flight)
{
	kn__conn *conn = flight->conn;
	char name[NAME_SIZE];
	kn__fault why;

	if (flight->is_lost || conn->resets == 0)
		return !flight->is_lost;
	if (conn->never_prepares)
	{
		if (kn__reset_answer(flight, &why))
			kn__reset_refuse(flight, &why, true);
		flight->is_flushed = false;
		return !flight->is_lost;
	}
	(void) snprintf(name, sizeof(name), "kn_clean_%016" PRIx64, conn->clean);
	conn->is_guarded = PQsendQueryPrepared(conn->pg, name, 0, NULL, NULL, NULL, 0) != 0;
	if (!conn->is_guarded)
		kn__flight_lose(flight);
	return !flight->is_lost;
}

/*
 * What follows it has been let through, or passed over.  A request to cancel may come between the
 * mark and the end of the reset: then that is undone, and the mark is there all the same.
 */
void
kn__reset_answer_guard(kn__flying *flight, const kn__fault *unclean)
{
	kn__conn *conn = flight->conn;
	bool was_guarded = conn->is_guarded;
	int syncs;

	conn->is_guarded = false;
	if (flight->is_lost || !was_guarded)
		return;
	syncs = syncs_due(flight);
	kn__answer_command(flight, NULL, NULL);
	if (flight->is_lost)
		return;
	if (unclean != NULL)
	{
		kn__reset_pass_over(flight, syncs);
		kn__reset_refuse(flight, unclean, flight->group_failed);
	}
	else if (flight->group_failed)
	{
		flight->status = flight->stopped != KN_OK ? flight->stopped : flight->fault->error.status;
		flight->fault->error.status = flight->status;
	}
}

/* Of what comes after the guard; what was not sent as a whole ends in an error of its own. */
static int
syncs_due(const kn__flying *flight)
{
	int syncs = flight->status == KN_OK ? 0 : 1;

	for (int i = 0; i < flight->count; i++)
		syncs += flight->items[i].sync_after ? 1 : 0;
	return syncs > 0 ? syncs : 1;
}

/*
 * Reads the rest of the answers, though nobody wants them.  A pooler gives the session of who has
 * gone to the next one as soon as the server was ready once, and he would get those that are still
 * on their way.
 */
void
kn__reset_pass_over(kn__flying *flight, int syncs)
{
	for (int ends = 0; ends < 2 && syncs > 0 && !flight->is_lost;)
	{
		PGresult *result = kn__answer_next(flight);

		ends = result == NULL ? ends + 1 : 0;
		syncs -= PQresultStatus(result) == PGRES_PIPELINE_SYNC ? 1 : 0;
		PQclear(result);
	}
}

/* By a name, from the first time on, for most of their cost is to be read. */
static bool
send_one(kn__conn *conn, int i, const char *sql)
{
	char name[NAME_SIZE];

	conn->resets++;
	if (conn->never_prepares)
		return PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 0;
	if (conn->reset == 0)
		conn->reset = new_number(conn);
	(void) snprintf(name, sizeof(name), "kn_reset_%016" PRIx64 "_%d", conn->reset, i);
	if (!conn->has_reset)
	{
		conn->resets++;
		if (!PQsendPrepare(conn->pg, name, sql, 0, NULL))
			return false;
	}
	return PQsendQueryPrepared(conn->pg, name, 0, NULL, NULL, NULL, 0) != 0;
}

/* Its answers; true: it has failed, for that reason, and nobody is to have the session. */
bool
kn__reset_answer(kn__flying *flight, kn__fault *why)
{
	kn__conn *conn = flight->conn;
	kn__fault *fault = flight->fault;
	kn_status status = flight->status;

	if (conn->resets == 0)
		return false;
	kn__fault_clear(why);
	flight->fault = why;
	/* Of errors only the first is looked at, and there may be one already that is not of these. */
	flight->status = KN_OK;
	for (; conn->resets > 0 && !flight->is_lost; conn->resets--)
		kn__answer_command(flight, NULL, NULL);
	conn->resets = 0;
	if (!flight->is_lost)
		kn__answer_sync(flight, NULL);
	flight->fault = fault;
	flight->group_done = false;
	if (flight->is_lost && why->error.status != KN_OK)
		kn__fault_copy(fault, why);
	if (flight->is_lost)
		return false;
	flight->status = status;
	return why->error.status != KN_OK;
}

/*
 * Another connection will do, and it is neither the server's fault nor that of what is not run;
 * if it was run, nobody knows where.
 */
void
kn__reset_refuse(kn__flying *flight, const kn__fault *why, bool is_undone)
{
	flight->is_lost = flight->conn->is_broken = true;
	flight->is_undone = is_undone;
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
	flight->fault->is_unclean = is_undone;
	flight->fault->may_quote = why->may_quote;
}
