/*
 * batch.c
 *		Several statements in one flight: all of them, or none.
 */
#include "one.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_batch, kn_made CASCADE;"
			"CREATE TABLE kn_batch (id int PRIMARY KEY, name text)");
	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
}

START_TEST(does_all)
{
	for (int round = 0; round < 3; round++)
	{
		kn_batch *batch = kn_begin_batch(cx);

		for (int i = 0; i < 40; i++)
			ck_assert_int_eq(
				kn_add(batch, "INSERT INTO kn_batch VALUES ($1, $2)", round * 40 + i, "x"),
				i);
		ck_assert_int_eq(kn_add(batch, "SELECT count(*) FROM kn_batch"), 40);
		ck_assert_int_eq(kn_add(batch, "UPDATE kn_batch SET name = 'y'"), 41);
		ck_assert_int_eq(kn_batch_affected(batch, 0), -1);
		EXPECT_OK(cx, kn_run_batch(batch, NULL));
		ck_assert_int_eq(kn_batch_affected(batch, 0), 1);
		ck_assert_int_eq(kn_batch_affected(batch, 41), (round + 1) * 40);
		ck_assert_int_eq(kn_batch_affected(batch, 42), -1);
		ck_assert_int_eq(number_of(cx, kn_batch_rows(batch, 40)), (round + 1) * 40);
		EXPECT(cx, kn_done(kn_batch_rows(batch, 40)), KN_USAGE);
		EXPECT(cx, kn_done(kn_batch_rows(batch, 42)), KN_USAGE);
		EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	}
	EXPECT_OK(cx, kn_run_batch(kn_begin_batch(cx), NULL));
	/* What is used again is prepared, as it is alone. */
	ck_assert_int_eq(number_of(cx,
							   kn_query(cx,
										"SELECT count(*) FROM pg_prepared_statements"
										" WHERE statement LIKE '%INTO kn_batch VALUES%'"
										" AND name ~ '^kn_'")),
					 is_pooled() ? 0 : 1);
}
END_TEST

/* What fails, and when it is seen: parsed, bound, run, or at the end. */
static const struct
{
	const char *sql;
	kn_status status;
	const char *sqlstate;
} failures[] = {
	{ "INSERT INTO kn_batch VALUES (1, 'again')", KN_DUPLICATE, "23505" },
	{ "SELECT * FROM nowhere", KN_SCHEMA, "42P01" },
	{ "SELECT 1/0", KN_DATA, "22012" },
	{ "SELEC", KN_SCHEMA, "42601" },
	{ "INSERT INTO kn_batch VALUES ('x'::int)", KN_DATA, "22P02" },
};

START_TEST(does_nothing_where_one_fails)
{
	static const char x_prepared[] =
		"SELECT count(*) FROM pg_prepared_statements"
		" WHERE starts_with(statement, 'SELECT count(*) FROM pg_p')";
	int64_t prepared = -1;

	/* The second time statements are prepared, and the third they go by their names. */
	for (int round = 0; round < 3; round++)
	{
		kn_batch *batch = kn_begin_batch(cx);

		(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, 'a')", 1);
		(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, 'a')", 2);
		(void) kn_add_values(batch, failures[_i].sql, NULL, 0);
		(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, 'a')", 3);
		EXPECT(cx, kn_run_batch(batch, NULL), failures[_i].status);
		ck_assert_str_eq(kn_last_error(cx)->sqlstate, failures[_i].sqlstate);
		ck_assert_int_eq(kn_last_error(cx)->item, 2);
		ck_assert_str_eq(kn_last_error(cx)->sql, failures[_i].sql);
		ck_assert_int_eq(kn_batch_affected(batch, 0), -1);
		for (int i = 0; i <= 3; i++)
			EXPECT(cx, kn_done(kn_batch_rows(batch, i)), i == 2 ? failures[_i].status : KN_ABORTED);
		EXPECT(cx, kn_done(kn_batch_rows(batch, 4)), failures[_i].status);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch"), 0);
	}
	/* What the server never prepared is not asked for by name, and others are prepared as ever. */
	for (int round = 0; round < 3; round++)
		prepared = number_of(cx, kn_query(cx, x_prepared));
	ck_assert_int_eq(prepared, is_pooled() ? 0 : 1);
}
END_TEST

static kn_status
failing_body(kn_ctx *c, void *argument)
{
	const char *sql = argument;
	kn_batch *batch = kn_begin_batch(c);

	(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, 'a')", 1);
	(void) kn_add_values(batch, sql, NULL, 0);
	return kn_run_batch(batch, NULL);
}

START_TEST(tells_the_item_in_a_transaction)
{
	EXPECT(cx, kn_transact(cx, failing_body, (void *) failures[_i].sql), failures[_i].status);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, failures[_i].sqlstate);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch"), 0);
}
END_TEST

static kn_status
making_body(kn_ctx *c, void *argument)
{
	kn_batch *batch = kn_begin_batch(c);

	if (argument != NULL)
	{
		kn_status status = kn_exec(c, "SELECT 1");

		if (status != KN_OK)
			return status;
	}
	(void) kn_add(batch, "CREATE TABLE kn_made (a int, b jsonb)");
	(void) kn_add(batch, "INSERT INTO kn_made VALUES ($1, '{}') RETURNING a", 7);
	(void) kn_add(batch, "SELECT a FROM kn_made WHERE a = $1", 7);
	(void) kn_add(batch, "DROP TABLE kn_made");
	return kn_run_batch(batch, NULL);
}

START_TEST(needs_what_it_makes)
{
	EXPECT_OK(cx, making_body(cx, NULL));
	EXPECT_OK(cx, making_body(cx, NULL));
	EXPECT_OK(cx, kn_transact(cx, making_body, NULL));
	EXPECT_OK(cx, kn_transact(cx, making_body, cx));
}
END_TEST

START_TEST(needs_what_it_makes_at_first)
{
	EXPECT_OK(cx, kn_transact(cx, making_body, cx));
	EXPECT_OK(cx, making_body(cx, NULL));
}
END_TEST

/* What cannot even be added fails in its place, and nothing is added after it. */
/* What a statement stands for may be made by the one before it, though neither says so. */
static kn_status
unsaid_body(kn_ctx *c, void *argument)
{
	bool by_function = *(const int *) argument == 1;
	kn_batch *batch;

	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	batch = kn_begin_batch(c);
	if (by_function)
		ck_assert_int_eq(kn_add(batch, "SELECT kn_make_there()"), 0);
	else
		ck_assert_int_eq(kn_add(batch, "SELECT Set_Config('search_path', $1, true)", "kn_there"),
						 0);
	ck_assert_int_eq(
		kn_add(batch, by_function ? "SELECT b FROM kn_there.made" : "SELECT a FROM there"),
		1);
	EXPECT_OK(c, kn_run_batch(batch, NULL));
	ck_assert_int_eq(number_of(c, kn_batch_rows(batch, 1)), 7);
	return KN_OK;
}

START_TEST(needs_what_is_made_unsaid)
{
	int way = _i;

	look_do(look,
			"DROP SCHEMA IF EXISTS kn_there CASCADE; CREATE SCHEMA kn_there;"
			"CREATE TABLE kn_there.there AS SELECT 7::bigint AS a;"
			"CREATE OR REPLACE FUNCTION kn_make_there() RETURNS int LANGUAGE sql AS"
			" 'CREATE TABLE kn_there.made AS SELECT 7::bigint AS b; SELECT 1'");
	for (int i = 0; i < 3; i++)
	{
		EXPECT_OK(cx, kn_transact(cx, unsaid_body, &way));
		look_do(look, "DROP TABLE IF EXISTS kn_there.made");
	}
	look_do(look, "DROP FUNCTION kn_make_there(); DROP SCHEMA kn_there CASCADE");
}
END_TEST

START_TEST(takes_nothing_after_what_it_cannot_take)
{
	kn_batch *batch = kn_begin_batch(cx);

	ck_assert_int_eq(kn_add(batch, "SELECT 1"), 0);
	ck_assert_int_eq(kn_add(batch, "SET work_mem = 64"), -1);
	ck_assert_int_eq(kn_add(batch, "SELECT 2"), -1);
	EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 0)), KN_ABORTED);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 1)), KN_USAGE);
}
END_TEST

START_TEST(refuses_what_commits_by_itself)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "SELECT 1");
	(void) kn_add(batch, "VACUUM kn_batch");
	EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 0)), KN_ABORTED);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 1)), KN_USAGE);
}
END_TEST

START_TEST(sends_nothing_that_cannot_be_sent)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, $2)", 1, "a");
	(void) kn_add(batch, "INSERT INTO kn_batch VALUES ($1, $2)", 2, UNSENDABLE);
	EXPECT(cx, kn_run_batch(batch, NULL), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 0)), KN_ABORTED);
	EXPECT(cx, kn_done(kn_batch_rows(batch, 1)), KN_DATA);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch"), 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	batch = kn_begin_batch(cx);
	(void) kn_add(batch, "SELECT $1::text", UNSENDABLE);
	(void) kn_add(batch, "INSERT INTO kn_batch VALUES (1)");
	EXPECT(cx, kn_run_batch(batch, NULL), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->item, 0);
	EXPECT(cx, kn_done(kn_query(cx, "SELECT $1::text || 'b'", UNSENDABLE)), KN_DATA);
	ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT count(*) FROM kn_batch")), 0);
}
END_TEST

/* More than fits into the sockets both ways at a time. */
START_TEST(reads_while_it_writes)
{
	size_t size = 1 << 20;
	char *text = kn_alloc(cx, size);
	kn_batch *batch = kn_begin_batch(cx);

	memset(text, 'x', size);
	for (int i = 0; i < 12; i++)
		(void) kn_add(batch, "SELECT $1::text", ((kn_str){ text, size }));
	EXPECT_OK(cx, kn_run_batch(batch, NULL));
	for (int i = 0; i < 12; i++)
	{
		kn_rows *rows = kn_batch_rows(batch, i);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_uint_eq(kn_get_str(rows, 0).n, size);
		EXPECT_OK(cx, kn_done(rows));
	}
}
END_TEST

/* All statements have succeeded by then. */
START_TEST(fails_at_its_end)
{
	look_do(look, "CREATE TABLE kn_made (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
	for (int round = 0; round < 3; round++)
	{
		const char *const claims[] = { "app.tenant", "1", NULL };
		kn_ctx *tenant = kn_begin(db, .claims = claims);
		kn_batch *batch = kn_begin_batch(cx);

		(void) kn_add(batch, "INSERT INTO kn_batch VALUES (1, 'a')");
		(void) kn_add(batch, "INSERT INTO kn_made VALUES (1), (1) RETURNING a");
		(void) kn_add(batch, "INSERT INTO kn_batch VALUES (2, 'a')");
		EXPECT(cx, kn_run_batch(batch, NULL), KN_DUPLICATE);
		ck_assert_int_eq(kn_last_error(cx)->item, -1);
		for (int i = 0; i < 3; i++)
			EXPECT(cx, kn_done(kn_batch_rows(batch, i)), KN_DUPLICATE);
		ck_assert_str_eq(kn_last_error(cx)->constraint_name, "kn_made_a_key");
		EXPECT(cx, kn_exec(cx, "INSERT INTO kn_made VALUES (1), (1)"), KN_DUPLICATE);
		EXPECT(cx,
			   kn_done(kn_query(cx, "INSERT INTO kn_made VALUES (1), (1) RETURNING a")),
			   KN_DUPLICATE);
		EXPECT(tenant, kn_exec(tenant, "INSERT INTO kn_made VALUES (1), (1)"), KN_DUPLICATE);
		kn_end(tenant);
		ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch, kn_made"), 0);
	}
	ck_assert_int_eq((int) stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(is_lost_as_a_whole)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	(void) kn_add(batch, "INSERT INTO kn_batch VALUES (1, 'a')");
	(void) kn_add(batch, "SELECT pg_terminate_backend(pg_backend_pid())");
	(void) kn_add(batch, "INSERT INTO kn_batch VALUES (2, 'a')");
	status = kn_run_batch(batch, NULL);
	ck_assert(status == KN_UNAVAILABLE || status == KN_CONN_LOST);
	for (int i = 0; i < 3; i++)
		EXPECT(cx, kn_done(kn_batch_rows(batch, i)), status);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch"), 0);
}
END_TEST

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 60);
	kn_batch *batch = kn_begin_batch(hasty);

	(void) kn_add(batch, "INSERT INTO kn_batch VALUES (1, 'a')");
	(void) kn_add(batch, "SELECT pg_sleep(30)");
	(void) kn_add(batch, "INSERT INTO kn_batch VALUES (2, 'a')");
	EXPECT(hasty, kn_run_batch(batch, NULL), KN_TIMEOUT);
	/* The time is that of all. */
	for (int i = 0; i < 3; i++)
		EXPECT(hasty, kn_done(kn_batch_rows(batch, i)), KN_TIMEOUT);
	kn_end(hasty);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_batch"), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, does_all);
	LOOP(tcase, does_nothing_where_one_fails, failures);
	LOOP(tcase, tells_the_item_in_a_transaction, failures);
	tcase_add_test(tcase, needs_what_it_makes);
	tcase_add_test(tcase, needs_what_it_makes_at_first);
	tcase_add_loop_test(tcase, needs_what_is_made_unsaid, 0, 2);
	tcase_add_test(tcase, takes_nothing_after_what_it_cannot_take);
	tcase_add_test(tcase, refuses_what_commits_by_itself);
	tcase_add_test(tcase, sends_nothing_that_cannot_be_sent);
	tcase_add_test(tcase, reads_while_it_writes);
	tcase_add_test(tcase, fails_at_its_end);
	tcase_add_test(tcase, is_lost_as_a_whole);
	tcase_add_test(tcase, ends_in_time);
}

int
main(void)
{
	return suite_run("batch", fill);
}
