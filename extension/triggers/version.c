/*
 * version.c
 *		A number that each UPDATE of a row makes one more.
 *
 * Who has read a row at a version, and changes it, says which that was, in
 * the UPDATE itself: it is refused if the row has another one by now.  At the
 * time of the trigger the row is locked, and the old one is the newest there
 * is, so nothing comes in between.  One more than the old one does as well: it
 * is what "version = version + 1" gives, with the old one in the condition.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/rel.h"

typedef enum KnVersionMode
{
	KN_VERSION_BUMP,   /* whatever the UPDATE says */
	KN_VERSION_CHECK,  /* what it says has to fit, if it says anything */
	KN_VERSION_REQUIRE /* and it has to say something */
} KnVersionMode;

typedef struct KnVersion
{
	KnColumn column;
	KnVersionMode mode;
	bool has_touch;
	KnTouch touch;
} KnVersion;

static const char *const option_names[] = { "column", "mode", "touch", "clock" };

static const KnTriggerKind version_kind = {
	.function = "kints_version",
	.feature = "version",
	.fires = "BEFORE UPDATE",
	.level = "FOR EACH ROW",
	.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW | TRIGGER_EVENT_UPDATE,
	.column = "version",
	.options = option_names,
	.option_count = lengthof(option_names),
};

static KnVersion *version_of(FunctionCallInfo fcinfo, TriggerData *data);
static void find_version(KnVersion *version, Relation relation, const char *column,
						 const char *mode);
static KnVersionMode mode_named(const char *name);
static int64 next_version(KnVersion *version, TriggerData *data);
static bool read_version(const KnVersion *version, HeapTuple row, TupleDesc shape, int64 *value);
static int64 most_of(Oid type);
static Datum version_datum(KnVersion *version, int64 value);
static void refuse_blind(const KnVersion *version, TriggerData *data);
static const char *column_name(const KnVersion *version, Relation relation);

/* What the trigger's arguments say, looked up once a statement. */
static KnVersion *
version_of(FunctionCallInfo fcinfo, TriggerData *data)
{
	KnVersion *version = fcinfo->flinfo->fn_extra;
	const Trigger *trigger = data->tg_trigger;
	const char *column;
	const char *mode;
	const char *touch;
	MemoryContext caller;

	if (version != NULL)
		return version;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	trigger_check_options(&version_kind, trigger, data->tg_relation);
	column = trigger_option(trigger, "column");
	mode = trigger_option(trigger, "mode");
	touch = trigger_option(trigger, "touch");
	version = palloc0(sizeof(*version));
	find_version(version,
				 data->tg_relation,
				 column == NULL ? version_kind.column : column,
				 mode == NULL ? "bump" : mode);
	version->has_touch = touch != NULL;
	if (touch != NULL)
		touch_find(&version->touch, data->tg_relation, touch, trigger_option(trigger, "clock"));
	fcinfo->flinfo->fn_extra = version;
	MemoryContextSwitchTo(caller);
	return version;
}

static void
find_version(KnVersion *version, Relation relation, const char *column, const char *mode)
{
	column_find(&version->column, relation, column);
	if (most_of(version->column.base) == 0)
		column_refuse_type(&version->column, relation, "smallint, integer or bigint");
	version->mode = mode_named(mode);
}

static KnVersionMode
mode_named(const char *name)
{
	static const char *const names[] = { "bump", "check", "require" };
	int place = sqltext_index(name, names, lengthof(names));

	if (place < 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("there is no mode \"%s\" of versions", name),
				errhint("Known modes: bump, check, require."));
	return (KnVersionMode) place;
}

/* The version that the row is to have, if the UPDATE may be. */
static int64
next_version(KnVersion *version, TriggerData *data)
{
	TupleDesc shape = RelationGetDescr(data->tg_relation);
	int64 old = 0;
	int64 said = 0;
	bool has_old = read_version(version, data->tg_trigtuple, shape, &old);

	if (version->mode == KN_VERSION_REQUIRE)
		refuse_blind(version, data);
	if (version->mode != KN_VERSION_BUMP)
	{
		bool has_said = read_version(version, data->tg_newtuple, shape, &said);

		/* NULL counts as 0. */
		if (said != old && said - 1 != old)
			ereport(ERROR,
					errcode(KN_ERRCODE_STALE_VERSION),
					errmsg("a row of table \"%s\" is of another version by now",
						   RelationGetRelationName(data->tg_relation)),
					errdetail("The UPDATE is for version %s, and the row is of version %s.",
							  has_said ? psprintf(INT64_FORMAT, said) : "NULL",
							  has_old ? psprintf(INT64_FORMAT, old) : "NULL"),
					errhint("Read the row again, and decide anew."),
					errtablecol(data->tg_relation, version->column.number));
	}
	if (old >= most_of(version->column.base))
		ereport(ERROR,
				errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("column \"%s\" of table \"%s\" cannot count any further",
					   column_name(version, data->tg_relation),
					   RelationGetRelationName(data->tg_relation)),
				errtablecol(data->tg_relation, version->column.number));
	return old + 1;
}

/*
 * An UPDATE that says nothing of the version can be for any.  What the server
 * itself does for a foreign key has seen no version.
 */
static void
refuse_blind(const KnVersion *version, TriggerData *data)
{
	if (running_is_of_foreign_key() ||
		bms_is_member(version->column.number - FirstLowInvalidHeapAttributeNumber,
					  data->tg_updatedcols))
		return;
	ereport(ERROR,
			errcode(KN_ERRCODE_VERSION_MISSING),
			errmsg("an UPDATE of table \"%s\" has to say which version it is for",
				   RelationGetRelationName(data->tg_relation)),
			errhint("Set column \"%s\" to the version that was read.",
					column_name(version, data->tg_relation)),
			errtablecol(data->tg_relation, version->column.number));
}

static const char *
column_name(const KnVersion *version, Relation relation)
{
	return NameStr(TupleDescAttr(RelationGetDescr(relation), version->column.number - 1)->attname);
}

/* False: it is NULL, and *value is left alone. */
static bool
read_version(const KnVersion *version, HeapTuple row, TupleDesc shape, int64 *value)
{
	bool is_null;
	Datum datum = heap_getattr(row, version->column.number, shape, &is_null);

	if (is_null)
		return false;
	switch (version->column.base)
	{
		case INT2OID:
			*value = DatumGetInt16(datum);
			break;
		case INT4OID:
			*value = DatumGetInt32(datum);
			break;
		default:
			*value = DatumGetInt64(datum);
	}
	return true;
}

/* The largest version that there can be; 0: it is no type for versions. */
static int64
most_of(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return PG_INT16_MAX;
		case INT4OID:
			return PG_INT32_MAX;
		case INT8OID:
			return PG_INT64_MAX;
		default:
			return 0;
	}
}

static Datum
version_datum(KnVersion *version, int64 value)
{
	switch (version->column.base)
	{
		case INT2OID:
			return column_checked(&version->column, Int16GetDatum((int16) value));
		case INT4OID:
			return column_checked(&version->column, Int32GetDatum((int32) value));
		default:
			return column_checked(&version->column, Int64GetDatum(value));
	}
}

/* The column that counts, if the table has the trigger; for a statement that changes the row. */
const char *
version_column(Relation relation)
{
	const Trigger *trigger = trigger_find(relation, kints_version);
	const char *column = trigger == NULL ? NULL : trigger_option(trigger, "column");

	return trigger == NULL || column != NULL ? column : version_kind.column;
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_version);
KN_FUNCTION(kints_version_enable);
KN_FUNCTION(kints_version_disable);

/* kints_version() returns trigger */
Datum
kints_version(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_called(fcinfo, &version_kind);
	KnVersion *version = version_of(fcinfo, data);
	Datum next = version_datum(version, next_version(version, data));
	HeapTuple row = column_set(&version->column, data, data->tg_newtuple, next);

	if (version->has_touch)
		row = column_set(&version->touch.column, data, row, touch_value(&version->touch));
	return PointerGetDatum(row);
}

/* kints_version_enable(tbl regclass, col name, mode text, touch name, clock text) */
Datum
kints_version_enable(PG_FUNCTION_ARGS)
{
	Relation relation;
	const char *column;
	const char *mode;
	List *options;
	KnVersion version;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "col");
	attach_refuse_null(fcinfo, 2, "mode");
	attach_refuse_null(fcinfo, 4, "clock");
	relation = attach_open(PG_GETARG_OID(0), ShareRowExclusiveLock);
	column = NameStr(*PG_GETARG_NAME(1));
	mode = text_to_cstring(PG_GETARG_TEXT_PP(2));
	find_version(&version, relation, column, mode);
	options = list_make2(attach_option("column", column), attach_option("mode", mode));
	if (!PG_ARGISNULL(3))
	{
		const char *touch = NameStr(*PG_GETARG_NAME(3));
		const char *clock = text_to_cstring(PG_GETARG_TEXT_PP(4));

		touch_find(&version.touch, relation, touch, clock);
		touch_refuse_second(fcinfo, relation, touch);
		options = lappend(options, attach_option("touch", touch));
		options = lappend(options, attach_option("clock", clock));
	}
	attach_refuse_second(attach_find(fcinfo, relation, version_kind.function, NULL, NULL, NULL),
						 version_kind.feature,
						 relation);
	attach_create(fcinfo, &version_kind, version_kind.function, relation, NULL, options);
	table_close(relation, NoLock);
	PG_RETURN_VOID();
}

/* kints_version_disable(tbl regclass) */
Datum
kints_version_disable(PG_FUNCTION_ARGS)
{
	attach_drop(fcinfo, &version_kind, NULL);
	PG_RETURN_VOID();
}
