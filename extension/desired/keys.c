/*
 * keys.c
 *		Keys and indexes of a model: what its fields say of them, joined, and as SQL.
 *
 * Names that a model leaves open are left to PostgreSQL, but for unique keys
 * of a group: <table>_<group>_key, or _idx where they are indexes.  A unique
 * key with "index_where", "using" or "opclass" is an index, because no
 * constraint can have these.  Fields with one fk_name make one foreign key.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "commands/defrem.h"
#include "desired/models.h"
#include "desired/tags.h"

/* clang-format off */
/* What fields of one group must agree on, where more than one says it. */
static const struct
{
	const char *tag;
	Size offset;
} shared[] = {
	{"unique_name", offsetof(KnTagKey, name)}, {"using", offsetof(KnTagKey, method)},
	{"index_where", offsetof(KnTagKey, where)}, {"include", offsetof(KnTagKey, include)},
	{"on_delete", offsetof(KnTagKey, on_delete)}, {"on_update_fk", offsetof(KnTagKey, on_update)},
};
/* clang-format on */

/* Whether a key has something that only an index can have. */
bool
keys_has_index_parts(const KnTagKey *key)
{
	return key->method != NULL || key->where != NULL || key->opclass != NULL;
}

/* Whether an index would be a second one of what a key of the field alone has already. */
static bool
is_idle(const KnTagKey *index, const List *keys)
{
	ListCell *cell;

	foreach(cell, keys)
	{
		const KnTagKey *key = lfirst(cell);

		if ((key->kind & (KN_KEY_UNIQUE | KN_KEY_PRIMARY)) != 0 && key->group == NULL)
			return index->kind == KN_KEY_INDEX && index->group == NULL && index->include == NULL &&
				   !keys_has_index_parts(index);
	}
	return false;
}

/* The key of the model that another field's part goes to; NULL: a new one. */
static KnTagKey *
find_key(const KnModel *model, const KnTagKey *part)
{
	ListCell *cell;

	foreach(cell, model->keys)
	{
		KnTagKey *key = lfirst(cell);

		if (key->kind == part->kind && key->group != NULL && sqltext_equal(key->group, part->group))
			return key;
		if (key->kind == part->kind && key->kind == KN_KEY_PRIMARY)
			tags_refuse(&part->place,
						"makes a second primary key; fields of one key need one group");
	}
	return NULL;
}

/* Brings what a field says about a key to what others of its group have said. */
static void
join_key(KnTagKey *key, const KnTagKey *part)
{
	for (int i = 0; i < (int) lengthof(shared); i++)
	{
		const char **have = (const char **) ((char *) key + shared[i].offset);
		const char *more = *(const char *const *) ((const char *) part + shared[i].offset);

		if (*have == NULL)
			*have = more;
		else if (more != NULL && strcmp(*have, more) != 0)
			tags_refuse(&part->place,
						psprintf("has another \"%s\" than field \"%s\" of its group",
								 shared[i].tag,
								 key->place.field));
	}
	if (!sqltext_equal(key->ref_table, part->ref_table) ||
		!sqltext_equal(key->ref_schema, part->ref_schema))
		tags_refuse(&part->place,
					psprintf("refers to another table than field \"%s\" with the same \"fk_name\"",
							 key->place.field));
	if (key->opclass == NULL)
		key->opclass = part->opclass;
	key->is_deferrable |= part->is_deferrable;
	key->is_deferred |= part->is_deferred;
}

void
keys_add(KnModel *model, const KnTags *tags, const char *column)
{
	const char *name = sqltext_identifier(column);
	ListCell *cell;

	foreach(cell, tags->keys)
	{
		KnTagKey *part = lfirst(cell);
		const char *text = part->opclass != NULL ? psprintf("%s %s", name, part->opclass) : name;
		KnTagKey *key;

		if (is_idle(part, tags->keys))
			continue;
		if (part->kind == KN_KEY_FOREIGN)
			part->group = part->name;
		key = find_key(model, part);
		if (key != NULL)
			join_key(key, part);
		else
			model->keys = lappend(model->keys, key = part);
		key->columns = lappend(key->columns, (char *) text);
		if (part->ref_column != NULL)
			key->ref_columns =
				lappend(key->ref_columns, (char *) sqltext_identifier(part->ref_column));
	}
}

/* The name of a key, NULL where PostgreSQL is to choose one. */
static const char *
key_name(const KnModel *model, const KnTagKey *key)
{
	if (key->name != NULL || key->group == NULL || key->kind != KN_KEY_UNIQUE)
		return key->name;
	return makeObjectName(model->table, key->group, keys_has_index_parts(key) ? "idx" : "key");
}

/* A key as a constraint, as it stands in CREATE TABLE or after ADD. */
const char *
keys_constraint(const KnModel *model, const KnTagKey *key)
{
	const char *name = key_name(model, key);
	const char *schema = key->ref_schema != NULL ? key->ref_schema : model->schema;
	StringInfoData out;

	initStringInfo(&out);
	if (name != NULL)
		appendStringInfo(&out, "CONSTRAINT %s ", sqltext_identifier(name));
	appendStringInfo(&out,
					 "%s (%s)",
					 key->kind == KN_KEY_FOREIGN   ? "FOREIGN KEY"
					 : key->kind == KN_KEY_PRIMARY ? "PRIMARY KEY"
												   : "UNIQUE",
					 sqltext_join(key->columns, ", "));
	if (key->include != NULL)
		appendStringInfo(&out, " INCLUDE (%s)", key->include);
	if (key->kind == KN_KEY_FOREIGN)
		appendStringInfo(&out,
						 " REFERENCES %s (%s)",
						 sqltext_qualified(schema, key->ref_table),
						 sqltext_join(key->ref_columns, ", "));
	if (key->on_delete != NULL)
		appendStringInfo(&out, " ON DELETE %s", key->on_delete);
	if (key->on_update != NULL)
		appendStringInfo(&out, " ON UPDATE %s", key->on_update);
	if (key->is_deferrable || key->is_deferred)
		appendStringInfo(&out, " DEFERRABLE%s", key->is_deferred ? " INITIALLY DEFERRED" : "");
	return out.data;
}

void
keys_write_index(StringInfo out, const KnModel *model, const KnTagKey *key)
{
	const char *name = key_name(model, key);

	if (key->is_deferrable || key->is_deferred)
		tags_refuse(&key->place, "cannot be deferrable, being an index");
	appendStringInfo(out, "CREATE %sINDEX", key->kind == KN_KEY_UNIQUE ? "UNIQUE " : "");
	if (name != NULL)
		appendStringInfo(out, " %s", sqltext_identifier(name));
	appendStringInfo(out, " ON %s", model->name);
	if (key->method != NULL)
		appendStringInfo(out, " USING %s", sqltext_identifier(key->method));
	appendStringInfo(out, " (%s)", sqltext_join(key->columns, ", "));
	if (key->include != NULL)
		appendStringInfo(out, " INCLUDE (%s)", key->include);
	if (key->where != NULL)
		appendStringInfo(out, " WHERE (%s)", key->where);
	appendStringInfoString(out, ";\n");
}
