/*
 * database.h
 *		The second way to elaborate a script: in a database of its own.
 *
 * What the calling session and its background workers share.
 */
#ifndef KN_DATABASE_H
#define KN_DATABASE_H

#include "desired/desired.h"
#include "storage/dsm.h"

#define DATABASE_MAGIC 0x6b6e6462 /* kndb */

/* Keys of the table of contents of the shared segment. */
enum
{
	DATABASE_HEADER,
	DATABASE_REQUEST,        /* a jsonb, see database.c */
	DATABASE_KEEPER_ANSWERS, /* queues */
	DATABASE_KEEPER_WAITS,
	DATABASE_SETUP_ANSWERS,
	DATABASE_SCRIPT_ANSWERS
};

#define DATABASE_QUEUE_SIZE 65536

typedef struct DatabaseHeader
{
	Oid live;            /* the caller's database */
	Oid caller;          /* the role whose rights the script has */
	Oid scratch;         /* set by the keeper */
	bool keeper_started; /* a keeper that finds this set has only to clean up */
} DatabaseHeader;

/* bgw_extra: what a worker knows even when the segment is gone. */
typedef struct DatabaseExtra
{
	dsm_handle segment;
	Oid live;
	char name[NAMEDATALEN]; /* of the scratch database */
} DatabaseExtra;

/* The caller's settings that decide what a script means; the request has their values. */
static const char *const database_settings[] = { "search_path",
												 "standard_conforming_strings",
												 "DateStyle",
												 "IntervalStyle",
												 "TimeZone",
												 "lc_monetary",
												 "xmloption",
												 "array_nulls",
												 "transform_null_equals",
												 "default_toast_compression" };

/* worker.c */
extern PGDLLEXPORT void kints_scratch_keeper(Datum argument);
extern PGDLLEXPORT void kints_scratch_setup(Datum argument);
extern PGDLLEXPORT void kints_scratch_script(Datum argument);

/* database.c */
extern KnSchema *database_elaborate(KnScript *script, List *schemas);

#endif
