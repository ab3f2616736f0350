/*
 * wait.c
 *		Waiting for the server, no longer than one may.
 */
#include "wire/conn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

static kn__waited wait_events(kn__conn *conn, short events, const kn__wait *wait);
static int timeout_of(const kn__conn *conn, const kn__wait *wait);
static void empty_pipe(int fd);
static bool is_cancelled(const kn__wait *wait);

kn__waited
kn__wait_over(const kn__conn *conn, const kn__wait *wait)
{
	if (is_cancelled(wait))
		return KN__WAITED_CANCELED;
	return timeout_of(conn, wait) == 0 ? KN__WAITED_TIMEOUT : KN__WAITED_READY;
}

/* While connecting libpq says which of the two it waits for; afterwards it always reads. */
kn__waited
kn__wait_connect(kn__conn *conn, bool for_write, const kn__wait *wait)
{
	return wait_events(conn, for_write ? POLLOUT : POLLIN, wait);
}

kn__waited
kn__wait_socket(kn__conn *conn, bool for_write, const kn__wait *wait)
{
	return wait_events(conn, (short) (POLLIN | (for_write ? POLLOUT : 0)), wait);
}

static kn__waited
wait_events(kn__conn *conn, short events, const kn__wait *wait)
{
	struct pollfd fds[2] = {
		{ .fd = PQsocket(conn->pg), .events = events },
		{ .fd = conn->wake[0], .events = POLLIN },
	};

	for (;;)
	{
		int timeout = timeout_of(conn, wait);
		int ready;

		if (is_cancelled(wait))
			return KN__WAITED_CANCELED;
		ready = poll(fds, 2, timeout);
		if (ready < 0 && errno != EINTR)
			return KN__WAITED_ERROR;
		if (ready <= 0)
		{
			if (ready == 0 && timeout_of(conn, wait) == 0)
				return KN__WAITED_TIMEOUT;
			continue;
		}
		if (fds[1].revents != 0)
			empty_pipe(conn->wake[0]);
		/* What is wrong with a socket comes out of reading it. */
		if (fds[0].revents != 0)
			return KN__WAITED_READY;
	}
}

/* In milliseconds, rounded up, so that nothing is looked at over and over before its time. */
static int
timeout_of(const kn__conn *conn, const kn__wait *wait)
{
	int64_t left;

	if (wait->deadline == KN__NEVER)
		return -1;
	left = wait->deadline - kn__now(conn->clock);
	if (left <= 0)
		return 0;
	left = (left - 1) / KN__NS_PER_MS + 1;
	return left > INT_MAX ? INT_MAX : (int) left;
}

static void
empty_pipe(int fd)
{
	char bytes[64];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static bool
is_cancelled(const kn__wait *wait)
{
	return wait->is_cancelled != NULL &&
		   atomic_load_explicit(wait->is_cancelled, memory_order_acquire);
}

/*
 * Reading while writing: the server may answer before it has read all, and stops reading
 * when nobody takes its answers.
 */
kn__waited
kn__wait_result(kn__conn *conn, const kn__wait *wait)
{
	for (;;)
	{
		int unsent = PQflush(conn->pg);
		kn__waited waited;

		if (unsent < 0)
			return KN__WAITED_ERROR;
		if (!PQisBusy(conn->pg))
			return KN__WAITED_READY;
		waited = kn__wait_socket(conn, unsent > 0, wait);
		if (waited != KN__WAITED_READY)
			return waited;
		if (!PQconsumeInput(conn->pg))
			return KN__WAITED_ERROR;
	}
}
