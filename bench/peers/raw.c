/*
 * raw.c
 *		What is done with libpq alone, by hand: that with which the peers are compared.
 *
 * "open" also makes the tables, so it is asked of this program first; "copied" tells what is
 * in the table that was written in bulk, and empties it.
 */
#include <libpq-fe.h>

#include "peer.h"

#define CHUNK 60000

typedef struct item
{
	int32_t amount;
	char name[32];
	double price;
	int64_t made_at; /* microseconds since 1970 */
	int64_t id;
} item;

static PGconn *conn;
static item *items;
static long item_count;

static void
finish(PGresult *result, ExecStatusType expected)
{
	if (PQresultStatus(result) != expected)
		peer_die("raw", PQerrorMessage(conn));
	PQclear(result);
}

static void
run(const char *sql)
{
	finish(PQexec(conn, sql), PGRES_COMMAND_OK);
}

/* Room for so many. */
static void
need_items(long count)
{
	if (count <= item_count)
		return;
	items = realloc(items, (size_t) count * sizeof(item));
	if (items == NULL)
		peer_die("raw", "out of memory");
	memset(items, 0, (size_t) count * sizeof(item));
	item_count = count;
}

static double
open_connection(long count)
{
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		peer_die("raw", PQerrorMessage(conn));
	run("SET client_min_messages = warning");
	run(BENCH_TABLES);
	run("VACUUM ANALYZE bench_item, bench_row");
	finish(PQprepare(conn, "by_key", PEER_BY_KEY "$1", 0, NULL), PGRES_COMMAND_OK);
	finish(PQprepare(conn, "echo", PEER_ECHO, 0, NULL), PGRES_COMMAND_OK);
	finish(PQprepare(conn, "settings", BENCH_SETTINGS, 0, NULL), PGRES_COMMAND_OK);
	return (double) count;
}

/* The first column of the row that a prepared statement makes of a value. */
static int64_t
call(const char *statement, int64_t value)
{
	char wire[8];
	const char *values[1] = { wire };
	const int lengths[1] = { sizeof(wire) };
	const int formats[1] = { 1 };
	PGresult *result;
	int64_t found;

	bench_put_integer(wire, value);
	result = PQexecPrepared(conn, statement, 1, values, lengths, formats, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		peer_die("raw", PQerrorMessage(conn));
	found = bench_integer_at(PQgetvalue(result, 0, 0)) + PQgetlength(result, 0, 1);
	PQclear(result);
	return found;
}

static double
call_all(const char *statement, long count)
{
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
		sum += call(statement, i);
	return (double) sum;
}

static double
calls(long count)
{
	return call_all("by_key", count);
}

static double
echoes(long count)
{
	return call_all("echo", count);
}

static double
contexts(long count)
{
	const char *values[6] = { "app.tenant", "7", "app.user", "ada", "role", "bench_role" };
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
	{
		run("BEGIN");
		finish(PQexecPrepared(conn, "settings", 6, values, NULL, NULL, 1), PGRES_TUPLES_OK);
		sum += call("by_key", i);
		run("COMMIT");
	}
	return (double) sum;
}

/* One batch in the pipeline that libpq has. */
static int64_t
batch(int64_t first)
{
	char wire[8];
	const char *values[1] = { wire };
	const int lengths[1] = { sizeof(wire) };
	const int formats[1] = { 1 };
	int64_t sum = 0;

	for (int i = 0; i < PEER_BATCH; i++)
	{
		bench_put_integer(wire, first + i);
		if (PQsendQueryPrepared(conn, "echo", 1, values, lengths, formats, 1) != 1)
			peer_die("raw", PQerrorMessage(conn));
	}
	if (PQpipelineSync(conn) != 1)
		peer_die("raw", PQerrorMessage(conn));
	for (int i = 0; i < PEER_BATCH; i++)
	{
		PGresult *result = PQgetResult(conn);

		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			peer_die("raw", PQerrorMessage(conn));
		sum += bench_integer_at(PQgetvalue(result, 0, 0)) + PQgetlength(result, 0, 1);
		PQclear(result);
		(void) PQgetResult(conn);
	}
	finish(PQgetResult(conn), PGRES_PIPELINE_SYNC);
	return sum;
}

static double
batches(long count)
{
	int64_t sum = 0;

	if (PQenterPipelineMode(conn) != 1)
		peer_die("raw", PQerrorMessage(conn));
	for (long i = 0; i < count / PEER_BATCH; i++)
		sum += batch(i * PEER_BATCH + 1);
	if (PQexitPipelineMode(conn) != 1)
		peer_die("raw", PQerrorMessage(conn));
	return (double) sum;
}

static double
scan(long count)
{
	PGresult *result = PQexec(conn, BENCH_ROWS);
	int64_t sum = 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != count)
		peer_die("raw", PQerrorMessage(conn));
	need_items(count);
	for (int i = 0; i < count; i++)
	{
		items[i].amount = (int32_t) strtol(PQgetvalue(result, i, 0), NULL, 10);
		memcpy(items[i].name, PQgetvalue(result, i, 1), (size_t) PQgetlength(result, i, 1) + 1);
		items[i].price = strtod(PQgetvalue(result, i, 2), NULL);
		items[i].made_at = bench_time(PQgetvalue(result, i, 3));
		items[i].id = strtoll(PQgetvalue(result, i, 4), NULL, 10);
		sum += items[i].amount + items[i].id + items[i].made_at / 1000000;
	}
	PQclear(result);
	return (double) sum;
}

/* What will be written in bulk; the same in each of the programs. */
static double
fill(long count)
{
	need_items(count);
	for (long i = 0; i < count; i++)
	{
		items[i].amount = (int32_t) (i % 1000);
		(void) snprintf(items[i].name, sizeof(items[i].name), "name %ld", i);
		items[i].price = (double) i * 0.25;
	}
	return (double) count;
}

/* The bytes of a row in the binary form of COPY; what follows them. */
static char *
put_row(char *at, const item *row)
{
	uint32_t length = (uint32_t) strlen(row->name);
	const uint16_t columns = htons(3);
	const uint32_t words[3] = { htonl(4), htonl((uint32_t) row->amount), htonl(length) };
	const uint32_t eight = htonl(8);
	int64_t price;

	memcpy(at, &columns, 2);
	memcpy(at + 2, words, 12);
	memcpy(at + 14, row->name, length);
	memcpy(at + 14 + length, &eight, 4);
	memcpy(&price, &row->price, 8);
	bench_put_integer(at + 18 + length, price);
	return at + 26 + length;
}

static double
copy(long count)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	static char chunk[CHUNK + 100];
	char *at = chunk + sizeof(head);

	/* The zero that ends the string is the last of the head: flags and a length, none of either. */
	memcpy(chunk, head, sizeof(head));
	finish(PQexec(conn, "COPY bench_bulk FROM STDIN (FORMAT binary)"), PGRES_COPY_IN);
	for (long i = 0; i < count; i++)
	{
		at = put_row(at, &items[i]);
		if (at - chunk < CHUNK)
			continue;
		if (PQputCopyData(conn, chunk, (int) (at - chunk)) != 1)
			peer_die("raw", PQerrorMessage(conn));
		at = chunk;
	}
	memcpy(at, "\377\377", 2);
	if (PQputCopyData(conn, chunk, (int) (at + 2 - chunk)) != 1 || PQputCopyEnd(conn, NULL) != 1)
		peer_die("raw", PQerrorMessage(conn));
	finish(PQgetResult(conn), PGRES_COMMAND_OK);
	(void) PQgetResult(conn);
	return (double) count;
}

static double
copied(long count)
{
	PGresult *result = PQexec(conn,
							  "SELECT sum(amount) + sum(length(name)) + sum(price * 4)"
							  " FROM bench_bulk");
	double sum;

	(void) count;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		peer_die("raw", PQerrorMessage(conn));
	sum = strtod(PQgetvalue(result, 0, 0), NULL);
	PQclear(result);
	run("TRUNCATE bench_bulk");
	return sum;
}

int
main(void)
{
	static const peer_task tasks[] = {
		{ "open", open_connection },
		{ "calls", calls },
		{ "echoes", echoes },
		{ "contexts", contexts },
		{ "scan", scan },
		{ "batches", batches },
		{ "fill", fill },
		{ "copy", copy },
		{ "copied", copied },
		{ NULL, NULL },
	};
	int status = peer_serve(tasks);

	PQfinish(conn);
	free(items);
	return status;
}
