/*
 * test_run_config.c
 *		Options from the struct, the conninfo and the environment: which one counts, and what is
 *		refused.
 */
#include "config.h"
#include "failing.h"
#include "kints/secret.h"

START_TEST(the_struct_comes_first)
{
	ck_assert_int_eq(setenv("KINTS_MAX_CONNECTIONS", "3", 1), 0);
	ck_assert_int_eq(INIT(.conninfo = "kn_max_connections=4", .max_connections = 5), KN_OK);
	ck_assert_int_eq(config->config.max_connections, 5);
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = "kn_max_connections=7 kn_max_connections=4"), KN_OK);
	ck_assert_int_eq(config->config.max_connections, 4);
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = "host=h"), KN_OK);
	ck_assert_int_eq(config->config.max_connections, 3);
	kn__config_free(config);
	clear_environment();
	ck_assert_int_eq(INIT(.conninfo = "host=h"), KN_OK);
	ck_assert_int_eq(config->config.max_connections, 10);
	kn__config_free(config);
}
END_TEST

/* What the struct has no word for, nothing at all, it says so. */
START_TEST(the_environment_may_be_ignored)
{
	ck_assert_int_eq(setenv("KINTS_MIN_CONNECTIONS", "3", 1), 0);
	ck_assert_int_eq(setenv("KINTS_SHOW_PARAMETERS", "on", 1), 0);
	ck_assert_int_eq(setenv("KINTS_CONNINFO", "host=elsewhere", 1), 0);
	ck_assert_int_eq(setenv("KINTS_MAX_CONECTIONS", "3", 1), 0);
	ck_assert_int_eq(setenv("PGHOST", "h", 1), 0);
	ck_assert_int_eq(INIT(.ignore_environment = true), KN_OK);
	clear_environment();
	ck_assert_int_eq(unsetenv("KINTS_MIN_CONNECTIONS"), 0);
	ck_assert_int_eq(config->config.min_connections, 0);
	ck_assert(!config->config.show_parameters);
	ck_assert_str_eq(config->servers[0].host, "h");
	kn__config_free(config);
}
END_TEST

static const struct
{
	const char *text;
	kn_secret_fn *source;
	const char *user; /* of a command: its arguments, with a bar behind each */
} secrets[] = {
	{ "kn_secret_file=/run/password", kn_secret_file, "/run/password" },
	{ "kn_secret_environment=PASSWORD", kn_secret_environment, "PASSWORD" },
	{ "kn_secret_command='vault  read -field=p db '",
	  kn_secret_command,
	  "vault|read|-field=p|db|" },
	{ "host=h", NULL, NULL },
};

START_TEST(sources_of_secrets_are_named)
{
	char found[100] = "";

	ck_assert_int_eq(INIT(.conninfo = secrets[_i].text), KN_OK);
	ck_assert(config->config.secret == secrets[_i].source);
	if (config->config.secret == kn_secret_command)
	{
		const kn_secret_program *program = config->config.secret_user;

		for (int i = 0; program->argv[i] != NULL; i++)
			strcat(strcat(found, program->argv[i]), "|");
	}
	else if (config->config.secret_user != NULL)
		strcat(found, config->config.secret_user);
	ck_assert_str_eq(found, secrets[_i].user == NULL ? "" : secrets[_i].user);
	kn__config_free(config);
	/* A function of the program's comes first. */
	ck_assert_int_eq(INIT(.conninfo = secrets[_i].text, .secret = kn_secret_file), KN_OK);
	ck_assert_ptr_null(config->config.secret_user);
	kn__config_free(config);
}
END_TEST

START_TEST(the_environment_can_say_all)
{
	ck_assert_int_eq(setenv("KINTS_CONNINFO", "postgresql://h:1/d?kn_idle_ms=7", 1), 0);
	ck_assert_int_eq(setenv("KINTS_REPLICAS", "host=r1; host=r2;", 1), 0);
	ck_assert_int_eq(setenv("KINTS_NAME", "shop", 1), 0);
	ck_assert_int_eq(setenv("KINTS_PGBOUNCER", "on", 1), 0);
	ck_assert_int_eq(setenv("KINTS_SHOW_PARAMETERS", "true", 1), 0);
	ck_assert_int_eq(setenv("KINTS_SECRET_FILE", "/run/password", 1), 0);
	/* That is what sources of secrets are told, which may use the library as well. */
	ck_assert_int_eq(setenv("KINTS_SECRET_REFRESH", "1", 1), 0);
	ck_assert_int_eq(INIT(0), KN_OK);
	ck_assert(config->config.secret == kn_secret_file);
	clear_environment();
	ck_assert_int_eq(config->config.idle_ms, 7);
	ck_assert_str_eq(config->config.name, "shop");
	ck_assert_int_eq(config->config.pgbouncer, KN_ON);
	ck_assert(config->config.show_parameters);
	ck_assert_int_eq(config->server_count, 3);
	ck_assert_str_eq(config->servers[0].host, "h");
	ck_assert_int_eq(config->servers[0].port, 1);
	ck_assert_str_eq(config->servers[2].host, "r2");
	ck_assert_str_eq(told(1),
					 "host=r1 dbname=d fallback_application_name=shop client_encoding=UTF8");
	kn__config_free(config);
}
END_TEST

static const struct
{
	const char *conninfo;
	const char *variable; /* PGCONNECT_TIMEOUT */
	int64_t expected;
} timeouts[] = {
	{ "connect_timeout=7", NULL, 7000 },
	{ "connect_timeout=0", NULL, -1 },
	{ "connect_timeout=-3", NULL, -1 },
	{ "connect_timeout=7 kn_connect_ms=20", NULL, 20 },
	{ "connect_timeout=' 7 '", NULL, 7000 },
	{ "host=h", NULL, 5000 },
	{ "host=h", "3", 3000 },
	{ "host=h", "0", -1 },
	{ "connect_timeout=7", "3", 7000 },
	{ "kn_connect_ms=20", "3", 20 },
};

START_TEST(connect_timeout_counts)
{
	if (timeouts[_i].variable != NULL)
		ck_assert_int_eq(setenv("PGCONNECT_TIMEOUT", timeouts[_i].variable, 1), 0);
	ck_assert_int_eq(INIT(.conninfo = timeouts[_i].conninfo), KN_OK);
	ck_assert_int_eq(config->config.connect_ms, timeouts[_i].expected);
	kn__config_free(config);
}
END_TEST

static const struct
{
	kn_config given;
	const char *variable;
	const char *value;
	const char *message;
} refused[] = {
	{ { 0 },
	  "KINTS_MAX_CONECTIONS",
	  "3",
	  "environment variable \"KINTS_MAX_CONECTIONS\" is no option; \"KINTS_MAX_CONNECTIONS\" is" },
	{ { .conninfo = "kn_secret_file=f", .secret_command = "c" },
	  NULL,
	  NULL,
	  "only one of the options \"secret_environment\", \"secret_file\" and \"secret_command\" can be said" },
	{ { .max_connections = -5 },
	  NULL,
	  NULL,
	  "option \"max_connections\" is -5, but has to be a number from 1 to 10000" },
	{ { .idle_ms = -2 },
	  NULL,
	  NULL,
	  "option \"idle_ms\" is -2, but has to be a number from 1 to 3155760000000, or -1" },
	{ { .pgbouncer = (kn_mode) 3 },
	  NULL,
	  NULL,
	  "option \"pgbouncer\" is something else, but has to be KN_AUTOMATIC, KN_ON or KN_OFF" },
	{ { .conninfo = "kn_max_connections=0" },
	  NULL,
	  NULL,
	  "option \"kn_max_connections\" of the conninfo is \"0\", but has to be a number from 1 to 10000" },
	{ { .conninfo = "kn_max_connections=''" },
	  NULL,
	  NULL,
	  "option \"kn_max_connections\" of the conninfo is \"\", but has to be a number from 1 to 10000" },
	{ { .conninfo = "kn_max_connections=4x" },
	  NULL,
	  NULL,
	  "option \"kn_max_connections\" of the conninfo is \"4x\", but has to be a number from 1 to 10000" },
	{ { .conninfo = "kn_max_connections=99999999999999999999" },
	  NULL,
	  NULL,
	  "option \"kn_max_connections\" of the conninfo is \"99999999999999999999\", but has to be a number "
	  "from 1 to 10000" },
	{ { .conninfo = "kn_pgbouncer=maybe" },
	  NULL,
	  NULL,
	  "option \"kn_pgbouncer\" of the conninfo is \"maybe\", but has to be auto, on or off" },
	{ { .conninfo = "kn_show_parameters=2" },
	  NULL,
	  NULL,
	  "option \"kn_show_parameters\" of the conninfo is \"2\", but has to be on or off" },
	{ { .conninfo = "kn_max_conections=4" }, NULL, NULL, "unknown option \"kn_max_conections\"" },
	{ { .conninfo = "kn_conninfo=host=h" }, NULL, NULL, "unknown option \"kn_conninfo\"" },
	{ { .conninfo = "kn_secret=x" }, NULL, NULL, "unknown option \"kn_secret\"" },
	{ { .conninfo = "hots=h" }, NULL, NULL, "invalid connection option \"hots\"" },
	{ { .conninfo = "hots=h password=hush" }, NULL, NULL, "invalid connection option \"hots\"" },
	/* What it does not understand may be of the password. */
	{ { .conninfo = "host=h password=my hush" },
	  NULL,
	  NULL,
	  "missing \"=\" after \"...\" in connection info string" },
	{ { .conninfo = "password=my hush=hush" }, NULL, NULL, "invalid connection option \"...\"" },
	{ { .conninfo = "password=my hu\"sh" },
	  NULL,
	  NULL,
	  "missing \"=\" after \"...\" in connection info string" },
	{ { .conninfo = "postgresql://u:hu%sh@h/db" },
	  NULL,
	  NULL,
	  "invalid percent-encoded token: \"...\"" },
	{ { .conninfo = "postgresql://h/db?password=hu%sh" },
	  NULL,
	  NULL,
	  "invalid percent-encoded token: \"...\"" },
	{ { .conninfo = "host=h PASSWORD=my hush" }, NULL, NULL, "invalid connection option \"...\"" },
	{ { .conninfo = "postgresql://user:hu%sh/db" },
	  NULL,
	  NULL,
	  "invalid percent-encoded token: \"...\"" },
	{ { .conninfo = "postgresql://u:hush@[::1/db" },
	  NULL,
	  NULL,
	  "end of string reached when looking for matching \"]\" in IPv6 host address in URI: "
	  "\"...\"" },
	{ { .conninfo = "postgresql://h?kn_idle_ms=%zz" },
	  NULL,
	  NULL,
	  "the value of option \"kn_idle_ms\" is malformed" },
	{ { .name = NULL },
	  "KINTS_IDLE_MS",
	  "1s",
	  "environment variable \"KINTS_IDLE_MS\" is \"1s\", but has to be a number from 1 to 3155760000000, or -1" },
	{ { .name = NULL },
	  "KINTS_CONNINFO",
	  "host",
	  "missing \"=\" after \"host\" in connection info string" },
	{ { .min_connections = 20 },
	  NULL,
	  NULL,
	  "option \"min_connections\" is 20, but \"max_connections\" is 10" },
	{ { .retry_base_ms = 2000 },
	  NULL,
	  NULL,
	  "option \"retry_base_ms\" is 2000, but \"retry_cap_ms\" is 1000" },
	{ { .replicas = (const char *const[]){ "host=a", "host", NULL } },
	  NULL,
	  NULL,
	  "replica 2: missing \"=\" after \"host\" in connection info string" },
	{ { .replicas = (const char *const[]){ "user=u", NULL } },
	  NULL,
	  NULL,
	  "replica 1: the conninfo does not say where it is" },
	{ { .replicas = (const char *const[]){ "host=a kn_name=n", NULL } },
	  NULL,
	  NULL,
	  "replica 1: option \"kn_name\" belongs into the first conninfo" },
	{ { .conninfo = "kn_replicas='host=a;hots=b'" },
	  NULL,
	  NULL,
	  "replica 2: invalid connection option \"hots\"" },
	{ { .listen_conninfo = "hots=b" },
	  NULL,
	  NULL,
	  "listen_conninfo: invalid connection option \"hots\"" },
	{ { .listen_conninfo = "user=u" },
	  NULL,
	  NULL,
	  "listen_conninfo: the conninfo does not say where it is" },
	{ { .listen_conninfo = "port=2 kn_name=n" },
	  NULL,
	  NULL,
	  "listen_conninfo: option \"kn_name\" belongs into the first conninfo" },
	{ { .allocator = &(const kn_allocator){ .allocate = failing_allocate } },
	  NULL,
	  NULL,
	  "option \"allocator\" has to have all three functions, or none" },
};

START_TEST(what_is_wrong_is_named)
{
	kn_status status;

	if (refused[_i].variable != NULL)
		ck_assert_int_eq(setenv(refused[_i].variable, refused[_i].value, 1), 0);
	status = init(&refused[_i].given);
	clear_environment();
	ck_assert_int_eq(status, KN_CONFIG);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(error, refused[_i].message);
}
END_TEST

/* All that text can say, and the struct as well, comes out the same. */
START_TEST(text_and_struct_agree)
{
	kn_config said = { .min_connections = 1,
					   .max_connections = 2,
					   .max_opening = 3,
					   .max_waiters = 4,
					   .acquire_ms = 5,
					   .connect_ms = 6,
					   .idle_ms = 7,
					   .lifetime_ms = 8,
					   .keepalive_ms = 9,
					   .leak_ms = 10,
					   .drain_ms = 11,
					   .statement_ms = 12,
					   .cancel_ms = 13,
					   .statement_cache = 14,
					   .statement_cache_bytes = 15000,
					   .prepare_after = 16,
					   .pgbouncer = KN_OFF,
					   .volatile_functions = "f,g",
					   .stable_functions = "h",
					   .retry_attempts = 17,
					   .retry_base_ms = 18,
					   .retry_cap_ms = 19,
					   .retry_budget_percent = 20,
					   .breaker_failure_percent = 21,
					   .breaker_slow_percent = 22,
					   .breaker_slow_ms = 23,
					   .breaker_window = 24,
					   .breaker_calls = 25,
					   .breaker_open_ms = 26,
					   .breaker_probes = 27,
					   .lag_ms = 28,
					   .probe_ms = 29,
					   .hedge_percent = 30,
					   .slow_ms = 31,
					   .show_parameters = true,
					   .secret_ms = 32 };
	const char *text =
		"kn_min_connections=1 kn_max_connections=2 kn_max_opening=3 kn_max_waiters=4 kn_acquire_ms=5 "
		"kn_connect_ms=6 kn_idle_ms=7 kn_lifetime_ms=8 kn_keepalive_ms=9 kn_leak_ms=10 kn_drain_ms=11 "
		"kn_statement_ms=12 kn_cancel_ms=13 kn_statement_cache=14 kn_statement_cache_bytes=15000 "
		"kn_prepare_after=16 kn_pgbouncer=off kn_volatile_functions=f,g kn_stable_functions=h kn_retry_attempts=17 kn_retry_base_ms=18 "
		"kn_retry_cap_ms=19 kn_retry_budget_percent=20 kn_breaker_failure_percent=21 "
		"kn_breaker_slow_percent=22 kn_breaker_slow_ms=23 kn_breaker_window=24 kn_breaker_calls=25 "
		"kn_breaker_open_ms=26 kn_breaker_probes=27 kn_lag_ms=28 kn_probe_ms=29 kn_hedge_percent=30 "
		"kn_slow_ms=31 kn_show_parameters=yes kn_secret_ms=32";
	kn_config first;

	ck_assert_int_eq(init(&said), KN_OK);
	memset(&first, 0, sizeof(first));
	memcpy(&first, &config->config, sizeof(first));
	first.name = first.volatile_functions = first.stable_functions = NULL;
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = text), KN_OK);
	ck_assert_str_eq(config->config.volatile_functions, "f,g");
	ck_assert_str_eq(config->config.stable_functions, "h");
	config->config.name = NULL;
	config->config.volatile_functions = config->config.stable_functions = NULL;
	ck_assert_int_eq(first.show_parameters, true);
	ck_assert_int_eq(first.hedge_percent, 30);
	ck_assert_int_eq(first.secret_ms, config->config.secret_ms);
	ck_assert_mem_eq(&first, &config->config, offsetof(kn_config, show_parameters));
	kn__config_free(config);
}
END_TEST

/* A caller who was compiled against a smaller or a larger struct. */
START_TEST(sizes_differ)
{
	union
	{
		kn_config config;
		char bytes[sizeof(kn_config) + 16];
	} given;

	memset(&given, 0, sizeof(given));
	given.config.max_connections = 3;
	given.config.slow_ms = 77;
	ck_assert_int_eq(kn__config_read(&config, &given.config, error, sizeof(error)), KN_CONFIG);
	ck_assert_str_eq(error, "the size of the configuration is not filled in");
	given.config.size = offsetof(kn_config, slow_ms);
	ck_assert_int_eq(kn__config_read(&config, &given.config, error, sizeof(error)), KN_OK);
	ck_assert_int_eq(config->config.max_connections, 3);
	ck_assert_int_eq(config->config.slow_ms, -1);
	kn__config_free(config);
	given.config.size = sizeof(given);
	ck_assert_int_eq(kn__config_read(&config, &given.config, error, sizeof(error)), KN_OK);
	ck_assert_int_eq(config->config.slow_ms, 77);
	kn__config_free(config);
	given.bytes[sizeof(given) - 1] = 1;
	ck_assert_int_eq(kn__config_read(&config, &given.config, error, sizeof(error)), KN_CONFIG);
	ck_assert_str_eq(error, "the configuration has an option that this version does not know");
}
END_TEST

START_TEST(errors_are_cut_to_fit)
{
	kn_config given = { .size = sizeof(given), .conninfo = "kn_foo=1" };
	char small[8] = "-------";

	ck_assert_int_eq(kn__config_read(&config, &given, small, sizeof(small)), KN_CONFIG);
	ck_assert_str_eq(small, "unknown");
	ck_assert_int_eq(kn__config_read(&config, &given, small, 0), KN_CONFIG);
	ck_assert_str_eq(small, "unknown");
	ck_assert_int_eq(kn__config_read(&config, &given, NULL, 0), KN_CONFIG);
	given.conninfo = "";
	ck_assert_int_eq(kn__config_read(&config, &given, small, sizeof(small)), KN_OK);
	ck_assert_str_eq(small, "");
	kn__config_free(config);
}
END_TEST

/* Memory that goes back has no password in it, wherever it was said. */
static bool was_clean;

static void
look_and_release(void *user, void *memory, size_t size)
{
	const char *bytes = memory;

	for (size_t i = 0; i + 6 <= size; i++)
		was_clean &= memcmp(bytes + i, "secret", 6) != 0;
	failing_release(user, memory, size);
}

static const char *const with_passwords[] = {
	"password=secret1",
	"postgresql://u:secret1@h/d?kn_name=n",
	"host=h kn_replicas='host=r password=secret2;host=s password=secret3'",
	"postgresql://h/d?kn_replicas=host%3Dr%20password%3Dsecret2",
	"host=h kn_listen_conninfo='host=l password=secret4'",
	/* Even where it comes to nothing. */
	"host=h kn_replicas='host=r password=secret2' kn_max_connections=no",
	"host=h kn_replicas='host=r password=secret2;port' password=secret1",
	"host=h kn_listen_conninfo='host=l password=secret4' kn_what=1",
};

START_TEST(passwords_do_not_stay)
{
	failing f;

	failing_init(&f, 0, false);
	f.allocator.release = look_and_release;
	was_clean = true;
	if (INIT(.conninfo = with_passwords[_i], .allocator = &f.allocator) == KN_OK)
		kn__config_free(config);
	ck_assert(was_clean);
	ck_assert(failing_is_even(&f));
	ck_assert_int_eq(setenv("KINTS_CONNINFO", with_passwords[_i], 1), 0);
	if (INIT(.allocator = &f.allocator) == KN_OK)
		kn__config_free(config);
	clear_environment();
	ck_assert(was_clean);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const char *const replicas[] = { "host=r", "host=s", NULL };
	kn_status status = KN_NO_MEMORY;

	for (long n = 1; status != KN_OK; n++)
	{
		failing f;

		failing_init(&f, n, false);
		status = INIT(.conninfo = "host=h kn_name=n",
					  .replicas = replicas,
					  .listen_conninfo = "port=2",
					  .allocator = &f.allocator);
		ck_assert(status == KN_OK || status == KN_NO_MEMORY);
		if (status == KN_OK)
			kn__config_free(config);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	tcase_add_test(tcase, the_struct_comes_first);
	tcase_add_test(tcase, the_environment_can_say_all);
	tcase_add_test(tcase, the_environment_may_be_ignored);
	LOOP(tcase, sources_of_secrets_are_named, secrets);
	LOOP(tcase, connect_timeout_counts, timeouts);
	LOOP(tcase, what_is_wrong_is_named, refused);
	tcase_add_test(tcase, text_and_struct_agree);
	tcase_add_test(tcase, sizes_differ);
	tcase_add_test(tcase, errors_are_cut_to_fit);
	LOOP(tcase, passwords_do_not_stay, with_passwords);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("run_config", fill);
}
