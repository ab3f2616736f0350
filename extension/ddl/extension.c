/*
 * extension.c
 *		CREATE and DROP EXTENSION.
 *
 * The version is left to the server: what a schema needs is the extension.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"

List *
ddl_create_extension(const KnExtension *object, const List *parts)
{
	const char *name = sqltext_identifier(object->head.name);

	(void) parts;
	if (object->schema == NULL)
		return ddl_say(NIL, "create_extension", NULL, "CREATE EXTENSION %s", name);
	return ddl_say(NIL,
				   "create_extension",
				   NULL,
				   "CREATE EXTENSION %s WITH SCHEMA %s",
				   name,
				   sqltext_identifier(object->schema));
}

List *
ddl_drop_extension(const KnExtension *object)
{
	return ddl_say(NIL,
				   "drop_extension",
				   NULL,
				   "DROP EXTENSION %s",
				   sqltext_identifier(object->head.name));
}

List *
ddl_alter_extension(const KnExtension *from, const KnExtension *to)
{
	if (sqltext_equal(from->schema, to->schema))
		return NIL;
	return ddl_say(NIL,
				   "set_schema",
				   "schema",
				   "ALTER EXTENSION %s SET SCHEMA %s",
				   sqltext_identifier(to->head.name),
				   sqltext_identifier(to->schema));
}
