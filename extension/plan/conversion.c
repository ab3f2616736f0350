/*
 * conversion.c
 *		From one type of a column to another: what is lost, and whether rows are rewritten.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

/* Types of numbers. */
enum
{
	RANK_SMALLINT = 1,
	RANK_INTEGER,
	RANK_BIGINT,
	RANK_NUMERIC,
	RANK_REAL,
	RANK_DOUBLE
};

static bool type_narrows(const KnObject *from, const char *type, const KnObject *to,
						 const char *new_type);
static const KnObject *inside(const KnObject *object, const char **type);
static const KnObject *type_of(const KnObject *object, const char *type);
static bool composite_narrows(const KnComposite *from, const KnComposite *to);
static bool cuts(const char *from, const char *to);
static int bound_of(const char *type);
static bool is_string(const char *type);
static bool reads_a_part(const char *to);
static bool drops_a_part(const char *from, const char *to);
static bool is_narrower_number(const char *from, const char *to);
static bool numeric_limits(const char *type, int *digits, int *scale);
static bool has_precision(const char *type);
static int precision_of(const char *type);
static int number_rank(const char *type);
static int last_field(const char *type);
static int length_of(const char *type, const char *base);

/*
 * Whether a column's type cannot hold all values of the one before.  What users made
 * is looked at from inside: such values go by way of text, and an explicit cast cuts
 * off silently what is too long.
 */
bool
conversion_narrows_column(const KnColumn *from, const KnColumn *to)
{
	return type_narrows(&from->head, from->type, &to->head, to->type);
}

static bool
type_narrows(const KnObject *from, const char *type, const KnObject *to, const char *new_type)
{
	bool is_inside;

	from = inside(from, &type);
	to = inside(to, &new_type);
	is_inside = from->kind != KN_COLUMN || to->kind != KN_COLUMN || ddl_is_array(new_type);
	if (conversion_narrows(type, new_type) || (is_inside && cuts(type, new_type)))
		return true;
	from = type_of(from, type);
	to = type_of(to, new_type);
	return from != NULL && to != NULL &&
		   composite_narrows((const KnComposite *) from, (const KnComposite *) to);
}

/* From a column, or an attribute, to the innermost domain, and the type that values of that have.
 */
static const KnObject *
inside(const KnObject *object, const char **type)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		const KnObject *domain = lfirst(cell);
		const char *name = name_of(domain);
		Size length = strlen(name);

		if (domain->kind != KN_DOMAIN || strncmp(*type, name, length) != 0 ||
			((*type)[length] != '\0' && (*type)[length] != '['))
			continue;
		*type = psprintf("%s%s", ((const KnDomain *) domain)->type, *type + length);
		return inside(domain, type);
	}
	return object;
}

/* The composite type of that name which an object needs, or of whose arrays it has some; or NULL.
 */
static const KnObject *
type_of(const KnObject *object, const char *type)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		const KnObject *found = lfirst(cell);

		if (found->kind == KN_COMPOSITE && strncmp(type, name_of(found), strcspn(type, "[")) == 0 &&
			strlen(name_of(found)) == strcspn(type, "["))
			return found;
	}
	return NULL;
}

/* Rows are converted by the positions of the attributes, whatever these are called. */
static bool
composite_narrows(const KnComposite *from, const KnComposite *to)
{
	if (!schema_list_equal(from->attributes, to->attributes))
		return true;
	for (int i = 0; i < list_length(from->types); i++)
	{
		const char *type = list_nth(from->types, i);
		const char *new_type = list_nth(to->types, i);

		if (type_narrows(&from->head, type, &to->head, new_type))
			return true;
	}
	return false;
}

/* Whether values are cut off at a length that those before did not have, whatever their type. */
static bool
cuts(const char *from, const char *to)
{
	int most = bound_of(ddl_element_type(to));
	int before = bound_of(ddl_element_type(from));

	return most > 0 && (before == 0 || before > most);
}

/* n of a string or of bits of that length at most, 0 for any other type. */
static int
bound_of(const char *type)
{
	static const char *const bounded[] = { "character varying", "character", "bit varying", "bit" };
	int bound = 0;

	for (Size i = 0; i < lengthof(bounded); i++)
		bound = Max(bound, length_of(type, bounded[i]));
	return bound;
}

/* The same for types that are the server's own, given by their names. */
bool
conversion_narrows(const char *from, const char *to)
{
	static const char *const unbounded[] = { "text",
											 "character varying",
											 "bpchar",
											 "name",
											 "bit varying" };
	int most = bound_of(to);

	if (ddl_is_array(from) && ddl_is_array(to))
		return conversion_narrows(ddl_element_type(from), ddl_element_type(to));
	if (drops_a_part(ddl_base_type(from), ddl_base_type(to)))
		return true;
	if (is_string(ddl_base_type(from)) && reads_a_part(to))
		return true;
	if (last_field(to) < last_field(from))
		return true;
	if (number_rank(from) > 0)
		return strcmp(to, "boolean") == 0 || is_narrower_number(from, to);
	if (most == 0)
		return precision_of(to) >= 0 && has_precision(from) &&
			   (precision_of(from) < 0 || precision_of(from) > precision_of(to));
	return sqltext_is_any(from, unbounded, lengthof(unbounded)) || bound_of(from) > most;
}

static bool
is_string(const char *type)
{
	static const char *const strings[] = { "text",
										   "character varying",
										   "character",
										   "bpchar",
										   "name" };

	return sqltext_is_any(type, strings, lengthof(strings));
}

/*
 * Whether values of a type are read from text that may say more: digits that are
 * rounded away, a date beside the time, a zone.  Other types refuse such a text,
 * or keep all of it.
 */
static bool
reads_a_part(const char *to)
{
	static const char *const types[] = { "real",
										 "double precision",
										 "money",
										 "date",
										 "time without time zone",
										 "time with time zone",
										 "timestamp without time zone",
										 "\"char\"" };
	int digits;
	int scale;

	if (ddl_is_array(to))
		return reads_a_part(ddl_element_type(to));
	return sqltext_is_any(ddl_base_type(to), types, lengthof(types)) ||
		   numeric_limits(to, &digits, &scale) || precision_of(to) >= 0;
}

/*
 * Whether a cast leaves out something that every value has, a date its time or a box
 * its size, or cuts off silently what is too long or too precise.
 */
static bool
drops_a_part(const char *from, const char *to)
{
	static const char *const pairs[][2] = {
		{ "timestamp without time zone", "date" },
		{ "timestamp without time zone", "time without time zone" },
		{ "timestamp with time zone", "date" },
		{ "timestamp with time zone", "time without time zone" },
		{ "timestamp with time zone", "time with time zone" },
		{ "timestamp with time zone", "timestamp without time zone" },
		{ "time with time zone", "time without time zone" },
		{ "interval", "time without time zone" },
		{ "integer", "\"char\"" },
		{ "text", "name" },
		{ "character varying", "name" },
		{ "character", "name" },
		{ "bpchar", "name" },
		{ "numeric", "money" },
		{ "jsonb", "smallint" },
		{ "jsonb", "integer" },
		{ "jsonb", "bigint" },
		{ "jsonb", "real" },
		{ "jsonb", "double precision" },
		{ "xid8", "xid" },
		{ "inet", "cidr" },
		{ "box", "point" },
		{ "box", "lseg" },
		{ "box", "circle" },
		{ "circle", "point" },
		{ "circle", "box" },
		{ "circle", "polygon" },
		{ "lseg", "point" },
		{ "path", "polygon" },
		{ "polygon", "point" },
		{ "polygon", "box" },
		{ "polygon", "circle" },
		{ "macaddr8", "macaddr" },
	};

	for (Size i = 0; i < lengthof(pairs); i++)
	{
		if (strcmp(pairs[i][0], from) == 0 && strcmp(pairs[i][1], to) == 0)
			return true;
	}
	return false;
}

/* Whether a number can be too great, or too precise, for another type of numbers. */
static bool
is_narrower_number(const char *from, const char *to)
{
	static const int digits[] = { 0, 5, 10, 19 };
	int before = number_rank(from);
	int after = number_rank(to);
	int scale = 0;
	int whole = 0;
	int scale_before = 0;
	int whole_before = 0;

	if (after == 0)
		return false;
	if (after <= RANK_BIGINT)
		return after < before;
	/* Floating point is exact for a little more than 7 and 15 digits. */
	if (after != RANK_NUMERIC)
		return before == RANK_NUMERIC || (before == RANK_DOUBLE && after == RANK_REAL) ||
			   before == RANK_BIGINT || (before == RANK_INTEGER && after == RANK_REAL);
	if (!numeric_limits(to, &whole, &scale))
		return before > RANK_NUMERIC;
	if (before <= RANK_BIGINT)
		return whole - scale < digits[before];
	if (!numeric_limits(from, &whole_before, &scale_before))
		return true;
	return whole - scale < whole_before - scale_before || scale < scale_before;
}

static int
number_rank(const char *type)
{
	if (strcmp(type, "smallint") == 0)
		return RANK_SMALLINT;
	if (strcmp(type, "integer") == 0)
		return RANK_INTEGER;
	if (strcmp(type, "bigint") == 0)
		return RANK_BIGINT;
	if (strcmp(type, "numeric") == 0 || strncmp(type, "numeric(", 8) == 0)
		return RANK_NUMERIC;
	if (strcmp(type, "real") == 0)
		return RANK_REAL;
	return strcmp(type, "double precision") == 0 ? RANK_DOUBLE : 0;
}

/* The limits of numeric(digits,scale); false for any other type. */
static bool
numeric_limits(const char *type, int *digits, int *scale)
{
	char *end;

	if (strncmp(type, "numeric(", 8) != 0)
		return false;
	*digits = (int) strtol(type + 8, &end, 10);
	if (*end != ',')
		return false;
	*scale = (int) strtol(end + 1, &end, 10);
	return *end == ')';
}

static bool
has_precision(const char *type)
{
	return strncmp(type, "time", 4) == 0 || strncmp(type, "interval", 8) == 0;
}

/* Digits of the fraction of a second; -1 where they are not limited. */
static int
precision_of(const char *type)
{
	const char *open = strchr(type, '(');

	return !has_precision(type) || open == NULL ? -1 : (int) strtol(open + 1, NULL, 10);
}

/* The last of the fields that an interval keeps; for what says none, the finest. */
static int
last_field(const char *type)
{
	static const char *const fields[] = {
		" year", " month", " day", " hour", " minute", " second"
	};
	int last = (int) lengthof(fields) - 1;
	int field = last;

	if (strncmp(type, "interval ", 9) != 0)
		return last;
	while (field >= 0 && strstr(type, fields[field]) == NULL)
		field--;
	return field < 0 ? last : field;
}

/* n of base(n), 0 for any other type. */
static int
length_of(const char *type, const char *base)
{
	Size length = strlen(base);

	if (strncmp(type, base, length) != 0 || type[length] != '(')
		return 0;
	return (int) strtol(type + length + 1, NULL, 10);
}

/* Whether the server changes the type without touching the rows. */
bool
conversion_keeps_rows(const char *from, const char *to)
{
	static const char varying[] = "character varying";
	static const char bits[] = "bit varying";
	int digits[2];
	int scale[2];

	if (length_of(from, varying) > 0 || strcmp(from, varying) == 0)
		return strcmp(to, "text") == 0 || strcmp(to, varying) == 0 ||
			   length_of(to, varying) > length_of(from, varying);
	if (strcmp(from, "text") == 0)
		return strcmp(to, varying) == 0;
	if (length_of(from, bits) > 0)
		return strcmp(to, bits) == 0 || length_of(to, bits) > length_of(from, bits);
	if (numeric_limits(from, &digits[0], &scale[0]))
		return strcmp(to, "numeric") == 0 || (numeric_limits(to, &digits[1], &scale[1]) &&
											  scale[0] == scale[1] && digits[1] >= digits[0]);
	if (strncmp(from, "timestamp(", 10) == 0)
		return strncmp(to, "timestamp", 9) == 0 &&
			   strcmp(strchr(from, ')') + 1, to + strcspn(to, " ")) == 0 &&
			   (precision_of(to) < 0 || precision_of(to) > precision_of(from));
	return strcmp(from, "cidr") == 0 && strcmp(to, "inet") == 0;
}
