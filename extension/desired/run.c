/*
 * run.c
 *		Runs the statements of a script.
 *
 * In the order in which they stand if that can be; else what fails for want of
 * an object is put off until nothing more succeeds, and the first error that
 * remains is the one reported.
 */
#include "kints_norm.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "commands/matview.h"
#include "desired/database.h"
#include "desired/desired.h"
#include "desired/statement.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Statements a transaction, in a scratch database: few enough for the lock table. */
#define BATCH_SIZE 100

typedef struct StatementRun
{
	KnSource *source;
	List *schemas;
} StatementRun;

typedef struct Batch
{
	List *sources;
	List *schemas;
} Batch;

/* Whether this is the worker that has a database to itself. */
static bool is_in_database = false;

static List *run_batch(List *batch, List *schemas, bool tolerant);
static void run_whole_batch(void *argument);
static void run_one(void *argument);
static bool try_statement(KnSource *source, List *schemas, bool tolerant);
static KnSource *first_real_error(List *waiting, List *schemas);
static bool speaks_of(const char *message, const char *name);
static void run_statement(KnSource *source, List *schemas);
static Node *analyzed(KnSource *source, Node *statement);
static bool prepare_statement(Node *statement, List *schemas, bool *populated);
static void skip_validation(AlterTableStmt *statement);
static bool is_cleaning(const DropStmt *statement);
static void mark_populated(Node *statement);

/* Sets a setting until the end of the subtransaction, or of the GUC nest level. */
void
run_set(const char *name, const char *value)
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

/* Any error is final. */
void
run_in_order(KnScript *script, List *schemas)
{
	ListCell *cell;

	foreach(cell, script->sources)
	{
		KnSource *source = lfirst(cell);

		run_statement(source, schemas);
	}
}

void
run_in_any_order(KnScript *script, List *schemas)
{
	List *waiting = list_copy(script->sources);

	while (waiting != NIL)
	{
		List *again = NIL;
		ListCell *cell;

		foreach(cell, waiting)
		{
			if (!try_statement(lfirst(cell), schemas, false))
				again = lappend(again, lfirst(cell));
		}
		if (list_length(again) == list_length(waiting))
			run_statement(first_real_error(again, schemas), schemas); /* fails, and says why */
		waiting = again;
	}
}

/* Runs a statement in a subtransaction; false where it lacks an object, or fails at all. */
static bool
try_statement(KnSource *source, List *schemas, bool tolerant)
{
	StatementRun run = { source, schemas };
	ErrorData *error = subtransaction_run(run_one, &run, true);

	if (error != NULL && !tolerant && !run_is_order_error(error->sqlerrcode))
		ReThrowError(error);
	return error == NULL;
}

static void
run_one(void *argument)
{
	StatementRun *run = argument;

	run_statement(run->source, run->schemas);
}

/*
 * Of statements that cannot run, the first that does not only lack what
 * another one of them would have made.
 */
static KnSource *
first_real_error(List *waiting, List *schemas)
{
	ListCell *cell;
	ListCell *other;

	foreach(cell, waiting)
	{
		StatementRun run = { lfirst(cell), schemas };
		ErrorData *error = subtransaction_run(run_one, &run, false);
		bool follows = false;

		foreach(other, waiting)
		{
			const char *schema;
			const char *name;

			if (error != NULL && lfirst(other) != lfirst(cell) &&
				statement_makes(((KnSource *) lfirst(other))->raw->stmt, &schema, &name))
				follows |= speaks_of(error->message, name);
		}
		if (!follows)
			return lfirst(cell);
	}
	return linitial(waiting);
}

/* Whether a message has the name as the server writes it: "name", "schema.name" or name(...). */
static bool
speaks_of(const char *message, const char *name)
{
	Size length = strlen(name);
	const char *at;

	for (at = strstr(message, name); at != NULL; at = strstr(at + 1, name))
	{
		if (at > message && strchr("\". ", at[-1]) != NULL && at[length] != '\0' &&
			strchr("\"(", at[length]) != NULL)
			return true;
	}
	return false;
}

/* Errors that another order of the statements could cure. */
bool
run_is_order_error(int sqlstate)
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
	Node *statement;

	CHECK_FOR_INTERRUPTS();
	script_push_error_context(&callback, source);
	path_set(source);
	run_set("default_tablespace", source->tablespace);
	run_set("default_table_access_method", source->access_method);
	/* Running a statement may scribble on it, and it may have to run again. */
	statement = analyzed(source, copyObject(source->raw->stmt));
	if (prepare_statement(statement, schemas, &populated))
	{
		if (IsA(statement, SelectStmt))
			feature_run((const SelectStmt *) statement);
		else
			utility_run_unseen(statement, source->text);
		CommandCounterIncrement();
		if (populated)
			mark_populated(statement);
	}
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
	reach_check(statement, schemas);
	if (!is_in_database)
		reach_check_references(statement, schemas);
	switch (nodeTag(statement))
	{
		case T_IndexStmt:
			((IndexStmt *) statement)->concurrent = false;
			return true;
		case T_AlterTableStmt:
			skip_validation((AlterTableStmt *) statement);
			return true;
		case T_DropStmt:
			((DropStmt *) statement)->concurrent = false;
			return !is_cleaning((DropStmt *) statement);
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

/* There are no rows that a new constraint could be checked against. */
static void
skip_validation(AlterTableStmt *statement)
{
	ListCell *cell;

	foreach(cell, statement->cmds)
	{
		AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_AddConstraint && IsA(command->def, Constraint))
			((Constraint *) command->def)->skip_validation = true;
	}
}

/*
 * A dump may begin with DROP ... IF EXISTS for all that it is about to create.
 * There is nothing to be dropped but what stands in for the live database: its
 * extensions, and schemas that have them in it.
 */
static bool
is_cleaning(const DropStmt *statement)
{
	return statement->removeType == OBJECT_EXTENSION ||
		   (statement->removeType == OBJECT_SCHEMA && statement->missing_ok &&
			statement->behavior == DROP_RESTRICT);
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
 * Runs a script, some statements a transaction; called outside of one.  A
 * tolerant run passes over what cannot be run.
 */
void
run_in_database(KnScript *script, List *schemas, bool tolerant)
{
	List *waiting = script->sources;
	MemoryContext caller = CurrentMemoryContext;

	is_in_database = true;
	while (waiting != NIL)
	{
		List *again = NIL;

		for (int i = 0; i < list_length(waiting); i += BATCH_SIZE)
		{
			List *batch = NIL;

			for (int j = i; j < list_length(waiting) && j < i + BATCH_SIZE; j++)
				batch = lappend(batch, list_nth(waiting, j));
			again = list_concat(again, run_batch(batch, schemas, tolerant));
			MemoryContextSwitchTo(caller);
		}
		if (list_length(again) == list_length(waiting))
		{
			if (tolerant)
				break;
			worker_begin();
			MemoryContextSwitchTo(caller);
			run_statement(first_real_error(again, schemas), schemas); /* fails, and says why */
			worker_commit();
			MemoryContextSwitchTo(caller);
		}
		waiting = again;
	}
}

/* Runs a batch in a transaction; returns the statements that lack an object. */
static List *
run_batch(List *batch, List *schemas, bool tolerant)
{
	Batch run = { batch, schemas };
	MemoryContext caller = CurrentMemoryContext;
	List *again = NIL;
	ErrorData *error;
	ListCell *cell;

	worker_begin();
	MemoryContextSwitchTo(caller);
	error = subtransaction_run(run_whole_batch, &run, true);
	if (error != NULL)
	{
		if (!tolerant && !run_is_order_error(error->sqlerrcode))
			ReThrowError(error);
		foreach(cell, batch)
		{
			if (!try_statement(lfirst(cell), schemas, tolerant))
				again = lappend(again, lfirst(cell));
		}
	}
	worker_commit();
	return again;
}

static void
run_whole_batch(void *argument)
{
	Batch *run = argument;
	MemoryContext caller = CurrentMemoryContext;
	/* What a statement leaves goes with its transaction. */
	MemoryContext work =
		AllocSetContextCreate(CurTransactionContext, "kints batch", ALLOCSET_DEFAULT_SIZES);
	ListCell *cell;

	foreach(cell, run->sources)
	{
		MemoryContextSwitchTo(work);
		run_statement(lfirst(cell), run->schemas);
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(caller);
}
