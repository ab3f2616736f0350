/*
 * function.c
 *		CREATE OR REPLACE FUNCTION and PROCEDURE, as the server spells them.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_function(const KnFunction *object, const List *parts)
{
	const char *kind = object->is_procedure ? "create_procedure" : "create_function";

	(void) parts;
	return ddl_say(NIL, kind, NULL, "%s", object->definition);
}

List *
ddl_drop_function(const KnFunction *object)
{
	return ddl_say(NIL,
				   object->is_procedure ? "drop_procedure" : "drop_function",
				   NULL,
				   "DROP %s %s(%s)",
				   object->is_procedure ? "PROCEDURE" : "FUNCTION",
				   sqltext_qualified(object->head.schema, object->head.name),
				   object->head.arguments == NULL ? "" : object->head.arguments);
}

/* Requires that OR REPLACE will do: same result, same names of arguments, no fewer defaults. */
List *
ddl_alter_function(const KnFunction *from, const KnFunction *to)
{
	if (sqltext_equal(from->definition, to->definition))
		return NIL;
	return ddl_say(NIL, "replace_function", "definition", "%s", to->definition);
}
