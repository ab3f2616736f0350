/*
 * test_data_numeric.c
 *		Numerics: digits to groups of four and back, their ends, and what is none.
 */
#include "failing.h"
#include "suite.h"

#include "data/data.h"

#define WORDS(...) (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2

static const struct
{
	const char *digits;
	const uint16_t *words; /* count, weight, sign, scale, groups */
	size_t count;
	const char *printed; /* NULL: as digits */
} good[] = {
	{ "0", WORDS(0, 0xffff, 0, 0), NULL },
	{ "1", WORDS(1, 0, 0, 0, 1), NULL },
	{ "-1", WORDS(1, 0, 0x4000, 0, 1), NULL },
	{ "+7", WORDS(1, 0, 0, 0, 7), "7" },
	{ "9999", WORDS(1, 0, 0, 0, 9999), NULL },
	{ "10000", WORDS(2, 1, 0, 0, 1, 0), NULL },
	{ "12345.678", WORDS(3, 1, 0, 3, 1, 2345, 6780), NULL },
	{ "0.1", WORDS(1, 0xffff, 0, 1, 1000), NULL },
	{ ".5", WORDS(1, 0xffff, 0, 1, 5000), "0.5" },
	{ "5.", WORDS(1, 0, 0, 0, 5), "5" },
	{ "0.00001", WORDS(2, 0xffff, 0, 5, 0, 1000), NULL },
	{ "0.0000", WORDS(1, 0xffff, 0, 4, 0), NULL },
	{ "007.50", WORDS(2, 0, 0, 2, 7, 5000), "7.50" },
	{ "-100000000.00000001", WORDS(5, 2, 0x4000, 8, 1, 0, 0, 0, 1), NULL },
	{ "NaN", WORDS(0, 0, 0xc000, 0), NULL },
	{ "Infinity", WORDS(0, 0, 0xd000, 0), NULL },
	{ "-Infinity", WORDS(0, 0, 0xf000, 0), NULL },
};

static void
put_words(kn__buf *buf, const uint16_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kn__buf_u16(buf, words[i]);
}

START_TEST(there_and_back)
{
	const char *printed = good[_i].printed != NULL ? good[_i].printed : good[_i].digits;
	const char *why = NULL;
	kn_str digits = { good[_i].digits, strlen(good[_i].digits) };
	kn__arena arena = { 0 };
	kn__buf buf;
	kn__buf expected;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__buf_init(&expected, NULL, SIZE_MAX);
	put_words(&expected, good[_i].words, good[_i].count);
	ck_assert_int_eq(kn__numeric_encode(&buf, digits, &why), KN_OK);
	ck_assert_uint_eq(buf.length, expected.length);
	ck_assert_mem_eq(buf.data, expected.data, buf.length);
	ck_assert_int_eq(kn__numeric_decode(&arena, buf.data, buf.length, &digits, &why), KN_OK);
	ck_assert_uint_eq(digits.n, strlen(printed));
	ck_assert_str_eq(digits.p, printed);
	kn__arena_release(&arena);
	kn__buf_release(&expected);
	kn__buf_release(&buf);
}
END_TEST

static const struct
{
	const uint16_t *words;
	size_t count;
	const char *printed;
} stripped[] = {
	{ WORDS(0, 0, 0, 0), "0" },
	{ WORDS(0, 0, 0, 3), "0.000" },
	{ WORDS(1, 3, 0, 0, 1), "1000000000000" },
	{ WORDS(1, 1, 0x4000, 2, 12), "-120000.00" },
	{ WORDS(1, 0xfffe, 0, 7, 1234), "0.0000123" },
	{ WORDS(2, 0, 0, 0, 1, 5000), "1" },
	{ WORDS(1, 0xfff0, 0, 2, 1), "0.00" },
};

/* What the server sends is without the zeros at both ends, which the digits need again. */
START_TEST(stripped_zeros_come_back)
{
	const char *why = NULL;
	kn_str digits;
	kn__arena arena = { 0 };
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	put_words(&buf, stripped[_i].words, stripped[_i].count);
	ck_assert_int_eq(kn__numeric_decode(&arena, buf.data, buf.length, &digits, &why), KN_OK);
	ck_assert_str_eq(digits.p, stripped[_i].printed);
	kn__arena_release(&arena);
	kn__buf_release(&buf);
}
END_TEST

static const char *const no_numbers[] = {
	"",   "-",   ".",     "-.",  "1e5",      "1,5",       " 1",
	"1 ", "--1", "1.2.3", "nan", "infinity", "+Infinity", "0x1",
};

START_TEST(no_number)
{
	const char *why = NULL;
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	ck_assert_int_eq(
		kn__numeric_encode(&buf, (kn_str){ no_numbers[_i], strlen(no_numbers[_i]) }, &why),
		KN_DATA);
	ck_assert_str_eq(why, "it is no decimal number");
	ck_assert_uint_eq(buf.length, 0);
	kn__buf_release(&buf);
}
END_TEST

/* As many digits as the server has room for, and one more. */
START_TEST(ends)
{
	static const struct
	{
		size_t whole;
		size_t part;
		kn_status status;
	} cases[] = {
		{ 131072, 16383, KN_OK },
		{ 131073, 0, KN_DATA },
		{ 1, 16384, KN_DATA },
	};
	char *text = malloc(200000);

	for (int i = 0; i < COUNT(cases); i++)
	{
		const char *why = NULL;
		kn_str digits = { text, cases[i].whole + 1 + cases[i].part };
		kn_str back = { NULL, 0 };
		kn__arena arena = { 0 };
		kn__buf buf;

		memset(text, '9', digits.n);
		text[cases[i].whole] = '.';
		kn__buf_init(&buf, NULL, SIZE_MAX);
		ck_assert_int_eq(kn__numeric_encode(&buf, digits, &why), cases[i].status);
		if (cases[i].status == KN_OK)
		{
			ck_assert_int_eq(kn__numeric_decode(&arena, buf.data, buf.length, &back, &why), KN_OK);
			ck_assert_uint_eq(back.n, digits.n);
			ck_assert_mem_eq(back.p, digits.p, digits.n);
		}
		else
			ck_assert_str_eq(why, "it has too many digits for a numeric");
		kn__arena_release(&arena);
		kn__buf_release(&buf);
	}
	free(text);
}
END_TEST

static const struct
{
	const uint16_t *words;
	size_t count;
	size_t cut; /* bytes missing at the end */
} bad_messages[] = {
	{ WORDS(0, 0, 0, 0), 1 },         { WORDS(0), 0 },
	{ WORDS(1, 0, 0, 0), 0 },         { WORDS(1, 0, 0, 0, 5), 1 },
	{ WORDS(0, 0, 0, 0, 5), 0 },      { WORDS(1, 0, 0, 0, 10000), 0 },
	{ WORDS(1, 0, 0, 0, 0xffff), 0 }, { WORDS(0, 0, 0x8000, 0), 0 },
	{ WORDS(1, 0, 1, 0, 5), 0 },      { WORDS(0, 0, 0, 16384), 0 },
	{ WORDS(0xffff, 0, 0, 0), 0 },
};

START_TEST(bad_message)
{
	const char *why = NULL;
	kn_str digits;
	kn__arena arena = { 0 };
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	put_words(&buf, bad_messages[_i].words, bad_messages[_i].count);
	ck_assert_int_eq(
		kn__numeric_decode(&arena, buf.data, buf.length - bad_messages[_i].cut, &digits, &why),
		KN_DATA);
	ck_assert_str_eq(why, "the message is not a numeric");
	kn__buf_release(&buf);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(without_memory)
{
	const char *why = NULL;
	kn_str digits;
	kn__arena arena;
	failing f;

	failing_init(&f, 1, true);
	kn__arena_init(&arena, &f.allocator);
	ck_assert_int_eq(kn__numeric_decode(&arena, "\0\0\0\0\0\0\0\0", 8, &digits, &why),
					 KN_NO_MEMORY);
	ck_assert_str_eq(why, "out of memory");
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, there_and_back, good);
	LOOP(tcase, stripped_zeros_come_back, stripped);
	LOOP(tcase, no_number, no_numbers);
	tcase_add_test(tcase, ends);
	LOOP(tcase, bad_message, bad_messages);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_numeric", fill);
}
