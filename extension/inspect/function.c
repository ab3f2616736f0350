/*
 * function.c
 *		Functions, procedures and aggregates.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_language.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "inspect/inspect.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void read_function(KnInspect *in, HeapTuple row, TupleDesc shape);
static bool is_range_constructor(KnInspect *in, HeapTuple row, TupleDesc shape);
static KnObject *make_function(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema);
static KnObject *make_aggregate(KnInspect *in, HeapTuple row, const char *schema);
static const char *argument_types(KnInspect *in, Form_pg_proc form);
static List *argument_names(HeapTuple row, TupleDesc shape);
static void put_function(StringInfo out, const char *word, Oid function);
static void put_state(StringInfo out, Form_pg_aggregate form, HeapTuple tuple);
static void put_moving_state(StringInfo out, Form_pg_aggregate form, HeapTuple tuple);
static void put_initial(StringInfo out, const char *word, HeapTuple tuple, int attribute);
static const char *modify_word(char letter);

void
inspect_functions(KnInspect *in)
{
	inspect_scan(in, ProcedureRelationId, read_function);
}

static void
read_function(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	const char *schema = inspect_namespace(in, form->pronamespace);
	KnObject *object;

	if (schema == NULL || inspect_is_member(in, ProcedureRelationId, form->oid))
		return;
	if (is_range_constructor(in, row, shape))
		return;
	object = form->prokind == PROKIND_AGGREGATE ? make_aggregate(in, row, schema)
												: make_function(in, row, shape, schema);
	object->arguments = argument_types(in, form);
	object->owner = read_owner(in, form->proowner);
	read_acl(in, object, row, shape, Anum_pg_proc_proacl, form->proowner);
	inspect_register(in, ProcedureRelationId, form->oid, 0, object);
	inspect_add(in, object);
}

/* The constructors of a range type, and of its multirange, come and go with it. */
static bool
is_range_constructor(KnInspect *in, HeapTuple row, TupleDesc shape)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	const KnObject *result = inspect_lookup(in, TypeRelationId, form->prorettype, 0);

	return form->prolang == INTERNALlanguageId && result != NULL && result->kind == KN_RANGE &&
		   strstr(read_string(row, shape, Anum_pg_proc_prosrc), "range_constructor") != NULL;
}

static KnObject *
make_function(KnInspect *in, HeapTuple row, TupleDesc shape, const char *schema)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	KnFunction *function = schema_new_object(KN_FUNCTION, schema, NULL, read_name(&form->proname));
	bool has_tree;
	bool isnull;

	(void) heap_getattr(row, Anum_pg_proc_prosqlbody, shape, &isnull);
	has_tree = !isnull;
	function->is_procedure = form->prokind == PROKIND_PROCEDURE;
	function->result =
		function->is_procedure ? NULL : read_definition(in, pg_get_function_result, form->oid);
	function->argument_names = argument_names(row, shape);
	function->default_count = form->pronargdefaults;
	function->definition = has_tree ? read_unlocked(in, pg_get_functiondef, form->oid)
									: read_definition(in, pg_get_functiondef, form->oid);
	return &function->head;
}

/* Types of the input arguments, as DROP FUNCTION wants them. */
static const char *
argument_types(KnInspect *in, Form_pg_proc form)
{
	List *types = NIL;

	for (int i = 0; i < form->pronargs; i++)
		types = lappend(types, (char *) read_type(in, form->proargtypes.values[i], -1));
	return sqltext_join(types, ", ");
}

/* "mode name" of each argument: none of them can be changed by OR REPLACE. */
static List *
argument_names(HeapTuple row, TupleDesc shape)
{
	bool no_names;
	bool no_modes;
	Datum names = heap_getattr(row, Anum_pg_proc_proargnames, shape, &no_names);
	Datum modes = heap_getattr(row, Anum_pg_proc_proargmodes, shape, &no_modes);
	char **texts;
	List *result = NIL;
	int count;

	if (no_names)
		return NIL;
	count = get_func_input_arg_names(names, no_modes ? (Datum) 0 : modes, &texts);
	for (int i = 0; i < count; i++)
		result = lappend(result, texts[i] == NULL ? "" : texts[i]);
	return result;
}

/* An aggregate's definition, laid out as pg_dump does it. */
static KnObject *
make_aggregate(KnInspect *in, HeapTuple row, const char *schema)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	KnAggregate *aggregate =
		schema_new_object(KN_AGGREGATE, schema, NULL, read_name(&form->proname));
	HeapTuple tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(form->oid));
	Form_pg_aggregate agg;
	StringInfoData out;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", form->oid);
	agg = (Form_pg_aggregate) GETSTRUCT(tuple);
	if (agg->aggkind != AGGKIND_NORMAL)
	{
		KnOther *other = schema_new_object(KN_OTHER, schema, NULL, aggregate->head.name);

		other->what = "ordered-set aggregate";
		ReleaseSysCache(tuple);
		return &other->head;
	}
	initStringInfo(&out);
	put_state(&out, agg, tuple);
	put_moving_state(&out, agg, tuple);
	if (OidIsValid(agg->aggsortop))
	{
		HeapTuple operator= SearchSysCache1(OPEROID, ObjectIdGetDatum(agg->aggsortop));
		Form_pg_operator op = (Form_pg_operator) GETSTRUCT(operator);

		appendStringInfo(&out,
						 ",\n    SORTOP = OPERATOR(%s.%s)",
						 sqltext_identifier(get_namespace_name(op->oprnamespace)),
						 NameStr(op->oprname));
		ReleaseSysCache(operator);
	}
	if (form->proparallel != PROPARALLEL_UNSAFE)
		appendStringInfo(&out,
						 ",\n    PARALLEL = %s",
						 form->proparallel == PROPARALLEL_SAFE ? "SAFE" : "RESTRICTED");
	ReleaseSysCache(tuple);
	aggregate->definition = out.data;
	(void) in;
	return &aggregate->head;
}

static void
put_state(StringInfo out, Form_pg_aggregate form, HeapTuple tuple)
{
	appendStringInfo(out, "\n    STYPE = %s", format_type_be(form->aggtranstype));
	put_function(out, "SFUNC", form->aggtransfn);
	if (form->aggtransspace != 0)
		appendStringInfo(out, ",\n    SSPACE = %d", form->aggtransspace);
	put_function(out, "FINALFUNC", form->aggfinalfn);
	if (form->aggfinalextra)
		appendStringInfoString(out, ",\n    FINALFUNC_EXTRA");
	if (OidIsValid(form->aggfinalfn) && form->aggfinalmodify != AGGMODIFY_READ_ONLY)
		appendStringInfo(out, ",\n    FINALFUNC_MODIFY = %s", modify_word(form->aggfinalmodify));
	put_function(out, "COMBINEFUNC", form->aggcombinefn);
	put_function(out, "SERIALFUNC", form->aggserialfn);
	put_function(out, "DESERIALFUNC", form->aggdeserialfn);
	put_initial(out, "INITCOND", tuple, Anum_pg_aggregate_agginitval);
}

static void
put_moving_state(StringInfo out, Form_pg_aggregate form, HeapTuple tuple)
{
	if (!OidIsValid(form->aggmtransfn))
		return;
	put_function(out, "MSFUNC", form->aggmtransfn);
	put_function(out, "MINVFUNC", form->aggminvtransfn);
	appendStringInfo(out, ",\n    MSTYPE = %s", format_type_be(form->aggmtranstype));
	if (form->aggmtransspace != 0)
		appendStringInfo(out, ",\n    MSSPACE = %d", form->aggmtransspace);
	put_function(out, "MFINALFUNC", form->aggmfinalfn);
	if (form->aggmfinalextra)
		appendStringInfoString(out, ",\n    MFINALFUNC_EXTRA");
	if (OidIsValid(form->aggmfinalfn) && form->aggmfinalmodify != AGGMODIFY_READ_ONLY)
		appendStringInfo(out, ",\n    MFINALFUNC_MODIFY = %s", modify_word(form->aggmfinalmodify));
	put_initial(out, "MINITCOND", tuple, Anum_pg_aggregate_aggminitval);
}

static void
put_function(StringInfo out, const char *word, Oid function)
{
	if (OidIsValid(function))
		appendStringInfo(out,
						 ",\n    %s = %s",
						 word,
						 sqltext_qualified(get_namespace_name(get_func_namespace(function)),
										   get_func_name(function)));
}

static void
put_initial(StringInfo out, const char *word, HeapTuple tuple, int attribute)
{
	bool isnull;
	Datum value = SysCacheGetAttr(AGGFNOID, tuple, attribute, &isnull);

	if (!isnull)
		appendStringInfo(out, ",\n    %s = %s", word, sqltext_literal(TextDatumGetCString(value)));
}

static const char *
modify_word(char letter)
{
	return letter == AGGMODIFY_SHAREABLE    ? "SHAREABLE"
		   : letter == AGGMODIFY_READ_WRITE ? "READ_WRITE"
											: "READ_ONLY";
}
