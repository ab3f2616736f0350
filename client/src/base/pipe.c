/*
 * pipe.c
 *		A pipe that no program gets which somebody starts meanwhile.
 */
#ifdef __linux__
#define _GNU_SOURCE /* pipe2() */
#endif

#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

bool
kn__pipe(int fds[2])
{
#ifdef __linux__
	return pipe2(fds, O_CLOEXEC) == 0;
#else
	if (pipe(fds) != 0)
		return false;
	(void) fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	(void) fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	return true;
#endif
}
