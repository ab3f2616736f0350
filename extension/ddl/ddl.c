/*
 * ddl.c
 *		Dispatch by kind, and what is said of all kinds in the same way.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

#include <ctype.h>

static const char *object_words(const KnObject *object);
static const char *object_name(const KnObject *object);
static List *finish_table(const KnTable *from, const KnTable *to);
static List *finish_parents(List *statements, const KnTable *from, const KnTable *to);
static List *finish_matview(const KnMatview *from, const KnMatview *to);
static List *cluster_on(List *statements, const char *alter, const char *from, const char *to);
static List *finish_sequence(const KnSequence *from, const KnSequence *to);
static List *finish_index(const KnIndex *from, const KnIndex *to);

List *
ddl_create(const KnObject *object, const List *parts)
{
	switch (object->kind)
	{
#define X(kind, type, word, sql) \
	case KN_##kind:              \
		return ddl_create_##word((const type *) object, parts);
		KN_KINDS(X)
#undef X
		case KN_KIND_COUNT:
			break;
	}
	elog(ERROR, "unknown kind of object: %d", (int) object->kind);
}

List *
ddl_drop(const KnObject *object)
{
	switch (object->kind)
	{
#define X(kind, type, word, sql) \
	case KN_##kind:              \
		return ddl_drop_##word((const type *) object);
		KN_KINDS(X)
#undef X
		case KN_KIND_COUNT:
			break;
	}
	elog(ERROR, "unknown kind of object: %d", (int) object->kind);
}

List *
ddl_alter(const KnObject *from, const KnObject *to)
{
	Assert(from->kind == to->kind);
	switch (to->kind)
	{
#define X(kind, type, word, sql) \
	case KN_##kind:              \
		return ddl_alter_##word((const type *) from, (const type *) to);
		KN_KINDS(X)
#undef X
		case KN_KIND_COUNT:
			break;
	}
	elog(ERROR, "unknown kind of object: %d", (int) to->kind);
}

List *
ddl_finish(const KnObject *from, const KnObject *to)
{
	switch (to->kind)
	{
		case KN_TABLE:
			return finish_table((const KnTable *) from, (const KnTable *) to);
		case KN_MATVIEW:
			return finish_matview((const KnMatview *) from, (const KnMatview *) to);
		case KN_SEQUENCE:
			return finish_sequence((const KnSequence *) from, (const KnSequence *) to);
		case KN_INDEX:
			return finish_index((const KnIndex *) from, (const KnIndex *) to);
		default:
			return NIL;
	}
}

List *
ddl_owner(const KnObject *object)
{
	switch (object->kind)
	{
		case KN_SCHEMA:
		case KN_ENUM:
		case KN_RANGE:
		case KN_COMPOSITE:
		case KN_DOMAIN:
		case KN_FUNCTION:
		case KN_AGGREGATE:
		case KN_SEQUENCE:
		case KN_TABLE:
		case KN_VIEW:
		case KN_MATVIEW:
		case KN_STATISTICS:
			break;
		default:
			return NIL;
	}
	if (object->owner == NULL)
		return NIL;
	return ddl_say(NIL,
				   "set_owner",
				   "owner",
				   "ALTER %s %s OWNER TO %s",
				   object_words(object),
				   object_name(object),
				   sqltext_identifier(object->owner));
}

List *
ddl_comment(const KnObject *from, const KnObject *to)
{
	if (to->kind == KN_DEFAULT || to->kind == KN_OTHER)
		return NIL;
	if (sqltext_equal(from == NULL ? NULL : from->comment, to->comment))
		return NIL;
	return ddl_say(NIL,
				   "set_comment",
				   "comment",
				   "COMMENT ON %s %s IS %s",
				   object_words(to),
				   object_name(to),
				   sqltext_literal(to->comment));
}

/* NIL for what has no name to change: an extension, a default. */
List *
ddl_rename(const KnObject *object, const char *new_name)
{
	const char *name = sqltext_identifier(object->name);
	const char *wanted = sqltext_identifier(new_name);
	const char *words = object_words(object);
	StringInfoData kind;

	switch (object->kind)
	{
		case KN_EXTENSION:
		case KN_DEFAULT:
		case KN_OTHER:
			return NIL;
		case KN_COLUMN:
		case KN_CONSTRAINT:
			return ddl_say(NIL,
						   object->kind == KN_COLUMN ? "rename_column" : "rename_constraint",
						   NULL,
						   "ALTER TABLE %s RENAME %s %s TO %s",
						   name_of_parent(object),
						   words,
						   name,
						   wanted);
		default:
			break;
	}
	initStringInfo(&kind);
	appendStringInfo(&kind, "rename_%s", words);
	for (char *at = kind.data; *at != '\0'; at++)
		*at = *at == ' ' ? '_' : (char) tolower((unsigned char) *at);
	return ddl_say(NIL,
				   kind.data,
				   NULL,
				   "ALTER %s %s RENAME TO %s",
				   words,
				   object_name(object),
				   wanted);
}

/* The text is cut off behind its last word: some of the server's end in a newline. */
List *
ddl_say(List *statements, const char *kind, const char *aspect, const char *format, ...)
{
	KnStatement *statement = palloc(sizeof(KnStatement));
	StringInfoData out;
	int needed;

	initStringInfo(&out);
	do
	{
		va_list arguments;

		va_start(arguments, format);
		needed = appendStringInfoVA(&out, format, arguments);
		va_end(arguments);
		if (needed > 0)
			enlargeStringInfo(&out, needed);
	} while (needed > 0);
	while (out.len > 0 && isspace((unsigned char) out.data[out.len - 1]))
		out.data[--out.len] = '\0';

	statement->kind = kind;
	statement->aspect = aspect;
	statement->sql = out.data;
	return lappend(statements, statement);
}

/* The words for its kind, as in COMMENT ON. */
static const char *
object_words(const KnObject *object)
{
	if (object->kind == KN_FUNCTION && ((const KnFunction *) object)->is_procedure)
		return "PROCEDURE";
	return kn_kinds[object->kind].sql;
}

/* Its name, as it stands after those words. */
static const char *
object_name(const KnObject *object)
{
	const char *name = sqltext_qualified(object->schema, object->name);
	const char *arguments = object->arguments == NULL ? "" : object->arguments;

	switch (object->kind)
	{
		case KN_SCHEMA:
		case KN_EXTENSION:
			return sqltext_identifier(object->name);
		case KN_FUNCTION:
			return psprintf("%s(%s)", name, arguments);
		case KN_AGGREGATE:
			return psprintf("%s(%s)", name, *arguments == '\0' ? "*" : arguments);
		case KN_COLUMN:
			return psprintf("%s.%s", name_of_parent(object), sqltext_identifier(object->name));
		case KN_CONSTRAINT:
		case KN_RULE:
		case KN_TRIGGER:
		case KN_POLICY:
			return psprintf("%s ON %s", sqltext_identifier(object->name), name_of_parent(object));
		default:
			return name;
	}
}

static List *
finish_table(const KnTable *from, const KnTable *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	const char *alter = psprintf("ALTER TABLE %s", name);
	const char *found = from == NULL ? NULL : from->replica_identity;
	const char *wanted = to->replica_identity;
	List *statements = finish_parents(NIL, from, to);

	found = found == NULL ? "DEFAULT" : found;
	wanted = wanted == NULL ? "DEFAULT" : wanted;
	if (!sqltext_equal(found, wanted))
		statements = ddl_say(statements,
							 "replica_identity",
							 "replica_identity",
							 "%s REPLICA IDENTITY %s",
							 alter,
							 wanted);
	if (from != NULL)
		statements = ddl_alter_options(statements,
									   "set_table_options",
									   alter,
									   ddl_toast_options(from->options),
									   ddl_toast_options(to->options));
	return cluster_on(statements, alter, from == NULL ? NULL : from->cluster_on, to->cluster_on);
}

/* Joins the table to parents it did not have; CREATE TABLE has said INHERITS. */
static List *
finish_parents(List *statements, const KnTable *from, const KnTable *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);
	ListCell *cell;

	if (to->partition_of != NULL)
	{
		if (from != NULL && sqltext_equal(from->partition_of, to->partition_of) &&
			sqltext_equal(from->partition_bound, to->partition_bound))
			return statements;
		return ddl_say(statements,
					   "attach_partition",
					   "partition_of",
					   "ALTER TABLE %s ATTACH PARTITION %s %s",
					   to->partition_of,
					   name,
					   to->partition_bound);
	}
	if (from != NULL && to->of_type != NULL && !sqltext_equal(from->of_type, to->of_type))
		statements =
			ddl_say(statements, "of_type", "of_type", "ALTER TABLE %s OF %s", name, to->of_type);
	foreach(cell, from == NULL ? NIL : to->inherits)
	{
		if (from->partition_of == NULL && ddl_position(from->inherits, lfirst(cell)) >= 0)
			continue;
		statements = ddl_say(statements,
							 "inherit",
							 "inherits",
							 "ALTER TABLE %s INHERIT %s",
							 name,
							 (const char *) lfirst(cell));
	}
	return statements;
}

static List *
finish_matview(const KnMatview *from, const KnMatview *to)
{
	const char *name = sqltext_qualified(to->head.schema, to->head.name);

	return cluster_on(NIL,
					  psprintf("ALTER MATERIALIZED VIEW %s", name),
					  from == NULL ? NULL : from->cluster_on,
					  to->cluster_on);
}

static List *
cluster_on(List *statements, const char *alter, const char *from, const char *to)
{
	if (sqltext_equal(from, to))
		return statements;
	if (to == NULL)
		return ddl_say(statements, "cluster_on", "cluster_on", "%s SET WITHOUT CLUSTER", alter);
	return ddl_say(statements, "cluster_on", "cluster_on", "%s CLUSTER ON %s", alter, to);
}

static List *
finish_sequence(const KnSequence *from, const KnSequence *to)
{
	if (sqltext_equal(from == NULL ? NULL : from->owned_by, to->owned_by))
		return NIL;
	return ddl_say(NIL,
				   "own_sequence",
				   "owned_by",
				   "ALTER SEQUENCE %s OWNED BY %s",
				   sqltext_qualified(to->head.schema, to->head.name),
				   to->owned_by == NULL ? "NONE" : to->owned_by);
}

/* There is no DETACH for an index: it goes with the table it is on. */
static List *
finish_index(const KnIndex *from, const KnIndex *to)
{
	if (to->attached_to == NULL)
		return NIL;
	if (from != NULL && sqltext_equal(from->attached_to, to->attached_to))
		return NIL;
	return ddl_say(NIL,
				   "attach_index",
				   "attached_to",
				   "ALTER INDEX %s ATTACH PARTITION %s",
				   to->attached_to,
				   sqltext_qualified(to->head.schema, to->head.name));
}
