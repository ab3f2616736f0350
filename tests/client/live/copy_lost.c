/*
 * copy_lost.c
 *		A COPY whose connection is lost, at each moment of it: what is said of it has to be true.
 */
#include "proxy.h"

static PGconn *look;
static proxy p;
static bool is_terminated; /* by the server, and not cut */

/* Where it is lost: in which message, with what in it, and when. */
typedef struct place
{
	const char *text;
	char kind;
	moment when;
	bool is_terminated;
	kn_status status;
} place;

static const place places[] = {
	/* Nothing has been handed over: it is done again. */
	{ "COPY kn_lost", 'Q', MOMENT_BEFORE, false, KN_OK },
	{ "COPY kn_lost", 'Q', MOMENT_HALF_SENT, false, KN_OK },
	{ "COPY kn_lost", 'Q', MOMENT_DURING, false, KN_OK },
	{ "COPY kn_lost", 'Q', MOMENT_BEFORE, true, KN_OK },
	{ "pg_current_xact_id", 0, MOMENT_BEFORE, false, KN_OK },
	{ "pg_current_xact_id", 0, MOMENT_AFTER, false, KN_OK },
	{ "pg_current_xact_id", 0, MOMENT_HALF, false, KN_OK },
	/* It has, and nothing of it has happened. */
	{ "marker", 'd', MOMENT_BEFORE, false, KN_CONN_LOST },
	{ "marker", 'd', MOMENT_HALF_SENT, false, KN_CONN_LOST },
	{ "marker", 'd', MOMENT_DURING, false, KN_CONN_LOST },
	{ "marker", 'd', MOMENT_BEFORE, true, KN_CONN_LOST },
	{ "", 'c', MOMENT_BEFORE, false, KN_CONN_LOST },
	{ "", 'c', MOMENT_HALF_SENT, false, KN_CONN_LOST },
	{ "", 'c', MOMENT_DURING, false, KN_CONN_LOST },
	{ "", 'c', MOMENT_AFTER, false, KN_CONN_LOST },
	{ "", 'c', MOMENT_HALF, false, KN_CONN_LOST },
	{ "", 'c', MOMENT_AFTER, true, KN_CONN_LOST },
	/* The server is asked what has become of it. */
	{ "COMMIT", 0, MOMENT_BEFORE, false, KN_CONN_LOST },
	{ "COMMIT", 0, MOMENT_HALF_SENT, false, KN_CONN_LOST },
	{ "COMMIT", 0, MOMENT_DURING, false, KN_OK },
	{ "COMMIT", 0, MOMENT_AFTER, false, KN_OK },
	{ "COMMIT", 0, MOMENT_HALF, false, KN_OK },
	{ "COMMIT", 0, MOMENT_AFTER, true, KN_OK },
};

static bool
do_harm(void *user)
{
	PGconn *killer;

	(void) user;
	if (!is_terminated)
		return true;
	killer = look_open();
	PQclear(PQexec(killer,
				   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				   " WHERE application_name = 'kn_lost'"));
	look_await(killer,
			   "SELECT count(*) FROM (SELECT 1 FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE application_name = 'kn_lost' LIMIT 1) x",
			   0);
	PQfinish(killer);
	return false;
}

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_lost; CREATE TABLE kn_lost (id int, t text)");
}

static void
tear_down(void)
{
	PQfinish(look);
}

static kn_db *
open_through(const place *where)
{
	char conninfo[160];
	kn_db *db;

	memset(&p, 0, sizeof(p));
	p.text = where->text;
	p.kind = where->kind;
	p.when = where->when;
	p.harm = do_harm;
	is_terminated = where->is_terminated;
	proxy_start(&p);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s port=54321 application_name=kn_lost",
					p.directory);
	OPEN(db, .conninfo = conninfo, .max_connections = 3);
	return db;
}

static kn_status
copy_ten(kn_ctx *cx, void *argument)
{
	kn_copy *copy = kn_copy_in(cx, "COPY kn_lost FROM STDIN (FORMAT binary)");

	(void) argument;
	for (int i = 0; i < 10; i++)
		(void) kn_copy_row(copy, i, "marker");
	return kn_copy_end(copy, NULL);
}

/* Once who was cut off has noticed it. */
static long
count(void)
{
	look_await(look,
			   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE application_name = 'kn_lost' AND state <> 'idle'",
			   0);
	return look_number(look, "SELECT count(*) FROM kn_lost");
}

START_TEST(is_lost)
{
	const place *where = &places[_i];
	kn_db *db = open_through(where);
	kn_ctx *cx = kn_begin(db);
	kn_status status = copy_ten(cx, NULL);

	ck_assert_msg(p.is_done, "no harm was done");
	/* Who is told to go may be told so, or just find the door shut. */
	if (!where->is_terminated || status != KN_UNAVAILABLE)
		ck_assert_msg(status == where->status,
					  "%s, and [%s] %s",
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
	ck_assert_int_eq(count(), status == KN_OK ? 10 : 0);
	EXPECT_OK(cx, copy_ten(cx, NULL));
	ck_assert_int_eq(count(), status == KN_OK ? 20 : 10);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* Within a transaction the body runs again, with its COPY. */
START_TEST(is_lost_in_a_transaction)
{
	kn_db *db = open_through(&places[_i]);
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_transact(cx, copy_ten, NULL));
	ck_assert_msg(p.is_done, "no harm was done");
	ck_assert_int_eq(count(), 10);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_lost, places);
	LOOP(tcase, is_lost_in_a_transaction, places);
}

int
main(void)
{
	return suite_run("copy_lost", fill);
}
