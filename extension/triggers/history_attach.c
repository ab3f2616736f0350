/*
 * history_attach.c
 *		History is enabled for a table, and disabled again.
 *
 * The table for the old rows is one like any other: a dump has it, it may have
 * indexes of its own, and be read by whom its owner lets.
 */
#include "triggers/triggers.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The last one before the row is written: it sees what the others have made of it. */
#define STAMP "zz_kints_history"

/* What kints_history_enable() is called with. */
enum
{
	ARG_TABLE,
	ARG_HISTORY,
	ARG_PERIOD,
	ARG_UNTIL,
	ARG_CLOCK,
	ARG_CONFLICT,
	ARG_COLLAPSE,
	ARG_EXCLUDE,
	ARG_INDEX
};

typedef enum KnIndex
{
	KN_INDEX_BTREE,
	KN_INDEX_BRIN,
	KN_INDEX_GIST,
	KN_INDEX_NONE
} KnIndex;

static const char *const indexes[] = { "btree", "brin", "gist", "none" };
static const char *const conflicts[] = { "adjust", "error" };

static List *options_of(FunctionCallInfo fcinfo, Relation relation, KnHistory *history);
static bool collapses(FunctionCallInfo fcinfo, KnClock clock);
static List *excluded_of(FunctionCallInfo fcinfo, Relation relation, const KnHistory *history);
static const char *key_of(Relation relation);
static void make_table(Relation relation, const KnHistory *history, KnIndex index);
static void make_index(Relation relation, const KnHistory *history, const char *table,
					   KnIndex index);
static void take_rights(Oid table);
static void take_grantee(HeapTuple row, TupleDesc shape, void *argument);
static const char *column_text(Form_pg_attribute attribute);
static void attach_triggers(FunctionCallInfo fcinfo, Relation relation, const List *options);
static void check_rows(Relation relation, const KnHistory *history);

/* What is to be, checked, and as arguments of the triggers. */
static List *
options_of(FunctionCallInfo fcinfo, Relation relation, KnHistory *history)
{
	const char *period;
	const char *until;
	const char *clock;
	List *options;

	attach_refuse_null(fcinfo, ARG_PERIOD, "period");
	attach_refuse_null(fcinfo, ARG_CLOCK, "clock");
	(void) attach_choice(fcinfo, ARG_CONFLICT, "conflict", conflicts, lengthof(conflicts));
	period = NameStr(*PG_GETARG_NAME(ARG_PERIOD));
	until = PG_ARGISNULL(ARG_UNTIL) ? NULL : NameStr(*PG_GETARG_NAME(ARG_UNTIL));
	clock = text_to_cstring(PG_GETARG_TEXT_PP(ARG_CLOCK));
	history_find_period(&history->period, relation, period, until);
	history->clock = touch_clock_named(clock);
	history->name =
		PG_ARGISNULL(ARG_HISTORY)
			? sqltext_identifier(makeObjectName(RelationGetRelationName(relation), NULL, "history"))
			: text_to_cstring(PG_GETARG_TEXT_PP(ARG_HISTORY));
	history->excluded = excluded_of(fcinfo, relation, history);
	options =
		list_make4(attach_option("history", history->name),
				   attach_option("period", period),
				   attach_option("clock", clock),
				   attach_option("conflict", text_to_cstring(PG_GETARG_TEXT_PP(ARG_CONFLICT))));
	options =
		lappend(options,
				attach_option("collapse", collapses(fcinfo, history->clock) ? "true" : "false"));
	if (until != NULL)
		options = lappend(options, attach_option("until", until));
	if (history->excluded != NIL)
	{
		List *names = NIL;
		const ListCell *cell;

		foreach(cell, history->excluded)
			names = lappend(names, unconstify(char *, sqltext_identifier(lfirst(cell))));
		options = lappend(options, attach_option("exclude", sqltext_join(names, ", ")));
	}
	return options;
}

/* Where nothing is said of it, where that can be. */
static bool
collapses(FunctionCallInfo fcinfo, KnClock clock)
{
	if (PG_ARGISNULL(ARG_COLLAPSE))
		return clock == KN_CLOCK_TX;
	if (PG_GETARG_BOOL(ARG_COLLAPSE) && clock != KN_CLOCK_TX)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("changes of a transaction are one only by its own clock"),
				errhint("Say clock => 'tx', or collapse => false."));
	return PG_GETARG_BOOL(ARG_COLLAPSE);
}

/* Columns of the table that are not to be in the history. */
static List *
excluded_of(FunctionCallInfo fcinfo, Relation relation, const KnHistory *history)
{
	List *excluded = NIL;
	Datum *names;
	bool *nulls;
	int count;

	if (PG_ARGISNULL(ARG_EXCLUDE))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_EXCLUDE),
					  NAMEOID,
					  NAMEDATALEN,
					  false,
					  TYPALIGN_CHAR,
					  &names,
					  &nulls,
					  &count);
	for (int i = 0; i < count; i++)
	{
		KnColumn column;

		if (nulls[i])
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("argument \"%s\" must not contain null values", "exclude"));
		column_find_any(&column, relation, NameStr(*DatumGetName(names[i])));
		if (column.number == history->period.from.number ||
			(!history->period.is_range && column.number == history->period.until.number) ||
			bms_is_member(column.number - FirstLowInvalidHeapAttributeNumber,
						  RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY)))
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("column \"%s\" of table \"%s\" cannot be excluded from the history",
						   NameStr(*DatumGetName(names[i])),
						   RelationGetRelationName(relation)),
					errdetail("It tells which row it was, or when."),
					errtablecol(relation, column.number));
		excluded = lappend(excluded, pstrdup(NameStr(*DatumGetName(names[i]))));
	}
	return excluded;
}

/* The columns of the primary key; an error without one, for then nobody could tell whose rows they
 * were. */
static const char *
key_of(Relation relation)
{
	Oid index;
	Relation opened;
	List *columns = NIL;

	(void) RelationGetIndexList(relation);
	index = relation->rd_pkindex;
	if (!OidIsValid(index))
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("table \"%s\" has no primary key", RelationGetRelationName(relation)),
				errhint("Without one nobody could tell of which row the history is."),
				errtable(relation));
	opened = index_open(index, AccessShareLock);
	for (int i = 0; i < opened->rd_index->indnkeyatts; i++)
		columns =
			lappend(columns,
					unconstify(char *,
							   sqltext_identifier(get_attname(RelationGetRelid(relation),
															  opened->rd_index->indkey.values[i],
															  false))));
	index_close(opened, NoLock);
	return sqltext_join(columns, ", ");
}

/* The table for the old rows, unless there is one of that name. */
static void
make_table(Relation relation, const KnHistory *history, KnIndex index)
{
	TupleDesc shape = RelationGetDescr(relation);
	const char *name;
	Oid schema = history_schema(RelationGetRelid(relation), history->name, &name);
	const char *table = sqltext_qualified(get_namespace_name(schema), name);
	List *columns = NIL;

	if (OidIsValid(get_relname_relid(name, schema)))
		return;
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (!attribute->attisdropped &&
			!sqltext_member(history->excluded, NameStr(attribute->attname)))
			columns = lappend(columns, unconstify(char *, column_text(attribute)));
	}
	utility_run(
		sqltext_concat("CREATE TABLE ", table, " (", sqltext_join(columns, ", "), ")", NULL));
	CommandCounterIncrement();
	make_index(relation, history, table, index);
	attach_hand_over(relation->rd_rel->relowner, "TABLE", table);
	take_rights(get_relname_relid(name, schema));
}

/* The columns that the table has, and the one for its old rows has not. */
void
history_add_columns(Relation relation, const KnHistory *history, Oid old)
{
	TupleDesc shape = RelationGetDescr(relation);

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		const char *name = NameStr(attribute->attname);

		if (!attribute->attisdropped && !sqltext_member(history->excluded, name) &&
			get_attnum(old, name) == InvalidAttrNumber)
			utility_run(sqltext_concat(
				"ALTER TABLE ",
				sqltext_qualified(get_namespace_name(get_rel_namespace(old)), get_rel_name(old)),
				" ADD COLUMN ",
				column_text(attribute),
				NULL));
	}
}

static const char *
column_text(Form_pg_attribute attribute)
{
	Oid collation = attribute->attcollation;
	const char *collate = "";

	if (OidIsValid(collation) && collation != get_typcollation(attribute->atttypid))
		collate = sqltext_concat(" COLLATE ", reference_collation(collation), NULL);
	return sqltext_concat(
		sqltext_identifier(NameStr(attribute->attname)),
		" ",
		format_type_extended(attribute->atttypid,
							 attribute->atttypmod,
							 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
		collate,
		NULL);
}

/*
 * btree is for the versions of one row.  brin is for what was at a time, and
 * costs next to nothing; gist is for that too, and costs a lot.
 */
static void
make_index(Relation relation, const KnHistory *history, const char *table, KnIndex index)
{
	const KnPeriod *period = &history->period;
	TupleDesc shape = RelationGetDescr(relation);
	const char *from =
		sqltext_identifier(NameStr(TupleDescAttr(shape, period->from.number - 1)->attname));
	const char *until =
		period->is_range
			? NULL
			: sqltext_identifier(NameStr(TupleDescAttr(shape, period->until.number - 1)->attname));
	const char *columns;

	if (index == KN_INDEX_NONE)
		return;
	if (index != KN_INDEX_BTREE)
		columns = until == NULL ? from : sqltext_concat(from, ", ", until, NULL);
	else
		columns = sqltext_concat(
			key_of(relation),
			", ",
			until != NULL ? from : sqltext_concat("pg_catalog.lower(", from, ")", NULL),
			NULL);
	utility_run(sqltext_concat("CREATE INDEX ON ",
							   table,
							   " USING ",
							   indexes[index],
							   " (",
							   columns,
							   ")",
							   NULL));
}

/* What default privileges have given to others is taken away. */
static void
take_rights(Oid table)
{
	static const char query[] =
		"SELECT DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'"
		" ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END"
		" FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a"
		" WHERE c.oid OPERATOR(pg_catalog.=) $1 AND a.grantee OPERATOR(pg_catalog.<>) c.relowner ORDER BY 1";
	Oid type = OIDOID;
	Datum value = ObjectIdGetDatum(table);
	List *grantees = NIL;

	query_rows(query, 1, &type, &value, take_grantee, &grantees);
	if (grantees != NIL)
		utility_run(sqltext_concat(
			"REVOKE ALL ON TABLE ",
			sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table)),
			" FROM ",
			sqltext_join(grantees, ", "),
			NULL));
}

static void
take_grantee(HeapTuple row, TupleDesc shape, void *argument)
{
	List **grantees = argument;

	*grantees = lappend(*grantees, SPI_getvalue(row, shape, 1));
}

static void
attach_triggers(FunctionCallInfo fcinfo, Relation relation, const List *options)
{
	const KnTriggerKind *row =
		relation->rd_rel->relispartition || relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE
			? &history_row_kind
			: &history_delete_kind;

	attach_create(fcinfo, &history_stamp_kind, STAMP, relation, NULL, options);
	attach_create(fcinfo, row, row->function, relation, NULL, options);
	attach_create(fcinfo,
				  &history_truncate_kind,
				  history_truncate_kind.function,
				  relation,
				  NULL,
				  options);
}

/* An error if a row does not say since when it has been so. */
static void
check_rows(Relation relation, const KnHistory *history)
{
	const KnPeriod *period = &history->period;
	TupleDesc shape = RelationGetDescr(relation);
	const char *from =
		sqltext_identifier(NameStr(TupleDescAttr(shape, period->from.number - 1)->attname));
	const char *condition;

	if (period->is_range)
		condition = sqltext_concat("NOT pg_catalog.isempty(",
								   from,
								   ") AND NOT pg_catalog.lower_inf(",
								   from,
								   ") AND pg_catalog.upper_inf(",
								   from,
								   ")",
								   NULL);
	else
		condition = sqltext_concat(
			from,
			" OPERATOR(pg_catalog.>) '-infinity' AND ",
			sqltext_identifier(NameStr(TupleDescAttr(shape, period->until.number - 1)->attname)),
			" OPERATOR(pg_catalog.=) 'infinity'",
			NULL);
	if (query_run(sqltext_concat("SELECT FROM ",
								 attach_table(relation),
								 " WHERE (",
								 condition,
								 ") IS NOT TRUE LIMIT 1",
								 NULL),
				  0,
				  NULL,
				  NULL,
				  NULL) > 0)
		ereport(
			ERROR,
			errcode(ERRCODE_DATA_EXCEPTION),
			errmsg("rows of table \"%s\" do not say since when they have been so",
				   RelationGetRelationName(relation)),
			period->is_range
				? errhint("Set column %s to a range from then on, such as tstzrange(now(), NULL).",
						  from)
				: errhint("Set column %s to then, and the other one to 'infinity'.", from),
			errtablecol(relation, period->from.number));
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_history_enable);
KN_FUNCTION(kints_history_disable);

/*
 * kints_history_enable(tbl regclass, history text, period name, until name, clock text,
 *		conflict text, collapse boolean, exclude name[], index text)
 */
Datum
kints_history_enable(PG_FUNCTION_ARGS)
{
	Relation relation;
	KnHistory history;
	List *options;
	KnIndex index;

	attach_refuse_null(fcinfo, ARG_TABLE, "tbl");
	index = attach_choice(fcinfo, ARG_INDEX, "index", indexes, lengthof(indexes));
	relation = attach_open(PG_GETARG_OID(ARG_TABLE), ShareRowExclusiveLock);
	memset(&history, 0, sizeof(history));
	options = options_of(fcinfo, relation, &history);
	(void) key_of(relation);
	attach_refuse_second(
		attach_find(fcinfo, relation, history_stamp_kind.function, NULL, NULL, NULL),
		history_stamp_kind.feature,
		relation);
	check_rows(relation, &history);
	make_table(relation, &history, index);
	history_check(relation, &history);
	attach_triggers(fcinfo, relation, options);
	table_close(relation, NoLock);
	history_reads_make(PG_GETARG_OID(ARG_TABLE), &history);
	PG_RETURN_VOID();
}

/* kints_history_disable(tbl regclass, drop_history boolean) */
Datum
kints_history_disable(PG_FUNCTION_ARGS)
{
	Relation relation;
	const Trigger *trigger;
	Oid table = InvalidOid;
	Oid owner;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "drop_history");
	relation = attach_open(PG_GETARG_OID(0), AccessExclusiveLock);
	trigger = attach_find(fcinfo, relation, history_stamp_kind.function, NULL, NULL, NULL);
	if (trigger != NULL && trigger_option(trigger, "history") != NULL && PG_GETARG_BOOL(1))
		table =
			history_table(RelationGetRelid(relation), pstrdup(trigger_option(trigger, "history")));
	owner = relation->rd_rel->relowner;
	table_close(relation, NoLock);
	attach_drop(fcinfo, &history_stamp_kind, NULL);
	history_reads_drop(get_rel_namespace(PG_GETARG_OID(0)), get_rel_name(PG_GETARG_OID(0)), owner);
	if (OidIsValid(table))
		utility_run(sqltext_concat(
			"DROP TABLE ",
			sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table)),
			NULL));
	PG_RETURN_VOID();
}
