/*
 * zdb.c
 *		The same with libzdb.  It has no batches, and no COPY: rows go in by a prepared
 *		statement in one transaction.
 *
 * A statement lives as long as its connection is taken, so one connection is held, as is
 * kindest to it.  A pool that is empty gives none, and the caller asks again after a while.
 * What it throws ends the program, with a message.  Its own reading of time stamps takes
 * what stands behind the zone "+00" for minutes, so they are read as raw.c reads them.
 */
#include <pthread.h>
#include <zdb.h>

#include "peer.h"

#define MAX_THREADS 32

typedef struct item
{
	int amount;
	char name[32];
	double price;
	int64_t made_at; /* microseconds since 1970 */
	int64_t id;
} item;

typedef struct thread
{
	pthread_t id;
	pthread_barrier_t *start;
	long done;
} thread;

static ConnectionPool_T pool;
static Connection_T conn;
static PreparedStatement_T by_key;
static PreparedStatement_T settings;
static PreparedStatement_T insert;
static item *items;

/* A pool of so many connections, all of them there. */
static double
open_pool(long count)
{
	char url[512];

	if (pool != NULL)
		ConnectionPool_free(&pool);
	/* It wants a password; where the port is not said, libpq looks for PGPORT. */
	(void) snprintf(url,
					sizeof(url),
					"postgresql:///%s?user=%s&password=none&unix-socket=%s",
					getenv("PGDATABASE"),
					getenv("PGUSER"),
					getenv("PGHOST"));
	pool = ConnectionPool_new(URL_new(url));
	ConnectionPool_setInitialConnections(pool, (int) count);
	ConnectionPool_setMaxConnections(pool, (int) count);
	ConnectionPool_start(pool);
	return (double) count;
}

static double
open_connection(long count)
{
	(void) open_pool(1);
	conn = ConnectionPool_getConnection(pool);
	if (conn == NULL)
		peer_die("zdb", "there is no connection");
	by_key = Connection_prepareStatement(conn, PEER_BY_KEY "?");
	settings = Connection_prepareStatement(conn,
										   "SELECT set_config(?, ?, true), set_config(?, ?, true),"
										   " set_config(?, ?, true)");
	insert = Connection_prepareStatement(conn, "INSERT INTO bench_bulk VALUES (?, ?, ?)");
	return (double) count;
}

static int64_t
lookup(long key)
{
	ResultSet_T found;

	PreparedStatement_setLLong(by_key, 1, key);
	found = PreparedStatement_executeQuery(by_key);
	if (!ResultSet_next(found))
		peer_die("zdb", "there is no row");
	return ResultSet_getLLong(found, 1) + (int64_t) strlen(ResultSet_getString(found, 2));
}

static double
calls(long count)
{
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
		sum += lookup(i);
	return (double) sum;
}

static double
contexts(long count)
{
	static const char *const values[] = {
		"app.tenant", "7", "app.user", "ada", "role", "bench_role"
	};
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
	{
		Connection_beginTransaction(conn);
		for (int j = 0; j < 6; j++)
			PreparedStatement_setString(settings, j + 1, values[j]);
		if (!ResultSet_next(PreparedStatement_executeQuery(settings)))
			peer_die("zdb", "there is no row");
		sum += lookup(i);
		Connection_commit(conn);
	}
	return (double) sum;
}

static void
copy_name(item *to, const char *name)
{
	size_t size = strlen(name) + 1;

	if (size > sizeof(to->name))
		peer_die("zdb", "a name is too long");
	memcpy(to->name, name, size);
}

static double
scan(long count)
{
	ResultSet_T rows = Connection_executeQuery(conn, BENCH_ROWS);
	int64_t sum = 0;

	free(items);
	items = calloc((size_t) count, sizeof(item));
	if (items == NULL)
		peer_die("zdb", "out of memory");
	for (item *to = items; ResultSet_next(rows); to++)
	{
		if (to == items + count)
			peer_die("zdb", "there are too many rows");
		to->amount = ResultSet_getInt(rows, 1);
		copy_name(to, ResultSet_getString(rows, 2));
		to->price = ResultSet_getDouble(rows, 3);
		to->made_at = bench_time(ResultSet_getString(rows, 4));
		to->id = ResultSet_getLLong(rows, 5);
		sum += to->amount + to->id + to->made_at / 1000000;
	}
	return (double) sum;
}

static double
fill(long count)
{
	free(items);
	items = calloc((size_t) count, sizeof(item));
	if (items == NULL)
		peer_die("zdb", "out of memory");
	for (long i = 0; i < count; i++)
	{
		items[i].amount = (int) (i % 1000);
		(void) snprintf(items[i].name, sizeof(items[i].name), "name %ld", i);
		items[i].price = (double) i * 0.25;
	}
	return (double) count;
}

static double
copy(long count)
{
	Connection_beginTransaction(conn);
	for (long i = 0; i < count; i++)
	{
		PreparedStatement_setInt(insert, 1, items[i].amount);
		PreparedStatement_setString(insert, 2, items[i].name);
		PreparedStatement_setDouble(insert, 3, items[i].price);
		PreparedStatement_execute(insert);
	}
	Connection_commit(conn);
	return (double) count;
}

static void
run_threads(thread *threads, long count, void *(*body)(void *) )
{
	pthread_barrier_t start;

	if (count > MAX_THREADS)
		peer_die("zdb", "there are too many threads");
	(void) pthread_barrier_init(&start, NULL, (unsigned) count);
	for (long i = 0; i < count; i++)
	{
		threads[i].start = &start;
		threads[i].done = 0;
		if (pthread_create(&threads[i].id, NULL, body, &threads[i]) != 0)
			peer_die("zdb", "a thread cannot be made");
	}
	for (long i = 0; i < count; i++)
		(void) pthread_join(threads[i].id, NULL);
	(void) pthread_barrier_destroy(&start);
}

static void *
run_pairs(void *argument)
{
	thread *self = argument;

	(void) pthread_barrier_wait(self->start);
	for (; self->done < PEER_PAIRS; self->done++)
	{
		Connection_T taken = ConnectionPool_getConnection(pool);

		if (taken == NULL)
			peer_die("zdb", "there is no connection");
		Connection_close(taken);
	}
	return NULL;
}

static double
pairs(long count)
{
	thread threads[MAX_THREADS];

	run_threads(threads, count, run_pairs);
	return (double) count * PEER_PAIRS;
}

static void *
run_share(void *argument)
{
	const struct timespec hold = { 0, PEER_HOLD_NS };
	thread *self = argument;
	double end;

	(void) pthread_barrier_wait(self->start);
	end = peer_now(CLOCK_MONOTONIC) + PEER_FAIR_NS;
	while (peer_now(CLOCK_MONOTONIC) < end)
	{
		Connection_T taken = ConnectionPool_getConnection(pool);

		(void) nanosleep(&hold, NULL);
		if (taken == NULL)
			continue;
		self->done++;
		Connection_close(taken);
	}
	return NULL;
}

/* How often the luckiest thread got a connection, over the unluckiest. */
static double
share(long count)
{
	thread threads[MAX_THREADS];
	long most = 0;
	long least = -1;

	run_threads(threads, count, run_share);
	for (long i = 0; i < count; i++)
	{
		most = threads[i].done > most ? threads[i].done : most;
		least = least < 0 || threads[i].done < least ? threads[i].done : least;
	}
	return (double) most / (double) least;
}

int
main(void)
{
	static const peer_task tasks[] = {
		{ "open", open_connection },
		{ "calls", calls },
		{ "contexts", contexts },
		{ "scan", scan },
		{ "fill", fill },
		{ "copy", copy },
		{ "pool", open_pool },
		{ "pairs", pairs },
		{ "share", share },
		{ NULL, NULL },
	};
	return peer_serve(tasks);
}
