/*
 * touch.c
 *		When a row was changed last.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

static const char *const option_names[] = { "column", "clock" };

static const KnTriggerKind touch_kind = {
	.function = "kints_touch",
	.feature = "touch",
	.fires = "BEFORE UPDATE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW | TRIGGER_EVENT_UPDATE,
	.column = "updated_at",
	.options = option_names,
	.option_count = lengthof(option_names),
};

/* column is to have the time by that clock; NULL: that of the transaction. */
void
touch_find(KnTouch *touch, Relation relation, const char *column, const char *clock)
{
	column_find(&touch->column, relation, column);
	if (touch->column.base != TIMESTAMPTZOID && touch->column.base != TIMESTAMPOID &&
		touch->column.base != DATEOID)
		column_refuse_type(&touch->column, relation, "timestamp with time zone, timestamp or date");
	touch->clock = clock == NULL ? KN_CLOCK_TX : touch_clock_named(clock);
}

/* The clock of that name. */
KnClock
touch_clock_named(const char *name)
{
	static const char *const names[] = { "tx", "statement", "clock" };
	int place = sqltext_index(name, names, lengthof(names));

	if (place < 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("there is no clock \"%s\"", name),
				errhint("Known clocks: tx, statement, clock."));
	return (KnClock) place;
}

/* The time, as the column takes it. */
Datum
touch_value(KnTouch *touch)
{
	KnColumn *column = &touch->column;
	Datum now = TimestampTzGetDatum(touch_clock(touch->clock));

	switch (column->base)
	{
		case TIMESTAMPOID:
			now = DirectFunctionCall1(timestamptz_timestamp, now);
			if (column->typmod >= 0)
				now = DirectFunctionCall2(timestamp_scale, now, Int32GetDatum(column->typmod));
			break;
		case DATEOID:
			now = DirectFunctionCall1(timestamptz_date, now);
			break;
		default:
			if (column->typmod >= 0)
				now = DirectFunctionCall2(timestamptz_scale, now, Int32GetDatum(column->typmod));
	}
	return column_checked(column, now);
}

/* A column gets the time once, be it by a trigger of its own or by that of the version. */
void
touch_refuse_second(FunctionCallInfo fcinfo, Relation relation, const char *column)
{
	attach_refuse_second(
		attach_find(fcinfo, relation, touch_kind.function, "column", column, touch_kind.column),
		touch_kind.feature,
		relation);
	attach_refuse_second(attach_find(fcinfo, relation, "kints_version", "touch", column, NULL),
						 touch_kind.feature,
						 relation);
}

/* What it shows. */
TimestampTz
touch_clock(KnClock clock)
{
	switch (clock)
	{
		case KN_CLOCK_STATEMENT:
			return GetCurrentStatementStartTimestamp();
		case KN_CLOCK_CLOCK:
			return GetCurrentTimestamp();
		default:
			return GetCurrentTransactionStartTimestamp();
	}
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_touch);
KN_FUNCTION(kints_touch_enable);
KN_FUNCTION(kints_touch_disable);

/* kints_touch() returns trigger */
Datum
kints_touch(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &touch_kind);
	KnTouch *touch = fcinfo->flinfo->fn_extra;
	Relation relation = data->tg_relation;

	if (touch == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		const char *column;

		trigger_check_options(&touch_kind, data->tg_trigger, relation);
		column = trigger_option(data->tg_trigger, "column");
		touch = palloc0(sizeof(*touch));
		touch_find(touch,
				   relation,
				   column == NULL ? touch_kind.column : column,
				   trigger_option(data->tg_trigger, "clock"));
		fcinfo->flinfo->fn_extra = touch;
		MemoryContextSwitchTo(caller);
	}
	return PointerGetDatum(column_set(&touch->column, data, data->tg_newtuple, touch_value(touch)));
}

/* kints_touch_enable(tbl regclass, col name, clock text) */
Datum
kints_touch_enable(PG_FUNCTION_ARGS)
{
	Relation relation;
	const char *column;
	const char *clock;
	KnTouch touch;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "col");
	attach_refuse_null(fcinfo, 2, "clock");
	relation = attach_open(PG_GETARG_OID(0), ShareRowExclusiveLock);
	column = NameStr(*PG_GETARG_NAME(1));
	clock = text_to_cstring(PG_GETARG_TEXT_PP(2));
	touch_find(&touch, relation, column, clock);
	touch_refuse_second(fcinfo, relation, column);
	attach_create(fcinfo,
				  &touch_kind,
				  makeObjectName(touch_kind.function, column, NULL),
				  relation,
				  NULL,
				  list_make2(attach_option("column", column), attach_option("clock", clock)));
	table_close(relation, NoLock);
	PG_RETURN_VOID();
}

/* kints_touch_disable(tbl regclass, col name) */
Datum
kints_touch_disable(PG_FUNCTION_ARGS)
{
	attach_drop(fcinfo, &touch_kind, PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}
