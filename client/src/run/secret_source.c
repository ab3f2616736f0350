/*
 * secret_source.c
 *		Ready-made sources of passwords: the environment, a file, what a program prints.
 *
 * A program runs in a process group of its own, so that all it has started can be
 * ended when the time is over, with nothing of ours but its standard output, and
 * with no signal blocked or ignored.  The time is the system's: a clock that the
 * caller made up would not tell when to give up on a real program.
 */
#include "kints/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#define DEFAULT_TIMEOUT_MS 10000
/* What a process ends with that could not become the program, where spawning it does not tell. */
#define CANNOT_RUN 127
/* How often is looked whether a program that has closed its output has ended. */
#define LOOK_MS 2

extern char **environ;

/* A source that is asked, and where what it gives goes. */
typedef struct asked
{
	const char *option;
	const char *name; /* of the variable, file or program; NULL: nobody has said it */
	const kn_secret_request *request;
	char *buffer;
	size_t capacity;
} asked;

/* Says why there is no secret, and returns the status.  The first reason stays. */
static kn_status fail(const asked *a, kn_status status, const char *format, ...) KN_PRINTF(3, 4);

/* Where the reason goes, or NULL: a program that was built with an older header has no room. */
static char *
reason_of(const asked *a)
{
	const kn_secret_request *request = a->request;

	if (request == NULL ||
		request->size < offsetof(kn_secret_request, reason_capacity) + sizeof(size_t) ||
		request->reason_capacity == 0)
		return NULL;
	return request->reason;
}

static asked
begin(const char *option, const char *name, const kn_secret_request *request, char *buffer,
	  size_t capacity)
{
	asked a = { option, name, request, buffer, capacity };
	char *reason = reason_of(&a);

	if (reason != NULL)
		*reason = '\0';
	return a;
}

static kn_status
fail(const asked *a, kn_status status, const char *format, ...)
{
	char *reason = reason_of(a);
	char why[200];
	va_list arguments;

	if (reason == NULL || *reason != '\0')
		return status;
	va_start(arguments, format);
	(void) vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	if (a->name == NULL)
		(void) snprintf(reason, a->request->reason_capacity, "%s: %s", a->option, why);
	else
		(void)
			snprintf(reason, a->request->reason_capacity, "%s \"%s\": %s", a->option, a->name, why);
	return status;
}

/* The same by the number of an error. */
static kn_status
fail_by(const asked *a, kn_status status, int error)
{
	char why[100];

	if (strerror_r(error, why, sizeof(why)) != 0)
		(void) snprintf(why, sizeof(why), "error %d", error);
	return fail(a, status, "%s", why);
}

/* What was read, length bytes, becomes a secret, or is wiped. */
static kn_status
finish(const asked *a, size_t length)
{
	char *buffer = a->buffer;
	size_t kept = length;

	if (kept > 0 && length < a->capacity && buffer[kept - 1] == '\n')
		kept--;
	if (kept > 0 && kept < length && buffer[kept - 1] == '\r')
		kept--;
	if (kept > 0 && kept < a->capacity && memchr(buffer, '\0', kept) == NULL)
	{
		kn__wipe(buffer + kept, length - kept);
		buffer[kept] = '\0';
		return KN_OK;
	}
	kn__wipe(buffer, length);
	if (kept == 0)
		return fail(a, KN_CONFIG, "empty");
	return kept >= a->capacity
			   ? fail(a, KN_CONFIG, "too long, %zu bytes are the most", a->capacity - 1)
			   : fail(a, KN_CONFIG, "has a NUL in it");
}

kn_status
kn_secret_environment(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	asked a = begin("kn_secret_environment", user, request, buffer, capacity);
	const char *value = user == NULL ? NULL : getenv(user);
	size_t length;

	if (user == NULL)
		return fail(&a, KN_CONFIG, "no variable is named");
	if (value == NULL)
		return fail(&a, KN_CONFIG, "not set");
	length = strlen(value);
	if (length >= capacity)
		return fail(&a, KN_CONFIG, "too long, %zu bytes are the most", capacity - 1);
	memcpy(buffer, value, length);
	return finish(&a, length);
}

kn_status
kn_secret_file(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	asked a = begin("kn_secret_file", user, request, buffer, capacity);
	size_t length = 0;
	ssize_t got = 1;
	int error = 0;
	int fd;

	if (user == NULL)
		return fail(&a, KN_CONFIG, "no file is named");
	fd = open(user, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail_by(&a, KN_UNAVAILABLE, errno);
	while (length < capacity && got != 0)
	{
		got = read(fd, buffer + length, capacity - length);
		error = got < 0 ? errno : 0;
		if (got < 0 && error != EINTR)
			break;
		length += got > 0 ? (size_t) got : 0;
	}
	(void) close(fd);
	if (got < 0)
	{
		kn__wipe(buffer, length);
		return fail_by(&a, KN_UNAVAILABLE, error);
	}
	return finish(&a, length);
}

#define PREFIX  "KINTS_SECRET_"
#define SAYINGS 5
#define SAYING  300 /* bytes of one; no name of a host or a role is longer */

/* What the program is told, a variable each. */
typedef struct Told
{
	char sayings[SAYINGS][SAYING];
	int count;
} Told;

static void
tell(Told *told, const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		(void) snprintf(told->sayings[told->count++], SAYING, PREFIX "%s=%s", name, value);
}

static void
tell_all(Told *told, const kn_secret_request *request)
{
	char port[16];

	told->count = 0;
	(void) snprintf(port, sizeof(port), "%d", request->port);
	tell(told, "HOST", request->host);
	tell(told, "PORT", port);
	tell(told, "DATABASE", request->database);
	tell(told, "USER", request->user);
	tell(told, "REFRESH", request->refresh ? "1" : "");
}

/* Whether a variable is one of those that are told, or was by somebody else. */
static bool
is_told(const char *variable)
{
	static const char
		*const names[SAYINGS] = { "HOST=", "PORT=", "DATABASE=", "USER=", "REFRESH=" };

	if (strncmp(variable, PREFIX, strlen(PREFIX)) != 0)
		return false;
	for (int i = 0; i < SAYINGS; i++)
	{
		if (strncmp(variable + strlen(PREFIX), names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/* The environment, with what the program is told; NULL: out of memory. */
static char **
make_environment(Told *told)
{
	size_t count = 0;
	size_t n = 0;
	char **copy;

	while (environ != NULL && environ[count] != NULL)
		count++;
	copy = malloc((count + SAYINGS + 1) * sizeof(char *));
	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
	{
		if (!is_told(environ[i]))
			copy[n++] = environ[i];
	}
	for (int i = 0; i < told->count; i++)
		copy[n++] = told->sayings[i];
	copy[n] = NULL;
	return copy;
}

/* As a new program expects to find things: no signal blocked, none ignored, its own group. */
static int
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	(void) sigemptyset(&none);
	(void) sigfillset(&all);
	(void) sigdelset(&all, SIGKILL);
	(void) sigdelset(&all, SIGSTOP);
	error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setpgroup(attributes, 0);
	if (error == 0)
		error = posix_spawnattr_setflags(attributes,
										 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
											 POSIX_SPAWN_SETPGROUP);
	return error;
}

/* Starts a program that writes into a pipe; an error number, or 0. */
static int
spawn(const char *const *argv, const kn_secret_request *request, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	Told told;
	char **environment;
	int error = ENOMEM;

	tell_all(&told, request);
	environment = make_environment(&told);
	if (environment == NULL)
		return ENOMEM;
	if (posix_spawn_file_actions_init(&actions) != 0)
	{
		free(environment);
		return ENOMEM;
	}
	if (posix_spawnattr_init(&attributes) == 0)
	{
		error = set_attributes(&attributes);
		if (error == 0)
			error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
		if (error == 0)
			error =
				posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (error == 0)
			error =
				posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		if (error == 0) /* the strings are not written to: the type is of another age */
			error = posix_spawnp(pid,
								 argv[0],
								 &actions,
								 &attributes,
								 (char *const *) (uintptr_t) argv,
								 environment);
		(void) posix_spawnattr_destroy(&attributes);
	}
	(void) posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return error;
}

static int
milliseconds_until(int64_t deadline)
{
	int64_t left = (deadline - kn__now(NULL) + KN__NS_PER_MS - 1) / KN__NS_PER_MS;

	return left <= 0 ? 0 : left > 60000 ? 60000 : (int) left;
}

/* All that a program prints, up to its end, or to one byte too many. */
static kn_status
read_output(const asked *a, int fd, int64_t deadline, size_t *length)
{
	*length = 0;
	while (*length < a->capacity)
	{
		struct pollfd waits = { .fd = fd, .events = POLLIN };
		int ready = poll(&waits, 1, milliseconds_until(deadline));
		ssize_t got;

		if (ready == 0 && kn__now(NULL) >= deadline)
			return fail(a, KN_TIMEOUT, "not done in time, and killed");
		if (ready <= 0)
			continue;
		got = read(fd, a->buffer + *length, a->capacity - *length);
		if (got == 0)
			return KN_OK;
		if (got > 0)
			*length += (size_t) got;
		else if (errno != EINTR && errno != EAGAIN)
			return fail_by(a, KN_UNAVAILABLE, errno);
	}
	return fail(a, KN_CONFIG, "too long, %zu bytes are the most", a->capacity - 1);
}

/* Waits for a program's end; whoever is late, or not wanted any more, is killed. */
static kn_status
reap(const asked *a, pid_t pid, int64_t deadline, bool is_wanted)
{
	bool is_killed = false;
	int how = 0;
	pid_t ended;

	for (;;)
	{
		if (!is_killed && (!is_wanted || kn__now(NULL) >= deadline))
		{
			(void) kill(-pid, SIGKILL);
			is_killed = true;
		}
		ended = waitpid(pid, &how, is_killed ? 0 : WNOHANG);
		if (ended == pid || (ended < 0 && errno != EINTR))
			break;
		if (ended == 0)
			(void) poll(NULL, 0, LOOK_MS);
	}
	if (is_killed)
		return fail(a, KN_TIMEOUT, "not done in time, and killed");
	/* A process that ignores SIGCHLD does not get to know how its children end. */
	if (ended < 0 || (WIFEXITED(how) && WEXITSTATUS(how) == 0))
		return KN_OK;
	if (!WIFEXITED(how))
		return fail(a, KN_UNAVAILABLE, "ended by signal %d", WTERMSIG(how));
	return fail(a,
				WEXITSTATUS(how) == CANNOT_RUN ? KN_CONFIG : KN_UNAVAILABLE,
				"exited with %d",
				WEXITSTATUS(how));
}

/* Its own, or that of whoever has another one to go by, whichever is less. */
static int64_t
timeout_of(const kn_secret_program *program, const kn_secret_request *request)
{
	int64_t timeout = program->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : program->timeout_ms;
	bool has_less = request->size >= offsetof(kn_secret_request, timeout_ms) + sizeof(int64_t) &&
					request->timeout_ms > 0 && (timeout < 0 || request->timeout_ms < timeout);

	return has_less ? request->timeout_ms : timeout;
}

static kn_status
run(const asked *a, const kn_secret_program *program, int pipes[2])
{
	int64_t deadline = kn__after(kn__now(NULL), timeout_of(program, a->request));
	size_t length;
	pid_t pid;
	kn_status read_status, status;
	int error = spawn(program->argv, a->request, pipes[1], &pid);

	(void) close(pipes[1]);
	pipes[1] = -1;
	if (error != 0)
		return fail_by(a, error == ENOMEM || error == EAGAIN ? KN_UNAVAILABLE : KN_CONFIG, error);
	read_status = read_output(a, pipes[0], deadline, &length);
	status = reap(a, pid, deadline, read_status == KN_OK);
	if (read_status != KN_OK)
		status = read_status;
	if (status == KN_OK)
		return finish(a, length);
	kn__wipe(a->buffer, length);
	return status;
}

kn_status
kn_secret_command(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	const kn_secret_program *program = user;
	bool is_named = program != NULL && program->size >= sizeof(*program) && program->argv != NULL &&
					program->argv[0] != NULL;
	/* Its arguments are not for everybody to read. */
	asked a =
		begin("kn_secret_command", is_named ? program->argv[0] : NULL, request, buffer, capacity);
	int pipes[2];
	kn_status status;

	if (!is_named)
		return fail(&a, KN_CONFIG, "no program is named");
	if (program->timeout_ms < -1)
		return fail(&a, KN_CONFIG, "\"timeout_ms\" is a number of milliseconds, or -1");
	/* Whoever else had the other end would seem to have more to say. */
	if (!kn__pipe(pipes))
		return fail_by(&a, KN_UNAVAILABLE, errno);
	status = run(&a, program, pipes);
	for (int i = 0; i < 2; i++)
	{
		if (pipes[i] >= 0)
			(void) close(pipes[i]);
	}
	return status;
}
