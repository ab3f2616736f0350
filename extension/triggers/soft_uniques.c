/*
 * soft_uniques.c
 *		What is unique among the rows of a table with soft delete.
 *
 * A row that is deleted still has its key, and nobody else could have it.  An
 * index over the others alone leaves it free: it takes the place of the one of
 * a unique constraint or index, under its name.  What that is, is said before
 * it is done.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define COLUMNS 4 /* of the result: index, sql, undo, note */

/* One row of the result; sql is NULL where the note says why it stays. */
typedef struct KnUnique
{
	const char *columns[COLUMNS];
} KnUnique;

/*
 * $1: the table, $2: the column.  A partial index has no constraint, so no
 * foreign key can refer to it, and nothing about it can be deferred.
 */
static const char uniques_query[] =
	"WITH found AS ("
	" SELECT c.relname AS name, pg_catalog.quote_ident(n.nspname) AS schema,"
	"  pg_catalog.format('%I.%I', n.nspname, t.relname) AS tbl, con.conname IS NOT NULL AS is_constraint,"
	"  pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS def,"
	"  coalesce(' TABLESPACE ' || pg_catalog.quote_ident(s.spcname), '') AS space,"
	"  pg_catalog.pg_get_constraintdef(con.oid) AS condef,"
	"  pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,"
	"  pg_catalog.quote_ident($2) || ' IS NULL' AS live,"
	"  coalesce(con.condeferrable, false) AS is_deferrable, i.indisreplident AS is_identity,"
	"  (SELECT pg_catalog.min(f.conname::pg_catalog.text) FROM pg_catalog.pg_constraint f"
	"   WHERE f.contype OPERATOR(pg_catalog.=) 'f' AND f.conindid OPERATOR(pg_catalog.=) i.indexrelid)"
	"  AS foreign_key,"
	"  pg_catalog.obj_description(i.indexrelid, 'pg_class') AS comment,"
	"  pg_catalog.obj_description(con.oid, 'pg_constraint') AS constraint_comment"
	" FROM pg_catalog.pg_index i"
	"  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
	"  JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid"
	"  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace"
	"  LEFT JOIN pg_catalog.pg_tablespace s ON s.oid OPERATOR(pg_catalog.=) c.reltablespace"
	"  LEFT JOIN pg_catalog.pg_constraint con ON con.conindid OPERATOR(pg_catalog.=) i.indexrelid"
	"   AND con.contype OPERATOR(pg_catalog.=) 'u'"
	" WHERE i.indrelid OPERATOR(pg_catalog.=) $1 AND i.indisunique AND NOT i.indisprimary"
	"  AND NOT c.relispartition"
	"), told AS ("
	" SELECT *, CASE"
	"   WHEN foreign_key IS NOT NULL THEN pg_catalog.format('foreign key %I refers to it', foreign_key)"
	"   WHEN is_deferrable THEN 'it can be deferred, and an index cannot'"
	"   WHEN is_identity THEN 'it is the replica identity' END AS note,"
	"  CASE WHEN predicate IS NULL THEN def"
	"   ELSE pg_catalog.left(def, -pg_catalog.length(' WHERE ' || predicate)) END || space AS base,"
	"  coalesce(' WHERE ' || predicate, '') AS was_where,"
	"  ' WHERE (' || coalesce(predicate || ' AND (' || live || ')', live) || ')' AS is_where,"
	"  coalesce(pg_catalog.format('; COMMENT ON INDEX %s.%I IS %L', schema, name,"
	"   coalesce(comment, constraint_comment)), '') AS comment_on,"
	"  CASE WHEN comment IS NULL THEN '' ELSE"
	"   pg_catalog.format('; COMMENT ON INDEX %s.%I IS %L', schema, name, comment) END"
	"  || CASE WHEN constraint_comment IS NULL THEN '' ELSE pg_catalog.format("
	"   '; COMMENT ON CONSTRAINT %I ON %s IS %L', name, tbl, constraint_comment) END AS was_comment_on"
	" FROM found"
	" WHERE predicate IS NULL"
	"  OR pg_catalog.strpos(predicate, '(' || live || ')') OPERATOR(pg_catalog.=) 0)"
	" SELECT name, CASE WHEN note IS NULL THEN"
	"   CASE WHEN is_constraint THEN pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', tbl, name)"
	"    ELSE pg_catalog.format('DROP INDEX %s.%I', schema, name) END"
	"   || '; ' || base || is_where"
	"   || CASE WHEN coalesce(comment, constraint_comment) IS NULL THEN '' ELSE comment_on END END,"
	"  CASE WHEN note IS NULL THEN pg_catalog.format('DROP INDEX %s.%I; ', schema, name)"
	"   || CASE WHEN is_constraint"
	"    THEN pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', tbl, name, condef)"
	"     || pg_catalog.replace(space, ' TABLESPACE ', ' USING INDEX TABLESPACE ')"
	"    ELSE base || was_where END"
	"   || was_comment_on END, note"
	" FROM told ORDER BY name COLLATE pg_catalog.\"C\"";

static List *find_uniques(Oid table, const char *column);
static void take_unique(HeapTuple row, TupleDesc shape, void *argument);

static List *
find_uniques(Oid table, const char *column)
{
	Oid types[] = { OIDOID, TEXTOID };
	Datum values[] = { ObjectIdGetDatum(table), CStringGetTextDatum(column) };
	List *uniques = NIL;

	query_rows(uniques_query, lengthof(types), types, values, take_unique, &uniques);
	return uniques;
}

static void
take_unique(HeapTuple row, TupleDesc shape, void *argument)
{
	List **uniques = argument;
	KnUnique *unique = palloc(sizeof(*unique));

	for (int i = 0; i < COLUMNS; i++)
		unique->columns[i] = SPI_getvalue(row, shape, i + 1);
	*uniques = lappend(*uniques, unique);
}

/* Does it; what has to stay, stays. */
void
soft_uniques_run(Oid table, const char *column)
{
	const ListCell *cell;

	foreach(cell, find_uniques(table, column))
	{
		const KnUnique *unique = lfirst(cell);

		if (unique->columns[1] != NULL)
			utility_run(unique->columns[1]);
		else
			ereport(NOTICE,
					errmsg("\"%s\" stays unique among all rows of table \"%s\", deleted or not",
						   unique->columns[0],
						   get_rel_name(table)),
					errdetail("The reason: %s.", unique->columns[3]));
	}
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_soft_delete_uniques);

/* kints_soft_delete_uniques(tbl regclass, col name) returns table (index name, sql, undo, note
 * text) */
Datum
kints_soft_delete_uniques(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation relation;
	const Trigger *trigger;
	const char *column;
	KnColumn found;
	const ListCell *cell;

	attach_refuse_null(fcinfo, 0, "tbl");
	InitMaterializedSRF(fcinfo, 0);
	relation = attach_open(PG_GETARG_OID(0), AccessShareLock);
	trigger = soft_delete_trigger(relation);
	if (!PG_ARGISNULL(1))
		column = NameStr(*PG_GETARG_NAME(1));
	else
		column = soft_delete_column(trigger);
	column_find(&found, relation, column);
	foreach(cell, find_uniques(PG_GETARG_OID(0), column))
	{
		const KnUnique *unique = lfirst(cell);
		Datum values[COLUMNS];
		bool nulls[COLUMNS];

		for (int i = 0; i < COLUMNS; i++)
		{
			const char *value = unique->columns[i];

			nulls[i] = value == NULL;
			values[i] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(relation, NoLock);
	return (Datum) 0;
}
