/*
 * test_data_copy.c
 *		Texts of COPY: what one is about, and how a query is read by one.
 */
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "suite.h"

static kn_str
str(const char *text)
{
	return (kn_str){ text, strlen(text) };
}

static bool
is(kn_str got, const char *expected)
{
	return got.n == strlen(expected) && (got.n == 0 || memcmp(got.p, expected, got.n) == 0);
}

static const struct
{
	const char *sql;
	const char *relation;
	const char *columns; /* each with a blank behind it */
	bool is_in;
	bool is_out;
	bool is_binary;
} texts[] = {
	{ "COPY t FROM STDIN", "t", "", true, false, false },
	{ "copy t from stdout", "t", "", true, false, false },
	{ "COPY t FROM STDIN (FORMAT binary)", "t", "", true, false, true },
	{ "COPY t FROM STDIN WITH (format 'binary', freeze)", "t", "", true, false, true },
	{ "COPY t FROM STDIN (FORMAT \"binary\")", "t", "", true, false, true },
	{ "COPY t FROM STDIN BINARY", "t", "", true, false, true },
	{ "COPY BINARY t FROM STDIN", "t", "", true, false, true },
	{ "COPY t FROM STDIN (FORMAT csv, NULL 'binary ')", "t", "", true, false, false },
	{ "COPY s.t (a, \"b \"\" ,)\", C) FROM STDIN",
	  "s.t",
	  "a \"b \"\" ,)\" C ",
	  true,
	  false,
	  false },
	{ "/* x */ COPY \"S\" . \"T t\"(a)FROM STDIN -- x",
	  "\"S\" . \"T t\"",
	  "a ",
	  true,
	  false,
	  false },
	{ "COPY d.s.t FROM STDIN", "d.s.t", "", true, false, false },
	{ "COPY t (a) TO STDOUT", "t", "a ", false, true, false },
	{ "COPY (SELECT 'x' FROM stdin) TO STDOUT BINARY", "", "", false, true, true },
	{ "COPY (SELECT a FROM t WHERE b = (1)) TO stdin", "", "", false, true, false },
	{ "COPY t FROM 'stdin'", "t", "", false, false, false },
	{ "COPY t FROM PROGRAM 'stdin'", "t", "", false, false, false },
	{ "COPY t TO \"stdout\"", "t", "", false, false, false },
	{ "COPY \"from\" FROM STDIN", "\"from\"", "", true, false, false },
	{ "COPY t (a", "t", "a ", false, false, false },
	{ "COPY t (", "t", "", false, false, false },
	{ "COPY t.", "t", "", false, false, false },
	{ "COPY t FROM", "t", "", false, false, false },
	{ "COPY", "", "", false, false, false },
	{ "SELECT 1 FROM stdin", "", "", false, false, false },
	{ "", "", "", false, false, false },
};

START_TEST(reads_a_text)
{
	kn__copy_text text = kn__copy_text_of(str(texts[_i].sql));
	kn_str list = text.columns;
	char columns[64] = "";
	int count = 0;

	ck_assert_int_eq(text.is_in, texts[_i].is_in);
	ck_assert_int_eq(text.is_out, texts[_i].is_out);
	ck_assert_int_eq(text.is_binary, texts[_i].is_binary);
	ck_assert(is(text.relation, texts[_i].relation));
	for (kn_str name = kn__copy_next_column(&list); name.n > 0; name = kn__copy_next_column(&list))
	{
		(void) strncat(columns, name.p, name.n);
		(void) strcat(columns, " ");
		count++;
	}
	ck_assert_str_eq(columns, texts[_i].columns);
	ck_assert_int_eq(text.column_count, count);
}
END_TEST

static const struct
{
	const char *sql;
	const char *query;
} scans[] = {
	{ "SELECT 1", "SELECT 1" },
	{ "SELECT 1;", "SELECT 1" },
	{ "SELECT ';' ; ; -- the end;", "SELECT ';'" },
	{ "SELECT 1 /* ; */", "SELECT 1" },
	{ "SELECT 1 -- x\n + 2 -- y", "SELECT 1 -- x\n + 2" },
	{ "  TABLE t", "  TABLE t" },
	{ "", "" },
};

START_TEST(reads_a_query_by_copy)
{
	kn__buf buf;
	char expected[200];

	kn__buf_init(&buf, NULL, SIZE_MAX);
	kn__copy_scan(&buf, str(scans[_i].sql));
	(void) snprintf(expected,
					sizeof(expected),
					"SELECT * FROM (%s\n) AS kn LIMIT 0; COPY (%s\n) TO STDOUT (FORMAT binary)",
					scans[_i].query,
					scans[_i].query);
	ck_assert_str_eq(buf.data, expected);
	kn__buf_release(&buf);
}
END_TEST

/* Each character of the query, in both of its places, and what is around them. */
START_TEST(finds_places)
{
	static const char sql[] = "SELECT '\xC3\xA4\xE2\x82\xAC', x;";
	static const int length = 14; /* characters, without the semicolon */
	int first = (int) strlen("SELECT * FROM (");
	int second = first + length + (int) strlen("\n) AS kn LIMIT 0; COPY (");

	ck_assert_int_eq(kn__copy_scan_position(str(sql), 0), 0);
	for (int i = 1; i <= first; i++)
		ck_assert_int_eq(kn__copy_scan_position(str(sql), i), 0);
	for (int i = 1; i <= length + 1; i++)
	{
		ck_assert_int_eq(kn__copy_scan_position(str(sql), first + i), i);
		ck_assert_int_eq(kn__copy_scan_position(str(sql), second + i), i);
	}
	for (int i = first + length + 2; i <= second; i++)
		ck_assert_int_eq(kn__copy_scan_position(str(sql), i), 0);
	ck_assert_int_eq(kn__copy_scan_position(str(sql), second + length + 2), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, reads_a_text, texts);
	LOOP(tcase, reads_a_query_by_copy, scans);
	tcase_add_test(tcase, finds_places);
}

int
main(void)
{
	return suite_run("data_copy", fill);
}
