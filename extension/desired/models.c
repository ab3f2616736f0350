/*
 * models.c
 *		Models as JSON to the DDL text that means the same.
 *
 * Per model: CREATE TABLE with its constraints, then its indexes and comments.
 * Foreign keys come after all models, so that these may stand in any order.
 * What the text means is for the server to say: types, expressions and
 * references are not checked here.
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

/* One model on its way to DDL. */
typedef struct Model
{
	const char *schema;
	const char *table;
	const char *name;        /* schema and table, as SQL */
	List *columns;           /* names */
	List *elements;          /* of CREATE TABLE, as SQL */
	List *keys;              /* KnTagKey *, those of one group joined */
	StringInfoData comments; /* statements */
} Model;

/* All models. */
typedef struct Writer
{
	KnModels *result;
	List *tables;           /* names, as SQL */
	StringInfoData ddl;     /* statements */
	StringInfoData foreign; /* statements that need all tables */
} Writer;

/* clang-format off */
static const struct
{
	const char *word;
	const char *sql;
	bool is_integer;
} types[] = {
	{"string", "text", false}, {"json", "jsonb", false}, {"uuid", "uuid", false},
	{"bool", "boolean", false}, {"[]byte", "bytea", false}, {"bytes", "bytea", false},
	{"int", "bigint", true}, {"int64", "bigint", true}, {"int32", "integer", true},
	{"int16", "smallint", true}, {"float64", "double precision", false}, {"float32", "real", false},
	{"decimal", "numeric", false}, {"date", "date", false}, {"duration", "interval", false},
	{"time", "timestamptz", false}, {"time.Time", "timestamptz", false},
};

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

static void refuse(const char *path, const char *problem, const char *hint) pg_attribute_noreturn();

/* Refuses what is at path; problem goes on from there: "has no name". */
static void
refuse(const char *path, const char *problem, const char *hint)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s %s", path, problem),
			hint != NULL ? errhint("%s", hint) : 0);
}

/* Refuses keys of an object other than the known. */
static void
check_keys(JsonbContainer *object, const char *path, const List *known)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue key;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !sqltext_member(known, json_string(&key, path)))
			refuse(path,
				   psprintf("has an unknown key \"%s\"", json_string(&key, path)),
				   psprintf("Known keys: %s.", sqltext_join(known, ", ")));
	}
}

/* The array of an object that must be there; path is that of the array. */
static JsonbContainer *
read_array(JsonbContainer *object, const char *key, const char *path)
{
	JsonbValue storage;
	const JsonbValue *value = json_field(object, key, &storage);

	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse(path, "must be an array", NULL);
	return value->val.binary.data;
}

/* An element of an array, which must be an object with no other keys; path is its own. */
static JsonbContainer *
read_object(JsonbContainer *array, int i, const char *path, const List *known)
{
	const JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse(path, "must be an object", NULL);
	check_keys(value->val.binary.data, path, known);
	return value->val.binary.data;
}

/* A string of an object, NULL if there is none. */
static const char *
read_text(JsonbContainer *object, const char *key, const char *path)
{
	JsonbValue storage;
	const JsonbValue *value = json_field(object, key, &storage);

	return value != NULL ? json_string(value, psprintf("%s.%s", path, key)) : NULL;
}

/* Likewise, for a name; fallback is what it is without, NULL: there must be one. */
static const char *
read_name(JsonbContainer *object, const char *key, const char *path, const char *fallback)
{
	const char *name = read_text(object, key, path);

	if (name == NULL && fallback != NULL)
		return fallback;
	if (name == NULL || name[0] == '\0')
		refuse(path, psprintf("has %s \"%s\"", name == NULL ? "no" : "an empty", key), NULL);
	if (strlen(name) >= NAMEDATALEN)
		refuse(path, psprintf("has a \"%s\" over %d bytes", key, NAMEDATALEN - 1), NULL);
	return name;
}

/* from is NULL or the same as to where nothing is renamed. */
static void
add_rename(KnModels *result, const char *parent, const char *from, const char *to)
{
	if (from == NULL || strcmp(from, to) == 0)
		return;
	result->rename_from =
		lappend(result->rename_from, psprintf("%s.%s", parent, sqltext_identifier(from)));
	result->rename_to = lappend(result->rename_to, (char *) to);
}

/* The SQL of a field's type; word is the model's, NULL where it has none. */
static const char *
column_type(const KnTags *tags, const char *word, const char *path)
{
	List *known = NIL;

	if (tags->type != NULL)
		return tags->type;
	if (word == NULL && tags->is_version)
		return "bigint";
	if (word == NULL && tags->is_soft_delete)
		return "timestamptz";
	for (int i = 0; i < (int) lengthof(types); i++)
	{
		known = lappend(known, (char *) types[i].word);
		if (word == NULL || strcmp(types[i].word, word) != 0)
			continue;
		if (tags->integer_place != NULL && !types[i].is_integer)
			tags_refuse(tags->integer_place, psprintf("needs an integer, not a \"%s\"", word));
		return types[i].sql;
	}
	refuse(path,
		   word == NULL ? "has no \"type\"" : psprintf("has an unknown type \"%s\"", word),
		   psprintf("Known types: %s; a tag can state any other.", sqltext_join(known, ", ")));
}

/* The definition of a column, as it stands in CREATE TABLE. */
static const char *
column_text(const KnTags *tags, const char *column, const char *type)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%s %s", sqltext_identifier(column), type);
	if (tags->collation != NULL)
		appendStringInfo(&out, " COLLATE %s", tags->collation);
	if (tags->is_not_null)
		appendStringInfoString(&out, " NOT NULL");
	if (tags->default_sql != NULL || tags->is_version)
		appendStringInfo(&out,
						 " DEFAULT (%s)",
						 tags->default_sql != NULL ? tags->default_sql : "1");
	if (tags->identity != NULL)
		appendStringInfo(&out, " GENERATED %s AS IDENTITY", tags->identity);
	if (tags->generated != NULL)
		appendStringInfo(&out, " GENERATED ALWAYS AS (%s) STORED", tags->generated);
	if (tags->check != NULL)
		appendStringInfo(&out, " CHECK (%s)", tags->check);
	return out.data;
}

/* Whether a key has something that only an index can have. */
static bool
has_index_parts(const KnTagKey *key)
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
				   !has_index_parts(index);
	}
	return false;
}

/* The key of the model that another field's part goes to; NULL: a new one. */
static KnTagKey *
find_key(const Model *model, const KnTagKey *part)
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

static void
add_keys(Model *model, const KnTags *tags, const char *column)
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

static void
read_field(Writer *writer, Model *model, JsonbContainer *object, const char *path)
{
	const char *name = read_name(object, "name", path, NULL);
	const char *text = read_text(object, "tags", path);
	const char *type = read_text(object, "type", path);
	KnTags *tags = tags_read(text != NULL ? text : "", model->table, name);
	const char *column = tags->column != NULL ? tags->column : name;
	JsonbValue storage;
	const JsonbValue *nullable = json_field(object, "nullable", &storage);

	if (tags->is_ignored)
		return;
	if (sqltext_member(model->columns, column))
		refuse(path, psprintf("is a second field of column \"%s\"", column), NULL);
	if (nullable != NULL && !json_bool(nullable, psprintf("%s.nullable", path)))
		tags->is_not_null |= !tags->is_nullable && !tags->is_soft_delete;
	tags->is_not_null |= tags->is_version;
	model->columns = lappend(model->columns, (char *) column);
	model->elements =
		lappend(model->elements, (char *) column_text(tags, column, column_type(tags, type, path)));
	if (tags->comment != NULL)
		appendStringInfo(&model->comments,
						 "COMMENT ON COLUMN %s.%s IS %s;\n",
						 model->name,
						 sqltext_identifier(column),
						 sqltext_literal(tags->comment));
	add_rename(writer->result, model->name, tags->rename_from, column);
	add_keys(model, tags, column);
}

/* The name of a key, NULL where PostgreSQL is to choose one. */
static const char *
key_name(const Model *model, const KnTagKey *key)
{
	if (key->name != NULL || key->group == NULL || key->kind != KN_KEY_UNIQUE)
		return key->name;
	return makeObjectName(model->table, key->group, has_index_parts(key) ? "idx" : "key");
}

/* A key as a constraint, as it stands in CREATE TABLE or after ADD. */
static const char *
constraint_text(const Model *model, const KnTagKey *key)
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

static void
write_index(StringInfo out, const Model *model, const KnTagKey *key)
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

static void
write_model(Writer *writer, const Model *model)
{
	List *elements = list_copy(model->elements);
	StringInfoData indexes;
	ListCell *cell;

	initStringInfo(&indexes);
	foreach(cell, model->keys)
	{
		const KnTagKey *key = lfirst(cell);

		if (key->kind == KN_KEY_FOREIGN)
			appendStringInfo(&writer->foreign,
							 "ALTER TABLE %s ADD %s;\n",
							 model->name,
							 constraint_text(model, key));
		else if (key->kind == KN_KEY_INDEX || has_index_parts(key))
			write_index(&indexes, model, key);
		else
			elements = lappend(elements, (char *) constraint_text(model, key));
	}
	appendStringInfo(&writer->ddl,
					 elements != NIL ? "CREATE TABLE %s (\n\t%s\n);\n%s%s"
									 : "CREATE TABLE %s (%s);\n%s%s",
					 model->name,
					 sqltext_join(elements, ",\n\t"),
					 indexes.data,
					 model->comments.data);
}

static void
read_model(Writer *writer, JsonbContainer *object, const char *path, const char *default_schema)
{
	KnModels *result = writer->result;
	const char *comment = read_text(object, "comment", path);
	const char *from;
	JsonbContainer *fields;
	List *known = list_make4("name", "type", "nullable", "tags");
	Model model = { 0 };

	model.table = read_name(object, "table", path, NULL);
	model.schema = read_name(object, "schema", path, default_schema);
	model.name = sqltext_qualified(model.schema, model.table);
	if (sqltext_member(writer->tables, model.name))
		refuse(path, psprintf("is a second model of table \"%s\"", model.name), NULL);
	writer->tables = lappend(writer->tables, (char *) model.name);
	if (!sqltext_member(result->schemas, model.schema))
		result->schemas = lappend(result->schemas, (char *) model.schema);
	from = read_name(object, "rename_from", path, model.table);
	add_rename(result, sqltext_identifier(model.schema), from, model.table);
	initStringInfo(&model.comments);
	if (comment != NULL)
		appendStringInfo(&model.comments,
						 "COMMENT ON TABLE %s IS %s;\n",
						 model.name,
						 sqltext_literal(comment));
	fields = read_array(object, "fields", psprintf("%s.fields", path));
	for (int i = 0; i < (int) JsonContainerSize(fields); i++)
	{
		const char *place = psprintf("%s.fields[%d]", path, i);

		read_field(writer, &model, read_object(fields, i, place, known), place);
	}
	write_model(writer, &model);
}

/*
 * {"models": [...]}, which must be an object, to DDL.  Tables without a schema of their own go to
 * default_schema.
 */
KnModels *
models_to_ddl(Jsonb *models, const char *default_schema)
{
	List *known = list_make5("table", "schema", "rename_from", "comment", "fields");
	Writer writer = { 0 };
	JsonbContainer *array;

	writer.result = palloc0(sizeof(KnModels));
	initStringInfo(&writer.ddl);
	initStringInfo(&writer.foreign);
	check_keys(&models->root, "a desired state of models", list_make1("models"));
	array = read_array(&models->root, "models", "models");
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		const char *path = psprintf("models[%d]", i);

		read_model(&writer, read_object(array, i, path, known), path, default_schema);
	}
	appendStringInfoString(&writer.ddl, writer.foreign.data);
	writer.result->ddl = writer.ddl.data;
	return writer.result;
}
