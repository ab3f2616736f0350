/*
 * policy.c
 *		Row security policies.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static List *alter_policy(List *statements, const KnPolicy *object, const char *aspect,
						  const char *clause);

List *
ddl_create_policy(const KnPolicy *object, const List *parts)
{
	StringInfoData out;

	(void) parts;
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE POLICY %s ON %s",
					 sqltext_identifier(object->head.name),
					 name_of_parent(&object->head));
	if (object->is_restrictive)
		appendStringInfoString(&out, " AS RESTRICTIVE");
	if (object->command != NULL)
		appendStringInfo(&out, " FOR %s", object->command);
	if (object->roles != NIL)
		appendStringInfo(&out, " TO %s", sqltext_join(object->roles, ", "));
	if (object->using_expression != NULL)
		appendStringInfo(&out, "\n    USING %s", ddl_parenthesized(object->using_expression));
	if (object->check_expression != NULL)
		appendStringInfo(&out, "\n    WITH CHECK %s", ddl_parenthesized(object->check_expression));
	return ddl_say(NIL, "create_policy", NULL, "%s", out.data);
}

List *
ddl_drop_policy(const KnPolicy *object)
{
	return ddl_say(NIL,
				   "drop_policy",
				   NULL,
				   "DROP POLICY %s ON %s",
				   sqltext_identifier(object->head.name),
				   name_of_parent(&object->head));
}

/* Requires that no expression is taken away: ALTER POLICY cannot. */
List *
ddl_alter_policy(const KnPolicy *from, const KnPolicy *to)
{
	List *statements = NIL;

	if (!schema_list_equal(from->roles, to->roles))
		statements = alter_policy(
			statements,
			to,
			"roles",
			psprintf("TO %s", to->roles == NIL ? "PUBLIC" : sqltext_join(to->roles, ", ")));
	if (!sqltext_equal(from->using_expression, to->using_expression))
		statements = alter_policy(statements,
								  to,
								  "using_expression",
								  psprintf("USING %s", ddl_parenthesized(to->using_expression)));
	if (!sqltext_equal(from->check_expression, to->check_expression))
		statements =
			alter_policy(statements,
						 to,
						 "check_expression",
						 psprintf("WITH CHECK %s", ddl_parenthesized(to->check_expression)));
	return statements;
}

static List *
alter_policy(List *statements, const KnPolicy *object, const char *aspect, const char *clause)
{
	return ddl_say(statements,
				   "alter_policy",
				   aspect,
				   "ALTER POLICY %s ON %s %s",
				   sqltext_identifier(object->head.name),
				   name_of_parent(&object->head),
				   clause);
}
