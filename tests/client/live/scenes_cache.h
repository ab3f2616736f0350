/*
 * scenes_cache.h
 *		Scenes of reads that go by a cache; see scenes.h, which includes it.
 */
#ifndef KN_TESTS_SCENES_CACHE_H
#define KN_TESTS_SCENES_CACHE_H

#include <pthread.h>

#include "scenes_kinds.h"

/* A cache that keeps the last thing that it was given. */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static char kept_bytes[1 << 17];
static size_t kept_size;
static int kept_hits;
static kn_options cached = { .size = sizeof(kn_options), .cache_key = "scene", .cache_ms = 1000 };

static void
get_kept(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	MUST(strstr(key, "scene") != NULL);
	(void) pthread_mutex_lock(&kept_lock);
	kept_hits += kept_size > 0;
	if (kept_size > 0)
		found(into, kept_bytes, kept_size);
	(void) pthread_mutex_unlock(&kept_lock);
}

static void
put_kept(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) user;
	(void) key;
	(void) ttl_ms;
	MUST(size <= sizeof(kept_bytes));
	(void) pthread_mutex_lock(&kept_lock);
	memcpy(kept_bytes, bytes, size);
	kept_size = size;
	(void) pthread_mutex_unlock(&kept_lock);
}

static void
remove_kept(void *user, const char *key)
{
	(void) user;
	(void) key;
	(void) pthread_mutex_lock(&kept_lock);
	kept_size = 0;
	(void) pthread_mutex_unlock(&kept_lock);
}

static void
configure_cache(kn_config *config)
{
	static const kn_cache cache = { get_kept, put_kept, remove_kept, NULL };

	kept_size = 0;
	kept_hits = 0;
	config->cache = &cache;
}

/* Three rows, from wherever. */
static kn_status
read_cached(kn_ctx *cx)
{
	static const char sql[] = "SELECT g, NULL FROM generate_series(1, 3) g";
	kn_rows *rows = kn_query_values(cx, sql, NULL, 0, &cached);
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1 && kn_is_null(rows, 1))
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 3);
	return status;
}

static kn_status
act_cached(kn_ctx *cx)
{
	for (int i = 0; i < 3; i++)
	{
		TRY(read_cached(cx));
		if (i == 1)
			TRY(kn_uncache(cx, "scene"));
	}
	return KN_OK;
}

/* They are thawed as they were frozen. */
static kn_status
act_cached_kinds(kn_ctx *cx)
{
	for (int i = 0; i < 2; i++)
		TRY(read_kinds(cx, kn_query_values(cx, x_every_kind, NULL, 0, &cached)));
	return KN_OK;
}

static void
check_hits(const scene *s, kn_db *db, bool is_whole)
{
	(void) s;
	(void) db;
	MUST(!is_whole || kept_hits > 0);
}

/* What a commit has outdated is not kept, nor what it may have. */
static kn_status
uncaching_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'uncached')"));
	return kn_uncache(cx, "scene");
}

static kn_status
act_uncached(kn_ctx *cx)
{
	kn_status status;

	for (int i = 0; i < 2; i++)
		TRY(read_cached(cx));
	status = kn_transact(cx, uncaching_body, NULL);
	MUST((status != KN_OK && status != KN_OUTCOME_UNKNOWN) || kept_size == 0);
	return status;
}

/* What is written is what is read from then on, by the cache or without it. */
static const char x_written[] = "SELECT coalesce(max(id), 0) FROM kn_scene";

static kn_status
writing_body(kn_ctx *cx, void *argument)
{
	kn_rows *rows;
	kn_status status;

	(void) argument;
	TRY(kn_exec(cx, "INSERT INTO kn_scene SELECT coalesce(max(id), 0) + 1, 'x' FROM kn_scene"));
	rows = kn_query(cx, x_written);
	status = kn_cache_rows(cx, rows, x_written, NULL, 0, &cached);
	TRY(kn_done(rows));
	return status;
}

static kn_status
act_written_through(kn_ctx *cx)
{
	TRY(kn_done(kn_query_values(cx, x_written, NULL, 0, &cached)));
	return kn_transact(cx, writing_body, NULL);
}

static void
check_written(const scene *s, kn_db *db, bool is_whole)
{
	kn_ctx *cx = kn_begin(db, .timeout_ms = 20000);
	int hits = kept_hits;
	int64_t found = number_of(cx, kn_query_values(cx, x_written, NULL, 0, &cached));

	MUST(!is_whole || kept_hits == hits + 1);
	MUST(found == number_of(cx, kn_query(cx, x_written)));
	MUST(!is_whole || found >= s->rows);
	kn_end(cx);
}

static void *
read_cached_too(void *argument)
{
	kn_ctx *cx = kn_begin(scene_db, .timeout_ms = 20000);
	kn_status *status = argument;

	*status = read_cached(cx);
	MUST(kn_last_error(cx)->status == *status);
	kn_end(cx);
	return NULL;
}

/* Who comes second waits for the first, and reads it himself if that one has failed. */
static kn_status
act_cached_by_two(kn_ctx *cx)
{
	kn_status status;
	kn_status other = KN_OK;
	pthread_t thread;

	TRY(kn_uncache(cx, "scene"));
	MUST(pthread_create(&thread, NULL, read_cached_too, &other) == 0);
	status = read_cached(cx);
	MUST(pthread_join(thread, NULL) == 0);
	return status == KN_OK ? other : status;
}

#endif
