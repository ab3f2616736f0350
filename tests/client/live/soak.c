/*
 * soak.c
 *		Many threads on few connections, of many tenants, while sessions are killed and the server
 *		goes down again and again.  tests/client/soak runs it.
 *
 *	soak SECONDS FAST IMMEDIATE
 *
 * The last two are commands of the shell that restart the server.  What has to hold: nobody ever
 * sees a row of another tenant; what a call returns is true of each row it wrote; money is neither
 * made nor lost; memory, descriptors and connections end as they began.
 */
#include "soak_work.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <unistd.h>

#define KEPT      2 /* min_connections */
#define RESTART_S 20
#define STEP_S    5
/* What memory may grow by from the second third of the time to the last: a tenth, and this. */
#define GROWTH_BYTES (INT64_C(2) << 20)

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static _Atomic(int64_t) allocated;
static uint64_t kills;
static uint64_t restarts;
static int failures;

static void
check(bool is_so, const char *what)
{
	(void) printf("%-6s %s\n", is_so ? "ok" : "FAILED", what);
	failures += !is_so;
}

/* The library's memory, counted. */
static void *
get(void *user, size_t size)
{
	(void) user;
	atomic_fetch_add(&allocated, (int64_t) size);
	return malloc(size);
}

static void *
resize(void *user, void *memory, size_t old_size, size_t new_size)
{
	(void) user;
	atomic_fetch_add(&allocated, (int64_t) new_size - (int64_t) old_size);
	return realloc(memory, new_size);
}

static void
release(void *user, void *memory, size_t size)
{
	(void) user;
	if (memory != NULL)
		atomic_fetch_sub(&allocated, (int64_t) size);
	free(memory);
}

static const kn_allocator counted = { get, resize, release, NULL };

/* A session that looks from outside; what it needs is there, or comes back soon. */
static PGconn *
look_open(void)
{
	PGconn *look;

	while (look = PQconnectdb(getenv("KN_TEST_DIRECT")), PQstatus(look) != CONNECTION_OK)
	{
		PQfinish(look);
		rest(10);
	}
	return look;
}

static void
look_do(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		(void) printf("%s: %s", sql, PQresultErrorMessage(result));
		exit(EXIT_FAILURE);
	}
	PQclear(result);
}

static int64_t
look_number(PGconn *look, const char *sql)
{
	PGresult *result = PQexec(look, sql);
	int64_t number = INT64_MIN;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	else
		(void) printf("%s: %s", sql, PQresultErrorMessage(result));
	PQclear(result);
	return number;
}

static void
make_tables(void)
{
	PGconn *look = look_open();
	char sql[400];

	look_do(look,
			"SET client_min_messages = error;"
			"DROP TABLE IF EXISTS kn_soak_row, kn_soak_account, kn_soak_token;"
			"DO $$BEGIN CREATE ROLE kn_soak_tenant; EXCEPTION WHEN duplicate_object THEN END$$;"
			"CREATE TABLE kn_soak_row (tenant int, id int);"
			"CREATE TABLE kn_soak_token (token bigint, source int, target int, amount int);"
			"CREATE TABLE kn_soak_account (id int PRIMARY KEY, balance bigint);"
			"ALTER TABLE kn_soak_row ENABLE ROW LEVEL SECURITY;"
			"CREATE POLICY kn_own ON kn_soak_row"
			" USING (tenant = nullif(current_setting('app.tenant', true), '')::int);"
			"GRANT SELECT ON kn_soak_row TO kn_soak_tenant;"
			"GRANT INSERT ON kn_soak_token TO kn_soak_tenant;"
			"GRANT SELECT, UPDATE ON kn_soak_account TO kn_soak_tenant");
	(void) snprintf(sql,
					sizeof(sql),
					"INSERT INTO kn_soak_row SELECT t, i FROM generate_series(0, %d) t,"
					" generate_series(1, %d) i;"
					"INSERT INTO kn_soak_account SELECT i, %d FROM generate_series(0, %d) i",
					TENANTS - 1,
					OWN_ROWS,
					BALANCE,
					ACCOUNTS - 1);
	look_do(look, sql);
	PQfinish(look);
}

static int64_t
resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
		exit(EXIT_FAILURE);
	(void) fclose(file);
	return (int64_t) pages * sysconf(_SC_PAGESIZE);
}

static int
descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory) != NULL)
		count++;
	(void) closedir(directory);
	return count - 3; /* the two dots, and its own */
}

static kn_stats
stats_of(void)
{
	kn_stats stats = { .size = sizeof(stats) };

	(void) kn_get_stats(db, 0, &stats);
	return stats;
}

static void
kill_one(void)
{
	PGconn *look = PQconnectdb(getenv("KN_TEST_DIRECT"));
	PGresult *result = PQexec(
		look,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kn_soak'"
		" ORDER BY random() LIMIT 1");

	kills += PQntuples(result) == 1;
	PQclear(result);
	PQfinish(look);
}

static void
restart(const char *command)
{
	if (system(command) != 0)
	{
		(void) printf("failed: %s\n", command);
		exit(EXIT_FAILURE);
	}
	restarts++;
}

static void
print_progress(int second)
{
	kn_stats stats = stats_of();
	uint64_t calls = 0;
	uint64_t failed = 0;

	for (int i = 0; i < THREADS; i++)
	{
		calls += workers[i].calls;
		failed += workers[i].calls - workers[i].by_status[KN_OK];
	}
	(void) printf("%3d s: %" PRIu64 " calls, %" PRIu64 " failed, %" PRIu64 " kills, %" PRIu64
				  " restarts, %d connections, %d waiting, %" PRId64 " KiB, %d descriptors\n",
				  second,
				  calls,
				  failed,
				  kills,
				  restarts,
				  stats.total,
				  stats.waiting,
				  resident_bytes() / 1024,
				  descriptors());
	(void) fflush(stdout);
}

/* The most that memory and descriptors were in the second third of the time, and in the last. */
typedef struct peaks
{
	int64_t bytes[3];
	int descriptors[3];
} peaks;

static void
note_peaks(peaks *p, int second, int seconds)
{
	int third = second * 3 / seconds < 3 ? second * 3 / seconds : 2;
	int64_t bytes = resident_bytes();
	int open = descriptors();

	if (bytes > p->bytes[third])
		p->bytes[third] = bytes;
	if (open > p->descriptors[third])
		p->descriptors[third] = open;
}

static void
run(int seconds, const char *fast, const char *immediate, peaks *p)
{
	worker canceller = { .random = 17 };
	int64_t began = kn__now(NULL);

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			exit(EXIT_FAILURE);
	if (pthread_create(&canceller.thread, NULL, cancel_some, &canceller) != 0)
		exit(EXIT_FAILURE);
	for (int second = 1; second <= seconds; second++)
	{
		while (kn__now(NULL) < began + second * KN__NS_PER_S)
			rest(10);
		kill_one();
		if (second % RESTART_S == RESTART_S / 2)
			restart(second / RESTART_S % 2 == 0 ? immediate : fast);
		note_peaks(p, second, seconds);
		if (second % STEP_S == 0)
			print_progress(second);
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++)
		(void) pthread_join(workers[i].thread, NULL);
	(void) pthread_join(canceller.thread, NULL);
}

/* Each token, as often as it is there: is that what was said? */
static void
check_tokens(PGconn *look)
{
	PGresult *result = PQexec(look, "SELECT token, count(*) FROM kn_soak_token GROUP BY token");
	unsigned char *found = calloc(THREADS, TOKENS);
	uint64_t twice = 0, missing = 0, undone = 0, unknown = 0, done = 0;

	if (found == NULL)
		exit(EXIT_FAILURE);
	for (int i = 0; i < PQntuples(result); i++)
	{
		found[strtoll(PQgetvalue(result, i, 0), NULL, 10)] = 1;
		twice += strcmp(PQgetvalue(result, i, 1), "1") != 0;
	}
	PQclear(result);
	for (int i = 0; i < THREADS; i++)
	{
		for (int token = 0; token < workers[i].tokens; token++)
		{
			bool is_there = found[name_of(&workers[i], token)] != 0;
			int told = workers[i].fates[token];

			done += told == FATE_DONE;
			unknown += told == FATE_UNKNOWN;
			missing += told == FATE_DONE && !is_there;
			undone += told == FATE_UNDONE && is_there;
		}
	}
	free(found);
	(void) printf("tokens: %" PRIu64 " done, %" PRIu64 " of unknown outcome, %" PRIu64
				  " missing, %" PRIu64 " there though they failed, %" PRIu64 " more than once\n",
				  done,
				  unknown,
				  missing,
				  undone,
				  twice);
	check(done > 0, "tokens were inserted");
	check(twice == 0, "no token is there more than once");
	check(missing == 0, "what is told to be done is done");
	check(undone == 0, "what is told to have failed is not done");
}

static void
check_money(PGconn *look)
{
	check(look_number(look, "SELECT sum(balance) FROM kn_soak_account") ==
			  (int64_t) ACCOUNTS * BALANCE,
		  "the sum of all accounts is what it was");
	check(look_number(
			  look,
			  "SELECT count(*) FROM kn_soak_account a WHERE balance <> 1000"
			  " - (SELECT coalesce(sum(amount), 0) FROM kn_soak_token WHERE source = a.id)"
			  " + (SELECT coalesce(sum(amount), 0) FROM kn_soak_token WHERE target = a.id)") == 0,
		  "each account has what was moved to it");
}

/* As many as are to be kept, none of them in use, or in a transaction. */
static void
check_end(PGconn *look)
{
	int64_t deadline = kn__now(NULL) + 20 * KN__NS_PER_S;
	kn_stats stats;

	do
	{
		rest(10);
		stats = stats_of();
	} while (kn__now(NULL) < deadline && (stats.total != KEPT || stats.opening != 0));
	(void) printf("pool: %d connections, %d busy, %d opening, %d waiting; %" PRIu64
				  " opened, %" PRIu64 " broken, %" PRIu64 " idle, %" PRIu64 " old\n",
				  stats.total,
				  stats.busy,
				  stats.opening,
				  stats.waiting,
				  stats.opened,
				  stats.closed_broken,
				  stats.closed_idle,
				  stats.closed_old);
	check(stats.total == KEPT && stats.opening == 0, "as many connections as are to be kept");
	check(stats.busy == 0, "none of them is in use");
	check(stats.waiting == 0, "nobody waits");
	check(stats.opened ==
			  (uint64_t) KEPT + stats.closed_broken + stats.closed_idle + stats.closed_old,
		  "all that were opened are there or closed");
	check(look_number(look,
					  "SELECT count(*) FROM pg_stat_activity"
					  " WHERE application_name = 'kn_soak' AND state <> 'idle'") == 0,
		  "no session is left in a transaction");
	if (*getenv("KN_TEST_POOLED") == '\0')
		check(look_number(
				  look,
				  "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kn_soak'") ==
				  KEPT,
			  "the server has as many sessions");
}

static void
print_statuses(void)
{
	for (int status = 0; status < KN_STATUS_COUNT; status++)
	{
		uint64_t sum = 0;

		for (int i = 0; i < THREADS; i++)
			sum += workers[i].by_status[status];
		if (sum > 0)
			(void) printf("%-20s %" PRIu64 "\n", kn_status_name((kn_status) status), sum);
	}
}

static void
prepare(void)
{
	char why[256];

	make_tables();
	for (int i = 0; i < THREADS; i++)
	{
		workers[i].number = i;
		workers[i].random = (uint64_t) i * 7919 + 1;
		workers[i].fates = malloc(TOKENS);
		if (workers[i].fates == NULL)
			exit(EXIT_FAILURE);
		memset(workers[i].fates, FATE_UNUSED, TOKENS); /* in memory before it is measured */
		(void) pthread_mutex_init(&workers[i].lock, NULL);
	}
	if (kn_open(&db,
				why,
				sizeof(why),
				.conninfo = "application_name=kn_soak",
				.min_connections = KEPT,
				.max_connections = CONNECTIONS,
				.idle_ms = 500,
				.lifetime_ms = 15000,
				.keepalive_ms = 1000,
				.acquire_ms = 3000,
				.breaker_open_ms = 200,
				.allocator = &counted) != KN_OK)
	{
		(void) printf("%s\n", why);
		exit(EXIT_FAILURE);
	}
}

int
main(int argc, char **argv)
{
	int seconds = argc == 4 ? atoi(argv[1]) : 0;
	int before = descriptors();
	peaks p = { 0 };
	PGconn *look;

	if (seconds < 3)
		return EXIT_FAILURE;
	prepare();
	run(seconds, argv[2], argv[3], &p);
	print_statuses();
	look = look_open();
	check(atomic_load(&foreign) == 0, "nobody saw a row of another tenant");
	check(atomic_load(&wrong) == 0, "each answer was that of its question");
	check(atomic_load(&odd) == 0, "each failure has a reason");
	check(restarts > 0 && kills > 0, "sessions were killed, and the server restarted");
	check_tokens(look);
	check_money(look);
	check_end(look);
	PQfinish(look);
	(void) printf("peaks: %" PRId64 " then %" PRId64 " KiB, %d then %d descriptors\n",
				  p.bytes[1] / 1024,
				  p.bytes[2] / 1024,
				  p.descriptors[1],
				  p.descriptors[2]);
	check(IS_SANITIZED || p.bytes[2] <= p.bytes[1] + p.bytes[1] / 10 + GROWTH_BYTES,
		  "memory did not grow");
	/* A connection has a socket, a pipe and an epoll; one that is cancelled another socket. */
	check(p.descriptors[2] <= before + 4 * CONNECTIONS + 4, "descriptors are those of connections");
	check(kn_close(db, 5000) == KN_OK, "all is closed in time");
	check(atomic_load(&allocated) == 0, "all memory of the library was given back");
	check(descriptors() == before, "all descriptors were closed");
	for (int i = 0; i < THREADS; i++)
		free(workers[i].fates);
	(void) printf("%d failed\n", failures);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
