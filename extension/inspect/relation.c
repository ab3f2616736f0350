/*
 * relation.c
 *		Tables, views, materialized views and sequences, without their columns.
 *
 * Indexes and identity sequences are noted too, for the readers that need
 * their name or options, but are no objects here.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/heap.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/sequence.h"
#include "inspect/inspect.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static void read_relation(KnInspect *in, HeapTuple row, TupleDesc shape);
static void note_privileges(KnInspect *in, const KnRelation *relation, HeapTuple row,
							TupleDesc shape);
static KnObject *make_object(KnInspect *in, KnRelation *relation, HeapTuple row, TupleDesc shape);
static KnTable *make_table(KnInspect *in, KnRelation *relation, HeapTuple row, TupleDesc shape);
static KnMatview *make_matview(KnRelation *relation, Form_pg_class form);
static KnOther *make_foreign_table(KnRelation *relation);
static void note_toast(KnInspect *in, HeapTuple row, TupleDesc shape);
static void apply_toasts(KnInspect *in);
static void read_view(KnInspect *in, KnRelation *relation);
static void read_sequence(KnInspect *in, HeapTuple row, TupleDesc shape);
static const char *access_method_name(Oid access_method);

void
inspect_relations(KnInspect *in)
{
	inspect_scan(in, RelationRelationId, read_relation);
	in->last_missed = InvalidOid;
	apply_toasts(in);
}

static void
read_relation(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);
	const char *schema = inspect_namespace(in, form->relnamespace);
	KnRelation *relation;

	if (form->relkind == RELKIND_TOASTVALUE)
		note_toast(in, row, shape);
	/* Of a composite type that an extension owns, it is the type that is the member. */
	if (schema == NULL || inspect_is_member(in, RelationRelationId, form->oid) ||
		(form->relkind == RELKIND_COMPOSITE_TYPE &&
		 inspect_is_member(in, TypeRelationId, form->reltype)) ||
		form->relpersistence == RELPERSISTENCE_TEMP)
		return;
	relation = hash_search(in->relations, &form->oid, HASH_ENTER, NULL);
	memset((char *) relation + sizeof(Oid), 0, sizeof(KnRelation) - sizeof(Oid));
	relation->relkind = form->relkind;
	relation->schema = schema;
	relation->name = read_name(&form->relname);
	relation->attribute_count = form->relnatts;
	relation->attributes = palloc0(sizeof(KnAttribute) * Max(form->relnatts, 1));
	relation->options = read_options(row, shape, Anum_pg_class_reloptions, "");
	relation->tablespace = read_tablespace(form->reltablespace);
	relation->is_partition = form->relispartition;
	relation->access_method = form->relam;
	relation->object = make_object(in, relation, row, shape);
	if (relation->object == NULL)
	{
		if (form->relkind == RELKIND_SEQUENCE)
			note_privileges(in, relation, row, shape);
		return;
	}

	relation->object->owner = read_owner(in, form->relowner);
	read_acl(in, relation->object, row, shape, Anum_pg_class_relacl, form->relowner);
	inspect_register(in, RelationRelationId, form->oid, 0, relation->object);
	if (OidIsValid(form->reltype))
	{
		Oid array = get_array_type(form->reltype);

		inspect_register(in, TypeRelationId, form->reltype, 0, relation->object);
		if (OidIsValid(array))
			inspect_register(in, TypeRelationId, array, 0, relation->object);
	}
	inspect_add(in, relation->object);
}

/* The sequence of an identity column is part of it, but for who may use it. */
static void
note_privileges(KnInspect *in, const KnRelation *relation, HeapTuple row, TupleDesc shape)
{
	bool isnull;
	Datum value = heap_getattr(row, Anum_pg_class_relacl, shape, &isnull);
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);
	KnOther *other;

	if (isnull || aclequal(DatumGetAclP(value), acldefault(OBJECT_SEQUENCE, form->relowner)))
		return;
	other = inspect_other(relation->schema,
						  "privileges on sequence",
						  name_qualified(relation->schema, relation->name));
	other->definition = OidOutputFunctionCall(F_ARRAY_OUT, value);
	inspect_add(in, other);
}

static KnObject *
make_object(KnInspect *in, KnRelation *relation, HeapTuple row, TupleDesc shape)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);
	KnOwned *owned;

	switch (form->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			return &make_table(in, relation, row, shape)->head;
		case RELKIND_VIEW:
			return schema_new_object(KN_VIEW, relation->schema, NULL, relation->name);
		case RELKIND_MATVIEW:
			return &make_matview(relation, form)->head;
		case RELKIND_COMPOSITE_TYPE:
			return schema_new_object(KN_COMPOSITE, relation->schema, NULL, relation->name);
		case RELKIND_FOREIGN_TABLE:
			return &make_foreign_table(relation)->head;
		case RELKIND_SEQUENCE:
			owned = hash_search(in->owned, &form->oid, HASH_FIND, NULL);
			if (owned != NULL && owned->type == 'i')
				return NULL;
			return schema_new_object(KN_SEQUENCE, relation->schema, NULL, relation->name);
		default:
			return NULL;
	}
}

static KnTable *
make_table(KnInspect *in, KnRelation *relation, HeapTuple row, TupleDesc shape)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);
	KnTable *table = schema_new_object(KN_TABLE, relation->schema, NULL, relation->name);
	bool isnull;
	Datum bound;

	table->persistence = form->relpersistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED" : "";
	table->access_method = access_method_name(form->relam);
	table->tablespace = relation->tablespace;
	table->options = relation->options;
	table->row_security = form->relrowsecurity;
	table->force_row_security = form->relforcerowsecurity;
	table->replica_identity = form->relreplident == REPLICA_IDENTITY_NOTHING ? "NOTHING"
							  : form->relreplident == REPLICA_IDENTITY_FULL  ? "FULL"
																			 : "DEFAULT";
	if (form->relkind == RELKIND_PARTITIONED_TABLE)
		table->partition_key = read_definition(in, pg_get_partkeydef, form->oid);
	bound = heap_getattr(row, Anum_pg_class_relpartbound, shape, &isnull);
	if (!isnull)
	{
		(void) bound;
		table->partition_bound =
			read_expression(in, row, shape, Anum_pg_class_relpartbound, relation);
	}
	if (OidIsValid(form->reloftype))
		table->of_type = read_type(in, form->reloftype, -1);
	if (OidIsValid(form->reltoastrelid))
	{
		KnToast *toast;
		bool found;

		toast = hash_search(in->toasts, &form->reltoastrelid, HASH_ENTER, &found);
		if (!found)
			toast->options = NIL;
		toast->relation = form->oid;
	}
	return table;
}

static KnMatview *
make_matview(KnRelation *relation, Form_pg_class form)
{
	KnMatview *view = schema_new_object(KN_MATVIEW, relation->schema, NULL, relation->name);

	view->options = relation->options;
	view->tablespace = relation->tablespace;
	view->access_method = access_method_name(form->relam);
	view->is_populated = form->relispopulated;
	return view;
}

static KnOther *
make_foreign_table(KnRelation *relation)
{
	KnOther *other = schema_new_object(KN_OTHER, relation->schema, NULL, relation->name);

	other->what = "foreign table";
	return other;
}

/* The access method's name where it is not heap. */
static const char *
access_method_name(Oid access_method)
{
	if (!OidIsValid(access_method) || access_method == HEAP_TABLE_AM_OID)
		return NULL;
	return quote_identifier(get_am_name(access_method));
}

static void
note_toast(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(row);
	List *options = read_options(row, shape, Anum_pg_class_reloptions, "toast.");
	KnToast *toast;
	bool found;

	if (options == NIL)
		return;
	toast = hash_search(in->toasts, &form->oid, HASH_ENTER, &found);
	if (!found)
		toast->relation = InvalidOid;
	toast->options = options;
}

/* Options of toast tables belong to the tables that they serve. */
static void
apply_toasts(KnInspect *in)
{
	HASH_SEQ_STATUS status;
	KnToast *toast;

	hash_seq_init(&status, in->toasts);
	while ((toast = hash_seq_search(&status)) != NULL)
	{
		KnRelation *relation;

		if (toast->options == NIL || !OidIsValid(toast->relation))
			continue;
		relation = inspect_relation(in, toast->relation);
		if (relation != NULL && relation->object != NULL && relation->object->kind == KN_TABLE)
		{
			KnTable *table = (KnTable *) relation->object;

			table->options = list_concat_copy(table->options, toast->options);
		}
	}
}

/* What views and materialized views say, once their columns are known. */
void
inspect_views(KnInspect *in)
{
	HASH_SEQ_STATUS status;
	KnRelation *relation;

	hash_seq_init(&status, in->relations);
	while ((relation = hash_seq_search(&status)) != NULL)
	{
		if (relation->relkind == RELKIND_VIEW || relation->relkind == RELKIND_MATVIEW)
			read_view(in, relation);
	}
}

static void
read_view(KnInspect *in, KnRelation *relation)
{
	const char *definition = read_unlocked(in, pg_get_viewdef, relation->oid);
	List *columns = NIL;
	List *types = NIL;
	List *settings = NIL;
	List *acl = NIL;

	for (int i = 0; i < relation->attribute_count; i++)
	{
		KnAttribute *attribute = &relation->attributes[i];
		ListCell *item;

		if (attribute->name == NULL)
			continue;
		columns = lappend(columns, (char *) attribute->name);
		types = lappend(
			types,
			attribute->collation_text == NULL
				? (char *) attribute->type_text
				: psprintf("%s COLLATE %s", attribute->type_text, attribute->collation_text));
		if (attribute->settings != NULL)
			settings = lappend(settings, (char *) attribute->settings);
		foreach(item, attribute->acl)
			acl = lappend(
				acl,
				psprintf("%s %s", sqltext_identifier(attribute->name), (char *) lfirst(item)));
	}
	list_sort(acl, read_compare_text);
	*schema_column_acl(relation->object) = acl;
	if (relation->relkind == RELKIND_VIEW)
	{
		KnView *view = (KnView *) relation->object;

		view->definition = definition;
		view->options = relation->options;
		view->columns = columns;
		view->types = types;
	}
	else
	{
		KnMatview *view = (KnMatview *) relation->object;

		view->definition = definition;
		view->columns = columns;
		view->settings = settings;
	}
}

void
inspect_sequences(KnInspect *in)
{
	inspect_scan(in, SequenceRelationId, read_sequence);
}

static void
read_sequence(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_sequence form = (Form_pg_sequence) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->seqrelid);
	KnOwned *owned;
	KnSequence *sequence;
	KnObject *column;

	(void) shape;
	if (relation == NULL)
		return;
	owned = hash_search(in->owned, &form->seqrelid, HASH_FIND, NULL);
	column = owned == NULL
				 ? NULL
				 : inspect_lookup(in, RelationRelationId, owned->column.object, owned->column.sub);
	if (relation->object == NULL)
	{
		KnColumn *identity = (KnColumn *) column;

		if (column == NULL || column->kind != KN_COLUMN)
			return;
		identity->identity_sequence = name_qualified(relation->schema, relation->name);
		identity->identity_options = psprintf(
			"START WITH " INT64_FORMAT " INCREMENT BY " INT64_FORMAT " MINVALUE " INT64_FORMAT
			" MAXVALUE " INT64_FORMAT " CACHE " INT64_FORMAT " %s",
			form->seqstart,
			form->seqincrement,
			form->seqmin,
			form->seqmax,
			form->seqcache,
			form->seqcycle ? "CYCLE" : "NO CYCLE");
		inspect_register(in, RelationRelationId, form->seqrelid, 0, column);
		return;
	}
	sequence = (KnSequence *) relation->object;
	sequence->type = read_type(in, form->seqtypid, -1);
	sequence->start_value = form->seqstart;
	sequence->increment_by = form->seqincrement;
	sequence->min_value = form->seqmin;
	sequence->max_value = form->seqmax;
	sequence->cache_size = form->seqcache;
	sequence->cycles = form->seqcycle;
	sequence->persistence =
		get_rel_persistence(form->seqrelid) == RELPERSISTENCE_UNLOGGED ? "UNLOGGED" : "";
	if (column != NULL && column->kind == KN_COLUMN)
		sequence->owned_by = name_of(column);
}
