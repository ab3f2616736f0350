/*
 * attach.c
 *		A feature of a table is a trigger on it, like any other.
 *
 * All there is to know stands in the trigger: nothing has to be kept beside
 * it, and pg_dump says it as it says other triggers.  The statements run as
 * their caller, whom the table has to belong to.
 */
#include "triggers/triggers.h"

#include "access/relation.h"
#include "access/xact.h"
#include "base/base.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void check_table(Oid table);
static void drop_all(FunctionCallInfo fcinfo, Relation relation, const KnTriggerKind *kind,
					 const char *column);
static Oid function_of(FunctionCallInfo fcinfo, const char *name);

/* An error if the argument of that number, which is named so, is NULL. */
void
attach_refuse_null(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("argument \"%s\" must not be null", name));
}

/* Which of the choices an argument is. */
int
attach_choice(FunctionCallInfo fcinfo, int number, const char *name, const char *const *choices,
			  int count)
{
	List *known = NIL;
	const char *said;
	int place;

	attach_refuse_null(fcinfo, number, name);
	said = text_to_cstring(PG_GETARG_TEXT_PP(number));
	place = sqltext_index(said, choices, (Size) count);
	if (place >= 0)
		return place;
	for (int i = 0; i < count; i++)
		known = lappend(known, unconstify(char *, choices[i]));
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("argument \"%s\" must not be \"%s\"", name, said),
			errhint("It can be: %s.", sqltext_join(known, ", ")));
}

/*
 * The table, if it is one, and the caller's.  To be closed by the caller.  Who
 * may not have it does not lock it either, be it only to wait for others.
 */
Relation
attach_open(Oid table, LOCKMODE lock)
{
	Relation relation;

	check_table(table);
	LockRelationOid(table, lock);
	/* It may have been dropped, or given away, while the lock was waited for. */
	check_table(table);
	relation = relation_open(table, NoLock);
	return relation;
}

/* Whether it is the caller's. */
bool
attach_is_owner(Oid table)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, table, GetUserId());
#else
	return pg_class_ownercheck(table, GetUserId());
#endif
}

static void
check_table(Oid table)
{
	char kind = get_rel_relkind(table);

	if (kind == '\0')
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("relation with OID %u does not exist", table));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s\" is not a table", get_rel_name(table)),
				errdetail_relkind_not_supported(kind));
	if (!attach_is_owner(table))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(kind), get_rel_name(table));
}

/*
 * The trigger of a table that calls one of our functions; value: only one with
 * that value of the option, which is otherwise where the trigger does not say.
 */
const Trigger *
attach_find(FunctionCallInfo fcinfo, Relation relation, const char *function, const char *option,
			const char *value, const char *otherwise)
{
	Oid oid = function_of(fcinfo, function);
	/* After that, for to look something up may build it anew. */
	const TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		const char *said;

		if (trigger->tgfoid != oid)
			continue;
		if (value == NULL)
			return trigger;
		said = trigger_option(trigger, option);
		if (sqltext_equal(said != NULL ? said : otherwise, value))
			return trigger;
	}
	return NULL;
}

/* An error if there is a trigger for that already. */
void
attach_refuse_second(const Trigger *trigger, const char *feature, Relation relation)
{
	if (trigger != NULL)
		ereport(ERROR,
				errcode(ERRCODE_DUPLICATE_OBJECT),
				errmsg("%s is enabled already for table \"%s\"",
					   feature,
					   RelationGetRelationName(relation)),
				errdetail("There is trigger \"%s\".", trigger->tgname));
}

/*
 * Creates a trigger of that name, for rows of which the condition holds, or, if
 * that is NULL, for all; options are arguments as attach_option() makes them.
 */
void
attach_create(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *name,
			  Relation relation, const char *condition, const List *options)
{
	Oid function = function_of(fcinfo, kind->function);
	List *arguments = NIL;
	const ListCell *cell;

	foreach(cell, options)
		arguments = lappend(arguments, unconstify(char *, sqltext_literal(lfirst(cell))));
	utility_run(sqltext_concat(
		"CREATE TRIGGER ",
		sqltext_identifier(name),
		" ",
		kind->fires,
		" ON ",
		attach_table(relation),
		" ",
		kind->level,
		condition == NULL ? "" : sqltext_concat(" WHEN (", condition, ")", NULL),
		" EXECUTE FUNCTION ",
		sqltext_qualified(get_namespace_name(get_func_namespace(function)), kind->function),
		"(",
		sqltext_join(arguments, ", "),
		")",
		NULL));
}

/*
 * Drops it, under whatever name; the first argument of the SQL function is the
 * table.  column: the one that it is for; NULL: those of all columns.
 */
void
attach_drop(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *column)
{
	Relation relation;
	const Trigger *trigger;

	attach_refuse_null(fcinfo, 0, "tbl");
	relation = attach_open(PG_GETARG_OID(0), AccessExclusiveLock);
	trigger = attach_find(fcinfo, relation, kind->function, "column", column, kind->column);
	if (trigger == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("%s is not enabled for table \"%s\"",
					   kind->feature,
					   RelationGetRelationName(relation)));
	drop_all(fcinfo, relation, kind, column);
	for (kind = kind->beside; kind != NULL; kind = kind->beside)
		drop_all(fcinfo, relation, kind, NULL);
	relation_close(relation, NoLock);
}

static void
drop_all(FunctionCallInfo fcinfo, Relation relation, const KnTriggerKind *kind, const char *column)
{
	const Trigger *trigger;

	while (trigger = attach_find(fcinfo, relation, kind->function, "column", column, kind->column),
		   trigger != NULL)
	{
		const char *name = sqltext_identifier(pstrdup(trigger->tgname));

		utility_run(sqltext_concat("DROP TRIGGER ", name, " ON ", attach_table(relation), NULL));
		CommandCounterIncrement();
	}
}

/* Who makes something for a table of others makes nothing that is not theirs. */
void
attach_hand_over(Oid owner, const char *kind, const char *name)
{
	if (owner != GetUserId())
		utility_run(sqltext_concat("ALTER ",
								   kind,
								   " ",
								   name,
								   " OWNER TO ",
								   sqltext_identifier(GetUserNameFromId(owner, false)),
								   NULL));
}

/* An argument of a trigger. */
char *
attach_option(const char *name, const char *value)
{
	return sqltext_concat(name, "=", value, NULL);
}

/* One of our functions, which is where the one that was called is. */
static Oid
function_of(FunctionCallInfo fcinfo, const char *name)
{
	char *schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));

	return LookupFuncName(list_make2(makeString(schema), makeString(unconstify(char *, name))),
						  0,
						  NULL,
						  false);
}

/* Its name, as SQL says it. */
const char *
attach_table(Relation relation)
{
	return sqltext_qualified(get_namespace_name(RelationGetNamespace(relation)),
							 RelationGetRelationName(relation));
}
