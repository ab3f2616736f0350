/*
 * test_run_servers.c
 *		Which servers there are, and what libpq is told of each.
 */
#include "config.h"

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

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, clear_environment, NULL);
	tcase_add_test(tcase, replicas_inherit);
	tcase_add_test(tcase, listeners_have_a_place);
	tcase_add_test(tcase, sslmode_is_left_to_libpq);
	tcase_add_test(tcase, texts_have_an_encoding);
	tcase_add_test(tcase, values_stay_values);
	tcase_add_test(tcase, places_are_told);
	LOOP(tcase, values_of_libpqs_are_looked_at, refused);
}

int
main(void)
{
	return suite_run("run_servers", fill);
}
