/*
 * constraint.c
 *		Constraints of tables and of domains.
 *
 * Constraints that a child has only because its parent has them come with the
 * parent's.  Those of a partition are objects all the same, but for foreign
 * keys: a new partition has them before it is attached.  Constraint triggers
 * are triggers.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void read_constraint(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_domain_constraint(KnInspect *in, Form_pg_constraint form);
static const char *without_suffix(const char *text, const char *suffix);
static const char *deferrable_words(Form_pg_constraint form);

void
inspect_constraints(KnInspect *in)
{
	inspect_scan(in, ConstraintRelationId, read_constraint);
}

static void
read_constraint(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);
	KnRelation *relation;
	KnRelation *index;
	KnConstraint *constraint;
	bool is_inherited;

	if (OidIsValid(form->contypid))
	{
		read_domain_constraint(in, form);
		return;
	}
	relation = inspect_relation(in, form->conrelid);
	if (relation == NULL || relation->object == NULL || relation->object->kind != KN_TABLE ||
		strchr("pucfx", form->contype) == NULL)
		return;
	is_inherited = OidIsValid(form->conparentid) || !form->conislocal;
	if (is_inherited && (!relation->is_partition || form->contype == CONSTRAINT_FOREIGN))
		return;
	constraint = schema_new_object(KN_CONSTRAINT,
								   relation->schema,
								   relation->name,
								   read_name(&form->conname));
	constraint->is_inherited = is_inherited;
	constraint->type = read_letter(form->contype);
	constraint->not_valid = !form->convalidated;
	constraint->definition = inspect_constraint_definition(in, row, shape, relation);
	if (!form->convalidated)
		constraint->definition = without_suffix(constraint->definition, " NOT VALID");
	constraint->deferrable = "";
	if (form->contype == CONSTRAINT_FOREIGN)
	{
		const KnRelation *other = inspect_relation(in, form->confrelid);

		constraint->deferrable = deferrable_words(form);
		if (constraint->deferrable[0] != '\0')
			constraint->definition =
				without_suffix(constraint->definition, psprintf(" %s", constraint->deferrable));
		constraint->references =
			other != NULL ? name_qualified(other->schema, other->name)
						  : name_qualified(get_namespace_name(get_rel_namespace(form->confrelid)),
										   get_rel_name(form->confrelid));
	}
	inspect_register(in, ConstraintRelationId, form->oid, 0, constraint);
	inspect_add(in, constraint);
	schema_depend(constraint, relation->object);

	/* The index behind a key is part of the constraint. */
	if (strchr("pux", form->contype) == NULL)
		return;
	inspect_register(in, RelationRelationId, form->conindid, 0, constraint);
	index = inspect_relation(in, form->conindid);
	if (index != NULL)
	{
		constraint->tablespace = index->tablespace;
		constraint->index_options = index->options;
	}
}

static void
read_domain_constraint(KnInspect *in, Form_pg_constraint form)
{
	KnObject *object = inspect_lookup(in, TypeRelationId, form->contypid, 0);
	KnDomain *domain;
	ListCell *cell;
	int at = 0;
	const char *name = NameStr(form->conname);

	if (object == NULL || object->kind != KN_DOMAIN || form->contype != CONSTRAINT_CHECK)
		return;
	domain = (KnDomain *) object;
	foreach(cell, domain->constraints)
	{
		if (strcmp(lfirst(cell), name) < 0)
			at++;
	}
	domain->constraints = list_insert_nth(domain->constraints, at, pstrdup(name));
	domain->definitions =
		list_insert_nth(domain->definitions,
						at,
						(char *) read_definition(in, pg_get_constraintdef, form->oid));
	domain->comments = list_insert_nth(domain->comments, at, NULL);
	inspect_register(in, ConstraintRelationId, form->oid, 0, domain);
}

static const char *
without_suffix(const char *text, const char *suffix)
{
	Size length = strlen(text);
	Size tail = strlen(suffix);

	if (length < tail || strcmp(text + length - tail, suffix) != 0)
		return text;
	return pnstrdup(text, length - tail);
}

static const char *
deferrable_words(Form_pg_constraint form)
{
	if (!form->condeferrable)
		return "";
	return form->condeferred ? "DEFERRABLE INITIALLY DEFERRED" : "DEFERRABLE";
}
