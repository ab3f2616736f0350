/*
 * conninfo.h
 *		What a conninfo or URI says: our options, and those of libpq.
 */
#ifndef KN_SRC_WIRE_CONNINFO_H
#define KN_SRC_WIRE_CONNINFO_H

#include "base/base.h"

/* What our options begin with; libpq has none that do. */
#define KN__OPTION_PREFIX "kn_"

typedef struct kn__conninfo_option
{
	const char *keyword; /* of our own: without the prefix */
	char *value;         /* never NULL */
} kn__conninfo_option;

typedef struct kn__conninfo
{
	kn__conninfo_option *ours; /* in the order of the text; one may be there twice */
	int our_count;
	kn__conninfo_option *theirs; /* each one once, those that are not said are missing */
	int their_count;
} kn__conninfo;

/*
 * Takes a text apart; NULL is an empty one.  All of *out is in the arena.  Neither PG* variables
 * nor service files are looked at: libpq does that when it connects, and kn__conninfo_resolve()
 * asks it.  KN_CONFIG: the text is malformed, or has an option that libpq does not know.
 */
extern kn_status kn__conninfo_parse(kn__conninfo *out, kn__arena *arena, const char *text,
									kn__fault *fault);
/* NULL: not said. */
extern const char *kn__conninfo_find(const kn__conninfo *conninfo, const char *keyword);
/* Overwrites what nobody else should read. */
extern void kn__conninfo_wipe(kn__conninfo *conninfo);

/* What libpq has said against a text: KN_CONFIG with its words, or KN_NO_MEMORY. */
extern kn_status kn__conninfo_refused(const char *error, kn__fault *fault);
/* A list of PQconninfoOption, whose values are overwritten first. */
extern void kn__conninfo_free(void *list);

/*
 * service.c: adds what the service that a conninfo names says, where the conninfo does not; not
 * that of PGSERVICE, which libpq has for every conninfo.  Copies of it are left as they are.  What
 * is malformed there is libpq's to complain about, when it is asked.  KN_CONFIG: the service is not
 * in a file that libpq reads; KN_NO_MEMORY.
 */
extern kn_status kn__conninfo_add_service(kn__conninfo *conninfo, kn__arena *arena,
										  kn__fault *fault);

/* destination.c: where libpq would connect to, and as whom. */
typedef struct kn__destination
{
	const char *host; /* as it was said, perhaps several; or where libpq would look */
	const char *user;
	const char *database;
	int port;                    /* of the first host */
	const char *connect_timeout; /* NULL: nowhere said; likewise what follows */
	const char *hostaddr;
	const char *options;
	const char *client_encoding;
} kn__destination;

/* Keywords and values as libpq takes them. */
typedef struct kn__settings
{
	const char *const *keywords;
	const char *const *values;
	int count;
} kn__settings;

/*
 * What becomes of settings by PG* variables, service files and libpq's own defaults; nothing is
 * connected.  All of *out is in the arena; texts are "" where nothing is known.  KN_CONFIG: libpq
 * could not connect with that, and the fault says why; KN_NO_MEMORY.
 */
extern kn_status kn__conninfo_resolve(kn__destination *out, kn__arena *arena,
									  const kn__settings *said, kn__fault *fault);
/*
 * What libpq has made of settings, one of which has another value, that it refuses; NULL: out of
 * memory.  For PQfinish().
 */
extern struct pg_conn *kn__conninfo_ask(kn__arena *arena, const kn__settings *said,
										const char *keyword, const char *value);

/*
 * conninfo_check.c: whether libpq could connect with settings, of which it has made what was
 * found, a list of PQconninfoOption.  KN_CONFIG, KN_NO_MEMORY.
 */
extern kn_status kn__conninfo_check(kn__arena *arena, const kn__settings *said, const void *found,
									kn__fault *fault);
/* Whether a text is a whole number as libpq reads it, with blanks around it. */
extern bool kn__conninfo_number(const char *text, int *out);

/* What the texts of the library are in, as libpq and the server know it. */
#define KN__ENCODING "UTF8"

#endif
