/*
 * clause.c
 *		Clauses that statements of several kinds have in common.
 *
 * Options are lists of name=value, as pg_class.reloptions has them.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *option_name(const char *option);
static const char *option_value(const char *option);

/* Where name stands in names, -1 if it does not; elements may be NULL. */
int
ddl_position(const List *names, const char *name)
{
	ListCell *cell;

	foreach(cell, names)
	{
		if (sqltext_equal(lfirst(cell), name))
			return foreach_current_index(cell);
	}
	return -1;
}

/* Options as they stand in WITH (...) or SET (...). */
const char *
ddl_options(const List *options)
{
	StringInfoData out;
	ListCell *cell;

	initStringInfo(&out);
	foreach(cell, options)
	{
		const char *option = lfirst(cell);

		if (out.len > 0)
			appendStringInfoString(&out, ", ");
		appendStringInfoString(&out, option_name(option));
		if (strchr(option, '=') != NULL)
			appendStringInfo(&out, "=%s", option_value(option));
	}
	return out.data;
}

/*
 * Takes options from one state to another: RESET for what is gone, SET for
 * what is new or different.  alter is the statement up to those words.
 */
List *
ddl_alter_options(List *statements, const char *kind, const char *alter, const List *from,
				  const List *to)
{
	List *kept = NIL;
	List *gone = NIL;
	List *set = NIL;
	ListCell *cell;

	foreach(cell, to)
	{
		kept = lappend(kept, (char *) option_name(lfirst(cell)));
		if (ddl_position(from, lfirst(cell)) < 0)
			set = lappend(set, lfirst(cell));
	}
	foreach(cell, from)
	{
		if (ddl_position(kept, option_name(lfirst(cell))) < 0)
			gone = lappend(gone, (char *) option_name(lfirst(cell)));
	}
	if (gone != NIL)
		statements =
			ddl_say(statements, kind, "options", "%s RESET (%s)", alter, sqltext_join(gone, ", "));
	if (set != NIL)
		statements = ddl_say(statements, kind, "options", "%s SET (%s)", alter, ddl_options(set));
	return statements;
}

/* Those options that are of the table that keeps what is too long for a row. */
List *
ddl_toast_options(const List *options)
{
	List *found = NIL;
	const ListCell *cell;

	foreach(cell, options)
	{
		if (strncmp(lfirst(cell), "toast.", strlen("toast.")) == 0)
			found = lappend(found, lfirst(cell));
	}
	return found;
}

/* The name of an option, each part of toast.x quoted if need be. */
static const char *
option_name(const char *option)
{
	const char *name = pnstrdup(option, strcspn(option, "="));
	const char *dot = strchr(name, '.');

	if (dot == NULL)
		return sqltext_identifier(name);
	return sqltext_qualified(pnstrdup(name, dot - name), dot + 1);
}

/* The value of an option, which must have one, as a literal unless it is a number or a plain word.
 */
static const char *
option_value(const char *option)
{
	static const char *const words[] = { "true", "false", "on", "off" };
	const char *value = strchr(option, '=') + 1;
	const char *digits = *value == '-' ? value + 1 : value;

	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (strcmp(value, words[i]) == 0)
			return value;
	}
	if (*digits >= '0' && *digits <= '9' && digits[strspn(digits, "0123456789.")] == '\0')
		return value;
	if (*value != '\0' && strcmp(sqltext_identifier(value), value) == 0)
		return value;
	return sqltext_literal(value);
}

/* The expression in parentheses, unless it stands in a pair of its own already. */
const char *
ddl_parenthesized(const char *expression)
{
	int depth = 0;
	char quote = '\0';

	for (const char *at = expression; *at != '\0'; at++)
	{
		if (quote != '\0')
		{
			if (*at == quote)
				quote = '\0';
			else if (*at == '\\')
				break; /* an escape string may be: do not try to read it */
			continue;
		}
		if (*at == '\'' || *at == '"')
			quote = *at;
		else if (*at == '(')
			depth++;
		else if (*at == ')')
			depth--;
		if (depth == 0)
			return at[1] == '\0' && *at == ')' ? expression : psprintf("(%s)", expression);
	}
	return psprintf("(%s)", expression);
}

/*
 * Comments on the columns of a relation or type, for kinds that keep them in a
 * list of their own.  The from lists are NIL for what was just created.
 */
List *
ddl_comment_columns(List *statements, const char *relation, const List *from_columns,
					const List *from_comments, const List *columns, const List *comments)
{
	ListCell *name;
	ListCell *text;

	forboth(name, columns, text, comments)
	{
		int before = ddl_position(from_columns, lfirst(name));
		const char *comment = lfirst(text);

		if (sqltext_equal(before < 0 ? NULL : list_nth(from_comments, before), comment))
			continue;
		statements = ddl_say(statements,
							 "set_comment",
							 "comments",
							 "COMMENT ON COLUMN %s.%s IS %s",
							 relation,
							 sqltext_identifier(lfirst(name)),
							 sqltext_literal(comment));
	}
	return statements;
}
