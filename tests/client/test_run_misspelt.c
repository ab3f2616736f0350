/*
 * test_run_misspelt.c
 *		Whether a name is most likely another one, with a slip in it.
 */
#include "run/misspelt.h"

#include "suite.h"

#include <string.h>

static const struct
{
	const char *given;
	const char *meant;
	bool is_misspelt;
} names[] = {
	{ "MAX_CONECTIONS", "MAX_CONNECTIONS", true },
	{ "MAX_CONNECTIONSS", "MAX_CONNECTIONS", true },
	{ "MAX_CONNECTIOSN", "MAX_CONNECTIONS", true },
	{ "MAXCONECTIONS", "MAX_CONNECTIONS", true },
	{ "MAX_CONNECTIONS", "MAX_CONNECTIONS", false },
	{ "CONNECTIONS", "MAX_CONNECTIONS", false },
	{ "NAMES", "NAME", true },
	{ "NOME", "NAME", true },
	{ "PORT", "NAME", false },
	{ "CASES", "NAME", false },
	{ "SERVICE_HOST", "SECRET_HOST", false },
	{ "ABD", "ABC", false },
	{ "", "NAME", false },
	{ "NAME", "", false },
	{ "MAX_CONNECTIONS_MAX_CONNECTIONS_MAX_CONNECTIONS_MAX_CONNECTIONS_",
	  "MAX_CONNECTIONS",
	  false },
};

START_TEST(has_a_slip_in_it)
{
	const char *given = names[_i].given;

	ck_assert_int_eq(kn__is_misspelt(given, strlen(given), names[_i].meant), names[_i].is_misspelt);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, has_a_slip_in_it, names);
}

int
main(void)
{
	return suite_run("run_misspelt", fill);
}
