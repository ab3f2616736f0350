/*
 * check.c
 *		Whether a schema that came from outside holds together.
 *
 * What inspect/ reads always does: a column has a type, a default has its
 * column, lists that belong together are equally long.  The rooms above rely on
 * that, so a snapshot, which anybody can write, has to be looked at first.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "schema/schema.h"

/* What an object of a kind must have, besides a name. */
typedef struct Need
{
	KnKind kind;
	const char *texts[3]; /* fields that must not be missing */
	const char *lists[4]; /* fields that are equally long */
} Need;

static const Need needs[] = {
	{ KN_RANGE, { "definition" }, { NULL } },
	{ KN_COMPOSITE, { NULL }, { "attributes", "types", "collations", "comments" } },
	{ KN_DOMAIN, { "type" }, { "constraints", "definitions", "comments" } },
	{ KN_FUNCTION, { "definition" }, { NULL } },
	{ KN_AGGREGATE, { "definition" }, { NULL } },
	{ KN_SEQUENCE, { "type" }, { NULL } },
	{ KN_COLUMN, { "type" }, { NULL } },
	{ KN_DEFAULT, { "expression" }, { NULL } },
	{ KN_CONSTRAINT, { "type", "definition" }, { NULL } },
	{ KN_VIEW, { "definition" }, { "columns", "types", "comments" } },
	{ KN_MATVIEW, { "definition" }, { "columns", "comments" } },
	{ KN_INDEX, { "definition", "table" }, { NULL } },
	{ KN_STATISTICS, { "definition" }, { NULL } },
	{ KN_RULE, { "definition", "enabled" }, { NULL } },
	{ KN_TRIGGER, { "definition", "enabled" }, { NULL } },
	{ KN_POLICY, { "command" }, { NULL } },
	{ KN_OTHER, { "what" }, { NULL } },
};

static void check_place(const KnObject *object, const char *path);
static void check_fields(const KnObject *object, const char *path);
static void check_lists(const KnObject *object, const Need *need, const char *path);
static void check_column_acl(const KnObject *object, const char *path);
static void check_no_null(const List *list, const char *path);
static const KnField *field_of(const KnObject *object, const char *name);
static bool is_member(KnKind kind);
static bool has_column(const KnSchema *schema, const KnDefault *object);
static void refuse(const char *path, const char *name, const char *problem) pg_attribute_noreturn();

/* An error unless the object, called path, has all that one of its kind has. */
void
check_object(const KnObject *object, const char *path)
{
	check_place(object, path);
	check_fields(object, path);
	check_no_null(object->acl, psprintf("%s.privileges", path));
	for (Size i = 0; i < lengthof(needs); i++)
	{
		const Need *need = &needs[i];

		if (need->kind != object->kind)
			continue;
		for (Size j = 0; j < lengthof(need->texts) && need->texts[j] != NULL; j++)
		{
			const char *text = KN_FIELD_TEXT(object, field_of(object, need->texts[j]));

			if (text == NULL || *text == '\0')
				refuse(path, need->texts[j], "must not be missing, nor empty");
		}
		check_lists(object, need, path);
	}
	check_column_acl(object, path);
}

static void
check_place(const KnObject *object, const char *path)
{
	bool has_schema =
		object->kind != KN_SCHEMA && object->kind != KN_EXTENSION && object->kind != KN_OTHER;
	bool is_routine = object->kind == KN_FUNCTION
	|| object->kind == KN_AGGREGATE;

	if (*object->name == '\0')
		refuse(path, "name", "must not be empty");
	if (has_schema && (object->schema == NULL || *object->schema == '\0'))
		refuse(path, "schema", "must not be missing, nor empty");
	if (is_member(object->kind) && (object->parent == NULL || *object->parent == '\0'))
		refuse(path, "parent", "must not be missing, nor empty");
	if (!is_member(object->kind) && object->parent != NULL)
		refuse(path, "parent", "must not be there");
	if (is_routine != (object->arguments != NULL))
		refuse(path, "arguments", is_routine ? "must not be missing" : "must not be there");
}

/* Whether objects of the kind are part of a relation. */
static bool
is_member(KnKind kind)
{
	switch (kind)
	{
		case KN_COLUMN:
		case KN_DEFAULT:
		case KN_CONSTRAINT:
		case KN_RULE:
		case KN_TRIGGER:
		case KN_POLICY:
			return true;
		default:
			return false;
	}
}

/* Only what a column may lack is null in a list. */
static void
check_fields(const KnObject *object, const char *path)
{
	static const char *const with_nulls[] = { "collations", "comments" };
	const KnField *field;

	for (field = kn_kinds[object->kind].fields; field->name != NULL; field++)
	{
		if (field->type == KN_LIST &&
			!sqltext_is_any(field->name, with_nulls, lengthof(with_nulls)))
			check_no_null(KN_FIELD_LIST(object, field), psprintf("%s.%s", path, field->name));
	}
}

static void
check_lists(const KnObject *object, const Need *need, const char *path)
{
	for (Size i = 1; i < lengthof(need->lists) && need->lists[i] != NULL; i++)
	{
		const List *first = KN_FIELD_LIST(object, field_of(object, need->lists[0]));
		const List *other = KN_FIELD_LIST(object, field_of(object, need->lists[i]));

		if (list_length(first) != list_length(other))
			refuse(path, need->lists[i], psprintf("must be as long as %s", need->lists[0]));
	}
}

/* Privileges on columns of a view have a column to be on. */
static void
check_column_acl(const KnObject *object, const char *path)
{
	List **acl = schema_column_acl((KnObject *) object);
	ListCell *element;

	foreach(element, acl == NULL ? NIL : *acl)
	{
		bool is_known = false;
		ListCell *column;

		foreach(column, schema_columns(object))
			is_known |= schema_column_item(lfirst(element), lfirst(column)) != NULL;
		if (!is_known)
			refuse(path,
				   psprintf("column_acl[%d]", foreach_current_index(element)),
				   "must be a column, a space, and an aclitem");
	}
}

static void
check_no_null(const List *list, const char *path)
{
	if (sqltext_member(list, NULL))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%s must not have null in it", path));
}

static const KnField *
field_of(const KnObject *object, const char *name)
{
	const KnField *field = kn_kinds[object->kind].fields;

	while (strcmp(field->name, name) != 0)
		field++;
	return field;
}

/* Whether the column of a default is there, and is generated just as the default is. */
static bool
has_column(const KnSchema *schema, const KnDefault *object)
{
	const KnColumn *column = (const KnColumn *) schema_find_kind(schema,
																 KN_COLUMN,
																 object->head.schema,
																 object->head.parent,
																 object->head.name);

	return column != NULL && column->is_generated == object->is_generated;
}

/* An error unless what each object is part of is there as well. */
void
check_whole(const KnSchema *schema)
{
	const ListCell *cell;

	check_no_null(schema->schemas, "schemas");
	foreach(cell, schema->objects)
	{
		const KnObject *object = lfirst(cell);
		const KnObject *relation = schema_relation_of(schema, object);
		bool is_whole = relation != NULL;

		if (schema_relation_name(object) == NULL)
			continue;
		if (is_whole && relation->kind == KN_TABLE && object->kind == KN_DEFAULT)
			is_whole = has_column(schema, (const KnDefault *) object);
		if (!is_whole)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s is part of what is not in the snapshot", object->key));
	}
}

static void
refuse(const char *path, const char *name, const char *problem)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s.%s %s", path, name, problem));
}
