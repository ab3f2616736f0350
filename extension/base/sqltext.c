/*
 * sqltext.c
 *		Spelling of names and values in SQL text.
 *
 * The only place where a name or a value is put into SQL; the rest of the
 * extension passes $n parameters or calls these.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "utils/builtins.h"

/* The name, quoted if SQL needs that, whatever quote_all_identifiers says. */
const char *
sqltext_identifier(const char *name)
{
	bool quote_all = quote_all_identifiers;
	const char *quoted;

	quote_all_identifiers = false;
	quoted = quote_identifier(name);
	quote_all_identifiers = quote_all;
	return quoted;
}

/* schema.name, each quoted if need be; schema may be NULL. */
const char *
sqltext_qualified(const char *schema, const char *name)
{
	if (schema == NULL)
		return sqltext_identifier(name);
	return sqltext_concat(sqltext_identifier(schema), ".", sqltext_identifier(name), NULL);
}

/*
 * The strings up to a NULL, one behind the other.  Takes just the memory it
 * needs: a schema has many names.
 */
char *
sqltext_concat(const char *first, ...)
{
	Size length = 0;
	va_list arguments;
	const char *text;
	char *result;
	char *at;

	va_start(arguments, first);
	for (text = first; text != NULL; text = va_arg(arguments, const char *))
		length += strlen(text);
	va_end(arguments);
	at = result = palloc(length + 1);
	va_start(arguments, first);
	for (text = first; text != NULL; text = va_arg(arguments, const char *))
	{
		Size part = strlen(text);

		memcpy(at, text, part);
		at += part;
	}
	va_end(arguments);
	*at = '\0';
	return result;
}

/* The value as a string literal, NULL as the key word. */
const char *
sqltext_literal(const char *value)
{
	return value == NULL ? "NULL" : quote_literal_cstr(value);
}

/* The strings with a separator between them. */
const char *
sqltext_join(const List *strings, const char *separator)
{
	StringInfoData out;
	ListCell *cell;

	initStringInfo(&out);
	foreach(cell, strings)
	{
		if (out.len > 0)
			appendStringInfoString(&out, separator);
		appendStringInfoString(&out, (const char *) lfirst(cell));
	}
	return out.data;
}

/* Whether both are NULL or spell the same. */
bool
sqltext_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* Whether a List of strings has this one; elements may be NULL. */
bool
sqltext_member(const List *strings, const char *text)
{
	const ListCell *cell;

	foreach(cell, strings)
	{
		if (sqltext_equal(lfirst(cell), text))
			return true;
	}
	return false;
}

/* The place of the text among so many in an array; -1: it has none. */
int
sqltext_index(const char *text, const char *const *texts, Size count)
{
	for (Size i = 0; i < count; i++)
	{
		if (strcmp(texts[i], text) == 0)
			return (int) i;
	}
	return -1;
}

/* Whether an array has it. */
bool
sqltext_is_any(const char *text, const char *const *texts, Size count)
{
	return sqltext_index(text, texts, count) >= 0;
}

/* The last part of a qualified and quoted name, still quoted. */
const char *
sqltext_unqualified(const char *name)
{
	const char *last = name;
	bool is_quoted = false;

	for (const char *at = name; *at != '\0'; at++)
	{
		if (*at == '"')
			is_quoted = !is_quoted;
		else if (*at == '.' && !is_quoted)
			last = at + 1;
	}
	return last;
}
