/*
 * aggregate.c
 *		CREATE and DROP AGGREGATE.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *signature(const KnAggregate *object);

/* A definition that starts on a line of its own gets one for its parenthesis too. */
List *
ddl_create_aggregate(const KnAggregate *object, const List *parts)
{
	(void) parts;
	return ddl_say(NIL,
				   "create_aggregate",
				   NULL,
				   "CREATE AGGREGATE %s (%s%s)",
				   signature(object),
				   object->definition,
				   *object->definition == '\n' ? "\n" : "");
}

List *
ddl_drop_aggregate(const KnAggregate *object)
{
	return ddl_say(NIL, "drop_aggregate", NULL, "DROP AGGREGATE %s", signature(object));
}

/* All that an aggregate is has to be rebuilt. */
List *
ddl_alter_aggregate(const KnAggregate *from, const KnAggregate *to)
{
	(void) from;
	(void) to;
	return NIL;
}

/* The name with its arguments; an aggregate of no argument has a star there. */
static const char *
signature(const KnAggregate *object)
{
	const char *arguments = object->head.arguments;

	return psprintf("%s(%s)",
					sqltext_qualified(object->head.schema, object->head.name),
					arguments == NULL || *arguments == '\0' ? "*" : arguments);
}
