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

/* The fields of an object being written. */
typedef struct Fields
{
	int count;
	JsonbPair pairs[MAX_FIELDS + 1];
} Fields;

static JsonbValue object_value(const KnObject *object);
static void put_field(Fields *fields, const KnField *field, const KnObject *object);
static JsonbValue *put(Fields *fields, const char *name);
static void put_text(Fields *fields, const char *name, const char *value);
static void put_bool(Fields *fields, const char *name, bool value);
static void put_int(Fields *fields, const char *name, int64 value);
static void put_list(Fields *fields, const char *name, const List *values);
static JsonbValue string_value(const char *text);
static JsonbValue fields_value(Fields *fields);
static int compare_pairs(const void *a, const void *b);

/*
 * The schema as jsonb, in the current memory context.
 *
 * The tree is laid out here instead of pushed piece by piece: a schema has
 * many objects, and this takes a third of the memory.
 */
Jsonb *
snapshot_write(const KnSchema *schema)
{
	Fields fields;
	JsonbValue objects;
	JsonbValue top;
	ListCell *cell;

	fields.count = 0;
	objects.type = jbvArray;
	objects.val.array.rawScalar = false;
	objects.val.array.nElems = 0;
	objects.val.array.elems =
		palloc_extended(sizeof(JsonbValue) * Max(list_length(schema->objects), 1), MCXT_ALLOC_HUGE);
	foreach(cell, schema->objects)
		objects.val.array.elems[objects.val.array.nElems++] = object_value(lfirst(cell));
	put_int(&fields, "format", SNAPSHOT_FORMAT);
	put_list(&fields, "schemas", schema->schemas);
	put_bool(&fields, "owners", schema->has_owners);
	put_bool(&fields, "privileges", schema->has_acls);
	*put(&fields, "objects") = objects;
	top = fields_value(&fields);
	return JsonbValueToJsonb(&top);
}

static JsonbValue
object_value(const KnObject *object)
{
	Fields fields;
	const KnField *field;
	List *keys = NIL;
	ListCell *cell;

	fields.count = 0;
	put_text(&fields, "kind", kn_kinds[object->kind].word);
	put_text(&fields, "schema", object->schema);
	put_text(&fields, "parent", object->parent);
	put_text(&fields, "name", object->name);
	put_text(&fields, "arguments", object->arguments);
	put_text(&fields, "owner", object->owner);
	put_text(&fields, "comment", object->comment);
	if (object->has_acl)
		put_list(&fields, "privileges", object->acl);
	for (field = kn_kinds[object->kind].fields; field->name != NULL; field++)
		put_field(&fields, field, object);
	foreach(cell, object->depends)
		keys = lappend(keys, (char *) ((KnObject *) lfirst(cell))->key);
	if (keys != NIL)
		put_list(&fields, "depends", keys);
	list_free(keys);
	return fields_value(&fields);
}

static void
put_field(Fields *fields, const KnField *field, const KnObject *object)
{
	switch (field->type)
	{
		case KN_TEXT:
			put_text(fields, field->name, KN_FIELD_TEXT(object, field));
			break;
		case KN_BOOL:
			if (KN_FIELD_BOOL(object, field))
				put_bool(fields, field->name, true);
			break;
		case KN_INT:
			if (KN_FIELD_INT(object, field) != 0)
				put_int(fields, field->name, KN_FIELD_INT(object, field));
			break;
		case KN_LIST:
			if (KN_FIELD_LIST(object, field) != NIL)
				put_list(fields, field->name, KN_FIELD_LIST(object, field));
			break;
	}
}

/* The place of a new field's value. */
static JsonbValue *
put(Fields *fields, const char *name)
{
	JsonbPair *pair = &fields->pairs[fields->count++];

	if (fields->count > MAX_FIELDS)
		elog(ERROR, "an object has more than %d fields", MAX_FIELDS);
	pair->key = string_value(name);
	pair->order = 0;
	return &pair->value;
}

/* A string; nothing at all where it is NULL. */
static void
put_text(Fields *fields, const char *name, const char *value)
{
	if (value != NULL)
		*put(fields, name) = string_value(value);
}

static void
put_bool(Fields *fields, const char *name, bool value)
{
	JsonbValue *place = put(fields, name);

	place->type = jbvBool;
	place->val.boolean = value;
}

static void
put_int(Fields *fields, const char *name, int64 value)
{
	JsonbValue *place = put(fields, name);

	place->type = jbvNumeric;
	place->val.numeric = int64_to_numeric(value);
}

static void
put_list(Fields *fields, const char *name, const List *values)
{
	JsonbValue *place = put(fields, name);
	JsonbValue *elements = palloc(sizeof(JsonbValue) * Max(list_length(values), 1));
	ListCell *cell;

	place->type = jbvArray;
	place->val.array.rawScalar = false;
	place->val.array.nElems = list_length(values);
	place->val.array.elems = elements;
	foreach(cell, values)
		*elements++ = string_value(lfirst(cell));
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

/* The fields as an object, in the order that jsonb wants. */
static JsonbValue
fields_value(Fields *fields)
{
	JsonbValue value;
	Size size = sizeof(JsonbPair) * fields->count;

	qsort(fields->pairs, fields->count, sizeof(JsonbPair), compare_pairs);
	value.type = jbvObject;
	value.val.object.nPairs = fields->count;
	value.val.object.pairs = palloc(size);
	memcpy(value.val.object.pairs, fields->pairs, size);
	return value;
}

/* Short names come first. */
static int
compare_pairs(const void *a, const void *b)
{
	const JsonbValue *left = &((const JsonbPair *) a)->key;
	const JsonbValue *right = &((const JsonbPair *) b)->key;

	if (left->val.string.len != right->val.string.len)
		return left->val.string.len < right->val.string.len ? -1 : 1;
	return memcmp(left->val.string.val, right->val.string.val, left->val.string.len);
}
