/*
 * context.c
 *		Requests: who asks, cancelled or in time, and what they leave behind.
 */
#include "live.h"

#include <sys/wait.h>
#include <unistd.h>

static PGconn *look;
static kn_db *db;

static void
set_up(void)
{
	look = look_open();
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_row CASCADE;"
		"DO $$BEGIN CREATE ROLE kn_tenant; EXCEPTION WHEN duplicate_object THEN END$$;"
		"CREATE TABLE kn_row (tenant text, id int);"
		"INSERT INTO kn_row SELECT t, g FROM unnest('{a,b}'::text[]) t, generate_series(1, 5) g;"
		"ALTER TABLE kn_row ENABLE ROW LEVEL SECURITY;"
		"CREATE POLICY kn_own ON kn_row USING (tenant = current_setting('app.tenant', true));"
		"GRANT SELECT, INSERT ON kn_row TO kn_tenant");
	OPEN(db, .conninfo = "application_name=kn_context", .max_connections = 1, .cancel_ms = 20000);
}

static void
tear_down(void)
{
	close_even(db);
	PQfinish(look);
}

static const char x_count[] = "SELECT count(*) FROM kn_row";
static const char x_series[] = "SELECT count(*) FROM generate_series(1, $1)";

static kn_status
count_body(kn_ctx *cx, void *argument)
{
	*(int64_t *) argument = number_of(cx, kn_query(cx, x_count));
	return KN_OK;
}

static kn_status
one_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "SELECT 1");
}

START_TEST(acts_as_somebody)
{
	const char *const claims[] = { "app.tenant", "a", NULL };
	const char *const broken[] = { "app.tenant", "a", "app.other", NULL };
	kn_ctx *nobody = kn_begin(db);
	kn_ctx *tenant = kn_begin(db, .role = "kn_tenant", .claims = claims);
	kn_ctx *odd = kn_begin(db, .role = "kn_tenant", .claims = broken);
	int64_t count;

	for (int i = 0; i < 4; i++)
	{
		ck_assert_int_eq(number_of(tenant, kn_query(tenant, x_count)), 5);
		ck_assert_int_eq(number_of(nobody, kn_query(nobody, x_count)), 10);
		EXPECT_OK(tenant, kn_transact(tenant, count_body, &count));
		ck_assert_int_eq(count, 5);
		EXPECT(tenant, kn_exec(tenant, "INSERT INTO kn_row VALUES ('b', 1)"), KN_AUTH);
		EXPECT(tenant, kn_exec(tenant, "DELETE FROM kn_row"), KN_AUTH);
		ck_assert_int_eq(
			number_of(
				nobody,
				kn_query(
					nobody,
					"SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolname = session_user AND coalesce(current_setting('app.tenant', true), '') = ''")),
			1);
	}
	/* Claims that cannot be understood let nobody in. */
	EXPECT(odd, kn_exec(odd, "SELECT 1"), KN_USAGE);
	ck_assert_str_eq(kn_last_error(odd)->message, "claim \"app.other\" has no value");
	kn_end(odd);
	odd = kn_begin(db, .role = "kn_nobody_is_called_so");
	EXPECT(odd, kn_transact(odd, one_body, NULL), KN_AUTH);
	EXPECT(odd, kn_done(kn_query(odd, x_count)), KN_AUTH);
	EXPECT(odd, kn_exec(odd, "SELECT 1"), KN_AUTH);
	ck_assert_ptr_nonnull(strstr(kn_last_error(odd)->message, "kn_nobody_is_called_so"));
	ck_assert_str_eq(kn_last_error(odd)->sqlstate, "22023");
	ck_assert_int_eq(kn_last_error(odd)->item, -1);
	kn_end(odd);
	kn_end(tenant);
	kn_end(nobody);
}
END_TEST

/* Programs that were built with a header that has fewer fields, or more, or that forget to say. */
START_TEST(heeds_sizes)
{
	struct
	{
		kn_request request;
		int more;
	} longer = { .request = { .size = sizeof(longer), .role = "kn_tenant" } };
	kn_request shorter = { .size = offsetof(kn_request, role), .role = "kn_nobody" };
	kn_options options = { .size = offsetof(kn_options, cache_key), .cache_key = (char *) 1 };
	kn_transaction transaction = { .isolation = KN_SERIALIZABLE };
	kn_ctx *cx = kn_begin_request(db, &longer.request);

	ck_assert_int_eq(number_of(cx, kn_query(cx, x_count)), 0);
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, x_count, NULL, 0, &options)), 0);
	options.size = 0;
	EXPECT(cx, kn_exec_values(cx, "SELECT 1", NULL, 0, &options, NULL), KN_USAGE);
	EXPECT(cx, kn_done(kn_stream_values(cx, "SELECT 1", NULL, 0, &options)), KN_USAGE);
	EXPECT(cx, kn_transact_options(cx, one_body, NULL, &transaction), KN_USAGE);
	transaction.size = offsetof(kn_transaction, isolation);
	EXPECT_OK(cx, kn_transact_options(cx, one_body, NULL, &transaction));
	kn_end(cx);
	longer.more = 1;
	cx = kn_begin_request(db, &longer.request);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_USAGE);
	kn_end(cx);
	cx = kn_begin_request(db, &shorter);
	ck_assert_int_eq(number_of(cx, kn_query(cx, x_count)), 10);
	kn_end(cx);
	shorter.size = 0;
	cx = kn_begin_request(db, &shorter);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_USAGE);
	ck_assert_str_eq(kn_last_error(cx)->message, "the size of a struct is not filled in");
	kn_end(cx);
}
END_TEST

/* The schema is the role's alone, so nobody else could describe a statement with it. */
START_TEST(sees_what_the_role_sees)
{
	kn_ctx *cx = kn_begin(db, .role = "kn_tenant");

	look_do(
		look,
		"DROP SCHEMA IF EXISTS kn_theirs CASCADE; CREATE SCHEMA kn_theirs AUTHORIZATION kn_tenant;"
		"CREATE TABLE kn_theirs.t AS SELECT 7 AS a; ALTER TABLE kn_theirs.t OWNER TO kn_tenant");
	ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT a FROM kn_theirs.t")), 7);
	kn_end(cx);
}
END_TEST

typedef struct canceller
{
	kn_ctx *cx;
	PGconn *look;
} canceller;

static void *
cancel_when_it_runs(void *argument)
{
	canceller *c = argument;

	look_await(
		c->look,
		"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity WHERE wait_event = 'PgSleep' AND query ~ '29'",
		1);
	kn_cancel(c->cx);
	return NULL;
}

START_TEST(is_cancelled)
{
	kn_ctx *cx = kn_begin(db);
	canceller c = { cx, look };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_when_it_runs, &c), 0);
	EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(29)"), KN_CANCELED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_CANCELED);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CANCELED);
	kn_clear(cx);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void *
cancel_blindly(void *argument)
{
	canceller *c = argument;

	kn_cancel(c->cx);
	return NULL;
}

/* A cancel that comes too late hits nothing, not the next statement, nor the connection. */
START_TEST(is_cancelled_too_late)
{
	for (int i = 0; i < 150; i++)
	{
		kn_ctx *cx = kn_begin(db);
		kn_ctx *next = kn_begin(db);
		canceller c = { cx, look };
		pthread_t thread;

		/* Half of them have ended by then, and may not be told of it. */
		if (i % 2 == 0)
			EXPECT_OK(cx, kn_exec(cx, x_series, (i % 20) * 20));
		ck_assert_int_eq(pthread_create(&thread, NULL, cancel_blindly, &c), 0);
		if (i % 2 == 1 && kn_exec(cx, x_series, (i % 20) * 20) != KN_OK)
			ck_assert_int_eq(kn_last_error(cx)->status, KN_CANCELED);
		for (int j = 0; j < 3; j++)
			EXPECT_OK(next, kn_exec(next, x_series, 2000));
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		kn_end(next);
		kn_end(cx);
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
}
END_TEST

static void *
wait_for_connection(void *argument)
{
	canceller *c = argument;

	while (stats_of(db).waiting == 0)
		look_do(c->look, "SELECT 1");
	kn_cancel(c->cx);
	return NULL;
}

/* A request may come before the statement has begun, or else hit nothing: another one does. */
START_TEST(is_cancelled_more_than_once)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 100);
	uint64_t closed = stats_of(db).closed_broken;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_stubborn() RETURNS int LANGUAGE plpgsql AS $$BEGIN"
			" PERFORM pg_sleep(3600);"
			" EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(3600); END$$");
	EXPECT(cx, kn_exec(cx, "SELECT kn_stubborn()"), KN_TIMEOUT);
	kn_end(cx);
	ck_assert_uint_eq(stats_of(db).closed_broken, closed);
	look_await(look,
			   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE state = 'active' AND query LIKE '%stubborn()'",
			   0);
}
END_TEST

START_TEST(is_cancelled_while_it_waits)
{
	kn_ctx *holder = kn_begin(db);
	kn_ctx *cx = kn_begin(db);
	kn_rows *rows = kn_stream(holder, "SELECT generate_series(1, 10)");
	canceller c = { cx, look };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_connection, &c), 0);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CANCELED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	EXPECT_OK(holder, kn_done(rows));
	kn_set_timeout(cx, 0);
	kn_clear(cx);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	kn_end(cx);
	kn_end(holder);
}
END_TEST

/* What outlives a transaction is not handed to the next: the connection is closed. */
static const char *const leftovers[] = {
	"CREATE TEMP TABLE kn_temp (a int)",
	"SELECT pg_advisory_lock(17)",
	"SELECT pg_try_advisory_lock(17)",
	"SELECT set_config('app.x', 'y', false)",
	"DO $$BEGIN PERFORM set_config('app.x', 'y', false); END$$",
	"SELECT pg_advisory_lock(17), 1 / (SELECT count(*) FROM kn_row WHERE tenant = 'c')",
	"DECLARE c CURSOR WITH HOLD FOR SELECT 1",
};

static const char own_locks[] =
	"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 17";

static kn_status
leave_body(kn_ctx *cx, void *argument)
{
	return kn_exec_values(cx, argument, NULL, 0, NULL, NULL);
}

/* What others would find in a session that is a pooler's is not done in it. */
static void
check_that_it_is_refused(kn_ctx *cx, const char *sql)
{
	kn_batch *batch = kn_begin_batch(cx);

	EXPECT(cx, kn_exec_values(cx, sql, NULL, 0, NULL, NULL), KN_USAGE);
	EXPECT(cx, kn_done(kn_stream_values(cx, sql, NULL, 0, NULL)), KN_USAGE);
	EXPECT(cx, kn_transact(cx, leave_body, (void *) (uintptr_t) sql), KN_USAGE);
	(void) kn_add(batch, "SELECT 1");
	(void) kn_add_values(batch, sql, NULL, 0);
	EXPECT(cx, kn_run_batch(batch, NULL), KN_USAGE);
	ck_assert_int_eq(kn_last_error(cx)->item, 1);
	ck_assert_str_eq(kn_last_error(cx)->sql, sql);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_int_eq(look_number(look, own_locks), 0);
}

static kn_status
temporary_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	EXPECT_OK(cx, kn_exec(cx, "SELECT set_config('app.x', 'y', true), pg_advisory_xact_lock(17)"));
	EXPECT_OK(cx, kn_exec(cx, "CREATE TEMP TABLE kn_temp (a int) ON COMMIT DROP"));
	return kn_exec(cx, "INSERT INTO kn_temp VALUES (1)");
}

/* What ends with the transaction may be done anywhere. */
START_TEST(may_leave_what_ends_with_its_transaction)
{
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_transact(cx, temporary_body, NULL));
	ck_assert_int_eq(look_number(look, own_locks), 0);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM pg_class WHERE relname = 'kn_temp'"),
					 0);
	kn_end(cx);
}
END_TEST

START_TEST(leaves_nothing_behind)
{
	kn_ctx *cx = kn_begin(db);

	if (is_pooled() && strncmp(leftovers[_i], "DO", 2) != 0)
	{
		check_that_it_is_refused(cx, leftovers[_i]);
		kn_end(cx);
		return;
	}
	/* A pooler keeps the server's session, whatever becomes of ours. */
	for (int streams = 0; streams < (is_pooled() ? 1 : 2); streams++)
	{
		uint64_t before = stats_of(db).closed_broken;
		kn_status status;

		if (streams == 0)
			status = kn_exec_values(cx, leftovers[_i], NULL, 0, NULL, NULL);
		else
			status = kn_done(kn_stream_values(cx, leftovers[_i], NULL, 0, NULL));
		ck_assert_int_eq(status, strstr(leftovers[_i], "1 /") != NULL ? KN_DATA : KN_OK);
		ck_assert_uint_eq(stats_of(db).closed_broken, before + 1);
	}
	if (is_pooled())
	{
		look_do(
			look,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kn_context'");
		look_await(
			look,
			"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity WHERE application_name = 'kn_context'",
			0);
	}
	else
	{
		look_await(look,
				   "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 17",
				   0);
		ck_assert_int_eq(
			number_of(
				cx,
				kn_query(
					cx,
					"SELECT count(*) FROM pg_class WHERE relname = 'kn_temp' AND pg_table_is_visible(oid)")),
			0);
	}
	kn_end(cx);
}
END_TEST

/* The child gives the number of the check that fails. */
static int
check_child(kn_ctx *cx, kn_ctx *busy, kn_rows *rows)
{
	kn_ctx *own = kn_begin(db);

	if (kn_exec(cx, "SELECT 1") != KN_FORKED || kn_last_error(cx)->status != KN_FORKED)
		return 1;
	if (kn_exec(own, "SELECT 1") != KN_FORKED)
		return 2;
	while (kn_next(rows))
		;
	if (kn_done(rows) != KN_FORKED)
		return 3;
	kn_cancel(busy);
	kn_end(own);
	kn_end(busy);
	kn_end(cx);
	return kn_close(db, 0) == KN_OK ? 0 : 4;
}

START_TEST(is_the_parents_own)
{
	kn_ctx *cx = kn_begin(db);
	kn_ctx *busy = kn_begin(db);
	kn_rows *rows;
	int64_t sum = 0;
	pid_t child;
	int result;

	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	rows = kn_stream(busy, "SELECT generate_series(1, 50000)");
	ck_assert_int_eq(kn_next(rows), true);
	child = fork();
	if (child == 0)
		_exit(check_child(cx, busy, rows));
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert_int_eq(result, 0);
	/* Nothing has happened to what the parent was at. */
	do
		sum += kn_get_i64(rows, 0);
	while (kn_next(rows));
	EXPECT_OK(busy, kn_done(rows));
	ck_assert_int_eq(sum, 1250025000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(busy);
	kn_end(cx);
}
END_TEST

static kn_status
forking_body(kn_ctx *cx, void *argument)
{
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_row VALUES ('f', 1)"));
	*(pid_t *) argument = fork();
	return KN_OK;
}

START_TEST(is_the_parents_own_in_a_transaction)
{
	kn_ctx *cx = kn_begin(db);
	pid_t child = -1;
	kn_status status = kn_transact(cx, forking_body, &child);
	int result;

	if (child == 0)
		kn_end(cx);
	if (child == 0)
		_exit(status == KN_FORKED && kn_close(db, 0) == KN_OK ? 0 : 1);
	EXPECT_OK(cx, status);
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_row WHERE tenant = 'f'"), 1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
}
END_TEST

START_TEST(keeps_what_it_is_given)
{
	kn_ctx *cx = kn_begin(db, .actor = "ada", .trace_id = "1");
	char *copy = kn_copy_text(cx, (kn_str){ "text", 4 });
	char *zeroed = kn_alloc(cx, 100);

	ck_assert_str_eq(copy, "text");
	ck_assert_int_eq(zeroed[99], 0);
	ck_assert_ptr_null(kn_alloc(NULL, 1));
	ck_assert_int_eq(kn_last_error(NULL)->status, KN_NO_MEMORY);
	ck_assert_int_eq(kn_exec(kn_begin(NULL), "SELECT 1"), KN_NO_MEMORY);
	kn_end(NULL);
	kn_clear(NULL);
	kn_cancel(NULL);
	kn_end(cx);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, acts_as_somebody);
	tcase_add_test(tcase, heeds_sizes);
	tcase_add_test(tcase, sees_what_the_role_sees);
	tcase_add_test(tcase, is_cancelled);
	tcase_add_test(tcase, is_cancelled_too_late);
	tcase_add_test(tcase, is_cancelled_more_than_once);
	tcase_add_test(tcase, is_cancelled_while_it_waits);
	LOOP(tcase, leaves_nothing_behind, leftovers);
	tcase_add_test(tcase, may_leave_what_ends_with_its_transaction);
	QUICK_ONLY(tcase, is_the_parents_own, LEAVES_MEMORY);
	QUICK_ONLY(tcase, is_the_parents_own_in_a_transaction, LEAVES_MEMORY);
	tcase_add_test(tcase, keeps_what_it_is_given);
}

int
main(void)
{
	return suite_run("context", fill);
}
