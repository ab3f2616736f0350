/*
 * schema.c
 *		CREATE and DROP SCHEMA.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_schema(const KnNamespace *object, const List *parts)
{
	(void) parts;
	return ddl_say(NIL,
				   "create_schema",
				   NULL,
				   "CREATE SCHEMA %s",
				   sqltext_identifier(object->head.name));
}

List *
ddl_drop_schema(const KnNamespace *object)
{
	return ddl_say(NIL,
				   "drop_schema",
				   NULL,
				   "DROP SCHEMA %s",
				   sqltext_identifier(object->head.name));
}

List *
ddl_alter_schema(const KnNamespace *from, const KnNamespace *to)
{
	(void) from;
	(void) to;
	return NIL;
}
