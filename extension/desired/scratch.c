/*
 * scratch.c
 *		Lets the server elaborate a script, in place of the live schemas.
 *
 * Inside one internal subtransaction:
 *
 * 1. The planned schemas that exist are laid aside: their pg_namespace rows get
 *	  another name, by direct catalog update.  ALTER SCHEMA RENAME would lock the
 *	  schema against CREATE of other sessions; the update locks one tuple, which
 *	  only another plan, a GRANT ON SCHEMA or a rename would wait for.
 * 2. Empty schemas take their places, with the same owner and privileges.
 * 3. Members of extensions move over by direct update of their namespace,
 *	  without object locks, so that public.citext still means what it did.
 *	  Relations of extensions stay where they are.
 * 4. The script runs with the caller's rights, as subcommands: no event trigger
 *	  fires.  Functions are not checked, CONCURRENTLY is not honoured, and a
 *	  materialized view stays empty.
 * 5. The result is read, and the subtransaction is rolled back.  Nothing was
 *	  ever visible to anyone else; all locks go with it.  Locks are never
 *	  released before: a standby replays them until the abort record.
 *
 * Direct updates check no privileges, so aside_check_owner() does: only who
 * owns a schema can plan it.
 *
 * A script in an order that cannot run is tried again with each statement in a
 * subtransaction of its own: what fails for want of an object is put off until
 * nothing more succeeds.  The first remaining error is the one reported.
 */
#include "kints_norm.h"

#include "desired/desired.h"
#include "desired/statement.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "commands/matview.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct Attempt
{
	KnScript *script;
	List *schemas;
	bool in_order; /* any error is final */
	KnSchema *result;
} Attempt;

typedef struct StatementRun
{
	KnSource *source;
	List *schemas;
} StatementRun;

typedef struct SchemaRename
{
	const char *from;
	const char *to;
	KnSchema *result;
} SchemaRename;

static void try_script(void *argument);
static void run_one(void *argument);
static void rename_and_read(void *argument);
static void check_can_write(void);
static void pin_settings(void);
static void run_in_order(KnScript *script, List *schemas);
static void run_in_any_order(KnScript *script, List *schemas);
static bool try_statement(KnSource *source, List *schemas);
static void run_statement(KnSource *source, List *schemas);
static Node *analyzed(KnSource *source, Node *statement);
static bool prepare_statement(Node *statement, List *schemas, bool *populated);
static void check_references(Node *statement, List *schemas);
static void run_utility(KnSource *source);
static void mark_populated(Node *statement);
static bool is_order_error(int sqlstate);
static void set_setting(const char *name, const char *value);

/*
 * The schema that a script describes, for the schemas named; in the current
 * memory context.
 */
KnSchema *
scratch_elaborate(KnScript *script, List *schemas)
{
	Attempt attempt = { script, schemas, true, NULL };
	ErrorData *error;

	check_can_write();
	error = subtransaction_run(try_script, &attempt, false);
	if (error != NULL && is_order_error(error->sqlerrcode))
	{
		attempt.in_order = false;
		error = subtransaction_run(try_script, &attempt, false);
	}
	if (error != NULL)
		ReThrowError(error);
	return attempt.result;
}

static void
try_script(void *argument)
{
	Attempt *attempt = argument;
	int guc_level;

	aside_lay(attempt->script, attempt->schemas);
	guc_level = NewGUCNestLevel();
	pin_settings();
	if (attempt->in_order)
		run_in_order(attempt->script, attempt->schemas);
	else
		run_in_any_order(attempt->script, attempt->schemas);
	CommandCounterIncrement();
	AtEOXact_GUC(false, guc_level);
	attempt->result = inspect_schemas(attempt->schemas);
	attempt->result->has_owners = attempt->script->has_owners;
	attempt->result->has_acls = attempt->script->has_acls;
}

/* Plans write to catalogs, even though nothing of it stays. */
static void
check_can_write(void)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				errmsg("cannot make a plan during recovery"),
				errhint("Make the plan on the primary."));
	if (XactReadOnly)
		ereport(ERROR,
				errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				errmsg("cannot make a plan in a read-only transaction"),
				errhint("Planning writes to the catalogs and rolls that back."));
	if (IsInParallelMode())
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				errmsg("cannot make a plan during a parallel operation"));
}

static void
pin_settings(void)
{
	set_setting("check_function_bodies", "off");
	set_setting("client_min_messages", "warning");
	set_setting("default_tablespace", "");
	set_setting("default_table_access_method", "heap");
	set_setting("session_replication_role", NULL);
}

static void
set_setting(const char *name, const char *value)
{
	if (value != NULL)
		(void) set_config_option(name,
								 value,
								 superuser() ? PGC_SUSET : PGC_USERSET,
								 PGC_S_SESSION,
								 GUC_ACTION_SAVE,
								 true,
								 0,
								 false);
}

static void
run_in_order(KnScript *script, List *schemas)
{
	ListCell *cell;

	foreach(cell, script->sources)
	{
		KnSource *source = lfirst(cell);

		run_statement(source, schemas);
	}
}

static void
run_in_any_order(KnScript *script, List *schemas)
{
	List *waiting = list_copy(script->sources);

	while (waiting != NIL)
	{
		List *again = NIL;
		ListCell *cell;

		foreach(cell, waiting)
		{
			if (!try_statement(lfirst(cell), schemas))
				again = lappend(again, lfirst(cell));
		}
		if (list_length(again) == list_length(waiting))
			run_statement(linitial(again), schemas); /* fails, and says why */
		waiting = again;
	}
}

/* Runs a statement in a subtransaction; false where it lacks an object. */
static bool
try_statement(KnSource *source, List *schemas)
{
	StatementRun run = { source, schemas };
	ErrorData *error = subtransaction_run(run_one, &run, true);

	if (error != NULL && !is_order_error(error->sqlerrcode))
		ReThrowError(error);
	return error == NULL;
}

static void
run_one(void *argument)
{
	StatementRun *run = argument;

	run_statement(run->source, run->schemas);
}

/* Errors that another order of the statements could cure. */
static bool
is_order_error(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_UNDEFINED_TABLE:
		case ERRCODE_UNDEFINED_COLUMN:
		case ERRCODE_UNDEFINED_OBJECT:
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_UNDEFINED_PARAMETER:
		case ERRCODE_INVALID_SCHEMA_NAME:
		case ERRCODE_INVALID_FOREIGN_KEY:
		case ERRCODE_INVALID_TABLE_DEFINITION:
		case ERRCODE_INVALID_OBJECT_DEFINITION:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			return true;
		default:
			return false;
	}
}

static void
run_statement(KnSource *source, List *schemas)
{
	ErrorContextCallback callback;
	bool populated = false;
	Node *kept = source->raw->stmt;

	CHECK_FOR_INTERRUPTS();
	script_push_error_context(&callback, source);
	set_setting("search_path", source->search_path);
	set_setting("default_tablespace", source->tablespace);
	set_setting("default_table_access_method", source->access_method);
	/* Running a statement may scribble on it, and it may have to run again. */
	source->raw->stmt = analyzed(source, copyObject(kept));
	if (prepare_statement(source->raw->stmt, schemas, &populated))
	{
		run_utility(source);
		CommandCounterIncrement();
		if (populated)
			mark_populated(source->raw->stmt);
	}
	source->raw->stmt = kept;
	script_pop_error_context(&callback);
}

/* The server wants the query of CREATE TABLE AS, and of a materialized view, analyzed. */
static Node *
analyzed(KnSource *source, Node *statement)
{
	RawStmt *raw;
	Query *query;

	if (!IsA(statement, CreateTableAsStmt))
		return statement;
	raw = makeNode(RawStmt);
	raw->stmt = statement;
	PushActiveSnapshot(GetTransactionSnapshot());
	query = parse_analyze_fixedparams(raw, source->text, NULL, 0, NULL);
	PopActiveSnapshot();
	return query->utilityStmt;
}

/* Makes a statement fit for the scratch; false where it needs not run at all. */
static bool
prepare_statement(Node *statement, List *schemas, bool *populated)
{
	check_references(statement, schemas);
	switch (nodeTag(statement))
	{
		case T_IndexStmt:
			((IndexStmt *) statement)->concurrent = false;
			return true;
		case T_DropStmt:
			((DropStmt *) statement)->concurrent = false;
			return true;
		case T_CreateTableAsStmt:
			*populated = !((CreateTableAsStmt *) statement)->into->skipData &&
						 ((CreateTableAsStmt *) statement)->objtype == OBJECT_MATVIEW;
			((CreateTableAsStmt *) statement)->into->skipData = true;
			return true;
		case T_CreateExtensionStmt:
			return !OidIsValid(
				get_extension_oid(((CreateExtensionStmt *) statement)->extname, true));
		case T_CreateSchemaStmt:
		{
			CreateSchemaStmt *create = (CreateSchemaStmt *) statement;
			Oid made = get_namespace_oid(statement_schema_name(create), true);

			/* One in the place of a live schema is there already. */
			if (OidIsValid(made) && create->schemaElts == NIL && !create->if_not_exists)
				return false;
			return true;
		}
		default:
			return true;
	}
}

/*
 * A foreign key to a table outside of the planned schemas would lock that
 * table against writes for as long as the plan takes.
 */
static void
check_references(Node *statement, List *schemas)
{
	ListCell *cell;

	foreach(cell, statement_references(statement))
	{
		RangeVar *name = lfirst(cell);
		Oid relation = RangeVarGetRelid(name, NoLock, true);
		const char *schema;

		if (!OidIsValid(relation))
			continue;
		schema = get_namespace_name(get_rel_namespace(relation));
		if (!sqltext_member(schemas, schema))
			ereport(ERROR,
					errcode(KN_ERRCODE_UNSUPPORTED),
					errmsg("foreign key refers to \"%s\", whose schema is not planned",
						   sqltext_qualified(schema, name->relname)),
					errhint("Plan both schemas together: name them in the option \"schemas\"."));
	}
}

static void
run_utility(KnSource *source)
{
	PlannedStmt *planned = makeNode(PlannedStmt);
	QueryCompletion completion;

	planned->commandType = CMD_UTILITY;
	planned->canSetTag = false;
	planned->utilityStmt = source->raw->stmt;
	planned->stmt_location = 0;
	planned->stmt_len = 0;
	InitializeQueryCompletion(&completion);
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(planned,
				   source->text,
				   false,
				   PROCESS_UTILITY_SUBCOMMAND,
				   NULL,
				   NULL,
				   None_Receiver,
				   &completion);
	PopActiveSnapshot();
}

/* Notes that a materialized view was meant to be filled. */
static void
mark_populated(Node *statement)
{
	RangeVar *name = ((CreateTableAsStmt *) statement)->into->rel;
	Relation relation = table_openrv(name, AccessExclusiveLock);

	SetMatViewPopulatedState(relation, true);
	table_close(relation, NoLock);
	CommandCounterIncrement();
}

/*
 * The schema from as it would be if it were called to: the catalogs spell all
 * names in it anew.
 */
KnSchema *
scratch_rename_schema(const char *from, const char *to)
{
	SchemaRename rename = { from, to, NULL };
	ErrorData *error;

	check_can_write();
	aside_check_owner(from, get_namespace_oid(from, false));
	error = subtransaction_run(rename_and_read, &rename, false);
	if (error != NULL)
		ReThrowError(error);
	return rename.result;
}

static void
rename_and_read(void *argument)
{
	SchemaRename *rename = argument;
	Oid source = get_namespace_oid(rename->from, false);
	Oid target = get_namespace_oid(rename->to, true);

	if (OidIsValid(target))
		aside_rename(target, psprintf("kints_aside_%d_%u", MyProcPid, target));
	aside_rename(source, rename->to);
	rename->result = inspect_schemas(list_make1((char *) rename->to));
}
