/*
 * scenes_kinds.h
 *		Scenes of values of every kind, and of rows as they arrive; see scenes.h, which includes it.
 */
#ifndef KN_TESTS_SCENES_KINDS_H
#define KN_TESTS_SCENES_KINDS_H

#include "scenes_copy.h"

/* Rows of every kind: some 6 kB, which also go a byte at a time under valgrind. */
#define SCENE_KINDS 8

static const char x_every_kind[] =
	"SELECT g = 1, g::int2, g, g::int8, g::float4, g::float8, repeat('x', 20000),"
	" decode(repeat('ff', 300), 'hex'), '00000000-0000-0000-0000-000000000001'::uuid,"
	" (g || '.50')::numeric, '2024-02-29'::date, '12:00'::time, '2024-02-29 12:00'::timestamp,"
	" '2024-02-29 12:00+00'::timestamptz, '1 day'::interval, '{\"a\": 1}'::jsonb,"
	" '192.168.0.0/16'::inet, ARRAY[1, NULL, 3], ARRAY['a', 'b'], '(1,2)'::point"
	" FROM generate_series(1, 3) g";

/* What was read of the row is all there, unless the rows say that they have failed. */
static bool
is_good_row(kn_ctx *cx, kn_rows *rows, int number)
{
	bool is_good = kn_get_bool(rows, 0) == (number == 1) && kn_get_i16(rows, 1) == number &&
				   kn_get_i32(rows, 2) == number && kn_get_i64(rows, 3) == number &&
				   kn_get_f32(rows, 4) == (float) number && kn_get_f64(rows, 5) == number &&
				   kn_get_str(rows, 6).n == 20000 && kn_column(rows, 7).n == 300 &&
				   kn_get_uuid(rows, 8).b[15] == 1;
	kn_str digits = kn_get_str(rows, 9);
	kn_value copy;

	is_good = is_good && digits.n == 4 && digits.p[0] == '0' + number &&
			  kn_get_date(rows, 10).days == 19782 &&
			  kn_column(rows, 11).as.i == INT64_C(43200000000) && kn_column(rows, 12).as.i != 0 &&
			  kn_get_time(rows, 13).usec == INT64_C(1709208000000000) &&
			  kn_get_interval(rows, 14).days == 1 && kn_get_str(rows, 15).n == 8;
	is_good = is_good && strcmp(kn_get_text(rows, 16), "192.168.0.0/16") == 0 &&
			  kn_column(rows, 17).n == 3 && strcmp(kn_get_text(rows, 19), "(1,2)") == 0;
	copy = is_good ? kn_column(rows, 18) : kn_null();
	if (copy.type != KN_TYPE_NULL)
		copy = kn_copy_value(cx, copy);
	/* It says by being NULL that it was not made. */
	return is_good && (copy.type == KN_TYPE_NULL || copy.n == 2) && !kn_is_null(rows, 0);
}

/* All of them, or why not. */
static kn_status
read_kinds(kn_ctx *cx, kn_rows *rows)
{
	bool is_good = true;
	int count = 0;
	kn_status status;

	while (kn_next(rows))
		is_good = is_good_row(cx, rows, ++count) && is_good;
	status = kn_done(rows);
	MUST(status != KN_OK || (is_good && count == 3));
	return status;
}

static kn_status
act_query(kn_ctx *cx)
{
	const char *copy;
	const char *zeros;

	TRY(read_kinds(cx, kn_query(cx, x_every_kind)));
	/* These say by being NULL that they were not made. */
	copy = kn_copy_text(cx, (kn_str){ "abc", 3 });
	MUST(copy == NULL || strcmp(copy, "abc") == 0);
	zeros = kn_alloc(cx, 100000);
	MUST(zeros == NULL || zeros[99999] == 0);
	return KN_OK;
}

static kn_status
act_parameters(kn_ctx *cx)
{
	static const char sql[] =
		"INSERT INTO kn_scene SELECT cardinality($1::int[]), $2 || $3 || $4"
		" || $5 || $6 || $7 || $8 || $9 || $10 || $11 || $12 || $13 || $14"
		" || $15 || $16 || $17 || $18::text[] WHERE $19::bytea IS NOT NULL";
	static const int32_t sizes[] = { 3 };
	static char text[17000];
	kn_value numbers[3] = { kn_i32(1), kn_null(), kn_i32(3) };
	kn_value texts[3] = { kn_text("a"), kn_null(), kn_text("\"{},") };
	const kn_array of_numbers = { numbers, sizes, NULL, 1, KN_TYPE_I32 };
	const kn_array of_texts = { texts, sizes, NULL, 1, KN_TYPE_TEXT };
	kn_value values[19];
	int64_t rows = 0;

	memset(text, 'y', sizeof(text) - 1);
	values[0] = kn_array_of(&of_numbers);
	for (int i = 1; i < 17; i++)
		values[i] = kn_text("t");
	values[17] = kn_array_of(&of_texts);
	values[18] = kn_bytes(text, sizeof(text));
	TRY(kn_exec_values(cx, sql, values, 19, NULL, &rows));
	MUST((rows) == (1));
	return KN_OK;
}

static kn_status
act_stream(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, "SELECT g, g::text FROM generate_series(1, $1::int) g", 100);
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1 && kn_get_str(rows, 1).n > 0)
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 100);
	return status;
}

static kn_status
act_streamed_write(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx,
							  "INSERT INTO kn_scene SELECT g, 's' FROM generate_series(1, 5) g"
							  " RETURNING id");
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1)
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 5);
	return status;
}

/* The second time it is known what the rows are, and they come by COPY. */
static kn_status
act_streamed_kinds(kn_ctx *cx)
{
	for (int i = 0; i < 2; i++)
		TRY(read_kinds(cx, kn_stream(cx, x_every_kind)));
	return KN_OK;
}

/* Nobody wants the rest: it is cancelled.  More than fits on the way. */
static kn_status
act_stream_some(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, "SELECT g, repeat('x', 7000) FROM generate_series(1, 200) g");

	for (int i = 1; i <= 3 && kn_next(rows); i++)
		MUST(kn_get_i32(rows, 0) == i || kn_done(rows) != KN_OK);
	return kn_done(rows);
}

/* The server looks whether each value is what it was. */
static const char x_make_kinds[] =
	"CREATE TABLE kn_scene_kinds (b bool, s int2, l int8, f float8, d numeric, y bytea, u uuid,"
	" t timestamptz, j jsonb, n inet, a int[], w text[], CHECK (coalesce(b = (id % 2 = 1) AND"
	" s = id AND l = -id AND f = id AND d = id + 0.5 AND y = decode(repeat('ff', 3000), 'hex') AND"
	" u = '01000000-0000-0000-0000-000000000000' AND t = '2024-02-29 12:00+00' AND"
	" j = '{\"a\": 1}' AND n = '192.168.0.0/16' AND a = ARRAY[id, NULL] AND"
	" w = ARRAY['{', what], false))) INHERITS (kn_scene)";

static kn_status
put_kinds(kn_copy *copy, int id)
{
	static const int32_t sizes[] = { 2 };
	static char bytes[3000];
	kn_value numbers[2] = { kn_i32(id), kn_null() };
	kn_value words[2] = { kn_text("{"), kn_text("row") };
	const kn_array of_numbers = { numbers, sizes, NULL, 1, KN_TYPE_I32 };
	const kn_array of_words = { words, sizes, NULL, 1, KN_TYPE_TEXT };
	char digits[16];
	kn_value values[14];

	memset(bytes, 0xFF, sizeof(bytes));
	(void) snprintf(digits, sizeof(digits), "%d.5", id);
	values[0] = kn_i32(id);
	values[1] = kn_text("row");
	values[2] = kn_bool(id % 2 == 1);
	values[3] = kn_i32(id);
	values[4] = kn_i64(-id);
	values[5] = kn_f64(id);
	values[6] = kn_numeric(digits);
	values[7] = kn_bytes(bytes, sizeof(bytes));
	values[8] = kn_uuid_of((kn_uuid){ { 1 } });
	values[9] = kn_timestamptz((kn_time){ INT64_C(1709208000000000) });
	values[10] = kn_json("{\"a\": 1}");
	values[11] = kn_inet("192.168.0.0/16");
	values[12] = kn_array_of(&of_numbers);
	values[13] = kn_array_of(&of_words);
	return kn_copy_row_values(copy, values, 14);
}

/* What has failed once stays so, and nothing of it is there. */
static kn_status
act_copy_kinds(kn_ctx *cx)
{
	kn_copy *copy = kn_copy_in(cx, "COPY kn_scene_kinds FROM STDIN (FORMAT binary)");
	kn_status status = KN_OK;
	kn_status ended;
	int64_t rows = 0;

	for (int i = 0; i < SCENE_KINDS && status == KN_OK; i++)
		status = put_kinds(copy, i);
	MUST(status == KN_OK || put_kinds(copy, 0) == status);
	ended = kn_copy_end(copy, &rows);
	MUST(status == KN_OK || ended == status);
	MUST(ended != KN_OK || rows == SCENE_KINDS);
	return ended;
}

#endif
