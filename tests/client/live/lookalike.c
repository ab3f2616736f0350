/*
 * lookalike.c
 *		Values that look like what libpq says when it is in trouble of its own.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <sys/mman.h>

#include "live.h"

static PGconn *look;

#define LINE "malloc failed:\nout of memory\n"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_line; CREATE TABLE kn_line (line text UNIQUE);"
			"INSERT INTO kn_line VALUES (E'malloc failed:\\nout of memory\\n');"
			"CREATE OR REPLACE FUNCTION kn_raise() RETURNS int LANGUAGE plpgsql AS $$BEGIN"
			" RAISE EXCEPTION E'out of memory\\nout of memory\\nout of memory'; END$$");
}

static void
tear_down(void)
{
	look_do(look, "DROP TABLE kn_line");
	PQfinish(look);
}

#define INSERT "INSERT INTO kn_line VALUES ($1)"

static kn_status
insert_body(kn_ctx *cx, void *argument)
{
	++*(int *) argument;
	return kn_exec(cx, INSERT, LINE);
}

typedef enum way
{
	WAY_EXEC,
	WAY_BATCH,
	WAY_STREAM,
	WAY_COPY,
	WAY_TRANSACTION,
	WAY_RAISE,
	WAY_COUNT
} way;

/* The row is there already, and that is what the caller is told. */
START_TEST(is_a_value)
{
	const char *const claims[] = { "app.tenant", "a", NULL };
	int runs = 0;
	kn_batch *batch;
	kn_copy *copy;
	kn_rows *rows;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db, .claims = claims);
	for (int i = 0; i < 30; i++)
	{
		switch ((way) _i)
		{
			case WAY_BATCH:
				batch = kn_begin_batch(cx);
				ck_assert_int_eq(kn_add(batch, INSERT, LINE), 0);
				ck_assert_int_eq(kn_add(batch, "SELECT 1"), 1);
				EXPECT(cx, kn_run_batch(batch, NULL), KN_DUPLICATE);
				break;
			case WAY_STREAM:
				rows = kn_stream(cx, INSERT " RETURNING line", LINE);
				ck_assert(!kn_next(rows));
				EXPECT(cx, kn_done(rows), KN_DUPLICATE);
				break;
			case WAY_COPY:
				copy = kn_copy_in(cx, "COPY kn_line FROM STDIN");
				(void) kn_copy_put(copy, "malloc failed:\\nout of memory\\n\n", 32);
				EXPECT(cx, kn_copy_end(copy, NULL), KN_DUPLICATE);
				break;
			case WAY_TRANSACTION:
				EXPECT(cx, kn_transact(cx, insert_body, &runs), KN_DUPLICATE);
				ck_assert_int_eq(runs, i + 1);
				break;
			case WAY_RAISE:
				ck_assert_int_ne(kn_exec(cx, "SELECT kn_raise()"), KN_OK);
				ck_assert_str_eq(kn_last_error(cx)->sqlstate, "P0001");
				break;
			default:
				EXPECT(cx, kn_exec(cx, INSERT, LINE), KN_DUPLICATE);
				break;
		}
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
	ck_assert_int_eq((int) stats_of(db).breaker, (int) KN_BREAKER_CLOSED);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Memory that nobody has written to, and takes none. */
#define HUGE ((size_t) 600 << 20)

/* What no message has room for is not sent, for the server would not say why it hangs up. */
START_TEST(is_not_sent_where_it_is_too_large)
{
	void *nothing = mmap(NULL, HUGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	kn_value values[] = { kn_bytes(nothing, HUGE), kn_bytes(nothing, HUGE) };
	kn_db *db;
	kn_ctx *cx;

	ck_assert_ptr_ne(nothing, MAP_FAILED);
	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 30; i++)
		EXPECT(cx,
			   kn_exec_values(cx, "SELECT $1::bytea, $2::bytea", values, 2, NULL, NULL),
			   KN_DATA);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "$2"));
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).opened, 1);
	ck_assert_uint_eq(stats_of(db).breaker_opened, 0);
	kn_end(cx);
	close_even(db);
	ck_assert_int_eq(munmap(nothing, HUGE), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_a_value, 0, WAY_COUNT);
	tcase_add_test(tcase, is_not_sent_where_it_is_too_large);
}

int
main(void)
{
	return suite_run("lookalike", fill);
}
