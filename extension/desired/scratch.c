/*
 * scratch.c
 *		Lets the server elaborate a script, in place of the live schemas.
 *
 * Inside one internal subtransaction:
 *
 * 1. The planned schemas that exist are laid aside: their pg_namespace rows get
 *	  another name, by direct catalog update.  ALTER SCHEMA RENAME would lock the
 *	  schema against CREATE of other sessions; the update locks one tuple, which
 *	  only another plan, a GRANT ON SCHEMA or a rename would wait for.
 * 2. Empty schemas take their places, with the same owner and privileges.
 * 3. Members of extensions move over by direct update of their namespace,
 *	  without object locks, so that public.citext still means what it did.
 *	  Relations of extensions stay where they are.
 * 4. The script runs with the caller's rights, as subcommands: no event trigger
 *	  fires.  Functions are not checked, CONCURRENTLY is not honoured, and a
 *	  materialized view stays empty.
 * 5. The result is read, and the subtransaction is rolled back.  Nothing was
 *	  ever visible to anyone else; all locks go with it.  Locks are never
 *	  released before: a standby replays them until the abort record.
 *
 * Direct updates check no privileges, so scratch_check_owner() does: only who
 * owns a schema can plan it.
 *
 * A script in an order that cannot run is tried again with each statement in a
 * subtransaction of its own: what fails for want of an object is put off until
 * nothing more succeeds.  The first remaining error is the one reported.
 */
#include "kints_norm.h"

#include "desired/desired.h"
#include "desired/statement.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "commands/matview.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* A schema that was laid aside, and the one in its place. */
typedef struct Aside
{
	const char *name;
	Oid live;
	Oid scratch; /* InvalidOid: nothing took its place */
} Aside;

typedef struct Attempt
{
	KnScript *script;
	List *schemas;
	bool in_order; /* any error is final */
	KnSchema *result;
} Attempt;

typedef struct StatementRun
{
	KnSource *source;
	List *schemas;
} StatementRun;

typedef struct SchemaRename
{
	const char *from;
	const char *to;
	KnSchema *result;
} SchemaRename;

static void try_script(void *argument);
static void run_one(void *argument);
static void rename_and_read(void *argument);
static void check_can_write(void);
static List *lay_aside(KnScript *script, List *schemas);
static void check_owner(const char *name, Oid namespace);
static void rename_namespace(Oid namespace, const char *name);
static Oid make_namespace(KnScript *script, const char *name, Oid live);
static void copy_namespace(Oid from, Oid to);
static void move_extensions(KnScript *script, List *asides);
static void move_members(Oid extension, List *asides);
static void move_object(Oid class, Oid object, List *asides);
static void move_extension(Oid extension, List *asides);
static bool states_extension(KnScript *script, Oid extension);
static void update_namespace(Relation catalog, HeapTuple tuple, int attribute, List *asides);
static void pin_settings(void);
static void run_in_order(KnScript *script, List *schemas);
static void run_in_any_order(KnScript *script, List *schemas);
static bool try_statement(KnSource *source, List *schemas);
static void run_statement(KnSource *source, List *schemas);
static Node *analyzed(KnSource *source, Node *statement);
static bool prepare_statement(Node *statement, List *schemas, bool *populated);
static void check_references(Node *statement, List *schemas);
static void run_utility(KnSource *source);
static void mark_populated(Node *statement);
static bool is_order_error(int sqlstate);
static void set_setting(const char *name, const char *value);

/*
 * The schema that a script describes, for the schemas named; in the current
 * memory context.
 */
KnSchema *
scratch_elaborate(KnScript *script, List *schemas)
{
	Attempt attempt = { script, schemas, true, NULL };
	ErrorData *error;

	check_can_write();
	error = subtransaction_run(try_script, &attempt, false);
	if (error != NULL && is_order_error(error->sqlerrcode))
	{
		attempt.in_order = false;
		error = subtransaction_run(try_script, &attempt, false);
	}
	if (error != NULL)
		ReThrowError(error);
	return attempt.result;
}

static void
try_script(void *argument)
{
	Attempt *attempt = argument;
	List *asides = lay_aside(attempt->script, attempt->schemas);
	int guc_level = NewGUCNestLevel();

	move_extensions(attempt->script, asides);
	pin_settings();
	if (attempt->in_order)
		run_in_order(attempt->script, attempt->schemas);
	else
		run_in_any_order(attempt->script, attempt->schemas);
	CommandCounterIncrement();
	AtEOXact_GUC(false, guc_level);
	attempt->result = inspect_schemas(attempt->schemas);
	attempt->result->has_owners = attempt->script->has_owners;
	attempt->result->has_acls = attempt->script->has_acls;
}

/* Plans write to catalogs, even though nothing of it stays. */
static void
check_can_write(void)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				errmsg("cannot make a plan during recovery"),
				errhint("Make the plan on the primary."));
	if (XactReadOnly)
		ereport(ERROR,
				errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				errmsg("cannot make a plan in a read-only transaction"),
				errhint("Planning writes to the catalogs and rolls that back."));
	if (IsInParallelMode())
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				errmsg("cannot make a plan during a parallel operation"));
}

/* Renames the schemas and puts empty ones in their places; a List of Aside *. */
static List *
lay_aside(KnScript *script, List *schemas)
{
	List *asides = NIL;
	ListCell *cell;

	foreach(cell, schemas)
	{
		const char *name = lfirst(cell);
		Oid live = get_namespace_oid(name, true);
		Aside *aside;

		if (!OidIsValid(live))
			continue;
		check_owner(name, live);
		aside = palloc0(sizeof(Aside));
		aside->name = name;
		aside->live = live;
		rename_namespace(live, psprintf("kints_aside_%d_%u", MyProcPid, live));
		aside->scratch = make_namespace(script, name, live);
		asides = lappend(asides, aside);
	}
	CommandCounterIncrement();
	return asides;
}

static void
check_owner(const char *name, Oid namespace)
{
#if PG_VERSION_NUM >= 160000
	bool is_owner = object_ownercheck(NamespaceRelationId, namespace, GetUserId());
#else
	bool is_owner = pg_namespace_ownercheck(namespace, GetUserId());
#endif

	if (!is_owner)
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be owner of schema %s to plan it", name));
}

/* Gives a schema another name, with no lock but that of its row. */
static void
rename_namespace(Oid namespace, const char *name)
{
	Relation catalog = table_open(NamespaceRelationId, RowExclusiveLock);
	HeapTuple tuple = SearchSysCacheCopy1(NAMESPACEOID, ObjectIdGetDatum(namespace));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", namespace);
	namestrcpy(&((Form_pg_namespace) GETSTRUCT(tuple))->nspname, name);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	heap_freetuple(tuple);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
}

/*
 * The empty schema in the place of a live one, or none where the script does
 * not mention the schema: it is to go then.  public is always there.
 */
static Oid
make_namespace(KnScript *script, const char *name, Oid live)
{
	bool creates = list_member(script->creates, makeString((char *) name));
	bool fills = list_member(script->names, makeString((char *) name));
	HeapTuple tuple;
	Oid owner;
	Oid made;

	if (!creates && !fills && strcmp(name, "public") != 0)
		return InvalidOid;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(live));
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	made = NamespaceCreate(name, owner, false);
	CommandCounterIncrement();
	if (!creates)
		copy_namespace(live, made);
	CommandCounterIncrement();
	return made;
}

/* Privileges and comment of a schema that the script says nothing about. */
static void
copy_namespace(Oid from, Oid to)
{
	Relation catalog = table_open(NamespaceRelationId, RowExclusiveLock);
	HeapTuple source = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(from));
	HeapTuple target = SearchSysCacheCopy1(NAMESPACEOID, ObjectIdGetDatum(to));
	Datum values[Natts_pg_namespace] = { 0 };
	bool nulls[Natts_pg_namespace] = { 0 };
	bool replaces[Natts_pg_namespace] = { 0 };
	const int column = Anum_pg_namespace_nspacl - 1;
	char *comment = GetComment(from, NamespaceRelationId, 0);

	values[column] =
		SysCacheGetAttr(NAMESPACEOID, source, Anum_pg_namespace_nspacl, &nulls[column]);
	replaces[column] = true;
	target = heap_modify_tuple(target, RelationGetDescr(catalog), values, nulls, replaces);
	CatalogTupleUpdate(catalog, &target->t_self, target);
	ReleaseSysCache(source);
	table_close(catalog, RowExclusiveLock);
	if (comment != NULL)
		CreateComments(to, NamespaceRelationId, 0, comment);
}

/*
 * Brings over the extensions.  A script that creates extensions states which
 * there should be: one that it does not mention stays behind, its members too
 * only if nothing could need them; so members move in any case.
 */
static void
move_extensions(KnScript *script, List *asides)
{
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List *extensions = NIL;
	HeapTuple row;
	ListCell *cell;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
		extensions = lappend_oid(extensions, ((Form_pg_extension) GETSTRUCT(row))->oid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(cell, extensions)
	{
		move_members(lfirst_oid(cell), asides);
		if (script->extensions == NIL || states_extension(script, lfirst_oid(cell)))
			move_extension(lfirst_oid(cell), asides);
	}
	CommandCounterIncrement();
}

static bool
states_extension(KnScript *script, Oid extension)
{
	return list_member(script->extensions, makeString(get_extension_name(extension)));
}

static void
move_members(Oid extension, List *asides)
{
	Relation depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&keys[0],
				Anum_pg_depend_refclassid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&keys[1],
				Anum_pg_depend_refobjid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);

		if (form->deptype == DEPENDENCY_EXTENSION && form->classid != RelationRelationId)
			move_object(form->classid, form->objid, asides);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/* Moves one member, if it is of a kind that lives in a schema. */
static void
move_object(Oid class, Oid object, List *asides)
{
	AttrNumber attribute = get_object_attnum_namespace(class);
	int cache;
	Relation catalog;
	HeapTuple tuple;

	if (attribute == InvalidAttrNumber)
		return;
	cache = get_object_catcache_oid(class);
	if (cache < 0)
		return;
	catalog = table_open(class, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(cache, ObjectIdGetDatum(object));
	if (HeapTupleIsValid(tuple))
		update_namespace(catalog, tuple, attribute, asides);
	table_close(catalog, RowExclusiveLock);
}

static void
move_extension(Oid extension, List *asides)
{
	Relation catalog = table_open(ExtensionRelationId, RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple row;

	ScanKeyInit(&key,
				Anum_pg_extension_oid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		update_namespace(catalog, heap_copytuple(row), Anum_pg_extension_extnamespace, asides);
	systable_endscan(scan);
	table_close(catalog, RowExclusiveLock);
}

/* Where the row says a schema that was laid aside, makes it say its stand-in. */
static void
update_namespace(Relation catalog, HeapTuple tuple, int attribute, List *asides)
{
	bool isnull;
	Oid now = DatumGetObjectId(heap_getattr(tuple, attribute, RelationGetDescr(catalog), &isnull));
	ListCell *cell;

	foreach(cell, asides)
	{
		Aside *aside = lfirst(cell);
		int natts = RelationGetNumberOfAttributes(catalog);
		Datum *values;
		bool *nulls;
		bool *replaces;
		HeapTuple changed;

		if (aside->live != now || !OidIsValid(aside->scratch))
			continue;
		values = palloc0(sizeof(Datum) * natts);
		nulls = palloc0(sizeof(bool) * natts);
		replaces = palloc0(sizeof(bool) * natts);
		values[attribute - 1] = ObjectIdGetDatum(aside->scratch);
		replaces[attribute - 1] = true;
		changed = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls, replaces);
		CatalogTupleUpdate(catalog, &changed->t_self, changed);
		return;
	}
}

static void
pin_settings(void)
{
	set_setting("check_function_bodies", "off");
	set_setting("client_min_messages", "warning");
	set_setting("default_tablespace", "");
	set_setting("default_table_access_method", "heap");
	set_setting("session_replication_role", NULL);
}

static void
set_setting(const char *name, const char *value)
{
	if (value != NULL)
		(void) set_config_option(name,
								 value,
								 superuser() ? PGC_SUSET : PGC_USERSET,
								 PGC_S_SESSION,
								 GUC_ACTION_SAVE,
								 true,
								 0,
								 false);
}

static void
run_in_order(KnScript *script, List *schemas)
{
	ListCell *cell;

	foreach(cell, script->sources)
	{
		KnSource *source = lfirst(cell);

		run_statement(source, schemas);
	}
}

static void
run_in_any_order(KnScript *script, List *schemas)
{
	List *waiting = list_copy(script->sources);

	while (waiting != NIL)
	{
		List *again = NIL;
		ListCell *cell;

		foreach(cell, waiting)
		{
			if (!try_statement(lfirst(cell), schemas))
				again = lappend(again, lfirst(cell));
		}
		if (list_length(again) == list_length(waiting))
			run_statement(linitial(again), schemas); /* fails, and says why */
		waiting = again;
	}
}

/* Runs a statement in a subtransaction; false where it lacks an object. */
static bool
try_statement(KnSource *source, List *schemas)
{
	StatementRun run = { source, schemas };
	ErrorData *error = subtransaction_run(run_one, &run, true);

	if (error != NULL && !is_order_error(error->sqlerrcode))
		ReThrowError(error);
	return error == NULL;
}

static void
run_one(void *argument)
{
	StatementRun *run = argument;

	run_statement(run->source, run->schemas);
}

/* Errors that another order of the statements could cure. */
static bool
is_order_error(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_UNDEFINED_TABLE:
		case ERRCODE_UNDEFINED_COLUMN:
		case ERRCODE_UNDEFINED_OBJECT:
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_UNDEFINED_PARAMETER:
		case ERRCODE_INVALID_SCHEMA_NAME:
		case ERRCODE_INVALID_FOREIGN_KEY:
		case ERRCODE_INVALID_TABLE_DEFINITION:
		case ERRCODE_INVALID_OBJECT_DEFINITION:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			return true;
		default:
			return false;
	}
}

static void
run_statement(KnSource *source, List *schemas)
{
	ErrorContextCallback callback;
	bool populated = false;
	Node *kept = source->raw->stmt;

	CHECK_FOR_INTERRUPTS();
	script_push_error_context(&callback, source);
	set_setting("search_path", source->search_path);
	set_setting("default_tablespace", source->tablespace);
	set_setting("default_table_access_method", source->access_method);
	/* Running a statement may scribble on it, and it may have to run again. */
	source->raw->stmt = analyzed(source, copyObject(kept));
	if (prepare_statement(source->raw->stmt, schemas, &populated))
	{
		run_utility(source);
		CommandCounterIncrement();
		if (populated)
			mark_populated(source->raw->stmt);
	}
	source->raw->stmt = kept;
	script_pop_error_context(&callback);
}

/* The server wants the query of CREATE TABLE AS, and of a materialized view, analyzed. */
static Node *
analyzed(KnSource *source, Node *statement)
{
	RawStmt *raw;
	Query *query;

	if (!IsA(statement, CreateTableAsStmt))
		return statement;
	raw = makeNode(RawStmt);
	raw->stmt = statement;
	PushActiveSnapshot(GetTransactionSnapshot());
	query = parse_analyze_fixedparams(raw, source->text, NULL, 0, NULL);
	PopActiveSnapshot();
	return query->utilityStmt;
}

/* Makes a statement fit for the scratch; false where it needs not run at all. */
static bool
prepare_statement(Node *statement, List *schemas, bool *populated)
{
	check_references(statement, schemas);
	switch (nodeTag(statement))
	{
		case T_IndexStmt:
			((IndexStmt *) statement)->concurrent = false;
			return true;
		case T_DropStmt:
			((DropStmt *) statement)->concurrent = false;
			return true;
		case T_CreateTableAsStmt:
			*populated = !((CreateTableAsStmt *) statement)->into->skipData &&
						 ((CreateTableAsStmt *) statement)->objtype == OBJECT_MATVIEW;
			((CreateTableAsStmt *) statement)->into->skipData = true;
			return true;
		case T_CreateExtensionStmt:
			return !OidIsValid(
				get_extension_oid(((CreateExtensionStmt *) statement)->extname, true));
		case T_CreateSchemaStmt:
		{
			CreateSchemaStmt *create = (CreateSchemaStmt *) statement;
			Oid made = get_namespace_oid(statement_schema_name(create), true);

			/* One in the place of a live schema is there already. */
			if (OidIsValid(made) && create->schemaElts == NIL && !create->if_not_exists)
				return false;
			return true;
		}
		default:
			return true;
	}
}

/*
 * A foreign key to a table outside of the planned schemas would lock that
 * table against writes for as long as the plan takes.
 */
static void
check_references(Node *statement, List *schemas)
{
	ListCell *cell;

	foreach(cell, statement_references(statement))
	{
		RangeVar *name = lfirst(cell);
		Oid relation = RangeVarGetRelid(name, NoLock, true);
		const char *schema;

		if (!OidIsValid(relation))
			continue;
		schema = get_namespace_name(get_rel_namespace(relation));
		if (!sqltext_member(schemas, schema))
			ereport(ERROR,
					errcode(KN_ERRCODE_UNSUPPORTED),
					errmsg("foreign key refers to \"%s\", whose schema is not planned",
						   sqltext_qualified(schema, name->relname)),
					errhint("Plan both schemas together: name them in the option \"schemas\"."));
	}
}

static void
run_utility(KnSource *source)
{
	PlannedStmt *planned = makeNode(PlannedStmt);
	QueryCompletion completion;

	planned->commandType = CMD_UTILITY;
	planned->canSetTag = false;
	planned->utilityStmt = source->raw->stmt;
	planned->stmt_location = 0;
	planned->stmt_len = 0;
	InitializeQueryCompletion(&completion);
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(planned,
				   source->text,
				   false,
				   PROCESS_UTILITY_SUBCOMMAND,
				   NULL,
				   NULL,
				   None_Receiver,
				   &completion);
	PopActiveSnapshot();
}

/* Notes that a materialized view was meant to be filled. */
static void
mark_populated(Node *statement)
{
	RangeVar *name = ((CreateTableAsStmt *) statement)->into->rel;
	Relation relation = table_openrv(name, AccessExclusiveLock);

	SetMatViewPopulatedState(relation, true);
	table_close(relation, NoLock);
	CommandCounterIncrement();
}

/*
 * The schema from as it would be if it were called to: the catalogs spell all
 * names in it anew.
 */
KnSchema *
scratch_rename_schema(const char *from, const char *to)
{
	SchemaRename rename = { from, to, NULL };
	ErrorData *error;

	check_can_write();
	check_owner(from, get_namespace_oid(from, false));
	error = subtransaction_run(rename_and_read, &rename, false);
	if (error != NULL)
		ReThrowError(error);
	return rename.result;
}

static void
rename_and_read(void *argument)
{
	SchemaRename *rename = argument;
	Oid source = get_namespace_oid(rename->from, false);
	Oid target = get_namespace_oid(rename->to, true);

	if (OidIsValid(target))
		rename_namespace(target, psprintf("kints_aside_%d_%u", MyProcPid, target));
	rename_namespace(source, rename->to);
	rename->result = inspect_schemas(list_make1((char *) rename->to));
}
