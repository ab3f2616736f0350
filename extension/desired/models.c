/*
 * models.c
 *		Models as JSON to the DDL text that means the same.
 *
 * Per model: CREATE TABLE with its constraints, then its indexes and comments.
 * Foreign keys come after all models, so that these may stand in any order.
 * What the text means is for the server to say: types, expressions and
 * references are not checked here.
 *
 * Keys are put together in keys.c, and what is to happen to rows in behaviour.c.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "commands/defrem.h"
#include "desired/models.h"
#include "desired/tags.h"

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
	if (word == NULL && tags->is_history)
		return "tstzrange";
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
	if (tags->default_sql != NULL || tags->is_version || tags->is_history)
		appendStringInfo(&out,
						 " DEFAULT (%s)",
						 tags->default_sql != NULL ? tags->default_sql
						 : tags->is_version        ? "1"
											: "pg_catalog.tstzrange(pg_catalog.now(), NULL)");
	if (tags->identity != NULL)
		appendStringInfo(&out, " GENERATED %s AS IDENTITY", tags->identity);
	if (tags->generated != NULL)
		appendStringInfo(&out, " GENERATED ALWAYS AS (%s) STORED", tags->generated);
	if (tags->check != NULL)
		appendStringInfo(&out, " CHECK (%s)", tags->check);
	return out.data;
}

static void
read_field(Writer *writer, KnModel *model, JsonbContainer *object, const char *path)
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
	tags->is_not_null |= tags->is_version || tags->is_history;
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
	keys_add(model, tags, column);
	behaviour_add(model, tags, column);
}

static void
write_model(Writer *writer, const KnModel *model)
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
							 keys_constraint(model, key));
		else if (key->kind == KN_KEY_INDEX || keys_has_index_parts(key))
			keys_write_index(&indexes, model, key);
		else
			elements = lappend(elements, (char *) keys_constraint(model, key));
	}
	behaviour_write(&indexes, model);
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
	KnModel model = { 0 };

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
