/*
 * inherit.c
 *		What a table gets from its parents, its partitioned table or its type.
 *
 * A statement about a column of these is carried on to the columns below by the
 * server: it adds and drops them, changes their type and whether they may be
 * null.  Defaults, settings and the like each column has for itself; but a
 * column that is added, and a child that is created, begin with the default of
 * the parent, wanted or not.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static bool follows_wholly(const KnActions *actions, const KnChange *change);
static bool is_done_to(const KnChange *change, KnVerb verb);
static bool is_child_throughout(const KnActions *actions, const KnObject *table,
								const char *parent);
static bool is_child(const KnTable *table, const char *parent);
static List *parents_of(const KnTable *table);
static KnObject *column_of(const KnSchema *schema, const char *table, const char *name);
static List *drop_unwanted(List *statements, const KnSchema *wanted, const KnTable *table,
						   const char *column);
static bool has_default_above(const KnSchema *wanted, const KnTable *table, const char *column);

/*
 * Whether nothing is left to do for a column, since a parent's column gets the
 * same done to it, or the type of a typed table does.
 */
bool
inherit_comes_along(const KnActions *actions, const KnSchema *schema, const KnObject *object,
					KnVerb verb)
{
	const KnTable *table;
	ListCell *cell;

	if (object->kind != KN_COLUMN)
		return false;
	if (verb == KN_DO_ALTER)
		return follows_wholly(actions, diff_change_of(actions->changes, object));
	table =
		(const KnTable *) schema_find_kind(schema, KN_TABLE, object->schema, NULL, object->parent);
	if (table == NULL)
		return false;
	if (table->of_type != NULL)
		return is_child_throughout(actions, &table->head, table->of_type);
	foreach(cell, ((const KnColumn *) object)->is_inherited ? parents_of(table) : NIL)
	{
		KnObject *column = column_of(schema, lfirst(cell), object->name);
		KnChange *change = column == NULL ? NULL : diff_change_of(actions->changes, column);

		if (change != NULL && is_done_to(change, verb) &&
			is_child_throughout(actions, &table->head, lfirst(cell)))
			return true;
	}
	return false;
}

static bool
follows_wholly(const KnActions *actions, const KnChange *change)
{
	bool is_typed;
	const KnColumn *followed = inherit_followed(actions, change, &is_typed);

	return (is_typed || !change->is_retyped) && diff_is_equal(&followed->head, change->wanted);
}

/* A column that is changed as it is when those above it have been: a copy of the found one.
 * *is_typed tells whether it has got its type from them.
 */
KnColumn *
inherit_followed(const KnActions *actions, const KnChange *change, bool *is_typed)
{
	const KnColumn *wanted = (const KnColumn *) change->wanted;
	KnColumn *followed = palloc(sizeof(KnColumn));
	const KnTable *table;
	ListCell *cell;

	*is_typed = false;
	memcpy(followed, change->found, sizeof(KnColumn));
	table = (const KnTable *) schema_find_kind(actions->changes->wanted,
											   KN_TABLE,
											   wanted->head.schema,
											   NULL,
											   wanted->head.parent);
	if (table == NULL)
		return followed;
	*is_typed =
		table->of_type != NULL && is_child_throughout(actions, &table->head, table->of_type);
	foreach(cell, parents_of(table))
	{
		KnObject *column = column_of(actions->changes->wanted, lfirst(cell), wanted->head.name);
		KnChange *above = column == NULL ? NULL : diff_change_of(actions->changes, column);

		if (above == NULL || above->operation != KN_CHANGE ||
			!is_child_throughout(actions, &table->head, lfirst(cell)))
			continue;
		if (diff_type_differs(above))
			*is_typed = true;
		if (((const KnColumn *) above->found)->not_null !=
			((const KnColumn *) above->wanted)->not_null)
			followed->not_null = ((const KnColumn *) above->wanted)->not_null;
	}
	if (*is_typed)
	{
		followed->type = wanted->type;
		followed->collation = wanted->collation;
	}
	return followed;
}

static bool
is_done_to(const KnChange *change, KnVerb verb)
{
	return verb == KN_DO_CREATE ? change->found == NULL : change->wanted == NULL;
}

/* Whether the table is of that parent, or type, before and after, and not away from it in between.
 */
static bool
is_child_throughout(const KnActions *actions, const KnObject *table, const char *parent)
{
	const KnTable *found = (const KnTable *) schema_find(actions->changes->found, table->key);
	const KnTable *wanted = (const KnTable *) schema_find(actions->changes->wanted, table->key);

	return found != NULL && wanted != NULL && is_child(found, parent) && is_child(wanted, parent) &&
		   sqltext_equal(found->partition_bound, wanted->partition_bound);
}

/* Whether the table that something is part of stays the partition that it is. */
bool
inherit_stays(const KnActions *actions, const KnObject *member)
{
	KnObject *table = action_relation(actions->changes->found, member->schema, member->parent);

	return table == NULL || table->kind != KN_TABLE ||
		   ((const KnTable *) table)->partition_of == NULL ||
		   is_child_throughout(actions, table, ((const KnTable *) table)->partition_of);
}

static bool
is_child(const KnTable *table, const char *parent)
{
	return sqltext_equal(table->of_type, parent) || sqltext_member(parents_of(table), parent);
}

/* The qualified names of the tables whose columns it has. */
static List *
parents_of(const KnTable *table)
{
	return table->partition_of == NULL ? table->inherits : list_make1((char *) table->partition_of);
}

static KnObject *
column_of(const KnSchema *schema, const char *table, const char *name)
{
	return schema_find_qualified(schema,
								 KN_COLUMN,
								 sqltext_concat(table, ".", sqltext_identifier(name), NULL));
}

/*
 * What has to be done on the parents' columns before a child is created or a
 * column below them is touched, so that the server carries over what is wanted.
 */
List *
inherit_first(const KnActions *actions, const KnObject *column)
{
	const KnTable *table;
	List *first = NIL;
	ListCell *cell;

	if (column->kind != KN_COLUMN)
		return NIL;
	table = (const KnTable *)
		schema_find_kind(actions->changes->wanted, KN_TABLE, column->schema, NULL, column->parent);
	foreach(cell, table == NULL ? NIL : parents_of(table))
	{
		KnObject *above = column_of(actions->changes->wanted, lfirst(cell), column->name);
		KnObject *value;

		if (above == NULL)
			continue;
		first = lappend(first, action_of(actions, KN_DO_CREATE, above));
		first = lappend(first, action_of(actions, KN_DO_ALTER, above));
		first = list_concat(first, inherit_first(actions, above));
		value = schema_find_kind(actions->changes->found,
								 KN_DEFAULT,
								 above->schema,
								 above->parent,
								 above->name);
		if (value != NULL)
			first = lappend(first, action_of(actions, KN_DO_DROP, value));
	}
	return first;
}

/* Statements that take away the defaults which come along with a creation and are not wanted. */
List *
inherit_undefault(const KnActions *actions, const KnAction *action)
{
	const KnSchema *wanted = actions->changes->wanted;
	const KnObject *object = action->wanted;
	const char *parent;
	List *statements = NIL;
	ListCell *cell;

	if (object->kind == KN_TABLE && ((const KnTable *) object)->inherits != NIL)
	{
		foreach(cell, action->parts)
		{
			const KnObject *part = lfirst(cell);

			if (part->kind == KN_COLUMN)
				statements =
					drop_unwanted(statements, wanted, (const KnTable *) object, part->name);
		}
	}
	if (object->kind != KN_COLUMN || action->parts == NIL)
		return statements;
	parent = name_qualified(object->schema, object->parent);
	foreach(cell, wanted->objects)
	{
		const KnTable *table = lfirst(cell);

		if (table->head.kind == KN_TABLE && is_child_throughout(actions, &table->head, parent))
			statements = drop_unwanted(statements, wanted, table, object->name);
	}
	return statements;
}

static List *
drop_unwanted(List *statements, const KnSchema *wanted, const KnTable *table, const char *column)
{
	KnDefault *unwanted;

	if (schema_find_kind(wanted, KN_DEFAULT, table->head.schema, table->head.name, column) !=
			NULL ||
		!has_default_above(wanted, table, column))
		return statements;
	unwanted =
		(KnDefault *) schema_new_object(KN_DEFAULT, table->head.schema, table->head.name, column);
	return list_concat(statements, ddl_drop_default(unwanted));
}

static bool
has_default_above(const KnSchema *wanted, const KnTable *table, const char *column)
{
	ListCell *cell;

	foreach(cell, parents_of(table))
	{
		KnObject *above = column_of(wanted, lfirst(cell), column);
		KnObject *value =
			above == NULL
				? NULL
				: schema_find_kind(wanted, KN_DEFAULT, above->schema, above->parent, above->name);

		if (value != NULL && !((const KnDefault *) value)->is_generated)
			return true;
	}
	return false;
}
