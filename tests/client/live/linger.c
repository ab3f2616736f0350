/*
 * linger.c
 *		Statements that go on at the server though their connection has been given up.
 */
#include "live.h"

#include <signal.h>

/* The server's process has not even read what it is to do: it will, though nobody listens. */
START_TEST(is_at_work_before_it_has_begun)
{
	kn_ctx *cx;
	kn_db *db;
	kn_rows *rows;
	pid_t pid;

	OPEN(db, .max_connections = 1, .breaker_failure_percent = -1, .cancel_ms = 50);
	cx = kn_begin(db);
	rows = kn_query(cx, "SELECT pg_backend_pid()");
	ck_assert_int_eq(kn_next(rows), true);
	pid = kn_get_i32(rows, 0);
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	kn_set_timeout(cx, 50);
	EXPECT(cx, kn_exec(cx, "SELECT 2"), KN_TIMEOUT);
	ck_assert_int_eq(stats_of(db).lingering, 1);
	kn_set_timeout(cx, 500);
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

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_at_work_before_it_has_begun);
}

int
main(void)
{
	return suite_run("linger", fill);
}
