/*
 * hedge.h
 *		What the tests of reads that are sent to a second server share.
 *
 * KN_TEST_DIRECT is the primary, KN_TEST_REPLICA a standby.  That goes by two names, kn_a and
 * kn_b, as if there were two of them; how slow each one is says a table.
 */
#ifndef KN_TESTS_HEDGE_H
#define KN_TESTS_HEDGE_H

#include "live.h"

#include "base/base.h"

#define SLOW     "120"               /* seconds: nobody waits for that to end by itself */
#define SOON_NS  (30 * KN__NS_PER_S) /* long before that */
#define NEVER_MS 60000               /* and so does a deadline that is not to be met */
#define BATCH    40                  /* reads; some of them begin at either server */

enum
{
	PRIMARY,
	A,
	B,
	SERVERS
};

static PGconn *look;    /* at the primary */
static PGconn *standby; /* at the standby */
static kn_db *db;

static const char x_read[] = "SELECT kn_read(1)";
static const char x_a_reads[] =
	"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
	" WHERE application_name = 'kn_a' AND state = 'active' AND query ~ 'kn_read'";
static const char x_b_reads[] =
	"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
	" WHERE application_name = 'kn_b' AND state = 'active' AND query ~ 'kn_read'";

static inline kn_stats
stats_at(int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	ck_assert_int_eq(kn_get_stats(db, server, &stats), KN_OK);
	return stats;
}

static inline uint64_t
hedges(void)
{
	return stats_at(PRIMARY).hedges + stats_at(A).hedges + stats_at(B).hedges;
}

/* How long a server takes; the standby knows it when this returns. */
static inline void
be_slow(const char *name, const char *seconds)
{
	char sql[256];

	(void) snprintf(sql,
					sizeof(sql),
					"UPDATE kn_slow SET seconds = '%s' WHERE name = '%s'",
					seconds,
					name);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT count(*) FROM kn_slow WHERE name = '%s' AND seconds = '%s'",
					name,
					seconds);
	look_await(standby, sql, 1);
}

/* A read, and the name of the server that has answered it; "" where it failed. */
static inline const char *
read_at(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, x_read);
	const char *name = kn_next(rows) ? kn_get_text(rows, 0) : "";

	ck_assert_int_eq(kn_next(rows), false);
	return kn_done(rows) == KN_OK ? name : "";
}

/* What was taken comes back, also what is being cancelled. */
static inline void
await_even(void)
{
	for (int i = 0; i < SERVERS; i++)
		while (stats_at(i).busy > 0)
			(void) poll(NULL, 0, 1);
}

static inline void
open_with(kn_config config, const char *a)
{
	static char conninfo[2][512];
	const char *const replicas[] = { conninfo[0], conninfo[1], NULL };
	char why[256];

	(void) snprintf(conninfo[0],
					sizeof(conninfo[0]),
					"%s application_name=kn_a",
					a == NULL ? getenv("KN_TEST_REPLICA") : a);
	(void) snprintf(conninfo[1],
					sizeof(conninfo[1]),
					"%s application_name=kn_b",
					getenv("KN_TEST_REPLICA"));
	if (config.cancel_ms == 0)
		config.cancel_ms = 20000;
	config.size = sizeof(config);
	config.conninfo = getenv("KN_TEST_DIRECT");
	config.replicas = replicas;
	config.probe_ms = 20;
	config.max_connections = 6;
	/* Of what else is called, nobody knows whether it may happen twice. */
	config.stable_functions = "kn_read";
	ck_assert_msg(kn_open_config(&db, why, sizeof(why), &config) == KN_OK, "%s", why);
}

/* Reads until both know how long that takes. */
static inline void
warm_up(void)
{
	while (stats_at(A).queries < 300 || stats_at(B).queries < 300)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		(void) read_at(cx);
	}
	await_even();
}

static inline void
set_up(void)
{
	look = look_open();
	standby = PQconnectdb(getenv("KN_TEST_REPLICA"));
	ck_assert_int_eq(PQstatus(standby), CONNECTION_OK);
	be_slow("kn_a", "0");
	be_slow("kn_b", "0");
	open_with((kn_config){ .hedge_percent = 100 }, NULL);
}

static inline void
tear_down(void)
{
	await_even();
	close_even(db);
	PQfinish(standby);
	PQfinish(look);
}

/* Once, before all tests; the program before may have made them. */
static inline void
make_tables(void)
{
	PGconn *conn = look_open();
	PGconn *there = PQconnectdb(getenv("KN_TEST_REPLICA"));

	look_do(
		conn,
		"CREATE TABLE IF NOT EXISTS kn_slow (name text PRIMARY KEY, seconds text);"
		"INSERT INTO kn_slow VALUES ('kn_p', '0'), ('kn_a', '0'), ('kn_b', '0')"
		" ON CONFLICT (name) DO UPDATE SET seconds = '0';"
		"CREATE TABLE IF NOT EXISTS kn_written (name text);"
		"CREATE SEQUENCE IF NOT EXISTS kn_numbers;"
		"CREATE OR REPLACE FUNCTION kn_read(int) RETURNS text STABLE LANGUAGE plpgsql AS $$BEGIN"
		" PERFORM pg_sleep(seconds::float8) FROM kn_slow"
		" WHERE name = current_setting('application_name') AND seconds <> '0';"
		" RETURN current_setting('application_name'); END$$;"
		"CREATE OR REPLACE FUNCTION kn_guess(int) RETURNS text LANGUAGE sql AS 'SELECT kn_read($1)'");
	/* So that no read is ended for what the primary cleans up. */
	look_do(there, "ALTER SYSTEM SET hot_standby_feedback = on");
	look_do(there, "SELECT pg_reload_conf()");
	look_await(there, "SELECT count(*) FROM pg_proc WHERE proname = 'kn_guess'", 1);
	PQfinish(there);
	PQfinish(conn);
}

#endif
