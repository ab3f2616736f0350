/*
 * copy.c
 *		What rows cost that go in by COPY, over COPY written by hand with libpq, against the server
 *		that the PG* variables name.
 *
 * Prints a line a figure, as client.c does, and measures as that does: in turns, three a round.
 *
 *	 client.copy.rate  rows by kn_copy_row(), a request and a transaction of their own, over chunks
 *	                   of 60 KB that are filled by hand
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "kints/kints.h"

#define ROUNDS 5
#define TURNS  3      /* in a round */
#define ROWS   200000 /* in a turn */
#define CHUNK  60000

static const char to_table[] = "COPY bench_bulk FROM STDIN (FORMAT binary)";

typedef struct item
{
	int32_t amount;
	char name[16];
	double price;
} item;

static PGconn *conn;
static kn_db *db;
static item *items;

static void
die(const char *what)
{
	(void) fprintf(stderr, "bench copy: %s\n", what);
	exit(EXIT_FAILURE);
}

static double
measure(void (*function)(void))
{
	struct timespec begin;
	struct timespec end;

	(void) clock_gettime(CLOCK_MONOTONIC, &begin);
	function();
	(void) clock_gettime(CLOCK_MONOTONIC, &end);
	return (double) (end.tv_sec - begin.tv_sec) + (double) (end.tv_nsec - begin.tv_nsec) / 1e9;
}

static void
finish(PGresult *result, ExecStatusType expected)
{
	if (PQresultStatus(result) != expected)
		die(PQerrorMessage(conn));
	PQclear(result);
}

/* The bytes of a row in the binary form of COPY; what follows them. */
static char *
put_row(char *at, const item *row)
{
	uint32_t length = (uint32_t) strlen(row->name);
	const uint16_t columns = htons(3);
	const uint32_t words[3] = { htonl(4), htonl((uint32_t) row->amount), htonl(length) };
	int64_t price;
	uint32_t last[3];

	memcpy(&price, &row->price, sizeof(price));
	last[0] = htonl(8);
	bench_put_integer((char *) &last[1], price);
	memcpy(at, &columns, sizeof(columns));
	memcpy(at + 2, words, sizeof(words));
	memcpy(at + 14, row->name, length);
	memcpy(at + 14 + length, last, sizeof(last));
	return at + 26 + length;
}

static void
libpq_copy(void)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	static char chunk[CHUNK + 100];
	char *at = chunk + sizeof(head);

	/* The zero that ends the string is the last of the head. */
	memcpy(chunk, head, sizeof(head));
	finish(PQexec(conn, to_table), PGRES_COPY_IN);
	for (int i = 0; i < ROWS; i++)
	{
		at = put_row(at, &items[i]);
		if (at - chunk < CHUNK)
			continue;
		if (PQputCopyData(conn, chunk, (int) (at - chunk)) != 1)
			die(PQerrorMessage(conn));
		at = chunk;
	}
	memcpy(at, "\377\377", 2);
	if (PQputCopyData(conn, chunk, (int) (at + 2 - chunk)) != 1 || PQputCopyEnd(conn, NULL) != 1)
		die(PQerrorMessage(conn));
	finish(PQgetResult(conn), PGRES_COMMAND_OK);
	(void) PQgetResult(conn);
}

static void
client_copy(void)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 60000);
	kn_copy *copy = kn_copy_in(cx, to_table);
	int64_t rows;

	for (int i = 0; i < ROWS; i++)
		(void) kn_copy_row(copy, items[i].amount, items[i].name, items[i].price);
	if (kn_copy_end(copy, &rows) != KN_OK || rows != ROWS)
		die(kn_last_error(cx)->message);
	kn_end(cx);
}

/* What is in the table, which is empty then. */
static double
take_sum(void)
{
	PGresult *result =
		PQexec(conn, "SELECT sum(amount) + sum(length(name)) + sum(price) FROM bench_bulk");
	double sum;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die(PQerrorMessage(conn));
	sum = strtod(PQgetvalue(result, 0, 0), NULL);
	PQclear(result);
	finish(PQexec(conn, "TRUNCATE bench_bulk"), PGRES_COMMAND_OK);
	return sum;
}

static void
set_up(void)
{
	char why[256];

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		die(PQerrorMessage(conn));
	finish(PQexec(conn, "SET client_min_messages = warning"), PGRES_COMMAND_OK);
	finish(PQexec(conn,
				  "DROP TABLE IF EXISTS bench_bulk;"
				  "CREATE UNLOGGED TABLE bench_bulk (amount integer, name text, price float8)"),
		   PGRES_COMMAND_OK);
	if (kn_open(&db, why, sizeof(why), .max_connections = 1) != KN_OK)
		die(why);
	items = calloc(ROWS, sizeof(item));
	if (items == NULL)
		die("out of memory");
	for (int i = 0; i < ROWS; i++)
	{
		items[i].amount = i % 1000;
		(void) snprintf(items[i].name, sizeof(items[i].name), "name %d", i);
		items[i].price = i * 0.25;
	}
}

static void
print(const char *name, double value, double goal)
{
	(void)
		printf("%s\t%.3f\tratio\t>= %g\t%s\n", name, value, goal, value >= goal ? "ok" : "short");
	(void) fflush(stdout);
}

int
main(void)
{
	double rates[ROUNDS];

	set_up();
	libpq_copy();
	client_copy();
	(void) take_sum();
	for (int i = 0; i < ROUNDS; i++)
	{
		double turns[TURNS];

		for (int j = 0; j < TURNS; j++)
		{
			double bare = measure(libpq_copy);
			double sum = take_sum();
			double ours = measure(client_copy);

			if (sum == 0 || take_sum() != sum)
				die("what was written is not the same");
			turns[j] = bare / ours;
		}
		rates[i] = bench_median(turns, TURNS);
	}
	print("client.copy.rate", bench_median(rates, ROUNDS), 0.95);
	free(items);
	PQfinish(conn);
	return kn_close(db, -1) == KN_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
