/*
 * plan.c
 *		Plans as SQL functions.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "funcapi.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "plan/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define PLAN_COLUMNS 10

static MemoryContext begin_call(void);
static const KnPlan *plan_of_arguments(FunctionCallInfo fcinfo, int options, bool is_json);
static Datum return_steps(FunctionCallInfo fcinfo, List *steps);
static void put_row(ReturnSetInfo *result, const KnStep *step);
static Datum text_or_null(const char *text, bool *isnull);
static List *schema_names(FunctionCallInfo fcinfo);

/* A context for one call; it goes with the caller's. */
static MemoryContext
begin_call(void)
{
	return MemoryContextSwitchTo(
		AllocSetContextCreate(CurrentMemoryContext, "kints plan", ALLOCSET_DEFAULT_SIZES));
}

/* Argument 0 is the desired state; the one of that number holds the options. */
static const KnPlan *
plan_of_arguments(FunctionCallInfo fcinfo, int options, bool is_json)
{
	struct varlena *desired;
	struct varlena *given = NULL;
	KnOptions *read;
	KnPlanKey key;
	const KnPlan *plan;

	if (!PG_ARGISNULL(options))
		given = PG_DETOAST_DATUM(PG_GETARG_DATUM(options));
	read = options_read((Jsonb *) given);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the desired state must not be null"));
	desired = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	key = cache_key(is_json, desired, given);
	plan = cache_find(&key);
	if (plan == NULL)
	{
		plan = is_json ? plan_make(read, NULL, (Jsonb *) desired)
					   : plan_make(read, text_to_cstring((text *) desired), NULL);
		cache_keep(&key, plan);
	}
	return plan;
}

static Datum
return_steps(FunctionCallInfo fcinfo, List *steps)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell *cell;

	foreach(cell, steps)
		put_row(result, lfirst(cell));
	return (Datum) 0;
}

static void
put_row(ReturnSetInfo *result, const KnStep *step)
{
	Datum values[PLAN_COLUMNS];
	bool nulls[PLAN_COLUMNS] = { 0 };

	values[0] = Int32GetDatum(step->number);
	values[1] = CStringGetTextDatum(step->kind);
	values[2] = CStringGetTextDatum(step->object);
	values[3] = text_or_null(step->sql, &nulls[3]);
	values[4] = text_or_null(step->undo, &nulls[4]);
	values[5] = CStringGetTextDatum(hazard_severity_word(step->severity));
	values[6] = text_or_null(step->lock, &nulls[6]);
	values[7] = query_texts(step->hazards);
	values[8] = BoolGetDatum(step->is_transactional);
	values[9] = CStringGetTextDatum(step->phase);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* Argument 0: name[]; NULL for every schema that users made. */
static List *
schema_names(FunctionCallInfo fcinfo)
{
	Datum *names;
	bool *nulls;
	int count;
	List *result = NIL;

	if (PG_ARGISNULL(0))
		return inspect_user_schemas();
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0),
					  NAMEOID,
					  NAMEDATALEN,
					  false,
					  TYPALIGN_CHAR,
					  &names,
					  &nulls,
					  &count);
	for (int i = 0; i < count; i++)
	{
		const char *name = nulls[i] ? NULL : NameStr(*DatumGetName(names[i]));

		if (name != NULL && !sqltext_member(result, name))
			result = lappend(result, pstrdup(name));
	}
	return result;
}

/* ---- SQL functions ---- */

KN_FUNCTION(kints_plan_sql);
KN_FUNCTION(kints_plan_json);
KN_FUNCTION(kints_plan_format_sql);
KN_FUNCTION(kints_plan_format_json);
KN_FUNCTION(kints_diff);
KN_FUNCTION(kints_snapshot);
KN_FUNCTION(kints_fingerprint);

Datum
kints_plan_sql(PG_FUNCTION_ARGS)
{
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = begin_call();
	return_steps(fcinfo, plan_of_arguments(fcinfo, 1, false)->steps);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

Datum
kints_plan_json(PG_FUNCTION_ARGS)
{
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	caller = begin_call();
	return_steps(fcinfo, plan_of_arguments(fcinfo, 1, true)->steps);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

static Datum
formatted(FunctionCallInfo fcinfo, bool is_json)
{
	MemoryContext caller = begin_call();
	const char *format = PG_ARGISNULL(1) ? "text" : text_to_cstring(PG_GETARG_TEXT_PP(1));
	const char *text;

	if (strcmp(format, "text") != 0 && strcmp(format, "sql") != 0 && strcmp(format, "json") != 0)
		(void) format_plan(NULL, format);
	text = format_plan(plan_of_arguments(fcinfo, 2, is_json), format);
	MemoryContextSwitchTo(caller);
	return CStringGetTextDatum(text);
}

Datum
kints_plan_format_sql(PG_FUNCTION_ARGS)
{
	return formatted(fcinfo, false);
}

Datum
kints_plan_format_json(PG_FUNCTION_ARGS)
{
	return formatted(fcinfo, true);
}

Datum
kints_diff(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	KnSchema *from;
	KnSchema *to;

	InitMaterializedSRF(fcinfo, 0);
	caller = begin_call();
	(void) options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
	from = snapshot_read(PG_GETARG_JSONB_P(0));
	to = snapshot_read(PG_GETARG_JSONB_P(1));
	return_steps(fcinfo, plan_with_undo(from, to));
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

Datum
kints_snapshot(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_call();
	KnSchema *schema = inspect_schemas(schema_names(fcinfo));

	MemoryContextSwitchTo(caller);
	return JsonbPGetDatum(snapshot_write(schema));
}

Datum
kints_fingerprint(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_call();
	const char *fingerprint = snapshot_fingerprint(inspect_schemas(schema_names(fcinfo)));

	MemoryContextSwitchTo(caller);
	return CStringGetTextDatum(fingerprint);
}
