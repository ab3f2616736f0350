/*
 * kints_norm.c
 *		The module itself: its settings.
 */
#include "kints_norm.h"

#include "utils/guc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

int kints_elaborate_in = KN_ELABORATE_AUTO;

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
	MarkGUCPrefixReserved("kints");
}
