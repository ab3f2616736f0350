/*
 * wait.c
 *		Waiting for the server, no longer than one may.
 */
#include "wire/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif
#include <string.h>
#include <unistd.h>

#define MOST_LAG (2 * KN__TICK) /* of the coarse clock */

enum
{
	SOCKET, /* what a wait can be ended by */
	WAKE,
	STOP,
	ENDINGS
};

static KN__HOT kn__waited wait_events(kn__conn *conn, short events, const kn__wait *wait,
									  bool is_first);
static KN__HOT kn__waited wait_with(kn__conn *conn, short events, const kn__wait *wait,
									bool is_first, bool has_bell);
static KN__HOT int poll_watch(kn__conn *conn, int timeout, bool ready[ENDINGS]);
static int poll_events(const kn__conn *conn, short events, const kn__wait *wait, int timeout,
					   bool ready[ENDINGS]);
static KN__HOT bool is_cancelled(const kn__wait *wait);

kn__waited
kn__wait_over(const kn__conn *conn, const kn__wait *wait)
{
	if (KN__UNLIKELY(is_cancelled(wait)))
		return KN__WAITED_CANCELED;
	/* Most have long to go: the coarse clock can tell, and takes no time itself. */
	if (KN__LIKELY(wait->deadline == KN__NEVER ||
				   wait->deadline -
						   (KN__LIKELY(wait->now != 0) ? wait->now : kn__coarse(conn->clock)) >
					   MOST_LAG))
		return KN__WAITED_READY;
	return kn__wait_timeout(conn, wait) == 0 ? KN__WAITED_TIMEOUT : KN__WAITED_READY;
}

/* While connecting libpq says which of the two it waits for; afterwards it always reads. */
kn__waited
kn__wait_connect(kn__conn *conn, bool for_write, const kn__wait *wait)
{
	return wait_events(conn, for_write ? POLLOUT : POLLIN, wait, false);
}

kn__waited
kn__wait_socket(kn__conn *conn, bool for_write, const kn__wait *wait)
{
	return wait_events(conn, (short) (POLLIN | (for_write ? POLLOUT : 0)), wait, false);
}

kn__waited
kn__wait_first(kn__conn *conn, const kn__wait *wait)
{
	bool ready[ENDINGS] = { false };

	/* What most waits are, and how most of them end. */
	if (KN__LIKELY(conn->watch >= 0 && !conn->has_hung_up && conn->alarm != NULL &&
				   wait->stop == NULL && wait->deadline != KN__NEVER &&
				   kn__alarm_set(conn->alarm, &conn->bell, wait->deadline)))
	{
		if (KN__LIKELY(!is_cancelled(wait)))
			(void) poll_watch(conn, -1, ready);
		kn__alarm_clear(&conn->bell);
		if (KN__LIKELY(ready[SOCKET]))
		{
			if (KN__UNLIKELY(ready[WAKE]))
				kn__wake_empty(conn->wake[0]);
			return KN__WAITED_READY;
		}
	}
	return wait_events(conn, POLLIN, wait, true);
}

/* While an answer is waited for, the alarm looks after the deadline, if there is one. */
static kn__waited
wait_events(kn__conn *conn, short events, const kn__wait *wait, bool is_first)
{
	bool has_bell = conn->alarm != NULL && events == POLLIN && wait->deadline != KN__NEVER &&
					kn__alarm_set(conn->alarm, &conn->bell, wait->deadline);
	kn__waited waited = wait_with(conn, events, wait, is_first && wait->stop == NULL, has_bell);

	if (has_bell)
		kn__alarm_clear(&conn->bell);
	return waited;
}

static kn__waited
wait_with(kn__conn *conn, short events, const kn__wait *wait, bool is_first, bool has_bell)
{
	for (;;)
	{
		bool ready[ENDINGS] = { false };
		int timeout = has_bell ? -1 : kn__wait_timeout(conn, wait);
		int found;

		if (is_cancelled(wait))
			return KN__WAITED_CANCELED;
		found = is_first && conn->watch >= 0 && !conn->has_hung_up
					? poll_watch(conn, timeout, ready)
					: poll_events(conn, events, wait, timeout, ready);
		if (found < 0 && errno != EINTR)
			return KN__WAITED_ERROR;
		if (found <= 0)
		{
			if (found == 0 && kn__wait_timeout(conn, wait) == 0)
				return KN__WAITED_TIMEOUT;
			continue;
		}
		if (ready[STOP])
			return KN__WAITED_ERROR;
		/* Whoever it was: that the time is over is for the clock to say. */
		if (ready[WAKE])
		{
			kn__wake_empty(conn->wake[0]);
			has_bell = false;
		}
		/* What is wrong with a socket comes out of reading it. */
		if (ready[SOCKET])
			return KN__WAITED_READY;
	}
}

/*
 * The kernel is told of socket and pipe once, and that of the socket only what is new is to be
 * said: that is the cheapest way to wait, and to look.  What has been said, and was not read to its
 * end, is not said again; so it serves where what is waited for is yet to come.  That the server
 * has hung up may be said along with its last answer, and is kept.
 */
#ifdef __linux__
void
kn__wait_watch(kn__conn *conn)
{
	struct epoll_event socket = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
								  .data = { .u32 = SOCKET } };
	struct epoll_event wake = { .events = EPOLLIN, .data = { .u32 = WAKE } };
	int watch = epoll_create1(EPOLL_CLOEXEC);

	if (watch >= 0 && epoll_ctl(watch, EPOLL_CTL_ADD, PQsocket(conn->pg), &socket) == 0 &&
		epoll_ctl(watch, EPOLL_CTL_ADD, conn->wake[0], &wake) == 0)
		conn->watch = watch;
	else if (watch >= 0)
		(void) close(watch);
}

static int
poll_watch(kn__conn *conn, int timeout, bool ready[ENDINGS])
{
	struct epoll_event events[2];
	int found = epoll_wait(conn->watch, events, 2, timeout);

	for (int i = 0; i < found; i++)
	{
		ready[events[i].data.u32] = true;
		conn->has_hung_up |= (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	}
	return found;
}
#else
void
kn__wait_watch(kn__conn *conn)
{
	conn->watch = -1;
}

static int
poll_watch(kn__conn *conn, int timeout, bool ready[ENDINGS])
{
	(void) conn;
	(void) timeout;
	(void) ready;
	return -1;
}
#endif

bool
kn__wait_is_quiet(kn__conn *conn)
{
	bool ready[ENDINGS] = { false };

	return conn->watch >= 0 && !conn->has_hung_up && poll_watch(conn, 0, ready) == 0;
}

/* As poll() returns it; ready tells which. */
static int
poll_events(const kn__conn *conn, short events, const kn__wait *wait, int timeout,
			bool ready[ENDINGS])
{
	struct pollfd fds[ENDINGS];
	nfds_t count = wait->stop == NULL ? STOP : ENDINGS;
	int found;

	fds[SOCKET] = (struct pollfd){ .fd = PQsocket(conn->pg), .events = events };
	fds[WAKE] = (struct pollfd){ .fd = conn->wake[0], .events = POLLIN };
	if (wait->stop != NULL)
		fds[STOP] = (struct pollfd){ .fd = *wait->stop, .events = POLLIN };
	found = poll(fds, count, timeout);
	for (nfds_t i = 0; found > 0 && i < count; i++)
		ready[i] = fds[i].revents != 0;
	return found;
}

/* In milliseconds, rounded up, so that nothing is looked at over and over before its time. */
int
kn__wait_timeout(const kn__conn *conn, const kn__wait *wait)
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

bool
kn__wake_open(int fds[2])
{
	if (!kn__pipe(fds))
		return false;
	for (int i = 0; i < 2; i++)
		(void) fcntl(fds[i], F_SETFL, O_NONBLOCK);
	return true;
}

void
kn__wake_empty(int fd)
{
	char bytes[64];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

/* A full pipe wakes as well. */
void
kn__wake_send(int fd)
{
	int before = errno;

	while (write(fd, "", 1) < 0 && errno == EINTR)
		;
	errno = before;
}

static bool
is_cancelled(const kn__wait *wait)
{
	return wait->is_cancelled != NULL &&
		   atomic_load_explicit(wait->is_cancelled, memory_order_acquire);
}

/*
 * Whether libpq had no memory for an answer.  That of a sync is lost then, and those after it
 * are taken for others, so that one would wait for the last in vain.  It says so in words only;
 * in another language's it is left to the deadline.
 */
static bool
has_starved(const kn__conn *conn)
{
	static const char words[] = "out of memory";
	const char *message = PQerrorMessage(conn->pg);
	const char *found = *message == '\0' ? NULL : strstr(message, words);
	const char *end = found == NULL ? "" : found + strlen(words);

	/* A line of its own: the server may have said it, and of something else. */
	return found != NULL && (found == message || found[-1] == '\n') &&
		   (*end == '\n' || *end == '\0');
}

/*
 * Where libpq has no memory for the beginning of COPY, it leaves the server's word in its buffer,
 * and says that it waits for the rest of it.  The server has no more to say: so a second look.
 */
static bool
is_still_busy(const kn__conn *conn)
{
	return PQisBusy(conn->pg) != 0 && PQisBusy(conn->pg) != 0;
}

/* For what is still to come, the first of it if nothing can have come yet. */
static kn__waited
wait_more(kn__conn *conn, const kn__wait *wait, bool is_fresh, bool is_flushed)
{
	/* Where the server does not stop to send, there is always something to be read. */
	kn__waited waited = is_fresh ? KN__WAITED_READY : kn__wait_over(conn, wait);

	if (waited != KN__WAITED_READY)
		return waited;
	/* Of what was sent just now all answers are to come; but COPY may be over before its end. */
	return is_fresh && is_flushed && conn->copy == NULL ? kn__wait_first(conn, wait)
														: kn__wait_socket(conn, !is_flushed, wait);
}

/*
 * Reading while writing: the server may answer before it has read all, and stops reading
 * when nobody takes its answers.
 *
 * What all this looks for hardly ever is there, and each look is a call: so it is not looked for
 * where nothing can have come yet.
 */
kn__waited
kn__wait_result(kn__conn *conn, const kn__wait *wait, bool is_piped, bool *is_flushed)
{
	for (bool is_fresh = !*is_flushed;; is_fresh = false)
	{
		bool is_busy;
		kn__waited waited;

		if (!*is_flushed)
		{
			int unsent = PQflush(conn->pg);

			if (unsent < 0)
				return KN__WAITED_ERROR;
			*is_flushed = unsent == 0;
		}
		is_busy = is_fresh ? PQisBusy(conn->pg) != 0 : is_still_busy(conn);
		if ((is_busy ? !is_fresh : is_piped) && has_starved(conn))
			return KN__WAITED_ERROR;
		if (!is_busy)
			return KN__WAITED_READY;
		waited = wait_more(conn, wait, is_fresh, *is_flushed);
		if (waited != KN__WAITED_READY)
			return waited;
		if (!PQconsumeInput(conn->pg))
			return KN__WAITED_ERROR;
	}
}
