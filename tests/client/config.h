/*
 * config.h
 *		What the tests of the configuration share: reading one, and what a server is told.
 */
#ifndef KN_TESTS_CONFIG_H
#define KN_TESTS_CONFIG_H

#include <string.h>

#include "run/config.h"
#include "suite.h"

static kn__config *config;
static char error[300];

static inline kn_status
init(const kn_config *given)
{
	kn_config copy = *given;

	copy.size = sizeof(copy);
	return kn__config_read(&config, &copy, error, sizeof(error));
}

#define INIT(...) init(&(kn_config){ __VA_ARGS__ })

static inline void
clear_environment(void)
{
	static const char *const names[] = { "CONNINFO",        "REPLICAS",      "MAX_CONNECTIONS",
										 "IDLE_MS",         "NAME",          "PGBOUNCER",
										 "SHOW_PARAMETERS", "CONNECT_MS",    "MAX_CONECTIONS",
										 "SECRET_FILE",     "SECRET_REFRESH" };
	static const char *const theirs[] = {
		"PGHOST",     "PGPORT",    "PGDATABASE",        "PGUSER",
		"PGHOSTADDR", "PGSERVICE", "PGCONNECT_TIMEOUT", "PGCLIENTENCODING"
	};

	for (int i = 0; i < COUNT(names); i++)
	{
		char name[40] = "KINTS_";

		ck_assert_int_eq(unsetenv(strcat(name, names[i])), 0);
	}
	for (int i = 0; i < COUNT(theirs); i++)
		ck_assert_int_eq(unsetenv(theirs[i]), 0);
}

/* What a server is told, as "keyword=value keyword=value". */
static inline const char *
told(int number)
{
	static char out[1000];
	const kn__place *server = &config->servers[number];

	out[0] = '\0';
	ck_assert_int_lt(number, config->server_count + (config->listening != NULL));
	for (int i = 0; i < server->count; i++)
	{
		strcat(out, i == 0 ? "" : " ");
		strcat(out, server->keywords[i]);
		strcat(out, "=");
		strcat(out, server->values[i]);
	}
	ck_assert_ptr_null(server->keywords[server->count]);
	ck_assert_ptr_null(server->keywords[server->count + 1]);
	ck_assert_ptr_null(server->values[server->count]);
	return out;
}

#endif
