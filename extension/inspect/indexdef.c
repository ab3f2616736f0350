/*
 * indexdef.c
 *		CREATE INDEX as pg_get_indexdef() spells it, from rows already read.
 *
 * The server's function looks up each column, operator class and access method
 * of each index anew, and opens the table; most of the time that it takes to
 * read a schema would go there.  What has options is left to it all the same.
 * The settings are those that inspect.c pins.
 */
#include "kints_norm.h"

#include "access/amapi.h"
#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "inspect/inspect.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/* The arrays of a pg_index row. */
typedef struct IndexRow
{
	Form_pg_index form;
	oidvector *collations;
	oidvector *classes;
	int2vector *options;
	List *trees; /* of the expressions */
	List *texts;
} IndexRow;

static bool is_plain(Form_pg_index form, const KnRelation *relation, const KnRelation *index);
static void put_columns(KnInspect *in, StringInfo out, const IndexRow *index,
						const KnRelation *relation, Oid method);
static bool is_call(const Node *tree);
static void put_key(KnInspect *in, StringInfo out, const IndexRow *index, int at, Oid type,
					Oid standard, Oid method);
static const char *class_text(KnInspect *in, Oid class, Oid type);
static bool is_ordered(Oid method);

/* The statement that creates the index of a pg_index row. */
const char *
inspect_index_definition(KnInspect *in, HeapTuple row, TupleDesc shape, const KnRelation *relation,
						 const KnRelation *index)
{
	bool isnull;
	IndexRow arrays = { .form = (Form_pg_index) GETSTRUCT(row) };
	StringInfoData out;
	const char *predicate;
	const char *kept;

	if (!is_plain(arrays.form, relation, index))
		return read_definition(in, pg_get_indexdef, arrays.form->indexrelid);
	arrays.collations = (oidvector *) DatumGetPointer(
		heap_getattr(row, Anum_pg_index_indcollation, shape, &isnull));
	arrays.classes =
		(oidvector *) DatumGetPointer(heap_getattr(row, Anum_pg_index_indclass, shape, &isnull));
	arrays.options =
		(int2vector *) DatumGetPointer(heap_getattr(row, Anum_pg_index_indoption, shape, &isnull));

	MemoryContextSwitchTo(in->work);
	arrays.texts = inspect_expressions(row, shape, Anum_pg_index_indexprs, relation, &arrays.trees);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "CREATE %sINDEX %s ON %s%s USING %s (",
					 arrays.form->indisunique ? "UNIQUE " : "",
					 quote_identifier(index->name),
					 index->relkind == RELKIND_PARTITIONED_INDEX ? "ONLY " : "",
					 sqltext_qualified(relation->schema, relation->name),
					 quote_identifier(get_am_name(index->access_method)));
	put_columns(in, &out, &arrays, relation, index->access_method);
	appendStringInfoChar(&out, ')');
	if (arrays.form->indnullsnotdistinct)
		appendStringInfoString(&out, " NULLS NOT DISTINCT");
	predicate = linitial(inspect_expressions(row, shape, Anum_pg_index_indpred, relation, NULL));
	if (predicate != NULL)
		appendStringInfo(&out, " WHERE %s", predicate);
	MemoryContextSwitchTo(in->result);
	kept = pnstrdup(out.data, out.len);
	MemoryContextReset(in->work);
	return kept;
}

/* Whether the index has no options, and its columns are known. */
static bool
is_plain(Form_pg_index form, const KnRelation *relation, const KnRelation *index)
{
	if (index->options != NIL || form->indnatts > index->attribute_count)
		return false;
	for (int i = 0; i < form->indnatts; i++)
	{
		int column = form->indkey.values[i];

		if (column < 0 || column > relation->attribute_count || index->attributes[i].has_options ||
			(column > 0 && relation->attributes[column - 1].name == NULL))
			return false;
	}
	return true;
}

static void
put_columns(KnInspect *in, StringInfo out, const IndexRow *index, const KnRelation *relation,
			Oid method)
{
	int expression = 0;

	for (int i = 0; i < index->form->indnatts; i++)
	{
		int number = index->form->indkey.values[i];
		Oid type;
		Oid collation;

		if (i == index->form->indnkeyatts)
			appendStringInfoString(out, ") INCLUDE (");
		else if (i > 0)
			appendStringInfoString(out, ", ");
		if (number > 0)
		{
			const KnAttribute *column = &relation->attributes[number - 1];

			type = column->type;
			collation = column->collation;
			appendStringInfoString(out, quote_identifier(column->name));
		}
		else
		{
			Node *tree = list_nth(index->trees, expression);

			type = exprType(tree);
			collation = exprCollation(tree);
			appendStringInfo(out,
							 is_call(tree) ? "%s" : "(%s)",
							 (const char *) list_nth(index->texts, expression++));
		}
		if (i < index->form->indnkeyatts)
			put_key(in, out, index, i, type, collation, method);
	}
}

/* Whether it reads as a call of a function, so that no parentheses are due. */
static bool
is_call(const Node *tree)
{
	switch (nodeTag(tree))
	{
		case T_FuncExpr:
			return ((const FuncExpr *) tree)->funcformat == COERCE_EXPLICIT_CALL ||
				   ((const FuncExpr *) tree)->funcformat == COERCE_SQL_SYNTAX;
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NullIfExpr:
		case T_SQLValueFunction:
		case T_XmlExpr:
			return true;
		default:
			return false;
	}
}

/* What is said of a key column where it is not the default. */
static void
put_key(KnInspect *in, StringInfo out, const IndexRow *index, int at, Oid type, Oid standard,
		Oid method)
{
	Oid collation = index->collations->values[at];
	int16 options = index->options->values[at];

	if (OidIsValid(collation) && collation != standard)
		appendStringInfo(out, " COLLATE %s", generate_collation_name(collation));
	appendStringInfoString(out, class_text(in, index->classes->values[at], type));
	if (!is_ordered(method))
		return;
	if (options & INDOPTION_DESC)
		appendStringInfoString(out, options & INDOPTION_NULLS_FIRST ? " DESC" : " DESC NULLS LAST");
	else if (options & INDOPTION_NULLS_FIRST)
		appendStringInfoString(out, " NULLS FIRST");
}

/* An operator class with a blank before it; nothing where it is the type's own. */
static const char *
class_text(KnInspect *in, Oid class, Oid type)
{
	KnClassKey key = { class, type };
	bool found;
	KnClassText *entry = hash_search(in->classes, &key, HASH_ENTER, &found);
	HeapTuple row;
	Form_pg_opclass form;
	MemoryContext caller;

	if (found)
		return entry->text;
	entry->text = "";
	row = SearchSysCache1(CLAOID, ObjectIdGetDatum(class));
	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for opclass %u", class);
	form = (Form_pg_opclass) GETSTRUCT(row);
	caller = MemoryContextSwitchTo(in->result);
	if (GetDefaultOpClass(type, form->opcmethod) != class)
		entry->text = sqltext_concat(" ",
									 sqltext_qualified(OpclassIsVisible(class)
														   ? NULL
														   : get_namespace_name(form->opcnamespace),
													   NameStr(form->opcname)),
									 NULL);
	MemoryContextSwitchTo(caller);
	ReleaseSysCache(row);
	return entry->text;
}

/* Whether an access method knows DESC and NULLS FIRST. */
static bool
is_ordered(Oid method)
{
	if (method == BTREE_AM_OID)
		return true;
	return GetIndexAmRoutineByAmId(method, false)->amcanorder;
}
