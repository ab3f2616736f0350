/*
 * changed.c
 *		Statements that are not what they were taken for: their table is another one, or their name
 *		means nothing any more.
 */
#include "notes.h"

static void
set_up(void)
{
	look = look_open();
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* How a statement goes that has got a column whose type has no codec. */
typedef struct unknown_type
{
	const char *name;
	int used;       /* so often before that */
	bool is_pooled; /* nothing is prepared */
	bool in_transaction;
	bool is_write;
	bool is_streamed;
} unknown_type;

static const unknown_type unknown_types[] = {
	{ .name = "used once", .used = 1 },
	{ .name = "prepared", .used = 3 },
	{ .name = "never prepared", .used = 3, .is_pooled = true },
	{ .name = "in a transaction", .used = 1, .in_transaction = true },
	{ .name = "never prepared, in a transaction",
	  .used = 3,
	  .is_pooled = true,
	  .in_transaction = true },
	{ .name = "written", .used = 1, .is_write = true },
	{ .name = "written, never prepared", .used = 3, .is_pooled = true, .is_write = true },
	{ .name = "streamed", .used = 1, .is_streamed = true },
	{ .name = "streamed, never prepared", .used = 3, .is_pooled = true, .is_streamed = true },
};

/* Its one row has n columns, and the last of them has that text; "": whatever it is. */
static kn_status
last_column_is(kn_ctx *c, const unknown_type *how, int n, const char *text)
{
	/* A parameter: without one the rows of a stream come by COPY. */
	static const char read_sql[] = "SELECT * FROM kn_shape WHERE a = $1";
	static const char write_sql[] = "UPDATE kn_shape SET n = n + 1 WHERE a = $1 RETURNING *";
	kn_rows *rows = how->is_write      ? kn_query(c, write_sql, 1)
					: how->is_streamed ? kn_stream(c, read_sql, 1)
									   : kn_query(c, read_sql, 1);

	if (kn_next(rows))
	{
		ck_assert_int_eq(kn_get_i32(rows, 0), 1);
		ck_assert_int_eq(kn_column_count(rows), n);
		if (*text != '\0')
			ck_assert_str_eq(kn_get_text(rows, n - 1), text);
		ck_assert_int_eq(kn_next(rows), false);
	}
	return kn_done(rows);
}

static kn_status
unknown_type_body(kn_ctx *c, void *argument)
{
	return last_column_is(c, argument, 3, "(1,2)");
}

START_TEST(takes_a_type_without_codec_as_text)
{
	const unknown_type *how = &unknown_types[_i];
	kn_db *own;
	kn_ctx *c;

	look_do(look,
			"DROP TABLE IF EXISTS kn_shape; CREATE TABLE kn_shape (a int, n int);"
			"INSERT INTO kn_shape VALUES (1, 0)");
	OPEN(own, .max_connections = 1, .pgbouncer = how->is_pooled ? KN_ON : KN_AUTOMATIC);
	c = kn_begin(own);
	for (int i = 0; i < how->used; i++)
		EXPECT_OK(c, last_column_is(c, how, 2, ""));
	look_do(look, "ALTER TABLE kn_shape ADD p point DEFAULT '(1,2)'");
	/* What was written cannot be written once more to have the rest of the answer. */
	if (how->is_write)
		(void) last_column_is(c, how, 3, "");
	for (int i = 0; i < 3; i++)
	{
		if (how->in_transaction)
			EXPECT_OK(c, kn_transact(c, unknown_type_body, (void *) how));
		else
			EXPECT_OK(c, last_column_is(c, how, 3, "(1,2)"));
	}
	look_do(look, "ALTER TABLE kn_shape DROP p, ADD m money DEFAULT 5");
	if (how->is_write)
		(void) last_column_is(c, how, 3, "");
	for (int i = 0; i < 2; i++)
		EXPECT_OK(c, last_column_is(c, how, 3, "$5.00"));
	if (how->is_write)
		ck_assert_int_eq(look_number(look, "SELECT n FROM kn_shape"), how->used + 7);
	kn_end(c);
	close_even(own);
}
END_TEST

/*
 * What was written comes in binary once more, in a column that nobody has asked for so.  Not all of
 * these values have a NUL in them, and so are told from text.
 */
static const struct
{
	const char *type;
	const char *value;
	kn_status status;
} unknown_values[] = {
	{ "point", "(1.1,2.3)", KN_DATA },
	{ "point", "(1,2)", KN_DATA },
	{ "macaddr", "11:22:33:44:55:66", KN_DATA },
	{ "macaddr8", "11:22:33:44:55:66:77:88", KN_DATA },
	{ "kn_address", "11:22:33:44:55:66", KN_DATA },
	{ "kn_color", "red", KN_OK },
};

#define MAKE_ADDRESS                                                                         \
	"DROP TYPE IF EXISTS kn_color CASCADE; CREATE TYPE kn_color AS ENUM ('red');"            \
	"DROP TYPE IF EXISTS kn_address CASCADE; CREATE TYPE kn_address;"                        \
	"CREATE FUNCTION kn_address_in(cstring) RETURNS kn_address LANGUAGE internal IMMUTABLE"  \
	" STRICT AS 'macaddr_in';"                                                               \
	"CREATE FUNCTION kn_address_out(kn_address) RETURNS cstring LANGUAGE internal IMMUTABLE" \
	" STRICT AS 'macaddr_out';"                                                              \
	"CREATE FUNCTION kn_address_send(kn_address) RETURNS bytea LANGUAGE internal STABLE"     \
	" STRICT AS 'macaddr_send';"                                                             \
	"CREATE TYPE kn_address (INPUT = kn_address_in, OUTPUT = kn_address_out,"                \
	" SEND = kn_address_send, LIKE = macaddr)"

START_TEST(takes_no_bytes_for_text)
{
	static const char sql[] = "INSERT INTO kn_shape VALUES (1) RETURNING *";
	kn_db *own;
	kn_ctx *c;
	kn_rows *rows;
	char alter[200];

	look_do(look, MAKE_ADDRESS);
	look_do(look, "DROP TABLE IF EXISTS kn_shape; CREATE TABLE kn_shape (a int)");
	OPEN(own, .max_connections = 1, .statement_cache = -1);
	c = kn_begin(own);
	EXPECT_OK(c, kn_done(kn_query(c, sql)));
	(void) snprintf(alter,
					sizeof(alter),
					"ALTER TABLE kn_shape ADD v %s DEFAULT '%s'",
					unknown_values[_i].type,
					unknown_values[_i].value);
	look_do(look, alter);
	for (int i = 0; i < 2; i++)
	{
		bool is_data = i == 0 && unknown_values[_i].status == KN_DATA;

		rows = kn_query(c, sql);
		ck_assert(kn_next(rows));
		ck_assert_str_eq(kn_get_text(rows, 1), is_data ? "" : unknown_values[_i].value);
		EXPECT(c, kn_done(rows), is_data ? KN_DATA : KN_OK);
	}
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_shape"), 3);
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_shape; DROP TYPE kn_address CASCADE; DROP TYPE kn_color CASCADE");
}
END_TEST

static kn_status
read_point_four_times(kn_ctx *c, void *argument)
{
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_done(kn_query(c, "SELECT * FROM kn_shape_there WHERE a = $1", 1)));
	return argument == NULL ? KN_OK : kn_transact(argument, read_point_four_times, NULL);
}

static void
read_last(kn_ctx *c, const char *expected)
{
	kn_rows *rows = kn_query(c, "SELECT * FROM kn_shape_there WHERE a = $1", 1);

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_str_eq(kn_get_text(rows, 1), expected);
	EXPECT_OK(c, kn_done(rows));
}

static kn_status
read_last_beside(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	read_last(argument, "(1,2)");
	return KN_OK;
}

/*
 * What one connection has learnt of a statement need not be true of it as another has prepared it;
 * a pooler prepares nothing, unless each connection has a session of its own there.
 */
START_TEST(is_changed_there_and_back)
{
	bool has_sessions = _i == 1;
	kn_db *db;
	kn_ctx *one;
	kn_ctx *other;

	look_do(look,
			"DROP TABLE IF EXISTS kn_shape_there;"
			"CREATE TABLE kn_shape_there AS SELECT 1 AS a, '(1,2)'::point AS p");
	OPEN(db,
		 .conninfo = has_sessions ? sessions() : "",
		 .pgbouncer = has_sessions ? sessions_mode() : KN_AUTOMATIC,
		 .max_connections = 2);
	one = kn_begin(db);
	other = kn_begin(db);
	EXPECT_OK(one, kn_transact(one, read_point_four_times, other));
	look_do(look, "ALTER TABLE kn_shape_there ALTER p TYPE int USING 7");
	for (int i = 0; i < 4; i++)
		read_last(one, "7");
	look_do(look, "ALTER TABLE kn_shape_there ALTER p TYPE point USING '(1,2)'");
	EXPECT_OK(one, kn_transact(one, read_last_beside, other));
	for (int i = 0; i < 4; i++)
		read_last(one, "(1,2)");
	kn_end(one);
	kn_end(other);
	close_even(db);
}
END_TEST

/* Prepared statements that the server does not have: it goes on without, and that is told once. */
START_TEST(tells_that_nothing_is_prepared_any_more)
{
	kn_db *db;
	kn_ctx *cx;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_forget_all() RETURNS void LANGUAGE plpgsql"
			" AS $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$");
	OPEN(db, .conninfo = sessions(), .hooks = &all, .max_connections = 1, .pgbouncer = KN_OFF);
	cx = kn_begin(db);
	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < 3; i++)
			EXPECT_OK(cx, kn_exec(cx, "SELECT $1::int + 1", i));
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_forget_all()"));
		EXPECT_OK(cx, kn_exec(cx, "SELECT $1::int + 1", 7));
		/* A new connection prepares, until it finds the same. */
		kn_reset_pool(db);
	}
	ck_assert_int_eq(times_told(KN_EVENT_NOTICE, "WARNING"), 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* A statement with fewer values than parameters is the caller's mistake, however often he makes it.
 */
START_TEST(prepares_in_spite_of_wrong_counts)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .conninfo = sessions(), .hooks = &all, .max_connections = 1, .pgbouncer = KN_OFF);
	cx = kn_begin(db);
	for (int i = 0; i < 4; i++)
	{
		EXPECT(cx, kn_exec(cx, "SELECT $1::int + $2::int", 1), KN_USAGE);
		ck_assert_str_eq(kn_last_error(cx)->sqlstate, "08P01");
	}
	ck_assert_int_eq(times_told(KN_EVENT_NOTICE, NULL), 0);
	for (int i = 0; i < 3; i++)
		EXPECT_OK(cx, kn_exec(cx, "SELECT $1::int + $2::int", i, i));
	ck_assert_int_eq(number_of(cx,
							   kn_query(cx,
										"SELECT count(*) FROM pg_prepared_statements"
										" WHERE statement LIKE '%$1::int + $2::int%'")),
					 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
say(kn_ctx *cx, int which)
{
	char sql[40];

	(void) snprintf(sql, sizeof(sql), "SELECT %d", which);
	EXPECT_OK(cx, kn_exec_values(cx, sql, NULL, 0, NULL, NULL));
}

static kn_status
say_body(kn_ctx *cx, void *argument)
{
	for (const int *which = argument; *which != 0; which++)
		say(cx, *which);
	return KN_OK;
}

/*
 * There is room for two.  What has to go may go with the flight that it is wanted in again, or be
 * let go of by one that has told the server by then which ones are to go.
 */
START_TEST(makes_room_while_it_is_sent)
{
	static int wanted[] = { 2, 3, 1, 0 };
	uint32_t dice = 7;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .hooks = &all, .max_connections = 1, .statement_cache = 2);
	cx = kn_begin(db);
	for (int i = 2; i < 6; i++)
		say(cx, i / 2);
	EXPECT_OK(cx, kn_transact(cx, say_body, wanted, .attempts = 1));
	for (int i = 0; i < 350; i++)
	{
		dice = dice * 1103515245 + 12345;
		say(cx, 1 + (int) (dice >> 16) % 5);
	}
	ck_assert_int_eq(times_told(KN_EVENT_NOTICE, NULL), 0);
	/* Those that are there, and those that the next flight will close. */
	if (!is_pooled())
		ck_assert_int_le(number_of(cx, kn_query(cx, "SELECT count(*) FROM pg_prepared_statements")),
						 4);
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
read_all_body(kn_ctx *c, void *argument)
{
	kn_status status = KN_OK;

	++*(int *) argument;
	for (int i = 0; i < 4 && status == KN_OK; i++)
	{
		char *sql = kn_alloc(c, 40);

		(void) snprintf(sql, 40, "SELECT * FROM kn_changed_%d", i);
		status = kn_done(kn_query(c, sql));
	}
	return status;
}

/* However many of its tables have changed, a transaction is run again once. */
START_TEST(is_run_again_once)
{
	int runs = 0;
	kn_db *own;
	kn_ctx *c;

	for (int i = 0; i < 4; i++)
	{
		char sql[120];

		(void) snprintf(sql,
						sizeof(sql),
						"DROP TABLE IF EXISTS kn_changed_%d; CREATE TABLE kn_changed_%d (a int)",
						i,
						i);
		look_do(look, sql);
	}
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	c = kn_begin(own);
	for (int i = 0; i < 3; i++)
		EXPECT_OK(c, kn_transact(c, read_all_body, &runs));
	look_do(look,
			"ALTER TABLE kn_changed_0 ADD b int; ALTER TABLE kn_changed_1 ADD b int;"
			"ALTER TABLE kn_changed_2 ADD b int; ALTER TABLE kn_changed_3 ADD b int");
	runs = 0;
	EXPECT_OK(c, kn_transact(c, read_all_body, &runs));
	ck_assert_int_eq(runs, 2);
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_changed_0, kn_changed_1, kn_changed_2, kn_changed_3");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, takes_a_type_without_codec_as_text, unknown_types);
	LOOP(tcase, takes_no_bytes_for_text, unknown_values);
	tcase_add_test(tcase, makes_room_while_it_is_sent);
	tcase_add_test(tcase, prepares_in_spite_of_wrong_counts);
	tcase_add_loop_test(tcase, is_changed_there_and_back, 0, is_pooled() ? 2 : 1);
	tcase_add_test(tcase, tells_that_nothing_is_prepared_any_more);
	tcase_add_test(tcase, is_run_again_once);
}

int
main(void)
{
	return suite_run("changed", fill);
}
