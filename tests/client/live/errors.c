/*
 * errors.c
 *		What is told of a failure, and for how long.
 */
#include "one.h"

#include <poll.h>
#include <stdatomic.h>

#define A_CENTURY_MS INT64_C(3153600000000)

static void
set_up(void)
{
	look = look_open();
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_error CASCADE;"
		"CREATE TABLE kn_error (id int PRIMARY KEY, n int NOT NULL CONSTRAINT kn_small CHECK (n < 10));"
		"INSERT INTO kn_error VALUES (1, 1), (2, 2);"
		"DROP SEQUENCE IF EXISTS kn_mails; CREATE SEQUENCE kn_mails;"
		"CREATE OR REPLACE FUNCTION kn_mail(ending text) RETURNS int LANGUAGE plpgsql AS $$BEGIN"
		" PERFORM nextval('kn_mails'); IF ending = '26000' THEN EXECUTE 'EXECUTE kn_not_there'; END IF;"
		" RAISE EXCEPTION USING ERRCODE = ending; END$$");
	OPEN(db, .conninfo = "application_name=kn_errors", .max_connections = 4);
	cx = kn_begin(db);
}

START_TEST(tells_all_fields)
{
	const kn_error *error;

	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_error VALUES ($1, $2)", 3, 33), KN_CHECK);
	error = kn_last_error(cx);
	ck_assert_str_eq(error->schema_name, "public");
	ck_assert_str_eq(error->table_name, "kn_error");
	ck_assert_str_eq(error->constraint_name, "kn_small");
	ck_assert_str_eq(error->sql, "INSERT INTO kn_error VALUES ($1, $2)");
	ck_assert_ptr_nonnull(strstr(error->message, "violates check constraint"));
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_error (id) VALUES (3)"), KN_NOT_NULL);
	ck_assert_str_eq(kn_last_error(cx)->column_name, "n");
	EXPECT(
		cx,
		kn_exec(cx, "DO $$BEGIN RAISE 'm' USING DETAIL = 'd', HINT = 'h', DATATYPE = 't'; END$$"),
		KN_SERVER);
	error = kn_last_error(cx);
	ck_assert_str_eq(error->message, "m");
	ck_assert_str_eq(error->detail, "d");
	ck_assert_str_eq(error->hint, "h");
	ck_assert_str_eq(error->type_name, "t");
	ck_assert_ptr_nonnull(strstr(error->context, "inline_code_block"));
}
END_TEST

static void
check_is_none(const kn_error *error)
{
	const char *const texts[] = { error->message,     error->detail,      error->hint,
								  error->context,     error->schema_name, error->table_name,
								  error->column_name, error->type_name,   error->constraint_name,
								  error->sql };

	ck_assert_int_eq(error->status, KN_OK);
	ck_assert_str_eq(error->sqlstate, "");
	ck_assert_int_eq(error->item, -1);
	ck_assert_int_eq((int) error->row, -1);
	ck_assert_int_eq(error->column, -1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		ck_assert_ptr_nonnull(texts[i]);
		ck_assert_str_eq(texts[i], "");
	}
}

START_TEST(is_forgotten_by_the_next_call)
{
	EXPECT(cx, kn_exec(cx, "SELECT 1/0"), KN_DATA);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	check_is_none(kn_last_error(cx));
}
END_TEST

START_TEST(is_none_at_first)
{
	kn_ctx *fresh = kn_begin(db);

	check_is_none(kn_last_error(fresh));
	EXPECT_OK(fresh, kn_exec(fresh, "SELECT 1"));
	check_is_none(kn_last_error(fresh));
	kn_end(fresh);
}
END_TEST

typedef struct other
{
	int first; /* the row that it locks first */
	int attempts;
	int runs;
	kn_status status;
} other;

static _Atomic(int) holders;

static kn_status
lock_body(kn_ctx *c, void *argument)
{
	other *o = argument;

	o->runs++;
	EXPECT_OK(c, kn_exec(c, "UPDATE kn_error SET n = n WHERE id = $1", o->first));
	/* Each has one of them before either goes for the other. */
	if (o->runs == 1)
		atomic_fetch_add(&holders, 1);
	while (o->runs == 1 && atomic_load(&holders) < 2)
		(void) poll(NULL, 0, 1);
	return kn_exec(c, "UPDATE kn_error SET n = n WHERE id = $1", 3 - o->first);
}

static void *
lock(void *argument)
{
	other *o = argument;
	kn_ctx *c = kn_begin(db, .timeout_ms = 20000);

	o->status = kn_transact(c, lock_body, o, .attempts = o->attempts);
	if (o->status == KN_DEADLOCK && strcmp(kn_last_error(c)->sqlstate, "40P01") != 0)
		o->status = KN_INTERNAL;
	kn_end(c);
	return NULL;
}

/* Who has to give way is told so, or runs again, once the other is done. */
START_TEST(breaks_a_deadlock)
{
	other others[2] = { { 1, 1 + _i, 0, KN_OK }, { 2, 1 + _i, 0, KN_OK } };
	pthread_t threads[2];
	int broken = 0;

	atomic_store(&holders, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, lock, &others[i]), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < 2; i++)
	{
		broken += others[i].status == KN_DEADLOCK;
		ck_assert_msg(others[i].status == KN_OK || others[i].status == KN_DEADLOCK,
					  "%s",
					  kn_status_name(others[i].status));
	}
	ck_assert_int_eq(broken, _i == 0 ? 1 : 0);
	ck_assert_int_eq(others[0].runs + others[1].runs, 2 + _i);
	ck_assert_uint_eq(stats_of(db).retries, _i);
}
END_TEST

/* Outside of a transaction as well: nothing of the statement is left. */
START_TEST(repeats_what_was_undone)
{
	static const char *const conflicts[] = { "SELECT kn_mail('40001')", "SELECT kn_mail('40P01')" };

	EXPECT(cx,
		   kn_exec_values(cx, conflicts[_i], NULL, 0, NULL, NULL),
		   _i == 0 ? KN_SERIALIZATION : KN_DEADLOCK);
	ck_assert_int_eq(kn_last_error(cx)->attempts, 3);
	ck_assert_uint_eq(stats_of(db).retries, 2);
}
END_TEST

/* An attempt that is told to come, nobody waits for. */
static void
do_without(void *user, const kn_event *event)
{
	(void) event;
	kn_cancel(*(kn_ctx **) user);
}

static kn_status
conflict_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "SELECT kn_mail('40001')");
}

/* The pause would be longer than the time there is: so the failure is told now, and not then. */
START_TEST(is_not_tried_again_past_the_deadline)
{
	kn_ctx *c = NULL;
	const kn_hooks hooks = { .size = sizeof(hooks), .user = &c, .retry = do_without };
	kn_db *slow;

	OPEN(slow,
		 .max_connections = 1,
		 .retry_base_ms = A_CENTURY_MS,
		 .retry_cap_ms = A_CENTURY_MS,
		 .hooks = &hooks);
	c = kn_begin(slow, .timeout_ms = 60000);
	if (_i == 0)
		EXPECT(c, conflict_body(c, NULL), KN_SERIALIZATION);
	else if (_i == 1)
		EXPECT(c, kn_transact(c, conflict_body, NULL), KN_SERIALIZATION);
	else
		EXPECT(c, kn_done(kn_stream(c, "SELECT kn_mail('40001')")), KN_SERIALIZATION);
	ck_assert_int_eq(kn_last_error(c)->attempts, 1);
	/* Nobody was told of one, and so nothing was cancelled. */
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	ck_assert_uint_eq(stats_of(slow).retries, 0);
	kn_end(c);
	close_even(slow);
}
END_TEST

static kn_status
impatient_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "SET LOCAL lock_timeout = '10ms'"));
	return kn_exec(c, "LOCK TABLE kn_error");
}

START_TEST(does_not_get_a_lock)
{
	look_do(look, "BEGIN; LOCK TABLE kn_error");
	EXPECT(cx, kn_transact(cx, impatient_body, NULL), KN_LOCK_TIMEOUT);
	EXPECT(cx, kn_transact(cx, impatient_body, NULL), KN_LOCK_TIMEOUT);
	look_do(look, "ROLLBACK");
	EXPECT(cx,
		   kn_exec(cx, "SELECT 1 FROM kn_error, pg_cancel_backend(pg_backend_pid())"),
		   KN_CANCELED);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, "57014");
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* What a statement or its values are to blame for, and not the server. */
static const struct
{
	const char *sql;
	kn_status status;
} own_faults[] = {
	{ "INSERT INTO kn_error VALUES (1, 1)", KN_DUPLICATE },
	{ "INSERT INTO kn_error VALUES (3, 33)", KN_CHECK },
	{ "INSERT INTO kn_error (id) VALUES (3)", KN_NOT_NULL },
	{ "SELECT 1/0", KN_DATA },
	{ "SELEC", KN_SCHEMA },
	{ "SELECT * FROM nowhere", KN_SCHEMA },
	{ "SELECT 1 FROM kn_error, pg_cancel_backend(pg_backend_pid())", KN_CANCELED },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = 'P0001'; END$$", KN_SERVER },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END$$", KN_SERIALIZATION },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '42501'; END$$", KN_AUTH },
	{ "SELECT pg_stat_file('kn_no_file')", KN_SERVER },
	{ "SELECT pg_database_size('kn_no_database')", KN_SCHEMA },
	/* A function's own words, such as of another server that it has asked. */
	{ "SELECT kn_mail('08001')", KN_SERVER },
	{ "SELECT kn_mail('08006')", KN_SERVER },
	{ "SELECT kn_mail('25P03')", KN_SERVER },
	{ "SELECT kn_mail('40003')", KN_SERVER },
	{ "SELECT kn_mail('53200')", KN_UNAVAILABLE },
	{ "SELECT kn_mail('53400')", KN_SERVER },
	{ "SELECT kn_mail('57P01')", KN_SERVER },
	{ "SELECT kn_mail('57P03')", KN_SERVER },
	{ "SELECT kn_mail('57P04')", KN_SERVER },
	{ "SELECT kn_mail('58030')", KN_UNAVAILABLE },
};

/* A server that refuses what is wrong is in the best of health; one with a full disk is not. */
START_TEST(is_no_fault_of_the_servers)
{
	size_t count = sizeof(own_faults) / sizeof(own_faults[0]);
	kn_db *wary;
	kn_ctx *c;

	OPEN(wary,
		 .max_connections = 2,
		 .retry_attempts = 1,
		 .breaker_calls = 5,
		 .breaker_failure_percent = 1,
		 .breaker_open_ms = 3600000);
	c = kn_begin(wary);
	for (size_t i = 0; i < 3 * count; i++)
		EXPECT(c,
			   kn_exec_values(c, own_faults[i % count].sql, NULL, 0, NULL, NULL),
			   own_faults[i % count].status);
	ck_assert_int_eq(number_of(c, kn_query(c, "SELECT count(*) FROM kn_error WHERE id = 77")), 0);
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_CLOSED);
	ck_assert_uint_eq(stats_of(wary).errors, 3 * count);
	ck_assert_uint_eq(stats_of(wary).queries, 3 * count + 1);
	EXPECT(c,
		   kn_exec(c, "COPY (SELECT generate_series(1, 100000)) TO '/dev/full'"),
		   KN_UNAVAILABLE);
	ck_assert_str_eq(kn_last_error(c)->sqlstate, "53100");
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_OPEN);
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_CIRCUIT_OPEN);
	kn_end(c);
	close_even(wary);
}
END_TEST

static const char *const mails[] = { "SELECT kn_mail('53200')",
									 "INSERT INTO kn_error SELECT kn_mail('53300'), 1",
									 "SELECT kn_mail('58030')",
									 "SELECT kn_mail('57P01')",
									 "SELECT kn_mail('08006')",
									 /* A name that it has not found is none of the library's. */
									 "SELECT kn_mail('26000')" };

static kn_status
mail_body(kn_ctx *c, void *argument)
{
	return kn_exec_values(c, *(const char *const *) argument, NULL, 0, NULL, NULL);
}

/* What a function does besides is not undone with its statement, and nobody knows what it does. */
START_TEST(is_no_reason_to_call_a_function_again)
{
	const char *sql = mails[_i / 2];

	/* Prepared as well. */
	for (int i = 1; i <= 3; i++)
	{
		kn_status status = _i % 2 == 0 ? kn_exec_values(cx, sql, NULL, 0, NULL, NULL)
									   : kn_transact(cx, mail_body, (void *) (uintptr_t) &sql);

		ck_assert_msg(status == KN_SERVER || status == KN_UNAVAILABLE,
					  "%s",
					  kn_status_name(status));
		ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
		ck_assert_int_eq(look_number(look, "SELECT last_value FROM kn_mails WHERE is_called"), i);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* But who says that it may happen twice has it so. */
START_TEST(is_a_reason_where_that_is_said)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };

	EXPECT(cx, kn_exec_values(cx, mails[0], NULL, 0, &says, NULL), KN_UNAVAILABLE);
	ck_assert_int_gt(kn_last_error(cx)->attempts, 1);
	ck_assert_int_eq(look_number(look, "SELECT last_value FROM kn_mails WHERE is_called"),
					 kn_last_error(cx)->attempts);
}
END_TEST

/* A clock that the program's own work makes go faster. */
static int64_t
read_work(void *user)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return *(_Atomic(int64_t) *) user + (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

typedef struct labour
{
	_Atomic(int64_t) done;
	bool at_the_server;
} labour;

static kn_status
labour_body(kn_ctx *c, void *argument)
{
	labour *l = argument;
	kn_status status = kn_exec(c, l->at_the_server ? "SELECT pg_sleep(0.03)" : "SELECT 1");
	kn_rows *rows;

	if (status != KN_OK)
		return status;
	l->done += l->at_the_server ? 0 : 1000000000;
	rows = kn_stream(c, "SELECT generate_series(1, 3)");
	while (kn_next(rows))
		l->done += l->at_the_server ? 0 : 1000000000;
	return kn_done(rows);
}

/* How slow the program is, the server has nothing to do with. */
START_TEST(is_not_slow_for_the_program_is)
{
	labour l = { .at_the_server = (_i & 1) != 0 };
	const kn_clock clock = { .monotonic = read_work, .user = &l.done };
	kn_status status = KN_OK;
	kn_db *wary;
	kn_ctx *c;

	OPEN(wary,
		 .max_connections = 1,
		 .lifetime_ms = -1,
		 .idle_ms = -1,
		 .acquire_ms = -1,
		 .breaker_calls = 4,
		 .breaker_window = 1000,
		 .breaker_slow_ms = l.at_the_server ? 20 : 500,
		 .breaker_slow_percent = 50,
		 .clock = &clock);
	c = kn_begin(wary);
	for (int i = 0; i < 10 && status == KN_OK; i++)
		status = (_i & 2) != 0 ? labour_body(c, &l) : kn_transact(c, labour_body, &l);
	ck_assert_int_eq(status, l.at_the_server && (_i & 2) == 0 ? KN_CIRCUIT_OPEN : KN_OK);
	kn_end(c);
	close_even(wary);
}
END_TEST

/* Who was let through to see whether the server is well again, and does not come back. */
START_TEST(lets_another_in_for_a_lost_probe)
{
	_Atomic(int64_t) later = 0;
	const kn_clock clock = { .monotonic = read_work, .user = &later };
	kn_rows *rows;
	kn_db *wary;
	kn_ctx *probe;
	kn_ctx *c;

	OPEN(wary,
		 .max_connections = 2,
		 .lifetime_ms = -1,
		 .idle_ms = -1,
		 .acquire_ms = -1,
		 .retry_attempts = 1,
		 .breaker_calls = 1,
		 .breaker_failure_percent = 1,
		 .breaker_open_ms = 3600000,
		 .breaker_probes = 1,
		 .clock = &clock);
	probe = kn_begin(wary);
	c = kn_begin(wary);
	EXPECT(c,
		   kn_exec(c, "COPY (SELECT generate_series(1, 100000)) TO '/dev/full'"),
		   KN_UNAVAILABLE);
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_CIRCUIT_OPEN);
	later += INT64_C(3600000000000);
	rows = kn_stream(probe, "SELECT generate_series(1, 3)");
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_HALF_OPEN);
	EXPECT(c, kn_exec(c, "SELECT 1"), KN_CIRCUIT_OPEN);
	ck_assert_uint_eq(stats_of(wary).breaker_refused, 2);
	ck_assert_uint_eq(stats_of(wary).breaker_opened, 1);
	later += INT64_C(10000000000);
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	ck_assert_int_eq(stats_of(wary).breaker, KN_BREAKER_CLOSED);
	EXPECT_OK(probe, kn_done(rows));
	kn_end(probe);
	kn_end(c);
	close_even(wary);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, tells_all_fields);
	tcase_add_test(tcase, is_forgotten_by_the_next_call);
	tcase_add_test(tcase, is_none_at_first);
	tcase_add_loop_test(tcase, breaks_a_deadlock, 0, 2);
	tcase_add_loop_test(tcase, repeats_what_was_undone, 0, 2);
	tcase_add_loop_test(tcase, is_not_tried_again_past_the_deadline, 0, 3);
	tcase_add_test(tcase, does_not_get_a_lock);
	tcase_add_test(tcase, is_no_fault_of_the_servers);
	tcase_add_loop_test(tcase,
						is_no_reason_to_call_a_function_again,
						0,
						2 * (int) (sizeof(mails) / sizeof(mails[0])));
	tcase_add_test(tcase, is_a_reason_where_that_is_said);
	tcase_add_loop_test(tcase, is_not_slow_for_the_program_is, 0, 3);
	tcase_add_test(tcase, lets_another_in_for_a_lost_probe);
}

int
main(void)
{
	return suite_run("errors", fill);
}
