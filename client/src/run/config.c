/*
 * config.c
 *		The configuration of a handle, from all the places it is said in.
 *
 * What libpq knows is left to libpq: PG* variables, service and password files, and
 * above all sslmode, of which we have no default of our own.
 */
#include "run/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kints/secret.h"

static kn_status take_struct(kn__builder *b, const kn_config *given);
static kn_status settle_all(kn__builder *b);
static kn_status check_pairs(kn__builder *b);
static void take_connect_timeouts(kn__config *config, bool says_how_long);
static kn_status take_secret(kn__builder *b);
static kn_secret_program *split_command(kn__arena *arena, const char *text);
static void release(kn__config *config);

static kn_status
build(kn__config *config, const kn_config *given, kn__fault *fault)
{
	kn__builder b = { .config = config, .fault = fault };
	const char *conninfo;
	kn_status status = take_struct(&b, given);

	if (status != KN_OK)
		return status;
	conninfo = config->config.conninfo != NULL ? config->config.conninfo
											   : kn__options_environment(&b, "conninfo");
	status = kn__conninfo_parse(&b.conninfo, &config->arena, conninfo, fault);
	if (status == KN_OK)
		status = settle_all(&b);
	/* They have been copied, and those of replicas and listeners have passwords in them. */
	for (int i = 0; i < b.conninfo.our_count; i++)
		kn__wipe(b.conninfo.ours[i].value, strlen(b.conninfo.ours[i].value));
	if (status != KN_OK)
		release(config);
	config->config.conninfo = NULL;
	config->config.replicas = NULL;
	return status;
}

static kn_status
take_struct(kn__builder *b, const kn_config *given)
{
	kn_config *config = &b->config->config;
	const kn_allocator *allocator;

	if (given->size < offsetof(kn_config, conninfo))
		return kn__fail(b->fault, KN_CONFIG, "the size of the configuration is not filled in");
	for (size_t i = sizeof(kn_config); i < given->size; i++)
	{
		if (((const char *) given)[i] != 0)
			return kn__fail(b->fault,
							KN_CONFIG,
							"the configuration has an option that this version does not know");
	}
	memcpy(config, given, given->size < sizeof(kn_config) ? given->size : sizeof(kn_config));
	config->size = sizeof(kn_config);
	allocator = config->allocator;
	if (allocator != NULL &&
		(allocator->allocate == NULL || allocator->resize == NULL || allocator->release == NULL) &&
		(allocator->allocate != NULL || allocator->resize != NULL || allocator->release != NULL))
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"allocator\" has to have all three functions, or none");
	kn__arena_init(&b->config->arena, allocator);
	return KN_OK;
}

static kn_status
settle_all(kn__builder *b)
{
	bool says_how_long = b->config->config.connect_ms != 0 ||
						 kn__options_find(b, "connect_ms") != NULL ||
						 kn__options_environment(b, "connect_ms") != NULL;
	const char *list;
	kn_status status = kn__options_settle(b);

	if (status == KN_OK)
		status = check_pairs(b);
	if (status == KN_OK)
		status = take_secret(b);
	if (status != KN_OK)
		return status;
	list = kn__options_find(b, "replicas");
	if (list == NULL)
		list = kn__options_environment(b, "replicas");
	status = kn__servers_add(b->config, &b->conninfo, list, b->fault);
	if (status == KN_OK)
		take_connect_timeouts(b->config, says_how_long);
	return status;
}

/* Options that have to fit each other. */
static kn_status
check_pairs(kn__builder *b)
{
	kn_config *config = &b->config->config;

	if (config->name[0] == '\0')
		config->name = "kints";
	if (config->min_connections > config->max_connections)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"min_connections\" is %d, but \"max_connections\" is %d",
						config->min_connections,
						config->max_connections);
	if (config->retry_base_ms > config->retry_cap_ms)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"retry_base_ms\" is %" PRId64 ", but \"retry_cap_ms\" is %" PRId64,
						config->retry_base_ms,
						config->retry_cap_ms);
	return KN_OK;
}

/*
 * How long libpq would wait for each server, wherever that is said; it does so itself only where
 * nobody else polls.
 */
static void
take_connect_timeouts(kn__config *config, bool says_how_long)
{
	for (int i = 0; i < config->server_count; i++)
	{
		kn__place *server = &config->servers[i];
		int seconds;

		server->connect_ms = config->config.connect_ms;
		if (!says_how_long && server->connect_timeout != NULL &&
			kn__conninfo_number(server->connect_timeout, &seconds))
			server->connect_ms = seconds > 0 ? (int64_t) seconds * 1000 : -1;
	}
	config->config.connect_ms = config->servers[0].connect_ms;
}

/* The source of the password that a text names. */
static kn_status
take_secret(kn__builder *b)
{
	kn_config *config = &b->config->config;
	int named = (*config->secret_environment != '\0') + (*config->secret_file != '\0') +
				(*config->secret_command != '\0');

	if (config->secret != NULL || named == 0)
		return KN_OK;
	if (named > 1)
		return kn__fail(b->fault,
						KN_CONFIG,
						"only one of the options \"secret_environment\", \"secret_file\" and "
						"\"secret_command\" can be said");
	if (*config->secret_environment != '\0')
	{
		config->secret = kn_secret_environment;
		config->secret_user = (void *) (uintptr_t) config->secret_environment;
	}
	else if (*config->secret_file != '\0')
	{
		config->secret = kn_secret_file;
		config->secret_user = (void *) (uintptr_t) config->secret_file;
	}
	else
	{
		config->secret = kn_secret_command;
		config->secret_user = split_command(&b->config->arena, config->secret_command);
	}
	return b->config->arena.has_failed ? kn__fail(b->fault, KN_NO_MEMORY, "out of memory") : KN_OK;
}

/* No shell: blanks are between arguments, and nothing else means anything. */
static kn_secret_program *
split_command(kn__arena *arena, const char *text)
{
	kn_secret_program *program = kn__arena_get_zero(arena, 1, sizeof(kn_secret_program));
	const char **argv = kn__arena_get_zero(arena, strlen(text) / 2 + 2, sizeof(char *));
	int n = 0;

	if (program == NULL || argv == NULL)
		return NULL;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " "))
	{
		argv[n++] = kn__arena_copy(arena, text, strcspn(text, " "));
		text += strcspn(text, " ");
	}
	*program = (kn_secret_program){ .size = sizeof(*program), .argv = argv };
	return program;
}

static void
release(kn__config *config)
{
	kn__arena_wipe(&config->arena);
	kn__arena_release(&config->arena);
}

kn_status
kn__config_read(kn__config **out, const kn_config *given, char *error, size_t capacity)
{
	kn__config config = { 0 };
	kn__fault fault;
	kn_status status;

	*out = NULL;
	kn__fault_clear(&fault);
	status = build(&config, given, &fault);
	if (status == KN_OK)
	{
		*out = kn__allocate(config.config.allocator, sizeof(kn__config));
		if (*out != NULL)
			**out = config;
		else
		{
			release(&config);
			status = kn__fail(&fault, KN_NO_MEMORY, "out of memory");
		}
	}
	if (error != NULL && capacity > 0)
		(void) snprintf(error, capacity, "%s", fault.error.message);
	return status;
}

void
kn__config_free(kn__config *config)
{
	const kn_allocator *allocator;

	if (config == NULL)
		return;
	allocator = config->config.allocator;
	release(config);
	kn__release(allocator, config, sizeof(kn__config));
}
