/*
 * path.c
 *		The search_path that the statements of a script run with.
 *
 * A script means the server's own types, functions and operators by their
 * names, whatever stands before pg_catalog in the caller's search_path; so
 * pg_catalog is taken out of that path, which puts it first without making it
 * the place for what is created.  Temporary objects come last: where the path
 * does not mention them, they would come before everything.
 */
#include "kints_norm.h"

#include "desired/desired.h"
#include "desired/statement.h"

#include "base/base.h"
#include "catalog/namespace.h"
#include "utils/varlena.h"

static const char *safe_path(const char *path, bool is_stated);

/* Sets the path for a statement, until the end of the GUC nest level. */
void
path_set(const KnSource *source)
{
	bool is_stated = source->search_path != NULL;
	List *usable;
	const char *schema;
	const char *name;

	run_set("search_path",
			safe_path(is_stated ? source->search_path : source->session_path, is_stated));
	usable = fetch_search_path(false);
	if (usable != NIL && !isAnyTempNamespace(linitial_oid(usable)))
		return;
	/* Nothing to create in: what is created would be temporary. */
	if (statement_makes(source->raw->stmt, &schema, &name) && schema == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_SCHEMA),
				errmsg("no schema has been selected to create in"));
	run_set("search_path", "pg_catalog, pg_temp");
}

/* A path that the script states may put something before pg_catalog. */
static const char *
safe_path(const char *path, bool is_stated)
{
	List *names;
	List *kept = NIL;
	ListCell *cell;

	if (!SplitIdentifierString(pstrdup(path), ',', &names))
		return path;
	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		if (strcmp(name, "pg_temp") == 0 ||
			(strcmp(name, "pg_catalog") == 0 && (!is_stated || kept == NIL)))
			continue;
		kept = lappend(kept, (char *) sqltext_identifier(name));
	}
	return sqltext_join(lappend(kept, "pg_temp"), ", ");
}
