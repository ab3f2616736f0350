/*
 * gone.c
 *		All that a server will ever say has arrived when the client begins to wait for it.
 *
 * So it is with one that is gone along with its answer, and with one that has refused COPY as it
 * began: what has been told then is not told again.  epoll_wait() is defined here, in front of
 * that of the C library, and comes after all of it.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "notes.h"
#include "proxy.h"

#define PATIENCE_MS 5000 /* for what is sure to come */

static _Atomic(bool) is_going; /* from the statement on */
static _Atomic(bool) is_gone;

static _Atomic(int) waits; /* that have begun */

/* The library is to find it, and the programs are built for nobody to find anything. */
KN_API int
epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	waits += timeout != 0;
	for (int i = 0; i < PATIENCE_MS && timeout != 0 && is_going && !is_gone; i++)
		(void) poll(NULL, 0, 1);
	return epoll_pwait(fd, events, count, timeout, NULL);
}

static void
set_up(void)
{
	look = look_open();
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_gone, kn_gone_too; CREATE TABLE kn_gone (name text);"
		"CREATE TABLE kn_gone_too (a int);"
		"CREATE OR REPLACE FUNCTION kn_gone_refuse() RETURNS trigger LANGUAGE plpgsql AS"
		" $$BEGIN RAISE EXCEPTION USING MESSAGE = repeat('x', 40000), ERRCODE = '22023'; END$$");
}

static void
tear_down(void)
{
	PQfinish(look);
}

static bool
answer_and_be_gone(void *user)
{
	proxy *p = user;

	pass_answer_back(p);
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		if (p->pairs[i] != NULL && p->pairs[i]->server == p->hit)
			(void) shutdown(p->pairs[i]->client, SHUT_RDWR);
	}
	is_gone = true;
	return true;
}

static kn_status
insert(kn_ctx *cx, const char *name)
{
	return kn_exec(cx, "INSERT INTO kn_gone VALUES ($1)", name);
}

/* A handle that has one connection, through a proxy. */
typedef struct stage
{
	proxy proxy;
	kn_db *db;
	kn_ctx *cx;
	int rounds;
} stage;

static void
stage_begin(stage *s, const char *text, bool (*harm)(void *user))
{
	*s = (stage){ .proxy = { .when = MOMENT_DURING, .harm = harm, .text = text } };
	s->proxy.user = &s->proxy;
	is_going = is_gone = false;
	waits = 0;
	proxy_start(&s->proxy);
	OPEN(s->db, .conninfo = s->proxy.conninfo, .max_connections = 1);
	s->cx = kn_begin(s->db, .timeout_ms = 10000);
}

static void
stage_end(stage *s)
{
	ck_assert_int_gt(waits, 0);
	kn_end(s->cx);
	close_even(s->db);
	proxy_end(&s->proxy);
}

START_TEST(is_noticed_before_the_next_call)
{
	stage s;

	stage_begin(&s, "the last", answer_and_be_gone);
	/* By the third time it is prepared. */
	for (int i = 0; i < 3; i++)
		EXPECT_OK(s.cx, insert(s.cx, "before"));
	is_going = true;
	EXPECT_OK(s.cx, insert(s.cx, "the last"));
	ck_assert(is_gone);
	EXPECT_OK(s.cx, insert(s.cx, "after"));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_gone"), 5);
	ck_assert_int_eq(stats_of(s.db).opened, 2);
	ck_assert_int_eq(stats_of(s.db).retries, 0);
	stage_end(&s);
}
END_TEST

/* Whose last statement is answered, and who is gone then; once. */
static kn_status
be_left(kn_ctx *cx, void *argument)
{
	stage *s = argument;
	kn_status status = insert(cx, "before");

	is_going = true;
	if (status == KN_OK && s->rounds++ == 0)
		status = insert(cx, "the last");
	return status == KN_OK ? insert(cx, "after") : status;
}

START_TEST(is_noticed_within_a_transaction)
{
	stage s;

	stage_begin(&s, "the last", answer_and_be_gone);
	for (int i = 0; i < 3; i++)
		EXPECT_OK(s.cx, insert(s.cx, "before"));
	/* Were the deadline waited for, there would be no time for a second round. */
	kn_set_timeout(s.cx, 10000);
	EXPECT_OK(s.cx, kn_transact(s.cx, be_left, &s));
	ck_assert(is_gone);
	ck_assert_int_eq(s.rounds, 2);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_gone"), 5);
	stage_end(&s);
}
END_TEST

static bool
answer_at_once(void *user)
{
	pass_answer_back(user);
	is_gone = true;
	return false;
}

/* What it is told is more than libpq reads at a time. */
static kn_status
copy_in_vain(kn_ctx *cx, void *argument)
{
	kn_copy *copy;

	(void) argument;
	/* Nothing has to be asked for before the COPY: the transaction has its number. */
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_gone_too VALUES (1)"));
	is_going = true;
	copy = kn_copy_in(cx, "COPY kn_gone FROM STDIN");
	(void) kn_copy_put(copy, "x\n", 2);
	return kn_copy_end(copy, NULL);
}

START_TEST(copy_that_was_refused_as_it_began_ends)
{
	stage s;

	look_do(look,
			"CREATE TRIGGER refuse BEFORE INSERT ON kn_gone"
			" FOR EACH STATEMENT EXECUTE FUNCTION kn_gone_refuse()");
	stage_begin(&s, "COPY kn_gone", answer_at_once);
	ck_assert_int_eq(kn_transact(s.cx, copy_in_vain, NULL), KN_DATA);
	ck_assert(is_gone);
	ck_assert_str_eq(kn_last_error(s.cx)->sqlstate, "22023");
	EXPECT_OK(s.cx, kn_exec(s.cx, "SELECT 1"));
	ck_assert_int_eq(stats_of(s.db).opened, 1);
	stage_end(&s);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_noticed_before_the_next_call);
	tcase_add_test(tcase, is_noticed_within_a_transaction);
	tcase_add_test(tcase, copy_that_was_refused_as_it_began_ends);
}

int
main(void)
{
	return suite_run("gone", fill);
}
