/*
 * failing.h
 *		An allocator whose n-th allocation fails, and that knows whether all came back.
 *
 * It also sees whether what comes back is as large as was asked for.  Threads may share one.
 */
#ifndef KN_TESTS_FAILING_H
#define KN_TESTS_FAILING_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

typedef struct failing
{
	kn_allocator allocator;
	_Atomic(long) fails_at;    /* the allocation that fails, from 1; 0: none */
	bool stays;                /* and all after it */
	_Atomic(long) calls;       /* allocations asked for so far */
	_Atomic(long) pieces;      /* pieces out */
	_Atomic(size_t) bytes;     /* bytes out */
	_Atomic(bool) was_lied_to; /* a size that came back was not the one that went out */
} failing;

#define FAILING_HEAD 32

static inline bool
failing_refuses(failing *f)
{
	long call = ++f->calls;
	long fails_at = f->fails_at;

	return fails_at != 0 && (call == fails_at || (f->stays && call > fails_at));
}

static inline void *
failing_allocate(void *user, size_t size)
{
	failing *f = user;
	char *memory = failing_refuses(f) ? NULL : malloc(FAILING_HEAD + size);

	if (memory == NULL)
		return NULL;
	memcpy(memory, &size, sizeof(size));
	memset(memory + FAILING_HEAD, 0xA5, size);
	f->pieces++;
	f->bytes += size;
	return memory + FAILING_HEAD;
}

static inline void
failing_release(void *user, void *memory, size_t size)
{
	failing *f = user;
	size_t was;

	memcpy(&was, (char *) memory - FAILING_HEAD, sizeof(was));
	if (was != size)
		f->was_lied_to = true;
	f->pieces--;
	f->bytes -= was;
	free((char *) memory - FAILING_HEAD);
}

static inline void *
failing_resize(void *user, void *memory, size_t old_size, size_t new_size)
{
	void *moved = failing_allocate(user, new_size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, memory, old_size < new_size ? old_size : new_size);
	failing_release(user, memory, old_size);
	return moved;
}

static inline void
failing_init(failing *f, long fails_at, bool stays)
{
	memset(f, 0, sizeof(*f));
	f->fails_at = fails_at;
	f->stays = stays;
	f->allocator = (kn_allocator){ failing_allocate, failing_resize, failing_release, f };
}

/* The n-th allocation from now on fails. */
static inline void
failing_arm(failing *f, long n)
{
	f->fails_at = f->calls + n;
}

/* From now on none fails; returns whether one has. */
static inline bool
failing_disarm(failing *f)
{
	long fails_at = f->fails_at;

	f->fails_at = 0;
	return f->calls >= fails_at;
}

/* Whether all memory came back, in the sizes it went out in. */
static inline bool
failing_is_even(const failing *f)
{
	return f->pieces == 0 && f->bytes == 0 && !f->was_lied_to;
}

#endif
