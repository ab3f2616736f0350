/*
 * test_base_hash.c
 *		The hash is XXH64: published values, unaligned input, and that it mixes.
 */
#include <string.h>

#include "base/base.h"
#include "suite.h"

static const struct
{
	const char *text;
	uint64_t seed;
	uint64_t expected;
} known[] = {
	{ "", 0, UINT64_C(0xEF46DB3751D8E999) },
	{ "a", 0, UINT64_C(0xD24EC4F1A98C6E5B) },
	{ "as", 0, UINT64_C(0x1C330FB2D66BE179) },
	{ "asd", 0, UINT64_C(0x631C37CE72A97393) },
	{ "asdf", 0, UINT64_C(0x415872F599CEA71E) },
	{ "abc", 0, UINT64_C(0x44BC2CF5AD770999) },
	{ "Call me Ishmael. Some years ago--never mind how long precisely-",
	  0,
	  UINT64_C(0x02A2E85470D6FD96) },
};

START_TEST(published_values)
{
	uint64_t hash = kn__hash(known[_i].text, strlen(known[_i].text), known[_i].seed);

	ck_assert_uint_eq(hash, known[_i].expected);
}
END_TEST

START_TEST(alignment_makes_no_difference)
{
	char text[120];
	char moved[128];

	for (int i = 0; i < (int) sizeof(text); i++)
		text[i] = (char) (i * 37);
	for (size_t length = 0; length <= sizeof(text); length++)
	{
		for (size_t offset = 0; offset < 8; offset++)
		{
			memcpy(moved + offset, text, length);
			ck_assert_uint_eq(kn__hash(text, length, 9), kn__hash(moved + offset, length, 9));
		}
	}
	ck_assert_uint_eq(kn__hash(NULL, 0, 0), known[0].expected);
}
END_TEST

/* One bit of input changes about half of the bits. */
START_TEST(mixes)
{
	uint8_t text[70] = { 0 };

	for (size_t length = 1; length <= sizeof(text); length++)
	{
		uint64_t hash = kn__hash(text, length, 0);

		for (size_t bit = 0; bit < length * 8; bit++)
		{
			uint64_t changed;
			int count = 0;

			text[bit / 8] ^= (uint8_t) (1 << bit % 8);
			changed = kn__hash(text, length, 0) ^ hash;
			text[bit / 8] = 0;
			for (; changed != 0; changed &= changed - 1)
				count++;
			ck_assert_int_ge(count, 10);
		}
		ck_assert_uint_ne(hash, kn__hash(text, length, 1));
		ck_assert_uint_ne(hash, kn__hash(text, length - 1, 0));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, published_values, known);
	tcase_add_test(tcase, alignment_makes_no_difference);
	tcase_add_test(tcase, mixes);
}

int
main(void)
{
	return suite_run("base_hash", fill);
}
