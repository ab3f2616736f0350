/*
 * threads.h
 *		How many threads this process has.
 */
#ifndef KN_TESTS_THREADS_H
#define KN_TESTS_THREADS_H

#include <check.h>
#include <dirent.h>
#include <stddef.h>

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

#endif
