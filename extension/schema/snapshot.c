/*
 * snapshot.c
 *		jsonb to KnSchema, and the fingerprint.  What it looks like: write.c.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "port/pg_bswap.h"
#include "schema/schema.h"
#include "utils/builtins.h"

typedef struct PendingDepends
{
	KnObject *object;
	List *keys;
} PendingDepends;

static void check_format(JsonbContainer *top);
static KnObject *read_object(JsonbContainer *in, const char *path);
static void read_field(JsonbContainer *in, const KnField *field, KnObject *object,
					   const char *path);
static KnKind kind_of_word(const char *word, const char *path);
static const char *read_text(JsonbContainer *in, const char *name, const char *path);
static List *read_list(JsonbContainer *in, const char *name, const char *path);
static bool read_flag(JsonbContainer *in, const char *name, const char *path);
static JsonbContainer *object_container(const JsonbValue *value, const char *path);
static int compare_keys(const ListCell *a, const ListCell *b);
static void hash_object(pg_cryptohash_ctx *hash, const KnObject *object);
static void hash_text(pg_cryptohash_ctx *hash, const char *name, const char *value);
static void hash_list(pg_cryptohash_ctx *hash, const char *name, const List *values);

/* The schema that a snapshot describes; an error names the place in it. */
KnSchema *
snapshot_read(Jsonb *snapshot)
{
	JsonbContainer *top = &snapshot->root;
	JsonbValue storage;
	JsonbValue *objects;
	JsonbIterator *it;
	JsonbValue item;
	JsonbIteratorToken token;
	KnSchema *schema;
	List *pending = NIL;
	ListCell *cell;
	int n = 0;

	check_format(top);
	schema = schema_new(read_list(top, "schemas", "schemas"));
	schema->has_owners = read_flag(top, "owners", "owners");
	schema->has_acls = read_flag(top, "privileges", "privileges");
	objects = json_field(top, "objects", &storage);
	if (objects == NULL || objects->type != jbvBinary ||
		!JsonContainerIsArray(objects->val.binary.data))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"objects\" of a snapshot must be an array"));

	it = JsonbIteratorInit(objects->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		const char *path;
		JsonbContainer *in;
		PendingDepends *waiting;

		if (token != WJB_ELEM)
			continue;
		path = psprintf("objects[%d]", n++);
		in = object_container(&item, path);
		waiting = palloc0(sizeof(PendingDepends));
		waiting->object = read_object(in, path);
		check_object(waiting->object, path);
		waiting->keys = read_list(in, "depends", psprintf("%s.depends", path));
		if (!schema_add(schema, waiting->object))
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s repeats %s", path, waiting->object->key));
		pending = lappend(pending, waiting);
	}
	foreach(cell, pending)
	{
		PendingDepends *waiting = lfirst(cell);
		ListCell *key;

		foreach(key, waiting->keys)
		{
			KnObject *on = lfirst(key) == NULL ? NULL : schema_find(schema, lfirst(key));

			if (on == NULL)
				ereport(ERROR,
						errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s depends on \"%s\", which is not in the snapshot",
							   waiting->object->key,
							   lfirst(key) == NULL ? "" : (char *) lfirst(key)));
			schema_depend(waiting->object, on);
		}
	}
	check_whole(schema);
	schema_sort(schema);
	return schema;
}

static void
check_format(JsonbContainer *top)
{
	JsonbValue storage;
	JsonbValue *format;

	format = JsonContainerIsObject(top) ? json_field(top, "format", &storage) : NULL;
	if (format == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("not a snapshot: there is no \"format\""),
				errhint("A snapshot is what kints_snapshot() returned."));
	if (json_int(format, "format") != SNAPSHOT_FORMAT)
		ereport(
			ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("snapshot format " INT64_FORMAT " is not supported", json_int(format, "format")),
			errdetail("This version reads format %d.", SNAPSHOT_FORMAT));
}

static KnObject *
read_object(JsonbContainer *in, const char *path)
{
	JsonbValue storage;
	const char *word = read_text(in, "kind", path);
	const char *name = read_text(in, "name", path);
	const KnField *field;
	KnObject *object;
	KnKind kind;

	if (word == NULL || name == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%s must have \"kind\" and \"name\"", path));
	kind = kind_of_word(word, path);
	/* No schema is part of the name of an extension: it says where its objects are. */
	object = schema_new_object(kind,
							   kind == KN_EXTENSION ? NULL : read_text(in, "schema", path),
							   read_text(in, "parent", path),
							   name);
	object->arguments = read_text(in, "arguments", path);
	object->owner = read_text(in, "owner", path);
	object->comment = read_text(in, "comment", path);
	object->has_acl = json_field(in, "privileges", &storage) != NULL;
	object->acl = read_list(in, "privileges", psprintf("%s.privileges", path));
	for (field = kn_kinds[object->kind].fields; field->name != NULL; field++)
		read_field(in, field, object, path);
	if (object->kind == KN_TABLE && ((KnTable *) object)->replica_identity == NULL)
		((KnTable *) object)->replica_identity = "DEFAULT";
	if (object->kind == KN_OTHER && ((KnOther *) object)->what != NULL)
		object->key = name_key_other(((KnOther *) object)->what, object->name);
	return object;
}

static void
read_field(JsonbContainer *in, const KnField *field, KnObject *object, const char *path)
{
	JsonbValue storage;
	JsonbValue *value = json_field(in, field->name, &storage);
	const char *at;

	if (value == NULL)
		return;
	at = psprintf("%s.%s", path, field->name);
	switch (field->type)
	{
		case KN_TEXT:
			KN_FIELD_TEXT(object, field) = json_string(value, at);
			break;
		case KN_BOOL:
			KN_FIELD_BOOL(object, field) = json_bool(value, at);
			break;
		case KN_INT:
			KN_FIELD_INT(object, field) = json_int(value, at);
			break;
		case KN_LIST:
			KN_FIELD_LIST(object, field) = json_strings(value, at);
			break;
	}
}

static KnKind
kind_of_word(const char *word, const char *path)
{
	for (int kind = 0; kind < KN_KIND_COUNT; kind++)
	{
		if (strcmp(kn_kinds[kind].word, word) == 0)
			return (KnKind) kind;
	}
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s is of an unknown kind \"%s\"", path, word));
}

static const char *
read_text(JsonbContainer *in, const char *name, const char *path)
{
	JsonbValue storage;
	JsonbValue *value = json_field(in, name, &storage);

	return value == NULL ? NULL : json_string(value, psprintf("%s.%s", path, name));
}

static List *
read_list(JsonbContainer *in, const char *name, const char *path)
{
	JsonbValue storage;
	JsonbValue *value = json_field(in, name, &storage);

	return value == NULL ? NIL : json_strings(value, path);
}

static bool
read_flag(JsonbContainer *in, const char *name, const char *path)
{
	JsonbValue storage;
	JsonbValue *value = json_field(in, name, &storage);

	return value == NULL ? false : json_bool(value, path);
}

static JsonbContainer *
object_container(const JsonbValue *value, const char *path)
{
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%s must be an object", path));
	return value->val.binary.data;
}

/*
 * SHA-256 in hex over all that is compared: what diff/ cannot change (the
 * order of columns, whether a materialized view has been filled) is not in it,
 * so that two schemas have the same fingerprint exactly if a plan between them
 * has no steps.
 */
const char *
snapshot_fingerprint(const KnSchema *schema)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	char *text = palloc0(2 * PG_SHA256_DIGEST_LENGTH + 1);
	List *sorted = list_copy(schema->objects);
	ListCell *cell;

	list_sort(sorted, compare_keys);
	if (pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a SHA-256");
	foreach(cell, sorted)
		hash_object(hash, lfirst(cell));
	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not finish a SHA-256");
	pg_cryptohash_free(hash);
	hex_encode((const char *) digest, sizeof(digest), text);
	return text;
}

static int
compare_keys(const ListCell *a, const ListCell *b)
{
	return strcmp(((const KnObject *) lfirst(a))->key, ((const KnObject *) lfirst(b))->key);
}

static void
hash_object(pg_cryptohash_ctx *hash, const KnObject *object)
{
	const KnField *field;

	hash_text(hash, "key", object->key);
	hash_text(hash, "owner", object->owner);
	hash_text(hash, "comment", object->comment);
	if (object->has_acl)
		hash_list(hash, "privileges", object->acl);
	for (field = kn_kinds[object->kind].fields; field->name != NULL; field++)
	{
		if (field->difference == KN_IGNORE)
			continue;
		switch (field->type)
		{
			case KN_TEXT:
				hash_text(hash, field->name, spelling_compared(KN_FIELD_TEXT(object, field)));
				break;
			case KN_BOOL:
				hash_text(hash, field->name, KN_FIELD_BOOL(object, field) ? "true" : NULL);
				break;
			case KN_INT:
				hash_text(hash, field->name, psprintf(INT64_FORMAT, KN_FIELD_INT(object, field)));
				break;
			case KN_LIST:
				hash_list(hash, field->name, KN_FIELD_LIST(object, field));
				break;
		}
	}
}

/* Name and value with their lengths, so that no two inputs run together. */
static void
hash_text(pg_cryptohash_ctx *hash, const char *name, const char *value)
{
	uint32 lengths[2];

	if (value == NULL)
		return;
	lengths[0] = pg_hton32((uint32) strlen(name));
	lengths[1] = pg_hton32((uint32) strlen(value));
	if (pg_cryptohash_update(hash, (uint8 *) lengths, sizeof(lengths)) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) name, strlen(name)) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) value, strlen(value)) < 0)
		elog(ERROR, "could not compute a SHA-256");
}

static void
hash_list(pg_cryptohash_ctx *hash, const char *name, const List *values)
{
	const ListCell *cell;

	hash_text(hash, name, psprintf("%d", list_length(values)));
	foreach(cell, values)
		hash_text(hash, "item", lfirst(cell) == NULL ? "" : spelling_compared(lfirst(cell)));
}
