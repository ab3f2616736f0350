/*
 * view.c
 *		CREATE [OR REPLACE] VIEW, and its options.
 *
 * The names of its columns are in its definition.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *view_text(const char *verb, const KnView *object);

List *
ddl_create_view(const KnView *object, const List *parts)
{
	List *statements;

	(void) parts;
	statements = ddl_say(NIL, "create_view", NULL, "%s", view_text("CREATE", object));
	return ddl_comment_columns(statements,
							   sqltext_qualified(object->head.schema, object->head.name),
							   NIL,
							   NIL,
							   object->columns,
							   object->comments);
}

List *
ddl_drop_view(const KnView *object)
{
	return ddl_say(NIL,
				   "drop_view",
				   NULL,
				   "DROP VIEW %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

/* Requires that OR REPLACE will do: columns are only added, and last.  It sets all options. */
List *
ddl_alter_view(const KnView *from, const KnView *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	List *statements = NIL;

	if (!sqltext_equal(from->definition, to->definition) ||
		!schema_list_equal(from->columns, to->columns) ||
		!schema_list_equal(from->types, to->types))
		statements = ddl_say(statements,
							 "replace_view",
							 "definition",
							 "%s",
							 view_text("CREATE OR REPLACE", to));
	else
		statements = ddl_alter_options(statements,
									   "set_view_options",
									   psprintf("ALTER VIEW %s", name),
									   from->options,
									   to->options);
	return ddl_comment_columns(statements,
							   name,
							   from->columns,
							   from->comments,
							   to->columns,
							   to->comments);
}

static const char *
view_text(const char *verb, const KnView *object)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "%s VIEW %s",
					 verb,
					 sqltext_qualified(object->head.schema, object->head.name));
	if (object->options != NIL)
		appendStringInfo(&out, " WITH (%s)", ddl_options(object->options));
	appendStringInfo(&out, " AS\n%s", object->definition);
	return out.data;
}
