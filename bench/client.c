/*
 * client.c
 *		What the client costs over bare libpq, against the server that the PG* variables name.
 *
 * Prints a line a figure: name, value, unit, goal, and "ok" or "short", separated by tabs.
 * Values are medians of five rounds; what is compared is measured in turns within a round,
 * so that both see the same machine;
 * those of calls are medians of ten turns, for where the scheduler puts a process shifts at times,
 * and each round has connections of its own, for sessions differ in luck with their memory.
 *
 *	 client.call.rate      calls of a prepared statement by key, a request each, over libpq's
 *	 client.call.cpu       processor time a call costs more than with libpq
 *	 client.call.peek      what the look at the socket takes of that, which each call begins with
 *	 client.context.rate   the same with role and claims, over BEGIN, set_config(), the statement
 *	                       and COMMIT with libpq
 *	 client.batch.rate     statements that only echo a value in batches of 100, over single calls
 *	 client.scan.rate      a million rows into structs by kn_stream(), which is faster here than
 *	                       kn_query(), over libpq's text and strtol()
 *	 client.scan.cpu       processor time a row of these
 *	 client.stream.memory  by how much the process grows while as many rows arrive one by one
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "call.h"

#define BATCH 100
#define ROWS  1000000

static const char echo[] = "SELECT $1, 'some text'";

typedef struct item
{
	int32_t amount;
	char name[16];
	double price;
	int64_t made_at; /* microseconds since 1970 */
	int64_t id;
} item;

static item *items;
static int64_t made_of_text;
static int64_t made_of_binary;

static void
libpq_contexts(void)
{
	const char *values[6] = { "app.tenant", "7", "app.user", "ada", "role", "bench_role" };

	for (int i = 1; i <= CALLS; i++)
	{
		finish(PQexec(conn, "BEGIN"), PGRES_COMMAND_OK);
		finish(PQexecPrepared(conn, "settings", 6, values, NULL, NULL, 1), PGRES_TUPLES_OK);
		libpq_lookup(i);
		finish(PQexec(conn, "COMMIT"), PGRES_COMMAND_OK);
	}
}

/* As a call does when it takes an idle connection. */
static void
peeks(void)
{
	struct epoll_event watch = { .events = EPOLLIN };
	struct epoll_event found;
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, PQsocket(conn), &watch) != 0)
		die("epoll");
	for (int i = 0; i < CALLS; i++)
		sum += epoll_wait(set, &found, 1, 0);
	(void) close(set);
}

static void
client_contexts(void)
{
	static const char *const claims[] = { "app.tenant", "7", "app.user", "ada", NULL };

	for (int i = 1; i <= CALLS; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 60000, .role = "bench_role", .claims = claims);

		take(kn_query(cx, by_key, (int64_t) i));
		kn_end(cx);
	}
}

static void
client_echoes(void)
{
	for (int i = 1; i <= CALLS; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);

		take(kn_query(cx, echo, (int64_t) i));
		kn_end(cx);
	}
}

static void
client_batches(void)
{
	for (int i = 0; i < CALLS / BATCH; i++)
	{
		kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);
		kn_batch *batch = kn_begin_batch(cx);

		for (int j = 1; j <= BATCH; j++)
			(void) kn_add(batch, echo, (int64_t) (i * BATCH + j));
		if (kn_run_batch(batch, NULL) != KN_OK)
			die(kn_last_error(cx)->message);
		for (int j = 0; j < BATCH; j++)
			take(kn_batch_rows(batch, j));
		kn_end(cx);
	}
}

static void
libpq_scan(void)
{
	PGresult *result = PQexec(conn, BENCH_ROWS);

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != ROWS)
		die(PQerrorMessage(conn));
	for (int i = 0; i < ROWS; i++)
	{
		items[i].amount = (int32_t) strtol(PQgetvalue(result, i, 0), NULL, 10);
		memcpy(items[i].name, PQgetvalue(result, i, 1), (size_t) PQgetlength(result, i, 1) + 1);
		items[i].price = strtod(PQgetvalue(result, i, 2), NULL);
		items[i].made_at = bench_time(PQgetvalue(result, i, 3));
		items[i].id = strtoll(PQgetvalue(result, i, 4), NULL, 10);
		made_of_text += items[i].made_at;
	}
	PQclear(result);
}

/* Into the same array, or into one place of it. */
static void
scan(kn_rows *rows, bool all)
{
	int at = 0;
	int count = 0;

	while (kn_next(rows))
	{
		kn_str name;

		items[at].amount = kn_get_i32(rows, 0);
		name = kn_get_str(rows, 1);
		memcpy(items[at].name, name.p, name.n);
		items[at].name[name.n] = '\0';
		items[at].price = kn_get_f64(rows, 2);
		items[at].made_at = kn_get_time(rows, 3).usec;
		items[at].id = kn_get_i64(rows, 4);
		made_of_binary += items[at].made_at;
		at += all;
		count++;
	}
	if (kn_done(rows) != KN_OK || count != ROWS)
		die("a scan has failed");
}

static void
client_scan(void)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);

	scan(kn_stream(cx, BENCH_ROWS), true);
	kn_end(cx);
}

static void
client_stream(void)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);

	scan(kn_stream(cx, BENCH_ROWS), false);
	kn_end(cx);
}

/* Kilobytes of the process that are in memory. */
static double
resident(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	double found = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, "VmHWM:", 6) == 0)
			found = strtod(line + 6, NULL);
	}
	if (file == NULL || fclose(file) != 0 || found < 0)
		die("/proc/self/status cannot be read");
	return found;
}

static void
set_up(void)
{
	connect_libpq();
	finish(PQexec(conn, BENCH_TABLES), PGRES_COMMAND_OK);
	finish(PQexec(conn, "VACUUM ANALYZE bench_item, bench_row"), PGRES_COMMAND_OK);
	PQfinish(conn);
	items = calloc(ROWS, sizeof(item));
	if (items == NULL)
		die("out of memory");
}

static void
measure_calls(void)
{
	double rate[ROUNDS];
	double cpu[ROUNDS];
	double context[ROUNDS];
	double batch[ROUNDS];
	double peek[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
	{
		double turns[5][TURNS];

		connect_both();
		libpq_calls();
		client_calls();
		client_contexts();
		client_batches();
		for (int j = 0; j < TURNS; j++)
		{
			span bare = measure(libpq_calls);
			span ours = measure(client_calls);
			span steps = measure(libpq_contexts);
			span flights = measure(client_contexts);
			span echoes = measure(client_echoes);
			span batches = measure(client_batches);

			turns[0][j] = bare.wall / ours.wall;
			turns[1][j] = (ours.cpu - bare.cpu) / CALLS * 1e6;
			turns[2][j] = steps.wall / flights.wall;
			turns[3][j] = echoes.wall / batches.wall;
			turns[4][j] = measure(peeks).cpu / CALLS * 1e6;
		}
		disconnect_both();
		rate[i] = bench_median(turns[0], TURNS);
		cpu[i] = bench_median(turns[1], TURNS);
		context[i] = bench_median(turns[2], TURNS);
		batch[i] = bench_median(turns[3], TURNS);
		peek[i] = bench_median(turns[4], TURNS);
	}
	print("client.call.rate", rate, "ratio", true, 0.95);
	print("client.call.cpu", cpu, "us", false, 0.5);
	print("client.call.peek", peek, "us", false, 0);
	print("client.context.rate", context, "ratio", true, 1.7);
	print("client.batch.rate", batch, "ratio", true, 3);
}

static void
measure_stream(void)
{
	double grown[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
	{
		double before = resident();

		client_stream();
		grown[i] = (resident() - before) / 1024;
	}
	/* All of them together: what the first has taken is there for those after it. */
	for (int i = 1; i < ROUNDS; i++)
		grown[0] += grown[i];
	for (int i = 1; i < ROUNDS; i++)
		grown[i] = grown[0];
	print("client.stream.memory", grown, "MB", false, 1);
}

static void
measure_scans(void)
{
	double rate[ROUNDS];
	double cpu[ROUNDS];

	made_of_text = made_of_binary = 0;
	for (int i = 0; i < ROUNDS; i++)
	{
		span text = measure(libpq_scan);
		span ours = measure(client_scan);

		rate[i] = text.wall / ours.wall;
		cpu[i] = ours.cpu / ROWS * 1e9;
	}
	print("client.scan.rate", rate, "ratio", true, 1.8);
	print("client.scan.cpu", cpu, "ns", false, 220);
}

int
main(void)
{
	set_up();
	measure_calls();
	connect_both();
	measure_stream();
	measure_scans();
	disconnect_both();
	if (sum == 0 || made_of_text != made_of_binary)
		die("what was read is not the same");
	free(items);
	return EXIT_SUCCESS;
}
