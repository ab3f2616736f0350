/*
 * config.h
 *		The configuration of a handle, from all the places it is said in.
 */
#ifndef KN_SRC_RUN_CONFIG_H
#define KN_SRC_RUN_CONFIG_H

#include "base/base.h"
#include "kints/db.h"
#include "wire/conninfo.h"

/* How to connect to one server; see kn__conn_options. */
typedef struct kn__place
{
	const char **keywords; /* ended by NULL, behind which there is room for one more */
	const char **values;
	int count;
	const char *host; /* for events and metrics: as said here, by PG* variables, or else libpq's */
	int port;
	const char *database;
	const char *user;
	const char *connect_timeout; /* as libpq would have it, NULL: nobody has said it; likewise */
	int64_t connect_ms;          /* until a connection is up, that or connect_ms */
	const char *hostaddr;
	const char *options;
	const char *client_encoding; /* never NULL */
} kn__place;

typedef struct kn__config
{
	kn_config config;   /* each option has its value; those that say where to connect are NULL */
	kn__place *servers; /* the one of the conninfo, then the replicas */
	int server_count;
	kn__place *listening; /* where listeners connect to; NULL: to the primary */
	kn__arena arena;      /* has all of it */
} kn__config;

/*
 * config.c: puts a configuration together: the struct comes before the conninfo, that before the
 * KINTS_* environment, that before the default; options of libpq which a replica's conninfo does
 * not say are those of the first.  What has no room in the struct a caller knows is not said by
 * him. KN_CONFIG: the fault names the option and says what it could be; KN_NO_MEMORY.  In both
 * cases there is nothing to be released.
 */
extern kn_status kn__config_read(kn__config **out, const kn_config *given, char *error,
								 size_t capacity);
/* Passwords are overwritten first.  NULL does nothing. */
extern void kn__config_free(kn__config *config);

/*
 * servers.c, for config.c: adds the server of the first conninfo, and the replicas: those of the
 * struct, or else those of the list, with semicolons between them; NULL is an empty one.  And the
 * one for listeners.
 */
extern kn_status kn__servers_add(kn__config *config, const kn__conninfo *first, const char *list,
								 kn__fault *fault);

#endif
