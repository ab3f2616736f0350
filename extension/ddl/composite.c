/*
 * composite.c
 *		CREATE TYPE ... AS (...), and its attributes.
 *
 * Attributes are told apart by name.  A new one always comes last, whatever
 * its place in the list.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *attribute_type(const KnComposite *object, int position);
static List *change_attributes(List *statements, const KnComposite *from, const KnComposite *to);

List *
ddl_create_composite(const KnComposite *object, const List *parts)
{
	const char *name = sqltext_qualified(object->head.schema, object->head.name);
	StringInfoData out;
	List *statements;

	(void) parts;
	initStringInfo(&out);
	for (int i = 0; i < list_length(object->attributes); i++)
		appendStringInfo(&out,
						 "%s\n    %s %s",
						 i > 0 ? "," : "",
						 sqltext_identifier(list_nth(object->attributes, i)),
						 attribute_type(object, i));
	if (out.len > 0)
		appendStringInfoChar(&out, '\n');
	statements = ddl_say(NIL, "create_type", NULL, "CREATE TYPE %s AS (%s)", name, out.data);
	return ddl_comment_columns(statements, name, NIL, NIL, object->attributes, object->comments);
}

List *
ddl_drop_composite(const KnComposite *object)
{
	return ddl_say(NIL,
				   "drop_type",
				   NULL,
				   "DROP TYPE %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_composite(const KnComposite *from, const KnComposite *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	List *statements = NIL;
	ListCell *cell;

	foreach(cell, from->attributes)
	{
		if (ddl_position(to->attributes, lfirst(cell)) < 0)
			statements = ddl_say(statements,
								 "drop_attribute",
								 "attributes",
								 "ALTER TYPE %s DROP ATTRIBUTE %s",
								 name,
								 sqltext_identifier(lfirst(cell)));
	}
	statements = change_attributes(statements, from, to);
	return ddl_comment_columns(statements,
							   name,
							   from->attributes,
							   from->comments,
							   to->attributes,
							   to->comments);
}

/* Adds the attributes that are new, and gives the others their types. */
static List *
change_attributes(List *statements, const KnComposite *from, const KnComposite *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);

	for (int i = 0; i < list_length(to->attributes); i++)
	{
		const char *attribute = list_nth(to->attributes, i);
		const char *type = attribute_type(to, i);
		int before = ddl_position(from->attributes, attribute);

		if (before < 0)
			statements = ddl_say(statements,
								 "add_attribute",
								 "attributes",
								 "ALTER TYPE %s ADD ATTRIBUTE %s %s",
								 name,
								 sqltext_identifier(attribute),
								 type);
		else if (!sqltext_equal(attribute_type(from, before), type))
			statements = ddl_say(statements,
								 "alter_attribute_type",
								 "types",
								 "ALTER TYPE %s ALTER ATTRIBUTE %s TYPE %s",
								 name,
								 sqltext_identifier(attribute),
								 type);
	}
	return statements;
}

/* The type of an attribute, with its collation where that is not the type's own. */
static const char *
attribute_type(const KnComposite *object, int position)
{
	const char *type = list_nth(object->types, position);
	const char *collation =
		position < list_length(object->collations) ? list_nth(object->collations, position) : NULL;

	return collation == NULL ? type : psprintf("%s COLLATE %s", type, collation);
}
