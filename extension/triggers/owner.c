/*
 * owner.c
 *		What is done to rows of another table, as the owner of that.
 *
 * As an action of a foreign key: who refers to a row need not let everybody see
 * or change what refers, and no policy is in the way.  Names that a trigger of
 * that table does not qualify are looked up beside it, and not where whoever
 * began all this wants to.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* Whose a table or, with another cache, a function is; InvalidOid: it is not there. */
Oid
owner_of(int cache, Oid object)
{
	HeapTuple row = SearchSysCache1(cache, ObjectIdGetDatum(object));
	Oid owner = InvalidOid;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	owner = cache == RELOID ? ((Form_pg_class) GETSTRUCT(row))->relowner
							: ((Form_pg_proc) GETSTRUCT(row))->proowner;
	ReleaseSysCache(row);
	return owner;
}

/* To be ended by owner_end(), if not by an error. */
void
owner_begin(KnOwner *before, Oid table)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Form_pg_class form;
	const char *path;

	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for relation %u", table);
	form = (Form_pg_class) GETSTRUCT(row);
	path = sqltext_concat("pg_catalog, ",
						  sqltext_identifier(get_namespace_name(form->relnamespace)),
						  ", pg_temp",
						  NULL);
	GetUserIdAndSecContext(&before->user, &before->context);
	SetUserIdAndSecContext(form->relowner,
						   before->context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	ReleaseSysCache(row);
	before->level = NewGUCNestLevel();
	(void) set_config_option("search_path",
							 path,
							 PGC_USERSET,
							 PGC_S_SESSION,
							 GUC_ACTION_SAVE,
							 true,
							 0,
							 false);
}

void
owner_end(const KnOwner *before)
{
	AtEOXact_GUC(true, before->level);
	SetUserIdAndSecContext(before->user, before->context);
}

/* A statement about the table, to be freed by SPI_freeplan(). */
SPIPlanPtr
owner_prepare(Oid table, const char *sql, int count, Oid *types)
{
	KnOwner before;
	SPIPlanPtr plan;

	owner_begin(&before, table);
	SPI_connect();
	plan = SPI_prepare(sql, count, types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "%s: %s", SPI_result_code_string(SPI_result), sql);
	SPI_finish();
	owner_end(&before);
	return plan;
}

/*
 * How many rows it processed.  It sees what is there by now, but changes nothing
 * that its transaction does not see.  Its AFTER triggers are left to the
 * statement around it.
 */
uint64
owner_execute(Oid table, SPIPlanPtr plan, Datum *values, const char *nulls)
{
	KnOwner before;
	Snapshot snapshot = InvalidSnapshot;
	Snapshot crosscheck = InvalidSnapshot;
	int result;
	uint64 processed;

	owner_begin(&before, table);
	SPI_connect();
	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck, false, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
	processed = SPI_processed;
	SPI_finish();
	owner_end(&before);
	return processed;
}
