/*
 * soft_delete.c
 *		Rows that are deleted stay, and say when that was.
 *
 * A DELETE of a table that has the trigger becomes an UPDATE when it is planned:
 * see rewrite.c.  The trigger itself is for the statement that loads this
 * library into its session, and so was planned before: that one deletes softly
 * as well, row by row, but counts and returns none.
 *
 * A row is deleted for good where a foreign key wants it so, for the row that it
 * refers to is gone, and where kints.soft_delete is off.  TRUNCATE would take
 * all rows without a word, and is refused.
 *
 * What one statement deletes, and what that entails, has one number, its batch.
 */
#include "triggers/triggers.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static const char *const option_names[] = { "column", "by", "batch", "clock", "reads" };

const KnTriggerKind soft_truncate_kind = {
	.function = "kints_soft_delete_truncate",
	.feature = "soft delete",
	.fires = "BEFORE TRUNCATE",
	.level = "FOR EACH STATEMENT",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_TRUNCATE,
	.beside = &soft_cascade_kind,
};

const KnTriggerKind soft_delete_kind = {
	.function = "kints_soft_delete",
	.feature = "soft delete",
	.fires = "BEFORE DELETE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW | TRIGGER_EVENT_DELETE,
	.column = "deleted_at",
	.options = option_names,
	.option_count = lengthof(option_names),
	.beside = &soft_truncate_kind,
};

static object_access_hook_type access_before = NULL;

static Oid find_batch_function(Oid schema);
static int64 next_batch(void);
static void check_place(ResultRelInfo *result, EState *estate, TupleTableSlot *row);
static void see_access(ObjectAccessType kind, Oid class, Oid object, int part, void *argument);
static void refuse_truncate(Relation relation);
static bool is_deleted(const KnSoftDelete *deletion, TriggerData *data);
static bool update_row(KnSoftDelete *deletion, TriggerData *data);
static RangeTblEntry *target_of(const KnSoftDelete *deletion, Relation relation);
static void add_updated(RangeTblEntry *target, const KnColumn *column);
static void set_value(TupleTableSlot *slot, const KnColumn *column, Datum value);

/* The trigger that makes a DELETE of the table a soft one; NULL: nothing does. */
const Trigger *
soft_delete_trigger(Relation relation)
{
	if (relation->trigdesc == NULL || !relation->trigdesc->trig_delete_before_row)
		return NULL;
	return trigger_find(relation, kints_soft_delete);
}

/* The column that says when; of that trigger, or, if it is NULL, where none names one. */
const char *
soft_delete_column(const Trigger *trigger)
{
	const char *column = trigger == NULL ? NULL : trigger_option(trigger, "column");

	return column == NULL ? soft_delete_kind.column : column;
}

/* What a trigger's arguments say, looked up in the table; in the current memory context. */
void
soft_delete_find(KnSoftDelete *deletion, Relation relation, const Trigger *trigger)
{
	const char *by = trigger_option(trigger, "by");
	const char *batch = trigger_option(trigger, "batch");

	trigger_check_options(&soft_delete_kind, trigger, relation);
	touch_find(&deletion->at,
			   relation,
			   soft_delete_column(trigger),
			   trigger_option(trigger, "clock"));
	deletion->has_by = by != NULL;
	if (by != NULL)
		soft_delete_find_by(&deletion->by, relation, by);
	deletion->has_batch = batch != NULL;
	if (batch != NULL)
	{
		soft_delete_find_batch(&deletion->batch, relation, batch);
		deletion->batch_function = find_batch_function(get_func_namespace(trigger->tgfoid));
		deletion->number = 0;
	}
}

/* kints_soft_delete_batch(), whoever may look into the schema. */
static Oid
find_batch_function(Oid schema)
{
	Oid function = GetSysCacheOid3(PROCNAMEARGSNSP,
								   Anum_pg_proc_oid,
								   CStringGetDatum("kints_soft_delete_batch"),
								   PointerGetDatum(buildoidvector(NULL, 0)),
								   ObjectIdGetDatum(schema));

	if (!OidIsValid(function))
		elog(ERROR, "function kints_soft_delete_batch() does not exist");
	return function;
}

/* A column for the number of the statement. */
void
soft_delete_find_batch(KnColumn *column, Relation relation, const char *name)
{
	column_find(column, relation, name);
	if (column->base != INT8OID)
		column_refuse_type(column, relation, "bigint");
}

/* A column for who has deleted it. */
void
soft_delete_find_by(KnColumn *column, Relation relation, const char *name)
{
	column_find(column, relation, name);
	if (column->base != TEXTOID && column->base != NAMEOID && column->base != VARCHAROID)
		column_refuse_type(column, relation, "text, character varying or name");
}

/* The value of such a column, for a role. */
Datum
soft_delete_by(KnColumn *column, Oid role)
{
	const char *name = GetUserNameFromId(role, false);

	switch (column->base)
	{
		case NAMEOID:
			return column_checked(column, DirectFunctionCall1(namein, CStringGetDatum(name)));
		case VARCHAROID:
			return column_checked(column,
								  DirectFunctionCall3(varcharin,
													  CStringGetDatum(name),
													  ObjectIdGetDatum(InvalidOid),
													  Int32GetDatum(column->typmod)));
		default:
			return column_checked(column, CStringGetTextDatum(name));
	}
}

/*
 * A number that no statement before has had, and none in a database that this
 * one's tables were taken from: it begins with the time.  No right to the
 * sequence is asked for.
 */
static int64
next_batch(void)
{
	Oid sequence = get_relname_relid("soft_delete_batch_seq", get_namespace_oid("kints", false));
	int64 milliseconds = GetCurrentTimestamp() / 1000;

	if (!OidIsValid(sequence))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("relation \"%s\" does not exist", "kints.soft_delete_batch_seq"));
	return (milliseconds << 20) | (nextval_internal(sequence, false) & 0xFFFFF);
}

void
soft_delete_init(void)
{
	access_before = object_access_hook;
	object_access_hook = see_access;
}

/* TRUNCATE of a partition fires no trigger of the table that it is part of. */
static void
see_access(ObjectAccessType kind, Oid class, Oid object, int part, void *argument)
{
	if (access_before != NULL)
		access_before(kind, class, object, part, argument);
	if (kind == OAT_TRUNCATE && class == RelationRelationId && kints_soft_delete_is_on &&
		get_rel_relispartition(object))
	{
		const ListCell *cell;

		foreach(cell, get_partition_ancestors(object))
		{
			Relation ancestor = table_open(lfirst_oid(cell), AccessShareLock);

			if (trigger_find(ancestor, kints_soft_delete_truncate) != NULL)
				refuse_truncate(ancestor);
			table_close(ancestor, NoLock);
		}
	}
}

static void
refuse_truncate(Relation relation)
{
	ereport(ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("table \"%s\" has soft delete, and cannot be truncated",
				   RelationGetRelationName(relation)),
			errhint("DELETE keeps the rows; to be rid of them set kints.soft_delete off before."),
			errtable(relation));
}

static bool
is_deleted(const KnSoftDelete *deletion, TriggerData *data)
{
	bool is_null;

	(void) heap_getattr(data->tg_trigtuple,
						deletion->at.column.number,
						RelationGetDescr(data->tg_relation),
						&is_null);
	return !is_null;
}

/*
 * Gives the row its new values as the executor does: triggers, indexes and
 * checks see to it, but nobody's rights to UPDATE, for it is deleted by who may
 * delete it.  False: a trigger has kept it as it was.
 */
static bool
update_row(KnSoftDelete *deletion, TriggerData *data)
{
	Relation relation = data->tg_relation;
	EState *estate = CreateExecutorState();
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *result = makeNode(ResultRelInfo);
	TupleTableSlot *before = table_slot_create(relation, &estate->es_tupleTable);
	TupleTableSlot *after = table_slot_create(relation, &estate->es_tupleTable);
	int width = RelationGetDescr(relation)->natts;
	EPQState epq;
	bool is_updated;

	ExecInitRangeTable(estate, list_make1(target_of(deletion, relation)));
	InitResultRelInfo(result, relation, 1, NULL, 0);
	estate->es_opened_result_relations = list_make1(result);
	estate->es_output_cid = GetCurrentCommandId(true);
	PushActiveSnapshot(GetTransactionSnapshot());
	estate->es_snapshot = GetActiveSnapshot();
	EvalPlanQualInit(&epq, estate, NULL, NIL, -1);
	AfterTriggerBeginQuery();
	ExecOpenIndices(result, false);
	ExecForceStoreHeapTuple(data->tg_trigtuple, before, false);
	ItemPointerCopy(&data->tg_trigtuple->t_self, &before->tts_tid);
	slot_getallattrs(before);
	memcpy(after->tts_values, before->tts_values, sizeof(Datum) * (Size) width);
	memcpy(after->tts_isnull, before->tts_isnull, sizeof(bool) * (Size) width);
	set_value(after, &deletion->at.column, touch_value(&deletion->at));
	if (deletion->has_by)
		set_value(after, &deletion->by, soft_delete_by(&deletion->by, GetUserId()));
	if (deletion->has_batch)
		set_value(after,
				  &deletion->batch,
				  column_checked(&deletion->batch,
								 Int64GetDatum(running_batch(&deletion->number, next_batch))));
	ExecStoreVirtualTuple(after);
	check_place(result, estate, after);
	ExecSimpleRelationUpdate(result, estate, &epq, before, after);
	/* A trigger may have said that it is not to be. */
	is_updated = ItemPointerIsValid(&after->tts_tid);
	AfterTriggerEndQuery(estate);
	EvalPlanQualEnd(&epq);
	ExecCloseResultRelations(estate);
	PopActiveSnapshot();
	ExecResetTupleTable(estate->es_tupleTable, false);
	MemoryContextSwitchTo(caller);
	FreeExecutorState(estate);
	return is_updated;
}

/* A partition cannot give the row to another one here. */
static void
check_place(ResultRelInfo *result, EState *estate, TupleTableSlot *row)
{
	Relation relation = result->ri_RelationDesc;

	if (!relation->rd_rel->relispartition || ExecPartitionCheck(result, row, estate, false))
		return;
	ereport(ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("a row that is deleted does not stay in partition \"%s\"",
				   RelationGetRelationName(relation)),
			errhint(running_is_known() ? "A DELETE moves it, and a MERGE cannot."
									   : "Now kints_norm is loaded: run the statement again."),
			errtable(relation));
}

/* Which columns are updated, for triggers that want to know. */
static RangeTblEntry *
target_of(const KnSoftDelete *deletion, Relation relation)
{
	RangeTblEntry *target = makeNode(RangeTblEntry);
	const char *version = version_column(relation);
	KnColumn column;

	target->rtekind = RTE_RELATION;
	target->relid = RelationGetRelid(relation);
	target->relkind = relation->rd_rel->relkind;
	target->rellockmode = RowExclusiveLock;
	add_updated(target, &deletion->at.column);
	if (deletion->has_by)
		add_updated(target, &deletion->by);
	if (deletion->has_batch)
		add_updated(target, &deletion->batch);
	if (version != NULL)
	{
		column_find(&column, relation, version);
		add_updated(target, &column);
	}
	return target;
}

static void
add_updated(RangeTblEntry *target, const KnColumn *column)
{
	target->updatedCols =
		bms_add_member(target->updatedCols, column->number - FirstLowInvalidHeapAttributeNumber);
}

static void
set_value(TupleTableSlot *slot, const KnColumn *column, Datum value)
{
	slot->tts_values[column->number - 1] = value;
	slot->tts_isnull[column->number - 1] = false;
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_soft_delete);
KN_FUNCTION(kints_soft_delete_truncate);
KN_FUNCTION(kints_soft_delete_batch);

/* kints_soft_delete() returns trigger */
Datum
kints_soft_delete(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &soft_delete_kind);
	KnSoftDelete *deletion = fcinfo->flinfo->fn_extra;

	if (data->tg_relation->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s\" is not a table", RelationGetRelationName(data->tg_relation)),
				errdetail_relkind_not_supported(data->tg_relation->rd_rel->relkind));
	if (running_lets_go(data->tg_relation))
		return PointerGetDatum(data->tg_trigtuple);
	if (deletion == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		deletion = palloc0(sizeof(*deletion));
		soft_delete_find(deletion, data->tg_relation, data->tg_trigger);
		fcinfo->flinfo->fn_extra = deletion;
		MemoryContextSwitchTo(caller);
	}
	if (!is_deleted(deletion, data) && update_row(deletion, data))
		running_has_kept();
	return PointerGetDatum(NULL);
}

/* kints_soft_delete_truncate() returns trigger */
Datum
kints_soft_delete_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &soft_truncate_kind);

	if (kints_soft_delete_is_on)
		refuse_truncate(data->tg_relation);
	return PointerGetDatum(NULL);
}

/* kints_soft_delete_batch() returns bigint */
Datum
kints_soft_delete_batch(PG_FUNCTION_ARGS)
{
	int64 *batch = fcinfo->flinfo->fn_extra;

	/* As many rows as there are, the statement is one. */
	if (batch == NULL)
		fcinfo->flinfo->fn_extra = batch =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(*batch));
	PG_RETURN_INT64(running_batch(batch, next_batch));
}
