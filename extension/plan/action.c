/*
 * action.c
 *		Changes to actions: what is created or dropped in one go.
 *
 * CREATE TABLE says its columns, their defaults and its keys and checks, unless
 * one of these needs something that in turn needs the table.  DROP TABLE takes
 * along all that is part of the table; DROP COLUMN its default.
 *
 * A type that columns have cannot be dropped and created.  It is put aside
 * under another name, created, and dropped when all columns are converted.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

typedef struct ActionKey
{
	const KnObject *object;
	int64 verb;
} ActionKey;

typedef struct ActionEntry
{
	ActionKey key;
	KnAction *action;
} ActionEntry;

static bool goes_late(const KnChange *change);
static void act_on(KnActions *actions, KnChange *change);
static bool is_inherited(const KnObject *object);
static bool must_put_aside(const KnActions *actions, const KnChange *change);
static void refuse_table(const KnChange *change);
static KnAction *add_action(KnActions *actions, KnVerb verb, KnChange *change);
static void note(KnActions *actions, KnVerb verb, const KnObject *object, KnAction *action);
static bool absorb_create(KnActions *actions, KnObject *object);
static bool absorb_drop(KnActions *actions, KnObject *object);
static bool can_go_alone(const KnObject *object);
static bool came_later(const KnActions *actions, const KnObject *object, const KnObject *in);
static KnAction *drop_of_parent(const KnActions *actions, const KnIndex *index);
static KnObject *container(const KnSchema *schema, const KnObject *object);
static bool goes_inline(const KnObject *object, KnObject *table);
static bool needs_user(const KnObject *object, const KnObject *table);
static bool reaches(const KnObject *object, const KnObject *target, List **seen);
static bool refers_to_dropped(const KnActions *actions, const KnObject *object);
static bool comes_with_parent(KnActions *actions, const KnSchema *schema, const KnObject *object,
							  KnVerb verb);
static bool is_on_new(const KnActions *actions, const KnObject *object);
static bool has_new_parents(const KnActions *actions, const KnObject *object);
static bool has_finish(const KnChange *change);

/* The actions that carry out the changes, not connected yet; for undone see order_changes(). */
KnActions *
action_make(KnChanges *changes, const KnActions *undone)
{
	KnActions *actions = palloc0(sizeof(KnActions));
	HASHCTL control = { 0 };
	ListCell *cell;

	control.keysize = sizeof(ActionKey);
	control.entrysize = sizeof(ActionEntry);
	control.hcxt = CurrentMemoryContext;
	actions->changes = changes;
	actions->undone = undone;
	actions->by_object =
		hash_create("kints actions", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	/* Containers come before what is in them: the lists are in the order of kinds. */
	list_sort(changes->list, action_compare_changes);
	foreach(cell, changes->list)
	{
		if (!goes_late(lfirst(cell)))
			act_on(actions, lfirst(cell));
	}
	foreach(cell, changes->list)
	{
		if (goes_late(lfirst(cell)))
			act_on(actions, lfirst(cell));
	}
	return actions;
}

/* What may go along with a column, or with another index, comes after those. */
static bool
goes_late(const KnChange *change)
{
	if (change->found == NULL || change->operation == KN_CHANGE)
		return false;
	if (change->found->kind == KN_INDEX)
		return ((const KnIndex *) change->found)->attached_to != NULL;
	return change->wanted == NULL && change->found->kind == KN_SEQUENCE;
}

/* The order of kinds, then of columns by position, then of names. */
int
action_compare_changes(const ListCell *a, const ListCell *b)
{
	const KnChange *left = lfirst(a);
	const KnChange *right = lfirst(b);
	const KnObject *first = left->wanted != NULL ? left->wanted : left->found;
	const KnObject *second = right->wanted != NULL ? right->wanted : right->found;
	int order = (int) first->kind - (int) second->kind;

	if (order == 0 && first->kind == KN_COLUMN && strcmp(first->parent, second->parent) == 0)
		order =
			(int) (((const KnColumn *) first)->position - ((const KnColumn *) second)->position);
	return order != 0 ? order : strcmp(first->key, second->key);
}

static void
act_on(KnActions *actions, KnChange *change)
{
	const KnObject *object = change->found != NULL ? change->found : change->wanted;

	if (object->kind == KN_OTHER)
		return;
	if (change->operation == KN_RECREATE && object->kind == KN_TABLE)
		refuse_table(change);
	if (change->operation == KN_CHANGE)
	{
		if (!comes_with_parent(actions, actions->changes->wanted, change->wanted, KN_DO_ALTER))
			(void) add_action(actions, KN_DO_ALTER, change);
	}
	else if (must_put_aside(actions, change))
	{
		(void) add_action(actions, KN_DO_ASIDE, change);
		add_action(actions, KN_DO_DROP, change)->is_aside = true;
		(void) add_action(actions, KN_DO_CREATE, change);
	}
	else
	{
		if (change->found != NULL && !absorb_drop(actions, change->found) &&
			!is_inherited(change->found))
			(void) add_action(actions, KN_DO_DROP, change);
		if (change->wanted != NULL && !absorb_create(actions, change->wanted) &&
			!is_inherited(change->wanted))
			add_action(actions, KN_DO_CREATE, change)->is_on_new =
				is_on_new(actions, change->wanted);
	}
	if (change->wanted != NULL && has_finish(change))
		add_action(actions, KN_DO_FINISH, change)->is_on_new =
			change->found == NULL && has_new_parents(actions, change->wanted);
}

/* A constraint that comes, and goes, with that of the partitioned table. */
static bool
is_inherited(const KnObject *object)
{
	return object->kind == KN_CONSTRAINT && ((const KnConstraint *) object)->is_inherited;
}

/* Whether columns have the type, or one that has it inside, until they are converted. */
static bool
must_put_aside(const KnActions *actions, const KnChange *change)
{
	ListCell *cell;

	if (change->operation != KN_RECREATE || change->found == NULL ||
		(change->found->kind != KN_ENUM && change->found->kind != KN_RANGE &&
		 change->found->kind != KN_COMPOSITE && change->found->kind != KN_DOMAIN))
		return false;
	foreach(cell, diff_dependents(actions->changes, change->found))
	{
		KnObject *dependent = lfirst(cell);
		KnChange *own = diff_change_of(actions->changes, dependent);

		if (own == NULL)
			continue;
		if (dependent->kind == KN_COLUMN ? own->is_retyped : must_put_aside(actions, own))
			return true;
	}
	return false;
}

static void
refuse_table(const KnChange *change)
{
	ereport(ERROR,
			errcode(KN_ERRCODE_UNSUPPORTED),
			errmsg("table %s would have to be created anew", name_of(change->found)),
			errdetail("Its partition key cannot be changed in place, and its rows would be lost."),
			errhint("Create a new table, copy the rows, and drop the old one."));
}

/* Whether all relations that the object is on are created by this plan as well. */
static bool
is_on_new(const KnActions *actions, const KnObject *object)
{
	KnObject *in = container(actions->changes->wanted, object);
	const char *other =
		object->kind == KN_CONSTRAINT ? ((const KnConstraint *) object)->references : NULL;
	ListCell *cell;

	/* Statistics do not say in a word which relation they are of. */
	foreach(cell, object->kind == KN_STATISTICS ? object->depends : NIL)
	{
		if (((KnObject *) lfirst(cell))->kind == KN_TABLE)
			in = lfirst(cell);
	}
	if (in == NULL || action_of(actions, KN_DO_CREATE, in) == NULL)
		return false;
	if (other == NULL)
		return true;
	in = schema_find_qualified(actions->changes->wanted, KN_TABLE, other);
	return in != NULL && action_of(actions, KN_DO_CREATE, in) != NULL;
}

/* Whether all that a new relation is joined to is created by this plan as well. */
static bool
has_new_parents(const KnActions *actions, const KnObject *object)
{
	const KnTable *table = (const KnTable *) object;
	KnObject *parent;

	if (object->kind == KN_MATVIEW)
		return true;
	if (object->kind != KN_TABLE)
		return false;
	if (table->partition_of == NULL)
		return true;
	parent = schema_find_qualified(actions->changes->wanted, KN_TABLE, table->partition_of);
	return parent != NULL && action_of(actions, KN_DO_CREATE, parent) != NULL;
}

static bool
has_finish(const KnChange *change)
{
	bool is_new = change->operation == KN_CREATE || change->operation == KN_RECREATE;

	return ddl_finish(is_new ? NULL : change->found, change->wanted) != NIL;
}

static KnAction *
add_action(KnActions *actions, KnVerb verb, KnChange *change)
{
	KnAction *action = palloc0(sizeof(KnAction));

	action->verb = verb;
	action->change = change;
	if (verb != KN_DO_CREATE)
		action->found = change->found;
	if (verb != KN_DO_DROP && verb != KN_DO_ASIDE)
		action->wanted = change->wanted;
	actions->list = lappend(actions->list, action);
	if (action->found != NULL)
		note(actions, verb, action->found, action);
	if (action->wanted != NULL)
		note(actions, verb, action->wanted, action);
	return action;
}

static void
note(KnActions *actions, KnVerb verb, const KnObject *object, KnAction *action)
{
	ActionKey key = { object, verb };
	ActionEntry *entry = hash_search(actions->by_object, &key, HASH_ENTER, NULL);

	entry->action = action;
}

/* The action that does this to the object, alone or along with others; or NULL. */
KnAction *
action_of(const KnActions *actions, KnVerb verb, const KnObject *object)
{
	ActionKey key = { object, verb };
	ActionEntry *entry = hash_search(actions->by_object, &key, HASH_FIND, NULL);

	return entry == NULL ? NULL : entry->action;
}

/* Makes the object part of the creation of what it is in, if that can be. */
static bool
absorb_create(KnActions *actions, KnObject *object)
{
	KnObject *in = container(actions->changes->wanted, object);
	KnAction *action = in == NULL ? NULL : action_of(actions, KN_DO_CREATE, in);

	if (comes_with_parent(actions, actions->changes->wanted, object, KN_DO_CREATE))
		return true;
	if (action == NULL || !goes_inline(object, action->wanted))
		return false;
	action->parts = lappend(action->parts, object);
	note(actions, KN_DO_CREATE, object, action);
	return true;
}

/* Makes the object part of the drop of what it is in, if that goes. */
static bool
absorb_drop(KnActions *actions, KnObject *object)
{
	KnObject *in = container(actions->changes->found, object);
	KnAction *action = in == NULL ? NULL : action_of(actions, KN_DO_DROP, in);

	if (comes_with_parent(actions, actions->changes->found, object, KN_DO_DROP))
		return true;
	if (action == NULL && object->kind == KN_INDEX)
		action = drop_of_parent(actions, (const KnIndex *) object);
	if (action == NULL || refers_to_dropped(actions, object) ||
		(can_go_alone(object) &&
		 (needs_user(object, action->found) || came_later(actions, object, in))))
		return false;
	action->parts = lappend(action->parts, object);
	note(actions, KN_DO_DROP, object, action);
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
static KnObject *
container(const KnSchema *schema, const KnObject *object)
{
	const char *name = object->parent;
	KnObject *found;

	if (object->kind == KN_DEFAULT)
	{
		found = schema_find_kind(schema, KN_COLUMN, object->schema, object->parent, object->name);
		if (found != NULL)
			return found;
	}
	if (object->kind == KN_SEQUENCE)
		return schema_find_qualified(schema, KN_COLUMN, ((const KnSequence *) object)->owned_by);
	if (object->kind == KN_INDEX)
		name = ((const KnIndex *) object)->table;
	if (name == NULL)
		return NULL;
	found = schema_find_kind(schema, KN_TABLE, object->schema, NULL, name);
	if (found == NULL)
		found = schema_find_kind(schema, KN_VIEW, object->schema, NULL, name);
	if (found == NULL)
		found = schema_find_kind(schema, KN_MATVIEW, object->schema, NULL, name);
	return found;
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

/* Whether a column is inherited, and its parent's column gets the same done to it. */
static bool
comes_with_parent(KnActions *actions, const KnSchema *schema, const KnObject *object, KnVerb verb)
{
	KnTable *table;
	List *parents;
	ListCell *cell;

	if (object->kind != KN_COLUMN || !((const KnColumn *) object)->is_inherited)
		return false;
	table = (KnTable *) schema_find_kind(schema, KN_TABLE, object->schema, NULL, object->parent);
	if (table == NULL || action_of(actions, KN_DO_CREATE, &table->head) != NULL ||
		action_of(actions, KN_DO_DROP, &table->head) != NULL)
		return false;
	parents =
		table->partition_of == NULL ? table->inherits : list_make1((char *) table->partition_of);
	foreach(cell, parents)
	{
		KnObject *column = schema_find_qualified(
			schema,
			KN_COLUMN,
			psprintf("%s.%s", (char *) lfirst(cell), sqltext_identifier(object->name)));
		KnChange *change = column == NULL ? NULL : diff_change_of(actions->changes, column);

		if (change != NULL && ((verb == KN_DO_CREATE && change->found == NULL) ||
							   (verb == KN_DO_DROP && change->wanted == NULL) ||
							   (verb == KN_DO_ALTER && change->operation == KN_CHANGE)))
			return true;
	}
	return false;
}
