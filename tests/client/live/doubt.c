/*
 * doubt.c
 *		COMMITs whose answer is lost, where another server is there to be asked.
 *
 * tests/client/replica runs it, with a primary and its standby; the last test promotes that.
 */
#include "proxy.h"

static PGconn *look;
static PGconn *standby;

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_doubt; CREATE TABLE kn_doubt (a int)");
	standby = PQconnectdb(getenv("KN_TEST_REPLICA"));
	ck_assert_msg(PQstatus(standby) == CONNECTION_OK, "%s", PQerrorMessage(standby));
}

static void
tear_down(void)
{
	PQfinish(standby);
	PQfinish(look);
}

static kn_status
insert_body(kn_ctx *cx, void *argument)
{
	++*(int *) argument;
	return kn_exec(cx, "INSERT INTO kn_doubt VALUES (1)");
}

/* A handle of one server, whose place another can take. */
static kn_db *
open_through(proxy *p)
{
	char conninfo[200];
	kn_db *db;

	p->text = "COMMIT";
	p->elsewhere.sun_family = AF_UNIX;
	(void) snprintf(p->elsewhere.sun_path,
					sizeof(p->elsewhere.sun_path),
					"%s/.s.PGSQL.%s",
					getenv("KN_TEST_REPLICA_HOST"),
					getenv("PGPORT"));
	proxy_start(p);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"%s user=postgres dbname=postgres application_name=kn_doubt",
					p->conninfo);
	OPEN(db, .conninfo = conninfo, .max_connections = 2);
	return db;
}

static bool
lead_elsewhere(void *user)
{
	((proxy *) user)->leads_elsewhere = true;
	return true;
}

/* Once the standby was asked, the way is to the primary again. */
static void *
lead_back(void *argument)
{
	PGconn *other = PQconnectdb(getenv("KN_TEST_REPLICA"));

	while (look_number(other,
					   "SELECT count(*) FROM pg_stat_activity"
					   " WHERE application_name = 'kn_doubt' AND query LIKE '%pg_xact_status%'") ==
		   0)
		look_do(other, "SELECT pg_sleep(0.002), pg_stat_clear_snapshot()");
	((proxy *) argument)->leads_elsewhere = false;
	PQfinish(other);
	return argument;
}

/* A standby that is behind knows nothing of what is committed, and that is no answer. */
START_TEST(a_standby_does_not_know)
{
	proxy p = { .when = MOMENT_AFTER, .harm = lead_elsewhere, .user = &p };
	bool comes_back = _i == 1;
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db, .timeout_ms = 20000);
	pthread_t thread;
	int runs = 0;

	look_do(standby, "SELECT pg_wal_replay_pause()");
	look_await(standby, "SELECT (pg_get_wal_replay_pause_state() = 'paused')::int", 1);
	if (comes_back)
		ck_assert_int_eq(pthread_create(&thread, NULL, lead_back, &p), 0);
	else
		kn_set_timeout(cx, 3000);
	EXPECT(cx, kn_transact(cx, insert_body, &runs), comes_back ? KN_OK : KN_OUTCOME_UNKNOWN);
	if (comes_back)
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(p.is_done);
	ck_assert_int_eq(runs, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_doubt"), 1);
	look_do(standby, "SELECT pg_wal_replay_resume()");
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* One name, and behind it a standby: whoever asks for it once more may come to the primary. */
START_TEST(a_standby_is_left_for_the_primary)
{
	proxy p = { .leads_elsewhere = true, .is_done = true };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db, .timeout_ms = 20000);
	kn_ctx *other = kn_begin(db, .timeout_ms = 20000);
	kn_rows *rows = kn_stream(cx, "SELECT generate_series(1, 3)");
	int runs = 0;

	/* All connections that there can be. */
	ck_assert_int_eq(kn_next(rows), true);
	EXPECT_OK(other, kn_exec(other, "SELECT 1"));
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_uint_eq(stats_of(db).opened, 2);
	p.leads_elsewhere = false;
	if (_i == 0)
		EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_doubt VALUES (1)"));
	else
		EXPECT_OK(cx, kn_transact(cx, insert_body, &runs));
	ck_assert_int_eq(runs, 2 * _i);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_doubt"), 1);
	ck_assert_uint_ge(stats_of(db).closed_old, 1);
	EXPECT_OK(other, kn_exec(other, "INSERT INTO kn_doubt VALUES (2)"));
	ck_assert_uint_eq(stats_of(db).errors, 1);
	kn_end(other);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* Its numbers go on where the primary's were, and others get them. */
static bool
promote(void *user)
{
	long next = look_number(look, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text");

	look_do(standby, "SELECT pg_promote()");
	while (look_number(standby, "SELECT pg_current_xact_id()::text") < next)
		;
	return lead_elsewhere(user);
}

/* What is said of a number there may be said of another transaction. */
START_TEST(the_promoted_may_mean_another)
{
	proxy p = { .when = MOMENT_BEFORE, .harm = promote, .user = &p };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db, .timeout_ms = 20000);
	int runs = 0;

	EXPECT(cx, kn_transact(cx, insert_body, &runs), KN_OUTCOME_UNKNOWN);
	ck_assert(p.is_done);
	ck_assert_int_eq(runs, 1);
	ck_assert_int_eq(look_number(standby, "SELECT count(*) FROM kn_doubt"), 0);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_standby_does_not_know, 0, 2);
	tcase_add_loop_test(tcase, a_standby_is_left_for_the_primary, 0, 2);
	tcase_add_test(tcase, the_promoted_may_mean_another);
}

int
main(void)
{
	return suite_run("doubt", fill);
}
