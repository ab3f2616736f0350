/*
 * passing.c
 *		What is said to a connection that nobody uses: it is heard, and only a good-bye ends it.
 *
 * The server itself says settings and notices only along with answers; but nothing holds it, or a
 * pooler, to that.  So it is the proxy's side of the connection that says it, while both are idle.
 */
#include "notes.h"
#include "proxy.h"

#include "run/pool_parts.h"
#include "run/run.h"
#include "wire/conn.h"

#define NOTICE  "SNOTICE\0VNOTICE\0C00000\0Mkn_passing\0"
#define GOODBYE "SFATAL\0VFATAL\0C57P01\0Mkn_passing\0"

static const struct
{
	char kind;
	const char *bytes;
	size_t n;
	int opened; /* connections, in the end */
	int notices;
	const char *zone; /* as libpq has it then; NULL: as it was */
} words[] = {
#define WORD(kind, bytes) kind, bytes, sizeof(bytes)
	{ WORD('N', NOTICE), 1, 1, NULL },
	{ WORD('S', "TimeZone\0kn_passing"), 1, 0, "kn_passing" },
	{ WORD('S', "application_name\0kn_passing"), 1, 0, NULL },
	{ WORD('A', "\0\0\0\1kn_channel\0kn_passing"), 1, 0, NULL },
	{ WORD('E', GOODBYE), 2, 0, NULL },
};

static void
set_up(void)
{
	look = look_open();
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

static void
use(kn_db *db)
{
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
}

/* Says it to the one client that there is. */
static void
say(proxy *p, char kind, const char *bytes, size_t n)
{
	uint32_t length = htonl((uint32_t) (sizeof(length) + n));
	char message[100] = { kind };

	memcpy(message + 1, &length, sizeof(length));
	memcpy(message + 5, bytes, n);
	proxy_tell(p, message, 5 + n);
}

/* The handle's one connection, which is idle. */
static PGconn *
connection_of(const kn_db *db)
{
	return ((kn__link *) (void *) db->servers[0].pool->slots[0].member)->conn->pg;
}

static void
open_through(kn_db **db, const proxy *p)
{
	OPEN(*db, .conninfo = p->conninfo, .hooks = &all, .max_connections = 1);
}

START_TEST(is_heard_by_who_is_idle)
{
	proxy p = { .text = "kn_no_text" };
	struct pollfd ready = { .events = POLLIN };
	kn_db *db;

	proxy_start(&p);
	open_through(&db, &p);
	use(db);
	use(db);
	ready.fd = PQsocket(connection_of(db));
	say(&p, words[_i].kind, words[_i].bytes, words[_i].n);
	ck_assert_int_eq(poll(&ready, 1, -1), 1);
	use(db);
	ck_assert_uint_eq(stats_of(db).opened, words[_i].opened);
	ck_assert_uint_eq(stats_of(db).closed_broken, words[_i].opened - 1);
	ck_assert_int_eq(times_told(KN_EVENT_NOTICE, "NOTICE"), words[_i].notices);
	if (words[_i].zone != NULL)
		ck_assert_str_eq(PQparameterStatus(connection_of(db), "TimeZone"), words[_i].zone);
	use(db);
	ck_assert_uint_eq(stats_of(db).opened, words[_i].opened);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* What is set for all comes with the next answer, and is no reason to leave it. */
START_TEST(is_heard_with_an_answer)
{
	kn_db *db;

	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	use(db);
	look_do(look, "ALTER SYSTEM SET TimeZone = 'Antarctica/Troll'");
	look_do(look, "SELECT pg_reload_conf()");
	while (strcmp(PQparameterStatus(connection_of(db), "TimeZone"), "Antarctica/Troll") != 0)
		use(db);
	look_do(look, "ALTER SYSTEM RESET TimeZone");
	look_do(look, "SELECT pg_reload_conf()");
	while (strcmp(PQparameterStatus(connection_of(db), "TimeZone"), "Antarctica/Troll") == 0)
		use(db);
	ck_assert_uint_eq(stats_of(db).opened, 1);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_heard_by_who_is_idle, words);
	tcase_add_test(tcase, is_heard_with_an_answer);
}

int
main(void)
{
	return suite_run("passing", fill);
}
