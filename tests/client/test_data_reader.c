/*
 * test_data_reader.c
 *		Which words of a statement are names, where statements begin, and that no depth harms.
 */
#include "data/reader.h"
#include "statement.h"

/* Words of interest that are but names. */
static const statement_example names[] = {
	{ "SELECT 1 AS returning, 2 AS into, 3 AS for", "SELECT read rows" },
	{ "SELECT a.update, a.into, a.\"for\" FROM a", "SELECT read rows" },
	{ "SELECT update FROM t", "SELECT read rows" },
	{ "SELECT key, share FROM t", "SELECT read rows" },
	{ "SELECT a AS key FROM t FOR KEY SHARE", "SELECT rows locks" },
	{ "INSERT INTO t (a) SELECT b AS returning FROM u", "INSERT" },
	{ "SELECT delete FROM insert", "SELECT read rows" },
	{ "SELECT a AS nextval, (b) FROM t", "SELECT read rows" },
	{ "SELECT pg_temp FROM t", "SELECT read rows" },
	{ "SELECT * FROM pg_temp.t", "SELECT rows session" },
	{ "SELECT begin, commit FROM t", "SELECT read rows" },
	{ "UPDATE t SET a = (SELECT 1 AS returning)", "UPDATE" },
	{ "WITH returning AS (SELECT 1) SELECT 1", "SELECT read rows" },
};

static const statement_example withs[] = {
	{ "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT 3", "SELECT read rows" },
	{ "WITH a (b, c) AS (SELECT 1, 2) SELECT * FROM a", "SELECT read rows" },
	{ "WITH a AS (SELECT 1), b (c) AS (UPDATE t SET d = 1 RETURNING 1) SELECT 3", "SELECT rows" },
	{ "WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a", "SELECT read rows" },
	{ "WITH a AS NOT MATERIALIZED (DELETE FROM t RETURNING *) SELECT * FROM a", "SELECT rows" },
	{ "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a",
	  "SELECT read rows" },
	{ "WITH recursive AS (SELECT 1) SELECT * FROM recursive", "SELECT read rows" },
	{ "WITH recursive (b) AS (DELETE FROM t RETURNING 1) SELECT 1", "SELECT rows" },
	{ "WITH \"a\" AS (MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE RETURNING 1) SELECT 1",
	  "SELECT rows" },
	{ "WITH a AS (WITH b AS (DELETE FROM t RETURNING *) SELECT * FROM b) SELECT * FROM a",
	  "SELECT rows" },
	{ "WITH a AS (SELECT $1) , b AS (SELECT $3) DELETE FROM t WHERE c = $2", "DELETE $3" },
	{ "WITH a AS (((SELECT 1))) SELECT 1", "SELECT read rows" },
	{ "WITH a AS ((WITH b AS (DELETE FROM t RETURNING 1) SELECT 1)) SELECT 1", "SELECT rows" },
	{ "SELECT (WITH a AS (SELECT nextval('s')) SELECT * FROM a)", "SELECT rows" },
	{ "(WITH a AS (DELETE FROM t RETURNING 1) SELECT 1) UNION SELECT 2", "SELECT rows" },
	{ "WITH RECURSIVE a AS (SELECT 1) SEARCH DEPTH FIRST BY b, c SET d SELECT * FROM a",
	  "SELECT read rows" },
	{ "WITH RECURSIVE a AS (SELECT 1) CYCLE b SET c USING d, e AS (DELETE FROM t) SELECT 1",
	  "SELECT rows" },
	{ "WITH RECURSIVE a AS (SELECT 1) SEARCH BREADTH FIRST BY b SET c "
	  "CYCLE b, c SET d TO true DEFAULT false USING e DELETE FROM t",
	  "DELETE" },
	{ "WITH a AS (SELECT 1) SELECT 1 FROM a WHERE b IN (VALUES (nextval('s')))", "SELECT rows" },
};

/* Texts that are no SQL: any answer will do, but one that claims to read is only for what may. */
static const statement_example broken[] = {
	{ "WITH", "" },
	{ "WITH a AS (", "" },
	{ "WITH a AS (DELETE FROM t", "" },
	{ "WITH a AS (SELECT 1) ", "" },
	{ "(", "" },
	{ ")", "" },
	{ "SELECT (1", "SELECT read rows" },
	{ "SELECT 1)", "SELECT read rows" },
	{ "EXPLAIN", "EXPLAIN read rows" },
	{ "EXPLAIN (", "EXPLAIN read rows" },
	{ "EXPLAIN ANALYZE", "EXPLAIN rows" },
	{ "DECLARE", "DECLARE" },
	{ "DECLARE c CURSOR FOR", "DECLARE" },
	{ "COPY", "COPY copy" },
	{ "COPY (", "COPY copy" },
	{ "SET", "SET session" },
	{ "CREATE", "CREATE" },
	{ "CREATE TABLE t AS", "CREATE" },
	{ "PREPARE", "PREPARE session" },
	{ "SELECT set_config(", "SELECT rows session" },
};

#define TABLES(X) X(names) X(withs) X(broken)

TABLES(STATEMENT_TEST)

/* A text many times, with something before and after. */
static char *
repeat(const char *before, const char *text, int times, const char *after)
{
	size_t n = strlen(text);
	char *sql = malloc(strlen(before) + n * (size_t) times + strlen(after) + 1);
	char *at = sql + strlen(before);

	strcpy(sql, before);
	for (int i = 0; i < times; i++, at += n)
		memcpy(at, text, n);
	strcpy(at, after);
	return sql;
}

static const struct
{
	const char *before;
	const char *text;
	const char *after;
	bool may_be_read;
} deep[] = {
	{ "SELECT ", "(", "1", true },
	{ "SELECT ", "(SELECT ", "nextval('s')", false },
	{ "SELECT ", "(", "SELECT 1 FOR UPDATE", false },
	{ "", "(", "SELECT nextval('s')", false },
	{ "", "WITH a AS (", "DELETE FROM t", false },
	{ "", "EXPLAIN ANALYZE ", "DELETE FROM t", true }, /* no SQL if it stands there twice */
	{ "", "DECLARE c CURSOR FOR ", "SELECT 1", false },
	{ "", "COPY (", "DELETE FROM t", false },
	{ "", "CREATE TABLE t AS ", "SELECT 1", false },
	{ "", "EXPLAIN ANALYZE CREATE TABLE t AS ", "DELETE FROM t", false },
	{ "SELECT ", "set_config(", "1", false },
	{ "/*", "/*", "", false },
};

START_TEST(depth_does_no_harm)
{
	const int most = is_slow() ? 3000 : 300000;

	for (int times = 1; times <= most; times *= 7)
	{
		char *sql = repeat(deep[_i].before, deep[_i].text, times, deep[_i].after);
		kn__statement s = kn__statement_of((kn_str){ sql, strlen(sql) });

		ck_assert(!s.is_read || deep[_i].may_be_read);
		free(sql);
	}
}
END_TEST

/* What is deeper than is looked into is no read, and what is found there still counts. */
START_TEST(the_limit_of_depth)
{
	char *shallow = repeat("SELECT ", "(", 90, "1");
	char *deeper = repeat("SELECT ", "(", 200, "1");
	char *locked = repeat("SELECT ", "(", 200, "SELECT pg_advisory_lock($7) FROM t FOR UPDATE");

	ck_assert_str_eq(statement_does(shallow), "SELECT read rows");
	ck_assert_str_eq(statement_does(deeper), "SELECT rows");
	ck_assert_str_eq(statement_does(locked), "SELECT rows session locks $7");
	free(shallow);
	free(deeper);
	free(locked);
}
END_TEST

/* set_config() with so long a value that its last argument is not looked for. */
START_TEST(long_calls)
{
	char *within = repeat("SELECT set_config('a', ''", " || 'b'", 50, ", true)");
	char *beyond = repeat("SELECT set_config('a', ''", " || 'b'", 500, ", true)");

	ck_assert_str_eq(statement_does(within), "SELECT rows");
	ck_assert_str_eq(statement_does(beyond), "SELECT rows session");
	free(within);
	free(beyond);
}
END_TEST

START_TEST(tokens_and_names)
{
	const kn__token word = { .kind = KN__TOKEN_WORD, .p = "Ab", .n = 2 };
	const kn__token quoted = { .kind = KN__TOKEN_QUOTED, .p = "\"ab\"", .n = 4 };
	const kn__token other = { .kind = KN__TOKEN_QUOTED, .p = "\"Ab\"", .n = 4 };
	const kn__token hidden = { .kind = KN__TOKEN_QUOTED, .p = "U&\"x\"", .n = 5 };
	const kn__token string = { .kind = KN__TOKEN_STRING, .p = "(", .n = 1 };
	const kn__token sign = { .kind = KN__TOKEN_PUNCTUATION, .p = "(", .n = 1 };
	const char *const words[] = { "x", "ab", NULL };

	ck_assert(kn__token_is_name(&word, "ab"));
	ck_assert(kn__token_is_name(&quoted, "ab"));
	ck_assert(!kn__token_is_name(&other, "ab"));
	ck_assert(!kn__token_is_name(&quoted, "abc"));
	ck_assert(kn__token_is_name(&hidden, "ab"));
	ck_assert(!kn__token_is_sign(&string, '('));
	ck_assert(kn__token_is_sign(&sign, '('));
	ck_assert(!kn__token_is_sign(&sign, ')'));
	ck_assert(kn__token_is_one_of(&word, words));
	ck_assert(!kn__token_is_one_of(&word, words + 2));
}
END_TEST

static void
fill(TCase *tcase)
{
#define X(table) LOOP(tcase, table##_do, table);
	TABLES(X)
#undef X
	LOOP(tcase, depth_does_no_harm, deep);
	tcase_add_test(tcase, the_limit_of_depth);
	tcase_add_test(tcase, long_calls);
	tcase_add_test(tcase, tokens_and_names);
}

int
main(void)
{
	return suite_run("data_reader", fill);
}
