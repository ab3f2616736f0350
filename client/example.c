/*
 * example.c
 *		A program of libkints: tables, a transaction, a query, many rows in and out by COPY.
 *
 *	cc example.c $(pkg-config --cflags --libs kints) && ./a.out "dbname=postgres"
 *
 * Where the loader does not search the library's directory, it has to be told:
 * -Wl,-rpath,$(pkg-config --variable=libdir kints)
 *
 * What it needs of the environment, such as PGHOST, libpq takes from there.
 */
#include <kints/kints.h>
#include <stdio.h>

typedef struct transfer
{
	const char *from;
	const char *to;
	int amount;
} transfer;

/* Runs in a transaction, and may run again: it keeps nothing of an earlier time. */
static kn_status
move_money(kn_ctx *cx, void *argument)
{
	const transfer *t = argument;
	kn_status status =
		kn_exec(cx, "UPDATE account SET amount = amount - $1 WHERE name = $2", t->amount, t->from);

	if (status == KN_OK)
		status = kn_exec(cx,
						 "UPDATE account SET amount = amount + $1 WHERE name = $2",
						 t->amount,
						 t->to);
	return status;
}

static kn_status
show(kn_ctx *cx)
{
	kn_rows *rows =
		kn_query(cx, "SELECT name, amount FROM account WHERE amount > $1 ORDER BY name", 0);

	while (kn_next(rows))
		printf("%-6s %d\n", kn_get_text(rows, 0), kn_get_i32(rows, 1));
	return kn_done(rows);
}

/* Many rows at a time: all of them, or none. */
static kn_status
book(kn_ctx *cx, int count, int64_t *rows)
{
	kn_copy *copy = kn_copy_in(cx, "COPY booking (id, name, amount) FROM STDIN (FORMAT binary)");

	for (int i = 0; i < count; i++)
		kn_copy_row(copy, i, i % 2 == 0 ? "ada" : "grace", i * 0.25);
	return kn_copy_end(copy, rows);
}

/* As the server prints them, a line each. */
static kn_status
print_bookings(kn_ctx *cx)
{
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT * FROM booking ORDER BY id LIMIT 3) TO STDOUT");
	kn_str line;

	while (kn_copy_get(copy, &line))
		fwrite(line.p, 1, line.n, stdout);
	return kn_copy_end(copy, NULL);
}

static kn_status
copy_bookings(kn_ctx *cx)
{
	int64_t rows = 0;
	kn_status status = kn_exec(cx, "DROP TABLE IF EXISTS booking");

	if (status == KN_OK)
		status = kn_exec(cx, "CREATE TABLE booking (id integer, name text, amount float8)");
	if (status == KN_OK)
		status = book(cx, 10000, &rows);
	if (status == KN_OK)
		printf("%lld bookings\n", (long long) rows);
	return status == KN_OK ? print_bookings(cx) : status;
}

static kn_status
work(kn_ctx *cx)
{
	transfer order = { .from = "ada", .to = "grace", .amount = 30 };
	kn_status status =
		kn_exec(cx, "CREATE TABLE IF NOT EXISTS account (name text PRIMARY KEY, amount integer)");

	if (status == KN_OK)
		status = kn_exec(cx,
						 "INSERT INTO account VALUES ($1, 100), ($2, 100) "
						 "ON CONFLICT (name) DO UPDATE SET amount = excluded.amount",
						 "ada",
						 "grace");
	if (status == KN_OK)
		status = kn_transact(cx, move_money, &order, .isolation = KN_SERIALIZABLE);
	if (status == KN_OK)
		status = show(cx);
	return status == KN_OK ? copy_bookings(cx) : status;
}

int
main(int argc, char **argv)
{
	char why[256];
	kn_db *db;
	kn_ctx *cx;
	kn_status status = kn_open(&db, why, sizeof(why), .conninfo = argc > 1 ? argv[1] : "");

	if (status != KN_OK)
	{
		fprintf(stderr, "%s: %s\n", kn_status_name(status), why);
		return 1;
	}
	cx = kn_begin(db, .timeout_ms = 5000);
	status = work(cx);
	if (status != KN_OK)
		fprintf(stderr, "%s: %s\n", kn_status_name(status), kn_last_error(cx)->message);
	kn_end(cx);
	return kn_close(db, -1) == KN_OK && status == KN_OK ? 0 : 1;
}
