/*
 * cast.c
 *		Types by their text, and which of the server's own can be cast to which.
 *
 * A column's values get to a type that they cannot be cast to by way of their
 * text: from a date to jsonb, say.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

#define MAX_TARGETS 8

/* As pg_cast has them, but for strings and between numbers. */
static const struct
{
	const char *from;
	const char *to[MAX_TARGETS + 1];
} casts[] = {
	{ "\"char\"", { "integer" } },
	{ "bigint", { "bit", "money", "oid" } },
	{ "bit", { "bit varying", "integer", "bigint" } },
	{ "bit varying", { "bit" } },
	{ "boolean", { "integer" } },
	{ "box", { "polygon", "circle", "point", "lseg" } },
	{ "cidr", { "inet" } },
	{ "circle", { "point", "polygon", "box" } },
	{ "date", { "timestamp without time zone", "timestamp with time zone" } },
	{ "inet", { "cidr" } },
	{ "integer", { "\"char\"", "bit", "boolean", "money", "oid" } },
	{ "interval", { "time without time zone" } },
	{ "json", { "jsonb" } },
	{ "jsonb",
	  { "real",
		"bigint",
		"smallint",
		"integer",
		"json",
		"boolean",
		"double precision",
		"numeric" } },
	{ "lseg", { "point" } },
	{ "macaddr", { "macaddr8" } },
	{ "macaddr8", { "macaddr" } },
	{ "money", { "numeric" } },
	{ "numeric", { "money" } },
	{ "oid", { "integer", "bigint" } },
	{ "path", { "polygon" } },
	{ "point", { "box" } },
	{ "polygon", { "box", "point", "path", "circle" } },
	{ "smallint", { "oid" } },
	{ "time with time zone", { "time without time zone" } },
	{ "time without time zone", { "interval", "time with time zone" } },
	{ "timestamp with time zone",
	  { "time with time zone", "timestamp without time zone", "time without time zone", "date" } },
	{ "timestamp without time zone",
	  { "date", "timestamp with time zone", "time without time zone" } },
};

/* Types with modifiers taken off; those of other schemas are not known here. */
bool
ddl_has_cast(const char *from, const char *to)
{
	for (Size i = 0; i < lengthof(casts); i++)
	{
		if (strcmp(casts[i].from, from) != 0)
			continue;
		for (int j = 0; j < MAX_TARGETS && casts[i].to[j] != NULL; j++)
		{
			if (strcmp(casts[i].to[j], to) == 0)
				return true;
		}
	}
	return false;
}

/* The type without its modifiers: "timestamp without time zone[]". */
const char *
ddl_base_type(const char *type)
{
	const char *open = strchr(type, '(');
	const char *close = open == NULL ? NULL : strchr(open, ')');

	if (close == NULL)
		return type;
	return psprintf("%.*s%s", (int) (open - type), type, close + 1);
}

/* Whether it is a type of arrays. */
bool
ddl_is_array(const char *type)
{
	size_t length = strlen(type);

	return length > 2 && strcmp(type + length - 2, "[]") == 0;
}

/* The type of an array's elements; the type itself where it is no array. */
const char *
ddl_element_type(const char *type)
{
	return ddl_is_array(type) ? pnstrdup(type, strlen(type) - strlen("[]")) : type;
}
