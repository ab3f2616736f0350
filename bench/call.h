/*
 * call.h
 *		The call that is measured, with libpq and with the client, and how figures are printed.
 */
#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "bench.h"
#include "kints/kints.h"

#define ROUNDS 5
#define TURNS  10   /* in a round */
#define CALLS  1000 /* in a turn */

static const char by_key[] = "SELECT id, name FROM bench_item WHERE id = $1";

/* Time that passes, and time the thread works. */
typedef struct span
{
	double wall;
	double cpu;
} span;

static PGconn *conn;
static kn_db *db;

static int64_t sum; /* of what was read, so that it is */

static inline void
die(const char *what)
{
	(void) fprintf(stderr, "bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static inline double
now(clockid_t clock)
{
	struct timespec time;

	(void) clock_gettime(clock, &time);
	return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* What a function takes. */
static inline span
measure(void (*function)(void))
{
	double wall = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_THREAD_CPUTIME_ID);

	function();
	cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
	return (span){ now(CLOCK_MONOTONIC) - wall, cpu };
}

static inline void
finish(PGresult *result, ExecStatusType expected)
{
	if (PQresultStatus(result) != expected)
		die(PQerrorMessage(conn));
	PQclear(result);
}

static inline void
connect_libpq(void)
{
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		die(PQerrorMessage(conn));
	finish(PQexec(conn, "SET client_min_messages = warning"), PGRES_COMMAND_OK);
}

static inline void
connect_both(void)
{
	char why[256];

	connect_libpq();
	finish(PQexec(conn, "SET timezone = UTC"), PGRES_COMMAND_OK);
	finish(PQprepare(conn, "by_key", by_key, 0, NULL), PGRES_COMMAND_OK);
	finish(PQprepare(conn, "settings", BENCH_SETTINGS, 0, NULL), PGRES_COMMAND_OK);
	if (kn_open(&db, why, sizeof(why), .max_connections = 1) != KN_OK)
		die(why);
}

static inline void
disconnect_both(void)
{
	PQfinish(conn);
	if (kn_close(db, -1) != KN_OK)
		die("the handle cannot be closed");
}

static inline void
libpq_lookup(int64_t key)
{
	char wire[8];
	const char *values[1] = { wire };
	const int lengths[1] = { sizeof(wire) };
	const int formats[1] = { 1 };
	PGresult *result;

	bench_put_integer(wire, key);
	result = PQexecPrepared(conn, "by_key", 1, values, lengths, formats, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		die(PQerrorMessage(conn));
	sum += bench_integer_at(PQgetvalue(result, 0, 0)) + PQgetvalue(result, 0, 1)[0];
	PQclear(result);
}

static inline void
libpq_calls(void)
{
	for (int i = 1; i <= CALLS; i++)
		libpq_lookup(i);
}

static inline void
take(kn_rows *rows)
{
	if (kn_next(rows))
		sum += kn_get_i64(rows, 0) + kn_get_str(rows, 1).p[0];
	if (kn_done(rows) != KN_OK)
		die("a call has failed");
}

static inline void
client_calls(void)
{
	for (int i = 1; i <= CALLS; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);

		take(kn_query(cx, by_key, (int64_t) i));
		kn_end(cx);
	}
}

/* A goal of 0: there is none. */
static inline void
print(const char *name, double *values, const char *unit, bool is_least, double goal)
{
	double value = bench_median(values, ROUNDS);

	(void) printf("%s\t%.3f\t%s\t", name, value, unit);
	if (goal > 0)
		(void) printf("%s %g\t%s\n",
					  is_least ? ">=" : "<=",
					  goal,
					  (is_least ? value >= goal : value <= goal) ? "ok" : "short");
	else
		(void) puts("-\t-");
	(void) fflush(stdout);
}

#endif
