/*
 * soft_trash.c
 *		What there is to be known of a table to restore rows of it.
 */
#include "triggers/triggers.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "base/base.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

static const char *equals(Relation relation, const char *name);
static List *soft_references(List *references, bool is_parent);
static List *parents_of(Relation relation);
static const char *key_of(Relation relation);
static const char *own_columns(const KnTrash *trash);
static const char *restoring_update(Relation relation, const Trigger *trigger);

/* The condition for the rows with a key: the columns that a JSON object names. */
const char *
trash_key(Relation relation, Jsonb *key)
{
	JsonbIterator *place = JsonbIteratorInit(&key->root);
	JsonbValue value;
	JsonbIteratorToken token;
	List *parts = NIL;

	if (!JB_ROOT_IS_OBJECT(key) || JB_ROOT_COUNT(key) == 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a key has to be an object that names columns"),
				errhint("As in {\"id\": 1}."));
	while (token = JsonbIteratorNext(&place, &value, true), token != WJB_DONE)
	{
		if (token == WJB_KEY)
			parts = lappend(
				parts,
				unconstify(char *,
						   equals(relation, pnstrdup(value.val.string.val, value.val.string.len))));
	}
	return sqltext_join(parts, " AND ");
}

static const char *
equals(Relation relation, const char *name)
{
	KnColumn column;
	const TypeCacheEntry *type;
	StringInfoData out;

	column_find_any(&column, relation, name);
	type = lookup_type_cache(column.base, TYPECACHE_EQ_OPR);
	if (!OidIsValid(type->eq_opr))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_FUNCTION),
				errmsg("column \"%s\" of table \"%s\" cannot be part of a key",
					   name,
					   RelationGetRelationName(relation)),
				errdetail("Its type has no equality operator."),
				errtablecol(relation, column.number));
	initStringInfo(&out);
	generate_operator_clause(
		&out,
		sqltext_qualified("child", name),
		column.base,
		type->eq_opr,
		sqltext_concat("($1 OPERATOR(pg_catalog.->>) ",
					   sqltext_literal(name),
					   ")::",
					   /* A bare "char" or "bit" would be of length 1. */
					   format_type_extended(column.base,
											-1,
											FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					   NULL),
		column.base);
	return out.data;
}

/* All that is to be known of the table. */
void
trash_read(KnTrash *trash, const char *condition)
{
	Relation relation = table_open(trash->table, RowExclusiveLock);
	const Trigger *trigger = soft_delete_trigger(relation);

	if (trigger == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("soft delete is not enabled for table \"%s\"",
					   RelationGetRelationName(relation)),
				errtable(relation));
	trash->name = attach_table(relation);
	trash->column = soft_delete_column(trigger);
	trash->batch = trigger_option(trigger, "batch");
	trash->children = soft_references(reference_list(relation), false);
	trash->parents = soft_references(parents_of(relation), true);
	trash->update = restoring_update(relation, trigger);
	trash->query = sqltext_concat("SELECT child.ctid, child.tableoid, ",
								  key_of(relation),
								  ", ",
								  trash->batch == NULL ? "NULL::pg_catalog.int8"
													   : sqltext_qualified("child", trash->batch),
								  reference_columns(trash->children, "child"),
								  own_columns(trash),
								  " FROM ",
								  trash->name,
								  " AS child WHERE ",
								  condition,
								  " AND ",
								  sqltext_qualified("child", trash->column),
								  " IS NOT NULL FOR UPDATE OF child",
								  NULL);
	table_close(relation, NoLock);
}

/* Those whose other table has soft delete, and for children, a number for the batch. */
static List *
soft_references(List *references, bool is_parent)
{
	List *soft = NIL;
	const ListCell *cell;

	foreach(cell, references)
	{
		KnReference *reference = lfirst(cell);
		Relation other =
			table_open(is_parent ? reference->parent : reference->table, AccessShareLock);
		const Trigger *trigger = soft_delete_trigger(other);

		if (trigger != NULL && (is_parent || trigger_option(trigger, "batch") != NULL))
			soft = lappend(soft, reference);
		table_close(other, NoLock);
	}
	return soft;
}

/* The foreign keys of the table itself. */
static List *
parents_of(Relation relation)
{
	List *parents = NIL;
	const ListCell *cell;

	foreach(cell, copyObject(RelationGetFKeyList(relation)))
		parents =
			lappend(parents, reference_read(((const ForeignKeyCacheInfo *) lfirst(cell))->conoid));
	return parents;
}

/* What the row is called: its primary key, or, without one, all of it. */
static const char *
key_of(Relation relation)
{
	Bitmapset *columns = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	List *parts = NIL;
	int number = -1;

	while (number = bms_next_member(columns, number), number >= 0)
	{
		const char *name = get_attname(RelationGetRelid(relation),
									   (AttrNumber) (number + FirstLowInvalidHeapAttributeNumber),
									   false);

		parts = lappend(
			parts,
			sqltext_concat(sqltext_literal(name), ", ", sqltext_qualified("child", name), NULL));
	}
	if (parts == NIL)
		return "pg_catalog.to_jsonb(child)";
	return sqltext_concat("pg_catalog.jsonb_build_object(", sqltext_join(parts, ", "), ")", NULL);
}

/* The columns by which the row refers to others, each after a comma. */
static const char *
own_columns(const KnTrash *trash)
{
	const char *columns = "";
	const ListCell *cell;

	foreach(cell, trash->parents)
	{
		const KnReference *reference = lfirst(cell);

		for (int i = 0; i < reference->count; i++)
			columns = sqltext_concat(
				columns,
				", ",
				sqltext_qualified("child",
								  get_attname(reference->table, reference->from[i], false)),
				NULL);
	}
	return columns;
}

static const char *
restoring_update(Relation relation, const Trigger *trigger)
{
	static const char *const options[] = { "by", "batch" };
	const char *version = version_column(relation);
	const char *at = sqltext_identifier(soft_delete_column(trigger));
	List *sets = list_make1(sqltext_concat(at, " = NULL", NULL));

	for (int i = 0; i < (int) lengthof(options); i++)
	{
		const char *column = trigger_option(trigger, options[i]);

		if (column != NULL)
			sets = lappend(sets, sqltext_concat(sqltext_identifier(column), " = NULL", NULL));
	}
	if (version != NULL)
		sets = lappend(
			sets,
			sqltext_concat(sqltext_identifier(version), " = ", sqltext_identifier(version), NULL));
	return sqltext_concat(
		"UPDATE ",
		attach_table(relation),
		" SET ",
		sqltext_join(sets, ", "),
		" WHERE ctid OPERATOR(pg_catalog.=) $1 AND tableoid OPERATOR(pg_catalog.=) $2",
		NULL);
}
