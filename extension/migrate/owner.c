/*
 * owner.c
 *		Whose code a statement may run.
 *
 * A rollback says again what somebody else has once written: a default, a
 * check, the conversion of a type.  Where the server would evaluate that over
 * rows, it is done as the owner of the rows, so that nobody can lay a function
 * in the way of a mightier role that rolls back.  What the server itself does
 * as the owner (indexes, refreshing a materialized view) or without running
 * anything needs no such care.
 */
#include "kints_norm.h"

#include "migrate/migrate.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/syscache.h"

static Oid owner_of_relation(const RangeVar *name);
static Oid owner_of_domain(List *name);
static bool runs_code(const AlterTableCmd *command);
static bool is_identity(const ColumnDef *column);

/* The role, or InvalidOid where it does not matter who runs the statement. */
Oid
owner_of_code(const char *sql)
{
	ListCell *cell;
	ListCell *command;

	foreach(cell, raw_parser(sql, RAW_PARSE_DEFAULT))
	{
		Node *statement = ((RawStmt *) lfirst(cell))->stmt;

		if (IsA(statement, AlterDomainStmt) &&
			strchr("CV", ((AlterDomainStmt *) statement)->subtype) != NULL)
			return owner_of_domain(((AlterDomainStmt *) statement)->typeName);
		if (!IsA(statement, AlterTableStmt))
			continue;
		foreach(command, ((AlterTableStmt *) statement)->cmds)
		{
			if (runs_code(lfirst(command)))
				return owner_of_relation(((AlterTableStmt *) statement)->relation);
		}
	}
	return InvalidOid;
}

static bool
runs_code(const AlterTableCmd *command)
{
	switch (command->subtype)
	{
		case AT_AddColumn:
			return !is_identity((const ColumnDef *) command->def);
		case AT_AddConstraint:
			return ((const Constraint *) command->def)->contype == CONSTR_CHECK;
		case AT_AlterColumnType:
		case AT_AttachPartition:
		case AT_ValidateConstraint:
			return true;
		default:
			return false;
	}
}

/* Such a column has a plain type, and making its sequence takes a right on the schema. */
static bool
is_identity(const ColumnDef *column)
{
	ListCell *cell;

	foreach(cell, column->constraints)
	{
		if (((const Constraint *) lfirst(cell))->contype == CONSTR_IDENTITY)
			return true;
	}
	return false;
}

static Oid
owner_of_relation(const RangeVar *name)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(RangeVarGetRelid(name, NoLock, true)));
	Oid owner = InvalidOid;

	if (HeapTupleIsValid(row))
	{
		owner = ((Form_pg_class) GETSTRUCT(row))->relowner;
		ReleaseSysCache(row);
	}
	return owner;
}

static Oid
owner_of_domain(List *name)
{
	Type row = LookupTypeName(NULL, makeTypeNameFromNameList(name), NULL, true);
	Oid owner = InvalidOid;

	if (row != NULL)
	{
		owner = ((Form_pg_type) GETSTRUCT(row))->typowner;
		ReleaseSysCache(row);
	}
	return owner;
}
