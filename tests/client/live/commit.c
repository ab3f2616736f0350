/*
 * commit.c
 *		COMMITs that are answered otherwise than expected, or not at all.
 */
#include "proxy.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_commit; CREATE TABLE kn_commit (id int);"
			"CREATE OR REPLACE FUNCTION kn_note(int) RETURNS bool LANGUAGE sql AS"
			" 'INSERT INTO kn_commit VALUES ($1) RETURNING true';"
			"CREATE OR REPLACE FUNCTION kn_tell() RETURNS bool LANGUAGE plpgsql AS"
			" 'BEGIN PERFORM pg_notify(''kn_commit'', ''once''); RETURN true; END';"
			"CREATE OR REPLACE PROCEDURE kn_half() LANGUAGE plpgsql AS $$BEGIN"
			" INSERT INTO kn_commit VALUES (1); COMMIT;"
			" RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END$$");
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* What a transaction writes with. */
typedef enum means
{
	BY_EXEC,
	BY_BATCH,
	BY_STREAM,
	BY_STREAM_FIRST, /* with a read behind it */
	BY_FUNCTION,     /* that the options say to write */
	BY_FUNCTION_STREAM,
	MEANS_COUNT
} means;

typedef struct task
{
	means by;
	int runs;
	int committed;
	int rolled_back;
} task;

static void
count_commit(void *argument)
{
	((task *) argument)->committed++;
}

static void
count_rollback(void *argument)
{
	((task *) argument)->rolled_back++;
}

static kn_status
write_by(kn_ctx *cx, means by)
{
	const kn_options writes = { .size = sizeof(kn_options), .is_write = true };
	kn_batch *batch;
	kn_status status;

	switch (by)
	{
		case BY_BATCH:
			batch = kn_begin_batch(cx);
			(void) kn_add(batch, "INSERT INTO kn_commit VALUES ($1)", 1);
			(void) kn_add(batch, "SELECT 1");
			return kn_run_batch(batch, NULL);
		case BY_STREAM:
			return kn_done(kn_stream(cx, "INSERT INTO kn_commit VALUES ($1) RETURNING id", 1));
		case BY_STREAM_FIRST:
			status = kn_done(kn_stream(cx, "INSERT INTO kn_commit VALUES ($1) RETURNING id", 1));
			return status != KN_OK ? status : kn_exec(cx, "SELECT 1");
		case BY_FUNCTION:
			return kn_exec_values(cx, "SELECT kn_note(1)", NULL, 0, &writes, NULL);
		case BY_FUNCTION_STREAM:
			return kn_done(kn_stream_values(cx, "SELECT kn_note(1)", NULL, 0, &writes));
		default:
			return kn_exec(cx, "INSERT INTO kn_commit VALUES ($1)", 1);
	}
}

static kn_status
write_body(kn_ctx *cx, void *argument)
{
	task *t = argument;

	t->runs++;
	EXPECT_OK(cx, kn_after_commit(cx, count_commit, t));
	EXPECT_OK(cx, kn_after_rollback(cx, count_rollback, t));
	return write_by(cx, t->by);
}

/* A handle whose COMMITs, or what else the proxy is told, go through one. */
static kn_db *
open_through(proxy *p)
{
	kn_db *db;

	if (p->text == NULL)
		p->text = "COMMIT";
	proxy_start(p);
	/* Who asks has none besides that which is lost. */
	OPEN(db, .conninfo = p->conninfo, .max_connections = 1);
	return db;
}

/* A statement that fails without the library's knowledge: to COMMIT the server says ROLLBACK. */
static bool
fail_unnoticed(void *user)
{
	static const char message[] = "Q\0\0\0\017SELECT 1/0";
	char answer[PROXY_BYTES];
	proxy *p = user;

	ck_assert_int_eq(pass(p->hit, message, sizeof(message)), true);
	ck_assert_uint_gt(read_answer(p->hit, answer), 0);
	ck_assert_int_eq(answer[0], 'E');
	return false;
}

START_TEST(is_answered_by_a_rollback)
{
	proxy p = { .when = MOMENT_BEFORE, .harm = fail_unnoticed, .user = &p };
	task t = { .by = (means) _i };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db);

	EXPECT(cx, kn_transact(cx, write_body, &t), KN_ABORTED);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "rolled back"));
	ck_assert_int_eq(p.is_done, true);
	ck_assert_int_eq(t.runs, 1);
	ck_assert_int_eq(t.committed, 0);
	ck_assert_int_eq(t.rolled_back, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 0);
	/* The connection has not suffered. */
	EXPECT_OK(cx, kn_transact(cx, write_body, &t));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static bool
cut(void *user)
{
	(void) user;
	return true;
}

/* Whatever it was written with, the server can be asked what has become of it. */
START_TEST(is_asked_for_when_its_answer_is_lost)
{
	proxy p = { .when = MOMENT_AFTER, .harm = cut };
	task t = { .by = (means) _i };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_transact(cx, write_body, &t));
	ck_assert_int_eq(p.is_done, true);
	ck_assert_int_eq(t.runs, 1);
	ck_assert_int_eq(t.committed, 1);
	ck_assert_int_eq(t.rolled_back, 0);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 1);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

typedef struct doubt
{
	proxy p;
	kn_ctx *cx;
	_Atomic(bool) is_asked;
} doubt;

/* The first is COMMIT's answer; the other is the question what has become of it. */
static bool
cut_and_fall_silent(void *user)
{
	doubt *d = user;

	d->p.drops = d->p.when == MOMENT_BEFORE;
	if (d->p.drops)
		atomic_store(&d->is_asked, true);
	else
	{
		d->p.text = "pg_xact_status";
		d->p.when = MOMENT_BEFORE;
		d->p.is_done = false;
	}
	return true;
}

static void *
cancel_what_is_asked(void *argument)
{
	doubt *d = argument;

	while (!atomic_load(&d->is_asked))
		(void) poll(NULL, 0, 1);
	kn_cancel(d->cx);
	return NULL;
}

/* Nobody answers, and there is no deadline. */
START_TEST(is_not_asked_for_any_longer_once_cancelled)
{
	doubt d = { .p = { .when = MOMENT_AFTER, .harm = cut_and_fall_silent, .text = "COMMIT" } };
	task t = { .by = BY_EXEC };
	pthread_t thread;
	kn_db *db;

	d.p.user = &d;
	proxy_start(&d.p);
	OPEN(db, .conninfo = d.p.conninfo, .max_connections = 1, .cancel_ms = 100);
	d.cx = kn_begin(db, .timeout_ms = -1);
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_what_is_asked, &d), 0);
	EXPECT(d.cx, kn_transact(d.cx, write_body, &t), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(t.runs, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 1);
	kn_end(d.cx);
	proxy_end(&d.p);
	ck_assert_int_eq(kn_close(db, 1000), KN_OK);
}
END_TEST

/*
 * The context is cancelled too late: the whole answer is there by the time the request has come,
 * and then the connection is lost before it is known where the request went.
 */
static bool
cancel_and_cut(void *user)
{
	doubt *d = user;

	pass_back_cancelled(&d->p, d->cx);
	return true;
}

/* All that was sent has been answered: but without COMMIT it is nothing. */
START_TEST(is_missed_when_all_but_it_was_answered)
{
	doubt d = { .p = { .when = MOMENT_DURING, .harm = cancel_and_cut } };
	task t = { .by = (means) _i };
	kn_status status;
	kn_db *db;

	d.p.text = t.by == BY_FUNCTION || t.by == BY_FUNCTION_STREAM ? "kn_note" : "kn_commit";
	d.p.user = &d;
	db = open_through(&d.p);
	d.cx = kn_begin(db);
	status = kn_transact(d.cx, write_body, &t);
	ck_assert_int_eq(d.p.is_done, true);
	ck_assert_msg(status == KN_CONN_LOST || status == KN_CANCELED, "%s", kn_status_name(status));
	ck_assert_int_eq(t.runs, 1);
	ck_assert_int_eq(t.committed, 0);
	ck_assert_int_eq(t.rolled_back, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 0);
	kn_end(d.cx);
	close_even(db);
	proxy_end(&d.p);
}
END_TEST

static kn_status
read_body(kn_ctx *cx, void *argument)
{
	const kn_options reads = { .size = sizeof(kn_options), .is_read = true };

	(void) argument;
	/* It locks what nobody wants, which is no write to the caller. */
	return kn_exec_values(cx, "SELECT 1 FROM kn_commit FOR SHARE", NULL, 0, &reads, NULL);
}

/* By the options of its statements a transaction only reads: nothing can have been done. */
START_TEST(is_lost_of_what_only_reads)
{
	proxy p = { .when = MOMENT_AFTER, .harm = cut };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db);

	EXPECT(cx, kn_transact(cx, read_body, NULL, .attempts = 1), KN_CONN_LOST);
	ck_assert_int_eq(p.is_done, true);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

typedef struct teller
{
	int by;
	int runs;
} teller;

static kn_status
tell_body(kn_ctx *cx, void *argument)
{
	teller *t = argument;
	kn_copy *copy;
	kn_str piece;

	t->runs++;
	switch (t->by)
	{
		case 0:
			return kn_notify(cx, "kn_commit", "once");
		case 1:
			return kn_done(kn_stream(cx, "SELECT pg_notify('kn_commit', 'once')"));
		case 2:
			copy = kn_copy_out(cx, "COPY (SELECT pg_notify('kn_commit', 'once')) TO STDOUT");
			while (kn_copy_get(copy, &piece))
				;
			return kn_copy_end(copy, NULL);
		default:
			return kn_exec(cx, "SELECT kn_tell()");
	}
}

/* The server lets a transaction that is read-only notify others: it may have been committed. */
START_TEST(is_lost_of_what_notifies)
{
	proxy p = { .when = MOMENT_AFTER, .harm = cut };
	teller t = { .by = _i };
	int heard = 0;
	PGnotify *one;
	kn_status status;
	kn_db *db;
	kn_ctx *cx;

	look_do(look, "LISTEN kn_commit");
	db = open_through(&p);
	cx = kn_begin(db);
	status = kn_transact(cx, tell_body, &t, .is_read_only = true);
	ck_assert_int_eq(p.is_done, true);
	look_do(look, "SELECT 1");
	while ((one = PQnotifies(look)) != NULL)
	{
		heard++;
		PQfreemem(one);
	}
	ck_assert_msg(t.runs == 1 && heard == 1 && (status == KN_OUTCOME_UNKNOWN || status == KN_OK),
				  "%s, %d runs, heard %d times",
				  kn_status_name(status),
				  t.runs,
				  heard);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* The first attempt has committed a part; at the second nobody is there. */
static bool
answer_and_be_gone(void *user)
{
	proxy *p = user;

	pass_answer_back(p);
	(void) close(p->listener);
	p->listener = -1;
	return true;
}

START_TEST(is_done_in_part_by_an_earlier_attempt)
{
	const kn_options twice = { .size = sizeof(twice), .is_idempotent = true };
	proxy p = { .when = MOMENT_DURING, .harm = answer_and_be_gone, .text = "kn_half" };
	kn_db *db;
	kn_ctx *cx;

	p.user = &p;
	proxy_start(&p);
	OPEN(db, .conninfo = p.conninfo, .max_connections = 1, .acquire_ms = 2000, .connect_ms = 2000);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec_values(cx, "CALL kn_half()", NULL, 0, &twice, NULL), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 1);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* What writes is done to its end, though its text looks like a read. */
START_TEST(is_not_cancelled_half_way)
{
	kn_options writes = { .size = sizeof(kn_options), .is_write = true };
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	rows =
		kn_stream_values(cx, "SELECT kn_note(g) FROM generate_series(1, 5000) g", NULL, 0, &writes);
	/* They are the caller's, who may need them for something else by now. */
	memset(&writes, 0, sizeof(writes));
	ck_assert_int_eq(kn_next(rows), true);
	EXPECT_OK(cx, kn_done(rows));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 5000);
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
change_ones_mind(kn_ctx *cx, void *argument)
{
	(void) argument;
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_commit VALUES (1)"));
	return KN_CONFLICT;
}

static bool
cancel_it(void *user)
{
	kn_cancel(user);
	return false;
}

/* It has to be done whatever becomes of its caller, and costs no connection. */
START_TEST(rollback_is_not_cancelled)
{
	proxy p = { .when = (moment) _i, .harm = cancel_it, .text = "ROLLBACK" };
	kn_db *db = open_through(&p);
	kn_ctx *cx = kn_begin(db);
	kn_ctx *next = kn_begin(db);

	p.user = cx;
	EXPECT(cx, kn_transact(cx, change_ones_mind, NULL), KN_CONFLICT);
	ck_assert_int_eq(p.is_done, true);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CANCELED);
	EXPECT_OK(next, kn_exec(next, "SELECT 1"));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_commit"), 0);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_uint_eq(stats_of(db).opened, 1);
	kn_end(cx);
	kn_end(next);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_answered_by_a_rollback, 0, MEANS_COUNT);
	tcase_add_loop_test(tcase, is_asked_for_when_its_answer_is_lost, 0, MEANS_COUNT);
	tcase_add_test(tcase, is_not_asked_for_any_longer_once_cancelled);
	tcase_add_loop_test(tcase, is_missed_when_all_but_it_was_answered, 0, MEANS_COUNT);
	tcase_add_test(tcase, is_lost_of_what_only_reads);
	tcase_add_loop_test(tcase, is_lost_of_what_notifies, 0, 4);
	tcase_add_test(tcase, is_done_in_part_by_an_earlier_attempt);
	tcase_add_test(tcase, is_not_cancelled_half_way);
	tcase_add_loop_test(tcase, rollback_is_not_cancelled, MOMENT_BEFORE, MOMENT_COUNT);
}

int
main(void)
{
	return suite_run("commit", fill);
}
