/*
 * pool.c
 *		Connections shared by threads: handed out, replaced, reported.
 */
#include "live.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
}

static void
tear_down(void)
{
	PQfinish(look);
}

typedef struct worker
{
	kn_db *db;
	int runs;
	int wrong;
} worker;

static void *
work(void *argument)
{
	worker *w = argument;

	for (int i = 0; i < w->runs; i++)
	{
		kn_ctx *cx = kn_begin(w->db);
		kn_rows *rows = kn_query(cx, "SELECT $1 + 1", i);

		if (!kn_next(rows) || kn_get_i32(rows, 0) != i + 1)
			w->wrong++;
		if (kn_done(rows) != KN_OK)
			w->wrong++;
		kn_end(cx);
	}
	return NULL;
}

START_TEST(serves_many_threads)
{
	worker workers[8];
	pthread_t threads[8];
	kn_db *db;
	kn_stats stats;

	OPEN(db, .max_connections = 3);
	for (int i = 0; i < 8; i++)
	{
		workers[i] = (worker){ db, 100, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 8; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(workers[i].wrong, 0);
	}
	stats = stats_of(db);
	ck_assert_int_le(stats.total, 3);
	ck_assert_uint_eq(stats.acquires, 800);
	ck_assert_uint_eq(stats.queries, 800);
	ck_assert_uint_eq(stats.errors, 0);
	ck_assert_uint_eq(stats.closed_broken, 0);
	ck_assert_int_eq(stats.is_primary, true);
	close_even(db);
}
END_TEST

/* To another caller as to who listens: with values only where all of them are shown. */
START_TEST(tells_who_holds_them)
{
	const char *sql = _i == 1 ? "SELECT 'held' FROM generate_series(1, 3)"
							  : "SELECT ? FROM generate_series(?, ?)";
	kn_db *db;
	kn_ctx *holder;
	kn_ctx *cx;
	kn_rows *rows;
	uint64_t before;
	char text[1024];

	OPEN(db, .max_connections = 1, .acquire_ms = 30, .show_parameters = _i == 1);
	holder = kn_begin(db);
	cx = kn_begin(db);
	/* To connect may take longer than that. */
	while (kn_exec(cx, "SELECT 1") != KN_OK)
		;
	before = stats_of(db).timeouts;
	rows = kn_stream(holder, "SELECT 'held' FROM generate_series(1, 3)");
	ck_assert_uint_gt(kn_dump_pool(db, text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, sql) != NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "pool.c"));
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_POOL_TIMEOUT);
	ck_assert_msg(strstr(kn_last_error(cx)->detail, sql) != NULL,
				  "%s: %s",
				  kn_last_error(cx)->message,
				  kn_last_error(cx)->detail);
	kn_set_timeout(cx, 5);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	EXPECT_OK(holder, kn_done(rows));
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).timeouts, before + 2);
	kn_end(cx);
	kn_end(holder);
	close_even(db);
}
END_TEST

static void
check_dump(const kn_db *db, const char *sql)
{
	char text[1024];

	ck_assert_uint_gt(kn_dump_pool(db, text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, sql) != NULL && strstr(text, "pool.c") != NULL, "%s", text);
}

static void *
sleep_long(void *argument)
{
	kn_ctx *cx = argument;

	return kn_exec(cx, "SELECT pg_sleep(28)") == KN_CANCELED ? cx : NULL;
}

static kn_status
dumping_body(kn_ctx *cx, void *argument)
{
	kn_ctx *other = kn_begin(argument);
	kn_rows *rows;
	kn_copy *copy;

	EXPECT_OK(cx, kn_exec(cx, "SELECT 'first'"));
	check_dump(argument, "idle in transaction: SELECT 'first'");
	rows = kn_stream(cx, "SELECT 'second'");
	check_dump(argument, "active: SELECT 'second'");
	EXPECT_OK(cx, kn_done(rows));
	check_dump(argument, "idle in transaction: SELECT 'second'");
	EXPECT(other, kn_exec(other, "SELECT 1"), KN_POOL_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(kn_last_error(other)->detail, "idle in transaction: SELECT"));
	kn_end(other);
	copy = kn_copy_out(cx, "COPY (SELECT 3) TO STDOUT");
	check_dump(argument, "active: COPY (SELECT 3)");
	EXPECT_OK(cx, kn_copy_end(copy, NULL));
	check_dump(argument, "idle in transaction: COPY (SELECT 3)");
	EXPECT(cx, kn_exec(cx, "SELECT 1 / 0"), KN_DATA);
	check_dump(argument, "in a failed transaction: SELECT 1 / 0");
	return KN_DATA;
}

/* Whether a statement is under way, or a transaction between two of them. */
START_TEST(tells_what_they_do)
{
	kn_db *db;
	kn_ctx *cx;
	pthread_t thread;
	void *result;

	OPEN(db, .max_connections = 1, .acquire_ms = 100, .show_parameters = true);
	cx = kn_begin(db, .timeout_ms = 60000);
	/* To connect may take longer than that. */
	while (kn_exec(cx, "SELECT 1") != KN_OK)
		;
	EXPECT(cx, kn_transact(cx, dumping_body, db), KN_DATA);
	ck_assert_int_eq(pthread_create(&thread, NULL, sleep_long, cx), 0);
	look_await(look,
			   "SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
			   " WHERE wait_event = 'PgSleep' AND query ~ '28'",
			   1);
	check_dump(db, "active: SELECT pg_sleep(28)");
	kn_cancel(cx);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, cx);
	kn_end(cx);
	close_even(db);
}
END_TEST

static void *
wait_in_line(void *argument)
{
	kn_ctx *cx = kn_begin(argument, .timeout_ms = 20000);
	kn_status status = kn_exec(cx, "SELECT 1");

	kn_end(cx);
	return status == KN_OK ? argument : NULL;
}

START_TEST(turns_away_who_is_one_too_many)
{
	kn_db *db;
	kn_ctx *holder;
	kn_ctx *cx;
	kn_rows *rows;
	pthread_t thread;
	void *result;

	OPEN(db, .max_connections = 1, .max_waiters = 1, .acquire_ms = 20000);
	holder = kn_begin(db);
	cx = kn_begin(db);
	rows = kn_stream(holder, "SELECT 1");
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_in_line, db), 0);
	while (stats_of(db).waiting == 0)
		look_do(look, "SELECT 1");
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_POOL_FULL);
	ck_assert_uint_eq(stats_of(db).refused, 1);
	EXPECT_OK(holder, kn_done(rows));
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	kn_end(holder);
	close_even(db);
}
END_TEST

START_TEST(has_as_much_of_each_server)
{
	char place[256];
	const char *const replicas[] = { place, place, NULL };
	kn_stats stats = { .size = sizeof(stats) };
	kn_db *db;

	/* All of them are the one that there is. */
	(void) snprintf(place, sizeof(place), "host=%s", getenv("PGHOST"));
	OPEN(db, .replicas = replicas, .min_connections = 2, .max_connections = 3, .lifetime_ms = 20);
	ck_assert_int_eq(kn_server_count(db), 3);
	for (int i = 0; i < 3; i++)
	{
		while (kn_get_stats(db, i, &stats) == KN_OK && (stats.closed_old < 2 || stats.idle != 2))
			look_do(look, "SELECT pg_sleep(0.002)");
		ck_assert_int_eq(stats.max, 3);
		ck_assert_int_eq(stats.idle, 2);
	}
	ck_assert_int_eq(kn_get_stats(db, 3, &stats), KN_USAGE);
	close_even(db);
}
END_TEST

static const char x_sessions[] =
	"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
	" WHERE application_name = 'kn_pool'";

START_TEST(replaces_what_has_died)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .conninfo = "application_name=kn_pool", .max_connections = 2);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	look_do(
		look,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kn_pool'");
	look_await(look, x_sessions, 0);
	/* Nobody notices. */
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).errors, 0);
	kn_reset_pool(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
}
END_TEST

/*
 * Nobody asks for it meanwhile: it is asked for a word now and then, and missed where it is gone.
 * That a session is gone a pooler would not tell; what leads to the pooler is gone with a KILL.
 */
START_TEST(looks_after_what_nobody_uses)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .conninfo = "application_name=kn_idle", .max_connections = 1, .keepalive_ms = 2);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	look_do(look,
			"CREATE TEMP TABLE kn_seen AS SELECT state_change FROM pg_stat_activity"
			" WHERE application_name = 'kn_idle'");
	look_await(look,
			   "SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity a,"
			   " kn_seen s WHERE application_name = 'kn_idle' AND state = 'idle'"
			   " AND a.state_change > s.state_change",
			   1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	if (is_pooled())
		pooler_do("KILL postgres");
	else
		look_do(look,
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				" WHERE application_name = 'kn_idle'");
	while (stats_of(db).closed_broken == 0)
		look_do(look, "SELECT pg_sleep(0.002)");
	look_await(look,
			   "SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
			   " WHERE application_name = 'kn_idle'",
			   0);
	if (is_pooled())
		pooler_do("RESUME postgres");
	ck_assert_uint_eq(stats_of(db).acquires, 1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
}
END_TEST

START_TEST(tells_that_there_is_no_server)
{
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	OPEN(db, .conninfo = "host=/nowhere", .acquire_ms = 200);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "INSERT INTO t VALUES (1)"), KN_CONN_LOST);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "/nowhere"));
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1")), KN_CONN_LOST);
	kn_end(cx);
	close_even(db);
	OPEN(db, .conninfo = "dbname=kn_no_such_database");
	cx = kn_begin(db);
	status = kn_exec(cx, "SELECT 1");
	/* What a pooler says is not the server's word. */
	ck_assert_int_eq(status, is_pooled() ? KN_CONN_LOST : KN_CONFIG);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "kn_no_such_database"));
	kn_end(cx);
	close_even(db);
}
END_TEST

START_TEST(refuses_a_bad_configuration)
{
	kn_db *db;
	char why[128];

	ck_assert_int_eq(kn_open(&db, why, sizeof(why), .max_connections = -5), KN_CONFIG);
	ck_assert_ptr_null(db);
	ck_assert_ptr_nonnull(strstr(why, "max_connections"));
	ck_assert_int_eq(kn_open(&db, why, sizeof(why), .conninfo = "no_such_option=1"), KN_CONFIG);
	ck_assert_ptr_null(db);
	ck_assert_ptr_nonnull(strstr(why, "no_such_option"));
}
END_TEST

/* The text of a batch is its caller's once it has run, and what is in the arena goes with that. */
static kn_status
hiding_body(kn_ctx *c, void *argument)
{
	static const char own[] = "SELECT 'of the caller'";
	kn_batch *batch = kn_begin_batch(c);
	char text[1024];
	char sql[sizeof(own)];

	memcpy(sql, own, sizeof(own));
	ck_assert_int_eq(kn_add(batch, sql), 0);
	EXPECT_OK(c, kn_run_batch(batch, NULL));
	memset(sql, '?', sizeof(sql) - 1);
	ck_assert_uint_gt(kn_dump_pool(argument, text, sizeof(text)), 0);
	ck_assert_ptr_null(strchr(text, '?'));
	EXPECT_OK(c, kn_exec(c, kn_copy_text(c, (kn_str){ own, sizeof(own) - 1 })));
	kn_clear(c);
	memset(kn_alloc(c, sizeof(own)), '?', sizeof(own));
	ck_assert_uint_gt(kn_dump_pool(argument, text, sizeof(text)), 0);
	ck_assert_ptr_null(strchr(text, '?'));
	return KN_OK;
}

START_TEST(tells_nothing_that_is_the_callers_again)
{
	kn_db *own;
	kn_ctx *c;

	OPEN(own, .max_connections = 1);
	c = kn_begin(own);
	EXPECT_OK(c, kn_transact(c, hiding_body, own));
	kn_end(c);
	close_even(own);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, serves_many_threads);
	tcase_add_loop_test(tcase, tells_who_holds_them, 0, 2);
	tcase_add_test(tcase, tells_what_they_do);
	tcase_add_test(tcase, turns_away_who_is_one_too_many);
	tcase_add_test(tcase, has_as_much_of_each_server);
	tcase_add_test(tcase, replaces_what_has_died);
	tcase_add_test(tcase, looks_after_what_nobody_uses);
	tcase_add_test(tcase, tells_that_there_is_no_server);
	tcase_add_test(tcase, tells_nothing_that_is_the_callers_again);
	tcase_add_test(tcase, refuses_a_bad_configuration);
}

int
main(void)
{
	return suite_run("pool", fill);
}
