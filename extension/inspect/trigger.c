/*
 * trigger.c
 *		Triggers, rules and policies.
 *
 * A rule called _RETURN is the view itself.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "inspect/inspect.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteSupport.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* A copy of a partitioned table's trigger, on a partition. */
typedef struct Copy
{
	Oid oid;
	Oid parent;
	KnRelation *relation;
	const char *name;
	const char *enabled;
} Copy;

static List *copies; /* Copy *: of the triggers that are being read */

static void read_trigger(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_copy(KnInspect *in, const Copy *copy);
static const char *state_of(KnInspect *in, Oid trigger);
static void read_rule(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_policy(KnInspect *in, HeapTuple row, TupleDesc shape);
static List *read_roles(KnInspect *in, HeapTuple row, TupleDesc shape);
static int compare_roles(const ListCell *a, const ListCell *b);
static const char *command_word(char letter);

void
inspect_triggers(KnInspect *in)
{
	ListCell *cell;

	copies = NIL;
	inspect_scan(in, TriggerRelationId, read_trigger);
	foreach(cell, copies)
		read_copy(in, lfirst(cell));
	copies = NIL;
	inspect_scan(in, RewriteRelationId, read_rule);
}

static void
read_trigger(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->tgrelid);
	KnTrigger *trigger;

	(void) shape;
	if (relation == NULL || relation->object == NULL || form->tgisinternal)
		return;
	if (OidIsValid(form->tgparentid))
	{
		Copy *copy = palloc(sizeof(Copy));

		copy->oid = form->oid;
		copy->parent = form->tgparentid;
		copy->relation = relation;
		copy->name = read_name(&form->tgname);
		copy->enabled = read_enabled(form->tgenabled);
		copies = lappend(copies, copy);
		return;
	}
	trigger =
		schema_new_object(KN_TRIGGER, relation->schema, relation->name, read_name(&form->tgname));
	trigger->definition = read_definition(in, pg_get_triggerdef, form->oid);
	trigger->enabled = read_enabled(form->tgenabled);
	inspect_register(in, TriggerRelationId, form->oid, 0, trigger);
	inspect_add(in, trigger);
	schema_depend(trigger, relation->object);
}

/*
 * The trigger of a partition comes with that of the partitioned table.  It is
 * an object only where it is enabled otherwise, and all there is to say of it
 * is that.
 */
static void
read_copy(KnInspect *in, const Copy *copy)
{
	const char *inherited = state_of(in, copy->parent);
	KnObject *parent = inspect_lookup(in, TriggerRelationId, copy->parent, 0);
	KnTrigger *trigger;

	if (inherited == NULL || strcmp(inherited, copy->enabled) == 0)
		return;
	trigger =
		schema_new_object(KN_TRIGGER, copy->relation->schema, copy->relation->name, copy->name);
	trigger->definition = psprintf("ALTER TABLE ONLY %s %s TRIGGER %s",
								   name_qualified(copy->relation->schema, copy->relation->name),
								   copy->enabled,
								   sqltext_identifier(copy->name));
	trigger->enabled = copy->enabled;
	trigger->inherited = inherited;
	inspect_register(in, TriggerRelationId, copy->oid, 0, trigger);
	inspect_add(in, trigger);
	schema_depend(trigger, copy->relation->object);
	if (parent != NULL)
		schema_depend(trigger, parent);
}

/* How a trigger is enabled; NULL where it is not read. */
static const char *
state_of(KnInspect *in, Oid trigger)
{
	KnObject *object = inspect_lookup(in, TriggerRelationId, trigger, 0);
	ListCell *cell;

	if (object != NULL)
		return ((KnTrigger *) object)->enabled;
	foreach(cell, copies)
	{
		if (((Copy *) lfirst(cell))->oid == trigger)
			return ((Copy *) lfirst(cell))->enabled;
	}
	return NULL;
}

static void
read_rule(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_rewrite form = (Form_pg_rewrite) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->ev_class);
	KnRule *rule;

	(void) shape;
	if (relation == NULL || relation->object == NULL)
		return;
	if (strcmp(NameStr(form->rulename), ViewSelectRuleName) == 0)
	{
		inspect_register(in, RewriteRelationId, form->oid, 0, relation->object);
		return;
	}
	rule = schema_new_object(KN_RULE, relation->schema, relation->name, read_name(&form->rulename));
	rule->definition = read_unlocked(in, pg_get_ruledef, form->oid);
	rule->enabled = read_enabled(form->ev_enabled);
	inspect_register(in, RewriteRelationId, form->oid, 0, rule);
	inspect_add(in, rule);
	schema_depend(rule, relation->object);
}

void
inspect_policies(KnInspect *in)
{
	inspect_scan(in, PolicyRelationId, read_policy);
}

static void
read_policy(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_policy form = (Form_pg_policy) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->polrelid);
	KnPolicy *policy;

	if (relation == NULL || relation->object == NULL)
		return;
	policy =
		schema_new_object(KN_POLICY, relation->schema, relation->name, read_name(&form->polname));
	policy->is_restrictive = !form->polpermissive;
	policy->command = command_word(form->polcmd);
	policy->roles = read_roles(in, row, shape);
	policy->using_expression = read_expression(in, row, shape, Anum_pg_policy_polqual, relation);
	policy->check_expression =
		read_expression(in, row, shape, Anum_pg_policy_polwithcheck, relation);
	inspect_register(in, PolicyRelationId, form->oid, 0, policy);
	inspect_add(in, policy);
	schema_depend(policy, relation->object);
}

static List *
read_roles(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	bool isnull;
	Datum value = heap_getattr(row, Anum_pg_policy_polroles, shape, &isnull);
	Datum *roles;
	int count;
	List *names = NIL;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value),
					  OIDOID,
					  sizeof(Oid),
					  true,
					  TYPALIGN_INT,
					  &roles,
					  NULL,
					  &count);
	for (int i = 0; i < count; i++)
	{
		Oid role = DatumGetObjectId(roles[i]);

		names = lappend(names,
						role == ACL_ID_PUBLIC ? "PUBLIC"
											  : (char *) sqltext_identifier(read_owner(in, role)));
	}
	list_sort(names, compare_roles);
	return names;
}

static int
compare_roles(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

static const char *
command_word(char letter)
{
	switch (letter)
	{
		case ACL_SELECT_CHR:
			return "SELECT";
		case ACL_INSERT_CHR:
			return "INSERT";
		case ACL_UPDATE_CHR:
			return "UPDATE";
		case ACL_DELETE_CHR:
			return "DELETE";
		default:
			return "ALL";
	}
}
