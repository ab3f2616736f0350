/*
 * absorb.c
 *		What is created and dropped along with something else.
 *
 * CREATE TABLE says the columns and most of the constraints, and DROP TABLE
 * takes along all that is on the table: neither needs actions of its own.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static bool can_go_alone(const KnObject *object);
static bool came_later(const KnActions *actions, const KnObject *object, const KnObject *in);
static KnAction *drop_of_parent(const KnActions *actions, const KnIndex *index);
static bool goes_inline(const KnObject *object, KnObject *table);
static bool needs_user(const KnObject *object, const KnObject *table);
static bool reaches(const KnObject *object, const KnObject *target, List **seen);
static bool refers_to_dropped(const KnActions *actions, const KnObject *object);

/* Makes the object part of the creation of what it is in, if that can be. */
bool
absorb_create(KnActions *actions, KnObject *object)
{
	KnObject *in = absorb_container(actions->changes->wanted, object);
	KnAction *action = in == NULL ? NULL : action_of(actions, KN_DO_CREATE, in);

	if (inherit_comes_along(actions, actions->changes->wanted, object, KN_DO_CREATE))
		return true;
	if (action == NULL || !goes_inline(object, action->wanted))
		return false;
	action->parts = lappend(action->parts, object);
	action_note(actions, KN_DO_CREATE, object, action);
	return true;
}

/* Makes the object part of the drop of what it is in, if that goes. */
bool
absorb_drop(KnActions *actions, KnObject *object)
{
	KnObject *in = absorb_container(actions->changes->found, object);
	KnAction *action = in == NULL ? NULL : action_of(actions, KN_DO_DROP, in);

	if (inherit_comes_along(actions, actions->changes->found, object, KN_DO_DROP))
		return true;
	if (action == NULL && object->kind == KN_INDEX && inherit_stays(actions, object))
		action = drop_of_parent(actions, (const KnIndex *) object);
	if (action == NULL || refers_to_dropped(actions, object) ||
		(can_go_alone(object) &&
		 (needs_user(object, action->found) || came_later(actions, object, in))))
		return false;
	action->parts = lappend(action->parts, object);
	action_note(actions, KN_DO_DROP, object, action);
	return true;
}

/* Whether what is part of a relation can be dropped before it. */
static bool
can_go_alone(const KnObject *object)
{
	switch (object->kind)
	{
		case KN_CONSTRAINT:
		case KN_RULE:
		case KN_TRIGGER:
		case KN_POLICY:
			return true;
		case KN_DEFAULT:
			return !((const KnDefault *) object)->is_generated;
		case KN_INDEX:
			return ((const KnIndex *) object)->attached_to == NULL;
		default:
			return false;
	}
}

/* Whether actions take back that the object was created on a relation, and not along with it. */
static bool
came_later(const KnActions *actions, const KnObject *object, const KnObject *in)
{
	KnAction *creation =
		actions->undone == NULL ? NULL : action_of(actions->undone, KN_DO_CREATE, object);

	return creation != NULL && creation != action_of(actions->undone, KN_DO_CREATE, in);
}

/* The drop of an index that this one is attached to, if only by others. */
static KnAction *
drop_of_parent(const KnActions *actions, const KnIndex *index)
{
	while (index != NULL && index->attached_to != NULL)
	{
		KnAction *action;

		index = (const KnIndex *) schema_find_qualified(actions->changes->found,
														KN_INDEX,
														index->attached_to);
		action = index == NULL ? NULL : action_of(actions, KN_DO_DROP, &index->head);
		if (action != NULL)
			return action;
	}
	return NULL;
}

/* The relation or column that takes the object along when it goes. */
KnObject *
absorb_container(const KnSchema *schema, const KnObject *object)
{
	KnObject *found;

	if (object->kind == KN_DEFAULT)
	{
		found = schema_find_kind(schema, KN_COLUMN, object->schema, object->parent, object->name);
		if (found != NULL)
			return found;
	}
	if (object->kind == KN_SEQUENCE)
		return schema_find_qualified(schema, KN_COLUMN, ((const KnSequence *) object)->owned_by);
	return schema_relation_of(schema, object);
}

/* Whether CREATE TABLE, or ADD COLUMN, can say the object along with itself. */
static bool
goes_inline(const KnObject *object, KnObject *table)
{
	switch (object->kind)
	{
		case KN_COLUMN:
			return true;
		case KN_DEFAULT:
			if (((const KnDefault *) object)->is_generated)
				return true;
			break;
		case KN_CONSTRAINT:
			if (((const KnConstraint *) object)->not_valid ||
				strcmp(((const KnConstraint *) object)->type, "f") == 0 || table->kind != KN_TABLE)
				return false;
			break;
		default:
			return false;
	}
	return !needs_user(object, table);
}

/* Whether what is part of a table needs something that in turn needs the table. */
static bool
needs_user(const KnObject *object, const KnObject *table)
{
	List *seen = NIL;
	ListCell *cell;

	foreach(cell, object->depends)
	{
		const KnObject *needed = lfirst(cell);

		if (needed != table && needed->kind != KN_COLUMN && reaches(needed, table, &seen))
			return true;
	}
	return false;
}

/* Whether an object needs the target, if only by others. */
static bool
reaches(const KnObject *object, const KnObject *target, List **seen)
{
	ListCell *cell;

	if (object == target || (object->kind == KN_COLUMN && object->depends != NIL &&
							 list_member_ptr(object->depends, target)))
		return true;
	if (list_member_ptr(*seen, object))
		return false;
	*seen = lappend(*seen, (void *) object);
	foreach(cell, object->depends)
	{
		if (reaches(lfirst(cell), target, seen))
			return true;
	}
	return false;
}

/* Whether what is said of one relation needs another that is dropped as well. */
static bool
refers_to_dropped(const KnActions *actions, const KnObject *object)
{
	ListCell *cell;

	if (object->kind != KN_CONSTRAINT && object->kind != KN_RULE && object->kind != KN_TRIGGER &&
		object->kind != KN_POLICY)
		return false;
	foreach(cell, object->depends)
	{
		KnObject *needed = lfirst(cell);
		const char *relation = needed->kind == KN_COLUMN ? needed->parent : needed->name;

		if (needed->kind != KN_COLUMN && needed->kind != KN_TABLE && needed->kind != KN_VIEW &&
			needed->kind != KN_MATVIEW)
			continue;
		if ((strcmp(relation, object->parent) != 0 ||
			 strcmp(needed->schema, object->schema) != 0) &&
			action_of(actions, KN_DO_DROP, needed) != NULL)
			return true;
	}
	return false;
}
