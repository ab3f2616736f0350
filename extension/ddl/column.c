/*
 * column.c
 *		Columns: in CREATE TABLE, added, dropped, altered.
 *
 * What cannot be said where a column is created - storage, statistics target,
 * options - is said by ddl_alter_column() from a copy that lacks it.
 * ONLY stands where a child's column has a setting of its own.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static List *say_column(List *statements, const char *kind, const char *aspect,
						const KnColumn *column, const char *clause);
static List *alter_type(List *statements, const KnColumn *from, const KnColumn *to);
static const char *using_clause(const KnColumn *from, const KnColumn *to);
static bool is_assignable(const char *from, const char *to);
static bool is_castable(const char *from, const char *to);
static const char *type_family(const char *type);
static bool is_user_type(const KnColumn *column);
static List *alter_identity(List *statements, const KnColumn *from, const KnColumn *to);
static int64 number_of(const char *options, const char *word);
static const char *identity_changes(const char *from, const char *to, bool is_retyped);
static const char *identity_option(const char *options, const char *word);
static const char *identity_text(const KnColumn *column);
static List *alter_settings(List *statements, const KnColumn *from, const KnColumn *to);
static const char *default_storage(const char *type);

List *
ddl_create_column(const KnColumn *object, const List *parts)
{
	const KnDefault *value = parts == NIL ? NULL : linitial(parts);
	List *statements;

	statements = ddl_say(NIL,
						 "add_column",
						 NULL,
						 "ALTER TABLE %s ADD COLUMN %s",
						 name_of_parent(&object->head),
						 ddl_column_text(object, value));
	return list_concat(statements, ddl_column_settings(object));
}

List *
ddl_drop_column(const KnColumn *object)
{
	return ddl_say(NIL,
				   "drop_column",
				   NULL,
				   "ALTER TABLE %s DROP COLUMN %s",
				   name_of_parent(&object->head),
				   sqltext_identifier(object->head.name));
}

/* An identity column must be NOT NULL for as long as it is one: hence the order. */
List *
ddl_alter_column(const KnColumn *from, const KnColumn *to)
{
	List *statements = NIL;

	if (from->identity != NULL && to->identity == NULL)
		statements = say_column(statements, "drop_identity", "identity", to, "DROP IDENTITY");
	if (from->not_null && !to->not_null)
		statements = say_column(statements, "drop_not_null", "not_null", to, "DROP NOT NULL");
	statements = alter_type(statements, from, to);
	if (!from->not_null && to->not_null)
		statements = say_column(statements, "set_not_null", "not_null", to, "SET NOT NULL");
	statements = alter_identity(statements, from, to);
	return alter_settings(statements, from, to);
}

/* A column as in CREATE TABLE or ADD COLUMN; value is its DEFAULT or NULL. */
const char *
ddl_column_text(const KnColumn *column, const KnDefault *value)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s %s", sqltext_identifier(column->head.name), column->type);
	if (column->compression != NULL)
		appendStringInfo(&out, " COMPRESSION %s", column->compression);
	if (column->collation != NULL)
		appendStringInfo(&out, " COLLATE %s", column->collation);
	appendStringInfoString(&out, ddl_column_clauses(column, value));
	return out.data;
}

/* What follows the type of a column, each clause after a space. */
const char *
ddl_column_clauses(const KnColumn *column, const KnDefault *value)
{
	StringInfoData out;

	initStringInfo(&out);
	if (value != NULL && value->is_generated)
		appendStringInfo(&out,
						 " GENERATED ALWAYS AS %s STORED",
						 ddl_parenthesized(value->expression));
	else if (value != NULL)
		appendStringInfo(&out, " DEFAULT %s", value->expression);
	if (column->identity != NULL)
		appendStringInfo(&out, " %s", identity_text(column));
	if (column->not_null)
		appendStringInfoString(&out, " NOT NULL");
	return out.data;
}

/* Statements for what a column just created does not have yet. */
List *
ddl_column_settings(const KnColumn *column)
{
	KnColumn plain = *column;

	plain.storage = NULL;
	plain.statistics = -1;
	plain.options = NIL;
	plain.identity_comment = NULL;
	return alter_settings(NIL, &plain, column);
}

static List *
say_column(List *statements, const char *kind, const char *aspect, const KnColumn *column,
		   const char *clause)
{
	return ddl_say(statements,
				   kind,
				   aspect,
				   "ALTER TABLE %s ALTER COLUMN %s %s",
				   name_of_parent(&column->head),
				   sqltext_identifier(column->head.name),
				   clause);
}

static List *
alter_type(List *statements, const KnColumn *from, const KnColumn *to)
{
	bool is_retyped = !sqltext_equal(from->type, to->type);
	StringInfoData out;

	if (!is_retyped && sqltext_equal(from->collation, to->collation))
		return statements;
	initStringInfo(&out);
	appendStringInfo(&out, "TYPE %s", to->type);
	if (to->collation != NULL)
		appendStringInfo(&out, " COLLATE %s", to->collation);
	if (is_retyped)
		appendStringInfoString(&out, using_clause(from, to));
	return say_column(statements,
					  "alter_column_type",
					  is_retyped ? "type" : "collation",
					  to,
					  out.data);
}

/*
 * How the values get from the old type to the new one, after a space; empty
 * where the server finds the way itself.  It is left to it where it can: an
 * explicit cast would cut off what is too long for the new type, silently.
 */
static const char *
using_clause(const KnColumn *from, const KnColumn *to)
{
	const char *name = sqltext_identifier(to->head.name);
	const char *text = ddl_is_array(from->type) && ddl_is_array(to->type) ? "text[]" : "text";

	if (is_assignable(from->type, to->type))
		return "";
	if ((is_user_type(from) || is_user_type(to) || !is_castable(from->type, to->type)) &&
		!sqltext_equal(to->type, text))
		return psprintf(" USING %s::%s::%s", name, text, to->type);
	return psprintf(" USING %s::%s", name, to->type);
}

/* Whether values of one type can be stored in the other without being cast. */
static bool
is_assignable(const char *from, const char *to)
{
	const char *family = type_family(to);

	if (sqltext_equal(ddl_base_type(from), ddl_base_type(to)))
		return true;
	if (ddl_is_array(from) != ddl_is_array(to))
		return false;
	if (!ddl_is_array(to) && family != NULL && strcmp(family, "text") == 0)
		return true;
	return family != NULL && sqltext_equal(family, type_family(from));
}

/* Whether the server has a way from one type to the other, as far as is known here. */
static bool
is_castable(const char *from, const char *to)
{
	const char *source = ddl_base_type(from);
	const char *target = ddl_base_type(to);
	bool is_string = sqltext_equal(type_family(from), "text");

	if (ddl_is_array(source) && ddl_is_array(target))
	{
		source = ddl_element_type(source);
		target = ddl_element_type(target);
	}
	return is_string || strchr(source, '.') != NULL || strchr(target, '.') != NULL ||
		   ddl_has_cast(source, target);
}

/* A built-in type whose values can be assigned to those of its family; or NULL. */
static const char *
type_family(const char *type)
{
	static const struct
	{
		const char *type;
		const char *family;
	} families[] = {
		{ "text", "text" },       { "character varying", "text" },
		{ "character", "text" },  { "bpchar", "text" },
		{ "smallint", "number" }, { "integer", "number" },
		{ "bigint", "number" },   { "numeric", "number" },
		{ "real", "number" },     { "double precision", "number" },
		{ "bit", "bits" },        { "bit varying", "bits" },
	};
	const char *base = ddl_element_type(ddl_base_type(type));

	for (int i = 0; i < (int) lengthof(families); i++)
	{
		if (strcmp(families[i].type, base) == 0)
			return families[i].family;
	}
	return NULL;
}

/* Whether its values have to go by way of their text, as those of an enum, of an array of them. */
static bool
is_user_type(const KnColumn *column)
{
	return column->type_kind != NULL && *column->type_kind != '\0' &&
		   strchr("ecdrm", *column->type_kind) != NULL;
}

static List *
alter_identity(List *statements, const KnColumn *from, const KnColumn *to)
{
	const char *changes;

	if (to->identity == NULL)
		return statements;
	if (from->identity == NULL)
	{
		statements = say_column(statements,
								"add_identity",
								"identity",
								to,
								psprintf("ADD %s", identity_text(to)));
		if (to->identity_sequence == NULL ||
			identity_option(to->identity_options, "MAXVALUE") == NULL)
			return statements;
		return ddl_follow_rows(statements,
							   "identity",
							   to->identity_sequence,
							   to,
							   number_of(to->identity_options, "MINVALUE"),
							   number_of(to->identity_options, "MAXVALUE"),
							   number_of(to->identity_options, "INCREMENT BY") < 0);
	}
	if (!sqltext_equal(from->identity_sequence, to->identity_sequence) &&
		from->identity_sequence != NULL && to->identity_sequence != NULL)
		statements = ddl_say(statements,
							 "rename_sequence",
							 "identity_sequence",
							 "ALTER SEQUENCE %s RENAME TO %s",
							 from->identity_sequence,
							 sqltext_unqualified(to->identity_sequence));
	if (!sqltext_equal(from->identity, to->identity))
		statements = say_column(statements,
								"alter_identity",
								"identity",
								to,
								psprintf("SET GENERATED %s", to->identity));
	changes = identity_changes(from->identity_options,
							   to->identity_options,
							   !sqltext_equal(from->type, to->type));
	if (*changes == '\0')
		return statements;
	if (number_of(to->identity_options, "MINVALUE") >
			number_of(from->identity_options, "MINVALUE") &&
		to->identity_sequence != NULL)
		statements = ddl_raise_sequence(statements,
										"identity_options",
										to->identity_sequence,
										number_of(to->identity_options, "MINVALUE"));
	return say_column(statements, "alter_identity", "identity_options", to, changes);
}

static int64
number_of(const char *options, const char *word)
{
	const char *option = identity_option(options, word);

	return option == NULL ? 0 : strtoll(option + strlen(word), NULL, 10);
}

/* SET for each option that differs; limits follow a new type, so they are said again. */
static const char *
identity_changes(const char *from, const char *to, bool is_retyped)
{
	static const char *const words[] = { "START WITH", "INCREMENT BY", "MINVALUE",
										 "MAXVALUE",   "CACHE",        "CYCLE" };
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < (int) lengthof(words); i++)
	{
		const char *option = identity_option(to, words[i]);
		bool follows_type = is_retyped && strstr(words[i], "VALUE") != NULL;

		if (option == NULL ||
			(sqltext_equal(identity_option(from, words[i]), option) && !follows_type))
			continue;
		appendStringInfo(&out, "%sSET %s", out.len > 0 ? " " : "", option);
	}
	return out.data;
}

/* One option out of all, "START WITH 1" or "NO CYCLE"; NULL if it is not said. */
static const char *
identity_option(const char *options, const char *word)
{
	const char *found = options == NULL ? NULL : strstr(options, word);
	size_t length = strlen(word);

	if (found == NULL)
		return NULL;
	if (strcmp(word, "CYCLE") == 0)
		return strstr(options, "NO CYCLE") == NULL ? "CYCLE" : "NO CYCLE";
	return pnstrdup(found, length + 1 + strcspn(found + length + 1, " "));
}

/* GENERATED ... AS IDENTITY with all options and the name of its sequence. */
static const char *
identity_text(const KnColumn *column)
{
	StringInfoData options;

	initStringInfo(&options);
	if (column->identity_sequence != NULL)
		appendStringInfo(&options, "SEQUENCE NAME %s", column->identity_sequence);
	if (column->identity_options != NULL && *column->identity_options != '\0')
		appendStringInfo(&options, "%s%s", options.len > 0 ? " " : "", column->identity_options);
	if (options.len == 0)
		return psprintf("GENERATED %s AS IDENTITY", column->identity);
	return psprintf("GENERATED %s AS IDENTITY (%s)", column->identity, options.data);
}

/* A new type or collation brings the type's own storage and compression with it. */
static List *
alter_settings(List *statements, const KnColumn *from, const KnColumn *to)
{
	const char *name = sqltext_identifier(to->head.name);
	const char *only =
		psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s", name_of_parent(&to->head), name);
	bool is_reset =
		!sqltext_equal(from->type, to->type) || !sqltext_equal(from->collation, to->collation);
	const char *storage = is_reset ? NULL : from->storage;
	const char *compression = is_reset ? NULL : from->compression;

	if (!sqltext_equal(storage, to->storage))
		statements = ddl_say(statements,
							 "set_storage",
							 "storage",
							 "%s SET STORAGE %s",
							 only,
							 to->storage == NULL ? default_storage(to->type) : to->storage);
	if (!sqltext_equal(compression, to->compression))
		statements = say_column(
			statements,
			"set_compression",
			"compression",
			to,
			psprintf("SET COMPRESSION %s", to->compression == NULL ? "default" : to->compression));
	if (from->statistics != to->statistics)
		statements = ddl_say(statements,
							 "set_statistics",
							 "statistics",
							 "%s SET STATISTICS " INT64_FORMAT,
							 only,
							 to->statistics);
	if (to->identity_sequence != NULL &&
		!sqltext_equal(from->identity == NULL ? NULL : from->identity_comment,
					   to->identity_comment))
		statements = ddl_say(statements,
							 "set_comment",
							 "identity_comment",
							 "COMMENT ON SEQUENCE %s IS %s",
							 to->identity_sequence,
							 sqltext_literal(to->identity_comment));
	return ddl_alter_options(statements, "set_column_options", only, from->options, to->options);
}

/*
 * The storage a type has by itself, in words.
 * XXX: before PostgreSQL 16 there is no word for it, and a domain's or an
 * extension's type can have another than what is guessed here.
 */
static const char *
default_storage(const char *type)
{
#if PG_VERSION_NUM >= 160000
	return "DEFAULT";
#else
	const char *base = ddl_base_type(type);

	if (strcmp(base, "numeric") == 0 || strcmp(base, "inet") == 0 || strcmp(base, "cidr") == 0)
		return "MAIN";
	return strcmp(base, "tsquery") == 0 ? "PLAIN" : "EXTENDED";
#endif
}
