/*
 * history_shape.c
 *		The table for old rows gets the columns that the table has.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The type of a column of a table for old rows. */
typedef struct KnRetyped
{
	const Node *statement;
	AlterTableCmd *command;
	Oid old;
} KnRetyped;

static void make_room(Oid old, const char *column);
static void follow_types(const Node *statement, Oid old);
static void retype(void *argument);

/* A column has got another name there. */
void
history_shape_rename(const KnFollowed *followed, const RenameStmt *statement)
{
	if (get_attnum(followed->old, statement->subname) == InvalidAttrNumber ||
		get_attnum(followed->table, statement->newname) == InvalidAttrNumber)
		return;
	make_room(followed->old, statement->newname);
	utility_run(sqltext_concat("ALTER TABLE ",
							   history_shape_name(followed->old),
							   " RENAME COLUMN ",
							   sqltext_identifier(statement->subname),
							   " TO ",
							   sqltext_identifier(statement->newname),
							   NULL));
	CommandCounterIncrement();
}

/* The table for the old rows gets the columns that the table has. */
void
history_shape_follow(const KnFollowed *followed, const Node *statement)
{
	KnHistory history;
	Relation relation;
	const ListCell *cell;

	if (!history_follow_read(followed->table, &history))
		return;
	foreach(cell, followed->added)
		make_room(followed->old, lfirst(cell));
	follow_types(statement, followed->old);
	relation = table_open(followed->table, NoLock);
	history_add_columns(relation, &history, followed->old);
	table_close(relation, NoLock);
	CommandCounterIncrement();
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
							   history_shape_name(old),
							   " RENAME COLUMN ",
							   sqltext_identifier(column),
							   " TO ",
							   sqltext_identifier(name),
							   NULL));
	CommandCounterIncrement();
}

const char *
history_shape_name(Oid table)
{
	return sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

/*
 * What gets another type there gets it here, in the same way.  Old rows may have
 * what the others have not any more: then they keep it, under another name.
 */
static void
follow_types(const Node *statement, Oid old)
{
	const ListCell *cell;

	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		KnRetyped retyped = { statement, lfirst(cell), old };
		const ErrorData *error;

		if (retyped.command->subtype != AT_AlterColumnType ||
			get_attnum(old, retyped.command->name) == InvalidAttrNumber)
			continue;
		error = subtransaction_run(retype, &retyped, true);
		if (error == NULL)
			continue;
		ereport(
			NOTICE,
			errmsg("old rows in table \"%s\" keep the type of column \"%s\", under another name",
				   get_rel_name(old),
				   retyped.command->name),
			errdetail("The reason: %s.", error->message));
		make_room(old, retyped.command->name);
	}
}

static void
retype(void *argument)
{
	const KnRetyped *retyped = argument;
	AlterTableStmt *copy =
		copyObject(unconstify(AlterTableStmt *, (const AlterTableStmt *) retyped->statement));

	copy->cmds = list_make1(copyObject(retyped->command));
	copy->relation = makeRangeVar(get_namespace_name(get_rel_namespace(retyped->old)),
								  get_rel_name(retyped->old),
								  -1);
	utility_run_unseen((Node *) copy, "");
	CommandCounterIncrement();
}
