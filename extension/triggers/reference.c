/*
 * reference.c
 *		Foreign keys: which rows refer to which.
 *
 * The server has a trigger for each on the table that is referred to, of which
 * the relation cache knows: nothing has to be searched for.  Conditions are as
 * the server's own for a foreign key: its operators, with casts where it has
 * them, and the collation of the key.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static void add_part(StringInfo out, const KnReference *reference, int number, bool is_parent);

/* The foreign keys that refer to a table, as KnReference, in the current memory context. */
List *
reference_list(Relation relation)
{
	List *constraints = NIL;
	List *references = NIL;
	const TriggerDesc *triggers = relation->trigdesc;
	const ListCell *cell;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK &&
			TRIGGER_FOR_DELETE(trigger->tgtype))
			constraints = lappend_oid(constraints, trigger->tgconstraint);
	}
	/* After that, for to look something up may build the triggers anew. */
	foreach(cell, constraints)
		references = lappend(references, reference_read(lfirst_oid(cell)));
	return references;
}

KnReference *
reference_read(Oid constraint)
{
	KnReference *reference = palloc0(sizeof(*reference));
	HeapTuple row = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;

	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(row);
	reference->constraint = pstrdup(NameStr(form->conname));
	reference->table = form->conrelid;
	reference->parent = form->confrelid;
	reference->cascades = form->confdeltype == FKCONSTR_ACTION_CASCADE;
	reference->forgets = form->confdeltype == FKCONSTR_ACTION_SETNULL ||
						 form->confdeltype == FKCONSTR_ACTION_SETDEFAULT;
	DeconstructFkConstraintRow(row,
							   &reference->count,
							   reference->from,
							   reference->to,
							   reference->operators,
							   NULL,
							   NULL,
							   NULL,
							   NULL);
	ReleaseSysCache(row);
	return reference;
}

/* The condition for rows "child" that refer to one whose key is $1, $2, ... */
const char *
reference_children(const KnReference *reference)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < reference->count; i++)
		add_part(&out, reference, i, false);
	return out.data;
}

/* The condition for the row "parent" that one refers to whose columns for that are $1, $2, ... */
const char *
reference_parent(const KnReference *reference)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < reference->count; i++)
		add_part(&out, reference, i, true);
	return out.data;
}

/* is_parent: the column is that of the parent, and the parameter is the child's. */
static void
add_part(StringInfo out, const KnReference *reference, int number, bool is_parent)
{
	AttrNumber to = reference->to[number];
	AttrNumber from = reference->from[number];
	Oid types[2];
	int32 typmods[2];
	Oid collations[2];
	const char *parameter = psprintf("$%d", number + 1);

	get_atttypetypmodcoll(reference->parent, to, &types[0], &typmods[0], &collations[0]);
	get_atttypetypmodcoll(reference->table, from, &types[1], &typmods[1], &collations[1]);
	if (number > 0)
		appendStringInfoString(out, " AND ");
	generate_operator_clause(
		out,
		is_parent ? sqltext_qualified("parent", get_attname(reference->parent, to, false))
				  : parameter,
		types[0],
		reference->operators[number],
		is_parent ? parameter
				  : sqltext_qualified("child", get_attname(reference->table, from, false)),
		types[1]);
	if (!is_parent && collations[0] != collations[1] && OidIsValid(collations[0]) &&
		!get_collation_isdeterministic(collations[0]))
		appendStringInfo(out, " COLLATE %s", reference_collation(collations[0]));
}

/* A collation, as SQL says it whatever the search_path is. */
const char *
reference_collation(Oid collation)
{
	HeapTuple row = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	const char *name;

	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(row);
	name = sqltext_qualified(get_namespace_name(form->collnamespace), NameStr(form->collname));
	ReleaseSysCache(row);
	return name;
}

/* "FROM [ONLY] table AS child" of the table that refers; a foreign key does not hold for its heirs.
 */
const char *
reference_target(const KnReference *reference)
{
	Oid table = reference->table;

	return sqltext_concat(
		get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
		sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table)),
		" AS child",
		NULL);
}

/* The types of the parameters of reference_children(); how many they are. */
int
reference_types(const KnReference *reference, Oid *types)
{
	for (int i = 0; i < reference->count; i++)
		types[i] = get_atttype(reference->parent, reference->to[i]);
	return reference->count;
}

/* Names of the columns that references refer to, of a table called so, each after a comma. */
const char *
reference_columns(const List *references, const char *table)
{
	const char *columns = "";
	const ListCell *cell;

	foreach(cell, references)
	{
		const KnReference *reference = lfirst(cell);

		for (int i = 0; i < reference->count; i++)
			columns = sqltext_concat(
				columns,
				", ",
				sqltext_qualified(table, get_attname(reference->parent, reference->to[i], false)),
				NULL);
	}
	return columns;
}

/* Takes a copy of a row to a list of KnRow, argument. */
void
reference_take(HeapTuple tuple, TupleDesc shape, void *argument)
{
	List **rows = argument;
	KnRow *row = palloc(sizeof(*row));

	row->values = palloc(sizeof(Datum) * (Size) shape->natts);
	row->nulls = palloc(sizeof(bool) * (Size) shape->natts);
	heap_deform_tuple(tuple, shape, row->values, row->nulls);
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (!row->nulls[i])
			row->values[i] = datumCopy(row->values[i], attribute->attbyval, attribute->attlen);
	}
	*rows = lappend(*rows, row);
}

/* Whether a row "child" may have this key, whose first column is number first of it. */
bool
reference_has_key(const KnReference *reference, const KnRow *row, int first)
{
	for (int i = 0; i < reference->count; i++)
	{
		if (row->nulls[first + i])
			return false;
	}
	return true;
}
