/*
 * desired.c
 *		The one door for what the schema should be.
 *
 * SQL text, models, a snapshot, or another schema of the database: each comes
 * out as a KnSchema, with the names of the schemas that the plan is about.
 * These are the ones the caller named; else the ones that the desired state
 * puts something into; else, where it is empty, the current schema.
 */
#include "kints_norm.h"

#include "desired/desired.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "desired/models.h"
#include "inspect/inspect.h"
#include "utils/lsyscache.h"

const char *(*desired_print_creation)(const KnSchema *schema) = NULL;

static const char *current_schema(void);
static bool is_reserved(const char *name);
static void check_not_reserved(const List *schemas);
static List *choose_schemas(KnScript *script, List *schemas, bool all_schemas);
static void check_names(KnScript *script, List *schemas);
static void check_planned(const char *name, const List *schemas);
static KnDesired *desired_from_schema(JsonbContainer *top);
static void check_alone(const char *name, const List *schemas, bool all_schemas);
static List *widen_schemas(List *covered, List *schemas, bool all_schemas);
static int compare_names(const ListCell *a, const ListCell *b);

/* SQL text; see script.c for what may stand in it. */
KnDesired *
desired_from_sql(const char *sql, List *schemas, bool all_schemas)
{
	KnDesired *desired = palloc0(sizeof(KnDesired));
	KnScript *script = script_parse(sql, current_schema());

	desired->schemas = choose_schemas(script, schemas, all_schemas);
	check_not_reserved(desired->schemas);
	check_names(script, desired->schemas);
	extension_check_places(script);
	desired->schema = scratch_elaborate(script, desired->schemas);
	extension_check(script, desired->schema);
	desired->unstated = extension_settle(script, desired->schema, all_schemas);
	desired->leaves_extensions = script->extensions == NIL;
	return desired;
}

/* The first schema of the search_path that can be planned, NULL if there is none. */
static const char *
current_schema(void)
{
	ListCell *cell;

	foreach(cell, fetch_search_path(false))
	{
		const char *name = get_namespace_name(lfirst_oid(cell));

		if (name != NULL && !is_reserved(name))
			return name;
	}
	return NULL;
}

/* Whether the schema is the server's or this extension's own. */
static bool
is_reserved(const char *name)
{
	return IsReservedName(name) || strcmp(name, "information_schema") == 0 ||
		   strcmp(name, "kints") == 0;
}

/* An error unless all schemas can be planned. */
static void
check_not_reserved(const List *schemas)
{
	const ListCell *cell;

	foreach(cell, schemas)
	{
		if (is_reserved(lfirst(cell)))
			ereport(ERROR,
					errcode(ERRCODE_RESERVED_NAME),
					errmsg("schema \"%s\" cannot be planned", (char *) lfirst(cell)),
					errdetail("It is %s.",
							  strcmp(lfirst(cell), "kints") == 0 ? "that of extension kints_norm"
																 : "a system schema"));
	}
}

static List *
choose_schemas(KnScript *script, List *schemas, bool all_schemas)
{
	List *chosen = NIL;
	ListCell *cell;

	foreach(cell, schemas)
	{
		if (!sqltext_member(chosen, lfirst(cell)))
			chosen = lappend(chosen, lfirst(cell));
	}
	if (all_schemas)
		chosen = inspect_user_schemas();
	if (schemas == NIL)
	{
		foreach(cell, script->names)
		{
			if (!sqltext_member(chosen, strVal(lfirst(cell))))
				chosen = lappend(chosen, strVal(lfirst(cell)));
		}
	}
	if (chosen == NIL && current_schema() != NULL)
		chosen = list_make1((char *) current_schema());
	list_sort(chosen, compare_names);
	return chosen;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* The desired state must not reach beyond the schemas that are planned. */
static void
check_names(KnScript *script, List *schemas)
{
	ListCell *cell;

	foreach(cell, script->names)
		check_planned(strVal(lfirst(cell)), schemas);
}

static void
check_planned(const char *name, const List *schemas)
{
	if (!sqltext_member(schemas, name))
		ereport(
			ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("the desired state puts objects into schema \"%s\", which is not planned", name),
			errhint("Name it in the option \"schemas\"."));
}

/* jsonb: {"models": ...}, {"format": ...} or {"schema": "staging", "as": "public"}. */
KnDesired *
desired_from_json(Jsonb *json, List *schemas, bool all_schemas)
{
	JsonbContainer *top = &json->root;
	JsonbValue storage;
	KnDesired *desired;

	if (!JsonContainerIsObject(top))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a desired state in JSON must be an object"));
	if (json_field(top, "models", &storage) != NULL)
	{
		const char *current = current_schema();
		KnModels *models = models_to_ddl(json, current == NULL ? "public" : current);

		desired =
			desired_from_sql(models->ddl, schemas == NIL ? models->schemas : schemas, all_schemas);
		desired->rename_from = models->rename_from;
		desired->rename_to = models->rename_to;
		return desired;
	}
	if (json_field(top, "schema", &storage) != NULL)
	{
		desired = desired_from_schema(top);
		check_alone(linitial(desired->schemas), schemas, all_schemas);
		return desired;
	}
	if (json_field(top, "format", &storage) == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the desired state is neither models nor a snapshot nor a schema"),
				errhint("It must have one of the keys \"models\", \"format\" and \"schema\"."));
	desired = palloc0(sizeof(KnDesired));
	desired->schema = snapshot_read(json);
	desired->schemas = widen_schemas(desired->schema->schemas, schemas, all_schemas);
	return desired;
}

/* The schemas of a snapshot, and those that the caller named besides: these become empty. */
static List *
widen_schemas(List *covered, List *schemas, bool all_schemas)
{
	List *chosen = list_copy(covered);
	ListCell *cell;

	foreach(cell, schemas == NIL ? NIL : covered)
		check_planned(lfirst(cell), schemas);
	foreach(cell, all_schemas ? inspect_user_schemas() : schemas)
	{
		if (!sqltext_member(chosen, lfirst(cell)))
			chosen = lappend(chosen, lfirst(cell));
	}
	check_not_reserved(chosen);
	list_sort(chosen, compare_names);
	return chosen;
}

/* One schema imitates another: the option "schemas" has nothing more to say. */
static void
check_alone(const char *name, const List *schemas, bool all_schemas)
{
	if (all_schemas || list_length(schemas) > 1 ||
		(schemas != NIL && strcmp(linitial(schemas), name) != 0))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("only schema \"%s\" can be planned after another schema", name),
				errhint("Leave the option \"schemas\" out."));
}

/* Another schema of this database, to be imitated. */
static KnDesired *
desired_from_schema(JsonbContainer *top)
{
	KnDesired *desired = palloc0(sizeof(KnDesired));
	JsonbValue storage;
	JsonbValue *value = json_field(top, "schema", &storage);
	const char *from = json_string(value, "schema");
	const char *as = current_schema();

	value = json_field(top, "as", &storage);
	if (value != NULL)
		as = json_string(value, "as");
	if (as == NULL || strcmp(as, from) == 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"as\" must name a schema other than \"%s\"", from));
	check_not_reserved(list_make2((char *) from, (char *) as));
	desired->schema = scratch_rename_schema(from, as);
	desired->schemas = list_make1((char *) as);
	return desired;
}
