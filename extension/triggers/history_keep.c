/*
 * history_keep.c
 *		Old rows wait until there are enough of them to be written at once.
 *
 * They wait in memory, and are written when there are many, when the statement
 * ends that has changed them, and at the latest before the transaction does: not
 * every change is made by a statement.  A row is written in the part of the
 * transaction that it was changed in, be that a savepoint's or an exception
 * block's, and is rolled back with it, whether it still waits or not.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "base/base.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* So many of one table wait at most, of one part of the transaction. */
#define ROWS 1000

typedef struct KnKept
{
	HeapTuple row;
	TimestampTz start;
	TimestampTz end;
	SubTransactionId part; /* of the transaction, with which it is rolled back */
} KnKept;

/* Rows of one table. */
typedef struct KnKeptOf
{
	Oid relation;
	KnHistory history;
	KnKept *rows;
	int count;
	int room;
	int of_part; /* how many of them are of the current part, which are the last ones */
	int busy;    /* how often its rows are being written: a trigger there may change others */
	MemoryContext context;
} KnKeptOf;

/* All that wait; in memory of the transaction. */
static List *kept = NIL;

static KnKeptOf *kept_of(const KnHistory *history, Relation relation);
static bool is_of(const KnKeptOf *of, const KnHistory *history);
static void copy_history(KnHistory *copy, const KnHistory *history, MemoryContext context);
static void write_kept(KnKeptOf *of, Relation relation);
static void write_rows(const KnHistory *history, Relation relation, const KnKept *rows, int count);
static KnKeptOf *first_to_write(void);
static void end_transaction(XactEvent event, void *argument);
static void end_part(SubXactEvent event, SubTransactionId part, SubTransactionId around,
					 void *argument);

void
history_keep_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_part, NULL);
}

/* Keeps a row that has been so from start up to end. */
void
history_keep(const KnHistory *history, Relation relation, HeapTuple row, TimestampTz start,
			 TimestampTz end)
{
	KnKeptOf *of = kept_of(history, relation);
	MemoryContext caller = MemoryContextSwitchTo(of->context);
	KnKept *place;

	if (of->count == of->room)
	{
		of->room *= 2;
		of->rows = repalloc_huge(of->rows, sizeof(KnKept) * (Size) of->room);
	}
	place = &of->rows[of->count++];
	place->row = heap_copytuple(row);
	place->start = start;
	place->end = end;
	place->part = GetCurrentSubTransactionId();
	MemoryContextSwitchTo(caller);
	if (++of->of_part >= ROWS)
		write_kept(of, relation);
}

/* Those of a table. */
static KnKeptOf *
kept_of(const KnHistory *history, Relation relation)
{
	MemoryContext context;
	MemoryContext caller;
	KnKeptOf *of;
	const ListCell *cell;

	foreach(cell, kept)
	{
		of = lfirst(cell);
		if (of->relation != RelationGetRelid(relation) || !is_of(of, history))
			continue;
		/* What it was made for is over, and the table may be another one by now. */
		if (of->count == 0 && of->busy == 0)
			copy_history(&of->history, history, of->context);
		return of;
	}
	context = AllocSetContextCreate(TopTransactionContext,
									"rows for the history",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	of = palloc0(sizeof(*of));
	of->relation = RelationGetRelid(relation);
	copy_history(&of->history, history, context);
	of->room = ROWS;
	of->rows = palloc(sizeof(KnKept) * ROWS);
	of->context = context;
	MemoryContextSwitchTo(TopTransactionContext);
	kept = lcons(of, kept);
	MemoryContextSwitchTo(caller);
	return of;
}

/* Whether rows of a history go with those; if none wait, it can be of any. */
static bool
is_of(const KnKeptOf *of, const KnHistory *history)
{
	return (of->count == 0 && of->busy == 0) ||
		   (strcmp(of->history.name, history->name) == 0 &&
			of->history.period.from.number == history->period.from.number);
}

/* What is needed to write rows; what else has been looked up lives no longer than the statement. */
static void
copy_history(KnHistory *copy, const KnHistory *history, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	const ListCell *cell;

	memset(copy, 0, sizeof(*copy));
	copy->period.is_range = history->period.is_range;
	copy->period.from.number = history->period.from.number;
	copy->period.until.number = history->period.until.number;
	copy->name = pstrdup(history->name);
	foreach(cell, history->excluded)
		copy->excluded = lappend(copy->excluded, pstrdup(lfirst(cell)));
	MemoryContextSwitchTo(caller);
}

/*
 * Writes the rows of one table that were changed in the current part of the
 * transaction.  They are taken out before, for what is done for them may write
 * others.
 */
static void
write_kept(KnKeptOf *of, Relation relation)
{
	int count = of->of_part;
	KnKept *rows = palloc_extended(sizeof(KnKept) * (Size) Max(count, 1), MCXT_ALLOC_HUGE);

	memcpy(rows, of->rows + of->count - count, sizeof(KnKept) * (Size) count);
	of->count -= count;
	of->of_part = 0;
	of->busy++;
	PG_TRY();
	{
		write_rows(&of->history, relation, rows, count);
	}
	PG_FINALLY();
	{
		of->busy--;
	}
	PG_END_TRY();
	pfree(rows);
}

static void
write_rows(const KnHistory *history, Relation relation, const KnKept *rows, int count)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsHeapTuple);
	KnWriter writer;

	history_open(&writer, history, relation);
	for (int i = 0; i < count; i++)
	{
		ExecStoreHeapTuple(rows[i].row, slot, false);
		history_write(&writer, slot, rows[i].start, rows[i].end);
		ExecClearTuple(slot);
		heap_freetuple(rows[i].row);
	}
	history_close(&writer);
	ExecDropSingleTupleTableSlot(slot);
}

/* Writes all rows that were changed in the current part of the transaction. */
void
history_keep_flush(void)
{
	ListCell *cell;
	KnKeptOf *of;

	while (of = first_to_write(), of != NULL)
	{
		/* It may have been dropped since, and what it was with it. */
		Relation relation = try_relation_open(of->relation, RowExclusiveLock);

		if (relation == NULL)
		{
			of->count -= of->of_part;
			of->of_part = 0;
			continue;
		}
		write_kept(of, relation);
		relation_close(relation, NoLock);
	}
	foreach(cell, kept)
	{
		of = lfirst(cell);
		if (of->count > 0 || of->busy > 0)
			continue;
		kept = foreach_delete_current(kept, cell);
		MemoryContextDelete(of->context);
	}
}

/* NULL: there is none. */
static KnKeptOf *
first_to_write(void)
{
	const ListCell *cell;

	foreach(cell, kept)
	{
		KnKeptOf *of = lfirst(cell);

		if (of->of_part > 0)
			return of;
	}
	return NULL;
}

/* What has been left is written; what is left after that was rolled back. */
static void
end_transaction(XactEvent event, void *argument)
{
	(void) argument;
	if (kept == NIL)
		return;
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		history_keep_flush();
		PopActiveSnapshot();
	}
	else
		kept = NIL;
}

/* A part that is rolled back takes its rows with it, and one that is not hands them on. */
static void
end_part(SubXactEvent event, SubTransactionId part, SubTransactionId around, void *argument)
{
	const ListCell *cell;

	(void) argument;
	if (event == SUBXACT_EVENT_PRE_COMMIT_SUB)
		return;
	foreach(cell, kept)
	{
		KnKeptOf *of = lfirst(cell);
		int count = 0;

		of->of_part = 0;
		/* None are of one that begins. */
		if (event == SUBXACT_EVENT_START_SUB)
			continue;
		for (int i = 0; i < of->count; i++)
		{
			KnKept *row = &of->rows[i];

			if (row->part == part && event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			if (row->part == part)
				row->part = around;
			if (row->part == around)
				of->of_part++;
			of->rows[count++] = *row;
		}
		of->count = count;
	}
}
