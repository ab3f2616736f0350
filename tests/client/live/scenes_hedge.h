/*
 * scenes_hedge.h
 *		Scenes of reads that are sent to a second server; see scenes.h, which includes it.
 *
 * KN_TEST_REPLICA is a standby.  There kn_scene_read() takes its time, so that the primary is
 * the second, and the first to answer.
 */
#ifndef KN_TESTS_SCENES_HEDGE_H
#define KN_TESTS_SCENES_HEDGE_H

#include <stdatomic.h>

#include "live.h"

#define HEDGE_READS 140 /* after so many it is known what is slow */
#define HEDGE_SLOW  0.5 /* seconds; where there is no second that is how long it takes */

static bool
has_standby(void)
{
	return getenv("KN_TEST_REPLICA") != NULL;
}

static void
make_hedge(PGconn *look)
{
	PGconn *there = PQconnectdb(getenv("KN_TEST_REPLICA"));

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_scene_read(there float8, here float8) RETURNS text"
			" STABLE LANGUAGE plpgsql AS $$ BEGIN"
			" PERFORM pg_sleep(CASE WHEN pg_is_in_recovery() THEN there ELSE here END);"
			" RETURN 'read'; END $$");
	look_await(there, "SELECT count(*) FROM pg_proc WHERE proname = 'kn_scene_read'", 1);
	PQfinish(there);
}

static void
configure_hedge(kn_config *config)
{
	static const char *replicas[] = { NULL, NULL };

	replicas[0] = getenv("KN_TEST_REPLICA");
	config->replicas = replicas;
	config->hedge_percent = 100;
	config->probe_ms = 50;
	config->stable_functions = "kn_scene_read";
}

static kn_stats
hedge_stats(kn_db *db, int server)
{
	kn_stats stats = { .size = sizeof(stats) };

	MUST(kn_get_stats(db, server, &stats) == KN_OK);
	return stats;
}

/* What was taken comes back, also of who has lost. */
static void
await_losers(kn_db *db)
{
	for (int i = 0; i < 2; i++)
	{
		for (int ms = 0; hedge_stats(db, i).busy > 0; ms++)
		{
			MUST(ms < 20000);
			(void) poll(NULL, 0, 1);
		}
	}
}

/*
 * Plays it until it comes to the primary as well, whose answer is the first if there is one; a
 * standby that was lost is soon known again.
 */
static void
hedge_once(const scene *s, kn_db *db)
{
	kn_stats before = hedge_stats(db, 0);
	kn_stats now = before;

	while (now.hedges == before.hedges ||
		   (s->expected == KN_OK && now.hedges_won == before.hedges_won))
	{
		kn_ctx *cx = scene_begin(db, s);

		EXPECT(cx, s->act(cx), s->expected);
		kn_end(cx);
		await_losers(db);
		now = hedge_stats(db, 0);
	}
}

/*
 * Until it is known what is slow there, and the primary has a connection that is idle; and
 * statements are sent to a second server only where they are known.
 */
static void
prepare_hedge(const scene *s, kn_db *db)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 20000, .route = KN_ROUTE_PRIMARY);

	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	while (hedge_stats(db, 1).queries < HEDGE_READS)
	{
		cx = kn_begin(db, .timeout_ms = 20000, .hedge = true);
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_scene_read(0, 0)"));
		kn_end(cx);
	}
	hedge_once(s, db);
}

static void
check_hedge(const scene *s, kn_db *db, bool is_whole)
{
	if (is_whole)
		hedge_once(s, db);
	await_losers(db);
}

static kn_status
act_hedged(kn_ctx *cx)
{
	static const char sql[] =
		"SELECT kn_scene_read($1, 0), repeat('x', 9000), generate_series(1, 3)";
	kn_rows *rows = kn_query(cx, sql, HEDGE_SLOW);
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_str(rows, 0).n == 4 && kn_get_str(rows, 1).n == 9000 &&
		   kn_get_i32(rows, 2) == count + 1)
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 3);
	return status;
}

/* Several statements, and settings before them. */
static kn_status
act_hedged_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	(void) kn_add(batch, "SELECT kn_scene_read($1, 0)", HEDGE_SLOW);
	(void) kn_add(batch, "SELECT current_setting('app.tenant')");
	status = kn_run_batch(batch, NULL);
	for (int i = 0; i < 2 && status == KN_OK; i++)
	{
		kn_rows *rows = kn_batch_rows(batch, i);
		bool is_there = kn_next(rows) && strcmp(kn_get_text(rows, 0), i == 0 ? "read" : "7") == 0;

		MUST(kn_done(rows) == KN_NO_MEMORY || is_there);
	}
	return status;
}

/* Neither has an answer in time, and both are cancelled. */
static kn_status
act_hedged_late(kn_ctx *cx)
{
	kn_set_timeout(cx, 60);
	return kn_done(kn_query(cx, "SELECT kn_scene_read(20, 20)"));
}

#endif
