/*
 * moved.c
 *		A name that leads to a pooler by now, or to the server itself.
 *
 * The name is a directory, and what lies in it a link to either's socket.
 */
#include <stdlib.h>
#include <unistd.h>

#include "live.h"

#define LOCK "SELECT pg_advisory_lock(720)"

/* A session that was ended may still be there for a moment. */
static const char x_locks[] = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";

static PGconn *look;
static char dir[40];
static char entry[80];
static kn_db *db;
static kn_ctx *cx;

static void
lead_to(const char *place)
{
	char target[200];

	(void) snprintf(target, sizeof(target), "%s/.s.PGSQL.%s", place, PQport(look));
	(void) unlink(entry);
	ck_assert_int_eq(symlink(target, entry), 0);
}

static void
set_up(void)
{
	char conninfo[200];

	look = look_open();
	(void) strcpy(dir, "/tmp/kn_moved_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void) snprintf(entry, sizeof(entry), "%s/.s.PGSQL.%s", dir, PQport(look));
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s sslmode=disable application_name=kn_moved",
					dir);
	OPEN(db, .conninfo = conninfo, .max_connections = 1, .retry_base_ms = 1);
	cx = kn_begin(db);
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	(void) unlink(entry);
	ck_assert_int_eq(rmdir(dir), 0);
	PQfinish(look);
}

/* The pool is told so, or finds that its connection is gone. */
static void
leave(bool is_told)
{
	if (is_told)
		kn_reset_pool(db);
	else
		look_await(look,
				   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
				   " WHERE application_name = 'kn_moved'",
				   0);
}

/* What is left in a session would be for somebody else. */
START_TEST(is_found_to_be_a_pooler)
{
	lead_to(PQhost(look));
	EXPECT_OK(cx, kn_exec(cx, LOCK));
	lead_to(socket_dir());
	leave(_i == 0);
	EXPECT(cx, kn_exec(cx, LOCK), KN_USAGE);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "pooler"));
	for (int i = 0; i < 4; i++)
		EXPECT_OK(cx, kn_exec(cx, "SELECT $1::int", i));
	look_await(look, x_locks, 0);
}
END_TEST

static kn_status
lock_body(kn_ctx *c, void *argument)
{
	++*(int *) argument;
	return kn_exec(c, LOCK);
}

/* The session of before is of no use, and the statement goes to the next one. */
START_TEST(is_found_to_be_a_pooler_by_who_goes_on_with_it)
{
	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_spoil() RETURNS void LANGUAGE plpgsql AS"
			" $$BEGIN EXECUTE 'DEALLOCATE ALL'; EXECUTE 'PREPARE kn_mine AS SELECT 1'; END$$");
	for (int i = 0; i < 8; i++)
	{
		int runs = 0;

		lead_to(PQhost(look));
		kn_reset_pool(db);
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_spoil()"));
		lead_to(socket_dir());
		EXPECT(cx, kn_transact(cx, lock_body, &runs), KN_USAGE);
		ck_assert_int_eq(runs, 1);
		ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "pooler"));
		look_await(look, x_locks, 0);
	}
}
END_TEST

START_TEST(is_found_to_be_the_server)
{
	lead_to(socket_dir());
	EXPECT(cx, kn_exec(cx, LOCK), KN_USAGE);
	lead_to(PQhost(look));
	kn_reset_pool(db);
	EXPECT_OK(cx, kn_exec(cx, LOCK));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_found_to_be_a_pooler, 0, 2);
	tcase_add_test(tcase, is_found_to_be_a_pooler_by_who_goes_on_with_it);
	tcase_add_test(tcase, is_found_to_be_the_server);
}

int
main(void)
{
	return suite_run("moved", fill);
}
