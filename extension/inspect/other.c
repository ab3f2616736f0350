/*
 * other.c
 *		What is in a schema and has no kind of its own yet.
 *
 * Each such object becomes an OTHER, so that a plan can name it.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_conversion.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "inspect/inspect.h"
#include "utils/fmgroids.h"

/* A catalog whose rows live in a schema, and the words for what they are. */
typedef struct OtherCatalog
{
	Oid catalog;
	const char *what;
} OtherCatalog;

static const OtherCatalog catalogs[] = {
	{ CollationRelationId, "collation" },
	{ ConversionRelationId, "conversion" },
	{ OperatorRelationId, "operator" },
	{ OperatorClassRelationId, "operator class" },
	{ OperatorFamilyRelationId, "operator family" },
	{ TSConfigRelationId, "text search configuration" },
	{ TSDictionaryRelationId, "text search dictionary" },
	{ TSParserRelationId, "text search parser" },
	{ TSTemplateRelationId, "text search template" },
};

static const OtherCatalog *current; /* the one being scanned */

static void read_default_acl(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_other(KnInspect *in, HeapTuple row, TupleDesc shape);
static KnOther *add_other(KnInspect *in, Oid catalog, Oid oid, const char *schema,
						  const char *what);

void
inspect_others(KnInspect *in)
{
	inspect_scan(in, DefaultAclRelationId, read_default_acl);
	for (Size i = 0; i < lengthof(catalogs); i++)
	{
		current = &catalogs[i];
		inspect_scan(in, current->catalog, read_other);
	}
}

static void
read_other(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	bool isnull;
	Oid oid = DatumGetObjectId(
		heap_getattr(row, get_object_attnum_oid(current->catalog), shape, &isnull));
	Oid namespace = DatumGetObjectId(
		heap_getattr(row, get_object_attnum_namespace(current->catalog), shape, &isnull));

	if (inspect_namespace(in, namespace) == NULL || inspect_is_member(in, current->catalog, oid))
		return;
	(void) add_other(in, current->catalog, oid, inspect_namespace(in, namespace), current->what);
}

/* ALTER DEFAULT PRIVILEGES IN SCHEMA; those for all schemas are the database's. */
static void
read_default_acl(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_default_acl form = (Form_pg_default_acl) GETSTRUCT(row);
	const char *schema = inspect_namespace(in, form->defaclnamespace);
	bool isnull;
	Datum acl = heap_getattr(row, Anum_pg_default_acl_defaclacl, shape, &isnull);

	if (schema != NULL)
		add_other(in, DefaultAclRelationId, form->oid, schema, "default privileges")->definition =
			OidOutputFunctionCall(F_ARRAY_OUT, acl);
}

static KnOther *
add_other(KnInspect *in, Oid catalog, Oid oid, const char *schema, const char *what)
{
	ObjectAddress address;
	KnOther *other;

	ObjectAddressSet(address, catalog, oid);
	other = inspect_other(schema, what, getObjectIdentity(&address, false));
	inspect_register(in, catalog, oid, 0, other);
	inspect_add(in, other);
	return other;
}

/* An object that is not modelled: what it is, and its name as people write it. */
KnOther *
inspect_other(const char *schema, const char *what, const char *name)
{
	KnOther *other = schema_new_object(KN_OTHER, schema, NULL, name);

	other->what = what;
	other->head.key = name_key_other(what, name);
	return other;
}
