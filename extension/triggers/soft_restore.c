/*
 * soft_restore.c
 *		Rows that were deleted softly are there again, with what went with them.
 *
 * Each row is restored by itself: where another one has its key by now, or the
 * row that it refers to is still deleted, that is said, and the others are there.
 * Rows of other tables that were deleted with it are restored as they were
 * deleted: as the owner of their table.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static Oid place_types[] = { TIDOID, OIDOID };

static void restore_rows(KnTrash *trash, const char *condition);
static void run(KnTrash *trash, const char *sql, void (*work)(void *));
static void read_rows(void *argument);
static bool restore_row(KnTrash *trash, const KnRow *row, bool is_last);
static const char *why_not(KnTrash *trash, const KnRow *row);
static bool is_restored(const KnRestored *restored, const KnRow *row);
static void attempt(void *argument);
static void update_row(void *argument);
static const KnReference *deleted_parent(const KnTrash *trash, const KnRow *row);
static bool is_parent_deleted(const KnReference *reference, const KnRow *row, int first);
static bool ask(const KnReference *reference, const char *sql, int parameters, const Datum *key,
				const KnRow *row);
static void restore_children(KnTrash *trash, const KnRow *row);
static const char *batch_of(const KnReference *reference);
static void report(const KnTrash *trash, const KnRow *row, const char *conflict);

/* Restores the rows of which a condition holds. */
static void
restore_rows(KnTrash *trash, const char *condition)
{
	List *left;
	int before;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	trash_read(trash, condition);
	run(trash, trash->query, read_rows);
	left = trash->rows;
	/* One row may refer to another of them: what cannot be restored may be, after that. */
	do
	{
		List *again = NIL;
		const ListCell *cell;

		before = list_length(left);
		foreach(cell, left)
		{
			if (!restore_row(trash, lfirst(cell), false))
				again = lappend(again, lfirst(cell));
		}
		left = again;
	} while (list_length(left) < before);
	for (int i = 0; i < list_length(left); i++)
		(void) restore_row(trash, list_nth(left, i), true);
}

/* Calls work(trash), which runs sql, as whom it has to be. */
static void
run(KnTrash *trash, const char *sql, void (*work)(void *))
{
	KnOwner before;

	if (!trash->is_entailed)
	{
		rewrite_show_to(sql, work, trash);
		return;
	}
	owner_begin(&before, trash->table);
	rewrite_show_to(sql, work, trash);
	owner_end(&before);
}

static void
read_rows(void *argument)
{
	KnTrash *trash = argument;

	query_rows(trash->query,
			   trash->count,
			   trash->types,
			   trash->values,
			   reference_take,
			   &trash->rows);
}

/* False: it cannot be restored, and that is not said unless it is the last try. */
static bool
restore_row(KnTrash *trash, const KnRow *row, bool is_last)
{
	const char *conflict;

	if (is_restored(trash->restored, row))
		return true;
	conflict = why_not(trash, row);
	if (conflict != NULL && !is_last)
		return false;
	report(trash, row, conflict);
	if (conflict != NULL)
		return false;
	trash->restored->places = lappend(trash->restored->places, unconstify(KnRow *, row));
	if (trash->restored->does_cascade && !row->nulls[KN_TRASH_BATCH])
		restore_children(trash, row);
	return true;
}

/* A row may be met twice: by its key, and with the one that it refers to. */
static bool
is_restored(const KnRestored *restored, const KnRow *row)
{
	const ListCell *cell;

	foreach(cell, restored->places)
	{
		const KnRow *other = lfirst(cell);

		if (other->values[KN_TRASH_TABLE] == row->values[KN_TRASH_TABLE] &&
			ItemPointerEquals((ItemPointer) DatumGetPointer(other->values[KN_TRASH_CTID]),
							  (ItemPointer) DatumGetPointer(row->values[KN_TRASH_CTID])))
			return true;
	}
	return false;
}

/* Restores the row itself; NULL: it is there. */
static const char *
why_not(KnTrash *trash, const KnRow *row)
{
	const KnReference *parent = deleted_parent(trash, row);
	ErrorData *error;

	if (parent != NULL)
		return psprintf("the row of table \"%s\" that it refers to is deleted",
						get_rel_name(parent->parent));
	trash->row = row;
	error = subtransaction_run(attempt, trash, true);
	if (error == NULL)
		return trash->updated > 0 ? NULL : "a trigger has left it as it is";
	/* What the row itself is not to blame for ends it all. */
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		ReThrowError(error);
	return error->detail == NULL ? error->message
								 : sqltext_concat(error->message, ": ", error->detail, NULL);
}

static void
attempt(void *argument)
{
	KnTrash *trash = argument;

	run(trash, trash->update, update_row);
}

static void
update_row(void *argument)
{
	KnTrash *trash = argument;

	trash->updated = query_run(trash->update,
							   lengthof(place_types),
							   place_types,
							   trash->row->values + KN_TRASH_CTID,
							   NULL);
}

/* The foreign key by which it refers to what is deleted; NULL: there is none. */
static const KnReference *
deleted_parent(const KnTrash *trash, const KnRow *row)
{
	int first = KN_TRASH_COLUMNS;
	const ListCell *cell;

	foreach(cell, trash->children)
		first += ((const KnReference *) lfirst(cell))->count;
	foreach(cell, trash->parents)
	{
		const KnReference *reference = lfirst(cell);

		if (reference_has_key(reference, row, first) && is_parent_deleted(reference, row, first))
			return reference;
		first += reference->count;
	}
	return NULL;
}

/*
 * Whoever is about to delete the parent is waited for, and nobody else can until
 * this transaction has ended.
 */
static bool
is_parent_deleted(const KnReference *reference, const KnRow *row, int first)
{
	Relation parent = table_open(reference->parent, RowShareLock);
	const char *column =
		sqltext_qualified("parent", soft_delete_column(soft_delete_trigger(parent)));
	const char *rows = sqltext_concat("SELECT FROM ",
									  attach_table(parent),
									  " AS parent WHERE ",
									  reference_parent(reference),
									  " AND ",
									  column,
									  NULL);
	int count = reference->count;
	bool is_deleted;

	(void) ask(reference,
			   sqltext_concat(rows, " IS NULL FOR SHARE OF parent", NULL),
			   count,
			   row->values + first,
			   row);
	/* A row may refer to itself. */
	is_deleted =
		ask(reference,
			sqltext_concat(rows,
						   psprintf(" IS NOT NULL AND NOT (parent.ctid OPERATOR(pg_catalog.=) $%d"
									" AND parent.tableoid OPERATOR(pg_catalog.=) $%d)",
									count + 1,
									count + 2),
						   NULL),
			count + 2,
			row->values + first,
			row);
	table_close(parent, NoLock);
	return is_deleted;
}

/* Whether a query as the owner of the parent finds something: of the key, and where the row is. */
static bool
ask(const KnReference *reference, const char *sql, int parameters, const Datum *key,
	const KnRow *row)
{
	Oid types[INDEX_MAX_KEYS + 2];
	Datum values[INDEX_MAX_KEYS + 2];
	int count = reference->count;
	SPIPlanPtr plan;
	bool is_there;

	for (int i = 0; i < count; i++)
		types[i] = get_atttype(reference->table, reference->from[i]);
	memcpy(types + count, place_types, sizeof(place_types));
	memcpy(values, key, sizeof(Datum) * (Size) count);
	memcpy(values + count, row->values + KN_TRASH_CTID, sizeof(Datum) * 2);
	plan = owner_prepare(reference->parent, sql, parameters, types);
	is_there = owner_execute(reference->parent, plan, values, NULL) > 0;
	SPI_freeplan(plan);
	return is_there;
}

/* What refers to the row, and was deleted by the same statement. */
static void
restore_children(KnTrash *trash, const KnRow *row)
{
	int first = KN_TRASH_COLUMNS;
	const ListCell *cell;

	foreach(cell, trash->children)
	{
		const KnReference *reference = lfirst(cell);
		int count = reference->count;
		Oid types[INDEX_MAX_KEYS + 1];
		Datum values[INDEX_MAX_KEYS + 1];
		KnTrash children = { .restored = trash->restored,
							 .table = reference->table,
							 .is_entailed = true,
							 .count = count + 1,
							 .types = types,
							 .values = values };

		(void) reference_types(reference, types);
		types[count] = INT8OID;
		memcpy(values, row->values + first, sizeof(Datum) * (Size) count);
		values[count] = row->values[KN_TRASH_BATCH];
		if (reference_has_key(reference, row, first))
			restore_rows(&children,
						 sqltext_concat(reference_children(reference),
										psprintf(" AND %s OPERATOR(pg_catalog.=) $%d",
												 sqltext_qualified("child", batch_of(reference)),
												 count + 1),
										NULL));
		first += count;
	}
}

static const char *
batch_of(const KnReference *reference)
{
	Relation child = table_open(reference->table, AccessShareLock);
	const char *batch = trigger_option(soft_delete_trigger(child), "batch");

	table_close(child, NoLock);
	return batch;
}

static void
report(const KnTrash *trash, const KnRow *row, const char *conflict)
{
	ReturnSetInfo *result = trash->restored->result;
	Datum values[4] = { ObjectIdGetDatum(trash->table),
						row->values[KN_TRASH_KEY],
						BoolGetDatum(conflict == NULL) };
	bool nulls[4] = { false, false, false, conflict == NULL };

	if (conflict != NULL)
		values[3] = CStringGetTextDatum(conflict);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_restore);

/* kints_restore(tbl regclass, key jsonb, cascade boolean) returns table (tbl, key, restored,
 * conflict) */
Datum
kints_restore(PG_FUNCTION_ARGS)
{
	KnRestored restored = { .result = (ReturnSetInfo *) fcinfo->resultinfo };
	Oid type = JSONBOID;
	Datum key;
	KnTrash trash = { .restored = &restored, .count = 1, .types = &type, .values = &key };
	Relation relation;
	const char *condition;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "key");
	attach_refuse_null(fcinfo, 2, "cascade");
	trash.table = PG_GETARG_OID(0);
	key = PG_GETARG_DATUM(1);
	restored.does_cascade = PG_GETARG_BOOL(2);
	InitMaterializedSRF(fcinfo, 0);
	relation = table_open(trash.table, RowExclusiveLock);
	condition = trash_key(relation, PG_GETARG_JSONB_P(1));
	table_close(relation, NoLock);
	restore_rows(&trash, condition);
	return (Datum) 0;
}
