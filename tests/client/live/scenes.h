/*
 * scenes.h
 *		What programs do with the library, for tests that take something away from it meanwhile.
 *
 * Each scene plays on a context of its own and checks what it is handed out: KN_OK from a call
 * means that all of it is there.  It returns the first status that is not as expected, with
 * no transaction and no rows left open.
 */
#ifndef KN_TESTS_SCENES_H
#define KN_TESTS_SCENES_H

#include <stdatomic.h>

#include "live.h"

typedef kn_status act(kn_ctx *cx);

typedef struct scene scene;

struct scene
{
	const char *name;
	act *act;
	void (*configure)(kn_config *config); /* NULL: nothing but the usual */
	kn_status expected;                   /* where nothing is taken away */
	int rows;                             /* that it leaves in kn_scene, all or none of them */
	void (*prepare)(const scene *s,
					kn_db *db); /* before anything is taken away; NULL: nothing to do */
	/* What holds afterwards; whole: the last time nothing was taken away.  NULL: what always does.
	 */
	void (*check)(const scene *s, kn_db *db, bool is_whole);
};

/* Unlike an assertion of the test suite it costs no memory. */
#define MUST(fact)               \
	do                           \
	{                            \
		if (!(fact))             \
			ck_abort_msg(#fact); \
	} while (0)

/* The usual return of a call that has failed. */
#define TRY(call)                \
	do                           \
	{                            \
		kn_status tried_ = call; \
		if (tried_ != KN_OK)     \
			return tried_;       \
	} while (0)

static kn_db *scene_db; /* of the context that plays */

static kn_ctx *scene_begin(kn_db *db, const scene *s);

#include "scenes_cache.h"
#include "scenes_copy.h"
#include "scenes_handle.h"
#include "scenes_hedge.h"
#include "scenes_kinds.h"

static kn_status
act_exec(kn_ctx *cx)
{
	return kn_exec(cx, "INSERT INTO kn_scene VALUES ($1, $2)", 1, "one");
}

static kn_status
act_returning(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, "INSERT INTO kn_scene VALUES ($1, 'x') RETURNING id", 7);
	bool is_there = kn_next(rows) && kn_get_i32(rows, 0) == 7;
	kn_status status = kn_done(rows);

	MUST(is_there || status != KN_OK);
	return status;
}

static kn_status
act_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	for (int i = 0; i < 20; i++)
		(void) kn_add(batch, "INSERT INTO kn_scene VALUES ($1, 'batch') RETURNING id", i);
	status = kn_run_batch(batch, NULL);
	for (int i = 0; i < 20 && status == KN_OK; i++)
	{
		kn_rows *rows = kn_batch_rows(batch, i);
		bool is_there = kn_next(rows) && kn_get_i32(rows, 0) == i;

		MUST((kn_batch_affected(batch, i)) == (1));
		/* What was done is done, and only its rows may be out of reach. */
		MUST(kn_done(rows) == KN_NO_MEMORY || is_there);
	}
	return status;
}

static void
count_call(void *argument)
{
	++*(int *) argument;
}

static kn_status
nested_body(kn_ctx *cx, void *argument)
{
	const kn_status *outcome = argument;

	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (2, 'nested')"));
	return *outcome;
}

typedef struct calls
{
	int committed;
	int rolled_back;
	kn_status statuses[5];
} calls;

static kn_status
outer_body(kn_ctx *cx, void *argument)
{
	calls *c = argument;
	kn_status fails = KN_NOT_FOUND;
	kn_status passes = KN_OK;
	kn_status nested;
	kn_rows *rows;

	TRY(kn_after_commit(cx, count_call, &c->committed));
	TRY(kn_after_rollback(cx, count_call, &c->rolled_back));
	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'outer')"));
	nested = kn_transact(cx, nested_body, &fails);
	if (nested != KN_NOT_FOUND)
		return nested;
	TRY(kn_transact(cx, nested_body, &passes));
	rows = kn_stream(cx, "SELECT id FROM kn_scene ORDER BY id");
	for (int i = 1; i <= 2; i++)
	{
		if (!kn_next(rows) || kn_get_i32(rows, 0) != i)
			break;
	}
	return kn_done(rows);
}

static kn_status
act_transact(kn_ctx *cx)
{
	calls c = { 0 };
	kn_status status = kn_transact(cx, outer_body, &c);

	MUST((c.committed) == (status == KN_OK ? 1 : 0));
	MUST(!kn_in_transaction(cx));
	return status;
}

/* The second time it is known what they are. */
static kn_status
act_own_types(kn_ctx *cx)
{
	const int32_t size = 2;
	const kn_value items[] = { kn_text("sad"), kn_null() };
	const kn_array moods = { .items = items,
							 .sizes = &size,
							 .dimensions = 1,
							 .element = KN_TYPE_TEXT };

	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_query(cx,
								 "SELECT m, ARRAY[m, 'so so'] FROM (VALUES ('sad'::kn_scene_mood))"
								 " AS v (m) WHERE m = ANY ($1::kn_scene_mood[])",
								 kn_array_of(&moods));
		bool is_good = false;
		kn_status status;

		while (kn_next(rows))
		{
			kn_value array = kn_column(rows, 1);

			is_good = array.type == KN_TYPE_ARRAY && array.n == 2 &&
					  array.as.array->items[1].n == 5 && kn_get_str(rows, 0).n == 3;
		}
		status = kn_done(rows);
		MUST(status != KN_OK || is_good);
		TRY(status);
	}
	return KN_OK;
}

static kn_status
act_role(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, "SELECT current_user::text, current_setting('app.tenant')");
	bool is_there = kn_next(rows) && strcmp(kn_get_text(rows, 0), "kn_scene_role") == 0 &&
					strcmp(kn_get_text(rows, 1), "7") == 0;
	kn_status status = kn_done(rows);

	MUST(is_there || status != KN_OK);
	return status;
}

/* Each as expected, or as what stands in its way has it. */
static kn_status
act_errors(kn_ctx *cx)
{
	static const struct
	{
		const char *sql;
		kn_status status;
	} cases[] = {
		{ "INSERT INTO kn_scene VALUES (1, NULL)", KN_NOT_NULL },
		{ "SELECT 1 / (SELECT 0)", KN_DATA },
		{ "SELECT nothing FROM nowhere", KN_SCHEMA },
		{ "SELECT 'an unfinished", KN_SCHEMA },
		{ "BEGIN", KN_USAGE },
		{ "DO $$ BEGIN RAISE 'm' USING DETAIL = repeat('d', 9000), HINT = 'h'; END $$", KN_SERVER },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_status status = kn_exec(cx, cases[i].sql);

		MUST(status != KN_OK);
		if (status != cases[i].status)
			return status;
		status = kn_done(kn_query(cx, cases[i].sql));
		if (status != cases[i].status)
			return status;
	}
	return kn_done(kn_query(cx, "SELECT $1::int", "no number"));
}

static kn_status
act_cancel(kn_ctx *cx)
{
	kn_set_timeout(cx, 40);
	return kn_exec(cx, "INSERT INTO kn_scene SELECT 1, pg_sleep(2)::text");
}

static const scene one_server[] = {
	{ "exec", act_exec, NULL, KN_OK, 1, NULL, NULL },
	{ "returning", act_returning, NULL, KN_OK, 1, NULL, NULL },
	{ "query", act_query, NULL, KN_OK, 0, NULL, NULL },
	{ "parameters", act_parameters, NULL, KN_OK, 1, NULL, NULL },
	{ "own types", act_own_types, NULL, KN_OK, 0, NULL, NULL },
	{ "batch", act_batch, NULL, KN_OK, 20, NULL, NULL },
	{ "transact", act_transact, NULL, KN_OK, 2, NULL, NULL },
	{ "stream", act_stream, NULL, KN_OK, 0, NULL, NULL },
	{ "streamed write", act_streamed_write, NULL, KN_OK, 5, NULL, NULL },
	{ "streamed kinds", act_streamed_kinds, NULL, KN_OK, 0, NULL, NULL },
	{ "stream some", act_stream_some, NULL, KN_OK, 0, NULL, NULL },
	{ "role", act_role, NULL, KN_OK, 0, NULL, NULL },
	{ "errors", act_errors, NULL, KN_DATA, 0, NULL, NULL },
	{ "cancel", act_cancel, NULL, KN_TIMEOUT, 0, NULL, NULL },
	{ "many", act_many, configure_small_cache, KN_OK, 0, NULL, NULL },
	{ "cached", act_cached, configure_cache, KN_OK, 0, NULL, check_hits },
	{ "cached kinds", act_cached_kinds, configure_cache, KN_OK, 0, NULL, check_hits },
	{ "cached by two", act_cached_by_two, configure_cache, KN_OK, 0, NULL, NULL },
	{ "uncached", act_uncached, configure_cache, KN_OK, 1, NULL, check_hits },
	{ "written through", act_written_through, configure_cache, KN_OK, 1, NULL, check_written },
	{ "waiters", act_waiters, configure_one, KN_OK, 1, NULL, NULL },
	{ "canceled", act_canceled, NULL, KN_CANCELED, 0, NULL, NULL },
	{ "copy in", act_copy_in, NULL, KN_OK, SCENE_LINES, NULL, NULL },
	{ "copy rows", act_copy_rows, NULL, KN_OK, SCENE_LINES, NULL, NULL },
	{ "copy kinds", act_copy_kinds, NULL, KN_OK, SCENE_KINDS, NULL, NULL },
	{ "copy out", act_copy_out, NULL, KN_OK, 0, NULL, NULL },
	{ "copy some", act_copy_some, NULL, KN_OK, 0, NULL, NULL },
	{ "scan", act_scan, NULL, KN_OK, 0, NULL, NULL },
	{ "listen", act_listen, configure_listener, KN_OK, 0, NULL, NULL },
	{ "log", act_log, configure_log, KN_OK, 1, NULL, NULL },
	{ "all", act_exec, configure_all, KN_OK, 1, NULL, NULL },
};

/* Of two servers, of which one is a standby. */
static const scene two_servers[] = {
	{ "hedged", act_hedged, configure_hedge, KN_OK, 0, prepare_hedge, check_hedge },
	{ "hedged batch", act_hedged_batch, configure_hedge, KN_OK, 0, prepare_hedge, check_hedge },
	{ "hedged late", act_hedged_late, configure_hedge, KN_TIMEOUT, 0, prepare_hedge, check_hedge },
};

/* Where there is a standby the others are played elsewhere. */
static int
scene_count(void)
{
	return has_standby() ? COUNT(two_servers) : COUNT(one_server);
}

static const scene *
scene_at(int i)
{
	return has_standby() ? &two_servers[i] : &one_server[i];
}

static void
scenes_set_up(PGconn *look)
{
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_scene_kinds, kn_scene; CREATE TABLE kn_scene (id int, what text NOT NULL);"
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kn_scene_role')"
		" THEN CREATE ROLE kn_scene_role; END IF; END $$;"
		"DROP TYPE IF EXISTS kn_scene_mood; CREATE TYPE kn_scene_mood AS ENUM ('sad', 'so so')");
	look_do(look, x_make_kinds);
	if (has_standby())
		make_hedge(look);
}

/* A context for a scene; claims and role are what one of them asks for. */
static kn_ctx *
scene_begin(kn_db *db, const scene *s)
{
	static const char *const claims[] = { "app.tenant", "7", NULL };
	bool has_claims = s->act == act_role || s->act == act_hedged_batch;

	scene_db = db;
	return kn_begin(db,
					.timeout_ms = 20000,
					.actor = "somebody",
					.trace_id = "trace",
					.role = s->act == act_role ? "kn_scene_role" : NULL,
					.hedge = s->prepare == prepare_hedge,
					.claims = has_claims ? claims : NULL);
}

#endif
