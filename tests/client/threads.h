/*
 * threads.h
 *		How many threads this process has.
 */
#ifndef KN_TESTS_THREADS_H
#define KN_TESTS_THREADS_H

#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

/* With the two entries that every directory has: only differences say something. */
static inline int
threads_now(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	ck_assert_ptr_nonnull(tasks);
	while (readdir(tasks) != NULL)
		count++;
	(void) closedir(tasks);
	return count;
}

static inline void *
threads_do_nothing(void *none)
{
	return none;
}

/* As many as there are before a test begins any: sanitizers have one more from the first on. */
static inline int
threads_at_first(void)
{
	pthread_t first;

	ck_assert_int_eq(pthread_create(&first, NULL, threads_do_nothing, NULL), 0);
	ck_assert_int_eq(pthread_join(first, NULL), 0);
	return threads_now();
}

/* Until there are that many: one that has been joined may be there for a moment longer. */
static inline void
threads_await(int count)
{
	time_t until = time(NULL) + 20;

	while (threads_now() != count && time(NULL) < until)
		(void) sched_yield();
	ck_assert_int_eq(threads_now(), count);
}

#endif
