/*
 * state.c
 *		What a connection is left in: whatever happens with it, the next one finds it as new.
 *
 * Some of it looks at a connection as the library itself does, for what is above that takes care
 * as well.
 */
#include "gate.h"
#include "one.h"

#include <setjmp.h>
#include <unistd.h>

#include "run/run.h"
#include "wire/wire.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_state; CREATE TABLE kn_state (id int)");
	OPEN(db, .conninfo = "application_name=kn_state", .max_connections = 1);
	cx = kn_begin(db);
}

/* No session of ours is in a transaction, and what the next one writes is there for all to see. */
static void
check_as_new(int written)
{
	ck_assert_int_eq(look_number(look,
								 "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
								 " WHERE application_name = 'kn_state'"
								 " AND state LIKE 'idle in transaction%'"),
					 0);
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_state VALUES (1)"));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_state"), written + 1);
}

typedef struct leap
{
	jmp_buf to;
	int rolled_back;
} leap;

static void
count_rollback(void *argument)
{
	((leap *) argument)->rolled_back++;
}

static kn_status
leaping_body(kn_ctx *c, void *argument)
{
	leap *l = argument;

	EXPECT_OK(c, kn_after_rollback(c, count_rollback, l));
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_state VALUES (2)"));
	longjmp(l->to, 1);
}

/* Whoever leaves the body of a transaction otherwise than by its end ends the context. */
START_TEST(is_left_by_a_jump)
{
	static leap l;
	kn_ctx *leaper = kn_begin(db);

	l.rolled_back = 0;
	if (setjmp(l.to) == 0)
	{
		(void) !kn_transact(leaper, leaping_body, &l);
		ck_abort_msg("the body has not been left");
	}
	ck_assert_int_eq(stats_of(db).busy, 1);
	kn_end(leaper);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_int_eq(l.rolled_back, 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	check_as_new(0);
}
END_TEST

static kn_status
hanging_body(kn_ctx *c, void *argument)
{
	(void) argument;
	return kn_exec(c, "SELECT pg_sleep(30)");
}

/* The time ends before BEGIN, with it, or right after. */
START_TEST(is_cancelled_as_it_begins)
{
	for (int i = 0; i < 20; i++)
	{
		kn_ctx *hasty = kn_begin(db, .timeout_ms = 1 + i % 10);

		EXPECT(hasty, kn_transact(hasty, hanging_body, NULL), KN_TIMEOUT);
		kn_end(hasty);
		check_as_new(i);
	}
}
END_TEST

/* A connection of the library's that no pool knows of, past a pooler. */
static kn_status
try_conn(kn__conn **conn, const char *encoding, kn__fault *fault)
{
	PQconninfoOption *said = PQconninfoParse(is_pooled() ? getenv("KN_TEST_DIRECT") : "", NULL);
	const char *keywords[64] = { NULL };
	const char *values[64] = { NULL };
	const kn__conn_options options = { .keywords = keywords,
									   .values = values,
									   .cancel_ns = KN__NS_PER_S };
	const kn__wait wait = { .deadline = KN__NEVER };
	kn_status status;
	int count = 0;

	for (PQconninfoOption *option = said; option->keyword != NULL; option++)
	{
		if (option->val == NULL)
			continue;
		keywords[count] = option->keyword;
		values[count++] = option->val;
	}
	keywords[count] = "client_encoding";
	values[count] = encoding;
	kn__fault_clear(fault);
	status = kn__conn_open(conn, &options, &wait, fault);
	PQconninfoFree(said);
	return status;
}

static kn__conn *
open_conn(void)
{
	kn__conn *conn;
	kn__fault fault;

	ck_assert_msg(try_conn(&conn, "UTF8", &fault) == KN_OK, "%s", fault.error.message);
	return conn;
}

static kn_status
run(kn__conn *conn, const char *sql)
{
	const kn__wait wait = { .deadline = KN__NEVER };
	kn__item item = { .sql = sql, .length = strlen(sql), .never_prepare = true };
	kn__outcome outcome;
	kn__fault fault;

	kn__fault_clear(&fault);
	return kn__flight(conn, &item, 1, &wait, &outcome, &fault);
}

/* The server says it with each answer, whoever has begun the transaction. */
START_TEST(is_not_clean_in_a_transaction)
{
	kn__conn *conn = open_conn();

	ck_assert_int_eq(kn__conn_is_clean(conn), true);
	ck_assert_int_eq(run(conn, "BEGIN"), KN_OK);
	ck_assert_int_eq(kn__conn_is_clean(conn), false);
	ck_assert_int_eq(run(conn, "SELECT 1/0"), KN_DATA);
	ck_assert_int_eq(kn__conn_is_clean(conn), false);
	ck_assert_int_eq(run(conn, "ROLLBACK"), KN_OK);
	ck_assert_int_eq(kn__conn_is_clean(conn), true);
	kn__conn_close(conn);
}
END_TEST

static void
await_word(const kn__conn *conn)
{
	struct pollfd ready = { .fd = kn__hear_socket(conn), .events = POLLIN };

	while (poll(&ready, 1, -1) != 1)
		;
}

/* What the server says to one that is idle need not be its good-bye. */
START_TEST(lives_on_after_a_word_in_passing)
{
	kn__conn *conn = open_conn();
	char sql[80];

	ck_assert_int_eq(run(conn, "LISTEN kn_word"), KN_OK);
	for (int i = 0; i < 3; i++)
	{
		ck_assert_int_eq(kn__conn_is_alive(conn), true);
		look_do(look, "NOTIFY kn_word");
		await_word(conn);
		ck_assert_int_eq(kn__conn_is_alive(conn), true);
	}
	(void) snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", kn__conn_pid(conn));
	look_do(look, sql);
	await_word(conn);
	ck_assert_int_eq(kn__conn_is_alive(conn), false);
	kn__conn_close(conn);
}
END_TEST

/* How many bytes some requests send, each of which takes the connection and gives it back. */
static int64_t
sent_by(gate *g, kn_db *of, int requests)
{
	int64_t before = gate_passed(g, TO_SERVER);

	for (int i = 0; i < requests; i++)
	{
		kn_ctx *c = kn_begin(of);

		EXPECT_OK(c, kn_exec(c, "SELECT 1"));
		kn_end(c);
	}
	return gate_passed(g, TO_SERVER) - before;
}

typedef struct measure
{
	gate *gate;
	int64_t sent;
} measure;

/* What one such statement sends where the connection has been taken before. */
static kn_status
measuring_body(kn_ctx *c, void *argument)
{
	measure *m = argument;

	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	m->sent = gate_passed(m->gate, TO_SERVER);
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	m->sent = gate_passed(m->gate, TO_SERVER) - m->sent;
	return KN_OK;
}

/* To look at it, and to hand it out, is no round trip: what is sent is the statement. */
START_TEST(is_looked_at_without_a_word)
{
	gate g;
	char conninfo[64];
	kn_db *of;
	kn_ctx *c;
	measure one = { .gate = &g };

	gate_start(&g);
	(void) snprintf(conninfo, sizeof(conninfo), "host=127.0.0.1 port=%d", g.port);
	OPEN(of, .conninfo = conninfo, .max_connections = 1);
	(void) sent_by(&g, of, 3); /* it is prepared by then */
	c = kn_begin(of);
	EXPECT_OK(c, kn_transact(c, measuring_body, &one));
	kn_end(c);
	ck_assert_int_gt(one.sent, 0);
	ck_assert_int_eq(sent_by(&g, of, 5), 5 * one.sent);
	ck_assert_uint_eq(stats_of(of).opened, 1);
	close_even(of);
	gate_end(&g);
}
END_TEST

/* With a column that has no codec all come as text, and servers print dates in many ways. */
static const char *const interval_styles[] = { "iso_8601", "postgres_verbose" };

START_TEST(prints_as_is_expected)
{
	static const char sql[] =
		"SELECT '1970-02-01'::date, '1 day 00:00:01'::interval, '(1,2)'::point, '\\n'";
	char set[80];
	kn_db *other;
	kn_ctx *c;

	look_do(look,
			"DO $$BEGIN CREATE ROLE kn_german LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object"
			" THEN END$$; ALTER ROLE kn_german SET DateStyle = 'German, DMY';"
			" ALTER ROLE kn_german SET standard_conforming_strings = off");
	(void) snprintf(set,
					sizeof(set),
					"ALTER ROLE kn_german SET IntervalStyle = '%s'",
					interval_styles[_i]);
	look_do(look, set);
	OPEN(other, .conninfo = "user=kn_german", .max_connections = 1);
	c = kn_begin(other);
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_query(c, sql);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_get_date(rows, 0).days, 31);
		ck_assert_int_eq(kn_get_interval(rows, 1).days, 1);
		ck_assert_int_eq(kn_get_interval(rows, 1).usec, 1000000);
		ck_assert_uint_eq(kn_get_str(rows, 3).n, 2); /* as the library reads it, too */
		EXPECT_OK(c, kn_done(rows));
	}
	kn_end(c);
	close_even(other);
}
END_TEST

static kn_status
stream_and_fail(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_done(kn_stream(c, "SELECT 1")));
	return KN_DATA;
}

static _Atomic(int64_t) later;

static int64_t
later_now(void *user)
{
	return kn__now(NULL) + atomic_load((_Atomic(int64_t) *) user);
}

/* That a statement was cancelled long ago is no reason not to roll back. */
START_TEST(is_rolled_back_long_after_a_cancel)
{
	const kn_clock clock = { .monotonic = later_now, .user = &later };
	kn_db *own;
	kn_ctx *c;

	OPEN(own, .max_connections = 1, .cancel_ms = 20000, .clock = &clock);
	c = kn_begin(own, .timeout_ms = 20);
	EXPECT(c, kn_exec(c, "SELECT pg_sleep(60)"), KN_TIMEOUT);
	ck_assert_uint_eq(stats_of(own).closed_broken, 0);
	atomic_store(&later, 60 * KN__NS_PER_S);
	kn_set_timeout(c, 10000);
	EXPECT(c, kn_transact(c, stream_and_fail, NULL), KN_DATA);
	ck_assert_uint_eq(stats_of(own).closed_broken, 0);
	kn_end(c);
	close_even(own);
}
END_TEST

static kn_db *
open_as(const char *conninfo)
{
	kn_db *of;

	OPEN(of, .conninfo = conninfo, .max_connections = 1, .stable_functions = "kn_turns");
	return of;
}

/* The first column of the one row, which has so many bytes. */
static void
check_text(kn_db *of, const char *sql, const char *expected, uint32_t n)
{
	kn_ctx *c = kn_begin(of);
	kn_rows *rows = kn_query(c, sql);

	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_uint_eq(kn_get_str(rows, 0).n, n);
	ck_assert_int_eq(memcmp(kn_get_str(rows, 0).p, expected, n), 0);
	EXPECT_OK(c, kn_done(rows));
	kn_end(c);
}

/*
 * In SJIS the second byte of this character is a backslash: who reads it otherwise than the server
 * takes the end of the string for a part of it, and what comes behind it for no statement.
 */
#define TRAP "SELECT E'\x83\x5c', nextval('kn_trap') --'"

/* Whatever the server's default is, and whoever has said it. */
static const char *const strangers[] = { "user=kn_japanese",
										 "options='-c client_encoding=SJIS'",
										 "options='-c client_encoding=LATIN1'" };

START_TEST(speaks_utf8)
{
	kn_db *of;
	kn_ctx *c;

	look_do(look,
			"DO $$BEGIN CREATE ROLE kn_japanese LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object"
			" THEN END$$; ALTER ROLE kn_japanese SET client_encoding = 'SJIS';"
			"DROP SEQUENCE IF EXISTS kn_trap; CREATE SEQUENCE kn_trap");
	of = open_as(strangers[_i]);
	check_text(of, "SELECT '\xe3\x82\xbd'", "\xe3\x82\xbd", 3);
	check_text(of, "SELECT current_setting('client_encoding')", "UTF8", 4);
	c = kn_begin(of);
	EXPECT(c, kn_exec(c, TRAP), KN_DATA);
	ck_assert_str_eq(kn_last_error(c)->sqlstate, "22021");
	ck_assert_int_eq(look_number(look, "SELECT is_called::int FROM kn_trap"), 0);
	kn_end(c);
	close_even(of);
}
END_TEST

/* What is between may have its own mind: then it is found out before anything is sent. */
START_TEST(is_refused_in_another_encoding)
{
	kn__conn *conn;
	kn__fault fault;

	ck_assert_int_eq(try_conn(&conn, "SJIS", &fault), KN_CONFIG);
	ck_assert_str_eq(fault.error.message,
					 "the session's client_encoding is SJIS, but has to be UTF8 or SQL_ASCII");
	ck_assert_ptr_null(conn);
}
END_TEST

/* What a function has set, though it is said to leave nothing behind. */
START_TEST(is_nobodys_in_another_encoding)
{
	kn_db *of = open_as("");
	kn_ctx *c = kn_begin(of);

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_turns() RETURNS text LANGUAGE sql AS"
			" $$SELECT set_config('client_encoding', 'SJIS', false)$$");
	for (int i = 0; i < 3; i++)
	{
		EXPECT_OK(c, kn_exec(c, "SELECT kn_turns()"));
		check_text(of, "SELECT current_setting('client_encoding')", "UTF8", 4);
		ck_assert_uint_eq(stats_of(of).closed_broken, i + 1);
	}
	kn_end(c);
	close_even(of);
}
END_TEST

/* Texts of a database that has no encoding can be had as they are. */
START_TEST(takes_texts_as_they_are)
{
	kn_db *of;
	kn_ctx *c;

	look_do(look, "DROP DATABASE IF EXISTS kn_ascii");
	look_do(look,
			"CREATE DATABASE kn_ascii TEMPLATE template0 ENCODING 'SQL_ASCII'"
			" LC_COLLATE 'C' LC_CTYPE 'C'");
	of = open_as("dbname=kn_ascii client_encoding=SQL_ASCII");
	check_text(of, "SELECT '\xff\xfe'", "\xff\xfe", 2);
	ck_assert_uint_eq(stats_of(of).closed_broken, 0);
	close_even(of);
	of = open_as("dbname=kn_ascii");
	check_text(of, "SELECT '\xc3\xbc'", "\xc3\xbc", 2);
	c = kn_begin(of);
	EXPECT(c, kn_exec(c, "SELECT '\xff\xfe'"), KN_DATA);
	kn_end(c);
	close_even(of);
}
END_TEST

/* What refuses to write may be a standby by now, and its name lead to another server. */
START_TEST(is_made_new_where_nothing_can_be_written)
{
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn__route_doubt(&db->servers[0], KN_CONN_LOST);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).opened, 1);
	kn__route_doubt(&db->servers[0], KN_READ_ONLY);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).opened, 2);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_left_by_a_jump);
	tcase_add_test(tcase, is_rolled_back_long_after_a_cancel);
	tcase_add_test(tcase, is_cancelled_as_it_begins);
	tcase_add_test(tcase, is_not_clean_in_a_transaction);
	tcase_add_test(tcase, lives_on_after_a_word_in_passing);
	tcase_add_test(tcase, is_looked_at_without_a_word);
	tcase_add_test(tcase, is_made_new_where_nothing_can_be_written);
	LOOP(tcase, prints_as_is_expected, interval_styles);
	LOOP(tcase, speaks_utf8, strangers);
	tcase_add_test(tcase, is_refused_in_another_encoding);
	tcase_add_test(tcase, is_nobodys_in_another_encoding);
	tcase_add_test(tcase, takes_texts_as_they_are);
}

int
main(void)
{
	return suite_run("state", fill);
}
