/*
 * facts.c
 *		What servers, poolers and libpq do that a client has to know of.
 */
#include "proxy.h"

#include <signal.h>
#include <sys/wait.h>

static PGconn *look;

static void
set_up(void)
{
	look = look_again();
	look_do(look,
			"SET client_min_messages = error;"
			"DROP TABLE IF EXISTS kn_fact CASCADE; CREATE TABLE kn_fact (a int)");
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* When the server began its statistics, as it does after a crash; 0: it is down by now. */
static double
statistics_began(void)
{
	PGresult *result = PQexec(look, "SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter");
	double began = 0;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		began = strtod(PQgetvalue(result, 0, 0), NULL);
	PQclear(result);
	return began;
}

/* Kills the server, which forgets what it has not written yet, and gives its numbers out again. */
static bool
crash_and_reuse(void *user)
{
	long next = look_number(look, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text");
	double before = statistics_began();

	(void) user;
	(void) kill((pid_t) PQbackendPID(look), SIGKILL);
	/* Until it is down, the old one may still take connections, and end them soon. */
	do
	{
		PQfinish(look);
		look = look_again();
	} while (statistics_began() <= before);
	while (look_number(look, "SELECT pg_current_xact_id()::text") < next)
		;
	return true;
}

static kn_status
insert_body(kn_ctx *cx, void *argument)
{
	++*(int *) argument;
	return kn_exec(cx, "INSERT INTO kn_fact VALUES (1)");
}

/*
 * A lost COMMIT is looked up by the number of its transaction.  After a crash another may have that
 * number, and its fate is not that of the first.
 */
START_TEST(a_number_may_be_given_out_again)
{
	proxy p = { .text = "COMMIT", .when = MOMENT_BEFORE, .harm = crash_and_reuse };
	kn_db *db;
	kn_ctx *cx;
	kn_status status;
	int runs = 0;

	proxy_start(&p);
	OPEN(db, .conninfo = p.conninfo, .max_connections = 2);
	cx = kn_begin(db, .timeout_ms = 20000);
	status = kn_transact(cx, insert_body, &runs);
	ck_assert(p.is_done);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_fact"), status == KN_OK ? 1 : 0);
	if (status != KN_OK)
		ck_assert_msg(status == KN_OUTCOME_UNKNOWN || status == KN_CONN_LOST ||
						  status == KN_UNAVAILABLE,
					  "%s",
					  kn_status_name(status));
	ck_assert_int_eq(stats_of(db).busy, 0);
	kn_end(cx);
	(void) kn_close(db, 5000);
	proxy_end(&p);
}
END_TEST

/*
 * Whoever takes a request to cancel may not be the one who signals the server's process, and may
 * be slow: it comes when that statement is over, and hits what is done then.
 */
START_TEST(a_cancel_may_come_late)
{
	proxy p = { .text = "kn_no_text", .harm = NULL };
	kn_db *db;
	kn_ctx *cx;

	proxy_start(&p);
	OPEN(db, .conninfo = p.conninfo, .max_connections = 1, .cancel_ms = 8000);
	cx = kn_begin(db);
	for (int i = 0; i < 3; i++)
	{
		p.holds_cancel = true;
		/* The time may be over before it is sent; and the first request has no effect yet. */
		do
		{
			kn_set_timeout(cx, 30);
			EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(3600)"), KN_TIMEOUT);
		} while (p.holds_cancel);
		kn_set_timeout(cx, -1);
		EXPECT_OK(cx, kn_exec(cx, "SELECT pg_sleep(0.05)"));
	}
	ck_assert_uint_eq(stats_of(db).opened, 1);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_number_may_be_given_out_again);
	tcase_add_test(tcase, a_cancel_may_come_late);
}

int
main(void)
{
	return suite_run("facts", fill);
}
