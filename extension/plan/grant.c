/*
 * grant.c
 *		Steps that change who may do what.
 *
 * A REVOKE on a table is one on its columns, too: those of them that differ in
 * nothing may have to be given back what it takes along.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"
#include "plan/plan.h"

static void alter_column_acl(List **steps, const KnActions *actions, const KnAction *action,
							 KnObject *found, KnObject *wanted);
static bool acl_differs(KnObject *found, KnObject *wanted);

/* The steps that alter the privileges on an object which stays. */
void
grant_alter(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *found = action->found;
	KnObject *wanted = action->wanted;
	ListCell *cell;

	if (!acl_differs(found, wanted))
		return;
	if (found->kind == KN_COLUMN)
	{
		alter_column_acl(steps, actions, action, found, wanted);
		return;
	}
	step_add(steps, action, wanted, ddl_acl(found, wanted));
	foreach(cell, found->kind == KN_TABLE ? actions->changes->wanted->objects : NIL)
	{
		KnObject *column = lfirst(cell);
		KnObject *before;

		if (column->kind != KN_COLUMN || !column->has_acl || !schema_is_part(column, wanted))
			continue;
		before = schema_find(actions->changes->found, column->key);
		if (before != NULL && !acl_differs(before, column))
			alter_column_acl(steps, actions, action, before, column);
	}
}

static void
alter_column_acl(List **steps, const KnActions *actions, const KnAction *action, KnObject *found,
				 KnObject *wanted)
{
	const KnObject *before =
		schema_find_kind(actions->changes->found, KN_TABLE, found->schema, NULL, found->parent);
	const KnObject *after =
		schema_find_kind(actions->changes->wanted, KN_TABLE, wanted->schema, NULL, wanted->parent);

	step_add(steps, action, wanted, ddl_column_acl(before, after, found, wanted));
}

static bool
acl_differs(KnObject *found, KnObject *wanted)
{
	List **of_columns = schema_column_acl(found);

	return found->has_acl != wanted->has_acl || !schema_list_equal(found->acl, wanted->acl) ||
		   (of_columns != NULL && !schema_list_equal(*of_columns, *schema_column_acl(wanted)));
}
