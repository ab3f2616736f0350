/*
 * store.h
 *		What the tests of the cache share: a cache, and reads that go by it.
 */
#ifndef KN_TESTS_STORE_H
#define KN_TESTS_STORE_H

#include <stdatomic.h>

#include "live.h"

#define ENTRIES 16

typedef struct entry
{
	char key[64];
	char *bytes;
	size_t size;
} entry;

/* The simplest there is, which counts what is asked of it. */
typedef struct store
{
	kn_cache cache;
	pthread_mutex_t lock;
	entry entries[ENTRIES];
	int gets;
	int hits;
	int puts;
	int removals;
	bool is_narrow;        /* it has no more of a key than what the program has said of it */
	_Atomic(bool) is_slow; /* what is put takes until that is over */
	_Atomic(bool) is_putting;
	kn_ctx *cancelled; /* while it is asked; NULL: nobody */
} store;

static store kept;
static PGconn *look;
static kn_db *db;
static kn_ctx *cx;
static const kn_options cached = { .size = sizeof(kn_options),
								   .cache_key = "numbers",
								   .cache_ms = 60000 };

static inline entry *
find(store *s, const char *key)
{
	size_t n = s->is_narrow ? strcspn(key, ":") : sizeof(s->entries[0].key);

	for (int i = 0; i < ENTRIES; i++)
	{
		if (s->entries[i].bytes != NULL && strncmp(s->entries[i].key, key, n) == 0)
			return &s->entries[i];
	}
	return NULL;
}

static inline void
get(void *user, const char *key, kn_found_fn *found, void *into)
{
	store *s = user;
	const entry *e;

	(void) pthread_mutex_lock(&s->lock);
	e = find(s, key);
	s->gets++;
	s->hits += e != NULL;
	if (e != NULL)
		found(into, e->bytes, e->size);
	(void) pthread_mutex_unlock(&s->lock);
	if (s->cancelled != NULL)
		kn_cancel(s->cancelled);
}

static inline void
drop(store *s, const char *key)
{
	entry *e = find(s, key);

	if (e != NULL)
		free(e->bytes);
	if (e != NULL)
		e->bytes = NULL;
}

static inline void
put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	store *s = user;
	int i = 0;

	atomic_store(&s->is_putting, true);
	while (atomic_load(&s->is_slow))
		(void) poll(NULL, 0, 1);
	(void) pthread_mutex_lock(&s->lock);
	ck_assert_int_eq(ttl_ms, 60000);
	s->puts++;
	drop(s, key);
	while (s->entries[i].bytes != NULL)
		i++;
	(void) snprintf(s->entries[i].key, sizeof(s->entries[i].key), "%s", key);
	s->entries[i].bytes = malloc(size);
	s->entries[i].size = size;
	memcpy(s->entries[i].bytes, bytes, size);
	atomic_store(&s->is_putting, false);
	(void) pthread_mutex_unlock(&s->lock);
}

static inline void
forget(void *user, const char *key)
{
	store *s = user;

	(void) pthread_mutex_lock(&s->lock);
	s->removals++;
	drop(s, key);
	(void) pthread_mutex_unlock(&s->lock);
}

static inline void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_number CASCADE; CREATE TABLE kn_number (n int);"
			"INSERT INTO kn_number VALUES (1), (2);"
			"CREATE OR REPLACE FUNCTION kn_slow() RETURNS bigint LANGUAGE plpgsql AS $$"
			" BEGIN PERFORM pg_advisory_xact_lock_shared(4712);"
			" RETURN (SELECT sum(n) FROM kn_number); END$$");
	memset(&kept, 0, sizeof(kept));
	(void) pthread_mutex_init(&kept.lock, NULL);
	kept.cache = (kn_cache){ get, put, forget, &kept };
	OPEN(db, .max_connections = 8, .cache = &kept.cache);
	cx = kn_begin(db);
}

static inline void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	for (int i = 0; i < ENTRIES; i++)
		free(kept.entries[i].bytes);
	PQfinish(look);
}

static inline int64_t
read_sum(kn_ctx *c)
{
	return number_of(c, kn_query_values(c, "SELECT sum(n) FROM kn_number", NULL, 0, &cached));
}

static const kn_options slow = {
	.size = sizeof(kn_options), .is_read = true, .cache_key = "slow", .cache_ms = 60000
};

static inline void *
read_slowly(void *argument)
{
	kn_ctx *c = kn_begin(db, .timeout_ms = 20000);

	*(int64_t *) argument =
		number_of_or(c, kn_query_values(c, "SELECT kn_slow()", NULL, 0, &slow), -1);
	kn_end(c);
	return NULL;
}

static const char x_blocked[] =
	"SELECT count(*) FROM (SELECT pg_stat_clear_snapshot()) c, pg_stat_activity"
	" WHERE wait_event = 'advisory' AND query ~ 'kn_slow'";

#endif
