/*
 * spelling.c
 *		One spelling for what the server spells in two ways.
 *
 * An expression that the server printed, parsed and printed again does not
 * always read the same.  Two ways of writing are known to change once:
 *	 ((a AND b) AND c)      becomes  (a AND b AND c), which BETWEEN hides; OR as well
 *	 (ARRAY[a, b])::text[]  becomes  ARRAY[(a)::text, (b)::text], which IN hides
 * A schema has to read the same whether it was made from its author's text or
 * from a plan.  So all expressions get the second spelling of AND and OR when
 * they are read.  That of arrays is only for comparing: where a and b are arrays
 * themselves it does not mean the same, and a text does not say what they are.
 *
 * XXX: then the server says ARRAY[(a)::text[], (b)::text[]] the second time, and
 * the two are taken for different.  Whoever writes the casts himself is rid of
 * that; due when somebody cannot.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "miscadmin.h"
#include "schema/schema.h"

typedef struct Spelling
{
	StringInfoData text;
	bool with_arrays;
} Spelling;

static void spell_field(KnObject *object, const char *name);
static const char *spell_text(const char *text, bool with_arrays);
static void spell(Spelling *out, const char *at, const char *end);
static void spell_group(Spelling *out, const char *at, const char *end);
static const char *end_of_nested(const char *at, const char *end);
static bool starts_query(const char *at);
static bool joins_at_top(const char *at, const char *end, const char *word);
static const char *spell_array(Spelling *out, const char *at, const char *end);
static const char *end_of_elements(const char *at, const char *end, char wanted);
static const char *end_of_array_type(const char *at, const char *end);
static void spell_elements(Spelling *out, const char *at, const char *end, const char *type,
						   bool is_bare);
static bool has_operator(const char *at, const char *end);
static const char *end_of_type(const char *at, const char *end);
static const char *end_of_group(const char *open, const char *end);
static const char *end_of_quoted(const char *at, const char *end);

static const char x_array[] = "ARRAY[";

/* Fields that hold expressions, in the server's words. */
static const struct
{
	KnKind kind;
	const char *field;
} x_fields[] = {
	{ KN_DOMAIN, "default_value" },    { KN_DOMAIN, "definitions" },
	{ KN_FUNCTION, "definition" },     { KN_DEFAULT, "expression" },
	{ KN_CONSTRAINT, "definition" },   { KN_VIEW, "definition" },
	{ KN_MATVIEW, "definition" },      { KN_INDEX, "definition" },
	{ KN_STATISTICS, "definition" },   { KN_RULE, "definition" },
	{ KN_TRIGGER, "definition" },      { KN_POLICY, "using_expression" },
	{ KN_POLICY, "check_expression" },
};

/* Gives AND and OR their one spelling in all expressions of a schema that was read. */
void
schema_spell(KnSchema *schema)
{
	ListCell *cell;

	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		for (Size i = 0; i < lengthof(x_fields); i++)
		{
			if (x_fields[i].kind == object->kind)
				spell_field(object, x_fields[i].field);
		}
	}
}

static void
spell_field(KnObject *object, const char *name)
{
	const KnField *field = kn_kinds[object->kind].fields;
	ListCell *cell;

	while (strcmp(field->name, name) != 0)
		field++;
	if (field->type == KN_TEXT)
	{
		KN_FIELD_TEXT(object, field) = spell_text(KN_FIELD_TEXT(object, field), false);
		return;
	}
	foreach(cell, KN_FIELD_LIST(object, field))
		lfirst(cell) = (void *) spell_text(lfirst(cell), false);
}

/* The text as it is compared; not to be run. */
const char *
spelling_compared(const char *text)
{
	return text == NULL || strstr(text, x_array) == NULL ? text : spell_text(text, true);
}

/* Whether two texts, or NULLs, are the same as far as they are compared. */
bool
spelling_equal(const char *a, const char *b)
{
	return sqltext_equal(a, b) ||
		   (a != NULL && b != NULL && strstr(a, x_array) != NULL && strstr(b, x_array) != NULL &&
			strcmp(spelling_compared(a), spelling_compared(b)) == 0);
}

/* The text itself where there is nothing about it. */
static const char *
spell_text(const char *text, bool with_arrays)
{
	Spelling out;

	if (text == NULL || (strstr(text, ") AND ") == NULL && strstr(text, ") OR ") == NULL &&
						 (!with_arrays || strstr(text, x_array) == NULL)))
		return text;
	initStringInfo(&out.text);
	out.with_arrays = with_arrays;
	spell(&out, text, text + strlen(text));
	return out.text.data;
}

static void
spell(Spelling *out, const char *at, const char *end)
{
	check_stack_depth();
	while (at < end)
	{
		const char *next = out->with_arrays ? spell_array(out, at, end) : NULL;

		if (next == NULL && *at == '(')
		{
			next = end_of_group(at, end);
			appendStringInfoChar(&out->text, '(');
			spell_group(out, at + 1, next - 1);
			appendStringInfoChar(&out->text, ')');
		}
		else if (next == NULL)
		{
			next = end_of_quoted(at, end);
			appendBinaryStringInfo(&out->text, at, (int) (next - at));
		}
		at = next;
	}
}

/* What stands in parentheses: a AND of which the first operand is one as well is one. */
static void
spell_group(Spelling *out, const char *at, const char *end)
{
	const char *inner;

	check_stack_depth();
	inner = end_of_nested(at, end);
	if (inner == NULL)
	{
		spell(out, at, end);
		return;
	}
	spell_group(out, at + 1, inner - 1);
	spell(out, inner, end);
}

/* The end of a first operand "(a AND b)" that needs no parentheses; or NULL. */
static const char *
end_of_nested(const char *at, const char *end)
{
	static const char *const words[] = { " AND ", " OR " };
	const char *close;

	if (at == end || *at != '(' || starts_query(at + 1))
		return NULL;
	close = end_of_group(at, end);
	for (Size i = 0; i < lengthof(words); i++)
	{
		if (close + strlen(words[i]) < end && strncmp(close, words[i], strlen(words[i])) == 0)
			return joins_at_top(at + 1, close - 1, words[i]) ? close : NULL;
	}
	return NULL;
}

static bool
starts_query(const char *at)
{
	static const char *const words[] = { "SELECT", "WITH",   "VALUES", "TABLE",
										 "INSERT", "UPDATE", "DELETE", "MERGE" };

	at += strspn(at, " \n");
	for (Size i = 0; i < lengthof(words); i++)
	{
		if (strncmp(at, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

/* Whether the word stands between operands, not only inside of them. */
static bool
joins_at_top(const char *at, const char *end, const char *word)
{
	while (at < end)
	{
		if (strncmp(at, word, strlen(word)) == 0)
			return true;
		at = *at == '(' ? end_of_group(at, end) : end_of_quoted(at, end);
	}
	return false;
}

/*
 * If an array with a cast stands here, says it with its elements cast, and
 * returns what follows; NULL if it is something else.  The server puts it in
 * parentheses but in statistics, where it uses as few as it can.
 */
static const char *
spell_array(Spelling *out, const char *at, const char *end)
{
	bool is_bare = *at != '(';
	const char *elements = at + (is_bare ? 0 : 1) + strlen(x_array);
	const char *close;
	const char *type;
	const char *type_end;

	if (strncmp(is_bare ? at : at + 1, x_array, strlen(x_array)) != 0 || elements >= end)
		return NULL;
	close = end_of_elements(elements, end, ']');
	type = close + (is_bare ? 1 : 2);
	if (close == elements || (!is_bare && strncmp(close, "])", 2) != 0) ||
		strncmp(type, "::", 2) != 0)
		return NULL;
	type += 2;
	type_end = end_of_array_type(type, end);
	if (type_end == NULL)
		return NULL;
	spell_elements(out, elements, close, pnstrdup(type, type_end - type - 2), is_bare);
	return type_end;
}

/* The next comma, or closing bracket, that is not inside of anything. */
static const char *
end_of_elements(const char *at, const char *end, char wanted)
{
	int depth = 0;

	while (at < end && (depth > 0 || *at != wanted))
	{
		depth += *at == '[' ? 1 : *at == ']' ? -1 : 0;
		at = *at == '(' ? end_of_group(at, end) : end_of_quoted(at, end);
	}
	return at;
}

/* The end of the name of an array type without modifiers; NULL if it is another type. */
static const char *
end_of_array_type(const char *at, const char *end)
{
	while (at < end)
	{
		unsigned char letter = (unsigned char) *at;

		if (strncmp(at, "[]", 2) == 0)
			return at + 2;
		if (letter < 0x80 && strchr("\"_. ", letter) == NULL && !(letter >= 'a' && letter <= 'z') &&
			!(letter >= '0' && letter <= '9'))
			return NULL;
		at = end_of_quoted(at, end);
	}
	return NULL;
}

/* ARRAY[...] with each element cast; an element that is an array, element by element. */
static void
spell_elements(Spelling *out, const char *at, const char *end, const char *type, bool is_bare)
{
	check_stack_depth();
	appendStringInfoString(&out->text, x_array);
	while (at < end)
	{
		const char *next = end_of_elements(at, end, ',');
		bool has_parentheses = !is_bare || has_operator(at, next);

		if (strncmp(at, x_array, strlen(x_array)) == 0 && next[-1] == ']')
			spell_elements(out, at + strlen(x_array), next - 1, type, is_bare);
		else
		{
			appendStringInfoString(&out->text, has_parentheses ? "(" : "");
			spell(out, at, next);
			appendStringInfo(&out->text, "%s::%s", has_parentheses ? ")" : "", type);
		}
		at = next;
		if (at < end)
		{
			appendStringInfoString(&out->text, ", ");
			at++;
			at += strspn(at, " ");
		}
	}
	appendStringInfoChar(&out->text, ']');
}

/* Whether words stand side by side, other than in the name of a type. */
static bool
has_operator(const char *at, const char *end)
{
	while (at < end)
	{
		if (*at == ' ')
			return true;
		if (strncmp(at, "::", 2) == 0)
			at = end_of_type(at + 2, end);
		else
			at = *at == '(' ? end_of_group(at, end) : end_of_quoted(at, end);
	}
	return false;
}

/* Behind the name of a type, which may be of several words. */
static const char *
end_of_type(const char *at, const char *end)
{
	static const char *const more[] = { " varying",
										" precision",
										" with time zone",
										" without time zone" };

	while (at < end && strchr(" ,:", *at) == NULL)
		at = *at == '(' ? end_of_group(at, end) : end_of_quoted(at, end);
	for (Size i = 0; i < lengthof(more); i++)
	{
		Size length = strlen(more[i]);

		if (at + length <= end && strncmp(at, more[i], length) == 0)
			return end_of_type(at + length, end);
	}
	return at;
}

/* Behind the parenthesis that closes the one at open. */
static const char *
end_of_group(const char *open, const char *end)
{
	const char *at = open + 1;
	int depth = 1;

	while (at < end && depth > 0)
	{
		const char *next = end_of_quoted(at, end);

		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		at = next;
	}
	return at;
}

/* Behind a string, a quoted name or a dollar-quoted text; else, behind one character. */
static const char *
end_of_quoted(const char *at, const char *end)
{
	const char *next = at + 1;

	if (*at == '\'' || *at == '"')
	{
		next = memchr(next, *at, end - next);
		return next == NULL ? end : next + 1;
	}
	if (*at == '$' && next < end && (*next < '0' || *next > '9'))
	{
		const char *tag_end = memchr(next, '$', end - next);
		const char *close;

		if (tag_end == NULL)
			return next;
		close = strstr(tag_end + 1, pnstrdup(at, tag_end + 1 - at));
		return close == NULL || close >= end ? end : close + (tag_end + 1 - at);
	}
	return next;
}
