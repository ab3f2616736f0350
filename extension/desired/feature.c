/*
 * feature.c
 *		Calls of functions of ours that say what is to happen to the rows of a table.
 *
 * SELECT kints_version_enable('t', ...) makes a trigger, which is part of a
 * schema like any other.  Such a call may stand in a desired schema, alone and
 * with constants only: what is run is the function of this extension, whatever
 * the search_path says and whoever has laid another one in the way.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "desired/desired.h"
#include "desired/statement.h"
#include "funcapi.h"
#include "nodes/nodes.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static const char *const functions[] = {
	"kints_version_enable", "kints_touch_enable", "kints_soft_delete_enable", "kints_history_enable"
};

static const FuncCall *call_of(const SelectStmt *select);
static const A_Const *constant_of(const Node *argument);
static HeapTuple find_function(const char *name);
static void fill_arguments(FunctionCallInfo fcinfo, HeapTuple row, const FuncCall *call);
static List *defaults_of(HeapTuple row);
static int number_of(HeapTuple row, const Node *argument, int place);
static Datum value_of(const A_Const *constant, Oid type);
static char *constant_text(const A_Const *constant);

/* Whether it is such a call. */
bool
feature_is_call(const SelectStmt *select)
{
	const FuncCall *call = call_of(select);
	const ListCell *cell;

	if (call == NULL || call->args == NIL || call->agg_order != NIL || call->agg_filter != NULL ||
		call->over != NULL || call->agg_distinct || call->agg_star || call->func_variadic)
		return false;
	foreach(cell, call->args)
	{
		if (constant_of(lfirst(cell)) == NULL)
			return false;
	}
	return feature_table(select) != NULL;
}

/* The only thing that is selected, if that is a call of one of the functions. */
static const FuncCall *
call_of(const SelectStmt *select)
{
	const ResTarget *target;
	const FuncCall *call;

	if (list_length(select->targetList) != 1 || select->fromClause != NIL ||
		select->whereClause != NULL || select->intoClause != NULL || select->op != SETOP_NONE ||
		select->withClause != NULL || select->limitCount != NULL || select->limitOffset != NULL ||
		select->lockingClause != NIL || select->distinctClause != NIL ||
		select->groupClause != NIL || select->havingClause != NULL || select->windowClause != NIL ||
		select->sortClause != NIL)
		return NULL;
	target = linitial(select->targetList);
	if (!IsA(target->val, FuncCall))
		return NULL;
	call = (const FuncCall *) target->val;
	if (!sqltext_is_any(strVal(llast(call->funcname)), functions, lengthof(functions)))
		return NULL;
	if (list_length(call->funcname) > 1 &&
		strcmp(strVal(linitial(call->funcname)), extension_own_schema()) != 0)
		return NULL;
	return call;
}

/* The constant that an argument is, by its name, cast to a type, or bare; NULL: it is none. */
static const A_Const *
constant_of(const Node *argument)
{
	const A_Const *constant;

	if (IsA(argument, NamedArgExpr))
		argument = (const Node *) ((const NamedArgExpr *) argument)->arg;
	if (IsA(argument, TypeCast))
		argument = ((const TypeCast *) argument)->arg;
	if (!IsA(argument, A_Const))
		return NULL;
	constant = (const A_Const *) argument;
	if (!constant->isnull && !IsA(&constant->val, String) && !IsA(&constant->val, Integer) &&
		!IsA(&constant->val, Boolean))
		return NULL;
	return constant;
}

/*
 * The table that it is about; NULL: it is not said so that it could be known.  A
 * number would be an OID, and tell nobody of which schema it is.
 */
const RangeVar *
feature_table(const SelectStmt *select)
{
	const FuncCall *call = call_of(select);
	const Node *first = call == NULL ? NULL : linitial(call->args);
	const A_Const *constant = first == NULL ? NULL : constant_of(first);
	const char *name;

	if (constant == NULL || constant->isnull || !IsA(&constant->val, String) ||
		(IsA(first, NamedArgExpr) && strcmp(((const NamedArgExpr *) first)->name, "tbl") != 0))
		return NULL;
	name = strVal(&constant->val);
	if (name[strspn(name, "0123456789-")] == '\0')
		return NULL;
#if PG_VERSION_NUM >= 160000
	return makeRangeVarFromNameList(stringToQualifiedNameList(name, NULL));
#else
	return makeRangeVarFromNameList(stringToQualifiedNameList(name));
#endif
}

/* Calls the function; what that runs nobody sees. */
void
feature_run(const SelectStmt *select)
{
	const FuncCall *call = call_of(select);
	HeapTuple row;
	Form_pg_proc function;
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	FmgrInfo info;
	bool before;

	/* The schema that it is qualified with may have got another name meanwhile. */
	if (call == NULL)
		ereport(
			ERROR,
			errcode(ERRCODE_UNDEFINED_FUNCTION),
			errmsg("the schema of extension kints_norm is \"%s\" by now", extension_own_schema()));
	row = find_function(strVal(llast(call->funcname)));
	function = (Form_pg_proc) GETSTRUCT(row);
	fmgr_info(function->oid, &info);
	InitFunctionCallInfoData(*fcinfo, &info, function->pronargs, InvalidOid, NULL, NULL);
	fill_arguments(fcinfo, row, call);
	before = utility_be_unseen(true);
	PG_TRY();
	{
		(void) FunctionCallInvoke(fcinfo);
	}
	PG_FINALLY();
	{
		(void) utility_be_unseen(before);
	}
	PG_END_TRY();
	ReleaseSysCache(row);
}

/* The one of this extension, whatever others of that name there are; to be released. */
static HeapTuple
find_function(const char *name)
{
	Oid self = get_extension_oid("kints_norm", false);
	CatCList *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	Oid found = InvalidOid;

	for (int i = 0; i < list->n_members; i++)
	{
		Oid oid = ((Form_pg_proc) GETSTRUCT(&list->members[i]->tuple))->oid;

		if (getExtensionOfObject(ProcedureRelationId, oid) == self)
			found = oid;
	}
	ReleaseSysCacheList(list);
	if (!OidIsValid(found))
		elog(ERROR, "extension kints_norm has lost its function %s", name);
	return SearchSysCache1(PROCOID, ObjectIdGetDatum(found));
}

/* What is said of each parameter, or else its default. */
static void
fill_arguments(FunctionCallInfo fcinfo, HeapTuple row, const FuncCall *call)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(row);
	bool is_filled[FUNC_MAX_ARGS] = { false };
	List *defaults = defaults_of(row);
	const ListCell *cell;

	foreach(cell, call->args)
	{
		const Node *argument = lfirst(cell);
		int number = number_of(row, argument, foreach_current_index(cell));
		const A_Const *constant = constant_of(argument);

		if (number < 0 || is_filled[number])
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s() has no parameter for argument %d",
						   NameStr(function->proname),
						   foreach_current_index(cell) + 1));
		is_filled[number] = true;
		fcinfo->args[number].isnull = constant->isnull;
		fcinfo->args[number].value = value_of(constant, function->proargtypes.values[number]);
	}
	for (int i = 0; i < function->pronargs; i++)
	{
		int place = i - (function->pronargs - list_length(defaults));
		const Const *otherwise;

		if (is_filled[i])
			continue;
		otherwise = castNode(Const, list_nth(defaults, place));
		fcinfo->args[i].isnull = otherwise->constisnull;
		fcinfo->args[i].value = otherwise->constvalue;
	}
}

/* Of the last parameters. */
static List *
defaults_of(HeapTuple row)
{
	bool is_null;
	Datum tree = SysCacheGetAttr(PROCOID, row, Anum_pg_proc_proargdefaults, &is_null);

	if (is_null)
		return NIL;
	return stringToNode(TextDatumGetCString(tree));
}

/* The parameter that an argument is for, counted from 0; -1: there is none. */
static int
number_of(HeapTuple row, const Node *argument, int place)
{
	Form_pg_proc function = (Form_pg_proc) GETSTRUCT(row);
	Oid *types;
	char **names;
	char *modes;

	if (!IsA(argument, NamedArgExpr))
		return place < function->pronargs ? place : -1;
	(void) get_func_arg_info(row, &types, &names, &modes);
	for (int i = 0; i < function->pronargs; i++)
	{
		if (strcmp(names[i], ((const NamedArgExpr *) argument)->name) == 0)
			return i;
	}
	return -1;
}

static Datum
value_of(const A_Const *constant, Oid type)
{
	Oid input;
	Oid parameter;

	if (constant->isnull)
		return (Datum) 0;
	getTypeInputInfo(type, &input, &parameter);
	return OidInputFunctionCall(input, constant_text(constant), parameter, -1);
}

static char *
constant_text(const A_Const *constant)
{
	switch (nodeTag(&constant->val))
	{
		case T_Integer:
			return psprintf("%d", intVal(&constant->val));
		case T_Boolean:
			return pstrdup(boolVal(&constant->val) ? "true" : "false");
		default:
			return strVal(&constant->val);
	}
}
