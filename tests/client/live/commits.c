/*
 * commits.c
 *		Statements that commit in the middle of what they do, and what is done when one is stopped.
 */
#include "one.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_step; CREATE TABLE kn_step (id int, who text, claim text);"
			"CREATE OR REPLACE PROCEDURE kn_step_by_step(ending text) LANGUAGE plpgsql AS $$BEGIN"
			" INSERT INTO kn_step VALUES (1, current_user, current_setting('app.t', true)); COMMIT;"
			" INSERT INTO kn_step VALUES (2, current_user, current_setting('app.t', true)); COMMIT;"
			" IF ending = 'conflict' THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF;"
			" IF ending = 'deadlock' THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;"
			" IF length(ending) = 5 AND ending <> 'never' THEN"
			" RAISE EXCEPTION USING ERRCODE = ending; END IF;"
			" IF ending = 'never' THEN PERFORM pg_sleep(600); END IF; END$$;"
			"CREATE OR REPLACE PROCEDURE kn_step_once() LANGUAGE plpgsql AS $$BEGIN"
			" INSERT INTO kn_step VALUES (1, current_user, current_setting('app.t', true)); END$$;"
			"DO $$BEGIN CREATE ROLE kn_stepper; EXCEPTION WHEN duplicate_object THEN END$$;"
			"GRANT ALL ON kn_step TO kn_stepper");
	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
}

static int64_t
steps(void)
{
	return look_number(look, "SELECT count(*) FROM kn_step");
}

static const struct
{
	const char *ending;
	kn_status status;
} endings[] = {
	{ "conflict", KN_SERIALIZATION },
	{ "deadlock", KN_DEADLOCK },
	{ "53400", KN_SERVER },
	{ "53200", KN_UNAVAILABLE },
	{ "53300", KN_UNAVAILABLE },
	{ "57P03", KN_SERVER },
	{ "58P01", KN_SERVER },
	{ "58030", KN_UNAVAILABLE },
	{ "25006", KN_READ_ONLY },
	{ "08001", KN_SERVER }, /* of a connection of the function's: it is not this one that is lost */
	{ "08006", KN_SERVER },
	{ "never", KN_OUTCOME_UNKNOWN }, /* until the deadline is over */
	{ "well", KN_OK },
};

/* Part of it is in force: it is not done again, and nobody is told that nothing was. */
START_TEST(are_not_done_twice)
{
	char sql[80];

	(void) snprintf(sql, sizeof(sql), "CALL kn_step_by_step('%s')", endings[_i].ending);
	if (strcmp(endings[_i].ending, "never") == 0)
		kn_set_timeout(cx, 1500);
	EXPECT(cx, kn_exec_values(cx, sql, NULL, 0, NULL, NULL), endings[_i].status);
	ck_assert_int_eq(steps(), 2);
}
END_TEST

/* Who says that it may happen twice has it so. */
START_TEST(are_done_again_if_that_is_said)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };

	EXPECT(cx,
		   kn_exec_values(cx, "CALL kn_step_by_step('conflict')", NULL, 0, &says, NULL),
		   KN_SERIALIZATION);
	ck_assert_int_gt(kn_last_error(cx)->attempts, 1);
	ck_assert_int_eq(steps(), 2 * kn_last_error(cx)->attempts);
}
END_TEST

static kn_status
call_body(kn_ctx *c, void *argument)
{
	return kn_exec_values(c, argument, NULL, 0, NULL, NULL);
}

/* Behind its COMMIT it would go on as somebody else. */
START_TEST(keep_role_and_claims)
{
	static const char *const claims[] = { "app.t", "tenant 7", NULL };
	static char whole[] = "CALL kn_step_once()";
	static char in_steps[] = "CALL kn_step_by_step('well')";
	kn_ctx *c = kn_begin(db, .role = "kn_stepper", .claims = claims);
	kn_batch *batch = kn_begin_batch(c);

	EXPECT(c, kn_exec_values(c, in_steps, NULL, 0, NULL, NULL), KN_USAGE);
	ck_assert_str_eq(kn_last_error(c)->sql, in_steps);
	EXPECT(c, kn_done(kn_query_values(c, in_steps, NULL, 0, NULL)), KN_USAGE);
	EXPECT(c, kn_done(kn_stream_values(c, in_steps, NULL, 0, NULL)), KN_USAGE);
	(void) kn_add_values(batch, in_steps, NULL, 0);
	EXPECT(c, kn_run_batch(batch, NULL), KN_USAGE);
	EXPECT(c, kn_exec(c, "VACUUM kn_step"), KN_USAGE);
	ck_assert_int_eq(steps(), 0);
	/* In a transaction the server sees to it. */
	EXPECT(c, kn_transact(c, call_body, in_steps), KN_SERVER);
	ck_assert_str_eq(kn_last_error(c)->sqlstate, "2D000");
	ck_assert_int_eq(steps(), 0);
	EXPECT_OK(c, kn_transact(c, call_body, whole));
	ck_assert_int_eq(look_number(look,
								 "SELECT count(*) FROM kn_step WHERE who = 'kn_stepper'"
								 " AND claim = 'tenant 7'"),
					 1);
	kn_end(c);
}
END_TEST

static const char *const committing[] = {
	"CALL kn_step_by_step('well')",
	"DO $$BEGIN COMMIT; END$$",
	"CREATE DATABASE kn_step",
	"ALTER SYSTEM SET work_mem = '5MB'",
	"CREATE INDEX CONCURRENTLY kn_step_id ON kn_step (id)",
	"REINDEX TABLE kn_step",
	"VACUUM kn_step",
};

/* A batch is one transaction, or none. */
START_TEST(have_no_place_in_a_batch)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "INSERT INTO kn_step VALUES (0)");
	(void) kn_add_values(batch, committing[_i], NULL, 0);
	(void) kn_add(batch, "SELECT 1 / 0");
	EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	ck_assert_str_eq(kn_last_error(cx)->sql, committing[_i]);
	ck_assert_int_eq(steps(), 0);
	ck_assert_int_eq(
		look_number(look, "SELECT count(*) FROM pg_database WHERE datname = 'kn_step'"),
		0);
}
END_TEST

/* What defines something is not among them. */
START_TEST(are_not_all_that_is_no_query)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "CREATE INDEX kn_step_who ON kn_step (who)");
	(void) kn_add(batch, "ALTER TABLE kn_step ADD COLUMN more int");
	(void) kn_add(batch, "SELECT 1 / 0");
	EXPECT(cx, kn_run_batch(batch, NULL), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->item, 2);
	ck_assert_int_eq(look_number(look,
								 "SELECT count(*) FROM pg_attribute"
								 " WHERE attrelid = 'kn_step'::regclass AND attname = 'more'"),
					 0);
}
END_TEST

/* By the time that it is stopped it has been done, and its rows are on their way. */
START_TEST(are_told_as_done_or_not_known)
{
	kn_rows *rows = kn_stream(cx,
							  "INSERT INTO kn_step SELECT g, repeat('x', 100) FROM"
							  " generate_series(1, 1000) g RETURNING id, who");
	kn_status status;

	ck_assert_int_eq(kn_next(rows), true);
	kn_cancel(cx);
	while (_i == 0 && kn_next(rows))
		;
	status = kn_done(rows);
	ck_assert_msg(steps() == 0 ? status == KN_CANCELED
							   : status == KN_OK || status == KN_OUTCOME_UNKNOWN,
				  "%s",
				  kn_status_name(status));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, are_not_done_twice, endings);
	tcase_add_test(tcase, are_done_again_if_that_is_said);
	tcase_add_test(tcase, keep_role_and_claims);
	LOOP(tcase, have_no_place_in_a_batch, committing);
	tcase_add_test(tcase, are_not_all_that_is_no_query);
	tcase_add_loop_test(tcase, are_told_as_done_or_not_known, 0, 2);
}

int
main(void)
{
	return suite_run("commits", fill);
}
