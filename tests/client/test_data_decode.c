/*
 * test_data_decode.c
 *		What a server sends as values: in binary and as text, its ends, and what is hostile.
 */
#include "failing.h"
#include "suite.h"

#include <math.h>

#include "data/data.h"

/* A type's two forms of the same number. */
static const struct
{
	uint32_t oid;
	kn_type kind;
	const char *bytes;
	int32_t length;
	const char *text;
	int64_t i;
} ints[] = {
	{ 21, KN_TYPE_I16, "\x80\0", 2, "-32768", INT16_MIN },
	{ 21, KN_TYPE_I16, "\x7f\xff", 2, "32767", INT16_MAX },
	{ 23, KN_TYPE_I32, "\xff\xff\xff\xff", 4, "-1", -1 },
	{ 23, KN_TYPE_I32, "\x80\0\0\0", 4, "-2147483648", INT32_MIN },
	{ 20, KN_TYPE_I64, "\x80\0\0\0\0\0\0\0", 8, "-9223372036854775808", INT64_MIN },
	{ 20, KN_TYPE_I64, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, "9223372036854775807", INT64_MAX },
	{ 26, KN_TYPE_I64, "\xff\xff\xff\xff", 4, "4294967295", UINT32_MAX },
	{ 1082, KN_TYPE_DATE, "\0\0\0\0", 4, "2000-01-01", 10957 },
	{ 1082, KN_TYPE_DATE, "\x7f\xff\xff\xff", 4, "infinity", KN_DATE_INFINITY },
	{ 1082, KN_TYPE_DATE, "\x80\0\0\0", 4, "-infinity", -KN_DATE_INFINITY },
	{ 1083, KN_TYPE_TIME, "\0\0\0\0\0\0\0\1", 8, "00:00:00.000001", 1 },
	{ 1083, KN_TYPE_TIME, "\0\0\0\x14\x1d\xd7\x60\0", 8, "24:00:00", INT64_C(86400000000) },
	{ 1114,
	  KN_TYPE_TIMESTAMP,
	  "\0\0\0\0\0\0\0\0",
	  8,
	  "2000-01-01 00:00:00",
	  INT64_C(946684800000000) },
	{ 1114, KN_TYPE_TIMESTAMP, "\x80\0\0\0\0\0\0\0", 8, "-infinity", -KN_TIME_INFINITY },
	{ 1184,
	  KN_TYPE_TIMESTAMPTZ,
	  "\x7f\xff\xff\xff\xff\xff\xff\xff",
	  8,
	  "infinity",
	  KN_TIME_INFINITY },
	{ 1184,
	  KN_TYPE_TIMESTAMPTZ,
	  "\xff\xff\xff\xff\xff\xff\xff\xff",
	  8,
	  "1999-12-31 23:59:59.999999+00",
	  INT64_C(946684799999999) },
};

START_TEST(whole_numbers)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	for (int format = 0; format < 2; format++)
	{
		ck_assert_int_eq(kn__decode(&arena,
									ints[_i].oid,
									format,
									format != 0 ? ints[_i].bytes : ints[_i].text,
									format != 0 ? ints[_i].length : (int32_t) strlen(ints[_i].text),
									&value,
									&why),
						 KN_OK);
		ck_assert_int_eq(value.type, ints[_i].kind);
		ck_assert_uint_eq(value.oid, ints[_i].oid);
		ck_assert_int_eq(value.as.i, ints[_i].i);
	}
	kn__arena_release(&arena);
}
END_TEST

static const struct
{
	uint32_t oid;
	const char *bytes;
	int32_t length;
	const char *text;
	double d;
} floats[] = {
	{ 700, "\x3f\x80\0\0", 4, "1", 1.0 },
	{ 700, "\x3d\xcc\xcc\xcd", 4, "0.1", (double) 0.1f },
	{ 700, "\xff\x80\0\0", 4, "-Infinity", (double) -INFINITY },
	{ 700, "\0\0\0\1", 4, "1e-45", 1.40129846432481707e-45 },
	{ 701, "\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8, "0.1", 0.1 },
	{ 701, "\x7f\xf0\0\0\0\0\0\0", 8, "Infinity", (double) INFINITY },
	{ 701, "\0\0\0\0\0\0\0\1", 8, "5e-324", 4.9406564584124654e-324 },
	{ 701,
	  "\x7f\xef\xff\xff\xff\xff\xff\xff",
	  8,
	  "1.7976931348623157e+308",
	  1.7976931348623157e+308 },
	{ 701, "\x80\0\0\0\0\0\0\0", 8, "-0", -0.0 },
	{ 701, "\x7f\xf8\0\0\0\0\0\0", 8, "NaN", (double) NAN },
};

START_TEST(real_numbers)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	for (int format = 0; format < 2; format++)
	{
		const char *bytes = format != 0 ? floats[_i].bytes : floats[_i].text;
		int32_t length = format != 0 ? floats[_i].length : (int32_t) strlen(floats[_i].text);

		ck_assert_int_eq(kn__decode(&arena, floats[_i].oid, format, bytes, length, &value, &why),
						 KN_OK);
		ck_assert_int_eq(value.type, floats[_i].oid == 700 ? KN_TYPE_F32 : KN_TYPE_F64);
		ck_assert(isnan(floats[_i].d) ? isnan(value.as.d) : value.as.d == floats[_i].d);
		ck_assert(isnan(floats[_i].d) || signbit(value.as.d) == signbit(floats[_i].d));
	}
	kn__arena_release(&arena);
}
END_TEST

static const struct
{
	uint32_t oid;
	int format;
	const char *bytes;
	int32_t length;
	kn_type kind;
	const char *out;
	uint32_t n;
} texts[] = {
	{ 25, 0, "abc", 3, KN_TYPE_TEXT, "abc", 3 },
	{ 25, 1, "", 0, KN_TYPE_TEXT, "", 0 },
	{ 1043, 1, "a\xc3\xa9", 3, KN_TYPE_TEXT, "a\xc3\xa9", 3 },
	{ 19, 1, "name", 4, KN_TYPE_TEXT, "name", 4 },
	{ 2278, 1, "", 0, KN_TYPE_TEXT, "", 0 },
	{ 600, 0, "(1,2)", 5, KN_TYPE_TEXT, "(1,2)", 5 },
	{ 0, 0, "x", 1, KN_TYPE_TEXT, "x", 1 },
	{ 17, 1, "\0\xff", 2, KN_TYPE_BYTES, "\0\xff", 2 },
	{ 17, 0, "\\x00fF", 6, KN_TYPE_BYTES, "\0\xff", 2 },
	{ 17, 0, "\\x", 2, KN_TYPE_BYTES, "", 0 },
	{ 17, 0, "", 0, KN_TYPE_BYTES, "", 0 },
	{ 17, 0, "a\\\\b\\000\\377", 12, KN_TYPE_BYTES, "a\\b\0\xff", 5 },
	{ 114, 0, "{}", 2, KN_TYPE_JSON, "{}", 2 },
	{ 114, 1, "{}", 2, KN_TYPE_JSON, "{}", 2 },
	{ 3802, 1, "\1{}", 3, KN_TYPE_JSON, "{}", 2 },
	{ 3802, 0, "{}", 2, KN_TYPE_JSON, "{}", 2 },
	{ 1700, 0, "1.50", 4, KN_TYPE_NUMERIC, "1.50", 4 },
	{ 1700, 1, "\0\1\0\0\0\0\0\0\0\7", 10, KN_TYPE_NUMERIC, "7", 1 },
	{ 869, 1, "\2\40\0\4\1\2\3\4", 8, KN_TYPE_INET, "1.2.3.4", 7 },
	{ 650, 0, "10.0.0.0/8", 10, KN_TYPE_INET, "10.0.0.0/8", 10 },
	{ 16385, 5, "sad", 3, KN_TYPE_TEXT, "sad", 3 },
	{ 16385, 5, "", 0, KN_TYPE_TEXT, "", 0 },
	{ 16385, 0, "{sad}", 5, KN_TYPE_TEXT, "{sad}", 5 },
};

START_TEST(texts_and_bytes)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	ck_assert_int_eq(kn__decode(&arena,
								texts[_i].oid,
								texts[_i].format,
								texts[_i].bytes,
								texts[_i].length,
								&value,
								&why),
					 KN_OK);
	ck_assert_int_eq(value.type, texts[_i].kind);
	ck_assert_uint_eq(value.oid, texts[_i].oid);
	ck_assert_uint_eq(value.n, texts[_i].n);
	ck_assert_int_eq(memcmp(value.as.p, texts[_i].out, texts[_i].n), 0);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(others)
{
	static const char uuid[] = "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11";
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	ck_assert_int_eq(kn__decode(&arena, 16, 1, "\1", 1, &value, &why), KN_OK);
	ck_assert(value.type == KN_TYPE_BOOL && value.as.b);
	ck_assert_int_eq(kn__decode(&arena, 16, 0, "f", 1, &value, &why), KN_OK);
	ck_assert(value.type == KN_TYPE_BOOL && !value.as.b);
	ck_assert_int_eq(kn__decode(&arena, 2950, 1, uuid, 16, &value, &why), KN_OK);
	ck_assert_mem_eq(value.as.uuid.b, uuid, 16);
	memset(&value, 0, sizeof(value));
	ck_assert_int_eq(
		kn__decode(&arena, 2950, 0, "A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 36, &value, &why),
		KN_OK);
	ck_assert_mem_eq(value.as.uuid.b, uuid, 16);
	ck_assert_int_eq(kn__decode(&arena,
								1186,
								1,
								"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\2\xff\xff\xff\xfd",
								16,
								&value,
								&why),
					 KN_OK);
	ck_assert_int_eq(value.as.interval.usec, -1);
	ck_assert_int_eq(value.as.interval.days, 2);
	ck_assert_int_eq(value.as.interval.months, -3);
	kn__arena_release(&arena);
}
END_TEST

/* In text or in binary, it has to be known. */
START_TEST(arrays_of_types_that_are_not_in_the_list)
{
	static const char sad[] = "\0\0\0\1\0\0\0\0\0\0\x40\1\0\0\0\1\0\0\0\2\0\0\0\3sad";
	const char *why = NULL;
	kn__arena arena = { 0 };

	for (int i = KN__FORMAT_TEXT; i <= KN__FORMAT_BINARY; i++)
	{
		int format = i | KN__FORMAT_TEXTS;
		const char *bytes = i == KN__FORMAT_BINARY ? sad : "[2:2]={sad}";
		int32_t length = i == KN__FORMAT_BINARY ? (int32_t) sizeof(sad) - 1 : 11;
		kn_value value;

		ck_assert_int_eq(kn__decode(&arena, 16386, format, bytes, length, &value, &why), KN_OK);
		ck_assert_int_eq(value.type, KN_TYPE_ARRAY);
		ck_assert_uint_eq(value.oid, 16386);
		ck_assert_uint_eq(value.n, 1);
		ck_assert_int_eq(value.as.array->lower_bounds[0], 2);
		ck_assert_int_eq(value.as.array->items[0].type, KN_TYPE_TEXT);
		ck_assert_mem_eq(value.as.array->items[0].as.p, "sad", 3);
	}
	kn__arena_release(&arena);
}
END_TEST

START_TEST(null_is_null_of_any_type)
{
	static const uint32_t oids[] = { 0, 16, 23, 25, 1007, 3802, 600 };

	for (int i = 0; i < COUNT(oids) * 2; i++)
	{
		const char *why = NULL;
		kn_value value = kn_text("before");

		ck_assert_int_eq(kn__decode(NULL, oids[i / 2], i % 2, NULL, -1, &value, &why), KN_OK);
		ck_assert_int_eq(value.type, KN_TYPE_NULL);
		ck_assert_uint_eq(value.oid, oids[i / 2]);
		ck_assert_uint_eq(value.n, 0);
	}
}
END_TEST

static const char wrong_length[] = "the message is not of its type's length";
static const char not_printed[] = "it is not what its type prints";
static const char out_of_range[] = "it is out of range";
static const char too_late[] = "it is out of range: the year is 294247 or later";
static const char no_jsonb[] = "it is of a version of jsonb that is not known";
static const char no_form[] = "its type has no binary form that is known";
static const char no_time[] = "it is no date or time as the server prints it";

static const struct
{
	uint32_t oid;
	int format;
	const char *bytes;
	int32_t length;
	const char *why;
} bad[] = {
	{ 16, 1, "", 0, wrong_length },
	{ 16, 1, "\1\1", 2, wrong_length },
	{ 16, 0, "true", 4, not_printed },
	{ 16, 0, "", 0, not_printed },
	{ 16, 0, "x", 1, not_printed },
	{ 21, 1, "\0", 1, wrong_length },
	{ 21, 1, "\0\0\0\0", 4, wrong_length },
	{ 21, 0, "32768", 5, not_printed },
	{ 21, 0, "-32769", 6, not_printed },
	{ 23, 1, "", 0, wrong_length },
	{ 23, 1, "\0\0\0\0\0", 5, wrong_length },
	{ 23, 0, "", 0, not_printed },
	{ 23, 0, "-", 1, not_printed },
	{ 23, 0, "+1", 2, not_printed },
	{ 23, 0, "1 ", 2, not_printed },
	{ 23, 0, "0x1", 3, not_printed },
	{ 23, 0, "2147483648", 10, not_printed },
	{ 20, 0, "9223372036854775808", 19, not_printed },
	{ 20, 0, "-9223372036854775809", 20, not_printed },
	{ 20, 0, "99999999999999999999999", 23, not_printed },
	{ 20, 1, "\0\0\0\0", 4, wrong_length },
	{ 26, 1, "\0\0\0\0\0\0\0\0", 8, wrong_length },
	{ 700, 1, "\0\0\0\0\0\0\0\0", 8, wrong_length },
	{ 701, 1, "\0\0\0\0", 4, wrong_length },
	{ 701, 0, "", 0, not_printed },
	{ 701, 0, " 1", 2, not_printed },
	{ 701, 0, "1x", 2, not_printed },
	{ 701, 0, "1,5", 3, not_printed },
	{ 701, 0, "1.5.", 4, not_printed },
	{ 701, 0, ".", 1, not_printed },
	{ 701, 0, "nan", 3, not_printed },
	{ 701, 0, "inf", 3, not_printed },
	{ 701, 0, "0x10", 4, not_printed },
	{ 701, 0, "1e999", 5, not_printed },
	{ 700, 0, "1e39", 4, not_printed },
	{ 701, 0, "1\0", 2, not_printed },
	{ 701,
	  0,
	  "0.0000000000000000000000000000000000000000000000000000000000000000001",
	  69,
	  not_printed },
	{ 2950, 1, "0123456789abcde", 15, wrong_length },
	{ 2950, 0, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", 35, not_printed },
	{ 2950, 0, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111", 37, not_printed },
	{ 2950, 0, "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 36, not_printed },
	{ 2950, 0, "a0ee-bc999c0b-4ef8-bb6d-6bb9bd380a11", 36, not_printed },
	{ 17, 0, "\\x0", 3, not_printed },
	{ 17, 0, "\\x0g", 4, not_printed },
	{ 17, 0, "\\", 1, not_printed },
	{ 17, 0, "\\12", 3, not_printed },
	{ 17, 0, "\\400", 4, not_printed },
	{ 17, 0, "\\089", 4, not_printed },
	{ 3802, 1, "", 0, no_jsonb },
	{ 3802, 1, "\2{}", 3, no_jsonb },
	{ 1082, 1, "\0\0", 2, wrong_length },
	{ 1082, 1, "\x7f\xff\xff\xfe", 4, out_of_range },
	{ 1082, 1, "\x7f\xff\xd5\x32", 4, out_of_range },
	{ 1082, 0, "01.02.2000", 10, no_time },
	{ 1083, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, out_of_range },
	{ 1083, 1, "\0\0\0\x14\x1d\xd7\x60\1", 8, out_of_range },
	{ 1114, 1, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8, too_late },
	{ 1114, 1, "\0\0\0\0", 4, wrong_length },
	{ 1186, 1, "\0\0\0\0\0\0\0\0\0\0\0\0", 12, wrong_length },
	{ 600, 1, "\0\0\0\0", 4, no_form },
	{ 600, 1, "?\xf1\x99\x99\x99\x99\x99\x9a@\2ffffff", 16, no_form },
	{ 829, 1, "\x11\x22\x33\x44\x55\x66", 6, no_form },
	{ 829, 1, "", 0, no_form },
	{ 16385, 1, "sad", 3, no_form },
	{ 16385, 1, "", 0, no_form },
	{ 16385, 3, "sad", 3, no_form },
	{ 16385, 3, "\0\0\0\0\0\0\0\2\0\1\0\0", 12, no_form },
	{ 16385, 3, "\0\0\0\2\0\0\0\x17\0\0\0\4\0\0\0\7\0\0\0\x17\0\0\0\4\0\0\0\7", 28, no_form },
	{ 16385, 3, "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7", 28, no_form },
	{ 16385, 1, "\0\0\0\0\0\0\0\2\0\1\0\0", 12, no_form },
	{ 16385, 1, "\0\0\0\2\0\0\0\x17\0\0\0\4\0\0\0\7\0\0\0\x17\0\0\0\4\0\0\0\7", 28, no_form },
	{ 16385, 1, "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7", 28, no_form },
	{ 16385, 2, "sad", 3, "it is no array as the server prints it" },
	{ 1700, 1, "\0", 1, "the message is not a numeric" },
	{ 869, 1, "\0", 1, "the message is not a network address" },
	{ 1007, 1, "\0", 1, "the message is not an array" },
	{ 1007, 0, "{", 1, "it is no array as the server prints it" },
};

START_TEST(refuses)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;
	char *copy = malloc((size_t) bad[_i].length + 1);

	memcpy(copy, bad[_i].bytes, (size_t) bad[_i].length);
	ck_assert_int_eq(
		kn__decode(&arena, bad[_i].oid, bad[_i].format, copy, bad[_i].length, &value, &why),
		KN_DATA);
	ck_assert_str_eq(why, bad[_i].why);
	free(copy);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(without_memory)
{
	static const struct
	{
		uint32_t oid;
		int format;
		const char *bytes;
		int32_t length;
	} cases[] = {
		{ 17, 0, "\\x00", 4 },
		{ 1700, 1, "\0\1\0\0\0\0\0\0\0\7", 10 },
		{ 869, 1, "\2\40\0\4\1\2\3\4", 8 },
		{ 1007, 0, "{1}", 3 },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__arena arena;
		kn_value value;
		failing f;

		failing_init(&f, 1, true);
		kn__arena_init(&arena, &f.allocator);
		ck_assert_int_eq(kn__decode(&arena,
									cases[i].oid,
									cases[i].format,
									cases[i].bytes,
									cases[i].length,
									&value,
									&why),
						 KN_NO_MEMORY);
		ck_assert_str_eq(why, "out of memory");
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, whole_numbers, ints);
	LOOP(tcase, real_numbers, floats);
	LOOP(tcase, texts_and_bytes, texts);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, arrays_of_types_that_are_not_in_the_list);
	tcase_add_test(tcase, null_is_null_of_any_type);
	LOOP(tcase, refuses, bad);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_decode", fill);
}
