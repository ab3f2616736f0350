/*
 * outside.c
 *		What is in no schema, and has no kind of its own.
 *
 * Casts, event triggers, publications and the like belong to the database.  A plan
 * of some schemas names those that use what is in them, and the default privileges
 * that whatever is created gets; a plan of all schemas names everything.  What
 * initdb made, and what belongs to an extension, is not named.
 *
 * Only names are read: the options of a user mapping, and how a subscription
 * connects, are not for everybody.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_am.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "commands/extension.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* A catalog, and the words for what its rows are. */
typedef struct OutsideCatalog
{
	Oid catalog;
	const char *what;
	bool (*is_named)(KnInspect *in, HeapTuple row); /* NULL: those of a whole database are */
} OutsideCatalog;

static void note_published_table(KnInspect *in, HeapTuple row, TupleDesc shape);
static void note_published_schema(KnInspect *in, HeapTuple row, TupleDesc shape);
static void read_outside(KnInspect *in, HeapTuple row, TupleDesc shape);
static bool is_named_cast(KnInspect *in, HeapTuple row);
static bool is_named_default_acl(KnInspect *in, HeapTuple row);
static bool is_named_event_trigger(KnInspect *in, HeapTuple row);
static bool is_named_publication(KnInspect *in, HeapTuple row);
static bool is_named_subscription(KnInspect *in, HeapTuple row);
static bool is_named_transform(KnInspect *in, HeapTuple row);
static bool has_type(KnInspect *in, Oid type);
static bool has_function(KnInspect *in, Oid function);

static const OutsideCatalog catalogs[] = {
	{ AccessMethodRelationId, "access method", NULL },
	{ CastRelationId, "cast", is_named_cast },
	{ DefaultAclRelationId, "default privileges", is_named_default_acl },
	{ EventTriggerRelationId, "event trigger", is_named_event_trigger },
	{ ForeignDataWrapperRelationId, "foreign-data wrapper", NULL },
	{ ForeignServerRelationId, "foreign server", NULL },
	{ LanguageRelationId, "language", NULL },
	{ PublicationRelationId, "publication", is_named_publication },
	{ SubscriptionRelationId, "subscription", is_named_subscription },
	{ TransformRelationId, "transform", is_named_transform },
	{ UserMappingRelationId, "user mapping", NULL },
};

static const OutsideCatalog *current; /* the one being scanned */

void
inspect_outside_catalogs(KnInspect *in)
{
	inspect_scan(in, PublicationRelRelationId, note_published_table);
	inspect_scan(in, PublicationNamespaceRelationId, note_published_schema);
	for (Size i = 0; i < lengthof(catalogs); i++)
	{
		current = &catalogs[i];
		if (in->is_whole || current->is_named != NULL)
			inspect_scan(in, current->catalog, read_outside);
	}
}

static void
note_published_table(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_publication_rel form = (Form_pg_publication_rel) GETSTRUCT(row);

	(void) shape;
	if (inspect_namespace(in, get_rel_namespace(form->prrelid)) != NULL)
		in->publications = list_append_unique_oid(in->publications, form->prpubid);
}

static void
note_published_schema(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_publication_namespace form = (Form_pg_publication_namespace) GETSTRUCT(row);

	(void) shape;
	if (inspect_namespace(in, form->pnnspid) != NULL)
		in->publications = list_append_unique_oid(in->publications, form->pnpubid);
}

/* What is gone by now has no identity any more. */
static void
read_outside(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	bool isnull;
	ObjectAddress address;
	char *identity;

	ObjectAddressSet(
		address,
		current->catalog,
		DatumGetObjectId(
			heap_getattr(row, get_object_attnum_oid(current->catalog), shape, &isnull)));
	if (address.objectId < FirstNormalObjectId ||
		(current->is_named != NULL && !current->is_named(in, row)) ||
		OidIsValid(getExtensionOfObject(address.classId, address.objectId)))
		return;
	identity = getObjectIdentity(&address, true);
	if (identity != NULL)
		inspect_add(in, inspect_other(NULL, current->what, identity));
}

/* That of a range type to its own multirange type is part of the type. */
static bool
is_named_cast(KnInspect *in, HeapTuple row)
{
	Form_pg_cast form = (Form_pg_cast) GETSTRUCT(row);

	if (get_range_multirange(form->castsource) == form->casttarget)
		return false;
	return in->is_whole || has_type(in, form->castsource) || has_type(in, form->casttarget) ||
		   has_function(in, form->castfunc);
}

/* Those in a schema are read with the schema. */
static bool
is_named_default_acl(KnInspect *in, HeapTuple row)
{
	(void) in;
	return !OidIsValid(((Form_pg_default_acl) GETSTRUCT(row))->defaclnamespace);
}

static bool
is_named_event_trigger(KnInspect *in, HeapTuple row)
{
	return in->is_whole || has_function(in, ((Form_pg_event_trigger) GETSTRUCT(row))->evtfoid);
}

static bool
is_named_publication(KnInspect *in, HeapTuple row)
{
	Form_pg_publication form = (Form_pg_publication) GETSTRUCT(row);

	return in->is_whole || form->puballtables || list_member_oid(in->publications, form->oid);
}

/* The catalog is that of all databases. */
static bool
is_named_subscription(KnInspect *in, HeapTuple row)
{
	return in->is_whole && ((Form_pg_subscription) GETSTRUCT(row))->subdbid == MyDatabaseId;
}

static bool
is_named_transform(KnInspect *in, HeapTuple row)
{
	Form_pg_transform form = (Form_pg_transform) GETSTRUCT(row);

	return in->is_whole || has_type(in, form->trftype) || has_function(in, form->trffromsql) ||
		   has_function(in, form->trftosql);
}

/* Whether a type is in a schema that is read. */
static bool
has_type(KnInspect *in, Oid type)
{
	HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool has;

	if (!HeapTupleIsValid(row))
		return false;
	has = inspect_namespace(in, ((Form_pg_type) GETSTRUCT(row))->typnamespace) != NULL;
	ReleaseSysCache(row);
	return has;
}

/* The same for a function. */
static bool
has_function(KnInspect *in, Oid function)
{
	return inspect_namespace(in, get_func_namespace(function)) != NULL;
}
