/*
 * cache.c
 *		The last plan of a session, for as long as nothing has changed.
 *
 * Most of the time that a plan takes goes into elaborating what is wanted.  A
 * session that asks again (for another format, or to see whether the schema is
 * still what it should be) gets the same steps: if the desired state and all
 * that it is read by are the same, and the catalogs of the whole database are.
 * A plan that is to be applied is always made anew.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "plan/plan.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* A plan with more text than this is not kept. */
#define MAX_KEPT_SIZE ((Size) 16 * 1024 * 1024)

/* Settings that decide what the text of a desired state means. */
static const char *const settings[] = {
	"search_path",
	"default_tablespace",
	"default_table_access_method",
	"default_toast_compression",
	"default_text_search_config",
	"DateStyle",
	"IntervalStyle",
	"TimeZone",
	"lc_monetary",
	"lc_numeric",
	"standard_conforming_strings",
	"backslash_quote",
	"array_nulls",
	"transform_null_equals",
	"xmloption",
	"row_security",
	"quote_all_identifiers",
	"kints.elaborate_in",
};

static MemoryContext kept_context = NULL;
static KnPlan *kept_plan = NULL;
static KnPlanKey kept_key;

static void add_part(pg_cryptohash_ctx *hash, const void *data, Size size);
static KnStep *copy_step(const KnStep *step);
static const char *copy_text(const char *text);
static List *copy_texts(const List *texts);

/* The key of a plan: of what is wanted, how, by whom, and of the catalogs now. */
KnPlanKey
cache_key(bool is_json, struct varlena *desired, struct varlena *options)
{
	KnPlanKey key;
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	Oid role = GetUserId();

	memset(&key, 0, sizeof(key));
	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a hash");
	add_part(hash, &is_json, sizeof(is_json));
	add_part(hash, &role, sizeof(role));
	add_part(hash, VARDATA_ANY(desired), VARSIZE_ANY_EXHDR(desired));
	if (options == NULL)
		add_part(hash, NULL, 0);
	else
		add_part(hash, VARDATA_ANY(options), VARSIZE_ANY_EXHDR(options));
	for (Size i = 0; i < lengthof(settings); i++)
	{
		const char *value = GetConfigOption(settings[i], true, false);

		add_part(hash, value, value == NULL ? 0 : strlen(value));
	}
	if (pg_cryptohash_final(hash, key.inputs, sizeof(key.inputs)) < 0)
		elog(ERROR, "could not finish a hash");
	pg_cryptohash_free(hash);
	key.catalogs = inspect_digest();
	return key;
}

/* A part with its length before it, so that parts cannot run into each other. */
static void
add_part(pg_cryptohash_ctx *hash, const void *data, Size size)
{
	if (pg_cryptohash_update(hash, (const uint8 *) &size, sizeof(size)) < 0 ||
		(size > 0 && pg_cryptohash_update(hash, data, size) < 0))
		elog(ERROR, "could not go on with a hash");
}

/* The plan kept under this key, without its two schemas; or NULL. */
const KnPlan *
cache_find(const KnPlanKey *key)
{
	if (kept_plan == NULL || memcmp(key->inputs, kept_key.inputs, sizeof(key->inputs)) != 0 ||
		!inspect_digest_equal(&key->catalogs, &kept_key.catalogs))
		return NULL;
	return kept_plan;
}

/* Keeps a copy of the plan in place of the one before. */
void
cache_keep(const KnPlanKey *key, const KnPlan *plan)
{
	MemoryContext caller;
	KnPlan *copy;
	ListCell *cell;

	kept_plan = NULL;
	if (kept_context != NULL)
		MemoryContextDelete(kept_context);
	kept_context = NULL;
	kept_context =
		AllocSetContextCreate(TopMemoryContext, "kints kept plan", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(kept_context);
	copy = palloc0(sizeof(KnPlan));
	copy->schemas = copy_texts(plan->schemas);
	copy->fingerprint = pstrdup(plan->fingerprint);
	foreach(cell, plan->steps)
	{
		copy->steps = lappend(copy->steps, copy_step(lfirst(cell)));
		if (MemoryContextMemAllocated(kept_context, false) > MAX_KEPT_SIZE)
			break;
	}
	MemoryContextSwitchTo(caller);
	if (list_length(copy->steps) < list_length(plan->steps))
	{
		MemoryContextReset(kept_context);
		return;
	}
	kept_key = *key;
	kept_plan = copy;
}

static KnStep *
copy_step(const KnStep *step)
{
	KnStep *copy = palloc(sizeof(KnStep));

	*copy = *step;
	copy->kind = copy_text(step->kind);
	copy->object = copy_text(step->object);
	copy->group = copy_text(step->group);
	copy->sql = copy_text(step->sql);
	copy->undo = copy_text(step->undo);
	copy->aspect = copy_text(step->aspect);
	copy->lock = copy_text(step->lock);
	copy->phase = copy_text(step->phase);
	copy->hazards = copy_texts(step->hazards);
	return copy;
}

static const char *
copy_text(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

static List *
copy_texts(const List *texts)
{
	List *copy = NIL;
	const ListCell *cell;

	foreach(cell, texts)
		copy = lappend(copy, (char *) copy_text(lfirst(cell)));
	return copy;
}
