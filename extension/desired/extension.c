/*
 * extension.c
 *		Which extensions a script means there to be.
 *
 * A script that creates extensions states which there should be: those, and
 * what they or its objects need.  One that creates none means those that there
 * are: they stay, and so do the schemas that they are in, for whoever installed
 * them did not ask the script's author.
 *
 * An extension is read as part of a planned schema, where it was installed
 * there.  Of the others, kints_norm among them, no plan says anything.
 */
#include "kints_norm.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "desired/desired.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static Oid namespace_of(Oid extension);
static List *find_unneeded(const KnScript *script, const KnSchema *schema);
static bool is_needed(const KnSchema *schema, KnObject *extension, const List *except);
static void forget(KnSchema *schema, const List *objects);
static List *find_unmentioned(const KnScript *script, const KnSchema *schema);
static bool is_mentioned(const KnScript *script, const char *schema);
static bool has_extension(const KnSchema *schema, const char *name);
static List *find_elsewhere(const KnScript *script, const KnSchema *schema, const List *unneeded);
static void take_name(HeapTuple row, TupleDesc shape, void *argument);

/* clang-format off */
static const char elsewhere_query[] =
	"WITH RECURSIVE needed (oid) AS ("
	"           SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) ANY ($1)"
	"            UNION"
	"           SELECT d.refobjid"
	"             FROM needed"
	"             JOIN pg_catalog.pg_depend d"
	"               ON d.objid OPERATOR(pg_catalog.=) needed.oid"
	"            WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass"
	"              AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass)"
	"  SELECT e.extname"
	"    FROM pg_catalog.pg_extension e"
	"    JOIN pg_catalog.pg_namespace n"
	"      ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
	"   WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ($2)"
	"     AND e.extname OPERATOR(pg_catalog.<>) 'plpgsql'"
	"     AND e.extname OPERATOR(pg_catalog.<>) 'kints_norm'"
	"     AND NOT EXISTS (SELECT FROM needed WHERE needed.oid OPERATOR(pg_catalog.=) e.oid)"
	"ORDER BY e.extname";
/* clang-format on */

/* Whether any extension was installed in a schema. */
bool
extension_is_in(Oid namespace)
{
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	bool found = false;
	HeapTuple row;

	while (!found && HeapTupleIsValid(row = systable_getnext(scan)))
		found = ((Form_pg_extension) GETSTRUCT(row))->extnamespace == namespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* The SQL of a script does not move an extension that is there already: it would be passed over. */
void
extension_check_places(const KnScript *script)
{
	ListCell *name;
	ListCell *stated;

	forboth(name, script->extensions, stated, script->extension_schemas)
	{
		Oid extension = get_extension_oid(strVal(lfirst(name)), true);
		const char *found =
			OidIsValid(extension) ? get_namespace_name(namespace_of(extension)) : NULL;

		if (lfirst(stated) != NULL && found != NULL && strcmp(lfirst(stated), found) != 0)
			ereport(ERROR,
					errcode(KN_ERRCODE_UNSUPPORTED),
					errmsg("extension \"%s\" is in schema \"%s\", not in \"%s\"",
						   strVal(lfirst(name)),
						   found,
						   (char *) lfirst(stated)),
					errhint("Say ALTER EXTENSION %s SET SCHEMA %s before.",
							sqltext_identifier(strVal(lfirst(name))),
							sqltext_identifier(lfirst(stated))));
	}
}

/* Where the functions of this extension are. */
const char *
extension_own_schema(void)
{
	return get_namespace_name(namespace_of(get_extension_oid("kints_norm", false)));
}

/* Requires the extension to be there. */
static Oid
namespace_of(Oid extension)
{
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	Oid namespace;

	ScanKeyInit(&key,
				Anum_pg_extension_oid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	namespace = ((Form_pg_extension) GETSTRUCT(row))->extnamespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return namespace;
}

/*
 * An extension belongs to the schema that it is installed in.  One that is not
 * there yet, and whose schema is not planned, would never come.
 */
void
extension_check(const KnScript *script, const KnSchema *schema)
{
	ListCell *cell;

	foreach(cell, script->extensions)
	{
		const char *name = strVal(lfirst(cell));

		if (!OidIsValid(get_extension_oid(name, true)) &&
			schema_find_kind(schema, KN_EXTENSION, NULL, NULL, name) == NULL)
			ereport(
				ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the desired state creates extension \"%s\" in a schema that is not planned",
					   name),
				errhint(
					"Name the schema in the option \"schemas\", or create the extension first."));
	}
}

/*
 * Takes out of what was elaborated the extensions that are to go, and the
 * schemas that stood only for them.  Returns the names of those that stay
 * although the script would have to state them to be the whole of what it is
 * about: of a database, or of a schema that it does not even mention.
 */
List *
extension_settle(const KnScript *script, KnSchema *schema, bool is_database)
{
	List *unneeded = find_unneeded(script, schema);
	List *names = NIL;
	ListCell *cell;

	if (script->extensions != NIL)
		forget(schema, unneeded);
	forget(schema, find_unmentioned(script, schema));
	foreach(cell, script->extensions == NIL ? schema->objects : NIL)
	{
		KnExtension *extension = lfirst(cell);

		if (list_member_ptr(unneeded, extension) &&
			(is_database || !is_mentioned(script, extension->schema)))
			names = lappend(names, (char *) extension->head.name);
	}
	return is_database ? list_concat(names, find_elsewhere(script, schema, unneeded)) : names;
}

/* Extensions (KnObject *) that a script neither states nor needs. */
static List *
find_unneeded(const KnScript *script, const KnSchema *schema)
{
	List *unneeded = NIL;
	bool grown = true;
	ListCell *cell;

	while (grown)
	{
		grown = false;
		foreach(cell, schema->objects)
		{
			KnObject *object = lfirst(cell);

			if (object->kind != KN_EXTENSION || list_member_ptr(unneeded, object) ||
				list_member(script->extensions, makeString((char *) object->name)) ||
				is_needed(schema, object, unneeded))
				continue;
			unneeded = lappend(unneeded, object);
			grown = true;
		}
	}
	return unneeded;
}

static bool
is_needed(const KnSchema *schema, KnObject *extension, const List *except)
{
	ListCell *cell;

	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (list_member_ptr(object->depends, extension) && !list_member_ptr(except, object))
			return true;
	}
	return false;
}

static void
forget(KnSchema *schema, const List *objects)
{
	const ListCell *cell;

	foreach(cell, objects)
	{
		schema_forget(schema, lfirst(cell));
		schema->objects = list_delete_ptr(schema->objects, lfirst(cell));
	}
}

/* Schemas (KnObject *) that are there for no extension that stays, nor for anything else. */
static List *
find_unmentioned(const KnScript *script, const KnSchema *schema)
{
	List *found = NIL;
	ListCell *cell;

	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (object->kind == KN_SCHEMA && !is_mentioned(script, object->name) &&
			!has_extension(schema, object->name))
			found = lappend(found, object);
	}
	return found;
}

/* public is there in any new database. */
static bool
is_mentioned(const KnScript *script, const char *schema)
{
	return strcmp(schema, "public") == 0 || list_member(script->names, makeString((char *) schema));
}

static bool
has_extension(const KnSchema *schema, const char *name)
{
	Oid self = get_extension_oid("kints_norm", true);
	ListCell *cell;

	foreach(cell, schema->objects)
	{
		const KnExtension *extension = lfirst(cell);

		if (extension->head.kind == KN_EXTENSION && sqltext_equal(extension->schema, name))
			return true;
	}
	return OidIsValid(self) && namespace_of(self) == get_namespace_oid(name, true);
}

/* Names of extensions in other schemas, which the script does not state either. */
static List *
find_elsewhere(const KnScript *script, const KnSchema *schema, const List *unneeded)
{
	Oid types[] = { TEXTARRAYOID, TEXTARRAYOID };
	Datum values[lengthof(types)];
	List *stated = NIL;
	List *names = NIL;
	ListCell *cell;

	foreach(cell, script->extensions)
		stated = lappend(stated, strVal(lfirst(cell)));
	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (object->kind == KN_EXTENSION && !list_member_ptr(unneeded, object))
			stated = lappend(stated, (char *) object->name);
	}
	values[0] = query_texts(stated);
	values[1] = query_texts(schema->schemas);
	query_rows(elsewhere_query, lengthof(types), types, values, take_name, &names);
	return names;
}

static void
take_name(HeapTuple row, TupleDesc shape, void *argument)
{
	List **names = argument;

	*names = lappend(*names, SPI_getvalue(row, shape, 1));
}
