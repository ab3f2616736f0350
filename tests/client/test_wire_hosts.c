/*
 * test_wire_hosts.c
 *		Which of several hosts is asked, in which order, and for how long.
 *
 * Hosts are sockets that nobody accepts: the system takes the connection, and there is no answer.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"
#include "suite.h"
#include "wire/hosts.h"

#define MOST 3

static int sockets[MOST];
static int ports[MOST];

static void
set_up(void)
{
	static const char *const names[] = { "PGHOST",
										 "PGHOSTADDR",
										 "PGPORT",
										 "PGSERVICE",
										 "PGTARGETSESSIONATTRS" };

	for (int i = 0; i < COUNT(names); i++)
		ck_assert_int_eq(unsetenv(names[i]), 0);
	for (int i = 0; i < MOST; i++)
	{
		struct sockaddr_in at = { .sin_family = AF_INET };
		socklen_t length = sizeof(at);

		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(sockets[i], (struct sockaddr *) &at, sizeof(at)), 0);
		ck_assert_int_eq(listen(sockets[i], 16), 0);
		ck_assert_int_eq(getsockname(sockets[i], (struct sockaddr *) &at, &length), 0);
		ports[i] = ntohs(at.sin_port);
	}
}

static void
tear_down(void)
{
	for (int i = 0; i < MOST; i++)
		ck_assert_int_eq(close(sockets[i]), 0);
}

typedef struct asked
{
	kn__hosts hosts;
	const char *keywords[5];
	const char *values[5];
	char port[40];
} asked;

/* NULL is not said; where there are no ports, there is one for all. */
static void
begin(asked *a, const kn_allocator *allocator, const char *host, const char *hostaddr,
	  const char *attrs)
{
	const char *said[] = { host, hostaddr, a->port, attrs };
	static const char *const keywords[] = { "host", "hostaddr", "port", "target_session_attrs" };
	int count = 0;

	(void) snprintf(a->port, sizeof(a->port), "%d,%d,%d", ports[0], ports[1], ports[2]);
	memset(a->keywords, 0, sizeof(a->keywords));
	for (int i = 0; i < COUNT(said); i++)
	{
		if (said[i] == NULL)
			continue;
		a->keywords[count] = keywords[i];
		a->values[count++] = said[i];
	}
	ck_assert(kn__hosts_init(&a->hosts, allocator, a->keywords, a->values));
}

static const struct
{
	const char *host;
	const char *hostaddr;
	int first; /* of those that are asked; others are refused */
} lists[] = {
	{ "127.0.0.1,127.0.0.1,127.0.0.1", NULL, 0 },    { NULL, "127.0.0.1,127.0.0.1,127.0.0.1", 0 },
	{ "a,b,c", "127.0.0.1,127.0.0.1,127.0.0.1", 0 }, { "a,,c", "127.0.0.1,127.0.0.1,127.0.0.1", 0 },
	{ "127.0.0.1,127.0.0.1,c", ",,127.0.0.1", 0 },   { "/nowhere,127.0.0.1,c", ",,127.0.0.1", 1 },
	{ "/nowhere,127.0.0.1,127.0.0.1", NULL, 1 },
};

/* One after the other is silent, and the next is asked. */
START_TEST(asks_one_after_the_other)
{
	int64_t now = 1000;
	asked a;

	begin(&a, NULL, lists[_i].host, lists[_i].hostaddr, NULL);
	for (int i = lists[_i].first; i < MOST; i++)
	{
		PGconn *pg = kn__hosts_start(&a.hosts);
		char port[16];

		(void) snprintf(port, sizeof(port), "%d", ports[i]);
		ck_assert_int_ne(PQstatus(pg), CONNECTION_BAD);
		ck_assert_str_eq(PQport(pg), port);
		now = kn__hosts_until(&a.hosts, pg, now, 10000);
		ck_assert(i == MOST - 1 ? now == 10000 : now < 10000);
		PQfinish(pg);
		/* What refuses at once is asked again, and stays. */
		ck_assert(kn__hosts_drop(&a.hosts) == (i < MOST - 1 || lists[_i].first > 0));
	}
	kn__hosts_release(&a.hosts);
}
END_TEST

/* What is not used of a share is the others'. */
START_TEST(shares_the_time)
{
	PGconn *pg;
	asked a;

	begin(&a, NULL, "127.0.0.1,127.0.0.1,127.0.0.1", NULL, _i == 1 ? "prefer-standby" : NULL);
	pg = kn__hosts_start(&a.hosts);
	/* Each is asked twice there. */
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 1000, 7000), _i == 1 ? 2000 : 3000);
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 2500, 7000), _i == 1 ? 2000 : 3000);
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 2500, KN__NEVER), KN__NEVER);
	PQfinish(pg);
	ck_assert(kn__hosts_drop(&a.hosts));
	ck_assert_ptr_nonnull(strstr(a.hosts.silent, "\"127.0.0.1\" did not answer"));
	pg = kn__hosts_start(&a.hosts);
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 3000, 7000), _i == 1 ? 4000 : 5000);
	PQfinish(pg);
	ck_assert(kn__hosts_drop(&a.hosts));
	pg = kn__hosts_start(&a.hosts);
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 5000, 7000), 7000);
	PQfinish(pg);
	ck_assert(!kn__hosts_drop(&a.hosts));
	kn__hosts_release(&a.hosts);
}
END_TEST

/* One host has all of the time, and nothing changes for it. */
START_TEST(leaves_one_alone)
{
	PGconn *pg;
	asked a;

	begin(&a, NULL, "127.0.0.1", NULL, NULL);
	(void) snprintf(a.port, sizeof(a.port), "%d", ports[0]);
	pg = kn__hosts_start(&a.hosts);
	ck_assert_int_ne(PQstatus(pg), CONNECTION_BAD);
	ck_assert_int_eq(kn__hosts_until(&a.hosts, pg, 1000, 7000), 7000);
	ck_assert(!kn__hosts_drop(&a.hosts));
	ck_assert_ptr_null(a.hosts.keywords[a.hosts.said]);
	PQfinish(pg);
	kn__hosts_release(&a.hosts);
}
END_TEST

/* Then the time is not shared out; nothing worse comes of it. */
START_TEST(every_allocation_may_fail)
{
	bool is_whole = false;

	for (long n = 1; !is_whole; n++)
	{
		failing f;
		PGconn *pg;
		asked a = { .keywords = { "host", "port" }, .values = { "127.0.0.1,127.0.0.1", a.port } };

		(void) snprintf(a.port, sizeof(a.port), "%d,%d", ports[0], ports[1]);
		failing_init(&f, n, false);
		if (kn__hosts_init(&a.hosts, &f.allocator, a.keywords, a.values))
		{
			int64_t until;

			pg = kn__hosts_start(&a.hosts);
			until = kn__hosts_until(&a.hosts, pg, 1000, 3000);
			ck_assert(until == 2000 || until == 3000);
			is_whole = kn__hosts_drop(&a.hosts) && !a.hosts.arena.has_failed;
			PQfinish(pg);
		}
		kn__hosts_release(&a.hosts);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, asks_one_after_the_other, lists);
	tcase_add_loop_test(tcase, shares_the_time, 0, 2);
	tcase_add_test(tcase, leaves_one_alone);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("wire_hosts", fill);
}
