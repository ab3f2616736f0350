/*
 * gate.h
 *		A TCP gate between the client and the server, which knows bytes and nothing else.
 *
 * Each direction has a flow, which can be changed at any time: what passes, how fast, how much.
 * The server's side is what is tested otherwise, so that it is TLS that goes through it where
 * that is TLS.  One thread does it all; the test's own changes things under the lock.
 */
#ifndef KN_TESTS_GATE_H
#define KN_TESTS_GATE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

#define GATE_PAIRS 64
#define GATE_BYTES 16384
#define GATE_NEVER INT64_MAX

typedef enum flow_kind
{
	FLOW_PASS,
	FLOW_CLOSE,   /* the connection, with the first byte */
	FLOW_BYTES,   /* so many pass, of all connections, and then they are closed */
	FLOW_DELAY,   /* each piece comes so many milliseconds later */
	FLOW_RATE,    /* so many bytes a second */
	FLOW_PARTS,   /* in pieces of so many bytes */
	FLOW_TIME,    /* the connection is closed so many milliseconds after it was opened */
	FLOW_CORRUPT, /* from the n-th byte of a connection on, another one in each 16 */
	FLOW_CUT,     /* the one connection that passes so many bytes is lost; all others pass */
	FLOW_DROP,    /* nothing passes, and nobody is told */
	FLOW_ANSWER   /* what is sent is answered by the gate, and the connection is closed */
} flow_kind;

typedef enum direction
{
	TO_SERVER,
	TO_CLIENT
} direction;

/* How a connection is lost. */
typedef enum loss
{
	LOSS_CLOSE,
	LOSS_RESET,
	LOSS_SILENCE,
	LOSS_COUNT
} loss;

typedef struct flow
{
	flow_kind kind;
	int64_t n;
	int64_t passed; /* bytes, since it is so */
} flow;

typedef struct stretch
{
	size_t have;
	int64_t due;    /* when what it has may go on */
	int64_t passed; /* bytes */
	bool is_ended;
	char bytes[GATE_BYTES];
} stretch;

typedef struct gate_pair
{
	int ends[2]; /* the server's side, and the client's: where a direction leads to */
	int64_t since;
	bool is_dead; /* nothing goes on from here, and nobody is told */
	bool resets;
	stretch ways[2];
} gate_pair;

typedef struct gate
{
	int port;
	int listener; /* -1: connections are refused */
	bool is_deaf; /* they are not taken, and stay in the system's queue */
	int wake[2];
	bool must_end;
	pthread_t thread;
	pthread_mutex_t lock;
	flow flows[2];
	loss cut_by;        /* of FLOW_CUT */
	const char *answer; /* of FLOW_ANSWER */
	size_t answer_length;
	_Atomic(int) accepted;
	_Atomic(int64_t) lost; /* bytes that were not passed on, and nobody told */
	gate_pair *pairs[GATE_PAIRS];
} gate;

static inline int64_t
gate_now(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void
gate_be_quick(int fd)
{
	int on = 1;

	(void) fcntl(fd, F_SETFL, O_NONBLOCK);
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Over TLS it leads to KN_TEST_ADDRESS, or to 127.0.0.1; else to the Unix socket. */
static inline int
gate_connect(void)
{
	const char *address = getenv("KN_TEST_ADDRESS");
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in remote = { .sin_family = AF_INET };
	int port = atoi(getenv("PGPORT"));
	int fd = socket(is_tls() ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
	int failed;

	(void) snprintf(local.sun_path, sizeof(local.sun_path), "%s/.s.PGSQL.%d", socket_dir(), port);
	remote.sin_port = htons((uint16_t) port);
	remote.sin_addr.s_addr = inet_addr(address == NULL ? "127.0.0.1" : address);
	failed = is_tls() ? connect(fd, (struct sockaddr *) &remote, sizeof(remote))
					  : connect(fd, (struct sockaddr *) &local, sizeof(local));
	if (failed == 0)
		return fd;
	(void) close(fd);
	return -1;
}

static inline void
gate_lose(gate *g, int i)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (g->pairs[i]->resets)
		(void) setsockopt(g->pairs[i]->ends[TO_CLIENT], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	else
		/* Closing alone would wait for the thread that polls it. */
		(void) shutdown(g->pairs[i]->ends[TO_CLIENT], SHUT_RDWR);
	(void) close(g->pairs[i]->ends[TO_CLIENT]);
	(void) close(g->pairs[i]->ends[TO_SERVER]);
	free(g->pairs[i]);
	g->pairs[i] = NULL;
}

static inline void
gate_accept(gate *g)
{
	int client = accept(g->listener, NULL, NULL);
	int server;

	if (client < 0)
		return;
	g->accepted++;
	server = gate_connect();
	for (int i = 0; i < GATE_PAIRS && server >= 0; i++)
	{
		if (g->pairs[i] != NULL)
			continue;
		gate_be_quick(client);
		gate_be_quick(server);
		g->pairs[i] = calloc(1, sizeof(gate_pair));
		g->pairs[i]->ends[TO_CLIENT] = client;
		g->pairs[i]->ends[TO_SERVER] = server;
		g->pairs[i]->since = gate_now();
		return;
	}
	(void) close(client);
	if (server >= 0)
		(void) close(server);
}

/* How much of what a stretch has may go on now; 0: none. */
static inline size_t
gate_allowance(const flow *f, const stretch *s)
{
	size_t most = s->have;

	if (f->kind == FLOW_RATE)
		most = 1;
	if (f->kind == FLOW_PARTS)
		most = (size_t) f->n;
	if ((f->kind == FLOW_BYTES || f->kind == FLOW_CUT) && f->n - f->passed < (int64_t) most)
		most = f->n > f->passed ? (size_t) (f->n - f->passed) : 0;
	return most < s->have ? most : s->have;
}

static inline void
gate_corrupt(const flow *f, stretch *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		int64_t at = s->passed + (int64_t) i;

		if (at >= f->n && at % 16 == f->n % 16)
			s->bytes[i] = (char) ~s->bytes[i];
	}
}

/* False: the connection is to be closed. */
static inline bool
gate_cut(gate *g, gate_pair *x, flow *f)
{
	f->kind = FLOW_PASS;
	x->is_dead = g->cut_by == LOSS_SILENCE;
	x->resets = g->cut_by == LOSS_RESET;
	return x->is_dead;
}

static inline bool
gate_send(gate *g, gate_pair *x, direction to, int64_t now)
{
	flow *f = &g->flows[to];
	stretch *s = &x->ways[to];
	size_t n = gate_allowance(f, s);
	ssize_t sent;

	if (f->kind == FLOW_ANSWER)
	{
		(void) send(x->ends[!to], g->answer, g->answer_length, MSG_NOSIGNAL);
		return false;
	}
	if (f->kind == FLOW_CUT && n == 0)
		return gate_cut(g, x, f);
	if (f->kind == FLOW_CLOSE || n == 0)
		return false;
	if (f->kind == FLOW_CORRUPT)
		gate_corrupt(f, s, n);
	sent = send(x->ends[to], s->bytes, n, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN;
	s->have -= (size_t) sent;
	s->passed += sent;
	f->passed += sent;
	memmove(s->bytes, s->bytes + sent, s->have);
	s->due = f->kind == FLOW_RATE ? now + 1000 / f->n : now;
	if (f->kind == FLOW_CUT && f->passed >= f->n)
		return gate_cut(g, x, f);
	return f->kind != FLOW_BYTES || f->passed < f->n;
}

static inline bool
gate_move(gate *g, gate_pair *x, direction to, int64_t now)
{
	const flow *f = &g->flows[to];
	stretch *s = &x->ways[to];
	ssize_t n = 0;

	if (f->kind == FLOW_TIME && !x->is_dead && now - x->since >= f->n)
		return false;
	if (!s->is_ended && s->have < GATE_BYTES)
	{
		n = recv(x->ends[!to], s->bytes + s->have, GATE_BYTES - s->have, 0);
		s->is_ended = n == 0 || (n < 0 && errno != EAGAIN);
		if (n > 0 && s->have == 0 && s->due <= now)
			s->due = now + (f->kind == FLOW_DELAY ? f->n : 0);
		s->have += n > 0 ? (size_t) n : 0;
	}
	/* That the server has ended it, nobody is told either. */
	if (f->kind == FLOW_DROP || x->is_dead)
	{
		g->lost += (int64_t) s->have;
		s->have = 0;
		return to == TO_CLIENT || !s->is_ended;
	}
	if (s->have > 0 && s->due <= now && !gate_send(g, x, to, now))
		return false;
	return s->have > 0 || !s->is_ended;
}

/* Milliseconds that nothing is due for, -1: nothing ever is. */
static inline int
gate_pause(const gate *g, int64_t now)
{
	int64_t due = GATE_NEVER;

	for (int i = 0; i < GATE_PAIRS; i++)
	{
		for (int to = 0; g->pairs[i] != NULL && to < 2; to++)
		{
			const stretch *s = &g->pairs[i]->ways[to];
			int64_t end = g->pairs[i]->since + g->flows[to].n;

			/* One that is due, and still there, is for somebody who takes nothing now. */
			if (s->have > 0)
				due = due < s->due ? due : s->due > now ? s->due : now + 1;
			if (g->flows[to].kind == FLOW_TIME && end < due)
				due = end;
		}
	}
	return due == GATE_NEVER ? -1 : due <= now ? 1 : (int) (due - now);
}

static inline void
gate_look(gate *g)
{
	int64_t now = gate_now();

	if (g->listener >= 0 && !g->is_deaf)
		gate_accept(g);
	for (int i = 0; i < GATE_PAIRS; i++)
	{
		if (g->pairs[i] != NULL && !(gate_move(g, g->pairs[i], TO_SERVER, now) &&
									 gate_move(g, g->pairs[i], TO_CLIENT, now)))
			gate_lose(g, i);
	}
}

static inline void *
gate_run(void *argument)
{
	gate *g = argument;
	char bytes[64];

	(void) pthread_mutex_lock(&g->lock);
	while (!g->must_end)
	{
		struct pollfd fds[2 + 2 * GATE_PAIRS];
		int count = 0;
		int pause;

		gate_look(g);
		fds[count++] = (struct pollfd){ .fd = g->wake[0], .events = POLLIN };
		fds[count++] = (struct pollfd){ .fd = g->is_deaf ? -1 : g->listener, .events = POLLIN };
		for (int i = 0; i < GATE_PAIRS; i++)
		{
			for (int to = 0; g->pairs[i] != NULL && to < 2; to++)
			{
				const stretch *s = &g->pairs[i]->ways[to];

				if (!s->is_ended && s->have < GATE_BYTES)
					fds[count++] =
						(struct pollfd){ .fd = g->pairs[i]->ends[!to], .events = POLLIN };
			}
		}
		pause = gate_pause(g, gate_now());
		(void) pthread_mutex_unlock(&g->lock);
		(void) poll(fds, (nfds_t) count, pause);
		(void) pthread_mutex_lock(&g->lock);
		while (read(g->wake[0], bytes, sizeof(bytes)) > 0)
			;
	}
	(void) pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* On the port that it had before, if it had one. */
static inline void
gate_listen(gate *g)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);
	int on = 1;

	g->listener = socket(AF_INET, SOCK_STREAM, 0);
	(void) setsockopt(g->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t) g->port);
	ck_assert_int_eq(bind(g->listener, (struct sockaddr *) &at, sizeof(at)), 0);
	ck_assert_int_eq(listen(g->listener, 64), 0);
	ck_assert_int_eq(getsockname(g->listener, (struct sockaddr *) &at, &length), 0);
	(void) fcntl(g->listener, F_SETFL, O_NONBLOCK);
	g->port = ntohs(at.sin_port);
}

static inline void
gate_start(gate *g)
{
	memset(g, 0, sizeof(*g));
	gate_listen(g);
	ck_assert_int_eq(pipe(g->wake), 0);
	(void) fcntl(g->wake[0], F_SETFL, O_NONBLOCK);
	(void) pthread_mutex_init(&g->lock, NULL);
	ck_assert_int_eq(pthread_create(&g->thread, NULL, gate_run, g), 0);
}

static inline void
gate_unlock(gate *g)
{
	(void) pthread_mutex_unlock(&g->lock);
	ck_assert_int_eq(write(g->wake[1], "", 1), 1);
}

static inline void
gate_set(gate *g, direction to, flow_kind kind, int64_t n)
{
	(void) pthread_mutex_lock(&g->lock);
	g->flows[to] = (flow){ .kind = kind, .n = n };
	gate_unlock(g);
}

static inline void
gate_set_both(gate *g, flow_kind kind, int64_t n)
{
	gate_set(g, TO_SERVER, kind, n);
	gate_set(g, TO_CLIENT, kind, n);
}

/* Whether FLOW_CUT is still to come. */
static inline bool
gate_is_whole(gate *g, direction to)
{
	bool is_whole;

	(void) pthread_mutex_lock(&g->lock);
	is_whole = g->flows[to].kind == FLOW_CUT;
	(void) pthread_mutex_unlock(&g->lock);
	return is_whole;
}

/* All of them, at once. */
static inline void
gate_close_all(gate *g, bool resets)
{
	(void) pthread_mutex_lock(&g->lock);
	for (int i = 0; i < GATE_PAIRS; i++)
	{
		if (g->pairs[i] == NULL)
			continue;
		g->pairs[i]->resets = resets;
		gate_lose(g, i);
	}
	gate_unlock(g);
}

/* Nobody can connect until gate_open(). */
static inline void
gate_refuse(gate *g)
{
	(void) pthread_mutex_lock(&g->lock);
	(void) close(g->listener);
	g->listener = -1;
	gate_unlock(g);
}

/* As at the beginning: all passes, and everybody is let in. */
static inline void
gate_open(gate *g)
{
	gate_set_both(g, FLOW_PASS, 0);
	(void) pthread_mutex_lock(&g->lock);
	g->is_deaf = false;
	if (g->listener < 0)
		gate_listen(g);
	gate_unlock(g);
}

static inline void
gate_be_deaf(gate *g)
{
	(void) pthread_mutex_lock(&g->lock);
	g->is_deaf = true;
	gate_unlock(g);
}

static inline int64_t
gate_passed(gate *g, direction to)
{
	int64_t passed;

	(void) pthread_mutex_lock(&g->lock);
	passed = g->flows[to].passed;
	(void) pthread_mutex_unlock(&g->lock);
	return passed;
}

static inline void
gate_end(gate *g)
{
	(void) pthread_mutex_lock(&g->lock);
	g->must_end = true;
	gate_unlock(g);
	ck_assert_int_eq(pthread_join(g->thread, NULL), 0);
	for (int i = 0; i < GATE_PAIRS; i++)
	{
		if (g->pairs[i] != NULL)
			gate_lose(g, i);
	}
	if (g->listener >= 0)
		(void) close(g->listener);
	(void) close(g->wake[0]);
	(void) close(g->wake[1]);
	(void) pthread_mutex_destroy(&g->lock);
}

#endif
