/*
 * test_data_encode.c
 *		Values as parameters and as fields: the bytes, the types, and what does not fit.
 */
#include "failing.h"
#include "suite.h"

#include <float.h>
#include <math.h>

#include "data/data.h"

static const char wrong_kind[] = "values of its kind cannot be sent as that type";
static const char out_of_range[] = "it is out of range for that type";
static const char loses_digits[] = "it loses digits as real";
static const char too_long[] = "it is longer than a parameter may be";

#define CHECK(value, type, bytes, size) check(value, type, bytes, size, __LINE__)

/* As a parameter, behind what is there, and as a field of the same type. */
static void
check(kn_value value, uint32_t oid, const char *bytes, size_t length, int line)
{
	const char *why = NULL;
	kn__parameter parameter;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_text(&buf, "before");
	ck_assert_msg(kn__encode(&buf, &value, &parameter, &why) == KN_OK, "line %d: %s", line, why);
	ck_assert_msg(parameter.oid == oid, "line %d: type %u", line, (unsigned) parameter.oid);
	ck_assert_int_eq(parameter.format, 1);
	ck_assert_ptr_null(parameter.data);
	ck_assert_uint_eq(parameter.offset, 6);
	ck_assert_msg((size_t) parameter.length == length, "line %d: %d", line, parameter.length);
	ck_assert_msg(memcmp(buf.data + 6, bytes, length) == 0, "line %d: other bytes", line);
	kn__buf_clear(&buf);
	ck_assert_int_eq(kn__encode_field(&buf, &value, oid, &why), KN_OK);
	ck_assert_uint_eq(buf.length, length + 4);
	ck_assert_uint_eq(kn__load_u32(buf.data), length);
	ck_assert_int_eq(memcmp(buf.data + 4, bytes, length), 0);
	kn__buf_release(&buf);
}

START_TEST(numbers)
{
	CHECK(kn_bool(true), 16, "\1", 1);
	CHECK(kn_bool(false), 16, "\0", 1);
	CHECK(kn_i16(-2), 21, "\xff\xfe", 2);
	CHECK(kn_i32(INT32_MIN), 23, "\x80\0\0\0", 4);
	CHECK(kn_i64(INT64_MAX), 20, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
	CHECK(kn_as(kn_i64(-1), 23), 23, "\xff\xff\xff\xff", 4);
	CHECK(kn_as(kn_i64(INT16_MIN), 21), 21, "\x80\0", 2);
	CHECK(kn_as(kn_i16(-1), 20), 20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	CHECK(kn_as(kn_i64(UINT32_MAX), 26), 26, "\xff\xff\xff\xff", 4);
	CHECK(kn_f32(1), 700, "\x3f\x80\0\0", 4);
	CHECK(kn_f64(0.1), 701, "\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8);
	CHECK(kn_as(kn_f64(1), 700), 700, "\x3f\x80\0\0", 4);
	CHECK(kn_as(kn_f64((double) -INFINITY), 700), 700, "\xff\x80\0\0", 4);
	CHECK(kn_as(kn_i32(1), 701), 701, "\x3f\xf0\0\0\0\0\0\0", 8);
	CHECK(kn_as(kn_i64(INT64_C(1) << 53), 701), 701, "\x43\x40\0\0\0\0\0\0", 8);
}
END_TEST

START_TEST(times)
{
	CHECK(kn_date_of((kn_date){ 0 }), 1082, "\xff\xff\xd5\x33", 4);
	CHECK(kn_date_of((kn_date){ KN_DATE_INFINITY }), 1082, "\x7f\xff\xff\xff", 4);
	CHECK(kn_date_of((kn_date){ -KN_DATE_INFINITY }), 1082, "\x80\0\0\0", 4);
	CHECK(kn_time_of_day(1), 1083, "\0\0\0\0\0\0\0\1", 8);
	CHECK(kn_time_of_day(INT64_C(86400000000)), 1083, "\0\0\0\x14\x1d\xd7\x60\0", 8);
	CHECK(kn_timestamp(INT64_C(946684800000001)), 1114, "\0\0\0\0\0\0\0\1", 8);
	CHECK(kn_timestamp(KN_TIME_INFINITY), 1114, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
	CHECK(kn_timestamptz((kn_time){ -KN_TIME_INFINITY }), 1184, "\x80\0\0\0\0\0\0\0", 8);
	CHECK(kn_interval_of((kn_interval){ -1, 2, -3 }),
		  1186,
		  "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\2\xff\xff\xff\xfd",
		  16);
}
END_TEST

START_TEST(others)
{
	static const kn_uuid uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
	kn_value items[] = { kn_i32(7), kn_null() };
	int32_t size = 2;
	kn_array array = { .items = items, .sizes = &size, .dimensions = 1, .element = KN_TYPE_I32 };

	CHECK(kn_uuid_of(uuid), 2950, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16);
	CHECK(kn_array_of(&array),
		  1007,
		  "\0\0\0\1\0\0\0\1\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\7\xff\xff\xff\xff",
		  32);
	CHECK(kn_as(kn_array_of(&array), 1016),
		  1016,
		  "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\2\0\0\0\1\0\0\0\10\0\0\0\0\0\0\0\7\xff\xff\xff\xff",
		  36);
}
END_TEST

/* Text is borrowed, and the server decides what it is. */
START_TEST(texts_are_borrowed)
{
	static const char text[] = "1.5";
	const struct
	{
		kn_value value;
		uint32_t oid;
		int format;
	} cases[] = {
		{ kn_text(text), 0, 0 },
		{ kn_as(kn_text(text), 23), 23, 0 },
		{ kn_as(kn_text(text), 99999), 99999, 0 },
		{ kn_numeric(text), 1700, 0 },
		{ kn_json(text), 0, 0 },
		{ kn_as(kn_json(text), 114), 114, 0 },
		{ kn_inet(text), 0, 0 },
		{ kn_bytes(text, 3), 17, 1 },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__parameter parameter;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__encode(&buf, &cases[i].value, &parameter, &why), KN_OK);
		ck_assert_uint_eq(parameter.oid, cases[i].oid);
		ck_assert_int_eq(parameter.format, cases[i].format);
		ck_assert_int_eq(parameter.length, 3);
		ck_assert_ptr_eq(parameter.data, text);
		ck_assert_uint_eq(buf.length, 0);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(texts_as_fields)
{
	const struct
	{
		kn_value value;
		uint32_t oid;
		const char *bytes;
		size_t length;
	} cases[] = {
		{ kn_text("ab"), 25, "\0\0\0\2ab", 6 },
		{ kn_text(""), 1043, "\0\0\0\0", 4 },
		{ kn_bytes("\0", 1), 17, "\0\0\0\1\0", 5 },
		{ kn_json("{}"), 114, "\0\0\0\2{}", 6 },
		{ kn_json("{}"), 3802, "\0\0\0\3\1{}", 7 },
		{ kn_text("{}"), 3802, "\0\0\0\3\1{}", 7 },
		{ kn_numeric("7"), 1700, "\0\0\0\12\0\1\0\0\0\0\0\0\0\7", 14 },
		{ kn_text("7"), 1700, "\0\0\0\12\0\1\0\0\0\0\0\0\0\7", 14 },
		{ kn_inet("1.2.3.4"), 869, "\0\0\0\10\2\40\0\4\1\2\3\4", 12 },
		{ kn_inet("1.2.3.4"), 650, "\0\0\0\10\2\40\1\4\1\2\3\4", 12 },
		{ kn_null(), 23, "\xff\xff\xff\xff", 4 },
		{ kn_null(), 99999, "\xff\xff\xff\xff", 4 },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__encode_field(&buf, &cases[i].value, cases[i].oid, &why), KN_OK);
		ck_assert_uint_eq(buf.length, cases[i].length);
		ck_assert_mem_eq(buf.data, cases[i].bytes, buf.length);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(null_has_no_bytes)
{
	const char *why = NULL;
	kn_value value = kn_as(kn_null(), 23);
	kn__parameter parameter;

	ck_assert_int_eq(kn__encode(&(kn__buf){ 0 }, &value, &parameter, &why), KN_OK);
	ck_assert_int_eq(parameter.length, -1);
	ck_assert_uint_eq(parameter.oid, 23);
}
END_TEST

START_TEST(refuses)
{
	static const kn_array array = { .element = KN_TYPE_NULL };
	const struct
	{
		kn_value value;
		const char *why;
	} cases[] = {
		{ kn_as(kn_i32(INT16_MAX + 1), 21), out_of_range },
		{ kn_as(kn_i32(INT16_MIN - 1), 21), out_of_range },
		{ kn_as(kn_i64(INT64_C(1) << 31), 23), out_of_range },
		{ kn_as(kn_i64(-1), 26), out_of_range },
		{ kn_as(kn_i64(INT64_C(1) << 32), 26), out_of_range },
		{ kn_as(kn_i32(1), 16), wrong_kind },
		{ kn_as(kn_i32(1), 25), wrong_kind },
		{ kn_as(kn_i32(1), 1700), wrong_kind },
		{ kn_as(kn_i32(1), 1007), wrong_kind },
		{ kn_as(kn_i32(1), 99999), wrong_kind },
		{ kn_as(kn_bool(true), 23), wrong_kind },
		{ kn_as(kn_f64(1), 23), wrong_kind },
		{ kn_as(kn_f64(0.1), 700), loses_digits },
		{ kn_as(kn_f64(DBL_MAX), 700), loses_digits },
		{ kn_as(kn_i32(16777217), 700), loses_digits },
		{ kn_as(kn_i64((INT64_C(1) << 53) + 1), 701), wrong_kind },
		{ kn_as(kn_bytes("x", 1), 25), wrong_kind },
		{ kn_as(kn_bytes("x", 1), 3802), wrong_kind },
		{ kn_as(kn_timestamp(0), 1184), wrong_kind },
		{ kn_as(kn_date_of((kn_date){ 0 }), 1114), wrong_kind },
		{ kn_as(kn_interval_of((kn_interval){ 0, 0, 0 }), 1083), wrong_kind },
		{ kn_as(kn_uuid_of((kn_uuid){ { 0 } }), 25), wrong_kind },
		{ kn_date_of((kn_date){ INT32_MIN }), out_of_range },
		{ kn_date_of((kn_date){ -KN_DATE_INFINITY + 1 }), out_of_range },
		{ kn_time_of_day(-1), out_of_range },
		{ kn_time_of_day(INT64_C(86400000001)), out_of_range },
		{ kn_timestamp(INT64_MIN), out_of_range },
		{ kn_timestamp(-KN_TIME_INFINITY + 1), out_of_range },
		{ kn_array_of(&array), wrong_kind },
		{ { .type = KN_TYPE_COUNT }, wrong_kind },
		{ { .type = 255, .oid = 23 }, wrong_kind },
		{ kn_bytes("", SIZE_MAX), too_long },
		{ kn_text_of((kn_str){ "", SIZE_MAX }), too_long },
		{ kn_text_of((kn_str){ "", (size_t) INT32_MAX + 1 }), too_long },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__parameter parameter;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__encode(&buf, &cases[i].value, &parameter, &why), KN_DATA);
		ck_assert_msg(why != NULL && strcmp(why, cases[i].why) == 0, "case %d: %s", i, why);
		kn__buf_release(&buf);
	}
}
END_TEST

/* What a program has left out is not read. */
/* Of a type that is not in the list: as the server reads it. */
START_TEST(arrays_as_text)
{
	static const int32_t size = 2;
	const kn_value items[] = { kn_text("so \"so\""), kn_null() };
	const kn_array array = { .items = items,
							 .sizes = &size,
							 .dimensions = 1,
							 .element = KN_TYPE_TEXT };
	const kn_value value = kn_as(kn_array_of(&array), 16386);
	const char *why = NULL;
	kn__parameter parameter;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_text(&buf, "before");
	ck_assert_int_eq(kn__encode(&buf, &value, &parameter, &why), KN_OK);
	ck_assert_uint_eq(parameter.oid, 16386);
	ck_assert_int_eq(parameter.format, 0);
	ck_assert_uint_eq(parameter.offset, 6);
	ck_assert_str_eq(buf.data + 6, "{\"so \\\"so\\\"\",NULL}");
	ck_assert_int_eq(parameter.length, (int) strlen(buf.data + 6));
	ck_assert_uint_eq(buf.length, 6 + strlen(buf.data + 6) + 1);
	kn__buf_release(&buf);
}
END_TEST

START_TEST(refuses_arrays)
{
	const kn_value items[] = { kn_i32(1) };
	const int32_t sizes[] = { 1 };
	const kn_array cases[] = {
		{ .element = KN_TYPE_I32, .items = items, .dimensions = 1 },
		{ .element = KN_TYPE_I32, .sizes = sizes, .dimensions = 1 },
		{ .element = KN_TYPE_I32, .items = items, .sizes = sizes, .dimensions = INT32_MAX },
		{ .element = KN_TYPE_I32, .items = items, .sizes = sizes, .dimensions = -1 },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_value value = kn_array_of(&cases[i]);
		const char *why = NULL;
		kn__parameter parameter;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__encode(&buf, &value, &parameter, &why), KN_DATA);
		ck_assert_msg(why != NULL && strstr(why, "dimensions") != NULL, "case %d: %s", i, why);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(refuses_fields)
{
	const struct
	{
		kn_value value;
		uint32_t oid;
		const char *why;
	} cases[] = {
		{ kn_text("x"), 99999, wrong_kind },
		{ kn_text("x"), 23, wrong_kind },
		{ kn_i32(1), 25, wrong_kind },
		{ kn_i32(1), 1007, wrong_kind },
		{ kn_numeric("1"), 25, wrong_kind },
		{ kn_text("x"), 1700, "it is no decimal number" },
		{ kn_text("x"), 869, "it is no network address" },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__encode_field(&buf, &cases[i].value, cases[i].oid, &why), KN_DATA);
		ck_assert_str_eq(why, cases[i].why);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(without_memory)
{
	const kn_value values[] = { kn_bool(true), kn_i32(1), kn_f64(1), kn_timestamp(0), kn_null() };

	for (int i = 0; i < COUNT(values); i++)
	{
		const char *why = NULL;
		kn__parameter parameter;
		kn__buf buf;
		failing f;

		failing_init(&f, 1, true);
		kn__buf_init(&buf, &f.allocator, SIZE_MAX);
		if (values[i].type != KN_TYPE_NULL)
		{
			ck_assert_int_eq(kn__encode(&buf, &values[i], &parameter, &why), KN_NO_MEMORY);
			ck_assert_str_eq(why, "out of memory");
		}
		why = NULL;
		kn__buf_clear(&buf);
		ck_assert_int_eq(
			kn__encode_field(&buf, &values[i], kn__type_oid((kn_type) values[i].type), &why),
			KN_NO_MEMORY);
		ck_assert_str_eq(why, "out of memory");
		kn__buf_release(&buf);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, times);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, texts_are_borrowed);
	tcase_add_test(tcase, texts_as_fields);
	tcase_add_test(tcase, null_has_no_bytes);
	tcase_add_test(tcase, refuses);
	tcase_add_test(tcase, arrays_as_text);
	tcase_add_test(tcase, refuses_arrays);
	tcase_add_test(tcase, refuses_fields);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_encode", fill);
}
