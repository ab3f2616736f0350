/*
 * running.c
 *		Which statement it is that changes a row.
 *
 * A trigger is not told why a row goes: whether by a DELETE, for a foreign key,
 * or into another partition.  The statement that runs tells it.  It is known
 * but for the one that loads this library into its session: where that would
 * make a difference, it is refused, and can be sent again.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "base/base.h"
#include "catalog/partition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "replication/logicalworker.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"

static ExecutorRun_hook_type run_before = NULL;
static ExecutorFinish_hook_type finish_before = NULL;

typedef struct KnRunning
{
	QueryDesc *query;
	int64 batch; /* number of what it deletes softly; 0: it has none yet */
	uint64 kept; /* rows that a trigger has kept instead of deleting them */
	struct KnRunning *around;
} KnRunning;

/* The innermost one that may change rows. */
static KnRunning *running = NULL;

/* The one that has run last, which is to be finished yet, and the number of what it deletes. */
static const QueryDesc *last = NULL;
static int64 last_batch = 0;

/* The text of a statement of ours that deletes for good. */
static const char *for_good = NULL;

static void run(QueryDesc *query, ScanDirection direction, uint64 count, bool once);
static void run_as(KnRunning *now, ScanDirection direction, uint64 count, bool once);
static void finish(QueryDesc *query);
static bool may_change_rows(const QueryDesc *query);
static bool is_soft_delete(const PlannedStmt *statement);
static bool reads_like_foreign_key(const char *text);
static void refuse_unknown(Relation relation) pg_attribute_noreturn();
static const PlannedStmt *statement_running(void);
static int changes_of(const PlannedStmt *statement, Relation relation);
static int changes_of_plan(const Plan *plan, const PlannedStmt *statement, Relation relation);
static bool may_move(Relation partition, const PlannedStmt *statement, const ModifyTable *change);

/* What a statement does to rows of a table. */
enum
{
	CHANGES_DELETES = 1,
	CHANGES_MOVES = 2
};

void
running_init(void)
{
	run_before = ExecutorRun_hook;
	ExecutorRun_hook = run;
	finish_before = ExecutorFinish_hook;
	ExecutorFinish_hook = finish;
}

static void
run(QueryDesc *query, ScanDirection direction, uint64 count, bool once)
{
	KnRunning now = { .query = query, .around = running };

	if (!may_change_rows(query))
	{
		if (run_before != NULL)
			run_before(query, direction, count, once);
		else
			standard_ExecutorRun(query, direction, count, once);
		return;
	}
	run_as(&now, direction, count, once);
	/* The caller is told of what was asked for. */
	if (query->operation == CMD_UPDATE && is_soft_delete(query->plannedstmt))
		query->operation = CMD_DELETE;
	if (query->operation == CMD_DELETE || query->operation == CMD_MERGE)
		query->estate->es_processed += now.kept;
}

static void
run_as(KnRunning *now, ScanDirection direction, uint64 count, bool once)
{
	running = now;
	PG_TRY();
	{
		if (run_before != NULL)
			run_before(now->query, direction, count, once);
		else
			standard_ExecutorRun(now->query, direction, count, once);
	}
	PG_FINALLY();
	{
		running = now->around;
	}
	PG_END_TRY();
	last = now->query;
	last_batch = now->batch;
}

/*
 * What a WITH clause changes and nobody reads is changed here, and what the rows
 * were that have been changed is written.
 */
static void
finish(QueryDesc *query)
{
	ExecutorFinish_hook_type next = finish_before != NULL ? finish_before : standard_ExecutorFinish;
	KnRunning now = { .query = query, .around = running };

	if (!may_change_rows(query))
	{
		next(query);
		return;
	}
	if (last == query)
		now.batch = last_batch;
	running = &now;
	PG_TRY();
	{
		history_keep_flush();
		next(query);
		history_keep_flush();
	}
	PG_FINALLY();
	{
		running = now.around;
	}
	PG_END_TRY();
}

static bool
may_change_rows(const QueryDesc *query)
{
	return query->operation != CMD_SELECT || query->plannedstmt->hasModifyingCTE;
}

/* An UPDATE asks for the right to UPDATE, but for one that has been a DELETE. */
static bool
is_soft_delete(const PlannedStmt *statement)
{
	const RangeTblEntry *table;
	AclMode rights;

	if (!IsA(statement->planTree, ModifyTable))
		return false;
	table =
		rt_fetch(((const ModifyTable *) statement->planTree)->nominalRelation, statement->rtable);
#if PG_VERSION_NUM >= 160000
	rights = getRTEPermissionInfo(statement->permInfos, table)->requiredPerms;
#else
	rights = table->requiredPerms;
#endif
	return (rights & (ACL_DELETE | ACL_UPDATE)) == ACL_DELETE;
}

/*
 * Whether a statement of that text, which is about to be planned, is to delete
 * rows for good.  The text of one for a foreign key is the server's own; who
 * imitates it has won nothing, for the trigger will know.
 */
bool
running_plans_for_good(const char *text)
{
	return !kints_soft_delete_is_on || (for_good != NULL && strcmp(text, for_good) == 0) ||
		   (InNoForceRLSOperation() && reads_like_foreign_key(text));
}

static bool
reads_like_foreign_key(const char *text)
{
	const char *place = strstr(text, " WHERE $");

	return place != NULL && strstr(place, " OPERATOR(") != NULL;
}

/* Whether the trigger is to let a row of the table go: it is deleted for good, or moves. */
bool
running_lets_go(Relation relation)
{
	const PlannedStmt *statement;
	int changes;

	if (!kints_soft_delete_is_on)
		return true;
	if (running != NULL && for_good != NULL && strcmp(running->query->sourceText, for_good) == 0)
		return true;
	if (running == NULL && InNoForceRLSOperation())
		refuse_unknown(relation);
	if (running_is_of_foreign_key())
		return true;
	if (!relation->rd_rel->relispartition)
		return false;
	/* It repeats what another server has done, and that knew. */
	if (IsLogicalWorker())
		return true;
	statement = statement_running();
	changes = statement == NULL ? 0 : changes_of(statement, relation);
	if (changes != CHANGES_DELETES && changes != CHANGES_MOVES)
		refuse_unknown(relation);
	return changes == CHANGES_MOVES;
}

/*
 * Whether what runs is what the server itself does for a foreign key.  The flag
 * also holds in what the triggers do that it fires; but of no other statement
 * are triggers left to the one around it.
 */
bool
running_is_of_foreign_key(void)
{
	return InNoForceRLSOperation() && (running == NULL || (running->query->estate->es_top_eflags &
														   EXEC_FLAG_SKIP_TRIGGERS) != 0);
}

static void
refuse_unknown(Relation relation)
{
	if (running == NULL)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("rows of table \"%s\" are deleted by a statement that was planned before "
					   "kints_norm was loaded",
					   RelationGetRelationName(relation)),
				errhint("Now it is: run the statement again.  session_preload_libraries loads it "
						"before the first one."),
				errtable(relation));
	ereport(ERROR,
			errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			errmsg("a statement that deletes rows of partition \"%s\" must not move others",
				   RelationGetRelationName(relation)),
			errhint("Make two statements of it."),
			errtable(relation));
}

/* NULL: it is not known. */
static const PlannedStmt *
statement_running(void)
{
	if (running != NULL)
		return running->query->plannedstmt;
	/* The portal's is the one if nothing lies between: no function, no other trigger. */
	if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1 ||
		DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) != 1)
		return NULL;
	return linitial_node(PlannedStmt, ActivePortal->stmts);
}

static int
changes_of(const PlannedStmt *statement, Relation relation)
{
	int changes = 0;
	const ListCell *cell;

	if (statement->commandType == CMD_UTILITY)
		return 0;
	changes = changes_of_plan(statement->planTree, statement, relation);
	foreach(cell, statement->subplans)
		changes |= changes_of_plan(lfirst(cell), statement, relation);
	return changes;
}

static int
changes_of_plan(const Plan *plan, const PlannedStmt *statement, Relation relation)
{
	const ModifyTable *change = (const ModifyTable *) plan;
	int changes = 0;
	bool is_of_it = false;
	const ListCell *cell;

	if (plan == NULL || !IsA(plan, ModifyTable))
		return 0;
	foreach(cell, change->resultRelations)
		is_of_it |=
			rt_fetch(lfirst_int(cell), statement->rtable)->relid == RelationGetRelid(relation);
	if (!is_of_it)
		return 0;
	if (change->operation == CMD_DELETE)
		changes |= CHANGES_DELETES;
	foreach(cell, change->mergeActionLists)
	{
		const ListCell *inner;

		foreach(inner, (const List *) lfirst(cell))
		{
			if (((const MergeAction *) lfirst(inner))->commandType == CMD_DELETE)
				changes |= CHANGES_DELETES;
		}
	}
	/* An upsert cannot move a row. */
	if (change->operation != CMD_INSERT && may_move(relation, statement, change))
		changes |= CHANGES_MOVES;
	return changes;
}

/* Whether columns are updated that say into which partition a row belongs. */
static bool
may_move(Relation partition, const PlannedStmt *statement, const ModifyTable *change)
{
	const RangeTblEntry *target = rt_fetch(change->nominalRelation, statement->rtable);
#if PG_VERSION_NUM >= 160000
	const Bitmapset *updated = getRTEPermissionInfo(statement->permInfos, target)->updatedCols;
#else
	const Bitmapset *updated = target->updatedCols;
#endif
	bool moves = false;
	const ListCell *cell;

	foreach(cell, get_partition_ancestors(RelationGetRelid(partition)))
	{
		Relation ancestor = table_open(lfirst_oid(cell), AccessShareLock);
		Bitmapset *columns = NULL;
		int number = -1;

		/* Numbers may differ from table to table, names do not. */
		while (number = bms_next_member(updated, number), number >= 0)
		{
			const char *name =
				get_attname(target->relid,
							(AttrNumber) (number + FirstLowInvalidHeapAttributeNumber),
							true);
			AttrNumber here =
				name == NULL ? InvalidAttrNumber : get_attnum(RelationGetRelid(ancestor), name);

			if (here != InvalidAttrNumber)
				columns = bms_add_member(columns, here - FirstLowInvalidHeapAttributeNumber);
		}
		moves |= has_partition_attrs(ancestor, columns, NULL);
		table_close(ancestor, NoLock);
	}
	return moves;
}

/* The number of what the statement that runs deletes; *otherwise is for one that is not known. */
int64
running_batch(int64 *otherwise, int64 (*next)(void))
{
	int64 *batch = running != NULL ? &running->batch : otherwise;

	if (*batch == 0)
		*batch = next();
	return *batch;
}

/* A row is kept that was to be deleted, and is to be counted nevertheless. */
void
running_has_kept(void)
{
	if (running != NULL)
		running->kept++;
}

/* Whether the library was there when what runs was planned. */
bool
running_is_known(void)
{
	return running != NULL;
}

/*
 * Calls work(argument), in which statements of that text delete for good, and
 * only those: what their triggers delete stays as ever.
 */
void
running_delete_for_good(const char *sql, void (*work)(void *), void *argument)
{
	const char *before = for_good;

	for_good = sql;
	PG_TRY();
	{
		work(argument);
	}
	PG_FINALLY();
	{
		for_good = before;
	}
	PG_END_TRY();
}
