/*
 * test_run_secret_source.c
 *		Secrets from the environment, from files and from programs, good and bad.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kints/secret.h"
#include "suite.h"

static char buffer[64];
static const kn_secret_request calm = { .size = sizeof(calm), .name = "shop" };

/* The texts that all sources see alike; a length, for there may be a NUL in one. */
static const struct
{
	const char *text;
	size_t n;
	kn_status status;
	const char *secret;
} contents[] = {
#define TEXT(text) text, sizeof(text) - 1
	{ TEXT("secret"), KN_OK, "secret" },
	{ TEXT("secret\n"), KN_OK, "secret" },
	{ TEXT("secret\r\n"), KN_OK, "secret" },
	{ TEXT("secret\n\n"), KN_OK, "secret\n" },
	{ TEXT("secret\r"), KN_OK, "secret\r" },
	{ TEXT(" a b "), KN_OK, " a b " },
	{ TEXT("p\xc3\xa4ss"), KN_OK, "p\xc3\xa4ss" },
	{ TEXT("a\nb\n"), KN_OK, "a\nb" },
	{ TEXT(""), KN_CONFIG, NULL },
	{ TEXT("\n"), KN_CONFIG, NULL },
	{ TEXT("\r\n"), KN_CONFIG, NULL },
	{ TEXT("a\0b"), KN_CONFIG, NULL },
	{ TEXT("123456789012345678901234567890123456789012345678901234567890123"),
	  KN_OK,
	  "123456789012345678901234567890123456789012345678901234567890123" },
	{ TEXT("1234567890123456789012345678901234567890123456789012345678901234"), KN_CONFIG, NULL },
	{ TEXT("12345678901234567890123456789012345678901234567890123456789012345678"),
	  KN_CONFIG,
	  NULL },
};

static void
check(int i, kn_status status)
{
	ck_assert_int_eq(status, contents[i].status);
	if (status == KN_OK)
		ck_assert_str_eq(buffer, contents[i].secret);
	else
		ck_assert(strncmp(buffer, "1234", 4) != 0); /* what was read is wiped */
}

START_TEST(an_environment_variable)
{
	char name[] = "KINTS_TEST_SECRET";

	memset(buffer, 0, sizeof(buffer));
	if (memchr(contents[_i].text, '\0', contents[_i].n) != NULL)
		return;
	ck_assert_int_eq(setenv(name, contents[_i].text, 1), 0);
	check(_i, kn_secret_environment(name, &calm, buffer, sizeof(buffer)));
	ck_assert_int_eq(unsetenv(name), 0);
	ck_assert_int_eq(kn_secret_environment(name, &calm, buffer, sizeof(buffer)), KN_CONFIG);
	ck_assert_int_eq(kn_secret_environment(NULL, &calm, buffer, sizeof(buffer)), KN_CONFIG);
}
END_TEST

static void
write_file(char *path, const char *text, size_t n)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t) n);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(a_file)
{
	char path[] = "/tmp/kints_secret_XXXXXX";

	write_file(path, contents[_i].text, contents[_i].n);
	check(_i, kn_secret_file(path, &calm, buffer, sizeof(buffer)));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(kn_secret_file(path, &calm, buffer, sizeof(buffer)), KN_UNAVAILABLE);
	ck_assert_int_eq(kn_secret_file(NULL, &calm, buffer, sizeof(buffer)), KN_CONFIG);
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	char path[] = "/tmp";

	ck_assert_int_eq(kn_secret_file(path, &calm, buffer, sizeof(buffer)), KN_UNAVAILABLE);
}
END_TEST

static kn_status
command(const char *script, const char *argument, int64_t timeout_ms, bool refresh)
{
	const char *const argv[] = { "sh", "-c", script, "sh", argument, NULL };
	kn_secret_program program = { .size = sizeof(program), .argv = argv, .timeout_ms = timeout_ms };

	const kn_secret_request request = { .size = sizeof(request),
										.name = "shop",
										.host = "db.example.org",
										.port = 5433,
										.database = "d",
										.user = "ada",
										.refresh = refresh };

	return kn_secret_command(&program, &request, buffer, sizeof(buffer));
}

START_TEST(a_program)
{
	char path[] = "/tmp/kints_secret_XXXXXX";

	write_file(path, contents[_i].text, contents[_i].n);
	check(_i, command("cat \"$1\"", path, 0, false));
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static const struct
{
	const char *script;
	int64_t timeout_ms;
	bool refresh;
	kn_status status;
	const char *secret;
} programs[] = {
	{ "echo out; echo err >&2", 0, false, KN_OK, "out" },
	{ "printf one; printf two", -1, false, KN_OK, "onetwo" },
	{ "echo out; exit 1", 0, false, KN_UNAVAILABLE, NULL },
	{ "echo out; kill -9 $$", 0, false, KN_UNAVAILABLE, NULL },
	{ "no-such-program", 0, false, KN_CONFIG, NULL },
	{ "exit 0", 0, false, KN_CONFIG, NULL },
	{ "echo \"[$(cat)]\"", 0, false, KN_OK, "[]" },
	{ "echo \"[$KINTS_SECRET_REFRESH]\"", 0, false, KN_OK, "[]" },
	{ "echo \"[$KINTS_SECRET_REFRESH]\"", 0, true, KN_OK, "[1]" },
	{ "echo $KINTS_SECRET_HOST:$KINTS_SECRET_PORT $KINTS_SECRET_DATABASE $KINTS_SECRET_USER",
	  0,
	  false,
	  KN_OK,
	  "db.example.org:5433 d ada" },
	{ "exec cat /dev/zero", 0, false, KN_CONFIG, NULL },
	{ "exec sleep 1000", 50, false, KN_TIMEOUT, NULL },
	{ "echo out; exec sleep 1000", 50, false, KN_TIMEOUT, NULL },
	{ "exec >&-; exec sleep 1000", 50, false, KN_TIMEOUT, NULL },
	{ "sleep 1000 & echo out", 50, false, KN_TIMEOUT, NULL }, /* somebody can still print */
	{ "echo out; trap '' TERM HUP INT; exec sleep 1000", 50, false, KN_TIMEOUT, NULL },
	{ "echo out; (exec >&- 2>&-; exec sleep 0.01) & ", 0, false, KN_OK, "out" },
};

START_TEST(programs_of_all_kinds)
{
	memset(buffer, 0, sizeof(buffer));
	ck_assert_int_eq(
		command(programs[_i].script, "", programs[_i].timeout_ms, programs[_i].refresh),
		programs[_i].status);
	ck_assert_str_eq(buffer, programs[_i].secret == NULL ? "" : programs[_i].secret);
}
END_TEST

START_TEST(what_cannot_be_run)
{
	const char *const none[] = { NULL };
	const char *const missing[] = { "/no/such/program", NULL };
	kn_secret_program program = { .size = sizeof(program), .argv = none };

	ck_assert_int_eq(kn_secret_command(NULL, &calm, buffer, sizeof(buffer)), KN_CONFIG);
	ck_assert_int_eq(kn_secret_command(&program, &calm, buffer, sizeof(buffer)), KN_CONFIG);
	program.argv = missing;
	ck_assert_int_eq(kn_secret_command(&program, &calm, buffer, sizeof(buffer)), KN_CONFIG);
	program.size = 0;
	ck_assert_int_eq(kn_secret_command(&program, &calm, buffer, sizeof(buffer)), KN_CONFIG);
}
END_TEST

#define LONG "1234567890123456789012345678901234567890123456789012345678901234"

static const struct
{
	kn_secret_fn *source;
	const char *of; /* a variable, a file, or a script; NULL: none */
	const char *text;
	kn_status status;
	const char *reason;
} failures[] = {
	{ kn_secret_environment,
	  "KINTS_TEST_SECRET",
	  NULL,
	  KN_CONFIG,
	  "\"KINTS_TEST_SECRET\": not set" },
	{ kn_secret_environment, "KINTS_TEST_SECRET", "\n", KN_CONFIG, "\"KINTS_TEST_SECRET\": empty" },
	{ kn_secret_environment,
	  "KINTS_TEST_SECRET",
	  LONG,
	  KN_CONFIG,
	  "\"KINTS_TEST_SECRET\": too long, 63 bytes are the most" },
	{ kn_secret_environment, NULL, NULL, KN_CONFIG, "no variable is named" },
	{ kn_secret_file,
	  "/nowhere/x",
	  NULL,
	  KN_UNAVAILABLE,
	  "\"/nowhere/x\": No such file or directory" },
	{ kn_secret_file, "/tmp", NULL, KN_UNAVAILABLE, "\"/tmp\": Is a directory" },
	{ kn_secret_file, "/dev/null", NULL, KN_CONFIG, "\"/dev/null\": empty" },
	{ kn_secret_file,
	  "/proc/self/maps",
	  NULL,
	  KN_CONFIG,
	  "\"/proc/self/maps\": too long, 63 bytes are the most" },
	{ kn_secret_file, NULL, NULL, KN_CONFIG, "no file is named" },
	{ kn_secret_command, "echo secret; exit 7", NULL, KN_UNAVAILABLE, "\"sh\": exited with 7" },
	{ kn_secret_command, "kill -9 $$", NULL, KN_UNAVAILABLE, "\"sh\": ended by signal 9" },
	{ kn_secret_command, "no-such-program", NULL, KN_CONFIG, "\"sh\": exited with 127" },
	{ kn_secret_command, "exit 0", NULL, KN_CONFIG, "\"sh\": empty" },
	{ kn_secret_command, "printf 'a\\000b'", NULL, KN_CONFIG, "\"sh\": has a NUL in it" },
	{ kn_secret_command, "echo " LONG, NULL, KN_CONFIG, "\"sh\": too long, 63 bytes are the most" },
	{ kn_secret_command,
	  "echo secret; exec sleep 1000",
	  NULL,
	  KN_TIMEOUT,
	  "\"sh\": not done in time, and killed" },
	{ kn_secret_command,
	  "exec >&-; exec sleep 1000",
	  NULL,
	  KN_TIMEOUT,
	  "\"sh\": not done in time, and killed" },
	{ kn_secret_command, NULL, NULL, KN_CONFIG, "no program is named" },
};

static kn_status
ask(int i, const kn_secret_request *request)
{
	const char *const argv[] = { "sh", "-c", failures[i].of, NULL };
	kn_secret_program program = { .size = sizeof(program), .argv = argv, .timeout_ms = 10000 };
	void *user = (void *) (uintptr_t) failures[i].of;

	if (failures[i].status == KN_TIMEOUT)
		program.timeout_ms = 50;
	if (failures[i].source == kn_secret_command && user != NULL)
		user = &program;
	return failures[i].source(user, request, buffer, sizeof(buffer));
}

/* What is left of a time may be less than nothing, which is not no limit. */
START_TEST(has_no_time_below_none)
{
	const char *const argv[] = { "echo", "secret", NULL };
	kn_secret_program program = { .size = sizeof(program), .argv = argv, .timeout_ms = -5 };

	ck_assert_int_eq(kn_secret_command(&program, &calm, buffer, sizeof(buffer)), KN_CONFIG);
	program.timeout_ms = -1;
	ck_assert_int_eq(kn_secret_command(&program, &calm, buffer, sizeof(buffer)), KN_OK);
	ck_assert_str_eq(buffer, "secret");
}
END_TEST

/* Which source, of what, and why; never the secret, nor a program's arguments. */
START_TEST(tells_why_there_is_none)
{
	char reason[200] = "of before";
	char small[10];
	kn_secret_request request = calm;
	const char *option = failures[_i].source == kn_secret_file      ? "kn_secret_file"
						 : failures[_i].source == kn_secret_command ? "kn_secret_command"
																	: "kn_secret_environment";

	if (failures[_i].text != NULL)
		ck_assert_int_eq(setenv("KINTS_TEST_SECRET", failures[_i].text, 1), 0);
	request.reason = reason;
	request.reason_capacity = sizeof(reason);
	ck_assert_int_eq(ask(_i, &request), failures[_i].status);
	ck_assert_int_eq(strncmp(reason, option, strlen(option)), 0);
	ck_assert_str_eq(reason + strlen(option) + (failures[_i].of == NULL ? 2 : 1),
					 failures[_i].reason);
	/* There may be less room, or none. */
	request.reason = small;
	request.reason_capacity = sizeof(small);
	ck_assert_int_eq(ask(_i, &request), failures[_i].status);
	ck_assert_str_eq(small, "kn_secret");
	request.reason = NULL;
	ck_assert_int_eq(ask(_i, &request), failures[_i].status);
	request.reason = small;
	request.size = offsetof(kn_secret_request, reason);
	small[0] = '-';
	ck_assert_int_eq(ask(_i, &request), failures[_i].status);
	ck_assert_str_eq(small, "-n_secret");
	ck_assert_int_eq(unsetenv("KINTS_TEST_SECRET"), 0);
}
END_TEST

START_TEST(tells_nothing_where_there_is_one)
{
	char reason[200] = "of before";
	kn_secret_request request = calm;
	char name[] = "KINTS_TEST_SECRET";

	request.reason = reason;
	request.reason_capacity = sizeof(reason);
	ck_assert_int_eq(setenv(name, "secret", 1), 0);
	ck_assert_int_eq(kn_secret_environment(name, &request, buffer, sizeof(buffer)), KN_OK);
	ck_assert_int_eq(unsetenv(name), 0);
	ck_assert_str_eq(reason, "");
}
END_TEST

/* Those that a program gets from us: with its own three, and one to look into the directory. */
static int
count_inherited(void)
{
	int count = 4;

	for (int fd = 3; fd < 1024; fd++)
	{
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
			count++;
	}
	return count;
}

/* No descriptor stays open, and a program gets none of the pipe but its output. */
START_TEST(descriptors)
{
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int after;

	ck_assert_int_eq(close(before), 0);
	ck_assert_int_eq(command("set -- /proc/self/fd/*; echo $#", "", 0, false), KN_OK);
	ck_assert_int_eq(atoi(buffer), count_inherited());
	ck_assert_int_eq(command("exec sleep 1000", "", 20, false), KN_TIMEOUT);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(after, before);
	ck_assert_int_eq(close(after), 0);
}
END_TEST

/* A process that does not want to know of its children is not told how they end. */
START_TEST(children_may_be_ignored)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	ck_assert_int_eq(sigaction(SIGCHLD, &ignore, &before), 0);
	ck_assert_int_eq(command("echo out", "", 0, false), KN_OK);
	ck_assert_str_eq(buffer, "out");
	ck_assert_int_eq(sigaction(SIGCHLD, &before, NULL), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, an_environment_variable, contents);
	LOOP(tcase, a_file, contents);
	tcase_add_test(tcase, a_directory_is_no_file);
	LOOP(tcase, a_program, contents);
	LOOP(tcase, programs_of_all_kinds, programs);
	tcase_add_test(tcase, what_cannot_be_run);
	tcase_add_test(tcase, has_no_time_below_none);
	LOOP(tcase, tells_why_there_is_none, failures);
	tcase_add_test(tcase, tells_nothing_where_there_is_one);
	tcase_add_test(tcase, descriptors);
	tcase_add_test(tcase, children_may_be_ignored);
}

int
main(void)
{
	return suite_run("run_secret_source", fill);
}
