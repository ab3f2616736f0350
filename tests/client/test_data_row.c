/*
 * test_data_row.c
 *		Rows of COPY's binary format: the short way and the long one write the same, and what does
 *		not fit is taken back.
 */
#include <string.h>

#include "data/data.h"
#include "suite.h"

/* A value that goes the short way or not, by the type of its column, and what it becomes. */
static const struct
{
	kn_value value;
	uint32_t oid;
	int length; /* -1: it does not fit */
	const char *bytes;
} fields[] = {
	{ { .type = KN_TYPE_NULL }, 23, 4, "\377\377\377\377" },
	{ { .type = KN_TYPE_NULL }, 600, 4, "\377\377\377\377" },
	{ { .type = KN_TYPE_I32, .as.i = -2 }, 23, 8, "\0\0\0\4\377\377\377\376" },
	{ { .type = KN_TYPE_I32, .as.i = INT32_MAX }, 23, 8, "\0\0\0\4\177\377\377\377" },
	{ { .type = KN_TYPE_I32, .as.i = INT64_C(1) << 31 }, 23, -1, "" },
	{ { .type = KN_TYPE_I32, .as.i = 7 }, 21, 6, "\0\0\0\2\0\7" },
	{ { .type = KN_TYPE_I32, .as.i = 40000 }, 21, -1, "" },
	{ { .type = KN_TYPE_I32, .as.i = 7 }, 20, 12, "\0\0\0\10\0\0\0\0\0\0\0\7" },
	{ { .type = KN_TYPE_I32, .as.i = 1 }, 701, 12, "\0\0\0\10\77\360\0\0\0\0\0\0" },
	{ { .type = KN_TYPE_I32, .as.i = 1 }, 25, -1, "" },
	{ { .type = KN_TYPE_I64, .as.i = INT64_MIN }, 20, 12, "\0\0\0\10\200\0\0\0\0\0\0\0" },
	{ { .type = KN_TYPE_I64, .as.i = 7 }, 23, 8, "\0\0\0\4\0\0\0\7" },
	{ { .type = KN_TYPE_I64, .as.i = INT64_MAX }, 23, -1, "" },
	{ { .type = KN_TYPE_F64, .as.d = 1 }, 701, 12, "\0\0\0\10\77\360\0\0\0\0\0\0" },
	{ { .type = KN_TYPE_F64, .as.d = 1 }, 700, 8, "\0\0\0\4\77\200\0\0" },
	{ { .type = KN_TYPE_F64, .as.d = 0.1 }, 700, -1, "" },
	{ { .type = KN_TYPE_F64, .as.d = 1 }, 23, -1, "" },
	{ { .type = KN_TYPE_TEXT, .n = 2, .as.p = "ab" }, 25, 6, "\0\0\0\2ab" },
	{ { .type = KN_TYPE_TEXT, .n = 0, .as.p = "" }, 25, 4, "\0\0\0\0" },
	{ { .type = KN_TYPE_TEXT, .n = 0, .as.p = NULL }, 25, 4, "\0\0\0\0" },
	{ { .type = KN_TYPE_TEXT, .n = 2, .as.p = "ab" }, 1043, 6, "\0\0\0\2ab" },
	{ { .type = KN_TYPE_TEXT, .n = 2, .as.p = "{}" }, 3802, 7, "\0\0\0\3\1{}" },
	{ { .type = KN_TYPE_TEXT, .n = 1, .as.p = "1" }, 23, -1, "" },
	{ { .type = KN_TYPE_TEXT, .n = 5, .as.p = "(1,1)" }, 600, -1, "" },
	{ { .type = KN_TYPE_BOOL, .as.b = true }, 16, 5, "\0\0\0\1\1" },
};

START_TEST(writes_a_field)
{
	const kn_value values[] = { { .type = KN_TYPE_I32, .as.i = 1 }, fields[_i].value };
	const uint32_t oids[] = { 23, fields[_i].oid };
	bool fits = fields[_i].length >= 0;
	const char *why = "";
	int column = 7;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_text(&buf, "before");
	ck_assert_int_eq(kn__row_encode(&buf, values, 2, oids, NULL, &column, &why),
					 fits ? KN_OK : KN_DATA);
	ck_assert_int_eq(column, fits ? -1 : 1);
	ck_assert(*why != '\0');
	ck_assert_uint_eq(buf.length, fits ? 6 + 2 + 8 + (size_t) fields[_i].length : 6);
	ck_assert_mem_eq(buf.data, "before", 6);
	if (fits)
	{
		ck_assert_mem_eq(buf.data + 6, "\0\2\0\0\0\4\0\0\0\1", 10);
		ck_assert_mem_eq(buf.data + 16, fields[_i].bytes, (size_t) fields[_i].length);
	}
	kn__buf_release(&buf);
}
END_TEST

START_TEST(writes_rows_of_any_width)
{
	static kn_value values[1600];
	static uint32_t oids[1600];
	static kn__field found[1600];

	for (int width = 0; width <= 1600; width += 400)
	{
		const char *why;
		int column;
		kn__buf buf;

		for (int i = 0; i < width; i++)
		{
			values[i] = i % 3 == 0 ? kn_null() : kn_i32(i);
			oids[i] = 23;
		}
		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__row_encode(&buf, values, width, oids, NULL, &column, &why), KN_OK);
		ck_assert_int_eq(kn__row_decode(buf.data, buf.length, width, found), true);
		for (int i = 0; i < width; i++)
		{
			ck_assert_int_eq(found[i].n, i % 3 == 0 ? -1 : 4);
			ck_assert(i % 3 == 0 ? found[i].p == NULL : (int) kn__load_u32(found[i].p) == i);
		}
		ck_assert_int_eq(kn__row_decode(buf.data, buf.length, width + 1, found), false);
		ck_assert_int_eq(kn__row_decode(buf.data, buf.length - 1, width, found), false);
		kn__buf_release(&buf);
	}
}
END_TEST

/* What an array's elements are said to be, wherever it is in the row, and nothing else is changed.
 */
START_TEST(says_what_elements_are)
{
	static const char sad[] = "\0\0\0\1\0\0\0\0\0\0\x40\1\0\0\0\1\0\0\0\1\0\0\0\3sad";
	static const int32_t size = 1;
	const kn_value items[] = { kn_text("sad") };
	const kn_array array = { .items = items,
							 .sizes = &size,
							 .dimensions = 1,
							 .element = KN_TYPE_TEXT };
	const kn_value values[] = { kn_i32(1),
								kn_array_of(&array),
								kn_null(),
								kn_array_of(&array),
								kn_text("some text that is longer than the rest of what there is"),
								kn_array_of(&array) };
	const uint32_t oids[] = { 23, 1009, 1009, 1009, 25, 1009 };
	const uint32_t elements[] = { 0, 16385, 16385, 0, 16385, 16385 };
	kn__field found[6];
	const char *why;
	int column;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	ck_assert_int_eq(kn__row_encode(&buf, values, 6, oids, elements, &column, &why), KN_OK);
	ck_assert(kn__row_decode(buf.data, buf.length, 6, found));
	ck_assert_uint_eq(kn__load_u32(found[0].p), 1);
	ck_assert_int_eq(found[2].n, -1);
	for (int i = 1; i < 6; i += 2)
	{
		ck_assert_int_eq(found[i].n, (int) sizeof(sad) - 1);
		ck_assert_mem_eq(found[i].p, sad, 8);
		ck_assert_uint_eq(kn__load_u32(found[i].p + 8), i == 3 ? 25 : 16385);
		ck_assert_mem_eq(found[i].p + 12, sad + 12, sizeof(sad) - 13);
	}
	ck_assert_mem_eq(found[4].p, values[4].as.p, values[4].n);
	kn__buf_release(&buf);
}
END_TEST

/* Wherever the memory ends: in a text, before it or behind it. */
START_TEST(writes_texts_of_any_length)
{
	static char text[301];
	const uint32_t oids[] = { 25, 20, 25, 25, 701 };
	kn__field found[5];
	kn__buf buf;

	memset(text, 'x', sizeof(text) - 1);
	kn__buf_init(&buf, NULL, SIZE_MAX);
	for (uint32_t i = 0; i <= 300; i++)
	{
		const kn_value values[] = { kn_text_of((kn_str){ text, i }),
									kn_i64(i),
									{ .type = KN_TYPE_TEXT, .oid = 25, .n = i / 2, .as.p = text },
									kn_null(),
									kn_f64(i) };
		size_t begin = buf.length;
		const char *why;
		int column;

		ck_assert_int_eq(kn__row_encode(&buf, values, 5, oids, NULL, &column, &why), KN_OK);
		ck_assert_int_eq(buf.data[buf.length], '\0');
		ck_assert(kn__row_decode(buf.data + begin, buf.length - begin, 5, found));
		ck_assert_int_eq(found[0].n, (int) i);
		ck_assert_mem_eq(found[0].p, text, i);
		ck_assert_uint_eq(kn__load_u64(found[1].p), i);
		ck_assert_int_eq(found[2].n, (int) i / 2);
		ck_assert_int_eq(found[3].n, -1);
		ck_assert_int_eq(found[4].n, 8);
	}
	kn__buf_release(&buf);
}
END_TEST

static const struct
{
	const char *bytes;
	size_t length;
	int count;
	bool is_row;
} rows[] = {
	{ "", 0, 0, false },
	{ "\0", 1, 0, false },
	{ "\0\0", 2, 0, true },
	{ "\0\0x", 3, 0, false },
	{ "\0\1", 2, 1, false },
	{ "\0\1\377\377\377\377", 6, 1, true },
	{ "\0\1\377\377\377\376", 6, 1, false },
	{ "\0\1\0\0\0\0", 6, 1, true },
	{ "\0\1\0\0\0\1", 6, 1, false },
	{ "\0\1\0\0\0\1x", 7, 1, true },
	{ "\0\1\0\0\0\1xy", 8, 1, false },
	{ "\0\1\177\377\377\377x", 7, 1, false },
	{ "\0\2\0\0\0\1x\0\0\0", 10, 2, false },
	{ "\377\377", 2, 1, false },
};

START_TEST(reads_a_row)
{
	/* Of its very size, so that what reads behind it is found out. */
	char *bytes = malloc(rows[_i].length + 1);
	kn__field found[2];

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes + 1, rows[_i].bytes, rows[_i].length);
	ck_assert_int_eq(kn__row_decode(bytes + 1, rows[_i].length, rows[_i].count, found),
					 rows[_i].is_row);
	free(bytes);
}
END_TEST

START_TEST(runs_out_of_memory)
{
	const kn_value values[] = { kn_i32(1), kn_text("some text that is longer than what there is") };
	const uint32_t oids[] = { 23, 25 };
	const char *why = "";
	int column = 7;
	kn__buf buf;

	kn__buf_init(&buf, NULL, 40);
	ck_assert_int_eq(kn__row_encode(&buf, values, 2, oids, NULL, &column, &why), KN_NO_MEMORY);
	ck_assert_str_eq(why, "out of memory");
	kn__buf_release(&buf);
	kn__buf_init(&buf, NULL, 10);
	ck_assert_int_eq(kn__row_encode(&buf, values, 2, oids, NULL, &column, &why), KN_NO_MEMORY);
	ck_assert_int_eq(column, -1);
	kn__buf_release(&buf);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, writes_a_field, fields);
	tcase_add_test(tcase, writes_rows_of_any_width);
	tcase_add_test(tcase, says_what_elements_are);
	tcase_add_test(tcase, writes_texts_of_any_length);
	LOOP(tcase, reads_a_row, rows);
	tcase_add_test(tcase, runs_out_of_memory);
}

int
main(void)
{
	return suite_run("data_row", fill);
}
