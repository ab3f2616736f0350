/*
 * again.c
 *		What a table says of an index is said again when that is made anew.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"
#include "plan/plan.h"

/*
 * What its table said of an index, and forgot when that went to be made anew.
 * What differs is said at the end anyway.
 */
void
again_say(List **steps, const KnActions *actions, const KnAction *action)
{
	const KnObject *object = action->wanted;
	const char *index = sqltext_identifier(object->name);
	KnObject *found = schema_relation_of(actions->changes->found, object);
	KnObject *wanted = schema_relation_of(actions->changes->wanted, object);
	KnObject *plain;

	if (found == NULL || wanted == NULL || found->kind != wanted->kind ||
		(found->kind != KN_TABLE && found->kind != KN_MATVIEW))
		return;
	plain = palloc(kn_kinds[wanted->kind].size);
	memcpy(plain, wanted, kn_kinds[wanted->kind].size);
	if (wanted->kind == KN_TABLE)
	{
		const char *identity = ((KnTable *) wanted)->replica_identity;
		const char *cluster = ((KnTable *) wanted)->cluster_on;

		if (sqltext_equal(identity, ((KnTable *) found)->replica_identity) &&
			sqltext_equal(identity, psprintf("USING INDEX %s", index)))
			((KnTable *) plain)->replica_identity = "DEFAULT";
		if (sqltext_equal(cluster, ((KnTable *) found)->cluster_on) &&
			sqltext_equal(cluster, index))
			((KnTable *) plain)->cluster_on = NULL;
	}
	else if (sqltext_equal(((KnMatview *) wanted)->cluster_on, ((KnMatview *) found)->cluster_on) &&
			 sqltext_equal(((KnMatview *) wanted)->cluster_on, index))
		((KnMatview *) plain)->cluster_on = NULL;
	step_add(steps, action, wanted, ddl_finish(plain, wanted));
}
