/*
 * rename.c
 *		Renames that the caller asked for.
 *
 * A rename cannot be seen in two states of a schema: it is a drop and a create
 * unless somebody says so.  What is renamed takes along how views, checks and
 * all the rest spell it; so the found schema is elaborated with the new names,
 * by the server, and the plan continues from there.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "desired/desired.h"
#include "plan/plan.h"
#include "utils/varlena.h"

static List *split_name(const char *dotted);
static KnObject *find_object(const KnSchema *found, const List *parts);
static const char *lock_of(const KnObject *object);
static List *rename_all(const KnSchema *found, KnOptions *options, int part_count);
static KnStatement *rename_statement(const KnSchema *found, const KnOptions *options,
									 const char *from, const char *to, KnObject **object);
static bool is_found(const KnSchema *found, const List *parts);
static List *of_other_name(const KnSchema *found, const KnOptions *options, List *parts);
static KnStatement *rename_label(KnObject *type, const char *from, const char *to);
static bool is_done(const KnSchema *found, const List *from, const char *to);

/*
 * The steps that carry out the renames; what has been renamed before is left
 * out.  Members go before what they are in, which still has its old name then.
 */
List *
plan_renames(const KnSchema *found, KnOptions *options)
{
	return list_concat(rename_all(found, options, 3), rename_all(found, options, 2));
}

/* Types are no relations, but for composite ones. */
static const char *
lock_of(const KnObject *object)
{
	switch (object->kind)
	{
		case KN_ENUM:
		case KN_DOMAIN:
		case KN_RANGE:
			return NULL;
		case KN_INDEX:
			return "SHARE UPDATE EXCLUSIVE";
		default:
			return "ACCESS EXCLUSIVE";
	}
}

/* The renames of names of so many parts. */
static List *
rename_all(const KnSchema *found, KnOptions *options, int part_count)
{
	List *steps = NIL;
	ListCell *from;
	ListCell *to;

	forboth(from, options->rename_from, to, options->rename_to)
	{
		KnObject *object = NULL;
		KnStatement *statement;
		KnStep *step;

		if (list_length(split_name(lfirst(from))) != part_count)
			continue;
		statement = rename_statement(found, options, lfirst(from), lfirst(to), &object);
		if (statement == NULL)
			continue;
		step = palloc0(sizeof(KnStep));
		step->kind = statement->kind;
		step->object = name_of(object);
		step->group = object->parent != NULL ? name_of_parent(object) : name_of(object);
		step->sql = statement->sql;
		step->undo = statement->aspect;
		step->severity = KN_UNSAFE;
		step->lock = lock_of(object);
		step->hazards = list_make1("programs that use the old name fail");
		step->is_transactional = true;
		step->phase = "rename";
		steps = lappend(steps, step);
	}
	return steps;
}

/* The statement, its undo in place of the aspect; NULL where it is done already. */
static KnStatement *
rename_statement(const KnSchema *found, const KnOptions *options, const char *from, const char *to,
				 KnObject **object)
{
	List *parts = split_name(from);
	KnStatement *statement;
	KnObject *renamed;

	if (list_length(parts) == 3 && !is_found(found, parts))
		parts = of_other_name(found, options, parts);
	*object = find_object(found, parts);
	if (*object == NULL && list_length(parts) == 3)
	{
		*object = schema_find_kind(found, KN_ENUM, linitial(parts), NULL, lsecond(parts));
		if (*object != NULL && sqltext_member(((KnEnum *) *object)->labels, lthird(parts)))
			return rename_label(*object, lthird(parts), to);
		*object = NULL;
	}
	if (*object == NULL)
	{
		if (is_done(found, parts, to))
			return NULL;
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("there is no \"%s\" to be renamed to \"%s\"", from, to),
				errhint("Names are schema.object, or schema.table.column."));
	}
	statement = linitial(ddl_rename(*object, to));
	renamed = palloc(kn_kinds[(*object)->kind].size);
	memcpy(renamed, *object, kn_kinds[(*object)->kind].size);
	renamed->name = to;
	statement->aspect = ((KnStatement *) linitial(ddl_rename(renamed, (*object)->name)))->sql;
	return statement;
}

static KnStatement *
rename_label(KnObject *type, const char *from, const char *to)
{
	KnStatement *statement = palloc0(sizeof(KnStatement));
	const char *name = name_of(type);
	KnEnum *enumeration = (KnEnum *) type;

	if (sqltext_member(enumeration->labels, to))
		ereport(ERROR,
				errcode(ERRCODE_DUPLICATE_OBJECT),
				errmsg("enum %s has a label \"%s\" already", name, to));
	statement->kind = "rename_enum_value";
	statement->sql = psprintf("ALTER TYPE %s RENAME VALUE %s TO %s",
							  name,
							  sqltext_literal(from),
							  sqltext_literal(to));
	statement->aspect = psprintf("ALTER TYPE %s RENAME VALUE %s TO %s",
								 name,
								 sqltext_literal(to),
								 sqltext_literal(from));
	return statement;
}

static List *
split_name(const char *dotted)
{
	List *parts;

	if (!SplitIdentifierString(pstrdup(dotted), '.', &parts) || list_length(parts) < 2 ||
		list_length(parts) > 3)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_NAME),
				errmsg("\"%s\" is not a name that can be renamed", dotted),
				errhint("Names are schema.object, or schema.table.column."));
	return parts;
}

static KnObject *
find_object(const KnSchema *found, const List *parts)
{
	static const KnKind wholes[] = { KN_TABLE, KN_VIEW,      KN_MATVIEW, KN_INDEX, KN_SEQUENCE,
									 KN_ENUM,  KN_COMPOSITE, KN_DOMAIN,  KN_RANGE };
	static const KnKind members[] = { KN_COLUMN, KN_CONSTRAINT, KN_TRIGGER, KN_POLICY, KN_RULE };
	KnObject *object;

	if (list_length(parts) == 2)
	{
		for (Size i = 0; i < lengthof(wholes); i++)
		{
			object = schema_find_kind(found, wholes[i], linitial(parts), NULL, lsecond(parts));
			if (object != NULL)
				return object;
		}
		return NULL;
	}
	for (Size i = 0; i < lengthof(members); i++)
	{
		object =
			schema_find_kind(found, members[i], linitial(parts), lsecond(parts), lthird(parts));
		if (object != NULL)
			return object;
	}
	return NULL;
}

/* Whether there is what a member, named in three parts, is in. */
static bool
is_found(const KnSchema *found, const List *parts)
{
	return find_object(found, list_make2(linitial(parts), lsecond(parts))) != NULL;
}

/*
 * The parts of a member's name, where what it is in is renamed as well: that
 * may be called by its new name before it has it, or by its old name after.
 */
static List *
of_other_name(const KnSchema *found, const KnOptions *options, List *parts)
{
	ListCell *from;
	ListCell *to;

	forboth(from, options->rename_from, to, options->rename_to)
	{
		List *whole = split_name(lfirst(from));
		const char *other = NULL;
		List *renamed;

		if (list_length(whole) != 2 || strcmp(linitial(whole), linitial(parts)) != 0)
			continue;
		if (strcmp(lsecond(whole), lsecond(parts)) == 0)
			other = lfirst(to);
		else if (strcmp(lfirst(to), lsecond(parts)) == 0)
			other = lsecond(whole);
		if (other == NULL)
			continue;
		renamed = list_make3(linitial(parts), (char *) other, lthird(parts));
		if (is_found(found, renamed))
			return renamed;
	}
	return parts;
}

/* Whether there is an object of the new name, in the place of the old one. */
static bool
is_done(const KnSchema *found, const List *from, const char *to)
{
	List *parts = list_copy(from);
	KnObject *type;

	llast(parts) = (char *) to;
	if (find_object(found, parts) != NULL)
		return true;
	if (list_length(parts) < 3)
		return false;
	type = schema_find_kind(found, KN_ENUM, linitial(parts), NULL, lsecond(parts));
	return type != NULL && sqltext_member(((KnEnum *) type)->labels, to);
}

/* The found schema with the renames done, as the server then spells it. */
KnSchema *
rename_found(const KnSchema *found, List *schemas, List *renames)
{
	List *steps = plan_between(schema_new(schemas), found);
	KnSchema *renamed;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, format_sql(steps));
	appendStringInfoString(&sql, format_sql(renames));
	renamed = scratch_elaborate(script_parse(sql.data, NULL), schemas);
	renamed->has_owners = found->has_owners;
	renamed->has_acls = found->has_acls;
	return renamed;
}
