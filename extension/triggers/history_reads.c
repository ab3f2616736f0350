/*
 * history_reads.c
 *		Rows as they were: functions and a view that are made for each table.
 *
 * They are plain SQL, which the planner puts into the query that asks, with the
 * rights of who asks.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define AS_OF(table)    makeObjectName(table, NULL, "_as_of")
#define BETWEEN(table)  makeObjectName(table, NULL, "_between")
#define VERSIONS(table) makeObjectName(table, NULL, "_history")

/* The types of what the functions are called with. */
#define AT          "(pg_catalog.timestamptz)"
#define SINCE_UNTIL "(pg_catalog.timestamptz, pg_catalog.timestamptz)"

static const char *union_of(Relation relation, Relation table, const KnHistory *history,
							const char *condition);
static const char *columns_of(Relation relation, const KnHistory *history, bool is_old);
static const char *was_at(const KnPeriod *period, Relation relation);
static const char *was_between(const KnPeriod *period, Relation relation);
static const char *column_name(const KnColumn *column, Relation relation);
static void make_function(const char *name, const char *arguments, const char *types,
						  Relation relation, const char *body);
static void take_grant(HeapTuple row, TupleDesc shape, void *argument);
static void drop_function(const char *schema, const char *name, int count, const char *types,
						  Oid owner);

/* Makes them; an error if something else has their names. */
void
history_reads_make(Oid table, const KnHistory *history)
{
	Relation relation = table_open(table, AccessShareLock);
	Relation old = table_open(history_table(table, history->name), AccessShareLock);
	const char *schema = get_namespace_name(RelationGetNamespace(relation));
	const char *name = RelationGetRelationName(relation);
	const KnPeriod *period = &history->period;

	make_function(sqltext_qualified(schema, AS_OF(name)),
				  "at pg_catalog.timestamptz",
				  AT,
				  relation,
				  union_of(relation, old, history, was_at(period, relation)));
	make_function(sqltext_qualified(schema, BETWEEN(name)),
				  "since pg_catalog.timestamptz, until pg_catalog.timestamptz",
				  SINCE_UNTIL,
				  relation,
				  union_of(relation, old, history, was_between(period, relation)));
	utility_run(sqltext_concat("CREATE VIEW ",
							   sqltext_qualified(schema, VERSIONS(name)),
							   " WITH (security_invoker = true) AS ",
							   union_of(relation, old, history, NULL),
							   NULL));
	attach_hand_over(relation->rd_rel->relowner, "VIEW", sqltext_qualified(schema, VERSIONS(name)));
	table_close(old, NoLock);
	table_close(relation, NoLock);
}

/* The rows of now and those of before; condition: NULL for all. */
static const char *
union_of(Relation relation, Relation table, const KnHistory *history, const char *condition)
{
	const char *where = condition == NULL ? "" : sqltext_concat(" WHERE ", condition, NULL);

	return sqltext_concat("SELECT ",
						  columns_of(relation, history, false),
						  " FROM ",
						  /* Heirs have histories of their own, and partitions have none. */
						  relation->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
						  attach_table(relation),
						  " AS t",
						  where,
						  " UNION ALL SELECT ",
						  columns_of(relation, history, true),
						  " FROM ",
						  /* The table may be one of its heirs. */
						  table->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
						  attach_table(table),
						  " AS t",
						  where,
						  NULL);
}

/* is_old: of the history, which lacks what is excluded. */
static const char *
columns_of(Relation relation, const KnHistory *history, bool is_old)
{
	TupleDesc shape = RelationGetDescr(relation);
	List *columns = NIL;

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		const char *name = NameStr(attribute->attname);

		if (attribute->attisdropped)
			continue;
		if (is_old && sqltext_member(history->excluded, name))
			columns = lappend(columns,
							  sqltext_concat("NULL::",
											 format_type_extended(attribute->atttypid,
																  attribute->atttypmod,
																  FORMAT_TYPE_TYPEMOD_GIVEN |
																	  FORMAT_TYPE_FORCE_QUALIFY),
											 NULL));
		else
			columns = lappend(columns, unconstify(char *, sqltext_qualified("t", name)));
	}
	return sqltext_join(columns, ", ");
}

static const char *
was_at(const KnPeriod *period, Relation relation)
{
	const char *from = column_name(&period->from, relation);

	if (period->is_range)
		return sqltext_concat(from, " OPERATOR(pg_catalog.@>) $1", NULL);
	return sqltext_concat(from,
						  " OPERATOR(pg_catalog.<=) $1 AND ",
						  column_name(&period->until, relation),
						  " OPERATOR(pg_catalog.>) $1",
						  NULL);
}

/* At any time of that; the end does not belong to it. */
static const char *
was_between(const KnPeriod *period, Relation relation)
{
	const char *from = column_name(&period->from, relation);

	if (period->is_range)
		return sqltext_concat(from, " OPERATOR(pg_catalog.&&) pg_catalog.tstzrange($1, $2)", NULL);
	return sqltext_concat("(",
						  from,
						  " OPERATOR(pg_catalog.<) $2 OR $2 IS NULL) AND (",
						  column_name(&period->until, relation),
						  " OPERATOR(pg_catalog.>) $1 OR $1 IS NULL)"
						  " AND ($1 OPERATOR(pg_catalog.<) $2) IS NOT FALSE",
						  NULL);
}

static const char *
column_name(const KnColumn *column, Relation relation)
{
	return sqltext_qualified(
		"t",
		NameStr(TupleDescAttr(RelationGetDescr(relation), column->number - 1)->attname));
}

static void
make_function(const char *name, const char *arguments, const char *types, Relation relation,
			  const char *body)
{
	utility_run(sqltext_concat("CREATE FUNCTION ",
							   name,
							   "(",
							   arguments,
							   ") RETURNS SETOF ",
							   attach_table(relation),
							   " LANGUAGE sql STABLE PARALLEL SAFE AS ",
							   sqltext_literal(body),
							   NULL));
	attach_hand_over(relation->rd_rel->relowner, "FUNCTION", sqltext_concat(name, types, NULL));
}

/*
 * What history_reads_make() has made, as far as it is there, for a table that was
 * called so and belonged to owner: what belongs to others they have made.
 */
void
history_reads_drop(Oid schema, const char *name, Oid owner)
{
	const char *schema_name = get_namespace_name(schema);
	Oid view = get_relname_relid(VERSIONS(name), schema);

	if (get_rel_relkind(view) == RELKIND_VIEW && owner_of(RELOID, view) == owner)
		utility_run(
			sqltext_concat("DROP VIEW ", sqltext_qualified(schema_name, VERSIONS(name)), NULL));
	drop_function(schema_name, AS_OF(name), 1, AT, owner);
	drop_function(schema_name, BETWEEN(name), 2, SINCE_UNTIL, owner);
}

/* What one of them is called, for GRANT. */
const char *
history_reads_name(Oid table, KnRead which)
{
	const char *schema = get_namespace_name(get_rel_namespace(table));
	const char *name = get_rel_name(table);

	switch (which)
	{
		case KN_READ_AS_OF:
			return sqltext_concat(sqltext_qualified(schema, AS_OF(name)), AT, NULL);
		case KN_READ_BETWEEN:
			return sqltext_concat(sqltext_qualified(schema, BETWEEN(name)), SINCE_UNTIL, NULL);
		default:
			return sqltext_qualified(schema, VERSIONS(name));
	}
}

/* Who may read them, as what gives them the right to, a KnGrant each. */
List *
history_reads_grants(Oid table)
{
	static const char query[] =
		"WITH found AS ("
		" SELECT 0 AS which, 'TABLE ' AS kind, c.relacl AS acl, c.relowner AS owner"
		"  FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
		" UNION ALL SELECT 1, 'FUNCTION ', p.proacl, p.proowner"
		"  FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($2)"
		" UNION ALL SELECT 2, 'FUNCTION ', p.proacl, p.proowner"
		"  FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($3)"
		"), told AS ("
		" SELECT which, 0 AS turn, pg_catalog.concat('REVOKE ALL ON ', kind) AS before, ' FROM PUBLIC' AS after"
		"  FROM found WHERE acl IS NOT NULL"
		" UNION ALL SELECT which, 1, pg_catalog.concat('GRANT ', a.privilege_type, ' ON ', kind),"
		"  pg_catalog.concat(' TO ', CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'"
		"    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,"
		"   CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
		"  FROM found, pg_catalog.aclexplode(acl) a"
		"  WHERE a.grantee OPERATOR(pg_catalog.<>) owner)"
		" SELECT which, before, after FROM told"
		" ORDER BY which, turn, before COLLATE pg_catalog.\"C\", after COLLATE pg_catalog.\"C\"";
	Oid types[] = { TEXTOID, TEXTOID, TEXTOID };
	Datum values[] = { CStringGetTextDatum(history_reads_name(table, KN_READ_VERSIONS)),
					   CStringGetTextDatum(history_reads_name(table, KN_READ_AS_OF)),
					   CStringGetTextDatum(history_reads_name(table, KN_READ_BETWEEN)) };
	List *grants = NIL;

	query_rows(query, lengthof(types), types, values, take_grant, &grants);
	return grants;
}

static void
take_grant(HeapTuple row, TupleDesc shape, void *argument)
{
	List **grants = argument;
	KnGrant *grant = palloc(sizeof(*grant));
	bool is_null;

	grant->which = (KnRead) DatumGetInt32(SPI_getbinval(row, shape, 1, &is_null));
	grant->before = SPI_getvalue(row, shape, 2);
	grant->after = SPI_getvalue(row, shape, 3);
	*grants = lappend(*grants, grant);
}

/* count: of arguments, whose types these are. */
static void
drop_function(const char *schema, const char *name, int count, const char *types, Oid owner)
{
	static const Oid oids[] = { TIMESTAMPTZOID, TIMESTAMPTZOID };
	Oid function =
		LookupFuncName(list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name))),
					   count,
					   oids,
					   true);

	if (OidIsValid(function) && owner_of(PROCOID, function) == owner)
		utility_run(sqltext_concat("DROP FUNCTION ", sqltext_qualified(schema, name), types, NULL));
}
