/*
 * soft_attach.c
 *		Soft delete is enabled for a table, and disabled again.
 *
 * That is up to three triggers, and what makes reading leave out the rows that
 * are deleted: a policy, or a view.
 */
#include "triggers/triggers.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "rewrite/rowsecurity.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Names of what is made beside the triggers. */
#define POLICY         "kints_soft_delete"
#define PERMISSIVE     "kints_soft_delete_all"
#define VIEW_OF(table) makeObjectName(table, NULL, "live")

typedef enum KnReads
{
	KN_READS_NONE,
	KN_READS_POLICY,
	KN_READS_VIEW
} KnReads;

static const char *const cascades[] = { "none", "restrict", "registered" };
static const char *const ways_to_read[] = { "none", "policy", "view" };
static const char *const ways_of_uniques[] = { "keep", "partial" };
static const char *const ways_of_truncate[] = { "deny", "allow" };

static int cascade_of(FunctionCallInfo fcinfo);
static void attach_cascade(FunctionCallInfo fcinfo, Relation relation, const char *column,
						   const char *batch, const char *mode);
static void attach_reads(FunctionCallInfo fcinfo, Oid table, const char *column, KnReads reads);
static void attach_policy(const char *table, const char *condition, bool is_first);
static KnReads reads_of(FunctionCallInfo fcinfo);
static void detach_reads(Oid table, KnReads reads);
static bool has_policies(Oid table);
static void drop_policy(Oid table, const char *name);

/* Where nothing is said of it, rows go together if they can be restored together. */
static int
cascade_of(FunctionCallInfo fcinfo)
{
	bool has_batch = !PG_ARGISNULL(3);
	int cascade;

	if (PG_ARGISNULL(4))
		return has_batch ? 2 : 0;
	cascade = attach_choice(fcinfo, 4, "cascade", cascades, lengthof(cascades));
	if (cascade == 2 && !has_batch)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("cascade \"registered\" needs a column for the batch"),
				errhint("Name a column of type bigint: batch => 'deleted_batch'."));
	return cascade;
}

static void
attach_cascade(FunctionCallInfo fcinfo, Relation relation, const char *column, const char *batch,
			   const char *mode)
{
	const char *name = sqltext_identifier(column);
	List *options = list_make2(attach_option("column", column), attach_option("mode", mode));

	if (batch != NULL)
		options = lappend(options, attach_option("batch", batch));
	attach_create(fcinfo,
				  &soft_cascade_kind,
				  soft_cascade_kind.function,
				  relation,
				  sqltext_concat("OLD.", name, " IS NULL AND NEW.", name, " IS NOT NULL", NULL),
				  options);
}

/* The table is locked, and nobody has it open: ALTER TABLE would not have that. */
static void
attach_reads(FunctionCallInfo fcinfo, Oid table, const char *column, KnReads reads)
{
	const char *own_schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	Relation relation = table_open(table, NoLock);
	const char *name = attach_table(relation);
	const char *view = sqltext_qualified(get_namespace_name(RelationGetNamespace(relation)),
										 VIEW_OF(RelationGetRelationName(relation)));
	bool is_first = !relation->rd_rel->relrowsecurity;
	const char *condition = sqltext_concat(sqltext_qualified(own_schema, "kints_is_shown"),
										   "(",
										   sqltext_identifier(column),
										   ")",
										   NULL);

	table_close(relation, NoLock);
	if (reads == KN_READS_POLICY)
		attach_policy(name, condition, is_first);
	if (reads == KN_READS_VIEW)
		utility_run(sqltext_concat("CREATE VIEW ",
								   view,
								   " WITH (security_invoker = true) AS SELECT * FROM ",
								   name,
								   " WHERE ",
								   condition,
								   NULL));
}

/*
 * Leaves out what is deleted.  Where the table has no policies yet, one for all
 * rows is needed as well, for else nobody would see any.
 */
static void
attach_policy(const char *table, const char *condition, bool is_first)
{
	if (is_first)
	{
		utility_run(sqltext_concat("ALTER TABLE ", table, " ENABLE ROW LEVEL SECURITY", NULL));
		utility_run(
			sqltext_concat("CREATE POLICY " PERMISSIVE " ON ", table, " USING (true)", NULL));
	}
	utility_run(sqltext_concat("CREATE POLICY " POLICY " ON ",
							   table,
							   " AS RESTRICTIVE FOR SELECT USING (",
							   condition,
							   ")",
							   NULL));
}

/* What the trigger says of it. */
static KnReads
reads_of(FunctionCallInfo fcinfo)
{
	Relation relation;
	const Trigger *trigger;
	const char *said = NULL;

	attach_refuse_null(fcinfo, 0, "tbl");
	relation = attach_open(PG_GETARG_OID(0), AccessExclusiveLock);
	trigger = attach_find(fcinfo, relation, soft_delete_kind.function, NULL, NULL, NULL);
	if (trigger != NULL)
		said = trigger_option(trigger, "reads");
	if (said != NULL)
		said = pstrdup(said);
	table_close(relation, NoLock);
	return said == NULL
			   ? KN_READS_NONE
			   : Max(sqltext_index(said, ways_to_read, lengthof(ways_to_read)), KN_READS_NONE);
}

/* What attach_reads() has made, as far as it is still there. */
static void
detach_reads(Oid table, KnReads reads)
{
	Oid schema = get_rel_namespace(table);
	const char *name = sqltext_qualified(get_namespace_name(schema), get_rel_name(table));
	const char *view = VIEW_OF(get_rel_name(table));
	bool is_ours = OidIsValid(get_relation_policy_oid(table, PERMISSIVE, true));

	if (reads == KN_READS_VIEW && get_rel_relkind(get_relname_relid(view, schema)) == RELKIND_VIEW)
		utility_run(sqltext_concat("DROP VIEW ",
								   sqltext_identifier(get_namespace_name(schema)),
								   ".",
								   sqltext_identifier(view),
								   NULL));
	if (reads != KN_READS_POLICY)
		return;
	drop_policy(table, POLICY);
	drop_policy(table, PERMISSIVE);
	/* Where others have come since, row security is theirs. */
	if (is_ours && !has_policies(table))
		utility_run(sqltext_concat("ALTER TABLE ", name, " DISABLE ROW LEVEL SECURITY", NULL));
}

static bool
has_policies(Oid table)
{
	Relation relation = table_open(table, NoLock);
	bool has = relation->rd_rsdesc != NULL && relation->rd_rsdesc->policies != NIL;

	table_close(relation, NoLock);
	return has;
}

static void
drop_policy(Oid table, const char *name)
{
	if (OidIsValid(get_relation_policy_oid(table, name, true)))
		utility_run(sqltext_concat(
			"DROP POLICY ",
			name,
			" ON ",
			sqltext_qualified(get_namespace_name(get_rel_namespace(table)), get_rel_name(table)),
			NULL));
}

/* ---------- SQL functions ---------- */

KN_FUNCTION(kints_soft_delete_enable);
KN_FUNCTION(kints_soft_delete_disable);

/*
 * kints_soft_delete_enable(tbl regclass, col name, by name, batch name, cascade text,
 *		uniques text, reads text, truncate text, clock text)
 */
Datum
kints_soft_delete_enable(PG_FUNCTION_ARGS)
{
	Relation relation;
	const char *column;
	const char *clock;
	const char *batch = NULL;
	int cascade = cascade_of(fcinfo);
	int uniques = attach_choice(fcinfo, 5, "uniques", ways_of_uniques, lengthof(ways_of_uniques));
	KnReads reads = attach_choice(fcinfo, 6, "reads", ways_to_read, lengthof(ways_to_read));
	int truncate =
		attach_choice(fcinfo, 7, "truncate", ways_of_truncate, lengthof(ways_of_truncate));
	List *options;
	KnSoftDelete found;

	attach_refuse_null(fcinfo, 0, "tbl");
	attach_refuse_null(fcinfo, 1, "col");
	attach_refuse_null(fcinfo, 8, "clock");
	relation = attach_open(PG_GETARG_OID(0),
						   reads == KN_READS_POLICY || uniques == 1 ? AccessExclusiveLock
																	: ShareRowExclusiveLock);
	column = NameStr(*PG_GETARG_NAME(1));
	clock = text_to_cstring(PG_GETARG_TEXT_PP(8));
	touch_find(&found.at, relation, column, clock);
	options = list_make2(attach_option("column", column), attach_option("clock", clock));
	if (!PG_ARGISNULL(2))
	{
		const char *by = NameStr(*PG_GETARG_NAME(2));

		soft_delete_find_by(&found.by, relation, by);
		options = lappend(options, attach_option("by", by));
	}
	if (!PG_ARGISNULL(3))
	{
		batch = NameStr(*PG_GETARG_NAME(3));
		soft_delete_find_batch(&found.batch, relation, batch);
		options = lappend(options, attach_option("batch", batch));
	}
	if (reads != KN_READS_NONE)
		options = lappend(options, attach_option("reads", ways_to_read[reads]));
	attach_refuse_second(attach_find(fcinfo, relation, soft_delete_kind.function, NULL, NULL, NULL),
						 soft_delete_kind.feature,
						 relation);
	attach_create(fcinfo, &soft_delete_kind, soft_delete_kind.function, relation, NULL, options);
	if (truncate == 0)
		attach_create(fcinfo,
					  &soft_truncate_kind,
					  soft_truncate_kind.function,
					  relation,
					  NULL,
					  NIL);
	if (cascade != 0)
		attach_cascade(fcinfo, relation, column, batch, cascades[cascade]);
	table_close(relation, NoLock);
	attach_reads(fcinfo, PG_GETARG_OID(0), column, reads);
	if (uniques == 1)
		soft_uniques_run(PG_GETARG_OID(0), column);
	PG_RETURN_VOID();
}

/* kints_soft_delete_disable(tbl regclass) */
Datum
kints_soft_delete_disable(PG_FUNCTION_ARGS)
{
	KnReads reads = reads_of(fcinfo);

	attach_drop(fcinfo, &soft_delete_kind, NULL);
	detach_reads(PG_GETARG_OID(0), reads);
	PG_RETURN_VOID();
}
