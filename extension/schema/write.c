/*
 * write.c
 *		KnSchema to jsonb: a snapshot.
 *
 * {"format": 1, "schemas": [...], "owners": true, "privileges": true,
 *  "objects": [{"kind": "table", "schema": "public", "name": "users", ...,
 *				 "depends": ["schema public"]}, ...]}
 *
 * A field that has its empty value (null, false, 0, []) is left out.  Which
 * fields there are comes from kinds.h alone.  The format number goes up when
 * an older reader would read a newer snapshot wrongly.
 */
#include "kints_norm.h"

#include "schema/schema.h"
#include "utils/numeric.h"

#define MAX_FIELDS 40

/* The fields of every object; behind them come those of its kind. */
enum
{
	KIND,
	SCHEMA,
	PARENT,
	NAME,
	ARGUMENTS,
	OWNER,
	COMMENT,
	PRIVILEGES,
	DEPENDS,
	COMMON_COUNT
};

static const char *const common[COMMON_COUNT] = { "kind",    "schema",     "parent",
												  "name",    "arguments",  "owner",
												  "comment", "privileges", "depends" };

/* The fields that an object of a kind may have, and the order that jsonb wants them in. */
typedef struct Layout
{
	int count;
	JsonbValue names[MAX_FIELDS];
	int order[MAX_FIELDS];
} Layout;

static Layout layouts[KN_KIND_COUNT];

static JsonbValue object_value(const KnObject *object);
static const Layout *layout_of(KnKind kind);
static int compare_names(const JsonbValue *a, const JsonbValue *b);
static bool set_field(JsonbValue *place, const KnField *field, const KnObject *object);
static bool set_text(JsonbValue *place, const char *value);
static JsonbValue *put(JsonbPair *pairs, int *count, const char *name);
static JsonbValue string_value(const char *text);
static JsonbValue bool_value(bool value);
static JsonbValue int_value(int64 value);
static JsonbValue list_value(const List *strings);
static JsonbValue keys_value(const List *objects);
static JsonbValue array_value(int count);

/*
 * The schema as jsonb, in the current memory context.
 *
 * The tree is laid out here instead of pushed piece by piece: a schema has
 * many objects, and this takes a third of the memory and of the time.
 */
Jsonb *
snapshot_write(const KnSchema *schema)
{
	/* Their names stand in jsonb's order: by length. */
	JsonbPair pairs[5];
	JsonbValue objects;
	JsonbValue top;
	ListCell *cell;
	int count = 0;

	objects.type = jbvArray;
	objects.val.array.rawScalar = false;
	objects.val.array.nElems = 0;
	objects.val.array.elems =
		palloc_extended(sizeof(JsonbValue) * Max(list_length(schema->objects), 1), MCXT_ALLOC_HUGE);
	foreach(cell, schema->objects)
		objects.val.array.elems[objects.val.array.nElems++] = object_value(lfirst(cell));
	*put(pairs, &count, "format") = int_value(SNAPSHOT_FORMAT);
	*put(pairs, &count, "owners") = bool_value(schema->has_owners);
	*put(pairs, &count, "objects") = objects;
	*put(pairs, &count, "schemas") = list_value(schema->schemas);
	*put(pairs, &count, "privileges") = bool_value(schema->has_acls);
	top.type = jbvObject;
	top.val.object.nPairs = count;
	top.val.object.pairs = pairs;
	return JsonbValueToJsonb(&top);
}

static JsonbValue
object_value(const KnObject *object)
{
	const Layout *layout = layout_of(object->kind);
	const KnField *fields = kn_kinds[object->kind].fields;
	JsonbValue values[MAX_FIELDS];
	bool is_set[MAX_FIELDS] = { false };
	JsonbPair *pair;
	JsonbValue result;
	int count = 0;

	is_set[KIND] = set_text(&values[KIND], kn_kinds[object->kind].word);
	is_set[SCHEMA] = set_text(&values[SCHEMA], object->schema);
	is_set[PARENT] = set_text(&values[PARENT], object->parent);
	is_set[NAME] = set_text(&values[NAME], object->name);
	is_set[ARGUMENTS] = set_text(&values[ARGUMENTS], object->arguments);
	is_set[OWNER] = set_text(&values[OWNER], object->owner);
	is_set[COMMENT] = set_text(&values[COMMENT], object->comment);
	is_set[PRIVILEGES] = object->has_acl;
	if (object->has_acl)
		values[PRIVILEGES] = list_value(object->acl);
	is_set[DEPENDS] = object->depends != NIL;
	if (object->depends != NIL)
		values[DEPENDS] = keys_value(object->depends);
	for (int i = COMMON_COUNT; i < layout->count; i++)
		is_set[i] = set_field(&values[i], &fields[i - COMMON_COUNT], object);

	for (int i = 0; i < layout->count; i++)
		count += is_set[i] ? 1 : 0;
	result.type = jbvObject;
	result.val.object.nPairs = count;
	result.val.object.pairs = pair = palloc(sizeof(JsonbPair) * count);
	for (int i = 0; i < layout->count; i++)
	{
		int at = layout->order[i];

		if (!is_set[at])
			continue;
		pair->key = layout->names[at];
		pair->value = values[at];
		pair->order = 0;
		pair++;
	}
	return result;
}

static const Layout *
layout_of(KnKind kind)
{
	Layout *layout = &layouts[kind];
	const KnField *field;

	if (layout->count > 0)
		return layout;
	for (int i = 0; i < COMMON_COUNT; i++)
		layout->names[i] = string_value(common[i]);
	layout->count = COMMON_COUNT;
	for (field = kn_kinds[kind].fields; field->name != NULL; field++)
	{
		if (layout->count == MAX_FIELDS)
			elog(ERROR, "an object has more than %d fields", MAX_FIELDS);
		layout->names[layout->count++] = string_value(field->name);
	}
	for (int i = 0; i < layout->count; i++)
	{
		int at = i;

		for (;
			 at > 0 && compare_names(&layout->names[i], &layout->names[layout->order[at - 1]]) < 0;
			 at--)
			layout->order[at] = layout->order[at - 1];
		layout->order[at] = i;
	}
	return layout;
}

/* Short names come first. */
static int
compare_names(const JsonbValue *a, const JsonbValue *b)
{
	if (a->val.string.len != b->val.string.len)
		return a->val.string.len < b->val.string.len ? -1 : 1;
	return memcmp(a->val.string.val, b->val.string.val, a->val.string.len);
}

/* Whether the field has a value to be written. */
static bool
set_field(JsonbValue *place, const KnField *field, const KnObject *object)
{
	switch (field->type)
	{
		case KN_TEXT:
			return set_text(place, KN_FIELD_TEXT(object, field));
		case KN_BOOL:
			*place = bool_value(true);
			return KN_FIELD_BOOL(object, field);
		case KN_INT:
			if (KN_FIELD_INT(object, field) == 0)
				return false;
			*place = int_value(KN_FIELD_INT(object, field));
			return true;
		case KN_LIST:
			if (KN_FIELD_LIST(object, field) == NIL)
				return false;
			*place = list_value(KN_FIELD_LIST(object, field));
			return true;
	}
	return false;
}

static bool
set_text(JsonbValue *place, const char *value)
{
	if (value != NULL)
		*place = string_value(value);
	return value != NULL;
}

/* The place of a new pair's value. */
static JsonbValue *
put(JsonbPair *pairs, int *count, const char *name)
{
	JsonbPair *pair = &pairs[(*count)++];

	pair->key = string_value(name);
	pair->order = 0;
	return &pair->value;
}

/* The string itself, not a copy; NULL as null. */
static JsonbValue
string_value(const char *text)
{
	JsonbValue value;

	value.type = text == NULL ? jbvNull : jbvString;
	value.val.string.val = (char *) text;
	value.val.string.len = text == NULL ? 0 : (int) strlen(text);
	return value;
}

static JsonbValue
bool_value(bool value)
{
	JsonbValue result;

	result.type = jbvBool;
	result.val.boolean = value;
	return result;
}

static JsonbValue
int_value(int64 value)
{
	JsonbValue result;

	result.type = jbvNumeric;
	result.val.numeric = int64_to_numeric(value);
	return result;
}

/* Strings as an array. */
static JsonbValue
list_value(const List *strings)
{
	JsonbValue result = array_value(list_length(strings));
	JsonbValue *element = result.val.array.elems;
	ListCell *cell;

	foreach(cell, strings)
		*element++ = string_value(lfirst(cell));
	return result;
}

/* The keys of objects as an array. */
static JsonbValue
keys_value(const List *objects)
{
	JsonbValue result = array_value(list_length(objects));
	JsonbValue *element = result.val.array.elems;
	ListCell *cell;

	foreach(cell, objects)
		*element++ = string_value(((const KnObject *) lfirst(cell))->key);
	return result;
}

static JsonbValue
array_value(int count)
{
	JsonbValue result;

	result.type = jbvArray;
	result.val.array.rawScalar = false;
	result.val.array.nElems = count;
	result.val.array.elems = palloc(sizeof(JsonbValue) * Max(count, 1));
	return result;
}
