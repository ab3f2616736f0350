/*
 * destination.c
 *		Where libpq would connect to, and as whom.
 *
 * Only libpq knows all the places where that may be said.  It looks at them before it checks
 * options, and at options before it connects; so it is told to connect with an option that it
 * refuses, and then asked what it has found.
 */
#include "wire/conninfo.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* No version of libpq connects with this. */
#define REFUSED_KEYWORD "channel_binding"
#define REFUSED_VALUE   "nothing that there is"

PGconn *
kn__conninfo_ask(kn__arena *arena, const kn__settings *said, const char *keyword, const char *value)
{
	size_t most = (size_t) said->count + 3;
	const char **asked = kn__arena_get_zero(arena, 2 * most, sizeof(char *));
	int n = 0;

	if (asked == NULL)
		return NULL;
	for (int i = 0; i < said->count; i++)
	{
		if (strcmp(said->keywords[i], "password") == 0 || strcmp(said->keywords[i], keyword) == 0)
			continue;
		asked[n] = said->keywords[i];
		asked[most + (size_t) n++] = said->values[i];
	}
	/* With a password there is none to be looked for in files. */
	asked[n] = "password";
	asked[most + (size_t) n++] = "-";
	asked[n] = keyword;
	asked[most + (size_t) n] = value;
	return PQconnectStartParams(asked, asked + most, 0);
}

/* A copy of what a keyword has, NULL: it has nothing. */
static const char *
find(kn__arena *arena, const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
	{
		if (strcmp(options->keyword, keyword) == 0 && options->val != NULL && *options->val != '\0')
			return kn__arena_copy(arena, options->val, strlen(options->val));
	}
	return NULL;
}

static const char *
or_else(kn__arena *arena, const char *found, const char *otherwise)
{
	if (found != NULL)
		return found;
	return otherwise == NULL ? "" : kn__arena_copy(arena, otherwise, strlen(otherwise));
}

kn_status
kn__conninfo_resolve(kn__destination *out, kn__arena *arena, const kn__settings *said,
					 kn__fault *fault)
{
	PGconn *conn = kn__conninfo_ask(arena, said, REFUSED_KEYWORD, REFUSED_VALUE);
	PQconninfoOption *options = PQconninfo(conn);
	const char *port;
	kn_status status;

	*out = (kn__destination){ 0 };
	if (options == NULL)
	{
		PQfinish(conn);
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	}
	out->host = find(arena, options, "host");
	if (out->host == NULL)
		out->host = find(arena, options, "hostaddr");
	out->host = or_else(arena, out->host, PQhost(conn));
	out->user = or_else(arena, find(arena, options, "user"), PQuser(conn));
	out->database = or_else(arena, find(arena, options, "dbname"), PQdb(conn));
	port = or_else(arena, find(arena, options, "port"), PQport(conn));
	out->port = port == NULL ? 0 : (int) strtol(port, NULL, 10);
	out->connect_timeout = find(arena, options, "connect_timeout");
	out->hostaddr = find(arena, options, "hostaddr");
	out->options = find(arena, options, "options");
	out->client_encoding = find(arena, options, "client_encoding");
	status = kn__conninfo_check(arena, said, options, fault);
	kn__conninfo_free(options);
	PQfinish(conn);
	if (status != KN_OK)
		return status;
	return arena->has_failed ? kn__fail(fault, KN_NO_MEMORY, "out of memory") : KN_OK;
}
