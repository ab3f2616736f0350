/*
 * constraint.c
 *		Constraints of tables, and the indexes behind them.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static List *alter_index(List *statements, const KnConstraint *from, const KnConstraint *to);

List *
ddl_create_constraint(const KnConstraint *object, const List *parts)
{
	bool is_deferrable = object->deferrable != NULL && *object->deferrable != '\0';
	KnConstraint plain = *object;
	List *statements;

	(void) parts;
	statements = ddl_say(NIL,
						 "add_constraint",
						 NULL,
						 "ALTER TABLE %s ADD CONSTRAINT %s %s%s%s%s",
						 name_of_parent(&object->head),
						 sqltext_identifier(object->head.name),
						 object->definition,
						 is_deferrable ? " " : "",
						 is_deferrable ? object->deferrable : "",
						 object->not_valid ? " NOT VALID" : "");
	plain.tablespace = NULL;
	plain.index_comment = NULL;
	plain.index_options = NIL;
	return alter_index(statements, &plain, object);
}

List *
ddl_drop_constraint(const KnConstraint *object)
{
	return ddl_say(NIL,
				   "drop_constraint",
				   NULL,
				   "ALTER TABLE %s DROP CONSTRAINT %s",
				   name_of_parent(&object->head),
				   sqltext_identifier(object->head.name));
}

/* Requires that it is not to be NOT VALID again: then it has to be added anew. */
List *
ddl_alter_constraint(const KnConstraint *from, const KnConstraint *to)
{
	const char *table = name_of_parent(&to->head);
	const char *name = sqltext_identifier(to->head.name);
	const char *deferrable = to->deferrable == NULL ? "" : to->deferrable;
	List *statements = NIL;

	if (!sqltext_equal(from->deferrable == NULL ? "" : from->deferrable, deferrable))
		statements = ddl_say(statements,
							 "alter_constraint",
							 "deferrable",
							 "ALTER TABLE %s ALTER CONSTRAINT %s %s",
							 table,
							 name,
							 *deferrable == '\0' ? "NOT DEFERRABLE" : deferrable);
	if (from->not_valid && !to->not_valid)
		statements = ddl_say(statements,
							 "validate_constraint",
							 "not_valid",
							 "ALTER TABLE %s VALIDATE CONSTRAINT %s",
							 table,
							 name);
	return alter_index(statements, from, to);
}

/* What is to be said of the index behind the constraint, which has its name. */
static List *
alter_index(List *statements, const KnConstraint *from, const KnConstraint *to)
{
	const char *index = sqltext_qualified(to->head.schema, to->head.name);

	if (!sqltext_equal(from->tablespace, to->tablespace))
		statements = ddl_say(statements,
							 "set_tablespace",
							 "tablespace",
							 "ALTER INDEX %s SET TABLESPACE %s",
							 index,
							 to->tablespace == NULL ? "pg_default" : to->tablespace);
	statements = ddl_alter_options(statements,
								   "set_index_options",
								   psprintf("ALTER INDEX %s", index),
								   from->index_options,
								   to->index_options);
	if (!sqltext_equal(from->index_comment, to->index_comment))
		statements = ddl_say(statements,
							 "set_comment",
							 "index_comment",
							 "COMMENT ON INDEX %s IS %s",
							 index,
							 sqltext_literal(to->index_comment));
	return statements;
}
