/*
 * domain.c
 *		CREATE DOMAIN, and its default, NOT NULL and constraints.
 *
 * A constraint that is NOT VALID cannot stand in CREATE DOMAIN: it is added
 * afterwards, as all constraints are to a domain that is there already.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char x_not_valid[] = " NOT VALID";

static bool is_not_valid(const char *definition);
static bool is_kept(const KnDomain *from, const KnDomain *to, int position, bool *is_validated);
static List *add_constraint(List *statements, const KnDomain *object, int position);
static List *drop_constraints(List *statements, const KnDomain *from, const KnDomain *to);
static List *give_constraints(List *statements, const KnDomain *from, const KnDomain *to);
static List *comment_constraint(List *statements, const KnDomain *object, int position);

List *
ddl_create_domain(const KnDomain *object, const List *parts)
{
	StringInfoData out;
	List *statements;

	(void) parts;
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE DOMAIN %s AS %s",
					 sqltext_qualified(object->head.schema, object->head.name),
					 object->type);
	if (object->collation != NULL)
		appendStringInfo(&out, " COLLATE %s", object->collation);
	if (object->default_value != NULL)
		appendStringInfo(&out, " DEFAULT %s", object->default_value);
	if (object->not_null)
		appendStringInfoString(&out, " NOT NULL");
	for (int i = 0; i < list_length(object->constraints); i++)
	{
		const char *definition = list_nth(object->definitions, i);

		if (!is_not_valid(definition))
			appendStringInfo(&out,
							 "\n    CONSTRAINT %s %s",
							 sqltext_identifier(list_nth(object->constraints, i)),
							 definition);
	}
	statements = ddl_say(NIL, "create_domain", NULL, "%s", out.data);
	for (int i = 0; i < list_length(object->constraints); i++)
	{
		if (is_not_valid(list_nth(object->definitions, i)))
			statements = add_constraint(statements, object, i);
		if (list_nth(object->comments, i) != NULL)
			statements = comment_constraint(statements, object, i);
	}
	return statements;
}

List *
ddl_drop_domain(const KnDomain *object)
{
	return ddl_say(NIL,
				   "drop_domain",
				   NULL,
				   "DROP DOMAIN %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_domain(const KnDomain *from, const KnDomain *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	List *statements = drop_constraints(NIL, from, to);

	if (!sqltext_equal(from->default_value, to->default_value))
		statements = ddl_say(statements,
							 "set_domain_default",
							 "default_value",
							 "ALTER DOMAIN %s %s%s",
							 name,
							 to->default_value == NULL ? "DROP DEFAULT" : "SET DEFAULT ",
							 to->default_value == NULL ? "" : to->default_value);
	if (from->not_null != to->not_null)
		statements = ddl_say(statements,
							 to->not_null ? "set_domain_not_null" : "drop_domain_not_null",
							 "not_null",
							 "ALTER DOMAIN %s %s NOT NULL",
							 name,
							 to->not_null ? "SET" : "DROP");
	return give_constraints(statements, from, to);
}

/* Drops the constraints that are gone, and those that come back different. */
static List *
drop_constraints(List *statements, const KnDomain *from, const KnDomain *to)
{
	for (int i = 0; i < list_length(from->constraints); i++)
	{
		const char *constraint = list_nth(from->constraints, i);
		int after = ddl_position(to->constraints, constraint);
		bool is_validated;

		if (after >= 0 && is_kept(from, to, after, &is_validated))
			continue;
		statements = ddl_say(statements,
							 "drop_domain_constraint",
							 "constraints",
							 "ALTER DOMAIN %s DROP CONSTRAINT %s",
							 sqltext_qualified(to->head.schema, to->head.name),
							 sqltext_identifier(constraint));
	}
	return statements;
}

/* Adds, validates and comments what drop_constraints() has left to do. */
static List *
give_constraints(List *statements, const KnDomain *from, const KnDomain *to)
{
	for (int i = 0; i < list_length(to->constraints); i++)
	{
		const char *constraint = list_nth(to->constraints, i);
		const char *comment = NULL;
		bool is_validated = false;

		if (!is_kept(from, to, i, &is_validated))
			statements = add_constraint(statements, to, i);
		else
			comment = list_nth(from->comments, ddl_position(from->constraints, constraint));
		if (is_validated)
			statements = ddl_say(statements,
								 "validate_domain_constraint",
								 "definitions",
								 "ALTER DOMAIN %s VALIDATE CONSTRAINT %s",
								 sqltext_qualified(to->head.schema, to->head.name),
								 sqltext_identifier(constraint));
		if (!sqltext_equal(comment, list_nth(to->comments, i)))
			statements = comment_constraint(statements, to, i);
	}
	return statements;
}

/*
 * Whether the constraint at position of to is in from already, the same or
 * only not yet validated; *is_validated tells which.
 */
static bool
is_kept(const KnDomain *from, const KnDomain *to, int position, bool *is_validated)
{
	int before = ddl_position(from->constraints, list_nth(to->constraints, position));
	const char *old;
	const char *new;

	*is_validated = false;
	if (before < 0)
		return false;
	old = list_nth(from->definitions, before);
	new = list_nth(to->definitions, position);
	if (sqltext_equal(old, new))
		return true;
	*is_validated = is_not_valid(old) && sqltext_equal(psprintf("%s%s", new, x_not_valid), old);
	return *is_validated;
}

static bool
is_not_valid(const char *definition)
{
	size_t length = strlen(definition);
	size_t suffix = strlen(x_not_valid);

	return length > suffix && strcmp(definition + length - suffix, x_not_valid) == 0;
}

static List *
add_constraint(List *statements, const KnDomain *object, int position)
{
	return ddl_say(statements,
				   "add_domain_constraint",
				   "constraints",
				   "ALTER DOMAIN %s ADD CONSTRAINT %s %s",
				   sqltext_qualified(object->head.schema, object->head.name),
				   sqltext_identifier(list_nth(object->constraints, position)),
				   (const char *) list_nth(object->definitions, position));
}

static List *
comment_constraint(List *statements, const KnDomain *object, int position)
{
	return ddl_say(statements,
				   "set_comment",
				   "comments",
				   "COMMENT ON CONSTRAINT %s ON DOMAIN %s IS %s",
				   sqltext_identifier(list_nth(object->constraints, position)),
				   sqltext_qualified(object->head.schema, object->head.name),
				   sqltext_literal(list_nth(object->comments, position)));
}
