/*
 * type.c
 *		Enums, ranges, domains and composite types.
 *
 * Base types are reported as unmodelled.  The composite types made along with
 * tables and views belong to these.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* An enum's label, until all are there and can be put in order. */
typedef struct Label
{
	KnEnum *of;
	float4 order;
	const char *text;
} Label;

static List *labels; /* during one inspect_type_details() */

static void read_a_type(KnInspect *in, HeapTuple row, TupleDesc shape);
static KnObject *make_type(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema);
static KnDomain *make_domain(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema);
static void read_label(KnInspect *in, HeapTuple row, TupleDesc shape);
static void place_labels(void);
static int compare_labels(const ListCell *a, const ListCell *b);
static void read_range(KnInspect *in, HeapTuple row, TupleDesc shape);
static const char *routine_name(Oid function);
static void fill_composite(KnRelation *relation);

void
inspect_types(KnInspect *in)
{
	inspect_scan(in, TypeRelationId, read_a_type);
}

static void
read_a_type(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(row);
	const char *schema = inspect_namespace(in, form->typnamespace);
	KnObject *object;

	if (schema == NULL || inspect_is_member(in, TypeRelationId, form->oid))
		return;
	object = make_type(in, row, shape, schema);
	if (object == NULL)
		return;
	object->owner = read_owner(in, form->typowner);
	read_acl(in, object, row, shape, Anum_pg_type_typacl, form->typowner);
	inspect_register(in, TypeRelationId, form->oid, 0, object);
	if (OidIsValid(form->typarray))
		inspect_register(in, TypeRelationId, form->typarray, 0, object);
	inspect_add(in, object);
}

static KnObject *
make_type(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(row);
	KnOther *other;

	switch (form->typtype)
	{
		case TYPTYPE_ENUM:
			return schema_new_object(KN_ENUM, schema, NULL, read_name(&form->typname));
		case TYPTYPE_RANGE:
			return schema_new_object(KN_RANGE, schema, NULL, read_name(&form->typname));
		case TYPTYPE_DOMAIN:
			return &make_domain(in, row, shape, schema)->head;
		case TYPTYPE_BASE:
		case TYPTYPE_PSEUDO:
			if (OidIsValid(form->typelem) && form->typsubscript == F_ARRAY_SUBSCRIPT_HANDLER)
				return NULL; /* the array that comes with a type */
			other = schema_new_object(KN_OTHER, schema, NULL, read_name(&form->typname));
			other->what = "base type";
			return &other->head;
		default:
			return NULL;
	}
}

static KnDomain *
make_domain(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(row);
	KnDomain *domain = schema_new_object(KN_DOMAIN, schema, NULL, read_name(&form->typname));

	domain->type = read_type(in, form->typbasetype, form->typtypmod);
	domain->collation = read_collation(in, form->typcollation, form->typbasetype);
	domain->not_null = form->typnotnull;
	domain->default_value = read_expression(in, row, shape, Anum_pg_type_typdefaultbin, NULL);
	return domain;
}

/* What other catalogs say about types: labels, ranges, attributes. */
void
inspect_type_details(KnInspect *in)
{
	HASH_SEQ_STATUS status;
	KnRelation *relation;

	labels = NIL;
	inspect_scan(in, EnumRelationId, read_label);
	place_labels();
	inspect_scan(in, RangeRelationId, read_range);

	hash_seq_init(&status, in->relations);
	while ((relation = hash_seq_search(&status)) != NULL)
	{
		if (relation->relkind == RELKIND_COMPOSITE_TYPE)
			fill_composite(relation);
	}
}

static void
read_label(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_enum form = (Form_pg_enum) GETSTRUCT(row);
	KnObject *object = inspect_lookup(in, TypeRelationId, form->enumtypid, 0);
	Label *label;

	(void) shape;
	if (object == NULL || object->kind != KN_ENUM)
		return;
	label = palloc(sizeof(Label));
	label->of = (KnEnum *) object;
	label->order = form->enumsortorder;
	label->text = read_name(&form->enumlabel);
	labels = lappend(labels, label);
}

static void
place_labels(void)
{
	ListCell *cell;

	list_sort(labels, compare_labels);
	foreach(cell, labels)
	{
		Label *label = lfirst(cell);

		label->of->labels = lappend(label->of->labels, (char *) label->text);
	}
	labels = NIL;
}

static int
compare_labels(const ListCell *a, const ListCell *b)
{
	float4 left = ((Label *) lfirst(a))->order;
	float4 right = ((Label *) lfirst(b))->order;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* The definition of a range type, as CREATE TYPE ... AS RANGE has it. */
static void
read_range(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_range form = (Form_pg_range) GETSTRUCT(row);
	KnObject *object = inspect_lookup(in, TypeRelationId, form->rngtypid, 0);
	StringInfoData out;
	Form_pg_opclass opclass;
	HeapTuple tuple;

	(void) shape;
	if (object == NULL || object->kind != KN_RANGE)
		return;
	initStringInfo(&out);
	appendStringInfo(&out, "SUBTYPE = %s", format_type_be(form->rngsubtype));
	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(form->rngsubopc));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", form->rngsubopc);
	opclass = (Form_pg_opclass) GETSTRUCT(tuple);
	if (!opclass->opcdefault)
		appendStringInfo(&out,
						 ", SUBTYPE_OPCLASS = %s",
						 sqltext_qualified(get_namespace_name(opclass->opcnamespace),
										   NameStr(opclass->opcname)));
	ReleaseSysCache(tuple);
	if (OidIsValid(form->rngcollation) && form->rngcollation != get_typcollation(form->rngsubtype))
		appendStringInfo(&out,
						 ", COLLATION = %s",
						 read_collation(in, form->rngcollation, InvalidOid));
	if (OidIsValid(form->rngcanonical))
		appendStringInfo(&out, ", CANONICAL = %s", routine_name(form->rngcanonical));
	if (OidIsValid(form->rngsubdiff))
		appendStringInfo(&out, ", SUBTYPE_DIFF = %s", routine_name(form->rngsubdiff));
	appendStringInfo(&out,
					 ", MULTIRANGE_TYPE_NAME = %s",
					 format_type_be_qualified(form->rngmultitypid));
	((KnRange *) object)->definition = out.data;
	inspect_register(in, TypeRelationId, form->rngmultitypid, 0, object);
}

static const char *
routine_name(Oid function)
{
	return sqltext_qualified(get_namespace_name(get_func_namespace(function)),
							 get_func_name(function));
}

static void
fill_composite(KnRelation *relation)
{
	KnComposite *type = (KnComposite *) relation->object;

	for (int i = 0; i < relation->attribute_count; i++)
	{
		KnAttribute *attribute = &relation->attributes[i];

		if (attribute->name == NULL)
			continue;
		type->attributes = lappend(type->attributes, (char *) attribute->name);
		type->types = lappend(type->types, (char *) attribute->type_text);
		type->collations = lappend(type->collations, (char *) attribute->collation_text);
	}
}
