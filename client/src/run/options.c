/*
 * options.c
 *		The options of a configuration that are a number, a mode, a flag or a text.
 *
 * One table has all of them; what is not in it (functions, pointers) can be said in the struct
 * only.  Zero in the struct means that nothing is said.  Which place a value came from goes
 * into the message if it is no good, for else nobody finds the variable that somebody set long ago.
 */
#include "run/options.h"
#include "data/data.h"
#include "run/misspelt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LIMIT KN__NAME_LIMIT
#define PREFIX     "KINTS_"
/* So that milliseconds can be made nanoseconds: a century. */
#define MS_MOST INT64_C(3155760000000)

typedef enum option_kind
{
	OPTION_INT,
	OPTION_INT64,
	OPTION_MODE,
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_NAMES
} option_kind;

typedef struct option
{
	const char *name;
	size_t offset;
	int64_t least;
	int64_t most;
	int64_t usual;
	option_kind kind;
	bool has_never; /* -1 can be said besides */
} option;

#define OPTION(field, what, from, to, never, otherwise)                              \
	{                                                                                \
		.name = #field, .offset = offsetof(kn_config, field), .kind = OPTION_##what, \
		.least = (from), .most = (to), .has_never = (never), .usual = (otherwise)    \
	}
#define INT(field, from, to, never, otherwise) OPTION(field, INT, from, to, never, otherwise)
#define MS(field, never, otherwise)            OPTION(field, INT64, 1, MS_MOST, never, otherwise)
#define OTHER(what, field)                     OPTION(field, what, 0, 0, false, 0)

static const option options[] = {
	OTHER(TEXT, name),
	OTHER(TEXT, listen_conninfo),
	INT(min_connections, 0, 10000, false, 0),
	INT(max_connections, 1, 10000, false, 10),
	INT(max_opening, 1, 10000, false, 2),
	INT(max_waiters, 0, INT32_MAX, false, 0),
	MS(acquire_ms, true, 5000),
	MS(connect_ms, true, 5000),
	MS(idle_ms, true, 600000),
	MS(lifetime_ms, true, 1800000),
	MS(keepalive_ms, true, -1),
	MS(leak_ms, true, -1),
	MS(drain_ms, true, 5000),
	MS(statement_ms, true, -1),
	MS(cancel_ms, true, 1000),
	INT(statement_cache, 1, 1000000, true, 256),
	OPTION(statement_cache_bytes, INT64, 1024, INT64_C(1) << 40, false, INT64_C(1) << 20),
	INT(prepare_after, 1, INT32_MAX, false, 1),
	OTHER(MODE, pgbouncer),
	OTHER(NAMES, volatile_functions),
	OTHER(NAMES, stable_functions),
	INT(retry_attempts, 1, 1000, false, 3),
	MS(retry_base_ms, false, 10),
	MS(retry_cap_ms, false, 1000),
	INT(retry_budget_percent, 1, 1000, true, 20),
	INT(breaker_failure_percent, 1, 100, true, 50),
	INT(breaker_slow_percent, 1, 100, true, -1),
	MS(breaker_slow_ms, false, 1000),
	INT(breaker_window, 1, 86400, false, 10),
	INT(breaker_calls, 1, INT32_MAX, false, 20),
	MS(breaker_open_ms, false, 2000),
	INT(breaker_probes, 1, 10000, false, 3),
	MS(lag_ms, true, 10000),
	MS(probe_ms, true, 1000),
	INT(hedge_percent, 0, 100, false, 0),
	MS(slow_ms, true, -1),
	OTHER(FLAG, show_parameters),
	MS(secret_ms, true, 60000),
	OTHER(TEXT, secret_environment),
	OTHER(TEXT, secret_file),
	OTHER(TEXT, secret_command),
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

extern char **environ;

static bool is_misspelt(const char *variable, size_t n, char meant[NAME_LIMIT]);
static bool is_of_struct_only(const char *variable, size_t n);

/* Whether something of that name can be said in a conninfo. */
static bool
is_option(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return true;
	}
	return strcmp(name, "replicas") == 0;
}

/* "KINTS_MAX_CONNECTIONS" of "max_connections" */
static void
environment_name(char out[NAME_LIMIT], const char *name)
{
	size_t n = (size_t) snprintf(out, NAME_LIMIT, PREFIX "%s", name);

	for (size_t i = 0; i < n && i < NAME_LIMIT; i++)
	{
		if (out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char) (out[i] - 'a' + 'A');
	}
}

const char *
kn__options_environment(const kn__builder *b, const char *name)
{
	char variable[NAME_LIMIT];

	if (b->config->config.ignore_environment)
		return NULL;
	environment_name(variable, name);
	return getenv(variable);
}

const char *
kn__options_find(const kn__builder *b, const char *name)
{
	for (int i = b->conninfo.our_count - 1; i >= 0; i--)
	{
		if (strcmp(b->conninfo.ours[i].keyword, name) == 0)
			return b->conninfo.ours[i].value;
	}
	return NULL;
}

/* Where a value was found: what a message calls the option. */
typedef enum origin
{
	ORIGIN_STRUCT,
	ORIGIN_STRUCT_TEXT,
	ORIGIN_CONNINFO,
	ORIGIN_ENVIRONMENT
} origin;

static kn_status
refuse(kn__builder *b, const char *name, origin from, const char *value, const char *wanted)
{
	char variable[NAME_LIMIT];

	if (from == ORIGIN_STRUCT)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"%s\" is %s, but has to be %s",
						name,
						value,
						wanted);
	if (from == ORIGIN_STRUCT_TEXT)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"%s\" is \"%s\", but has to be %s",
						name,
						value,
						wanted);
	if (from == ORIGIN_CONNINFO)
		return kn__fail(b->fault,
						KN_CONFIG,
						"option \"" KN__OPTION_PREFIX
						"%s\" of the conninfo is \"%s\", but has to be %s",
						name,
						value,
						wanted);
	environment_name(variable, name);
	return kn__fail(b->fault,
					KN_CONFIG,
					"environment variable \"%s\" is \"%s\", but has to be %s",
					variable,
					value,
					wanted);
}

static int64_t
load(const kn_config *config, const option *o)
{
	const char *field = (const char *) config + o->offset;

	switch (o->kind)
	{
		case OPTION_INT:
			return *(const int *) (const void *) field;
		case OPTION_INT64:
			return *(const int64_t *) (const void *) field;
		case OPTION_MODE:
			return *(const kn_mode *) (const void *) field;
		case OPTION_FLAG:
			return *(const bool *) (const void *) field;
		default:
			return 0;
	}
}

static void
store(kn_config *config, const option *o, int64_t value)
{
	char *field = (char *) config + o->offset;

	switch (o->kind)
	{
		case OPTION_INT:
			*(int *) (void *) field = (int) value;
			break;
		case OPTION_INT64:
			*(int64_t *) (void *) field = value;
			break;
		case OPTION_MODE:
			*(kn_mode *) (void *) field = (kn_mode) value;
			break;
		case OPTION_FLAG:
			*(bool *) (void *) field = value != 0;
			break;
		default:
			break;
	}
}

/* Decimal digits, perhaps with a minus before them, and nothing else. */
static bool
read_number(const char *text, int64_t *out)
{
	bool is_negative = *text == '-';
	int64_t value = 0;

	text += is_negative ? 1 : 0;
	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
	{
		if (value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (*text - '0');
	}
	*out = is_negative ? -value : value;
	return *text == '\0';
}

/* The index of a word in a list that ends with NULL. */
static bool
read_word(const char *text, const char *const *words, int64_t *out)
{
	for (*out = 0; words[*out] != NULL; ++*out)
	{
		if (strcmp(text, words[*out]) == 0)
			return true;
	}
	return false;
}

static bool
is_within(const option *o, int64_t value)
{
	return (value >= o->least && value <= o->most) || (o->has_never && value == -1);
}

static kn_status
settle_number(kn__builder *b, const option *o, origin from, const char *text, int64_t value)
{
	char shown[32];
	char wanted[100];

	if ((text == NULL || read_number(text, &value)) && is_within(o, value))
	{
		store(&b->config->config, o, value);
		return KN_OK;
	}
	(void) snprintf(shown, sizeof(shown), "%" PRId64, value);
	(void) snprintf(wanted,
					sizeof(wanted),
					"a number from %" PRId64 " to %" PRId64 "%s",
					o->least,
					o->most,
					o->has_never ? ", or -1" : "");
	return refuse(b, o->name, from, text == NULL ? shown : text, wanted);
}

static kn_status
settle_word(kn__builder *b, const option *o, origin from, const char *text, int64_t value)
{
	static const char *const modes[] = { "auto", "on", "off", NULL };
	static const char *const flags[] = {
		"off", "on", "false", "true", "no", "yes", "0", "1", NULL
	};
	bool is_mode = o->kind == OPTION_MODE;

	if (text == NULL ? !is_mode || (value >= KN_AUTOMATIC && value <= KN_OFF)
					 : read_word(text, is_mode ? modes : flags, &value))
	{
		store(&b->config->config, o, is_mode || text == NULL ? value : value % 2);
		return KN_OK;
	}
	if (text == NULL)
		return refuse(b, o->name, from, "something else", "KN_AUTOMATIC, KN_ON or KN_OFF");
	return refuse(b, o->name, from, text, is_mode ? "auto, on or off" : "on or off");
}

static kn_status
settle_text(kn__builder *b, const option *o, origin from, const char *text)
{
	const char **field = (const char **) (void *) ((char *) &b->config->config + o->offset);

	if (*field != NULL)
	{
		text = *field;
		from = ORIGIN_STRUCT_TEXT;
	}
	if (o->kind == OPTION_NAMES && text != NULL && !kn__functions_can_be(text))
		return refuse(b,
					  o->name,
					  from,
					  text,
					  "names of functions, without schemas or quotes, with commas between");
	*field = kn__arena_copy(&b->config->arena,
							text == NULL ? "" : text,
							text == NULL ? 0 : strlen(text));
	return *field == NULL ? kn__fail(b->fault, KN_NO_MEMORY, "out of memory") : KN_OK;
}

static kn_status
settle(kn__builder *b, const option *o)
{
	int64_t value = load(&b->config->config, o);
	const char *text = kn__options_find(b, o->name);
	origin from = ORIGIN_CONNINFO;

	if (text == NULL)
	{
		text = kn__options_environment(b, o->name);
		from = ORIGIN_ENVIRONMENT;
	}
	if (o->kind == OPTION_TEXT || o->kind == OPTION_NAMES)
		return settle_text(b, o, from, text);
	if (value != 0)
	{
		text = NULL;
		from = ORIGIN_STRUCT;
	}
	else if (text == NULL)
	{
		store(&b->config->config, o, o->usual);
		return KN_OK;
	}
	if (o->kind == OPTION_MODE || o->kind == OPTION_FLAG)
		return settle_word(b, o, from, text, value);
	return settle_number(b, o, from, text, value);
}

static kn_status
check_ours(kn__builder *b)
{
	for (int i = 0; i < b->conninfo.our_count; i++)
	{
		const char *name = b->conninfo.ours[i].keyword;

		if (!is_option(name))
			return kn__fail(b->fault,
							KN_CONFIG,
							"unknown option \"" KN__OPTION_PREFIX "%s\"",
							name);
	}
	return KN_OK;
}

/* What is ours but for a slip would say nothing. */
static kn_status
check_environment(kn__builder *b)
{
	char meant[NAME_LIMIT];

	for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
	{
		int n = (int) strcspn(*variable, "=");

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) == 0 &&
			is_misspelt(*variable, (size_t) n, meant))
			return kn__fail(b->fault,
							KN_CONFIG,
							"environment variable \"%.*s\" is no option; \"%s\" is",
							n,
							*variable,
							meant);
		if (strncmp(*variable, PREFIX, strlen(PREFIX)) == 0 &&
			is_of_struct_only(*variable, (size_t) n))
			return kn__fail(b->fault,
							KN_CONFIG,
							"environment variable \"%.*s\" is no option; \"ignore_environment\" "
							"can be said in the struct only",
							n,
							*variable);
	}
	return KN_OK;
}

/* The name of a variable, of n bytes with the prefix, and which one is meant. */
static bool
is_misspelt(const char *variable, size_t n, char meant[NAME_LIMIT])
{
	static const char *const others[] = { "conninfo",      "replicas",        "secret_host",
										  "secret_port",   "secret_database", "secret_user",
										  "secret_refresh" };
	const size_t own = strlen(PREFIX);
	bool is_near = false;
	char known[NAME_LIMIT];

	for (size_t i = 0; i < OPTION_COUNT + sizeof(others) / sizeof(others[0]); i++)
	{
		environment_name(known, i < OPTION_COUNT ? options[i].name : others[i - OPTION_COUNT]);
		if (strlen(known) == n && memcmp(known, variable, n) == 0)
			return false;
		if (is_near || !kn__is_misspelt(variable + own, n - own, known + own))
			continue;
		is_near = true;
		memcpy(meant, known, NAME_LIMIT);
	}
	return is_near;
}

/*
 * The environment cannot say that it says nothing, but somebody may think so.  Other fields that
 * text cannot say have names that are anybody's: "secret", "cache", "clock".
 */
static bool
is_of_struct_only(const char *variable, size_t n)
{
	static const char name[] = PREFIX "IGNORE_ENVIRONMENT";
	const size_t own = strlen(PREFIX);

	return (n == strlen(name) && memcmp(variable, name, n) == 0) ||
		   kn__is_misspelt(variable + own, n - own, name + own);
}

kn_status
kn__options_settle(kn__builder *b)
{
	kn_status status = check_ours(b);

	if (status == KN_OK && !b->config->config.ignore_environment)
		status = check_environment(b);
	for (size_t i = 0; status == KN_OK && i < OPTION_COUNT; i++)
		status = settle(b, &options[i]);
	return status;
}
