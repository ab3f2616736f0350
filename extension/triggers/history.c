/*
 * history.c
 *		Each row says since when it has been as it is.
 *
 * A trigger sees to it, whatever a statement says: so nobody can write into the
 * past.  It is the last one before the row is written, and sees what the others
 * have made of it.  A row that is not changed, or only in columns that do not
 * count, keeps its time.  Otherwise it is the one that sees what the row was, and
 * hands it on to history_keep.c.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

const char *const history_options[KN_HISTORY_OPTIONS] = { "history",  "period",   "until",  "clock",
														  "conflict", "collapse", "exclude" };

const KnTriggerKind history_stamp_kind = {
	.function = "kints_history_stamp",
	.feature = "history",
	.fires = "BEFORE INSERT OR UPDATE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW | TRIGGER_EVENT_UPDATE,
	.also = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW | TRIGGER_EVENT_INSERT,
	.column = "sys_period",
	.options = history_options,
	.option_count = KN_HISTORY_OPTIONS,
	.beside = &history_row_kind,
};

/* The latest time that rows have been changed at in a transaction because others were later than
 * now. */
static TimestampTz pushed_to = 0;
static LocalTransactionId pushed_in = InvalidLocalTransactionId;

static bool is_yes(const Trigger *trigger, const char *name, const char *yes, const char *no);
static List *names_of(const char *list, const Trigger *trigger);
static void refuse_precision(const KnColumn *column, Relation relation);
static HeapTuple stamp(KnHistory *history, TriggerData *data);
static bool is_own(HeapTuple row);
static TimestampTz new_start(const KnHistory *history);
static void check_others(KnHistory *history, const TriggerData *data);
static bool is_same(const KnHistory *history, Relation relation, HeapTuple old, HeapTuple new);
static bool counts(const KnHistory *history, Form_pg_attribute attribute);
static bool is_open(Datum range);
static TimestampTz open_start(Datum range);
static HeapTuple set_period(KnHistory *history, TriggerData *data, HeapTuple row,
							TimestampTz start);

/* What the arguments of a trigger say, looked up once a statement. */
KnHistory *
history_of(FunctionCallInfo fcinfo, const KnTriggerKind *kind, TriggerData *data)
{
	KnHistory *history = fcinfo->flinfo->fn_extra;

	if (history == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		history = palloc0(sizeof(*history));
		history_read(history, kind, data->tg_relation, data->tg_trigger);
		fcinfo->flinfo->fn_extra = history;
		MemoryContextSwitchTo(caller);
	}
	return history;
}

/* The same, in the current memory context. */
void
history_read(KnHistory *history, const KnTriggerKind *kind, Relation relation,
			 const Trigger *trigger)
{
	const char *period = trigger_option(trigger, "period");
	const char *clock = trigger_option(trigger, "clock");
	const char *name = trigger_option(trigger, "history");

	trigger_check_options(kind, trigger, relation);
	history_find_period(&history->period,
						relation,
						period == NULL ? history_stamp_kind.column : period,
						trigger_option(trigger, "until"));
	history->clock = clock == NULL ? KN_CLOCK_TX : touch_clock_named(clock);
	history->collapses = is_yes(trigger, "collapse", "true", "false");
	history->refuses_conflicts = !is_yes(trigger, "conflict", "adjust", "error");
	history->excluded = names_of(trigger_option(trigger, "exclude"), trigger);
	if (name == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("trigger \"%s\" of table \"%s\" names no table for the history",
					   trigger->tgname,
					   RelationGetRelationName(relation)),
				errhint("Its arguments have to say \"history=name\"."));
	history->name = pstrdup(name);
}

/* One of two values of an option, of which the first holds where nothing is said. */
static bool
is_yes(const Trigger *trigger, const char *name, const char *yes, const char *no)
{
	const char *said = trigger_option(trigger, name);

	if (said == NULL || strcmp(said, yes) == 0)
		return true;
	if (strcmp(said, no) != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"%s\" of trigger \"%s\" must not be \"%s\"",
					   name,
					   trigger->tgname,
					   said),
				errhint("It can be: %s, %s.", yes, no));
	return false;
}

static List *
names_of(const char *list, const Trigger *trigger)
{
	List *names = NIL;

	if (list != NULL && !SplitIdentifierString(pstrdup(list), ',', &names))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"%s\" of trigger \"%s\" is no list of names",
					   "exclude",
					   trigger->tgname));
	return names;
}

/* The columns for the time: a range, or, if until is not NULL, two. */
void
history_find_period(KnPeriod *period, Relation relation, const char *from, const char *until)
{
	period->is_range = until == NULL;
	column_find(&period->from, relation, from);
	if (period->from.type != (period->is_range ? TSTZRANGEOID : TIMESTAMPTZOID))
		column_refuse_type(&period->from,
						   relation,
						   period->is_range ? "tstzrange" : "timestamp with time zone");
	refuse_precision(&period->from, relation);
	if (period->is_range)
		return;
	column_find(&period->until, relation, until);
	if (period->until.type != TIMESTAMPTZOID)
		column_refuse_type(&period->until, relation, "timestamp with time zone");
	refuse_precision(&period->until, relation);
}

/* What is rounded would not fit together any more. */
static void
refuse_precision(const KnColumn *column, Relation relation)
{
	if (column->typmod >= 0)
		column_refuse_type(column, relation, "without a precision");
}

static HeapTuple
stamp(KnHistory *history, TriggerData *data)
{
	Relation relation = data->tg_relation;
	HeapTuple old = data->tg_trigtuple;
	TimestampTz since;
	TimestampTz next;

	check_others(history, data);
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		return set_period(history, data, old, new_start(history));
	since = next = history_start_of(history, old, relation);
	if (!history_is_unseen(history, old, since) &&
		!is_same(history, relation, old, data->tg_newtuple))
		next = history_next(history, old, since, relation);
	/* Whether a row of a partition stays there is known after it is done. */
	if (next > since && !relation->rd_rel->relispartition)
		history_keep(history, relation, old, since, next);
	return set_period(history, data, data->tg_newtuple, next);
}

/*
 * Whether nobody else has seen the row as it is: this transaction has made it
 * so.  That it has written it is not enough, for it may have changed nothing.
 */
bool
history_is_unseen(const KnHistory *history, HeapTuple row, TimestampTz start)
{
	return history->collapses && start == touch_clock(KN_CLOCK_TX) && is_own(row);
}

static bool
is_own(HeapTuple row)
{
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
}

/*
 * Of a row that is updated the old one is kept before the new one is there: a
 * trigger that comes after could still say that it is not to be, or when it was.
 * Of partitions a trigger after the row sees to it.
 */
static void
check_others(KnHistory *history, const TriggerData *data)
{
	const TriggerDesc *triggers = data->tg_relation->trigdesc;
	bool is_after = false;
	bool has_after = false;

	if (history->is_checked)
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		bool is_before = TRIGGER_TYPE_MATCHES(trigger->tgtype,
											  TRIGGER_TYPE_ROW,
											  TRIGGER_TYPE_BEFORE,
											  TRIGGER_TYPE_UPDATE) ||
						 TRIGGER_TYPE_MATCHES(trigger->tgtype,
											  TRIGGER_TYPE_ROW,
											  TRIGGER_TYPE_BEFORE,
											  TRIGGER_TYPE_INSERT);

		if (is_after && is_before && trigger->tgenabled != TRIGGER_DISABLED)
			ereport(ERROR,
					errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("trigger \"%s\" of table \"%s\" would come after that of the history",
						   trigger->tgname,
						   RelationGetRelationName(data->tg_relation)),
					errhint("Give it a name that comes before \"%s\".", data->tg_trigger->tgname),
					errtable(data->tg_relation));
		is_after |= trigger->tgoid == data->tg_trigger->tgoid;
		has_after |= TRIGGER_TYPE_MATCHES(trigger->tgtype,
										  TRIGGER_TYPE_ROW,
										  TRIGGER_TYPE_AFTER,
										  TRIGGER_TYPE_UPDATE) &&
					 strcmp(trigger->tgname, history_row_kind.function) == 0;
	}
	if (data->tg_relation->rd_rel->relispartition && !has_after)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("table \"%s\" has become a partition since its history was enabled",
					   RelationGetRelationName(data->tg_relation)),
				errhint("Disable it, and enable it anew."),
				errtable(data->tg_relation));
	history->is_checked = true;
}

/* Whether all columns that count have the same value, byte for byte. */
static bool
is_same(const KnHistory *history, Relation relation, HeapTuple old, HeapTuple new)
{
	TupleDesc shape = RelationGetDescr(relation);

	if (old->t_len == new->t_len &&
		memcmp((char *) old->t_data + old->t_data->t_hoff,
			   (char *) new->t_data + new->t_data->t_hoff,
			   old->t_len - old->t_data->t_hoff) == 0 &&
		old->t_data->t_hoff == new->t_data->t_hoff && !HeapTupleHasNulls(old) &&
		!HeapTupleHasNulls(new))
		return true;
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		bool old_is_null;
		bool new_is_null;
		Datum old_value;
		Datum new_value;

		if (!counts(history, attribute))
			continue;
		old_value = heap_getattr(old, i + 1, shape, &old_is_null);
		new_value = heap_getattr(new, i + 1, shape, &new_is_null);
		if (old_is_null != new_is_null ||
			(!old_is_null &&
			 !datum_image_eq(old_value, new_value, attribute->attbyval, attribute->attlen)))
			return false;
	}
	return true;
}

static bool
counts(const KnHistory *history, Form_pg_attribute attribute)
{
	return !attribute->attisdropped && attribute->attgenerated == '\0' &&
		   attribute->attnum != history->period.from.number &&
		   (history->period.is_range || attribute->attnum != history->period.until.number) &&
		   (history->excluded == NIL ||
			!sqltext_member(history->excluded, NameStr(attribute->attname)));
}

/* Since when a row has been as it is. */
TimestampTz
history_start_of(const KnHistory *history, HeapTuple row, Relation relation)
{
	bool is_null;
	Datum value =
		heap_getattr(row, history->period.from.number, RelationGetDescr(relation), &is_null);

	return history_start(&history->period, value, is_null, relation);
}

/*
 * Whether a range goes from a moment that belongs to it on without an end, which
 * is what all rows have that are there.  Those are read as they stand in the
 * row, for all others there are functions.
 */
static bool
is_open(Datum range)
{
	char *place = DatumGetPointer(range);

	return !VARATT_IS_EXTERNAL(place) && !VARATT_IS_COMPRESSED(place) &&
		   VARSIZE_ANY_EXHDR(place) == sizeof(Oid) + sizeof(TimestampTz) + sizeof(uint8) &&
		   ((uint8 *) VARDATA_ANY(place))[sizeof(Oid) + sizeof(TimestampTz)] ==
			   (RANGE_LB_INC | RANGE_UB_INF);
}

static TimestampTz
open_start(Datum range)
{
	TimestampTz start;

	memcpy(&start, VARDATA_ANY(DatumGetPointer(range)) + sizeof(Oid), sizeof(start));
	return start;
}

/* Since when a row has been as it is, of the value of its first column for that. */
TimestampTz
history_start(const KnPeriod *period, Datum value, bool is_null, Relation relation)
{
	RangeBound from;
	RangeBound until;
	bool is_empty;

	if (!is_null && !period->is_range)
		return DatumGetTimestampTz(value);
	if (!is_null && is_open(value))
		return open_start(value);
	if (!is_null)
	{
		range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO),
						  DatumGetRangeTypeP(value),
						  &from,
						  &until,
						  &is_empty);
		if (!is_empty && !from.infinite)
			return DatumGetTimestampTz(from.val);
	}
	ereport(
		ERROR,
		errcode(ERRCODE_DATA_EXCEPTION),
		errmsg("a row of table \"%s\" does not say since when it has been so",
			   RelationGetRelationName(relation)),
		errhint(
			"Set column \"%s\" before the history is enabled.",
			NameStr(TupleDescAttr(RelationGetDescr(relation), period->from.number - 1)->attname)),
		errtablecol(relation, period->from.number));
}

/* When a row is changed that has been so since start: now, unless that was before. */
TimestampTz
history_next(const KnHistory *history, HeapTuple row, TimestampTz start, Relation relation)
{
	TimestampTz now = touch_clock(history->clock);

	if (now > start)
		return now;
	if (history->refuses_conflicts && !is_own(row))
		ereport(ERROR,
				errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				errmsg("a row of table \"%s\" has been changed at a later time",
					   RelationGetRelationName(relation)),
				errdetail("It was changed at %s, and that is to be done at %s.",
						  pstrdup(timestamptz_to_str(start)),
						  timestamptz_to_str(now)),
				errhint("Another transaction may do it."),
				errtable(relation));
	pushed_to = Max(start + 1, pushed_in == MyProc->lxid ? pushed_to : start + 1);
	pushed_in = MyProc->lxid;
	return start + 1;
}

/*
 * When a row begins that is inserted: now, but not before the end of one that
 * this transaction has deleted, which it may be again, or in another partition.
 */
static TimestampTz
new_start(const KnHistory *history)
{
	TimestampTz now = touch_clock(history->clock);

	return pushed_in == MyProc->lxid ? Max(now, pushed_to) : now;
}

/* The row, which is so since then and until further notice. */
static HeapTuple
set_period(KnHistory *history, TriggerData *data, HeapTuple row, TimestampTz start)
{
	KnPeriod *period = &history->period;

	if (period->is_range)
	{
		/* As a rule it is the same for all rows of a statement. */
		if (history->open == (Datum) 0 || history->open_since != start)
		{
			MemoryContext caller = MemoryContextSwitchTo(period->from.context);

			if (history->open != (Datum) 0)
				pfree(DatumGetPointer(history->open));
			history->open = history_range(start, 0, false);
			history->open_since = start;
			MemoryContextSwitchTo(caller);
		}
		return column_set(&period->from, data, row, history->open);
	}
	row = column_set(&period->from, data, row, TimestampTzGetDatum(start));
	return column_set(&period->until, data, row, TimestampTzGetDatum(DT_NOEND));
}

/* The time from one moment up to another, or without an end. */
Datum
history_range(TimestampTz from, TimestampTz until, bool has_until)
{
	RangeBound lower = { .val = TimestampTzGetDatum(from), .inclusive = true, .lower = true };
	RangeBound upper = { .val = TimestampTzGetDatum(until), .infinite = !has_until };

	return RangeTypePGetDatum(make_range(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO),
										 &lower,
										 &upper,
										 false
#if PG_VERSION_NUM >= 160000
										 ,
										 NULL
#endif
										 ));
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_history_stamp);

/* kints_history_stamp() returns trigger */
Datum
kints_history_stamp(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &history_stamp_kind);

	return PointerGetDatum(stamp(history_of(fcinfo, &history_stamp_kind, data), data));
}
