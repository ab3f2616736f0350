/*
 * blame.c
 *		What a transaction's end says of its server, whatever its body makes of it.
 */
#include "live.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_blame; CREATE TABLE kn_blame (id int)");
}

static void
tear_down(void)
{
	look_do(look, "DROP TABLE kn_blame");
	PQfinish(look);
}

static const kn_status ends[] = { KN_CONN_LOST, KN_UNAVAILABLE, KN_TIMEOUT,
								  KN_CANCELED,  KN_USAGE,       KN_OUTCOME_UNKNOWN };

static kn_status
end_with(kn_ctx *cx, void *argument)
{
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_blame VALUES (1)"));
	return *(const kn_status *) argument;
}

/* A body that has trouble with somebody else has none with this server. */
START_TEST(is_not_the_servers)
{
	kn_status end = ends[_i];
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 40; i++)
		ck_assert_int_ne(kn_transact(cx, end_with, &end, .attempts = 1), KN_OK);
	ck_assert_uint_eq(stats_of(db).breaker_opened, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_blame"), 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
lose_and(kn_ctx *cx, void *argument)
{
	ck_assert_int_ne(kn_exec(cx, "SELECT pg_terminate_backend(pg_backend_pid())"), KN_OK);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_ABORTED);
	return *(const kn_status *) argument;
}

/* A session that is lost is lost, whatever the body calls that. */
START_TEST(is_the_servers)
{
	kn_status end = ends[_i];
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 40 && stats_of(db).breaker_opened == 0; i++)
		ck_assert_int_ne(kn_transact(cx, lose_and, &end, .attempts = 1), KN_OK);
	ck_assert_uint_eq(stats_of(db).breaker_opened, 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* A COPY that is its own transaction is judged as well. */
START_TEST(is_judged_by_copies)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .retry_attempts = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 40 && stats_of(db).breaker_opened == 0; i++)
	{
		kn_copy *copy = kn_copy_in(cx, "COPY kn_blame FROM STDIN");

		if (copy != NULL && kn_last_error(cx)->status == KN_OK)
			look_do(look,
					"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
					" WHERE query ~ '^COPY kn_blame'");
		ck_assert_int_ne(kn_copy_end(copy, NULL), KN_OK);
	}
	ck_assert_uint_eq(stats_of(db).breaker_opened, 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_not_the_servers, ends);
	LOOP(tcase, is_the_servers, ends);
	tcase_add_test(tcase, is_judged_by_copies);
}

int
main(void)
{
	return suite_run("blame", fill);
}
