/*
 * stream_lost.c
 *		Streams that write and whose connection is lost: what is said of them, and to whom.
 */
#include "notes.h"
#include "proxy.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_lost; CREATE TABLE kn_lost (id int)");
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

static bool
cut(void *user)
{
	(void) user;
	return true;
}

static void
start(proxy *p)
{
	p->harm = cut;
	p->text = "INSERT INTO kn_lost";
	proxy_start(p);
}

/* The client has some of the rows, and then nothing more: the write may be in force. */
START_TEST(audits_a_stream_that_is_not_known)
{
	proxy p = { .when = MOMENT_HALF };
	bool reads_on = _i == 0;
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;

	start(&p);
	OPEN(db, .conninfo = p.conninfo, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db);
	rows =
		kn_stream(cx, "INSERT INTO kn_lost SELECT g FROM generate_series(1, 100) g RETURNING id");
	ck_assert_int_eq(kn_next(rows), true);
	while (reads_on && kn_next(rows))
		;
	EXPECT(cx, kn_done(rows), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_lost"), 100);
	ck_assert_ptr_null(find(KN_EVENT_AUDIT, "failed"));
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "unknown")->status, KN_OUTCOME_UNKNOWN);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* Whoever looks what has become of it must not be shown a replica that has not heard of it. */
START_TEST(looks_where_it_is_if_it_is)
{
	proxy p = { .when = MOMENT_AFTER };
	const char *replicas[] = { p.conninfo, NULL };
	kn_db *db;
	kn_ctx *cx;

	start(&p);
	OPEN(db, .conninfo = p.conninfo, .replicas = replicas, .max_connections = 1);
	cx = kn_begin(db);
	if (_i == 0)
		EXPECT(cx, kn_exec(cx, "INSERT INTO kn_lost VALUES (1) RETURNING id"), KN_OUTCOME_UNKNOWN);
	else
		EXPECT(cx,
			   kn_done(kn_stream(cx, "INSERT INTO kn_lost VALUES (1) RETURNING id")),
			   KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_lost"), 1);
	ck_assert_uint_eq(kn_last_lsn(cx), UINT64_MAX);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* That a value did not fit is no word on whether the write is in force. */
START_TEST(hides_no_doubt_behind_a_misfit)
{
	proxy p = { .when = MOMENT_HALF };
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;
	kn_uuid misfit;

	start(&p);
	OPEN(db, .conninfo = p.conninfo, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db);
	rows =
		kn_stream(cx, "INSERT INTO kn_lost SELECT g FROM generate_series(1, 100) g RETURNING id");
	ck_assert_int_eq(kn_next(rows), true);
	misfit = kn_get_uuid(rows, 0);
	(void) misfit;
	EXPECT(cx, kn_done(rows), KN_OUTCOME_UNKNOWN);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, audits_a_stream_that_is_not_known, 0, 2);
	tcase_add_loop_test(tcase, looks_where_it_is_if_it_is, 0, 2);
	tcase_add_test(tcase, hides_no_doubt_behind_a_misfit);
}

int
main(void)
{
	return suite_run("stream_lost", fill);
}
