/*
 * peer.h
 *		What the programs beside the client's have in common: each serves bench/run.
 *
 * A line that is asked is the name of a task and a number; the answer is a line of three
 * numbers: the nanoseconds that passed, those that the process worked, and what the task
 * returned, by which bench/run sees that all have done the same.  The answer to a task that
 * a program does not have is "-".
 */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../bench.h"

#define PEER_BATCH   100
#define PEER_HOLD_NS 50000     /* how long a thread has a connection that it shares */
#define PEER_FAIR_NS 500000000 /* and how long it goes on so */
#define PEER_PAIRS   200000    /* a thread, in turns of taking and giving back */

#define PEER_BY_KEY "SELECT id, name FROM bench_item WHERE id = "
#define PEER_ECHO   "SELECT $1::bigint, 'some text'"

typedef struct peer_task
{
	const char *name;
	double (*run)(long count);
} peer_task;

static inline void
peer_die(const char *who, const char *what)
{
	(void) fprintf(stderr, "bench %s: %s\n", who, what);
	exit(EXIT_FAILURE);
}

static inline double
peer_now(clockid_t clock)
{
	struct timespec time;

	(void) clock_gettime(clock, &time);
	return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static inline void
peer_answer(const peer_task *tasks, const char *name, long count)
{
	double wall;
	double cpu;
	double value;

	while (tasks->name != NULL && strcmp(tasks->name, name) != 0)
		tasks++;
	if (tasks->name == NULL)
	{
		(void) puts("-");
		return;
	}
	wall = peer_now(CLOCK_MONOTONIC);
	cpu = peer_now(CLOCK_PROCESS_CPUTIME_ID);
	value = tasks->run(count);
	cpu = peer_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = peer_now(CLOCK_MONOTONIC) - wall;
	(void) printf("%.0f %.0f %.17g\n", wall, cpu, value);
}

/* Until there are no more questions. */
static inline int
peer_serve(const peer_task *tasks)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char *number = strchr(line, ' ');

		if (number == NULL)
			return EXIT_FAILURE;
		*number++ = '\0';
		peer_answer(tasks, line, strtol(number, NULL, 10));
		(void) fflush(stdout);
	}
	return EXIT_SUCCESS;
}

#endif
