/*
 * json.c
 *		jsonb in, with the path of the value in every error, and jsonb out.
 *
 * A path reads like "models[2].fields[0].name"; callers build it as they go
 * down, so that a message can name the place.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static const char *type_word(const JsonbValue *value);
static void refuse(const JsonbValue *value, const char *path, const char *wanted)
	pg_attribute_noreturn();

/* The value of an object's field, in storage; NULL where it is absent or null. */
JsonbValue *
json_field(JsonbContainer *object, const char *name, JsonbValue *storage)
{
	JsonbValue *found = getKeyJsonValueFromContainer(object, name, strlen(name), storage);

	return found != NULL && found->type == jbvNull ? NULL : found;
}

/* A string value, copied to the current context. */
const char *
json_string(const JsonbValue *value, const char *path)
{
	if (value->type != jbvString)
		refuse(value, path, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

bool
json_bool(const JsonbValue *value, const char *path)
{
	if (value->type != jbvBool)
		refuse(value, path, "true or false");
	return value->val.boolean;
}

/* A whole number that fits 64 bits. */
int64
json_int(const JsonbValue *value, const char *path)
{
	Datum number;

	if (value->type != jbvNumeric)
		refuse(value, path, "a number");
	number = NumericGetDatum(value->val.numeric);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

/* An array of strings, as a List; null elements become NULL. */
List *
json_strings(const JsonbValue *value, const char *path)
{
	JsonbIterator *it;
	JsonbValue item;
	JsonbIteratorToken token;
	List *strings = NIL;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse(value, path, "an array of strings");
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (item.type == jbvNull)
			strings = lappend(strings, NULL);
		else
			strings = lappend(
				strings,
				(char *) json_string(&item, psprintf("%s[%d]", path, list_length(strings))));
	}
	return strings;
}

static void
refuse(const JsonbValue *value, const char *path, const char *wanted)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s must be %s, not %s", path, wanted, type_word(value)));
}

static const char *
type_word(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		case jbvBinary:
			return JsonContainerIsArray(value->val.binary.data) ? "an array" : "an object";
		default:
			return "something else";
	}
}

void
json_begin_object(JsonbParseState **state)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
}

void
json_begin_array(JsonbParseState **state)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
}

/* Closes what was begun: WJB_END_OBJECT or WJB_END_ARRAY. */
JsonbValue *
json_end(JsonbParseState **state, JsonbIteratorToken token)
{
	return pushJsonbValue(state, token, NULL);
}

void
json_put_key(JsonbParseState **state, const char *key)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) key;
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
}

/*
 * A string; NULL as null.  With a NULL key it is an element of the array that
 * is open.  The same holds for the functions below.
 */
void
json_put_string(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue item;

	if (key != NULL)
		json_put_key(state, key);
	item.type = jbvNull;
	if (value != NULL)
	{
		item.type = jbvString;
		item.val.string.val = (char *) value;
		item.val.string.len = strlen(value);
	}
	pushJsonbValue(state, key != NULL ? WJB_VALUE : WJB_ELEM, &item);
}

void
json_put_bool(JsonbParseState **state, const char *key, bool value)
{
	JsonbValue item;

	if (key != NULL)
		json_put_key(state, key);
	item.type = jbvBool;
	item.val.boolean = value;
	pushJsonbValue(state, key != NULL ? WJB_VALUE : WJB_ELEM, &item);
}

void
json_put_int(JsonbParseState **state, const char *key, int64 value)
{
	JsonbValue item;

	if (key != NULL)
		json_put_key(state, key);
	item.type = jbvNumeric;
	item.val.numeric = int64_to_numeric(value);
	pushJsonbValue(state, key != NULL ? WJB_VALUE : WJB_ELEM, &item);
}

void
json_put_strings(JsonbParseState **state, const char *key, const List *values)
{
	ListCell *cell;

	if (key != NULL)
		json_put_key(state, key);
	json_begin_array(state);
	foreach(cell, values)
		json_put_string(state, NULL, (const char *) lfirst(cell));
	json_end(state, WJB_END_ARRAY);
}
