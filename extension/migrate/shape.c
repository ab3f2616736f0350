/*
 * shape.c
 *		Whether a step's text is what the step says it is.
 *
 * Of a snapshot, which anybody can write, definitions and expressions go into
 * the text of steps as they are.  What judges a step, and what allows it to run,
 * goes by its kind: so the text has to be one statement, of that kind, and has
 * to drop nothing unless the kind says so.
 */
#include "kints_norm.h"

#include "migrate/migrate.h"

#include "base/base.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/formatting.h"

static bool has_shape(const KnStep *step);
static bool is_of_kind(const char *kind, const char *tag);
static bool starts(const char *text, const char *with);
static bool does_one_thing(const AlterTableStmt *statement, const char *kind);

/* An error unless the text of each step is one statement of its kind. */
void
shape_check(const List *steps)
{
	const ListCell *cell;

	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		if (step->sql != NULL && !has_shape(step))
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("step %d, %s %s, is more or other than that",
						   step->number,
						   step->kind,
						   step->object),
					errdetail("Its text is: %s", step->sql),
					errhint("Definitions in a snapshot must be as the server printed them."));
	}
}

static bool
has_shape(const KnStep *step)
{
	List *statements = raw_parser(step->sql, RAW_PARSE_DEFAULT);
	Node *statement;

	if (list_length(statements) != 1)
		return false;
	statement = linitial_node(RawStmt, statements)->stmt;
	if (!is_of_kind(step->kind, CreateCommandName(statement)))
		return false;
	return !IsA(statement, AlterTableStmt) ||
		   does_one_thing((AlterTableStmt *) statement, step->kind);
}

/* Whether a command like "CREATE INDEX" is what a step of a kind like "create_index" runs. */
static bool
is_of_kind(const char *kind, const char *tag)
{
	char *words = asc_toupper(kind, strlen(kind));

	for (char *at = words; *at != '\0'; at++)
	{
		if (*at == '_')
			*at = ' ';
	}
	if (starts(kind, "create_") || starts(kind, "refresh_") || strcmp(kind, "grant") == 0 ||
		strcmp(kind, "revoke") == 0)
		return strcmp(words, tag) == 0;
	if (starts(kind, "replace_"))
		return starts(tag, "CREATE ");
	if (strcmp(kind, "set_comment") == 0)
		return strcmp(tag, "COMMENT") == 0;
	if (strcmp(kind, "check_values") == 0)
		return strcmp(tag, "DO") == 0;
	if (strcmp(kind, "follow_rows") == 0 || strcmp(kind, "raise_sequence") == 0)
		return strcmp(tag, "SELECT") == 0;
	return starts(tag, "ALTER ") || (starts(tag, "DROP ") && starts(kind, "drop_"));
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Only the settings of a materialized view's columns are said together. */
static bool
does_one_thing(const AlterTableStmt *statement, const char *kind)
{
	const ListCell *cell;

	if (list_length(statement->cmds) != 1 && statement->objtype != OBJECT_MATVIEW)
		return false;
	foreach(cell, statement->cmds)
	{
		AlterTableType type = lfirst_node(AlterTableCmd, cell)->subtype;

		if ((type == AT_DropColumn || type == AT_DropConstraint) && !starts(kind, "drop_"))
			return false;
	}
	return true;
}
