/*
 * getters.c
 *		Values by the functions that give one kind of them, which have short ways of their own.
 *
 * What kn_column() gives codecs.c looks after; the others have to give the same, or to refuse it
 * for the same reason: as the rows of a call, of a statement that is prepared, and of a stream.
 */
#include "one.h"
#include "samples.h"

#define SAMPLES 60

/* Whether the first column is what kn_column() made of it. */
typedef bool is_same(kn_rows *rows, const kn_value *wanted);

static bool
is_same_bool(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_bool(rows, 0) == wanted->as.b;
}

static bool
is_same_i16(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_i16(rows, 0) == wanted->as.i;
}

static bool
is_same_i32(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_i32(rows, 0) == wanted->as.i;
}

static bool
is_same_i64(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_i64(rows, 0) == wanted->as.i;
}

static bool
is_same_f32(kn_rows *rows, const kn_value *wanted)
{
	double d = (double) kn_get_f32(rows, 0);

	return memcmp(&d, &wanted->as.d, sizeof(d)) == 0 || (d != d && wanted->as.d != wanted->as.d);
}

static bool
is_same_f64(kn_rows *rows, const kn_value *wanted)
{
	double d = kn_get_f64(rows, 0);

	return memcmp(&d, &wanted->as.d, sizeof(d)) == 0 || (d != d && wanted->as.d != wanted->as.d);
}

static bool
is_same_str(kn_rows *rows, const kn_value *wanted)
{
	kn_str s = kn_get_str(rows, 0);

	return s.n == wanted->n && memcmp(s.p, wanted->as.p, s.n) == 0;
}

static bool
is_same_uuid(kn_rows *rows, const kn_value *wanted)
{
	kn_uuid uuid = kn_get_uuid(rows, 0);

	return memcmp(&uuid, &wanted->as.uuid, sizeof(uuid)) == 0;
}

static bool
is_same_date(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_date(rows, 0).days == wanted->as.i;
}

static bool
is_same_time(kn_rows *rows, const kn_value *wanted)
{
	return kn_get_time(rows, 0).usec == wanted->as.i;
}

static bool
is_same_interval(kn_rows *rows, const kn_value *wanted)
{
	kn_interval i = kn_get_interval(rows, 0);

	return i.usec == wanted->as.interval.usec && i.days == wanted->as.interval.days &&
		   i.months == wanted->as.interval.months;
}

static const struct
{
	const char *type;
	sample *put;
	is_same *is_same;
	const char *special; /* what luck might not bring, as a list of SQL */
} kinds[] = {
	{ "boolean", put_bool, is_same_bool, "'t', 'f'" },
	{ "smallint", put_int2, is_same_i16, "'-32768', '32767'" },
	{ "integer", put_int4, is_same_i32, "'-2147483648', '2147483647'" },
	{ "bigint", put_int8, is_same_i64, "'-9223372036854775808', '9223372036854775807'" },
	{ "real", put_float4, is_same_f32, "'-0', 'NaN', '-Infinity', '1e-45', '3.4028235e38'" },
	{ "double precision", put_float8, is_same_f64, "'-0', 'NaN', 'Infinity', '5e-324'" },
	{ "text", put_text, is_same_str, "'', 'x'" },
	{ "uuid", put_uuid, is_same_uuid, "'ffffffff-ffff-ffff-ffff-ffffffffffff'" },
	{ "date", put_date, is_same_date, "'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31'" },
	{ "timestamptz",
	  put_timestamptz,
	  is_same_time,
	  "'infinity', '-infinity', '4714-11-24 00:00:00+00 BC', '294247-01-10 04:00:54.775806+00',"
	  "'294247-01-10 04:00:54.775807+00', '294276-12-31 23:59:59.999999+00'" },
	{ "interval", put_interval, is_same_interval, "'-178000000 years', '1 mon -1 day'" },
};

static void
set_up(void)
{
	look = look_open();
	OPEN(db, .max_connections = 1, .prepare_after = 1);
	cx = kn_begin(db, .timeout_ms = 60000);
}

/* Values of a type in kn_got, as far as the server takes them. */
static void
fill_got(const char *type, sample *put, const char *special)
{
	char sql[600];
	kn__buf text;

	(void) snprintf(
		sql,
		sizeof(sql),
		"DROP TABLE IF EXISTS kn_got; CREATE TABLE kn_got (n int, v %s);"
		"INSERT INTO kn_got SELECT n, v::%s FROM unnest(ARRAY[%s]) WITH ORDINALITY u(v, n)",
		type,
		type,
		special);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"INSERT INTO kn_got SELECT max(n) + 1, $1::text::%s FROM kn_got",
					type);
	kn__buf_init(&text, NULL, SIZE_MAX);
	state = 20261128;
	for (int i = 0; i < SAMPLES; i++)
	{
		const char *value;

		text.length = 0;
		put(&text);
		value = text.data;
		PQclear(PQexecParams(look, sql, 1, NULL, &value, NULL, NULL, 0));
	}
	kn__buf_release(&text);
}

typedef kn_rows *ask(int n);

static kn_rows *
ask_prepared(int n)
{
	return kn_query(cx, "SELECT v, v FROM kn_got WHERE n = $1", n);
}

/* A text of its own for each value. */
static const char *
text_for(int n)
{
	char *sql = kn_alloc(cx, 80);

	(void) snprintf(sql, 80, "SELECT v, v FROM kn_got WHERE n = %d", n);
	return sql;
}

static kn_rows *
ask_once(int n)
{
	return kn_query(cx, text_for(n));
}

static kn_rows *
ask_streaming(int n)
{
	return kn_stream(cx, text_for(n));
}

/* How many of the values could not be had, by either way. */
static int
compare(ask *ask, int n, is_same *is_same)
{
	kn_rows *rows = ask(n);
	kn_value wanted;
	kn_status status;

	ck_assert_int_eq(kn_next(rows), true);
	wanted = kn_column(rows, 1);
	status = kn_done(rows);
	rows = ask(n);
	ck_assert_int_eq(kn_next(rows), true);
	if (status == KN_OK)
	{
		wanted = kn_column(rows, 1);
		ck_assert_msg(is_same(rows, &wanted), "value %d", n);
	}
	else
	{
		ck_assert_int_eq(status, KN_DATA);
		(void) is_same(rows, &wanted);
	}
	ck_assert_int_eq(kn_done(rows), status);
	return status != KN_OK;
}

START_TEST(give_what_kn_column_gives)
{
	ask *const asks[] = { ask_prepared, ask_once, ask_streaming };
	int count;
	int refused = 0;

	fill_got(kinds[_i].type, kinds[_i].put, kinds[_i].special);
	count = (int) look_number(look, "SELECT max(n) FROM kn_got");
	for (int n = 1; n <= count; n++)
	{
		int before = refused;

		for (size_t i = 0; i < COUNT(asks); i++)
			refused += compare(asks[i], n, kinds[_i].is_same);
		ck_assert_int_eq((refused - before) % (int) COUNT(asks), 0);
		if (refused > before)
		{
			char sql[80];

			(void) snprintf(sql, sizeof(sql), "DELETE FROM kn_got WHERE n = %d", n);
			look_do(look, sql);
		}
		kn_clear(cx);
	}
	ck_assert_int_eq(refused > 0, strcmp(kinds[_i].type, "timestamptz") == 0);
}
END_TEST

/* Row after row, once what their columns are has been found out. */
START_TEST(give_it_row_after_row)
{
	kn_rows *rows;
	int count = 0;

	fill_got(kinds[_i].type, kinds[_i].put, kinds[_i].special);
	look_do(look, "DELETE FROM kn_got WHERE v::text ~ '^294(24[7-9]|2[5-9])'");
	for (int i = 0; i < 2; i++)
	{
		rows = i == 0 ? kn_stream(cx, "SELECT v, v FROM kn_got")
					  : kn_query(cx, "SELECT v, v FROM kn_got");
		while (kn_next(rows))
		{
			kn_value wanted = kn_column(rows, 1);

			ck_assert_int_ne(wanted.type, KN_TYPE_NULL);
			ck_assert(kinds[_i].is_same(rows, &wanted));
			count++;
		}
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_int_eq(count, 2 * look_number(look, "SELECT count(*) FROM kn_got"));
}
END_TEST

/* Whole numbers as parameters go a way of their own, once the statement is prepared. */
START_TEST(whole_numbers_come_back)
{
	state = 20261128;
	for (int i = 0; i < 400; i++)
	{
		int64_t a = whole(64);
		int64_t b = whole(64);
		char wanted[64];
		kn_rows *rows = kn_query(cx, "SELECT $1::bigint || ' ' || $2::bigint", a, b);

		(void) snprintf(wanted, sizeof(wanted), "%" PRId64 " %" PRId64, a, b);
		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_str_eq(kn_get_text(rows, 0), wanted);
		EXPECT_OK(cx, kn_done(rows));
	}
}
END_TEST

/* Whether there is a value says nothing of what it is; and a double has what digits it has. */
START_TEST(ask_for_no_more_than_they_have_to)
{
	kn_rows *rows = kn_query(cx,
							 "SELECT '294276-12-31'::timestamp, NULL::timestamp, 1::bigint << 60,"
							 " (1::bigint << 60) + 1, '-9223372036854775808'::bigint,"
							 " 9223372036854775807");

	ck_assert(kn_next(rows));
	ck_assert(!kn_is_null(rows, 0));
	ck_assert(kn_is_null(rows, 1));
	ck_assert_double_eq(kn_get_f64(rows, 2), 1152921504606846976.0);
	ck_assert_double_eq(kn_get_f64(rows, 4), -9223372036854775808.0);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	(void) kn_get_f64(rows, _i == 0 ? 3 : 5);
	EXPECT(cx, kn_done(rows), KN_DATA);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, give_what_kn_column_gives, kinds);
	LOOP(tcase, give_it_row_after_row, kinds);
	tcase_add_test(tcase, whole_numbers_come_back);
	tcase_add_loop_test(tcase, ask_for_no_more_than_they_have_to, 0, 2);
}

int
main(void)
{
	return suite_run("getters", fill);
}
