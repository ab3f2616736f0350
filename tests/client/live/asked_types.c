/*
 * asked_types.c
 *		How it is found out what types of the database's own are: who asks, and what comes of it.
 */
#include "feelings.h"

static kn_type last_kind;

/* Not all of its rows are of interest. */
static void
stream_known(kn_ctx *c)
{
	kn_rows *rows = kn_stream(c, "SELECT n FROM kn_feeling WHERE n > $1 ORDER BY n", 1);

	ck_assert_msg(kn_next(rows), "%s", kn_last_error(c)->message);
	ck_assert_int_eq(kn_get_i32(rows, 0), 2);
	EXPECT_OK(c, kn_done(rows));
}

/* A type that was seen, and of which nobody was asked, is no affair of whoever comes next. */
START_TEST(is_not_asked_for_by_another)
{
	static const char insert[] = "INSERT INTO kn_formed VALUES ('(1,2)') RETURNING *";
	kn_db *own;
	kn_ctx *c;
	kn_batch *batch;

	look_do(look,
			"DROP TYPE IF EXISTS kn_form CASCADE; CREATE TYPE kn_form AS ENUM ('round');"
			"DROP TABLE IF EXISTS kn_formed; CREATE TABLE kn_formed (p point)");
	OPEN(own, .max_connections = 1, .statement_cache = -1);
	c = kn_begin(own, .timeout_ms = 10000);
	stream_known(c);
	if (_i == 0)
	{
		batch = kn_begin_batch(c);
		ck_assert_int_eq(kn_add(batch, "SELECT 'round'::kn_form"), 0);
		ck_assert_int_eq(kn_add(batch, "SELECT $1", kn_text_of((kn_str){ "a\0b", 3 })), 1);
		EXPECT(c, kn_run_batch(batch, NULL), KN_DATA);
	}
	else
	{
		EXPECT_OK(c, kn_done(kn_stream(c, insert)));
		look_do(look, "ALTER TABLE kn_formed ADD f kn_form[] DEFAULT '{round}'");
		EXPECT_OK(c, kn_done(kn_stream(c, insert)));
	}
	stream_known(c);
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_formed; DROP TYPE kn_form");
}
END_TEST

static kn_status
read_mood(kn_ctx *c, void *argument)
{
	kn_rows *rows;

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (3)"));
	rows = kn_query(c, "SELECT m FROM kn_feeling WHERE n = 1");
	if (kn_next(rows))
		ck_assert_str_eq(kn_get_text(rows, 0), "sad");
	return kn_done(rows);
}

/* Who may not read what types there are has them as text; within a transaction from the next on. */
START_TEST(needs_no_right_to_ask)
{
	kn_ctx *poor;
	kn_rows *rows;
	kn_status status;

	make_poor();
	poor = kn_begin(db, .role = "kn_poor");
	status = kn_transact(poor, read_mood, NULL);
	ck_assert_msg(status == KN_AUTH, "%s", kn_status_name(status));
	EXPECT_OK(poor, kn_transact(poor, read_mood, NULL));
	kn_end(poor);
	rows = kn_query(cx, "SELECT ms FROM kn_feeling WHERE n = 1");
	ck_assert(kn_next(rows));
	EXPECT_OK(cx, kn_done(rows));
	drop_poor();
}
END_TEST

/* The type of what has come is in last_kind.  2: it is streamed. */
static kn_status
read_moods(kn_ctx *c, void *argument)
{
	static const char sql[] = "SELECT ms FROM kn_feeling WHERE n = $1";
	bool is_streamed = *(int *) argument == 2;
	kn_rows *rows;

	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	rows = is_streamed ? kn_stream(c, sql, 1) : kn_query(c, sql, 1);
	last_kind = KN_TYPE_NULL;
	while (kn_next(rows))
		last_kind = (kn_type) kn_column(rows, 0).type;
	return kn_done(rows);
}

/* What one may not ask, another may. */
START_TEST(is_asked_by_whoever_may)
{
	int how = _i;
	kn_db *own;
	kn_ctx *poor;
	kn_ctx *rich;

	make_poor();
	OPEN(own, .max_connections = 1);
	poor = kn_begin(own, .role = "kn_poor", .timeout_ms = 10000);
	rich = kn_begin(own);
	EXPECT(poor, kn_transact(poor, read_moods, &how), KN_AUTH);
	for (int i = 0; i < 3; i++)
	{
		EXPECT_OK(poor, kn_transact(poor, read_moods, &how));
		ck_assert_int_eq(last_kind, KN_TYPE_TEXT);
	}
	/* Outside of a transaction, or within one. */
	if (how == 0)
		EXPECT_OK(rich, read_moods(rich, &how));
	else
		EXPECT_OK(rich, kn_transact(rich, read_moods, &how));
	ck_assert_int_eq(last_kind, KN_TYPE_ARRAY);
	EXPECT_OK(poor, kn_transact(poor, read_moods, &how));
	ck_assert_int_eq(last_kind, KN_TYPE_ARRAY);
	kn_end(poor);
	kn_end(rich);
	close_even(own);
	drop_poor();
}
END_TEST

/* Each question that is refused is a transaction that fails. */
static void
ask_many_times(int how)
{
	static const char x_errors[] =
		"SELECT xact_rollback FROM pg_stat_database, pg_stat_clear_snapshot()"
		" WHERE datname = current_database()";
	long errors = look_number(look, x_errors);
	kn_db *own;
	kn_ctx *c;

	OPEN(own, .conninfo = "user=kn_poor", .max_connections = 1);
	c = kn_begin(own, .timeout_ms = 10000);
	for (int i = 0; i < 20; i++)
	{
		EXPECT_OK(c, read_moods(c, &how));
		ck_assert_int_eq(last_kind, KN_TYPE_TEXT);
	}
	kn_end(c);
	close_even(own);
	/* A session that is gone has told all. */
	look_await(look, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'kn_poor'", 0);
	errors = look_number(look, x_errors) - errors;
	ck_assert_msg(errors >= 1 && errors <= 3, "%ld", errors);
}

START_TEST(is_not_asked_for_each_time)
{
	make_poor();
	ask_many_times(0);
	ask_many_times(2);
	drop_poor();
}
END_TEST

static kn_status
insert_formed(kn_ctx *c, void *argument)
{
	kn_rows *rows;

	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (3)"));
	look_do(look, "BEGIN; LOCK TABLE pg_type IN ACCESS EXCLUSIVE MODE");
	rows = kn_query(c, "INSERT INTO kn_formed VALUES ('(1,2)') RETURNING *");
	(void) kn_next(rows);
	*(kn_status *) argument = kn_done(rows);
	look_do(look, "ROLLBACK");
	return *(kn_status *) argument;
}

/* The time is over while it is asked what has come, and that was the end of the transaction. */
START_TEST(is_told_that_the_question_was_the_end)
{
	kn_status status = KN_OK;
	kn_db *own;
	kn_ctx *c;

	look_do(look,
			"DROP TYPE IF EXISTS kn_form CASCADE; CREATE TYPE kn_form AS ENUM ('round');"
			"DROP TABLE IF EXISTS kn_formed; CREATE TABLE kn_formed (p point)");
	OPEN(own, .max_connections = 1, .statement_cache = -1);
	c = kn_begin(own);
	EXPECT_OK(c, kn_done(kn_query(c, "INSERT INTO kn_formed VALUES ('(1,2)') RETURNING *")));
	look_do(look, "ALTER TABLE kn_formed ADD f kn_form[] DEFAULT '{round}'");
	/* The session has all that it takes by heart, but for the answer. */
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_formed VALUES ('(1,2)') RETURNING *, 0"));
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (3)"));
	kn_end(c);
	c = kn_begin(own, .timeout_ms = 1000);
	EXPECT(c, kn_transact(c, insert_formed, &status), KN_TIMEOUT);
	ck_assert_int_eq(status, KN_TIMEOUT);
	kn_end(c);
	close_even(own);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_formed"), 2);
	look_do(look, "DROP TABLE kn_formed; DROP TYPE kn_form");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up_types, tear_down);
	tcase_add_loop_test(tcase, is_not_asked_for_by_another, 0, 2);
	tcase_add_test(tcase, needs_no_right_to_ask);
	tcase_add_loop_test(tcase, is_asked_by_whoever_may, 0, 3);
	DIRECT_ONLY(tcase, is_not_asked_for_each_time, "there it is the pooler who logs in");
	tcase_add_test(tcase, is_told_that_the_question_was_the_end);
}

int
main(void)
{
	return suite_run("asked_types", fill);
}
