/*
 * closure.c
 *		What else has to step aside for a change.
 *
 * What depends on an object that is recreated has to go before it and to come
 * back after it; likewise what depends on a column whose type changes, as far
 * as the server refuses to carry it along.  Indexes and constraints it does
 * carry along, unless they need the old type by name; but see part.c.
 *
 * Columns cannot go: when their type is recreated they are converted.  That is
 * why a recreated type is first renamed; see plan/action.c.
 */
#include "kints_norm.h"

#include "diff/diff.h"

#include "base/base.h"

static bool close_over(KnChanges *changes, KnChange *change);
static bool keep_not_null_below(KnChanges *changes, const KnChange *change);
static bool displace(KnChanges *changes, KnObject *dependent, KnChange *change);
static bool displace_for_type(KnChanges *changes, KnObject *dependent, KnChange *change);
static bool recreate_default(KnChanges *changes, KnObject *object, KnObject *because);
static bool default_survives(const KnChanges *changes, const KnDefault *object,
							 const KnChange *change);
static bool is_number(const char *type);
static bool both_ends_change(const KnChanges *changes, const KnObject *constraint);
static bool is_leaned_on(const KnChanges *changes, const KnObject *key);
static bool new_label_is_used(const KnChanges *changes, const KnChange *change);
static bool mentions(const KnObject *object, const char *text);
static bool composite_needs_new(const KnChanges *changes, const KnChange *change);
static bool is_in_values(const KnChanges *changes, const KnObject *type);
static bool has_expressions(const KnFunction *function);
static bool domain_needs_new(const KnChanges *changes, const KnChange *change);
static bool is_stricter(const KnDomain *found, const KnDomain *wanted);
static bool is_held_inside(const KnChanges *changes, const KnObject *type, bool is_inside);

/* Adds changes until there is nothing more that others force. */
void
diff_close(KnChanges *changes)
{
	bool grown = true;

	while (grown)
	{
		grown = false;
		for (int i = 0; i < list_length(changes->list); i++)
			grown |= close_over(changes, list_nth(changes->list, i));
	}
}

static bool
close_over(KnChanges *changes, KnChange *change)
{
	bool grown = false;
	bool type_differs;
	ListCell *cell;

	if (change->found == NULL)
		return false;
	/* The expression of a generated column can be taken away, but not be another one. */
	if (change->found->kind == KN_DEFAULT && change->wanted != NULL &&
		((KnDefault *) change->found)->is_generated)
		grown |= recreate_default(changes, change->found, NULL);
	if (change->operation == KN_CHANGE &&
		((change->found->kind == KN_COMPOSITE && composite_needs_new(changes, change)) ||
		 (change->found->kind == KN_DOMAIN && domain_needs_new(changes, change)) ||
		 (change->found->kind == KN_ENUM && new_label_is_used(changes, change))))
	{
		change->operation = KN_RECREATE;
		grown = true;
	}
	if (change->operation != KN_CHANGE && change->found->kind == KN_INDEX)
		grown |= part_recreate_whole(changes, (const KnIndex *) change->found);
	if (change->operation == KN_CHANGE && change->found->kind == KN_COLUMN)
		grown |= keep_not_null_below(changes, change);
	type_differs = diff_type_differs(change);
	if (change->operation == KN_CHANGE && !type_differs)
		return grown;
	foreach(cell, diff_dependents(changes, change->found))
	{
		KnObject *dependent = lfirst(cell);

		if (diff_wanted_of(changes, dependent) == NULL)
			continue;
		grown |= type_differs ? displace_for_type(changes, dependent, change)
							  : displace(changes, dependent, change);
	}
	return grown;
}

/* The server takes NOT NULL from the columns below too: those that keep it get it again. */
static bool
keep_not_null_below(KnChanges *changes, const KnChange *change)
{
	const KnObject *column = change->found;
	KnObject *table;
	bool grown = false;
	ListCell *cell;

	if (!((const KnColumn *) column)->not_null || ((const KnColumn *) change->wanted)->not_null)
		return false;
	table = schema_find_kind(changes->found, KN_TABLE, column->schema, NULL, column->parent);
	foreach(cell, table == NULL ? NIL : diff_dependents(changes, table))
	{
		const KnObject *child = lfirst(cell);
		KnObject *below = NULL;

		if (child->kind == KN_TABLE)
			below = schema_find_kind(changes->found,
									 KN_COLUMN,
									 child->schema,
									 child->name,
									 column->name);
		grown |= below != NULL && diff_touch(changes, below);
	}
	return grown;
}

/* Something that dependent needs is dropped, or recreated. */
static bool
displace(KnChanges *changes, KnObject *dependent, KnChange *change)
{
	KnObject *needed = change->found;
	KnChange *own = diff_change_of(changes, dependent);

	/*
	 * What is altered anyway no longer needs what is dropped.  A function goes
	 * before one of the same name comes, so what calls it cannot wait for that.
	 */
	if (change->operation == KN_DROP && needed->kind != KN_FUNCTION && own != NULL &&
		own->operation == KN_CHANGE)
		return false;
	switch (dependent->kind)
	{
		case KN_DEFAULT:
			return recreate_default(changes, dependent, needed);
		case KN_COLUMN:
			if (needed->kind == KN_TABLE || needed->kind == KN_VIEW)
				return false;
			return change->operation == KN_RECREATE && diff_retype(changes, dependent);
		case KN_TABLE:
		case KN_SEQUENCE:
		case KN_SCHEMA:
		case KN_EXTENSION:
			return false;
		default:
			return diff_recreate(changes, dependent, needed);
	}
}

/* A column that dependent needs gets another type. */
static bool
displace_for_type(KnChanges *changes, KnObject *dependent, KnChange *change)
{
	switch (dependent->kind)
	{
		case KN_VIEW:
		case KN_MATVIEW:
		case KN_RULE:
		case KN_POLICY:
		case KN_TRIGGER:
		case KN_FUNCTION:
			return diff_recreate(changes, dependent, change->found);
		case KN_CONSTRAINT:
			return (both_ends_change(changes, dependent) || is_leaned_on(changes, dependent)) &&
				   diff_recreate(changes, dependent, change->found);
		case KN_INDEX:
			return part_loses_by_rebuild(changes, (const KnIndex *) dependent) &&
				   diff_recreate(changes, dependent, change->found);
		case KN_DEFAULT:
			if (!((KnDefault *) dependent)->is_generated &&
				default_survives(changes, (KnDefault *) dependent, change))
				return false;
			return recreate_default(changes, dependent, change->found);
		default:
			return false;
	}
}

/*
 * A default is set anew; a generated column is made anew with its expression,
 * unless it is to keep its values without being generated.
 */
static bool
recreate_default(KnChanges *changes, KnObject *object, KnObject *because)
{
	bool grown = diff_recreate(changes, object, because);
	KnObject *column;

	if (!((KnDefault *) object)->is_generated)
		return grown;
	column =
		schema_find_kind(changes->found, KN_COLUMN, object->schema, object->parent, object->name);
	if (!((KnColumn *) diff_wanted_of(changes, column))->is_generated)
		return grown;
	if (diff_recreate(changes, column, because == column ? NULL : because))
		grown = true;
	return grown;
}

/*
 * Whether the server can convert a default along with its column: where both
 * types are numbers and the expression reads the same before and after.
 */
static bool
default_survives(const KnChanges *changes, const KnDefault *object, const KnChange *change)
{
	const KnDefault *wanted = (const KnDefault *) diff_wanted_of(changes, &object->head);
	const char *from = ((const KnColumn *) change->found)->type;
	const char *to = ((const KnColumn *) change->wanted)->type;

	if (change->is_retyped || !sqltext_equal(object->expression, wanted->expression))
		return false;
	if (strncmp(from, to, strcspn(from, "(")) == 0 && strcspn(from, "(") == strcspn(to, "("))
		return true;
	return is_number(from) && is_number(to);
}

static bool
is_number(const char *type)
{
	return strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 ||
		   strcmp(type, "bigint") == 0 || strncmp(type, "numeric", 7) == 0;
}

/* Whether a foreign key's columns change type on both of its ends. */
static bool
both_ends_change(const KnChanges *changes, const KnObject *constraint)
{
	bool here = false;
	bool there = false;
	ListCell *cell;

	if (strcmp(((const KnConstraint *) constraint)->type, "f") != 0)
		return false;
	foreach(cell, constraint->depends)
	{
		KnObject *needed = lfirst(cell);
		KnChange *change = diff_change_of(changes, needed);

		if (needed->kind != KN_COLUMN || change == NULL || !diff_type_differs(change))
			continue;
		if (strcmp(needed->parent, constraint->parent) == 0 &&
			strcmp(needed->schema, constraint->schema) == 0)
			here = true;
		else
			there = true;
	}
	return here && there;
}

/*
 * Whether foreign keys need a key that INCLUDEs columns: the server makes it
 * anew for any of these, and knows of the foreign keys only for the others.
 */
static bool
is_leaned_on(const KnChanges *changes, const KnObject *key)
{
	ListCell *cell;

	if (strstr(((const KnConstraint *) key)->definition, " INCLUDE (") == NULL)
		return false;
	foreach(cell, diff_dependents(changes, key))
	{
		if (((KnObject *) lfirst(cell))->kind == KN_CONSTRAINT)
			return true;
	}
	return false;
}

/* An attribute's type cannot be altered while there are values of the type. */
static bool
composite_needs_new(const KnChanges *changes, const KnChange *change)
{
	const KnComposite *found = (const KnComposite *) change->found;
	const KnComposite *wanted = (const KnComposite *) change->wanted;
	bool altered = false;

	for (int i = 0; i < list_length(found->attributes); i++)
	{
		for (int j = 0; j < list_length(wanted->attributes); j++)
		{
			if (!sqltext_equal(list_nth(found->attributes, i), list_nth(wanted->attributes, j)))
				continue;
			altered |=
				!sqltext_equal(list_nth(found->types, i), list_nth(wanted->types, j)) ||
				!sqltext_equal(list_nth(found->collations, i), list_nth(wanted->collations, j));
		}
	}
	if (!altered)
		return false;
	return is_in_values(changes, change->found);
}

/* Whether there are values of the type, in columns or as constants in expressions. */
static bool
is_in_values(const KnChanges *changes, const KnObject *type)
{
	ListCell *cell;

	foreach(cell, diff_dependents(changes, type))
	{
		const KnObject *dependent = lfirst(cell);
		bool has_values = true;

		if (dependent->kind == KN_COMPOSITE || dependent->kind == KN_DOMAIN)
			has_values = is_in_values(changes, dependent);
		else if (dependent->kind == KN_FUNCTION)
			has_values = has_expressions((const KnFunction *) dependent);
		else if (dependent->kind == KN_TABLE)
			has_values = false;
		if (has_values)
			return true;
	}
	return false;
}

/* Whether it has defaults, or a body that is more than a string. */
static bool
has_expressions(const KnFunction *function)
{
	return function->default_count > 0 || strstr(function->definition, "\nAS ") == NULL;
}

/* A domain cannot get stricter while a column holds its values in an array or a row. */
static bool
domain_needs_new(const KnChanges *changes, const KnChange *change)
{
	return is_stricter((const KnDomain *) change->found, (const KnDomain *) change->wanted) &&
		   is_held_inside(changes, change->found, false);
}

static bool
is_stricter(const KnDomain *found, const KnDomain *wanted)
{
	if (wanted->not_null && !found->not_null)
		return true;
	for (int i = 0; i < list_length(wanted->definitions); i++)
	{
		const char *definition = list_nth(wanted->definitions, i);
		bool is_known = false;

		for (int j = 0; j < list_length(found->definitions); j++)
			is_known |=
				sqltext_equal(list_nth(wanted->constraints, i), list_nth(found->constraints, j)) &&
				sqltext_equal(definition, list_nth(found->definitions, j));
		if (!is_known && strstr(definition, " NOT VALID") == NULL)
			return true;
	}
	return false;
}

/* Whether values, in columns or expressions, have some of this type in them, other than as
 * themselves. */
static bool
is_held_inside(const KnChanges *changes, const KnObject *type, bool is_inside)
{
	ListCell *cell;

	foreach(cell, diff_dependents(changes, type))
	{
		const KnObject *dependent = lfirst(cell);

		if (dependent->kind == KN_COLUMN &&
			(is_inside || strstr(((const KnColumn *) dependent)->type, "[]") != NULL))
			return true;
		if (dependent->kind == KN_FUNCTION && is_inside &&
			has_expressions((const KnFunction *) dependent))
			return true;
		if ((dependent->kind == KN_DOMAIN || dependent->kind == KN_COMPOSITE) &&
			is_held_inside(changes, dependent, is_inside || dependent->kind == KN_COMPOSITE))
			return true;
	}
	return false;
}

/*
 * A label added to an enum cannot be used before the transaction ends, unless
 * the enum itself is new.
 */
static bool
new_label_is_used(const KnChanges *changes, const KnChange *change)
{
	const KnEnum *found = (const KnEnum *) change->found;
	const KnEnum *wanted = (const KnEnum *) change->wanted;
	ListCell *cell;
	ListCell *label;

	foreach(cell, changes->list)
	{
		const KnChange *other = lfirst(cell);

		if (other->wanted == NULL || !list_member_ptr(other->wanted->depends, wanted))
			continue;
		foreach(label, wanted->labels)
		{
			if (!sqltext_member(found->labels, lfirst(label)) &&
				mentions(other->wanted, psprintf("%s::", sqltext_literal(lfirst(label)))))
				return true;
		}
	}
	return false;
}

/* Whether any text of the object has this in it. */
static bool
mentions(const KnObject *object, const char *text)
{
	const KnField *field;

	for (field = kn_kinds[object->kind].fields; field->name != NULL; field++)
	{
		if (field->type == KN_TEXT && KN_FIELD_TEXT(object, field) != NULL &&
			strstr(KN_FIELD_TEXT(object, field), text) != NULL)
			return true;
	}
	return false;
}
