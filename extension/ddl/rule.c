/*
 * rule.c
 *		Rewrite rules.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char x_create[] = "CREATE RULE ";

List *
ddl_create_rule(const KnRule *object, const List *parts)
{
	KnRule plain = *object;
	List *statements = ddl_say(NIL, "create_rule", NULL, "%s", object->definition);

	(void) parts;
	plain.enabled = "ENABLE";
	return list_concat(statements, ddl_alter_rule(&plain, object));
}

List *
ddl_drop_rule(const KnRule *object)
{
	return ddl_say(NIL,
				   "drop_rule",
				   NULL,
				   "DROP RULE %s ON %s",
				   sqltext_identifier(object->head.name),
				   name_of_parent(&object->head));
}

/* OR REPLACE leaves it as enabled as it was.  The rules of a view are always enabled. */
List *
ddl_alter_rule(const KnRule *from, const KnRule *to)
{
	List *statements = NIL;

	if (!sqltext_equal(from->definition, to->definition))
	{
		if (strncmp(to->definition, x_create, strlen(x_create)) != 0)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("definition of rule \"%s\" is not CREATE RULE", to->head.name));
		statements = ddl_say(statements,
							 "replace_rule",
							 "definition",
							 "CREATE OR REPLACE RULE %s",
							 to->definition + strlen(x_create));
	}
	if (to->enabled != NULL && !sqltext_equal(from->enabled, to->enabled))
		statements = ddl_say(statements,
							 "enable_rule",
							 "enabled",
							 "ALTER TABLE %s %s RULE %s",
							 name_of_parent(&to->head),
							 to->enabled,
							 sqltext_identifier(to->head.name));
	return statements;
}
