/*
 * schema.c
 *		KnSchema and its objects: making, finding, sorting, comparing fields.
 *
 * An object is found by its key, kind word and qualified name; two states of
 * one schema are matched by it.  The order of objects is that of KN_KINDS, then
 * name, columns by position: the same schema always comes in the same order,
 * whatever the OIDs.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "common/hashfn.h"
#include "schema/schema.h"

typedef struct KeyEntry
{
	const char *key;
	KnObject *object;
	uint32 hash;
	char status;
} KeyEntry;

#define SH_PREFIX            keys
#define SH_ELEMENT_TYPE      KeyEntry
#define SH_KEY_TYPE          const char *
#define SH_KEY               key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(tb, a, b)   (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE               static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static int compare_objects(const ListCell *a, const ListCell *b);

/* clang-format off */
#define KN_FIELD(type, name, difference) { #name, KN_##type, KN_##difference, offsetof(OWNER, name) },

#define OWNER KnNamespace
static const KnField schema_fields[] = { KN_SCHEMA_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnExtension
static const KnField extension_fields[] = { KN_EXTENSION_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnEnum
static const KnField enum_fields[] = { KN_ENUM_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnRange
static const KnField range_fields[] = { KN_RANGE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnComposite
static const KnField composite_fields[] = { KN_COMPOSITE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnDomain
static const KnField domain_fields[] = { KN_DOMAIN_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnFunction
static const KnField function_fields[] = { KN_FUNCTION_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnAggregate
static const KnField aggregate_fields[] = { KN_AGGREGATE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnSequence
static const KnField sequence_fields[] = { KN_SEQUENCE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnTable
static const KnField table_fields[] = { KN_TABLE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnColumn
static const KnField column_fields[] = { KN_COLUMN_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnDefault
static const KnField default_fields[] = { KN_DEFAULT_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnConstraint
static const KnField constraint_fields[] = { KN_CONSTRAINT_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnView
static const KnField view_fields[] = { KN_VIEW_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnMatview
static const KnField materialized_view_fields[] = { KN_MATVIEW_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnIndex
static const KnField index_fields[] = { KN_INDEX_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnStatistics
static const KnField statistics_fields[] = { KN_STATISTICS_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnRule
static const KnField rule_fields[] = { KN_RULE_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnTrigger
static const KnField trigger_fields[] = { KN_TRIGGER_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnPolicy
static const KnField policy_fields[] = { KN_POLICY_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER
#define OWNER KnOther
static const KnField unmodelled_fields[] = { KN_OTHER_FIELDS(KN_FIELD) { NULL, 0, 0, 0 } };
#undef OWNER

const KnKindInfo kn_kinds[KN_KIND_COUNT] = {
#define X(kind, type, word, sql) { #word, sql, sizeof(type), word##_fields },
	KN_KINDS(X)
#undef X
};
/* clang-format on */

/* An empty schema that covers the schemas named. */
KnSchema *
schema_new(List *schemas)
{
	KnSchema *schema = palloc0(sizeof(KnSchema));

	schema->schemas = schemas;
	schema->by_key = keys_create(CurrentMemoryContext, 1024, NULL);
	return schema;
}

/* An object of a kind, all fields empty, not part of a schema yet. */
void *
schema_new_object(KnKind kind, const char *schema, const char *parent, const char *name)
{
	KnObject *object = palloc0(kn_kinds[kind].size);

	object->kind = kind;
	object->schema = schema;
	object->parent = parent;
	object->name = name;
	return object;
}

/*
 * Puts an object into the schema under its key, which is made here unless it
 * is there already.  Returns false, and does nothing, where the key is taken.
 */
bool
schema_add(KnSchema *schema, void *added)
{
	KnObject *object = added;
	KeyEntry *entry;
	bool found;

	if (object->key == NULL)
		object->key =
			name_key(object->kind, object->schema, object->parent, object->name, object->arguments);
	entry = keys_insert(schema->by_key, object->key, &found);
	if (found)
		return false;
	entry->object = object;
	schema->objects = lappend(schema->objects, object);
	return true;
}

/* The object of that key, or NULL. */
KnObject *
schema_find(const KnSchema *schema, const char *key)
{
	KeyEntry *entry = keys_lookup(schema->by_key, key);

	return entry == NULL ? NULL : entry->object;
}

/* Forgets the key of an object that the caller takes out of the list. */
void
schema_forget(KnSchema *schema, const KnObject *object)
{
	(void) keys_delete(schema->by_key, object->key);
}

/* The object of that kind and name, or NULL; not for routines. */
KnObject *
schema_find_kind(const KnSchema *schema, KnKind kind, const char *namespace, const char *parent,
				 const char *name)
{
	return schema_find(schema, name_key(kind, namespace, parent, name, NULL));
}

/* The same by the name as fields hold it, qualified and quoted; NULL for none. */
KnObject *
schema_find_qualified(const KnSchema *schema, KnKind kind, const char *name)
{
	if (name == NULL)
		return NULL;
	return schema_find(schema, sqltext_concat(kn_kinds[kind].word, " ", name, NULL));
}

/* The name of the relation that an object is part of, or on; NULL for one that is by itself. */
const char *
schema_relation_name(const KnObject *object)
{
	return object->kind == KN_INDEX ? ((const KnIndex *) object)->table : object->parent;
}

/* That table, view or materialized view; or NULL. */
KnObject *
schema_relation_of(const KnSchema *schema, const KnObject *object)
{
	static const KnKind kinds[] = { KN_TABLE, KN_VIEW, KN_MATVIEW };
	const char *name = schema_relation_name(object);
	KnObject *found = NULL;

	for (Size i = 0; name != NULL && i < lengthof(kinds) && found == NULL; i++)
		found = schema_find_kind(schema, kinds[i], object->schema, NULL, name);
	return found;
}

/* Whether an object is part of that relation. */
bool
schema_is_part(const KnObject *object, const KnObject *relation)
{
	return object->parent != NULL && strcmp(object->parent, relation->name) == 0 &&
		   strcmp(object->schema, relation->schema) == 0;
}

/* Notes that object needs the other one; once, and never itself. */
void
schema_depend(void *object, void *on)
{
	KnObject *dependent = object;

	if (on != NULL && on != object)
		dependent->depends = list_append_unique_ptr(dependent->depends, on);
}

/* Brings the objects, and what each of them needs, into the one order of a schema. */
void
schema_sort(KnSchema *schema)
{
	ListCell *cell;

	list_sort(schema->objects, compare_objects);
	foreach(cell, schema->objects)
		list_sort(((KnObject *) lfirst(cell))->depends, compare_objects);
}

static int
compare_objects(const ListCell *a, const ListCell *b)
{
	const KnObject *left = lfirst(a);
	const KnObject *right = lfirst(b);
	int order = (int) left->kind - (int) right->kind;

	if (order == 0 && left->kind == KN_COLUMN)
	{
		/* Columns of one table mostly share the strings. */
		if (left->schema != right->schema)
			order = strcmp(left->schema, right->schema);
		if (order == 0 && left->parent != right->parent)
			order = strcmp(left->parent, right->parent);
		if (order == 0)
		{
			int64 difference =
				((const KnColumn *) left)->position - ((const KnColumn *) right)->position;

			order = difference < 0 ? -1 : difference > 0 ? 1 : 0;
		}
	}
	return order != 0 ? order : strcmp(left->key, right->key);
}

/* Whether two Lists of strings have the same elements in the same order. */
bool
schema_list_equal(const List *a, const List *b)
{
	const ListCell *left;
	const ListCell *right;

	if (list_length(a) != list_length(b))
		return false;
	forboth(left, a, right, b)
	{
		if (!spelling_equal(lfirst(left), lfirst(right)))
			return false;
	}
	return true;
}

/* Whether two objects of one kind have the same value in a field. */
bool
schema_field_equal(const KnField *field, const void *a, const void *b)
{
	switch (field->type)
	{
		case KN_TEXT:
			return spelling_equal(KN_FIELD_TEXT(a, field), KN_FIELD_TEXT(b, field));
		case KN_BOOL:
			return KN_FIELD_BOOL(a, field) == KN_FIELD_BOOL(b, field);
		case KN_INT:
			return KN_FIELD_INT(a, field) == KN_FIELD_INT(b, field);
		case KN_LIST:
			return schema_list_equal(KN_FIELD_LIST(a, field), KN_FIELD_LIST(b, field));
	}
	return false;
}

/* The columns that are no objects, but part of a view; NIL for another kind. */
List *
schema_columns(const KnObject *object)
{
	switch (object->kind)
	{
		case KN_VIEW:
			return ((const KnView *) object)->columns;
		case KN_MATVIEW:
			return ((const KnMatview *) object)->columns;
		default:
			return NIL;
	}
}

/* Where the privileges on such columns are kept, NULL for another kind. */
List **
schema_column_acl(KnObject *object)
{
	switch (object->kind)
	{
		case KN_VIEW:
			return &((KnView *) object)->column_acl;
		case KN_MATVIEW:
			return &((KnMatview *) object)->column_acl;
		default:
			return NULL;
	}
}

/* The aclitem in an element of such a list, NULL where it is of another column. */
const char *
schema_column_item(const char *element, const char *column)
{
	const char *name = sqltext_identifier(column);
	Size length = strlen(name);

	return strncmp(element, name, length) == 0 && element[length] == ' ' ? element + length + 1
																		 : NULL;
}
