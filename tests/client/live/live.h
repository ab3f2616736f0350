/*
 * live.h
 *		What the tests that need a server share: a handle, and a session of its own to look from.
 *
 * The handle goes by the PG* variables, which may name a pooler; the session goes to the server
 * directly, by KN_TEST_DIRECT.  What PG* name listens on a Unix socket in any case, in the
 * directory KN_TEST_SOCKET; KN_TEST_TLS says that they name it by TCP, with TLS.
 *
 * Through the pooler a test says the same, or what is different there.  One that has no subject
 * there is not added, and that is printed: what asserts nothing would count as passed.
 */
#ifndef KN_TESTS_LIVE_H
#define KN_TESTS_LIVE_H

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../suite.h"
#include "kints/kints.h"

#define OPEN(db, ...)                                                                        \
	do                                                                                       \
	{                                                                                        \
		char why_[256];                                                                      \
		ck_assert_msg(kn_open(&(db), why_, sizeof(why_), __VA_ARGS__) == KN_OK, "%s", why_); \
	} while (0)

/* A status, and the whole error where it is another one. */
#define EXPECT(cx, call, expected)                     \
	do                                                 \
	{                                                  \
		kn_status got_ = (call);                       \
		ck_assert_msg(got_ == (expected),              \
					  "%s: %s instead of %s: [%s] %s", \
					  #call,                           \
					  kn_status_name(got_),            \
					  kn_status_name(expected),        \
					  kn_last_error(cx)->sqlstate,     \
					  kn_last_error(cx)->message);     \
	} while (0)
#define EXPECT_OK(cx, call) EXPECT(cx, call, KN_OK)

/* A text that the server cannot take, so it is not sent. */
#define UNSENDABLE ((kn_str){ "a\0b", 3 })

static inline bool
is_pooled(void)
{
	const char *pooled = getenv("KN_TEST_POOLED");

	return pooled != NULL && *pooled != '\0';
}

/*
 * Adds a test that has no subject where there is a pooler, or where there is none: there it prints
 * why it is not run.  Printed at once, or else each child of the suite would print it again.
 */
#define DIRECT_ONLY(tcase, test, why) DIRECT_LOOP(tcase, test, 1, why)
#define POOLED_ONLY(tcase, test, why) ONLY(is_pooled(), "without a pooler", tcase, test, 1, why)
/* What memcheck cannot be told of, or makes take too long. */
#define QUICK_ONLY(tcase, test, why) ONLY(!is_slow(), "under valgrind", tcase, test, 1, why)
#define LEAVES_MEMORY                "a child leaves the memory of libpq alone, which memcheck takes for a leak"
/* The same of a test that runs so many times. */
#define DIRECT_LOOP(tcase, test, count, why) \
	ONLY(!is_pooled(), "through the pooler", tcase, test, count, why)
/* A test that connects with nobody, so it says the same wherever that would be. */
#define ONCE_LOOP(tcase, test, count, why)                \
	ONLY(!is_pooled() && !is_tls(),                       \
		 is_pooled() ? "through the pooler" : "over TLS", \
		 tcase,                                           \
		 test,                                            \
		 count,                                           \
		 why)
#define ONLY(is_so, where, tcase, test, count, why)                   \
	do                                                                \
	{                                                                 \
		if (is_so)                                                    \
			tcase_add_loop_test(tcase, test, 0, count);               \
		else                                                          \
			(void) printf("not run %s: %s: %s\n", where, #test, why); \
		(void) fflush(stdout);                                        \
	} while (0)

/*
 * Where each connection has a session of its own: with the pooler a database of it, whose handle is
 * to be told so, by sessions_mode().
 */
static inline const char *
sessions(void)
{
	return is_pooled() ? "dbname=kn_sessions" : "";
}

static inline kn_mode
sessions_mode(void)
{
	return is_pooled() ? KN_OFF : KN_AUTOMATIC;
}

static inline bool
is_tls(void)
{
	const char *tls = getenv("KN_TEST_TLS");

	return tls != NULL && *tls != '\0';
}

/* Where the Unix socket of what is tested is, whatever it is tested by. */
static inline const char *
socket_dir(void)
{
	return getenv("KN_TEST_SOCKET");
}

static inline PGconn *
look_open(void)
{
	PGconn *look = PQconnectdb(getenv("KN_TEST_DIRECT"));

	ck_assert_msg(PQstatus(look) == CONNECTION_OK, "%s", PQerrorMessage(look));
	PQclear(PQexec(look, "SET client_min_messages = error"));
	return look;
}

/* The same where the server may be down for a moment. */
static inline PGconn *
look_again(void)
{
	PGconn *look;

	while (look = PQconnectdb(getenv("KN_TEST_DIRECT")), PQstatus(look) != CONNECTION_OK)
	{
		PQfinish(look);
		(void) poll(NULL, 0, 10);
	}
	return look;
}

/* Statements that have to succeed. */
static inline void
look_do(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);

	ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK ||
					  PQresultStatus(result) == PGRES_TUPLES_OK,
				  "%s: %s",
				  sql,
				  PQresultErrorMessage(result));
	PQclear(result);
}

/* The number that a query gives. */
static inline long
look_number(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);
	long number;

	ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1,
				  "%s: %s",
				  sql,
				  PQresultErrorMessage(result));
	number = atol(PQgetvalue(result, 0, 0));
	PQclear(result);
	return number;
}

/* Waits until a query, which the server decides, gives a number: the server's work is awaited so.
 */
static inline void
look_await(PGconn *look, const char *sql, long number)
{
	while (look_number(look, sql) != number)
		look_do(look, "SELECT pg_sleep(0.002), pg_stat_clear_snapshot()");
}

/* By its console the pooler does what it is told. */
static inline void
pooler_do(const char *command)
{
	char conninfo[200];
	PGconn *console;

	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s port=%s dbname=pgbouncer",
					socket_dir(),
					getenv("PGPORT"));
	console = PQconnectdb(conninfo);
	ck_assert_msg(PQstatus(console) == CONNECTION_OK, "%s", PQerrorMessage(console));
	look_do(console, command);
	PQfinish(console);
}

static inline kn_stats
stats_of(const kn_db *db)
{
	kn_stats stats = { .size = sizeof(stats) };

	ck_assert_int_eq(kn_get_stats(db, 0, &stats), KN_OK);
	return stats;
}

/* Everything that was taken came back. */
static inline void
close_even(kn_db *db)
{
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_int_eq(kn_close(db, 5000), KN_OK);
}

/* The one number of a query's one row. */
static inline int64_t
number_of(kn_ctx *cx, kn_rows *rows)
{
	int64_t number = kn_next(rows) ? kn_get_i64(rows, 0) : INT64_MIN;

	ck_assert_int_eq(kn_next(rows), false);
	EXPECT_OK(cx, kn_done(rows));
	return number;
}

/* The same where it may fail, and then another number. */
static inline int64_t
number_of_or(kn_ctx *cx, kn_rows *rows, int64_t otherwise)
{
	int64_t number = kn_next(rows) ? kn_get_i64(rows, 0) : otherwise;

	(void) cx;
	return kn_done(rows) == KN_OK ? number : otherwise;
}

#endif
