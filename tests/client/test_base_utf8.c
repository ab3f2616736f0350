/*
 * test_base_utf8.c
 *		Which bytes are a character, and which are none.
 */
#include <string.h>

#include "base/base.h"
#include "suite.h"

static const struct
{
	const char *text;
	size_t length;
} cases[] = {
	{ "", 0 },
	{ "a", 1 },
	{ "ab", 1 },
	{ "\x7f", 1 },
	{ "\xc2\x80", 2 },
	{ "\xdf\xbf-", 2 },
	{ "\xe0\xa0\x80", 3 },
	{ "\xed\x9f\xbf", 3 },
	{ "\xee\x80\x80", 3 },
	{ "\xf0\x90\x80\x80", 4 },
	{ "\xf4\x8f\xbf\xbf", 4 },
	/* No beginning, no continuation, and not all of it. */
	{ "\x80", 0 },
	{ "\xff", 0 },
	{ "\xc3", 0 },
	{ "\xc3-", 0 },
	{ "\xe2\x82", 0 },
	{ "\xe2\x82-", 0 },
	{ "\xf0\x9f\x98", 0 },
	/* Too long a form, surrogates, and beyond the last one. */
	{ "\xc0\xaf", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xe0\x9f\xbf", 0 },
	{ "\xf0\x8f\xbf\xbf", 0 },
	{ "\xed\xa0\x80", 0 },
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
};

START_TEST(characters)
{
	ck_assert_uint_eq(kn__utf8_length(cases[_i].text, strlen(cases[_i].text)), cases[_i].length);
}
END_TEST

/* It looks at no byte past the end. */
START_TEST(ends)
{
	ck_assert_uint_eq(kn__utf8_length("\0", 1), 1);
	ck_assert_uint_eq(kn__utf8_length("\xc3\xa9", 1), 0);
	ck_assert_uint_eq(kn__utf8_length("a", 0), 0);
}
END_TEST

START_TEST(finds_words)
{
	static const char text[] = "SELECT Set_Config('a', 'Pass\xc3\x89')";

	ck_assert_ptr_eq(kn__find_folded(text, "select"), text);
	ck_assert_ptr_eq(kn__find_folded(text, "set_config"), text + 7);
	ck_assert_ptr_eq(kn__find_folded(text, "pass\xc3\x89"), text + 24);
	ck_assert_ptr_null(kn__find_folded(text, "pass\xc3\xa9"));
	ck_assert_ptr_null(kn__find_folded(text, "configs"));
	ck_assert_ptr_null(kn__find_folded("", "a"));
	/* The sign that is one bit from it. */
	ck_assert_ptr_null(kn__find_folded("set\x7f", "set_"));
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, characters, cases);
	tcase_add_test(tcase, ends);
	tcase_add_test(tcase, finds_words);
}

int
main(void)
{
	return suite_run("base_utf8", fill);
}
