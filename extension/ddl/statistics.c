/*
 * statistics.c
 *		Extended statistics.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_statistics(const KnStatistics *object, const List *parts)
{
	KnStatistics plain = *object;
	List *statements = ddl_say(NIL, "create_statistics", NULL, "%s", object->definition);

	(void) parts;
	plain.target = -1;
	return list_concat(statements, ddl_alter_statistics(&plain, object));
}

List *
ddl_drop_statistics(const KnStatistics *object)
{
	return ddl_say(NIL,
				   "drop_statistics",
				   NULL,
				   "DROP STATISTICS %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_statistics(const KnStatistics *from, const KnStatistics *to)
{
	if (from->target == to->target)
		return NIL;
	return ddl_say(NIL,
				   "set_statistics",
				   "target",
				   "ALTER STATISTICS %s SET STATISTICS " INT64_FORMAT,
				   sqltext_qualified(to->head.schema, to->head.name),
				   to->target);
}
