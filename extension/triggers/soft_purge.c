/*
 * soft_purge.c
 *		Rows that were deleted softly long ago are deleted for good.
 *
 * Some at a time, each time in a transaction of its own where that can be.
 * Tables that refer to others come first.  A row is locked, and then looked for
 * by whom it is referred to, as the owners of those tables: what others have
 * inserted meanwhile is seen, and nobody can insert any more.  It goes if
 * nothing refers to it, and so takes nothing with it.  Rows that somebody has
 * locked stay for the next time.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Columns of the query for rows before what is referred to: ctid. */
#define FIXED_COLUMNS 1

typedef struct KnPurge
{
	Datum before;   /* timestamptz: what was deleted then may go */
	int rows;       /* how many at a time */
	bool is_atomic; /* there is a transaction around it all */
} KnPurge;

/* What is done at a time. */
typedef struct KnPurged
{
	const KnPurge *how;
	Relation relation;
	const char *sql;
	Datum places; /* tid[] */
	List *rows;   /* KnRow */
	uint64 deleted;
} KnPurged;

/* Rows of one table that may go; there may be very many. */
typedef struct KnPlaces
{
	ItemPointerData *items;
	Size count;
	Size room;
} KnPlaces;

static List *tables_of(Oid table, List *tables, List **seen);
static int64 purge(const KnPurge *how, const List *tables);
static int64 purge_table(const KnPurge *how, Oid table);
static void find_places(const KnPurge *how, Oid table, KnPlaces *places);
static void take_place(HeapTuple row, TupleDesc shape, void *argument);
static const char *condition_of(Relation relation);
static uint64 purge_some(const KnPurge *how, Oid table, const ItemPointerData *places, Size count);
static Datum places_array(const ItemPointerData *places, Size count);
static void lock_rows(void *argument);
static void delete_rows(void *argument);
static List *unreferred(const KnPurged *purged, List *references);
static bool is_referred(const KnReference *reference, SPIPlanPtr plan, const KnRow *row, int first,
						Oid table);
static SPIPlanPtr question_of(const KnReference *reference);

/* The table and those that refer to it, these first; what the caller does not own is left out. */
static List *
tables_of(Oid table, List *tables, List **seen)
{
	Relation relation;
	List *references;
	bool is_soft;
	const ListCell *cell;

	check_stack_depth();
	if (list_member_oid(*seen, table))
		return tables;
	*seen = lappend_oid(*seen, table);
	relation = table_open(table, AccessShareLock);
	is_soft = soft_delete_trigger(relation) != NULL && attach_is_owner(table);
	references = reference_list(relation);
	table_close(relation, NoLock);
	if (!is_soft)
		return tables;
	foreach(cell, references)
		tables = tables_of(((const KnReference *) lfirst(cell))->table, tables, seen);
	/* Each partition is a table by itself, which may be referred to by itself. */
	foreach(cell, find_inheritance_children(table, AccessShareLock))
		tables = tables_of(lfirst_oid(cell), tables, seen);
	return get_rel_relkind(table) == RELKIND_RELATION ? lappend_oid(tables, table) : tables;
}

/* Until none can be purged any more; a row may have been the last that referred to another one. */
static int64
purge(const KnPurge *how, const List *tables)
{
	int64 all = 0;
	int64 before;

	do
	{
		const ListCell *cell;

		before = all;
		foreach(cell, tables)
			all += purge_table(how, lfirst_oid(cell));
	} while (all > before);
	return all;
}

static int64
purge_table(const KnPurge *how, Oid table)
{
	KnPlaces places = { 0 };
	int64 all = 0;
	Size next = 0;

	find_places(how, table, &places);
	while (next < places.count)
	{
		Size count = Min(places.count - next, (Size) how->rows);
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
													  "rows to be purged",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext caller = MemoryContextSwitchTo(context);

		all += (int64) purge_some(how, table, places.items + next, count);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
		next += count;
		elog(DEBUG1, "purged " INT64_FORMAT " rows of table \"%s\"", all, get_rel_name(table));
		if (!how->is_atomic)
			SPI_commit();
		CHECK_FOR_INTERRUPTS();
	}
	if (places.items != NULL)
		pfree(places.items);
	return all;
}

/* Where the rows are; they are looked at again when it is their turn. */
static void
find_places(const KnPurge *how, Oid table, KnPlaces *places)
{
	Relation relation = attach_open(table, RowExclusiveLock);
	Oid type = TIMESTAMPTZOID;
	Datum value = how->before;
	KnOwner before;

	if (soft_delete_trigger(relation) != NULL)
	{
		owner_begin(&before, table);
		query_rows(sqltext_concat("SELECT t.ctid FROM ONLY ",
								  attach_table(relation),
								  " AS t WHERE ",
								  condition_of(relation),
								  NULL),
				   1,
				   &type,
				   &value,
				   take_place,
				   places);
		owner_end(&before);
	}
	table_close(relation, NoLock);
}

static void
take_place(HeapTuple row, TupleDesc shape, void *argument)
{
	KnPlaces *places = argument;
	bool is_null;
	Datum place = heap_getattr(row, 1, shape, &is_null);

	if (is_null)
		return;
	if (places->items == NULL)
	{
		places->room = 1024;
		places->items = palloc(places->room * sizeof(ItemPointerData));
	}
	if (places->count == places->room)
	{
		places->room *= 2;
		places->items = repalloc_huge(places->items, places->room * sizeof(ItemPointerData));
	}
	ItemPointerCopy((ItemPointer) DatumGetPointer(place), &places->items[places->count]);
	places->count++;
}

/* Of the rows that may go. */
static const char *
condition_of(Relation relation)
{
	return sqltext_concat(sqltext_qualified("t", soft_delete_column(soft_delete_trigger(relation))),
						  " OPERATOR(pg_catalog.<) $1",
						  NULL);
}

/* How many rows it were; the table is there again in each transaction, or is not any more. */
static uint64
purge_some(const KnPurge *how, Oid table, const ItemPointerData *places, Size count)
{
	Relation relation = attach_open(table, RowExclusiveLock);
	KnPurged purged = { .how = how, .relation = relation };

	if (soft_delete_trigger(relation) != NULL)
	{
		List *references = reference_list(relation);
		List *free_rows;

		purged.places = places_array(places, count);
		purged.sql = sqltext_concat("SELECT t.ctid",
									reference_columns(references, "t"),
									" FROM ONLY ",
									attach_table(relation),
									" AS t WHERE ",
									condition_of(relation),
									" AND t.ctid OPERATOR(pg_catalog.=) ANY ($2)"
									" FOR UPDATE OF t SKIP LOCKED",
									NULL);
		lock_rows(&purged);
		free_rows = unreferred(&purged, references);
		if (free_rows != NIL)
		{
			ItemPointerData *items =
				palloc(sizeof(ItemPointerData) * (Size) list_length(free_rows));
			const ListCell *cell;

			foreach(cell, free_rows)
				items[foreach_current_index(cell)] =
					*(ItemPointer) DatumGetPointer(((const KnRow *) lfirst(cell))->values[0]);
			purged.places = places_array(items, (Size) list_length(free_rows));
			purged.sql = sqltext_concat("DELETE FROM ONLY ",
										attach_table(relation),
										" AS t WHERE ",
										condition_of(relation),
										" AND t.ctid OPERATOR(pg_catalog.=) ANY ($2)",
										NULL);
			running_delete_for_good(purged.sql, delete_rows, &purged);
		}
	}
	table_close(relation, NoLock);
	return purged.deleted;
}

static Datum
places_array(const ItemPointerData *places, Size count)
{
	Datum *items = palloc(sizeof(Datum) * count);

	for (Size i = 0; i < count; i++)
		items[i] = PointerGetDatum(&places[i]);
	return PointerGetDatum(construct_array(items,
										   (int) count,
										   TIDOID,
										   sizeof(ItemPointerData),
										   false,
										   TYPALIGN_SHORT));
}

static void
lock_rows(void *argument)
{
	KnPurged *purged = argument;
	Oid types[] = { TIMESTAMPTZOID, TIDARRAYOID };
	Datum values[] = { purged->how->before, purged->places };
	KnOwner before;

	owner_begin(&before, RelationGetRelid(purged->relation));
	query_rows(purged->sql, lengthof(types), types, values, reference_take, &purged->rows);
	owner_end(&before);
}

static void
delete_rows(void *argument)
{
	KnPurged *purged = argument;
	Oid types[] = { TIMESTAMPTZOID, TIDARRAYOID };
	Datum values[] = { purged->how->before, purged->places };
	KnOwner before;

	owner_begin(&before, RelationGetRelid(purged->relation));
	purged->deleted = query_run(purged->sql, lengthof(types), types, values, NULL);
	owner_end(&before);
}

/* Those of the rows that nothing refers to. */
static List *
unreferred(const KnPurged *purged, List *references)
{
	List *rows = purged->rows;
	int first = FIXED_COLUMNS;
	const ListCell *cell;

	foreach(cell, references)
	{
		const KnReference *reference = lfirst(cell);
		SPIPlanPtr plan = question_of(reference);
		List *left = NIL;
		const ListCell *inner;

		foreach(inner, rows)
		{
			KnRow *row = lfirst(inner);

			if (!is_referred(reference, plan, row, first, RelationGetRelid(purged->relation)))
				left = lappend(left, row);
		}
		SPI_freeplan(plan);
		rows = left;
		first += reference->count;
	}
	return rows;
}

static bool
is_referred(const KnReference *reference, SPIPlanPtr plan, const KnRow *row, int first, Oid table)
{
	Datum values[INDEX_MAX_KEYS + 2];
	int count = reference->count;

	if (!reference_has_key(reference, row, first))
		return false;
	memcpy(values, row->values + first, sizeof(Datum) * (Size) count);
	values[count] = row->values[0];
	values[count + 1] = ObjectIdGetDatum(table);
	return owner_execute(reference->table, plan, values, NULL) > 0;
}

/* Whether a row refers to that one, but for itself. */
static SPIPlanPtr
question_of(const KnReference *reference)
{
	Oid types[INDEX_MAX_KEYS + 2];
	int count = reference_types(reference, types);

	types[count] = TIDOID;
	types[count + 1] = OIDOID;
	return owner_prepare(
		reference->table,
		sqltext_concat("SELECT FROM ",
					   reference_target(reference),
					   " WHERE ",
					   reference_children(reference),
					   psprintf(" AND NOT (child.ctid OPERATOR(pg_catalog.=) $%d"
								" AND child.tableoid OPERATOR(pg_catalog.=) $%d) LIMIT 1",
								count + 1,
								count + 2),
					   NULL),
		count + 2,
		types);
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_purge);

/* kints_purge(tbl regclass, older_than interval, batch_size int, INOUT purged bigint), a procedure
 */
Datum
kints_purge(PG_FUNCTION_ARGS)
{
	KnPurge how;
	TupleDesc shape;
	Relation relation;
	List *seen = NIL;
	List *tables;
	Datum value;
	bool is_null = false;
	MemoryContext caller = CurrentMemoryContext;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "older_than");
	attach_refuse_null(fcinfo, 2, "batch_size");
	if (PG_GETARG_INT32(2) < 1)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("argument \"%s\" must be at least 1", "batch_size"));
	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	relation = attach_open(PG_GETARG_OID(0), AccessShareLock);
	if (soft_delete_trigger(relation) == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("soft delete is not enabled for table \"%s\"",
					   RelationGetRelationName(relation)),
				errtable(relation));
	table_close(relation, NoLock);
	how.before = DirectFunctionCall2(timestamptz_mi_interval,
									 TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
									 PG_GETARG_DATUM(1));
	how.rows = PG_GETARG_INT32(2);
	how.is_atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
					((const CallContext *) fcinfo->context)->atomic;
	/* What is needed after a commit is kept where it lives that long. */
	SPI_connect_ext(how.is_atomic ? 0 : SPI_OPT_NONATOMIC);
	tables = tables_of(PG_GETARG_OID(0), NIL, &seen);
	value = Int64GetDatum(purge(&how, tables));
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return HeapTupleGetDatum(heap_form_tuple(shape, &value, &is_null));
}
