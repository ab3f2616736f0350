/*
 * test_base_status.c
 *		Statuses: each has a name, a text of its own, and is retryable or not.
 */
#include <string.h>

#include "base/base.h"
#include "suite.h"

static const struct
{
	kn_status status;
	const char *name;
	bool is_retryable;
} known[] = {
	{ KN_OK, "KN_OK", false },
	{ KN_NOT_FOUND, "KN_NOT_FOUND", false },
	{ KN_SERIALIZATION, "KN_SERIALIZATION", true },
	{ KN_DEADLOCK, "KN_DEADLOCK", true },
	{ KN_CONN_LOST, "KN_CONN_LOST", true },
	{ KN_OUTCOME_UNKNOWN, "KN_OUTCOME_UNKNOWN", false },
	{ KN_TIMEOUT, "KN_TIMEOUT", false },
	{ KN_INTERNAL, "KN_INTERNAL", false },
	{ KN_STATUS_COUNT, "KN_UNKNOWN", false },
	{ (kn_status) 1000000, "KN_UNKNOWN", false },
	{ (kn_status) -1, "KN_UNKNOWN", false },
};

START_TEST(names)
{
	ck_assert_str_eq(kn_status_name(known[_i].status), known[_i].name);
	ck_assert(kn_status_is_retryable(known[_i].status) == known[_i].is_retryable);
	ck_assert_uint_gt(strlen(kn_status_text(known[_i].status)), 0);
}
END_TEST

START_TEST(all_differ)
{
	for (int i = 0; i < KN_STATUS_COUNT; i++)
	{
		const char *text = kn_status_text((kn_status) i);

		ck_assert(text[0] >= 'a' && text[0] <= 'z');
		ck_assert_int_ne(text[strlen(text) - 1], '.');
		for (int j = 0; j < i; j++)
		{
			ck_assert_str_ne(text, kn_status_text((kn_status) j));
			ck_assert_str_ne(kn_status_name((kn_status) i), kn_status_name((kn_status) j));
		}
	}
}
END_TEST

START_TEST(version)
{
	ck_assert_int_eq(kn_version(), KN_VERSION_NUM);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, names, known);
	tcase_add_test(tcase, all_differ);
	tcase_add_test(tcase, version);
}

int
main(void)
{
	return suite_run("base_status", fill);
}
