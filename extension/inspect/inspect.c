/*
 * inspect.c
 *		Reads schemas out of the catalogs.
 *
 * Each catalog is scanned once, as a whole, under one snapshot, and rows of
 * other schemas are passed over: the cost grows with the size of the catalogs
 * and with nothing else.  No SQL is planned, so there is no plan to go wrong.
 *
 * 1. pg_depend goes into memory: who is a member of an extension and which
 *	  column a sequence belongs to must be known first.
 * 2. One reader a catalog makes objects and registers them under their address
 *	  (class, object, column).
 * 3. pg_description and pg_depend are matched against the addresses.
 *
 * The server's own functions spell expressions and definitions.  Settings that
 * change how they spell are pinned for the time, so the same schema reads the
 * same in every session.  Deparsing a view or a policy locks the tables in
 * it: that happens in a subtransaction of its own, rolled back at once, so no
 * lock outlives the reading of one object.
 */
#include "kints_norm.h"

#include "inspect/inspect.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct NamespaceEntry
{
	Oid oid;
	const char *name;
} NamespaceEntry;

typedef struct AddressEntry
{
	KnAddress address;
	KnObject *object;
	char status;
} AddressEntry;

#define SH_PREFIX       addresses
#define SH_ELEMENT_TYPE AddressEntry
#define SH_KEY_TYPE     KnAddress
#define SH_KEY          address
#define SH_HASH_KEY(tb, key) \
	murmurhash32((key).object ^ ((key).class << 20) ^ ((uint32) (key).sub << 8))
#define SH_EQUAL(tb, a, b) \
	((a).object == (b).object && (a).class == (b).class && (a).sub == (b).sub)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static int begin(KnInspect *in, List *names);
static void end(KnInspect *in, int guc_level);
static void pin_settings(void);
static void open_tables(KnInspect *in);
static HTAB *make_table(const char *name, Size key, Size entry);
static void find_namespace(KnInspect *in, HeapTuple row, TupleDesc shape);
static void list_namespace(KnInspect *in, HeapTuple row, TupleDesc shape);
static int compare_names(const ListCell *a, const ListCell *b);

/*
 * Reads the schemas of these names (char *); names that do not exist are
 * passed over.  The result lives in the current memory context; no lock on
 * any user object is left.
 */
KnSchema *
inspect_schemas(List *names)
{
	KnInspect in = { 0 };
	int guc_level = begin(&in, names);

	in.schema->has_owners = true;
	in.schema->has_acls = true;
	inspect_read_dependencies(&in);
	/* There are about as many objects as dependencies. */
	in.addresses = addresses_create(CurrentMemoryContext, in.dependency_count + 1024, NULL);
	inspect_namespaces(&in);
	inspect_extensions(&in);
	inspect_types(&in);
	inspect_relations(&in);
	inspect_columns(&in);
	inspect_type_details(&in);
	inspect_functions(&in);
	inspect_views(&in);
	inspect_sequences(&in);
	inspect_constraints(&in);
	inspect_indexes(&in);
	inspect_statistics(&in);
	inspect_triggers(&in);
	inspect_policies(&in);
	inspect_inheritance(&in);
	inspect_others(&in);
	inspect_comments(&in);
	inspect_dependencies(&in);
	schema_spell(in.schema);
	schema_sort(in.schema);
	end(&in, guc_level);
	return in.schema;
}

/*
 * What is in no schema (KnOther *) and yet has to do with those of these names; with
 * is_whole, all that is in the database besides its schemas.  It is no part of a
 * schema as a value: who else publishes a table does not change the table.
 */
List *
inspect_outside(List *names, bool is_whole)
{
	KnInspect in = { 0 };
	int guc_level = begin(&in, names);

	in.is_whole = is_whole;
	inspect_outside_catalogs(&in);
	schema_sort(in.schema);
	end(&in, guc_level);
	return in.schema->objects;
}

/* Pins settings and a snapshot, and finds the schemas; returns the level of the settings. */
static int
begin(KnInspect *in, List *names)
{
	int guc_level = NewGUCNestLevel();

	pin_settings();
	in->result = CurrentMemoryContext;
	in->work = AllocSetContextCreate(in->result, "kints inspect", ALLOCSET_DEFAULT_SIZES);
	in->schema = schema_new(names);
	in->snapshot = RegisterSnapshot(inspect_latest_snapshot());
	PushActiveSnapshot(in->snapshot);
	open_tables(in);
	inspect_scan(in, NamespaceRelationId, find_namespace);
	return guc_level;
}

static void
end(KnInspect *in, int guc_level)
{
	PopActiveSnapshot();
	UnregisterSnapshot(in->snapshot);
	AtEOXact_GUC(true, guc_level);
	MemoryContextDelete(in->work);
}

/* The catalogs as they are now; the processes of a parallel query have them as they were. */
Snapshot
inspect_latest_snapshot(void)
{
	if (IsInParallelMode())
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				errmsg("cannot read schemas during a parallel operation"),
				errhint("A function that does must not be PARALLEL SAFE."));
	return GetLatestSnapshot();
}

/* Settings on which the spelling of definitions depends. */
static void
pin_settings(void)
{
	static const char *const settings[][2] = {
		{ "search_path", "pg_catalog, pg_temp" },
		{ "quote_all_identifiers", "off" },
		{ "DateStyle", "ISO, YMD" },
		{ "IntervalStyle", "postgres" },
		{ "TimeZone", "UTC" },
		{ "extra_float_digits", "3" },
		{ "bytea_output", "hex" },
		{ "xmlbinary", "base64" },
		{ "lc_monetary", "C" },
		{ "standard_conforming_strings", "on" },
	};

	for (Size i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0],
								 settings[i][1],
								 PGC_USERSET,
								 PGC_S_SESSION,
								 GUC_ACTION_SAVE,
								 true,
								 0,
								 false);
}

static void
open_tables(KnInspect *in)
{
	in->namespaces = make_table("kints namespaces", sizeof(Oid), sizeof(NamespaceEntry));
	in->relations = make_table("kints relations", sizeof(Oid), sizeof(KnRelation));
	in->members = make_table("kints members", sizeof(KnAddress), sizeof(KnMember));
	in->owned = make_table("kints owned", sizeof(Oid), sizeof(KnOwned));
	in->types = make_table("kints types", sizeof(KnTypeKey), sizeof(KnType));
	in->classes = make_table("kints classes", sizeof(KnClassKey), sizeof(KnClassText));
	in->roles = make_table("kints roles", sizeof(Oid), sizeof(KnRole));
	in->toasts = make_table("kints toasts", sizeof(Oid), sizeof(KnToast));
}

static HTAB *
make_table(const char *name, Size key, Size entry)
{
	HASHCTL control = { 0 };

	control.keysize = key;
	control.entrysize = entry;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
find_namespace(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(row);
	ListCell *cell;

	(void) shape;
	foreach(cell, in->schema->schemas)
	{
		if (strcmp(lfirst(cell), NameStr(form->nspname)) == 0)
		{
			NamespaceEntry *entry = hash_search(in->namespaces, &form->oid, HASH_ENTER, NULL);

			entry->name = lfirst(cell);
		}
	}
}

/* Calls read for each row of a catalog that the snapshot sees. */
void
inspect_scan(KnInspect *in, Oid catalog, KnRowReader read)
{
	Relation relation = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, in->snapshot, 0, NULL);
	HeapTuple row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		read(in, row, RelationGetDescr(relation));
		CHECK_FOR_INTERRUPTS();
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* The name of a schema that is being read, NULL for any other. */
const char *
inspect_namespace(KnInspect *in, Oid namespace)
{
	NamespaceEntry *entry = hash_search(in->namespaces, &namespace, HASH_FIND, NULL);

	return entry == NULL ? NULL : entry->name;
}

/* A relation of a schema that is being read, or NULL. */
KnRelation *
inspect_relation(KnInspect *in, Oid relation)
{
	/* Rows about one relation mostly stand together. */
	if (in->last_relation == NULL || in->last_relation->oid != relation)
	{
		KnRelation *found;

		if (relation == in->last_missed)
			return NULL;
		found = hash_search(in->relations, &relation, HASH_FIND, NULL);
		if (found == NULL)
		{
			in->last_missed = relation;
			return NULL;
		}
		in->last_relation = found;
	}
	return in->last_relation;
}

/* Whether an extension owns the object. */
bool
inspect_is_member(KnInspect *in, Oid class, Oid object)
{
	KnAddress address = { class, object, 0 };

	return hash_search(in->members, &address, HASH_FIND, NULL) != NULL;
}

/* Says that rows about this address are about that KnObject. */
void
inspect_register(KnInspect *in, Oid class, Oid object, int32 sub, void *what)
{
	KnAddress address = { class, object, sub };
	bool found;

	addresses_insert(in->addresses, address, &found)->object = what;
}

/* The object at an address; for a column that is none, its relation. */
KnObject *
inspect_lookup(KnInspect *in, Oid class, Oid object, int32 sub)
{
	KnAddress address = { class, object, sub };
	AddressEntry *entry = addresses_lookup(in->addresses, address);

	if (entry == NULL && sub != 0)
	{
		address.sub = 0;
		entry = addresses_lookup(in->addresses, address);
	}
	return entry == NULL ? NULL : entry->object;
}

/* Adds an object to the result; names are unique in the catalogs, so it fits. */
void
inspect_add(KnInspect *in, void *object)
{
	if (!schema_add(in->schema, object))
		elog(ERROR, "two objects are called %s", ((KnObject *) object)->key);
}

static void
list_namespace(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(row);

	(void) shape;
	if (strncmp(NameStr(form->nspname), "pg_", 3) == 0 ||
		strcmp(NameStr(form->nspname), "information_schema") == 0 ||
		strcmp(NameStr(form->nspname), "kints") == 0 ||
		OidIsValid(getExtensionOfObject(NamespaceRelationId, form->oid)))
		return;
	in->schema->schemas = lappend(in->schema->schemas, (char *) read_name(&form->nspname));
}

/* Names of all schemas that users made, sorted. */
List *
inspect_user_schemas(void)
{
	KnInspect in = { 0 };

	in.schema = schema_new(NIL);
	in.result = CurrentMemoryContext;
	in.snapshot = RegisterSnapshot(inspect_latest_snapshot());
	inspect_scan(&in, NamespaceRelationId, list_namespace);
	UnregisterSnapshot(in.snapshot);
	list_sort(in.schema->schemas, compare_names);
	return in.schema->schemas;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}
