/*
 * kill_ways.h
 *		Ways to lose a connection, each at each moment of what is done with it.
 *
 * The moments are those of the protocol, so what passes has to be read: where the rest goes by
 * TLS, that ends at the proxy.  See kill_bytes.c for streams of which nobody knows what they mean.
 */
#ifndef KN_TESTS_KILL_WAYS_H
#define KN_TESTS_KILL_WAYS_H

#include "kill_run.h"

#define SLOWNESS_MS 3000 /* of the machine */

static kn_db *
open_through(harm *p)
{
	char conninfo[160];
	kn_db *db;

	(void) snprintf(conninfo, sizeof(conninfo), "%s application_name=kn_kill", p->proxy.conninfo);
	OPEN(db,
		 .conninfo = conninfo,
		 .max_connections = 2,
		 .stable_functions = "kn_pause",
		 .cancel_ms = is_silent(p->how) ? CANCEL_MS : 1000,
		 .allocator = &p->scene.allocator,
		 .cache = &p->scene.cache);
	return db;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const deed *played;

static bool
play(way how, moment when, int number, int64_t patience_ms)
{
	const deed *d = &played[number];
	harm p = { .how = how, .when = when };
	bool is_done;
	bool is_short = false;
	int64_t begun;
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	scene_begin(&p.scene);
	if (when == MOMENT_DURING)
		look_do(p.scene.holder, "SELECT pg_advisory_lock(4711)");
	harm_prepare(&p, d->text, d->message, do_harm);
	proxy_start(&p.proxy);
	db = open_through(&p);
	cx = kn_begin(db, .claims = claims_of(d), .timeout_ms = 20000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 0"));
	/* To roll back takes no longer than to cancel, whatever time there is. */
	if (is_silent(how) && d->kind != DEED_ROLLS_BACK && d->kind != DEED_GIVES_UP)
		kn_set_timeout(cx, patience_ms);
	begun = now_ms();
	status = d->act(&p.scene, cx);
	if (is_silent(how))
		ck_assert_int_lt(now_ms() - begun, patience_ms + 2 * CANCEL_MS + SLOWNESS_MS);
	is_done = p.proxy.is_done;
	ck_assert_msg(is_done || is_silent(how), "no harm was done");
	/* It falls silent while the call runs out of time, and not after all is to go on. */
	proxy_await_harm(&p.proxy);
	p.proxy.drops = false;
	thaw(&p);
	ck_assert_int_eq(stats_of(db).busy, 0);
	/* And all goes on. */
	kn_set_timeout(cx, 20000);
	if (is_done)
	{
		check_truth(&p.scene, cx, d, status);
		/* It was to be silent only after it had answered, and took so long for that. */
		is_short = is_late(how, when) && !is_expected(d, how, when, status) &&
				   is_expected_of_silence(d, status) && patience_ms < MOST_PATIENCE_MS;
		ck_assert_msg(is_short || is_expected(d, how, when, status),
					  "%s, moment %d: %s [%s] %s",
					  d->name,
					  when,
					  kn_status_name(status),
					  kn_last_error(cx)->sqlstate,
					  kn_last_error(cx)->message);
		/* A commit that was done is not done again. */
		if (d->kind == DEED_ENDS_A_BODY && when >= MOMENT_AFTER && status == KN_OK)
			ck_assert_int_eq(p.scene.runs, 1);
		while (how >= WAY_KILL && kn_exec(cx, "SELECT 1") != KN_OK)
			(void) poll(NULL, 0, 10);
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	}
	kn_end(cx);
	/* Requests to cancel have been left waiting, and to close the handle waits for them. */
	if (how == WAY_DROP)
		proxy_close_silent(&p.proxy);
	close_even(db);
	proxy_end(&p.proxy);
	scene_end(&p.scene);
	return is_done && !is_short;
}

static bool
has_moment(int number, moment when)
{
	const deed *d = &played[number];

	/* Nobody knows when the server is at what it does not wait at. */
	if (when == MOMENT_DURING)
		return d->waits;
	/* To data there is no answer before its end. */
	return when < MOMENT_DURING || d->message != 'd';
}

static int
kill_deeds(const char *name, const deed *table, int count)
{
	const kill_plan all = { name, count, has_moment, play };

	played = table;
	return kill_run(&all);
}

#endif
