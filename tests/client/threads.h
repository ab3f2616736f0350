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
#include <unistd.h>

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
threads_tell_place(void *place)
{
	ssize_t length = readlink("/proc/thread-self", place, 60);

	((char *) place)[length < 0 ? 0 : length] = '\0';
	return NULL;
}

/*
 * As many as there are before a test begins any: sanitizers have one more from the first on.  The
 * first itself may be there for a moment longer than until it has been joined.
 */
static inline int
threads_at_first(void)
{
	char place[100] = "/proc/";
	time_t until = time(NULL) + 20;
	pthread_t first;

	ck_assert_int_eq(pthread_create(&first, NULL, threads_tell_place, place + 6), 0);
	ck_assert_int_eq(pthread_join(first, NULL), 0);
	ck_assert_int_ne(place[6], '\0');
	while (access(place, F_OK) == 0 && time(NULL) < until)
		(void) sched_yield();
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
