/*
 * trigger.c
 *		How a trigger function is called, and what its trigger's arguments say.
 *
 * Each option is an argument of its own, "name=value", so that a dump has all
 * of them.  Names of columns are looked up once a statement: what is found is
 * kept in fn_extra, which lives as long as the statement's trigger functions
 * do, each for one table or partition.
 */
#include "triggers/triggers.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define TIMING_MASK (TRIGGER_EVENT_OPMASK | TRIGGER_EVENT_ROW | TRIGGER_EVENT_TIMINGMASK)

static bool is_known(const KnTriggerKind *kind, const char *argument);
static bool fires_here(const Trigger *trigger);

/* What the function was called with; an error if that was anything but such a trigger. */
TriggerData *
trigger_called(FunctionCallInfo fcinfo, const KnTriggerKind *kind)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TriggerEvent mask = kind->any_operation ? TIMING_MASK & ~TRIGGER_EVENT_OPMASK : TIMING_MASK;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"%s\" was not called by a trigger", kind->function));
	if ((data->tg_event & mask) != kind->when &&
		(kind->also == 0 || (data->tg_event & mask) != kind->also))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" of table \"%s\" has to fire %s, %s",
					   data->tg_trigger->tgname,
					   RelationGetRelationName(data->tg_relation),
					   kind->fires,
					   kind->level),
				errdetail("Function \"%s\" does nothing for another.", kind->function));
	return data;
}

/* An error names the first argument that is none of the options. */
void
trigger_check_options(const KnTriggerKind *kind, const Trigger *trigger, Relation relation)
{
	List *known = NIL;

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		if (is_known(kind, trigger->tgargs[i]))
			continue;
		for (int j = 0; j < kind->option_count; j++)
			known = lappend(known, unconstify(char *, kind->options[j]));
		ereport(
			ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("trigger \"%s\" of table \"%s\" has an argument that is no option: \"%s\"",
				   trigger->tgname,
				   RelationGetRelationName(relation),
				   trigger->tgargs[i]),
			errhint("An option is \"name=value\". Known names: %s.", sqltext_join(known, ", ")));
	}
}

static bool
is_known(const KnTriggerKind *kind, const char *argument)
{
	const char *end = strchr(argument, '=');

	for (int i = 0; i < kind->option_count && end != NULL; i++)
	{
		Size length = strlen(kind->options[i]);

		if (length == (Size) (end - argument) && strncmp(argument, kind->options[i], length) == 0)
			return true;
	}
	return false;
}

/* The value of an option; NULL if there is none.  The last one counts. */
const char *
trigger_option(const Trigger *trigger, const char *name)
{
	Size length = strlen(name);

	for (int i = trigger->tgnargs - 1; i >= 0; i--)
	{
		const char *argument = trigger->tgargs[i];

		if (strncmp(argument, name, length) == 0 && argument[length] == '=')
			return argument + length + 1;
	}
	return NULL;
}

/*
 * The trigger of a table that calls a function of this library, if it fires in
 * this session for each statement and each row; a copy, for to look something
 * up may build those of the table anew.
 */
const Trigger *
trigger_find(Relation relation, PGFunction function)
{
	const TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgqual == NULL && trigger->tgnattr == 0 && fires_here(trigger) &&
			trigger_is_of(trigger->tgfoid, &function, 1))
			return trigger;
	}
	return NULL;
}

/* Whether a function is one of these; the libraries of others are not loaded for that. */
bool
trigger_is_of(Oid function, const PGFunction *these, Size count)
{
	HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool is_c;
	bool is_null;
	Datum library;
	FmgrInfo info;

	if (!HeapTupleIsValid(row))
		return false;
	library = SysCacheGetAttr(PROCOID, row, Anum_pg_proc_probin, &is_null);
	is_c = !is_null && ((Form_pg_proc) GETSTRUCT(row))->prolang == ClanguageId &&
		   strstr(TextDatumGetCString(library), "kints_norm") != NULL;
	ReleaseSysCache(row);
	if (!is_c)
		return false;
	fmgr_info(function, &info);
	for (Size i = 0; i < count; i++)
	{
		if (info.fn_addr == these[i])
			return true;
	}
	return false;
}

/* Rows of pg_trigger that are of a table; to be ended by systable_endscan(). */
SysScanDesc
trigger_scan(Relation triggers, Oid table)
{
	ScanKeyData key;

	ScanKeyInit(&key,
				Anum_pg_trigger_tgrelid,
				BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(table));
	return systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
}

static bool
fires_here(const Trigger *trigger)
{
	switch (trigger->tgenabled)
	{
		case TRIGGER_FIRES_ALWAYS:
			return true;
		case TRIGGER_FIRES_ON_ORIGIN:
			return SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
		case TRIGGER_FIRES_ON_REPLICA:
			return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
		default:
			return false;
	}
}
