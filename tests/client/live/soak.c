/*
 * soak.c
 *		Many threads on few connections, of many tenants, while sessions are killed,
 *		connections cut, and the server goes down again and again.  tests/client/soak runs
 *		it.
 *
 *	soak SECONDS FAST IMMEDIATE
 *
 * The last two are commands of the shell that restart the server.  What has to hold: nobody
 * ever sees or writes a row of another tenant; what a call returns is true of each row it
 * wrote; money is neither made nor lost; each notification is heard, or a gap told; what
 * comes from the cache is no older than what was committed; memory, descriptors and
 * connections end as they began.
 */
#include "soak_checks.h"
#include "soak_work.h"

#define KEPT      2 /* min_connections */
#define RESTART_S 20
#define STEP_S    5
/*
 * What memory may grow by from the second third of the time to the last: a tenth, and this.  The
 * first third is for all that is made once, and kept.
 */
#define GROWTH_BYTES (INT64_C(2) << 20)
/* The library's own memory, likewise, of which each byte is counted: on an average. */
#define OWN_GROWTH_BYTES (INT64_C(64) << 10)
#define PATIENCE_S       60 /* for what is sure to come */

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static _Atomic(int64_t) allocated;
static uint64_t restarts;

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

/* Who writes says who he means to be, and the session says who that is. */
#define WRITTEN_BY                                                                    \
	" wanted int, tenant int DEFAULT nullif(current_setting('app.tenant', true), '')" \
	"::int, who text DEFAULT current_user"
#define IS_OWN "= nullif(current_setting('app.tenant', true), '')::int"

static void
make_tables(void)
{
	PGconn *look = look_open();
	char sql[500];

	look_do(
		look,
		"SET client_min_messages = error;"
		"DROP TABLE IF EXISTS kn_soak_row, kn_soak_account, kn_soak_token, kn_soak_piece,"
		" kn_soak_note, kn_soak_version;"
		"DO $$BEGIN CREATE ROLE kn_soak_tenant; EXCEPTION WHEN duplicate_object THEN END$$;"
		"CREATE TABLE kn_soak_row (tenant int, id int);"
		"CREATE TABLE kn_soak_version (tenant int PRIMARY KEY, n bigint);"
		"CREATE TABLE kn_soak_token (token bigint, source int, target int, amount int," WRITTEN_BY
		");"
		"CREATE TABLE kn_soak_piece (token bigint, piece int," WRITTEN_BY
		");"
		"CREATE TABLE kn_soak_note (worker int, note int," WRITTEN_BY
		");"
		"CREATE TABLE kn_soak_account (id int PRIMARY KEY, balance bigint);"
		"ALTER TABLE kn_soak_row ENABLE ROW LEVEL SECURITY;"
		"ALTER TABLE kn_soak_version ENABLE ROW LEVEL SECURITY;"
		"ALTER TABLE kn_soak_token ENABLE ROW LEVEL SECURITY;"
		"ALTER TABLE kn_soak_note ENABLE ROW LEVEL SECURITY;"
		"CREATE POLICY kn_own ON kn_soak_row USING (tenant " IS_OWN
		");"
		"CREATE POLICY kn_own ON kn_soak_version USING (tenant " IS_OWN
		");"
		"CREATE POLICY kn_own ON kn_soak_token FOR INSERT WITH CHECK (wanted " IS_OWN
		");"
		"CREATE POLICY kn_own ON kn_soak_note FOR INSERT WITH CHECK (wanted " IS_OWN
		");"
		"GRANT SELECT ON kn_soak_row TO kn_soak_tenant;"
		"GRANT INSERT ON kn_soak_token, kn_soak_piece, kn_soak_note TO kn_soak_tenant;"
		"GRANT SELECT, UPDATE ON kn_soak_account, kn_soak_version TO kn_soak_tenant");
	(void) snprintf(sql,
					sizeof(sql),
					"INSERT INTO kn_soak_row SELECT t, i FROM generate_series(0, %d) t,"
					" generate_series(1, %d) i;"
					"INSERT INTO kn_soak_version SELECT t, 0 FROM generate_series(0, %d) t;"
					"INSERT INTO kn_soak_account SELECT i, %d FROM generate_series(0, %d) i",
					TENANTS - 1,
					OWN_ROWS,
					TENANTS - 1,
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

static kn_stats
stats_of(void)
{
	kn_stats stats = { .size = sizeof(stats) };

	(void) kn_get_stats(db, 0, &stats);
	return stats;
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
				  " cuts, %" PRIu64 " restarts, %d connections, %d waiting, %" PRId64
				  " KiB, %" PRId64 " KiB of them the library's, %d descriptors\n",
				  second,
				  calls,
				  failed,
				  kills,
				  atomic_load(&cuts),
				  restarts,
				  stats.total,
				  stats.waiting,
				  resident_bytes() / 1024,
				  atomic_load(&allocated) / 1024,
				  descriptors());
	(void) fflush(stdout);
}

/* Of each third of the time: the most of memory and descriptors, the average of the library's. */
typedef struct peaks
{
	int64_t bytes[3];
	int64_t own_bytes[3]; /* in all, of so many looks */
	int64_t looks[3];
	int descriptors[3];
} peaks;

static void
note_peaks(peaks *p, int second, int seconds)
{
	int third = second * 3 / seconds < 3 ? second * 3 / seconds : 2;
	int64_t bytes = resident_bytes();
	int open = descriptors();

	p->own_bytes[third] += atomic_load(&allocated);
	p->looks[third]++;
	if (bytes > p->bytes[third])
		p->bytes[third] = bytes;
	if (open > p->descriptors[third])
		p->descriptors[third] = open;
}

static int64_t
own_bytes(const peaks *p, int third)
{
	return p->looks[third] == 0 ? 0 : p->own_bytes[third] / p->looks[third];
}

static void
start(pthread_t *thread, void *(*begin)(void *), void *argument)
{
	if (pthread_create(thread, NULL, begin, argument) != 0)
		exit(EXIT_FAILURE);
}

static void
run(int seconds, const char *fast, const char *immediate, peaks *p)
{
	worker canceller = { .random = 17 };
	worker cutter = { .random = 19 };
	int64_t began = kn__now(NULL);

	start(&listening, listen_on, NULL);
	for (int i = 0; i < THREADS; i++)
		start(&workers[i].thread, work, &workers[i]);
	start(&canceller.thread, cancel_some, &canceller);
	start(&cutter.thread, cut_some, &cutter);
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
	(void) pthread_join(cutter.thread, NULL);
}

/* What was notified before comes before the end; a gap may swallow that. */
static void
end_listening(PGconn *look)
{
	int64_t deadline = kn__now(NULL) + PATIENCE_S * KN__NS_PER_S;

	while (!atomic_load(&has_heard_end) && !atomic_load(&is_deaf) && kn__now(NULL) < deadline)
	{
		look_do(look, "NOTIFY kn_soak, 'end'");
		rest(50);
	}
	check(atomic_load(&has_heard_end), "the listener hears what is notified last");
	atomic_store(&has_heard_end, true);
	(void) pthread_join(listening, NULL);
	check(!atomic_load(&is_deaf), "the listener heard what was notified, and nothing else");
}

/* As many as are to be kept, none of them in use, or in a transaction. */
static void
check_end(PGconn *look, int at_rest)
{
	int64_t deadline = kn__now(NULL) + SETTLING_S * KN__NS_PER_S;
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
	(void) printf("descriptors: %d, and %d before\n", descriptors() - 1, at_rest);
	/* One is that of the session that looks. */
	check(descriptors() - 1 == at_rest, "descriptors are what they were");
	check(comes_to(look,
				   "SELECT count(*) FROM pg_stat_activity"
				   " WHERE application_name = 'kn_soak' AND state <> 'idle'",
				   0),
		  "no session is left in a transaction");
	check(comes_to(look, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0),
		  "no lock is left in a session");
	if (!is_pooled)
		check(comes_to(look,
					   "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kn_soak'",
					   KEPT + 1),
			  "the server has as many sessions, and the listener's");
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

static void *
get_filled(size_t size)
{
	void *bytes = malloc(size);

	if (bytes == NULL)
		exit(EXIT_FAILURE);
	memset(bytes, FATE_UNUSED, size); /* in memory before it is measured */
	return bytes;
}

static void
prepare_workers(void)
{
	for (int i = 0; i < THREADS; i++)
	{
		workers[i].number = i;
		workers[i].random = (uint64_t) i * 7919 + 1;
		workers[i].fates = get_filled(TOKENS);
		workers[i].note_fates = get_filled(NOTES);
		known[i] = get_filled(NOTES);
		(void) pthread_mutex_init(&workers[i].lock, NULL);
	}
}

static void
open_db(void)
{
	char why[256];

	if (kn_open(&db,
				why,
				sizeof(why),
				.conninfo = "application_name=kn_soak",
				.listen_conninfo = is_pooled ? getenv("KN_TEST_DIRECT") : NULL,
				.min_connections = KEPT,
				.max_connections = CONNECTIONS,
				.idle_ms = 500,
				.lifetime_ms = 15000,
				.keepalive_ms = 1000,
				.acquire_ms = 3000,
				.breaker_open_ms = 200,
				.retry_cap_ms = 100,
				.cache = &cache,
				.allocator = &counted) != KN_OK)
	{
		(void) printf("%s\n", why);
		exit(EXIT_FAILURE);
	}
	if (kn_open_listener(&listener, db, NULL) != KN_OK || kn_listen(listener, "kn_soak") != KN_OK)
	{
		(void) printf("there is no listener\n");
		exit(EXIT_FAILURE);
	}
}

/* How many descriptors there are with as many connections as are kept, and the listener's. */
static int
descriptors_at_rest(void)
{
	int64_t deadline = kn__now(NULL) + PATIENCE_S * KN__NS_PER_S;
	kn_stats stats;

	while (stats = stats_of(), stats.total != KEPT || stats.opening != 0)
	{
		if (kn__now(NULL) >= deadline)
			exit(EXIT_FAILURE);
		rest(10);
	}
	return descriptors();
}

static void
check_peaks(const peaks *p, int at_rest)
{
	(void) printf("peaks: %" PRId64 " then %" PRId64 " KiB, the library's %" PRId64 " then %" PRId64
				  " KiB, %d then %d descriptors\n",
				  p->bytes[1] / 1024,
				  p->bytes[2] / 1024,
				  own_bytes(p, 1) / 1024,
				  own_bytes(p, 2) / 1024,
				  p->descriptors[1],
				  p->descriptors[2]);
	check(IS_SANITIZED || p->bytes[2] <= p->bytes[1] + p->bytes[1] / 10 + GROWTH_BYTES,
		  "memory did not grow");
	check(own_bytes(p, 2) <= own_bytes(p, 1) + own_bytes(p, 1) / 10 + OWN_GROWTH_BYTES,
		  "the library's memory did not grow");
	/* A connection has a socket, a pipe and an epoll; one that is cancelled another socket. */
	check(p->descriptors[2] <= at_rest + 4 * (CONNECTIONS - KEPT) + CONNECTIONS,
		  "descriptors are those of connections");
}

int
main(int argc, char **argv)
{
	int seconds = argc == 4 ? atoi(argv[1]) : 0;
	int before = descriptors();
	int at_rest;
	peaks p = { 0 };
	PGconn *look;

	if (seconds < 3)
		return EXIT_FAILURE;
	is_pooled = *getenv("KN_TEST_POOLED") != '\0';
	make_tables();
	prepare_workers();
	open_db();
	at_rest = descriptors_at_rest();
	run(seconds, argv[2], argv[3], &p);
	print_statuses();
	look = look_open();
	end_listening(look);
	check_tenants(look);
	check(atomic_load(&wrong) == 0, "each answer was that of its question");
	check(atomic_load(&odd) == 0, "each failure has a reason");
	check(restarts > 0 && kills > 0 && atomic_load(&cuts) > 0,
		  "sessions were killed, connections cut, and the server restarted");
	check_tokens(look);
	check_notes();
	check_money(look);
	check_end(look, at_rest);
	PQfinish(look);
	check_peaks(&p, at_rest);
	kn_close_listener(listener);
	check(kn_close(db, 5000) == KN_OK, "all is closed in time");
	check(atomic_load(&allocated) == 0, "all memory of the library was given back");
	check(descriptors() == before, "all descriptors were closed");
	for (int i = 0; i < THREADS; i++)
	{
		free(workers[i].fates);
		free(workers[i].note_fates);
		free(known[i]);
	}
	(void) printf("%d failed\n", failures);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
