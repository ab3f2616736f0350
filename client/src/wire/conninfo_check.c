/*
 * conninfo_check.c
 *		Whether libpq could connect with what a conninfo says, before anything is connected.
 *
 * libpq checks most options just before it connects.  So it is told to connect, to ports that
 * there are none of, which is what it looks at next: where these are all that it has something
 * against, the rest is as it wants it, whatever its version.  No name is looked up by then.  What
 * it looks at later still is checked here, by its own rules.
 */
#include "wire/conninfo.h"

#include <ctype.h>
#include <errno.h>
#include <libpq-fe.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* No version of libpq takes it for a port, and all of them say it when they complain. */
#define NO_PORT "no such port"

typedef kn_status check_fn(const char *keyword, const char *value, kn__fault *fault);

static check_fn check_number, check_port, check_address, check_encoding;

/* What libpq looks at only when it connects; for numbers perhaps not even then.  Encodings it
 * leaves to the server. */
static const struct
{
	const char *keyword;
	check_fn *check;
	bool is_list; /* with commas between; an empty one is as if it was not said */
} late[] = {
	{ "port", check_port, true },
	{ "hostaddr", check_address, true },
	{ "connect_timeout", check_number, false },
	{ "keepalives", check_number, false },
	{ "keepalives_idle", check_number, false },
	{ "keepalives_interval", check_number, false },
	{ "keepalives_count", check_number, false },
	{ "tcp_user_timeout", check_number, false },
	{ "client_encoding", check_encoding, false },
};

static kn_status check_late(kn__arena *arena, const PQconninfoOption *options, kn__fault *fault);
static kn_status check_list(kn__arena *arena, int number, const char *value, kn__fault *fault);
static kn_status check_rest(kn__arena *arena, const kn__settings *said, int ports,
							kn__fault *fault);
static const char *find(const PQconninfoOption *options, const char *keyword);
static int count_list(const char *list);

kn_status
kn__conninfo_check(kn__arena *arena, const kn__settings *said, const void *found, kn__fault *fault)
{
	kn_status status = check_rest(arena, said, count_list(find(found, "port")), fault);

	return status == KN_OK ? check_late(arena, found, fault) : status;
}

/* NULL: nothing. */
static const char *
find(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
	{
		if (strcmp(options->keyword, keyword) == 0)
			return options->val == NULL || *options->val == '\0' ? NULL : options->val;
	}
	return NULL;
}

static int
count_list(const char *list)
{
	int count = 1;

	for (; list != NULL && *list != '\0'; list++)
		count += *list == ',' ? 1 : 0;
	return count;
}

/* Whether that is all that libpq has to say is known by the ports, whatever its language. */
static kn_status
check_rest(kn__arena *arena, const kn__settings *said, int ports, kn__fault *fault)
{
	const size_t each = strlen(NO_PORT) + 1;
	char *list = kn__arena_get(arena, (size_t) ports * each);
	kn_status status = KN_OK;
	const char *error;
	PGconn *conn;

	if (list == NULL)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	for (int i = 0; i < ports; i++)
		memcpy(list + (size_t) i * each, i < ports - 1 ? NO_PORT "," : NO_PORT, each);
	conn = kn__conninfo_ask(arena, said, "port", list);
	error = conn == NULL ? NULL : PQerrorMessage(conn);
	if (error == NULL || strstr(error, NO_PORT) == NULL)
		status = kn__conninfo_refused(error, fault);
	PQfinish(conn);
	return status;
}

static kn_status
check_late(kn__arena *arena, const PQconninfoOption *options, kn__fault *fault)
{
	kn_status status = KN_OK;

	for (int i = 0; status == KN_OK && i < (int) (sizeof(late) / sizeof(late[0])); i++)
	{
		const char *value = find(options, late[i].keyword);

		if (value != NULL && late[i].is_list)
			status = check_list(arena, i, value, fault);
		else if (value != NULL)
			status = late[i].check(late[i].keyword, value, fault);
	}
	return status;
}

static kn_status
check_list(kn__arena *arena, int number, const char *value, kn__fault *fault)
{
	kn_status status = KN_OK;

	for (const char *at = value; status == KN_OK && at != NULL;)
	{
		size_t n = strcspn(at, ",");
		const char *item = kn__arena_copy(arena, at, n);

		if (item == NULL)
			return kn__fail(fault, KN_NO_MEMORY, "out of memory");
		if (n > 0)
			status = late[number].check(late[number].keyword, item, fault);
		at = at[n] == ',' ? at + n + 1 : NULL;
	}
	return status;
}

static kn_status
refuse(const char *keyword, const char *value, const char *wanted, kn__fault *fault)
{
	return kn__fail(fault,
					KN_CONFIG,
					"option \"%s\" is \"%s\", but has to be %s",
					keyword,
					value,
					wanted);
}

static kn_status
check_number(const char *keyword, const char *value, kn__fault *fault)
{
	int number;

	return kn__conninfo_number(value, &number) ? KN_OK
											   : refuse(keyword, value, "a whole number", fault);
}

static kn_status
check_port(const char *keyword, const char *value, kn__fault *fault)
{
	int number;

	return kn__conninfo_number(value, &number) && number >= 1 && number <= 65535
			   ? KN_OK
			   : refuse(keyword, value, "a number from 1 to 65535", fault);
}

/* What follows a percent sign is an interface, which may be there by the time it is needed. */
static kn_status
check_address(const char *keyword, const char *value, kn__fault *fault)
{
	static const struct addrinfo hint = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char address[100];
	size_t n = strcspn(value, "%");
	int failure = EAI_NONAME;

	if (n < sizeof(address))
	{
		memcpy(address, value, n);
		address[n] = '\0';
		failure = getaddrinfo(address, NULL, &hint, &found);
	}
	if (failure == 0)
		freeaddrinfo(found);
	if (failure == EAI_MEMORY)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	return failure == 0 ? KN_OK : refuse(keyword, value, "an address in numbers", fault);
}

/* Whether it has those letters and digits, as the server compares: without case, and all else. */
static bool
is_called(const char *name, const char *letters)
{
	for (; *name != '\0'; name++)
	{
		char c = (char) (*name >= 'A' && *name <= 'Z' ? *name | 0x20 : *name);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
			continue;
		if (c != *letters)
			return false;
		letters++;
	}
	return *letters == '\0';
}

/*
 * Others would be of no use for texts of this library's; and in some of them a byte of a character
 * is a backslash, so that a statement would be another one for the server than it is here.
 * SQL_ASCII is whatever the database has, and that is never one of these.
 */
static kn_status
check_encoding(const char *keyword, const char *value, kn__fault *fault)
{
	return is_called(value, "utf8") || is_called(value, "unicode") || is_called(value, "sqlascii")
			   ? KN_OK
			   : refuse(keyword, value, KN__ENCODING " or SQL_ASCII", fault);
}

bool
kn__conninfo_number(const char *text, int *out)
{
	int before = errno;
	char *end;
	long number;
	bool is_good;

	errno = 0;
	number = strtol(text, &end, 10);
	is_good = end != text && errno == 0 && number >= INT_MIN && number <= INT_MAX;
	errno = before;
	while (isspace((unsigned char) *end))
		end++;
	*out = is_good ? (int) number : 0;
	return is_good && *end == '\0';
}
