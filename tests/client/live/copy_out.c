/*
 * copy_out.c
 *		What comes by COPY: pieces as the server sends them, and the rows of streams.
 */
#include "live.h"

#include "samples.h"

static PGconn *look;
static kn_db *db;
static kn_ctx *cx;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_out; CREATE TABLE kn_out (a int, b text);"
			"INSERT INTO kn_out SELECT g, CASE WHEN g % 3 <> 0 THEN 'text ' || g END"
			" FROM generate_series(1, 1000) g");
	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	PQfinish(look);
}

/* What the server was last asked for on a session of the handle's. */
static bool
last_was_copy(void)
{
	return look_number(look,
					   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
					   " WHERE pid <> pg_backend_pid() AND state = 'idle'"
					   " AND query LIKE 'SELECT * FROM (%COPY (%'") > 0;
}

START_TEST(reads_pieces)
{
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT * FROM kn_out ORDER BY a) TO STDOUT");
	kn_str piece;
	int64_t rows = 0;
	int count = 0;

	while (kn_copy_get(copy, &piece))
	{
		char line[40];

		count++;
		(void) snprintf(line,
						sizeof(line),
						count % 3 == 0 ? "%d\t\\N\n" : "%d\ttext %d\n",
						count,
						count);
		ck_assert_uint_eq(piece.n, strlen(line));
		ck_assert_mem_eq(piece.p, line, piece.n);
	}
	ck_assert_int_eq(count, 1000);
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, 1000);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* With an actor it is in a transaction, of which nothing is left after the cancel. */
START_TEST(reads_a_part_for_somebody)
{
	kn_ctx *named = kn_begin(db, .actor = "somebody");
	kn_str piece;
	int64_t rows = -1;

	for (int i = 0; i < 3; i++)
	{
		kn_copy *copy = kn_copy_out(named, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT");

		if (i > 0)
			ck_assert_int_eq(kn_copy_get(copy, &piece), true);
		EXPECT_OK(named, kn_copy_end(copy, &rows));
		EXPECT_OK(named, kn_exec(named, "SELECT pg_sleep(0)"));
	}
	kn_end(named);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(reads_none_or_a_part)
{
	kn_str piece;
	int64_t rows = 0;
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT 1 WHERE false) TO STDOUT");

	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, 0);
	for (int i = 0; i < 5; i++)
	{
		copy = kn_copy_out(cx, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT");
		for (int j = 0; j < i; j++)
			ck_assert_int_eq(kn_copy_get(copy, &piece), true);
		if (i % 2 == 0)
			EXPECT_OK(cx, kn_copy_end(copy, &rows));
		else
			kn_copy_abort(copy);
		EXPECT(cx, kn_copy_end(copy, NULL), i % 2 == 0 ? KN_OK : KN_CANCELED);
		EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0)"));
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static const struct
{
	const char *sql;
	kn_status status;
} wrongs[] = {
	{ "SELECT 1", KN_USAGE },
	{ "COPY kn_out FROM STDIN", KN_USAGE },
	{ "COPY kn_out TO '/tmp/x'", KN_USAGE },
	{ "COPY kn_nowhere TO STDOUT", KN_SCHEMA },
	{ "COPY (SELECT 1 / (500 - a) FROM kn_out ORDER BY a) TO STDOUT", KN_DATA },
};

START_TEST(refuses)
{
	kn_copy *copy = kn_copy_out(cx, wrongs[_i].sql);
	kn_str piece;
	int64_t rows = 7;

	while (kn_copy_get(copy, &piece))
		;
	ck_assert_int_eq(kn_copy_put(copy, "x", 1), wrongs[_i].status);
	EXPECT(cx, kn_copy_end(copy, &rows), wrongs[_i].status);
	ck_assert_str_eq(kn_last_error(cx)->sql, wrongs[_i].sql);
	ck_assert_int_eq(rows, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

START_TEST(goes_one_way)
{
	kn_str piece;
	kn_copy *copy = kn_copy_out(cx, "COPY kn_out TO STDOUT");

	ck_assert_int_eq(kn_copy_put(copy, "x", 1), KN_USAGE);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	copy = kn_copy_in(cx, "COPY kn_out FROM STDIN");
	ck_assert_int_eq(kn_copy_get(copy, &piece), false);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	ck_assert_int_eq(stats_of(db).busy, 0);
}
END_TEST

/* What it does is done, whether its rows are read or not. */
START_TEST(writes)
{
	for (int reads = 0; reads < 2; reads++)
	{
		kn_copy *copy =
			kn_copy_out(cx, "COPY (DELETE FROM kn_out WHERE a <= 10 RETURNING a) TO STDOUT");
		kn_str piece;
		int64_t rows;

		while (reads && kn_copy_get(copy, &piece))
			;
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(rows, 10);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a <= 10"), 0);
		look_do(look, "INSERT INTO kn_out SELECT generate_series(1, 10)");
	}
}
END_TEST

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 100);
	kn_copy *copy =
		kn_copy_out(hasty,
					"COPY (SELECT pg_sleep(g * 0.01) FROM generate_series(1, 10000) g) TO STDOUT");
	kn_str piece;

	while (kn_copy_get(copy, &piece))
		;
	EXPECT(hasty, kn_copy_end(copy, NULL), KN_TIMEOUT);
	kn_end(hasty);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
out_body(kn_ctx *c, void *argument)
{
	kn_copy *copy;
	kn_str piece;

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_out VALUES (-1, 'mine')"));
	copy = kn_copy_out(c, "COPY (SELECT b FROM kn_out WHERE a < 0) TO STDOUT");
	ck_assert_int_eq(kn_copy_get(copy, &piece), true);
	ck_assert_mem_eq(piece.p, "mine\n", 5);
	EXPECT_OK(c, kn_copy_end(copy, NULL));
	copy = kn_copy_out(c, "COPY kn_out TO STDOUT");
	ck_assert_int_eq(kn_copy_get(copy, &piece), true);
	EXPECT_OK(c, kn_copy_end(copy, NULL));
	return KN_OK;
}

START_TEST(is_part_of_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, out_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a < 0"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* The same by rows one by one, which parameters make it, and by COPY. */
START_TEST(streams_the_same)
{
	for (int i = 0; i < 4; i++)
	{
		kn_rows *rows =
			i % 2 == 0
				? kn_stream(
					  cx,
					  "SELECT a, b, b AS a, a = 5 FROM kn_out ORDER BY kn_out.a /* ; */ ; -- x")
				: kn_stream(cx,
							"SELECT a, b, b AS a, a = 5 FROM kn_out WHERE a > $1 ORDER BY kn_out.a",
							0);
		int64_t count = 0;

		while (kn_next(rows))
		{
			char text[24];

			count++;
			ck_assert_int_eq(kn_get_i32(rows, 0), count);
			ck_assert_int_eq(kn_is_null(rows, 1), count % 3 == 0);
			ck_assert_int_eq(kn_column(rows, 2).type, count % 3 == 0 ? KN_TYPE_NULL : KN_TYPE_TEXT);
			ck_assert_int_eq(kn_get_bool(rows, 3), count == 5);
			if (count % 3 == 0)
				continue;
			(void) snprintf(text, sizeof(text), "text %d", (int) count);
			ck_assert_str_eq(kn_get_text(rows, 1), text);
		}
		ck_assert_int_eq(count, 1000);
		ck_assert_int_eq(kn_column_count(rows), 4);
		ck_assert_str_eq(kn_column_name(rows, 3), "?column?");
		ck_assert_int_eq(kn_column_index(rows, "a"), 0);
		ck_assert_uint_eq(kn_column_oid(rows, 1), 25);
		ck_assert_int_eq(kn_row_count(rows), 1000);
		EXPECT_OK(cx, kn_done(rows));
		if (!is_pooled())
			ck_assert_int_eq(last_was_copy(), i % 2 == 0);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* A value that does not fit is told of as with any rows. */
START_TEST(tells_of_values)
{
	kn_rows *rows = kn_stream(cx, "SELECT a, b FROM kn_out ORDER BY a");

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_get_i32(rows, 1), 0);
	ck_assert_int_eq(kn_next(rows), false);
	EXPECT(cx, kn_done(rows), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->row, 2);
	ck_assert_int_eq(kn_last_error(cx)->column, 1);
	ck_assert_str_eq(kn_last_error(cx)->column_name, "b");
}
END_TEST

static const struct
{
	const char *sql;
	const char *first;
	bool by_copy;
} kinds[] = {
	{ "SELECT 1", "1", true },
	{ "VALUES ('x'), ('y')", "x", true },
	{ "TABLE kn_out", "1", true },
	{ "WITH x AS (SELECT a FROM kn_out) SELECT * FROM x;;", "1", true },
	{ "(SELECT 1) UNION ALL (SELECT 2)", "1", true },
	{ "SELECT 1 -- the end", "1", true },
	{ "SELECT NULL::int", NULL, true },
	{ "SELECT '{1,2}'::int[]", NULL, true },
	{ "SELECT '1,1'::point", "(1,1)", false },
	{ "SELECT 1, '1,1'::point", "1", false },
	{ "SHOW server_encoding", "UTF8", false },
	{ "EXPLAIN (COSTS off) SELECT 1", "Result", false },
	{ "SELECT a FROM kn_out WHERE a = 1 FOR UPDATE", "1", false },
	{ "INSERT INTO kn_out VALUES (1) RETURNING a", "1", false },
	{ "SELECT 1 WHERE nextval('kn_out_s') > 0", "1", false },
};

/* The second time as well, when it is known of what kind it is. */
START_TEST(streams_what_can_be)
{
	look_do(look, "DROP SEQUENCE IF EXISTS kn_out_s; CREATE SEQUENCE kn_out_s");
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_stream(cx, kinds[_i].sql);
		kn_value value;

		ck_assert_int_eq(kn_next(rows), true);
		value = kn_column(rows, 0);
		if (kinds[_i].first != NULL)
			ck_assert_str_eq(kn_get_text(rows, 0), kinds[_i].first);
		else
			ck_assert(value.type == KN_TYPE_NULL || value.type == KN_TYPE_ARRAY);
		while (kn_next(rows))
			;
		EXPECT_OK(cx, kn_done(rows));
		if (!is_pooled())
			ck_assert_int_eq(last_was_copy(), kinds[_i].by_copy);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static const struct
{
	const char *sql;
	int position;
	kn_status status;
} broken[] = {
	{ "SELECT a, nowhere FROM kn_out", 11, KN_SCHEMA },
	{ "SELECT '\xC3\xA4', nowhere FROM kn_out", 13, KN_SCHEMA },
	{ "SELECT FROM FROM kn_out", 13, KN_SCHEMA },
	{ "SELECT (1", 10, KN_SCHEMA },
	{ "SELECT 1) TO STDOUT; COPY (SELECT 2", 9, KN_USAGE },
};

START_TEST(tells_of_the_callers_text)
{
	for (int i = 0; i < 2; i++)
	{
		EXPECT(cx, kn_done(kn_stream(cx, broken[_i].sql)), broken[_i].status);
		if (broken[_i].status == KN_USAGE)
			continue;
		ck_assert_int_eq(kn_last_error(cx)->position, broken[_i].position);
		ck_assert_str_eq(kn_last_error(cx)->sql, broken[_i].sql);
	}
}
END_TEST

/* It was well when it was first asked for, and now it is not. */
START_TEST(tells_of_what_has_changed)
{
	static const char sql[] = "SELECT '\xC3\xA4', a, b FROM kn_out";
	kn_rows *rows;

	EXPECT_OK(cx, kn_done(kn_stream(cx, sql)));
	look_do(look, "ALTER TABLE kn_out DROP b");
	EXPECT(cx, kn_done(kn_stream(cx, sql)), KN_SCHEMA);
	ck_assert_int_eq(kn_last_error(cx)->position, 16);
	ck_assert_str_eq(kn_last_error(cx)->sql, sql);
	/* Of the same width, and another type. */
	look_do(look, "ALTER TABLE kn_out ADD b float4 DEFAULT 0.5");
	rows = kn_stream(cx, sql);
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert(kn_get_f32(rows, 2) == 0.5F);
	EXPECT_OK(cx, kn_done(rows));
	look_do(look, "ALTER TABLE kn_out DROP b; ALTER TABLE kn_out ADD b int DEFAULT 7");
	rows = kn_stream(cx, sql);
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_get_i32(rows, 2), 7);
	EXPECT_OK(cx, kn_done(rows));
	/* And one that has no codec. */
	look_do(look, "ALTER TABLE kn_out DROP b; ALTER TABLE kn_out ADD b point DEFAULT '1,1'");
	for (int i = 0; i < 2; i++)
	{
		int64_t count = 0;

		rows = kn_stream(cx, sql);
		for (; kn_next(rows); count++)
			ck_assert_str_eq(kn_get_text(rows, 2), "(1,1)");
		ck_assert_int_eq(count, 1000);
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
changing_body(kn_ctx *c, void *argument)
{
	static const char sql[] = "SELECT b FROM kn_out";

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_out VALUES (-1, 'mine')"));
	EXPECT_OK(c, kn_done(kn_stream(c, sql)));
	EXPECT_OK(c, kn_exec(c, "ALTER TABLE kn_out DROP b"));
	EXPECT_OK(c, kn_exec(c, "ALTER TABLE kn_out ADD b point DEFAULT '1,1'"));
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_stream(c, sql);
		int64_t count = 0;

		for (; kn_next(rows); count++)
			ck_assert_str_eq(kn_get_text(rows, 0), "(1,1)");
		ck_assert_int_eq(count, 1001);
		EXPECT_OK(c, kn_done(rows));
	}
	return KN_OK;
}

START_TEST(changes_in_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, changing_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a = -1"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* Role and claims hold while rows arrive, and not after. */
START_TEST(streams_with_role_and_claims)
{
	const char *const claims[] = { "app.tenant", "7", NULL };
	static const char sql[] = "SELECT a, current_user::text FROM kn_out";
	kn_ctx *tenant;

	look_do(look,
			"DO $$ BEGIN CREATE ROLE kn_out_role; EXCEPTION WHEN duplicate_object THEN END $$;"
			"GRANT SELECT ON kn_out TO kn_out_role; ALTER TABLE kn_out ENABLE ROW LEVEL SECURITY;"
			"CREATE POLICY p ON kn_out USING (a = current_setting('app.tenant')::int)");
	tenant = kn_begin(db, .role = "kn_out_role", .claims = claims);
	for (int i = 0; i < 4; i++)
	{
		kn_rows *rows = kn_stream(tenant, sql);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_get_i32(rows, 0), 7);
		ck_assert_str_eq(kn_get_text(rows, 1), "kn_out_role");
		if (i < 3)
			ck_assert_int_eq(kn_next(rows), false);
		EXPECT_OK(tenant, kn_done(rows));
		ck_assert_int_eq(stats_of(db).busy, 0);
		EXPECT_OK(
			cx,
			kn_done(kn_query(
				cx,
				"SELECT 1 / (current_user <> 'kn_out_role' AND coalesce(current_setting('app.tenant', true), '') = '')::int")));
	}
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_stream(tenant, "SELECT generate_series(1, 100000000)");

		ck_assert_int_eq(kn_next(rows), true);
		EXPECT_OK(tenant, kn_done(rows));
		EXPECT(tenant, kn_done(kn_stream(tenant, "SELECT 1 / 0 FROM kn_out")), KN_DATA);
		ck_assert_int_eq(stats_of(db).busy, 0);
	}
	kn_end(tenant);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void *
cancel_it(void *argument)
{
	PGconn *other = look_open();

	look_await(other,
			   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE wait_event = 'PgSleep' AND query LIKE 'SELECT * FROM (%COPY%'",
			   1);
	kn_cancel(argument);
	PQfinish(other);
	return NULL;
}

START_TEST(is_cancelled)
{
	static const char sql[] =
		"SELECT pg_sleep(CASE WHEN g < 10 THEN 0 ELSE 3600 END) IS NULL FROM generate_series(1, 10) g";
	kn_rows *rows;
	pthread_t thread;

	/* So that it is known, and all of it can be read. */
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1 / 0")), KN_DATA);
	kn_set_timeout(cx, 100);
	EXPECT(cx, kn_done(kn_stream(cx, sql)), KN_TIMEOUT);
	kn_set_timeout(cx, -1);
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_it, cx), 0);
	rows = kn_stream(cx, sql);
	while (kn_next(rows))
		;
	EXPECT(cx, kn_done(rows), KN_CANCELED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	kn_clear(cx);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* Kilobytes of the process that are in memory, at the most so far. */
static long
resident(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long found = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, "VmHWM:", 6) == 0)
			found = strtol(line + 6, NULL, 10);
	}
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_gt(found, 0);
	return found;
}

/* A million rows go out and come in, and the process does not grow by more than a megabyte. */
START_TEST(takes_no_more_memory)
{
	long before = 0;

	look_do(
		look,
		"DROP TABLE IF EXISTS kn_many; CREATE UNLOGGED TABLE kn_many (a int, b text, c float8)");
	for (int i = 0; i < 2; i++)
	{
		int64_t most = i == 0 ? 10000 : 1000000;
		kn_copy *copy = kn_copy_in(cx, "COPY kn_many FROM STDIN (FORMAT binary)");
		kn_str piece;
		int64_t rows;
		kn_rows *stream;
		int64_t sum = 0;

		for (int j = 0; j < most; j++)
			ck_assert_int_eq(kn_copy_row(copy, j, "some text", j * 0.5), KN_OK);
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(rows, most);
		stream = kn_stream(cx, "SELECT a, b, c FROM kn_many");
		while (kn_next(stream))
			sum += kn_get_i32(stream, 0) + (int64_t) kn_get_str(stream, 1).n;
		EXPECT_OK(cx, kn_done(stream));
		ck_assert_int_eq(sum, most * (most - 1) / 2 + 9 * most);
		/* With a parameter it goes row by row, without COPY. */
		stream = kn_stream(cx, "SELECT a, b, c FROM kn_many WHERE a >= $1", 0);
		while (kn_next(stream))
			sum -= kn_get_i32(stream, 0) + (int64_t) kn_get_str(stream, 1).n;
		EXPECT_OK(cx, kn_done(stream));
		ck_assert_int_eq(sum, 0);
		sum = most * (most - 1) / 2 + 9 * most;
		copy = kn_copy_out(cx, "COPY kn_many TO STDOUT");
		while (kn_copy_get(copy, &piece))
			sum--;
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(sum, most * (most - 1) / 2 + 8 * most);
		look_do(look, "TRUNCATE kn_many");
		if (i == 0)
			before = resident();
	}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_int_lt(resident() - before, 1024);
#else
	(void) before;
#endif
	look_do(look, "DROP TABLE kn_many");
}
END_TEST

static const struct
{
	const char *name;
	sample *put;
} codecs[] = {
	{ "boolean", put_bool },
	{ "smallint", put_int2 },
	{ "integer", put_int4 },
	{ "bigint", put_int8 },
	{ "oid", put_oid },
	{ "real", put_float4 },
	{ "double precision", put_float8 },
	{ "numeric", put_numeric },
	{ "text", put_text },
	{ "varchar", put_text },
	{ "char(80)", put_int8 },
	{ "name", put_text },
	{ "bytea", put_bytea },
	{ "uuid", put_uuid },
	{ "date", put_date },
	{ "time", put_time },
	{ "timestamp", put_timestamp },
	{ "timestamptz", put_timestamptz },
	{ "interval", put_interval },
	{ "json", put_json },
	{ "jsonb", put_json },
	{ "inet", put_inet },
	{ "cidr", put_cidr },
};

/* Fills kn_from with values of a type, and arrays of it, as far as the server takes them. */
static void
fill_from(const char *type, sample *put)
{
	char sql[400];
	kn__buf text;
	kn__buf array;

	(void) snprintf(
		sql,
		sizeof(sql),
		"DROP TABLE IF EXISTS kn_from, kn_rows, kn_bytes, kn_text;"
		"CREATE TABLE kn_from (n int, v %s, a %s[]); CREATE TABLE kn_rows (LIKE kn_from);"
		"CREATE TABLE kn_bytes (LIKE kn_from); CREATE TABLE kn_text (LIKE kn_from);"
		"INSERT INTO kn_from VALUES (0)",
		type,
		type);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"INSERT INTO kn_from VALUES ($1::int, $2::text::%s, $3::text::%s[])",
					type,
					type);
	kn__buf_init(&text, NULL, SIZE_MAX);
	kn__buf_init(&array, NULL, SIZE_MAX);
	state = 20261127;
	for (int i = 1; i <= 200; i++)
	{
		char number[12];
		const char *values[3] = { number, NULL, NULL };

		(void) snprintf(number, sizeof(number), "%d", i);
		text.length = array.length = 0;
		put(&text);
		put_array(&array, put);
		values[1] = text.data;
		values[2] = array.data;
		PQclear(PQexecParams(look, sql, 3, NULL, values, NULL, NULL, 0));
	}
	kn__buf_release(&text);
	kn__buf_release(&array);
	/* The server's calendar goes on where ours has come to its end; and it does not read all of the
	 * intervals that it prints. */
	look_do(look,
			"DELETE FROM kn_from WHERE v::text LIKE '%2942%' OR a::text LIKE '%2942%'"
			" OR v::text LIKE '%-2562047788:%' OR a::text LIKE '%-2562047788:%'");
	ck_assert_int_gt(look_number(look, "SELECT count(*) FROM kn_from"), 20);
}

/* As bytes, from one table to another. */
static void
pass_bytes(const char *from, const char *to)
{
	kn_ctx *other = kn_begin(db);
	kn_copy *out = kn_copy_out(cx, from);
	kn_copy *in = kn_copy_in(other, to);
	kn_str piece;

	while (kn_copy_get(out, &piece))
		ck_assert_int_eq(kn_copy_put(in, piece.p, piece.n), KN_OK);
	EXPECT_OK(cx, kn_copy_end(out, NULL));
	EXPECT_OK(other, kn_copy_end(in, NULL));
	kn_end(other);
}

/* What came by a stream, and went by rows, or came and went as bytes, is what the server prints. */
START_TEST(brings_back_every_type)
{
	static const char *const tables[] = { "kn_rows", "kn_bytes", "kn_text" };
	kn_ctx *other = kn_begin(db);
	kn_rows *rows;
	kn_copy *copy;

	fill_from(codecs[_i].name, codecs[_i].put);
	rows = kn_stream(cx, "SELECT n, v, a FROM kn_from");
	copy = kn_copy_in(other, "COPY kn_rows FROM STDIN (FORMAT binary)");
	while (kn_next(rows))
	{
		kn_value values[] = { kn_column(rows, 0), kn_column(rows, 1), kn_column(rows, 2) };

		ck_assert_msg(kn_copy_row_values(copy, values, 3) == KN_OK,
					  "%s",
					  kn_last_error(other)->message);
	}
	EXPECT_OK(cx, kn_done(rows));
	EXPECT_OK(other, kn_copy_end(copy, NULL));
	kn_end(other);
	pass_bytes("COPY kn_from TO STDOUT (FORMAT binary)",
			   "COPY kn_bytes FROM STDIN (FORMAT binary)");
	pass_bytes("COPY kn_from TO STDOUT", "COPY kn_text FROM STDIN");
	for (int i = 0; i < 3; i++)
	{
		char sql[400];

		(void) snprintf(
			sql,
			sizeof(sql),
			"SELECT count(*) FROM kn_from f FULL JOIN %s t USING (n)"
			" WHERE f.v::text IS DISTINCT FROM t.v::text OR f.a::text IS DISTINCT FROM t.a::text",
			tables[i]);
		ck_assert_msg(look_number(look, sql) == 0, "%s: %s", codecs[_i].name, tables[i]);
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, reads_pieces);
	tcase_add_test(tcase, reads_none_or_a_part);
	tcase_add_test(tcase, reads_a_part_for_somebody);
	LOOP(tcase, refuses, wrongs);
	tcase_add_test(tcase, goes_one_way);
	tcase_add_test(tcase, writes);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, is_part_of_a_transaction);
	tcase_add_test(tcase, streams_the_same);
	tcase_add_test(tcase, tells_of_values);
	LOOP(tcase, streams_what_can_be, kinds);
	LOOP(tcase, tells_of_the_callers_text, broken);
	tcase_add_test(tcase, tells_of_what_has_changed);
	tcase_add_test(tcase, changes_in_a_transaction);
	tcase_add_test(tcase, streams_with_role_and_claims);
	tcase_add_test(tcase, is_cancelled);
	/* memcheck keeps what is freed for a while. */
	if (!is_slow())
		tcase_add_test(tcase, takes_no_more_memory);
	LOOP(tcase, brings_back_every_type, codecs);
}

int
main(void)
{
	return suite_run("copy_out", fill);
}
