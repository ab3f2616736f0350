/*
 * sequence.c
 *		CREATE, ALTER and DROP SEQUENCE; OWNED BY is in ddl_finish().
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

static const char *changed_options(const KnSequence *from, const KnSequence *to,
								   const char **aspect);

List *
ddl_create_sequence(const KnSequence *object, const List *parts)
{
	bool is_unlogged = object->persistence != NULL && *object->persistence != '\0';

	(void) parts;
	return ddl_say(NIL,
				   "create_sequence",
				   NULL,
				   "CREATE %s%sSEQUENCE %s\n"
				   "    AS %s\n"
				   "    START WITH " INT64_FORMAT
				   "\n"
				   "    INCREMENT BY " INT64_FORMAT
				   "\n"
				   "    MINVALUE " INT64_FORMAT
				   "\n"
				   "    MAXVALUE " INT64_FORMAT
				   "\n"
				   "    CACHE " INT64_FORMAT
				   "\n"
				   "    %s",
				   is_unlogged ? object->persistence : "",
				   is_unlogged ? " " : "",
				   sqltext_qualified(object->head.schema, object->head.name),
				   object->type,
				   object->start_value,
				   object->increment_by,
				   object->min_value,
				   object->max_value,
				   object->cache_size,
				   object->cycles ? "CYCLE" : "NO CYCLE");
}

List *
ddl_drop_sequence(const KnSequence *object)
{
	return ddl_say(NIL,
				   "drop_sequence",
				   NULL,
				   "DROP SEQUENCE %s",
				   sqltext_qualified(object->head.schema, object->head.name));
}

/* All options change in one statement: one alone could be out of the range of another. */
List *
ddl_alter_sequence(const KnSequence *from, const KnSequence *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	const char *persistence = to->persistence == NULL ? "" : to->persistence;
	const char *aspect = NULL;
	const char *options = changed_options(from, to, &aspect);
	List *statements = NIL;

	/* The column that it belonged to may go before the one that it is to belong to comes. */
	if (from->owned_by != NULL && to->owned_by != NULL &&
		!sqltext_equal(from->owned_by, to->owned_by))
		statements =
			ddl_say(statements, "own_sequence", "owner", "ALTER SEQUENCE %s OWNED BY NONE", name);
	if (to->min_value > from->min_value && to->min_value <= from->max_value)
		statements = ddl_raise_sequence(statements, aspect, name, to->min_value);
	if (aspect != NULL)
		statements =
			ddl_say(statements, "alter_sequence", aspect, "ALTER SEQUENCE %s%s", name, options);
	if (!sqltext_equal(from->persistence == NULL ? "" : from->persistence, persistence))
		statements = ddl_say(statements,
							 "set_persistence",
							 "persistence",
							 "ALTER SEQUENCE %s SET %s",
							 name,
							 *persistence == '\0' ? "LOGGED" : persistence);
	return statements;
}

/*
 * The options that differ, each after a space; *aspect is the first of them.
 * A new type would take the limits of the old one along, so it spells them out.
 */
static const char *
changed_options(const KnSequence *from, const KnSequence *to, const char **aspect)
{
	bool retyped = !sqltext_equal(from->type, to->type);
	StringInfoData out;

#define CHANGE(field, also, ...)                 \
	do                                           \
	{                                            \
		if (from->field != to->field || (also))  \
		{                                        \
			appendStringInfo(&out, __VA_ARGS__); \
			if (*aspect == NULL)                 \
				*aspect = #field;                \
		}                                        \
	} while (0)

	initStringInfo(&out);
	if (retyped)
	{
		appendStringInfo(&out, " AS %s", to->type);
		*aspect = "type";
	}
	CHANGE(start_value, false, " START WITH " INT64_FORMAT, to->start_value);
	CHANGE(increment_by, false, " INCREMENT BY " INT64_FORMAT, to->increment_by);
	CHANGE(min_value, retyped, " MINVALUE " INT64_FORMAT, to->min_value);
	CHANGE(max_value, retyped, " MAXVALUE " INT64_FORMAT, to->max_value);
	CHANGE(cache_size, false, " CACHE " INT64_FORMAT, to->cache_size);
	CHANGE(cycles, false, " %s", to->cycles ? "CYCLE" : "NO CYCLE");
#undef CHANGE
	return out.data;
}

/*
 * Moves a sequence that stands below a new minimum up to it: ALTER SEQUENCE
 * would refuse, and RESTART could throw one back that has gone on already.
 */
List *
ddl_raise_sequence(List *statements, const char *aspect, const char *name, int64 minimum)
{
	return ddl_say(
		statements,
		"raise_sequence",
		aspect,
		"SELECT pg_catalog.setval(%s::pg_catalog.regclass, GREATEST(last_value, " INT64_FORMAT
		"), is_called AND last_value >= " INT64_FORMAT ") FROM %s",
		sqltext_literal(name),
		minimum,
		minimum,
		name);
}

/*
 * Lets a new sequence go on where the numbers of a column that was there before
 * have got to; nothing where there are none that the sequence could give.
 */
List *
ddl_follow_rows(List *statements, const char *aspect, const char *sequence, const KnColumn *column,
				int64 minimum, int64 maximum, bool descends)
{
	const char *last = psprintf("pg_catalog.%s(%s)",
								descends ? "min" : "max",
								sqltext_identifier(column->head.name));

	return ddl_say(statements,
				   "follow_rows",
				   aspect,
				   "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %s::pg_catalog.int8) FROM %s"
				   " HAVING %s BETWEEN " INT64_FORMAT " AND " INT64_FORMAT,
				   sqltext_literal(sequence),
				   last,
				   name_of_parent(&column->head),
				   last,
				   minimum,
				   maximum);
}
