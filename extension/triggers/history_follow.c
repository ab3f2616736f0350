/*
 * history_follow.c
 *		A history follows its table when that is altered.
 *
 * Event triggers see ALTER TABLE before and after.  Before it what reads the old
 * rows is taken away, for columns could not be dropped otherwise; after it the table
 * for them gets the same columns, and what reads them is made anew.  So it is for
 * tables that inherit from the one that is altered, each with its own.  What a
 * column had in it that is dropped stays there, and what cannot get another type.
 *
 * Only what belongs to the owner of the table follows: others have not agreed to it.
 * What kints_apply() does is planned with all that in it, and nothing follows.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A statement that is under way. */
typedef struct KnAltered
{
	const Node *statement; /* as the server has it, to know it again */
	Node *copy;
	Oid table;
	List *followed;
} KnAltered;

static const PGFunction stamp[] = { kints_history_stamp };

/* The innermost first; in memory of the transaction. */
static List *altered = NIL;

static void end_transaction(XactEvent event, void *argument);
static const RangeVar *target_of(const Node *statement);
static bool changes_shape(const AlterTableStmt *statement);
static void begin(const Node *statement);
static bool goes_on(const Node *statement);
static void forget(const Node *statement);
static bool renames_column(const Node *statement);
static bool has_history(Oid table);
static KnFollowed *follow(const Node *statement, Oid table);
static Oid old_of(Oid table, const char *name);
static List *added_columns(const Node *statement, Oid table);
static KnAltered *known(const Node *statement);
static void end(const KnAltered *alteration);
static void make_readable(const KnFollowed *followed);

void
history_follow_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
}

static void
end_transaction(XactEvent event, void *argument)
{
	(void) event;
	(void) argument;
	altered = NIL;
}

/* The table whose columns, place or owner a statement is about; NULL: it is none of interest. */
static const RangeVar *
target_of(const Node *statement)
{
	if (IsA(statement, RenameStmt))
	{
		const RenameStmt *rename = (const RenameStmt *) statement;

		return rename->renameType == OBJECT_COLUMN || rename->renameType == OBJECT_TABLE
				   ? rename->relation
				   : NULL;
	}
	if (IsA(statement, AlterObjectSchemaStmt))
		return ((const AlterObjectSchemaStmt *) statement)->relation;
	if (IsA(statement, AlterTableStmt) && changes_shape((const AlterTableStmt *) statement))
		return ((const AlterTableStmt *) statement)->relation;
	return NULL;
}

static bool
changes_shape(const AlterTableStmt *statement)
{
	const ListCell *cell;

	foreach(cell, statement->cmds)
	{
		AlterTableType what = ((const AlterTableCmd *) lfirst(cell))->subtype;

		if (what == AT_AddColumn || what == AT_DropColumn || what == AT_AlterColumnType ||
			what == AT_ChangeOwner)
			return true;
	}
	return false;
}

static void
begin(const Node *statement)
{
	const RangeVar *target = target_of(statement);
	Oid table = target == NULL ? InvalidOid : RangeVarGetRelid(target, NoLock, true);
	char kind = get_rel_relkind(table);
	List *tables = NIL;
	MemoryContext caller;
	KnAltered *alteration;
	const ListCell *cell;

	/* Who does not own it does not lock it; the server will say so. */
	if ((kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE) || !attach_is_owner(table))
		return;
	foreach(cell,
			goes_on(statement) ? find_all_inheritors(table, NoLock, NULL) : list_make1_oid(table))
	{
		if (has_history(lfirst_oid(cell)) && attach_is_owner(lfirst_oid(cell)))
			tables = lappend_oid(tables, lfirst_oid(cell));
	}
	if (tables == NIL && !renames_column(statement))
		return;
	LockRelationOid(table, AccessExclusiveLock);
	caller = MemoryContextSwitchTo(TopTransactionContext);
	alteration = palloc0(sizeof(*alteration));
	alteration->statement = statement;
	alteration->copy = copyObject(unconstify(Node *, statement));
	alteration->table = table;
	foreach(cell, tables)
	{
		KnFollowed *followed = follow(statement, lfirst_oid(cell));

		if (followed != NULL)
			alteration->followed = lappend(alteration->followed, followed);
	}
	altered = lcons(alteration, altered);
	MemoryContextSwitchTo(caller);
	foreach(cell, alteration->followed)
	{
		const KnFollowed *followed = lfirst(cell);

		history_reads_drop(followed->schema, followed->name, followed->owner);
	}
}

/* Whether it is done to the tables that inherit as well. */
static bool
goes_on(const Node *statement)
{
	const ListCell *cell;

	if (IsA(statement, AlterTableStmt))
	{
		foreach(cell, ((const AlterTableStmt *) statement)->cmds)
		{
			if (((const AlterTableCmd *) lfirst(cell))->subtype != AT_ChangeOwner)
				return ((const AlterTableStmt *) statement)->relation->inh;
		}
		return false;
	}
	return renames_column(statement);
}

/* One that stood in the same place, and failed. */
static void
forget(const Node *statement)
{
	KnAltered *alteration = known(statement);

	if (alteration != NULL)
		altered = list_delete_ptr(altered, alteration);
}

static bool
renames_column(const Node *statement)
{
	return IsA(statement, RenameStmt) &&
		   ((const RenameStmt *) statement)->renameType == OBJECT_COLUMN;
}

/*
 * Whether it has a history of its own, as far as one knows who has not locked it.
 * A partition that has that of the whole has none.
 */
static bool
has_history(Oid table)
{
	Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = trigger_scan(triggers, table);
	HeapTuple row;
	bool has = false;

	while (row = systable_getnext(scan), HeapTupleIsValid(row))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);

		has |= !OidIsValid(form->tgparentid) && trigger_is_of(form->tgfoid, stamp, 1);
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return has;
}

/* NULL: its history does not follow. */
static KnFollowed *
follow(const Node *statement, Oid table)
{
	KnFollowed *followed = palloc0(sizeof(*followed));
	KnHistory history;

	LockRelationOid(table, AccessExclusiveLock);
	if (get_rel_name(table) == NULL || !history_follow_read(table, &history))
		return NULL;
	followed->table = table;
	followed->old = old_of(table, history.name);
	if (!OidIsValid(followed->old))
		return NULL;
	followed->owner = owner_of(RELOID, table);
	if (owner_of(RELOID, followed->old) != followed->owner)
		return NULL;
	followed->name = get_rel_name(table);
	followed->schema = get_rel_namespace(table);
	followed->added = added_columns(statement, table);
	followed->grants = history_reads_grants(table);
	return followed;
}

/* The table for the old rows, locked; InvalidOid: there is none. */
static Oid
old_of(Oid table, const char *name)
{
	const char *last;
	Oid schema = history_schema(table, name, &last);
	Oid old = get_relname_relid(last, schema);

	if (OidIsValid(old))
		LockRelationOid(old, AccessExclusiveLock);
	if (OidIsValid(old) && get_rel_name(old) != NULL)
		return old;
	ereport(WARNING,
			errmsg("table \"%s\" for the history of table \"%s\" does not exist",
				   name,
				   get_rel_name(table)));
	return InvalidOid;
}

/* The columns that are added, and not there yet, or dropped by the same statement. */
static List *
added_columns(const Node *statement, Oid table)
{
	List *added = NIL;
	List *dropped = NIL;
	const ListCell *cell;

	if (!IsA(statement, AlterTableStmt))
		return NIL;
	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_DropColumn)
			dropped = lappend(dropped, pstrdup(command->name));
	}
	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);
		const char *name;

		if (command->subtype != AT_AddColumn)
			continue;
		name = ((const ColumnDef *) command->def)->colname;
		if (get_attnum(table, name) == InvalidAttrNumber || sqltext_member(dropped, name))
			added = lappend(added, pstrdup(name));
	}
	return added;
}

/* NULL: that statement is none of interest. */
static KnAltered *
known(const Node *statement)
{
	const ListCell *cell;

	foreach(cell, altered)
	{
		KnAltered *alteration = lfirst(cell);

		if (alteration->statement == statement)
			return alteration;
	}
	return NULL;
}

static void
end(const KnAltered *alteration)
{
	const Node *statement = alteration->copy;
	const ListCell *cell;

	CommandCounterIncrement();
	if (renames_column(statement))
	{
		const RenameStmt *rename = (const RenameStmt *) statement;

		foreach(cell, find_all_inheritors(alteration->table, NoLock, NULL))
			rename_arguments(lfirst_oid(cell), rename->subname, rename->newname);
		CommandCounterIncrement();
	}
	foreach(cell, alteration->followed)
	{
		const KnFollowed *followed = lfirst(cell);

		if (renames_column(statement))
			history_shape_rename(followed, (const RenameStmt *) statement);
		if (IsA(statement, AlterTableStmt))
			history_shape_follow(followed, statement);
		make_readable(followed);
	}
}

/* Where it is now, what it is called and whose it is, so that it can be read again. */
static void
make_readable(const KnFollowed *followed)
{
	Oid schema = get_rel_namespace(followed->table);
	Oid owner = owner_of(RELOID, followed->table);
	KnHistory history;
	const char *last;
	const ListCell *cell;

	if (!history_follow_read(followed->table, &history))
		return;
	/* One that is said to be beside it goes along. */
	if (schema != followed->schema && get_rel_namespace(followed->old) == followed->schema &&
		history_schema(followed->table, history.name, &last) == schema)
		utility_run(sqltext_concat("ALTER TABLE ",
								   history_shape_name(followed->old),
								   " SET SCHEMA ",
								   sqltext_identifier(get_namespace_name(schema)),
								   NULL));
	CommandCounterIncrement();
	if (owner != followed->owner)
		utility_run(sqltext_concat("ALTER TABLE ",
								   history_shape_name(followed->old),
								   " OWNER TO ",
								   sqltext_identifier(GetUserNameFromId(owner, false)),
								   NULL));
	CommandCounterIncrement();
	history_reads_make(followed->table, &history);
	CommandCounterIncrement();
	foreach(cell, followed->grants)
	{
		const KnGrant *grant = lfirst(cell);

		utility_run(sqltext_concat(grant->before,
								   history_reads_name(followed->table, grant->which),
								   grant->after,
								   NULL));
	}
}

/* What the triggers of a table say; false: it has no history. */
bool
history_follow_read(Oid table, KnHistory *history)
{
	Relation relation = table_open(table, NoLock);
	const TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);
	bool has = false;

	memset(history, 0, sizeof(*history));
	for (int i = 0; triggers != NULL && i < triggers->numtriggers && !has; i++)
	{
		has = trigger_is_of(triggers->triggers[i].tgfoid, stamp, 1);
		if (has)
			history_read(history, &history_stamp_kind, relation, &triggers->triggers[i]);
	}
	table_close(relation, NoLock);
	return has;
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_history_follow);

/* kints_history_follow() returns event_trigger */
Datum
kints_history_follow(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = (EventTriggerData *) fcinfo->context;
	KnAltered *alteration;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(
			ERROR,
			errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
			errmsg("function \"%s\" was not called by an event trigger", "kints_history_follow"));
	if (strcmp(data->event, "ddl_command_start") == 0)
	{
		forget(data->parsetree);
		/* What waits is of the shape that the table has now. */
		history_keep_flush();
		if (kints_history_follows)
			begin(data->parsetree);
		return PointerGetDatum(NULL);
	}
	alteration = known(data->parsetree);
	if (alteration != NULL)
	{
		altered = list_delete_ptr(altered, alteration);
		end(alteration);
	}
	return PointerGetDatum(NULL);
}
