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
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "utils/jsonb.h"

#define DATABASE_MAGIC 0x6b6e6462 /* kndb */

/* Keys of the table of contents of the shared segment. */
enum
{
	DATABASE_HEADER,
	DATABASE_REQUEST,        /* a jsonb, see request.c */
	DATABASE_KEEPER_ANSWERS, /* queues */
	DATABASE_KEEPER_WAITS,
	DATABASE_SETUP_ANSWERS,
	DATABASE_SCRIPT_ANSWERS
};

#define DATABASE_QUEUE_SIZE 65536

typedef struct DatabaseHeader
{
	Oid caller;          /* the role whose rights the script has */
	bool keeper_started; /* a keeper that finds this set has only to clean up */
} DatabaseHeader;

/* bgw_extra: what a worker knows even when the segment is gone. */
typedef struct DatabaseExtra
{
	dsm_handle segment;
	Oid live;        /* the caller's database, its tablespace */
	Oid tablespace;  /* likewise that of the scratch database */
	Oid scratch;     /* the scratch database's, chosen before it is made */
	int caller;      /* process ID */
	uint64 identity; /* random: nobody else has a database of this name */
} DatabaseExtra;

/* What a worker finds in the shared segment. */
typedef struct DatabaseWork
{
	DatabaseExtra extra;
	dsm_segment *segment; /* NULL: gone, with what follows */
	shm_toc *toc;
	DatabaseHeader *header;
	Jsonb *request;
	shm_mq_handle *answers;
} DatabaseWork;

/* keeper.c, worker.c: what the background workers run */
extern PGDLLEXPORT void kints_scratch_keeper(Datum argument);
extern PGDLLEXPORT void kints_scratch_setup(Datum argument);
extern PGDLLEXPORT void kints_scratch_script(Datum argument);

/* worker.c */
extern DatabaseWork *worker_attach(void);
extern void worker_answer_by(DatabaseWork *work, int key);
extern bool worker_answer(DatabaseWork *work, char type, const void *data, Size length);
extern const char *worker_request(const DatabaseWork *work, const char *field);
extern void worker_quiet_settings(void);
extern void worker_begin(void);
extern void worker_commit(void);

/* request.c */
extern const char *request_database_name(const DatabaseExtra *extra);
extern Jsonb *request_make(KnScript *script, List *schemas, const DatabaseExtra *extra);

/* database.c */
extern KnSchema *database_elaborate(KnScript *script, List *schemas);

#endif
