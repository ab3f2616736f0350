/*
 * rows.c
 *		Values as a program wants them, and those that it cannot have.
 */
#include "live.h"

static kn_db *db;
static kn_ctx *cx;

static void
set_up(void)
{
	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
}

START_TEST(gives_each_kind)
{
	static const char sql[] =
		"SELECT true, 2::int2, 3, 4::int8, 1.5::float4, 2.5::float8, 'text', 'bytes'::bytea,"
		" '00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid, 123.450::numeric, '1970-01-11'::date,"
		" '1970-01-01 00:00:01+00'::timestamptz, '1 mon 2 days 3 us'::interval, '{\"a\": 1}'::jsonb,"
		" NULL::int, '10.0.0.1'::inet, ARRAY[1,NULL,3]%s";

	/* With a column that has no codec all of them come as text. */
	for (int i = 0; i < 4; i++)
	{
		char text[sizeof(sql) + 40];
		kn_rows *rows;
		kn_value array;

		(void) snprintf(text, sizeof(text), sql, i % 2 == 0 ? "" : ", '(1,2)'::point");
		rows = kn_query_values(cx, text, NULL, 0, NULL);
		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_column_count(rows), 17 + i % 2);
		ck_assert_int_eq(kn_get_bool(rows, 0), true);
		ck_assert_int_eq(kn_get_i16(rows, 1), 2);
		ck_assert_int_eq(kn_get_i32(rows, 2), 3);
		ck_assert_int_eq(kn_get_i64(rows, 3), 4);
		ck_assert(kn_get_f32(rows, 4) == 1.5F);
		ck_assert(kn_get_f64(rows, 5) == 2.5);
		ck_assert_str_eq(kn_get_text(rows, 6), "text");
		ck_assert_uint_eq(kn_column(rows, 7).n, 5);
		ck_assert_mem_eq(kn_column(rows, 7).as.p, "bytes", 5);
		ck_assert_uint_eq(kn_get_uuid(rows, 8).b[15], 15);
		ck_assert_str_eq(kn_get_text(rows, 9), "123.450");
		ck_assert_int_eq(kn_get_date(rows, 10).days, 10);
		ck_assert_int_eq(kn_get_time(rows, 11).usec, 1000000);
		ck_assert_int_eq(kn_get_interval(rows, 12).months, 1);
		ck_assert_int_eq(kn_get_interval(rows, 12).days, 2);
		ck_assert_int_eq(kn_get_interval(rows, 12).usec, 3);
		ck_assert_str_eq(kn_get_text(rows, 13), "{\"a\": 1}");
		ck_assert_int_eq(kn_is_null(rows, 14), true);
		ck_assert_int_eq(kn_is_null(rows, 13), false);
		ck_assert_str_eq(kn_get_text(rows, 15), "10.0.0.1");
		array = kn_column(rows, 16);
		ck_assert_int_eq(array.type, KN_TYPE_ARRAY);
		ck_assert_uint_eq(array.n, 3);
		ck_assert_int_eq(array.as.array->items[1].type, KN_TYPE_NULL);
		ck_assert_int_eq(array.as.array->items[2].as.i, 3);
		ck_assert_int_eq(kn_next(rows), false);
		EXPECT_OK(cx, kn_done(rows));
	}
}
END_TEST

START_TEST(knows_its_columns)
{
	kn_rows *rows = kn_query(cx, "SELECT 1 AS a, 'x'::text AS b, 2 AS a");

	ck_assert_int_eq(kn_column_index(rows, "a"), 0);
	ck_assert_int_eq(kn_column_index(rows, "b"), 1);
	ck_assert_int_eq(kn_column_index(rows, "c"), -1);
	ck_assert_int_eq(kn_column_index(rows, NULL), -1);
	ck_assert_str_eq(kn_column_name(rows, 1), "b");
	ck_assert_ptr_null(kn_column_name(rows, 3));
	ck_assert_ptr_null(kn_column_name(rows, -1));
	ck_assert_uint_eq(kn_column_oid(rows, 0), 23);
	ck_assert_int_eq(kn_row_count(rows), 1);
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(kn_column_count(rows), 0);
	ck_assert_int_eq(kn_done(NULL), KN_USAGE);
	ck_assert_int_eq(kn_next(NULL), false);
	ck_assert_int_eq(kn_column_count(NULL), 0);
}
END_TEST

/* Each reads the second row's second column in a way that does not fit. */
static void
get_i16(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_i16(rows, column), 0);
}

static void
get_i32(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_i32(rows, column), 0);
}

static void
get_i64(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_i64(rows, column), 0);
}

static void
get_f32(kn_rows *rows, int column)
{
	ck_assert(kn_get_f32(rows, column) == 0);
}

static void
get_bool(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_bool(rows, column), false);
}

static void
get_date(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_date(rows, column).days, 0);
}

static void
get_f64(kn_rows *rows, int column)
{
	ck_assert(kn_get_f64(rows, column) == 0);
}

static void
get_text(kn_rows *rows, int column)
{
	ck_assert_str_eq(kn_get_text(rows, column), "");
}

static void
get_str(kn_rows *rows, int column)
{
	ck_assert_uint_eq(kn_get_str(rows, column).n, 0);
}

static void
get_time(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_time(rows, column).usec, 0);
}

static void
get_interval(kn_rows *rows, int column)
{
	ck_assert_int_eq(kn_get_interval(rows, column).usec, 0);
}

static void
get_uuid(kn_rows *rows, int column)
{
	ck_assert_uint_eq(kn_get_uuid(rows, column).b[0], 0);
}

static const struct misfit
{
	const char *value;
	void (*get)(kn_rows *rows, int column);
} misfits[] = {
	{ "32768", get_i16 },
	{ "-32769", get_i16 },
	{ "3000000000", get_i32 },
	{ "-3000000000", get_i32 },
	{ "9223372036854775808::numeric", get_i64 },
	{ "1.5::numeric", get_i64 },
	{ "'NaN'::numeric", get_i32 },
	{ "'x'::text", get_i32 },
	{ "NULL::int", get_i32 },
	{ "NULL::bool", get_bool },
	{ "NULL::int2", get_i16 },
	{ "NULL::int8", get_i64 },
	{ "NULL::float4", get_f32 },
	{ "NULL::float8", get_f64 },
	{ "NULL::text", get_text },
	{ "NULL::text", get_str },
	{ "NULL::date", get_date },
	{ "NULL::timestamptz", get_time },
	{ "NULL::interval", get_interval },
	{ "NULL::uuid", get_uuid },
	{ "1e300::float8", get_f32 },
	{ "'x'::text", get_bool },
	{ "1", get_date },
	{ "'1970-01-01 00:00:00'::timestamp", get_date },
};

START_TEST(tells_row_and_column_of_a_misfit)
{
	const struct misfit *m = &misfits[_i];
	char sql[256];

	for (int streams = 0; streams < 2; streams++)
	{
		kn_rows *rows;

		(void) snprintf(
			sql,
			sizeof(sql),
			"SELECT g, CASE WHEN g = 2 THEN %s ELSE %s END AS bad FROM generate_series(1, 5) g",
			m->value,
			m->value);
		rows = streams == 0 ? kn_query_values(cx, sql, NULL, 0, NULL)
							: kn_stream_values(cx, sql, NULL, 0, NULL);
		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_get_i32(rows, 0), 2);
		m->get(rows, 1);
		ck_assert_int_eq(kn_get_i32(rows, 0), 0);
		ck_assert_int_eq(kn_next(rows), false);
		EXPECT(cx, kn_done(rows), KN_DATA);
		ck_assert_int_eq(kn_last_error(cx)->row, 1);
		ck_assert_int_eq(kn_last_error(cx)->column, 1);
		ck_assert_str_eq(kn_last_error(cx)->column_name, "bad");
		ck_assert_str_eq(kn_last_error(cx)->sql, sql);
		ck_assert_int_eq(kn_last_error(cx)->status, KN_DATA);
		ck_assert_int_eq(stats_of(db).busy, 0);
	}
}
END_TEST

START_TEST(refuses_columns_that_are_not_there)
{
	kn_rows *rows = kn_query(cx, "SELECT 1");

	ck_assert_int_eq(kn_get_i32(rows, 0), 0);
	EXPECT(cx, kn_done(rows), KN_USAGE);
	for (int column = -1; column < 2; column += 2)
	{
		rows = kn_query(cx, "SELECT 1");
		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_column(rows, column).type, KN_TYPE_NULL);
		EXPECT(cx, kn_done(rows), KN_USAGE);
	}
}
END_TEST

static kn_rows *
rows_by(int way, const char *sql)
{
	kn_batch *batch;

	if (way == 0)
		return kn_query_values(cx, sql, NULL, 0, NULL);
	if (way < 3)
		return kn_stream_values(cx, sql, NULL, 0, NULL);
	batch = kn_begin_batch(cx);
	ck_assert_int_eq(kn_add_values(batch, sql, NULL, 0), 0);
	EXPECT_OK(cx, kn_run_batch(batch, NULL));
	return kn_batch_rows(batch, 0);
}

static const struct
{
	const char *sql; /* whose first column is no less than 1 */
	int rows;
} ends[] = {
	{ "SELECT g FROM generate_series(1, 3) g", 3 },
	{ "SELECT g FROM generate_series(1, 3) g WHERE g > 3", 0 },
	{ "SELECT g, point(1, 2) FROM generate_series(1, 2) g", 2 },
	{ "SHOW max_connections", 1 }, /* whose answer has no number of rows */
};

/* Whichever way the rows come, a stream's by COPY the second time. */
START_TEST(has_no_values_past_its_end)
{
	for (int way = 0; way < 4; way++)
	{
		for (int get = 0; get < 4; get++)
		{
			kn_rows *rows = rows_by(way, ends[_i].sql);
			int seen = 0;

			for (; kn_next(rows); seen++)
				ck_assert_int_gt(kn_get_str(rows, 0).n, 0);
			ck_assert_int_eq(seen, ends[_i].rows);
			ck_assert_int_eq(kn_next(rows), false);
			ck_assert_int_eq(kn_row_count(rows), seen);
			if (get == 0)
				ck_assert_int_eq(kn_get_i32(rows, 0), 0);
			else if (get == 1)
				ck_assert_uint_eq(kn_get_str(rows, 0).n, 0);
			else if (get == 2)
				ck_assert_int_eq(kn_is_null(rows, 0), false);
			else
				ck_assert_int_eq(kn_column(rows, 0).type, KN_TYPE_NULL);
			EXPECT(cx, kn_done(rows), KN_USAGE);
			ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "kn_next()"));
			ck_assert_str_eq(kn_last_error(cx)->sql, ends[_i].sql);
		}
	}
}
END_TEST

START_TEST(outlives_its_rows)
{
	kn_rows *rows = kn_query(cx, "SELECT 'a' || g, ARRAY['b' || g] FROM generate_series(1, 3) g");
	const char *texts[3];
	kn_value arrays[3];

	for (int i = 0; kn_next(rows); i++)
	{
		texts[i] = kn_get_text(rows, 0);
		arrays[i] = kn_copy_value(cx, kn_column(rows, 1));
	}
	EXPECT_OK(cx, kn_done(rows));
	for (int i = 0; i < 3; i++)
	{
		char expected[16];

		(void) snprintf(expected, sizeof(expected), "a%d", i + 1);
		ck_assert_str_eq(texts[i], expected);
		expected[0] = 'b';
		ck_assert_uint_eq(arrays[i].as.array->items[0].n, 2);
		ck_assert_mem_eq(arrays[i].as.array->items[0].as.p, expected, 2);
	}
}
END_TEST

START_TEST(sends_each_kind)
{
	const kn_value items[] = { kn_i32(1), kn_null(), kn_i32(3) };
	const int32_t sizes[] = { 3 };
	const kn_array array = { .items = items,
							 .sizes = sizes,
							 .dimensions = 1,
							 .element = KN_TYPE_I32 };
	kn_rows *rows = kn_query(
		cx,
		"SELECT $1::bool AND $2::int2 = 2 AND $3::int8 = 3 AND $4::float8 = 4.5 AND $5::text = 'a'"
		" AND $6::bytea = '\\x0001' AND $7::numeric = 1.50 AND $8::date = '1970-01-03'"
		" AND $9::timestamptz = '1970-01-01 00:00:01+00' AND $10::interval = '3 days'"
		" AND $11::jsonb = '[1]' AND $12::inet = '::1' AND $13::int[] = '{1,NULL,3}' AND $14::int IS NULL",
		true,
		(short) 2,
		3L,
		4.5,
		"a",
		kn_bytes("\0\1", 2),
		kn_numeric("1.50"),
		((kn_date){ 2 }),
		((kn_time){ 1000000 }),
		((kn_interval){ .days = 3 }),
		kn_json("[1]"),
		kn_inet("::1"),
		kn_array_of(&array),
		kn_null());

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_get_bool(rows, 0), true);
	EXPECT_OK(cx, kn_done(rows));
}
END_TEST

/* Text ends at a NUL, and what comes behind it would be gone without a word. */
START_TEST(does_not_cut_bytes)
{
	kn_rows *rows = kn_query(cx, "SELECT E'a\\\\000b'::bytea");

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_str_eq(kn_get_text(rows, 0), "");
	EXPECT(cx, kn_done(rows), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->column, 0);
}
END_TEST

/* Where a pointer has to be there is none. */
START_TEST(takes_nothing_for_nothing)
{
	kn_copy *copy;
	kn_value none = { .type = KN_TYPE_NULL };
	int at = 0;
	kn_field field;

	EXPECT(cx, kn_after_commit(cx, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_after_rollback(cx, NULL, NULL), KN_USAGE);
	ck_assert_int_ne(kn_after_commit(NULL, NULL, NULL), KN_OK);
	ck_assert_int_eq(kn_copy_get(NULL, NULL), false);
	copy = kn_copy_out(cx, "COPY (SELECT 1) TO STDOUT");
	ck_assert_int_eq(kn_copy_get(copy, NULL), false);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	EXPECT(cx, kn_copy_end(kn_copy_in(cx, NULL), NULL), KN_USAGE);
	EXPECT(cx, kn_copy_end(kn_copy_out(cx, NULL), NULL), KN_USAGE);
	EXPECT(cx, kn_exec_values(cx, NULL, NULL, 0, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_exec_values(cx, "SELECT $1", NULL, 1, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_done(kn_query_values(cx, NULL, NULL, 0, NULL)), KN_USAGE);
	EXPECT(cx, kn_done(kn_stream_values(cx, NULL, NULL, 0, NULL)), KN_USAGE);
	EXPECT(cx, kn_transact_options(cx, NULL, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_notify(cx, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_uncache(cx, NULL), KN_USAGE);
	ck_assert_int_lt(kn_add_values(NULL, NULL, NULL, 0), 0);
	ck_assert_int_ne(kn_run_batch(NULL, NULL), KN_OK);
	ck_assert_int_eq(kn_batch_affected(NULL, 0), -1);
	ck_assert_int_ne(kn_done(kn_batch_rows(NULL, 0)), KN_OK);
	ck_assert_ptr_null(kn_alloc(NULL, 8));
	ck_assert_ptr_null(kn_copy_text(NULL, (kn_str){ "a", 1 }));
	ck_assert_int_eq(kn_copy_value(NULL, none).type, KN_TYPE_NULL);
	ck_assert_int_ne(kn_open_config(NULL, NULL, 0, NULL), KN_OK);
	ck_assert_int_ne(kn_get_stats(NULL, 0, NULL), KN_OK);
	ck_assert_uint_eq(kn_dump_pool(NULL, NULL, 0), 0);
	ck_assert_uint_eq(kn_dump_pool(db, NULL, 0), 0);
	ck_assert_int_eq(kn_server_count(NULL), 0);
	ck_assert_int_ne(kn_last_error(kn_begin_request(NULL, NULL))->status, KN_OK);
	ck_assert_uint_eq(kn_last_lsn(NULL), 0);
	ck_assert_int_ne(kn_open_listener(NULL, NULL, NULL), KN_OK);
	ck_assert_int_ne(kn_listen(NULL, NULL), KN_OK);
	ck_assert_int_ne(kn_unlisten(NULL, NULL), KN_OK);
	ck_assert_int_ne(kn_next_notification(NULL, 0, NULL), KN_OK);
	ck_assert_int_eq(kn_listener_fd(NULL), -1);
	ck_assert_ptr_nonnull(kn_listener_error(NULL));
	kn_wake_listener(NULL);
	kn_close_listener(NULL);
	kn_reset_pool(NULL);
	kn_cancel(NULL);
	kn_clear(NULL);
	kn_end(NULL);
	kn_set_timeout(NULL, 1);
	kn_copy_abort(NULL);
	ck_assert_int_eq(kn_event_field(NULL, &at, &field), false);
	ck_assert_uint_eq(kn_event_json(NULL, NULL, 0), 0);
	(void) kn_prometheus(NULL, NULL, 1, NULL, 0);
	kn_json_log_init(NULL, NULL, false);
	ck_assert_ptr_null(kn_column_name(NULL, 0));
	ck_assert_int_eq(kn_column_index(NULL, NULL), -1);
	ck_assert_int_eq(kn_column(NULL, 0).type, KN_TYPE_NULL);
}
END_TEST

/* The true of C11 is an int, and an int is no boolean: it is not cast, but told. */
START_TEST(tells_what_makes_a_boolean)
{
	static const char hint[] = "true and false are ints in C11: kn_bool(true) is a boolean";
	kn_batch *batch;

	EXPECT_OK(cx, kn_exec(cx, "DROP TABLE IF EXISTS kn_flag"));
	EXPECT_OK(cx, kn_exec(cx, "CREATE TABLE kn_flag (b boolean, n int)"));
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_flag VALUES ($1)", true), KN_SCHEMA);
	ck_assert_str_eq(kn_last_error(cx)->hint, hint);
	EXPECT(cx, kn_done(kn_query(cx, "SELECT 1 FROM kn_flag WHERE b = $1", false)), KN_SCHEMA);
	ck_assert_str_eq(kn_last_error(cx)->hint, hint);
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1 FROM kn_flag WHERE b = $1", 1)), KN_SCHEMA);
	ck_assert_str_eq(kn_last_error(cx)->hint, hint);
	batch = kn_begin_batch(cx);
	(void) kn_add(batch, "INSERT INTO kn_flag VALUES ($1)", true);
	EXPECT(cx, kn_run_batch(batch, NULL), KN_SCHEMA);
	ck_assert_str_eq(kn_last_error(cx)->hint, hint);
	/* What cannot have been meant so is the server's affair. */
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_flag VALUES ($1)", 7), KN_SCHEMA);
	ck_assert_str_ne(kn_last_error(cx)->hint, hint);
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_flag (n) VALUES ($1)", kn_bool(true)), KN_SCHEMA);
	ck_assert_str_ne(kn_last_error(cx)->hint, hint);
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_flag VALUES ($1, $2)", kn_bool(true), 1));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, does_not_cut_bytes);
	tcase_add_test(tcase, takes_nothing_for_nothing);
	tcase_add_test(tcase, gives_each_kind);
	tcase_add_test(tcase, knows_its_columns);
	LOOP(tcase, tells_row_and_column_of_a_misfit, misfits);
	tcase_add_test(tcase, refuses_columns_that_are_not_there);
	LOOP(tcase, has_no_values_past_its_end, ends);
	tcase_add_test(tcase, outlives_its_rows);
	tcase_add_test(tcase, sends_each_kind);
	tcase_add_test(tcase, tells_what_makes_a_boolean);
}

int
main(void)
{
	return suite_run("rows", fill);
}
