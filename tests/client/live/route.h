/*
 * route.h
 *		What the tests of several servers share: checks, commands, and where a statement was
 *		run.
 *
 * KN_TEST_DIRECT and KN_TEST_REPLICA are conninfos of the primary and of a standby, without
 * a pooler; KN_TEST_PRIMARY_CONTROL and KN_TEST_REPLICA_CONTROL what begins a command of the
 * shell, pg_ctl and all, that says what is to be done to either.
 */
#ifndef KN_TESTS_ROUTE_H
#define KN_TESTS_ROUTE_H

#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "kints/kints.h"

#define PATIENCE   (60 * KN__NS_PER_S) /* for what is sure to come */
#define REQUEST_MS (PATIENCE / KN__NS_PER_MS)
#define LAG_MS     500
#define PROBE_MS   20
#define CANCEL_MS  200
#define SELDOM_MS  600000 /* long after all of this */

static kn_db *db;
static int64_t lag_ms = LAG_MS; /* of what is opened from now on */
static int passed;
static int failed;

static inline void
check(bool is_so, const char *what)
{
	*(is_so ? &passed : &failed) += 1;
	if (!is_so)
		(void) fprintf(stderr, "not so: %s\n", what);
}

/* Goes straight to a server, and ends the program if that fails. */
static inline void
tell(const char *conninfo, const char *sql)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		(void) fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
		exit(EXIT_FAILURE);
	}
	PQclear(result);
	PQfinish(conn);
}

/* What pg_ctl does to a server; control is the variable that begins the command. */
static inline void
control(const char *control, const char *what)
{
	char command[2000];

	(void) snprintf(command,
					sizeof(command),
					"%s %s >/dev/null 2>&1 </dev/null",
					getenv(control),
					what);
	if (system(command) != 0)
	{
		(void) fprintf(stderr, "failed: %s\n", command);
		exit(EXIT_FAILURE);
	}
}

typedef enum place
{
	PRIMARY,
	REPLICA,
	NOWHERE
} place;

/* Where a statement was run that says pg_is_in_recovery() in its first column. */
static inline place
place_of(kn_rows *rows)
{
	place found = NOWHERE;

	if (kn_next(rows))
		found = kn_get_bool(rows, 0) ? REPLICA : PRIMARY;
	return kn_done(rows) == KN_OK ? found : NOWHERE;
}

static inline place
read_with(const kn_request *request)
{
	KN_AUTO(kn_ctx) *cx = kn_begin_request(db, request);

	return place_of(kn_query(cx, "SELECT pg_is_in_recovery()"));
}

/* Reads until one is served there; false: that never came. */
static inline bool
reads_come_to(place where, uint64_t min_lsn)
{
	const kn_request request = { .size = sizeof(request), .min_lsn = min_lsn };
	int64_t end = kn__now(NULL) + PATIENCE;

	while (kn__now(NULL) < end)
	{
		if (read_with(&request) == where)
			return true;
	}
	return false;
}

static inline kn_db *
open_both(const char *primary, const char *replica, int64_t probe_ms)
{
	const char *replicas[2] = { replica, NULL };
	kn_db *both;
	char why[256];

	if (kn_open(&both,
				why,
				sizeof(why),
				.conninfo = primary,
				.replicas = replicas,
				.lag_ms = lag_ms,
				.probe_ms = probe_ms,
				.cancel_ms = CANCEL_MS) != KN_OK)
	{
		(void) fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	return both;
}

static inline void
open_servers(const char *primary, const char *replica)
{
	db = open_both(primary, replica, PROBE_MS);
}

#endif
