/*
 * database.c
 *		Elaborates a script in a scratch database: the caller's side.
 *
 * Three background workers do the work, one after the other:
 *
 *	 keeper  creates the database, waits until the caller lets go of it, and
 *			 drops it.  It is restarted after a crash of the server, finds that
 *			 the shared segment is gone, and drops what was left behind.
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
#include "access/htup_details.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "desired/database.h"
#include "executor/spi.h"
#include "inspect/inspect.h"
#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The key of the advisory lock: "kintsdb" in ASCII. */
#define DATABASE_LOCK INT64CONST(0x6b696e74736462)

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
static void make_segment(Elaboration *work);
static Jsonb *make_request(const Elaboration *work);
static const char *create_database_sql(const char *name);
static const char *setup_sql(const Elaboration *work);
static void put_extensions(StringInfo out, List *planned);
static void put_extension(HeapTuple row, TupleDesc shape, void *argument);
static void put_schema(StringInfo out, const Elaboration *work, const char *name);
static void put_other_schemas(StringInfo out, const Elaboration *work);
static List *other_schemas(const Elaboration *work);
static void put_rights(StringInfo out, const Elaboration *work);
static shm_mq_handle *start_worker(Elaboration *work, const char *what, int key,
								   BackgroundWorkerHandle **handle);
static Jsonb *receive(shm_mq_handle *queue, const char *what);
static void leave_unstated_extensions_out(KnScript *script, KnSchema *schema);

/* The schema that a script describes; in the current memory context. */
KnSchema *
database_elaborate(KnScript *script, List *schemas)
{
	Elaboration work = { 0 };
	ErrorData *error;

	work.script = script;
	work.schemas = schemas;
	error = subtransaction_run(elaborate, &work, false);
	/* The keeper drops the database as soon as nobody holds the other end. */
	if (work.keeper != NULL)
		(void) WaitForBackgroundWorkerShutdown(work.keeper);
	if (error != NULL)
		ReThrowError(error);
	work.result->has_owners = script->has_owners;
	work.result->has_acls = script->has_acls;
	leave_unstated_extensions_out(script, work.result);
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
	(void) receive(answers, "keeper");
	answers = start_worker(work, "setup", DATABASE_SETUP_ANSWERS, &worker);
	(void) receive(answers, "setup");
	(void) WaitForBackgroundWorkerShutdown(worker);
	answers = start_worker(work, "script", DATABASE_SCRIPT_ANSWERS, &worker);
	snapshot = receive(answers, "script");
	(void) WaitForBackgroundWorkerShutdown(worker);
	work->result = snapshot_read(snapshot);
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

	snprintf(work->extra.name,
			 NAMEDATALEN,
			 "kints_scratch_%d_%u_%u",
			 MyProcPid,
			 GetTopTransactionId(),
			 GetCurrentSubTransactionId());
	work->extra.live = MyDatabaseId;
	request = make_request(work);

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
	header->live = MyDatabaseId;
	header->caller = GetUserId();
	header->scratch = InvalidOid;
	header->keeper_started = false;
	shm_toc_insert(work->toc, DATABASE_HEADER, header);
	shared_request = shm_toc_allocate(work->toc, VARSIZE(request));
	memcpy(shared_request, request, VARSIZE(request));
	shm_toc_insert(work->toc, DATABASE_REQUEST, shared_request);
	for (Size i = 0; i < lengthof(queues); i++)
	{
		shm_mq *queue =
			shm_mq_create(shm_toc_allocate(work->toc, DATABASE_QUEUE_SIZE), DATABASE_QUEUE_SIZE);

		if (queues[i] == DATABASE_KEEPER_WAITS)
			shm_mq_set_sender(queue, MyProc);
		else
			shm_mq_set_receiver(queue, MyProc);
		shm_toc_insert(work->toc, (uint64) queues[i], queue);
	}
	/* Nothing is ever sent this way: that we let go of it is the message. */
	(void) shm_mq_attach(shm_toc_lookup(work->toc, DATABASE_KEEPER_WAITS, false),
						 work->segment,
						 NULL);
}

/* What the workers are to do, as jsonb. */
static Jsonb *
make_request(const Elaboration *work)
{
	JsonbParseState *state = NULL;
	StringInfoData before;

	initStringInfo(&before);
	put_other_schemas(&before, work);
	json_begin_object(&state);
	json_put_string(&state, "create", create_database_sql(work->extra.name));
	json_put_string(&state, "setup", setup_sql(work));
	json_put_string(&state, "before", before.data);
	json_put_string(&state, "script", work->script->text);
	json_put_strings(&state, "schemas", work->schemas);
	for (Size i = 0; i < lengthof(database_settings); i++)
		json_put_string(&state,
						database_settings[i],
						GetConfigOption(database_settings[i], false, false));
	return JsonbValueToJsonb(json_end(&state, WJB_END_OBJECT));
}

/* CREATE DATABASE with the encoding, locale and owner of this one. */
static const char *
create_database_sql(const char *name)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Form_pg_database form;
	StringInfoData out;
	bool isnull;
	Datum locale;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	form = (Form_pg_database) GETSTRUCT(tuple);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE DATABASE %s OWNER %s TEMPLATE template0 ENCODING %s",
					 sqltext_identifier(name),
					 sqltext_identifier(GetUserNameFromId(form->datdba, false)),
					 sqltext_literal(pg_encoding_to_char(form->encoding)));
	locale = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datcollate, &isnull);
	appendStringInfo(&out, " LC_COLLATE %s", sqltext_literal(TextDatumGetCString(locale)));
	locale = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datctype, &isnull);
	appendStringInfo(&out, " LC_CTYPE %s", sqltext_literal(TextDatumGetCString(locale)));
	locale = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_daticulocale, &isnull);
	if (!isnull)
		appendStringInfo(&out,
						 " LOCALE_PROVIDER icu ICU_LOCALE %s",
						 sqltext_literal(TextDatumGetCString(locale)));
	ReleaseSysCache(tuple);
	return out.data;
}

/*
 * What a superuser does in the new database: schemas, extensions, rights.  No
 * code of a user is in it, nor can any be run by it.
 */
static const char *
setup_sql(const Elaboration *work)
{
	StringInfoData out;
	ListCell *cell;

	initStringInfo(&out);
	appendStringInfoString(&out, "DROP SCHEMA public;\n");
	foreach(cell, other_schemas(work))
		appendStringInfo(&out,
						 "CREATE SCHEMA %s AUTHORIZATION %s;\n",
						 sqltext_identifier(lfirst(cell)),
						 sqltext_identifier(GetUserNameFromId(GetUserId(), false)));
	foreach(cell, work->schemas)
		put_schema(&out, work, lfirst(cell));
	put_extensions(&out, work->schemas);
	put_rights(&out, work);
	return out.data;
}

/* A planned schema: as the first way makes it, see aside.c. */
static void
put_schema(StringInfo out, const Elaboration *work, const char *name)
{
	Oid live = get_namespace_oid(name, true);
	bool creates = list_member(work->script->creates, makeString((char *) name));
	bool fills = list_member(work->script->names, makeString((char *) name));
	KnObject *schema;

	if (!OidIsValid(live))
		return;
	aside_check_owner(name, live);
	if (!creates && !fills && strcmp(name, "public") != 0)
		return;
	schema =
		schema_find_kind(inspect_schemas(list_make1((char *) name)), KN_SCHEMA, NULL, NULL, name);
	appendStringInfo(out,
					 "CREATE SCHEMA %s AUTHORIZATION %s;\n",
					 sqltext_identifier(name),
					 sqltext_identifier(schema->owner));
	if (creates)
		return;
	if (strcmp(name, "public") == 0)
		schema->comment = "standard public schema";
	if (schema->comment != NULL)
		appendStringInfo(out,
						 "COMMENT ON SCHEMA %s IS %s;\n",
						 sqltext_identifier(name),
						 sqltext_literal(schema->comment));
	if (schema->has_acl)
	{
		appendStringInfo(out, "UPDATE pg_catalog.pg_namespace SET nspacl = ARRAY[");
		for (int i = 0; i < list_length(schema->acl); i++)
			appendStringInfo(out,
							 "%s%s",
							 i == 0 ? "" : ", ",
							 sqltext_literal(list_nth(schema->acl, i)));
		appendStringInfo(out,
						 "]::pg_catalog.aclitem[] WHERE nspname = %s;\n",
						 sqltext_literal(name));
	}
}

/* All extensions but this one, in the order in which they were made. */
static void
put_extensions(StringInfo out, List *planned)
{
	static const char query[] =
		"  SELECT e.extname, n.nspname, e.extversion"
		"    FROM pg_catalog.pg_extension e"
		"    JOIN pg_catalog.pg_namespace n"
		"      ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
		"   WHERE e.extname OPERATOR(pg_catalog.<>) 'kints_norm'"
		"     AND e.extname OPERATOR(pg_catalog.<>) 'plpgsql'"
		"ORDER BY e.oid";

	query_rows(query, 0, NULL, NULL, put_extension, list_make2(out, planned));
}

static void
put_extension(HeapTuple row, TupleDesc shape, void *argument)
{
	StringInfo out = linitial((List *) argument);
	char *schema = SPI_getvalue(row, shape, 2);
	const char *name = sqltext_identifier(schema);

	if (strncmp(schema, "pg_", 3) != 0)
		appendStringInfo(out, "CREATE SCHEMA IF NOT EXISTS %s;\n", name);
	if (!sqltext_member(lsecond((List *) argument), schema))
		appendStringInfo(out, "GRANT USAGE ON SCHEMA %s TO PUBLIC;\n", name);
	appendStringInfo(out,
					 "CREATE EXTENSION IF NOT EXISTS %s SCHEMA %s VERSION %s;\n",
					 sqltext_identifier(SPI_getvalue(row, shape, 1)),
					 name,
					 sqltext_literal(SPI_getvalue(row, shape, 3)));
}

/* Who may create schemas in the live database may do so in the other one. */
static void
put_rights(StringInfo out, const Elaboration *work)
{
#if PG_VERSION_NUM >= 160000
	AclResult result = object_aclcheck(DatabaseRelationId, MyDatabaseId, GetUserId(), ACL_CREATE);
#else
	AclResult result = pg_database_aclcheck(MyDatabaseId, GetUserId(), ACL_CREATE);
#endif
	ListCell *cell;

	if (result == ACLCHECK_OK)
		appendStringInfo(out,
						 "GRANT CREATE ON DATABASE %s TO %s;\n",
						 sqltext_identifier(work->extra.name),
						 sqltext_identifier(GetUserNameFromId(GetUserId(), false)));
	foreach(cell, work->script->creates)
	{
		if (!OidIsValid(get_namespace_oid(strVal(lfirst(cell)), true)))
			aclcheck_error(result, OBJECT_DATABASE, get_database_name(MyDatabaseId));
	}
}

/* Schemas that are not planned, where the script mentions any of them. */
static List *
other_schemas(const Elaboration *work)
{
	List *others = NIL;
	bool mentioned = false;
	ListCell *cell;

	foreach(cell, inspect_user_schemas())
	{
		if (sqltext_member(work->schemas, lfirst(cell)))
			continue;
		others = lappend(others, lfirst(cell));
		mentioned |= strstr(work->script->text, lfirst(cell)) != NULL;
	}
	return mentioned ? others : NIL;
}

/*
 * Their objects, for the script to refer to; made by the caller's role.  What
 * that role may not make is left out, see run_in_database().
 */
static void
put_other_schemas(StringInfo out, const Elaboration *work)
{
	List *others = other_schemas(work);
	KnSchema *schema;
	ListCell *cell;

	if (others == NIL)
		return;
	schema = inspect_schemas(others);
	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		object->owner = NULL;
		object->comment = NULL;
		object->has_acl = false;
		object->acl = NIL;
	}
	appendStringInfoString(out, desired_print_creation(schema));
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
	if (!RegisterDynamicBackgroundWorker(&worker, handle))
		ereport(ERROR,
				errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				errmsg("no background worker is free to elaborate the desired schema"),
				errhint("Raise max_worker_processes, or try again later."));
	if (WaitForBackgroundWorkerStartup(*handle, &pid) == BGWH_POSTMASTER_DIED)
		ereport(FATAL, errcode(ERRCODE_ADMIN_SHUTDOWN), errmsg("the postmaster has died"));
	return shm_mq_attach(shm_toc_lookup(work->toc, (uint64) key, false), work->segment, *handle);
}

/*
 * Waits for a worker's answer: a jsonb, or NULL where it only says that it is
 * done.  Its errors are thrown here, its notices sent on.
 */
static Jsonb *
receive(shm_mq_handle *queue, const char *what)
{
	for (;;)
	{
		Size length;
		void *data;
		StringInfoData message;
		ErrorData error;
		Jsonb *answer;
		char type;

		CHECK_FOR_INTERRUPTS();
		if (shm_mq_receive(queue, &length, &data, false) != SHM_MQ_SUCCESS)
			ereport(
				ERROR,
				errcode(ERRCODE_INTERNAL_ERROR),
				errmsg("the background worker \"kints scratch %s\" ended without an answer", what),
				errhint("The server's log tells more."));
		initStringInfo(&message);
		appendBinaryStringInfo(&message, data, (int) length);
		type = (char) pq_getmsgbyte(&message);
		switch (type)
		{
			case 'E':
				pq_parse_errornotice(&message, &error);
				error.elevel = ERROR;
				ThrowErrorData(&error);
				break;
			case 'N':
				pq_parse_errornotice(&message, &error);
				if (error.elevel < ERROR)
					ThrowErrorData(&error);
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

/* A script that creates extensions states which there should be. */
static void
leave_unstated_extensions_out(KnScript *script, KnSchema *schema)
{
	List *kept = NIL;
	ListCell *cell;

	if (script->extensions == NIL)
		return;
	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (object->kind == KN_EXTENSION &&
			!list_member(script->extensions, makeString((char *) object->name)))
			schema_forget(schema, object);
		else
			kept = lappend(kept, object);
	}
	schema->objects = kept;
}
