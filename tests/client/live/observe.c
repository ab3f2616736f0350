/*
 * observe.c
 *		What is told, and to whom.
 */
#include "notes.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_told CASCADE;"
			"CREATE TABLE kn_told (id int PRIMARY KEY, mail text UNIQUE NOT NULL, n int,"
			" CONSTRAINT kn_few CHECK (n < 10));"
			"INSERT INTO kn_told VALUES (1, 's3cret', 1)");
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

START_TEST(tells_all_of_a_query)
{
	const kn_options options = { .size = sizeof(options), .name = "user.find" };
	const kn_value values[] = { kn_v(1) };
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	const note *n;
	int line;

	OPEN(db, .conninfo = "dbname=postgres", .name = "shop", .hooks = &all);
	line = __LINE__ + 1;
	cx = kn_begin(db, .actor = "ada", .trace_id = "t-17");
	rows = kn_query_values(cx,
						   "SELECT pg_backend_pid(), mail FROM kn_told WHERE id >= $1",
						   values,
						   1,
						   &options);
	ck_assert_int_eq(kn_next(rows), true);
	n = told(KN_EVENT_QUERY, "");
	if (!is_pooled())
		ck_assert_int_eq(n->pid, kn_get_i32(rows, 0));
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(n->status, KN_OK);
	ck_assert_str_eq(n->error, "");
	ck_assert_str_eq(n->operation, "SELECT");
	ck_assert_str_eq(n->summary, "user.find");
	ck_assert_str_eq(n->sql, "SELECT pg_backend_pid(), mail FROM kn_told WHERE id >= $1");
	ck_assert_str_eq(n->trace, "t-17");
	ck_assert_str_eq(n->actor, "ada");
	ck_assert_str_eq(n->db_name, "shop");
	ck_assert_str_eq(n->database, "postgres");
	ck_assert_ptr_nonnull(strstr(n->file, "observe.c"));
	ck_assert_int_eq(n->line, line);
	ck_assert_int_eq(n->rows, 1);
	ck_assert_int_eq(n->attempts, 1);
	ck_assert_int_eq(n->batch_size, -1);
	ck_assert_int_eq(n->parameters, -1);
	ck_assert_int_gt(n->duration_ns, 0);
	forget();
	EXPECT_OK(cx, kn_exec(cx, "UPDATE kn_told SET n = $1", 3));
	ck_assert_int_eq(told(KN_EVENT_QUERY, "")->affected, 1);
	EXPECT(cx, kn_exec(cx, "INSERT INTO kn_told VALUES (1, 'x', 1)"), KN_DUPLICATE);
	n = told(KN_EVENT_QUERY, "");
	ck_assert_int_eq(n->status, KN_DUPLICATE);
	ck_assert_str_eq(n->error, "KN_DUPLICATE");
	ck_assert_str_eq(n->sqlstate, "23505");
	ck_assert_str_eq(n->trace, "t-17");
	ck_assert_ptr_nonnull(strstr(n->message, "kn_told_pkey"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
write_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "UPDATE kn_told SET n = n + 1");
}

static kn_status
failing_body(kn_ctx *cx, void *argument)
{
	(void) write_body(cx, argument);
	return KN_CONFLICT;
}

/* Writes, and only those, with who did them, and whether they are in force. */
START_TEST(audits_writes)
{
	kn_db *db;
	kn_ctx *cx;
	const note *n;

	OPEN(db, .hooks = &all);
	cx = kn_begin(db, .actor = "ada");
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 0);
	EXPECT_OK(cx, kn_exec(cx, "UPDATE kn_told SET n = 2"));
	n = told(KN_EVENT_AUDIT, "committed");
	ck_assert_str_eq(n->operation, "UPDATE");
	ck_assert_str_eq(n->actor, "ada");
	forget();
	EXPECT(cx, kn_exec(cx, "UPDATE kn_told SET n = 20"), KN_CHECK);
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "failed")->status, KN_CHECK);
	forget();
	EXPECT_OK(cx, kn_transact(cx, write_body, NULL));
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "pending")->operation, "UPDATE");
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "committed")->operation, "COMMIT");
	forget();
	EXPECT(cx, kn_transact(cx, failing_body, NULL), KN_CONFLICT);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "pending")->operation, "UPDATE");
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "failed")->operation, "ROLLBACK");
	ck_assert_ptr_null(find(KN_EVENT_AUDIT, "committed"));
	kn_end(cx);
	close_even(db);
}
END_TEST

/* The time is that until the last row, and not that until the first. */
START_TEST(a_query_is_slow_until_its_last_row)
{
	static const char slow_end[] =
		"SELECT g, CASE WHEN g = 3000 THEN pg_sleep(0.12) END"
		" FROM generate_series(1, 3000) g";
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	int seen = 0;

	OPEN(db, .hooks = &all, .slow_ms = 110);
	cx = kn_begin(db);
	rows = kn_stream(cx, slow_end);
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_ptr_null(find(KN_EVENT_QUERY, ""));
	do
		seen++;
	while (kn_next(rows));
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(seen, 3000);
	ck_assert_int_ge(told(KN_EVENT_SLOW_QUERY, "")->duration_ns, 120000000);
	ck_assert_int_eq(told(KN_EVENT_SLOW_QUERY, "")->rows, 3000);
	forget();
	EXPECT_OK(cx, kn_done(kn_query(cx, slow_end)));
	ck_assert_int_ge(told(KN_EVENT_SLOW_QUERY, "")->duration_ns, 120000000);
	ck_assert_str_eq(told(KN_EVENT_SLOW_QUERY, "")->sql,
					 "SELECT g, CASE WHEN g = ? THEN pg_sleep(?) END"
					 " FROM generate_series(?, ?) g");
	kn_end(cx);
	close_even(db);
	forget();
	OPEN(db, .hooks = &all, .slow_ms = 3600000);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_ptr_nonnull(find(KN_EVENT_QUERY, ""));
	ck_assert_ptr_null(find(KN_EVENT_SLOW_QUERY, ""));
	kn_end(cx);
	close_even(db);
}
END_TEST

/* To connect may take longer than callers have patience. */
static void
serve(kn_ctx *cx)
{
	while (kn_exec(cx, "SELECT 1") != KN_OK)
		;
}

START_TEST(tells_of_connections)
{
	kn_db *db;
	kn_ctx *holder;
	kn_ctx *cx;
	kn_rows *rows;
	const note *n;
	int64_t pid;

	OPEN(db, .hooks = &all, .max_connections = 1, .acquire_ms = 20, .leak_ms = 30);
	holder = kn_begin(db);
	cx = kn_begin(db);
	serve(holder);
	n = told(KN_EVENT_POOL, "opened");
	pid = n->pid;
	/* A pooler makes numbers up, and some of them are negative. */
	ck_assert_int_ne(pid, 0);
	ck_assert_int_gt(n->duration_ns, 0);
	forget();
	rows = kn_stream(holder, "SELECT 's3cret' FROM generate_series(1, 3)");
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_POOL_TIMEOUT);
	n = told(KN_EVENT_POOL, "wait_failed");
	ck_assert_int_eq(n->status, KN_POOL_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(n->message, "1 of 1 are in use"));
	ck_assert_ptr_nonnull(strstr(n->reason, "observe.c:"));
	ck_assert_int_ge(n->duration_ns, 20000000);
	ck_assert_ptr_nonnull(strstr(n->file, "observe.c"));
	n = await(KN_EVENT_POOL, "leaked");
	ck_assert_str_eq(n->sql, "SELECT ? FROM generate_series(?, ?)");
	ck_assert_int_ge(n->duration_ns, 30000000);
	EXPECT_OK(holder, kn_done(rows));
	EXPECT_OK(cx, kn_exec(cx, "DO $$BEGIN PERFORM pg_advisory_lock(5); END$$"));
	n = told(KN_EVENT_POOL, "closed");
	ck_assert_str_eq(n->reason, "broken");
	ck_assert_int_eq(n->pid, pid);
	serve(cx);
	kn_reset_pool(db);
	serve(cx);
	ck_assert_str_eq(told(KN_EVENT_POOL, "closed")->reason, "reset");
	kn_end(cx);
	kn_end(holder);
	close_even(db);
	ck_assert_str_eq(told(KN_EVENT_POOL, "closed")->reason, "drained");
}
END_TEST

/* Who waits for slow_ms is told of, though he gets one. */
static void *
end_when_somebody_waits(void *argument)
{
	kn_rows *rows = argument;
	kn_status status;

	(void) PQfinish(look_open());
	status = kn_done(rows);
	return status == KN_OK ? NULL : argument;
}

START_TEST(tells_of_slow_waits)
{
	kn_db *db;
	kn_ctx *holder;
	kn_ctx *cx;
	kn_rows *rows;
	pthread_t thread;
	void *result;

	OPEN(db, .hooks = &all, .max_connections = 1, .slow_ms = 1);
	holder = kn_begin(db);
	cx = kn_begin(db);
	rows = kn_stream(holder, "SELECT g FROM generate_series(1, 3) g");
	while (find(KN_EVENT_POOL, "waited") == NULL)
	{
		/* It begins while the one is out, and so has to wait as long as a session takes to open. */
		ck_assert_int_eq(pthread_create(&thread, NULL, end_when_somebody_waits, rows), 0);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		ck_assert_int_eq(pthread_join(thread, &result), 0);
		ck_assert_ptr_null(result);
		rows = kn_stream(holder, "SELECT g FROM generate_series(1, 3) g");
	}
	ck_assert_int_ge(told(KN_EVENT_POOL, "waited")->duration_ns, 1000000);
	EXPECT_OK(holder, kn_done(rows));
	kn_end(cx);
	kn_end(holder);
	close_even(db);
}
END_TEST

START_TEST(tells_of_repeats)
{
	kn_db *db;
	kn_ctx *cx;
	const note *n;

	OPEN(db,
		 .conninfo = "application_name=kn_observe",
		 .stable_functions = "kn_end_once",
		 .hooks = &all,
		 .retry_base_ms = 1);
	cx = kn_begin(db, .trace_id = "t-1");
	EXPECT_OK(
		cx,
		kn_done(kn_query(
			cx,
			"SELECT CASE WHEN (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kn_observe')"
			" > 0 THEN 1 END")));
	forget();
	/* The first time it ends its own session. */
	look_do(look,
			"DROP SEQUENCE IF EXISTS kn_times; CREATE SEQUENCE kn_times;"
			"CREATE OR REPLACE FUNCTION kn_end_once() RETURNS bool LANGUAGE sql AS $$"
			" SELECT CASE WHEN nextval('kn_times') = 1 THEN pg_terminate_backend(pg_backend_pid())"
			" END$$");
	EXPECT_OK(cx, kn_done(kn_query(cx, "SELECT kn_end_once()")));
	n = told(KN_EVENT_RETRY, "repeated");
	ck_assert_int_eq(n->attempts, 1);
	ck_assert_int_ge(n->pause_ns, 0);
	ck_assert_str_eq(n->trace, "t-1");
	ck_assert_int_ne(n->status, KN_OK);
	ck_assert_int_eq(told(KN_EVENT_QUERY, "")->attempts, 2);
	ck_assert_uint_eq(stats_of(db).retries, 1);
	kn_end(cx);
	close_even(db);
	look_do(look, "ALTER SEQUENCE kn_times RESTART");
	forget();
	OPEN(db, .stable_functions = "kn_end_once", .hooks = &all, .retry_budget_percent = -1);
	cx = kn_begin(db);
	ck_assert_int_ne(kn_done(kn_query(cx, "SELECT kn_end_once()")), KN_OK);
	ck_assert_int_eq(told(KN_EVENT_RETRY, "denied")->pause_ns, -1);
	ck_assert_uint_eq(stats_of(db).retries_denied, 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

START_TEST(tells_of_the_breaker)
{
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	OPEN(db,
		 .conninfo = "host=/nowhere port=17",
		 .hooks = &all,
		 .acquire_ms = 20,
		 .retry_attempts = 1,
		 .breaker_calls = 2,
		 .breaker_open_ms = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 2; i++)
		EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CONN_LOST);
	ck_assert_str_eq(told(KN_EVENT_BREAKER, "open")->host, "/nowhere");
	ck_assert_int_eq(told(KN_EVENT_BREAKER, "open")->port, 17);
	ck_assert_ptr_null(find(KN_EVENT_BREAKER, "half_open"));
	ck_assert_int_eq(await(KN_EVENT_POOL, "open_failed")->status, KN_CONN_LOST);
	ck_assert_int_eq(told(KN_EVENT_POOL, "wait_failed")->status, KN_CONN_LOST);
	do
	{
		forget();
		status = kn_exec(cx, "SELECT 1");
	} while (status == KN_CIRCUIT_OPEN);
	ck_assert_int_eq(status, KN_CONN_LOST);
	(void) told(KN_EVENT_BREAKER, "half_open");
	kn_end(cx);
	close_even(db);
}
END_TEST

START_TEST(passes_notices_on)
{
	kn_db *db;
	kn_ctx *cx;
	const note *n;

	OPEN(db, .hooks = &all);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "DROP TABLE IF EXISTS kn_there_is_none"));
	n = told(KN_EVENT_NOTICE, "NOTICE");
	ck_assert_ptr_nonnull(strstr(n->message, "kn_there_is_none"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, tells_all_of_a_query);
	tcase_add_test(tcase, audits_writes);
	tcase_add_test(tcase, a_query_is_slow_until_its_last_row);
	tcase_add_test(tcase, tells_of_connections);
	tcase_add_test(tcase, tells_of_slow_waits);
	tcase_add_test(tcase, tells_of_repeats);
	tcase_add_test(tcase, tells_of_the_breaker);
	tcase_add_test(tcase, passes_notices_on);
}

int
main(void)
{
	return suite_run("observe", fill);
}
