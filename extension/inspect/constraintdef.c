/*
 * constraintdef.c
 *		Keys and foreign keys as pg_get_constraintdef() spells them, from rows
 *		already read.
 *
 * For speed, as in indexdef.c; what is not plain is left to the server.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "inspect/inspect.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Columns as in a row's array of numbers. */
typedef struct Columns
{
	int count;
	const int16 *numbers;
} Columns;

static bool put_key(KnInspect *in, StringInfo out, HeapTuple row, TupleDesc shape,
					const KnRelation *relation);
static bool put_foreign_key(KnInspect *in, StringInfo out, HeapTuple row, TupleDesc shape,
							const KnRelation *relation);
static const char *action_words(char action);
static Columns columns_of(HeapTuple row, TupleDesc shape, int attribute);
static bool put_columns(StringInfo out, const KnRelation *relation, Columns columns);

/* What stands behind CONSTRAINT name, for a pg_constraint row of a table. */
const char *
inspect_constraint_definition(KnInspect *in, HeapTuple row, TupleDesc shape,
							  const KnRelation *relation)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);
	StringInfoData out;
	bool is_done = false;
	const char *kept = NULL;

	MemoryContextSwitchTo(in->work);
	initStringInfo(&out);
	if (form->contype == CONSTRAINT_PRIMARY || form->contype == CONSTRAINT_UNIQUE)
		is_done = put_key(in, &out, row, shape, relation);
	else if (form->contype == CONSTRAINT_FOREIGN)
		is_done = put_foreign_key(in, &out, row, shape, relation);
	if (form->condeferrable)
		appendStringInfoString(&out, " DEFERRABLE");
	if (form->condeferred)
		appendStringInfoString(&out, " INITIALLY DEFERRED");
	if (!form->convalidated)
		appendStringInfoString(&out, " NOT VALID");
	MemoryContextSwitchTo(in->result);
	if (is_done)
		kept = pnstrdup(out.data, out.len);
	MemoryContextReset(in->work);
	return is_done ? kept : read_definition(in, pg_get_constraintdef, form->oid);
}

/* False where the index behind it has more to say than its columns. */
static bool
put_key(KnInspect *in, StringInfo out, HeapTuple row, TupleDesc shape, const KnRelation *relation)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);
	Columns columns = columns_of(row, shape, Anum_pg_constraint_conkey);
	const KnRelation *index = inspect_relation(in, form->conindid);
	HeapTuple entry;
	bool is_strict = false;

	if (index == NULL || index->options != NIL || index->attribute_count != columns.count)
		return false;
	if (form->contype == CONSTRAINT_UNIQUE)
	{
		entry = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(form->conindid));
		if (!HeapTupleIsValid(entry))
			return false;
		is_strict = ((Form_pg_index) GETSTRUCT(entry))->indnullsnotdistinct;
		ReleaseSysCache(entry);
	}
	appendStringInfo(out,
					 "%s %s(",
					 form->contype == CONSTRAINT_PRIMARY ? "PRIMARY KEY" : "UNIQUE",
					 is_strict ? "NULLS NOT DISTINCT " : "");
	if (!put_columns(out, relation, columns))
		return false;
	appendStringInfoChar(out, ')');
	return true;
}

/* False where the table that it refers to was not read. */
static bool
put_foreign_key(KnInspect *in, StringInfo out, HeapTuple row, TupleDesc shape,
				const KnRelation *relation)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);
	const KnRelation *other = inspect_relation(in, form->confrelid);
	Columns cleared = columns_of(row, shape, Anum_pg_constraint_confdelsetcols);

	if (other == NULL || form->confmatchtype == FKCONSTR_MATCH_PARTIAL)
		return false;
	appendStringInfoString(out, "FOREIGN KEY (");
	if (!put_columns(out, relation, columns_of(row, shape, Anum_pg_constraint_conkey)))
		return false;
	appendStringInfo(out, ") REFERENCES %s(", sqltext_qualified(other->schema, other->name));
	if (!put_columns(out, other, columns_of(row, shape, Anum_pg_constraint_confkey)))
		return false;
	appendStringInfoChar(out, ')');
	if (form->confmatchtype == FKCONSTR_MATCH_FULL)
		appendStringInfoString(out, " MATCH FULL");
	if (form->confupdtype != FKCONSTR_ACTION_NOACTION)
		appendStringInfo(out, " ON UPDATE %s", action_words(form->confupdtype));
	if (form->confdeltype != FKCONSTR_ACTION_NOACTION)
		appendStringInfo(out, " ON DELETE %s", action_words(form->confdeltype));
	if (cleared.count == 0)
		return true;
	appendStringInfoString(out, " (");
	if (!put_columns(out, relation, cleared))
		return false;
	appendStringInfoChar(out, ')');
	return true;
}

static const char *
action_words(char action)
{
	switch (action)
	{
		case FKCONSTR_ACTION_RESTRICT:
			return "RESTRICT";
		case FKCONSTR_ACTION_CASCADE:
			return "CASCADE";
		case FKCONSTR_ACTION_SETNULL:
			return "SET NULL";
		default:
			return "SET DEFAULT";
	}
}

/* None where the array is null. */
static Columns
columns_of(HeapTuple row, TupleDesc shape, int attribute)
{
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);
	Columns columns = { 0, NULL };
	ArrayType *array;

	if (isnull)
		return columns;
	array = DatumGetArrayTypeP(value);
	columns.count = ARR_DIMS(array)[0];
	columns.numbers = (const int16 *) ARR_DATA_PTR(array);
	return columns;
}

static bool
put_columns(StringInfo out, const KnRelation *relation, Columns columns)
{
	for (int i = 0; i < columns.count; i++)
	{
		int number = columns.numbers[i];

		if (number <= 0 || number > relation->attribute_count ||
			relation->attributes[number - 1].name == NULL)
			return false;
		if (i > 0)
			appendStringInfoString(out, ", ");
		appendStringInfoString(out, quote_identifier(relation->attributes[number - 1].name));
	}
	return true;
}
