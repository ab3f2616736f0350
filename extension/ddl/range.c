/*
 * range.c
 *		CREATE TYPE ... AS RANGE.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_range(const KnRange *object, const List *parts)
{
	(void) parts;
	return ddl_say(NIL,
				   "create_type",
				   NULL,
				   "CREATE TYPE %s AS RANGE %s",
				   sqltext_qualified(object->head.schema, object->head.name),
				   ddl_parenthesized(object->definition));
}

List *
ddl_drop_range(const KnRange *object)
{
	return ddl_say(NIL,
				   "drop_type",
				   NULL,
				   "DROP TYPE %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

/* All that a range is has to be rebuilt. */
List *
ddl_alter_range(const KnRange *from, const KnRange *to)
{
	(void) from;
	(void) to;
	return NIL;
}
