/*
 * warm.c
 *		What the client itself costs over bare libpq: the calls that client.c measures, but whose
 *		answers are there as soon as they are sent.
 *
 * Between two calls to a server on the same processor that does as much again, and leaves nothing
 * in the caches of what the client needs for the next one; so there one mostly measures how fast
 * that is fetched.  Here nobody runs but the client.  It connects through a relay; when each kind
 * of call has been answered by the server once, that answer is kept, and from then on sending a
 * request is putting the answer where it is to be read from: as many calls of the kernel as before.
 *
 *	 client.call.warm      processor time a call costs more than with libpq
 *	 client.call.warm_libpq  what it costs with libpq
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"

#define ANSWER_SIZE 4096

typedef struct relayed
{
	int client;
	int server;
	char answer[ANSWER_SIZE]; /* to the last request */
	size_t length;
} relayed;

static struct sockaddr_un server_at;
static int listener;
static relayed pairs[2]; /* of libpq, of the client: they connect in that order */
static _Atomic(int) connected;
static _Atomic(bool) is_kept; /* the answers are: nothing goes to the server any more */
static int libpqs_socket;

static int
connect_to_server(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *) &server_at, sizeof(server_at)) != 0)
		die("the server cannot be reached");
	return fd;
}

static bool
pass(int from, int to, relayed *answering)
{
	char bytes[ANSWER_SIZE];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0 || write(to, bytes, (size_t) n) != n)
		return false;
	if (answering == NULL)
		return true;
	if (answering->length + (size_t) n > ANSWER_SIZE)
		die("an answer is too long");
	memcpy(answering->answer + answering->length, bytes, (size_t) n);
	answering->length += (size_t) n;
	return true;
}

/* Passes on what there is, until both have gone. */
static void *
relay(void *argument)
{
	int left = 2;

	(void) argument;
	for (int i = 0; i < 2; i++)
		pairs[i].client = pairs[i].server = -1;
	while (left > 0)
	{
		struct pollfd fds[5] = { { .fd = connected < 2 ? listener : -1, .events = POLLIN } };

		for (int i = 0; i < 2; i++)
		{
			fds[1 + 2 * i] = (struct pollfd){ .fd = pairs[i].client, .events = POLLIN };
			fds[2 + 2 * i] = (struct pollfd){ .fd = pairs[i].server, .events = POLLIN };
		}
		if (poll(fds, 5, -1) < 0)
			die("the relay cannot wait");
		if (fds[0].revents != 0)
		{
			pairs[connected].server = connect_to_server();
			pairs[connected].client = accept(listener, NULL, NULL);
			connected++;
		}
		for (int i = 0; i < 2; i++)
		{
			relayed *x = &pairs[i];
			bool goes_on = true;

			if (fds[1 + 2 * i].revents != 0)
			{
				x->length = 0;
				goes_on = pass(x->client, x->server, NULL);
			}
			else if (fds[2 + 2 * i].revents != 0)
				goes_on = pass(x->server, x->client, x);
			if (goes_on)
				continue;
			(void) close(x->client);
			(void) close(x->server);
			x->client = x->server = -1;
			left--;
		}
	}
	return NULL;
}

/* In place of the C library's: it is libpq that sends. */
KN_API ssize_t
send(int fd, const void *bytes, size_t n, int flags)
{
	const relayed *x = &pairs[fd != libpqs_socket];

	if (!is_kept)
		return sendto(fd, bytes, n, flags, NULL, 0);
	if (sendto(x->client, x->answer, x->length, flags, NULL, 0) != (ssize_t) x->length)
		die("an answer cannot be given");
	return (ssize_t) n;
}

static void
find_socket(struct sockaddr_un *at, const char *directory)
{
	const char *port = getenv("PGPORT") == NULL ? "5432" : getenv("PGPORT");

	if (directory == NULL || *directory != '/')
		die("PGHOST has to be the directory of the server's socket");
	at->sun_family = AF_UNIX;
	(void) snprintf(at->sun_path, sizeof(at->sun_path), "%s/.s.PGSQL.%s", directory, port);
}

static void
listen_in(const char *directory)
{
	struct sockaddr_un at;

	find_socket(&at, directory);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *) &at, sizeof(at)) != 0 ||
		listen(listener, 2) != 0 || setenv("PGHOST", directory, 1) != 0)
		die("the relay cannot listen");
}

static void
stop_listening(const char *directory)
{
	struct sockaddr_un at;

	find_socket(&at, directory);
	(void) unlink(at.sun_path);
	(void) close(listener);
	(void) rmdir(directory);
}

static void
measure_warm(double turns[2][TURNS])
{
	for (int i = 0; i < TURNS; i++)
	{
		span bare = measure(libpq_calls);
		span ours = measure(client_calls);

		turns[0][i] = (ours.cpu - bare.cpu) / CALLS * 1e6;
		turns[1][i] = bare.cpu / CALLS * 1e6;
	}
}

int
main(void)
{
	double more[ROUNDS];
	double bare[ROUNDS];

	find_socket(&server_at, getenv("PGHOST"));
	for (int i = 0; i < ROUNDS; i++)
	{
		char directory[] = "/tmp/kn_bench_XXXXXX";
		double turns[2][TURNS];
		pthread_t thread;

		if (mkdtemp(directory) == NULL)
			die("there is no directory to be had");
		connected = 0;
		listen_in(directory);
		if (pthread_create(&thread, NULL, relay, NULL) != 0)
			die("there is no thread to be had");
		connect_both();
		libpqs_socket = PQsocket(conn);
		libpq_calls();
		client_calls();
		is_kept = true;
		measure_warm(turns);
		is_kept = false;
		disconnect_both();
		(void) pthread_join(thread, NULL);
		stop_listening(directory);
		more[i] = bench_median(turns[0], TURNS);
		bare[i] = bench_median(turns[1], TURNS);
	}
	print("client.call.warm", more, "us", false, 0);
	print("client.call.warm_libpq", bare, "us", false, 0);
	return EXIT_SUCCESS;
}
