/*
 * behaviour.c
 *		What is to happen to the rows of a model: the triggers that its tags ask for.
 *
 * They are what kints_version_enable() and its like make, and are planned as any
 * other trigger is.  A table that counts versions has the time
 * of its first column for that noted by the same trigger.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "desired/desired.h"
#include "desired/models.h"
#include "desired/tags.h"

static const char *clock_of(const KnTags *tags);

/* Notes what a field says. */
void
behaviour_add(KnModel *model, const KnTags *tags, const char *column)
{
	if (tags->is_version && model->version != NULL)
		tags_refuse(
			tags->integer_place,
			psprintf("is a second \"version\" of the model, beside \"%s\"", model->version));
	if (tags->is_version)
		model->version = column;
	if (tags->is_soft_delete && model->soft_delete != NULL)
		tags_refuse(tags->behaviour_place,
					psprintf("is a second \"soft_delete\" of the model, beside \"%s\"",
							 model->soft_delete));
	if (tags->is_soft_delete)
		model->soft_delete = column;
	if (tags->is_history && model->history != NULL)
		tags_refuse(
			tags->behaviour_place,
			psprintf("is a second \"history\" of the model, beside \"%s\"", model->history));
	if (tags->is_history)
		model->history = column;
	if (tags->on_update != NULL)
	{
		KnTouched *touched = palloc(sizeof(*touched));

		touched->column = column;
		touched->clock = clock_of(tags);
		model->touched = lappend(model->touched, touched);
	}
}

/* The clock of kints_touch() that gives the same time as the SQL of the tag. */
static const char *
clock_of(const KnTags *tags)
{
	static const char *const clocks[][2] = {
		{ "(now|transaction_timestamp)\\s*\\(\\s*\\)|current_timestamp", "tx" },
		{ "statement_timestamp\\s*\\(\\s*\\)", "statement" },
		{ "clock_timestamp\\s*\\(\\s*\\)", "clock" },
	};

	for (int i = 0; i < (int) lengthof(clocks); i++)
	{
		if (tags_match(tags->on_update,
					   psprintf("(?i)^\\s*(pg_catalog\\s*\\.\\s*)?(%s)\\s*$", clocks[i][0])))
			return clocks[i][1];
	}
	tags_refuse(
		tags->behaviour_place,
		"must be now(), CURRENT_TIMESTAMP, transaction_timestamp(), statement_timestamp() or clock_timestamp()");
}

/* The statements that make the triggers. */
void
behaviour_write(StringInfo out, const KnModel *model)
{
	bool is_counting = model->version != NULL;
	const KnTouched *touched = model->touched == NIL ? NULL : linitial(model->touched);

	if (is_counting)
		appendStringInfo(out,
						 "SELECT %s(%s, %s, 'check', %s, %s);\n",
						 sqltext_qualified(extension_own_schema(), "kints_version_enable"),
						 sqltext_literal(model->name),
						 sqltext_literal(model->version),
						 sqltext_literal(touched == NULL ? NULL : touched->column),
						 sqltext_literal(touched == NULL ? "tx" : touched->clock));
	for (int i = is_counting ? 1 : 0; i < list_length(model->touched); i++)
	{
		touched = list_nth(model->touched, i);
		appendStringInfo(out,
						 "SELECT %s(%s, %s, %s);\n",
						 sqltext_qualified(extension_own_schema(), "kints_touch_enable"),
						 sqltext_literal(model->name),
						 sqltext_literal(touched->column),
						 sqltext_literal(touched->clock));
	}
	if (model->history != NULL)
		appendStringInfo(out,
						 "SELECT %s(%s, period => %s);\n",
						 sqltext_qualified(extension_own_schema(), "kints_history_enable"),
						 sqltext_literal(model->name),
						 sqltext_literal(model->history));
	if (model->soft_delete != NULL)
		appendStringInfo(out,
						 "SELECT %s(%s, %s);\n",
						 sqltext_qualified(extension_own_schema(), "kints_soft_delete_enable"),
						 sqltext_literal(model->name),
						 sqltext_literal(model->soft_delete));
}
