/*
 * lock.c
 *		Reading definitions without getting into anybody's way.
 *
 * The server's printers of views, rules and SQL bodies lock the relations in
 * them.  Where one of these is being altered, the printer would wait for it with
 * the others locked: whoever wants to alter those would wait in turn, or end in
 * a deadlock.  So the locks are taken here before, all at once or none; where
 * one cannot be had, that one alone is waited for.
 */
#include "kints_norm.h"

#include "inspect/inspect.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

typedef struct UnlockedRead
{
	KnInspect *in;
	PGFunction function;
	Oid object;
	Oid busy; /* a relation that is being altered, so that nothing was read */
	const char *text;
} UnlockedRead;

static void read_in_subtransaction(void *argument);
static void wait_in_subtransaction(void *argument);
static Oid lock_relations_of_view(Oid view);
static Oid lock_relations(Oid class, Oid object);
static void throw_if_changed(ErrorData *error);

/*
 * What a function such as pg_get_viewdef(oid) prints, where it locks relations
 * on the way (those of a view, a rule, an SQL body): the locks go with a
 * subtransaction.
 */
const char *
read_unlocked(KnInspect *in, PGFunction function, Oid object)
{
	for (;;)
	{
		UnlockedRead read = { in, function, object, InvalidOid, NULL };

		throw_if_changed(subtransaction_run(read_in_subtransaction, &read, false));
		if (!OidIsValid(read.busy))
			return read.text;
		throw_if_changed(subtransaction_run(wait_in_subtransaction, &read, false));
	}
}

static void
read_in_subtransaction(void *argument)
{
	UnlockedRead *read = argument;

	if (read->function == pg_get_viewdef)
		read->busy = lock_relations_of_view(read->object);
	else if (read->function == pg_get_ruledef)
		read->busy = lock_relations(RewriteRelationId, read->object);
	else
		read->busy = lock_relations(ProcedureRelationId, read->object);
	if (!OidIsValid(read->busy))
		read->text = read_definition(read->in, read->function, read->object);
}

static void
wait_in_subtransaction(void *argument)
{
	LockRelationOid(((UnlockedRead *) argument)->busy, AccessShareLock);
}

/* The same for the rule that a view is. */
static Oid
lock_relations_of_view(Oid view)
{
	Relation catalog = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;
	Oid busy = InvalidOid;

	ScanKeyInit(&key,
				Anum_pg_rewrite_ev_class,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(view));
	scan = systable_beginscan(catalog, RewriteRelRulenameIndexId, true, NULL, 1, &key);
	while (!OidIsValid(busy) && HeapTupleIsValid(row = systable_getnext(scan)))
		busy = lock_relations(RewriteRelationId, ((Form_pg_rewrite) GETSTRUCT(row))->oid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return busy;
}

/* Locks the relations that an object refers to; or returns one that cannot be locked at once. */
static Oid
lock_relations(Oid class, Oid object)
{
	Relation catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;
	Oid busy = InvalidOid;

	ScanKeyInit(&keys[0],
				Anum_pg_depend_classid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1],
				Anum_pg_depend_objid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(catalog, DependDependerIndexId, true, NULL, 2, keys);
	while (!OidIsValid(busy) && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);

		if (form->refclassid == RelationRelationId &&
			!ConditionalLockRelationOid(form->refobjid, AccessShareLock))
			busy = form->refobjid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return busy;
}

/* What the server calls impossible, where an object is gone that was there just now. */
static void
throw_if_changed(ErrorData *error)
{
	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_INTERNAL_ERROR)
		ereport(ERROR,
				errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				errmsg("the schema changed while it was being read"),
				errdetail("%s", error->message),
				errhint("Try again."));
	ReThrowError(error);
}
