/*
 * reach.c
 *		A script must not reach beyond the schemas that are planned.
 *
 * What it does to an object of another schema would be undone with the rest and
 * never be planned; and until then it would lock that object against others.
 */
#include "kints_norm.h"

#include "desired/desired.h"
#include "desired/statement.h"

#include "access/relation.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool is_parent(Node *statement, const RangeVar *name);
static void check_creation(Node *statement, const List *schemas);
static void check_relation(const RangeVar *name, const List *schemas);
static void check_named(ObjectType type, Node *object, const List *schemas);
static void check_either(const RangeVar *relation, ObjectType type, Node *object,
						 const List *schemas);
static void check_grant(const GrantStmt *grant, const List *schemas);
static void check_partitions(const AlterTableStmt *statement, const List *schemas);
static bool is_name_of_type(ObjectType type, const Node *object);
static void check_address(const ObjectAddress *address, Oid namespace, const List *schemas);
static void refuse(const char *name);

/* An error if a statement changes what is in another schema; none of them: no limit. */
void
reach_check(Node *statement, const List *schemas)
{
	ListCell *cell;

	if (schemas == NIL)
		return;
	check_creation(statement, schemas);
	check_relation(statement_altered(statement), schemas);
	switch (nodeTag(statement))
	{
#define EITHER(Type, kind)                           \
	case T_##Type:                                   \
		check_either(((Type *) statement)->relation, \
					 ((Type *) statement)->kind,     \
					 ((Type *) statement)->object,   \
					 schemas);                       \
		break;
#define OBJECT(Type, kind, name)                                         \
	case T_##Type:                                                       \
		check_named(kind, (Node *) ((Type *) statement)->name, schemas); \
		break;
		EITHER(RenameStmt, renameType)
		EITHER(AlterObjectSchemaStmt, objectType)
		EITHER(AlterObjectDependsStmt, objectType)
		EITHER(AlterOwnerStmt, objectType)
		OBJECT(CommentStmt, ((CommentStmt *) statement)->objtype, object)
		OBJECT(SecLabelStmt, ((SecLabelStmt *) statement)->objtype, object)
		OBJECT(AlterFunctionStmt, ((AlterFunctionStmt *) statement)->objtype, func)
		OBJECT(AlterEnumStmt, OBJECT_TYPE, typeName)
		OBJECT(AlterDomainStmt, OBJECT_TYPE, typeName)
		OBJECT(AlterTypeStmt, OBJECT_TYPE, typeName)
		OBJECT(AlterStatsStmt, OBJECT_STATISTIC_EXT, defnames)
#undef EITHER
#undef OBJECT
		case T_DropStmt:
			foreach(cell, ((DropStmt *) statement)->objects)
				check_named(((DropStmt *) statement)->removeType, lfirst(cell), schemas);
			break;
		case T_GrantStmt:
			check_grant((GrantStmt *) statement, schemas);
			break;
		case T_AlterTableStmt:
			check_partitions((AlterTableStmt *) statement, schemas);
			break;
		default:
			break;
	}
}

/*
 * A foreign key to a table outside of the planned schemas would lock that
 * table against writes for as long as the plan takes, and so does a parent.
 */
void
reach_check_references(Node *statement, const List *schemas)
{
	ListCell *cell;

	foreach(cell, statement_references(statement))
	{
		RangeVar *name = lfirst(cell);
		Oid relation = RangeVarGetRelid(name, NoLock, true);
		const char *schema;

		if (!OidIsValid(relation))
			continue;
		schema = get_namespace_name(get_rel_namespace(relation));
		if (!sqltext_member(schemas, schema))
			ereport(ERROR,
					errcode(KN_ERRCODE_UNSUPPORTED),
					is_parent(statement, name)
						? errmsg("a parent table is \"%s\", whose schema is not planned",
								 sqltext_qualified(schema, name->relname))
						: errmsg("foreign key refers to \"%s\", whose schema is not planned",
								 sqltext_qualified(schema, name->relname)),
					errhint("Plan both schemas together: name them in the option \"schemas\"."));
	}
}

/* Whether a reference is that of a child to its parent. */
static bool
is_parent(Node *statement, const RangeVar *name)
{
	ListCell *cell;

	if (IsA(statement, CreateStmt))
		return list_member_ptr(((CreateStmt *) statement)->inhRelations, name);
	foreach(cell, ((AlterTableStmt *) statement)->cmds)
	{
		if (((AlterTableCmd *) lfirst(cell))->def == (const Node *) name)
			return true;
	}
	return false;
}

/* Where the path puts what is created must be planned. */
static void
check_creation(Node *statement, const List *schemas)
{
	const char *schema;
	const char *name;
	List *path;

	if (!statement_makes(statement, &schema, &name))
		return;
	if (schema == NULL)
	{
		path = fetch_search_path(false);
		schema = path == NIL ? NULL : get_namespace_name(linitial_oid(path));
	}
	if (schema != NULL && !sqltext_member(schemas, schema))
		refuse(sqltext_qualified(schema, name));
}

static void
check_relation(const RangeVar *name, const List *schemas)
{
	ObjectAddress address;

	if (name == NULL)
		return;
	ObjectAddressSet(address, RelationRelationId, RangeVarGetRelid(name, NoLock, true));
	if (OidIsValid(address.objectId))
		check_address(&address, get_rel_namespace(address.objectId), schemas);
}

static void
check_either(const RangeVar *relation, ObjectType type, Node *object, const List *schemas)
{
	if (relation != NULL)
		check_relation(relation, schemas);
	else if (object != NULL)
		check_named(type, object, schemas);
}

/* What a parsed statement names, in any of the ways in which names are kept. */
static void
check_named(ObjectType type, Node *object, const List *schemas)
{
	Relation relation = NULL;
	ObjectAddress address;
	Oid namespace;

	if (IsA(object, RangeVar))
	{
		check_relation((RangeVar *) object, schemas);
		return;
	}
	if (type == OBJECT_TABLE || type == OBJECT_VIEW || type == OBJECT_MATVIEW ||
		type == OBJECT_SEQUENCE || type == OBJECT_INDEX)
	{
		check_relation(makeRangeVarFromNameList((List *) object), schemas);
		return;
	}
	if (is_name_of_type(type, object))
	{
		type = OBJECT_TYPE;
		object = (Node *) makeTypeNameFromNameList((List *) object);
	}
	address = get_object_address(type, object, &relation, AccessShareLock, true);
	if (relation != NULL)
	{
		namespace = RelationGetNamespace(relation);
		relation_close(relation, NoLock);
	}
	else if (!OidIsValid(address.objectId) ||
			 get_object_attnum_namespace(address.classId) == InvalidAttrNumber)
		return;
	else
	namespace = get_object_namespace(&address);
	check_address(&address, namespace, schemas);
}

/* COMMENT and DROP have a TypeName, the others the parts of a name. */
static bool
is_name_of_type(ObjectType type, const Node *object)
{
	return (type == OBJECT_TYPE || type == OBJECT_DOMAIN || type == OBJECT_DOMCONSTRAINT) &&
		   IsA(object, List) && IsA(linitial((const List *) object), String);
}

static void
check_grant(const GrantStmt *grant, const List *schemas)
{
	ListCell *cell;

	foreach(cell, grant->objects)
	{
		if (grant->targtype == ACL_TARGET_OBJECT && !IsA(lfirst(cell), String))
			check_named(grant->objtype, lfirst(cell), schemas);
		else if (grant->targtype == ACL_TARGET_ALL_IN_SCHEMA &&
				 !sqltext_member(schemas, strVal(lfirst(cell))))
			refuse(strVal(lfirst(cell)));
	}
}

/* A table that becomes a partition, or is one no longer, is altered too. */
static void
check_partitions(const AlterTableStmt *statement, const List *schemas)
{
	ListCell *cell;

	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);

		if (command->subtype == AT_AttachPartition || command->subtype == AT_DetachPartition)
			check_relation(((PartitionCmd *) command->def)->name, schemas);
	}
}

/* The server's own objects, and those of extensions, are let be whatever is said of them. */
static void
check_address(const ObjectAddress *address, Oid namespace, const List *schemas)
{
	const char *schema = get_namespace_name(namespace);

	if (schema == NULL || sqltext_member(schemas, schema) ||
		strcmp(schema, "information_schema") == 0 ||
		(strncmp(schema, "pg_", 3) == 0 && !isAnyTempNamespace(namespace)) ||
		(OidIsValid(address->objectId) &&
		 OidIsValid(getExtensionOfObject(address->classId, address->objectId))))
		return;
	refuse(OidIsValid(address->objectId) ? getObjectIdentity(address, false) : schema);
}

static void
refuse(const char *name)
{
	ereport(ERROR,
			errcode(KN_ERRCODE_UNSUPPORTED),
			errmsg("the desired state changes %s, whose schema is not planned", name),
			errhint("Name the schema in the option \"schemas\", or take the statement out."));
}
