/*
 * test_data_array.c
 *		Arrays: shapes and elements in both forms, and messages that lie about them.
 */
#include "failing.h"
#include "suite.h"

#include "data/data.h"

static const kn__type *
element_of(uint32_t oid)
{
	bool is_array;

	return kn__type_find(oid, &is_array);
}

static const char ints_2_by_2[] =
	"\0\0\0\2\0\0\0\1\0\0\0\x17"
	"\0\0\0\2\0\0\0\1\0\0\0\2\xff\xff\xff\xff"
	"\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\2\xff\xff\xff\xff\0\0\0\4\0\0\0\4";

static void
check_2_by_2(const kn_value *value)
{
	const kn_array *array = value->as.array;

	ck_assert_int_eq(value->type, KN_TYPE_ARRAY);
	ck_assert_uint_eq(value->n, 4);
	ck_assert_int_eq(array->element, KN_TYPE_I32);
	ck_assert_int_eq(array->dimensions, 2);
	ck_assert_int_eq(array->sizes[0], 2);
	ck_assert_int_eq(array->sizes[1], 2);
	ck_assert_int_eq(array->lower_bounds[0], 1);
	ck_assert_int_eq(array->lower_bounds[1], -1);
	ck_assert_int_eq(array->items[0].as.i, 1);
	ck_assert_int_eq(array->items[1].as.i, 2);
	ck_assert_int_eq(array->items[2].type, KN_TYPE_NULL);
	ck_assert_int_eq(array->items[3].as.i, 4);
	ck_assert_uint_eq(array->items[3].oid, 23);
}

START_TEST(there_and_back)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;
	kn__buf buf;
	kn_str text = { "[1:2][-1:0]={{1,2},{NULL,4}}", 28 };

	ck_assert_int_eq(kn__array_parse(&arena, element_of(23), text, &value, &why), KN_OK);
	check_2_by_2(&value);
	kn__buf_init(&buf, NULL, SIZE_MAX);
	ck_assert_int_eq(kn__array_encode(&buf, value.as.array, 23, &why), KN_OK);
	ck_assert_uint_eq(buf.length, sizeof(ints_2_by_2) - 1);
	ck_assert_mem_eq(buf.data, ints_2_by_2, buf.length);
	ck_assert_int_eq(kn__array_decode(&arena, element_of(23), buf.data, buf.length, &value, &why),
					 KN_OK);
	check_2_by_2(&value);
	kn__buf_release(&buf);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(empty)
{
	static const char none[] = "\0\0\0\0\0\0\0\0\0\0\0\x19";
	static const int32_t sizes[] = { 3, 0 };
	const kn_array arrays[] = { { .element = KN_TYPE_TEXT },
								{ .element = KN_TYPE_TEXT, .sizes = sizes, .dimensions = 2 } };
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	ck_assert_int_eq(kn__array_parse(&arena, element_of(25), (kn_str){ "{}", 2 }, &value, &why),
					 KN_OK);
	ck_assert(value.n == 0 && value.as.array->dimensions == 0);
	ck_assert_int_eq(kn__array_decode(&arena, element_of(25), none, 12, &value, &why), KN_OK);
	ck_assert(value.n == 0 && value.as.array->dimensions == 0);
	for (int i = 0; i < COUNT(arrays); i++)
	{
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__array_encode(&buf, &arrays[i], 25, &why), KN_OK);
		ck_assert_uint_eq(buf.length, 12);
		ck_assert_mem_eq(buf.data, none, 12);
		kn__buf_release(&buf);
	}
	kn__arena_release(&arena);
}
END_TEST

START_TEST(texts_are_unquoted)
{
	static const char *const expected[] = { "a", "", "NULL", NULL, "{,}", "q\"\\", " b ", "null" };
	static const char printed[] = "{a,\"\",\"NULL\",NULL,\"{,}\",\"q\\\"\\\\\",\" b \",null}";
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	ck_assert_int_eq(kn__array_parse(&arena,
									 element_of(25),
									 (kn_str){ printed, sizeof(printed) - 1 },
									 &value,
									 &why),
					 KN_OK);
	ck_assert_uint_eq(value.n, COUNT(expected));
	for (int i = 0; i < COUNT(expected); i++)
	{
		const kn_value *item = &value.as.array->items[i];

		if (expected[i] == NULL)
		{
			ck_assert_int_eq(item->type, KN_TYPE_NULL);
			continue;
		}
		ck_assert_int_eq(item->type, KN_TYPE_TEXT);
		ck_assert_uint_eq(item->n, strlen(expected[i]));
		ck_assert_int_eq(memcmp(item->as.p, expected[i], item->n), 0);
	}
	kn__arena_release(&arena);
}
END_TEST

static const char bad_shape[] =
	"an array has up to 6 dimensions, and as many elements as these say";

/* Whatever is in them, they are read back as they were. */
START_TEST(texts_are_printed)
{
	const struct
	{
		kn_array array;
		const char *printed;
	} cases[] = {
		{ { .dimensions = 0 }, "{}" },
		{ { .sizes = (const int32_t[]){ 3, 0 }, .dimensions = 2 }, "{}" },
		{ { .sizes = (const int32_t[]){ 1 }, .dimensions = 1 }, "{\"a\"}" },
		{ { .sizes = (const int32_t[]){ 6 }, .dimensions = 1 },
		  "{\"a\",NULL,\"NULL\",\"\",\"{,} \",\"q\\\"\\\\\"}" },
		{ { .sizes = (const int32_t[]){ 2, 3 }, .dimensions = 2 },
		  "{{\"a\",NULL,\"NULL\"},{\"\",\"{,} \",\"q\\\"\\\\\"}}" },
		{ { .sizes = (const int32_t[]){ 2, 1, 2 }, .dimensions = 3 },
		  "{{{\"a\",NULL}},{{\"NULL\",\"\"}}}" },
		{ { .sizes = (const int32_t[]){ 1, 2 },
			.lower_bounds = (const int32_t[]){ 1, -1 },
			.dimensions = 2 },
		  "[1:1][-1:0]={{\"a\",NULL}}" },
		{ { .sizes = (const int32_t[]){ 1 },
			.lower_bounds = (const int32_t[]){ INT32_MAX },
			.dimensions = 1 },
		  "[2147483647:2147483647]={\"a\"}" },
	};
	const kn_value items[] = { kn_text("a"), kn_null(),       kn_text("NULL"),
							   kn_text(""),  kn_text("{,} "), kn_text("q\"\\") };

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_array array = cases[i].array;
		const char *why = NULL;
		kn__arena arena = { 0 };
		kn_str printed;
		kn_value value;
		kn__buf buf;

		array.items = items;
		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__array_print(&buf, &array, &why), KN_OK);
		ck_assert_str_eq(buf.data, cases[i].printed);
		ck_assert_uint_eq(buf.length, strlen(cases[i].printed) + 1);
		printed = (kn_str){ buf.data, buf.length - 1 };
		ck_assert_int_eq(kn__array_parse(&arena, NULL, printed, &value, &why), KN_OK);
		ck_assert_int_eq(value.as.array->element, KN_TYPE_TEXT);
		ck_assert_int_eq(value.as.array->dimensions, value.n == 0 ? 0 : array.dimensions);
		for (uint32_t k = 0; k < value.n; k++)
		{
			const kn_value *item = &value.as.array->items[k];

			ck_assert_int_eq(item->type, items[k].type);
			ck_assert_uint_eq(item->n, items[k].n);
			ck_assert(item->n == 0 || memcmp(item->as.p, items[k].as.p, item->n) == 0);
		}
		kn__arena_release(&arena);
		kn__buf_release(&buf);
	}
}
END_TEST

START_TEST(is_not_printed)
{
	static const int32_t ones[] = { 1, 1, 1, 1, 1, 1, 1 };
	const kn_value number[] = { kn_i32(1) };
	const kn_value with_nul[] = { kn_text_of((kn_str){ "a\0b", 3 }) };
	const struct
	{
		kn_array array;
		const char *why;
	} cases[] = {
		{ { .sizes = ones, .dimensions = 7 }, bad_shape },
		{ { .sizes = ones, .dimensions = 1 }, bad_shape },
		{ { .items = number, .sizes = ones, .dimensions = 1 },
		  "values of its kind cannot be sent as that type" },
		{ { .items = with_nul, .sizes = ones, .dimensions = 1 }, "text must not have a NUL in it" },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__array_print(&buf, &cases[i].array, &why), KN_DATA);
		ck_assert_str_eq(why, cases[i].why);
		kn__buf_release(&buf);
	}
}
END_TEST

/* Of a type that is not in the list: texts, or nothing that is known. */
START_TEST(are_of_any_type)
{
	static const char moods[] =
		"\0\0\0\1\0\0\0\1\0\1\0\0\0\0\0\3\0\0\0\1"
		"\0\0\0\3sad\xff\xff\xff\xff\0\0\0\0";
	static const char numbers[] = "\0\0\0\1\0\0\0\0\0\1\0\0\0\0\0\1\0\0\0\1\0\0\0\2\0\1";
	static const char flags[] = "\0\0\0\0\0\0\0\2\0\1\0\0";
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	ck_assert_int_eq(kn__array_decode(&arena, NULL, moods, sizeof(moods) - 1, &value, &why), KN_OK);
	ck_assert_int_eq(value.as.array->element, KN_TYPE_TEXT);
	ck_assert_uint_eq(value.as.array->items[0].n, 3);
	ck_assert_mem_eq(value.as.array->items[0].as.p, "sad", 3);
	ck_assert_int_eq(value.as.array->items[1].type, KN_TYPE_NULL);
	ck_assert(value.n == 3 && value.as.array->items[2].n == 0);
	ck_assert_int_eq(value.as.array->items[2].type, KN_TYPE_TEXT);
	ck_assert_int_eq(kn__array_decode(&arena, NULL, numbers, sizeof(numbers) - 1, &value, &why),
					 KN_DATA);
	ck_assert_str_eq(why, "its type has no binary form that is known");
	ck_assert_int_eq(kn__array_decode(&arena, NULL, flags, sizeof(flags) - 1, &value, &why),
					 KN_DATA);
	kn__arena_release(&arena);
}
END_TEST

/* Memory grows with the text, and not with its square. */
START_TEST(many_elements)
{
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_text(&buf, "{0");
	for (int i = 1; i < 20000; i++)
		kn__buf_printf(&buf, ",%d", i);
	kn__buf_text(&buf, "}");
	ck_assert_int_eq(
		kn__array_parse(&arena, element_of(23), (kn_str){ buf.data, buf.length }, &value, &why),
		KN_OK);
	ck_assert_uint_eq(value.n, 20000);
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(value.as.array->items[i].as.i, i);
	ck_assert_uint_lt(arena.used, 40 * buf.length);
	kn__buf_release(&buf);
	kn__arena_release(&arena);
}
END_TEST

static const char not_printed[] = "it is no array as the server prints it";

static const struct
{
	const char *text;
	const char *why;
} bad_texts[] = {
	{ "", not_printed },
	{ "{", not_printed },
	{ "}", not_printed },
	{ "1", not_printed },
	{ "{1", not_printed },
	{ "{1,", not_printed },
	{ "{1,}", not_printed },
	{ "{,1}", not_printed },
	{ "{1}}", not_printed },
	{ "{1} ", not_printed },
	{ "{{}}", not_printed },
	{ "{1,{2}}", not_printed },
	{ "{1,{2,3}}", not_printed },
	{ "{{1},2}", not_printed },
	{ "{{1},{2,3}}", not_printed },
	{ "{{1,2},{3}}", not_printed },
	{ "{{{1}},{2}}", not_printed },
	{ "{{1},{{2}}}", not_printed },
	{ "{{{{{{{1}}}}}}}", not_printed },
	{ "{\"1}", not_printed },
	{ "{\"1\"2}", not_printed },
	{ "{1\"2\"}", not_printed },
	{ "{1\\", not_printed },
	{ "[1:2]={1}", not_printed },
	{ "[1:1]={1,2}", not_printed },
	{ "[1:1]={{1}}", not_printed },
	{ "[1:1][1:1]={1}", not_printed },
	{ "[1:0]={}", not_printed },
	{ "[1:1]={}", not_printed },
	{ "[2:1]={1}", not_printed },
	{ "[1]={1}", not_printed },
	{ "[1:1]{1}", not_printed },
	{ "[1:1]=", not_printed },
	{ "[:1]={1}", not_printed },
	{ "[1:]={1}", not_printed },
	{ "[1:1", not_printed },
	{ "[-2147483648:2147483647]={1}", not_printed },
	{ "[2147483648:2147483648]={1}", not_printed },
	{ "[99999999999:99999999999]={1}", not_printed },
	{ "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={1}", not_printed },
	{ "{x}", "it is not what its type prints" },
	{ "{1,2,99999999999}", "it is not what its type prints" },
	{ "{null}", "it is not what its type prints" },
};

START_TEST(bad_text)
{
	size_t length = strlen(bad_texts[_i].text);
	char *copy = malloc(length + 1);
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	memcpy(copy, bad_texts[_i].text, length);
	copy = realloc(copy, length + (length == 0)); /* a look behind its end is seen */
	ck_assert_int_eq(
		kn__array_parse(&arena, element_of(23), (kn_str){ copy, length }, &value, &why),
		KN_DATA);
	ck_assert_str_eq(why, bad_texts[_i].why);
	free(copy);
	kn__arena_release(&arena);
}
END_TEST

static const char no_array[] = "the message is not an array";

#define HEAD(dimensions) "\0\0\0" dimensions "\0\0\0\0\0\0\0\x17"
#define BYTES(bytes)     bytes, sizeof(bytes) - 1

static const struct
{
	const char *bytes;
	size_t length;
	const char *why;
} bad_messages[] = {
	{ BYTES(""), no_array },
	{ BYTES("\0\0\0\0\0\0\0\0\0\0\0"), no_array },
	{ BYTES("\0\0\0\0\0\0\0\0\0\0\0\x19"), no_array },
	{ BYTES(HEAD("\7")), no_array },
	{ BYTES("\xff\xff\xff\xff\0\0\0\0\0\0\0\x17"), no_array },
	{ BYTES(HEAD("\1")), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1"), no_array },
	{ BYTES(HEAD("\1") "\xff\xff\xff\xff\0\0\0\1"), no_array },
	{ BYTES(HEAD("\1") "\x7f\xff\xff\xff\0\0\0\1\0\0\0\4\0\0\0\1"), no_array },
	{ BYTES(HEAD("\2") "\x40\0\0\0\0\0\0\1\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\1"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1\xff\xff\xff\xfe"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1\x7f\xff\xff\xff\0\0\0\1"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\1\0\0\0"), no_array },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1\0\0\0\3\0\0\0"),
	  "the message is not of its type's length" },
	{ BYTES(HEAD("\0") "\0"), "the message is longer than its array" },
	{ BYTES(HEAD("\1") "\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1\0"),
	  "the message is longer than its array" },
};

START_TEST(bad_message)
{
	char *copy = malloc(bad_messages[_i].length + (bad_messages[_i].length == 0));
	const char *why = NULL;
	kn__arena arena = { 0 };
	kn_value value;

	memcpy(copy, bad_messages[_i].bytes, bad_messages[_i].length);
	ck_assert_int_eq(
		kn__array_decode(&arena, element_of(23), copy, bad_messages[_i].length, &value, &why),
		KN_DATA);
	ck_assert_str_eq(why, bad_messages[_i].why);
	ck_assert_uint_lt(arena.used, 10000);
	free(copy);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(bad_array)
{
	static const int32_t ones[] = { 1, 1, 1, 1, 1, 1, 1 };
	static const int32_t negative[] = { -1 };
	static const int32_t huge[] = { INT32_MAX, INT32_MAX, INT32_MAX };
	const kn_value wrong[] = { kn_text("x") };
	const kn_value inner[] = { kn_array_of(&(kn_array){ .element = KN_TYPE_I32 }) };
	const struct
	{
		kn_array array;
		const char *why;
	} cases[] = {
		{ { .sizes = ones, .dimensions = 7 }, bad_shape },
		{ { .sizes = ones, .dimensions = -1 }, bad_shape },
		{ { .sizes = negative, .dimensions = 1 }, bad_shape },
		{ { .sizes = huge, .dimensions = 3 }, bad_shape },
		{ { .items = wrong, .sizes = ones, .dimensions = 1 },
		  "values of its kind cannot be sent as that type" },
		{ { .items = inner, .sizes = ones, .dimensions = 1 },
		  "values of its kind cannot be sent as that type" },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn__buf buf;

		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__array_encode(&buf, &cases[i].array, 23, &why), KN_DATA);
		ck_assert_str_eq(why, cases[i].why);
		kn__buf_release(&buf);
	}
}
END_TEST

/* Whichever allocation fails, the reason is told and nothing is lost. */
START_TEST(every_allocation_may_fail)
{
	const char *why = NULL;
	bool is_done = false;
	kn__buf text;

	kn__buf_init(&text, NULL, SIZE_MAX);
	kn__buf_text(&text, "{0");
	for (int i = 1; i < 3000; i++)
		kn__buf_printf(&text, ",%d", i);
	kn__buf_text(&text, "}");
	for (long n = 1; !is_done; n++)
	{
		kn__arena arena;
		kn__buf buf;
		kn_value value;
		failing f;
		kn_status status;

		failing_init(&f, n, true);
		kn__arena_init(&arena, &f.allocator);
		kn__buf_init(&buf, &f.allocator, SIZE_MAX);
		status = kn__array_parse(&arena,
								 element_of(23),
								 (kn_str){ text.data, text.length },
								 &value,
								 &why);
		if (status == KN_OK)
		{
			kn__parameter parameter;

			value.oid = 1007;
			status = kn__encode(&buf, &value, &parameter, &why);
		}
		if (status == KN_OK)
			status = kn__array_decode(&arena, element_of(23), buf.data, buf.length, &value, &why);
		is_done = status == KN_OK;
		ck_assert(is_done == (f.calls < n));
		ck_assert(is_done || (status == KN_NO_MEMORY && strcmp(why, "out of memory") == 0));
		kn__buf_release(&buf);
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
	kn__buf_release(&text);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, empty);
	tcase_add_test(tcase, texts_are_unquoted);
	tcase_add_test(tcase, texts_are_printed);
	tcase_add_test(tcase, is_not_printed);
	tcase_add_test(tcase, are_of_any_type);
	tcase_add_test(tcase, many_elements);
	LOOP(tcase, bad_text, bad_texts);
	LOOP(tcase, bad_message, bad_messages);
	tcase_add_test(tcase, bad_array);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("data_array", fill);
}
