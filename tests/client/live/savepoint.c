/*
 * savepoint.c
 *		Transactions within transactions.
 */
#include "one.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_account CASCADE;"
			"CREATE TABLE kn_account (id int PRIMARY KEY, balance int NOT NULL);"
			"INSERT INTO kn_account VALUES (1, 100), (2, 200)");
	OPEN(db, .max_connections = 2);
	cx = kn_begin(db);
}

static kn_status
failing_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "INSERT INTO kn_account VALUES (1, 1)");
}

static kn_status
insert_or_skip_body(kn_ctx *c, void *argument)
{
	(void) argument;
	for (int i = 0; i < 100; i++)
		EXPECT(c, kn_transact(c, failing_body, NULL), KN_DUPLICATE);
	/* Each level of the server's has one of these. */
	ck_assert_int_le(number_of(c,
							   kn_query(c,
										"SELECT count(*) FROM pg_backend_memory_contexts"
										" WHERE name = 'CurTransactionContext'")),
					 5);
	return KN_OK;
}

START_TEST(leaves_no_savepoint_behind)
{
	EXPECT_OK(cx, kn_transact(cx, insert_or_skip_body, NULL));
}
END_TEST

typedef struct nesting
{
	kn_transaction outer;
	kn_transaction inner;
	const char *refused; /* the option; NULL: none */
} nesting;

#define OF(said)                             \
	{                                        \
		.size = sizeof(kn_transaction), said \
	}

static const nesting nestings[] = {
	{ OF(.isolation = KN_SERIALIZABLE), OF(.attempts = 0), NULL },
	{ OF(.isolation = KN_SERIALIZABLE), OF(.isolation = KN_SERIALIZABLE), NULL },
	{ OF(.isolation = KN_SERIALIZABLE), OF(.isolation = KN_READ_COMMITTED), "isolation" },
	{ OF(.attempts = 0), OF(.isolation = KN_READ_COMMITTED), "isolation" },
	{ OF(.is_read_only = true), OF(.is_read_only = true), NULL },
	{ OF(.is_read_only = true), OF(.attempts = 0), NULL },
	{ OF(.attempts = 0), OF(.is_read_only = true), "is_read_only" },
	{ OF(.is_read_only = true), OF(.is_deferrable = true), "is_deferrable" },
	{ OF(.attempts = 5), OF(.attempts = 5), NULL },
	{ OF(.attempts = 5), OF(.attempts = 1), NULL },
	{ OF(.attempts = 5), OF(.attempts = 4), "attempts" },
};

static kn_status
one_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "SELECT 1");
}

static kn_status
nesting_body(kn_ctx *c, void *argument)
{
	const nesting *n = argument;
	char quoted[40];

	EXPECT(c,
		   kn_transact_options(c, one_body, NULL, &n->inner),
		   n->refused == NULL ? KN_OK : KN_USAGE);
	if (n->refused == NULL)
		return KN_OK;
	(void) snprintf(quoted, sizeof(quoted), "\"%s\"", n->refused);
	ck_assert_ptr_nonnull(strstr(kn_last_error(c)->message, quoted));
	/* Nothing has happened, and the outer one goes on. */
	return kn_exec(c, "SELECT 1");
}

START_TEST(is_within_what_it_is_in)
{
	nesting n = nestings[_i];

	EXPECT_OK(cx, kn_transact_options(cx, nesting_body, &n, &n.outer));
}
END_TEST

static kn_status
late_body(kn_ctx *c, void *argument)
{
	const kn_status *returned = argument;

	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	kn_set_timeout(c, 0);
	return *returned;
}

/* The end of a savepoint was not sent, and then there is time again. */
static kn_status
patient_body(kn_ctx *c, void *argument)
{
	EXPECT(c, kn_transact(c, late_body, argument), KN_TIMEOUT);
	ck_assert_int_eq(kn_last_error(c)->status, KN_TIMEOUT);
	kn_set_timeout(c, 20000);
	/* The transaction is past use, whoever goes on with it, and says why. */
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_ABORTED);
	ck_assert_ptr_nonnull(strstr(kn_last_error(c)->message, kn_status_name(KN_TIMEOUT)));
	return KN_OK;
}

/* What it ends with: KN_CONFLICT is the body's own, which has had no error. */
static const kn_status late[] = { KN_TIMEOUT, KN_OK, KN_CONFLICT };

START_TEST(does_not_keep_half_a_savepoint)
{
	kn_status returned = late[_i];

	EXPECT(cx, kn_transact(cx, patient_body, &returned), KN_TIMEOUT);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 2);
	ck_assert_int_eq(stats_of(db).busy, 0);
}
END_TEST

static kn_status
skipping_body(kn_ctx *c, void *argument)
{
	const int *id = argument;
	kn_rows *rows = kn_stream(c, "SELECT g FROM generate_series(1, 100) g WHERE $1 > 0", *id);

	ck_assert_int_eq(kn_next(rows), true);
	return *id == 3 ? KN_CONFLICT : kn_done(rows);
}

static kn_status
looping_body(kn_ctx *c, void *argument)
{
	int *handled = argument;
	kn_rows *rows = kn_query(c, "SELECT generate_series(1, 10)");

	while (kn_next(rows))
	{
		int id = kn_get_i32(rows, 0);

		EXPECT(c, kn_transact(c, skipping_body, &id), id == 3 ? KN_CONFLICT : KN_OK);
		(*handled)++;
	}
	return kn_done(rows);
}

START_TEST(ends_no_rows_of_others)
{
	int handled = 0;

	EXPECT_OK(cx, kn_transact(cx, looping_body, &handled));
	ck_assert_int_eq(handled, 10);
}
END_TEST

/* The first time its connection is ended right behind its error. */
static kn_status
dying_body(kn_ctx *c, void *argument)
{
	const int *runs = argument;

	if (*runs > 1)
		return kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)");
	return kn_exec(c,
				   "SELECT 1 / CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN 0 ELSE 1 END");
}

static kn_status
forgiving_body(kn_ctx *c, void *argument)
{
	int *runs = argument;

	(*runs)++;
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	EXPECT(c, kn_transact(c, dying_body, runs), *runs > 1 ? KN_OK : KN_CONN_LOST);
	return *runs > 1 ? KN_OK : KN_CONN_LOST;
}

START_TEST(is_lost_with_its_connection)
{
	int runs = 0;

	EXPECT_OK(cx, kn_transact(cx, forgiving_body, &runs));
	ck_assert_int_eq(runs, 2);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 3);
}
END_TEST

static kn_status
tardy_body(kn_ctx *c, void *argument)
{
	(void) argument;
	kn_set_timeout(c, 60);
	EXPECT(c, kn_exec(c, "SELECT pg_sleep(60)"), KN_TIMEOUT);
	kn_set_timeout(c, -1);
	return KN_TIMEOUT;
}

/* Works on for longer than the server may take to end what is late. */
static kn_status
lasting_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT(c, kn_transact(c, tardy_body, NULL), KN_TIMEOUT);
	EXPECT_OK(c, kn_exec(c, "SELECT pg_sleep(2.2)"));
	return KN_CONFLICT;
}

/* The time for what was late is over, and not that for what comes after it. */
START_TEST(is_rolled_back_in_a_time_of_its_own)
{
	kn_db *hasty;
	kn_ctx *c;

	OPEN(hasty, .max_connections = 1, .cancel_ms = 2000);
	c = kn_begin(hasty);
	ck_assert_int_eq(kn_transact(c, lasting_body, NULL, .attempts = 1), KN_CONFLICT);
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	ck_assert_uint_eq(stats_of(hasty).closed_broken, 0);
	kn_end(c);
	close_even(hasty);
}
END_TEST

/* Statements that the server passes over, and so does not prepare, and the cache lets go of. */
static kn_status
failing_batch(kn_ctx *c, void *argument)
{
	kn_batch *batch = kn_begin_batch(c);
	char sql[8][40];

	(void) argument;
	ck_assert_int_eq(kn_add(batch, "SELECT 1/0"), 0);
	for (int i = 0; i < COUNT(sql); i++)
	{
		(void) snprintf(sql[i], sizeof(sql[i]), "SELECT 'kn_let_go', %d", i);
		for (int j = 0; j < 2; j++)
			ck_assert_int_ge(kn_add(batch, sql[i]), 0);
	}
	return kn_run_batch(batch, NULL);
}

static kn_status
around_failing_batch(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_exec(c, "SELECT 'kn_around'"));
	EXPECT(c, kn_transact(c, failing_batch, argument), KN_DATA);
	EXPECT_OK(c, kn_exec(c, "SELECT 'kn_around'"));
	return KN_OK;
}

/* What was never prepared is not to be closed: that would be the end of the transaction. */
START_TEST(goes_on_after_what_was_passed_over)
{
	kn_db *own;
	kn_ctx *c;

	OPEN(own,
		 .conninfo = sessions(),
		 .pgbouncer = sessions_mode(),
		 .max_connections = 1,
		 .statement_cache = 1);
	c = kn_begin(own);
	for (int i = 0; i < 3; i++)
		EXPECT_OK(c, kn_transact(c, around_failing_batch, NULL));
	kn_end(c);
	close_even(own);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, does_not_keep_half_a_savepoint, late);
	tcase_add_test(tcase, leaves_no_savepoint_behind);
	tcase_add_test(tcase, ends_no_rows_of_others);
	tcase_add_test(tcase, is_lost_with_its_connection);
	tcase_add_test(tcase, goes_on_after_what_was_passed_over);
	tcase_add_test(tcase, is_rolled_back_in_a_time_of_its_own);
	LOOP(tcase, is_within_what_it_is_in, nestings);
}

int
main(void)
{
	return suite_run("savepoint", fill);
}
