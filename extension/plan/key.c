/*
 * key.c
 *		Foreign keys to a unique index of a partitioned table.
 *
 * The index is made on that table ONLY, and becomes valid as soon as those of all
 * partitions are attached to it: not before can a foreign key refer to it.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static void wait_for_parts(const KnActions *actions, KnAction *waiting, const KnObject *index);

/* Makes foreign keys wait for the parts of the indexes that they need. */
void
key_connect(KnActions *actions)
{
	ListCell *cell;
	ListCell *needed;

	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		if (action->verb != KN_DO_CREATE || action->wanted->kind != KN_CONSTRAINT)
			continue;
		foreach(needed, action->wanted->depends)
			wait_for_parts(actions, action, lfirst(needed));
	}
}

static void
wait_for_parts(const KnActions *actions, KnAction *waiting, const KnObject *index)
{
	ListCell *cell;

	foreach(cell, index->kind == KN_INDEX ? actions->changes->wanted->objects : NIL)
	{
		const KnObject *part = lfirst(cell);

		if (part->kind != KN_INDEX ||
			!sqltext_equal(((const KnIndex *) part)->attached_to, name_of(index)))
			continue;
		edge_wait(waiting, action_of(actions, KN_DO_FINISH, part));
		wait_for_parts(actions, waiting, part);
	}
}
