/*
 * test_wire_service.c
 *		What a service says, and that libpq reads the same in its files.
 */
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"
#include "suite.h"
#include "wire/conninfo.h"

/* Files in it: one, .pg_service.conf and pg_service.conf. */
static char directory[] = "/tmp/kn_service_XXXXXX";
static const char *const files[] = { "one", ".pg_service.conf", "pg_service.conf" };

static void
set_up(void)
{
	static const char *const variables[] = { "PGSERVICE", "PGSERVICEFILE", "PGHOST",
											 "PGPORT",    "PGSSLMODE",     "PGUSER" };

	for (int i = 0; i < COUNT(variables); i++)
		ck_assert_int_eq(unsetenv(variables[i]), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(setenv("HOME", directory, 1), 0);
	ck_assert_int_eq(setenv("PGSYSCONFDIR", directory, 1), 0);
}

static const char *
path_of(int file)
{
	static char path[100];

	(void) snprintf(path, sizeof(path), "%s/%s", directory, files[file]);
	return path;
}

static void
write_file(int file, const char *text)
{
	int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

static void
tear_down(void)
{
	for (int i = 0; i < COUNT(files); i++)
		(void) unlink(path_of(i));
	ck_assert_int_eq(rmdir(directory), 0);
}

/* "keyword=value keyword=value", of all that are there. */
static const char *
list(const kn__conninfo *conninfo)
{
	static char out[2000];

	out[0] = '\0';
	for (int i = 0; i < conninfo->their_count; i++)
	{
		strcat(out, i == 0 ? "" : " ");
		strcat(out, conninfo->theirs[i].keyword);
		strcat(out, "=");
		strcat(out, conninfo->theirs[i].value);
	}
	return out;
}

/* Each is what libpq takes, that has had only the conninfo. */
static void
compare(kn__arena *arena, const kn__conninfo *given, const kn__conninfo *got)
{
	const char *keywords[20];
	const char *values[20];
	kn__settings said = { keywords, values, given->their_count };
	PGconn *conn;
	PQconninfoOption *options;

	for (int i = 0; i < given->their_count; i++)
	{
		keywords[i] = given->theirs[i].keyword;
		values[i] = given->theirs[i].value;
	}
	conn = kn__conninfo_ask(arena, &said, "channel_binding", "nothing that there is");
	options = PQconninfo(conn);
	ck_assert_ptr_nonnull(options);
	for (PQconninfoOption *o = options; o->keyword != NULL; o++)
	{
		const char *value = kn__conninfo_find(got, o->keyword);

		if (value != NULL && strcmp(o->keyword, "password") != 0 &&
			strcmp(o->keyword, "service") != 0)
			ck_assert_str_eq(o->val == NULL ? "" : o->val, value);
	}
	kn__conninfo_free(options);
	PQfinish(conn);
}

#define ALL_OF_LIBPQS                                                           \
	"connect_timeout=1\noptions=o\napplication_name=n\nkeepalives=1\n"          \
	"keepalives_idle=1\nkeepalives_interval=1\nkeepalives_count=1\n"            \
	"tcp_user_timeout=1\nsslmode=require\nsslcert=c\nsslkey=k\nsslpassword=p\n" \
	"sslrootcert=r\nsslcrl=l\nsslsni=0\nrequirepeer=q\nkrbsrvname=s\ngsslib=g\n"

static const struct
{
	const char *conninfo;
	const char *texts[3]; /* of the files, NULL: it is not there */
	const char *said;     /* NULL: not found */
} cases[] = {
	{ "service=a", { "[a]\nhost=h\nuser=u\n" }, "service=a host=h user=u" },
	{ "service=a", { "[a]\nhost=h" }, "service=a host=h" },
	{ "service=a", { "[a]\n" }, "service=a" },
	{ "", { "[a]\nhost=h\n" }, "" },
	{ "service='' user=u", { "[a]\nhost=h\n" }, "service= user=u" },
	/* Groups: up to the next one, and the first of a name. */
	{ "service=b", { "[a]\nhost=h\n[b]\nport=2\n[c]\nuser=u\n[b]\nuser=v\n" }, "service=b port=2" },
	{ "service=b", { "[bb]\nhost=h\n[ b]\nhost=i\n[b]c]\nport=2\n" }, "service=b port=2" },
	{ "service='a b'", { "[a b]\nhost=h\n" }, "service=a b host=h" },
	/* Lines: blanks around them, none around the sign, comments and empty ones. */
	{ "service=a",
	  { " \t[a] \r\n\n# user=u\n  host=h\t \r\n \v\f\n  #\nport=2\n" },
	  "service=a host=h port=2" },
	{ "service=a",
	  { "[a]\napplication_name= a = b # c\n" },
	  "service=a application_name= a = b # c" },
	{ "service=a", { "[a]\napplication_name='a'\n" }, "service=a application_name='a'" },
	/* What is said first stands. */
	{ "service=a", { "[a]\nhost=h\nhost=i\n" }, "service=a host=h" },
	{ "host=x service=a", { "[a]\nhost=h\nport=2\n" }, "service=a host=x port=2" },
	{ "host='' service=a", { "[a]\nhost=h\nport=2\n" }, "service=a host=h port=2" },
	{ "service=a", { "[a]\npassword=p q\n" }, "service=a password=p q" },
	{ "service=a",
	  { "[a]\n" ALL_OF_LIBPQS },
	  "service=a connect_timeout=1 options=o application_name=n keepalives=1 keepalives_idle=1 "
	  "keepalives_interval=1 keepalives_count=1 tcp_user_timeout=1 sslmode=require sslcert=c "
	  "sslkey=k sslpassword=p sslrootcert=r sslcrl=l sslsni=0 requirepeer=q krbsrvname=s "
	  "gsslib=g" },
	/* Files: the one of the variable or else the user's, and then that of the system. */
	{ "service=a", { "[a]\nhost=1\n", "[a]\nhost=2\n", "[a]\nhost=3\n" }, "service=a host=1" },
	{ "service=a", { "[b]\nhost=1\n", "[a]\nhost=2\n", "[a]\nhost=3\n" }, "service=a host=3" },
	{ "service=a", { NULL, "[a]\nhost=2\n", "[a]\nhost=3\n" }, "service=a host=2" },
	{ "service=a", { NULL, "[b]\nhost=2\n", "[a]\nhost=3\n" }, "service=a host=3" },
	{ "service=a", { NULL, NULL, "[a]\nhost=3\n" }, "service=a host=3" },
	{ "service=a", { NULL, NULL, NULL }, NULL },
	{ "service=a", { "[b]\nhost=1\n", "[a]\nhost=2\n", "[c]\nhost=3\n" }, NULL },
	/* Only libpq can tell what that says. */
	{ "service=a", { "[a]\nldap://localhost/x?y\n" }, NULL },
};

START_TEST(says_what_libpq_reads)
{
	kn__arena arena = { 0 };
	kn__conninfo given;
	kn__conninfo got;
	kn__fault fault;
	kn_status status;

	for (int i = 0; i < COUNT(files); i++)
	{
		if (cases[_i].texts[i] != NULL)
			write_file(i, cases[_i].texts[i]);
	}
	if (cases[_i].texts[0] != NULL)
		ck_assert_int_eq(setenv("PGSERVICEFILE", path_of(0), 1), 0);
	ck_assert_int_eq(kn__conninfo_parse(&given, &arena, cases[_i].conninfo, &fault), KN_OK);
	got = given;
	status = kn__conninfo_add_service(&got, &arena, &fault);
	if (cases[_i].said == NULL)
	{
		static const char message[] = "definition of service \"a\" not found in PGSERVICEFILE or ";

		ck_assert_int_eq(status, KN_CONFIG);
		ck_assert_msg(strncmp(fault.error.message, message, strlen(message)) == 0,
					  "%s",
					  fault.error.message);
	}
	else
	{
		ck_assert_int_eq(status, KN_OK);
		ck_assert_str_eq(list(&got), cases[_i].said);
		compare(&arena, &given, &got);
	}
	kn__arena_release(&arena);
}
END_TEST

/* What was copied before is as it was. */
START_TEST(leaves_copies_alone)
{
	kn__arena arena = { 0 };
	kn__conninfo given;
	kn__conninfo got;
	kn__fault fault;

	write_file(1, "[a]\nhost=h\n");
	ck_assert_int_eq(kn__conninfo_parse(&given, &arena, "host='' service=a", &fault), KN_OK);
	got = given;
	ck_assert_int_eq(kn__conninfo_add_service(&got, &arena, &fault), KN_OK);
	ck_assert_str_eq(list(&got), "service=a host=h");
	ck_assert_str_eq(list(&given), "service=a host=");
	kn__arena_release(&arena);
}
END_TEST

/* Later versions of libpq have an option for the file. */
START_TEST(the_file_may_be_said)
{
	char path[100];
	kn__conninfo_option options[] = { { "service", (char[]){ "a" } }, { "servicefile", path } };
	kn__conninfo conninfo = { .theirs = options, .their_count = 2 };
	kn__arena arena = { 0 };
	kn__fault fault;

	write_file(0, "[a]\nhost=h\n");
	write_file(1, "[a]\nhost=i\n");
	ck_assert_int_eq(setenv("PGSERVICEFILE", path_of(1), 1), 0);
	(void) snprintf(path, sizeof(path), "%s", path_of(0));
	ck_assert_int_eq(kn__conninfo_add_service(&conninfo, &arena, &fault), KN_OK);
	ck_assert_str_eq(kn__conninfo_find(&conninfo, "host"), "h");
	kn__arena_release(&arena);
}
END_TEST

/* Who has no HOME has one in the system's own list of users; where it is does not matter here. */
START_TEST(a_home_need_not_be_said)
{
	kn__conninfo_option option = { "service", (char[]){ "kn_no_such_service" } };
	kn__conninfo conninfo = { .theirs = &option, .their_count = 1 };
	kn__arena arena = { 0 };
	kn__fault fault;

	ck_assert_int_eq(unsetenv("HOME"), 0);
	ck_assert_int_eq(kn__conninfo_add_service(&conninfo, &arena, &fault), KN_CONFIG);
	write_file(2, "[kn_no_such_service]\nhost=h\n");
	ck_assert_int_eq(kn__conninfo_add_service(&conninfo, &arena, &fault), KN_OK);
	ck_assert_str_eq(kn__conninfo_find(&conninfo, "host"), "h");
	kn__arena_release(&arena);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	kn_status status = KN_NO_MEMORY;

	write_file(1, "[a]\n" ALL_OF_LIBPQS);
	for (long n = 1; status != KN_OK; n++)
	{
		kn__conninfo_option option = { "service", (char[]){ "a" } };
		kn__conninfo conninfo = { .theirs = &option, .their_count = 1 };
		failing f;
		kn__arena arena;
		kn__fault fault;

		failing_init(&f, n, false);
		kn__arena_init(&arena, &f.allocator);
		status = kn__conninfo_add_service(&conninfo, &arena, &fault);
		ck_assert(status == KN_OK || status == KN_NO_MEMORY);
		ck_assert(n > 1 || status == KN_NO_MEMORY);
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, says_what_libpq_reads, cases);
	tcase_add_test(tcase, leaves_copies_alone);
	tcase_add_test(tcase, the_file_may_be_said);
	tcase_add_test(tcase, a_home_need_not_be_said);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("wire_service", fill);
}
