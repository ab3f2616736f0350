/*
 * soft_reads.c
 *		Whether a query sees the rows that are deleted.
 *
 * kints.trashed says it, to a policy or a view whose condition is
 * kints_is_shown(deleted_at).  When the query is planned that becomes what it
 * means, "deleted_at IS NULL" as a rule, which partial indexes know as well.
 */
#include "triggers/triggers.h"

#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "utils/guc.h"
#include "utils/plancache.h"

typedef enum KnTrashed
{
	KN_TRASHED_HIDE,
	KN_TRASHED_SHOW,
	KN_TRASHED_ONLY
} KnTrashed;

static const struct config_enum_entry ways[] = {
	{ "hide", KN_TRASHED_HIDE, false },
	{ "show", KN_TRASHED_SHOW, false },
	{ "only", KN_TRASHED_ONLY, false },
	{ NULL, 0, false },
};

static int trashed = KN_TRASHED_HIDE;
static bool is_all = false;

static void plan_anew(int value, void *extra);

void
soft_reads_init(void)
{
	DefineCustomEnumVariable("kints.trashed",
							 "Whether rows that are deleted softly are seen.",
							 "Where a policy or a view asks for it.",
							 &trashed,
							 KN_TRASHED_HIDE,
							 ways,
							 PGC_USERSET,
							 0,
							 NULL,
							 plan_anew,
							 NULL);
}

/* Whether what is planned from now on is to see all rows, whatever the setting says. */
void
soft_reads_plan_all(bool all)
{
	is_all = all;
}

/* What it means stands in the plans. */
static void
plan_anew(int value, void *extra)
{
	(void) extra;
	if (value != trashed)
		ResetPlanCache();
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_is_shown);
KN_FUNCTION(kints_is_shown_support);

/* kints_is_shown(deleted_at anyelement) returns boolean */
Datum
kints_is_shown(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(trashed == KN_TRASHED_SHOW || PG_ARGISNULL(0) == (trashed == KN_TRASHED_HIDE));
}

/* kints_is_shown_support(internal) returns internal */
Datum
kints_is_shown_support(PG_FUNCTION_ARGS)
{
	const SupportRequestSimplify *request = (SupportRequestSimplify *) PG_GETARG_POINTER(0);
	NullTest *test;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	if (is_all || trashed == KN_TRASHED_SHOW)
		PG_RETURN_POINTER(makeBoolConst(true, false));
	test = makeNode(NullTest);
	test->arg = linitial(request->fcall->args);
	test->nulltesttype = trashed == KN_TRASHED_HIDE ? IS_NULL : IS_NOT_NULL;
	test->location = -1;
	PG_RETURN_POINTER(test);
}
