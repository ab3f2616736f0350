/*
 * namespace.c
 *		Schemas and extensions.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "inspect/inspect.h"
#include "utils/lsyscache.h"

static void read_namespace(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_extension(KnInspect *in, HeapTuple row, TupleDesc shape);

void
inspect_namespaces(KnInspect *in)
{
	inspect_scan(in, NamespaceRelationId, read_namespace);
}

static void
read_namespace(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(row);
	KnNamespace *object;

	if (inspect_namespace(in, form->oid) == NULL)
		return;
	object = schema_new_object(KN_SCHEMA, NULL, NULL, read_name(&form->nspname));
	object->head.owner = read_owner(in, form->nspowner);
	read_acl(in, object, row, shape, Anum_pg_namespace_nspacl, form->nspowner);
	inspect_register(in, NamespaceRelationId, form->oid, 0, object);
	inspect_add(in, object);
}

void
inspect_extensions(KnInspect *in)
{
	inspect_scan(in, ExtensionRelationId, read_extension);
}

/*
 * An extension belongs to a schema that is read where it was installed there.
 * Its members do not: they are its own business.
 */
static void
read_extension(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_extension form = (Form_pg_extension) GETSTRUCT(row);
	KnExtension *object;

	if (inspect_namespace(in, form->extnamespace) == NULL ||
		strcmp(NameStr(form->extname), "kints_norm") == 0)
		return;
	object = schema_new_object(KN_EXTENSION, NULL, NULL, read_name(&form->extname));
	object->schema = inspect_namespace(in, form->extnamespace);
	object->version = read_string(row, shape, Anum_pg_extension_extversion);
	inspect_register(in, ExtensionRelationId, form->oid, 0, object);
	inspect_add(in, object);
}
