/*
 * suite.h
 *		The main() of a test program: one suite, named after the file it tests.
 *
 * Cases come in tables; LOOP(tcase, test, table) runs a test for each row, _i being its index.
 * Where everything takes fifty times as long, under valgrind, what is repeated for its own sake
 * is repeated less.
 */
#ifndef KN_TESTS_SUITE_H
#define KN_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#define COUNT(table)             ((int) (sizeof(table) / sizeof((table)[0])))
#define LOOP(tcase, test, table) tcase_add_loop_test(tcase, test, 0, COUNT(table))

static inline bool
is_slow(void)
{
	return getenv("KN_TEST_SLOW") != NULL;
}

/* Adds the tests of a file to its one case. */
typedef void suite_fill(TCase *tcase);

static inline int
suite_run(const char *name, suite_fill *fill)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 0); /* under valgrind nothing is fast */
	fill(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
