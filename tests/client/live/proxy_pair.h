/*
 * proxy_pair.h
 *		A connection that passes the proxy: its two sides, and what the client has sent.
 *
 * The client's side may speak TLS, which ends here: what passes is read, and the server has its own
 * side without.
 */
#ifndef KN_TESTS_PROXY_PAIR_H
#define KN_TESTS_PROXY_PAIR_H

#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.h"
#include "message.h"

/* What a client asks for before all else, beside a session. */
#define ASKS_TO_CANCEL 80877102
#define ASKS_FOR_TLS   80877103

typedef struct pair
{
	int client;
	int server;   /* -1: there is none */
	bool is_dead; /* nothing goes on from here, and nobody is told */
	bool is_started;
	SSL *tls; /* of the client's side; NULL: it has none */
	size_t have;
	char bytes[PROXY_BYTES]; /* of the client's, not passed on yet */
} pair;

/* As pass(), to the client. */
static inline bool
pass_to_client(const pair *x, const char *bytes, size_t n)
{
	if (x->tls == NULL)
		return pass(x->client, bytes, n);
	return n == 0 || SSL_write(x->tls, bytes, (int) n) > 0;
}

/* What the client has sent, as recv() has it. */
static inline ssize_t
take_from_client(pair *x)
{
	char *to = x->bytes + x->have;
	size_t room = PROXY_BYTES - x->have;

	return x->tls == NULL ? recv(x->client, to, room, 0) : SSL_read(x->tls, to, (int) room);
}

static inline bool
has_more_of_client(const pair *x)
{
	return x->tls != NULL && SSL_pending(x->tls) > 0;
}

/* False: the client gives up meanwhile. */
static inline bool
pair_start_tls(pair *x, SSL_CTX *context)
{
	x->have = 0;
	if (!pass(x->client, "S", 1))
		return false;
	x->tls = SSL_new(context);
	return SSL_set_fd(x->tls, x->client) == 1 && SSL_accept(x->tls) == 1;
}

/* The certificate is the server's own. */
static inline SSL_CTX *
tls_of(const char *certificates)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	char path[256];

	(void) snprintf(path, sizeof(path), "%s/server.crt", certificates);
	ck_assert_int_eq(SSL_CTX_use_certificate_file(context, path, SSL_FILETYPE_PEM), 1);
	(void) snprintf(path, sizeof(path), "%s/server.key", certificates);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM), 1);
	return context;
}

/* Without a good-bye, as connections are lost; or with that of TLS, and no more. */
static inline void
pair_free(pair *x, bool resets, bool says_end)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (resets)
		(void) setsockopt(x->client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (says_end && x->tls != NULL)
		(void) SSL_shutdown(x->tls);
	SSL_free(x->tls);
	(void) close(x->client);
	if (x->server >= 0)
		(void) close(x->server);
	free(x);
}

/* Whether a client that has no session yet asks for this. */
static inline bool
pair_asks(const pair *x, uint32_t what)
{
	return !x->is_started && x->have >= 8 && length_at(x->bytes + 4) == what;
}

/* The length of the first whole unit, 0: there is none yet. */
static inline size_t
unit_of(const pair *x, bool *executes)
{
	size_t at = 0;

	*executes = false;
	if (!x->is_started)
		return x->have >= 4 && x->have >= length_at(x->bytes) ? length_at(x->bytes) : 0;
	while (at + 5 <= x->have && at + 1 + length_at(x->bytes + at + 1) <= x->have)
	{
		char kind = x->bytes[at];

		at += 1 + length_at(x->bytes + at + 1);
		*executes |= kind == 'E' || kind == 'Q';
		if (strchr("SQXpdcf", kind) != NULL)
			return at;
	}
	return 0;
}

#endif
