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
static bool is_inherited(const KnActions *actions, const KnObject *object);
static bool must_put_aside(const KnActions *actions, const KnChange *change);
static bool is_of_partition_key(const KnActions *actions, const KnChange *change);
static void refuse_table(const KnObject *table);
static void refuse_range(const KnObject *type);
static KnAction *add_action(KnActions *actions, KnVerb verb, KnChange *change);
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
	inherit_note(actions);
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
	if (is_of_partition_key(actions, change))
		refuse_table(schema_find_kind(actions->changes->found,
									  KN_TABLE,
									  object->schema,
									  NULL,
									  object->parent));
	if (change->operation == KN_RECREATE && object->kind == KN_TABLE)
		refuse_table(object);
	if (change->operation == KN_CHANGE)
	{
		if (!inherit_comes_along(actions, actions->changes->wanted, change->wanted, KN_DO_ALTER))
			(void) add_action(actions, KN_DO_ALTER, change);
	}
	else if (must_put_aside(actions, change))
	{
		if (object->kind == KN_RANGE)
			refuse_range(object);
		(void) add_action(actions, KN_DO_ASIDE, change);
		add_action(actions, KN_DO_DROP, change)->is_aside = true;
		(void) add_action(actions, KN_DO_CREATE, change);
	}
	else
	{
		if (change->found != NULL && !absorb_drop(actions, change->found) &&
			!is_inherited(actions, change->found))
			(void) add_action(actions, KN_DO_DROP, change);
		if (change->wanted != NULL && !absorb_create(actions, change->wanted) &&
			!is_inherited(actions, change->wanted))
			add_action(actions, KN_DO_CREATE, change)->is_on_new =
				is_on_new(actions, change->wanted);
	}
	if (change->wanted != NULL && has_finish(change))
		add_action(actions, KN_DO_FINISH, change)->is_on_new =
			change->found == NULL && has_new_parents(actions, change->wanted);
}

/*
 * A constraint that comes, and goes, with that of the partitioned table.  A
 * check has to be there before a partition is attached again.
 */
static bool
is_inherited(const KnActions *actions, const KnObject *object)
{
	const KnConstraint *constraint = (const KnConstraint *) object;

	if (object->kind != KN_CONSTRAINT || !constraint->is_inherited)
		return false;
	return strcmp(constraint->type, "c") != 0 || inherit_stays(actions, object);
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

/* Whether a column has to be another one that the server decides by where a row is. */
static bool
is_of_partition_key(const KnActions *actions, const KnChange *change)
{
	const KnObject *column = change->found;
	const KnTable *table;
	const char *name;
	const char *at;

	if (column == NULL || column->kind != KN_COLUMN || !diff_type_differs(change))
		return false;
	table = (const KnTable *)
		schema_find_kind(actions->changes->found, KN_TABLE, column->schema, NULL, column->parent);
	if (table == NULL || table->partition_key == NULL)
		return false;
	name = sqltext_identifier(column->name);
	for (at = table->partition_key; (at = strstr(at, name)) != NULL; at += strlen(name))
	{
		/* By its name alone: not inside of another word, and not a function of that name. */
		if (strchr(" (", at[-1]) != NULL && strchr(" ,)", at[strlen(name)]) != NULL)
			return true;
	}
	return false;
}

static void
refuse_table(const KnObject *table)
{
	ereport(ERROR,
			errcode(KN_ERRCODE_UNSUPPORTED),
			errmsg("table %s would have to be created anew", name_of(table)),
			errdetail("Its partition key cannot be changed in place, and its rows would be lost."),
			errhint("Create a new table, copy the rows, and drop the old one."));
}

/* Its multiranges and constructors have names of their own, which would be taken. */
static void
refuse_range(const KnObject *type)
{
	ereport(ERROR,
			errcode(KN_ERRCODE_UNSUPPORTED),
			errmsg("range type %s would have to be created anew", name_of(type)),
			errdetail("It cannot be changed in place, and columns have it."),
			errhint("Create a new type, convert the columns to it, and drop the old one."));
}

/* Whether all relations that the object is on are created by this plan as well. */
static bool
is_on_new(const KnActions *actions, const KnObject *object)
{
	KnObject *in = absorb_container(actions->changes->wanted, object);
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
		action_note(actions, verb, action->found, action);
	if (action->wanted != NULL)
		action_note(actions, verb, action->wanted, action);
	return action;
}

/* Remembers which action does this to an object. */
void
action_note(KnActions *actions, KnVerb verb, const KnObject *object, KnAction *action)
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
