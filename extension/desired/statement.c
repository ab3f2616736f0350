/*
 * statement.c
 *		What a parsed statement is to a desired schema.
 */
#include "kints_norm.h"

#include "desired/statement.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"

static KnStatementUse use_of_transaction(TransactionStmt *statement);
static bool is_temporary(Node *statement);
static RangeVar *target_relation(Node *statement);
static List *target_name(Node *statement);
static List *constraint_references(List *elements, List *found);

/* Whether a statement describes a schema. */
KnStatementUse
statement_use(Node *statement)
{
	if (is_temporary(statement))
		return KN_REFUSE_STATEMENT;
	switch (nodeTag(statement))
	{
		case T_TransactionStmt:
			return use_of_transaction((TransactionStmt *) statement);
		case T_VariableShowStmt:
		case T_RefreshMatViewStmt:
			return KN_SKIP_STATEMENT;
		case T_CommentStmt:
			switch (((CommentStmt *) statement)->objtype)
			{
				case OBJECT_EXTENSION:
				case OBJECT_DATABASE:
				case OBJECT_ROLE:
				case OBJECT_TABLESPACE:
					return KN_SKIP_STATEMENT;
				default:
					return KN_RUN_STATEMENT;
			}
		case T_CreateStmt:
		case T_CreateTableAsStmt:
		case T_ViewStmt:
		case T_IndexStmt:
		case T_CreateSeqStmt:
		case T_AlterSeqStmt:
		case T_CreateEnumStmt:
		case T_AlterEnumStmt:
		case T_CompositeTypeStmt:
		case T_CreateRangeStmt:
		case T_CreateDomainStmt:
		case T_AlterDomainStmt:
		case T_AlterTypeStmt:
		case T_CreateFunctionStmt:
		case T_AlterFunctionStmt:
		case T_CreateTrigStmt:
		case T_CreatePolicyStmt:
		case T_AlterPolicyStmt:
		case T_RuleStmt:
		case T_CreateStatsStmt:
		case T_AlterStatsStmt:
		case T_DefineStmt:
		case T_CreateOpClassStmt:
		case T_CreateOpFamilyStmt:
		case T_AlterOpFamilyStmt:
		case T_AlterOperatorStmt:
		case T_CreateConversionStmt:
		case T_AlterTSDictionaryStmt:
		case T_AlterTSConfigurationStmt:
		case T_AlterCollationStmt:
		case T_CreateSchemaStmt:
		case T_CreateExtensionStmt:
		case T_AlterTableStmt:
		case T_AlterOwnerStmt:
		case T_AlterObjectSchemaStmt:
		case T_AlterObjectDependsStmt:
		case T_RenameStmt:
		case T_GrantStmt:
		case T_AlterDefaultPrivilegesStmt:
		case T_DropStmt:
		case T_SecLabelStmt:
			return KN_RUN_STATEMENT;
		case T_SelectStmt:
			return feature_is_call((const SelectStmt *) statement) ? KN_RUN_STATEMENT
																   : KN_REFUSE_STATEMENT;
		default:
			return KN_REFUSE_STATEMENT;
	}
}

/* Whether it makes something that only this session would have, and no schema. */
static bool
is_temporary(Node *statement)
{
	RangeVar *relation = target_relation(statement);

	return relation != NULL && relation->relpersistence == RELPERSISTENCE_TEMP;
}

/* A script may be wrapped in a transaction; it must not undo anything. */
static KnStatementUse
use_of_transaction(TransactionStmt *statement)
{
	switch (statement->kind)
	{
		case TRANS_STMT_BEGIN:
		case TRANS_STMT_START:
		case TRANS_STMT_COMMIT:
			return KN_SKIP_STATEMENT;
		default:
			return KN_REFUSE_STATEMENT;
	}
}

/* The words for a statement, as a command tag. */
const char *
statement_word(Node *statement)
{
	const char *tag = GetCommandTagName(CreateCommandTag(statement));

	if (is_temporary(statement) && strncmp(tag, "CREATE ", 7) == 0)
		return psprintf("CREATE TEMPORARY %s", tag + 7);
	switch (nodeTag(statement))
	{
		case T_SelectStmt:
			return "SELECT";
		case T_InsertStmt:
			return "INSERT";
		case T_UpdateStmt:
			return "UPDATE";
		case T_DeleteStmt:
			return "DELETE";
		default:
			return tag;
	}
}

/* Refuses a statement that is no part of a desired schema. */
void
statement_refuse(const char *word, int line)
{
	ereport(
		ERROR,
		errcode(KN_ERRCODE_UNSUPPORTED),
		errmsg("%s at line %d is not part of a schema", word, line),
		errdetail(
			"A desired schema consists of statements that create, alter or comment on objects of schemas."),
		errhint("Take the statement out, and run it where it belongs."));
}

bool
statement_states_owner(Node *statement)
{
	ListCell *cell;

	if (IsA(statement, AlterOwnerStmt))
		return true;
	if (!IsA(statement, AlterTableStmt))
		return false;
	foreach(cell, ((AlterTableStmt *) statement)->cmds)
	{
		if (((AlterTableCmd *) lfirst(cell))->subtype == AT_ChangeOwner)
			return true;
	}
	return false;
}

/*
 * Whether a statement puts something into a schema; *schema is its name, NULL
 * where the statement leaves that to the search_path.
 */
bool
statement_target(Node *statement, const char **schema)
{
	RangeVar *relation = target_relation(statement);
	List *name = target_name(statement);

	*schema = NULL;
	if (relation != NULL)
	{
		*schema = relation->schemaname;
		return relation->relpersistence != RELPERSISTENCE_TEMP;
	}
	if (name == NIL)
		return false;
	if (list_length(name) > 1)
		*schema = strVal(list_nth(name, list_length(name) - 2));
	return true;
}

static RangeVar *
target_relation(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateStmt:
			return ((CreateStmt *) statement)->relation;
		case T_CreateTableAsStmt:
			return ((CreateTableAsStmt *) statement)->into->rel;
		case T_ViewStmt:
			return ((ViewStmt *) statement)->view;
		case T_IndexStmt:
			return ((IndexStmt *) statement)->relation;
		case T_CreateSeqStmt:
			return ((CreateSeqStmt *) statement)->sequence;
		case T_CompositeTypeStmt:
			return ((CompositeTypeStmt *) statement)->typevar;
		case T_CreateTrigStmt:
			return ((CreateTrigStmt *) statement)->relation;
		case T_CreatePolicyStmt:
			return ((CreatePolicyStmt *) statement)->table;
		case T_RuleStmt:
			return ((RuleStmt *) statement)->relation;
		case T_AlterTableStmt:
			return ((AlterTableStmt *) statement)->relation;
		default:
			return NULL;
	}
}

static List *
target_name(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateEnumStmt:
			return ((CreateEnumStmt *) statement)->typeName;
		case T_CreateRangeStmt:
			return ((CreateRangeStmt *) statement)->typeName;
		case T_CreateDomainStmt:
			return ((CreateDomainStmt *) statement)->domainname;
		case T_CreateFunctionStmt:
			return ((CreateFunctionStmt *) statement)->funcname;
		case T_DefineStmt:
			return ((DefineStmt *) statement)->defnames;
		case T_CreateStatsStmt:
			return ((CreateStatsStmt *) statement)->defnames;
		default:
			return NIL;
	}
}

/*
 * Whether a statement creates an object of a schema; *schema as above, *name is
 * the object's.
 */
bool
statement_makes(Node *statement, const char **schema, const char **name)
{
	RangeVar *relation = target_relation(statement);
	List *parts = target_name(statement);

	switch (nodeTag(statement))
	{
		case T_CreateStmt:
		case T_CreateTableAsStmt:
		case T_ViewStmt:
		case T_CreateSeqStmt:
		case T_CompositeTypeStmt:
		case T_CreateEnumStmt:
		case T_CreateRangeStmt:
		case T_CreateDomainStmt:
		case T_CreateFunctionStmt:
		case T_DefineStmt:
		case T_CreateStatsStmt:
			if (!statement_target(statement, schema))
				return false;
			*name = relation != NULL ? relation->relname : strVal(llast(parts));
			return true;
		default:
			return false;
	}
}

/* The name of the schema that CREATE SCHEMA [name] [AUTHORIZATION role] makes. */
const char *
statement_schema_name(CreateSchemaStmt *statement)
{
	if (statement->schemaname != NULL)
		return statement->schemaname;
	return get_rolespec_name(statement->authrole);
}

/*
 * Whether CREATE SCHEMA makes a schema, with the owner, comment and privileges
 * of a new one: public is there in any new database.
 */
bool
statement_makes_schema(CreateSchemaStmt *statement)
{
	return !statement->if_not_exists || strcmp(statement_schema_name(statement), "public") != 0;
}

/* The relation that a statement alters, or puts something on; NULL if it is of another kind. */
const RangeVar *
statement_altered(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_AlterPolicyStmt:
			return ((AlterPolicyStmt *) statement)->table;
		case T_AlterSeqStmt:
			return ((AlterSeqStmt *) statement)->sequence;
		case T_SelectStmt:
			return feature_table((const SelectStmt *) statement);
		case T_IndexStmt:
		case T_CreateTrigStmt:
		case T_CreatePolicyStmt:
		case T_RuleStmt:
		case T_AlterTableStmt:
			return target_relation(statement);
		default:
			return NULL;
	}
}

/* The tables (RangeVar *) that foreign keys in a statement refer to, and parents. */
List *
statement_references(Node *statement)
{
	List *found = NIL;
	ListCell *cell;

	if (IsA(statement, CreateStmt))
	{
		CreateStmt *create = (CreateStmt *) statement;

		found = constraint_references(create->tableElts, NIL);
		found = constraint_references(create->constraints, found);
		found = list_concat(found, create->inhRelations);
	}
	else if (IsA(statement, AlterTableStmt))
	{
		foreach(cell, ((AlterTableStmt *) statement)->cmds)
		{
			AlterTableCmd *command = lfirst(cell);

			if (command->subtype == AT_AddInherit)
				found = lappend(found, command->def);
			else if (command->def != NULL)
				found = constraint_references(list_make1(command->def), found);
		}
	}
	return found;
}

static List *
constraint_references(List *elements, List *found)
{
	ListCell *cell;

	foreach(cell, elements)
	{
		Node *element = lfirst(cell);

		if (IsA(element, ColumnDef))
			found = constraint_references(((ColumnDef *) element)->constraints, found);
		else if (IsA(element, Constraint) && ((Constraint *) element)->contype == CONSTR_FOREIGN)
			found = lappend(found, ((Constraint *) element)->pktable);
	}
	return found;
}
