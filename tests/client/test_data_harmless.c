/*
 * test_data_harmless.c
 *		Functions that do nothing, and where a name is called.
 */
#include <string.h>

#include "data/data.h"
#include "suite.h"

static bool
is_harmless(const char *name)
{
	return kn__function_is_harmless(name, strlen(name), false);
}

static const char *const harmless[] = {
	"all",          "abs",          "ABS",       "count",
	"now",          "random",       "unnest",    "xpath",
	"row",          "xmltable",     "jsonb_set", "word_similarity",
	"xpath_exists", "width_bucket", "pg_typeof", "by",
	"zone",         "array_agg",    "uuidv7",    "generate_series",
	"bit_count",
};

START_TEST(is_found)
{
	ck_assert_msg(is_harmless(harmless[_i]), "%s", harmless[_i]);
}
END_TEST

static const char *const others[] = {
	"",     "a",           "al",      "allx",     "nows",       "no",
	"zzz",  "xpath_table", "nextval", "next_id",  "set_config", "audit",
	"next", "insert",      "share",   "\xc3\xa9", "xx",
};

START_TEST(is_not_found)
{
	ck_assert_msg(!is_harmless(others[_i]), "%s", others[_i]);
}
END_TEST

/* A keyword in quotes is a name. */
START_TEST(quotes_count)
{
	ck_assert(is_harmless("in"));
	ck_assert(!kn__function_is_harmless("in", 2, true));
	ck_assert(kn__function_is_harmless("now", 3, true));
	ck_assert(!kn__function_is_harmless("NOW", 3, true));
	ck_assert(kn__function_is_harmless("nowhere", 3, false));
}
END_TEST

static const struct
{
	const char *sql;
	bool calls;
} statements[] = {
	{ "SELECT f()", true },
	{ "SELECT F (1)", true },
	{ "SELECT s.f()", true },
	{ "SELECT s.now()", true },
	{ "SELECT \"s\" . \"f\" ()", true },
	{ "SELECT \"in\"(1)", true },
	{ "SELECT now(), count(*), max(a) FILTER (WHERE b) OVER (PARTITION BY (c)) FROM t", false },
	{ "SELECT pg_catalog.now(), \"pg_catalog\".\"now\"()", false },
	{ "SELECT pg_catalog.nextval('s')", false },
	{ "SELECT * FROM f(1)", true },
	{ "SELECT * FROM unnest($1) AS t(a, b)", false },
	{ "SELECT * FROM unnest($1) t(a, b)", false },
	{ "SELECT * FROM (VALUES (1)) v(a) JOIN u ON (a = b) WHERE a IN (1) AND (b)", false },
	{ "SELECT a OPERATOR(pg_catalog.+) f(1)", true },
	{ "SELECT DISTINCT ON (a) f(b) FROM t", true },
	{ "SELECT a::numeric(3, 2), b::geometry(1), cast(c AS d(3))", false },
	{ "WITH x(a) AS (SELECT 1) SELECT a FROM x", false },
	{ "WITH x AS MATERIALIZED (SELECT f()) SELECT a FROM x", true },
	{ "SELECT (SELECT f()) FROM t", true },
	{ "EXPLAIN SELECT f()", false },
	{ "EXPLAIN ANALYZE SELECT f()", true },
	{ "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET (a, b) = (1, 2)", false },
	{ "INSERT INTO s.t (a) VALUES (1)", false },
	{ "INSERT INTO \"s\".\"t\" (a) SELECT f()", true },
	{ "INSERT INTO t VALUES (f(1))", true },
	{ "MERGE INTO t USING u ON (a = b) WHEN MATCHED THEN DO NOTHING", false },
	{ "UPDATE t SET a = f(b)", true },
	{ "UPDATE t SET a = lower(b)", false },
	{ "DELETE FROM t WHERE f(a)", true },
	{ "COPY t (a) FROM STDIN", false },
	{ "COPY s.t (a) TO STDOUT", false },
	{ "COPY (SELECT f()) TO STDOUT", true },
	{ "COPY (SELECT f()) TO STDOUT (FORMAT csv)", true },
	{ "COPY t TO STDOUT WITH (FORMAT csv, FORCE_QUOTE (a))", false },
	{ "COPY t FROM STDIN (FORMAT binary)", false },
	{ "COPY t FROM STDIN (FORMAT csv) WHERE f(a)", true },
	{ "COPY t (a) FROM STDIN WHERE lower(a) = $1", false },
	{ "CALL p()", true },
	{ "CREATE TABLE t (a int DEFAULT f())", false },
	{ "CREATE TABLE t AS SELECT f()", true },
	{ "SELECT 'f()', $$f()$$ /* f() */ -- f()", false },
};

START_TEST(calls)
{
	kn__statement s = kn__statement_of((kn_str){ statements[_i].sql, strlen(statements[_i].sql) });

	ck_assert_msg(s.calls == statements[_i].calls, "\"%s\"", statements[_i].sql);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, is_found, harmless);
	LOOP(tcase, is_not_found, others);
	tcase_add_test(tcase, quotes_count);
	LOOP(tcase, calls, statements);
}

int
main(void)
{
	return suite_run("data_harmless", fill);
}
