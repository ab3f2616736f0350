/*
 * test_wire_words.c
 *		Messages of the server that may quote a value, and those that cannot.
 */
#include "suite.h"
#include "wire/words.h"

static const struct
{
	const char *sql;
	kn__words words;
	bool may_quote;
} cases[] = {
	/* of a kind that has no room for a value */
	{ "a", { "40001", "m", "ExecUpdate", "c", 0, false }, false },
	{ "a", { "57014", "m", "ProcessInterrupts", NULL, 0, false }, false },
	{ "a", { "55P03", "m", NULL, NULL, 0, false }, false },
	{ "a", { "55000", "m", NULL, NULL, 0, false }, true },
	{ "a", { "55P02", "parameter \"b\"", NULL, NULL, 0, false }, true },
	{ "a", { "53200", "m", NULL, NULL, 0, false }, false },
	{ "a", { "53100", "file \"b\"", NULL, NULL, 0, false }, true },
	{ "a", { "XX002", "m", NULL, NULL, 0, false }, false },
	{ "a", { "XX000", "m", NULL, NULL, 0, false }, true },
	{ "a", { "P0001", "m", NULL, NULL, 0, false }, true },
	{ "a", { "22P02", "m", NULL, NULL, 1, false }, true },
	{ "a", { "23505", "m", NULL, NULL, 0, true }, false },
	{ "a", { "23505", "m", NULL, NULL, 0, false }, true },
	{ NULL, { "42501", "m", "aclcheck_error", NULL, 0, false }, false },
	{ NULL, { "42501", "m", "inv_open", NULL, 0, false }, true },
	/* in a function's own words */
	{ "a", { "40001", "m", "exec_stmt_raise", NULL, 0, false }, true },
	{ "a", { "23505", "m", "PLy_elog_impl", NULL, 0, true }, true },
	{ "a", { "57014", "m", "pgfdw_report_error", NULL, 0, false }, true },
	{ "a", { "23505", "m", NULL, "in f()", 0, true }, true },
	{ "a", { "55P04", "m", NULL, NULL, 0, false }, true },
	{ "a", { "40001", "m", "plperl_util_elog", NULL, 0, false }, true },
	/* that points at a place of the statement */
	{ "SELECT b", { "42703", "m", NULL, NULL, 8, false }, false },
	{ "SELECT \"b\"", { "42703", "m", NULL, NULL, 8, false }, false },
	{ "SELECT 'b'::c", { "42P01", "m", NULL, NULL, 8, false }, true },
	{ "SELECT $1", { "42P18", "m", NULL, NULL, 8, false }, true },
	{ "SELECT 12", { "42804", "m", NULL, NULL, 9, false }, true },
	{ "SELECT b", { "42703", "m", NULL, NULL, 100, false }, true },
	{ "SELECT '\xc3\xa4', b", { "42703", "m", NULL, NULL, 13, false }, false },
	{ "SELECT b, '\xc3\xa4'", { "42703", "m", NULL, NULL, 11, false }, true },
	{ "SELECT b", { "42601", "m", NULL, NULL, 8, false }, true },
	{ NULL, { "42703", "m", NULL, NULL, 8, false }, true },
	/* that quotes nothing but what stands in the statement */
	{ "DROP TABLE S.b", { "42P01", "t \"s.b\" is not", NULL, NULL, 0, false }, false },
	{ "DROP TABLE b", { "42P01", "t \"b\" of \"b\"", NULL, NULL, 0, false }, false },
	{ "CREATE DATABASE b ENCODING 'c'", { "42704", "c is", NULL, NULL, 19, false }, true },
	{ "SELECT a::b", { "42704", "type \"b\" is not", NULL, NULL, 11, false }, false },
	{ "SELECT f($1)", { "42P01", "t \"1\"", NULL, NULL, 0, false }, true },
	{ "SELECT f(bc)", { "42P01", "t \"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\" of \"c\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\" of table \"b\" is", NULL, NULL, 0, false }, false },
	{ "DROP TABLE b", { "42P01", "t \"b\" of secret \"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\" secret \"b\" of \"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\" of \"b\" secret \"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\"secret\"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\"\"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\" of\"b\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b\"", NULL, "in f()", 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t b", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"b", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", "t \"\"", NULL, NULL, 0, false }, true },
	{ "DROP TABLE b", { "42P01", NULL, NULL, NULL, 0, false }, true },
	{ "SELECT f('b'), a", { "42P01", "t \"b\"", NULL, NULL, 0, false }, true },
	{ "SELECT f('b') + a", { "42P01", "t \"a\"", NULL, NULL, 0, false }, false },
	{ "SELECT 12, a", { "42P01", "t \"12\"", NULL, NULL, 0, false }, true },
	{ "SELECT a 'b", { "42P01", "t \"b\"", NULL, NULL, 0, false }, true },
};

START_TEST(may_quote)
{
	ck_assert_int_eq(kn__words_may_quote(&cases[_i].words, cases[_i].sql), cases[_i].may_quote);
}
END_TEST

static const struct
{
	kn__words words;
	bool may_quote;
} notices[] = {
	{ { "00000", "m", "DropErrorMsgNonExistent", NULL, 0, false }, false },
	{ { "00000", "m", "DropErrorMsgNonExistent", "in f()", 0, false }, true },
	{ { "00000", "m", "exec_stmt_raise", NULL, 0, false }, true },
	{ { "01000", "m", "pg_signal_backend", NULL, 0, false }, true },
	{ { "01000", "m", "SyncRepWaitForLSN", NULL, 0, false }, false },
	{ { "01000", "m", "xml_errorHandler", NULL, 0, false }, true },
	/* Whoever has said it. */
	{ { "01000", "m", NULL, NULL, 0, false }, true },
};

START_TEST(notices_may_quote)
{
	ck_assert_int_eq(kn__words_notice_may_quote(&notices[_i].words), notices[_i].may_quote);
}
END_TEST

START_TEST(raised)
{
	ck_assert(kn__words_are_raised("exec_stmt_raise"));
	ck_assert(kn__words_are_raised("dblink_res_error"));
	ck_assert(!kn__words_are_raised("_bt_check_unique"));
	ck_assert(!kn__words_are_raised(""));
	ck_assert(!kn__words_are_raised(NULL));
	ck_assert(kn__words_are_relayed("dblink_res_error"));
	ck_assert(kn__words_are_relayed("pgfdw_report_error"));
	ck_assert(!kn__words_are_relayed("exec_stmt_raise"));
	ck_assert(!kn__words_are_relayed(NULL));
}
END_TEST

/* As the server tells of them; what a function has to do with it is its own affair. */
START_TEST(of_values)
{
	ck_assert(kn__words_are_of_a_value("unnamed portal parameter $1"));
	ck_assert(kn__words_are_of_a_value("unnamed portal parameter $12 = 'abc'"));
	ck_assert(
		kn__words_are_of_a_value("JSON data, line 1: abc\nunnamed portal parameter $1 = '...'"));
	ck_assert(kn__words_are_of_a_value("unnamed portal parameter $1 = 'a\nb function c\n'"));
	ck_assert(kn__words_are_of_a_value(
		"JSON data, line 1: a function b\nunnamed portal parameter $1 = 'a function b'"));
	ck_assert(!kn__words_are_of_a_value("unnamed portal parameter $1 is what it says"));
	ck_assert(!kn__words_are_of_a_value(NULL));
	ck_assert(!kn__words_are_of_a_value(""));
	ck_assert(!kn__words_are_of_a_value("unnamed portal with parameters: $1 = 'abc'"));
	ck_assert(!kn__words_are_of_a_value(
		"unnamed portal parameter $1 = 'abc'\nPL/pgSQL function f() line 3 at PERFORM"));
	ck_assert(!kn__words_are_of_a_value(
		"PL/pgSQL function f(text) line 3 at RAISE\nunnamed portal parameter $1 = 'abc'"));
	ck_assert(!kn__words_are_of_a_value("JSON data, line 1: unnamed portal parameter $1"));
}
END_TEST

START_TEST(of_no_function)
{
	ck_assert(kn__words_are_of_no_function(NULL));
	ck_assert(kn__words_are_of_no_function("unnamed portal with parameters: $1 = 'abc'"));
	ck_assert(!kn__words_are_of_no_function("PL/pgSQL function f() line 3 at RAISE"));
	ck_assert(!kn__words_are_of_no_function(
		"PL/pgSQL function f() line 3 at RAISE\nunnamed portal with parameters: $1 = 'abc'"));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, may_quote, 0, COUNT(cases));
	LOOP(tcase, notices_may_quote, notices);
	tcase_add_test(tcase, raised);
	tcase_add_test(tcase, of_values);
	tcase_add_test(tcase, of_no_function);
}

int
main(void)
{
	return suite_run("wire_words", fill);
}
