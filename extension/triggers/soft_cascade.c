/*
 * soft_cascade.c
 *		What refers to a row that is deleted and yet stays.
 *
 * To foreign keys nothing has happened.  So a trigger sees to it: rows of tables
 * that have soft delete themselves are deleted with it, in the same batch, or it
 * is refused while there are any.  As for an action of a foreign key, the owner
 * of the other table is who does it: nobody needs rights there.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static const char *const option_names[] = { "column", "batch", "mode" };

const KnTriggerKind soft_cascade_kind = {
	.function = "kints_soft_delete_cascade",
	.feature = "soft delete",
	.fires = "AFTER UPDATE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_ROW | TRIGGER_EVENT_UPDATE,
	.column = "deleted_at",
	.options = option_names,
	.option_count = lengthof(option_names),
};

/* One foreign key that refers to the table. */
typedef struct KnEntailed
{
	KnReference *reference;
	bool is_restricted; /* what is asked for is whether there is a row */
	SPIPlanPtr plan;
} KnEntailed;

typedef struct KnCascade
{
	KnColumn at;
	KnColumn batch;
	bool has_batch;
	List *entailed;
	MemoryContextCallback at_end;
} KnCascade;

/* Who has deleted the first row of those that entail each other. */
static Oid deleter = InvalidOid;

static KnCascade *cascade_of(FunctionCallInfo fcinfo, TriggerData *data);
static void find_entailed(KnCascade *cascade, TriggerData *data, bool is_restricted);
static KnEntailed *entail(KnCascade *cascade, KnReference *reference, Relation relation,
						  Relation child, bool is_restricted);
static const char *deletion_of(const KnEntailed *entailed, Relation child, const Trigger *trigger);
static const char *question_of(const KnReference *reference, const Trigger *trigger);
static void prepare(const KnCascade *cascade, KnEntailed *entailed, const char *sql);
static void free_plans(void *argument);
static void carry_out_all(KnCascade *cascade, TriggerData *data);
static void lock_row(TriggerData *data);
static void carry_out(KnCascade *cascade, KnEntailed *entailed, TriggerData *data);
static void refuse_rows(const KnReference *reference, TriggerData *data) pg_attribute_noreturn();
static bool find_batch(const KnCascade *cascade, TriggerData *data, Datum *batch);
static bool is_referred(const KnReference *reference, Datum *values);
static void refuse_batch(TriggerData *data) pg_attribute_noreturn();

/* What is to be done, found once a statement. */
static KnCascade *
cascade_of(FunctionCallInfo fcinfo, TriggerData *data)
{
	KnCascade *cascade = fcinfo->flinfo->fn_extra;
	const Trigger *trigger = data->tg_trigger;
	const char *column;
	const char *batch;
	const char *mode;
	MemoryContext caller;

	if (cascade != NULL)
		return cascade;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	trigger_check_options(&soft_cascade_kind, trigger, data->tg_relation);
	column = trigger_option(trigger, "column");
	batch = trigger_option(trigger, "batch");
	mode = trigger_option(trigger, "mode");
	cascade = palloc0(sizeof(*cascade));
	column_find(&cascade->at,
				data->tg_relation,
				column == NULL ? soft_cascade_kind.column : column);
	cascade->has_batch = batch != NULL;
	if (batch != NULL)
		soft_delete_find_batch(&cascade->batch, data->tg_relation, batch);
	cascade->at_end.func = free_plans;
	cascade->at_end.arg = cascade;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &cascade->at_end);
	find_entailed(cascade, data, mode != NULL && strcmp(mode, "restrict") == 0);
	fcinfo->flinfo->fn_extra = cascade;
	MemoryContextSwitchTo(caller);
	return cascade;
}

static void
find_entailed(KnCascade *cascade, TriggerData *data, bool is_restricted)
{
	const ListCell *cell;

	foreach(cell, reference_list(data->tg_relation))
	{
		KnReference *reference = lfirst(cell);
		Relation child = table_open(reference->table, RowExclusiveLock);
		KnEntailed *entailed = entail(cascade, reference, data->tg_relation, child, is_restricted);

		if (entailed != NULL)
			cascade->entailed = lappend(cascade->entailed, entailed);
		table_close(child, NoLock);
	}
}

/* NULL: nothing, for its rows stay as they are. */
static KnEntailed *
entail(KnCascade *cascade, KnReference *reference, Relation relation, Relation child,
	   bool is_restricted)
{
	const Trigger *trigger = soft_delete_trigger(child);
	KnEntailed *entailed;

	if ((trigger == NULL && !is_restricted) || reference->forgets)
		return NULL;
	entailed = palloc0(sizeof(*entailed));
	entailed->reference = reference;
	/* Whose rows those are has not agreed that they go with another's. */
	entailed->is_restricted =
		is_restricted ||
		(!reference->cascades && child->rd_rel->relowner != relation->rd_rel->relowner);
	if (!entailed->is_restricted && trigger_option(trigger, "batch") == NULL)
		ereport(
			ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("rows of table \"%s\" cannot be deleted with those of table \"%s\" that they "
				   "refer to",
				   RelationGetRelationName(child),
				   RelationGetRelationName(relation)),
			errdetail("Its soft delete has no column for the batch, and nobody could restore "
					  "them together."),
			errtable(child));
	prepare(cascade,
			entailed,
			entailed->is_restricted ? question_of(reference, trigger)
									: deletion_of(entailed, child, trigger));
	return entailed;
}

/* The UPDATE that deletes the rows, as rewrite.c would have it. */
static const char *
deletion_of(const KnEntailed *entailed, Relation child, const Trigger *trigger)
{
	const char *by = trigger_option(trigger, "by");
	const char *version = version_column(child);
	const char *column = sqltext_identifier(soft_delete_column(trigger));
	int count = entailed->reference->count;

	return sqltext_concat(
		"UPDATE ",
		reference_target(entailed->reference),
		" SET ",
		column,
		psprintf(" = $%d, ", count + 1),
		by == NULL ? ""
				   : sqltext_concat(sqltext_identifier(by), psprintf(" = $%d, ", count + 2), NULL),
		sqltext_identifier(trigger_option(trigger, "batch")),
		psprintf(" = $%d", count + 3),
		version == NULL ? ""
						: sqltext_concat(", ",
										 sqltext_identifier(version),
										 " = ",
										 sqltext_identifier(version),
										 NULL),
		" WHERE ",
		reference_children(entailed->reference),
		" AND ",
		column,
		" IS NULL",
		NULL);
}

/* Whether there is a row, of those that are not deleted. */
static const char *
question_of(const KnReference *reference, const Trigger *trigger)
{
	return sqltext_concat("SELECT FROM ",
						  reference_target(reference),
						  " WHERE ",
						  reference_children(reference),
						  trigger == NULL
							  ? ""
							  : sqltext_concat(" AND ",
											   sqltext_identifier(soft_delete_column(trigger)),
											   " IS NULL",
											   NULL),
						  " LIMIT 1",
						  NULL);
}

static void
prepare(const KnCascade *cascade, KnEntailed *entailed, const char *sql)
{
	Oid types[INDEX_MAX_KEYS + 3];
	int count = reference_types(entailed->reference, types);

	if (!entailed->is_restricted)
	{
		types[count] = cascade->at.base;
		types[count + 1] = TEXTOID;
		types[count + 2] = INT8OID;
		count += 3;
	}
	entailed->plan = owner_prepare(entailed->reference->table, sql, count, types);
}

static void
free_plans(void *argument)
{
	const KnCascade *cascade = argument;
	const ListCell *cell;

	foreach(cell, cascade->entailed)
		SPI_freeplan(((KnEntailed *) lfirst(cell))->plan);
}

static void
carry_out(KnCascade *cascade, KnEntailed *entailed, TriggerData *data)
{
	const KnReference *reference = entailed->reference;
	int keys = reference->count;
	Datum values[INDEX_MAX_KEYS + 3];
	TupleDesc shape = RelationGetDescr(data->tg_relation);
	bool is_null;

	for (int i = 0; i < keys; i++)
	{
		values[i] = heap_getattr(data->tg_newtuple, reference->to[i], shape, &is_null);
		if (is_null)
			return;
	}
	if (entailed->is_restricted)
	{
		if (owner_execute(reference->table, entailed->plan, values, NULL) > 0)
			refuse_rows(reference, data);
		return;
	}
	values[keys] = heap_getattr(data->tg_newtuple, cascade->at.number, shape, &is_null);
	values[keys + 1] = CStringGetTextDatum(GetUserNameFromId(deleter, false));
	if (find_batch(cascade, data, &values[keys + 2]))
		(void) owner_execute(reference->table, entailed->plan, values, NULL);
	else if (is_referred(reference, values))
		refuse_batch(data);
}

static void
refuse_rows(const KnReference *reference, TriggerData *data)
{
	ereport(ERROR,
			errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			errmsg("a row of table \"%s\" cannot be deleted, for rows of table \"%s\" refer to it",
				   RelationGetRelationName(data->tg_relation),
				   get_rel_name(reference->table)),
			errdetail("They do so by foreign key \"%s\".", reference->constraint),
			errtable(data->tg_relation));
}

/* The number by which all of it can be restored together; false: the row has none of its own. */
static bool
find_batch(const KnCascade *cascade, TriggerData *data, Datum *batch)
{
	TupleDesc shape = RelationGetDescr(data->tg_relation);
	bool was_null;
	bool is_null;
	Datum old;

	if (!cascade->has_batch)
		return false;
	old = heap_getattr(data->tg_trigtuple, cascade->batch.number, shape, &was_null);
	*batch = heap_getattr(data->tg_newtuple, cascade->batch.number, shape, &is_null);
	return !is_null && (was_null || DatumGetInt64(old) != DatumGetInt64(*batch));
}

/* Whether there are rows that would have to be deleted. */
static bool
is_referred(const KnReference *reference, Datum *values)
{
	Relation child = table_open(reference->table, AccessShareLock);
	Oid types[INDEX_MAX_KEYS];
	int count = reference_types(reference, types);
	SPIPlanPtr plan = owner_prepare(reference->table,
									question_of(reference, soft_delete_trigger(child)),
									count,
									types);
	bool is_there = owner_execute(reference->table, plan, values, NULL) > 0;

	SPI_freeplan(plan);
	table_close(child, NoLock);
	return is_there;
}

static void
refuse_batch(TriggerData *data)
{
	ereport(
		ERROR,
		errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		errmsg("a row of table \"%s\" is deleted without a number of its own for the batch",
			   RelationGetRelationName(data->tg_relation)),
		errdetail("Other rows would be deleted with it, and nobody could restore them together."),
		errhint("DELETE gives it one, and so does kints_soft_delete_batch()."),
		errtable(data->tg_relation));
}

/* Whoever refers to the row by now is waited for, and nobody else can until all is done. */
static void
lock_row(TriggerData *data)
{
	TupleTableSlot *slot = table_slot_create(data->tg_relation, NULL);
	ItemPointerData place = data->tg_newtuple->t_self;
	TM_FailureData failure;

	/* What the statement has made of the row is not to be seen by its own command. */
	CommandCounterIncrement();
	/* If the row is not as it was any more, another call of the trigger sees to it. */
	(void) table_tuple_lock(data->tg_relation,
							&place,
							GetActiveSnapshot(),
							slot,
							GetCurrentCommandId(true),
							LockTupleExclusive,
							LockWaitBlock,
							0,
							&failure);
	ExecDropSingleTupleTableSlot(slot);
}

/* All of it, for one row. */
static void
carry_out_all(KnCascade *cascade, TriggerData *data)
{
	Oid before = deleter;
	const ListCell *cell;

	if (cascade->entailed == NIL)
		return;
	lock_row(data);
	if (!OidIsValid(deleter))
		deleter = GetUserId();
	PG_TRY();
	{
		foreach(cell, cascade->entailed)
			carry_out(cascade, lfirst(cell), data);
	}
	PG_FINALLY();
	{
		deleter = before;
	}
	PG_END_TRY();
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_soft_delete_cascade);

/* kints_soft_delete_cascade() returns trigger */
Datum
kints_soft_delete_cascade(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &soft_cascade_kind);

	carry_out_all(cascade_of(fcinfo, data), data);
	return PointerGetDatum(NULL);
}
