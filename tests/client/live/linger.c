/*
 * linger.c
 *		Statements that go on at the server though their connection has been given up.
 */
#include "gate.h"

#include <signal.h>

#define SLOWNESS_MS 3000 /* of the machine */
#define CANCEL_MS   1000 /* the server is to hear of it by then */

static const char x_end_deaf[] =
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT kn_deaf()'";

static PGconn *look;

/* What a test that has failed has left at work is nobody else's affair. */
static void
set_up(void)
{
	look = look_open();
	look_do(look, x_end_deaf);
}

static void
tear_down(void)
{
	PQfinish(look);
}

static pid_t
stop_session(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, "SELECT pg_backend_pid()");
	pid_t pid;

	ck_assert_int_eq(kn_next(rows), true);
	pid = kn_get_i32(rows, 0);
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	return pid;
}

static kn_status
stopped_body(kn_ctx *cx, void *argument)
{
	*(pid_t *) argument = stop_session(cx);
	kn_set_timeout(cx, 50);
	return kn_exec(cx, "SELECT 2");
}

/* The server's process has not even read what it is to do: it will, though nobody listens. */
START_TEST(is_at_work_before_it_has_begun)
{
	kn_ctx *cx;
	kn_db *db;
	pid_t pid;

	OPEN(db, .max_connections = 1, .breaker_failure_percent = -1, .cancel_ms = CANCEL_MS);
	cx = kn_begin(db);
	pid = stop_session(cx);
	kn_set_timeout(cx, 50);
	EXPECT(cx, kn_exec(cx, "SELECT 2"), KN_TIMEOUT);
	ck_assert_int_eq(stats_of(db).lingering, 1);
	kn_set_timeout(cx, 200);
	EXPECT(cx, kn_exec(cx, "SELECT 3"), KN_TIMEOUT);
	ck_assert_int_eq(stats_of(db).lingering, 1);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 4"));
	ck_assert_int_eq(stats_of(db).lingering, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* In a transaction, too; and there it is the same session behind a pooler, but nobody's here. */
START_TEST(is_at_work_in_a_transaction)
{
	kn_ctx *cx;
	kn_db *db;
	pid_t pid = 0;

	OPEN(db, .max_connections = 1, .breaker_failure_percent = -1, .cancel_ms = CANCEL_MS);
	cx = kn_begin(db);
	EXPECT(cx, kn_transact(cx, stopped_body, &pid), KN_TIMEOUT);
	ck_assert_int_eq(stats_of(db).lingering, is_pooled() ? 0 : 1);
	kn_set_timeout(cx, is_pooled() ? -1 : 200);
	EXPECT(cx, kn_exec(cx, "SELECT 3"), is_pooled() ? KN_OK : KN_TIMEOUT);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 4"));
	ck_assert_int_eq(stats_of(db).lingering, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static const char x_deaf[] =
	"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
	" WHERE query = 'SELECT kn_deaf()' AND state = 'active'";

static const char x_make_deaf[] =
	"CREATE OR REPLACE FUNCTION kn_deaf() RETURNS void LANGUAGE plpgsql AS $$"
	" BEGIN LOOP BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END;"
	" END LOOP; END $$";

/* What ends what cannot be cancelled. */
static void
end_deaf(void)
{
	look_do(look, x_end_deaf);
	look_await(look, x_deaf, 0);
	look_do(look, "DROP FUNCTION kn_deaf()");
}

/* What cannot be cancelled goes on at the server, and is not joined by more and more of it. */
START_TEST(is_not_given_more_to_do)
{
	kn_ctx *cx;
	kn_db *db;

	look_do(look, x_make_deaf);
	OPEN(db,
		 .max_connections = 2,
		 .breaker_failure_percent = -1,
		 .cancel_ms = CANCEL_MS,
		 .stable_functions = "kn_deaf");
	for (int i = 0; i < 10; i++)
	{
		cx = kn_begin(db, .timeout_ms = 100);
		EXPECT(cx, kn_exec(cx, "SELECT kn_deaf()"), KN_TIMEOUT);
		kn_end(cx);
	}
	ck_assert_int_eq(look_number(look, x_deaf), 2);
	ck_assert_int_eq(stats_of(db).total, 0);
	ck_assert_int_eq(stats_of(db).lingering, 2);
	/* Who waits for one is told what it is that takes so long. */
	cx = kn_begin(db, .timeout_ms = 50);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	ck_assert_msg(strstr(kn_last_error(cx)->detail, "has not ended 2 statements") != NULL,
				  "%s",
				  kn_last_error(cx)->detail);
	kn_set_timeout(cx, -1);
	end_deaf();
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	while (stats_of(db).lingering > 0)
		(void) poll(NULL, 0, 2);
	close_even(db);
}
END_TEST

/*
 * Of a pooler's sessions nobody knows here which are still at work: another is there at once, and
 * nothing keeps them from becoming more, for the pooler forgets those whose client is gone.
 */
START_TEST(is_replaced_behind_a_pooler)
{
	kn_ctx *cx;
	kn_db *db;

	look_do(look, x_make_deaf);
	OPEN(db,
		 .max_connections = 2,
		 .breaker_failure_percent = -1,
		 .cancel_ms = CANCEL_MS,
		 .stable_functions = "kn_deaf");
	cx = kn_begin(db);
	for (int i = 0; i < 4; i++)
	{
		kn_set_timeout(cx, 500); /* enough for it to begin */
		EXPECT(cx, kn_exec(cx, "SELECT kn_deaf()"), KN_TIMEOUT);
		kn_set_timeout(cx, -1);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		ck_assert_int_eq(look_number(look, x_deaf), i + 1);
		ck_assert_int_eq(stats_of(db).lingering, 0);
	}
	kn_end(cx);
	end_deaf();
	close_even(db);
}
END_TEST

/* A server that looks whether somebody listens ends it, and be it a pooler that does not. */
START_TEST(ends_where_the_server_looks)
{
	kn_ctx *cx;
	kn_db *db;

	look_do(look, x_make_deaf);
	look_do(look, "ALTER DATABASE postgres SET client_connection_check_interval = '20ms'");
	if (is_pooled())
		pooler_do("RECONNECT postgres");
	OPEN(db, .max_connections = 1, .cancel_ms = CANCEL_MS, .stable_functions = "kn_deaf");
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_set_timeout(cx, 100);
	EXPECT(cx, kn_exec(cx, "SELECT kn_deaf()"), KN_TIMEOUT);
	look_await(look, x_deaf, 0);
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
	look_do(look, "ALTER DATABASE postgres RESET client_connection_check_interval");
	if (is_pooled())
		pooler_do("RECONNECT postgres");
	end_deaf();
}
END_TEST

/* The handle does not wait for it either. */
START_TEST(is_closed_with_what_does_not_end)
{
	int64_t begun;
	kn_ctx *cx;
	kn_db *db;

	look_do(look, x_make_deaf);
	OPEN(db, .max_connections = 1, .cancel_ms = CANCEL_MS, .stable_functions = "kn_deaf");
	cx = kn_begin(db, .timeout_ms = 5000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_set_timeout(cx, 50);
	EXPECT(cx, kn_exec(cx, "SELECT kn_deaf()"), KN_TIMEOUT);
	kn_end(cx);
	ck_assert_int_eq(look_number(look, x_deaf), 1);
	ck_assert_int_eq(stats_of(db).lingering, is_pooled() ? 0 : 1);
	begun = gate_now();
	close_even(db);
	ck_assert_int_lt((int) (gate_now() - begun), SLOWNESS_MS);
	end_deaf();
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	DIRECT_ONLY(tcase,
				is_at_work_before_it_has_begun,
				"it asks a session before it gives it to anybody, and waits for that one itself");
	tcase_add_test(tcase, is_at_work_in_a_transaction);
	DIRECT_ONLY(tcase,
				is_not_given_more_to_do,
				"which sessions are at work is not known, see is_replaced_behind_a_pooler");
	POOLED_ONLY(tcase, is_replaced_behind_a_pooler, "see is_not_given_more_to_do");
	tcase_add_test(tcase, ends_where_the_server_looks);
	tcase_add_test(tcase, is_closed_with_what_does_not_end);
}

int
main(void)
{
	return suite_run("linger", fill);
}
