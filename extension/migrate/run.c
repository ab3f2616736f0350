/*
 * run.c
 *		Runs the steps of a plan, all or none.
 *
 * Names in the steps are qualified but for those of pg_catalog.  That schema
 * is put first in the search_path, so nothing can stand in front of it, and
 * temporary objects last; the caller's own path is in between, for the bodies
 * of functions that a step calls.
 */
#include "kints_norm.h"

#include "migrate/migrate.h"

#include "base/base.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/guc.h"

/* A step on its way, for the context of errors. */
typedef struct Running
{
	const KnStep *step;
	Oid role; /* who runs it, if not the caller */
} Running;

static bool is_allowed(const KnStep *step, const KnOptions *options);
static KnRun *run_step(const KnStep *step, KnRunner runner);
static void run_as(const char *sql, Oid role);
static void set_for_steps(const KnOptions *options);
static void set_setting(const char *name, const char *value);
static void step_error(void *argument);

/* Refuses the whole plan, naming each step that needs a permission it lacks. */
void
run_check_gates(const List *steps, const KnOptions *options)
{
	StringInfoData refused;
	List *kinds = NIL;
	int count = 0;
	const ListCell *cell;

	initStringInfo(&refused);
	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);
		char *kind;

		if (!step->is_gated || is_allowed(step, options))
			continue;
		appendStringInfo(&refused,
						 "%sstep %d: %s %s",
						 count++ == 0 ? "" : "\n",
						 step->number,
						 step->kind,
						 step->object);
		kind = psprintf("\"%s\"", step->kind);
		if (!sqltext_member(kinds, kind))
			kinds = lappend(kinds, kind);
	}
	if (count > 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_STEP_REFUSED),
				errmsg_plural("the plan has %d destructive step that is not allowed",
							  "the plan has %d destructive steps that are not allowed",
							  count,
							  count),
				errdetail("%s", refused.data),
				errhint("Nothing was changed. To allow them: {\"allow\": [%s]}.",
						sqltext_join(kinds, ", ")));
}

static bool
is_allowed(const KnStep *step, const KnOptions *options)
{
	return options->allow_all || sqltext_member(options->allow, step->kind);
}

/*
 * Runs the steps in order, in the current transaction; a List of KnRun *.
 * KN_AS_OWNERS: what may run code runs as the role that owns the rows, see owner.c.
 */
List *
run_steps(const List *steps, const KnOptions *options, KnRunner runner)
{
	List *runs = NIL;
	int guc_level = NewGUCNestLevel();
	const ListCell *cell;

	set_for_steps(options);
	shape_check(steps);
	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		if (step->sql == NULL)
		{
			ereport(
				WARNING,
				errmsg("%s: %s",
					   step->object,
					   step->hazards == NIL ? "left as it is" : (char *) linitial(step->hazards)));
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		runs = lappend(runs, run_step(step, runner));
	}
	AtEOXact_GUC(true, guc_level);
	return runs;
}

static KnRun *
run_step(const KnStep *step, KnRunner runner)
{
	Running running = { step, InvalidOid };
	ErrorContextCallback callback = { error_context_stack, step_error, &running };
	KnRun *run = palloc(sizeof(KnRun));
	instr_time start;
	instr_time end;

	error_context_stack = &callback;
	if (runner == KN_AS_OWNERS)
		running.role = owner_of_code(step->sql);
	if (running.role == GetUserId())
		running.role = InvalidOid;
	INSTR_TIME_SET_CURRENT(start);
	if (OidIsValid(running.role))
		run_as(step->sql, running.role);
	else
		(void) query_run(step->sql, 0, NULL, NULL, NULL);
	INSTR_TIME_SET_CURRENT(end);
	error_context_stack = callback.previous;
	INSTR_TIME_SUBTRACT(end, start);
	run->step = step;
	run->milliseconds = INSTR_TIME_GET_MILLISEC(end);
	return run;
}

/* As another role, which can neither become one that it may not be nor leave settings behind. */
static void
run_as(const char *sql, Oid role)
{
	Oid user;
	int context;
	int guc_level = NewGUCNestLevel();

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(role,
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	(void) query_run(sql, 0, NULL, NULL, NULL);
	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, context);
}

static void
set_for_steps(const KnOptions *options)
{
	static const char *const settings[][2] = {
		{ "check_function_bodies", "off" },
		/* What follows from a step is a step of its own. */
		{ "kints.history_follow", "off" },
		{ "default_tablespace", "" },
		{ "default_table_access_method", "heap" },
		/* Literals mean what they were printed for. */
		{ "standard_conforming_strings", "on" },
		{ "array_nulls", "on" },
		{ "transform_null_equals", "off" },
		{ "xmloption", "content" },
		{ "lc_monetary", "C" },
	};
	const char *path = GetConfigOption("search_path", false, false);

	set_setting("search_path",
				psprintf("pg_catalog, %s%spg_temp", path, path[0] == '\0' ? "" : ", "));
	for (Size i = 0; i < lengthof(settings); i++)
		set_setting(settings[i][0], settings[i][1]);
	if (options->lock_timeout != NULL)
		set_setting("lock_timeout", options->lock_timeout);
}

static void
set_setting(const char *name, const char *value)
{
	(void)
		set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static void
step_error(void *argument)
{
	const Running *running = argument;
	const KnStep *step = running->step;

	if (OidIsValid(running->role))
		errcontext("step %d: %s %s, run as role \"%s\"",
				   step->number,
				   step->kind,
				   step->object,
				   GetUserNameFromId(running->role, true));
	else
		errcontext("step %d: %s %s", step->number, step->kind, step->object);
}
