/*
 * servers.c
 *		Which servers a configuration names, and how to connect to each.
 *
 * What libpq is told is what the conninfo says, a name for the sessions, and that
 * their texts are in UTF-8; no other option gets a default of ours here.  A replica is
 * reached as the first server is in all that its own conninfo does not say: a replica
 * without TLS, where the first server has it, takes somebody to say so.  What a service
 * says that a conninfo names is said by that conninfo.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/config.h"

typedef struct builder
{
	kn__config *config;
	kn__conninfo first; /* with what its service says */
	bool has_service;   /* that has been found; else it is as if it said nothing */
	kn__fault *fault;
} builder;

static bool
is_one_of(const char *keyword, const char *const *keywords)
{
	for (; *keywords != NULL; keywords++)
	{
		if (strcmp(keyword, *keywords) == 0)
			return true;
	}
	return false;
}

/*
 * Whether a replica takes over what it does not say itself.  Not what picks one of several
 * hosts, nor the service, which is all taken over that it says; and the host only if another port
 * on it is all that the replica says of its place.
 */
static bool
is_inherited(const kn__conninfo *said, const char *keyword)
{
	static const char *const never[] = {
		"port", "service", "servicefile", "target_session_attrs", "load_balance_hosts", NULL
	};
	static const char *const place[] = { "host", "hostaddr", NULL };

	if (kn__conninfo_find(said, keyword) != NULL || is_one_of(keyword, never))
		return false;
	if (!is_one_of(keyword, place))
		return true;
	return kn__conninfo_find(said, "host") == NULL && kn__conninfo_find(said, "hostaddr") == NULL &&
		   kn__conninfo_find(said, "service") == NULL;
}

static void
add_setting(kn__place *server, const char *keyword, const char *value)
{
	server->keywords[server->count] = keyword;
	server->values[server->count] = value;
	server->count++;
}

static kn_status find_place(builder *b, kn__place *server);

/*
 * One server: what was said of it, and what is taken from the first one, if it is not that.  libpq
 * reads the service for itself; whole is with it.
 */
static kn_status
add_server(builder *b, const kn__conninfo *said, const kn__conninfo *whole,
		   const kn__conninfo *first)
{
	kn__place *server = &b->config->servers[b->config->server_count];
	size_t most =
		(size_t) said->their_count + 4 + (first != NULL ? (size_t) first->their_count : 0);

	server->keywords = kn__arena_get_zero(&b->config->arena, most, sizeof(char *));
	server->values = kn__arena_get_zero(&b->config->arena, most, sizeof(char *));
	if (server->keywords == NULL || server->values == NULL)
		return kn__fail(b->fault, KN_NO_MEMORY, "out of memory");
	b->config->server_count++;
	for (int i = 0; i < said->their_count; i++)
		add_setting(server, said->theirs[i].keyword, said->theirs[i].value);
	for (int i = 0; first != NULL && i < first->their_count; i++)
	{
		const kn__conninfo_option *o = &first->theirs[i];

		if (is_inherited(whole, o->keyword))
			add_setting(server, o->keyword, o->value);
	}
	if (kn__conninfo_find(whole, "fallback_application_name") == NULL &&
		(first == NULL || kn__conninfo_find(first, "fallback_application_name") == NULL))
		add_setting(server, "fallback_application_name", b->config->config.name);
	return find_place(b, server);
}

/* Where that leads to, for people; PG* variables, service files and libpq's defaults count. */
static kn_status
find_place(builder *b, kn__place *server)
{
	kn__settings said = { server->keywords, server->values, server->count };
	kn__destination found;
	kn_status status = kn__conninfo_resolve(&found, &b->config->arena, &said, b->fault);

	server->host = found.host;
	server->port = found.port;
	server->database = found.database;
	server->user = found.user;
	server->connect_timeout = found.connect_timeout;
	server->hostaddr = found.hostaddr;
	server->options = found.options;
	server->client_encoding = found.client_encoding;
	if (status != KN_OK || found.client_encoding != NULL)
		return status;
	/* The server may have another default, for each role and database. */
	server->client_encoding = KN__ENCODING;
	add_setting(server, "client_encoding", KN__ENCODING);
	return KN_OK;
}

/* One that says of itself only what is not as with the first. */
static kn_status
add_other(builder *b, const char *text)
{
	kn__conninfo said;
	kn__conninfo whole;
	kn_status status = kn__conninfo_parse(&said, &b->config->arena, text, b->fault);

	if (status != KN_OK)
		return status;
	if (said.our_count > 0)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"" KN__OPTION_PREFIX "%s\" belongs into the first conninfo",
						said.ours[0].keyword);
	if (kn__conninfo_find(&said, "host") == NULL && kn__conninfo_find(&said, "hostaddr") == NULL &&
		kn__conninfo_find(&said, "port") == NULL && kn__conninfo_find(&said, "service") == NULL)
		return kn__fail(b->fault, KN_CONFIG, "the conninfo does not say where it is");
	whole = said;
	status = kn__conninfo_add_service(&whole, &b->config->arena, b->fault);
	if (status == KN_OK && !b->has_service)
		status = kn__conninfo_add_service(&b->first, &b->config->arena, b->fault);
	if (status != KN_OK)
		return status;
	return add_server(b, &said, &whole, &b->first);
}

/* Says before a message which conninfo it is of. */
static kn_status
name_fault(builder *b, const char *what, kn_status status)
{
	kn__fault why;

	if (status != KN_CONFIG)
		return status;
	kn__fault_copy(&why, b->fault);
	return kn__fail(b->fault, KN_CONFIG, "%s: %s", what, why.error.message);
}

static kn_status
add_replica(builder *b, const char *text)
{
	char what[32];

	(void) snprintf(what, sizeof(what), "replica %d", b->config->server_count);
	return name_fault(b, what, add_other(b, text));
}

/* It is behind the servers, and none of them. */
static kn_status
add_listening(builder *b)
{
	kn__config *config = b->config;
	const char *text = config->config.listen_conninfo;
	kn_status status = KN_OK;

	if (text[0] != '\0')
		status = name_fault(b, "listen_conninfo", add_other(b, text));
	if (text[0] != '\0' && status == KN_OK)
		config->listening = &config->servers[--config->server_count];
	kn__wipe((void *) (uintptr_t) text, strlen(text));
	config->config.listen_conninfo = NULL;
	return status;
}

/* The next of a list with semicolons between them, as a copy; "" where the list ends. */
static char *
next_of_list(builder *b, const char **list)
{
	const char *begin = *list + strspn(*list, "; \t\r\n");
	size_t n = strcspn(begin, ";");

	*list = begin + n;
	return kn__arena_copy(&b->config->arena, begin, n);
}

/* How many there can be at most. */
static size_t
count_servers(const char *const *replicas, const char *list)
{
	size_t most = 3;

	for (; replicas != NULL && *replicas != NULL; replicas++)
		most++;
	for (; list != NULL && *list != '\0'; list++)
		most += *list == ';' ? 1 : 0;
	return most;
}

kn_status
kn__servers_add(kn__config *config, const kn__conninfo *first, const char *list, kn__fault *fault)
{
	builder b = { .config = config, .first = *first, .fault = fault };
	const char *const *replicas = config->config.replicas;
	kn__fault ignored;
	kn_status status;

	config->servers =
		kn__arena_get_zero(&config->arena, count_servers(replicas, list), sizeof(kn__place));
	if (config->servers == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	/* Where only libpq finds the service, it need not be read unless there is another server. */
	status = kn__conninfo_add_service(&b.first, &config->arena, &ignored);
	if (status == KN_NO_MEMORY)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	b.has_service = status == KN_OK;
	status = add_server(&b, first, &b.first, NULL);
	for (; status == KN_OK && replicas != NULL && *replicas != NULL; replicas++)
		status = add_replica(&b, *replicas);
	while (status == KN_OK && config->config.replicas == NULL && list != NULL)
	{
		char *text = next_of_list(&b, &list);

		if (text == NULL)
			return kn__fail(fault, KN_NO_MEMORY, "out of memory");
		if (text[0] == '\0')
			break;
		status = add_replica(&b, text);
		kn__wipe(text, strlen(text));
	}
	return status == KN_OK ? add_listening(&b) : status;
}
