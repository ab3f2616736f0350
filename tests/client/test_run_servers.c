/*
 * test_run_servers.c
 *		Which servers there are, and what libpq is told of each.
 */
#include <stdio.h>
#include <unistd.h>

#include "config.h"

/* Services as a file of libpq's has them; use_services() has them read, drop_services() ends it. */
static char services[] = "/tmp/kn_service_XXXXXX";

static void
use_services(void)
{
	FILE *file = fdopen(mkstemp(services), "w");

	ck_assert_ptr_nonnull(file);
	(void) fputs(
		"[app]\nhost=a\nhostaddr=127.0.0.1\nport=1\ndbname=shop\nuser=app\npassword=p\n"
		"sslmode=verify-full\nsslrootcert=/r\ntarget_session_attrs=read-write\n"
		"[rep]\nhost=r\nuser=ro\nsslmode=verify-full\n"
		"[plain]\nhost=r\nsslmode=prefer\n"
		"[named]\nhost=r\nfallback_application_name=n\n"
		"[directory]\nldap://127.0.0.1:1/o=x?d?one?(cn=y)\nhost=r\n",
		file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(setenv("PGSERVICEFILE", services, 1), 0);
}

static void
drop_services(void)
{
	ck_assert_int_eq(unsetenv("PGSERVICEFILE"), 0);
	ck_assert_int_eq(unlink(services), 0);
	memcpy(services + strlen(services) - 6, "XXXXXX", 6);
}

/* What replicas do not say, but for the place, is as for the first server. */
START_TEST(replicas_inherit)
{
	const char *const replicas[] = { "host=r port=2",
									 "postgresql://v@s/e?sslmode=disable",
									 "port=3",
									 NULL };

	ck_assert_int_eq(INIT(.conninfo = "host=h port=1 sslmode=verify-full password=p "
									  "target_session_attrs=read-write kn_name=n",
						  .replicas = replicas),
					 KN_OK);
	ck_assert_int_eq(config->server_count, 4);
	ck_assert_ptr_nonnull(strstr(told(0), "target_session_attrs=read-write"));
	ck_assert_ptr_nonnull(strstr(told(0), "fallback_application_name=n"));
	ck_assert_ptr_null(strstr(told(1), "target_session_attrs"));
	ck_assert_ptr_nonnull(strstr(told(1), "sslmode=verify-full"));
	ck_assert_ptr_nonnull(strstr(told(1), "password=p"));
	ck_assert_ptr_nonnull(strstr(told(1), "port=2"));
	ck_assert_ptr_null(strstr(told(1), "port=1"));
	ck_assert_ptr_nonnull(strstr(told(2), "sslmode=disable"));
	ck_assert_ptr_null(strstr(told(2), "verify-full"));
	ck_assert_ptr_nonnull(strstr(told(2), "user=v"));
	ck_assert_ptr_null(strstr(told(2), "host=h"));
	ck_assert_ptr_nonnull(strstr(told(3), "host=h"));
	ck_assert_ptr_nonnull(strstr(told(3), "port=3"));
	ck_assert_str_eq(config->servers[3].host, "h");
	ck_assert_int_eq(config->servers[3].port, 3);
	ck_assert_ptr_null(config->config.conninfo);
	ck_assert_ptr_null(config->config.replicas);
	kn__config_free(config);
}
END_TEST

/* What the first conninfo's service says it says itself; where the service is, no replica is. */
START_TEST(a_service_is_inherited)
{
	static const char kept[] = "dbname=shop user=app password=p sslmode=verify-full sslrootcert=/r";
	char whole[300];

	use_services();
	ck_assert_int_eq(INIT(.conninfo = "service=app kn_replicas='host=b;port=3;host=c user=me'"),
					 KN_OK);
	drop_services();
	(void) snprintf(whole,
					sizeof(whole),
					"host=b %s fallback_application_name=kints client_encoding=UTF8",
					kept);
	ck_assert_str_eq(told(1), whole);
	ck_assert_str_eq(config->servers[1].user, "app");
	ck_assert_str_eq(config->servers[1].database, "shop");
	(void) snprintf(whole,
					sizeof(whole),
					"port=3 host=a hostaddr=127.0.0.1 %s "
					"fallback_application_name=kints client_encoding=UTF8",
					kept);
	ck_assert_str_eq(told(2), whole);
	ck_assert_ptr_nonnull(strstr(told(3), "user=me"));
	ck_assert_ptr_null(strstr(told(3), "user=app"));
	ck_assert_ptr_nonnull(strstr(told(3), "sslmode=verify-full"));
	/* That is libpq's to look up. */
	ck_assert_str_eq(told(0), "service=app fallback_application_name=kints client_encoding=UTF8");
	kn__config_free(config);
}
END_TEST

/* What the first conninfo itself says comes before its service, as with libpq. */
START_TEST(a_service_comes_second)
{
	use_services();
	ck_assert_int_eq(INIT(.conninfo = "service=app user=me sslmode=require password='' "
									  "kn_replicas='host=b'"),
					 KN_OK);
	drop_services();
	ck_assert_ptr_nonnull(strstr(told(1), "user=me"));
	ck_assert_ptr_nonnull(strstr(told(1), "sslmode=require"));
	ck_assert_ptr_nonnull(strstr(told(1), "password=p"));
	ck_assert_ptr_nonnull(strstr(told(1), "dbname=shop"));
	ck_assert_ptr_null(strstr(told(1), "app "));
	ck_assert_ptr_null(strstr(told(1), "verify-full"));
	kn__config_free(config);
}
END_TEST

/* What a replica's own service says is not inherited, even if it is what libpq would take anyway.
 */
START_TEST(a_service_of_its_own_counts)
{
	const char *const replicas[] = { "service=rep", "service=plain", NULL };

	use_services();
	ck_assert_int_eq(INIT(.conninfo = "host=a user=app sslmode=require dbname=shop",
						  .replicas = replicas,
						  .listen_conninfo = "service=rep"),
					 KN_OK);
	drop_services();
	for (int i = 1; i <= 3; i += 2)
	{
		ck_assert_str_eq(told(i),
						 "service=rep dbname=shop fallback_application_name=kints "
						 "client_encoding=UTF8");
		ck_assert_str_eq(config->servers[i].host, "r");
		ck_assert_str_eq(config->servers[i].user, "ro");
		ck_assert_str_eq(config->servers[i].database, "shop");
	}
	ck_assert_ptr_nonnull(strstr(told(2), "user=app"));
	ck_assert_ptr_null(strstr(told(2), "sslmode"));
	kn__config_free(config);
}
END_TEST

/* Both may have one. */
START_TEST(services_are_two)
{
	use_services();
	ck_assert_int_eq(INIT(.conninfo = "service=app kn_replicas='service=plain'",
						  .listen_conninfo = "service=rep"),
					 KN_OK);
	drop_services();
	ck_assert_str_eq(told(1),
					 "service=plain dbname=shop user=app password=p sslrootcert=/r "
					 "fallback_application_name=kints client_encoding=UTF8");
	ck_assert_str_eq(config->servers[1].host, "r");
	ck_assert_str_eq(told(2),
					 "service=rep dbname=shop password=p sslrootcert=/r "
					 "fallback_application_name=kints client_encoding=UTF8");
	ck_assert_str_eq(config->listening->user, "ro");
	kn__config_free(config);
}
END_TEST

/* libpq has the name from there, for it and for all that say no other. */
START_TEST(a_service_may_name_the_sessions)
{
	use_services();
	ck_assert_int_eq(INIT(.conninfo = "service=named kn_replicas='host=b'"), KN_OK);
	ck_assert_str_eq(told(0), "service=named client_encoding=UTF8");
	ck_assert_str_eq(told(1), "host=b fallback_application_name=n client_encoding=UTF8");
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = "host=a kn_replicas='service=named'"), KN_OK);
	drop_services();
	ck_assert_str_eq(told(1), "service=named client_encoding=UTF8");
	kn__config_free(config);
}
END_TEST

static const struct
{
	kn_config given;
	const char *message;
} lost[] = {
	{ { .conninfo = "service=none", .listen_conninfo = "host=l" },
	  "definition of service \"none\" not found" },
	{ { .conninfo = "service=app kn_replicas='host=b;service=none'" },
	  "replica 2: definition of service \"none\" not found" },
	{ { .conninfo = "host=a", .listen_conninfo = "service=none" },
	  "listen_conninfo: definition of service \"none\" not found" },
};

/* What a directory says only libpq knows; where it knows of none, it takes that for a mistake. */
START_TEST(a_service_has_to_be_in_a_file)
{
	static const char message[] = "replica 1: definition of service \"directory\" not found";

	use_services();
	if (INIT(.conninfo = "service=directory") == KN_OK)
	{
		ck_assert_str_eq(config->servers[0].host, "r");
		kn__config_free(config);
		ck_assert_int_eq(INIT(.conninfo = "service=directory kn_replicas='host=b'"), KN_CONFIG);
		ck_assert_msg(strncmp(error, message, strlen(message)) == 0, "%s", error);
	}
	else
		ck_assert_ptr_nonnull(strstr(error, "syntax error"));
	drop_services();
}
END_TEST

START_TEST(a_service_has_to_be_there)
{
	use_services();
	ck_assert_int_eq(init(&lost[_i].given), KN_CONFIG);
	drop_services();
	ck_assert_msg(strncmp(error, lost[_i].message, strlen(lost[_i].message)) == 0, "%s", error);
}
END_TEST

/* Where listeners connect to is no server of the handle's, and says only what is otherwise. */
START_TEST(listeners_have_a_place)
{
	ck_assert_int_eq(INIT(.conninfo = "host=h port=1 password=p kn_name=n "
									  "kn_listen_conninfo='port=2' kn_replicas='host=r'"),
					 KN_OK);
	ck_assert_int_eq(config->server_count, 2);
	ck_assert_ptr_eq(config->listening, &config->servers[2]);
	ck_assert_ptr_nonnull(strstr(told(2), "host=h"));
	ck_assert_ptr_nonnull(strstr(told(2), "port=2"));
	ck_assert_ptr_nonnull(strstr(told(2), "password=p"));
	ck_assert_ptr_nonnull(strstr(told(2), "fallback_application_name=n"));
	ck_assert_str_eq(config->listening->host, "h");
	ck_assert_ptr_null(config->config.listen_conninfo);
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = "host=h", .listen_conninfo = "host=l"), KN_OK);
	ck_assert_int_eq(config->server_count, 1);
	ck_assert_str_eq(config->listening->host, "l");
	kn__config_free(config);
	ck_assert_int_eq(INIT(.conninfo = "host=h"), KN_OK);
	ck_assert_ptr_null(config->listening);
	kn__config_free(config);
}
END_TEST

/* No sslmode is ever made up: libpq's default, or what PGSSLMODE says, stays in force. */
START_TEST(sslmode_is_left_to_libpq)
{
	static const char *const texts[] = { "", "host=h", "postgresql://h/d", "host=h kn_name=n" };

	for (int i = 0; i < COUNT(texts); i++)
	{
		ck_assert_int_eq(INIT(.conninfo = texts[i]), KN_OK);
		ck_assert_ptr_null(strstr(told(0), "sslmode"));
		kn__config_free(config);
	}
	ck_assert_int_eq(INIT(.conninfo = "sslmode=require"), KN_OK);
	ck_assert_str_eq(told(0),
					 "sslmode=require fallback_application_name=kints client_encoding=UTF8");
	kn__config_free(config);
}
END_TEST

/* Texts are UTF-8, unless somebody has said that they are what the database has, whatever it is. */
START_TEST(texts_have_an_encoding)
{
	ck_assert_int_eq(INIT(.conninfo = "host=h client_encoding=SQL_ASCII kn_replicas='host=r;"
									  "host=s client_encoding=utf8'"),
					 KN_OK);
	ck_assert_str_eq(config->servers[0].client_encoding, "SQL_ASCII");
	ck_assert_ptr_null(strstr(told(0), "UTF8"));
	ck_assert_str_eq(config->servers[1].client_encoding, "SQL_ASCII");
	ck_assert_ptr_nonnull(strstr(told(1), "client_encoding=SQL_ASCII"));
	ck_assert_str_eq(config->servers[2].client_encoding, "utf8");
	kn__config_free(config);
	ck_assert_int_eq(setenv("PGCLIENTENCODING", "SQL_ASCII", 1), 0);
	ck_assert_int_eq(INIT(.conninfo = "kn_listen_conninfo='host=l client_encoding=UTF8'"), KN_OK);
	ck_assert_ptr_null(strstr(told(0), "client_encoding"));
	ck_assert_ptr_nonnull(strstr(told(1), "client_encoding=UTF8"));
	kn__config_free(config);
	clear_environment();
	ck_assert_int_eq(INIT(.conninfo = "client_encoding=''"), KN_OK);
	ck_assert_ptr_nonnull(strstr(told(0), "client_encoding=UTF8"));
	ck_assert_str_eq(config->servers[0].client_encoding, "UTF8");
	kn__config_free(config);
}
END_TEST

/* A value cannot become an option. */
START_TEST(values_stay_values)
{
	ck_assert_int_eq(INIT(.conninfo = "password='p sslmode=disable kn_max_connections=1'"), KN_OK);
	ck_assert_str_eq(config->servers[0].keywords[0], "password");
	ck_assert_str_eq(config->servers[0].values[0], "p sslmode=disable kn_max_connections=1");
	ck_assert_int_eq(config->config.max_connections, 10);
	kn__config_free(config);
}
END_TEST

/* What is told of a server is where it is, whoever has said so. */
START_TEST(places_are_told)
{
	ck_assert_int_eq(setenv("PGHOST", "e", 1), 0);
	ck_assert_int_eq(setenv("PGPORT", "7", 1), 0);
	ck_assert_int_eq(setenv("PGDATABASE", "shop", 1), 0);
	ck_assert_int_eq(setenv("PGUSER", "ada", 1), 0);
	ck_assert_int_eq(INIT(.conninfo = "kn_replicas='host=r user=bob;port=9'"), KN_OK);
	clear_environment();
	ck_assert_str_eq(config->servers[0].host, "e");
	ck_assert_int_eq(config->servers[0].port, 7);
	ck_assert_str_eq(config->servers[0].database, "shop");
	ck_assert_str_eq(config->servers[0].user, "ada");
	ck_assert_str_eq(config->servers[1].host, "r");
	ck_assert_str_eq(config->servers[1].user, "bob");
	ck_assert_int_eq(config->servers[1].port, 7);
	ck_assert_str_eq(config->servers[2].host, "e");
	ck_assert_int_eq(config->servers[2].port, 9);
	/* That is for people: libpq finds it by itself. */
	ck_assert_str_eq(told(0), "fallback_application_name=kints client_encoding=UTF8");
	kn__config_free(config);
}
END_TEST

static const struct
{
	kn_config given;
	const char *variable; /* PGPORT */
	const char *message;
} refused[] = {
	{ { .conninfo = "port=abc" }, NULL, "option \"port\" is \"abc\"" },
	{ { .conninfo = "sslmode=foo" }, NULL, "invalid sslmode value: \"foo\"" },
	{ { .conninfo = "client_encoding=GB18030" },
	  NULL,
	  "option \"client_encoding\" is \"GB18030\", but has to be UTF8 or SQL_ASCII" },
	{ { .replicas = (const char *const[]){ "host=r client_encoding=SJIS", NULL } },
	  NULL,
	  "replica 1: option \"client_encoding\" is \"SJIS\"" },
	{ { .conninfo = "service=nowhere" }, NULL, "definition of service \"nowhere\" not found" },
	{ { .conninfo = "connect_timeout=abc", .connect_ms = 7 }, NULL, "option \"connect_timeout\"" },
	{ { 0 }, "foo", "option \"port\" is \"foo\"" },
	{ { .replicas = (const char *const[]){ "host=r", "host=r,s port=1,2,3", NULL } },
	  NULL,
	  "replica 2: could not match 3 port numbers to 2 hosts" },
	{ { .conninfo = "kn_replicas='host=r port=0'" }, NULL, "replica 1: option \"port\" is \"0\"" },
	{ { .conninfo = "port=7", .replicas = (const char *const[]){ "host=r", NULL } },
	  "foo",
	  "replica 1: option \"port\" is \"foo\"" },
	{ { .listen_conninfo = "host=l target_session_attrs=foo" },
	  NULL,
	  "listen_conninfo: invalid target_session_attrs value: \"foo\"" },
	{ { .listen_conninfo = "host=l keepalives=on" },
	  NULL,
	  "listen_conninfo: option \"keepalives\" is \"on\"" },
};

/* What libpq could not connect with is told at once, of each server. */
START_TEST(values_of_libpqs_are_looked_at)
{
	const char *message = refused[_i].message;

	if (refused[_i].variable != NULL)
		ck_assert_int_eq(setenv("PGPORT", refused[_i].variable, 1), 0);
	ck_assert_int_eq(init(&refused[_i].given), KN_CONFIG);
	ck_assert_msg(strncmp(error, message, strlen(message)) == 0, "%s", error);
	ck_assert_ptr_null(config);
}
END_TEST

/* A server may have one of its own. */
START_TEST(connect_timeouts_of_replicas_count)
{
	static const char *const replicas[] = { "host=r", "host=s connect_timeout=3", NULL };
	static const char *const conninfos[] = { "host=h connect_timeout=7",
											 "host=h connect_timeout=7 kn_connect_ms=20" };

	ck_assert_int_eq(INIT(.conninfo = conninfos[_i], .replicas = replicas), KN_OK);
	ck_assert_int_eq(config->server_count, 3);
	ck_assert_int_eq(config->servers[0].connect_ms, _i == 0 ? 7000 : 20);
	ck_assert_int_eq(config->servers[1].connect_ms, _i == 0 ? 7000 : 20);
	ck_assert_int_eq(config->servers[2].connect_ms, _i == 0 ? 3000 : 20);
	kn__config_free(config);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	tcase_add_test(tcase, replicas_inherit);
	tcase_add_test(tcase, a_service_is_inherited);
	tcase_add_test(tcase, a_service_comes_second);
	tcase_add_test(tcase, a_service_of_its_own_counts);
	tcase_add_test(tcase, services_are_two);
	tcase_add_test(tcase, a_service_may_name_the_sessions);
	LOOP(tcase, a_service_has_to_be_there, lost);
	tcase_add_test(tcase, a_service_has_to_be_in_a_file);
	tcase_add_test(tcase, listeners_have_a_place);
	tcase_add_test(tcase, sslmode_is_left_to_libpq);
	tcase_add_test(tcase, texts_have_an_encoding);
	tcase_add_test(tcase, values_stay_values);
	tcase_add_test(tcase, places_are_told);
	LOOP(tcase, values_of_libpqs_are_looked_at, refused);
	tcase_add_loop_test(tcase, connect_timeouts_of_replicas_count, 0, 2);
}

int
main(void)
{
	return suite_run("run_servers", fill);
}
