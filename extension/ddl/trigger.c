/*
 * trigger.c
 *		Triggers, as the server spells them.
 *
 * That of a partition is a copy of the partitioned table's, and comes and goes
 * with it: only how it is enabled is a matter of its own.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_trigger(const KnTrigger *object, const List *parts)
{
	KnTrigger plain = *object;
	List *statements;

	(void) parts;
	if (object->inherited != NULL)
		return ddl_say(NIL, "enable_trigger", NULL, "%s", object->definition);
	statements = ddl_say(NIL, "create_trigger", NULL, "%s", object->definition);
	plain.enabled = "ENABLE";
	return list_concat(statements, ddl_alter_trigger(&plain, object));
}

List *
ddl_drop_trigger(const KnTrigger *object)
{
	if (object->inherited != NULL)
		return ddl_say(NIL,
					   "enable_trigger",
					   NULL,
					   "ALTER TABLE ONLY %s %s TRIGGER %s",
					   name_of_parent(&object->head),
					   object->inherited,
					   sqltext_identifier(object->head.name));
	return ddl_say(NIL,
				   "drop_trigger",
				   NULL,
				   "DROP TRIGGER %s ON %s",
				   sqltext_identifier(object->head.name),
				   name_of_parent(&object->head));
}

/* The triggers of a view are always enabled. */
List *
ddl_alter_trigger(const KnTrigger *from, const KnTrigger *to)
{
	if (to->enabled == NULL || sqltext_equal(from->enabled, to->enabled))
		return NIL;
	return ddl_say(NIL,
				   "enable_trigger",
				   "enabled",
				   "ALTER TABLE %s %s TRIGGER %s",
				   name_of_parent(&to->head),
				   to->enabled,
				   sqltext_identifier(to->head.name));
}
