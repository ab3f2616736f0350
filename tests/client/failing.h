/*
 * failing.h
 *		An allocator whose n-th allocation fails, and that knows whether all came back.
 *
 * It also sees whether what comes back is as large as was asked for.
 */
#ifndef KN_TESTS_FAILING_H
#define KN_TESTS_FAILING_H

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

typedef struct failing
{
	kn_allocator allocator;
	long fails_at;    /* the allocation that fails, from 1; 0: none */
	bool stays;       /* and all after it */
	long calls;       /* allocations asked for so far */
	long pieces;      /* pieces out */
	size_t bytes;     /* bytes out */
	bool was_lied_to; /* a size that came back was not the one that went out */
} failing;

#define FAILING_HEAD 32

static inline bool
failing_refuses(failing *f)
{
	f->calls++;
	return f->fails_at != 0 && (f->calls == f->fails_at || (f->stays && f->calls > f->fails_at));
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
	*f = (failing){ .fails_at = fails_at, .stays = stays };
	f->allocator = (kn_allocator){ failing_allocate, failing_resize, failing_release, f };
}

/* Whether all memory came back, in the sizes it went out in. */
static inline bool
failing_is_even(const failing *f)
{
	return f->pieces == 0 && f->bytes == 0 && !f->was_lied_to;
}

#endif
