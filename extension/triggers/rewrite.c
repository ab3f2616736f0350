/*
 * rewrite.c
 *		A DELETE of a table with soft delete is planned as an UPDATE.
 *
 * By then views are expanded and policies are in the query, those for DELETE;
 * rights are checked when it begins, those to DELETE.  So nobody needs a right
 * to UPDATE, and no policy for it counts.  What is done is an UPDATE all the
 * same: its triggers fire, and not those of a DELETE.  Rows that are deleted
 * already are left alone.
 *
 * The caller is told of a DELETE all the same: see running.c.
 *
 * A MERGE stays as it is.  Policies and rights go by what each of its actions
 * does, and a row that is deleted already must not be left to the next one: its
 * rows are kept by the trigger.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parse_coerce.h"
#include "parser/parse_node.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

static planner_hook_type planner_before = NULL;

/* The text of a query of ours that sees all rows. */
static const char *shown = NULL;

static PlannedStmt *plan(Query *query, const char *text, int options, ParamListInfo parameters);
static PlannedStmt *plan_on(Query *query, const char *text, int options, ParamListInfo parameters);
static PlannedStmt *plan_all(Query *query, const char *text, int options, ParamListInfo parameters);
static void rewrite(Query *query);
static void rewrite_delete(Query *query, Relation relation, const KnSoftDelete *deletion);
static List *new_values(Query *query, Relation relation, const KnSoftDelete *deletion);
static List *add_value(List *targets, Query *query, Relation relation, AttrNumber number,
					   Expr *value);
static Bitmapset **updated_columns(Query *query);
static Expr *moment(KnClock clock);
static Expr *deleter(void);
static Expr *batch(const KnSoftDelete *deletion);
static Expr *coerced(Expr *value, Form_pg_attribute attribute);
static Node *is_not_deleted(const Query *query, const KnSoftDelete *deletion, Relation relation);

void
rewrite_init(void)
{
	planner_before = planner_hook;
	planner_hook = plan;
}

static PlannedStmt *
plan(Query *query, const char *text, int options, ParamListInfo parameters)
{
	if (!running_plans_for_good(text))
	{
		const ListCell *cell;

		rewrite(query);
		if (query->hasModifyingCTE)
		{
			foreach(cell, query->cteList)
				rewrite(castNode(Query, ((CommonTableExpr *) lfirst(cell))->ctequery));
		}
	}
	if (shown != NULL && strcmp(text, shown) == 0)
		return plan_all(query, text, options, parameters);
	return plan_on(query, text, options, parameters);
}

static PlannedStmt *
plan_on(Query *query, const char *text, int options, ParamListInfo parameters)
{
	return planner_before != NULL ? planner_before(query, text, options, parameters)
								  : standard_planner(query, text, options, parameters);
}

/* For a query of ours that sees the rows that are deleted. */
static PlannedStmt *
plan_all(Query *query, const char *text, int options, ParamListInfo parameters)
{
	PlannedStmt *volatile planned = NULL;

	soft_reads_plan_all(true);
	PG_TRY();
	{
		planned = plan_on(query, text, options, parameters);
	}
	PG_FINALLY();
	{
		soft_reads_plan_all(false);
	}
	PG_END_TRY();
	return planned;
}

/*
 * Calls work(argument), in which queries of that text see rows that are deleted,
 * and only those: what their triggers see is as ever.
 */
void
rewrite_show_to(const char *sql, void (*work)(void *), void *argument)
{
	const char *before = shown;

	shown = sql;
	PG_TRY();
	{
		work(argument);
	}
	PG_FINALLY();
	{
		shown = before;
	}
	PG_END_TRY();
}

/* A query whose table has soft delete. */
static void
rewrite(Query *query)
{
	Relation relation;
	const Trigger *trigger;
	KnSoftDelete deletion;

	if (query->commandType != CMD_DELETE)
		return;
	/* It is locked since the query was parsed, or taken out of the cache. */
	relation = table_open(rt_fetch(query->resultRelation, query->rtable)->relid, NoLock);
	trigger = soft_delete_trigger(relation);
	if (trigger != NULL)
	{
		soft_delete_find(&deletion, relation, trigger);
		rewrite_delete(query, relation, &deletion);
	}
	table_close(relation, NoLock);
}

static void
rewrite_delete(Query *query, Relation relation, const KnSoftDelete *deletion)
{
	query->commandType = CMD_UPDATE;
	query->targetList = new_values(query, relation, deletion);
	query->jointree->quals =
		make_and_qual(query->jointree->quals, is_not_deleted(query, deletion, relation));
}

/* What is set: when it was deleted, by whom, and for whom it counts, the version that it has. */
static List *
new_values(Query *query, Relation relation, const KnSoftDelete *deletion)
{
	List *targets =
		add_value(NIL, query, relation, deletion->at.column.number, moment(deletion->at.clock));
	const char *version = version_column(relation);

	if (deletion->has_by)
		targets = add_value(targets, query, relation, deletion->by.number, deleter());
	if (deletion->has_batch)
		targets = add_value(targets, query, relation, deletion->batch.number, batch(deletion));
	if (version != NULL)
	{
		KnColumn column;
		Form_pg_attribute attribute;

		column_find(&column, relation, version);
		attribute = TupleDescAttr(RelationGetDescr(relation), column.number - 1);
		targets = add_value(targets,
							query,
							relation,
							column.number,
							(Expr *) makeVar(query->resultRelation,
											 column.number,
											 attribute->atttypid,
											 attribute->atttypmod,
											 attribute->attcollation,
											 0));
	}
	return targets;
}

static List *
add_value(List *targets, Query *query, Relation relation, AttrNumber number, Expr *value)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
	Bitmapset **updated = updated_columns(query);

	*updated = bms_add_member(*updated, number - FirstLowInvalidHeapAttributeNumber);
	return lappend(targets,
				   makeTargetEntry(coerced(value, attribute),
								   number,
								   pstrdup(NameStr(attribute->attname)),
								   false));
}

/* Where it stands which columns are updated. */
static Bitmapset **
updated_columns(Query *query)
{
	RangeTblEntry *table = rt_fetch(query->resultRelation, query->rtable);

#if PG_VERSION_NUM >= 160000
	return &getRTEPermissionInfo(query->rteperminfos, table)->updatedCols;
#else
	return &table->updatedCols;
#endif
}

/* The time by a clock, as an expression. */
static Expr *
moment(KnClock clock)
{
	static const Oid functions[] = { F_NOW, F_STATEMENT_TIMESTAMP, F_CLOCK_TIMESTAMP };

	return (Expr *) makeFuncExpr(functions[clock],
								 TIMESTAMPTZOID,
								 NIL,
								 InvalidOid,
								 InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

static Expr *
deleter(void)
{
	SQLValueFunction *user = makeNode(SQLValueFunction);

	user->op = SVFOP_CURRENT_USER;
	user->type = NAMEOID;
	user->typmod = -1;
	user->location = -1;
	return (Expr *) user;
}

/* The number of the statement, by a function of ours. */
static Expr *
batch(const KnSoftDelete *deletion)
{
	return (Expr *) makeFuncExpr(deletion->batch_function,
								 INT8OID,
								 NIL,
								 InvalidOid,
								 InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

/* The value as the column takes it. */
static Expr *
coerced(Expr *value, Form_pg_attribute attribute)
{
	Node *fit = coerce_to_target_type(NULL,
									  (Node *) value,
									  exprType((Node *) value),
									  attribute->atttypid,
									  attribute->atttypmod,
									  COERCION_ASSIGNMENT,
									  COERCE_IMPLICIT_CAST,
									  -1);

	if (fit == NULL)
		elog(ERROR, "no value for column %s", NameStr(attribute->attname));
	return (Expr *) fit;
}

static Node *
is_not_deleted(const Query *query, const KnSoftDelete *deletion, Relation relation)
{
	Form_pg_attribute attribute =
		TupleDescAttr(RelationGetDescr(relation), deletion->at.column.number - 1);
	NullTest *test = makeNode(NullTest);

	test->arg = (Expr *) makeVar(query->resultRelation,
								 attribute->attnum,
								 attribute->atttypid,
								 attribute->atttypmod,
								 attribute->attcollation,
								 0);
	test->nulltesttype = IS_NULL;
	test->location = -1;
	return (Node *) test;
}
