/*
 * timeline.c
 *		A primary that is away for a moment, and those that it has left behind.
 *
 * Of two servers the first begins as the primary.  The second takes its place, and the first
 *follows it; then the first takes its place again, and the second does not follow: what it has
 *written meanwhile nobody else has.
 */
#include "route.h"

#include <unistd.h>

#define WRITE "INSERT INTO kept VALUES (1) RETURNING left(pg_walfile_name(pg_current_wal_lsn()), 8)"

#define HANDLES 24

static const char *first; /* conninfos, past poolers */
static const char *second;

/* The one value of a query, as text. */
static void
ask(const char *conninfo, const char *sql, char *buffer, size_t capacity)
{
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *result = PQexec(conn, sql);

	if (PQntuples(result) != 1)
	{
		(void) fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
		exit(EXIT_FAILURE);
	}
	(void) snprintf(buffer, capacity, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(conn);
}

/* What the servers run as may do anything to the files of both. */
static void
shell(const char *conninfo, const char *before, const char *dir, const char *after)
{
	char sql[500];

	(void)
		snprintf(sql, sizeof(sql), "COPY (SELECT 1) TO PROGRAM 'cat %s%s%s'", before, dir, after);
	tell(conninfo, sql);
}

static kn_stats
stats_of(int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	if (kn_get_stats(db, server, &stats) != KN_OK)
		exit(EXIT_FAILURE);
	return stats;
}

static bool
comes_to_be(int server, bool is_primary)
{
	int64_t end = kn__now(NULL) + PATIENCE;

	while (stats_of(server).is_primary != is_primary && kn__now(NULL) < end)
		(void) read_with(&(kn_request){ .size = sizeof(kn_request), .timeout_ms = 1000 });
	return stats_of(server).is_primary == is_primary;
}

/* On which timeline it was written; "": it was not. */
static const char *
write_by(const char *sql, int64_t timeout_ms, uint64_t *lsn)
{
	static char timeline[9];
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = timeout_ms);
	kn_rows *rows = kn_query_values(cx, sql, NULL, 0, NULL);

	(void) snprintf(timeline, sizeof(timeline), "%s", kn_next(rows) ? kn_get_text(rows, 0) : "");
	if (kn_done(rows) != KN_OK)
		return "";
	if (lsn != NULL)
		*lsn = kn_last_lsn(cx);
	return timeline;
}

static const char *
write_within(int64_t timeout_ms, uint64_t *lsn)
{
	return write_by(WRITE, timeout_ms, lsn);
}

static bool
writes_come_to(const char *timeline)
{
	int64_t end = kn__now(NULL) + PATIENCE;

	while (kn__now(NULL) < end)
	{
		if (strcmp(write_within(1000, NULL), timeline) == 0)
			return true;
	}
	return false;
}

/* What a replica receives tells on which timeline it is, until it receives nothing. */
static void
check_goes_on_alone(void)
{
	const kn_request request = { .size = sizeof(request),
								 .route = KN_ROUTE_REPLICA,
								 .timeout_ms = REQUEST_MS };
	int64_t end;
	int strayed = 0;

	control("KN_TEST_REPLICA_CONTROL", "stop -m immediate");
	end = kn__now(NULL) + KN__NS_PER_S;
	while (kn__now(NULL) < end)
		strayed += read_with(&request) != REPLICA;
	check(strayed == 0, "who follows is read from while there is no primary");
	control("KN_TEST_REPLICA_CONTROL", "start");
	check(writes_come_to("00000002"), "it is back");
}

/* The first is a standby of the second from now on, and is read from once that is known. */
static void
check_follows(const char *plain_first, const char *plain_second)
{
	kn_db *kept = db;
	char dir[300];
	char socket[200];
	char sql[400];
	uint64_t lsn = 0;
	int strayed = 0;

	ask(first, "SHOW data_directory", dir, sizeof(dir));
	ask(second, "SHOW unix_socket_directories", socket, sizeof(socket));
	(void) snprintf(sql,
					sizeof(sql),
					"ALTER SYSTEM SET primary_conninfo = 'host=%s port=54321 user=postgres'",
					socket);
	tell(first, sql);
	control("KN_TEST_PRIMARY_CONTROL", "stop -m fast");
	control("KN_TEST_REPLICA_CONTROL", "promote");
	shell(second, ">", dir, "/standby.signal");
	control("KN_TEST_PRIMARY_CONTROL", "start");
	check(comes_to_be(1, true) && comes_to_be(0, false), "they have changed places");
	check(strcmp(write_within(REQUEST_MS, &lsn), "00000002") == 0, "writes flow");
	check(reads_come_to(REPLICA, lsn), "who follows is read from");
	check_goes_on_alone();
	/* Who may not see what it receives has to wait for a restartpoint. */
	db = open_both(plain_first, plain_second, PROBE_MS);
	check(comes_to_be(1, true) && comes_to_be(0, false), "anybody may see who is what");
	for (int i = 0; i < 100; i++)
		strayed += read_with(&(kn_request){ .size = sizeof(kn_request) }) != PRIMARY;
	check(strayed == 0 && stats_of(0).lag_us < 0, "who may not follow is not read from");
	tell(second, "CHECKPOINT");
	check(strcmp(write_within(REQUEST_MS, &lsn), "00000002") == 0, "writes flow");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
	check(reads_come_to(REPLICA, lsn), "it has the checkpoint");
	tell(first, "CHECKPOINT");
	db = open_both(plain_first, plain_second, PROBE_MS);
	check(reads_come_to(REPLICA, lsn), "then it is known to follow");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
}

/* Nor does it keep a replica from being read from that nobody may ask for its timeline. */
static void
check_not_told(const char *plain_first, const char *plain_second)
{
	kn_db *kept = db;
	uint64_t lsn = 0;
	int strayed = 0;

	tell(second, "REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC");
	check(strcmp(write_within(REQUEST_MS, &lsn), "00000002") == 0, "writes flow");
	check(reads_come_to(REPLICA, lsn), "it has that");
	/* Each looks once, at one after the other as it may happen, and not again. */
	for (int i = 0; i < HANDLES; i++)
	{
		int64_t end = kn__now(NULL) + 10 * KN__NS_PER_S;
		bool is_right = false;

		db = open_both(plain_first, plain_second, SELDOM_MS);
		while (!is_right && kn__now(NULL) < end)
			is_right = stats_of(1).is_primary && !stats_of(0).is_primary &&
					   read_with(&(kn_request){ .size = sizeof(kn_request) }) == REPLICA;
		strayed += !is_right;
		strayed += strcmp(write_within(REQUEST_MS, NULL), "00000002") != 0;
		check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	}
	check(strayed == 0, "who may not be asked is believed");
	db = kept;
}

/* A name of a directory leads to the first server, and then to the second. */
static void
check_led_elsewhere(const char *primary)
{
	kn_db *kept = db;
	char dir[200];
	char name[64];
	char conninfo[200];

	ask(first, "SHOW unix_socket_directories", dir, sizeof(dir));
	(void) snprintf(name, sizeof(name), "/tmp/kn_timeline_%d", (int) getpid());
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s port=54321 user=postgres dbname=postgres sslmode=disable",
					name);
	check(symlink(dir, name) == 0, "there is the name");
	db = open_both(primary, conninfo, PROBE_MS);
	check(comes_to_be(1, true), "it leads to the first");
	ask(second, "SHOW unix_socket_directories", dir, sizeof(dir));
	check(unlink(name) == 0 && symlink(dir, name) == 0, "there it is again");
	kn_reset_pool(db);
	check(comes_to_be(1, false) && reads_come_to(REPLICA, 0), "it leads to the second");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	check(unlink(name) == 0, "it is removed");
	db = kept;
}

typedef struct queued
{
	_Atomic(bool) has_begun;
	char timeline[9];
} queued;

static void *
write_queued(void *argument)
{
	queued *q = argument;
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	kn_rows *rows;

	atomic_store(&q->has_begun, true);
	rows = kn_query(cx, WRITE);
	(void)
		snprintf(q->timeline, sizeof(q->timeline), "%s", kn_next(rows) ? kn_get_text(rows, 0) : "");
	if (kn_done(rows) != KN_OK)
		*q->timeline = '\0';
	return NULL;
}

/* The only connection to the second is taken until the write is over that waits for it. */
static kn_status
promote_meanwhile(kn_ctx *cx, void *argument)
{
	queued *q = argument;
	int64_t end = kn__now(NULL) + PATIENCE;
	pthread_t thread;

	if (kn_exec(cx, "SELECT 1") != KN_OK || pthread_create(&thread, NULL, write_queued, q) != 0)
		return KN_USAGE;
	while (stats_of(1).waiting == 0 && kn__now(NULL) < end)
		;
	check(stats_of(1).waiting == 1, "a write waits for the second");
	control("KN_TEST_PRIMARY_CONTROL", "promote");
	(void) pthread_join(thread, NULL);
	return KN_OK;
}

/* There are two who say that they are the primary. */
static void
check_promoted_meanwhile(const char *primary, const char *replica)
{
	const char *replicas[2] = { replica, NULL };
	kn_db *kept = db;
	queued q = { .timeline = "" };
	char why[256];

	if (kn_open(&db,
				why,
				sizeof(why),
				.conninfo = primary,
				.replicas = replicas,
				.max_connections = 1,
				.acquire_ms = REQUEST_MS,
				.probe_ms = PROBE_MS) != KN_OK)
	{
		(void) fprintf(stderr, "%s\n", why);
		exit(EXIT_FAILURE);
	}
	check(comes_to_be(1, true) && comes_to_be(0, false), "the second is the primary");
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);

		check(kn_transact(cx, promote_meanwhile, &q) == KN_OK, "somebody has the connection");
	}
	check(strcmp(q.timeline, "00000003") == 0, "who has waited writes to the newest");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
}

/* Which of the two counts is not known at first: nothing is written before it is. */
static void
check_first_writes(const char *a, const char *b)
{
	kn_db *kept = db;
	int strayed = 0;

	for (int i = 0; i < HANDLES; i++)
	{
		db = open_both(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, PROBE_MS);
		/* What a function writes looks like a read. */
		strayed += strcmp(write_by(i % 4 < 2 ? WRITE : "SELECT kn_write()", REQUEST_MS, NULL),
						  "00000003") != 0;
		check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	}
	check(strayed == 0, "also of a new handle nothing is written to an older timeline");
	db = kept;
}

/* The first is the primary again, and the second goes on, as a standby of nobody. */
static void
check_strays(const char *a, const char *b)
{
	char dir[300];
	int strayed = 0;
	int failures = 0;

	check_promoted_meanwhile(a, b);
	check(comes_to_be(0, true) && comes_to_be(1, true), "there are two who say so");
	check(writes_come_to("00000003"), "writes go to the newest");
	tell(second, "INSERT INTO kept SELECT 7 FROM generate_series(1, 100000)");
	ask(second, "SHOW data_directory", dir, sizeof(dir));
	shell(second, ">", dir, "/standby.signal");
	control("KN_TEST_REPLICA_CONTROL", "restart -m fast");
	check(comes_to_be(1, false), "the second is a standby");
	for (int i = 0; i < 200; i++)
	{
		uint64_t lsn = 0;

		strayed += read_with(&(kn_request){ .size = sizeof(kn_request) }) != PRIMARY;
		failures += strcmp(write_within(REQUEST_MS, &lsn), "00000003") != 0;
		strayed +=
			read_with(&(kn_request){ .size = sizeof(kn_request), .min_lsn = lsn }) != PRIMARY;
	}
	check(failures == 0 && strayed == 0, "one of another timeline is not read from");
	shell(second, ">/dev/null; rm ", dir, "/standby.signal");
	control("KN_TEST_REPLICA_CONTROL", "restart -m fast");
	check(comes_to_be(1, true), "the second takes itself for the primary");
}

/* It is alone now; what it would be told nobody else would ever hear. */
static void
check_left_behind(void)
{
	int written = 0;

	control("KN_TEST_PRIMARY_CONTROL", "stop -m fast");
	for (int i = 0; i < 40; i++)
		written += *write_within(100, NULL) != '\0';
	check(written == 0, "nothing is written to an older timeline");
	kn_reset_pool(db);
	check(writes_come_to("00000002"), "unless somebody says that there is no other");
	control("KN_TEST_PRIMARY_CONTROL", "start");
	check(writes_come_to("00000003"), "until there is");
}

/* Then the one on the newer timeline comes back as a standby of nobody, with more than there is. */
static void
check_comes_late(void)
{
	char dir[300];
	int strayed = 0;
	int failures = 0;

	tell(first, "INSERT INTO kept SELECT 7 FROM generate_series(1, 200000)");
	ask(first, "SHOW data_directory", dir, sizeof(dir));
	shell(first, ">", dir, "/standby.signal");
	control("KN_TEST_PRIMARY_CONTROL", "stop -m fast");
	kn_reset_pool(db);
	check(writes_come_to("00000002"), "the second is the primary for good");
	control("KN_TEST_PRIMARY_CONTROL", "start");
	check(comes_to_be(0, false), "the first is a standby");
	for (int i = 0; i < 200; i++)
	{
		uint64_t lsn = 0;

		failures += strcmp(write_within(REQUEST_MS, &lsn), "00000002") != 0;
		strayed += read_with(&(kn_request){ .size = sizeof(kn_request) }) != PRIMARY;
		strayed +=
			read_with(&(kn_request){ .size = sizeof(kn_request), .min_lsn = lsn }) != PRIMARY;
	}
	check(failures == 0 && strayed == 0, "one of a newer timeline is not read from");
	/* Others have a standby made of it. */
	control("KN_TEST_PRIMARY_CONTROL", "promote");
	check(comes_to_be(0, true), "the first is the primary at the end");
}

int
main(int argc, char **argv)
{
	char plain[2][1000];

	if (argc < 3)
		return EXIT_FAILURE;
	/* How late a replica is is not what this is about, and one that is looked at seldom may be. */
	lag_ms = -1;
	first = getenv("KN_TEST_DIRECT");
	second = getenv("KN_TEST_REPLICA");
	tell(first,
		 "CREATE TABLE kept (a int); CREATE FUNCTION kn_write() RETURNS text LANGUAGE sql AS '"
		 "INSERT INTO kept VALUES (2)"
		 " RETURNING left(pg_walfile_name(pg_current_wal_lsn()), 8)'; CREATE ROLE kn_plain LOGIN;"
		 "GRANT SELECT, INSERT ON kept TO kn_plain");
	open_servers(argv[1], argv[2]);
	check(reads_come_to(REPLICA, 0), "there is a replica");
	for (int i = 0; i < 2; i++)
		(void) snprintf(plain[i], sizeof(plain[i]), "%s user=kn_plain", argv[1 + i]);
	check_led_elsewhere(argv[1]);
	check_follows(plain[0], plain[1]);
	check_not_told(plain[0], plain[1]);
	check_strays(argv[1], argv[2]);
	check_left_behind();
	check_first_writes(argv[1], argv[2]);
	check_comes_late();
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
