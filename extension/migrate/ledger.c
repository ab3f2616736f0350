/*
 * ledger.c
 *		kints.schema_migrations: what ran, when, by whom, and how to undo it.
 *
 * Nobody needs a privilege on the table to apply a migration: it is read and
 * written as its owner.  It must be the extension's own, so that nobody can
 * slip another one in, and nothing must run when it is read or written: it
 * would run as its owner.
 */
#include "kints_norm.h"

#include "migrate/migrate.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* The key of the advisory lock: "kints" in ASCII. */
#define LEDGER_LOCK INT64CONST(0x6b696e7473)

typedef struct Impersonation
{
	Oid user;
	int context;
} Impersonation;

/* clang-format off */
static const char insert_query[] =
	"INSERT INTO kints.schema_migrations "
	"            (name, checksum, schemas, plan, undo, fingerprint_before, fingerprint_after, applied_by, duration) "
	"     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9 OPERATOR(pg_catalog.*) '1 millisecond'::pg_catalog.interval)";

static const char read_query[] =
	"  SELECT version, name, checksum, pg_catalog.to_jsonb(schemas), plan, undo, fingerprint_before,"
	"         fingerprint_after, applied_by::pg_catalog.text, applied_at,"
	"         pg_catalog.date_part('epoch', duration) OPERATOR(pg_catalog.*) 1000, rolled_back_at IS NOT NULL"
	"    FROM kints.schema_migrations "
	"ORDER BY version DESC";

static const char rolled_back_query[] =
	"UPDATE kints.schema_migrations "
	"   SET rolled_back_at = pg_catalog.clock_timestamp(), rolled_back_by = $2 "
	" WHERE version OPERATOR(pg_catalog.=) $1";
/* clang-format on */

static Impersonation become_owner(void);
static bool runs_code(Relation relation);
static void become_caller(Impersonation *was);
static Jsonb *steps_to_json(const List *steps);
static List *steps_from_json(Jsonb *json);
static KnStep *step_from_json(JsonbContainer *in);
static const char *text_field(JsonbContainer *in, const char *name);
static void take_migration(HeapTuple row, TupleDesc shape, void *argument);
static const char *text_column(HeapTuple row, TupleDesc shape, int column);
static Jsonb *json_column(HeapTuple row, TupleDesc shape, int column);
static void hash_steps(pg_cryptohash_ctx *hash, const List *steps);
static void hash_text(pg_cryptohash_ctx *hash, const char *text);

/* One migration at a time in a database, until the end of the transaction. */
void
ledger_lock(void)
{
	(void) DirectFunctionCall1(pg_advisory_xact_lock_int8, Int64GetDatum(LEDGER_LOCK));
}

static Impersonation
become_owner(void)
{
	Impersonation was;
	Oid schema = get_namespace_oid("kints", true);
	Oid table = OidIsValid(schema) ? get_relname_relid("schema_migrations", schema) : InvalidOid;
	Oid extension = get_extension_oid("kints_norm", true);
	Relation relation;

	if (!OidIsValid(table) || !OidIsValid(extension) ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("table kints.schema_migrations is not that of extension kints_norm"),
				errhint("Create the extension anew."));
	relation = table_open(table, AccessShareLock);
	if (runs_code(relation))
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("table kints.schema_migrations has triggers, rules or row security"),
				errdetail("They would run as the owner of the table."),
				errhint("Drop them."));
	GetUserIdAndSecContext(&was.user, &was.context);
	SetUserIdAndSecContext(relation->rd_rel->relowner, was.context | SECURITY_LOCAL_USERID_CHANGE);
	table_close(relation, NoLock);
	return was;
}

/* Whether a user has put code on the table; foreign keys to it are no such thing. */
static bool
runs_code(Relation relation)
{
	TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (!triggers->triggers[i].tgisinternal)
			return true;
	}
	return relation->rd_rules != NULL || relation->rd_rel->relrowsecurity;
}

static void
become_caller(Impersonation *was)
{
	SetUserIdAndSecContext(was->user, was->context);
}

/* Records a migration. */
void
ledger_add(const KnMigration *migration)
{
	Oid types[] = { TEXTOID, TEXTOID, TEXTARRAYOID, JSONBOID, JSONBOID,
					TEXTOID, TEXTOID, NAMEOID,      FLOAT8OID };
	Datum values[lengthof(types)];
	char nulls[lengthof(types) + 1] = "         ";
	NameData user;
	Impersonation was;

	namestrcpy(&user, GetUserNameFromId(GetUserId(), false));
	if (migration->name == NULL)
		nulls[0] = 'n';
	else
		values[0] = CStringGetTextDatum(migration->name);
	values[1] = CStringGetTextDatum(migration->checksum);
	values[2] = query_texts(migration->schemas);
	values[3] = JsonbPGetDatum(steps_to_json(migration->plan));
	values[4] = JsonbPGetDatum(steps_to_json(migration->undo));
	values[5] = CStringGetTextDatum(migration->before);
	values[6] = CStringGetTextDatum(migration->after);
	values[7] = NameGetDatum(&user);
	values[8] = Float8GetDatum(migration->milliseconds);
	was = become_owner();
	(void) query_run(insert_query, lengthof(types), types, values, nulls);
	become_caller(&was);
}

/*
 * All migrations, the newest first; List of KnMigration *.  Read as they are
 * now, not as they were when the statement began: this statement may have
 * waited for another migration, or rolled one back itself.  Only a transaction
 * that sees nothing new (REPEATABLE READ) has them as they were when it began.
 */
List *
ledger_read(void)
{
	List *migrations = NIL;
	Impersonation was = become_owner();

	PushActiveSnapshot(inspect_latest_snapshot());
	query_rows(read_query, 0, NULL, NULL, take_migration, &migrations);
	PopActiveSnapshot();
	become_caller(&was);
	return migrations;
}

static void
take_migration(HeapTuple row, TupleDesc shape, void *argument)
{
	List **migrations = argument;
	KnMigration *migration = palloc0(sizeof(KnMigration));
	JsonbValue schemas;
	Jsonb *names = json_column(row, shape, 4);
	bool isnull;

	schemas.type = jbvBinary;
	schemas.val.binary.data = &names->root;
	schemas.val.binary.len = VARSIZE(names);
	migration->version = DatumGetInt64(SPI_getbinval(row, shape, 1, &isnull));
	migration->name = text_column(row, shape, 2);
	migration->checksum = text_column(row, shape, 3);
	migration->schemas = json_strings(&schemas, "schemas");
	migration->plan = steps_from_json(json_column(row, shape, 5));
	migration->undo = steps_from_json(json_column(row, shape, 6));
	migration->before = text_column(row, shape, 7);
	migration->after = text_column(row, shape, 8);
	migration->applied_by = text_column(row, shape, 9);
	migration->applied_at = DatumGetTimestampTz(SPI_getbinval(row, shape, 10, &isnull));
	migration->milliseconds = DatumGetFloat8(SPI_getbinval(row, shape, 11, &isnull));
	migration->is_rolled_back = DatumGetBool(SPI_getbinval(row, shape, 12, &isnull));
	*migrations = lappend(*migrations, migration);
}

static const char *
text_column(HeapTuple row, TupleDesc shape, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(row, shape, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static Jsonb *
json_column(HeapTuple row, TupleDesc shape, int column)
{
	bool isnull;

	return DatumGetJsonbPCopy(SPI_getbinval(row, shape, column, &isnull));
}

void
ledger_mark_rolled_back(int64 version)
{
	Oid types[] = { INT8OID, NAMEOID };
	Datum values[2];
	NameData user;
	Impersonation was;

	namestrcpy(&user, GetUserNameFromId(GetUserId(), false));
	values[0] = Int64GetDatum(version);
	values[1] = NameGetDatum(&user);
	was = become_owner();
	(void) query_run(rolled_back_query, 2, types, values, NULL);
	become_caller(&was);
}

/*
 * To be called with the lock held, before what was read is acted on: an error
 * if the transaction cannot see all that there is.
 */
void
ledger_check_seen(void)
{
	Oid table = get_relname_relid("schema_migrations", get_namespace_oid("kints", false));
	Relation relation;
	Snapshot latest;
	TableScanDesc scan;
	TupleTableSlot *slot;
	bool is_seen = true;

	if (!IsolationUsesXactSnapshot())
		return;
	relation = table_open(table, AccessShareLock);
	latest = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(relation, NULL);
	scan = table_beginscan(relation, latest, 0, NULL);
	while (is_seen && table_scan_getnextslot(scan, ForwardScanDirection, slot))
		is_seen = table_tuple_satisfies_snapshot(relation, slot, GetTransactionSnapshot());
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(latest);
	table_close(relation, AccessShareLock);
	if (!is_seen)
		ereport(ERROR,
				errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				errmsg("there are migrations that this transaction cannot see"),
				errdetail("They ran after it began."),
				errhint("Try again in a new transaction."));
}

static Jsonb *
steps_to_json(const List *steps)
{
	JsonbParseState *state = NULL;
	const ListCell *cell;

	json_begin_array(&state);
	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		json_begin_object(&state);
		json_put_string(&state, "kind", step->kind);
		json_put_string(&state, "object", step->object);
		json_put_string(&state, "sql", step->sql);
		json_put_string(&state, "severity", hazard_severity_word(step->severity));
		json_put_bool(&state, "gated", step->is_gated);
		json_end(&state, WJB_END_OBJECT);
	}
	return JsonbValueToJsonb(json_end(&state, WJB_END_ARRAY));
}

/* What is not as steps_to_json() wrote it is left out: the checksum tells. */
static List *
steps_from_json(Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbValue item;
	JsonbIteratorToken token;
	List *steps = NIL;

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && item.type == jbvBinary &&
			JsonContainerIsObject(item.val.binary.data))
		{
			KnStep *step = step_from_json(item.val.binary.data);

			step->number = list_length(steps) + 1;
			steps = lappend(steps, step);
		}
	}
	return steps;
}

static KnStep *
step_from_json(JsonbContainer *in)
{
	KnStep *step = palloc0(sizeof(KnStep));
	JsonbValue storage;
	JsonbValue *gated = json_field(in, "gated", &storage);

	step->is_gated = gated != NULL && gated->type == jbvBool && gated->val.boolean;
	step->kind = text_field(in, "kind");
	step->object = text_field(in, "object");
	step->group = step->object;
	step->sql = text_field(in, "sql");
	step->is_transactional = true;
	step->phase = "alter";
	return step;
}

static const char *
text_field(JsonbContainer *in, const char *name)
{
	JsonbValue storage;
	JsonbValue *value = json_field(in, name, &storage);

	return value == NULL || value->type != jbvString ? NULL : json_string(value, name);
}

/* SHA-256 in hex over all that rolling back goes by, and the statements that ran. */
const char *
ledger_checksum(const KnMigration *migration)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	char *text = palloc0(2 * PG_SHA256_DIGEST_LENGTH + 1);
	ListCell *cell;

	if (pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a SHA-256");
	foreach(cell, migration->schemas)
		hash_text(hash, lfirst(cell));
	hash_text(hash, NULL);
	hash_text(hash, migration->before);
	hash_text(hash, migration->after);
	hash_steps(hash, migration->plan);
	hash_steps(hash, migration->undo);
	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not finish a SHA-256");
	pg_cryptohash_free(hash);
	hex_encode((const char *) digest, sizeof(digest), text);
	return text;
}

static void
hash_steps(pg_cryptohash_ctx *hash, const List *steps)
{
	const ListCell *cell;

	foreach(cell, steps)
	{
		const KnStep *step = lfirst(cell);

		hash_text(hash, step->kind);
		hash_text(hash, step->object);
		hash_text(hash, step->is_gated ? "gated" : "");
		hash_text(hash, step->sql);
	}
	hash_text(hash, NULL);
}

/* The final NUL keeps texts apart; NULL stands for none, and for an end. */
static void
hash_text(pg_cryptohash_ctx *hash, const char *text)
{
	const char *hashed = text == NULL ? "\001" : text;

	if (pg_cryptohash_update(hash, (const uint8 *) hashed, strlen(hashed) + 1) < 0)
		elog(ERROR, "could not compute a SHA-256");
}
