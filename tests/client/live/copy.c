/*
 * copy.c
 *		COPY in: rows and bytes, what does not fit, and what is given up.
 */
#include "copy.h"

START_TEST(writes_rows)
{
	int64_t pid = number_of(cx, kn_query(cx, "SELECT pg_backend_pid()"));
	kn_copy *copy = kn_copy_in(cx, to_table);
	int many = is_slow() ? 5000 : 50000;
	int64_t rows = -1;

	for (int i = 0; i < many; i++)
		ck_assert_int_eq(kn_copy_row(copy, i + 100, i % 7 == 0 ? NULL : "some text", i * 0.5),
						 KN_OK);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, many);
	EXPECT_OK(cx, kn_copy_end(copy, &rows));
	ck_assert_int_eq(rows, many);
	ck_assert_int_eq(count(), many);
	ck_assert_int_eq(look_number(look,
								 "SELECT count(*) FROM kn_copy WHERE c = (a - 100) * 0.5"
								 " AND b IS NOT DISTINCT FROM"
								 " CASE WHEN (a - 100) % 7 <> 0 THEN 'some text' END"),
					 many);
	if (!is_pooled())
		ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT pg_backend_pid()")), pid);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(writes_nothing)
{
	int64_t rows = -1;

	EXPECT_OK(cx, kn_copy_end(kn_copy_in(cx, to_table), &rows));
	ck_assert_int_eq(rows, 0);
	EXPECT_OK(cx, kn_copy_end(kn_copy_in(cx, "COPY kn_copy FROM STDIN"), &rows));
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(count(), 0);
}
END_TEST

/* Pieces of any size. */
START_TEST(writes_bytes)
{
	static char lines[200000];
	size_t sizes[] = { 1, 7, 1000, 61440, 65536, sizeof(lines) };
	size_t length = 0;

	for (int i = 0; i < 9000; i++)
		length += (size_t)
			snprintf(lines + length, sizeof(lines) - length, "%d\tx%d\t%d.5\n", i + 100, i, i);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		kn_copy *copy = kn_copy_in(cx, "COPY kn_copy FROM STDIN");
		int64_t rows;

		for (size_t at = 0; at < length; at += sizes[i])
			ck_assert_int_eq(
				kn_copy_put(copy, lines + at, length - at < sizes[i] ? length - at : sizes[i]),
				KN_OK);
		EXPECT_OK(cx, kn_copy_end(copy, &rows));
		ck_assert_int_eq(rows, 9000);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_copy WHERE b = 'x' || a - 100"),
						 9000);
		look_do(look, "TRUNCATE kn_copy");
	}
}
END_TEST

/* Columns are those of the list, in its order, whatever the table's is. */
START_TEST(goes_by_the_list)
{
	kn_copy *copy;

	look_do(
		look,
		"DROP TABLE IF EXISTS \"kn Copy\" CASCADE; DROP DOMAIN IF EXISTS kn_small CASCADE;"
		"DROP DOMAIN IF EXISTS kn_smaller; DROP TYPE IF EXISTS kn_mood CASCADE; CREATE DOMAIN kn_small AS int2 CHECK (value < 100);"
		"CREATE DOMAIN kn_smaller AS kn_small; CREATE TYPE kn_mood AS ENUM ('good', 'bad');"
		"CREATE TABLE \"kn Copy\" (gone int, n kn_smaller, twice int GENERATED ALWAYS AS (n * 2) STORED,"
		" \"Mood \"\" x\" kn_mood, t text, o box);"
		"ALTER TABLE \"kn Copy\" DROP gone");
	copy = kn_copy_in(
		cx,
		"/* x */ COPY public . \"kn Copy\" (T, \"Mood \"\" x\", n) FROM stdin WITH (format BINARY)");
	ck_assert_int_eq(kn_copy_row(copy, "text", "good", 7), KN_OK);
	EXPECT_OK(cx, kn_copy_end(copy, NULL));
	/* All but the generated one, and of a type without a codec nothing but NULL. */
	copy = kn_copy_in(cx, "copy \"kn Copy\" from stdin binary");
	ck_assert_int_eq(kn_copy_row(copy, 8, "bad", "more", kn_null()), KN_OK);
	EXPECT_OK(cx, kn_copy_end(copy, NULL));
	ck_assert_int_eq(
		look_number(look,
					"SELECT count(*) FROM \"kn Copy\" WHERE (n, twice, \"Mood \"\" x\", t) IN"
					" ((7, 14, 'good', 'text'), (8, 16, 'bad', 'more')) AND o IS NULL"),
		2);
	copy = kn_copy_in(cx, "COPY \"kn Copy\" (o) FROM STDIN BINARY");
	ck_assert_int_eq(kn_copy_row(copy, "(1,1),(0,0)"), KN_DATA);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_DATA);
	ck_assert_str_eq(kn_last_error(cx)->column_name, "o");
	/* What the domain refuses, and what is no mood, the server knows. */
	copy = kn_copy_in(cx, "COPY \"kn Copy\" (n) FROM STDIN BINARY");
	ck_assert_int_eq(kn_copy_row(copy, 100), KN_OK);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_CHECK);
	copy = kn_copy_in(cx, "COPY \"kn Copy\" (\"Mood \"\" x\") FROM STDIN BINARY");
	ck_assert_int_eq(kn_copy_row(copy, "so so"), KN_OK);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_DATA);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM \"kn Copy\""), 2);
}
END_TEST

typedef struct misfit
{
	kn_value a;
	kn_value b;
	kn_value c;
	int column;
} misfit;

static const misfit misfits[] = {
	{ { .type = KN_TYPE_I64, .as.i = INT64_C(1) << 31 }, { 0 }, { 0 }, 0 },
	{ { .type = KN_TYPE_I64, .as.i = -(INT64_C(1) << 31) - 1 }, { 0 }, { 0 }, 0 },
	{ { .type = KN_TYPE_I32, .as.i = INT64_C(1) << 31 }, { 0 }, { 0 }, 0 },
	{ { .type = KN_TYPE_F64, .as.d = 1.0 }, { 0 }, { 0 }, 0 },
	{ { .type = KN_TYPE_TEXT, .n = 1, .as.p = "1" }, { 0 }, { 0 }, 0 },
	{ { .type = KN_TYPE_I32, .as.i = 1 }, { .type = KN_TYPE_I32, .as.i = 7 }, { 0 }, 1 },
	{ { .type = KN_TYPE_I32, .as.i = 1 },
	  { .type = KN_TYPE_BYTES, .n = 1, .as.p = "x" },
	  { 0 },
	  1 },
	{ { .type = KN_TYPE_I32, .as.i = 1 }, { 0 }, { .type = KN_TYPE_BOOL, .as.b = true }, 2 },
	{ { .type = KN_TYPE_I32, .as.i = 1 },
	  { 0 },
	  { .type = KN_TYPE_I64, .as.i = (INT64_C(1) << 53) + 1 },
	  2 },
};

START_TEST(refuses_what_does_not_fit)
{
	const misfit *m = &misfits[_i];
	kn_value values[] = { m->a, m->b, m->c };
	kn_copy *copy = kn_copy_in(cx, to_table);
	int many = is_slow() ? 2500 : 20000;
	int64_t rows = 7;

	/* Some of it has been sent by then. */
	for (int i = 0; i < many; i++)
		ck_assert_int_eq(kn_copy_row(copy, i + 100, "some text", 0.5), KN_OK);
	ck_assert_int_eq(kn_copy_row_values(copy, values, 3), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->row, many);
	ck_assert_int_eq(kn_last_error(cx)->column, m->column);
	ck_assert_str_eq(kn_last_error(cx)->column_name,
					 m->column == 0   ? "a"
					 : m->column == 1 ? "b"
									  : "c");
	ck_assert_str_eq(kn_last_error(cx)->sql, to_table);
	/* The connection is free by now, and the handle has nothing else to say. */
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_int_eq(kn_copy_row(copy, 1, "x", 1.0), KN_DATA);
	EXPECT(cx, kn_copy_end(copy, &rows), KN_DATA);
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(count(), 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

START_TEST(refuses_what_is_wrong)
{
	kn_copy *copy = kn_copy_in(cx, to_table);

	ck_assert_int_eq(kn_copy_row(copy, 1, "x"), KN_USAGE);
	ck_assert(strstr(kn_last_error(cx)->message, "2 values") != NULL);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	copy = kn_copy_in(cx, to_table);
	ck_assert_int_eq(kn_copy_row(copy, 1, "x", 1.0), KN_OK);
	ck_assert_int_eq(kn_copy_put(copy, "x", 1), KN_USAGE);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	copy = kn_copy_in(cx, "COPY kn_copy FROM STDIN");
	ck_assert_int_eq(kn_copy_row(copy, 1, "x", 1.0), KN_USAGE);
	ck_assert(strstr(kn_last_error(cx)->message, "binary") != NULL);
	EXPECT(cx, kn_copy_end(copy, NULL), KN_USAGE);
	copy = kn_copy_in(cx, "COPY kn_copy FROM STDIN");
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_USAGE);
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1")), KN_USAGE);
	EXPECT(cx, kn_copy_end(kn_copy_in(cx, to_table), NULL), KN_USAGE);
	ck_assert_int_eq(kn_in_transaction(cx), false);
	EXPECT_OK(cx, kn_copy_end(copy, NULL));
	ck_assert_int_eq(kn_copy_row(copy, 1, "x", 1.0), KN_USAGE);
	ck_assert_int_eq(kn_copy_put(copy, "x", 1), KN_USAGE);
	/* An end that was reached stays reached. */
	EXPECT_OK(cx, kn_copy_end(copy, NULL));
	ck_assert_int_eq(count(), 0);
	EXPECT(cx, kn_exec(cx, to_table), KN_USAGE);
	ck_assert_int_eq(kn_copy_put(NULL, "", 0), KN_USAGE);
	ck_assert_int_eq(kn_copy_end(NULL, NULL), KN_USAGE);
	kn_copy_abort(NULL);
	EXPECT(cx, kn_copy_end(kn_copy_in(NULL, to_table), NULL), KN_NO_MEMORY);
}
END_TEST

static const struct
{
	const char *sql;
	kn_status status;
} wrongs[] = {
	{ NULL, KN_USAGE },
	{ "SELECT 1", KN_USAGE },
	{ "COPY kn_copy TO STDOUT", KN_USAGE },
	{ "COPY kn_copy FROM '/etc/passwd'", KN_USAGE },
	{ "COPY kn_copy FROM PROGRAM 'stdin'", KN_USAGE },
	{ "COPY kn_copy FROM STDIN; SELECT 1", KN_USAGE },
	{ "COPY kn_nowhere FROM STDIN", KN_SCHEMA },
	{ "COPY kn_nowhere FROM STDIN BINARY", KN_SCHEMA },
	{ "COPY kn_copy (a, z) FROM STDIN BINARY", KN_SCHEMA },
	{ "COPY kn_copy FROM STDIN (NONSENSE)", KN_SCHEMA },
};

START_TEST(refuses_at_the_beginning)
{
	kn_copy *copy = kn_copy_in(cx, wrongs[_i].sql);

	ck_assert_int_eq(kn_copy_put(copy, "1", 1), wrongs[_i].status);
	EXPECT(cx, kn_copy_end(copy, NULL), wrongs[_i].status);
	if (wrongs[_i].sql != NULL)
		ck_assert_str_eq(kn_last_error(cx)->sql, wrongs[_i].sql);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
}
END_TEST

/* The server finds it out early, and more comes than sockets have room for. */
START_TEST(fails_half_way)
{
	for (int what = 0; what < 3; what++)
	{
		static const kn_status statuses[] = { KN_DUPLICATE, KN_CHECK, KN_DATA };
		kn_copy *copy = kn_copy_in(cx, to_table);

		for (int i = 0; i < (is_slow() ? 20000 : 200000); i++)
		{
			bool is_wrong = i == 1000;

			(void) kn_copy_row(copy,
							   is_wrong && what == 0   ? 100
							   : is_wrong && what == 1 ? 13
													   : i + 100,
							   is_wrong && what == 2 ? kn_text("\377") : kn_text("some text"),
							   0.5);
		}
		EXPECT(cx, kn_copy_end(copy, NULL), statuses[what]);
		ck_assert_int_eq(kn_last_error(cx)->status, statuses[what]);
		ck_assert(strstr(kn_last_error(cx)->context, "line 1001") != NULL);
		ck_assert_int_eq(count(), 0);
		ck_assert_uint_eq(stats_of(db).closed_broken, 0);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	}
}
END_TEST

START_TEST(is_given_up)
{
	int64_t rows = 7;
	kn_copy *copy;

	for (int i = 0; i < 3; i++)
	{
		copy = kn_copy_in(cx, to_table);
		for (int j = 0; j < i * (is_slow() ? 2500 : 10000); j++)
			ck_assert_int_eq(kn_copy_row(copy, j + 100, "some text", 0.5), KN_OK);
		kn_copy_abort(copy);
		kn_copy_abort(copy);
		ck_assert_int_eq(stats_of(db).busy, 0);
		ck_assert_int_eq(kn_copy_row(copy, 1, "x", 1.0), KN_CANCELED);
		EXPECT(cx, kn_copy_end(copy, &rows), KN_CANCELED);
		ck_assert_int_eq(rows, 0);
		ck_assert_int_eq(count(), 0);
	}
	/* The end of the context is the end of it. */
	(void) kn_copy_row(kn_copy_in(cx, to_table), 1, "x", 1.0);
	kn_clear(cx);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	(void) kn_copy_row(kn_copy_in(cx, to_table), 1, "x", 1.0);
	kn_end(cx);
	ck_assert_int_eq(stats_of(db).busy, 0);
	cx = kn_begin(db);
	ck_assert_int_eq(count(), 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* The server waits for a lock, and does not listen. */
static void
make_it_wait(void)
{
	look_do(
		look,
		"CREATE FUNCTION kn_copy_wait() RETURNS trigger LANGUAGE plpgsql AS"
		" 'BEGIN PERFORM pg_advisory_xact_lock(815); RETURN NEW; END';"
		"CREATE TRIGGER w BEFORE INSERT ON kn_copy FOR EACH ROW EXECUTE FUNCTION kn_copy_wait();"
		"SELECT pg_advisory_lock(815)");
}

static void
let_it_go(void)
{
	look_do(look, "SELECT pg_advisory_unlock(815)");
}

START_TEST(ends_in_time)
{
	kn_status status = KN_OK;

	make_it_wait();
	for (int few = 0; few < 2; few++)
	{
		kn_ctx *hasty = kn_begin(db, .timeout_ms = 200);
		kn_copy *copy = kn_copy_in(hasty, to_table);

		do
			status = kn_copy_row(copy, 1, "some text that fills the sockets in the end", 0.5);
		while (status == KN_OK && few == 0);
		if (few == 0)
			ck_assert_int_eq(status, KN_TIMEOUT);
		EXPECT(hasty, kn_copy_end(copy, NULL), KN_TIMEOUT);
		ck_assert_int_eq(stats_of(db).busy, 0);
		kn_end(hasty);
		ck_assert_int_eq(count(), 0);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	}
	let_it_go();
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void *
cancel_it(void *argument)
{
	PGconn *other = look_open();

	look_await(other,
			   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE wait_event = 'advisory' AND query LIKE 'COPY%'",
			   1);
	kn_cancel(argument);
	PQfinish(other);
	return NULL;
}

START_TEST(is_cancelled)
{
	make_it_wait();
	for (int few = 0; few < 2; few++)
	{
		kn_copy *copy = kn_copy_in(cx, to_table);
		pthread_t thread;
		kn_status status;

		ck_assert_int_eq(pthread_create(&thread, NULL, cancel_it, cx), 0);
		do
			status = kn_copy_row(copy, 1, "some text that fills the sockets in the end", 0.5);
		while (status == KN_OK && few == 0);
		EXPECT(cx, kn_copy_end(copy, NULL), KN_CANCELED);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq(stats_of(db).busy, 0);
		EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CANCELED);
		kn_clear(cx);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		ck_assert_int_eq(count(), 0);
	}
	let_it_go();
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, writes_rows);
	tcase_add_test(tcase, writes_nothing);
	tcase_add_test(tcase, writes_bytes);
	tcase_add_test(tcase, goes_by_the_list);
	LOOP(tcase, refuses_what_does_not_fit, misfits);
	tcase_add_test(tcase, refuses_what_is_wrong);
	LOOP(tcase, refuses_at_the_beginning, wrongs);
	tcase_add_test(tcase, fails_half_way);
	tcase_add_test(tcase, is_given_up);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, is_cancelled);
}

int
main(void)
{
	return suite_run("copy", fill);
}
