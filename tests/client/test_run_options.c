/*
 * test_run_options.c
 *		What options are refused for, wherever it is said.
 */
#include "config.h"

#define LIST "names of functions, without schemas or quotes, with commas between"

static const struct
{
	kn_config given;
	const char *variable; /* KINTS_STABLE_FUNCTIONS */
	const char *message;
} lists[] = {
	{ { .volatile_functions = "app.f" },
	  NULL,
	  "option \"volatile_functions\" is \"app.f\", but has to be " LIST },
	{ { .stable_functions = "f, g()" },
	  NULL,
	  "option \"stable_functions\" is \"f, g()\", but has to be " LIST },
	{ { .conninfo = "kn_stable_functions='f;g'" },
	  NULL,
	  "option \"kn_stable_functions\" of the conninfo is \"f;g\", but has to be " LIST },
	{ { 0 },
	  "\"F\"",
	  "environment variable \"KINTS_STABLE_FUNCTIONS\" is \"\"F\"\", but has to be " LIST },
	{ { .conninfo = "kn_volatile_functions=f", .stable_functions = "*" },
	  "g",
	  "option \"stable_functions\" is \"*\", but has to be " LIST },
	/* The struct comes first. */
	{ { .stable_functions = "st_*,\tÄh$1\n_F" }, "1", NULL },
	{ { .stable_functions = "" }, "1", NULL },
};

START_TEST(lists_of_functions)
{
	kn_status status;

	if (lists[_i].variable != NULL)
		ck_assert_int_eq(setenv("KINTS_STABLE_FUNCTIONS", lists[_i].variable, 1), 0);
	status = init(&lists[_i].given);
	ck_assert_int_eq(unsetenv("KINTS_STABLE_FUNCTIONS"), 0);
	ck_assert_str_eq(error, lists[_i].message == NULL ? "" : lists[_i].message);
	ck_assert_int_eq(status, lists[_i].message == NULL ? KN_OK : KN_CONFIG);
	kn__config_free(config);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	LOOP(tcase, lists_of_functions, lists);
}

int
main(void)
{
	return suite_run("run_options", fill);
}
