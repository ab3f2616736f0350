/*
 * exec_query.c
 *		Statements alone: what they give, how they fail, when they are prepared.
 */
#include "one.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_child, kn_item CASCADE;"
			"CREATE TABLE kn_item (id int PRIMARY KEY, name text NOT NULL, n int CHECK (n < 100));"
			"CREATE TABLE kn_child (id int PRIMARY KEY, item int REFERENCES kn_item);"
			"DROP TABLE IF EXISTS kn_slot;"
			"CREATE TABLE kn_slot (r int4range, EXCLUDE USING gist (r WITH &&));"
			"INSERT INTO kn_slot VALUES ('[1,5)');"
			"INSERT INTO kn_item VALUES (1, 'one', 1), (2, 'two', 2)");
	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
}

START_TEST(executes)
{
	int64_t rows = -7;

	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_item VALUES ($1, $2, $3)", 3, "three", 3));
	EXPECT_OK(cx, kn_exec_values(cx, "UPDATE kn_item SET n = n + 1", NULL, 0, NULL, &rows));
	ck_assert_int_eq(rows, 3);
	EXPECT_OK(cx, kn_exec_values(cx, "DELETE FROM kn_item WHERE id = 99", NULL, 0, NULL, &rows));
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT sum(n) FROM kn_item")), 9);
	ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT n FROM kn_item WHERE id = $1", 3)), 4);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_item"), 3);
}
END_TEST

typedef struct refusal
{
	const char *sql;
	kn_status status;
	const char *sqlstate;
	int position;
	const char *constraint;
} refusal;

static const refusal refusals[] = {
	{ "INSERT INTO kn_item VALUES (1, 'x')", KN_DUPLICATE, "23505", 0, "kn_item_pkey" },
	{ "INSERT INTO kn_child VALUES (1, 77)", KN_FOREIGN_KEY, "23503", 0, "kn_child_item_fkey" },
	{ "INSERT INTO kn_item VALUES (9, 'x', 100)", KN_CHECK, "23514", 0, "kn_item_n_check" },
	{ "INSERT INTO kn_item VALUES (9, NULL)", KN_NOT_NULL, "23502", 0, "" },
	{ "INSERT INTO kn_slot VALUES ('[2,3)')", KN_DUPLICATE, "23P01", 0, "kn_slot_r_excl" },
	{ "SELECT 1/0", KN_DATA, "22012", 0, "" },
	{ "SELECT 'a'::int", KN_DATA, "22P02", 8, "" },
	{ "SELECT 3000000000::int", KN_DATA, "22003", 0, "" },
	{ "SELECT x FROM kn_item", KN_SCHEMA, "42703", 8, "" },
	{ "SELECT 1 FROM nowhere", KN_SCHEMA, "42P01", 15, "" },
	{ "SELECT 'h\xc3\xa9', FROM", KN_SCHEMA, "42601", 14, "" },
	{ "SELEC 1", KN_SCHEMA, "42601", 1, "" },
	{ "SELECT no_such_function(1)", KN_SCHEMA, "42883", 8, "" },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = 'KN001'; END$$", KN_CONFLICT, "KN001", 0, "" },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = 'P0001'; END$$", KN_SERVER, "P0001", 0, "" },
};

static void
check_refusal(const refusal *r, kn_status got)
{
	const kn_error *error = kn_last_error(cx);

	ck_assert_msg(got == r->status, "%s: %s: %s", r->sql, kn_status_name(got), error->message);
	ck_assert_int_eq(error->status, r->status);
	ck_assert_str_eq(error->sqlstate, r->sqlstate);
	ck_assert_int_eq(error->position, r->position);
	ck_assert_str_eq(error->constraint_name, r->constraint);
	ck_assert_str_eq(error->sql, r->sql);
	ck_assert_int_eq(error->item, -1);
	ck_assert_int_eq(error->attempts, 1);
}

START_TEST(refuses)
{
	const refusal *r = &refusals[_i];
	kn_rows *rows;

	check_refusal(r, kn_exec_values(cx, r->sql, NULL, 0, NULL, NULL));
	rows = kn_query_values(cx, r->sql, NULL, 0, NULL);
	ck_assert_int_eq(kn_next(rows), false);
	check_refusal(r, kn_done(rows));
	rows = kn_stream_values(cx, r->sql, NULL, 0, NULL);
	ck_assert_int_eq(kn_next(rows), false);
	check_refusal(r, kn_done(rows));
	/* And nothing stays behind, nor does it cost a connection, unless nobody knows what it did. */
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_uint_eq(stats_of(db).closed_broken, strncmp(r->sql, "DO", 2) == 0 ? 3 : 0);
}
END_TEST

static const char *const out_of_place[] = {
	"BEGIN",
	"start transaction",
	"COMMIT",
	"ROLLBACK",
	"SAVEPOINT a",
	"PREPARE TRANSACTION 'a'",
	"SET search_path = a",
	"set role postgres",
	"RESET ALL",
	"LISTEN a",
	"UNLISTEN *",
	"DISCARD ALL",
	"DEALLOCATE ALL",
	"PREPARE a AS SELECT 1",
	"COPY kn_item TO STDOUT",
	"COPY kn_item FROM STDIN",
	"SELECT 1; SELECT 2",
	"/* */ SET a.b = 'c'",
};

START_TEST(refuses_what_has_no_place)
{
	kn_stats before;
	kn_batch *batch = kn_begin_batch(cx);

	before = stats_of(db);
	EXPECT(cx, kn_exec_values(cx, out_of_place[_i], NULL, 0, NULL, NULL), KN_USAGE);
	ck_assert_str_eq(kn_last_error(cx)->sql, out_of_place[_i]);
	EXPECT(cx, kn_done(kn_query_values(cx, out_of_place[_i], NULL, 0, NULL)), KN_USAGE);
	EXPECT(cx, kn_done(kn_stream_values(cx, out_of_place[_i], NULL, 0, NULL)), KN_USAGE);
	ck_assert_int_eq(kn_add_values(batch, out_of_place[_i], NULL, 0), -1);
	EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	ck_assert_uint_eq(stats_of(db).acquires, before.acquires);
}
END_TEST

START_TEST(prepares_from_the_second_use)
{
	/* The names of statements that this very session has prepared from that text. */
	static const char count[] = "SELECT count(*) FROM pg_prepared_statements WHERE name ~ '^kn_'";
	int64_t expected = is_pooled() ? 0 : 1;

	ck_assert_int_eq(number_of(cx, kn_query(cx, count)), 0);
	ck_assert_int_eq(number_of(cx, kn_query(cx, count)), expected);
	ck_assert_int_eq(number_of(cx, kn_query(cx, count)), expected);
	/* Others may be wanted in other ways. */
	EXPECT_OK(cx,
			  kn_exec_values(cx,
							 "SELECT 1",
							 NULL,
							 0,
							 &(kn_options){ .size = sizeof(kn_options), .never_prepare = true },
							 NULL));
	ck_assert_int_eq(number_of(cx, kn_query(cx, count)), expected);
}
END_TEST

/* The names of what a session has prepared, those of statements that begin so. */
static const char *
names_of(kn_ctx *c, const char *begin)
{
	kn_rows *rows = kn_query(c,
							 "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '')"
							 " FROM pg_prepared_statements WHERE starts_with(statement, $1)",
							 begin);
	const char *names = kn_next(rows) ? kn_get_text(rows, 0) : NULL;

	EXPECT_OK(c, kn_done(rows));
	return names;
}

/*
 * Where somebody hands the servers' sessions round and nobody has noticed, a name may be that of
 * another client's statement.  It is made of the text, so that it is the same statement then.
 */
START_TEST(has_its_names_of_the_text)
{
	static const char *const texts[] = { "SELECT 1 AS kn_own", "SELECT 2 AS kn_own" };
	kn_db *dbs[2];
	kn_ctx *ctxs[2];

	for (int i = 0; i < 2; i++)
	{
		OPEN(dbs[i], .max_connections = 1, .pgbouncer = KN_OFF);
		ctxs[i] = kn_begin(dbs[i]);
	}
	for (int round = 0; round < 5; round++)
	{
		/* Each begins with another one of them. */
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(
				number_of(ctxs[i % 2],
						  kn_query_values(ctxs[i % 2], texts[(i % 2) ^ (i / 2)], NULL, 0, NULL)),
				1 + ((i % 2) ^ (i / 2)));
	}
	if (!is_pooled())
	{
		ck_assert_uint_eq(strlen(names_of(ctxs[0], "SELECT 1 AS kn_own")), strlen("kn_") + 16);
		ck_assert_str_eq(names_of(ctxs[0], "SELECT 1 AS kn_own"),
						 names_of(ctxs[1], "SELECT 1 AS kn_own"));
		ck_assert_str_eq(names_of(ctxs[0], "SELECT 2 AS kn_own"),
						 names_of(ctxs[1], "SELECT 2 AS kn_own"));
		ck_assert_str_ne(names_of(ctxs[0], "SELECT 1 AS kn_own"),
						 names_of(ctxs[0], "SELECT 2 AS kn_own"));
	}
	for (int i = 0; i < 2; i++)
	{
		kn_end(ctxs[i]);
		close_even(dbs[i]);
	}
}
END_TEST

/* While its transaction has a session, the other client has another one. */
static kn_status
two_sessions_body(kn_ctx *c, void *argument)
{
	kn_ctx *other = argument;

	for (int i = 0; i < 3; i++)
	{
		ck_assert_int_eq(number_of(c, kn_query(c, "SELECT 1 AS kn_held")), 1);
		ck_assert_int_eq(number_of(other, kn_query(other, "SELECT 2 AS kn_held")), 2);
	}
	return KN_OK;
}

/* Each has prepared its own where there was no other; then both come to the same session. */
START_TEST(is_not_given_the_statement_of_another)
{
	kn_db *dbs[2];
	kn_ctx *ctxs[2];

	for (int i = 0; i < 2; i++)
	{
		OPEN(dbs[i], .max_connections = 1, .pgbouncer = KN_OFF);
		ctxs[i] = kn_begin(dbs[i]);
	}
	EXPECT_OK(ctxs[0], kn_transact(ctxs[0], two_sessions_body, ctxs[1]));
	for (int i = 0; i < 4; i++)
	{
		ck_assert_int_eq(number_of(ctxs[1], kn_query(ctxs[1], "SELECT 2 AS kn_held")), 2);
		ck_assert_int_eq(number_of(ctxs[0], kn_query(ctxs[0], "SELECT 1 AS kn_held")), 1);
	}
	for (int i = 0; i < 2; i++)
	{
		kn_end(ctxs[i]);
		close_even(dbs[i]);
	}
}
END_TEST

START_TEST(lets_go_of_old_statements)
{
	kn_db *small;
	kn_ctx *c;
	char sql[64];

	OPEN(small, .max_connections = 1, .statement_cache = 4);
	c = kn_begin(small);
	for (int i = 0; i < 60; i++)
	{
		(void) snprintf(sql, sizeof(sql), "SELECT %d", i % 20);
		for (int j = 0; j < 3; j++)
			ck_assert_int_eq(
				number_of(c,
						  kn_query_values(c,
										  kn_copy_text(c, (kn_str){ sql, strlen(sql) }),
										  NULL,
										  0,
										  NULL)),
				i % 20);
	}
	ck_assert_int_le(
		number_of(c,
				  kn_query(c, "SELECT count(*) FROM pg_prepared_statements WHERE name ~ '^kn_'")),
		5);
	kn_end(c);
	close_even(small);
}
END_TEST

START_TEST(survives_another_shape)
{
	static const char sql[] = "SELECT * FROM kn_item WHERE id = 1";

	for (int i = 0; i < 6; i++)
	{
		kn_rows *rows = kn_query(cx, sql);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_column_count(rows), i < 3 ? 3 : 4);
		ck_assert_int_eq(kn_get_i32(rows, 0), 1);
		EXPECT_OK(cx, kn_done(rows));
		ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
		if (i == 2)
			look_do(look, "ALTER TABLE kn_item ADD extra numeric DEFAULT 1.5");
	}
	look_do(look, "ALTER TABLE kn_item ALTER extra TYPE text USING 'x' || extra");
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_query(cx, sql);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_str_eq(kn_get_text(rows, 3), "x1.5");
		EXPECT_OK(cx, kn_done(rows));
	}
}
END_TEST

typedef struct trial
{
	int runs;
} trial;

static kn_status
unsupported_body(kn_ctx *c, void *argument)
{
	trial *t = argument;

	t->runs++;
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	return kn_exec(c, "SELECT count(*) FROM kn_item FOR UPDATE");
}

/* The server has the same code for what it does not support: that does not get better. */
START_TEST(is_not_taken_for_another_shape)
{
	for (int i = 0; i < 4; i++)
	{
		trial t = { 0 };

		EXPECT(cx, kn_transact(cx, unsupported_body, &t), KN_SERVER);
		ck_assert_str_eq(kn_last_error(cx)->sqlstate, "0A000");
		ck_assert_int_eq(t.runs, 1);
	}
	ck_assert_uint_eq(stats_of(db).retries, 0);
}
END_TEST

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 60);

	EXPECT(hasty, kn_exec(hasty, "SELECT pg_sleep(30)"), KN_TIMEOUT);
	ck_assert_int_eq(kn_last_error(hasty)->status, KN_TIMEOUT);
	/* The time is over for good. */
	EXPECT(hasty, kn_exec(hasty, "SELECT 1"), KN_TIMEOUT);
	kn_set_timeout(hasty, -1);
	EXPECT_OK(hasty, kn_exec(hasty, "SELECT 1"));
	kn_end(hasty);
	ck_assert_int_eq(
		look_number(
			look,
			"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ~ '^SELECT pg_sleep.30'"),
		0);
}
END_TEST

START_TEST(gives_values_beyond_sixteen)
{
	kn_value values[40];
	kn_rows *rows;

	for (int i = 0; i < 40; i++)
		values[i] = kn_i32(i);
	rows = kn_query_values(
		cx,
		"SELECT $1::int+$2+$3+$4+$5+$6+$7+$8+$9+$10+$11+$12+$13+$14+$15+$16+$17+$18+$19+$20"
		"+$21+$22+$23+$24+$25+$26+$27+$28+$29+$30+$31+$32+$33+$34+$35+$36+$37+$38+$39+$40",
		values,
		40,
		NULL);
	ck_assert_int_eq(number_of(cx, rows), 780);
	EXPECT(cx, kn_exec(cx, "SELECT $1::int", "one"), KN_DATA);
	EXPECT(cx, kn_exec(cx, "SELECT $1::text", UNSENDABLE), KN_DATA);
	EXPECT(cx, kn_exec(cx, "SELECT $1"), KN_USAGE);
	EXPECT(cx, kn_exec_values(cx, NULL, NULL, 0, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_exec_values(cx, "SELECT $1", NULL, 1, NULL, NULL), KN_USAGE);
}
END_TEST

/* However many there are, the statement is one and the same, and is prepared once. */
START_TEST(takes_any_number_of_values_as_one)
{
	static const char sql[] = "SELECT count(*) FROM kn_item WHERE id = ANY($1)";
	static const int32_t counts[] = { 1, 2, 1000, 70000, 3 };
	kn_value *values = kn_alloc(cx, 70000 * sizeof(kn_value));

	for (int i = 0; i < 70000; i++)
		values[i] = kn_i32(i + 1);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
	{
		const kn_array ids = { .items = values,
							   .sizes = &counts[i],
							   .dimensions = 1,
							   .element = KN_TYPE_I32 };

		ck_assert_int_eq(number_of(cx, kn_query(cx, sql, kn_array_of(&ids))),
						 counts[i] < 2 ? 1 : 2);
	}
	ck_assert_uint_eq(strlen(names_of(cx, sql)), is_pooled() ? 0 : strlen("kn_") + 16);
	/* More parameters than the protocol has numbers for are told of, and nothing is sent. */
	EXPECT(cx, kn_exec_values(cx, "SELECT 1", values, 65536, NULL, NULL), KN_USAGE);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* What looks like a parameter and is none stays as it is, and so do operators. */
START_TEST(leaves_the_text_alone)
{
	static const char sql[] =
		"SELECT ('{\"a\": 1}'::jsonb ? $1)::int * 100 + ('{\"b\": 1}'::jsonb ?| $2)::int * 10"
		" + length('$1 ? $2' || $$?$1$$ || E'\\'?' /* ? $3 */) AS \"?$1\" -- ? $4";

	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_query(cx, sql, "a", "{b,c}");

		ck_assert_str_eq(kn_column_name(rows, 0), "?$1");
		ck_assert_int_eq(number_of(cx, rows), 122);
	}
}
END_TEST

START_TEST(sees_rows_of_writes)
{
	ck_assert_int_eq(
		number_of(cx, kn_query(cx, "INSERT INTO kn_item VALUES (5, 'five', 5) RETURNING id * 10")),
		50);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_item WHERE id = 5"), 1);
	EXPECT_OK(cx, kn_exec(cx, ""));
	EXPECT_OK(cx, kn_exec(cx, "VACUUM kn_item"));
}
END_TEST

/* Prepared for one type, a text is not run with the bytes of another; nor of another's arrays. */
START_TEST(keeps_types_apart)
{
	static const kn_value number = { .type = KN_TYPE_I64, .as.i = 6 };
	static const kn_value word = { .type = KN_TYPE_TEXT, .n = 1, .as.p = "w" };
	static const int32_t one = 1;
	static const kn_array numbers = { &number, &one, NULL, 1, KN_TYPE_I64 };
	static const kn_array words = { &word, &one, NULL, 1, KN_TYPE_TEXT };
	static const struct
	{
		kn_value value;
		const char *text;
	} said[] = {
		{ { .type = KN_TYPE_I64, .as.i = 5 }, "5" },
		{ { .type = KN_TYPE_F64, .as.d = 1.5 }, "1.5" },
		{ { .type = KN_TYPE_TIMESTAMP }, "1970-01-01 00:00:00" },
		{ { .type = KN_TYPE_I32, .as.i = 7 }, "7" },
		{ { .type = KN_TYPE_TEXT, .n = 3, .as.p = "abc" }, "abc" },
		{ { .type = KN_TYPE_ARRAY, .n = 1, .as.array = &numbers }, "{6}" },
		{ { .type = KN_TYPE_ARRAY, .n = 1, .as.array = &words }, "{w}" },
	};

	for (int i = 0; i < 28; i++)
	{
		kn_rows *rows = kn_query_values(cx, "SELECT ($1)::text", &said[i % 7].value, 1, NULL);

		ck_assert(kn_next(rows));
		ck_assert_str_eq(kn_get_text(rows, 0), said[i % 7].text);
		EXPECT_OK(cx, kn_done(rows));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, executes);
	LOOP(tcase, refuses, refusals);
	LOOP(tcase, refuses_what_has_no_place, out_of_place);
	tcase_add_test(tcase, prepares_from_the_second_use);
	tcase_add_test(tcase, has_its_names_of_the_text);
	tcase_add_test(tcase, is_not_given_the_statement_of_another);
	tcase_add_test(tcase, keeps_types_apart);
	tcase_add_test(tcase, lets_go_of_old_statements);
	tcase_add_test(tcase, survives_another_shape);
	tcase_add_test(tcase, is_not_taken_for_another_shape);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, gives_values_beyond_sixteen);
	tcase_add_test(tcase, takes_any_number_of_values_as_one);
	tcase_add_test(tcase, leaves_the_text_alone);
	tcase_add_test(tcase, sees_rows_of_writes);
}

int
main(void)
{
	return suite_run("exec_query", fill);
}
