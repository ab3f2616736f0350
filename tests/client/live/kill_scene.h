/*
 * kill_scene.h
 *		What a call is made in whose connection is lost: its cache, its memory, who holds it up, and
 *		how often its transaction has run and ended.
 */
#ifndef KN_TESTS_KILL_SCENE_H
#define KN_TESTS_KILL_SCENE_H

#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "live.h"

/* What a handle and its callers have lived through. */
typedef struct scene
{
	PGconn *holder; /* of the lock that a statement waits for */
	PGconn *killer;
	PGconn *ear; /* of notifications; NULL: none is expected */
	int runs;    /* of the transaction's body */
	int committed;
	int rolled_back;
	int kept; /* entries of the cache: there is one key */
	int found;
	char bytes[1024];
	size_t length;
	kn_cache cache;
	_Atomic(long) pieces; /* of memory that is out */
	kn_allocator allocator;
} scene;

static inline void *
scene_allocate(void *user, size_t size)
{
	scene *s = user;

	s->pieces++;
	return malloc(size);
}

static inline void *
scene_resize(void *user, void *memory, size_t old_size, size_t new_size)
{
	(void) user;
	(void) old_size;
	return realloc(memory, new_size);
}

static inline void
scene_release(void *user, void *memory, size_t size)
{
	scene *s = user;

	(void) size;
	s->pieces--;
	free(memory);
}

static inline void
scene_get(void *user, const char *key, kn_found_fn *found, void *into)
{
	scene *s = user;

	(void) key;
	if (s->kept == 0)
		return;
	s->found++;
	found(into, s->bytes, s->length);
}

static inline void
scene_put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	scene *s = user;

	(void) key;
	(void) ttl_ms;
	ck_assert_uint_le(size, sizeof(s->bytes));
	memcpy(s->bytes, bytes, size);
	s->length = size;
	s->kept = 1;
}

static inline void
scene_remove(void *user, const char *key)
{
	scene *s = user;

	(void) key;
	s->kept = 0;
}

static inline void
be_silent(void *user, const PGresult *notice)
{
	(void) user;
	(void) notice;
}

/* The server is there again, or still. */
static inline PGconn *
look_silently(void)
{
	PGconn *look = look_again();

	(void) PQsetNoticeReceiver(look, be_silent, NULL);
	return look;
}

/* Who held and who killed last time, if the server has let them live: to connect takes longest. */
static PGconn *kept_holder;
static PGconn *kept_killer;

/* One of these, or one that is new; the scene's from now on. */
static inline PGconn *
scene_take(PGconn **kept)
{
	PGconn *conn = *kept;
	PGresult *result = conn == NULL ? NULL : PQexec(conn, "SELECT 1");

	*kept = NULL;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		PQfinish(conn);
		conn = look_silently();
	}
	PQclear(result);
	return conn;
}

static inline void
scene_begin(scene *s)
{
	memset(s, 0, sizeof(*s));
	s->holder = scene_take(&kept_holder);
	s->killer = scene_take(&kept_killer);
	s->cache = (kn_cache){ scene_get, scene_put, scene_remove, s };
	s->allocator = (kn_allocator){ scene_allocate, scene_resize, scene_release, s };
	look_do(s->holder, "TRUNCATE kn_kill");
}

static inline void
scene_end(scene *s)
{
	kept_holder = s->holder;
	kept_killer = s->killer;
	PQfinish(s->ear);
	/* A thread that sends a cancel request may be at its end, when all it waits for is gone. */
	for (int i = 0; i < 5000 && s->pieces != 0; i++)
		(void) poll(NULL, 0, 1);
	ck_assert_int_eq(s->pieces, 0);
}

static inline void
count_commit(void *argument)
{
	((scene *) argument)->committed++;
}

static inline void
count_rollback(void *argument)
{
	((scene *) argument)->rolled_back++;
}

#endif
