/*
 * column.c
 *		A column that a trigger gives values to.
 *
 * The server takes what a BEFORE trigger returns as it is: that it fits the
 * column, its precision and the checks of its domain, is our affair.
 */
#include "triggers/triggers.h"

#include "catalog/pg_attribute.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/*
 * The column of that name, which is one that can be given values.  column
 * stands in memory of the current context, or of one that lives as long.
 */
void
column_find(KnColumn *column, Relation relation, const char *name)
{
	TupleDesc shape = RelationGetDescr(relation);

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (attribute->attgenerated != '\0')
			ereport(ERROR,
					errcode(ERRCODE_GENERATED_ALWAYS),
					errmsg("column \"%s\" of table \"%s\" is generated",
						   name,
						   RelationGetRelationName(relation)),
					errtablecol(relation, i + 1));
		if (attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
			ereport(ERROR,
					errcode(ERRCODE_GENERATED_ALWAYS),
					errmsg("column \"%s\" of table \"%s\" is an identity column",
						   name,
						   RelationGetRelationName(relation)),
					errdetail("It is GENERATED ALWAYS, and no UPDATE can set it."),
					errtablecol(relation, i + 1));
		column->number = i + 1;
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->base = getBaseTypeAndTypmod(column->type, &column->typmod);
		column->domain = NULL;
		column->context = CurrentMemoryContext;
		return;
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("column \"%s\" of table \"%s\" does not exist",
				   name,
				   RelationGetRelationName(relation)),
			errtable(relation));
}

/* expected: the types that would do. */
void
column_refuse_type(const KnColumn *column, Relation relation, const char *expected)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), column->number - 1);

	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("column \"%s\" of table \"%s\" is of type %s, but has to be %s",
				   NameStr(attribute->attname),
				   RelationGetRelationName(relation),
				   format_type_be(column->type),
				   expected),
			errtablecol(relation, column->number));
}

/* The value, if the domain takes it that the column is of. */
Datum
column_checked(KnColumn *column, Datum value)
{
	if (column->type != column->base)
		domain_check(value, false, column->type, &column->domain, column->context);
	return value;
}
