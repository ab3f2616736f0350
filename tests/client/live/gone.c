/*
 * gone.c
 *		A server that is gone along with its answer: it is noticed before the next call goes to it.
 *
 * Both have arrived when the client begins to wait: epoll_wait() is defined here, in front of the C
 * library's, and comes after them.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "notes.h"
#include "proxy.h"

static _Atomic(bool) is_going; /* from the statement on */
static _Atomic(bool) is_gone;

int
epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	while (timeout != 0 && is_going && !is_gone)
		(void) poll(NULL, 0, 1);
	return epoll_pwait(fd, events, count, timeout, NULL);
}

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_gone; CREATE TABLE kn_gone (name text)");
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
	char answer[PROXY_BYTES];
	size_t n = read_answer(p->hit, answer);

	pass_back(p, answer, n);
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

START_TEST(is_noticed_before_the_next_call)
{
	proxy p = { .when = MOMENT_DURING, .harm = answer_and_be_gone, .text = "the last" };
	char conninfo[160];
	kn_db *db;
	kn_ctx *cx;

	p.user = &p;
	is_going = is_gone = false;
	proxy_start(&p);
	(void) snprintf(conninfo, sizeof(conninfo), "host=%s port=54321", p.directory);
	OPEN(db, .conninfo = conninfo, .max_connections = 1);
	cx = kn_begin(db);
	/* By the third time it is prepared. */
	for (int i = 0; i < 3; i++)
		EXPECT_OK(cx, insert(cx, "before"));
	is_going = true;
	EXPECT_OK(cx, insert(cx, "the last"));
	ck_assert(is_gone);
	EXPECT_OK(cx, insert(cx, "after"));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_gone"), 5);
	ck_assert_int_eq(stats_of(db).opened, 2);
	ck_assert_int_eq(stats_of(db).retries, 0);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_noticed_before_the_next_call);
}

int
main(void)
{
	return suite_run("gone", fill);
}
