/*
 * worker.c
 *		Elaborates a script in a scratch database: the workers in that database.
 *
 * See database.c for who does what.  An error in a worker goes to the caller by
 * its queue, and ends the worker.
 *
 * Nobody but these workers can connect to the scratch database: it shows what
 * is in the live one.  They connect as the first superuser, since the caller's
 * role need not be one that may log in; the script's transactions then run as
 * the caller's role in the way a SECURITY DEFINER function does, so that nothing
 * in them can become the superuser again.
 */
#include "kints_norm.h"

#include "access/xact.h"
#include "base/base.h"
#include "desired/database.h"
#include "inspect/inspect.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/* The role of the script's transactions. */
static Oid script_role = InvalidOid;

static void connect_to_scratch(DatabaseWork *work, int key);
static void take_settings(const DatabaseWork *work);
static KnScript *parse(const DatabaseWork *work, const char *field);

/* Finds the segment; NULL members where it is gone. */
DatabaseWork *
worker_attach(void)
{
	DatabaseWork *work = MemoryContextAllocZero(TopMemoryContext, sizeof(DatabaseWork));

	memcpy(&work->extra, MyBgworkerEntry->bgw_extra, sizeof(work->extra));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "kints scratch");
	CurrentMemoryContext =
		AllocSetContextCreate(TopMemoryContext, "kints scratch", ALLOCSET_DEFAULT_SIZES);
	work->segment = dsm_attach(work->extra.segment);
	if (work->segment == NULL)
		return work;
	work->toc = shm_toc_attach(DATABASE_MAGIC, dsm_segment_address(work->segment));
	if (work->toc == NULL)
		return work;
	dsm_pin_mapping(work->segment);
	work->header = shm_toc_lookup(work->toc, DATABASE_HEADER, false);
	work->request = shm_toc_lookup(work->toc, DATABASE_REQUEST, false);
	return work;
}

/* From here on errors and notices go to the caller. */
void
worker_answer_by(DatabaseWork *work, int key)
{
	shm_mq *queue = shm_toc_lookup(work->toc, (uint64) key, false);

	shm_mq_set_sender(queue, MyProc);
	work->answers = shm_mq_attach(queue, work->segment, NULL);
	pq_redirect_to_shm_mq(work->segment, work->answers);
}

/* Sends a message: done (C), or data (D).  False where nobody waits for it any more. */
bool
worker_answer(DatabaseWork *work, char type, const void *data, Size length)
{
	shm_mq_iovec parts[2] = { { &type, 1 }, { data, length } };

	return shm_mq_sendv(work->answers, parts, length > 0 ? 2 : 1, false, true) == SHM_MQ_SUCCESS;
}

const char *
worker_request(const DatabaseWork *work, const char *field)
{
	JsonbValue storage;

	return json_string(json_field(&work->request->root, field, &storage), field);
}

/*
 * The scratch database needs no safety, and nobody wants to hear of it.  What
 * the caller's database or the first superuser set for themselves must not
 * matter.
 */
void
worker_quiet_settings(void)
{
	static const char *const settings[][2] = {
		{ "search_path", "pg_catalog, pg_temp" },
		{ "synchronous_commit", "off" },
		{ "client_min_messages", "warning" },
		{ "check_function_bodies", "off" },
		{ "max_parallel_maintenance_workers", "0" },
		{ "default_tablespace", "" },
		{ "default_table_access_method", "heap" },
		{ "default_transaction_read_only", "off" },
		{ "default_transaction_isolation", "read committed" },
		{ "session_replication_role", "origin" },
		{ "row_security", "on" },
		{ "standard_conforming_strings", "on" },
		{ "statement_timeout", "0" },
		{ "lock_timeout", "0" },
		{ "idle_in_transaction_session_timeout", "0" },
	};

	/* As the caller expects messages. */
	(void) SetClientEncoding(GetDatabaseEncoding());
	for (Size i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_SESSION);
}

static void
connect_to_scratch(DatabaseWork *work, int key)
{
	if (work->header == NULL)
		proc_exit(0);
	worker_answer_by(work, key);
	BackgroundWorkerInitializeConnectionByOid(work->extra.scratch,
											  InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	worker_quiet_settings();
}

/* Makes schemas and extensions, as a superuser. */
void
kints_scratch_setup(Datum argument)
{
	DatabaseWork *work = worker_attach();

	(void) argument;
	connect_to_scratch(work, DATABASE_SETUP_ANSWERS);
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	(void) query_run(worker_request(work, "setup"), 0, NULL, NULL, NULL);
	PopActiveSnapshot();
	CommitTransactionCommand();
	(void) worker_answer(work, 'C', NULL, 0);
	proc_exit(0);
}

/* Runs the script with the caller's role, and sends what it made. */
void
kints_scratch_script(Datum argument)
{
	DatabaseWork *work = worker_attach();
	MemoryContext context = CurrentMemoryContext;
	JsonbValue storage;
	List *schemas;
	Jsonb *snapshot;

	(void) argument;
	connect_to_scratch(work, DATABASE_SCRIPT_ANSWERS);
	script_role = work->header->caller;

	MemoryContextSwitchTo(context);
	schemas = json_strings(json_field(&work->request->root, "schemas", &storage), "schemas");
	/* Spelled under our settings, the caller's are for the caller's text. */
	if (worker_request(work, "before")[0] != '\0')
		run_in_database(parse(work, "before"), NIL, true);
	take_settings(work);
	run_in_database(parse(work, "script"), schemas, false);

	worker_begin();
	MemoryContextSwitchTo(context);
	snapshot = snapshot_write(inspect_schemas(schemas));
	worker_commit();
	(void) worker_answer(work, 'D', snapshot, VARSIZE(snapshot));
	proc_exit(0);
}

/* The caller's settings on which it depends what a script means. */
static void
take_settings(const DatabaseWork *work)
{
	JsonbValue storage;
	List *settings =
		json_strings(json_field(&work->request->root, "settings", &storage), "settings");

	for (int i = 0; i + 1 < list_length(settings); i += 2)
		SetConfigOption(list_nth(settings, i), list_nth(settings, i + 1), PGC_SUSET, PGC_S_SESSION);
}

/* Looks names of roles up, so it needs a transaction. */
static KnScript *
parse(const DatabaseWork *work, const char *field)
{
	MemoryContext context = CurrentMemoryContext;
	KnScript *script;

	worker_begin();
	MemoryContextSwitchTo(context);
	script = script_parse(worker_request(work, field), NULL);
	worker_commit();
	MemoryContextSwitchTo(context);
	return script;
}

/* Begins a transaction as the caller's role, for good: SET ROLE is refused. */
void
worker_begin(void)
{
	StartTransactionCommand();
	SetUserIdAndSecContext(script_role, SECURITY_LOCAL_USERID_CHANGE);
}

void
worker_commit(void)
{
	CommitTransactionCommand();
	SetUserIdAndSecContext(GetAuthenticatedUserId(), 0);
}
