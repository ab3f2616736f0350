/*
 * proxy.h
 *		Stands between the client and the server, and does harm at a given message.
 *
 * What the client sends is passed on a unit at a time: everything up to a Sync, and each message
 * of COPY.  The first unit that executes something, or is one of COPY's if kind says so, and has a
 * given text in it is harmed, once, at a given moment; all others pass.  One thread does it all.
 * It has to read what passes, so its side of the server is a Unix socket without TLS.  That of the
 * client is what is tested: one as well, or TCP with TLS, where that ends.
 */
#ifndef KN_TESTS_PROXY_H
#define KN_TESTS_PROXY_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy_pair.h"

#define PROXY_PAIRS 64

typedef enum moment
{
	MOMENT_BEFORE,    /* nothing of the unit has been passed on */
	MOMENT_HALF_SENT, /* half of it has */
	MOMENT_DURING,    /* all of it has, and the server is at it */
	MOMENT_AFTER,     /* the answer is here, and the client has nothing of it */
	MOMENT_HALF,      /* the client has half of it */
	MOMENT_COUNT
} moment;

typedef struct proxy
{
	char directory[64];
	struct sockaddr_un to;        /* empty when it starts: what is tested */
	struct sockaddr_un elsewhere; /* another server */
	bool is_tcp;                  /* to the client; with TLS it is in any case */
	char conninfo[100];           /* by which a client gets here, once it has started */
	bool resets;                  /* what is cut gets a reset */
	bool says_end;                /* what is cut gets the end of its TLS before */
	SSL_CTX *tls;                 /* to the client; NULL: it has none */
	_Atomic(int) encrypted;       /* connections that have it */
	int listener;
	int stop[2];
	pthread_t thread;
	pair *pairs[PROXY_PAIRS];
	const char *text;
	char kind; /* of the message it begins with; 0: any */
	moment when;
	int hit; /* the server's side of the connection that is being harmed */
	/* Called in the proxy's thread; true: cut the connection. */
	bool (*harm)(void *user);
	void *user;
	/*
	 * The next request to cancel is taken, and goes on to the server only after the next statement
	 * that passes, of whatever connection.  Nothing else passes until the server has it.
	 */
	_Atomic(bool) holds_cancel;
	int held; /* where it goes; 0: there is none */
	char request[16];
	const char *message; /* which nobody has said: see proxy_tell() */
	size_t message_length;
	bool is_mute;                  /* whoever comes is served in silence */
	_Atomic(bool) is_done;         /* the one thread sets it, the other looks */
	_Atomic(bool) is_at_it;        /* harm is being done; it was not before is_done */
	_Atomic(bool) drops;           /* from now on nothing passes, in either direction */
	_Atomic(bool) leads_elsewhere; /* new connections are to the other server */
} proxy;

static inline void
pair_close(proxy *p, int i)
{
	pair_free(p->pairs[i], p->resets, p->says_end);
	p->pairs[i] = NULL;
}

/* What the server has said to the unit that is harmed goes to who has sent it. */
static inline void
pass_back(proxy *p, const char *answer, size_t n)
{
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		if (p->pairs[i] != NULL && p->pairs[i]->server == p->hit)
			(void) pass_to_client(p->pairs[i], answer, n);
	}
}

static inline void
pass_answer_back(proxy *p)
{
	char answer[PROXY_BYTES];

	pass_back(p, answer, read_answer(p->hit, answer));
}

/* The same, once a request to cancel it has come: it is too late. */
static inline void
pass_back_cancelled(proxy *p, kn_ctx *cx)
{
	struct pollfd coming = { .fd = p->listener, .events = POLLIN };
	char answer[PROXY_BYTES];
	size_t n = read_answer(p->hit, answer);

	kn_cancel(cx);
	(void) poll(&coming, 1, -1);
	pass_back(p, answer, n);
}

/* A part of that unit goes on; what a server that is gone has said before goes back. */
static inline bool
pass_part(proxy *p, const char *bytes, size_t n)
{
	if (pass(p->hit, bytes, n))
		return true;
	pass_answer_back(p);
	return false;
}

/* Passes a unit on, and does the harm on the way; false: the connection is to be cut. */
static inline bool
harm_unit(proxy *p, pair *x, size_t unit)
{
	char answer[PROXY_BYTES];
	size_t half = unit / 2;
	size_t n;

	p->hit = x->server;
	p->is_at_it = true;
	p->is_done = true;
	if (p->when == MOMENT_BEFORE && p->harm(p->user))
		return false;
	if (!pass_part(p, x->bytes, half))
		return true;
	if (p->when == MOMENT_HALF_SENT && p->harm(p->user))
		return false;
	if (!pass_part(p, x->bytes + half, unit - half))
		return true;
	if (p->when == MOMENT_DURING && p->harm(p->user))
		return false;
	if (p->when < MOMENT_AFTER)
		return true;
	/* A COPY in that has begun is an answer as well. */
	n = read_until(x->server, answer, "ZG");
	if (p->when == MOMENT_AFTER && p->harm(p->user))
		return false;
	(void) pass_to_client(x, answer, n / 2);
	if (p->when == MOMENT_HALF && p->harm(p->user))
		return false;
	return pass_to_client(x, answer + n / 2, n - n / 2);
}

static inline bool
hold_request(proxy *p, const pair *x, size_t unit)
{
	if (!p->holds_cancel || unit != sizeof(p->request) || !pair_asks(x, ASKS_TO_CANCEL))
		return false;
	memcpy(p->request, x->bytes, unit);
	p->held = dup(x->server);
	p->holds_cancel = false;
	return true;
}

static inline void
let_request_go(proxy *p)
{
	char byte;

	(void) pass(p->held, p->request, sizeof(p->request));
	while (recv(p->held, &byte, 1, 0) > 0)
		;
	(void) close(p->held);
	p->held = 0;
}

static inline bool
from_client(proxy *p, pair *x)
{
	ssize_t n = take_from_client(x);
	size_t unit;
	bool executes;

	if (n <= 0)
		return false;
	if (x->is_dead)
		return true;
	x->have += (size_t) n;
	if (p->tls != NULL && x->tls == NULL && pair_asks(x, ASKS_FOR_TLS))
	{
		p->encrypted++;
		return pair_start_tls(x, p->tls);
	}
	while ((unit = unit_of(x, &executes)) > 0)
	{
		bool is_hit = !p->is_done && (p->kind == 0 ? executes : x->bytes[0] == p->kind) &&
					  contains(x->bytes, unit, p->text);
		bool has_passed;

		if (hold_request(p, x, unit))
			return false;
		x->is_started = true;
		has_passed = is_hit ? harm_unit(p, x, unit) : pass(x->server, x->bytes, unit);
		if (!has_passed)
			x->is_dead = p->drops;
		p->is_at_it = false;
		/* What the server has still to say is for the client. */
		if (!has_passed)
			return x->is_dead || !is_hit;
		if (executes && p->held > 0)
			let_request_go(p);
		x->have -= unit;
		memmove(x->bytes, x->bytes + unit, x->have);
	}
	return true;
}

static inline bool
all_from_client(proxy *p, pair *x)
{
	do
	{
		if (!from_client(p, x))
			return false;
	} while (has_more_of_client(x));
	return true;
}

static inline bool
from_server(pair *x)
{
	char bytes[PROXY_BYTES];
	ssize_t n = recv(x->server, bytes, sizeof(bytes), 0);

	return n > 0 && pass_to_client(x, bytes, (size_t) n);
}

static inline void
accept_pair(proxy *p)
{
	int on = 1;
	int client = accept(p->listener, NULL, NULL);
	int server = p->drops ? -1 : socket(AF_UNIX, SOCK_STREAM, 0);
	const struct sockaddr_un *to = p->leads_elsewhere ? &p->elsewhere : &p->to;

	/* A server that is started meanwhile must not have them. */
	(void) fcntl(client, F_SETFD, FD_CLOEXEC);
	(void) fcntl(server, F_SETFD, FD_CLOEXEC);
	if (p->is_tcp)
		(void) setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		if (p->pairs[i] != NULL)
			continue;
		p->pairs[i] = calloc(1, sizeof(pair));
		p->pairs[i]->client = client;
		p->pairs[i]->server = server;
		p->pairs[i]->is_dead = server < 0 || p->is_mute;
		if (server >= 0 && connect(server, (const struct sockaddr *) to, sizeof(*to)) != 0)
			pair_close(p, i);
		return;
	}
	(void) close(client);
	if (server >= 0)
		(void) close(server);
}

/*
 * A word to the thread: silence for all that there are, the end of the silent ones, a message to
 * all, or its own end.
 */
static inline bool
is_told_to_go_on(proxy *p)
{
	char word = 0;

	if (read(p->stop[0], &word, 1) != 1 || memchr("smct", word, 4) == NULL)
		return false;
	if (word == 's' || word == 'm')
		p->is_mute = word == 'm';
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		if (p->pairs[i] != NULL && word == 't')
			ck_assert(pass_to_client(p->pairs[i], p->message, p->message_length));
		else if (p->pairs[i] != NULL && word != 'c')
			p->pairs[i]->is_dead = true;
		else if (p->pairs[i] != NULL && p->pairs[i]->is_dead)
			pair_close(p, i);
	}
	p->is_done = true;
	return true;
}

static inline void *
proxy_run(void *argument)
{
	proxy *p = argument;
	sigset_t broken;

	/* Who has gone is written to by OpenSSL, which does not ask for no signal. */
	(void) sigemptyset(&broken);
	(void) sigaddset(&broken, SIGPIPE);
	(void) pthread_sigmask(SIG_BLOCK, &broken, NULL);
	for (;;)
	{
		struct pollfd fds[2 + 2 * PROXY_PAIRS];

		for (int i = 0; i < 2 + 2 * PROXY_PAIRS; i++)
			fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		fds[0].fd = p->stop[0];
		fds[1].fd = p->listener;
		for (int i = 0; i < PROXY_PAIRS; i++)
		{
			fds[2 + 2 * i].fd = p->pairs[i] == NULL ? -1 : p->pairs[i]->client;
			if (p->pairs[i] != NULL && p->drops)
				p->pairs[i]->is_dead = true;
			fds[3 + 2 * i].fd =
				p->pairs[i] == NULL || p->pairs[i]->is_dead ? -1 : p->pairs[i]->server;
		}
		if (poll(fds, 2 + 2 * PROXY_PAIRS, -1) < 0)
			return NULL;
		if (fds[0].revents != 0)
		{
			if (!is_told_to_go_on(p))
				return NULL;
			continue;
		}
		for (int i = 0; i < PROXY_PAIRS; i++)
		{
			if (p->pairs[i] != NULL && !p->pairs[i]->is_dead && fds[3 + 2 * i].revents != 0 &&
				!from_server(p->pairs[i]))
				pair_close(p, i);
			if (p->pairs[i] != NULL && fds[2 + 2 * i].revents != 0 &&
				!all_from_client(p, p->pairs[i]))
				pair_close(p, i);
		}
		if (fds[1].revents != 0)
			accept_pair(p);
	}
}

static inline void
listen_on_tcp(proxy *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(p->listener, (struct sockaddr *) &at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *) &at, &length), 0);
	(void) snprintf(p->conninfo,
					sizeof(p->conninfo),
					"host=127.0.0.1 port=%d gssencmode=disable%s",
					ntohs(at.sin_port),
					is_tls() ? "" : " sslmode=disable");
}

static inline void
listen_on_socket(proxy *p)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void) snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.54321", p->directory);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(p->listener, (struct sockaddr *) &at, sizeof(at)), 0);
	(void) snprintf(p->conninfo, sizeof(p->conninfo), "host=%s port=54321", p->directory);
}

/* To be called before it starts: it leads to the server itself, whatever stands before that. */
static inline void
proxy_lead_to_server(proxy *p)
{
	char directory[100];
	int port;

	ck_assert_int_eq(sscanf(getenv("KN_TEST_DIRECT"), "host=%99s port=%d", directory, &port), 2);
	p->elsewhere.sun_family = AF_UNIX;
	ck_assert_int_lt(snprintf(p->elsewhere.sun_path,
							  sizeof(p->elsewhere.sun_path),
							  "%s/.s.PGSQL.%d",
							  directory,
							  port),
					 (int) sizeof(p->elsewhere.sun_path));
	p->leads_elsewhere = true;
}

static inline void
proxy_start(proxy *p)
{
	(void) snprintf(p->directory, sizeof(p->directory), "/tmp/kn_proxy_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(p->directory));
	if (p->to.sun_path[0] == '\0')
	{
		p->to.sun_family = AF_UNIX;
		(void) snprintf(p->to.sun_path,
						sizeof(p->to.sun_path),
						"%s/.s.PGSQL.%s",
						socket_dir(),
						getenv("PGPORT"));
	}
	p->is_tcp = p->is_tcp || is_tls();
	if (p->is_tcp)
		listen_on_tcp(p);
	else
		listen_on_socket(p);
	if (is_tls())
		p->tls = tls_of(getenv("KN_TEST_TLS"));
	ck_assert_int_eq(listen(p->listener, 16), 0);
	ck_assert_int_eq(pipe(p->stop), 0);
	(void) fcntl(p->listener, F_SETFD, FD_CLOEXEC);
	(void) fcntl(p->stop[0], F_SETFD, FD_CLOEXEC);
	(void) fcntl(p->stop[1], F_SETFD, FD_CLOEXEC);
	ck_assert_int_eq(pthread_create(&p->thread, NULL, proxy_run, p), 0);
}

static inline void
proxy_say(proxy *p, const char *word)
{
	p->is_done = false;
	ck_assert_int_eq(write(p->stop[1], word, 1), 1);
	while (!p->is_done)
		(void) poll(NULL, 0, 1);
}

/* All connections that there are by now fall silent, and nobody is told; new ones are served. */
static inline void
proxy_silence(proxy *p)
{
	proxy_say(p, "s");
}

/* Whoever still waits for a word of a connection that has fallen silent learns that it is over. */
static inline void
proxy_close_silent(proxy *p)
{
	proxy_say(p, "c");
}

/* All clients are told what nobody has said, by the thread that tells them all else. */
static inline void
proxy_tell(proxy *p, const char *message, size_t n)
{
	p->message = message;
	p->message_length = n;
	proxy_say(p, "t");
}

/* No harm is done from here on: the caller may have given up before it was. */
static inline void
proxy_await_harm(proxy *p)
{
	while (p->is_at_it)
		(void) poll(NULL, 0, 1);
}

/* New ones are silent as well: they are taken, and that is all. */
static inline void
proxy_mute(proxy *p)
{
	proxy_say(p, "m");
}

static inline void
proxy_end(proxy *p)
{
	char path[128];

	ck_assert_int_eq(write(p->stop[1], "", 1), 1);
	ck_assert_int_eq(pthread_join(p->thread, NULL), 0);
	/* What has passed was what is tested. */
	ck_assert_int_eq(p->encrypted > 0, is_tls());
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		if (p->pairs[i] != NULL)
			pair_close(p, i);
	}
	(void) close(p->listener);
	(void) close(p->stop[0]);
	(void) close(p->stop[1]);
	SSL_CTX_free(p->tls);
	(void) snprintf(path, sizeof(path), "%s/.s.PGSQL.54321", p->directory);
	(void) unlink(path);
	(void) rmdir(p->directory);
}

#endif
