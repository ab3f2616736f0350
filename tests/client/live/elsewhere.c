/*
 * elsewhere.c
 *		Statements whose effects are not all undone with them: what they do at other servers.
 */
#include <sys/socket.h>

#include "live.h"

static PGconn *look;
static kn_db *db;
static kn_ctx *cx;

static void
set_up(void)
{
	look = look_open();
	look_do(
		look,
		"CREATE EXTENSION IF NOT EXISTS dblink;"
		"DROP TABLE IF EXISTS kn_noted; CREATE TABLE kn_noted (id int);"
		"CREATE OR REPLACE FUNCTION kn_note(place text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN"
		" PERFORM dblink_exec(place, 'INSERT INTO kn_noted VALUES (1)');"
		" RETURN true; END$$;"
		"CREATE OR REPLACE FUNCTION kn_relay(place text, code text) RETURNS bool"
		" LANGUAGE plpgsql AS $$BEGIN"
		" PERFORM kn_note(place);"
		" PERFORM dblink_exec(place, format("
		"'DO $d$BEGIN RAISE EXCEPTION USING ERRCODE = %L; END$d$', code));"
		" RETURN true; END$$");
	OPEN(db, .max_connections = 1, .retry_base_ms = 1);
	cx = kn_begin(db);
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	PQfinish(look);
}

typedef enum means
{
	BY_EXEC,
	BY_QUERY,
	BY_STREAM,
	BY_BATCH,
	BY_COPY,
	MEANS_COUNT
} means;

static kn_status
call_by(means by, const char *sql, const kn_options *options)
{
	char copy[600];
	kn_batch *batch;

	switch (by)
	{
		case BY_QUERY:
			return kn_done(kn_query_values(cx, sql, NULL, 0, options));
		case BY_STREAM:
			return kn_done(kn_stream_values(cx, sql, NULL, 0, options));
		case BY_BATCH:
			batch = kn_begin_batch(cx);
			(void) kn_add(batch, "SELECT 1");
			(void) kn_add_values(batch, sql, NULL, 0);
			return kn_run_batch(batch, options);
		case BY_COPY:
			(void) snprintf(copy, sizeof(copy), "COPY (%s) TO STDOUT", sql);
			return kn_copy_end(kn_copy_out(cx, copy), NULL);
		default:
			return kn_exec_values(cx, sql, NULL, 0, options, NULL);
	}
}

/* Each writes elsewhere, and then its session is ended. */
static const char *const x_last[] = {
	"SELECT kn_note('%s'), pg_terminate_backend(pg_backend_pid()), pg_sleep(60)",
	"SELECT dblink_exec('%s', 'INSERT INTO kn_noted VALUES (1)'),"
	" pg_terminate_backend(pg_backend_pid()), pg_sleep(60)",
	"SELECT query_to_xml('SELECT dblink_exec(''%s'', ''INSERT INTO kn_noted VALUES (1)'')',"
	" false, false, ''), pg_terminate_backend(pg_backend_pid()), pg_sleep(60)",
};

/* What was done elsewhere stays: it is not done again, and nobody is told that nothing has been. */
START_TEST(is_done_once)
{
	char sql[500];
	kn_status status;

	(void) snprintf(sql, sizeof(sql), x_last[_i / MEANS_COUNT], getenv("KN_TEST_DIRECT"));
	status = call_by((means) (_i % MEANS_COUNT), sql, NULL);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	ck_assert_msg(status == KN_OUTCOME_UNKNOWN, "%s", kn_status_name(status));
}
END_TEST

static const struct
{
	const char *code;
	kn_status status;
} relayed[] = { { "40001", KN_SERIALIZATION },
				{ "40P01", KN_DEADLOCK },
				{ "25006", KN_READ_ONLY } };

/* It is not this server that has undone anything for the sake of others. */
START_TEST(is_not_done_again_for_what_another_server_says)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };
	means by = (means) (_i % BY_COPY);
	char sql[200];

	(void) snprintf(sql,
					sizeof(sql),
					"SELECT kn_relay('%s', '%s')",
					getenv("KN_TEST_DIRECT"),
					relayed[_i / BY_COPY].code);
	EXPECT(cx, call_by(by, sql, NULL), relayed[_i / BY_COPY].status);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, relayed[_i / BY_COPY].code);
	ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	/* Where that may be, it is. */
	EXPECT(cx, call_by(by, sql, &says), relayed[_i / BY_COPY].status);
	ck_assert_int_gt(kn_last_error(cx)->attempts, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"),
					 1 + kn_last_error(cx)->attempts);
}
END_TEST

/* Nor, if it is known to last, for what this one says: what it undoes is not all. */
START_TEST(is_not_done_again_if_it_lasts)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };
	means by = (means) (_i % BY_COPY);
	char sql[300];

	look_do(
		look,
		"CREATE OR REPLACE FUNCTION kn_undone(code text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN"
		" RAISE EXCEPTION USING ERRCODE = code; END$$");
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT dblink_exec('%s', 'INSERT INTO kn_noted VALUES (1)'), kn_undone('%s')",
					getenv("KN_TEST_DIRECT"),
					relayed[_i / BY_COPY].code);
	EXPECT(cx, call_by(by, sql, NULL), relayed[_i / BY_COPY].status);
	ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	EXPECT(cx, call_by(by, sql, &says), relayed[_i / BY_COPY].status);
	ck_assert_int_gt(kn_last_error(cx)->attempts, 1);
}
END_TEST

/* One that is known to last, and one that may be. */
static const char *const x_before[] = {
	"SELECT dblink_exec('%s', 'INSERT INTO kn_noted VALUES (1)')",
	"SELECT kn_note('%s')",
};

/* Behind it in the batch is a statement that is prepared for what is another table by now. */
START_TEST(is_not_done_again_for_what_has_changed)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };
	bool is_said = _i % 2 != 0;
	char sql[200];
	kn_db *own;
	kn_ctx *c;
	kn_batch *batch;

	(void) snprintf(sql, sizeof(sql), x_before[_i / 2], getenv("KN_TEST_DIRECT"));
	look_do(look, "DROP TABLE IF EXISTS kn_changing; CREATE TABLE kn_changing (a int)");
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	c = kn_begin(own);
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_exec(c, "SELECT * FROM kn_changing"));
	look_do(look, "ALTER TABLE kn_changing ADD b int");
	batch = kn_begin_batch(c);
	(void) kn_add_values(batch, sql, NULL, 0);
	(void) kn_add(batch, "SELECT * FROM kn_changing");
	EXPECT(c, kn_run_batch(batch, is_said ? &says : NULL), is_said ? KN_OK : KN_SERIALIZATION);
	ck_assert_int_eq(kn_last_error(c)->attempts, is_said ? 0 : 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), is_said ? 2 : 1);
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_changing");
}
END_TEST

/* All connections but the test's own. */
static void
cut(void)
{
	int count = 0;

	for (int fd = 3; fd < 1024; fd++)
		count += fd != PQsocket(look) && shutdown(fd, SHUT_RDWR) == 0;
	ck_assert_int_eq(count, 1);
}

/* A COPY out of what writes elsewhere, whose connection is gone without a word. */
START_TEST(is_not_denied_where_rows_were_lost)
{
	char sql[400];
	kn_str piece;
	kn_copy *copy;
	kn_status status;

	(void) snprintf(
		sql,
		sizeof(sql),
		"COPY (SELECT dblink_exec('%s', 'INSERT INTO kn_noted VALUES (1)'), repeat('x', 9000),"
		" pg_sleep(CASE WHEN g < 3 THEN 0 ELSE 60 END) FROM generate_series(1, 3) g) TO STDOUT",
		getenv("KN_TEST_DIRECT"));
	copy = kn_copy_out(cx, sql);
	ck_assert(kn_copy_get(copy, &piece));
	cut();
	while (kn_copy_get(copy, &piece))
		;
	status = kn_copy_end(copy, NULL);
	ck_assert_msg(status == KN_OUTCOME_UNKNOWN, "%s", kn_status_name(status));
	/* The server does not know yet that nobody listens: what it still writes is for no other test.
	 */
	look_await(look,
			   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
			   " WHERE query ~ '^COPY.*kn_noted' AND state = 'active'",
			   0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_done_once, 0, COUNT(x_last) * MEANS_COUNT);
	tcase_add_loop_test(tcase, is_not_done_again_if_it_lasts, 0, COUNT(relayed) * BY_COPY);
	tcase_add_loop_test(tcase, is_not_done_again_for_what_has_changed, 0, 2 * COUNT(x_before));
	tcase_add_test(tcase, is_not_denied_where_rows_were_lost);
	tcase_add_loop_test(tcase,
						is_not_done_again_for_what_another_server_says,
						0,
						COUNT(relayed) * BY_COPY);
}

int
main(void)
{
	return suite_run("elsewhere", fill);
}
