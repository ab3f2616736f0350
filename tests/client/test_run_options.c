/*
 * test_run_options.c
 *		What options are refused for, wherever it is said.
 */
#include <stdio.h>
#include <unistd.h>

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

static const struct
{
	const char *variable;
	const char *message;
} variables[] = {
	{ "KINTS_IGNORE_ENVIRONMENT",
	  "environment variable \"KINTS_IGNORE_ENVIRONMENT\" is no option; \"ignore_environment\" can be "
	  "said in the struct only" },
	{ "KINTS_IGNORE_ENVIROMENT",
	  "environment variable \"KINTS_IGNORE_ENVIROMENT\" is no option; \"ignore_environment\" can be "
	  "said in the struct only" },
	/* These may be somebody else's. */
	{ "KINTS_SECRET", NULL },
	{ "KINTS_CACHE", NULL },
	{ "KINTS_HOOKS", NULL },
	{ "KINTS_ENVIRONMENT", NULL },
};

/* What cannot be said in the environment does not say nothing in silence. */
START_TEST(the_struct_alone)
{
	kn_status status;

	ck_assert_int_eq(setenv(variables[_i].variable, "on", 1), 0);
	status = INIT(.name = "n");
	ck_assert_str_eq(error, variables[_i].message == NULL ? "" : variables[_i].message);
	ck_assert_int_eq(status, variables[_i].message == NULL ? KN_OK : KN_CONFIG);
	kn__config_free(config);
	ck_assert_int_eq(INIT(.ignore_environment = true), KN_OK);
	ck_assert_int_eq(unsetenv(variables[_i].variable), 0);
	kn__config_free(config);
}
END_TEST

static const char *const fields[] = { "ignore_environment", "hooks",     "cache", "secret",
									  "secret_user",        "allocator", "clock", "conninfo" };

START_TEST(no_conninfo_says_it)
{
	char text[60];

	(void) snprintf(text, sizeof(text), "kn_%s=on", fields[_i]);
	ck_assert_int_eq(INIT(.conninfo = text), KN_CONFIG);
	(void) snprintf(text, sizeof(text), "unknown option \"kn_%s\"", fields[_i]);
	ck_assert_str_eq(error, text);
}
END_TEST

/* libpq reads it, and knows no options but its own. */
START_TEST(service_files_have_none_of_ours)
{
	char path[] = "/tmp/kn_service_XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	char message[100];

	ck_assert_ptr_nonnull(file);
	(void) fputs("[shop]\nhost=s\nkn_idle_ms=7\n", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(setenv("PGSERVICEFILE", path, 1), 0);
	ck_assert_int_eq(INIT(.conninfo = "service=shop"), KN_CONFIG);
	(void) snprintf(message, sizeof(message), "syntax error in service file \"%s\", line 3", path);
	ck_assert_str_eq(error, message);
	ck_assert_int_eq(unsetenv("PGSERVICEFILE"), 0);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	LOOP(tcase, lists_of_functions, lists);
	LOOP(tcase, the_struct_alone, variables);
	LOOP(tcase, no_conninfo_says_it, fields);
	tcase_add_test(tcase, service_files_have_none_of_ours);
}

int
main(void)
{
	return suite_run("run_options", fill);
}
