/*
 * edge.c
 *		Which action has to wait for which.
 *
 * From the dependencies of both states, X needing Y:
 *	 as found	X is dropped before Y is dropped, altered or put aside;
 *				X is altered before Y is dropped
 *	 as wanted	X is created, or altered, after Y is created or altered
 * and from names: what takes a name waits for what gives it up.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "common/hashfn.h"
#include "plan/plan.h"

typedef struct NameEntry
{
	const char *name;
	List *actions; /* KnAction *: all that give it up */
} NameEntry;

static void wait_for(KnAction *waiting, KnAction *first);
static void connect_drop(KnActions *actions, KnAction *action, const KnObject *object);
static bool is_in_the_way(const KnObject *object, const KnAction *alter);
static void connect_create(KnActions *actions, KnAction *action, const KnObject *object);
static void connect_alter(KnActions *actions, KnAction *action);
static void connect_finish(KnActions *actions, KnAction *action);
static bool must_be_gone(const KnObject *object, const KnObject *part);
static void connect_index(KnAction *finish, KnAction *create);
static void connect_same(KnActions *actions, KnAction *action);
static void connect_persistence(KnActions *actions);
static void connect_foreign_key(KnActions *actions, const KnSchema *side, const KnConstraint *key);
static bool changes_persistence(const KnAction *action);
static void connect_names(KnActions *actions);
static List *names_given_up(const KnAction *action);
static List *names_taken(const KnAction *action);
static List *names_of(const List *objects);
static const char *taken_name(const KnObject *object);
static uint32 hash_name(const void *key, Size size);
static int match_name(const void *a, const void *b, Size size);

/* Adds all edges. */
void
edge_connect(KnActions *actions)
{
	ListCell *cell;
	ListCell *part;

	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		switch (action->verb)
		{
			case KN_DO_DROP:
				connect_drop(actions, action, action->found);
				foreach(part, action->parts)
					connect_drop(actions, action, lfirst(part));
				break;
			case KN_DO_CREATE:
				connect_create(actions, action, action->wanted);
				foreach(part, action->parts)
					connect_create(actions, action, lfirst(part));
				connect_same(actions, action);
				break;
			case KN_DO_ALTER:
				connect_alter(actions, action);
				break;
			case KN_DO_FINISH:
				connect_finish(actions, action);
				break;
			default:
				break;
		}
	}
	connect_names(actions);
	connect_persistence(actions);
}

static void
wait_for(KnAction *waiting, KnAction *first)
{
	if (first == NULL || waiting == NULL || first == waiting)
		return;
	first->next = lappend(first->next, waiting);
}

static void
connect_drop(KnActions *actions, KnAction *action, const KnObject *object)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		KnObject *needed = lfirst(cell);

		wait_for(action_of(actions, KN_DO_DROP, needed), action);
		/* What was put aside goes along with what it needs. */
		if (!action->is_aside)
		{
			wait_for(action_of(actions, KN_DO_ASIDE, needed), action);
			/* What uses a sequence does not mind its being altered. */
			if (needed->kind != KN_SEQUENCE &&
				is_in_the_way(object, action_of(actions, KN_DO_ALTER, needed)))
				wait_for(action_of(actions, KN_DO_ALTER, needed), action);
		}
	}
}

/* Whether the object has to be dropped before what it needs can be altered. */
static bool
is_in_the_way(const KnObject *object, const KnAction *alter)
{
	const KnTable *found;
	const KnTable *wanted;

	if (alter == NULL || alter->found->kind == KN_SEQUENCE || !diff_is_seen(alter->change))
		return false;
	if (alter->found->kind != KN_TABLE || (object->kind != KN_COLUMN && object->kind != KN_DEFAULT))
		return true;
	found = (const KnTable *) alter->found;
	wanted = (const KnTable *) alter->wanted;
	return !sqltext_equal(found->partition_of, wanted->partition_of) ||
		   !sqltext_equal(found->of_type, wanted->of_type) ||
		   !schema_list_equal(found->inherits, wanted->inherits);
}

static void
connect_create(KnActions *actions, KnAction *action, const KnObject *object)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		KnObject *needed = lfirst(cell);
		KnAction *alter = action_of(actions, KN_DO_ALTER, needed);

		wait_for(action, action_of(actions, KN_DO_CREATE, needed));
		if (alter != NULL && diff_is_seen(alter->change))
			wait_for(action, alter);
	}
}

static void
connect_alter(KnActions *actions, KnAction *action)
{
	ListCell *cell;

	foreach(cell, action->found->depends)
		wait_for(action_of(actions, KN_DO_DROP, lfirst(cell)), action);
	connect_create(actions, action, action->wanted);
}

/* What is said last waits for the object and for all that it could mention. */
static void
connect_finish(KnActions *actions, KnAction *action)
{
	const KnSchema *wanted = actions->changes->wanted;
	const KnSchema *found = actions->changes->found;
	KnObject *object = action->wanted;
	ListCell *cell;

	wait_for(action, action_of(actions, KN_DO_CREATE, object));
	wait_for(action, action_of(actions, KN_DO_ALTER, object));
	connect_create(actions, action, object);
	if (object->kind == KN_INDEX)
	{
		KnObject *table = schema_find_kind(wanted,
										   KN_TABLE,
										   object->schema,
										   NULL,
										   ((const KnIndex *) object)->table);
		KnObject *parent =
			schema_find_qualified(wanted, KN_INDEX, ((const KnIndex *) object)->attached_to);

		if (table != NULL)
			wait_for(action, action_of(actions, KN_DO_FINISH, table));
		if (parent != NULL)
			wait_for(action, action_of(actions, KN_DO_CREATE, parent));
		return;
	}
	if (object->kind == KN_SEQUENCE)
	{
		KnObject *column =
			schema_find_qualified(wanted, KN_COLUMN, ((KnSequence *) object)->owned_by);

		if (column != NULL)
		{
			KnObject *table =
				schema_find_kind(wanted, KN_TABLE, column->schema, NULL, column->parent);

			wait_for(action, action_of(actions, KN_DO_CREATE, column));
			/* A table takes along the sequences that it owns by then. */
			if (table != NULL && changes_persistence(action_of(actions, KN_DO_ALTER, table)))
				wait_for(action, action_of(actions, KN_DO_ALTER, table));
		}
		column =
			action->found == NULL
				? NULL
				: schema_find_qualified(found, KN_COLUMN, ((KnSequence *) action->found)->owned_by);
		/* It is let go at first, and owned anew at last. */
		if (column != NULL)
			wait_for(action_of(actions, KN_DO_DROP, column),
					 ((KnSequence *) object)->owned_by == NULL
						 ? action
						 : action_of(actions, KN_DO_ALTER, object));
		return;
	}
	foreach(cell, actions->list)
	{
		KnAction *other = lfirst(cell);
		const KnObject *made = other->wanted;

		if (other->verb == KN_DO_DROP && must_be_gone(object, other->found))
			wait_for(action, other);
		if (made == NULL || !sqltext_equal(made->schema, object->schema) ||
			(other->verb != KN_DO_CREATE && made->kind != KN_COLUMN))
			continue;
		if ((made->kind == KN_CONSTRAINT || made->kind == KN_COLUMN) &&
			sqltext_equal(made->parent, object->name))
			wait_for(action, other);
		else if (made->kind == KN_INDEX &&
				 sqltext_equal(((const KnIndex *) made)->table, object->name))
			connect_index(action, other);
	}
}

/* Whether something is part of a table that another joins, which may not have the like. */
static bool
must_be_gone(const KnObject *object, const KnObject *part)
{
	const KnTable *table = (const KnTable *) object;
	const char *parent;

	if (object->kind != KN_TABLE || (part->kind != KN_COLUMN && part->kind != KN_CONSTRAINT))
		return false;
	parent = name_of_parent(part);
	return sqltext_equal(table->partition_of, parent) || sqltext_member(table->inherits, parent);
}

/* ATTACH PARTITION takes any index that fits: what is to stay alone comes later. */
static void
connect_index(KnAction *finish, KnAction *create)
{
	const KnIndex *index = (const KnIndex *) create->wanted;
	const KnTable *table = (const KnTable *) finish->wanted;

	if (finish->wanted->kind == KN_TABLE && table->partition_of != NULL &&
		index->attached_to == NULL && table->cluster_on == NULL &&
		strncmp(table->replica_identity, "USING", 5) != 0)
		wait_for(create, finish);
	else
		wait_for(finish, create);
}

/* Recreating: first it goes, or makes way; what was put aside goes when all is done. */
static void
connect_same(KnActions *actions, KnAction *action)
{
	KnObject *found = action->change->found;
	KnAction *drop;
	ListCell *cell;

	foreach(cell, action->parts)
	{
		KnChange *change = diff_change_of(actions->changes, lfirst(cell));

		if (change != NULL && change->found != NULL)
			wait_for(action, action_of(actions, KN_DO_DROP, change->found));
	}
	if (found == NULL)
		return;
	drop = action_of(actions, KN_DO_DROP, found);
	if (drop != NULL && drop->is_aside)
	{
		wait_for(action, action_of(actions, KN_DO_ASIDE, found));
		wait_for(drop, action);
	}
	else
		wait_for(action, drop);
}

/*
 * A table that is logged cannot refer to one that is not: the order in which
 * both ends of a foreign key change, and in which it goes and comes.
 */
static void
connect_persistence(KnActions *actions)
{
	const KnSchema *sides[2] = { actions->changes->found, actions->changes->wanted };
	bool changes = false;
	ListCell *cell;

	foreach(cell, actions->list)
		changes |= changes_persistence(lfirst(cell));
	for (int i = 0; changes && i < 2; i++)
	{
		foreach(cell, sides[i]->objects)
		{
			const KnConstraint *key = lfirst(cell);

			if (key->head.kind == KN_CONSTRAINT && key->references != NULL)
				connect_foreign_key(actions, sides[i], key);
		}
	}
}

static void
connect_foreign_key(KnActions *actions, const KnSchema *side, const KnConstraint *key)
{
	KnObject *from = schema_find_kind(side, KN_TABLE, key->head.schema, NULL, key->head.parent);
	KnObject *to = schema_find_qualified(side, KN_TABLE, key->references);
	KnAction *ends[2] = { NULL, NULL };

	if (from != NULL)
		ends[0] = action_of(actions, KN_DO_ALTER, from);
	if (to != NULL)
		ends[1] = action_of(actions, KN_DO_ALTER, to);
	for (int i = 0; i < 2; i++)
	{
		if (!changes_persistence(ends[i]))
			continue;
		wait_for(ends[i], action_of(actions, KN_DO_DROP, &key->head));
		wait_for(action_of(actions, KN_DO_CREATE, &key->head), ends[i]);
	}
	if (!changes_persistence(ends[0]) || !changes_persistence(ends[1]))
		return;
	if (*((KnTable *) ends[0]->wanted)->persistence != '\0')
		wait_for(ends[1], ends[0]);
	else
		wait_for(ends[0], ends[1]);
}

static bool
changes_persistence(const KnAction *action)
{
	return action != NULL && action->verb == KN_DO_ALTER && action->wanted->kind == KN_TABLE &&
		   !sqltext_equal(((const KnTable *) action->found)->persistence,
						  ((const KnTable *) action->wanted)->persistence);
}

static void
connect_names(KnActions *actions)
{
	HASHCTL control = { 0 };
	HTAB *names;
	ListCell *cell;
	ListCell *name;
	ListCell *gone;

	control.keysize = sizeof(char *);
	control.entrysize = sizeof(NameEntry);
	control.hash = hash_name;
	control.match = match_name;
	control.hcxt = CurrentMemoryContext;
	names = hash_create("kints names",
						256,
						&control,
						HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		foreach(name, names_given_up(action))
		{
			bool known;
			NameEntry *entry = hash_search(names, &lfirst(name), HASH_ENTER, &known);

			entry->actions = known ? lappend(entry->actions, action) : list_make1(action);
		}
	}
	if (hash_get_num_entries(names) == 0)
		return;
	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		foreach(name, names_taken(action))
		{
			NameEntry *entry = hash_search(names, &lfirst(name), HASH_FIND, NULL);

			if (entry == NULL)
				continue;
			foreach(gone, entry->actions)
				wait_for(action, lfirst(gone));
		}
	}
}

static List *
names_given_up(const KnAction *action)
{
	if (action->verb == KN_DO_DROP && !action->is_aside)
		return names_of(lcons(action->found, list_copy(action->parts)));
	if (action->verb == KN_DO_ALTER && action->found->kind == KN_COLUMN &&
		!sqltext_equal(taken_name(action->found), taken_name(action->wanted)))
		return names_of(list_make1(action->found));
	return NIL;
}

static List *
names_taken(const KnAction *action)
{
	if (action->verb == KN_DO_CREATE)
		return names_of(lcons(action->wanted, list_copy(action->parts)));
	if (action->verb == KN_DO_ALTER && action->wanted->kind == KN_COLUMN &&
		!sqltext_equal(taken_name(action->found), taken_name(action->wanted)))
		return names_of(list_make1(action->wanted));
	return NIL;
}

static List *
names_of(const List *objects)
{
	List *names = NIL;
	const ListCell *cell;

	foreach(cell, objects)
	{
		const char *name = taken_name(lfirst(cell));

		if (name != NULL)
			names = lappend(names, (char *) name);
	}
	return names;
}

/* The name that no other object of its schema may have, NULL if there is none such. */
static const char *
taken_name(const KnObject *object)
{
	switch (object->kind)
	{
		case KN_ENUM:
		case KN_RANGE:
		case KN_COMPOSITE:
		case KN_DOMAIN:
		case KN_SEQUENCE:
		case KN_TABLE:
		case KN_VIEW:
		case KN_MATVIEW:
		case KN_INDEX:
		case KN_FUNCTION: /* with another of the same name, a call could be ambiguous */
		case KN_AGGREGATE:
			return name_qualified(object->schema, object->name);
		case KN_COLUMN: /* the sequence behind it */
			return ((const KnColumn *) object)->identity == NULL
					   ? NULL
					   : ((const KnColumn *) object)->identity_sequence;
		case KN_CONSTRAINT:
			if (strchr("pux", ((const KnConstraint *) object)->type[0]) == NULL)
				return NULL;
			return name_qualified(object->schema, object->name);
		default:
			return NULL;
	}
}

static uint32
hash_name(const void *key, Size size)
{
	const char *text = *(const char *const *) key;

	(void) size;
	return string_hash(text, strlen(text) + 1);
}

static int
match_name(const void *a, const void *b, Size size)
{
	(void) size;
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}
