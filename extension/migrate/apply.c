/*
 * apply.c
 *		Applies a plan, rolls it back, tells what ran.
 *
 * All in the caller's transaction, one at a time in a database.  After the
 * steps the schema is read again and compared with what was wanted: a plan that
 * did not get there is an error, and nothing of it stays.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "funcapi.h"
#include "inspect/inspect.h"
#include "migrate/migrate.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static List *apply(KnPlan *plan, KnOptions *options);
static KnMigration *describe(const KnPlan *plan, const KnOptions *options, const KnSchema *after);
static List *undo_steps(const KnPlan *plan, const KnSchema *after);
static void check_outcome(const KnSchema *after, const KnPlan *plan);
static bool is_named(const KnPlan *plan, const KnStep *step);
static List *roll_back(const KnMigration *migration, const KnOptions *options);
static KnMigration *newest_applied(const List *migrations);
static void return_runs(FunctionCallInfo fcinfo, const List *runs, int64 version);
static MemoryContext begin_call(FunctionCallInfo fcinfo);

static List *
apply(KnPlan *plan, KnOptions *options)
{
	List *runs;
	KnSchema *after;
	KnMigration *migration;
	ListCell *cell;

	run_check_gates(plan->steps, options);
	runs = run_steps(plan->steps, options, KN_AS_CALLER);
	if (runs == NIL)
		return NIL;
	after = inspect_schemas(plan->schemas);
	plan_leave_out(after, options->ignore);
	check_outcome(after, plan);
	migration = describe(plan, options, after);
	foreach(cell, runs)
		migration->milliseconds += ((KnRun *) lfirst(cell))->milliseconds;
	ledger_add(migration);
	return runs;
}

/*
 * An error unless nothing is left to be done.  What cannot be done and is not
 * in the plan, because that could not be told before, is said.
 */
static void
check_outcome(const KnSchema *after, const KnPlan *plan)
{
	List *left = plan_between(after, plan->wanted);
	StringInfoData list;
	ListCell *cell;

	initStringInfo(&list);
	foreach(cell, left)
	{
		KnStep *step = lfirst(cell);

		if (step->sql != NULL)
			appendStringInfo(&list, "%s%s", list.len == 0 ? "" : "\n", step->sql);
		else if (!is_named(plan, step))
			ereport(WARNING,
					errmsg("%s: %s", step->object, (const char *) linitial(step->hazards)));
	}
	if (list.len > 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_UNSUPPORTED),
				errmsg("the plan does not lead to the desired state"),
				errdetail("This would still be left to do:\n%s", list.data),
				errhint("Nothing was changed."));
}

/* Whether a step that does nothing is part of the plan as well. */
static bool
is_named(const KnPlan *plan, const KnStep *step)
{
	ListCell *cell;

	foreach(cell, plan->steps)
	{
		const KnStep *other = lfirst(cell);

		if (other->sql == NULL && strcmp(other->object, step->object) == 0)
			return true;
	}
	return false;
}

static KnMigration *
describe(const KnPlan *plan, const KnOptions *options, const KnSchema *after)
{
	KnMigration *migration = palloc0(sizeof(KnMigration));

	migration->name = options->name;
	migration->schemas = plan->schemas;
	migration->plan = plan->steps;
	migration->undo = undo_steps(plan, after);
	migration->before = plan->fingerprint;
	migration->after = snapshot_fingerprint(inspect_schemas(plan->schemas));
	migration->checksum = ledger_checksum(migration);
	return migration;
}

/* The way back: a plan of its own, and then the renames in reverse. */
static List *
undo_steps(const KnPlan *plan, const KnSchema *after)
{
	List *steps = plan_between(after, plan->found);

	for (int i = list_length(plan->steps) - 1; i >= 0; i--)
	{
		KnStep *step = list_nth(plan->steps, i);
		KnStep *back;

		if (strcmp(step->phase, "rename") != 0)
			continue;
		back = palloc(sizeof(KnStep));
		memcpy(back, step, sizeof(KnStep));
		back->sql = step->undo;
		back->undo = step->sql;
		back->number = list_length(steps) + 1;
		steps = lappend(steps, back);
	}
	return steps;
}

/* Undoes one migration, if the schema is still as it left it. */
static List *
roll_back(const KnMigration *migration, const KnOptions *options)
{
	const char *now = snapshot_fingerprint(inspect_schemas(migration->schemas));
	List *runs;

	if (strcmp(ledger_checksum(migration), migration->checksum) != 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_CHECKSUM),
				errmsg("the record of migration " INT64_FORMAT " was changed", migration->version),
				errdetail("Its checksum does not fit the rest of it."));
	if (strcmp(now, migration->after) != 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_PLAN_STALE),
				errmsg("the schema is no longer as migration " INT64_FORMAT " left it",
					   migration->version),
				errdetail("Its fingerprint is %s, not %s.", now, migration->after),
				errhint("Plan what you want to have instead of rolling back."));
	run_check_gates(migration->undo, options);
	runs = run_steps(migration->undo, options, KN_AS_OWNERS);
	now = snapshot_fingerprint(inspect_schemas(migration->schemas));
	if (strcmp(now, migration->before) != 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_UNSUPPORTED),
				errmsg("rolling back migration " INT64_FORMAT " does not lead to where it started",
					   migration->version),
				errdetail("The fingerprint would be %s, not %s.", now, migration->before),
				errhint("Nothing was changed."));
	ledger_mark_rolled_back(migration->version);
	return runs;
}

static KnMigration *
newest_applied(const List *migrations)
{
	const ListCell *cell;

	foreach(cell, migrations)
	{
		if (!((KnMigration *) lfirst(cell))->is_rolled_back)
			return lfirst(cell);
	}
	return NULL;
}

static void
return_runs(FunctionCallInfo fcinfo, const List *runs, int64 version)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const ListCell *cell;

	foreach(cell, runs)
	{
		const KnRun *run = lfirst(cell);
		Datum values[4];
		bool nulls[4] = { 0 };
		int column = 0;

		if (version > 0)
			values[column++] = Int64GetDatum(version);
		values[column++] = Int32GetDatum(run->step->number);
		values[column++] = CStringGetTextDatum(run->step->sql);
		values[column++] = Float8GetDatum(run->milliseconds);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static MemoryContext
begin_call(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	return MemoryContextSwitchTo(
		AllocSetContextCreate(CurrentMemoryContext, "kints migrate", ALLOCSET_DEFAULT_SIZES));
}

/* ---- SQL functions ---- */

KN_FUNCTION(kints_apply_sql);
KN_FUNCTION(kints_apply_json);
KN_FUNCTION(kints_rollback);
KN_FUNCTION(kints_status);

static Datum
apply_arguments(FunctionCallInfo fcinfo, bool is_json)
{
	MemoryContext caller = begin_call(fcinfo);
	KnOptions *options = options_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1));
	KnPlan *plan;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the desired state must not be null"));
	ledger_lock();
	plan = is_json ? plan_make(options, NULL, PG_GETARG_JSONB_P(0))
				   : plan_make(options, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	return_runs(fcinfo, apply(plan, options), 0);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

Datum
kints_apply_sql(PG_FUNCTION_ARGS)
{
	return apply_arguments(fcinfo, false);
}

Datum
kints_apply_json(PG_FUNCTION_ARGS)
{
	return apply_arguments(fcinfo, true);
}

Datum
kints_rollback(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_call(fcinfo);
	int steps = PG_ARGISNULL(0) ? 1 : PG_GETARG_INT32(0);
	KnOptions *options = options_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1));
	List *migrations;

	if (steps < 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the number of migrations to roll back must not be negative"));
	ledger_lock();
	migrations = ledger_read();
	ledger_check_seen();
	for (int i = 0; i < steps; i++)
	{
		KnMigration *migration = newest_applied(migrations);

		if (migration == NULL)
			ereport(ERROR,
					errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("there is no migration left to roll back"));
		return_runs(fcinfo, roll_back(migration, options), migration->version);
		migration->is_rolled_back = true;
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

Datum
kints_status(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_call(fcinfo);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List *migrations = ledger_read();
	KnMigration *newest = newest_applied(migrations);
	ListCell *cell;

	foreach(cell, migrations)
	{
		KnMigration *migration = lfirst(cell);
		Datum values[9];
		bool nulls[9] = { 0 };

		values[0] = Int64GetDatum(migration->version);
		nulls[1] = migration->name == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(migration->name);
		values[2] = CStringGetTextDatum(migration->is_rolled_back ? "rolled back" : "applied");
		values[3] = Int32GetDatum(list_length(migration->plan));
		values[4] = BoolGetDatum(strcmp(ledger_checksum(migration), migration->checksum) == 0);
		nulls[5] = migration != newest;
		values[5] =
			nulls[5]
				? (Datum) 0
				: BoolGetDatum(strcmp(snapshot_fingerprint(inspect_schemas(migration->schemas)),
									  migration->after) != 0);
		values[6] = CStringGetTextDatum(migration->applied_by);
		values[7] = TimestampTzGetDatum(migration->applied_at);
		values[8] = Float8GetDatum(migration->milliseconds);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}
