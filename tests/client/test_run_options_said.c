/*
 * test_run_options_said.c
 *		Each option by the environment, and each of libpq's by the conninfo: none is forgotten.
 *
 * What there is, the tables say: that of the options, which is read here as the source has it, and
 * that of libpq.
 */
#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "run/options.c"

#include "config.h"

/* A value that is not the usual one, as a text. */
static void
write_value(char out[40], const option *o)
{
	int64_t number = o->usual > 0 ? o->usual + 1 : o->least + 1;

	if (o->kind == OPTION_INT || o->kind == OPTION_INT64)
		(void) snprintf(out, 40, "%" PRId64, number);
	else if (o->kind == OPTION_MODE || o->kind == OPTION_FLAG)
		(void) snprintf(out, 40, "on");
	else if (o->kind == OPTION_NAMES)
		(void) snprintf(out, 40, "kn_f,kn_g");
	else
		(void) snprintf(out, 40, "host=%.30s", o->name);
}

static void
check_value(const option *o, const char *expected)
{
	const void *has = (const char *) &config->config + o->offset;
	int64_t number = 0;

	/* That is where another place comes from. */
	if (strcmp(o->name, "listen_conninfo") == 0)
	{
		ck_assert_ptr_nonnull(config->listening);
		ck_assert_str_eq(config->listening->host, "listen_conninfo");
		return;
	}
	if (o->kind == OPTION_TEXT || o->kind == OPTION_NAMES)
	{
		const char *text = *(const char *const *) has;

		ck_assert_msg(text != NULL && strcmp(text, expected) == 0, "%s: %s", o->name, text);
		return;
	}
	if (o->kind == OPTION_INT)
		number = *(const int *) has;
	if (o->kind == OPTION_INT64)
		number = *(const int64_t *) has;
	if (o->kind == OPTION_MODE)
		number = *(const kn_mode *) has == KN_ON;
	if (o->kind == OPTION_FLAG)
		number = *(const bool *) has;
	ck_assert_msg(number == (strcmp(expected, "on") == 0 ? 1 : strtoll(expected, NULL, 10)),
				  "%s is %" PRId64 ", not %s",
				  o->name,
				  number,
				  expected);
}

START_TEST(by_the_environment)
{
	const option *o = &options[_i];
	char variable[NAME_LIMIT];
	char value[40];

	(void) snprintf(variable, sizeof(variable), "KINTS_%s", o->name);
	for (char *at = variable; *at != '\0'; at++)
		*at = (char) toupper((unsigned char) *at);
	write_value(value, o);
	ck_assert_int_eq(setenv(variable, value, 1), 0);
	ck_assert_msg(INIT(0) == KN_OK, "%s: %s", variable, error);
	check_value(o, value);
	kn__config_free(config);
	ck_assert_int_eq(unsetenv(variable), 0);
	ck_assert_int_eq(INIT(0), KN_OK);
	kn__config_free(config);
}
END_TEST

START_TEST(by_the_conninfo)
{
	const option *o = &options[_i];
	char conninfo[120];
	char value[40];

	write_value(value, o);
	(void) snprintf(conninfo, sizeof(conninfo), "kn_%s='%s'", o->name, value);
	ck_assert_msg(INIT(.conninfo = conninfo) == KN_OK, "%s: %s", conninfo, error);
	check_value(o, value);
	kn__config_free(config);
}
END_TEST

/* What has to have one of some values; "1" is right for all others. */
static const struct
{
	const char *keyword;
	const char *value; /* NULL: it is no option of a connection's, for the reason beside it */
} values[] = {
	{ "service", NULL },         /* names others, which libpq looks up */
	{ "connect_timeout", NULL }, /* is connect_ms: see connect_timeout_counts */
	{ "client_encoding", "SQL_ASCII" },
	{ "sslmode", "require" },
	{ "sslnegotiation", "postgres" },
	{ "sslcertmode", "allow" },
	{ "gssencmode", "disable" },
	{ "channel_binding", "prefer" },
	{ "target_session_attrs", "any" },
	{ "load_balance_hosts", "random" },
	{ "require_auth", "scram-sha-256" },
	{ "ssl_min_protocol_version", "TLSv1.2" },
	{ "ssl_max_protocol_version", "TLSv1.3" },
	{ "min_protocol_version", "3.0" },
	{ "max_protocol_version", "3.0" },
	{ "hostaddr", "127.0.0.1" },
	{ "authtype", NULL }, /* libpq has no use for it any more */
	{ "options", "-c work_mem=1MB" },
};

static const char *
value_of(const char *keyword)
{
	for (int i = 0; i < COUNT(values); i++)
	{
		if (strcmp(values[i].keyword, keyword) == 0)
			return values[i].value;
	}
	return "1";
}

START_TEST(what_is_libpqs_reaches_it)
{
	PQconninfoOption *all = PQconndefaults();
	int count = 0;

	ck_assert_ptr_nonnull(all);
	for (const PQconninfoOption *one = all; one->keyword != NULL; one++)
	{
		const char *value = value_of(one->keyword);
		char conninfo[120];
		char expected[120];

		if (value == NULL)
			continue;
		(void) snprintf(conninfo, sizeof(conninfo), "%s='%s'", one->keyword, value);
		(void) snprintf(expected, sizeof(expected), "%s=%s ", one->keyword, value);
		ck_assert_msg(INIT(.conninfo = conninfo) == KN_OK, "%s: %s", conninfo, error);
		ck_assert_msg(strstr(strcat((char *) told(0), " "), expected) != NULL,
					  "%s: %s",
					  conninfo,
					  told(0));
		kn__config_free(config);
		count++;
	}
	ck_assert_int_gt(count, 30);
	PQconninfoFree(all);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	LOOP(tcase, by_the_environment, options);
	LOOP(tcase, by_the_conninfo, options);
	tcase_add_test(tcase, what_is_libpqs_reaches_it);
}

int
main(void)
{
	return suite_run("run_options_said", fill);
}
