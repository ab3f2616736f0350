/*
 * history_write.c
 *		Old rows go into the history.
 *
 * They are put into the table as they are, many at a time where there is nothing
 * else to be done for them: nobody needs a right to it.  It has to belong to whom the table belongs
 *to, or everybody could write into other people's tables by a trigger of their own.
 */
#include "triggers/triggers.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

/* So many rows are put into the table at a time. */
#define ROWS 64

static void check_table(const KnWriter *writer);
static void map_columns(KnWriter *writer);
static bool holds(int32 typmod, int32 other);
static AttrNumber number_of(TupleDesc shape, const char *name);
static void refuse_difference(const KnWriter *writer, Form_pg_attribute attribute,
							  Form_pg_attribute other);
static void open_result(KnWriter *writer);
static TupleTableSlot *next_slot(KnWriter *writer);
static void flush(KnWriter *writer);
static void insert_one(KnWriter *writer, TupleTableSlot *slot);
static Datum range_of(KnWriter *writer, TimestampTz start, TimestampTz end);

/*
 * Where the table is that a trigger of another one names: in the same schema,
 * unless it says another one.  Partitions have that of the table that they are
 * parts of.  last: the name without the schema.
 */
Oid
history_schema(Oid table, const char *name, const char **last)
{
	List *ancestors = get_partition_ancestors(table);
#if PG_VERSION_NUM >= 160000
	List *names = stringToQualifiedNameList(name, NULL);
#else
	List *names = stringToQualifiedNameList(name);
#endif

	*last = strVal(llast(names));
	if (list_length(names) > 1)
		return get_namespace_oid(strVal(list_nth(names, list_length(names) - 2)), false);
	return get_rel_namespace(ancestors == NIL ? table : llast_oid(ancestors));
}

/* The table itself. */
Oid
history_table(Oid table, const char *name)
{
	const char *last;
	Oid schema = history_schema(table, name, &last);
	Oid found = get_relname_relid(last, schema);

	if (!OidIsValid(found))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table \"%s\" for the history of table \"%s\" does not exist",
					   name,
					   get_rel_name(table)));
	return found;
}

/* To be closed by history_close(), if not by an error. */
void
history_open(KnWriter *writer, const KnHistory *history, Relation relation)
{
	memset(writer, 0, sizeof(*writer));
	writer->history = history;
	writer->relation = relation;
	writer->table =
		table_open(history_table(RelationGetRelid(relation), history->name), RowExclusiveLock);
	writer->rows = AllocSetContextCreate(CurrentMemoryContext, "old rows", ALLOCSET_DEFAULT_SIZES);
	check_table(writer);
	map_columns(writer);
	open_result(writer);
}

/* An error if the old rows of a table could not be written as they are. */
void
history_check(Relation relation, const KnHistory *history)
{
	KnWriter writer = {
		.history = history,
		.relation = relation,
		.table =
			table_open(history_table(RelationGetRelid(relation), history->name), AccessShareLock),
	};

	check_table(&writer);
	map_columns(&writer);
	table_close(writer.table, NoLock);
}

static void
check_table(const KnWriter *writer)
{
	Form_pg_class table = writer->table->rd_rel;

	if (table->relkind != RELKIND_RELATION && table->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s\" is not a table", RelationGetRelationName(writer->table)),
				errdetail_relkind_not_supported(table->relkind));
	if (RelationGetRelid(writer->table) == RelationGetRelid(writer->relation))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("table \"%s\" cannot be its own history",
					   RelationGetRelationName(writer->relation)),
				errtable(writer->table));
	if (table->relowner != writer->relation->rd_rel->relowner)
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("table \"%s\" and its history \"%s\" belong to different roles",
					   RelationGetRelationName(writer->relation),
					   RelationGetRelationName(writer->table)),
				errtable(writer->table));
}

/* Columns go together by their names. */
static void
map_columns(KnWriter *writer)
{
	TupleDesc shape = RelationGetDescr(writer->relation);
	TupleDesc table = RelationGetDescr(writer->table);
	const KnPeriod *period = &writer->history->period;

	writer->from = palloc0(sizeof(AttrNumber) * (Size) table->natts);
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		AttrNumber number;

		if (attribute->attisdropped ||
			sqltext_member(writer->history->excluded, NameStr(attribute->attname)))
			continue;
		number = number_of(table, NameStr(attribute->attname));
		if (number == 0)
			refuse_difference(writer, attribute, NULL);
		if (TupleDescAttr(table, number - 1)->atttypid != attribute->atttypid ||
			!holds(TupleDescAttr(table, number - 1)->atttypmod, attribute->atttypmod))
			refuse_difference(writer, attribute, TupleDescAttr(table, number - 1));
		writer->from[number - 1] = attribute->attnum;
		if (attribute->attnum == period->from.number)
			writer->at = number;
		if (!period->is_range && attribute->attnum == period->until.number)
			writer->until = number;
	}
}

/* Whether a column of that precision has room for all values of another one of its type. */
static bool
holds(int32 typmod, int32 other)
{
	return typmod < 0 || typmod == other;
}

/* 0: there is none. */
static AttrNumber
number_of(TupleDesc shape, const char *name)
{
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return attribute->attnum;
	}
	return 0;
}

/* other: the column of that name; NULL: there is none. */
static void
refuse_difference(const KnWriter *writer, Form_pg_attribute attribute, Form_pg_attribute other)
{
	if (other == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("history \"%s\" of table \"%s\" has no column \"%s\"",
					   RelationGetRelationName(writer->table),
					   RelationGetRelationName(writer->relation),
					   NameStr(attribute->attname)),
				errtable(writer->table));
	ereport(
		ERROR,
		errcode(ERRCODE_DATATYPE_MISMATCH),
		errmsg("column \"%s\" of table \"%s\" is of type %s, but of type %s in its history \"%s\"",
			   NameStr(attribute->attname),
			   RelationGetRelationName(writer->relation),
			   format_type_with_typemod(attribute->atttypid, attribute->atttypmod),
			   format_type_with_typemod(other->atttypid, other->atttypmod),
			   RelationGetRelationName(writer->table)),
		errtablecol(writer->table, other->attnum));
}

/* What the executor needs to insert rows. */
static void
open_result(KnWriter *writer)
{
	EState *estate = CreateExecutorState();
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	RangeTblEntry *target = makeNode(RangeTblEntry);

	writer->estate = estate;
	target->rtekind = RTE_RELATION;
	target->relid = RelationGetRelid(writer->table);
	target->relkind = writer->table->rd_rel->relkind;
	target->rellockmode = RowExclusiveLock;
	ExecInitRangeTable(estate, list_make1(target));
	estate->es_output_cid = GetCurrentCommandId(true);
	writer->result = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->result, writer->table, 1, NULL, 0);
	estate->es_opened_result_relations = list_make1(writer->result);
	writer->is_simple = writer->table->rd_rel->relkind == RELKIND_RELATION &&
						writer->table->trigdesc == NULL && !writer->table->rd_rel->relispartition &&
						(writer->table->rd_att->constr == NULL ||
						 !writer->table->rd_att->constr->has_generated_stored);
	if (writer->table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		writer->routing = makeNode(ModifyTableState);
		writer->routing->ps.state = estate;
		writer->routing->operation = CMD_INSERT;
		writer->routing->resultRelInfo = writer->result;
		writer->partitions = ExecSetupPartitionTupleRouting(estate, writer->table);
	}
	else
		ExecOpenIndices(writer->result, false);
	if (writer->is_simple)
		writer->bulk = GetBulkInsertState();
	else
	{
		AfterTriggerBeginQuery();
		PushActiveSnapshot(GetTransactionSnapshot());
		estate->es_snapshot = GetActiveSnapshot();
	}
	writer->slots = palloc0(sizeof(TupleTableSlot *) * ROWS);
	MemoryContextSwitchTo(caller);
}

/* A row that was so from start up to end. */
void
history_write(KnWriter *writer, TupleTableSlot *row, TimestampTz start, TimestampTz end)
{
	TupleTableSlot *slot = next_slot(writer);
	int width = slot->tts_tupleDescriptor->natts;
	MemoryContext caller = MemoryContextSwitchTo(writer->rows);

	slot_getallattrs(row);
	for (int i = 0; i < width; i++)
	{
		AttrNumber from = writer->from[i];

		slot->tts_isnull[i] = from == 0 || row->tts_isnull[from - 1];
		slot->tts_values[i] = from == 0 ? (Datum) 0 : row->tts_values[from - 1];
	}
	slot->tts_isnull[writer->at - 1] = false;
	if (writer->history->period.is_range)
		slot->tts_values[writer->at - 1] = range_of(writer, start, end);
	else
	{
		slot->tts_values[writer->at - 1] = TimestampTzGetDatum(start);
		slot->tts_values[writer->until - 1] = TimestampTzGetDatum(end);
		slot->tts_isnull[writer->until - 1] = false;
	}
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(caller);
	if (writer->table->rd_att->constr != NULL && writer->is_simple)
		ExecConstraints(writer->result, slot, writer->estate);
	if (!writer->is_simple)
	{
		insert_one(writer, slot);
		ExecClearTuple(slot);
		MemoryContextReset(writer->rows);
		return;
	}
	/* The row it is of will be another one by the time that it is put there. */
	ExecMaterializeSlot(slot);
	if (++writer->count == ROWS)
		flush(writer);
}

/* As a rule it is the same for all rows of a statement. */
static Datum
range_of(KnWriter *writer, TimestampTz start, TimestampTz end)
{
	if (writer->range == (Datum) 0 || writer->start != start || writer->end != end)
	{
		MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);

		if (writer->range != (Datum) 0)
			pfree(DatumGetPointer(writer->range));
		writer->range = history_range(start, end, true);
		writer->start = start;
		writer->end = end;
		MemoryContextSwitchTo(caller);
	}
	return writer->range;
}

static TupleTableSlot *
next_slot(KnWriter *writer)
{
	TupleTableSlot **slot = &writer->slots[writer->count];

	if (*slot == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);

		*slot = table_slot_create(writer->table, &writer->estate->es_tupleTable);
		MemoryContextSwitchTo(caller);
	}
	ExecClearTuple(*slot);
	return *slot;
}

/* Puts the rows into the table that wait for it. */
static void
flush(KnWriter *writer)
{
	if (writer->count == 0)
		return;
	table_multi_insert(writer->table,
					   writer->slots,
					   writer->count,
					   writer->estate->es_output_cid,
					   0,
					   writer->bulk);
	for (int i = 0; i < writer->count; i++)
	{
		if (writer->result->ri_NumIndices > 0)
		{
			writer->slots[i]->tts_tableOid = RelationGetRelid(writer->table);
			list_free(ExecInsertIndexTuples(writer->result,
											writer->slots[i],
											writer->estate,
											false,
											false,
											NULL,
											NIL
#if PG_VERSION_NUM >= 160000
											,
											false
#endif
											));
			ResetPerTupleExprContext(writer->estate);
		}
		ExecClearTuple(writer->slots[i]);
	}
	writer->count = 0;
	MemoryContextReset(writer->rows);
}

/* With all that the executor does for a row: partitions, triggers, constraints. */
static void
insert_one(KnWriter *writer, TupleTableSlot *slot)
{
	EState *estate = writer->estate;
	/* What triggers keep for the next row has to be there then. */
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *result = writer->result;

	if (writer->routing != NULL)
	{
		result =
			ExecFindPartition(writer->routing, writer->result, writer->partitions, slot, estate);
		if (result->ri_RootToPartitionMap != NULL)
			slot = execute_attr_map_slot(result->ri_RootToPartitionMap->attrMap,
										 slot,
										 result->ri_PartitionTupleSlot);
	}
	ExecSimpleRelationInsert(result, estate, slot);
	MemoryContextSwitchTo(caller);
	ResetPerTupleExprContext(estate);
}

void
history_close(KnWriter *writer)
{
	flush(writer);
	if (writer->is_simple)
	{
		FreeBulkInsertState(writer->bulk);
		table_finish_bulk_insert(writer->table, 0);
	}
	else
	{
		AfterTriggerEndQuery(writer->estate);
		PopActiveSnapshot();
	}
	if (writer->routing != NULL)
		ExecCleanupTupleRouting(writer->routing, writer->partitions);
	ExecCloseResultRelations(writer->estate);
	ExecResetTupleTable(writer->estate->es_tupleTable, false);
	FreeExecutorState(writer->estate);
	MemoryContextDelete(writer->rows);
	table_close(writer->table, NoLock);
}
