/*
 * kints_norm.c
 *		The module itself: its settings.
 */
#include "kints_norm.h"

#include "triggers/triggers.h"
#include "utils/guc.h"
#include "utils/plancache.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

int kints_elaborate_in = KN_ELABORATE_AUTO;
bool kints_soft_delete_is_on = true;
bool kints_history_follows = true;

static void plan_anew(bool value, void *extra);

static const struct config_enum_entry elaborate_ways[] = {
	{ "auto", KN_ELABORATE_AUTO, false },
	{ "schema", KN_ELABORATE_IN_SCHEMA, false },
	{ "database", KN_ELABORATE_IN_DATABASE, false },
	{ NULL, 0, false },
};

void
_PG_init(void)
{
	DefineCustomEnumVariable(
		"kints.elaborate_in",
		"Where a desired schema is elaborated.",
		"In place of the live schemas, in a scratch database, or whichever fits.",
		&kints_elaborate_in,
		KN_ELABORATE_AUTO,
		elaborate_ways,
		PGC_USERSET,
		0,
		NULL,
		NULL,
		NULL);
	DefineCustomBoolVariable("kints.soft_delete",
							 "Whether rows of tables with soft delete stay when they are deleted.",
							 NULL,
							 &kints_soft_delete_is_on,
							 true,
							 PGC_SUSET,
							 0,
							 NULL,
							 plan_anew,
							 NULL);
	DefineCustomBoolVariable("kints.history_follow",
							 "Whether the history of a table follows when that is altered.",
							 NULL,
							 &kints_history_follows,
							 true,
							 PGC_USERSET,
							 0,
							 NULL,
							 NULL,
							 NULL);
	soft_reads_init();
	versioning_init();
	MarkGUCPrefixReserved("kints");
	soft_delete_init();
	running_init();
	rewrite_init();
	history_keep_init();
	history_change_init();
	history_follow_init();
	/* What was planned before knows nothing of that. */
	ResetPlanCache();
}

/* A statement that is planned already deletes as it was planned. */
static void
plan_anew(bool value, void *extra)
{
	(void) extra;
	if (value != kints_soft_delete_is_on)
		ResetPlanCache();
}
