/*
 * again.c
 *		What a table says of an index is said again when that is made anew.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"
#include "plan/plan.h"

static KnObject *before_saying(const KnObject *object);

/*
 * What its table said of an index, and forgot when that went to be made anew.
 * What differs is said at the end anyway.
 */
void
again_say(List **steps, const KnActions *actions, const KnAction *action)
{
	const KnObject *object = action->wanted;
	const char *name =
		object->kind == KN_INDEX ? ((const KnIndex *) object)->table : object->parent;
	const char *index = sqltext_identifier(object->name);
	KnObject *found = action_relation(actions->changes->found, object->schema, name);
	KnObject *wanted = action_relation(actions->changes->wanted, object->schema, name);
	KnObject *plain;

	if (found == NULL || wanted == NULL || found->kind != wanted->kind ||
		(found->kind != KN_TABLE && found->kind != KN_MATVIEW))
		return;
	plain = before_saying(wanted);
	if (wanted->kind == KN_TABLE)
	{
		const char *identity = ((KnTable *) wanted)->replica_identity;
		const char *cluster = ((KnTable *) wanted)->cluster_on;

		((KnTable *) plain)->partition_of = ((KnTable *) wanted)->partition_of;
		((KnTable *) plain)->partition_bound = ((KnTable *) wanted)->partition_bound;
		if (!sqltext_equal(identity, ((KnTable *) found)->replica_identity) ||
			!sqltext_equal(identity, psprintf("USING INDEX %s", index)))
			((KnTable *) plain)->replica_identity = identity;
		if (!sqltext_equal(cluster, ((KnTable *) found)->cluster_on) ||
			!sqltext_equal(cluster, index))
			((KnTable *) plain)->cluster_on = cluster;
	}
	else if (!sqltext_equal(((KnMatview *) wanted)->cluster_on,
							((KnMatview *) found)->cluster_on) ||
			 !sqltext_equal(((KnMatview *) wanted)->cluster_on, index))
		return;
	step_add(steps, action, wanted, ddl_finish(plain, wanted));
}

/* The object before anything was said last about it. */
static KnObject *
before_saying(const KnObject *object)
{
	KnObject *copy = palloc(kn_kinds[object->kind].size);

	memcpy(copy, object, kn_kinds[object->kind].size);
	switch (object->kind)
	{
		case KN_SEQUENCE:
			((KnSequence *) copy)->owned_by = NULL;
			break;
		case KN_TABLE:
			((KnTable *) copy)->replica_identity = "DEFAULT";
			((KnTable *) copy)->cluster_on = NULL;
			((KnTable *) copy)->partition_of = NULL;
			((KnTable *) copy)->partition_bound = NULL;
			break;
		case KN_MATVIEW:
			((KnMatview *) copy)->cluster_on = NULL;
			break;
		default:
			break;
	}
	return copy;
}
