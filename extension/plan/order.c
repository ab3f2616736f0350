/*
 * order.c
 *		Actions in an order in which they can run.
 *
 * A topological sort that among the actions which need not wait takes the one
 * of the lowest rank, then of the lowest name: the same changes always come in
 * the same order.  What is in the way goes first, then things are built from
 * the ground up, and what is no longer wanted goes last, when nobody needs it.
 *
 * A loop cannot be sorted.  One that goes through something that is altered, and
 * could as well be dropped and created, is broken there: see break_loop().  Any
 * other is left to the caller, who may report the objects that are in it.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "plan/plan.h"

static int rank_of(const KnAction *action);
static int compare_actions(Datum a, Datum b, void *argument);
static const char *name_of_action(const KnAction *action);
static List *find_loop(const List *actions);
static List *walk(KnAction *action, List *path);
static bool break_loop(KnChanges *changes, const List *loop);
static bool break_foreign_keys(KnChanges *changes, const List *loop);
static const char *verb_word(KnVerb verb);

/*
 * The actions that carry out the changes, each after those it waits for; where
 * that cannot be, some that wait for each other are in loop.  undone: the
 * actions that these take back, or NULL.
 */
KnActions *
order_changes(KnChanges *changes, const KnActions *undone)
{
	KnActions *actions;

	do
	{
		actions = action_make(changes, undone);
		edge_connect(actions);
		if (order_sort(actions))
			break;
		actions->loop = find_loop(actions->list);
	} while (break_loop(changes, actions->loop));
	return actions;
}

/* Puts the list in order; false, and the list as it was, if there is a loop. */
bool
order_sort(KnActions *actions)
{
	List *sorted = NIL;
	binaryheap *ready =
		binaryheap_allocate(Max(list_length(actions->list), 1), compare_actions, NULL);
	ListCell *cell;
	ListCell *next;

	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		action->rank = rank_of(action);
		foreach(next, action->next)
			((KnAction *) lfirst(next))->waits++;
	}
	foreach(cell, actions->list)
	{
		if (((KnAction *) lfirst(cell))->waits == 0)
			binaryheap_add_unordered(ready, PointerGetDatum(lfirst(cell)));
	}
	binaryheap_build(ready);
	while (!binaryheap_empty(ready))
	{
		KnAction *action = (KnAction *) DatumGetPointer(binaryheap_remove_first(ready));

		sorted = lappend(sorted, action);
		foreach(next, action->next)
		{
			KnAction *waiting = lfirst(next);

			if (--waiting->waits == 0)
				binaryheap_add(ready, PointerGetDatum(waiting));
		}
	}
	if (list_length(sorted) < list_length(actions->list))
		return false;
	actions->list = sorted;
	return true;
}

static int
rank_of(const KnAction *action)
{
	const KnObject *object = action->wanted != NULL ? action->wanted : action->found;
	int kind = (int) object->kind;

	switch (action->verb)
	{
		case KN_DO_ASIDE:
			return 100;
		case KN_DO_DROP:
			if (object->kind >= KN_DEFAULT && !action->is_aside)
				return KN_KIND_COUNT - kind;
			return 500 + KN_KIND_COUNT - kind;
		case KN_DO_ALTER:
			return 200 + kind * 2;
		case KN_DO_CREATE:
			if (object->kind == KN_CONSTRAINT &&
				strcmp(((const KnConstraint *) object)->type, "f") == 0)
				return 300;
			return 201 + kind * 2;
		default:
			return 400;
	}
}

/* The heap gives the greatest first, so this is the other way round. */
static int
compare_actions(Datum a, Datum b, void *argument)
{
	const KnAction *left = (const KnAction *) DatumGetPointer(a);
	const KnAction *right = (const KnAction *) DatumGetPointer(b);

	(void) argument;
	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	if (left->rank != right->rank)
		return left->rank < right->rank ? 1 : -1;
	return strcmp(name_of_action(right), name_of_action(left));
}

static const char *
name_of_action(const KnAction *action)
{
	return (action->wanted != NULL ? action->wanted : action->found)->key;
}

/* Actions of which each has to wait for the one before, and the first for the last. */
static List *
find_loop(const List *actions)
{
	ListCell *cell;

	foreach(cell, actions)
	{
		KnAction *action = lfirst(cell);
		List *loop = action->waits > 0 ? walk(action, NIL) : NIL;

		if (loop != NIL)
			return loop;
	}
	elog(ERROR, "the actions of a plan do not sort, and there is no loop");
}

/* Walks on from an action until it meets itself, and returns what lies between. */
static List *
walk(KnAction *action, List *path)
{
	ListCell *cell;

	check_stack_depth();
	if (action->waits < 0)
		return NIL;
	if (list_member_ptr(path, action))
	{
		while (path != NIL && linitial(path) != action)
			path = list_delete_first(path);
		return path;
	}
	path = lappend(list_copy(path), action);
	foreach(cell, action->next)
	{
		List *loop = ((KnAction *) lfirst(cell))->waits > 0 ? walk(lfirst(cell), path) : NIL;

		if (loop != NIL)
			return loop;
	}
	action->waits = -1;
	return NIL;
}

/*
 * What is altered stands between what it no longer needs and what it needs from
 * now on.  Dropped and created, it is out of the way in the meantime.
 */
static bool
break_loop(KnChanges *changes, const List *loop)
{
	static const KnKind kinds[] = {
		KN_POLICY,
		KN_TRIGGER,
		KN_RULE,
		KN_VIEW,
		KN_DEFAULT,
		KN_FUNCTION
	};
	ListCell *cell;

	for (Size i = 0; i < lengthof(kinds); i++)
	{
		foreach(cell, loop)
		{
			KnAction *action = lfirst(cell);

			if (action->verb == KN_DO_ALTER && action->found->kind == kinds[i] &&
				diff_recreate(changes, action->found, NULL))
			{
				diff_close(changes);
				return true;
			}
		}
	}
	return break_foreign_keys(changes, loop);
}

/* Tables that refer to each other in a loop can become logged, or not, only without that. */
static bool
break_foreign_keys(KnChanges *changes, const List *loop)
{
	ListCell *cell;
	ListCell *dependent;

	foreach(cell, loop)
	{
		KnAction *action = lfirst(cell);

		if (action->verb != KN_DO_ALTER || action->found->kind != KN_TABLE)
			continue;
		foreach(dependent, diff_dependents(changes, action->found))
		{
			KnObject *key = lfirst(dependent);

			if (key->kind == KN_CONSTRAINT && ((KnConstraint *) key)->references != NULL &&
				diff_recreate(changes, key, NULL))
			{
				diff_close(changes);
				return true;
			}
		}
	}
	return false;
}

/* Reports the loop that is left as an error. */
void
order_refuse(const KnActions *actions)
{
	KnAction *first = linitial(actions->loop);
	ListCell *cell;
	StringInfoData out;

	initStringInfo(&out);
	foreach(cell, actions->loop)
	{
		KnAction *member = lfirst(cell);

		appendStringInfo(&out, "%s %s, then ", verb_word(member->verb), name_of_action(member));
	}
	ereport(ERROR,
			errcode(KN_ERRCODE_UNSUPPORTED),
			errmsg("the changes depend on each other in a loop"),
			errdetail("To be done in this order: %s%s %s again.",
					  out.data,
					  verb_word(first->verb),
					  name_of_action(first)),
			errhint("Make the change in two migrations."));
}

static const char *
verb_word(KnVerb verb)
{
	switch (verb)
	{
		case KN_DO_ASIDE:
			return "rename";
		case KN_DO_DROP:
			return "drop";
		case KN_DO_ALTER:
			return "alter";
		case KN_DO_CREATE:
			return "create";
		default:
			return "finish";
	}
}
