/*
 * hosts.c
 *		Several hosts in one conninfo: those that say nothing keep nobody from the others.
 */
#include "gate.h"

#define CONNECT_MS  2000
#define SLOWNESS_MS 3000 /* of the machine */

static gate g;

static void
set_up(void)
{
	gate_start(&g);
}

static void
tear_down(void)
{
	gate_end(&g);
}

/* The host that is silent is the gate's, and the other one is the server. */
static const char *const several[] = {
	"host=127.0.0.1,%2$s port=%1$d,%3$s",
	"host=127.0.0.1,%2$s port=%1$d,%3$s target_session_attrs=read-write",
	"host=127.0.0.1,%2$s port=%1$d,%3$s target_session_attrs=prefer-standby",
	"host=%2$s,127.0.0.1 port=%3$s,%1$d target_session_attrs=prefer-standby",
	"host=127.0.0.1,%2$s hostaddr=127.0.0.1, port=%1$d,%3$s",
	"host=/nowhere,127.0.0.1,127.0.0.1,%2$s hostaddr=,127.0.0.1,127.0.0.1, port=17,%1$d,%1$d,%3$s",
};

static void
hosts_of(char *text, size_t room, const char *format, int silent_port)
{
	const char *host = is_tls() ? getenv("PGHOST") : socket_dir();

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void) snprintf(text, room, format, silent_port, host, getenv("PGPORT"));
#pragma GCC diagnostic pop
}

/* One that is not there at all is passed over at once. */
START_TEST(goes_on_to_the_next_host)
{
	char conninfo[256];
	kn_db *db;
	kn_ctx *cx;

	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=/nowhere,%s port=17,%s target_session_attrs=read-write",
					getenv("PGHOST"),
					getenv("PGPORT"));
	OPEN(db, .conninfo = conninfo, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Each has its share of the time, and not one of them all of it. */
START_TEST(goes_on_past_a_host_that_is_silent)
{
	int64_t begun = gate_now();
	char hosts[300];
	kn_ctx *cx;
	kn_db *db;

	hosts_of(hosts, sizeof(hosts), several[_i], g.port);
	gate_set_both(&g, FLOW_DROP, 0);
	OPEN(db, .conninfo = hosts, .max_connections = 1, .connect_ms = CONNECT_MS);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_lt((int) (gate_now() - begun), CONNECT_MS + SLOWNESS_MS);
	ck_assert_int_ge(g.accepted, 1);
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Where the system takes no more for it, as where packets are lost on the way. */
START_TEST(goes_on_past_a_host_that_takes_nobody)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);
	int full = socket(AF_INET, SOCK_STREAM, 0);
	int queued[8];
	char hosts[300];
	kn_ctx *cx;
	kn_db *db;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(full, (struct sockaddr *) &at, sizeof(at)), 0);
	ck_assert_int_eq(listen(full, 0), 0);
	ck_assert_int_eq(getsockname(full, (struct sockaddr *) &at, &length), 0);
	for (int i = 0; i < COUNT(queued); i++)
	{
		queued[i] = socket(AF_INET, SOCK_STREAM, 0);
		gate_be_quick(queued[i]);
		(void) connect(queued[i], (struct sockaddr *) &at, sizeof(at));
	}
	hosts_of(hosts, sizeof(hosts), several[0], ntohs(at.sin_port));
	OPEN(db, .conninfo = hosts, .max_connections = 1, .connect_ms = CONNECT_MS);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
	for (int i = 0; i < COUNT(queued); i++)
		(void) close(queued[i]);
	(void) close(full);
}
END_TEST

/* The first that answers is it, as long as it is what was asked for. */
START_TEST(keeps_the_order_of_hosts)
{
	char hosts[300];
	gate others[2];
	kn_ctx *cx;
	kn_db *db;

	for (int i = 0; i < 2; i++)
		gate_start(&others[i]);
	(void) snprintf(hosts,
					sizeof(hosts),
					"host=127.0.0.1,127.0.0.1,127.0.0.1 port=%d,%d,%d",
					g.port,
					others[0].port,
					others[1].port);
	if (_i == 1)
		gate_set_both(&g, FLOW_DROP, 0);
	OPEN(db, .conninfo = hosts, .max_connections = 1, .connect_ms = 3000);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	ck_assert_int_ge(g.accepted, 1);
	ck_assert_int_eq(others[0].accepted > 0, _i == 1);
	ck_assert_int_eq(others[1].accepted, 0);
	close_even(db);
	for (int i = 0; i < 2; i++)
		gate_end(&others[i]);
}
END_TEST

/* None of them is what is asked for, and the one that may be says nothing. */
START_TEST(takes_no_host_but_what_was_asked_for)
{
	char hosts[300];
	kn_ctx *cx;
	kn_db *db;

	hosts_of(hosts,
			 sizeof(hosts),
			 "host=127.0.0.1,%2$s port=%1$d,%3$s target_session_attrs=standby",
			 g.port);
	gate_set_both(&g, FLOW_DROP, 0);
	OPEN(db, .conninfo = hosts, .max_connections = 1, .connect_ms = 4000, .acquire_ms = 12000);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_CONN_LOST);
	ck_assert_msg(strstr(kn_last_error(cx)->message, "not in hot standby mode") != NULL,
				  "%s",
				  kn_last_error(cx)->message);
	kn_end(cx);
	ck_assert_int_eq(kn_close(db, 5000), KN_OK);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, goes_on_to_the_next_host);
	LOOP(tcase, goes_on_past_a_host_that_is_silent, several);
	tcase_add_test(tcase, goes_on_past_a_host_that_takes_nobody);
	tcase_add_loop_test(tcase, keeps_the_order_of_hosts, 0, 2);
	tcase_add_test(tcase, takes_no_host_but_what_was_asked_for);
}

int
main(void)
{
	return suite_run("hosts", fill);
}
