/*
 * names.c
 *		Which action has to wait for another one's name.
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

static List *names_given_up(const KnAction *action);
static List *names_taken(const KnAction *action);
static List *names_of(const List *objects);
static const char *taken_name(const KnObject *object);
static uint32 hash_name(const void *key, Size size);
static int match_name(const void *a, const void *b, Size size);

/* What takes a name waits for all that give it up. */
void
names_connect(KnActions *actions)
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
				edge_wait(action, lfirst(gone));
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
