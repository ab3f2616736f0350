/*
 * test_wire_conninfo_check.c
 *		Whether what libpq could not connect with is found before it does, and nothing else is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "wire/conninfo.h"

static const char *const variables[] = { "PGHOST",
										 "PGHOSTADDR",
										 "PGPORT",
										 "PGUSER",
										 "PGSERVICE",
										 "PGSERVICEFILE",
										 "PGSSLMODE",
										 "PGGSSENCMODE",
										 "PGCHANNELBINDING",
										 "PGTARGETSESSIONATTRS",
										 "PGCONNECT_TIMEOUT",
										 "PGSSLMINPROTOCOLVERSION",
										 "PGCLIENTENCODING" };
static char file[] = "/tmp/kn_service_XXXXXX";

static void
set_up(void)
{
	static const char text[] =
		"[good]\nhost=s\nport=8\n[bad]\nport=x\n[worse]\nsslmode=x\n"
		"[sjis]\nclient_encoding=SJIS\n";
	int fd;

	for (int i = 0; i < COUNT(variables); i++)
		ck_assert_int_eq(unsetenv(variables[i]), 0);
	memcpy(file + strlen(file) - 6, "XXXXXX", 6);
	fd = mkstemp(file);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(setenv("PGSERVICEFILE", file, 1), 0);
}

static void
tear_down(void)
{
	ck_assert_int_eq(unlink(file), 0);
}

/* A variable, NAME=VALUE, may be set besides. */
static kn_status
check(const char *text, const char *variable, kn__fault *fault)
{
	kn__arena arena = { 0 };
	kn__conninfo parsed;
	kn__destination to;
	const char *keywords[20];
	const char *values[20];
	kn__settings said = { keywords, values, 0 };
	kn_status status;

	if (variable != NULL)
	{
		char name[40];
		size_t n = strcspn(variable, "=");

		(void) snprintf(name, sizeof(name), "%.*s", (int) n, variable);
		ck_assert_int_eq(setenv(name, variable + n + 1, 1), 0);
	}
	kn__fault_clear(fault);
	ck_assert_int_eq(kn__conninfo_parse(&parsed, &arena, text, fault), KN_OK);
	for (; said.count < parsed.their_count; said.count++)
	{
		keywords[said.count] = parsed.theirs[said.count].keyword;
		values[said.count] = parsed.theirs[said.count].value;
	}
	status = kn__conninfo_resolve(&to, &arena, &said, fault);
	kn__arena_release(&arena);
	return status;
}

static const struct
{
	const char *text;
	const char *variable;
	const char *message; /* its beginning */
} refused[] = {
	{ "port=abc", NULL, "option \"port\" is \"abc\", but has to be a number from 1 to 65535" },
	{ "port=0", NULL, "option \"port\" is \"0\"" },
	{ "port=-1", NULL, "option \"port\" is \"-1\"" },
	{ "port=65536", NULL, "option \"port\" is \"65536\"" },
	{ "port=99999999999", NULL, "option \"port\" is \"99999999999\"" },
	{ "port='54 32'", NULL, "option \"port\" is \"54 32\"" },
	{ "port=' '", NULL, "option \"port\" is \" \"" },
	{ "host=a,b port=1,x", NULL, "option \"port\" is \"x\"" },
	{ "postgresql://a:0/d", NULL, "option \"port\" is \"0\"" },
	{ "host=a,b port=1,2,3", NULL, "could not match 3 port numbers to 2 hosts" },
	{ "port=1,2", NULL, "could not match 2 port numbers to 1 hosts" },
	{ "host=a hostaddr=1.1.1.1,1.1.1.2", NULL, "could not match 1 host names to 2 hostaddr" },
	{ "hostaddr=localhost",
	  NULL,
	  "option \"hostaddr\" is \"localhost\", but has to be an address" },
	{ "hostaddr=1.2.3.4.5", NULL, "option \"hostaddr\" is \"1.2.3.4.5\"" },
	{ "hostaddr=::1,foo", NULL, "option \"hostaddr\" is \"foo\"" },
	{ "sslmode=foo", NULL, "invalid sslmode value: \"foo\"" },
	{ "sslmode=Require", NULL, "invalid sslmode value: \"Require\"" },
	{ "channel_binding=foo", NULL, "invalid channel_binding value: \"foo\"" },
	{ "gssencmode=foo", NULL, "invalid gssencmode value: \"foo\"" },
	{ "target_session_attrs=foo", NULL, "invalid target_session_attrs value: \"foo\"" },
	{ "ssl_min_protocol_version=foo", NULL, "invalid ssl_min_protocol_version value: \"foo\"" },
	{ "ssl_max_protocol_version=foo", NULL, "invalid ssl_max_protocol_version value: \"foo\"" },
	{ "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
	  NULL,
	  "invalid SSL protocol version range" },
	{ "service=nowhere", NULL, "definition of service \"nowhere\" not found" },
	{ "service=bad", NULL, "option \"port\" is \"x\"" },
	{ "service=worse", NULL, "invalid sslmode value: \"x\"" },
	{ "connect_timeout=abc", NULL, "option \"connect_timeout\" is \"abc\", but has to be a whole" },
	{ "connect_timeout=1.5", NULL, "option \"connect_timeout\" is \"1.5\"" },
	{ "connect_timeout=5s", NULL, "option \"connect_timeout\" is \"5s\"" },
	{ "connect_timeout=99999999999", NULL, "option \"connect_timeout\" is \"99999999999\"" },
	{ "keepalives=abc", NULL, "option \"keepalives\" is \"abc\"" },
	{ "keepalives_idle=1.5", NULL, "option \"keepalives_idle\" is \"1.5\"" },
	{ "keepalives_interval=99999999999", NULL, "option \"keepalives_interval\" is" },
	{ "keepalives_count=0x1", NULL, "option \"keepalives_count\" is \"0x1\"" },
	{ "tcp_user_timeout=abc", NULL, "option \"tcp_user_timeout\" is \"abc\"" },
	{ "client_encoding=SJIS",
	  NULL,
	  "option \"client_encoding\" is \"SJIS\", but has to be UTF8 or SQL_ASCII" },
	{ "client_encoding=GBK", NULL, "option \"client_encoding\" is \"GBK\"" },
	{ "client_encoding=LATIN1", NULL, "option \"client_encoding\" is \"LATIN1\"" },
	{ "client_encoding=auto", NULL, "option \"client_encoding\" is \"auto\"" },
	{ "client_encoding=nothing", NULL, "option \"client_encoding\" is \"nothing\"" },
	{ "client_encoding=UTF", NULL, "option \"client_encoding\" is \"UTF\"" },
	{ "client_encoding=UTF88", NULL, "option \"client_encoding\" is \"UTF88\"" },
	{ "service=sjis", NULL, "option \"client_encoding\" is \"SJIS\"" },
	{ "", "PGCLIENTENCODING=BIG5", "option \"client_encoding\" is \"BIG5\"" },
	{ "", "PGPORT=foo", "option \"port\" is \"foo\"" },
	{ "", "PGPORT=1,2", "could not match 2 port numbers to 1 hosts" },
	{ "", "PGHOSTADDR=foo", "option \"hostaddr\" is \"foo\"" },
	{ "", "PGSSLMODE=foo", "invalid sslmode value: \"foo\"" },
	{ "", "PGGSSENCMODE=foo", "invalid gssencmode value: \"foo\"" },
	{ "", "PGCHANNELBINDING=foo", "invalid channel_binding value: \"foo\"" },
	{ "", "PGTARGETSESSIONATTRS=foo", "invalid target_session_attrs value: \"foo\"" },
	{ "", "PGSSLMINPROTOCOLVERSION=foo", "invalid ssl_min_protocol_version value: \"foo\"" },
	{ "", "PGCONNECT_TIMEOUT=abc", "option \"connect_timeout\" is \"abc\"" },
	{ "", "PGSERVICE=nowhere", "definition of service \"nowhere\" not found" },
	{ "service=good", "PGSERVICEFILE=/nowhere", "service file \"/nowhere\" not found" },
};

START_TEST(is_refused)
{
	const char *message = refused[_i].message;
	kn__fault fault;

	ck_assert_int_eq(check(refused[_i].text, refused[_i].variable, &fault), KN_CONFIG);
	ck_assert_msg(strncmp(fault.error.message, message, strlen(message)) == 0,
				  "%s",
				  fault.error.message);
	ck_assert_ptr_null(strchr(fault.error.message, '\n'));
}
END_TEST

static const struct
{
	const char *text;
	const char *variable;
} taken[] = {
	{ "", NULL },
	{ "port=1 sslmode=verify-full channel_binding=disable gssencmode=disable", NULL },
	{ "port=' 65535 ' sslmode=allow target_session_attrs=prefer-standby", NULL },
	{ "port='' sslmode='' hostaddr='' connect_timeout='' target_session_attrs=''", "PGPORT=" },
	{ "port=+5432", NULL },
	{ "host=a,b,c port=1,,3", NULL },
	{ "host=a,,c port=7", NULL },
	{ "host=a,b", "PGPORT=7" },
	{ "port=1", "PGPORT=foo" },
	{ "host=a,b hostaddr=,::1 port=1,2", NULL },
	{ "hostaddr=127.1", NULL },
	{ "hostaddr=fe80::1%no_such_interface", NULL },
	{ "host=nowhere.invalid", NULL }, /* names are looked up when there is somebody to wait */
	{ "host=/nowhere port=17", NULL },
	{ "postgresql://[::1]:5433,h:5434/d?target_session_attrs=read-write", NULL },
	{ "ssl_min_protocol_version=tlsv1 ssl_max_protocol_version=TLSv1.3", NULL },
	{ "sslrootcert=/nowhere sslcert=/nowhere sslkey=/nowhere passfile=/nowhere", NULL },
	{ "connect_timeout=-1 keepalives=1 keepalives_idle=-3 tcp_user_timeout=2147483647", NULL },
	{ "connect_timeout='\t5 ' keepalives_count=+4 keepalives_interval=07", NULL },
	{ "options=-cno_such_setting=1 application_name=''", NULL },
	{ "client_encoding=UTF8", NULL },
	{ "client_encoding=' utf-8'", NULL },
	{ "client_encoding=Unicode", "PGCLIENTENCODING=SJIS" },
	{ "client_encoding=sql_ascii", NULL },
	{ "client_encoding=''", NULL },
	{ "", "PGCLIENTENCODING=utf8" },
	{ "service=good", NULL },
	{ "service=bad port=1", NULL },
	{ "", "PGSERVICE=good" },
};

START_TEST(is_taken)
{
	kn__fault fault;
	kn_status status = check(taken[_i].text, taken[_i].variable, &fault);

	ck_assert_msg(status == KN_OK, "%s", fault.error.message);
}
END_TEST

/* What errors of others there are stays known. */
START_TEST(leaves_errno_alone)
{
	int number;

	errno = 7;
	ck_assert(!kn__conninfo_number("99999999999999999999", &number));
	ck_assert_int_eq(number, 0);
	ck_assert(kn__conninfo_number(" -3 ", &number));
	ck_assert_int_eq(number, -3);
	ck_assert_int_eq(errno, 7);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_refused, refused);
	LOOP(tcase, is_taken, taken);
	tcase_add_test(tcase, leaves_errno_alone);
}

int
main(void)
{
	return suite_run("wire_conninfo_check", fill);
}
