/*
 * request.c
 *		What the workers that elaborate a script are to do.
 *
 * A jsonb object:
 *
 *	 create     CREATE DATABASE
 *	 setup      what is made in it by a superuser: the extensions and empty
 *				schemas that are in the live one.  No code of a user is in it,
 *				nor can any be run by it: until it is done the database belongs
 *				to the superuser
 *	 before     schemas that are not planned, where the script may refer to them
 *	 script     the script, and the names of the schemas it is for
 *	 schemas
 *	 settings   names and values of the caller's settings
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/tablespace.h"
#include "desired/database.h"
#include "executor/spi.h"
#include "inspect/inspect.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Settings on which it depends what the text of a script means. */
static const char *const settings[] = {
	"search_path",
	"DateStyle",
	"IntervalStyle",
	"TimeZone",
	"array_nulls",
	"backslash_quote",
	"timezone_abbreviations",
	"xmloption",
	"standard_conforming_strings",
	"transform_null_equals",
	"default_text_search_config",
	"default_toast_compression",
	"lc_messages",
	"lc_monetary",
	"lc_numeric",
	"lc_time",
	"escape_string_warning",
};

typedef struct Request
{
	KnScript *script;
	List *schemas;
	List *others; /* schemas that are not planned but may be referred to */
	const char *database;
	const DatabaseExtra *extra;
} Request;

static const char *create_sql(const Request *request);
static void put_locale(StringInfo out, HeapTuple tuple, char provider);
static char *database_text(HeapTuple tuple, AttrNumber column);
static const char *setup_sql(const Request *request);
static void put_schema(StringInfo out, const Request *request, const char *name);
static KnObject *read_schema(const char *name);
static void put_acl(StringInfo out, const KnObject *schema);
static void put_extensions(StringInfo out);
static void put_extension(HeapTuple row, TupleDesc shape, void *argument);
static void put_rights(StringInfo out, const Request *request);
static List *other_schemas(const Request *request);
static bool may_refer_to(const Request *request, const char *schema);
static const char *before_sql(const Request *request);
static List *current_settings(void);

/* The name of the scratch database. */
const char *
request_database_name(const DatabaseExtra *extra)
{
	return psprintf("kints_scratch_%d_%016llx",
					extra->caller,
					(unsigned long long) extra->identity);
}

Jsonb *
request_make(KnScript *script, List *schemas, const DatabaseExtra *extra)
{
	Request request = { script, schemas, NIL, request_database_name(extra), extra };
	JsonbParseState *state = NULL;

	request.others = other_schemas(&request);
	json_begin_object(&state);
	json_put_string(&state, "create", create_sql(&request));
	json_put_string(&state, "setup", setup_sql(&request));
	json_put_string(&state, "before", before_sql(&request));
	json_put_string(&state, "script", script->text);
	json_put_strings(&state, "schemas", schemas);
	json_put_strings(&state, "settings", current_settings());
	return JsonbValueToJsonb(json_end(&state, WJB_END_OBJECT));
}

/*
 * CREATE DATABASE with the encoding, locale and tablespace of this one.  Nobody
 * may connect to it but our workers.
 */
static const char *
create_sql(const Request *request)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Form_pg_database form;
	StringInfoData out;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	form = (Form_pg_database) GETSTRUCT(tuple);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE DATABASE %s TEMPLATE template0 ALLOW_CONNECTIONS false TABLESPACE %s"
					 " ENCODING %s",
					 sqltext_identifier(request->database),
					 sqltext_identifier(get_tablespace_name(form->dattablespace)),
					 sqltext_literal(pg_encoding_to_char(form->encoding)));
#if PG_VERSION_NUM >= 150000
	appendStringInfo(&out, " OID %u", request->extra->scratch);
	put_locale(&out, tuple, form->datlocprovider);
#else
	put_locale(&out, tuple, 'c');
#endif
	ReleaseSysCache(tuple);
	return out.data;
}

static void
put_locale(StringInfo out, HeapTuple tuple, char provider)
{
	appendStringInfo(out,
					 " LC_COLLATE %s LC_CTYPE %s",
					 sqltext_literal(database_text(tuple, Anum_pg_database_datcollate)),
					 sqltext_literal(database_text(tuple, Anum_pg_database_datctype)));
#if PG_VERSION_NUM >= 170000
	if (provider == 'i' || provider == 'b')
		appendStringInfo(out,
						 " LOCALE_PROVIDER %s %s %s",
						 provider == 'i' ? "icu" : "builtin",
						 provider == 'i' ? "ICU_LOCALE" : "BUILTIN_LOCALE",
						 sqltext_literal(database_text(tuple, Anum_pg_database_datlocale)));
#elif PG_VERSION_NUM >= 150000
	if (provider == 'i')
		appendStringInfo(out,
						 " LOCALE_PROVIDER icu ICU_LOCALE %s",
						 sqltext_literal(database_text(tuple, Anum_pg_database_daticulocale)));
#endif
#if PG_VERSION_NUM >= 160000
	if (database_text(tuple, Anum_pg_database_daticurules) != NULL)
		appendStringInfo(out,
						 " ICU_RULES %s",
						 sqltext_literal(database_text(tuple, Anum_pg_database_daticurules)));
#endif
}

static char *
database_text(HeapTuple tuple, AttrNumber column)
{
	bool isnull;
	Datum value = SysCacheGetAttr(DATABASEOID, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* What a superuser does in the new database: schemas, extensions, rights. */
static const char *
setup_sql(const Request *request)
{
	StringInfoData out;
	ListCell *cell;

	initStringInfo(&out);
	if (!OidIsValid(get_namespace_oid("public", true)))
		appendStringInfoString(&out, "DROP SCHEMA IF EXISTS public;\n");
	foreach(cell, request->others)
	{
		const char *name = sqltext_identifier(lfirst(cell));
		const char *caller = sqltext_identifier(GetUserNameFromId(GetUserId(), false));

		appendStringInfo(&out, "CREATE SCHEMA IF NOT EXISTS %s;\n", name);
		appendStringInfo(&out, "ALTER SCHEMA %s OWNER TO %s;\n", name, caller);
	}
	foreach(cell, request->schemas)
		put_schema(&out, request, lfirst(cell));
	put_extensions(&out);
	put_rights(&out, request);
	return out.data;
}

/* A planned schema: as the first way makes it, see aside.c. */
static void
put_schema(StringInfo out, const Request *request, const char *name)
{
	Oid live = get_namespace_oid(name, true);
	bool creates = list_member(request->script->creates, makeString((char *) name));
	KnObject *schema;

	if (strcmp(name, "public") == 0)
		appendStringInfoString(out, "DROP SCHEMA IF EXISTS public;\n");
	if (!OidIsValid(live))
		return;
	aside_check_owner(name, live);
	if (!aside_has_place(request->script, name, live))
		return;
	schema = read_schema(name);
	appendStringInfo(
		out,
		"CREATE SCHEMA %s AUTHORIZATION %s;\n",
		sqltext_identifier(name),
		sqltext_identifier(creates ? GetUserNameFromId(GetUserId(), false) : schema->owner));
	if (creates)
		return;
	if (strcmp(name, "public") == 0)
		schema->comment = "standard public schema";
	if (schema->comment != NULL)
		appendStringInfo(out,
						 "COMMENT ON SCHEMA %s IS %s;\n",
						 sqltext_identifier(name),
						 sqltext_literal(schema->comment));
	if (schema->has_acl)
		put_acl(out, schema);
}

/* A schema that exists, without what is in it. */
static KnObject *
read_schema(const char *name)
{
	KnSchema *found = inspect_schemas(list_make1((char *) name));
	ListCell *cell;

	foreach(cell, found->objects)
	{
		if (((KnObject *) lfirst(cell))->kind == KN_SCHEMA)
			return lfirst(cell);
	}
	elog(ERROR, "schema \"%s\" was not read", name);
}

static void
put_acl(StringInfo out, const KnObject *schema)
{
	appendStringInfoString(out, "UPDATE pg_catalog.pg_namespace SET nspacl = ARRAY[");
	for (int i = 0; i < list_length(schema->acl); i++)
		appendStringInfo(out,
						 "%s%s",
						 i == 0 ? "" : ", ",
						 sqltext_literal(list_nth(schema->acl, i)));
	appendStringInfo(out,
					 "]::pg_catalog.aclitem[] WHERE nspname OPERATOR(pg_catalog.=) %s;\n",
					 sqltext_literal(schema->name));
}

/* All extensions, in the order in which they were made. */
static void
put_extensions(StringInfo out)
{
	static const char query[] =
		"  SELECT e.extname, n.nspname, e.extversion"
		"    FROM pg_catalog.pg_extension e"
		"    JOIN pg_catalog.pg_namespace n"
		"      ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
		"   WHERE e.extname OPERATOR(pg_catalog.<>) 'plpgsql'"
		"ORDER BY e.oid";

	query_rows(query, 0, NULL, NULL, put_extension, out);
}

static void
put_extension(HeapTuple row, TupleDesc shape, void *argument)
{
	StringInfo out = argument;
	const char *schema = SPI_getvalue(row, shape, 2);

	if (strncmp(schema, "pg_", 3) != 0)
		appendStringInfo(out, "CREATE SCHEMA IF NOT EXISTS %s;\n", sqltext_identifier(schema));
	appendStringInfo(out,
					 "CREATE EXTENSION IF NOT EXISTS %s SCHEMA %s VERSION %s;\n",
					 sqltext_identifier(SPI_getvalue(row, shape, 1)),
					 sqltext_identifier(schema),
					 sqltext_literal(SPI_getvalue(row, shape, 3)));
}

/*
 * Whose database it is, and who may create schemas in it: as in the live one.
 * Last, for the owner can do things to it.
 */
static void
put_rights(StringInfo out, const Request *request)
{
	HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	const char *database = sqltext_identifier(request->database);
#if PG_VERSION_NUM >= 160000
	AclResult result = object_aclcheck(DatabaseRelationId, MyDatabaseId, GetUserId(), ACL_CREATE);
#else
	AclResult result = pg_database_aclcheck(MyDatabaseId, GetUserId(), ACL_CREATE);
#endif

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	if (result == ACLCHECK_OK)
		appendStringInfo(out,
						 "GRANT CREATE ON DATABASE %s TO %s;\n",
						 database,
						 sqltext_identifier(GetUserNameFromId(GetUserId(), false)));
	appendStringInfo(out,
					 "ALTER DATABASE %s OWNER TO %s;\n",
					 database,
					 sqltext_identifier(
						 GetUserNameFromId(((Form_pg_database) GETSTRUCT(tuple))->datdba, false)));
	ReleaseSysCache(tuple);
}

/*
 * Schemas that are not planned, all of them where the script may refer to any:
 * they may need each other.
 */
static List *
other_schemas(const Request *request)
{
	List *others = NIL;
	bool needed = false;
	ListCell *cell;

	foreach(cell, inspect_user_schemas())
	{
		if (sqltext_member(request->schemas, lfirst(cell)))
			continue;
		others = lappend(others, lfirst(cell));
		needed |= may_refer_to(request, lfirst(cell));
	}
	return needed ? others : NIL;
}

/* Whether the script mentions the schema, or can do without: by the search_path. */
static bool
may_refer_to(const Request *request, const char *schema)
{
	return strstr(request->script->text, schema) != NULL ||
		   list_member_oid(fetch_search_path(false), get_namespace_oid(schema, false));
}

/*
 * The objects of the schemas that are not planned, made by the caller's role.
 * Those that need a planned schema are passed over.
 */
static const char *
before_sql(const Request *request)
{
	KnSchema *schema;
	ListCell *cell;

	if (request->others == NIL)
		return "";
	schema = inspect_schemas(request->others);
	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		object->owner = NULL;
		object->has_acl = false;
		object->acl = NIL;
	}
	return desired_print_creation(schema);
}

static List *
current_settings(void)
{
	List *pairs = NIL;

	for (Size i = 0; i < lengthof(settings); i++)
	{
		const char *value = GetConfigOption(settings[i], false, false);

		pairs = lappend(pairs, (char *) settings[i]);
		pairs = lappend(pairs, pstrdup(value));
	}
	return pairs;
}
