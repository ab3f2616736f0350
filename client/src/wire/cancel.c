/*
 * cancel.c
 *		Ends what the server does, and makes sure that nothing else suffers from it.
 *
 * A request to cancel goes over a connection of its own, and the server signals
 * the backend some time after it has read it: by then the backend may have come to
 * the end of that statement, and be at the next one.  So a connection that a
 * cancel was sent for is fenced before it is used again: wait until the server has
 * closed the request's connection, which it does after sending the signal, and send
 * an empty query that takes the blow, if one is still on its way.
 *
 * libpq's PQcancel() blocks for as long as connecting takes, and what it sends is known to
 * nobody else, so a thread does it; whoever is in a hurry leaves it behind, and closes the
 * connection that it was for.  A server that does not answer keeps it for ever: so there may be
 * MOST_REQUESTS of a handle, and what one needs is its own, and not of the handle's allocator.
 */
#include "base/cond.h"
#include "wire/conn.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define MOST_REQUESTS 16
#define LOOK_NS       (20 * KN__NS_PER_MS) /* between two looks whether one has to stop */

struct kn__cancels
{
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int count;    /* of requests */
	bool is_left; /* by the handle: the last request frees it */
};

typedef struct Request
{
	kn__cancels *cancels;
	PGcancel *cancel;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_over;
	bool is_done; /* the server has taken it */
	bool is_left; /* nobody waits for it any more */
} Request;

static Request *start(kn__conn *conn, int64_t until, const int *stop);
static void *run(void *argument);
static bool wait_over(Request *request, int64_t until, const int *stop);
static void leave(Request *request);
static void destroy(Request *request);
static bool enter(kn__cancels *cancels, int64_t until, const int *stop);
static bool wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until, const int *stop);
static void go(kn__cancels *cancels);
static void destroy_all(kn__cancels *cancels);

/* Whether the server has taken the request, within the time for that. */
bool
kn__cancel_send(kn__conn *conn, int64_t give_up_at, const int *stop)
{
	int64_t until = kn__cond_until(conn->clock, give_up_at);
	Request *request = start(conn, until, stop);
	bool is_done;

	if (request == NULL)
		return false;
	is_done = wait_over(request, until, stop);
	leave(request);
	conn->is_silent |= !is_done;
	conn->was_heard |= is_done;
	return is_done;
}

static Request *
start(kn__conn *conn, int64_t until, const int *stop)
{
	Request *request;
	sigset_t all;
	sigset_t before;
	int failed;

	if (!enter(conn->cancels, until, stop))
	{
		conn->is_silent = true;
		return NULL;
	}
	request = kn__allocate_zero(NULL, 1, sizeof(Request));
	if (request == NULL)
	{
		go(conn->cancels);
		return NULL;
	}
	request->cancels = conn->cancels;
	request->cancel = PQgetCancel(conn->pg);
	(void) pthread_mutex_init(&request->lock, NULL);
	kn__cond_init(&request->ended);
	/* The program's signals are for the program's threads. */
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	failed =
		request->cancel == NULL ? ENOMEM : pthread_create(&request->thread, NULL, run, request);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		return request;
	destroy(request);
	return NULL;
}

static void *
run(void *argument)
{
	Request *request = argument;
	char error[256];
	bool is_done = PQcancel(request->cancel, error, sizeof(error)) != 0;
	bool is_left;

	(void) pthread_mutex_lock(&request->lock);
	request->is_over = true;
	request->is_done = is_done;
	is_left = request->is_left;
	(void) pthread_cond_signal(&request->ended);
	(void) pthread_mutex_unlock(&request->lock);
	if (is_left)
		destroy(request);
	return NULL;
}

static bool
wait_over(Request *request, int64_t until, const int *stop)
{
	bool is_done;

	(void) pthread_mutex_lock(&request->lock);
	while (!request->is_over && wait_for(&request->ended, &request->lock, until, stop))
		;
	is_done = request->is_over && request->is_done;
	(void) pthread_mutex_unlock(&request->lock);
	return is_done;
}

/* Whoever is last, the caller or the thread, frees it; a thread that has answered is gone as well.
 */
static void
leave(Request *request)
{
	bool is_over;

	(void) pthread_mutex_lock(&request->lock);
	is_over = request->is_over;
	request->is_left = true;
	if (!is_over)
		(void) pthread_detach(request->thread);
	(void) pthread_mutex_unlock(&request->lock);
	if (!is_over)
		return;
	(void) pthread_join(request->thread, NULL);
	destroy(request);
}

static void
destroy(Request *request)
{
	kn__cancels *cancels = request->cancels;

	(void) pthread_cond_destroy(&request->ended);
	(void) pthread_mutex_destroy(&request->lock);
	PQfreeCancel(request->cancel);
	kn__release(NULL, request, sizeof(Request));
	go(cancels);
}

kn__cancels *
kn__cancels_new(void)
{
	kn__cancels *cancels = kn__allocate_zero(NULL, 1, sizeof(kn__cancels));

	if (cancels == NULL)
		return NULL;
	(void) pthread_mutex_init(&cancels->lock, NULL);
	kn__cond_init(&cancels->ended);
	return cancels;
}

void
kn__cancels_wait(kn__cancels *cancels, int64_t until)
{
	(void) pthread_mutex_lock(&cancels->lock);
	while (cancels->count > 0 && kn__cond_wait(&cancels->ended, &cancels->lock, until))
		;
	(void) pthread_mutex_unlock(&cancels->lock);
}

void
kn__cancels_free(kn__cancels *cancels)
{
	bool is_last;

	if (cancels == NULL)
		return;
	(void) pthread_mutex_lock(&cancels->lock);
	cancels->is_left = true;
	is_last = cancels->count == 0;
	(void) pthread_mutex_unlock(&cancels->lock);
	if (is_last)
		destroy_all(cancels);
}

/* False: there are too many, and none of them comes to its end, which says enough of the server. */
static bool
enter(kn__cancels *cancels, int64_t until, const int *stop)
{
	bool may_enter;

	(void) pthread_mutex_lock(&cancels->lock);
	while (cancels->count >= MOST_REQUESTS &&
		   wait_for(&cancels->ended, &cancels->lock, until, stop))
		;
	may_enter = cancels->count < MOST_REQUESTS;
	cancels->count += may_enter;
	(void) pthread_mutex_unlock(&cancels->lock);
	return may_enter;
}

/* False: the time is over, or whoever waits has to stop, for which he looks up now and then. */
static bool
wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until, const int *stop)
{
	struct pollfd fd = { .events = POLLIN };
	int64_t next;

	if (stop == NULL)
		return kn__cond_wait(cond, lock, until);
	fd.fd = *stop;
	if (poll(&fd, 1, 0) > 0)
		return false;
	next = kn__now(NULL) + LOOK_NS;
	if (next >= until)
		return kn__cond_wait(cond, lock, until);
	(void) kn__cond_wait(cond, lock, next);
	return true;
}

static void
go(kn__cancels *cancels)
{
	bool is_last;

	(void) pthread_mutex_lock(&cancels->lock);
	is_last = --cancels->count == 0 && cancels->is_left;
	(void) pthread_cond_broadcast(&cancels->ended);
	(void) pthread_mutex_unlock(&cancels->lock);
	if (is_last)
		destroy_all(cancels);
}

static void
destroy_all(kn__cancels *cancels)
{
	(void) pthread_cond_destroy(&cancels->ended);
	(void) pthread_mutex_destroy(&cancels->lock);
	kn__release(NULL, cancels, sizeof(kn__cancels));
}

/*
 * An empty query and its answer, or the cancel's.  For a connection that has
 * nothing else under way, and on which kn__cancel_send() has succeeded.
 */
bool
kn__cancel_fence(kn__conn *conn, int64_t give_up_at, const int *stop)
{
	kn__wait wait = { .deadline = give_up_at, .stop = stop };
	PGresult *result;
	bool is_hit = true;
	bool is_flushed;
	kn__waited waited;

	for (int tries = 0; is_hit && tries < 3; tries++)
	{
		is_hit = is_flushed = false;
		if (!PQsendQuery(conn->pg, ""))
			return false;
		do
		{
			waited = kn__wait_result(conn, &wait, false, &is_flushed);
			conn->is_silent |= waited == KN__WAITED_TIMEOUT;
			if (waited != KN__WAITED_READY)
				return false;
			result = PQgetResult(conn->pg);
			is_hit |= PQresultStatus(result) == PGRES_FATAL_ERROR && result != NULL;
			PQclear(result);
		} while (result != NULL);
	}
	return !is_hit && PQstatus(conn->pg) == CONNECTION_OK;
}
