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

#include "desired/database.h"
#include "desired/desired.h"
#include "desired/statement.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/guc.h"

typedef struct Attempt
{
	KnScript *script;
	List *schemas;
	bool in_order; /* any error is final */
	KnSchema *result;
} Attempt;

typedef struct SchemaRename
{
	const char *from;
	const char *to;
	KnSchema *result;
} SchemaRename;

static bool needs_database(KnScript *script, List *schemas);
static void try_script(void *argument);
static void rename_and_read(void *argument);
static void check_can_write(void);
static void pin_settings(void);

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
	if (needs_database(script, schemas))
		return database_elaborate(script, schemas);
	error = subtransaction_run(try_script, &attempt, false);
	if (error != NULL && error->sqlerrcode == ERRCODE_OUT_OF_MEMORY)
		return database_elaborate(script, schemas);
	if (error != NULL && run_is_order_error(error->sqlerrcode))
	{
		attempt.in_order = false;
		error = subtransaction_run(try_script, &attempt, false);
	}
	if (error != NULL)
		ReThrowError(error);
	return attempt.result;
}

/*
 * Whether the script is for the second way: where its locks would crowd the
 * lock table, or where it has a foreign key to a table outside of the planned
 * schemas, which would lock that table against writes.
 */
static bool
needs_database(KnScript *script, List *schemas)
{
	/* Measured: nine a table with its key and two indexes. */
	int64 locks = INT64CONST(7) * script->table_count + INT64CONST(2) * script->index_count;
	int64 room = (int64) max_locks_per_xact * (MaxBackends + max_prepared_xacts);
	ListCell *cell;
	ListCell *name;

	if (kints_elaborate_in != KN_ELABORATE_AUTO)
		return kints_elaborate_in == KN_ELABORATE_IN_DATABASE;
	if (locks > room / 2)
		return true;
	foreach(cell, script->sources)
	{
		foreach(name, statement_references(((KnSource *) lfirst(cell))->raw->stmt))
		{
			RangeVar *table = lfirst(name);

			if (table->schemaname != NULL && !sqltext_member(schemas, table->schemaname))
				return true;
		}
	}
	return false;
}

static void
try_script(void *argument)
{
	Attempt *attempt = argument;
	int guc_level;
	Oid user;
	int context;

	/* Nothing that the script calls may set the role, here as in the other way. */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(user, context | SECURITY_LOCAL_USERID_CHANGE);
	aside_lay(attempt->script, attempt->schemas);
	guc_level = NewGUCNestLevel();
	pin_settings();
	if (attempt->in_order)
		run_in_order(attempt->script, attempt->schemas);
	else
		run_in_any_order(attempt->script, attempt->schemas);
	CommandCounterIncrement();
	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, context);
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
}

static void
pin_settings(void)
{
	run_set("check_function_bodies", "off");
	run_set("max_parallel_maintenance_workers", "0");
	run_set("client_min_messages", "warning");
	run_set("default_tablespace", "");
	run_set("default_table_access_method", "heap");
	run_set("session_replication_role", NULL);
}

/*
 * The schema from as it would be if it were called to: the catalogs spell all
 * names in it anew.
 */
KnSchema *
scratch_rename_schema(const char *from, const char *to)
{
	SchemaRename rename = { from, to, NULL };
	Oid target = get_namespace_oid(to, true);
	ErrorData *error;

	check_can_write();
	aside_check_owner(from, get_namespace_oid(from, false));
	if (OidIsValid(target))
		aside_check_owner(to, target);
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
