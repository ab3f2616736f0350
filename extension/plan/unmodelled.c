/*
 * unmodelled.c
 *		What a plan cannot do, by name.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static KnStep *unmodelled(const char *object, const char *hazard);
static bool is_public(const KnObject *object);
static const char *other_text(const KnOther *other);

/* A step that does nothing, for each object that cannot be planned and may differ. */
List *
unmodelled_steps(const KnChanges *changes)
{
	List *steps = NIL;
	ListCell *cell;
	const KnSchema *sides[2] = { changes->wanted, changes->found };

	foreach(cell, changes->wanted->objects)
	{
		KnObject *object = lfirst(cell);

		if (!changes->wanted->has_acls && object->has_acl && !is_public(object))
			steps = lappend(steps,
							unmodelled(psprintf("privileges on %s", object->key),
									   "the desired state states no privileges: left as they are"));
	}
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
				unmodelled(
					other_text(other),
					i == 1
						? "found, and of a kind that is not modelled: left as it is, and not compared"
						: "wanted, and of a kind that is not modelled: left as it is, and not compared"));
		}
	}
	return steps;
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
