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

static List *rename_all(const KnSchema *found, const KnOptions *options, List *pending);
static void refuse_taken(const char *from, const char *to) pg_attribute_noreturn();
static List *add_step(List *steps, const KnSchema *found, const KnOptions *options,
					  const char *from, const char *to, bool must_be_there);
static List *locate(const KnSchema *found, const KnOptions *options, const char *dotted,
					const char *to);
static KnStatement *rename_statement(const KnSchema *found, const List *parts, const char *to,
									 KnObject **object);
static KnStatement *rename_label(KnObject *type, const char *from, const char *to);
static const char *lock_of(const KnObject *object);
static List *split_name(const char *dotted);
static KnObject *find_object(const KnSchema *found, const List *parts);
static KnObject *find_enum(const KnSchema *found, const List *parts);
static bool is_there(const KnSchema *found, const List *parts);
static bool is_done(const KnSchema *found, const List *parts, const char *to);
static List *renamed_parts(const List *parts, const char *to);
static char *join_name(const List *parts);

/*
 * The steps that carry out the renames; what has been renamed before is left
 * out.  Columns come before their tables: they are still found under the old
 * name of these.
 */
List *
plan_renames(const KnSchema *found, KnOptions *options)
{
	List *steps = NIL;

	for (int length = 3; length >= 2; length--)
	{
		List *pending = NIL;
		ListCell *from;

		foreach(from, options->rename_from)
		{
			if (list_length(split_name(lfirst(from))) == length)
				pending = lappend_int(pending, foreach_current_index(from));
		}
		steps = list_concat(steps, rename_all(found, options, pending));
	}
	return steps;
}

/*
 * Renames in an order in which each new name is free by then: a to b, after b
 * to c.  Where that was done before, there is a b, and it is not to be renamed.
 */
static List *
rename_all(const KnSchema *found, const KnOptions *options, List *pending)
{
	List *steps = NIL;
	List *free = NIL;    /* names that a rename gives up */
	List *reached = NIL; /* names that an earlier rename has led to */
	int waiting = -1;

	while (list_length(pending) != waiting)
	{
		List *left = NIL;
		ListCell *cell;

		waiting = list_length(pending);
		foreach(cell, pending)
		{
			const char *from = list_nth(options->rename_from, lfirst_int(cell));
			const char *to = list_nth(options->rename_to, lfirst_int(cell));
			List *parts = locate(found, options, from, to);
			bool was_done = is_done(found, parts, to);
			char *target = join_name(renamed_parts(parts, to));

			if (was_done && (!is_there(found, parts) || sqltext_member(reached, join_name(parts))))
				reached = lappend(reached, target);
			else if (was_done && !sqltext_member(free, target))
				left = lappend_int(left, lfirst_int(cell));
			else
			{
				free = lappend(free, join_name(parts));
				steps = add_step(steps,
								 found,
								 options,
								 from,
								 to,
								 lfirst_int(cell) < options->rename_count);
			}
		}
		pending = left;
	}
	if (pending != NIL)
		refuse_taken(list_nth(options->rename_from, linitial_int(pending)),
					 list_nth(options->rename_to, linitial_int(pending)));
	return steps;
}

static void
refuse_taken(const char *from, const char *to)
{
	ereport(ERROR,
			errcode(ERRCODE_DUPLICATE_OBJECT),
			errmsg("\"%s\" cannot be renamed to \"%s\": there is one of that name", from, to),
			errhint("Rename or drop that first, in a migration of its own."));
}

static List *
add_step(List *steps, const KnSchema *found, const KnOptions *options, const char *from,
		 const char *to, bool must_be_there)
{
	KnObject *object = NULL;
	List *parts = locate(found, options, from, to);
	KnStatement *statement = rename_statement(found, parts, to, &object);
	KnStep *step;

	if (*to == '\0')
		ereport(ERROR,
				errcode(ERRCODE_INVALID_NAME),
				errmsg("\"%s\" cannot be renamed to an empty name", from));
	/* Models are for new databases as well, where there is nothing of an old name. */
	if (statement == NULL && !must_be_there)
		return steps;
	if (statement == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("there is no \"%s\" to be renamed to \"%s\"", from, to),
				errhint("Names are schema.object, or schema.table.column."));
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
	return lappend(steps, step);
}

/*
 * The parts of a name.  That of a column may be said with the old or with the
 * new name of a table that is renamed, too: the one that leads to something.
 */
static List *
locate(const KnSchema *found, const KnOptions *options, const char *dotted, const char *to)
{
	List *parts = split_name(dotted);
	ListCell *old_name;
	ListCell *new_name;

	if (list_length(parts) < 3 || is_there(found, parts) || is_done(found, parts, to))
		return parts;
	forboth(old_name, options->rename_from, new_name, options->rename_to)
	{
		List *table = split_name(lfirst(old_name));
		List *other = list_copy(parts);

		if (list_length(table) != 2 || strcmp(linitial(table), linitial(parts)) != 0)
			continue;
		if (strcmp(lsecond(parts), lfirst(new_name)) == 0)
			lsecond(other) = lsecond(table);
		else if (strcmp(lsecond(parts), lsecond(table)) == 0)
			lsecond(other) = lfirst(new_name);
		if (is_there(found, other) || is_done(found, other, to))
			return other;
	}
	return parts;
}

/* The statement, its undo in place of the aspect; NULL where there is nothing to rename. */
static KnStatement *
rename_statement(const KnSchema *found, const List *parts, const char *to, KnObject **object)
{
	KnStatement *statement;
	KnObject *renamed;

	*object = find_object(found, parts);
	if (*object == NULL)
	{
		*object = find_enum(found, parts);
		return *object == NULL ? NULL : rename_label(*object, lthird(parts), to);
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

/* The enum that has the label which the last part names, or NULL. */
static KnObject *
find_enum(const KnSchema *found, const List *parts)
{
	KnObject *type;

	if (list_length(parts) < 3)
		return NULL;
	type = schema_find_kind(found, KN_ENUM, linitial(parts), NULL, lsecond(parts));
	return type != NULL && sqltext_member(((KnEnum *) type)->labels, lthird(parts)) ? type : NULL;
}

static bool
is_there(const KnSchema *found, const List *parts)
{
	return find_object(found, parts) != NULL || find_enum(found, parts) != NULL;
}

/* Whether there is an object of the new name, in the place of the old one. */
static bool
is_done(const KnSchema *found, const List *parts, const char *to)
{
	return is_there(found, renamed_parts(parts, to));
}

/* The parts of a name after its last one was changed. */
static List *
renamed_parts(const List *parts, const char *to)
{
	List *renamed = list_copy(parts);

	llast(renamed) = (char *) to;
	return renamed;
}

/* The parts as one text, which differs where they do. */
static char *
join_name(const List *parts)
{
	List *quoted = NIL;
	const ListCell *cell;

	foreach(cell, parts)
		quoted = lappend(quoted, (char *) sqltext_identifier(lfirst(cell)));
	return (char *) sqltext_join(quoted, ".");
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
