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

/* It has all that it was sent, but is sent nothing any more. */
static void
check_cut_off(const char *primary, const char *replica)
{
	char *from;

	check(reads_come_to(REPLICA, 0), "reads go to the replica");
	from = feed(replica, NULL);
	await(replica, "SELECT count(*) = 0 FROM pg_stat_wal_receiver");
	check(reads_stay_at(REPLICA, 2 * LAG_MS), "where nothing is written it may be alone");
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

int
main(int argc, char **argv)
{
	const char *primary = getenv("KN_TEST_DIRECT");

	if (argc < 3)
		return EXIT_FAILURE;
	(void) setvbuf(stdout, NULL, _IOLBF, 0);
	tell(primary, "DROP TABLE IF EXISTS shown; CREATE TABLE shown AS SELECT 1 AS n");
	open_servers(argv[1], argv[2]);
	check_cut_off(primary, getenv("KN_TEST_REPLICA"));
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
