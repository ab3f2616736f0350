/*
 * service.c
 *		What a service says, in libpq's service files.
 *
 * libpq reads them when it connects, and tells what came of it, but not what the service has said
 * and what is a PG* variable's or its own default; which of two conninfos has its say depends on
 * that.  So they are read here too, by libpq's rules.  What is malformed in them is left to it, to
 * complain about.  It may find services in other places: a directory (LDAP), or another file of
 * the whole system, where it is not the libpq that the library was built with.
 */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/conninfo.h"

/* libpq takes no longer line, and no longer path. */
#define LINE_SIZE 1024
#define PATH_SIZE 1024
#define BLANKS    " \t\n\v\f\r"

/* Where libpq was built to look for the file of the whole system. */
#ifndef KN_SYSCONFDIR
#define KN_SYSCONFDIR "/usr/local/pgsql/etc"
#endif

typedef struct reader
{
	kn__conninfo *conninfo;
	kn__arena *arena;
	const char *service;
	int room;          /* for options of the conninfo; 0: they are in a list of somebody else's */
	bool has_found;    /* it is in a file */
	bool is_elsewhere; /* and a directory has what it says */
} reader;

static void read_files(reader *r);
static const char *file_at_home(char *path);
static void read_file(reader *r, const char *path);
static bool read_line(reader *r, char *line);
static void take(reader *r, const char *keyword, const char *value);

kn_status
kn__conninfo_add_service(kn__conninfo *conninfo, kn__arena *arena, kn__fault *fault)
{
	reader r = { .conninfo = conninfo, .arena = arena };

	r.service = kn__conninfo_find(conninfo, "service");
	if (r.service == NULL || *r.service == '\0')
		return KN_OK;
	read_files(&r);
	if (arena->has_failed)
		return kn__fail(fault, KN_NO_MEMORY, "out of memory");
	if (r.has_found && !r.is_elsewhere)
		return KN_OK;
	return kn__fail(fault,
					KN_CONFIG,
					"definition of service \"%s\" not found in PGSERVICEFILE or "
					"~/.pg_service.conf, nor in PGSYSCONFDIR or " KN_SYSCONFDIR,
					r.service);
}

/* That of the user, and if it is not there, that of the system. */
static void
read_files(reader *r)
{
	char at_home[PATH_SIZE];
	char of_system[PATH_SIZE];
	const char *path = kn__conninfo_find(r->conninfo, "servicefile");
	const char *directory = getenv("PGSYSCONFDIR");

	if (path == NULL || *path == '\0')
		path = getenv("PGSERVICEFILE");
	if (path == NULL)
		path = file_at_home(at_home);
	if (path != NULL)
		read_file(r, path);
	if (r->has_found)
		return;
	(void) snprintf(of_system,
					sizeof(of_system),
					"%s/pg_service.conf",
					directory == NULL ? KN_SYSCONFDIR : directory);
	read_file(r, of_system);
}

/* NULL: nobody knows where that is. */
static const char *
file_at_home(char *path)
{
	const char *home = getenv("HOME");
	char texts[PATH_SIZE];
	struct passwd entry;
	struct passwd *found = NULL;

	if (home == NULL || *home == '\0')
	{
		if (getpwuid_r(geteuid(), &entry, texts, sizeof(texts), &found) != 0 || found == NULL)
			return NULL;
		home = found->pw_dir;
	}
	(void) snprintf(path, PATH_SIZE, "%s/.pg_service.conf", home);
	return path;
}

/* One that cannot be read has nothing.  There are passwords in it. */
static void
read_file(reader *r, const char *path)
{
	char buffer[4096];
	char line[LINE_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file == NULL)
	{
		if (fd >= 0)
			(void) close(fd);
		return;
	}
	(void) setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	while (fgets(line, sizeof(line), file) != NULL && read_line(r, line))
		;
	(void) fclose(file);
	kn__wipe(buffer, sizeof(buffer));
	kn__wipe(line, sizeof(line));
}

/* Whether there may be more of the service behind it. */
static bool
read_line(reader *r, char *line)
{
	size_t n = strlen(line);
	char *equals;

	while (n > 0 && strchr(BLANKS, line[n - 1]) != NULL)
		line[--n] = '\0';
	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return true;
	if (*line == '[')
	{
		if (r->has_found)
			return false;
		n = strlen(r->service);
		r->has_found = strncmp(line + 1, r->service, n) == 0 && line[n + 1] == ']';
		return true;
	}
	if (!r->has_found)
		return true;
	equals = strchr(line, '=');
	r->is_elsewhere = strncmp(line, "ldap", strlen("ldap")) == 0;
	if (equals == NULL || r->is_elsewhere)
		return false;
	*equals = '\0';
	take(r, line, equals + 1);
	return true;
}

/* The options in a list of their own, with room for more. */
static bool
grow(reader *r)
{
	kn__conninfo *conninfo = r->conninfo;
	int room = 2 * conninfo->their_count + 16;
	kn__conninfo_option *options =
		kn__arena_get_zero(r->arena, (size_t) room, sizeof(kn__conninfo_option));

	if (options == NULL)
		return false;
	memcpy(options, conninfo->theirs, (size_t) conninfo->their_count * sizeof(*options));
	conninfo->theirs = options;
	r->room = room;
	return true;
}

/* What was said before stands, if that was something. */
static void
take(reader *r, const char *keyword, const char *value)
{
	kn__conninfo *conninfo = r->conninfo;
	kn__conninfo_option said;
	int i = 0;

	while (i < conninfo->their_count && strcmp(conninfo->theirs[i].keyword, keyword) != 0)
		i++;
	if (i < conninfo->their_count && conninfo->theirs[i].value[0] != '\0')
		return;
	if (i >= r->room && !grow(r))
		return;
	said.keyword = kn__arena_copy(r->arena, keyword, strlen(keyword));
	said.value = kn__arena_copy(r->arena, value, strlen(value));
	if (r->arena->has_failed)
		return;
	conninfo->theirs[i] = said;
	if (i == conninfo->their_count)
		conninfo->their_count++;
}
