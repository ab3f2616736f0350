/*
 * index.c
 *		CREATE INDEX as the server spells it, and what can be altered.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static List *alter_statistics(List *statements, const KnIndex *from, const KnIndex *to);
static List *set_target(List *statements, const KnIndex *object, const char *column,
						const char *target);
static const char *entry_column(const char *entry);

/* The tablespace comes second: its place in the definition is before WHERE. */
List *
ddl_create_index(const KnIndex *object, const List *parts)
{
	KnIndex plain = *object;
	List *statements = ddl_say(NIL, "create_index", NULL, "%s", object->definition);

	(void) parts;
	plain.tablespace = NULL;
	plain.statistics = NIL;
	return list_concat(statements, ddl_alter_index(&plain, object));
}

List *
ddl_drop_index(const KnIndex *object)
{
	return ddl_say(NIL,
				   "drop_index",
				   NULL,
				   "DROP INDEX %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_index(const KnIndex *from, const KnIndex *to)
{
	List *statements = NIL;

	if (!sqltext_equal(from->tablespace, to->tablespace))
		statements = ddl_say(statements,
							 "set_tablespace",
							 "tablespace",
							 "ALTER INDEX %s SET TABLESPACE %s",
							 sqltext_qualified(to->head.schema, to->head.name),
							 to->tablespace == NULL ? "pg_default" : to->tablespace);
	return alter_statistics(statements, from, to);
}

/* Targets of expression columns; one that is gone is back at the default, -1. */
static List *
alter_statistics(List *statements, const KnIndex *from, const KnIndex *to)
{
	List *columns = NIL;
	ListCell *cell;

	foreach(cell, to->statistics)
		columns = lappend(columns, (char *) entry_column(lfirst(cell)));
	foreach(cell, from->statistics)
	{
		if (ddl_position(columns, entry_column(lfirst(cell))) < 0)
			statements = set_target(statements, to, entry_column(lfirst(cell)), "-1");
	}
	foreach(cell, to->statistics)
	{
		const char *column = entry_column(lfirst(cell));

		if (ddl_position(from->statistics, lfirst(cell)) < 0)
			statements = set_target(statements,
									to,
									column,
									(const char *) lfirst(cell) + strlen(column) + 1);
	}
	return statements;
}

static List *
set_target(List *statements, const KnIndex *object, const char *column, const char *target)
{
	return ddl_say(statements,
				   "set_statistics",
				   "statistics",
				   "ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s",
				   sqltext_qualified(object->head.schema, object->head.name),
				   column,
				   target);
}

/* The number of the column that an entry "2=100" is about. */
static const char *
entry_column(const char *entry)
{
	return pnstrdup(entry, strcspn(entry, "="));
}
