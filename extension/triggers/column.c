/*
 * column.c
 *		A column that a trigger gives values to.
 *
 * The server takes what a BEFORE trigger returns as it is: that it fits the
 * column, its precision and the checks of its domain, is our affair.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_attribute.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool is_own(const TupleTableSlot *slot, HeapTuple row);
static bool set_in_place(KnColumn *column, TupleDesc shape, HeapTuple row, Datum value);
static bool copy_over(char *place, const char *value);
static TupleDesc by_reference(KnColumn *column, TupleDesc shape);

/*
 * The column of that name, which is one that can be given values.  column
 * stands in memory of the current context, or of one that lives as long.
 */
void
column_find(KnColumn *column, Relation relation, const char *name)
{
	Form_pg_attribute attribute;

	column_find_any(column, relation, name);
	attribute = TupleDescAttr(RelationGetDescr(relation), column->number - 1);
	if (attribute->attgenerated != '\0')
		ereport(ERROR,
				errcode(ERRCODE_GENERATED_ALWAYS),
				errmsg("column \"%s\" of table \"%s\" is generated",
					   name,
					   RelationGetRelationName(relation)),
				errtablecol(relation, column->number));
	if (attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		ereport(ERROR,
				errcode(ERRCODE_GENERATED_ALWAYS),
				errmsg("column \"%s\" of table \"%s\" is an identity column",
					   name,
					   RelationGetRelationName(relation)),
				errdetail("It is GENERATED ALWAYS, and no UPDATE can set it."),
				errtablecol(relation, column->number));
}

/* The column of that name, whatever it is. */
void
column_find_any(KnColumn *column, Relation relation, const char *name)
{
	TupleDesc shape = RelationGetDescr(relation);

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		column->number = (AttrNumber) (i + 1);
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->base = getBaseTypeAndTypmod(column->type, &column->typmod);
		column->domain = NULL;
		column->context = CurrentMemoryContext;
		column->by_reference = NULL;
		return;
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("column \"%s\" of table \"%s\" does not exist",
				   name,
				   RelationGetRelationName(relation)),
			errtable(relation));
}

/* expected: the types that would do. */
void
column_refuse_type(const KnColumn *column, Relation relation, const char *expected)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), column->number - 1);

	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("column \"%s\" of table \"%s\" is of type %s, but has to be %s",
				   NameStr(attribute->attname),
				   RelationGetRelationName(relation),
				   format_type_be(column->type),
				   expected),
			errtablecol(relation, column->number));
}

/* The value, if the domain takes it that the column is of. */
Datum
column_checked(KnColumn *column, Datum value)
{
	if (column->type != column->base)
		domain_check(value, false, column->type, &column->domain, column->context);
	return value;
}

/*
 * Gives a row that is to be inserted, or the new one of an UPDATE, a value, and
 * returns it.  Where the row is the executor's own copy it is changed in its
 * place, which costs nothing.
 */
HeapTuple
column_set(KnColumn *column, TriggerData *data, HeapTuple row, Datum value)
{
	TupleDesc shape = RelationGetDescr(data->tg_relation);
	TupleTableSlot *slot =
		TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newslot : data->tg_trigslot;
	int number = column->number;
	bool is_null = false;

	if (is_own(slot, row) && set_in_place(column, shape, row, value))
	{
		/* What the slot has read of it is read anew. */
		slot->tts_nvalid = 0;
		((HeapTupleTableSlot *) slot)->off = 0;
		return row;
	}
	return heap_modify_tuple_by_cols(row, shape, 1, &number, &value, &is_null);
}

/* Whether the slot has the row to itself: it stands on no page, and is no copy. */
static bool
is_own(const TupleTableSlot *slot, HeapTuple row)
{
	return slot != NULL && (TTS_IS_HEAPTUPLE(slot) || TTS_IS_BUFFERTUPLE(slot)) &&
		   TTS_SHOULDFREE(slot) && ((const HeapTupleTableSlot *) slot)->tuple == row;
}

/* False: there is no such place, for the old value is NULL, or is not of that size. */
static bool
set_in_place(KnColumn *column, TupleDesc shape, HeapTuple row, Datum value)
{
	Form_pg_attribute attribute = TupleDescAttr(shape, column->number - 1);
	bool is_null;
	char *place;

	if (column->number > (int) HeapTupleHeaderGetNatts(row->t_data))
		return false;
	if (attribute->attbyval)
		shape = by_reference(column, shape);
	place = DatumGetPointer(heap_getattr(row, column->number, shape, &is_null));
	if (is_null)
		return false;
	if (attribute->attbyval)
		store_att_byval(place, value, attribute->attlen);
	return attribute->attbyval ||
		   (attribute->attlen == -1 && copy_over(place, DatumGetPointer(value)));
}

/* Copies a value of variable size to the place of another one.  False: it is not of that size. */
static bool
copy_over(char *place, const char *value)
{
	if (VARATT_IS_EXTENDED(value) || VARATT_IS_EXTERNAL(place) || VARATT_IS_COMPRESSED(place) ||
		VARSIZE_ANY_EXHDR(place) != VARSIZE_ANY_EXHDR(value))
		return false;
	memcpy(VARDATA_ANY(place), VARDATA_ANY(value), VARSIZE_ANY_EXHDR(place));
	return true;
}

/* The shape, but that the value of the column is a pointer into the row. */
static TupleDesc
by_reference(KnColumn *column, TupleDesc shape)
{
	if (column->by_reference == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(column->context);

		column->by_reference = CreateTupleDescCopy(shape);
		TupleDescAttr(column->by_reference, column->number - 1)->attbyval = false;
		MemoryContextSwitchTo(caller);
	}
	return column->by_reference;
}
