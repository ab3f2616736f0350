/*
 * failover.c
 *		What happens to calls while a replica, a primary or both go down, and after a replica was
 *		promoted.  tests/client/replica runs it, and it is the last: nothing is as before then.
 *
 *	failover PRIMARY REPLICA [BOTH]
 *
 * All are conninfos; the last names both servers, the replica first.  It is left out where poolers
 * stand before them: those tell libpq of a server what it was when they came to know it.
 */
#include "failover_cache.h"
#include "route.h"
#include "stall.h"

#define BOUND_MS    1000.0 /* from the promotion until writes flow */
#define HASTY_MS    1000   /* for calls that fail */
#define TOO_LATE_MS 5000   /* long after that */
/*
 * Where there is no pooler nobody waits so long.  A pooler keeps what came to it for a server that
 * is gone, in the hope that it comes back.
 */
#define WRITE_MS        30000
#define POOLED_WRITE_MS 500

static bool is_pooled;
static atomic_bool must_end;

/* Somebody who writes all the time. */
typedef struct writer
{
	pthread_t thread;
	kn_db *db;
	const char *sql;
	int64_t timeout_ms;
	atomic_int failures;
	_Atomic(int64_t) at; /* the last time that it has succeeded */
	int64_t flowed_at;   /* the first time, as far as that was waited for; 0: never */
} writer;

static void *
write_on(void *argument)
{
	writer *w = argument;

	while (!atomic_load(&must_end))
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(w->db, .timeout_ms = w->timeout_ms);

		if (kn_exec(cx, w->sql) == KN_OK)
			atomic_store(&w->at, kn__now(NULL));
		else
			atomic_fetch_add(&w->failures, 1);
	}
	return NULL;
}

static void
begin_writing(writer *w, kn_db *to, const char *sql, int64_t timeout_ms)
{
	w->db = to;
	w->sql = sql;
	w->timeout_ms = timeout_ms;
	if (pthread_create(&w->thread, NULL, write_on, w) != 0)
		exit(EXIT_FAILURE);
}

static void
await_write_since(writer *w, int64_t since)
{
	int64_t end = kn__now(NULL) + PATIENCE;

	while (atomic_load(&w->at) <= since && kn__now(NULL) < end)
		(void) read_with(&(kn_request){ .size = sizeof(kn_request), .timeout_ms = 1000 });
	check(atomic_load(&w->at) > since, "writes flow");
}

/* Somebody who reads all the time, wherever that may be. */
static atomic_bool reads_must_end;
static atomic_int reads_failed;
static atomic_int reads_done;

static void *
read_on(void *argument)
{
	const kn_request request = { .size = sizeof(request), .timeout_ms = 20000 };

	while (!atomic_load(&reads_must_end))
	{
		if (read_with(&request) == NOWHERE)
			atomic_fetch_add(&reads_failed, 1);
		atomic_fetch_add(&reads_done, 1);
	}
	return argument;
}

static int64_t
lag_seen(const kn_db *by)
{
	kn_stats stats = { .size = sizeof(stats) };

	return kn_get_stats(by, 1, &stats) == KN_OK ? stats.lag_us : -1;
}

/*
 * Calls that the breaker refuses do not find out what has become of the servers: so they are looked
 * at, seldom as that may be otherwise.  A replica that stands still is later each time.
 */
static void
check_looks(const char *primary, const char *replica)
{
	const char *replicas[] = { replica, NULL };
	const char *direct = getenv("KN_TEST_REPLICA");
	int64_t end = kn__now(NULL) + PATIENCE;
	kn_stats stats = { .size = sizeof(stats) };
	kn_db *seldom;
	kn_ctx *cx;
	int looks = 0;
	int refused = 0;
	int calls = 0;

	/* Once it has replayed a commit it is known how long that is ago. */
	cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	check(kn_exec(cx, "INSERT INTO fell VALUES (0)") == KN_OK, "a write");
	check(reads_come_to(REPLICA, kn_last_lsn(cx)), "the replica has it");
	kn_end(cx);
	tell(direct, "SELECT pg_wal_replay_pause()");
	check(kn_open(&seldom,
				  NULL,
				  0,
				  .conninfo = primary,
				  .replicas = replicas,
				  .probe_ms = SELDOM_MS,
				  .breaker_calls = 1,
				  .breaker_failure_percent = 1,
				  .breaker_open_ms = SELDOM_MS) == KN_OK,
		  "one that looks seldom");
	cx = kn_begin(seldom, .route = KN_ROUTE_PRIMARY);
	check(kn_exec(cx, "SELECT pg_terminate_backend(pg_backend_pid())") != KN_OK, "it is lost");
	check(kn_get_stats(seldom, 0, &stats) == KN_OK && stats.breaker == KN_BREAKER_OPEN,
		  "the breaker has opened");
	tell(getenv("KN_TEST_DIRECT"), "INSERT INTO fell VALUES (0)");
	for (int64_t seen = lag_seen(seldom); looks < 3 && kn__now(NULL) < end;)
	{
		int64_t now = lag_seen(seldom);

		looks += now != seen;
		seen = now;
		refused += kn_exec(cx, "SELECT 1") == KN_CIRCUIT_OPEN;
		calls++;
		tell(direct, "SELECT pg_sleep(0.001)");
	}
	check(looks == 3, "there are looks while it is open");
	check(refused == calls, "it is");
	kn_end(cx);
	tell(direct, "SELECT pg_wal_replay_resume()");
	check(kn_close(seldom, 10000) == KN_OK, "all contexts have ended");
}

/* The replica goes down, in order or at once, and comes back: nobody notices. */
static void
check_replica_restarts(void)
{
	static const char *const stops[] = { "stop -m fast", "stop -m immediate" };
	pthread_t reader;
	writer w = { 0 };

	atomic_store(&must_end, false);
	begin_writing(&w, db, "INSERT INTO fell VALUES (1)", WRITE_MS);
	if (pthread_create(&reader, NULL, read_on, NULL) != 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < 2; i++)
	{
		check(reads_come_to(REPLICA, 0), "reads go to the replica");
		control("KN_TEST_REPLICA_CONTROL", stops[i]);
		check(reads_come_to(PRIMARY, 0), "where it is down they go to the primary");
		await_write_since(&w, kn__now(NULL));
		control("KN_TEST_REPLICA_CONTROL", "start");
		check(reads_come_to(REPLICA, 0), "and back, once it is there again");
	}
	atomic_store(&must_end, true);
	atomic_store(&reads_must_end, true);
	(void) pthread_join(w.thread, NULL);
	(void) pthread_join(reader, NULL);
	(void) printf("%d reads while the replica went down twice, %d failed\n",
				  atomic_load(&reads_done),
				  atomic_load(&reads_failed));
	check(atomic_load(&reads_done) > 0 && atomic_load(&reads_failed) == 0, "no read failed");
	check(atomic_load(&w.failures) == 0, "no write failed");
}

/* With nobody there, calls fail in their time; and when there is somebody, they do not. */
static void
check_both_down(void)
{
	int64_t worst = 0;
	int64_t best[2] = { INT64_MAX, INT64_MAX };
	int served = 0;
	int64_t end;

	control("KN_TEST_REPLICA_CONTROL", "stop -m immediate");
	control("KN_TEST_PRIMARY_CONTROL", "stop -m immediate");
	for (int i = 0; i < 20; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = HASTY_MS / 10);
		int64_t began = kn__now(NULL);
		int64_t took;

		if (i % 2 == 0)
			served += place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) != NOWHERE;
		else
			served += kn_exec(cx, "INSERT INTO fell VALUES (2)") == KN_OK;
		took = kn__now(NULL) - began;
		worst = took > worst ? took : worst;
		best[i % 2] = took < best[i % 2] ? took : best[i % 2];
	}
	(void) printf("both down: failures took from %.1f (reads) and %.1f (writes) to %.1f ms of %d\n",
				  (double) best[0] / 1e6,
				  (double) best[1] / 1e6,
				  (double) worst / 1e6,
				  HASTY_MS / 10);
	check(served == 0, "nobody serves what nobody can serve");
	check(worst < TOO_LATE_MS * KN__NS_PER_MS, "no call hangs");
	/* Unless the machine is at something else; a pooler says at once that there is nobody. */
	for (int i = 0; i < 2; i++)
		check(best[i] < HASTY_MS * KN__NS_PER_MS / 9,
			  i == 0 ? "reads fail in their time" : "writes fail in their time");
	control("KN_TEST_PRIMARY_CONTROL", "start");
	check(reads_come_to(PRIMARY, 0), "the primary is there again");
	end = kn__now(NULL) + PATIENCE;
	for (bool is_done = false; !is_done && kn__now(NULL) < end;)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = HASTY_MS);

		is_done = kn_exec(cx, "INSERT INTO fell VALUES (3)") == KN_OK;
	}
	control("KN_TEST_REPLICA_CONTROL", "start");
	check(reads_come_to(REPLICA, 0), "and the replica");
}

#define MEMBERS 4

static kn_db *
open_one(const char *conninfo)
{
	kn_db *one;
	char why[256];

	if (kn_open(&one,
				why,
				sizeof(why),
				.conninfo = conninfo,
				.min_connections = MEMBERS,
				.max_connections = MEMBERS) != KN_OK)
	{
		(void) fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	return one;
}

/* Whoever knows only a replica that is none but a replica can read, and is told so of the rest. */
static void
check_read_only(const char *replica)
{
	kn_db *one = open_one(replica);
	kn_ctx *cx = kn_begin(one, .timeout_ms = 10000);
	kn_stats stats = { .size = sizeof(stats) };
	int64_t began = kn__now(NULL);
	int64_t rounds;

	check(kn_exec(cx, "INSERT INTO fell VALUES (4)") == KN_READ_ONLY &&
			  strcmp(kn_last_error(cx)->sqlstate, "25006") == 0 && kn_last_error(cx)->attempts > 1,
		  "a write to a replica is refused, after it was tried again");
	check(place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) == REPLICA, "a read is not");
	for (int i = 0; i < 20; i++)
		check(kn_exec(cx, "INSERT INTO fell VALUES (4)") == KN_READ_ONLY, "nor does it help");
	/* Once a second. */
	rounds = 1 + (kn__now(NULL) - began) / KN__NS_PER_S;
	check(kn_get_stats(one, 0, &stats) == KN_OK && (int64_t) stats.closed_old <= rounds * MEMBERS,
		  "not all connections are replaced each time");
	kn_end(cx);
	check(kn_close(one, 10000) == KN_OK, "all contexts have ended");
}

/* Roles are what servers say, not what the configuration says. */
static void
check_swapped(const char *primary, const char *replica)
{
	kn_db *kept = db;

	open_servers(replica, primary);
	check(reads_come_to(REPLICA, 0), "reads go to the replica, which is said to be the primary");
	for (int i = 0; i < 20; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);

		check(kn_exec(cx, "INSERT INTO fell VALUES (5)") == KN_OK, "writes go to the primary");
		check(place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) != NOWHERE, "reads go on");
	}
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
}

/* When a standby was one no more: just before the first question to which it says so. */
static int64_t
promoted_at(const char *conninfo)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	PGconn *conn = PQconnectdb(conninfo);
	bool is_standby;
	int64_t at;

	do
	{
		PGresult *result;

		at = kn__now(NULL);
		result = PQexec(conn, "SELECT pg_is_in_recovery()");
		is_standby = PQresultStatus(result) != PGRES_TUPLES_OK || *PQgetvalue(result, 0, 0) != 'f';
		PQclear(result);
	} while (is_standby && at < end);
	check(!is_standby, "the replica is promoted");
	PQfinish(conn);
	return at;
}

static void *
promote(void *argument)
{
	control("KN_TEST_REPLICA_CONTROL", "promote");
	return argument;
}

/* All of them at once, for each is measured by itself. */
static void
await_flow(writer *const *writers, int count, int64_t since)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	int waiting;

	do
	{
		waiting = 0;
		for (int i = 0; i < count; i++)
		{
			int64_t at = atomic_load(&writers[i]->at);

			if (writers[i]->flowed_at == 0 && at > since)
				writers[i]->flowed_at = at;
			waiting += writers[i]->flowed_at == 0;
		}
		/* Nothing that has to find its way first: the last time must be the first one still. */
		tell(getenv("KN_TEST_REPLICA"), "SELECT pg_sleep(0.001)");
	} while (waiting > 0 && kn__now(NULL) < end);
	check(waiting == 0, "writes flow");
}

/* By whom: who knows a primary and a replica, and one to whom both are one server. */
static void
tell_flow(const writer *w, const char *whose, int64_t asked, int64_t promoted, int64_t stalled)
{
	double took = (double) (w->flowed_at - promoted) / 1e6;

	(void) printf(
		"%s: writes flow %.1f ms after the promotion, which came %.1f ms after the word;"
		" %d failed meanwhile\n",
		whose,
		took,
		(double) (promoted - asked) / 1e6,
		atomic_load(&w->failures));
	check(w->flowed_at != 0 && took - (double) stalled / 1e6 < BOUND_MS,
		  "writes flow soon after the promotion");
}

/* The primary is gone, and the replica takes its place. */
static void
check_failover(const char *primary, const char *replica, const char *both)
{
	kn_db *one = is_pooled ? NULL : open_one(both);
	/* They look so seldom that they would not find it out, if calls did not tell them to. */
	kn_db *seldom = open_both(primary, replica, SELDOM_MS);
	writer two_servers = { 0 };
	writer who_seldom_looks = { 0 };
	writer one_server = { 0 };
	int64_t timeout_ms = is_pooled ? POOLED_WRITE_MS : WRITE_MS;
	writer *const writers[] = { &two_servers, &who_seldom_looks, &one_server };
	pthread_t promoter;
	stall machine;
	int64_t asked;
	int64_t promoted;
	int64_t longest;

	atomic_store(&must_end, false);
	begin_writing(&two_servers, db, "INSERT INTO fell VALUES (7)", timeout_ms);
	await_write_since(&two_servers, kn__now(NULL));
	begin_writing(&who_seldom_looks, seldom, "INSERT INTO fell VALUES (10)", timeout_ms);
	await_write_since(&who_seldom_looks, kn__now(NULL));
	if (!is_pooled)
	{
		begin_writing(&one_server, one, "INSERT INTO fell VALUES (8)", timeout_ms);
		await_write_since(&one_server, kn__now(NULL));
	}
	control("KN_TEST_PRIMARY_CONTROL", "stop -m fast");
	asked = kn__now(NULL);
	if (pthread_create(&promoter, NULL, promote, NULL) != 0)
		exit(EXIT_FAILURE);
	promoted = promoted_at(getenv("KN_TEST_REPLICA"));
	stall_begin(&machine);
	await_flow(writers, is_pooled ? 2 : 3, promoted);
	longest = stall_end(&machine);
	tell_flow(&two_servers, "a primary and a replica", asked, promoted, longest);
	tell_flow(&who_seldom_looks, "the same, who seldom look", asked, promoted, longest);
	if (!is_pooled)
		tell_flow(&one_server, "one server of two names", asked, promoted, longest);
	atomic_store(&must_end, true);
	(void) pthread_join(two_servers.thread, NULL);
	(void) pthread_join(who_seldom_looks.thread, NULL);
	if (!is_pooled)
		(void) pthread_join(one_server.thread, NULL);
	(void) pthread_join(promoter, NULL);
	check(kn_close(one, 10000) == KN_OK, "all contexts have ended");
	check(kn_close(seldom, 10000) == KN_OK, "all contexts have ended");
}

static bool
is_primary(int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	return kn_get_stats(db, server, &stats) == KN_OK && stats.is_primary;
}

/* The old primary comes back, and takes itself for one: nothing is to be written to it. */
static void
check_left_behind(void)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	int bad = 0;

	control("KN_TEST_PRIMARY_CONTROL", "start");
	while (!is_primary(0) && kn__now(NULL) < end)
		bad +=
			read_with(&(kn_request){ .size = sizeof(kn_request), .timeout_ms = 10000 }) != PRIMARY;
	check(is_primary(0) && is_primary(1), "there are two who say so");
	for (int i = 0; i < 100; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = 10000);
		kn_rows *rows = kn_query(cx,
								 "INSERT INTO fell VALUES (9)"
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
	if (argc < 3)
		return EXIT_FAILURE;
	is_pooled = argc == 3;
	(void) setvbuf(stdout, NULL, _IOLBF, 0);
	tell(getenv("KN_TEST_DIRECT"), "CREATE TABLE fell (a int)");
	open_servers(argv[1], argv[2]);
	check_looks(argv[1], argv[2]);
	check_replica_restarts();
	check_both_down();
	if (!is_pooled)
		check_cached(argv[1], argv[2]);
	check_read_only(argv[2]);
	check_swapped(argv[1], argv[2]);
	check_failover(argv[1], argv[2], is_pooled ? NULL : argv[3]);
	check_left_behind();
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
