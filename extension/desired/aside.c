/*
 * aside.c
 *		Lays the live schemas aside, for a script to be elaborated in their place.
 *
 * Direct updates of catalog rows take no lock on an object, so nobody who uses
 * the schemas has to wait.  They check no privilege either: aside_check_owner()
 * does that.  See scratch.c for the whole.
 */
#include "kints_norm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "desired/desired.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A schema that was laid aside, and the one in its place. */
typedef struct Aside
{
	const char *name;
	Oid live;
	Oid scratch; /* InvalidOid: nothing took its place */
} Aside;

static Oid make_namespace(KnScript *script, const char *name, Oid live);
static void copy_namespace(Oid from, Oid to);
static void move_extensions(List *asides);
static void move_members(Oid extension, List *asides);
static void move_object(Oid class, Oid object, List *asides);
static void move_extension(Oid extension, List *asides);
static void update_namespace(Relation catalog, HeapTuple tuple, int attribute, List *asides);

/*
 * Renames the schemas that exist, puts empty ones in their places, and brings
 * the extensions over.  To be called in a subtransaction that is rolled back.
 */
void
aside_lay(KnScript *script, List *schemas)
{
	List *asides = NIL;
	ListCell *cell;

	foreach(cell, schemas)
	{
		const char *name = lfirst(cell);
		Oid live = get_namespace_oid(name, true);
		Aside *aside;

		if (!OidIsValid(live))
			continue;
		aside_check_owner(name, live);
		aside = palloc0(sizeof(Aside));
		aside->name = name;
		aside->live = live;
		aside_rename(live, psprintf("kints_aside_%d_%u", MyProcPid, live));
		aside->scratch = make_namespace(script, name, live);
		asides = lappend(asides, aside);
	}
	CommandCounterIncrement();
	move_extensions(asides);
}

/* An error unless the caller owns the schema. */
void
aside_check_owner(const char *name, Oid namespace)
{
#if PG_VERSION_NUM >= 160000
	bool is_owner = object_ownercheck(NamespaceRelationId, namespace, GetUserId());
#else
	bool is_owner = pg_namespace_ownercheck(namespace, GetUserId());
#endif

	if (!is_owner)
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be owner of schema %s to plan it", name));
}

/* Gives a schema another name, with no lock but that of its row. */
void
aside_rename(Oid namespace, const char *name)
{
	Relation catalog = table_open(NamespaceRelationId, RowExclusiveLock);
	HeapTuple tuple = SearchSysCacheCopy1(NAMESPACEOID, ObjectIdGetDatum(namespace));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", namespace);
	namestrcpy(&((Form_pg_namespace) GETSTRUCT(tuple))->nspname, name);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	heap_freetuple(tuple);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
}

/*
 * Whether anything stands in for a live schema.  One that the script does not
 * mention is to go, unless an extension in it stays: see extension.c.  public is
 * always there.
 */
bool
aside_has_place(const KnScript *script, const char *name, Oid live)
{
	return script_fills(script, name) || strcmp(name, "public") == 0 || extension_is_in(live);
}

/* The empty schema in the place of a live one, if it has any. */
static Oid
make_namespace(KnScript *script, const char *name, Oid live)
{
	bool creates = list_member(script->creates, makeString((char *) name));
	HeapTuple tuple;
	Oid owner;
	Oid made;

	if (!aside_has_place(script, name, live))
		return InvalidOid;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(live));
	owner = creates ? GetUserId() : ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	made = NamespaceCreate(name, owner, false);
	CommandCounterIncrement();
	if (!creates)
		copy_namespace(live, made);
	CommandCounterIncrement();
	return made;
}

/* Privileges and comment of a schema that the script says nothing about. */
static void
copy_namespace(Oid from, Oid to)
{
	Relation catalog = table_open(NamespaceRelationId, RowExclusiveLock);
	HeapTuple source = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(from));
	HeapTuple target = SearchSysCacheCopy1(NAMESPACEOID, ObjectIdGetDatum(to));
	Datum values[Natts_pg_namespace] = { 0 };
	bool nulls[Natts_pg_namespace] = { 0 };
	bool replaces[Natts_pg_namespace] = { 0 };
	const int column = Anum_pg_namespace_nspacl - 1;
	char *comment = GetComment(from, NamespaceRelationId, 0);

	values[column] =
		SysCacheGetAttr(NAMESPACEOID, source, Anum_pg_namespace_nspacl, &nulls[column]);
	replaces[column] = true;
	target = heap_modify_tuple(target, RelationGetDescr(catalog), values, nulls, replaces);
	CatalogTupleUpdate(catalog, &target->t_self, target);
	ReleaseSysCache(source);
	table_close(catalog, RowExclusiveLock);
	/* A script that says nothing of public means it as it is in a new database. */
	if (strcmp(get_namespace_name(to), "public") == 0)
		comment = "standard public schema";
	if (comment != NULL)
		CreateComments(to, NamespaceRelationId, 0, comment);
}

/* Brings over the extensions and their members; extension.c says which are to stay. */
static void
move_extensions(List *asides)
{
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List *extensions = NIL;
	HeapTuple row;
	ListCell *cell;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
		extensions = lappend_oid(extensions, ((Form_pg_extension) GETSTRUCT(row))->oid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(cell, extensions)
	{
		move_members(lfirst_oid(cell), asides);
		move_extension(lfirst_oid(cell), asides);
	}
	CommandCounterIncrement();
}

static void
move_members(Oid extension, List *asides)
{
	Relation depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&keys[0],
				Anum_pg_depend_refclassid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&keys[1],
				Anum_pg_depend_refobjid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);

		if (form->deptype == DEPENDENCY_EXTENSION && form->classid != RelationRelationId)
			move_object(form->classid, form->objid, asides);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/* Moves one member, if it is of a kind that lives in a schema. */
static void
move_object(Oid class, Oid object, List *asides)
{
	AttrNumber attribute = get_object_attnum_namespace(class);
	int cache;
	Relation catalog;
	HeapTuple tuple;

	if (attribute == InvalidAttrNumber)
		return;
	cache = get_object_catcache_oid(class);
	if (cache < 0)
		return;
	catalog = table_open(class, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(cache, ObjectIdGetDatum(object));
	if (HeapTupleIsValid(tuple))
		update_namespace(catalog, tuple, attribute, asides);
	table_close(catalog, RowExclusiveLock);
}

static void
move_extension(Oid extension, List *asides)
{
	Relation catalog = table_open(ExtensionRelationId, RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&key,
				Anum_pg_extension_oid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		update_namespace(catalog, heap_copytuple(row), Anum_pg_extension_extnamespace, asides);
	systable_endscan(scan);
	table_close(catalog, RowExclusiveLock);
}

/* Where the row says a schema that was laid aside, makes it say its stand-in. */
static void
update_namespace(Relation catalog, HeapTuple tuple, int attribute, List *asides)
{
	bool isnull;
	Oid now = DatumGetObjectId(heap_getattr(tuple, attribute, RelationGetDescr(catalog), &isnull));
	ListCell *cell;

	foreach(cell, asides)
	{
		Aside *aside = lfirst(cell);
		int natts = RelationGetNumberOfAttributes(catalog);
		Datum *values;
		bool *nulls;
		bool *replaces;
		HeapTuple changed;

		if (aside->live != now || !OidIsValid(aside->scratch))
			continue;
		values = palloc0(sizeof(Datum) * natts);
		nulls = palloc0(sizeof(bool) * natts);
		replaces = palloc0(sizeof(bool) * natts);
		values[attribute - 1] = ObjectIdGetDatum(aside->scratch);
		replaces[attribute - 1] = true;
		changed = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls, replaces);
		CatalogTupleUpdate(catalog, &changed->t_self, changed);
		return;
	}
}
