/*
 * database.c
 *		Elaborates a script in a scratch database: the caller's side.
 *
 * Three background workers do the work, one after the other:
 *
 *	 keeper  creates the database, waits until the caller lets go of it, and
 *			 drops it; see keeper.c
 *	 setup   a superuser in the new database, makes the extensions and empty
 *			 schemas that are in the live one
 *	 script  has the caller's role, runs the script some statements a
 *			 transaction, and sends the result as a snapshot
 *
 * No lock on the live schemas is taken, and no transaction holds many locks.
 * One at a time in a database: the workers are a scarce resource.
 */
#include "kints_norm.h"

#include "access/genam.h"
#include "access/table.h"
#include "base/base.h"
#include "catalog/catalog.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "desired/database.h"
#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/wait_event.h"

/* The key of the advisory lock: "kintsdb" in ASCII. */
#define DATABASE_LOCK INT64CONST(0x6b696e74736462)

/* How often to ask for a worker, and how long to wait in between: ms. */
#define WORKER_TRIES 100
#define WORKER_WAIT  100

typedef struct Elaboration
{
	KnScript *script;
	List *schemas;
	KnSchema *result;
	DatabaseExtra extra;
	dsm_segment *segment;
	shm_toc *toc;
	BackgroundWorkerHandle *keeper;
} Elaboration;

static void elaborate(void *argument);
static void choose_identity(DatabaseExtra *extra);
static void make_segment(Elaboration *work);
static void make_queue(Elaboration *work, int key);
static shm_mq_handle *start_worker(Elaboration *work, const char *what, int key,
								   BackgroundWorkerHandle **handle);
static void register_worker(BackgroundWorker *worker, BackgroundWorkerHandle **handle);
static Jsonb *receive(const Elaboration *work, shm_mq_handle *queue, const char *what);
static void end_keeper_that_cannot_start(const Elaboration *work);
static void throw_error(const Elaboration *work, StringInfo message, bool is_final);
static char *spell_live(const Elaboration *work, char *text);

/* The schema that a script describes; in the current memory context. */
KnSchema *
database_elaborate(KnScript *script, List *schemas)
{
	Elaboration work = { 0 };
	ErrorData *error;

	work.script = script;
	work.schemas = schemas;
	error = subtransaction_run(elaborate, &work, false);
	if (error != NULL)
		ReThrowError(error);
	work.result->has_owners = script->has_owners;
	work.result->has_acls = script->has_acls;
	return work.result;
}

static void
elaborate(void *argument)
{
	Elaboration *work = argument;
	BackgroundWorkerHandle *worker;
	shm_mq_handle *answers;
	Jsonb *snapshot;

	(void) DirectFunctionCall1(pg_advisory_xact_lock_int8, Int64GetDatum(DATABASE_LOCK));
	make_segment(work);
	answers = start_worker(work, "keeper", DATABASE_KEEPER_ANSWERS, &work->keeper);
	(void) receive(work, answers, "keeper");
	answers = start_worker(work, "setup", DATABASE_SETUP_ANSWERS, &worker);
	(void) receive(work, answers, "setup");
	(void) WaitForBackgroundWorkerShutdown(worker);
	answers = start_worker(work, "script", DATABASE_SCRIPT_ANSWERS, &worker);
	snapshot = receive(work, answers, "script");
	(void) WaitForBackgroundWorkerShutdown(worker);

	/* The keeper drops the database as soon as nobody holds the other end. */
	dsm_detach(work->segment);
	work->result = snapshot_read(snapshot);
	(void) WaitForBackgroundWorkerShutdown(work->keeper);
}

/* What the database is called, and its number. */
static void
choose_identity(DatabaseExtra *extra)
{
	Relation databases = table_open(DatabaseRelationId, AccessShareLock);

	if (!pg_strong_random(&extra->identity, sizeof(extra->identity)))
		elog(ERROR, "could not generate random values");
	extra->caller = MyProcPid;
	extra->live = MyDatabaseId;
	extra->tablespace = MyDatabaseTableSpace;
	extra->scratch = GetNewOidWithIndex(databases, DatabaseOidIndexId, Anum_pg_database_oid);
	table_close(databases, AccessShareLock);
}

/* The segment: header, request, and a queue for each to answer by. */
static void
make_segment(Elaboration *work)
{
	static const int queues[] = { DATABASE_KEEPER_ANSWERS,
								  DATABASE_KEEPER_WAITS,
								  DATABASE_SETUP_ANSWERS,
								  DATABASE_SCRIPT_ANSWERS };
	shm_toc_estimator estimator;
	Jsonb *request;
	Jsonb *shared_request;
	DatabaseHeader *header;
	Size size;

	choose_identity(&work->extra);
	request = request_make(work->script, work->schemas, &work->extra);
	shm_toc_initialize_estimator(&estimator);
	shm_toc_estimate_chunk(&estimator, sizeof(DatabaseHeader));
	shm_toc_estimate_chunk(&estimator, VARSIZE(request));
	for (Size i = 0; i < lengthof(queues); i++)
		shm_toc_estimate_chunk(&estimator, DATABASE_QUEUE_SIZE);
	shm_toc_estimate_keys(&estimator, 2 + lengthof(queues));
	size = shm_toc_estimate(&estimator);
	work->segment = dsm_create(size, 0);
	work->extra.segment = dsm_segment_handle(work->segment);
	work->toc = shm_toc_create(DATABASE_MAGIC, dsm_segment_address(work->segment), size);

	header = shm_toc_allocate(work->toc, sizeof(DatabaseHeader));
	header->caller = GetUserId();
	header->keeper_started = false;
	shm_toc_insert(work->toc, DATABASE_HEADER, header);
	shared_request = shm_toc_allocate(work->toc, VARSIZE(request));
	memcpy(shared_request, request, VARSIZE(request));
	shm_toc_insert(work->toc, DATABASE_REQUEST, shared_request);
	for (Size i = 0; i < lengthof(queues); i++)
		make_queue(work, queues[i]);
	/* Nothing is ever sent this way: that we let go of it is the message. */
	(void) shm_mq_attach(shm_toc_lookup(work->toc, DATABASE_KEEPER_WAITS, false),
						 work->segment,
						 NULL);
}

static void
make_queue(Elaboration *work, int key)
{
	shm_mq *queue =
		shm_mq_create(shm_toc_allocate(work->toc, DATABASE_QUEUE_SIZE), DATABASE_QUEUE_SIZE);

	if (key == DATABASE_KEEPER_WAITS)
		shm_mq_set_sender(queue, MyProc);
	else
		shm_mq_set_receiver(queue, MyProc);
	shm_toc_insert(work->toc, (uint64) key, queue);
}

/* Starts a worker and attaches to the queue it answers by. */
static shm_mq_handle *
start_worker(Elaboration *work, const char *what, int key, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;
	pid_t pid;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	/* A crash of the server restarts only the keeper: it has to clean up. */
	worker.bgw_restart_time = key == DATABASE_KEEPER_ANSWERS ? 1 : BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "kints_norm");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "kints_scratch_%s", what);
	snprintf(worker.bgw_name, BGW_MAXLEN, "kints scratch %s for %d", what, MyProcPid);
	snprintf(worker.bgw_type, BGW_MAXLEN, "kints scratch %s", what);
	memcpy(worker.bgw_extra, &work->extra, sizeof(work->extra));
	register_worker(&worker, handle);
	if (WaitForBackgroundWorkerStartup(*handle, &pid) == BGWH_POSTMASTER_DIED)
		ereport(FATAL, errcode(ERRCODE_ADMIN_SHUTDOWN), errmsg("the postmaster has died"));
	return shm_mq_attach(shm_toc_lookup(work->toc, (uint64) key, false), work->segment, *handle);
}

/* Others may need the workers for a while: parallel queries do. */
static void
register_worker(BackgroundWorker *worker, BackgroundWorkerHandle **handle)
{
	for (int i = 0; i < WORKER_TRIES; i++)
	{
		if (RegisterDynamicBackgroundWorker(worker, handle))
			return;
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 WORKER_WAIT,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	ereport(ERROR,
			errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			errmsg("no background worker is free to elaborate the desired schema"),
			errdetail("Two are needed at a time."),
			errhint("Raise max_worker_processes, or try again later."));
}

/*
 * Waits for a worker's answer: a jsonb, or NULL where it only says that it is
 * done.  Its errors are thrown here, its notices sent on.
 */
static Jsonb *
receive(const Elaboration *work, shm_mq_handle *queue, const char *what)
{
	for (;;)
	{
		Size length;
		void *data;
		StringInfoData message;
		Jsonb *answer;
		char type;

		CHECK_FOR_INTERRUPTS();
		if (shm_mq_receive(queue, &length, &data, false) != SHM_MQ_SUCCESS)
		{
			end_keeper_that_cannot_start(work);
			ereport(
				ERROR,
				errcode(ERRCODE_SYSTEM_ERROR),
				errmsg("the background worker \"kints scratch %s\" ended without an answer", what),
				errhint("The server's log tells more."));
		}
		initStringInfo(&message);
		appendBinaryStringInfo(&message, data, (int) length);
		type = (char) pq_getmsgbyte(&message);
		switch (type)
		{
			case 'E':
				throw_error(work, &message, true);
				break;
			case 'N':
				throw_error(work, &message, false);
				break;
			case 'C':
				return NULL;
			case 'D':
				answer = palloc(length);
				memcpy(answer, message.data + 1, length - 1);
				return answer;
			default:
				break;
		}
	}
}

/*
 * The server would start it again and again, and it would have the place of a
 * worker that can.  No database is there yet that it would have to drop.
 */
static void
end_keeper_that_cannot_start(const Elaboration *work)
{
	const DatabaseHeader *header = shm_toc_lookup(work->toc, DATABASE_HEADER, false);

	if (!header->keeper_started)
		TerminateBackgroundWorker(work->keeper);
}

/* What happened to the worker happens here. */
static void
throw_error(const Elaboration *work, StringInfo message, bool is_final)
{
	ErrorData error;

	pq_parse_errornotice(message, &error);
	error.message = spell_live(work, error.message);
	error.detail = spell_live(work, error.detail);
	if (is_final)
		error.elevel = ERROR;
	if (is_final || error.elevel < ERROR)
		ThrowErrorData(&error);
}

/* The live database is the one that the caller knows. */
static char *
spell_live(const Elaboration *work, char *text)
{
	const char *name = request_database_name(&work->extra);
	char *found = text == NULL ? NULL : strstr(text, name);

	if (found == NULL)
		return text;
	return psprintf("%.*s%s%s",
					(int) (found - text),
					text,
					get_database_name(MyDatabaseId),
					found + strlen(name));
}
