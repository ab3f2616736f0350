/*
 * diff.c
 *		Two schemas to the changes between them.
 *
 * Objects are matched by key.  Where the desired state says nothing of owners
 * or of privileges, those that are found are what is wanted.
 */
#include "kints_norm.h"

#include "diff/diff.h"

#include "base/base.h"

typedef struct ChangeEntry
{
	const KnObject *object;
	KnChange *change;
} ChangeEntry;

typedef struct DependentsEntry
{
	const KnObject *object;
	List *dependents;
} DependentsEntry;

static HTAB *make_table(const char *name, Size entry);
static void take_over_unstated(const KnSchema *found, const KnSchema *wanted);
static void take_over_column_acl(KnObject *found, KnObject *wanted);
static void add_change(KnChanges *changes, KnOperation operation, KnObject *found,
					   KnObject *wanted);
static void find_dependents(KnChanges *changes);

/*
 * All changes that take found to wanted, among them those that others force:
 * see closure.c.  wanted is completed with what it does not state.
 */
KnChanges *
diff_schemas(const KnSchema *found, const KnSchema *wanted)
{
	KnChanges *changes = palloc0(sizeof(KnChanges));
	ListCell *cell;

	changes->found = found;
	changes->wanted = wanted;
	changes->by_object = make_table("kints changes", sizeof(ChangeEntry));
	changes->dependents = make_table("kints dependents", sizeof(DependentsEntry));
	take_over_unstated(found, wanted);
	foreach(cell, wanted->objects)
	{
		KnObject *object = lfirst(cell);
		KnObject *before = schema_find(found, object->key);

		if (before == NULL)
			add_change(changes, KN_CREATE, NULL, object);
		else if (!diff_is_equal(before, object))
			add_change(changes,
					   diff_must_recreate(before, object) ? KN_RECREATE : KN_CHANGE,
					   before,
					   object);
	}
	foreach(cell, found->objects)
	{
		KnObject *object = lfirst(cell);

		if (schema_find(wanted, object->key) == NULL)
			add_change(changes, KN_DROP, object, NULL);
	}
	if (changes->list != NIL)
	{
		find_dependents(changes);
		diff_close(changes);
	}
	return changes;
}

static HTAB *
make_table(const char *name, Size entry)
{
	HASHCTL control = { 0 };

	control.keysize = sizeof(KnObject *);
	control.entrysize = entry;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
take_over_unstated(const KnSchema *found, const KnSchema *wanted)
{
	ListCell *cell;

	if (wanted->has_owners && wanted->has_acls)
		return;
	foreach(cell, wanted->objects)
	{
		KnObject *object = lfirst(cell);
		KnObject *before = schema_find(found, object->key);

		if (!wanted->has_owners)
			object->owner = before == NULL ? NULL : before->owner;
		if (!wanted->has_acls)
		{
			object->has_acl = before != NULL && before->has_acl;
			object->acl = before == NULL ? NIL : before->acl;
			take_over_column_acl(before, object);
		}
	}
}

/* The privileges on those columns of a view that there will still be. */
static void
take_over_column_acl(KnObject *found, KnObject *wanted)
{
	List **acl = schema_column_acl(wanted);
	List *kept = NIL;
	ListCell *element;
	ListCell *column;

	if (acl == NULL)
		return;
	foreach(element, found == NULL ? NIL : *schema_column_acl(found))
	{
		foreach(column, schema_columns(wanted))
		{
			if (schema_column_item(lfirst(element), lfirst(column)) != NULL)
				kept = lappend(kept, lfirst(element));
		}
	}
	*acl = kept;
}

static void
add_change(KnChanges *changes, KnOperation operation, KnObject *found, KnObject *wanted)
{
	KnChange *change = palloc0(sizeof(KnChange));
	ChangeEntry *entry;

	change->operation = operation;
	change->found = found;
	change->wanted = wanted;
	changes->list = lappend(changes->list, change);
	if (found != NULL)
	{
		entry = hash_search(changes->by_object, &found, HASH_ENTER, NULL);
		entry->change = change;
	}
	if (wanted != NULL)
	{
		entry = hash_search(changes->by_object, &wanted, HASH_ENTER, NULL);
		entry->change = change;
	}
}

static void
find_dependents(KnChanges *changes)
{
	ListCell *cell;
	ListCell *on;

	foreach(cell, changes->found->objects)
	{
		KnObject *object = lfirst(cell);

		foreach(on, object->depends)
		{
			KnObject *needed = lfirst(on);
			bool known;
			DependentsEntry *entry = hash_search(changes->dependents, &needed, HASH_ENTER, &known);

			entry->dependents = known ? lappend(entry->dependents, object) : list_make1(object);
		}
	}
}

/* The change of an object of either side, NULL where it stays as it is. */
KnChange *
diff_change_of(const KnChanges *changes, const KnObject *object)
{
	ChangeEntry *entry = hash_search(changes->by_object, &object, HASH_FIND, NULL);

	return entry == NULL ? NULL : entry->change;
}

/* Who needs an object of the found schema. */
List *
diff_dependents(const KnChanges *changes, const KnObject *found)
{
	DependentsEntry *entry = hash_search(changes->dependents, &found, HASH_FIND, NULL);

	return entry == NULL ? NIL : entry->dependents;
}

/* What a found object is to become, NULL if it goes. */
KnObject *
diff_wanted_of(const KnChanges *changes, const KnObject *found)
{
	return schema_find(changes->wanted, found->key);
}

/* Notes that an object which needed no change, or a lesser one, is to be recreated. */
static KnChange *
change_for(KnChanges *changes, KnObject *found, KnOperation operation)
{
	KnChange *change = diff_change_of(changes, found);

	if (change == NULL)
	{
		add_change(changes, operation, found, diff_wanted_of(changes, found));
		change = llast(changes->list);
	}
	else if (change->operation == KN_CHANGE)
		change->operation = operation;
	return change;
}

/* Makes sure that a found object that stays is recreated; false if it was so already. */
bool
diff_recreate(KnChanges *changes, KnObject *found, KnObject *because)
{
	KnChange *change = diff_change_of(changes, found);

	if (diff_wanted_of(changes, found) == NULL ||
		(change != NULL && change->operation != KN_CHANGE))
		return false;
	change = change_for(changes, found, KN_RECREATE);
	change->because = because;
	return true;
}

/* Makes sure that a found object that stays has a change; false if it had one already. */
bool
diff_touch(KnChanges *changes, KnObject *found)
{
	if (diff_wanted_of(changes, found) == NULL || diff_change_of(changes, found) != NULL)
		return false;
	(void) change_for(changes, found, KN_CHANGE);
	return true;
}

/* Makes sure that a column gets its type again; false if that was so already. */
bool
diff_retype(KnChanges *changes, KnObject *column)
{
	KnChange *change = diff_change_of(changes, column);

	if (diff_wanted_of(changes, column) == NULL)
		return false;
	if (change != NULL && (change->operation == KN_RECREATE || change->is_retyped))
		return false;
	change = change_for(changes, column, KN_CHANGE);
	change->is_retyped = true;
	return true;
}

/* Whether a change of a column makes the server rework its type. */
bool
diff_type_differs(const KnChange *change)
{
	const KnColumn *found = (const KnColumn *) change->found;
	const KnColumn *wanted = (const KnColumn *) change->wanted;

	if (change->operation != KN_CHANGE || found->head.kind != KN_COLUMN)
		return false;
	return change->is_retyped || !sqltext_equal(found->type, wanted->type) ||
		   !sqltext_equal(found->collation, wanted->collation);
}
