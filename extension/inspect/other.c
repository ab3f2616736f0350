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
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_ts_parser.h"
#include "catalog/pg_ts_template.h"
#include "inspect/inspect.h"

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

static void read_other(KnInspect *in, HeapTuple row, TupleDesc shape);

void
inspect_others(KnInspect *in)
{
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
	ObjectAddress address;
	KnOther *other;

	if (inspect_namespace(in, namespace) == NULL || inspect_is_member(in, current->catalog, oid))
		return;
	ObjectAddressSet(address, current->catalog, oid);
	other = schema_new_object(KN_OTHER,
							  inspect_namespace(in, namespace),
							  NULL,
							  getObjectIdentity(&address, false));
	other->what = current->what;
	other->head.key = psprintf("unmodelled %s %s", current->what, other->head.name);
	inspect_register(in, current->catalog, oid, 0, other);
	inspect_add(in, other);
}
