/*
 * scenes_handle.h
 *		Scenes of what a handle is configured with; see scenes.h, which includes it.
 */
#ifndef KN_TESTS_SCENES_HANDLE_H
#define KN_TESTS_SCENES_HANDLE_H

#include <stdatomic.h>

#include "scenes_cache.h"

/*
 * More statements than the cache has room for, in turn.  The server has none but those of the
 * cache, one that is about to be closed, and one that could not be noted for that.
 */
static kn_status
act_many(kn_ctx *cx)
{
	static const char *const sqls[] = { "SELECT 0",     "SELECT 0 + 1", "SELECT 0 + 2",
										"SELECT 0 + 3", "SELECT 0 + 4", "SELECT 0 + 5" };
	static const kn_options plain = { .size = sizeof(plain), .never_prepare = true };
	kn_rows *rows;
	bool is_there;
	kn_status status;

	for (int i = 0; i < 5 * COUNT(sqls); i++)
	{
		rows = kn_query(cx, sqls[i / 2 % COUNT(sqls)]);
		is_there = kn_next(rows) && kn_get_i32(rows, 0) == i / 2 % COUNT(sqls);
		status = kn_done(rows);
		MUST(is_there || status != KN_OK);
		TRY(status);
	}
	rows = kn_query_values(cx, "SELECT count(*) < 5 FROM pg_prepared_statements", NULL, 0, &plain);
	is_there = kn_next(rows) && kn_get_bool(rows, 0);
	status = kn_done(rows);
	MUST(is_there || status != KN_OK || is_pooled());
	return status;
}

static void
configure_small_cache(kn_config *config)
{
	config->statement_cache = 2;
}

static void
configure_one(kn_config *config)
{
	config->max_connections = 1;
}

typedef struct waiter
{
	_Atomic(bool) is_over;
	kn_status status;
} waiter;

static void *
wait_for_it(void *argument)
{
	waiter *w = argument;
	kn_ctx *cx = kn_begin(scene_db, .timeout_ms = 20000);

	w->status = kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'waited')");
	MUST((kn_last_error(cx)->status) == (w->status));
	kn_end(cx);
	atomic_store(&w->is_over, true);
	return NULL;
}

static bool
is_nobody_waiting(void)
{
	kn_stats stats = { .size = sizeof(stats) };

	MUST(kn_get_stats(scene_db, 0, &stats) == KN_OK);
	return stats.waiting == 0;
}

/* Two callers for one connection. */
static kn_status
act_waiters(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, "SELECT 1");
	waiter w = { .status = KN_OK };
	pthread_t thread;
	kn_status status;

	if (!kn_next(rows))
		return kn_done(rows);
	MUST((pthread_create(&thread, NULL, wait_for_it, &w)) == (0));
	while (is_nobody_waiting() && !atomic_load(&w.is_over))
		(void) sched_yield();
	status = kn_done(rows);
	MUST((pthread_join(thread, NULL)) == (0));
	/* How the one who holds it fares, other scenes tell. */
	MUST(status == KN_OK || kn_last_error(cx)->status == status);
	return w.status;
}

static kn_status
act_listen(kn_ctx *cx)
{
	kn_listener *listener;
	kn_status status;

	TRY(kn_open_listener(&listener, scene_db, NULL));
	status = listen_and_hear(cx, listener);
	kn_close_listener(listener);
	return status;
}

static void *
cancel_it(void *cx)
{
	kn_cancel(cx);
	return NULL;
}

/* Before it has begun or while it sleeps, as it happens. */
static kn_status
act_canceled(kn_ctx *cx)
{
	pthread_t thread;
	kn_status status;

	MUST((pthread_create(&thread, NULL, cancel_it, cx)) == (0));
	status = kn_exec(cx, "SELECT pg_sleep(10)");
	MUST((pthread_join(thread, NULL)) == (0));
	MUST(status != KN_OK);
	return status;
}

static kn_json_log scene_log;

static void
configure_log(kn_config *config)
{
	static FILE *file;

	if (file == NULL)
		file = tmpfile();
	MUST(file != NULL);
	kn_json_log_init(&scene_log, file, true);
	config->hooks = &scene_log.hooks;
	config->slow_ms = 1;
}

/* What cannot be told is lost, and that is all. */
static kn_status
act_log(kn_ctx *cx)
{
	kn_stats stats = { .size = sizeof(stats) };
	char text[32768]; /* the host's name is in each line */
	size_t length;

	MUST(kn_get_stats(scene_db, 0, &stats) == KN_OK);
	length = kn_prometheus("scene", &stats, 1, text, sizeof(text));
	MUST(length == SIZE_MAX || (length < sizeof(text) && strlen(text) == length));
	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'logged' || $1)", "x"));
	return kn_exec(cx, "SELECT 'literal', pg_sleep(0.002)");
}

static char scene_password[] = "not asked for by this server";

static kn_status
give_secret(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	(void) user;
	MUST(strcmp(request->name, "scene") == 0);
	(void) snprintf(buffer, capacity, "%s", scene_password);
	return KN_OK;
}

/* All that a handle can have. */
static void
configure_all(kn_config *config)
{
	static char replica[200];
	static const char *const replicas[] = { replica, NULL };

	(void)
		snprintf(replica, sizeof(replica), "host=%s port=%s", getenv("PGHOST"), getenv("PGPORT"));
	configure_log(config);
	configure_cache(config);
	config->name = "scene";
	config->secret = give_secret;
	config->replicas = replicas;
	config->min_connections = 1;
}

#endif
