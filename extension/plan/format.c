/*
 * format.c
 *		A plan as text: for people, for psql, for programs.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"
#include "utils/builtins.h"

static const char *format_text(const KnPlan *plan);
static void put_group(StringInfo out, const List *steps, const char *group);
static void put_step(StringInfo out, const KnStep *step);
static void put_indented(StringInfo out, const char *text, const char *indent);
static void put_summary(StringInfo out, const KnPlan *plan);
static const char *format_json(const KnPlan *plan);
static void put_json_step(JsonbParseState **state, const KnStep *step);

/* text, sql or json. */
const char *
format_plan(const KnPlan *plan, const char *format)
{
	if (strcmp(format, "text") == 0)
		return format_text(plan);
	if (strcmp(format, "sql") == 0)
		return format_sql(plan->steps);
	if (strcmp(format, "json") == 0)
		return format_json(plan);
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("unknown format \"%s\"", format),
			errhint("Formats are: text, sql, json."));
}

/* Statements that psql can run as they stand. */
const char *
format_sql(const List *steps)
{
	StringInfoData out;
	const ListCell *cell;

	initStringInfo(&out);
	if (steps != NIL)
		appendStringInfoString(&out, "SET check_function_bodies = off;\n");
	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		if (step->sql != NULL)
			appendStringInfo(&out, "%s;\n", step->sql);
		else
			appendStringInfo(&out, "-- not modelled: %s\n", step->object);
	}
	return out.data;
}

/* Grouped by table, the groups in the order of their first steps. */
static const char *
format_text(const KnPlan *plan)
{
	StringInfoData out;
	List *groups = NIL;
	ListCell *cell;

	initStringInfo(&out);
	put_summary(&out, plan);
	foreach(cell, plan->steps)
	{
		KnStep *step = lfirst(cell);

		if (!sqltext_member(groups, step->group))
		{
			groups = lappend(groups, (char *) step->group);
			put_group(&out, plan->steps, step->group);
		}
	}
	return out.data;
}

static void
put_summary(StringInfo out, const KnPlan *plan)
{
	int counts[4] = { 0 };
	int total = list_length(plan->steps);
	const char *separator = ": ";
	ListCell *cell;

	if (total == 0)
	{
		appendStringInfoString(out, "Nothing to do: the schema is as it should be.\n");
		return;
	}
	foreach(cell, plan->steps)
		counts[((KnStep *) lfirst(cell))->severity]++;
	appendStringInfo(out, "%d step%s", total, total == 1 ? "" : "s");
	for (int i = 3; i >= 0; i--)
	{
		if (counts[i] == 0)
			continue;
		appendStringInfo(out,
						 "%s%d %s",
						 separator,
						 counts[i],
						 hazard_severity_word((KnSeverity) i));
		separator = ", ";
	}
	appendStringInfoString(out, ".\n");
}

static void
put_group(StringInfo out, const List *steps, const char *group)
{
	const ListCell *cell;

	appendStringInfo(out, "\n%s\n", group);
	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		if (strcmp(step->group, group) == 0)
			put_step(out, step);
	}
}

/*	 3  drop_column         destructive  ACCESS EXCLUSIVE */
static void
put_step(StringInfo out, const KnStep *step)
{
	const ListCell *cell;

	appendStringInfo(out,
					 "  %3d  %-22s %s",
					 step->number,
					 step->kind,
					 hazard_severity_word(step->severity));
	if (step->lock != NULL)
		appendStringInfo(out, ", locks %s", step->lock);
	appendStringInfoChar(out, '\n');
	if (step->sql != NULL)
		put_indented(out, step->sql, "         ");
	else
		appendStringInfo(out, "         %s\n", step->object);
	foreach(cell, step->hazards)
		appendStringInfo(out, "       ! %s\n", (const char *) lfirst(cell));
}

static void
put_indented(StringInfo out, const char *text, const char *indent)
{
	while (*text != '\0')
	{
		Size length = strcspn(text, "\n");

		appendStringInfo(out, "%s%.*s\n", indent, (int) length, text);
		text += length;
		if (*text == '\n')
			text++;
	}
}

static const char *
format_json(const KnPlan *plan)
{
	JsonbParseState *state = NULL;
	Jsonb *json;
	ListCell *cell;

	json_begin_object(&state);
	json_put_string(&state, "fingerprint", plan->fingerprint);
	json_put_strings(&state, "schemas", plan->schemas);
	json_put_key(&state, "steps");
	json_begin_array(&state);
	foreach(cell, plan->steps)
		put_json_step(&state, lfirst(cell));
	json_end(&state, WJB_END_ARRAY);
	json = JsonbValueToJsonb(json_end(&state, WJB_END_OBJECT));
	return JsonbToCStringIndent(NULL, &json->root, VARSIZE(json));
}

static void
put_json_step(JsonbParseState **state, const KnStep *step)
{
	json_begin_object(state);
	json_put_int(state, "step", step->number);
	json_put_string(state, "kind", step->kind);
	json_put_string(state, "object", step->object);
	json_put_string(state, "sql", step->sql);
	json_put_string(state, "undo", step->undo);
	json_put_string(state, "severity", hazard_severity_word(step->severity));
	json_put_string(state, "lock", step->lock);
	json_put_strings(state, "hazards", step->hazards);
	json_put_bool(state, "transactional", step->is_transactional);
	json_put_bool(state, "gated", step->is_gated);
	json_put_string(state, "phase", step->phase);
	json_end(state, WJB_END_OBJECT);
}
