/*
 * test_base_pipe.c
 *		Of a pipe no program has an end that is started meanwhile.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "suite.h"

#define PROGRAMS 300

static _Atomic(int) made;
static _Atomic(bool) is_over;

/* Starts programs, and ends each when so many pipes more have been made. */
static void *
start_programs(void *argument)
{
	bool has_failed = false;
	char *const argv[] = { "sleep", "60", NULL };

	for (int i = 0; i < (is_slow() ? 5 : PROGRAMS); i++)
	{
		int before = made;
		pid_t pid;

		has_failed = posix_spawnp(&pid, argv[0], NULL, NULL, argv, NULL) != 0;
		if (has_failed)
			break;
		while (made < before + 3)
			;
		(void) kill(pid, SIGKILL);
		(void) waitpid(pid, NULL, 0);
	}
	is_over = true;
	return has_failed ? argument : NULL;
}

/* The end comes as soon as the one end that there is has been closed. */
START_TEST(is_nobody_elses)
{
	pthread_t thread;
	void *failed;
	int fds[2];

	ck_assert_int_eq(pthread_create(&thread, NULL, start_programs, fds), 0);
	while (!is_over)
	{
		struct pollfd end = { .events = POLLIN };

		ck_assert(kn__pipe(fds));
		(void) close(fds[1]);
		end.fd = fds[0];
		ck_assert_int_eq(poll(&end, 1, 5000), 1); /* it may not have become that program yet */
		(void) close(fds[0]);
		made++;
	}
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_nobody_elses);
}

int
main(void)
{
	return suite_run("base_pipe", fill);
}
