/*
 * versioning.c
 *		The trigger of the extension temporal_tables, for those who come from there.
 *
 * It is called with the same arguments and does the same, but that nobody needs a
 * right to the table for the old rows, and that a conflict is adjusted without a
 * warning.  Old rows have the columns that both tables have.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

static const KnTriggerKind versioning_kind = {
	.function = "kints_versioning",
	.feature = "versioning",
	.fires = "BEFORE INSERT OR UPDATE OR DELETE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW,
	.any_operation = true,
};

/* What set_system_time() has said, in microseconds, and as a setting, which goes back as those do.
 */
#define SYSTEM_TIME "kints.system_time"
static char *system_time_text = NULL;
static TimestampTz system_time = 0;
static bool system_time_is_set = false;

/* The row that has last been updated, and what wrote it down. */
typedef struct KnUpdated
{
	Oid table;
	ItemPointerData place;
	LocalTransactionId transaction;
	SubTransactionId part;
} KnUpdated;

static KnUpdated updated = { .transaction = InvalidLocalTransactionId };

static bool check_system_time(char **value, void **extra, GucSource source);
static void set_system_time(const char *value, void *extra);
static KnHistory *versioning_of(FunctionCallInfo fcinfo, TriggerData *data);
static void read_arguments(KnHistory *history, TriggerData *data);
static List *columns_missing(Relation relation, Oid table);
static HeapTuple version_row(KnHistory *history, TriggerData *data);
static bool is_moved(const TriggerData *data);
static void set_updated(const TriggerData *data);
static TimestampTz next_time(const KnHistory *history, TimestampTz start, Relation relation);
static TimestampTz read_time(void);

void
versioning_init(void)
{
	DefineCustomStringVariable(SYSTEM_TIME,
							   "The time that kints_versioning() notes, in microseconds.",
							   "It is set by kints_set_system_time().",
							   &system_time_text,
							   "",
							   PGC_SUSET,
							   GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_system_time,
							   set_system_time,
							   NULL);
}

static bool
check_system_time(char **value, void **extra, GucSource source)
{
	TimestampTz time;
	char *end;

	(void) source;
	if (**value == '\0')
		return true;
	errno = 0;
	time = strtoll(*value, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*extra = malloc(sizeof(time));
	if (*extra != NULL)
		memcpy(*extra, &time, sizeof(time));
	return *extra != NULL;
}

static void
set_system_time(const char *value, void *extra)
{
	(void) value;
	system_time_is_set = extra != NULL;
	if (system_time_is_set)
		system_time = *(const TimestampTz *) extra;
}

static KnHistory *
versioning_of(FunctionCallInfo fcinfo, TriggerData *data)
{
	KnHistory *history = fcinfo->flinfo->fn_extra;

	if (history == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		history = palloc0(sizeof(*history));
		read_arguments(history, data);
		fcinfo->flinfo->fn_extra = history;
		MemoryContextSwitchTo(caller);
	}
	return history;
}

/* The column for the time, the table for the old rows, and whether a conflict is adjusted. */
static void
read_arguments(KnHistory *history, TriggerData *data)
{
	const Trigger *trigger = data->tg_trigger;
	bool adjusts;

	if (trigger->tgnargs != 3)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("trigger \"%s\" of table \"%s\" has %d arguments, but has to have 3",
					   trigger->tgname,
					   RelationGetRelationName(data->tg_relation),
					   trigger->tgnargs),
				errhint("They are the column for the period, the table for the history, and "
						"whether it is adjusted."));
	if (!parse_bool(trigger->tgargs[2], &adjusts))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("argument \"%s\" of trigger \"%s\" is neither true nor false",
					   trigger->tgargs[2],
					   trigger->tgname));
	history_find_period(&history->period, data->tg_relation, trigger->tgargs[0], NULL);
	history->name = pstrdup(trigger->tgargs[1]);
	history->refuses_conflicts = !adjusts;
	history->excluded =
		columns_missing(data->tg_relation,
						history_table(RelationGetRelid(data->tg_relation), history->name));
	if (sqltext_member(history->excluded, trigger->tgargs[0]))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("history \"%s\" of table \"%s\" has no column \"%s\"",
					   history->name,
					   RelationGetRelationName(data->tg_relation),
					   trigger->tgargs[0]));
}

static List *
columns_missing(Relation relation, Oid table)
{
	TupleDesc shape = RelationGetDescr(relation);
	List *missing = NIL;

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (!attribute->attisdropped &&
			get_attnum(table, NameStr(attribute->attname)) == InvalidAttrNumber)
			missing = lappend(missing, pstrdup(NameStr(attribute->attname)));
	}
	return missing;
}

static HeapTuple
version_row(KnHistory *history, TriggerData *data)
{
	KnColumn *column = &history->period.from;
	HeapTuple old = data->tg_trigtuple;
	bool is_null;
	Datum period;
	TimestampTz start;
	TimestampTz end;

	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		return column_set(column, data, old, history_range(read_time(), 0, false));
	period = heap_getattr(old, column->number, RelationGetDescr(data->tg_relation), &is_null);
	start = history_start(&history->period, period, is_null, data->tg_relation);
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(old->t_data)) || is_moved(data))
		end = start;
	else
	{
		end = next_time(history, start, data->tg_relation);
		history_keep(history, data->tg_relation, old, start, end);
	}
	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
		return old;
	set_updated(data);
	return column_set(column, data, data->tg_newtuple, history_range(end, 0, false));
}

/* Whether a row is deleted that an update, seen before, moves to another partition. */
static bool
is_moved(const TriggerData *data)
{
	return TRIGGER_FIRED_BY_DELETE(data->tg_event) && updated.transaction == MyProc->lxid &&
		   updated.part == GetCurrentSubTransactionId() &&
		   updated.table == RelationGetRelid(data->tg_relation) &&
		   ItemPointerEquals(&updated.place, &data->tg_trigtuple->t_self);
}

static void
set_updated(const TriggerData *data)
{
	updated.table = RelationGetRelid(data->tg_relation);
	updated.place = data->tg_trigtuple->t_self;
	updated.transaction = MyProc->lxid;
	updated.part = GetCurrentSubTransactionId();
}

static TimestampTz
next_time(const KnHistory *history, TimestampTz start, Relation relation)
{
	TimestampTz time = read_time();

	if (time > start)
		return time;
	if (history->refuses_conflicts)
		ereport(ERROR,
				errcode(ERRCODE_DATA_EXCEPTION),
				errmsg("a row of table \"%s\" has been changed at a later time",
					   RelationGetRelationName(relation)),
				errtable(relation));
	return start + 1;
}

static TimestampTz
read_time(void)
{
	return system_time_is_set ? system_time : GetCurrentTransactionStartTimestamp();
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_versioning);
KN_FUNCTION(kints_set_system_time);

/* kints_versioning() returns trigger */
Datum
kints_versioning(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &versioning_kind);

	return PointerGetDatum(version_row(versioning_of(fcinfo, data), data));
}

/* kints_set_system_time(at timestamptz) */
Datum
kints_set_system_time(PG_FUNCTION_ARGS)
{
	const char *time = PG_ARGISNULL(0) ? "" : psprintf(INT64_FORMAT, PG_GETARG_TIMESTAMPTZ(0));

	/* Who may call this may set it. */
	(void) set_config_option(SYSTEM_TIME,
							 time,
							 PGC_SUSET,
							 PGC_S_SESSION,
							 GUC_ACTION_SET,
							 true,
							 0,
							 false);
	PG_RETURN_VOID();
}
