/*
 * unmodelled.c
 *		Steps that do nothing: they name what a plan leaves as it is.
 *
 * What a state has and a plan neither brings about nor compares must never
 * look like an empty plan.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static bool is_added_alone(const KnChanges *changes, const KnTable *table, const char *column);
static List *others(const KnChanges *changes);
static const char *difference_text(const KnChange *change);
static KnStep *unstated_acl(const char *on);
static List *unstated_column_acl(KnObject *object);
static bool is_granted(const List *acl, const char *column);
static KnStep *unmodelled(const char *object, const char *hazard);
static bool is_public(const KnObject *object);
static const char *other_text(const KnOther *other);

/* A step that does nothing, for each object that cannot be planned and may differ. */
List *
unmodelled_steps(const KnChanges *changes)
{
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, changes->wanted->has_acls ? NIL : changes->wanted->objects)
	{
		KnObject *object = lfirst(cell);

		if (object->has_acl && !is_public(object))
			steps = lappend(steps, unstated_acl(object->key));
		steps = list_concat(steps, unstated_column_acl(object));
	}
	foreach(cell, changes->list)
	{
		const KnChange *change = lfirst(cell);

		if (unmodelled_is_declared(changes, change))
			steps = lappend(
				steps,
				unmodelled(
					change->wanted->key,
					"declared by its table, and wanted from its parents alone: left as it is"));
	}
	return list_concat(steps, others(changes));
}

/*
 * Whether a column is declared, or will be, that is only to be inherited: no
 * statement does that but CREATE TABLE, ADD COLUMN above it and ATTACH PARTITION.
 */
bool
unmodelled_is_declared(const KnChanges *changes, const KnChange *change)
{
	const KnObject *column = change->wanted;
	const KnTable *table;

	if (column == NULL || column->kind != KN_COLUMN || !((const KnColumn *) column)->is_inherited)
		return false;
	table = (const KnTable *)
		schema_find_kind(changes->wanted, KN_TABLE, column->schema, NULL, column->parent);
	if (table == NULL || table->partition_of != NULL)
		return false;
	if (change->found == NULL)
		return is_added_alone(changes, table, column->name);
	return change->operation == KN_CHANGE && !((const KnColumn *) change->found)->is_inherited;
}

/* Whether a table that is there gets a column by itself, not with one of its parents. */
static bool
is_added_alone(const KnChanges *changes, const KnTable *table, const char *column)
{
	const KnTable *found = (const KnTable *) schema_find(changes->found, table->head.key);
	ListCell *cell;

	foreach(cell, found == NULL ? NIL : table->inherits)
	{
		const KnObject *above = schema_find_qualified(
			changes->wanted,
			KN_COLUMN,
			sqltext_concat(lfirst(cell), ".", sqltext_identifier(column), NULL));
		const KnChange *change = above == NULL ? NULL : diff_change_of(changes, above);

		if (change != NULL && change->found == NULL &&
			sqltext_member(found->inherits, lfirst(cell)))
			return false;
	}
	return found != NULL;
}

/* What has no kind of its own, on either side. */
static List *
others(const KnChanges *changes)
{
	const KnSchema *sides[2] = { changes->wanted, changes->found };
	List *steps = NIL;
	ListCell *cell;

	for (int i = 0; i < 2; i++)
	{
		foreach(cell, sides[i]->objects)
		{
			KnOther *other = lfirst(cell);

			if (other->head.kind != KN_OTHER ||
				(other->definition != NULL && diff_change_of(changes, &other->head) == NULL) ||
				(i == 1 && schema_find(changes->wanted, other->head.key) != NULL))
				continue;
			steps = lappend(
				steps,
				i == 1
					? unmodelled_found(other)
					: unmodelled(
						  other_text(other),
						  "wanted, and of a kind that is not modelled: left as it is, and not compared"));
		}
	}
	return steps;
}

/* Such a step for one that is there. */
KnStep *
unmodelled_found(const KnOther *other)
{
	return unmodelled(other_text(other),
					  "found, and of a kind that is not modelled: left as it is, and not compared");
}

/*
 * Likewise for each change that nothing is done about.  To be called where no
 * step does anything: what one object needs may be done with another.
 */
List *
unmodelled_rest(const KnChanges *changes)
{
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, changes->list)
	{
		const KnChange *change = lfirst(cell);
		const KnObject *object = change->found != NULL ? change->found : change->wanted;

		if (object->kind != KN_OTHER && !unmodelled_is_declared(changes, change))
			steps = lappend(steps,
							unmodelled(object->key,
									   psprintf("%s, and no statement changes that: left as it is",
												difference_text(change))));
	}
	return steps;
}

static const char *
difference_text(const KnChange *change)
{
	const KnObject *found = change->found;
	const KnObject *wanted = change->wanted;
	List *names = NIL;
	const KnField *field;

	if (found == NULL || wanted == NULL)
		return found == NULL ? "wanted" : "found";
	if (!sqltext_equal(found->owner, wanted->owner))
		names = lappend(names, "owner");
	if (!sqltext_equal(found->comment, wanted->comment))
		names = lappend(names, "comment");
	if (found->has_acl != wanted->has_acl || !schema_list_equal(found->acl, wanted->acl))
		names = lappend(names, "privileges");
	for (field = kn_kinds[found->kind].fields; field->name != NULL; field++)
	{
		if (field->difference != KN_IGNORE && !schema_field_equal(field, found, wanted))
			names = lappend(names, (char *) field->name);
	}
	return psprintf("differs in %s", sqltext_join(names, ", "));
}

/*
 * Likewise for each object whose owner is not who it would be if the desired
 * state, which states no owners, were loaded by who plans.  To be called before
 * wanted is completed with what it does not state.
 */
List *
unmodelled_owners(const KnSchema *found, const KnSchema *wanted)
{
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, wanted->has_owners ? NIL : wanted->objects)
	{
		const KnObject *object = lfirst(cell);
		const KnObject *before = schema_find(found, object->key);

		if (before != NULL && before->owner != NULL && object->owner != NULL &&
			strcmp(before->owner, object->owner) != 0)
			steps = lappend(steps,
							unmodelled(psprintf("owner of %s", object->key),
									   "the desired state states no owners: left as it is"));
	}
	return steps;
}

/* Likewise for an extension that stays though the desired state does not state it. */
KnStep *
unmodelled_extension(const KnObject *extension)
{
	return unmodelled(
		extension->key,
		"the desired state does not state it: left as it is, installed and commented");
}

static KnStep *
unstated_acl(const char *on)
{
	return unmodelled(psprintf("privileges on %s", on),
					  "the desired state states no privileges: left as they are");
}

/* The same for the columns of a view. */
static List *
unstated_column_acl(KnObject *object)
{
	List **acl = schema_column_acl(object);
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, acl == NULL || *acl == NIL ? NIL : schema_columns(object))
	{
		if (is_granted(*acl, lfirst(cell)))
			steps = lappend(
				steps,
				unstated_acl(
					psprintf("column %s.%s", name_of(object), sqltext_identifier(lfirst(cell)))));
	}
	return steps;
}

static bool
is_granted(const List *acl, const char *column)
{
	const ListCell *cell;

	foreach(cell, acl)
	{
		if (schema_column_item(lfirst(cell), column) != NULL)
			return true;
	}
	return false;
}

static KnStep *
unmodelled(const char *object, const char *hazard)
{
	KnStep *step = palloc0(sizeof(KnStep));

	step->kind = "unmodelled";
	step->object = object;
	step->group = object;
	step->severity = KN_WARNING;
	step->is_transactional = true;
	step->phase = "none";
	step->hazards = list_make1((char *) hazard);
	return step;
}

/* Whether this is the schema public, with the privileges that it has in a new database. */
static bool
is_public(const KnObject *object)
{
	return object->kind == KN_SCHEMA && strcmp(object->name, "public") == 0 &&
		   schema_list_equal(
			   object->acl,
			   list_make2("=U/pg_database_owner", "pg_database_owner=UC/pg_database_owner"));
}

/* What it is and its name; the keys of some say both. */
static const char *
other_text(const KnOther *other)
{
	const char *name = name_of(&other->head);

	if (strncmp(name, other->what, strlen(other->what)) == 0)
		return name;
	return psprintf("%s %s", other->what, name);
}
