/*
 * table.c
 *		CREATE, ALTER and DROP TABLE.
 *
 * A partition is created on its own and attached by ddl_finish(), as pg_dump
 * does it; so are REPLICA IDENTITY, CLUSTER ON, OF and INHERIT of a table that is
 * there already left to ddl_finish().
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static List *column_lines(const KnTable *table, const List *columns, const List *parts);
static List *constraint_lines(const List *parts);
static bool is_line(const KnConstraint *constraint, const List *parts);
static const char *table_tail(const KnTable *table);
static List *create_rest(List *statements, const KnTable *table, const List *columns,
						 const List *parts);
static List *columns_of(const List *parts);
static int compare_columns(const ListCell *a, const ListCell *b);
static const KnDefault *default_of(const List *parts, const char *name);
static bool is_printed(const KnTable *table, const KnColumn *column);
static List *alter_parents(List *statements, const KnTable *from, const KnTable *to);
static List *alter_storage(List *statements, const KnTable *from, const KnTable *to);
static List *alter_row_security(List *statements, const KnTable *from, const KnTable *to);

List *
ddl_create_table(const KnTable *object, const List *parts)
{
	List *columns = columns_of(parts);
	List *lines = column_lines(object, columns, parts);
	bool is_unlogged = object->persistence != NULL && *object->persistence != '\0';
	StringInfoData out;

	lines = list_concat(lines, constraint_lines(parts));
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE %s%sTABLE %s",
					 is_unlogged ? object->persistence : "",
					 is_unlogged ? " " : "",
					 sqltext_qualified(object->head.schema, object->head.name));
	if (object->of_type != NULL)
		appendStringInfo(&out, " OF %s", object->of_type);
	if (lines != NIL)
		appendStringInfo(&out, " (\n    %s\n)", sqltext_join(lines, ",\n    "));
	else if (object->of_type == NULL)
		appendStringInfoString(&out, " ()");
	appendStringInfoString(&out, table_tail(object));
	return create_rest(ddl_say(NIL, "create_table", NULL, "%s", out.data), object, columns, parts);
}

List *
ddl_drop_table(const KnTable *object)
{
	return ddl_say(NIL,
				   "drop_table",
				   NULL,
				   "DROP TABLE %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

List *
ddl_alter_table(const KnTable *from, const KnTable *to)
{
	List *statements = alter_parents(NIL, from, to);

	statements = alter_storage(statements, from, to);
	statements = ddl_alter_options(
		statements,
		"set_table_options",
		psprintf("ALTER TABLE %s", sqltext_qualified(to->head.schema, to->head.name)),
		list_difference_ptr(from->options, ddl_toast_options(from->options)),
		list_difference_ptr(to->options, ddl_toast_options(to->options)));
	return alter_row_security(statements, from, to);
}

/* The columns as lines of CREATE TABLE; in a typed table only those with clauses of their own. */
static List *
column_lines(const KnTable *table, const List *columns, const List *parts)
{
	List *lines = NIL;
	ListCell *cell;

	foreach(cell, columns)
	{
		const KnColumn *column = lfirst(cell);
		const KnDefault *value = default_of(parts, column->head.name);
		const char *clauses = ddl_column_clauses(column, value);

		if (!is_printed(table, column))
			continue;
		if (table->of_type == NULL)
			lines = lappend(lines, (char *) ddl_column_text(column, value));
		else if (*clauses != '\0')
			lines = lappend(
				lines,
				psprintf("%s WITH OPTIONS%s", sqltext_identifier(column->head.name), clauses));
	}
	return lines;
}

/* The constraints as lines of CREATE TABLE. */
static List *
constraint_lines(const List *parts)
{
	List *lines = NIL;
	ListCell *cell;

	foreach(cell, parts)
	{
		const KnConstraint *constraint = lfirst(cell);

		if (constraint->head.kind != KN_CONSTRAINT || !is_line(constraint, parts))
			continue;
		lines = lappend(
			lines,
			psprintf("CONSTRAINT %s %s%s%s",
					 sqltext_identifier(constraint->head.name),
					 constraint->definition,
					 constraint->deferrable != NULL && *constraint->deferrable != '\0' ? " " : "",
					 constraint->deferrable != NULL ? constraint->deferrable : ""));
	}
	return lines;
}

/*
 * Whether CREATE TABLE can say the constraint: not NOT VALID, and of several
 * keys on the same columns only one, for it makes one of them.
 */
static bool
is_line(const KnConstraint *constraint, const List *parts)
{
	const char *columns = strchr(constraint->definition, '(');
	bool is_later = false;
	ListCell *cell;

	if (constraint->not_valid)
		return false;
	if (strcmp(constraint->type, "u") != 0)
		return true;
	foreach(cell, parts)
	{
		const KnConstraint *other = lfirst(cell);
		bool is_key = other->head.kind == KN_CONSTRAINT &&
					  (strcmp(other->type, "p") == 0 || strcmp(other->type, "u") == 0);

		is_later |= other == constraint;
		if (is_key && other != constraint && (!is_later || strcmp(other->type, "p") == 0) &&
			sqltext_equal(strchr(other->definition, '('), columns))
			return false;
	}
	return true;
}

/* What follows the closing parenthesis, each clause on a line. */
static const char *
table_tail(const KnTable *table)
{
	StringInfoData out;

	initStringInfo(&out);
	if (table->inherits != NIL && table->partition_of == NULL)
		appendStringInfo(&out, "\nINHERITS (%s)", sqltext_join(table->inherits, ", "));
	if (table->partition_key != NULL)
		appendStringInfo(&out, "\nPARTITION BY %s", table->partition_key);
	if (table->access_method != NULL)
		appendStringInfo(&out, "\nUSING %s", table->access_method);
	if (table->options != NIL)
		appendStringInfo(&out, "\nWITH (%s)", ddl_options(table->options));
	if (table->tablespace != NULL)
		appendStringInfo(&out, "\nTABLESPACE %s", table->tablespace);
	return out.data;
}

/* What CREATE TABLE had no place for: settings of columns, NOT VALID, row security. */
static List *
create_rest(List *statements, const KnTable *table, const List *columns, const List *parts)
{
	KnTable plain = *table;
	ListCell *cell;

	foreach(cell, columns)
	{
		const KnColumn *column = lfirst(cell);
		const KnDefault *value = default_of(parts, column->head.name);
		KnColumn inherited = *column;

		inherited.not_null = false;
		if (!is_printed(table, column) && value != NULL && !value->is_generated)
			statements = list_concat(statements, ddl_create_default(value, NIL));
		if (!is_printed(table, column) && column->not_null)
			statements = list_concat(statements, ddl_alter_column(&inherited, column));
		statements = list_concat(statements, ddl_column_settings(column));
	}
	foreach(cell, parts)
	{
		const KnConstraint *constraint = lfirst(cell);
		KnConstraint unsaid;

		if (constraint->head.kind != KN_CONSTRAINT)
			continue;
		unsaid = *constraint;
		unsaid.tablespace = NULL;
		unsaid.index_comment = NULL;
		unsaid.index_options = NIL;
		if (!is_line(constraint, parts))
			statements = list_concat(statements, ddl_create_constraint(constraint, NIL));
		else
			statements = list_concat(statements, ddl_alter_constraint(&unsaid, constraint));
	}
	plain.row_security = false;
	plain.force_row_security = false;
	return alter_row_security(statements, &plain, table);
}

/* The columns among the parts, in the order in which they stand in the table. */
static List *
columns_of(const List *parts)
{
	List *columns = NIL;
	ListCell *cell;

	foreach(cell, parts)
	{
		if (((const KnObject *) lfirst(cell))->kind == KN_COLUMN)
			columns = lappend(columns, lfirst(cell));
	}
	list_sort(columns, compare_columns);
	return columns;
}

static int
compare_columns(const ListCell *a, const ListCell *b)
{
	const KnColumn *left = lfirst(a);
	const KnColumn *right = lfirst(b);

	if (left->position != right->position)
		return left->position < right->position ? -1 : 1;
	return strcmp(left->head.name, right->head.name);
}

/* The default of the column among the parts, or NULL. */
static const KnDefault *
default_of(const List *parts, const char *name)
{
	ListCell *cell;

	foreach(cell, parts)
	{
		const KnObject *part = lfirst(cell);

		if (part->kind == KN_DEFAULT && strcmp(part->name, name) == 0)
			return lfirst(cell);
	}
	return NULL;
}

/* Whether CREATE TABLE names the column: not if it comes from INHERITS. */
static bool
is_printed(const KnTable *table, const KnColumn *column)
{
	return !column->is_inherited || table->inherits == NIL || table->partition_of != NULL;
}

/* Leaves the parents that are gone; ddl_finish() joins the new ones. */
static List *
alter_parents(List *statements, const KnTable *from, const KnTable *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	bool is_moved = !sqltext_equal(from->partition_of, to->partition_of) ||
					!sqltext_equal(from->partition_bound, to->partition_bound);
	ListCell *cell;

	if (from->partition_of != NULL && is_moved)
		statements = ddl_say(statements,
							 "detach_partition",
							 "partition_of",
							 "ALTER TABLE %s DETACH PARTITION %s",
							 from->partition_of,
							 name);
	foreach(cell, from->partition_of == NULL ? from->inherits : NIL)
	{
		if (to->partition_of == NULL && ddl_position(to->inherits, lfirst(cell)) >= 0)
			continue;
		statements = ddl_say(statements,
							 "no_inherit",
							 "inherits",
							 "ALTER TABLE %s NO INHERIT %s",
							 name,
							 (const char *) lfirst(cell));
	}
	if (from->of_type != NULL && !sqltext_equal(from->of_type, to->of_type))
		statements = ddl_say(statements, "of_type", "of_type", "ALTER TABLE %s NOT OF", name);
	return statements;
}

/* How and where the rows are kept. */
static List *
alter_storage(List *statements, const KnTable *from, const KnTable *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	const char *persistence = to->persistence == NULL ? "" : to->persistence;

	if (!sqltext_equal(from->persistence == NULL ? "" : from->persistence, persistence))
		statements = ddl_say(statements,
							 "set_persistence",
							 "persistence",
							 "ALTER TABLE %s SET %s",
							 name,
							 *persistence == '\0' ? "LOGGED" : persistence);
	if (!sqltext_equal(from->access_method, to->access_method))
		statements = ddl_say(statements,
							 "set_access_method",
							 "access_method",
							 "ALTER TABLE %s SET ACCESS METHOD %s",
							 name,
							 to->access_method == NULL ? "heap" : to->access_method);
	if (!sqltext_equal(from->tablespace, to->tablespace))
		statements = ddl_say(statements,
							 "set_tablespace",
							 "tablespace",
							 "ALTER TABLE %s SET TABLESPACE %s",
							 name,
							 to->tablespace == NULL ? "pg_default" : to->tablespace);
	return statements;
}

static List *
alter_row_security(List *statements, const KnTable *from, const KnTable *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);

	if (from->row_security != to->row_security)
		statements = ddl_say(statements,
							 "row_security",
							 "row_security",
							 "ALTER TABLE %s %s ROW LEVEL SECURITY",
							 name,
							 to->row_security ? "ENABLE" : "DISABLE");
	if (from->force_row_security != to->force_row_security)
		statements = ddl_say(statements,
							 "row_security",
							 "force_row_security",
							 "ALTER TABLE %s %s ROW LEVEL SECURITY",
							 name,
							 to->force_row_security ? "FORCE" : "NO FORCE");
	return statements;
}
