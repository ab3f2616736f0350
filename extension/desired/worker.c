/*
 * worker.c
 *		Elaborates a script in a scratch database: the background workers.
 *
 * See database.c for who does what.  An error in a worker goes to the caller by
 * its queue, and ends the worker.
 */
#include "kints_norm.h"

#include "access/xact.h"
#include "base/base.h"
#include "commands/dbcommands.h"
#include "desired/database.h"
#include "inspect/inspect.h"
#include "libpq/pqmq.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/* What a worker finds in the shared segment. */
typedef struct Work
{
	DatabaseExtra extra;
	dsm_segment *segment;
	shm_toc *toc;
	DatabaseHeader *header;
	Jsonb *request;
	shm_mq_handle *answers;
} Work;

static Work *attach(void);
static void answer_by(Work *work, int key);
static void answer(Work *work, char type, const void *data, Size length);
static void wait_for_caller(Work *work);
static void drop_database(const char *name);
static void run_all(const char *sql);
static void run_utility(RawStmt *raw, const char *sql);
static const char *request_text(const Work *work, const char *field);
static void become_caller(Oid caller);
static void quiet_settings(void);

/* Finds the segment; NULL members where it is gone. */
static Work *
attach(void)
{
	Work *work = MemoryContextAllocZero(TopMemoryContext, sizeof(Work));

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
static void
answer_by(Work *work, int key)
{
	shm_mq *queue = shm_toc_lookup(work->toc, (uint64) key, false);

	shm_mq_set_sender(queue, MyProc);
	work->answers = shm_mq_attach(queue, work->segment, NULL);
	pq_redirect_to_shm_mq(work->segment, work->answers);
}

/* Sends a message: done (C), or data (D). */
static void
answer(Work *work, char type, const void *data, Size length)
{
	shm_mq_iovec parts[2] = { { &type, 1 }, { data, length } };

	if (shm_mq_sendv(work->answers, parts, length > 0 ? 2 : 1, false, true) != SHM_MQ_SUCCESS)
		proc_exit(0); /* nobody waits for it any more */
}

static const char *
request_text(const Work *work, const char *field)
{
	JsonbValue storage;

	return json_string(json_field(&work->request->root, field, &storage), field);
}

/*
 * Creates the database, and drops it when the caller lets go.  Where it is
 * started once more, after a crash of the server or after an error of its own,
 * only the dropping is left to do.  Its exit with 0 is for good.
 */
void
kints_scratch_keeper(Datum argument)
{
	Work *work = attach();

	(void) argument;
	BackgroundWorkerInitializeConnectionByOid(work->extra.live, InvalidOid, 0);
	quiet_settings();
	if (work->header != NULL && !work->header->keeper_started)
	{
		work->header->keeper_started = true;
		answer_by(work, DATABASE_KEEPER_ANSWERS);
		run_all(request_text(work, "create"));
		StartTransactionCommand();
		work->header->scratch = get_database_oid(work->extra.name, false);
		CommitTransactionCommand();
		answer(work, 'C', NULL, 0);
		wait_for_caller(work);
	}
	/* Nobody listens any more. */
	whereToSendOutput = DestNone;
	drop_database(work->extra.name);
	proc_exit(0);
}

/* Returns when the caller, or what was the caller, holds its end no longer. */
static void
wait_for_caller(Work *work)
{
	shm_mq *queue = shm_toc_lookup(work->toc, DATABASE_KEEPER_WAITS, false);
	shm_mq_handle *handle;
	Size length;
	void *data;

	shm_mq_set_receiver(queue, MyProc);
	handle = shm_mq_attach(queue, work->segment, NULL);
	while (shm_mq_receive(handle, &length, &data, false) == SHM_MQ_SUCCESS)
		CHECK_FOR_INTERRUPTS();
}

static void
drop_database(const char *name)
{
	run_all(psprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", sqltext_identifier(name)));
}

/* Makes schemas and extensions, as a superuser. */
void
kints_scratch_setup(Datum argument)
{
	Work *work = attach();

	(void) argument;
	if (work->header == NULL)
		proc_exit(0);
	answer_by(work, DATABASE_SETUP_ANSWERS);
	BackgroundWorkerInitializeConnectionByOid(work->header->scratch, InvalidOid, 0);
	quiet_settings();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	(void) query_run(request_text(work, "setup"), 0, NULL, NULL, NULL);
	PopActiveSnapshot();
	CommitTransactionCommand();
	answer(work, 'C', NULL, 0);
	proc_exit(0);
}

/* Runs the script with the caller's role, and sends what it made. */
void
kints_scratch_script(Datum argument)
{
	Work *work = attach();
	MemoryContext context = CurrentMemoryContext;
	JsonbValue storage;
	List *schemas;
	KnScript *script;
	Jsonb *snapshot;

	(void) argument;
	if (work->header == NULL)
		proc_exit(0);
	answer_by(work, DATABASE_SCRIPT_ANSWERS);
	BackgroundWorkerInitializeConnectionByOid(work->header->scratch, InvalidOid, 0);
	quiet_settings();
	for (Size i = 0; i < lengthof(database_settings); i++)
		SetConfigOption(database_settings[i],
						request_text(work, database_settings[i]),
						PGC_USERSET,
						PGC_S_SESSION);
	become_caller(work->header->caller);

	MemoryContextSwitchTo(context);
	schemas = json_strings(json_field(&work->request->root, "schemas", &storage), "schemas");
	if (request_text(work, "before")[0] != '\0')
		run_in_database(script_parse(request_text(work, "before"), NULL), schemas, RUN_WHAT_CAN_BE);
	script = script_parse(request_text(work, "script"), NULL);
	run_in_database(script, schemas, RUN_ALL);

	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	snapshot = snapshot_write(inspect_schemas(schemas));
	CommitTransactionCommand();
	answer(work, 'D', snapshot, VARSIZE(snapshot));
	proc_exit(0);
}

/*
 * From here on the worker has the caller's role.  It did not connect as that
 * role, which may be one that nobody can log in as; so nothing that the script
 * calls may set the role, or reset it to what it was.
 */
static void
become_caller(Oid caller)
{
	StartTransactionCommand();
	SetSessionAuthorization(caller, superuser_arg(caller));
	CommitTransactionCommand();
	SetUserIdAndSecContext(caller, SECURITY_LOCAL_USERID_CHANGE);
}

/* The scratch database needs no safety, and nobody wants to hear of it. */
static void
quiet_settings(void)
{
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("check_function_bodies", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("lock_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_USERSET, PGC_S_SESSION);
}

/* Runs utility statements, each in a transaction of its own. */
static void
run_all(const char *sql)
{
	List *statements;
	ListCell *cell;
	MemoryContext context = CurrentMemoryContext;

	statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	foreach(cell, statements)
	{
		StartTransactionCommand();
		run_utility(lfirst(cell), sql);
		CommitTransactionCommand();
		MemoryContextSwitchTo(context);
	}
}

static void
run_utility(RawStmt *raw, const char *sql)
{
	PlannedStmt *planned = makeNode(PlannedStmt);
	QueryCompletion completion;

	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = raw->stmt;
	planned->stmt_location = raw->stmt_location;
	planned->stmt_len = raw->stmt_len;
	InitializeQueryCompletion(&completion);
	ProcessUtility(planned,
				   sql,
				   false,
				   PROCESS_UTILITY_TOPLEVEL,
				   NULL,
				   NULL,
				   None_Receiver,
				   &completion);
}
