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
	(void) snprintf(conninfo, sizeof(conninfo), "%s application_name=kn_lost", p.conninfo);
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

typedef struct late
{
	proxy p;
	kn_ctx *cx;
	_Atomic(bool) has_hit;
} late;

/* What a request to cancel does that comes as late as that; its answer is nobody's. */
static bool
cancel_itself(void *user)
{
	static const char message[] = "Q\0\0\0\057SELECT pg_cancel_backend(pg_backend_pid())";
	late *l = user;
	char answer[PROXY_BYTES];
	size_t n;

	ck_assert_int_eq(pass(l->p.hit, message, sizeof(message)), true);
	n = read_answer(l->p.hit, answer);
	ck_assert_uint_gt(n, 0);
	/* The transaction has failed. */
	ck_assert_int_eq(answer[n - 1], 'E');
	atomic_store(&l->has_hit, true);
	return false;
}

/*
 * The context is cancelled too late: COPY has come to its end by the time the request is there.
 * The request strikes the next thing that the session does, which is the fence's empty query.
 */
static bool
cancel_too_late(void *user)
{
	late *l = user;

	pass_back_cancelled(&l->p, l->cx);
	l->p.kind = 'Q';
	l->p.when = MOMENT_BEFORE;
	l->p.harm = cancel_itself;
	l->p.is_done = false;
	return false;
}

/* What went in was undone by it: so COPY has not gone well. */
START_TEST(is_undone_by_a_late_cancel)
{
	late l = { .p = { .when = MOMENT_DURING, .harm = cancel_too_late, .text = "", .kind = 'c' } };
	int64_t rows = -1;
	kn_copy *copy;
	kn_status status;
	kn_db *db;

	l.p.user = &l;
	proxy_start(&l.p);
	OPEN(db, .conninfo = l.p.conninfo, .max_connections = 1);
	l.cx = kn_begin(db);
	copy = kn_copy_in(l.cx, "COPY kn_lost FROM STDIN");
	EXPECT_OK(l.cx, kn_copy_put(copy, "1\n2\n", 4));
	status = kn_copy_end(copy, &rows);
	ck_assert_int_eq(atomic_load(&l.has_hit), true);
	ck_assert_msg((status == KN_OK) == (look_number(look, "SELECT count(*) FROM kn_lost") == 2),
				  "%s, %d rows, and %ld are there",
				  kn_status_name(status),
				  (int) rows,
				  look_number(look, "SELECT count(*) FROM kn_lost"));
	kn_end(l.cx);
	close_even(db);
	proxy_end(&l.p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_lost, places);
	LOOP(tcase, is_lost_in_a_transaction, places);
	tcase_add_test(tcase, is_undone_by_a_late_cancel);
}

int
main(void)
{
	return suite_run("copy_lost", fill);
}
