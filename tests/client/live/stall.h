/*
 * stall.h
 *		For how long the machine has let a thread wait that had something to do: what is measured
 *		beside it has not taken that of itself.
 */
#ifndef KN_TESTS_STALL_H
#define KN_TESTS_STALL_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/base.h"

typedef struct stall
{
	pthread_t thread;
	atomic_bool must_end;
	int64_t longest; /* nanoseconds */
} stall;

static void *
stall_watch(void *argument)
{
	stall *s = argument;

	while (!atomic_load(&s->must_end))
	{
		int64_t began = kn__now(NULL);
		int64_t late;

		(void) poll(NULL, 0, 1);
		late = kn__now(NULL) - began - KN__NS_PER_MS;
		s->longest = late > s->longest ? late : s->longest;
	}
	return NULL;
}

static inline void
stall_begin(stall *s)
{
	s->longest = 0;
	atomic_init(&s->must_end, false);
	if (pthread_create(&s->thread, NULL, stall_watch, s) != 0)
		exit(EXIT_FAILURE);
}

/* The longest time, in nanoseconds. */
static inline int64_t
stall_end(stall *s)
{
	atomic_store(&s->must_end, true);
	(void) pthread_join(s->thread, NULL);
	return s->longest;
}

#endif
