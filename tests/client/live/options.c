/*
 * options.c
 *		What is configured is done: each with another number than the usual one.
 */
#include "live.h"

#define A_CENTURY_MS INT64_C(3153600000000)
#define DRAWS        30

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_conflict() RETURNS int LANGUAGE plpgsql AS $$BEGIN"
			" RAISE EXCEPTION USING ERRCODE = '40001'; END$$");
}

static void
tear_down(void)
{
	PQfinish(look);
}

START_TEST(statement_ms_is_the_deadline_of_who_states_none)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .statement_ms = 60);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(30)"), KN_TIMEOUT);
	kn_end(cx);
	/* Whoever states one, or that there is none, has that. */
	cx = kn_begin(db, .timeout_ms = -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0.1)"));
	kn_end(cx);
	cx = kn_begin(db, .timeout_ms = 60000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0.1)"));
	kn_end(cx);
	close_even(db);
}
END_TEST

/* The n-th use is told of what the session has prepared by then, itself with it. */
START_TEST(prepare_after_is_the_number_of_uses_before)
{
	static const char count[] = "SELECT count(*) FROM pg_prepared_statements WHERE name ~ '^kn_'";
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .prepare_after = 4);
	cx = kn_begin(db);
	for (int use = 1; use <= 7; use++)
		ck_assert_int_eq(number_of(cx, kn_query(cx, count)), use > 4 && !is_pooled() ? 1 : 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Longer than all that may be kept, one is never prepared. */
START_TEST(statement_cache_bytes_is_how_long_they_may_be)
{
	static const char count[] =
		"SELECT count(*) FROM pg_prepared_statements"
		" WHERE name ~ '^kn_' AND length(statement) > 1024 -- ";
	kn_db *db;
	kn_ctx *cx;
	char sql[1100];

	memset(sql, 'x', sizeof(sql));
	memcpy(sql, count, sizeof(count) - 1);
	sql[_i == 0 ? 1024 : 1025] = '\0';
	OPEN(db, .max_connections = 1, .statement_cache_bytes = _i == 2 ? 1025 : 1024);
	cx = kn_begin(db);
	for (int use = 1; use <= 4; use++)
		ck_assert_int_eq(number_of(cx, kn_query_values(cx, sql, NULL, 0, NULL)),
						 use > 1 && _i == 2 && !is_pooled() ? 1 : 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

typedef struct holder
{
	kn_db *db;
	kn_rows *rows;
} holder;

/* Gives back what it has only once the handle is being closed. */
static void *
end_while_it_is_closed(void *argument)
{
	holder *h = argument;
	kn_ctx *cx = kn_begin(h->db, .timeout_ms = 60000);
	kn_status status;

	while (kn_exec(cx, "SELECT 1") != KN_CLOSED)
		;
	PQfinish(look_open());
	status = kn_done(h->rows);
	kn_end(cx);
	return status == KN_OK ? NULL : argument;
}

START_TEST(drain_ms_is_what_closing_waits)
{
	holder h;
	kn_ctx *cx;
	pthread_t thread;
	void *result;

	OPEN(h.db, .max_connections = 2, .drain_ms = 60000);
	cx = kn_begin(h.db);
	h.rows = kn_stream(cx, "SELECT generate_series(1, 3)");
	ck_assert_int_eq(pthread_create(&thread, NULL, end_while_it_is_closed, &h), 0);
	ck_assert_int_eq(kn_close(h.db, -1), KN_OK);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
	kn_end(cx);
}
END_TEST

static int64_t
milliseconds(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The usual time is 5000. */
START_TEST(drain_ms_is_all_that_closing_waits)
{
	int64_t begun;
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	kn_status status;

	OPEN(db, .max_connections = 1, .drain_ms = 1);
	cx = kn_begin(db);
	rows = kn_stream(cx, "SELECT generate_series(1, 3)");
	begun = milliseconds();
	ck_assert_int_eq(kn_close(db, -1), KN_TIMEOUT);
	ck_assert_int_lt(milliseconds() - begun, 4000);
	/* Its rows may all have been there by then. */
	status = kn_done(rows);
	ck_assert(status == KN_OK || status == KN_CANCELED);
	kn_end(cx);
}
END_TEST

/* The usual time is 1000: what takes longer to end is waited for, and its connection is kept. */
START_TEST(cancel_ms_is_how_long_the_end_may_take)
{
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	kn_status status;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_slow_end() RETURNS int LANGUAGE plpgsql AS $$"
			"DECLARE done timestamptz = clock_timestamp() + '2 s'; BEGIN"
			" WHILE clock_timestamp() < done LOOP"
			"  BEGIN PERFORM pg_sleep(0.05); EXCEPTION WHEN query_canceled THEN END;"
			" END LOOP; RETURN 1; END$$");
	OPEN(db, .max_connections = 1, .cancel_ms = 60000, .stable_functions = "kn_slow_end");
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	if (_i == 0)
	{
		kn_set_timeout(cx, 60);
		status = kn_exec(cx, "SELECT kn_slow_end()");
		ck_assert(status == KN_OK || status == KN_TIMEOUT);
	}
	else
	{
		rows = kn_stream(cx,
						 "SELECT CASE WHEN g = 3000 THEN kn_slow_end() ELSE g END"
						 " FROM generate_series(1, 3000) g");
		ck_assert_int_eq(kn_next(rows), true);
		status = kn_done(rows);
		ck_assert_int_eq(status, KN_OK);
	}
	kn_end(cx);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	ck_assert_int_eq(stats_of(db).lingering, 0);
	ck_assert_int_eq(stats_of(db).idle, 1);
	close_even(db);
}
END_TEST

/* What pauses are told of; that of the last attempt that is to be told is not waited for. */
typedef struct pauses
{
	kn_ctx *cx;
	bool waits;
	int count;
	int64_t longest;
} pauses;

static void
note_pause(void *user, const kn_event *event)
{
	pauses *p = user;

	p->count++;
	if (event->pause_ns > p->longest)
		p->longest = event->pause_ns;
	if (!p->waits)
		kn_cancel(p->cx);
}

static const char conflict[] = "SELECT kn_conflict()";

START_TEST(retry_base_ms_is_the_longest_first_pause)
{
	const int64_t base_ms = _i == 0 ? 1 : A_CENTURY_MS / 10;
	pauses p = { .waits = false };
	const kn_hooks hooks = { .size = sizeof(hooks), .user = &p, .retry = note_pause };
	kn_db *db;

	OPEN(db,
		 .max_connections = 1,
		 .retry_base_ms = base_ms,
		 .retry_cap_ms = A_CENTURY_MS,
		 .retry_budget_percent = 1000,
		 .stable_functions = "kn_conflict",
		 .hooks = &hooks);
	p.cx = kn_begin(db);
	for (int i = 0; i < DRAWS; i++)
	{
		EXPECT(p.cx, kn_exec_values(p.cx, conflict, NULL, 0, NULL, NULL), KN_CANCELED);
		kn_clear(p.cx);
	}
	ck_assert_int_eq(p.count, DRAWS);
	ck_assert_int_le(p.longest, base_ms * 1000000);
	/* None of so many is beyond the middle: that happens to nobody. */
	ck_assert_int_gt(p.longest, base_ms * 500000);
	kn_end(p.cx);
	close_even(db);
}
END_TEST

START_TEST(retry_cap_ms_is_the_longest_pause_of_all)
{
	pauses p = { .waits = true };
	const kn_hooks hooks = { .size = sizeof(hooks), .user = &p, .retry = note_pause };
	kn_db *db;

	OPEN(db,
		 .max_connections = 1,
		 .retry_attempts = DRAWS + 1,
		 .retry_base_ms = 1,
		 .retry_cap_ms = 2,
		 .retry_budget_percent = 1000,
		 .stable_functions = "kn_conflict",
		 .hooks = &hooks);
	p.cx = kn_begin(db);
	while (p.count < DRAWS)
		EXPECT(p.cx, kn_exec_values(p.cx, conflict, NULL, 0, NULL, NULL), KN_SERIALIZATION);
	ck_assert_int_le(p.longest, 2000000);
	/* The first is no longer than the base, and those after it are. */
	ck_assert_int_gt(p.longest, 1000000);
	kn_end(p.cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, statement_ms_is_the_deadline_of_who_states_none);
	tcase_add_test(tcase, prepare_after_is_the_number_of_uses_before);
	tcase_add_loop_test(tcase, statement_cache_bytes_is_how_long_they_may_be, 0, 3);
	tcase_add_test(tcase, drain_ms_is_what_closing_waits);
	tcase_add_test(tcase, drain_ms_is_all_that_closing_waits);
	tcase_add_loop_test(tcase, cancel_ms_is_how_long_the_end_may_take, 0, 2);
	tcase_add_loop_test(tcase, retry_base_ms_is_the_longest_first_pause, 0, 2);
	tcase_add_test(tcase, retry_cap_ms_is_the_longest_pause_of_all);
}

int
main(void)
{
	return suite_run("options", fill);
}
