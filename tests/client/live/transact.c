/*
 * transact.c
 *		Transactions: committed, rolled back, in time or not, and what they tell afterwards.
 */
#include "transact.h"

/* What a body is to do, and what it has seen. */
typedef struct plan
{
	kn_status returns;
	int runs;
	int committed;
	int rolled_back;
} plan;

static void
count_commit(void *argument)
{
	((plan *) argument)->committed++;
}

static void
count_rollback(void *argument)
{
	((plan *) argument)->rolled_back++;
}

static kn_status
insert_body(kn_ctx *c, void *argument)
{
	plan *p = argument;

	p->runs++;
	ck_assert_int_eq(kn_in_transaction(c), true);
	EXPECT_OK(c, kn_after_commit(c, count_commit, p));
	EXPECT_OK(c, kn_after_rollback(c, count_rollback, p));
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	ck_assert_int_eq(number_of(c, kn_query(c, "SELECT count(*) FROM kn_account")), 3);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	ck_assert_int_eq(p->committed + p->rolled_back, 0);
	return p->returns;
}

START_TEST(commits)
{
	plan p = { .returns = KN_OK };

	EXPECT_OK(cx, kn_transact(cx, insert_body, &p));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 3);
	ck_assert_int_eq(p.committed, 1);
	ck_assert_int_eq(p.rolled_back, 0);
	ck_assert_int_eq(p.runs, 1);
	ck_assert_int_eq(kn_in_transaction(cx), false);
	/* Outside of one it is right away. */
	EXPECT_OK(cx, kn_after_commit(cx, count_commit, &p));
	EXPECT_OK(cx, kn_after_rollback(cx, count_rollback, &p));
	ck_assert_int_eq(p.committed, 2);
	ck_assert_int_eq(p.rolled_back, 0);
}
END_TEST

/* A failure costs no connection: the one that there is goes on, and is in no transaction. */
static void
check_kept(void)
{
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).opened, 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}

START_TEST(rolls_back)
{
	plan p = { .returns = KN_NOT_FOUND };

	EXPECT(cx, kn_transact(cx, insert_body, &p), KN_NOT_FOUND);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	ck_assert_int_eq(p.committed, 0);
	ck_assert_int_eq(p.rolled_back, 1);
	ck_assert_int_eq(p.runs, 1);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_NOT_FOUND);
	check_kept();
}
END_TEST

static kn_status
empty_body(kn_ctx *c, void *argument)
{
	(void) c;
	return *(kn_status *) argument;
}

START_TEST(costs_nothing_without_statements)
{
	kn_status returns = KN_OK;

	EXPECT_OK(cx, kn_transact(cx, empty_body, &returns));
	returns = KN_CONFLICT;
	EXPECT(cx, kn_transact(cx, empty_body, &returns), KN_CONFLICT);
	ck_assert_uint_eq(stats_of(db).acquires, 0);
	EXPECT(cx, kn_transact(cx, NULL, NULL), KN_USAGE);
}
END_TEST

static kn_status
passing_over_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	EXPECT(c, kn_exec(c, "INSERT INTO kn_account VALUES (1, 1)"), KN_DUPLICATE);
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_ABORTED);
	EXPECT(c, kn_done(kn_stream(c, "SELECT 1")), KN_ABORTED);
	return KN_OK;
}

START_TEST(does_not_pass_over_a_failure)
{
	EXPECT(cx, kn_transact(cx, passing_over_body, NULL), KN_DUPLICATE);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_DUPLICATE);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	check_kept();
}
END_TEST

/* Bodies that pass over what had no time, or was cancelled, before any of it was sent. */
static kn_status
careless_body(kn_ctx *c, void *argument)
{
	int kind = *(const int *) argument;

	if ((kind & 1) != 0)
		EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	if ((kind & 2) != 0)
	{
		kn_cancel(c);
		EXPECT(c, kn_exec(c, "INSERT INTO kn_account VALUES (4, 400)"), KN_CANCELED);
		/* What comes after it is not cancelled any more, but is not all. */
		if ((kind & 4) != 0)
			kn_clear(c);
		return KN_OK;
	}
	kn_set_timeout(c, 0);
	EXPECT(c, kn_exec(c, "INSERT INTO kn_account VALUES (4, 400)"), KN_TIMEOUT);
	kn_set_timeout(c, -1);
	return KN_OK;
}

START_TEST(does_not_succeed_without_what_had_no_time)
{
	int kind = _i;

	EXPECT(cx, kn_transact(cx, careless_body, &kind), (kind & 2) != 0 ? KN_CANCELED : KN_TIMEOUT);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
}
END_TEST

static kn_status
inner_body(kn_ctx *c, void *argument)
{
	plan *p = argument;

	EXPECT_OK(c, kn_after_commit(c, count_commit, p));
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (10, 1000)"));
	return kn_exec(c, "INSERT INTO kn_account VALUES ($1, $2)", 1, 7);
}

static kn_status
other_inner_body(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_after_commit(c, count_commit, argument));
	return kn_exec(c, "INSERT INTO kn_account VALUES (11, 1100)");
}

static kn_status
outer_body(kn_ctx *c, void *argument)
{
	plan *p = argument;

	EXPECT(c, kn_transact(c, inner_body, p), KN_DUPLICATE);
	ck_assert_str_eq(kn_last_error(c)->constraint_name, "kn_account_pkey");
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	EXPECT(c, kn_transact(c, inner_body, p), KN_DUPLICATE);
	EXPECT_OK(c, kn_transact(c, other_inner_body, p));
	ck_assert_int_eq(p->committed, 0);
	return KN_OK;
}

START_TEST(has_savepoints)
{
	plan p = { .returns = KN_OK };

	EXPECT_OK(cx, kn_transact(cx, outer_body, &p));
	ck_assert_int_eq(look_number(look, "SELECT sum(id) FROM kn_account"), 1 + 2 + 3 + 11);
	ck_assert_int_eq(p.committed, 1);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
}
END_TEST

static kn_status
level_body(kn_ctx *c, void *argument)
{
	kn_rows *rows = kn_query(c,
							 "SELECT concat_ws(', ', current_setting('transaction_isolation'),"
							 " current_setting('transaction_read_only'),"
							 " current_setting('transaction_deferrable'))");

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_str_eq(kn_get_text(rows, 0), argument);
	return kn_done(rows);
}

static kn_status
writing_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "DELETE FROM kn_account");
}

/* What was on the stack before is not there any more. */
static void
use_stack(void)
{
	volatile char bytes[16384];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = '?';
}

static kn_status
dumping_body(kn_ctx *c, void *argument)
{
	kn_status returns = KN_OK;
	char text[1024];

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	EXPECT_OK(c, kn_transact(c, empty_body, &returns));
	use_stack();
	ck_assert_uint_gt(kn_dump_pool(db, text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, "RELEASE") != NULL, "%s", text);
	return KN_OK;
}

/* Whoever looks at the pool finds the statement that was the last. */
START_TEST(tells_of_savepoints)
{
	EXPECT_OK(cx, kn_transact(cx, dumping_body, NULL));
}
END_TEST

START_TEST(is_isolated_as_asked)
{
	EXPECT_OK(cx, kn_transact(cx, level_body, "read committed, off, off"));
	EXPECT_OK(
		cx,
		kn_transact(cx, level_body, "repeatable read, off, off", .isolation = KN_REPEATABLE_READ));
	EXPECT_OK(cx,
			  kn_transact(cx,
						  level_body,
						  "serializable, on, on",
						  .isolation = KN_SERIALIZABLE,
						  .is_read_only = true,
						  .is_deferrable = true));
	EXPECT_OK(cx,
			  kn_transact(cx,
						  level_body,
						  "serializable, on, off",
						  .isolation = KN_SERIALIZABLE,
						  .is_read_only = true));
}
END_TEST

/* The least of them, too, where it is not the usual one. */
START_TEST(is_isolated_no_more_than_asked)
{
	kn_db *strict;
	kn_ctx *c;

	OPEN(strict,
		 .conninfo = is_pooled() ? "dbname=kn_serializable"
								 : "options='-c default_transaction_isolation=serializable'");
	c = kn_begin(strict);
	EXPECT_OK(c, kn_transact(c, level_body, "serializable, off, off"));
	EXPECT_OK(
		c,
		kn_transact(c, level_body, "read committed, off, off", .isolation = KN_READ_COMMITTED));
	kn_end(c);
	close_even(strict);
}
END_TEST

/* That it cannot write is as it was asked for: no other server, and no other connection, can. */
START_TEST(is_refused_for_good_where_it_is_read_only)
{
	for (int i = 0; i < 5; i++)
	{
		EXPECT(cx, kn_transact(cx, writing_body, NULL, .is_read_only = true), KN_READ_ONLY);
		ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
	ck_assert_uint_eq(stats_of(db).closed_old, 0);
}
END_TEST

/* Nor where the role, or the database, is so; a primary says that it is one. */
START_TEST(is_refused_where_everything_is_read_only)
{
	kn_db *sealed;
	kn_ctx *c;

	OPEN(sealed,
		 .conninfo =
			 is_pooled() ? "dbname=kn_read_only" : "options='-c default_transaction_read_only=on'",
		 .max_connections = 2);
	c = kn_begin(sealed);
	EXPECT(c, kn_exec(c, "DELETE FROM kn_account"), KN_READ_ONLY);
	EXPECT(c, kn_transact(c, writing_body, NULL), KN_READ_ONLY);
	ck_assert_uint_eq(stats_of(sealed).opened, 1);
	ck_assert_uint_eq(stats_of(sealed).closed_old, 0);
	kn_end(c);
	close_even(sealed);
}
END_TEST

static kn_status
deferred_body(kn_ctx *c, void *argument)
{
	plan *p = argument;

	EXPECT_OK(c, kn_after_commit(c, count_commit, p));
	EXPECT_OK(c, kn_after_rollback(c, count_rollback, p));
	EXPECT_OK(c, kn_exec(c, "SET CONSTRAINTS ALL DEFERRED"));
	return kn_exec(c, "UPDATE kn_account SET balance = 5");
}

START_TEST(fails_at_commit)
{
	plan p = { .returns = KN_OK };

	EXPECT(cx, kn_transact(cx, deferred_body, &p), KN_DUPLICATE);
	ck_assert_str_eq(kn_last_error(cx)->constraint_name, "kn_distinct");
	ck_assert_int_eq(p.committed, 0);
	ck_assert_int_eq(p.rolled_back, 1);
	ck_assert_int_eq(look_number(look, "SELECT sum(balance) FROM kn_account"), 300);
}
END_TEST

static kn_status
hanging_body(kn_ctx *c, void *argument)
{
	kn_status status;

	(void) argument;
	status = kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)");
	return status == KN_OK ? kn_exec(c, "SELECT pg_sleep(30)") : status;
}

START_TEST(ends_in_time)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 80);

	EXPECT(hasty, kn_transact(hasty, hanging_body, NULL), KN_TIMEOUT);
	kn_end(hasty);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	ck_assert_int_eq(stats_of(db).busy, 0);
}
END_TEST

/* However long the server takes to end a statement: none of it is over before it began. */
START_TEST(has_all_the_time_to_cancel)
{
	kn_db *patient;
	kn_ctx *hasty;

	OPEN(patient, .cancel_ms = -1);
	hasty = kn_begin(patient, .timeout_ms = 80);
	EXPECT(hasty, kn_exec(hasty, "SELECT pg_sleep(30)"), KN_TIMEOUT);
	EXPECT(hasty, kn_transact(hasty, hanging_body, NULL), KN_TIMEOUT);
	kn_set_timeout(hasty, 80);
	EXPECT(hasty, kn_transact(hasty, hanging_body, NULL), KN_TIMEOUT);
	kn_end(hasty);
	ck_assert_uint_eq(stats_of(patient).closed_broken, 0);
	close_even(patient);
}
END_TEST

static kn_status
fail_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "SELECT 1/0");
}

/* What has failed in a transaction is over with it. */
START_TEST(streams_after_a_failed_transaction)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT(cx, kn_transact(cx, fail_body, NULL), KN_DATA);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	EXPECT_OK(cx, kn_done(kn_stream(cx, "SELECT 1")));
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
read_one_body(kn_ctx *c, void *argument)
{
	kn_rows *rows = kn_stream(c, "SELECT generate_series(1, 1000000000)");

	(void) argument;
	ck_assert(kn_next(rows));
	return KN_DATA;
}

static kn_status
read_one_within_body(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	return kn_transact(c, read_one_body, argument);
}

/* Rows that nobody has read to their end are not worth reading where all of it is undone. */
START_TEST(does_not_read_on_to_roll_back)
{
	kn_body_fn *body = _i == 0 ? read_one_body : read_one_within_body;
	kn_db *own;
	kn_ctx *c;

	OPEN(own, .max_connections = 1);
	c = kn_begin(own);
	EXPECT(c, kn_transact(c, body, NULL), KN_DATA);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	kn_end(c);
	close_even(own);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, streams_after_a_failed_transaction);
	tcase_add_test(tcase, commits);
	tcase_add_test(tcase, rolls_back);
	tcase_add_test(tcase, costs_nothing_without_statements);
	tcase_add_test(tcase, does_not_pass_over_a_failure);
	tcase_add_loop_test(tcase, does_not_read_on_to_roll_back, 0, 2);
	tcase_add_loop_test(tcase, does_not_succeed_without_what_had_no_time, 0, 8);
	tcase_add_test(tcase, has_savepoints);
	tcase_add_test(tcase, tells_of_savepoints);
	tcase_add_test(tcase, is_isolated_as_asked);
	tcase_add_test(tcase, is_isolated_no_more_than_asked);
	tcase_add_test(tcase, is_refused_for_good_where_it_is_read_only);
	tcase_add_test(tcase, is_refused_where_everything_is_read_only);
	tcase_add_test(tcase, fails_at_commit);
	tcase_add_test(tcase, ends_in_time);
	tcase_add_test(tcase, has_all_the_time_to_cancel);
}

int
main(void)
{
	return suite_run("transact", fill);
}
