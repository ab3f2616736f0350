/*
 * parents.c
 *		Parents that a table joins before it leaves others.
 *
 * A column that a table has from its parents alone becomes one that the table
 * declares itself as soon as the last parent that has it is left, and stays so:
 * only CREATE TABLE, and a column that is added to a parent, make one that is
 * inherited.  So a new parent is joined first, where the table already has all
 * that the parent is to have.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static bool has_plain_parents(const KnTable *table);
static bool can_join(const KnChanges *changes, const KnTable *child, const char *parent);
static bool fits(const KnChanges *changes, const KnTable *child, const KnColumn *column);

/* A table as found, with the parents that it joins first; the same where there are none. */
KnObject *
parents_join_first(const KnChanges *changes, KnObject *table)
{
	const KnTable *found = (const KnTable *) table;
	const KnTable *wanted = (const KnTable *) diff_wanted_of(changes, table);
	KnTable *joined;
	ListCell *cell;

	if (table->kind != KN_TABLE || !has_plain_parents(found) || !has_plain_parents(wanted) ||
		schema_list_equal(found->inherits, wanted->inherits))
		return table;
	joined = palloc(sizeof(KnTable));
	*joined = *found;
	joined->inherits = list_copy(found->inherits);
	foreach(cell, wanted->inherits)
	{
		if (!sqltext_member(found->inherits, lfirst(cell)) &&
			can_join(changes, found, lfirst(cell)))
			joined->inherits = lappend(joined->inherits, lfirst(cell));
	}
	return list_length(joined->inherits) == list_length(found->inherits) ? table : &joined->head;
}

static bool
has_plain_parents(const KnTable *table)
{
	return table->partition_of == NULL && table->inherits != NIL;
}

/* Whether the child has all that the parent has once its columns have come and gone. */
static bool
can_join(const KnChanges *changes, const KnTable *child, const char *parent)
{
	const KnTable *table =
		(const KnTable *) schema_find_qualified(changes->wanted, KN_TABLE, parent);
	ListCell *cell;

	if (table == NULL)
		return false;
	foreach(cell, changes->wanted->objects)
	{
		const KnObject *object = lfirst(cell);

		if (!schema_is_part(object, &table->head))
			continue;
		if (object->kind == KN_COLUMN && !fits(changes, child, (const KnColumn *) object))
			return false;
		/* Which checks a child has from its parents is not read. */
		if (object->kind == KN_CONSTRAINT &&
			strcmp(((const KnConstraint *) object)->type, "c") == 0 &&
			strstr(((const KnConstraint *) object)->definition, " NO INHERIT") == NULL)
			return false;
	}
	return true;
}

/* Whether the child is found with such a column as the parent is to have. */
static bool
fits(const KnChanges *changes, const KnTable *child, const KnColumn *column)
{
	const KnChange *change = diff_change_of(changes, &column->head);
	const KnColumn *own = (const KnColumn *) schema_find_kind(changes->found,
															  KN_COLUMN,
															  child->head.schema,
															  child->head.name,
															  column->head.name);

	return own != NULL && (change == NULL || change->found == NULL) &&
		   sqltext_equal(own->type, column->type) &&
		   sqltext_equal(own->collation, column->collation) &&
		   (own->not_null || !column->not_null) && !own->is_generated && !column->is_generated;
}
