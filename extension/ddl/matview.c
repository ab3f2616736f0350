/*
 * matview.c
 *		CREATE and ALTER MATERIALIZED VIEW.
 *
 * Settings of columns come as ALTER COLUMN clauses: an element a column, which
 * may be NULL or have several clauses.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char x_alter_column[] = "ALTER COLUMN ";

static List *alter_settings(List *statements, const KnMatview *from, const KnMatview *to);
static List *clauses_of(const List *settings);
static const char *clause_subject(const char *clause);
static const char *clause_kind(const char *clause);
static const char *clause_reset(const char *clause, const char *next);
static const char *options_reset(const char *clause, const char *next);

List *
ddl_create_materialized_view(const KnMatview *object, const List *parts)
{
	const char *name = sqltext_qualified(object->head.schema, object->head.name);
	KnMatview plain = *object;
	StringInfoData out;
	List *statements;

	(void) parts;
	initStringInfo(&out);
	appendStringInfo(&out, "CREATE MATERIALIZED VIEW %s", name);
	if (object->access_method != NULL)
		appendStringInfo(&out, " USING %s", object->access_method);
	if (object->options != NIL)
		appendStringInfo(&out, " WITH (%s)", ddl_options(object->options));
	if (object->tablespace != NULL)
		appendStringInfo(&out, " TABLESPACE %s", object->tablespace);
	appendStringInfo(&out,
					 " AS\n%s\nWITH %sDATA",
					 object->definition,
					 object->is_populated && object->head.owner == NULL ? "" : "NO ");
	statements = ddl_say(NIL, "create_materialized_view", NULL, "%s", out.data);

	plain.settings = NIL;
	statements = alter_settings(statements, &plain, object);
	return ddl_comment_columns(statements, name, NIL, NIL, object->columns, object->comments);
}

/*
 * Fills one that is another's: its query runs as its owner, not as whoever creates
 * it.  One whose owner is not stated has been filled when it was created.
 */
List *
ddl_fill_materialized_view(const KnMatview *object)
{
	if (!object->is_populated || object->head.owner == NULL)
		return NIL;
	return ddl_say(NIL,
				   "refresh_materialized_view",
				   NULL,
				   "REFRESH MATERIALIZED VIEW %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_drop_materialized_view(const KnMatview *object)
{
	return ddl_say(NIL,
				   "drop_materialized_view",
				   NULL,
				   "DROP MATERIALIZED VIEW %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_materialized_view(const KnMatview *from, const KnMatview *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	const char *alter = psprintf("ALTER MATERIALIZED VIEW %s", name);
	List *statements = NIL;

	if (!sqltext_equal(from->tablespace, to->tablespace))
		statements = ddl_say(statements,
							 "set_tablespace",
							 "tablespace",
							 "%s SET TABLESPACE %s",
							 alter,
							 to->tablespace == NULL ? "pg_default" : to->tablespace);
	statements =
		ddl_alter_options(statements, "set_table_options", alter, from->options, to->options);
	statements = alter_settings(statements, from, to);
	return ddl_comment_columns(statements,
							   name,
							   from->columns,
							   from->comments,
							   to->columns,
							   to->comments);
}

/* Undoes what the clauses of from say and those of to do not, then says those that are new. */
static List *
alter_settings(List *statements, const KnMatview *from, const KnMatview *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	List *old = clauses_of(from->settings);
	List *new = clauses_of(to->settings);
	List *said = NIL;
	List *subjects = NIL;
	ListCell *cell;

	foreach(cell, new)
		subjects = lappend(subjects, (char *) clause_subject(lfirst(cell)));
	foreach(cell, old)
	{
		int next = ddl_position(subjects, clause_subject(lfirst(cell)));
		const char *reset = clause_reset(lfirst(cell), next < 0 ? NULL : list_nth(new, next));

		if (reset != NULL)
			said = lappend(said, (char *) reset);
	}
	foreach(cell, new)
	{
		if (ddl_position(old, lfirst(cell)) < 0)
			said = lappend(said, lfirst(cell));
	}
	foreach(cell, said)
		statements = ddl_say(statements,
							 clause_kind(lfirst(cell)),
							 "settings",
							 "ALTER MATERIALIZED VIEW %s %s",
							 name,
							 (const char *) lfirst(cell));
	return statements;
}

/* The clauses of all columns, one an element. */
static List *
clauses_of(const List *settings)
{
	List *clauses = NIL;
	ListCell *cell;

	foreach(cell, settings)
	{
		const char *clause = lfirst(cell);

		while (clause != NULL)
		{
			const char *next = strstr(clause + 1, x_alter_column);
			size_t length = next == NULL ? strlen(clause) : (size_t) (next - clause);

			while (length > 0 && strchr(", \n", clause[length - 1]) != NULL)
				length--;
			clauses = lappend(clauses, pnstrdup(clause, length));
			clause = next;
		}
	}
	return clauses;
}

/* A clause without its value. */
static const char *
clause_subject(const char *clause)
{
	const char *value = strstr(clause, " SET (");

	if (value == NULL)
		value = strrchr(clause, ' ');
	return value == NULL ? clause : pnstrdup(clause, value - clause);
}

static const char *
clause_kind(const char *clause)
{
	if (strstr(clause, " SET STATISTICS ") != NULL)
		return "set_statistics";
	if (strstr(clause, " SET STORAGE ") != NULL)
		return "set_storage";
	if (strstr(clause, " SET COMPRESSION ") != NULL)
		return "set_compression";
	return "set_column_options";
}

/*
 * The clause that undoes what the next one on the same subject, if there is
 * one, does not replace; NULL where there is nothing to undo, or no clause does.
 * XXX: SET STORAGE DEFAULT is there from PostgreSQL 16 on; before that, the
 * type of the column would have to be known.
 */
static const char *
clause_reset(const char *clause, const char *next)
{
	const char *kind = clause_kind(clause);

	if (strcmp(kind, "set_column_options") == 0)
		return options_reset(clause, next);
	if (next != NULL)
		return NULL;
	if (strcmp(kind, "set_statistics") == 0)
		return psprintf("%s -1", clause_subject(clause));
	if (strcmp(kind, "set_compression") == 0)
		return psprintf("%s default", clause_subject(clause));
#if PG_VERSION_NUM >= 160000
	if (strcmp(kind, "set_storage") == 0)
		return psprintf("%s DEFAULT", clause_subject(clause));
#endif
	return NULL;
}

/* The options of a column are these two. */
static const char *
options_reset(const char *clause, const char *next)
{
	static const char *const options[] = { "n_distinct", "n_distinct_inherited" };
	List *gone = NIL;

	for (Size i = 0; i < lengthof(options); i++)
	{
		const char *text = psprintf("%s=", options[i]);

		if (strstr(clause, text) != NULL && (next == NULL || strstr(next, text) == NULL))
			gone = lappend(gone, (char *) options[i]);
	}
	return gone == NIL
			   ? NULL
			   : psprintf("%s RESET (%s)", clause_subject(clause), sqltext_join(gone, ", "));
}
