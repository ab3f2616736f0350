/*
 * behind.c
 *		A replica that is behind: how that is known, and what must not be kept of it.
 *		tests/client/replica runs it.
 *
 *	behind PRIMARY REPLICA
 *
 * Both are conninfos, which may lead to poolers.
 */
#include "route.h"

/* All reads, for a while, are served there. */
static bool
reads_stay_at(place where, int64_t ms)
{
	const kn_request request = { .size = sizeof(request) };
	int64_t end = kn__now(NULL) + ms * KN__NS_PER_MS;
	int elsewhere = 0;

	while (kn__now(NULL) < end)
		elsewhere += read_with(&request) != where;
	return elsewhere == 0;
}

static int64_t
lag_us(void)
{
	kn_stats stats = { .size = sizeof(stats) };

	return kn_get_stats(db, 1, &stats) == KN_OK ? stats.lag_us : -2;
}

/* Goes straight to a server until a query gives true. */
static void
await(const char *conninfo, const char *sql)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	PGconn *conn = PQconnectdb(conninfo);
	bool is_so = false;

	while (!is_so && kn__now(NULL) < end)
	{
		PGresult *result = PQexec(conn, sql);

		is_so = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
		PQclear(result);
	}
	check(is_so, sql);
	PQfinish(conn);
}

/* Where the replica gets its log from; NULL: from nobody.  What it was before, to be freed. */
static char *
feed(const char *replica, const char *from)
{
	PGconn *conn = PQconnectdb(replica);
	PGresult *before = PQexec(conn, "SELECT current_setting('primary_conninfo')");
	char *literal =
		PQescapeLiteral(conn, from == NULL ? "" : from, from == NULL ? 0 : strlen(from));
	char *was = strdup(PQgetvalue(before, 0, 0));
	char sql[2000];

	(void) snprintf(sql, sizeof(sql), "ALTER SYSTEM SET primary_conninfo = %s", literal);
	PQclear(PQexec(conn, sql));
	PQclear(PQexec(conn, "SELECT pg_reload_conf()"));
	PQfreemem(literal);
	PQclear(before);
	PQfinish(conn);
	return was;
}

/* Whether the replica has all that was ever written at the primary. */
static bool
has_all(const char *primary, const char *replica)
{
	PGconn *one = PQconnectdb(primary);
	PGconn *other = PQconnectdb(replica);
	PGresult *end = PQexec(one, "SELECT pg_current_wal_insert_lsn()");
	const char *lsn = PQgetvalue(end, 0, 0);
	PGresult *has = PQexecParams(other,
								 "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn",
								 1,
								 NULL,
								 &lsn,
								 NULL,
								 NULL,
								 0);
	bool is_so = PQntuples(has) == 1 && strcmp(PQgetvalue(has, 0, 0), "t") == 0;

	PQclear(has);
	PQclear(end);
	PQfinish(other);
	PQfinish(one);
	return is_so;
}

/*
 * Cuts the replica off, and says in *stays whether reads still go to it for a while.  The primary
 * writes by itself now and then, as at a checkpoint: then, false, and all is as it was.
 */
static bool
cut_off(const char *primary, const char *replica, char **from, bool *stays)
{
	*from = feed(replica, NULL);
	await(replica, "SELECT count(*) = 0 FROM pg_stat_wal_receiver");
	*stays = reads_stay_at(REPLICA, 2 * LAG_MS);
	if (*stays || has_all(primary, replica))
		return true;
	free(feed(replica, *from));
	free(*from);
	*from = NULL;
	return false;
}

/* It has all that it was sent, but is sent nothing any more. */
static void
check_cut_off(const char *primary, const char *replica)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	char *from = NULL;
	bool stays = false;

	do
		check(reads_come_to(REPLICA, 0), "reads go to the replica");
	while (!cut_off(primary, replica, &from, &stays) && kn__now(NULL) < end);
	check(stays, "where nothing is written it may be alone");
	tell(primary, "UPDATE shown SET n = 2");
	check(reads_come_to(PRIMARY, 0), "it is late after a while, and not read from");
	check(lag_us() > LAG_MS * 1000, "and says how late");
	check(reads_stay_at(PRIMARY, LAG_MS), "and stays so");
	free(feed(replica, from));
	free(from);
	check(reads_come_to(REPLICA, 0), "it has caught up");
	check(reads_stay_at(REPLICA, 2 * LAG_MS),
		  "a primary where nothing is written makes nobody late");
}

/* A cache with room for one. */
static struct
{
	char bytes[4000];
	size_t size; /* 0: nothing is there */
	int puts;
} kept;

static void
get(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	(void) key;
	if (kept.size > 0)
		found(into, kept.bytes, kept.size);
}

static void
put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) user;
	(void) key;
	(void) ttl_ms;
	kept.puts++;
	kept.size = size < sizeof(kept.bytes) ? size : 0;
	memcpy(kept.bytes, bytes, kept.size);
}

static void
forget(void *user, const char *key)
{
	(void) user;
	(void) key;
	kept.size = 0;
}

static int64_t
read_shown(kn_route route)
{
	const kn_options cached = { .size = sizeof(cached), .cache_key = "shown", .cache_ms = 600000 };
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS, .route = route);
	kn_rows *rows = kn_query_values(cx, "SELECT n FROM shown", NULL, 0, &cached);
	int64_t n = kn_next(rows) ? kn_get_i64(rows, 0) : -1;

	return kn_done(rows) == KN_OK ? n : -1;
}

static kn_status
write_shown(kn_ctx *cx, void *argument)
{
	kn_status status = kn_exec(cx, "UPDATE shown SET n = $1", *(int *) argument);

	return status == KN_OK ? kn_uncache(cx, "shown") : status;
}

/* The limit of lag is far away: by it alone, the replica would do. */
static void
check_cache(const char *replica)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	int seven = 7;

	check(reads_come_to(REPLICA, 0), "reads go to the replica");
	kn_set_timeout(cx, REQUEST_MS);
	tell(replica, "SELECT pg_wal_replay_pause()");
	await(replica, "SELECT pg_get_wal_replay_pause_state() = 'paused'");
	check(read_shown(KN_ROUTE_AUTO) == 2 && kept.puts == 1, "what is read is kept");
	check(kn_transact(cx, write_shown, &seven) == KN_OK && kept.size == 0, "and removed");
	check(read_shown(KN_ROUTE_REPLICA) == 2, "who insists on a replica sees what that has");
	check(kept.size == 0, "which is not kept");
	check(read_shown(KN_ROUTE_AUTO) == 7, "what is kept after a removal is of after the commit");
	check(read_shown(KN_ROUTE_AUTO) == 7 && kept.puts == 2, "and kept it is");
	check(read_shown(KN_ROUTE_REPLICA) == 7, "for all");
	tell(replica, "SELECT pg_wal_replay_resume()");
	check(reads_come_to(REPLICA, kn_last_lsn(cx)), "it has caught up");
}

/* The only server there is may be a standby, or one of several that the conninfo leads to. */
static void
check_only_standby(const char *primary, const char *replica, const kn_cache *cache)
{
	const char *const places[] = { replica, primary };

	for (int i = 0; i < 2; i++)
	{
		const int puts = kept.puts;

		kept.size = 0;
		check(kn_open(&db, NULL, 0, .conninfo = places[i], .cache = cache) == KN_OK, "one server");
		check(read_shown(KN_ROUTE_AUTO) == 7, "it is read");
		check((kept.puts > puts) == (i == 1), "and kept if it is of a primary");
		check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	}
}

/* Nobody looks again by himself while the test lasts. */
#define SELDOM_MS 600000

static void
await_all(const char *primary, const char *replica)
{
	int64_t end = kn__now(NULL) + PATIENCE;
	bool is_so = false;

	while (!is_so && kn__now(NULL) < end)
		is_so = has_all(primary, replica);
	check(is_so, "the replica has all that was written");
}

/* What the replica has in memory only is lost when it crashes, and is not there again for an hour.
 */
static void
make_forgetful(const char *primary, const char *replica)
{
	tell(replica, "ALTER SYSTEM SET bgwriter_lru_maxpages = 0");
	tell(replica, "ALTER SYSTEM SET recovery_min_apply_delay = '1h'");
	tell(primary, "UPDATE shown SET n = 20");
	tell(primary, "CHECKPOINT");
	await_all(primary, replica);
	tell(replica, "CHECKPOINT");
}

static uint64_t
lsn_of(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *end = PQexec(conn, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint");
	uint64_t lsn = strtoull(PQgetvalue(end, 0, 0), NULL, 10);

	PQclear(end);
	PQfinish(conn);
	return lsn;
}

static int64_t
shown_since(uint64_t lsn, kn_route route, place *where)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS, .min_lsn = lsn, .route = route);
	kn_rows *rows = kn_query(cx, "SELECT n, pg_is_in_recovery() FROM shown");
	int64_t n = -1;

	*where = NOWHERE;
	if (kn_next(rows))
	{
		n = kn_get_i64(rows, 0);
		*where = kn_get_bool(rows, 1) ? REPLICA : PRIMARY;
	}
	return kn_done(rows) == KN_OK ? n : -1;
}

/* It had been seen to have it, and has it no more. */
static void
check_crash(const char *primary, const char *replica, char **servers)
{
	uint64_t lsn;
	place where = NOWHERE;

	make_forgetful(primary, replica);
	tell(primary, "UPDATE shown SET n = 21");
	lsn = lsn_of(primary);
	await_all(primary, replica);
	db = open_both(servers[1], servers[2], SELDOM_MS);
	check(reads_come_to(REPLICA, lsn), "what is wanted is there");
	/* Until all are known they look more often. */
	check(reads_stay_at(REPLICA, LAG_MS), "and it is read there");
	control("KN_TEST_REPLICA_CONTROL", "stop -m immediate");
	control("KN_TEST_REPLICA_CONTROL", "start");
	await(replica, "SELECT n = 20 FROM shown");
	check(shown_since(lsn, KN_ROUTE_AUTO, &where) == 21 && where == PRIMARY,
		  "what a replica has lost is not looked for there");
	check(shown_since(lsn, KN_ROUTE_REPLICA, &where) == -1, "not even by who insists");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	tell(replica, "ALTER SYSTEM RESET bgwriter_lru_maxpages");
	tell(replica, "ALTER SYSTEM RESET recovery_min_apply_delay");
	control("KN_TEST_REPLICA_CONTROL", "restart");
	await_all(primary, replica);
}

int
main(int argc, char **argv)
{
	const char *primary = getenv("KN_TEST_DIRECT");
	const kn_cache cache = { get, put, forget, NULL };
	const char *replicas[2] = { NULL, NULL };

	if (argc < 3)
		return EXIT_FAILURE;
	(void) setvbuf(stdout, NULL, _IOLBF, 0);
	tell(primary, "DROP TABLE IF EXISTS shown; CREATE TABLE shown AS SELECT 1 AS n");
	open_servers(argv[1], argv[2]);
	check_cut_off(primary, getenv("KN_TEST_REPLICA"));
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	replicas[0] = argv[2];
	if (kn_open(&db,
				NULL,
				0,
				.conninfo = argv[1],
				.replicas = replicas,
				.lag_ms = -1,
				.probe_ms = PROBE_MS,
				.cache = &cache) != KN_OK)
		return EXIT_FAILURE;
	check_cache(getenv("KN_TEST_REPLICA"));
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	check_only_standby(argv[1], argv[2], &cache);
	/* Behind a pooler nobody but the next look finds out. */
	if (strcmp(argv[2], getenv("KN_TEST_REPLICA")) == 0)
		check_crash(primary, getenv("KN_TEST_REPLICA"), argv);
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
