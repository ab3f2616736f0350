/*
 * history_change.c
 *		Rows that are deleted or truncated, and those of partitions.
 *
 * What is deleted is kept after it is done.  So is what is updated in a
 * partition, for it may have moved to another one: then it is deleted there.
 * TRUNCATE knows no rows, and all that there are are written.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Of partitions. */
const KnTriggerKind history_row_kind = {
	.function = "kints_history",
	.feature = "history",
	.fires = "AFTER UPDATE OR DELETE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_ROW | TRIGGER_EVENT_UPDATE,
	.also = TRIGGER_EVENT_ROW | TRIGGER_EVENT_DELETE,
	.options = history_options,
	.option_count = KN_HISTORY_OPTIONS,
	.beside = &history_truncate_kind,
};

/* Of other tables: their updates are seen before. */
const KnTriggerKind history_delete_kind = {
	.function = "kints_history",
	.feature = "history",
	.fires = "AFTER DELETE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_ROW | TRIGGER_EVENT_DELETE,
	.options = history_options,
	.option_count = KN_HISTORY_OPTIONS,
};

const KnTriggerKind history_truncate_kind = {
	.function = "kints_history_truncate",
	.feature = "history",
	.fires = "BEFORE TRUNCATE",
	.level = "FOR EACH STATEMENT",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_TRUNCATE,
	.options = history_options,
	.option_count = KN_HISTORY_OPTIONS,
};

static object_access_hook_type access_before = NULL;

/* Tables that are being truncated by a command, of which others are parts. */
static List *truncated = NIL;
static LocalTransactionId truncated_in = InvalidLocalTransactionId;
static SubTransactionId truncated_part = InvalidSubTransactionId;
static CommandId truncated_by = InvalidCommandId;

static void see_access(ObjectAccessType kind, Oid class, Oid object, int part, void *argument);
static void see_truncate(Oid table);
static bool is_truncated(Oid table);
static void keep_updated(const KnHistory *history, TriggerData *data);
static void keep_deleted(const KnHistory *history, Relation relation, HeapTuple row);
static void keep_all(Relation relation);

void
history_change_init(void)
{
	access_before = object_access_hook;
	object_access_hook = see_access;
}

static void
see_access(ObjectAccessType kind, Oid class, Oid object, int part, void *argument)
{
	if (access_before != NULL)
		access_before(kind, class, object, part, argument);
	if (kind == OAT_TRUNCATE && class == RelationRelationId)
		see_truncate(object);
}

/*
 * TRUNCATE of a partition fires no trigger of the table that it is part of.
 * When that is truncated itself, it comes first.
 */
static void
see_truncate(Oid table)
{
	const ListCell *cell;

	if (get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

		truncated =
			is_truncated(InvalidOid) ? lappend_oid(truncated, table) : list_make1_oid(table);
		truncated_in = MyProc->lxid;
		truncated_part = GetCurrentSubTransactionId();
		truncated_by = GetCurrentCommandId(false);
		MemoryContextSwitchTo(caller);
	}
	if (!get_rel_relispartition(table))
		return;
	foreach(cell, get_partition_ancestors(table))
	{
		Relation ancestor;
		bool has_history;

		if (is_truncated(lfirst_oid(cell)))
			continue;
		ancestor = table_open(lfirst_oid(cell), AccessShareLock);
		has_history = trigger_find(ancestor, kints_history_truncate) != NULL;
		table_close(ancestor, NoLock);
		if (has_history)
			ereport(ERROR,
					errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("partition \"%s\" has a history, and cannot be truncated by itself",
						   get_rel_name(table)),
					errhint("DELETE its rows, or truncate table \"%s\".",
							get_rel_name(lfirst_oid(cell))));
	}
}

/* Whether the current command truncates the table; InvalidOid: any. */
static bool
is_truncated(Oid table)
{
	return truncated_in == MyProc->lxid && truncated_part == GetCurrentSubTransactionId() &&
		   truncated_by == GetCurrentCommandId(false) &&
		   (table == InvalidOid || list_member_oid(truncated, table));
}

/* Of a partition. */
static void
keep_updated(const KnHistory *history, TriggerData *data)
{
	TimestampTz start = history_start_of(history, data->tg_trigtuple, data->tg_relation);
	TimestampTz end = history_start_of(history, data->tg_newtuple, data->tg_relation);

	/* Otherwise it is still the same, or was so for this transaction alone. */
	if (end > start)
		history_keep(history, data->tg_relation, data->tg_trigtuple, start, end);
}

static void
keep_deleted(const KnHistory *history, Relation relation, HeapTuple row)
{
	TimestampTz start = history_start_of(history, row, relation);

	if (!history_is_unseen(history, row, start))
		history_keep(history, relation, row, start, history_next(history, row, start, relation));
}

/* Of a table that is to be truncated, or a partition of one. */
static void
keep_all(Relation relation)
{
	const Trigger *trigger = trigger_find(relation, kints_history_stamp);
	KnHistory history = { 0 };
	TupleTableSlot *slot;
	Snapshot snapshot;
	TableScanDesc scan;

	if (relation->rd_rel->relkind != RELKIND_RELATION || trigger == NULL)
		return;
	history_read(&history, &history_stamp_kind, relation, trigger);
	slot = table_slot_create(relation, NULL);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = table_beginscan(relation, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		keep_deleted(&history, relation, ExecFetchSlotHeapTuple(slot, false, NULL));
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_history);
KN_FUNCTION(kints_history_truncate);

/* kints_history() returns trigger */
Datum
kints_history(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &history_row_kind);
	const KnHistory *history = history_of(fcinfo, &history_row_kind, data);

	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
		keep_deleted(history, data->tg_relation, data->tg_trigtuple);
	else if (data->tg_relation->rd_rel->relispartition)
		keep_updated(history, data);
	/* Nobody sees the end of the statement that has loaded this library. */
	if (!running_is_known() && !IsLogicalWorker())
		history_keep_flush();
	return PointerGetDatum(NULL);
}

/* kints_history_truncate() returns trigger */
Datum
kints_history_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &history_truncate_kind);
	const ListCell *cell;

	/* Heirs have triggers of their own, or none. */
	if (data->tg_relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		foreach(cell, find_all_inheritors(RelationGetRelid(data->tg_relation), NoLock, NULL))
		{
			Relation part = table_open(lfirst_oid(cell), AccessExclusiveLock);

			keep_all(part);
			table_close(part, NoLock);
		}
	}
	else
		keep_all(data->tg_relation);
	history_keep_flush();
	return PointerGetDatum(NULL);
}
