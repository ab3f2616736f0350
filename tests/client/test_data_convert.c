/*
 * test_data_convert.c
 *		Values as what a program asks for: exactly, or KN_DATA with the reason.
 */
#include "failing.h"
#include "suite.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#include "data/data.h"

static const char is_null[] = "it is NULL";
static const char is_other[] = "it is of another type";
static const char out_of_range[] = "it is out of range";
static const char not_whole[] = "it is no whole number";

START_TEST(to_bool)
{
	const char *why = NULL;
	kn_value yes = kn_bool(true);
	kn_value null = kn_null();
	kn_value one = kn_i32(1);
	bool out = false;

	ck_assert_int_eq(kn__to_bool(&yes, &out, &why), KN_OK);
	ck_assert(out);
	ck_assert_int_eq(kn__to_bool(&null, &out, &why), KN_DATA);
	ck_assert_str_eq(why, is_null);
	ck_assert_int_eq(kn__to_bool(&one, &out, &why), KN_DATA);
	ck_assert_str_eq(why, is_other);
}
END_TEST

static const struct
{
	const char *digits; /* of a numeric; NULL: i of a bigint */
	int64_t i;
	int64_t least;
	int64_t most;
	const char *why; /* NULL: it can be had */
	int64_t out;
} ints[] = {
	{ NULL, 5, INT16_MIN, INT16_MAX, NULL, 5 },
	{ NULL, INT16_MAX, INT16_MIN, INT16_MAX, NULL, INT16_MAX },
	{ NULL, INT16_MAX + 1, INT16_MIN, INT16_MAX, out_of_range, 0 },
	{ NULL, INT16_MIN - 1, INT16_MIN, INT16_MAX, out_of_range, 0 },
	{ NULL, INT64_MIN, INT64_MIN, INT64_MAX, NULL, INT64_MIN },
	{ NULL, -1, 0, UINT32_MAX, out_of_range, 0 },
	{ "0", 0, INT64_MIN, INT64_MAX, NULL, 0 },
	{ "-0", 0, INT64_MIN, INT64_MAX, NULL, 0 },
	{ "42.000", 0, INT64_MIN, INT64_MAX, NULL, 42 },
	{ "-42", 0, INT64_MIN, INT64_MAX, NULL, -42 },
	{ "42.", 0, INT64_MIN, INT64_MAX, NULL, 42 },
	{ "9223372036854775807", 0, INT64_MIN, INT64_MAX, NULL, INT64_MAX },
	{ "-9223372036854775808", 0, INT64_MIN, INT64_MAX, NULL, INT64_MIN },
	{ "9223372036854775808", 0, INT64_MIN, INT64_MAX, out_of_range, 0 },
	{ "-9223372036854775809", 0, INT64_MIN, INT64_MAX, out_of_range, 0 },
	{ "99999999999999999999", 0, INT64_MIN, INT64_MAX, out_of_range, 0 },
	{ "300", 0, INT8_MIN, INT8_MAX, out_of_range, 0 },
	{ "42.001", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ "NaN", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ "-Infinity", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ "", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ "-", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ ".", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
	{ "1e3", 0, INT64_MIN, INT64_MAX, not_whole, 0 },
};

START_TEST(to_int)
{
	kn_value value = ints[_i].digits != NULL ? kn_numeric(ints[_i].digits) : kn_i64(ints[_i].i);
	const char *why = NULL;
	int64_t out = 0;
	kn_status status = kn__to_int(&value, ints[_i].least, ints[_i].most, &out, &why);

	ck_assert_int_eq(status, ints[_i].why == NULL ? KN_OK : KN_DATA);
	if (ints[_i].why == NULL)
		ck_assert_int_eq(out, ints[_i].out);
	else
		ck_assert_str_eq(why, ints[_i].why);
}
END_TEST

START_TEST(to_int_of_others)
{
	const kn_value values[] = { kn_text("5"),
								kn_f64(5),
								kn_bool(true),
								kn_date_of((kn_date){ 5 }) };
	kn_value null = kn_null();
	const char *why = NULL;
	int64_t out;

	for (int i = 0; i < COUNT(values); i++)
	{
		ck_assert_int_eq(kn__to_int(&values[i], INT64_MIN, INT64_MAX, &out, &why), KN_DATA);
		ck_assert_str_eq(why, is_other);
	}
	ck_assert_int_eq(kn__to_int(&null, INT64_MIN, INT64_MAX, &out, &why), KN_DATA);
	ck_assert_str_eq(why, is_null);
}
END_TEST

START_TEST(to_double)
{
	const struct
	{
		kn_value value;
		bool single;
		const char *why;
		double out;
	} cases[] = {
		{ kn_f64(0.1), false, NULL, 0.1 },
		{ kn_f32(0.1f), true, NULL, (double) 0.1f },
		{ kn_f64(0.1), true, "it has more digits than a float", 0 },
		{ kn_f64(DBL_MAX), true, "it has more digits than a float", 0 },
		{ kn_f64((double) INFINITY), true, NULL, (double) INFINITY },
		{ kn_i32(16777216), true, NULL, 16777216 },
		{ kn_i32(16777217), true, "it has more digits than a float", 0 },
		{ kn_i64(INT64_C(1) << 53), false, NULL, 9007199254740992.0 },
		{ kn_i64(-(INT64_C(1) << 53)), false, NULL, -9007199254740992.0 },
		{ kn_i64((INT64_C(1) << 53) + 1), false, "it has more digits than a double", 0 },
		/* Of so large ones some have no more digits than that. */
		{ kn_i64(INT64_MIN), false, NULL, -9223372036854775808.0 },
		{ kn_i64(INT64_C(1) << 62), false, NULL, 4611686018427387904.0 },
		{ kn_i64((INT64_C(1) << 62) + 1), false, "it has more digits than a double", 0 },
		{ kn_i64(INT64_MAX), false, "it has more digits than a double", 0 },
		{ kn_numeric("1"), false, is_other, 0 },
		{ kn_null(), false, is_null, 0 },
	};
	kn_value nan_value = kn_f64((double) NAN);
	const char *why = NULL;
	double out = 0;

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_status status = kn__to_double(&cases[i].value, cases[i].single, &out, &why);

		ck_assert_int_eq(status, cases[i].why == NULL ? KN_OK : KN_DATA);
		if (cases[i].why == NULL)
			ck_assert(out == cases[i].out);
		else
			ck_assert_str_eq(why, cases[i].why);
	}
	ck_assert_int_eq(kn__to_double(&nan_value, true, &out, &why), KN_OK);
	ck_assert(isnan(out));
}
END_TEST

START_TEST(to_text)
{
	const kn_uuid uuid = { { 0xa0,
							 0xee,
							 0xbc,
							 0x99,
							 0x9c,
							 0x0b,
							 0x4e,
							 0xf8,
							 0xbb,
							 0x6d,
							 0x6b,
							 0xb9,
							 0xbd,
							 0x38,
							 0x0a,
							 0x11 } };
	const struct
	{
		kn_value value;
		const char *text;
	} cases[] = {
		{ kn_bool(true), "true" },
		{ kn_bool(false), "false" },
		{ kn_i16(-5), "-5" },
		{ kn_i64(INT64_MIN), "-9223372036854775808" },
		{ kn_f32(0.1f), "0.1" },
		{ kn_f32(FLT_MAX), "3.4028235e+38" },
		{ kn_f32(16777216.0f), "16777216" },
		{ kn_f64(0.1), "0.1" },
		{ kn_f64(0.1 + 0.2), "0.30000000000000004" },
		{ kn_f64(DBL_MAX), "1.7976931348623157e+308" },
		{ kn_f64(-0.0), "-0" },
		{ kn_f64((double) NAN), "NaN" },
		{ kn_f64((double) INFINITY), "Infinity" },
		{ kn_f64((double) -INFINITY), "-Infinity" },
		{ kn_text("a"), "a" },
		{ kn_bytes("ab", 2), "ab" },
		{ kn_numeric("1.50"), "1.50" },
		{ kn_json("{}"), "{}" },
		{ kn_inet("::1"), "::1" },
		{ kn_uuid_of(uuid), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
		{ kn_date_of((kn_date){ 0 }), "1970-01-01" },
		{ kn_time_of_day(0), "00:00:00" },
		{ kn_timestamp(0), "1970-01-01 00:00:00" },
		{ kn_timestamptz((kn_time){ 0 }), "1970-01-01 00:00:00+00" },
		{ kn_interval_of((kn_interval){ 0, 0, 0 }), "0 mons 0 days 0.000000 secs" },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn__arena arena = { 0 };
		const char *why = NULL;
		kn_str text;

		ck_assert_int_eq(kn__to_text(&arena, &cases[i].value, &text, &why), KN_OK);
		ck_assert_uint_eq(text.n, strlen(cases[i].text));
		ck_assert_mem_eq(text.p, cases[i].text, text.n);
		kn__arena_release(&arena);
	}
}
END_TEST

START_TEST(to_text_of_others)
{
	static const kn_array empty = { .element = KN_TYPE_I32 };
	kn_value array = kn_array_of(&empty);
	kn_value null = kn_null();
	kn__arena arena = { 0 };
	const char *why = NULL;
	kn_str text;

	ck_assert_int_eq(kn__to_text(&arena, &array, &text, &why), KN_DATA);
	ck_assert_str_eq(why, is_other);
	ck_assert_int_eq(kn__to_text(&arena, &null, &text, &why), KN_DATA);
	ck_assert_str_eq(why, is_null);
	kn__arena_release(&arena);
}
END_TEST

/* Where there is a locale with a comma, it is not to be seen. */
START_TEST(has_a_point_in_any_locale)
{
	static const char *const locales[] = { "C",          "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
										   "fr_FR.utf8", "ps_AF.UTF-8", "fa_IR.UTF-8" };
	static const char *const texts[] = { "-1.5", "0.1", "1e+100", "1.25e-07", "12" };
	const char *name = locales[_i];
	kn__arena arena = { 0 };
	const char *why = NULL;

	if (setlocale(LC_NUMERIC, name) == NULL)
		ck_assert_ptr_nonnull(setlocale(LC_NUMERIC, "C"));
	for (int i = 0; i < COUNT(texts); i++)
	{
		int32_t length = (int32_t) strlen(texts[i]);
		kn_value value;
		kn_str text;

		ck_assert_int_eq(kn__decode(&arena, 701, 0, texts[i], length, &value, &why), KN_OK);
		ck_assert_int_eq(kn__to_text(&arena, &value, &text, &why), KN_OK);
		ck_assert_str_eq(text.p, texts[i]);
		ck_assert_uint_eq(text.n, strlen(texts[i]));
	}
	ck_assert_int_eq(kn__decode(&arena, 701, 0, "1,5", 3, &(kn_value){ 0 }, &why), KN_DATA);
	ck_assert_int_eq(kn__decode(&arena, 701, 0, "1.5.5", 5, &(kn_value){ 0 }, &why), KN_DATA);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(without_memory)
{
	const kn_value values[] = { kn_i32(5),
								kn_f64(0.5),
								kn_timestamp(0),
								kn_uuid_of((kn_uuid){ { 0 } }) };

	for (int i = 0; i < COUNT(values); i++)
	{
		const char *why = NULL;
		kn__arena arena;
		kn_str text;
		failing f;

		failing_init(&f, 1, true);
		kn__arena_init(&arena, &f.allocator);
		ck_assert_int_eq(kn__to_text(&arena, &values[i], &text, &why), KN_NO_MEMORY);
		ck_assert_str_eq(why, "out of memory");
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, to_bool);
	LOOP(tcase, to_int, ints);
	tcase_add_test(tcase, to_int_of_others);
	tcase_add_test(tcase, to_double);
	tcase_add_test(tcase, to_text);
	tcase_add_test(tcase, to_text_of_others);
	tcase_add_loop_test(tcase, has_a_point_in_any_locale, 0, 7);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_convert", fill);
}
