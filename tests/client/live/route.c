/*
 * route.c
 *		Where statements go when there is a replica: by what they do, by lag, by what was written
 *		before, and after a failover.  tests/client/replica runs it.
 *
 *	route PRIMARY REPLICA STOP PROMOTE START
 *
 * The first two are conninfos, the others commands of the shell: to stop the primary, to promote
 * the replica, returning when that is done, and to start the old primary again.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "kints/kints.h"

#define PAIRS    10000
#define PATIENCE (60 * KN__NS_PER_S) /* for what is sure to come */
#define BOUND_MS 5000.0              /* generous: 1000 is what is wanted of an idle machine */
#define LAG_MS   500
#define PROBE_MS 20

static kn_db *db;
static int passed;
static int failed;

static void
check(bool is_so, const char *what)
{
	*(is_so ? &passed : &failed) += 1;
	if (!is_so)
		(void) fprintf(stderr, "not so: %s\n", what);
}

/* Goes straight to a server, and ends the program if that fails. */
static void
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

static void
run(const char *command)
{
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
static place
place_of(kn_rows *rows)
{
	place found = NOWHERE;

	if (kn_next(rows))
		found = kn_get_bool(rows, 0) ? REPLICA : PRIMARY;
	return kn_done(rows) == KN_OK ? found : NOWHERE;
}

static place
read_with(const kn_request *request)
{
	KN_AUTO(kn_ctx) *cx = kn_begin_request(db, request);

	return place_of(kn_query(cx, "SELECT pg_is_in_recovery()"));
}

/* Reads until one is served there; false: that never came. */
static bool
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

static const struct
{
	const char *sql;
	place expected;
} statements[] = {
	{ "SELECT pg_is_in_recovery()", REPLICA },
	{ "VALUES (pg_is_in_recovery())", REPLICA },
	{ "WITH x AS (SELECT 1) SELECT pg_is_in_recovery() FROM x", REPLICA },
	{ "SELECT pg_is_in_recovery() FROM counter", REPLICA },
	{ "SELECT pg_is_in_recovery() FROM counter FOR UPDATE", PRIMARY },
	{ "SELECT pg_is_in_recovery() FROM counter FOR SHARE", PRIMARY },
	{ "WITH x AS (UPDATE counter SET n = n RETURNING 1) SELECT pg_is_in_recovery() FROM x",
	  PRIMARY },
	{ "INSERT INTO log VALUES (1) RETURNING pg_is_in_recovery()", PRIMARY },
	{ "UPDATE counter SET n = n RETURNING pg_is_in_recovery()", PRIMARY },
	{ "DELETE FROM log RETURNING pg_is_in_recovery()", PRIMARY },
	{ "SELECT pg_is_in_recovery(), nextval('numbers')", PRIMARY },
	/* Nobody can see that it writes; the replica refuses it, and the primary is asked. */
	{ "SELECT pg_is_in_recovery(), bump()", PRIMARY },
};

static void
check_statements(void)
{
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);

		check(place_of(kn_query(cx, statements[i].sql)) == statements[i].expected,
			  statements[i].sql);
	}
}

static void
check_requests(void)
{
	const kn_options writes = { .size = sizeof(writes), .is_write = true };
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
	KN_AUTO(kn_ctx) *primary = kn_begin(db, .route = KN_ROUTE_PRIMARY);
	KN_AUTO(kn_ctx) *replica = kn_begin(db, .route = KN_ROUTE_REPLICA);
	kn_batch *batch = kn_begin_batch(cx);

	check(place_of(kn_query(primary, "SELECT pg_is_in_recovery()")) == PRIMARY, "route: primary");
	check(place_of(kn_query(replica, "SELECT pg_is_in_recovery()")) == REPLICA, "route: replica");
	check(place_of(kn_query(replica, "UPDATE counter SET n = n RETURNING pg_is_in_recovery()")) ==
			  PRIMARY,
		  "writes of a context that reads from replicas");
	check(place_of(kn_stream(cx, "SELECT pg_is_in_recovery()")) == REPLICA, "streams");
	(void) kn_add(batch, "SELECT pg_is_in_recovery()");
	check(kn_run_batch(batch, NULL) == KN_OK && place_of(kn_batch_rows(batch, 0)) == REPLICA,
		  "a batch of reads");
	batch = kn_begin_batch(cx);
	(void) kn_add(batch, "SELECT pg_is_in_recovery()");
	(void) kn_add(batch, "UPDATE counter SET n = n");
	check(kn_run_batch(batch, NULL) == KN_OK && place_of(kn_batch_rows(batch, 0)) == PRIMARY,
		  "a batch that writes");
	check(kn_last_lsn(cx) > 0, "a batch has a place in the log");
	check(place_of(kn_query_values(cx, "SELECT pg_is_in_recovery()", NULL, 0, &writes)) == PRIMARY,
		  "a read that is said to write");
}

static kn_status
find_place(kn_ctx *cx, void *argument)
{
	place *found = argument;

	*found = place_of(kn_query(cx, "SELECT pg_is_in_recovery()"));
	return KN_OK;
}

static kn_status
write_in_transaction(kn_ctx *cx, void *argument)
{
	return kn_exec(cx, "UPDATE counter SET n = n + $1", *(int *) argument);
}

static void
check_transactions(void)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
	place found = NOWHERE;
	int one = 1;

	check(kn_transact(cx, find_place, &found) == KN_OK && found == PRIMARY, "a transaction");
	check(kn_last_lsn(cx) == 0, "one that has only read has no place in the log");
	check(kn_transact(cx, find_place, &found, .is_read_only = true) == KN_OK && found == REPLICA,
		  "a transaction that only reads");
	check(kn_transact(cx, write_in_transaction, &one) == KN_OK && kn_last_lsn(cx) > 0 &&
			  kn_last_lsn(cx) != UINT64_MAX,
		  "one that writes has a place in the log");
}

/* The question for the place must not change what the caller is told of his statement. */
static void
check_failures(void)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
	kn_status status;

	status = kn_exec(cx, "INSERT INTO later VALUES (1), (1)");
	check(status == KN_DUPLICATE && strcmp(kn_last_error(cx)->sqlstate, "23505") == 0,
		  "a deferred constraint");
	check(kn_last_lsn(cx) == 0, "what has failed has no place in the log");
	status = kn_exec(cx, "INSERT INTO nowhere VALUES (1)");
	check(status == KN_SCHEMA && kn_last_error(cx)->item == -1, "a table that is not there");
	check(kn_exec(cx, "INSERT INTO later VALUES (2)") == KN_OK, "the connection is as it was");
	check(kn_last_lsn(cx) > 0 && kn_last_lsn(cx) != UINT64_MAX, "a write has a place in the log");
	check(place_of(kn_stream(cx, "INSERT INTO log VALUES (1) RETURNING pg_is_in_recovery()")) ==
				  PRIMARY &&
			  kn_last_lsn(cx) == UINT64_MAX,
		  "after a write that streams only the primary will do");
	check(place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) == PRIMARY, "and does");
}

/* A value is written and then read by the same request; now and then also by another. */
static void
check_pairs(void)
{
	int stale = 0;
	int lost = 0;
	int of_replica = 0;

	for (int i = 1; i <= PAIRS; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
		kn_rows *rows;
		int64_t found = -1;

		if (kn_exec(cx, "UPDATE counter SET n = $1", i) != KN_OK)
			lost++;
		if (i % 100 == 0 && !reads_come_to(REPLICA, kn_last_lsn(cx)))
			lost++;
		rows = kn_query(cx, "SELECT n, pg_is_in_recovery() FROM counter");
		if (kn_next(rows))
		{
			found = kn_get_i64(rows, 0);
			of_replica += kn_get_bool(rows, 1);
		}
		if (kn_done(rows) != KN_OK)
			lost++;
		stale += found != i;
	}
	(void) printf("%d stale reads in %d pairs, %d of the reads from the replica\n",
				  stale,
				  PAIRS,
				  of_replica);
	check(stale == 0, "no read is stale");
	check(lost == 0, "no write and no read is lost");
	check(of_replica > 0, "the replica serves some of them");
}

static int64_t
value_for(uint64_t min_lsn, place *where)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000, .min_lsn = min_lsn);
	kn_rows *rows = kn_query(cx, "SELECT n, pg_is_in_recovery() FROM counter");
	int64_t found = -1;

	*where = NOWHERE;
	if (kn_next(rows))
	{
		found = kn_get_i64(rows, 0);
		*where = kn_get_bool(rows, 1) ? REPLICA : PRIMARY;
	}
	return kn_done(rows) == KN_OK ? found : -1;
}

/* While the replica stands still it is behind, and then too far behind. */
static void
check_lag(const char *replica)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
	place where;

	check(reads_come_to(REPLICA, 0), "reads go to a replica");
	tell(replica, "SELECT pg_wal_replay_pause()");
	check(kn_exec(cx, "UPDATE counter SET n = -7") == KN_OK, "a write");
	check(value_for(kn_last_lsn(cx), &where) == -7 && where == PRIMARY,
		  "who brings a place in the log sees what is there");
	check(value_for(UINT64_MAX, &where) == -7 && where == PRIMARY, "the end of all places");
	check(reads_come_to(PRIMARY, 0), "a replica too far behind is not read from");
	tell(replica, "SELECT pg_wal_replay_resume()");
	check(reads_come_to(REPLICA, kn_last_lsn(cx)), "it has caught up, and is read from");
	check(value_for(kn_last_lsn(cx), &where) == -7, "and has it");
}

/* Its sessions are ended: reads are tried elsewhere. */
static void
check_killed(const char *replica)
{
	const kn_request request = { .size = sizeof(request), .timeout_ms = 10000 };
	int bad = 0;

	for (int i = 0; i < 20; i++)
	{
		bad += read_with(&request) == NOWHERE;
		tell(replica,
			 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			 " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
		bad += read_with(&request) == NOWHERE;
	}
	check(bad == 0, "reads go on when sessions of the replica are ended");
	check(reads_come_to(REPLICA, 0), "and come back to it");
}

static atomic_bool must_end;
static _Atomic(int64_t) written_at; /* the last time a write has succeeded */

/* Writes all the time. */
static void *
write_on(void *argument)
{
	while (!atomic_load(&must_end))
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 30000);

		if (kn_exec(cx, "INSERT INTO log VALUES (2)") == KN_OK)
			atomic_store(&written_at, kn__now(NULL));
	}
	return argument;
}

static void
await_write_since(int64_t since)
{
	int64_t end = kn__now(NULL) + PATIENCE;

	while (atomic_load(&written_at) <= since && kn__now(NULL) < end)
		(void) read_with(&(kn_request){ .size = sizeof(kn_request), .timeout_ms = 1000 });
	check(atomic_load(&written_at) > since, "writes flow");
}

static void
check_failover(const char *stop, const char *promote)
{
	pthread_t writer;
	int64_t asked;
	int64_t promoted;
	double took;

	if (pthread_create(&writer, NULL, write_on, NULL) != 0)
		exit(EXIT_FAILURE);
	await_write_since(kn__now(NULL));
	run(stop);
	asked = kn__now(NULL);
	run(promote);
	promoted = kn__now(NULL);
	await_write_since(promoted);
	took = (double) (atomic_load(&written_at) - promoted) / 1e6;
	atomic_store(&must_end, true);
	(void) pthread_join(writer, NULL);
	(void) printf("writes flow %.1f ms after the promotion's end, which took %.1f ms\n",
				  took,
				  (double) (promoted - asked) / 1e6);
	check(took < BOUND_MS, "writes flow soon after the promotion");
}

static bool
is_primary(int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	return kn_get_stats(db, server, &stats) == KN_OK && stats.is_primary;
}

/* The old primary comes back, and takes itself for one: nothing is to be written to it. */
static void
check_left_behind(const char *start)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	int bad = 0;

	run(start);
	while (!is_primary(0) && kn__now(NULL) < end)
		bad +=
			read_with(&(kn_request){ .size = sizeof(kn_request), .timeout_ms = 10000 }) != PRIMARY;
	check(is_primary(0) && is_primary(1), "there are two who say so");
	for (int i = 0; i < 100; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
		kn_rows *rows = kn_query(cx,
								 "INSERT INTO log VALUES (3)"
								 " RETURNING left(pg_walfile_name(pg_current_wal_lsn()), 8)");

		if (!kn_next(rows) || strcmp(kn_get_text(rows, 0), "00000002") != 0)
			bad++;
		bad += kn_done(rows) != KN_OK;
	}
	check(bad == 0, "what is written goes to the one that was promoted");
}

int
main(int argc, char **argv)
{
	char why[256];
	const char *replicas[2] = { argc > 2 ? argv[2] : NULL, NULL };

	if (argc != 6)
		return EXIT_FAILURE;
	(void) setvbuf(stdout, NULL, _IOLBF, 0);
	tell(argv[1],
		 "CREATE TABLE counter (n bigint); INSERT INTO counter VALUES (0);"
		 "CREATE TABLE log (a int); CREATE SEQUENCE numbers;"
		 "CREATE TABLE later (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
		 "CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS"
		 " 'INSERT INTO log VALUES (4) RETURNING a'");
	if (kn_open(&db,
				why,
				sizeof(why),
				.conninfo = argv[1],
				.replicas = replicas,
				.lag_ms = LAG_MS,
				.probe_ms = PROBE_MS) != KN_OK)
	{
		(void) fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}
	check(kn_server_count(db) == 2, "there are two servers");
	check(reads_come_to(REPLICA, 0), "reads go to the replica");
	check(reads_come_to(REPLICA, 1), "and what is wanted there is");
	check_failures();
	check_pairs();
	check_statements();
	check_requests();
	check_transactions();
	check_lag(argv[2]);
	check_killed(argv[2]);
	check_failover(argv[3], argv[4]);
	check_left_behind(argv[5]);
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
