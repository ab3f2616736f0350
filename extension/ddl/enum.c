/*
 * enum.c
 *		CREATE TYPE ... AS ENUM; labels are only ever added.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *add_label(const List *from, const List *to, int position);

List *
ddl_create_enum(const KnEnum *object, const List *parts)
{
	List *labels = NIL;
	ListCell *cell;
	const char *text;

	(void) parts;
	foreach(cell, object->labels)
		labels = lappend(labels, (char *) sqltext_literal(lfirst(cell)));
	text = sqltext_join(labels, ", ");
	if (strlen(text) > 60)
		text = psprintf("\n    %s\n", sqltext_join(labels, ",\n    "));
	return ddl_say(NIL,
				   "create_type",
				   NULL,
				   "CREATE TYPE %s AS ENUM (%s)",
				   sqltext_qualified(object->head.schema, object->head.name),
				   text);
}

List *
ddl_drop_enum(const KnEnum *object)
{
	return ddl_say(NIL,
				   "drop_type",
				   NULL,
				   "DROP TYPE %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

/* Requires that the labels of from are those of to with some left out. */
List *
ddl_alter_enum(const KnEnum *from, const KnEnum *to)
{
	List *statements = NIL;

	for (int i = 0; i < list_length(to->labels); i++)
	{
		const char *label = list_nth(to->labels, i);

		if (ddl_position(from->labels, label) >= 0)
			continue;
		statements = ddl_say(statements,
							 "add_enum_value",
							 "labels",
							 "ALTER TYPE %s ADD VALUE %s%s",
							 sqltext_qualified(to->head.schema, to->head.name),
							 sqltext_literal(label),
							 add_label(from->labels, to->labels, i));
	}
	return statements;
}

/*
 * Where the new label goes.  Labels are added from first to last, so that the
 * one before is always there; one that comes after all old ones needs no word.
 */
static const char *
add_label(const List *from, const List *to, int position)
{
	bool is_last = true;

	for (int i = position + 1; i < list_length(to) && is_last; i++)
		is_last = ddl_position(from, list_nth(to, i)) < 0;
	if (is_last)
		return "";
	if (position == 0)
		return psprintf(" BEFORE %s", sqltext_literal(linitial(from)));
	return psprintf(" AFTER %s", sqltext_literal(list_nth(to, position - 1)));
}
