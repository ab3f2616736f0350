/*
 * flights.c
 *		How often calls wait for the server: once, wherever that is promised.
 *
 * Counted is where the client sends after it has read something, as libpq itself tells it: what
 * else stands between can only guess which of both came first.  What is to be known before, such as
 * the types of columns, is known by then: each does what it does a few times before it is counted.
 */
#include "one.h"

#include "run/pool_parts.h"
#include "run/run.h"
#include "wire/conn.h"

#define WARM 4

static const char *const claims[] = { "app.tenant", "a", NULL };

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_flight;"
			"CREATE TABLE kn_flight (id int, name text);"
			"DO $$BEGIN CREATE ROLE kn_tenant; EXCEPTION WHEN duplicate_object THEN END$$;"
			"GRANT SELECT, INSERT ON kn_flight TO kn_tenant");
	OPEN(db, .max_connections = 1);
	cx = kn_begin(db, .role = "kn_tenant", .claims = claims);
}

/* The handle's one connection, which is idle. */
static PGconn *
connection_of(const kn_db *of)
{
	return ((kn__link *) (void *) of->servers[0].pool->slots[0].member)->conn->pg;
}

/* What has passed while a call was made: a message a line, F from us, B from the server. */
typedef struct passage
{
	char *text;
	size_t length;
	int flights;
} passage;

static void
watch(passage *of, kn_db *handle, void (*call)(kn_ctx *), kn_ctx *c)
{
	FILE *trace = open_memstream(&of->text, &of->length);
	bool has_read = true;

	of->flights = 0;
	PQtrace(connection_of(handle), trace);
	PQsetTraceFlags(connection_of(handle), PQTRACE_SUPPRESS_TIMESTAMPS);
	call(c);
	PQuntrace(connection_of(handle));
	(void) fclose(trace);
	for (const char *at = of->text; *at != '\0'; at = strchr(at, '\n') + 1)
	{
		of->flights += has_read && *at == 'F';
		has_read = *at == 'B';
	}
}

/* Does it until all is known that is asked only once, and then so often to the server. */
static void
check_flights(void (*call)(kn_ctx *), kn_ctx *c, int expected)
{
	for (int i = 0; i < WARM; i++)
		call(c);
	for (int i = 0; i < 3; i++)
	{
		passage of;

		watch(&of, c->db, call, c);
		ck_assert_msg(of.flights == expected, "%d flights:\n%s", of.flights, of.text);
		free(of.text);
	}
}

static void
write_one(kn_ctx *c)
{
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_flight VALUES ($1, $2)", 1, "a"));
}

static void
read_some(kn_ctx *c)
{
	EXPECT_OK(c, kn_done(kn_query(c, "SELECT id, name FROM kn_flight WHERE id = $1", 1)));
}

static void
run_batch(kn_ctx *c)
{
	kn_batch *batch = kn_begin_batch(c);

	for (int i = 0; i < 3; i++)
		(void) kn_add(batch, "INSERT INTO kn_flight VALUES ($1, $2)", i, "a");
	(void) kn_add(batch, "SELECT id, name FROM kn_flight WHERE id = $1", 1);
	EXPECT_OK(c, kn_run_batch(batch, NULL));
	EXPECT_OK(c, kn_done(kn_batch_rows(batch, 3)));
	kn_clear(c);
}

static void (*const calls[])(kn_ctx *) = { write_one, read_some, run_batch };

START_TEST(a_call_is_one)
{
	kn_ctx *nobody = kn_begin(db);

	check_flights(calls[_i], nobody, 1);
	kn_end(nobody);
}
END_TEST

/* BEGIN, the role, the claims and COMMIT go with the statement. */
START_TEST(a_call_as_somebody_is_one)
{
	check_flights(calls[_i], cx, 1);
}
END_TEST

static kn_status
write_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "INSERT INTO kn_flight VALUES ($1, $2)", 1, "a");
}

static kn_status
batch_body(kn_ctx *c, void *argument)
{
	(void) argument;
	run_batch(c);
	return KN_OK;
}

static void
transact_write(kn_ctx *c)
{
	EXPECT_OK(c, kn_transact(c, write_body, NULL));
}

static void
transact_batch(kn_ctx *c)
{
	EXPECT_OK(c, kn_transact(c, batch_body, NULL));
}

static void (*const transactions[])(kn_ctx *) = { transact_write, transact_batch };

/* BEGIN, with role and claims, goes along with the first statement; then there is COMMIT. */
START_TEST(a_transaction_of_one_statement_is_two)
{
	kn_ctx *nobody = kn_begin(db);

	check_flights(transactions[_i], nobody, 2);
	check_flights(transactions[_i], cx, 2);
	kn_end(nobody);
}
END_TEST

static void
use_another(kn_ctx *c)
{
	static const char *const statements[] = { "UPDATE kn_flight SET id = 1",
											  "UPDATE kn_flight SET id = 2",
											  "UPDATE kn_flight SET id = 3",
											  "UPDATE kn_flight SET id = 4" };
	static int turn;

	/* Each twice in turn, so that it is prepared, and goes for another. */
	EXPECT_OK(c, kn_exec(c, statements[turn++ / 2 % COUNT(statements)]));
}

/* What has to go from the server, to make room for another, goes along with a statement. */
START_TEST(to_make_room_takes_none)
{
	passage of;
	kn_db *small;
	kn_ctx *c;
	int closed = 0;
	int prepared = 0;

	OPEN(small,
		 .conninfo = sessions(),
		 .pgbouncer = sessions_mode(),
		 .max_connections = 1,
		 .statement_cache = 2);
	c = kn_begin(small);
	for (int i = 0; i < 8; i++)
		use_another(c);
	for (int i = 0; i < 16; i++)
	{
		watch(&of, small, use_another, c);
		ck_assert_msg(of.flights == 1, "%d flights:\n%s", of.flights, of.text);
		closed += strstr(of.text, "DEALLOCATE kn_") != NULL || strstr(of.text, "\tClose\t") != NULL;
		prepared += strstr(of.text, "\tParse\t") != NULL;
		free(of.text);
	}
	/* Each of them once in two rounds. */
	ck_assert_int_eq(closed, 8);
	ck_assert_int_ge(prepared, 8);
	kn_end(c);
	close_even(small);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, a_call_is_one, calls);
	LOOP(tcase, a_call_as_somebody_is_one, calls);
	LOOP(tcase, a_transaction_of_one_statement_is_two, transactions);
	tcase_add_test(tcase, to_make_room_takes_none);
}

int
main(void)
{
	return suite_run("flights", fill);
}
