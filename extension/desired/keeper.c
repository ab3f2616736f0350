/*
 * keeper.c
 *		The background worker that makes the scratch database, and drops it.
 *
 * The database is dropped when the caller lets go of it, whatever the reason;
 * when the server is shut down; and after a crash, when the server starts the
 * keeper once more.  What then is left over of a database that was only half
 * made is removed as well: the server itself forgets such files.
 *
 * Only where all of the server ends at once does nobody start the keeper again.
 * So each keeper first drops the scratch databases that have no keeper.  A
 * scratch database is known by its name and its comment; its keeper holds a
 * lock that belongs to its name.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "base/base.h"
#include "catalog/pg_database.h"
#include "catalog/pg_tablespace_d.h"
#include "catalog/pg_type_d.h"
#include "commands/comment.h"
#include "commands/dbcommands.h"
#include "commands/dbcommands_xlog.h"
#include "common/relpath.h"
#include "desired/database.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "postmaster/bgworker.h"
#include "postmaster/bgwriter.h"
#include "postmaster/interrupt.h"
#include "storage/bufmgr.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/md.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

#include <sys/stat.h>

static const char mark[] = "scratch database of kints_norm, will be dropped by itself";

static Oid home_database(const DatabaseExtra *extra);
static bool has_files(Oid database, Oid tablespace);
static bool lock_name(uint64 identity, bool wait);
static void drop_abandoned(void);
static void list_name(HeapTuple row, TupleDesc shape, void *argument);
static void create_database(DatabaseWork *work);
static void wait_for_caller(DatabaseWork *work);
static void drop_database(const char *name);
static void remove_files(const DatabaseExtra *extra);
static void log_removal(Oid database, Oid tablespace);

/* Its exit with 0 is for good; with any other code it is started once more. */
void
kints_scratch_keeper(Datum argument)
{
	DatabaseWork *work = worker_attach();

	(void) argument;
	/* At the end of the server too, there is a database to be dropped first. */
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerInitializeConnectionByOid(home_database(&work->extra),
											  InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	worker_quiet_settings();
	(void) lock_name(work->extra.identity, true);
	if (work->header != NULL && !work->header->keeper_started)
	{
		work->header->keeper_started = true;
		worker_answer_by(work, DATABASE_KEEPER_ANSWERS);
		drop_abandoned();
		create_database(work);
		if (worker_answer(work, 'C', NULL, 0))
			wait_for_caller(work);
	}
	/* Nobody listens any more. */
	whereToSendOutput = DestNone;
	drop_database(request_database_name(&work->extra));
	remove_files(&work->extra);
	proc_exit(0);
}

/*
 * The database to connect to: the caller's, but template1 where that one was
 * dropped before this keeper was started again.
 */
static Oid
home_database(const DatabaseExtra *extra)
{
	return has_files(extra->live, extra->tablespace) ? extra->live : Template1DbOid;
}

static bool
has_files(Oid database, Oid tablespace)
{
	char *path = GetDatabasePath(database, tablespace);
	struct stat status;

	return lstat(path, &status) == 0;
}

/*
 * Takes the lock of a scratch database's name for as long as this process
 * lives.  It is an advisory lock that belongs to no database, so no user can
 * have it.
 */
static bool
lock_name(uint64 identity, bool wait)
{
	LOCKTAG tag;
	LockAcquireResult result;

	SET_LOCKTAG_ADVISORY(tag, InvalidOid, (uint32) (identity >> 32), (uint32) identity, 3);
	StartTransactionCommand();
	result = LockAcquire(&tag, ExclusiveLock, true, !wait);
	CommitTransactionCommand();
	return result != LOCKACQUIRE_NOT_AVAIL;
}

/* Drops scratch databases that have no keeper. */
static void
drop_abandoned(void)
{
	static const char query[] =
		"  SELECT d.datname"
		"    FROM pg_catalog.pg_database d"
		"    JOIN pg_catalog.pg_shdescription s"
		"      ON s.objoid OPERATOR(pg_catalog.=) d.oid"
		"     AND s.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass"
		"   WHERE d.datname OPERATOR(pg_catalog.~) '^kints_scratch_[0-9]+_[0-9a-f]{16}$'"
		"     AND s.description OPERATOR(pg_catalog.=) $1 "
		"ORDER BY d.datname";
	MemoryContext context = CurrentMemoryContext;
	Oid types[] = { TEXTOID };
	Datum values[1];
	List *names = NIL;
	ListCell *cell;

	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetTransactionSnapshot());
	values[0] = CStringGetTextDatum(mark);
	query_rows(query, 1, types, values, list_name, &names);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		if (lock_name(strtou64(strrchr(name, '_') + 1, NULL, 16), false))
			drop_database(name);
	}
}

static void
list_name(HeapTuple row, TupleDesc shape, void *argument)
{
	List **names = argument;

	*names = lappend(*names, pstrdup(SPI_getvalue(row, shape, 1)));
}

/* Creates the database and, in the same transaction, marks it as ours. */
static void
create_database(DatabaseWork *work)
{
	MemoryContext context = CurrentMemoryContext;
	const char *sql = worker_request(work, "create");
	List *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	ParseState *state = make_parsestate(NULL);
	Oid made;

	state->p_sourcetext = sql;
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	made = createdb(state, (CreatedbStmt *) linitial_node(RawStmt, statements)->stmt);
	CreateSharedComments(made, DatabaseRelationId, mark);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}

/*
 * Returns when the caller, or what was the caller, holds its end no longer, or
 * when the server is shut down.
 */
static void
wait_for_caller(DatabaseWork *work)
{
	shm_mq *queue = shm_toc_lookup(work->toc, DATABASE_KEEPER_WAITS, false);
	shm_mq_handle *handle;
	Size length;
	void *data;

	shm_mq_set_receiver(queue, MyProc);
	handle = shm_mq_attach(queue, work->segment, NULL);
	while (!ShutdownRequestPending &&
		   shm_mq_receive(handle, &length, &data, true) != SHM_MQ_DETACHED)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
drop_database(const char *name)
{
	MemoryContext context = CurrentMemoryContext;

	StartTransactionCommand();
	dropdb(name, true, true);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}

/*
 * Removes the files of a database that was being made when the server crashed.
 * The lock keeps out whoever makes a database now, so that nobody else can be
 * about to use the same number.
 */
static void
remove_files(const DatabaseExtra *extra)
{
	if (!has_files(extra->scratch, extra->tablespace))
		return;
	StartTransactionCommand();
	LockRelationOid(DatabaseRelationId, ShareLock);
	if (!SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(extra->scratch)))
	{
		DropDatabaseBuffers(extra->scratch);
		ForgetDatabaseSyncRequests(extra->scratch);
		RequestCheckpoint(CHECKPOINT_IMMEDIATE | CHECKPOINT_FORCE | CHECKPOINT_WAIT);
		(void) rmtree(GetDatabasePath(extra->scratch, extra->tablespace), true);
		log_removal(extra->scratch, extra->tablespace);
	}
	CommitTransactionCommand();
}

/* A standby may have made the files as well. */
static void
log_removal(Oid database, Oid tablespace)
{
	xl_dbase_drop_rec record;

	record.db_id = database;
	record.ntablespaces = 1;
	XLogBeginInsert();
	XLogRegisterData((char *) &record, MinSizeOfDbaseDropRec);
	XLogRegisterData((char *) &tablespace, sizeof(Oid));
	XLogFlush(XLogInsert(RM_DBASE_ID, XLOG_DBASE_DROP | XLR_SPECIAL_REL_UPDATE));
}
