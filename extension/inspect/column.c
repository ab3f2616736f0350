/*
 * column.c
 *		Columns of tables, and of views as far as they have a say; defaults.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static void read_attribute(KnInspect *in, HeapTuple row, TupleDesc shape);
static void note_privileges(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_column(KnInspect *in, KnRelation *relation, const KnType *type, HeapTuple row,
						TupleDesc shape);
static const char *read_settings(HeapTuple row, TupleDesc shape);
static void read_default(KnInspect *in, HeapTuple row, TupleDesc shape);
static const char *storage_word(char letter);
static const char *compression_word(char letter);

void
inspect_columns(KnInspect *in)
{
	inspect_scan(in, AttributeRelationId, read_attribute);
	inspect_scan(in, AttrDefaultRelationId, read_default);
}

static void
read_attribute(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(row);
	KnRelation *relation;
	KnAttribute *attribute;
	const KnType *type;

	if (form->attisdropped)
		return;
	if (form->attnum <= 0)
	{
		note_privileges(in, row, shape);
		return;
	}
	relation = inspect_relation(in, form->attrelid);
	if (relation == NULL || form->attnum > relation->attribute_count)
		return;
	attribute = &relation->attributes[form->attnum - 1];
	attribute->name = read_name(&form->attname);
	attribute->type = form->atttypid;
	attribute->collation = form->attcollation;
	if (relation->relkind == RELKIND_INDEX || relation->relkind == RELKIND_PARTITIONED_INDEX)
	{
		if (form->attstattarget >= 0)
			attribute->settings = psprintf("%d=%d", form->attnum, form->attstattarget);
		attribute->has_options = read_options(row, shape, Anum_pg_attribute_attoptions, "") != NIL;
		return;
	}
	if (relation->relkind == RELKIND_SEQUENCE)
		note_privileges(in, row, shape);
	if (relation->object == NULL || relation->object->kind == KN_SEQUENCE)
		return;
	type = read_type_facts(in, form->atttypid, form->atttypmod);
	attribute->type_text = type->text;
	if (form->attcollation != type->collation)
		attribute->collation_text = read_collation(in, form->attcollation, form->atttypid);
	if (relation->object->kind == KN_TABLE)
		read_column(in, relation, type, row, shape);
	else if (relation->object->kind == KN_VIEW || relation->object->kind == KN_MATVIEW)
		attribute->acl = read_aclitems(row, shape, Anum_pg_attribute_attacl);
	if (relation->object->kind == KN_MATVIEW)
		attribute->settings = read_settings(row, shape);
}

/* Columns of sequences, and those of the system, are part of no kind; but some may be granted. */
static void
note_privileges(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(row);
	bool isnull;
	Datum value = heap_getattr(row, Anum_pg_attribute_attacl, shape, &isnull);
	KnRelation *relation = isnull ? NULL : inspect_relation(in, form->attrelid);
	KnOther *other;

	if (relation == NULL)
		return;
	other = inspect_other(relation->schema,
						  "privileges on column",
						  psprintf("%s.%s",
								   name_qualified(relation->schema, relation->name),
								   sqltext_identifier(NameStr(form->attname))));
	other->definition = OidOutputFunctionCall(F_ARRAY_OUT, value);
	inspect_add(in, other);
}

static void
read_column(KnInspect *in, KnRelation *relation, const KnType *type, HeapTuple row, TupleDesc shape)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(row);
	KnAttribute *attribute = &relation->attributes[form->attnum - 1];
	KnColumn *column =
		schema_new_object(KN_COLUMN, relation->schema, relation->name, attribute->name);

	/* The same as name_key() makes, with what is the same for all columns made once. */
	if (relation->qualified == NULL)
		relation->qualified = name_qualified(relation->schema, relation->name);
	column->head.key = sqltext_concat(kn_kinds[KN_COLUMN].word,
									  " ",
									  relation->qualified,
									  ".",
									  sqltext_identifier(attribute->name),
									  NULL);
	attribute->column = column;
	column->position = form->attnum;
	column->type = attribute->type_text;
	column->collation = attribute->collation_text;
	column->not_null = form->attnotnull;
	column->identity = form->attidentity == ATTRIBUTE_IDENTITY_ALWAYS       ? "ALWAYS"
					   : form->attidentity == ATTRIBUTE_IDENTITY_BY_DEFAULT ? "BY DEFAULT"
																			: NULL;
	if (form->attstorage != type->storage)
		column->storage = storage_word(form->attstorage);
	column->compression = compression_word(form->attcompression);
	column->statistics = form->attstattarget;
	column->options = read_options(row, shape, Anum_pg_attribute_attoptions, "");
	column->is_inherited = !form->attislocal;
	column->is_generated = form->attgenerated != '\0';
	column->type_kind = type->kind;
	read_acl(in, column, row, shape, Anum_pg_attribute_attacl, InvalidOid);
	inspect_register(in, RelationRelationId, relation->oid, form->attnum, column);
	inspect_add(in, column);
	schema_depend(column, relation->object);
}

/* ALTER COLUMN clauses for what a materialized view's column has set. */
static const char *
read_settings(HeapTuple row, TupleDesc shape)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(row);
	const char *column = sqltext_identifier(NameStr(form->attname));
	List *options = read_options(row, shape, Anum_pg_attribute_attoptions, "");
	List *clauses = NIL;

	if (form->attstorage != get_typstorage(form->atttypid))
		clauses = lappend(
			clauses,
			psprintf("ALTER COLUMN %s SET STORAGE %s", column, storage_word(form->attstorage)));
	if (form->attcompression != '\0')
		clauses = lappend(clauses,
						  psprintf("ALTER COLUMN %s SET COMPRESSION %s",
								   column,
								   compression_word(form->attcompression)));
	if (form->attstattarget >= 0)
		clauses =
			lappend(clauses,
					psprintf("ALTER COLUMN %s SET STATISTICS %d", column, form->attstattarget));
	if (options != NIL)
		clauses =
			lappend(clauses,
					psprintf("ALTER COLUMN %s SET (%s)", column, sqltext_join(options, ", ")));
	return clauses == NIL ? NULL : sqltext_join(clauses, ", ");
}

static const char *
storage_word(char letter)
{
	switch (letter)
	{
		case TYPSTORAGE_PLAIN:
			return "PLAIN";
		case TYPSTORAGE_EXTERNAL:
			return "EXTERNAL";
		case TYPSTORAGE_EXTENDED:
			return "EXTENDED";
		default:
			return "MAIN";
	}
}

static const char *
compression_word(char letter)
{
	return letter == 'p' ? "pglz" : letter == 'l' ? "lz4" : NULL;
}

static void
read_default(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_attrdef form = (Form_pg_attrdef) GETSTRUCT(row);
	KnRelation *relation = inspect_relation(in, form->adrelid);
	KnAttribute *attribute;
	KnDefault *object;

	if (relation == NULL || relation->object == NULL || form->adnum > relation->attribute_count)
		return;
	attribute = &relation->attributes[form->adnum - 1];
	if (attribute->name == NULL)
		return;
	object = schema_new_object(KN_DEFAULT, relation->schema, relation->name, attribute->name);
	object->is_generated = attribute->column != NULL && attribute->column->is_generated;
	/* Only what is generated can mention other columns. */
	object->expression = read_expression(in,
										 row,
										 shape,
										 Anum_pg_attrdef_adbin,
										 object->is_generated ? relation : NULL);
	inspect_register(in, AttrDefaultRelationId, form->oid, 0, object);
	inspect_add(in, object);
	schema_depend(object, attribute->column != NULL ? &attribute->column->head : relation->object);
}
