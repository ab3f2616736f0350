/*
 * history_follow.c
 *		A history follows its table when that is altered.
 *
 * Event triggers see ALTER TABLE before and after.  Before a column is dropped or
 * gets another type, what reads it is taken away; after that the table for the
 * old rows gets the same columns, and what reads them is made anew.  What a column
 * had in it that is dropped stays there.  Nothing is ever refused for it.
 *
 * What kints_apply() does is planned with all that in it, and nothing follows.
 */
#include "triggers/triggers.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/event_trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

extern PGDLLEXPORT Datum kints_history_stamp(PG_FUNCTION_ARGS);

/* A statement that is under way. */
typedef struct KnAltered
{
	const Node *statement; /* as the server has it, to know it again */
	Node *copy;
	Oid table;
	const char *name; /* before */
	Oid schema;       /* likewise */
	List *added;      /* names of columns that are not there yet */
	List *grants;     /* statements that give others the rights to read that they had */
} KnAltered;

static const PGFunction stamp[] = { kints_history_stamp };

/* The innermost first; in memory of the transaction. */
static List *altered = NIL;

static void end_transaction(XactEvent event, void *argument);
static const RangeVar *target_of(const Node *statement);
static bool has_history(Oid table);
static List *added_columns(const Node *statement, Oid table);
static void begin(const Node *statement);
static bool is_owner(Oid table);
static bool renames_column(const Node *statement);
static KnAltered *known(const Node *statement);
static void end(const KnAltered *alteration);
static void rename_column(const KnAltered *alteration, const RenameStmt *statement);
static void follow_columns(const KnAltered *alteration, Oid table);
static void make_room(Oid old, const char *column);
static const char *table_name(Oid table);
static void follow_type(const Node *statement, Oid old);
static void make_readable(const KnAltered *alteration);
static bool read_history(Oid table, KnHistory *history);

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

/* The table whose columns or place a statement is about; NULL: it is none of interest. */
static const RangeVar *
target_of(const Node *statement)
{
	const ListCell *cell;

	if (IsA(statement, RenameStmt))
		return ((const RenameStmt *) statement)->relation;
	if (IsA(statement, AlterObjectSchemaStmt))
		return ((const AlterObjectSchemaStmt *) statement)->relation;
	if (!IsA(statement, AlterTableStmt))
		return NULL;
	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		AlterTableType what = ((const AlterTableCmd *) lfirst(cell))->subtype;

		if (what == AT_AddColumn || what == AT_DropColumn || what == AT_AlterColumnType)
			return ((const AlterTableStmt *) statement)->relation;
	}
	return NULL;
}

/* Whether it has a history, as far as one knows who has not locked it. */
static bool
has_history(Oid table)
{
	Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	bool has = false;

	ScanKeyInit(&key,
				Anum_pg_trigger_tgrelid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(table));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (row = systable_getnext(scan), HeapTupleIsValid(row))
		has |= trigger_is_of(((Form_pg_trigger) GETSTRUCT(row))->tgfoid, stamp, 1);
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return has;
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
		const char *name = command->subtype == AT_AddColumn
							   ? ((const ColumnDef *) command->def)->colname
							   : command->name;

		if (command->subtype == AT_DropColumn)
			dropped = lappend(dropped, pstrdup(name));
		if (command->subtype == AT_AddColumn &&
			(get_attnum(table, name) == InvalidAttrNumber || sqltext_member(dropped, name)))
			added = lappend(added, pstrdup(name));
	}
	return added;
}

static void
begin(const Node *statement)
{
	const RangeVar *target = target_of(statement);
	Oid table = target == NULL ? InvalidOid : RangeVarGetRelid(target, NoLock, true);
	MemoryContext caller;
	KnAltered *alteration;

	/* Who does not own it does not lock it; the server will say so. */
	if (!OidIsValid(table) || !is_owner(table) ||
		!(renames_column(statement) || has_history(table)))
		return;
	LockRelationOid(table, AccessExclusiveLock);
	if (get_rel_name(table) == NULL)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	alteration = palloc0(sizeof(*alteration));
	alteration->statement = statement;
	alteration->copy = copyObject(unconstify(Node *, statement));
	alteration->table = table;
	alteration->name = get_rel_name(table);
	alteration->schema = get_rel_namespace(table);
	alteration->added = added_columns(statement, table);
	if (has_history(table))
		alteration->grants = history_reads_grants(table);
	altered = lcons(alteration, altered);
	MemoryContextSwitchTo(caller);
	if (has_history(table))
		history_reads_drop(alteration->schema, alteration->name);
}

static bool
is_owner(Oid table)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, table, GetUserId());
#else
	return pg_class_ownercheck(table, GetUserId());
#endif
}

static bool
renames_column(const Node *statement)
{
	return IsA(statement, RenameStmt) &&
		   ((const RenameStmt *) statement)->renameType == OBJECT_COLUMN;
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
	const ListCell *cell;

	CommandCounterIncrement();
	if (renames_column(alteration->copy))
		rename_column(alteration, (const RenameStmt *) alteration->copy);
	/* Tables that inherit from it may have histories of their own. */
	foreach(cell, find_all_inheritors(alteration->table, NoLock, NULL))
		follow_columns(alteration, lfirst_oid(cell));
	if (has_history(alteration->table))
		make_readable(alteration);
}

static void
rename_column(const KnAltered *alteration, const RenameStmt *statement)
{
	const ListCell *cell;

	foreach(cell, find_all_inheritors(alteration->table, NoLock, NULL))
	{
		Oid table = lfirst_oid(cell);
		KnHistory history;
		Oid old;

		rename_arguments(table, statement->subname, statement->newname);
		CommandCounterIncrement();
		if (!read_history(table, &history))
			continue;
		old = history_table(table, history.name);
		if (get_attnum(old, statement->subname) != InvalidAttrNumber)
			utility_run(sqltext_concat("ALTER TABLE ",
									   table_name(old),
									   " RENAME COLUMN ",
									   sqltext_identifier(statement->subname),
									   " TO ",
									   sqltext_identifier(statement->newname),
									   NULL));
	}
	CommandCounterIncrement();
}

/* The table for the old rows of one gets the columns that that has. */
static void
follow_columns(const KnAltered *alteration, Oid table)
{
	KnHistory history;
	Oid old;
	Relation relation;
	const ListCell *cell;

	if (!IsA(alteration->copy, AlterTableStmt) || !read_history(table, &history))
		return;
	old = history_table(table, history.name);
	LockRelationOid(old, AccessExclusiveLock);
	foreach(cell, alteration->added)
		make_room(old, lfirst(cell));
	follow_type(alteration->copy, old);
	relation = table_open(table, NoLock);
	history_add_columns(relation, &history, old);
	table_close(relation, NoLock);
}

/* A column that was dropped had the name that another one gets: what it was is kept under another.
 */
static void
make_room(Oid old, const char *column)
{
	const char *name;
	int number = 0;

	if (get_attnum(old, column) == InvalidAttrNumber)
		return;
	do
		name = makeObjectName(column, psprintf("%d", ++number), NULL);
	while (get_attnum(old, name) != InvalidAttrNumber);
	utility_run(sqltext_concat("ALTER TABLE ",
							   table_name(old),
							   " RENAME COLUMN ",
							   sqltext_identifier(column),
							   " TO ",
							   sqltext_identifier(name),
							   NULL));
	CommandCounterIncrement();
}

static const char *
table_name(Oid table)
{
	return sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

/* What gets another type there gets it here, in the same way. */
static void
follow_type(const Node *statement, Oid old)
{
	AlterTableStmt *copy =
		copyObject(unconstify(AlterTableStmt *, (const AlterTableStmt *) statement));
	List *commands = NIL;
	const ListCell *cell;

	foreach(cell, copy->cmds)
	{
		AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_AlterColumnType &&
			get_attnum(old, command->name) != InvalidAttrNumber)
			commands = lappend(commands, command);
	}
	if (commands == NIL)
		return;
	copy->cmds = commands;
	copy->relation =
		makeRangeVar(get_namespace_name(get_rel_namespace(old)), get_rel_name(old), -1);
	utility_run_unseen((Node *) copy, "");
	CommandCounterIncrement();
}

/* Where it is now, and what it is called, so that it can be read again. */
static void
make_readable(const KnAltered *alteration)
{
	Oid schema = get_rel_namespace(alteration->table);
	KnHistory history;
	const ListCell *cell;

	if (!read_history(alteration->table, &history))
		return;
	if (schema != alteration->schema)
	{
		const char *last;
		Oid place = history_schema(alteration->table, history.name, &last);

		/* One that is said to be beside it goes along. */
		if (place == schema && !OidIsValid(get_relname_relid(last, schema)))
			utility_run(
				sqltext_concat("ALTER TABLE ",
							   sqltext_qualified(get_namespace_name(alteration->schema), last),
							   " SET SCHEMA ",
							   sqltext_identifier(get_namespace_name(schema)),
							   NULL));
		CommandCounterIncrement();
	}
	history_reads_make(alteration->table, &history);
	CommandCounterIncrement();
	foreach(cell, alteration->grants)
		utility_run(sqltext_concat(
			((const KnGrant *) lfirst(cell))->before,
			history_reads_name(alteration->table, ((const KnGrant *) lfirst(cell))->which),
			((const KnGrant *) lfirst(cell))->after,
			NULL));
}

/* False: it has none. */
static bool
read_history(Oid table, KnHistory *history)
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
	if (!kints_history_follows)
		return PointerGetDatum(NULL);
	if (strcmp(data->event, "ddl_command_start") == 0)
		begin(data->parsetree);
	else
	{
		alteration = known(data->parsetree);
		if (alteration != NULL)
		{
			altered = list_delete_ptr(altered, alteration);
			end(alteration);
		}
	}
	return PointerGetDatum(NULL);
}
