/*
 * test_data_value.c
 *		Values: one of each kind, NULL pointers, lengths, and what kn_v() makes of an expression.
 */
#include "suite.h"

#include "data/data.h"

START_TEST(names)
{
	ck_assert_str_eq(kn_type_name(KN_TYPE_NULL), "NULL");
	ck_assert_str_eq(kn_type_name(KN_TYPE_TIMESTAMPTZ), "TIMESTAMPTZ");
	ck_assert_str_eq(kn_type_name(KN_TYPE_ARRAY), "ARRAY");
	ck_assert_str_eq(kn_type_name(KN_TYPE_COUNT), "UNKNOWN");
	ck_assert_str_eq(kn_type_name((kn_type) -1), "UNKNOWN");
}
END_TEST

START_TEST(numbers)
{
	ck_assert_int_eq(kn_null().type, KN_TYPE_NULL);
	ck_assert(kn_bool(true).as.b && !kn_bool(false).as.b);
	ck_assert_int_eq(kn_i16(INT16_MIN).as.i, INT16_MIN);
	ck_assert_int_eq(kn_i32(INT32_MIN).as.i, INT32_MIN);
	ck_assert_int_eq(kn_i64(INT64_MIN).as.i, INT64_MIN);
	ck_assert(kn_f32(0.1f).as.d == (double) 0.1f);
	ck_assert(kn_f64(0.1).as.d == 0.1);
	ck_assert_int_eq(kn_date_of((kn_date){ -1 }).as.i, -1);
	ck_assert_int_eq(kn_timestamp(INT64_MIN).as.i, INT64_MIN);
	ck_assert_int_eq(kn_timestamptz((kn_time){ 5 }).as.i, 5);
	ck_assert_int_eq(kn_time_of_day(6).as.i, 6);
	ck_assert_int_eq(kn_time_of_day(6).type, KN_TYPE_TIME);
}
END_TEST

START_TEST(texts)
{
	ck_assert_uint_eq(kn_text("abc").n, 3);
	ck_assert_uint_eq(kn_text("").n, 0);
	ck_assert_int_eq(kn_text("").type, KN_TYPE_TEXT);
	ck_assert_int_eq(kn_text_of((kn_str){ "a\0b", 3 }).n, 3);
	ck_assert_int_eq(kn_numeric("1.5").type, KN_TYPE_NUMERIC);
	ck_assert_int_eq(kn_json("{}").type, KN_TYPE_JSON);
	ck_assert_int_eq(kn_inet("::1").type, KN_TYPE_INET);
	ck_assert_int_eq(kn_bytes("\0\1", 2).n, 2);
	ck_assert_int_eq(kn_bytes("", 0).type, KN_TYPE_BYTES);
}
END_TEST

START_TEST(null_pointers_are_null)
{
	ck_assert_int_eq(kn_text(NULL).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_text_of((kn_str){ NULL, 5 }).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_bytes(NULL, 5).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_numeric(NULL).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_json(NULL).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_inet(NULL).type, KN_TYPE_NULL);
	ck_assert_int_eq(kn_array_of(NULL).type, KN_TYPE_NULL);
	ck_assert_uint_eq(kn_bytes(NULL, 5).n, 0);
}
END_TEST

START_TEST(what_is_too_long_stays_so)
{
	ck_assert_uint_eq(kn_bytes("", SIZE_MAX).n, UINT32_MAX);
	ck_assert_uint_eq(kn_bytes("", (size_t) UINT32_MAX + 5).n, UINT32_MAX);
}
END_TEST

START_TEST(elements_are_counted)
{
	static const int32_t sizes[] = { 2, 3, 4 };
	static const int32_t huge[] = { INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX };
	static const int32_t negative[] = { 2, -1 };
	kn_array array = { .sizes = sizes, .dimensions = 3 };

	ck_assert_uint_eq(kn_array_of(&array).n, 24);
	ck_assert_ptr_eq(kn_array_of(&array).as.array, &array);
	array.dimensions = 0;
	ck_assert_uint_eq(kn_array_of(&array).n, 0);
	array = (kn_array){ .sizes = huge, .dimensions = 5 };
	ck_assert_uint_eq(kn_array_of(&array).n, UINT32_MAX);
	array = (kn_array){ .sizes = negative, .dimensions = 2 };
	ck_assert_uint_eq(kn_array_of(&array).n, 0);
}
END_TEST

START_TEST(by_the_type_of_an_expression)
{
	kn_interval interval = { 1, 2, 3 };
	kn_uuid uuid = { { 1, 2 } };
	char text[] = "text";
	short s = 1;

	ck_assert_int_eq(kn_v((bool) true).type, KN_TYPE_BOOL);
	ck_assert_int_eq(kn_v(s).type, KN_TYPE_I16);
	ck_assert_int_eq(kn_v(1).type, KN_TYPE_I32);
	ck_assert_int_eq(kn_v(1L).type, KN_TYPE_I64);
	ck_assert_int_eq(kn_v(1LL).type, KN_TYPE_I64);
	ck_assert_int_eq(kn_v(1.5f).type, KN_TYPE_F32);
	ck_assert_int_eq(kn_v(1.5).type, KN_TYPE_F64);
	ck_assert_int_eq(kn_v(text).type, KN_TYPE_TEXT);
	ck_assert_int_eq(kn_v("text").n, 4);
	ck_assert_int_eq(kn_v(((kn_str){ "text", 2 })).n, 2);
	ck_assert_int_eq(kn_v(uuid).as.uuid.b[1], 2);
	ck_assert_int_eq(kn_v(((kn_date){ 7 })).type, KN_TYPE_DATE);
	ck_assert_int_eq(kn_v(((kn_time){ 7 })).type, KN_TYPE_TIMESTAMPTZ);
	ck_assert_int_eq(kn_v(interval).as.interval.months, 3);
	ck_assert_int_eq(kn_v(kn_v(5)).as.i, 5);
	ck_assert_uint_eq(kn_as(kn_v(5), 26).oid, 26);
	ck_assert_uint_eq(kn_v(5).oid, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, texts);
	tcase_add_test(tcase, null_pointers_are_null);
	tcase_add_test(tcase, what_is_too_long_stays_so);
	tcase_add_test(tcase, elements_are_counted);
	tcase_add_test(tcase, by_the_type_of_an_expression);
}

int
main(void)
{
	return suite_run("data_value", fill);
}
