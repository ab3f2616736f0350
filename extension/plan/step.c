/*
 * step.c
 *		Actions to steps: one for each statement.
 *
 * How a step is undone is said by undo.c.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "mb/pg_wchar.h"
#include "plan/plan.h"

static void add_steps(List **steps, const KnAction *action, const KnObject *object,
					  List *statements);
static void make_create(List **steps, const KnAction *action);
static void make_drop(List **steps, const KnAction *action);
static void make_alter(List **steps, const KnActions *actions, const KnAction *action);
static void keep_persistence(List **steps, const KnActions *actions, const KnAction *action);
static void make_aside(List **steps, const KnActions *actions, const KnAction *action);
static void make_finish(List **steps, const KnActions *actions, const KnAction *action);
static List *decorate(const KnObject *object);
static bool is_linked(const KnObject *object);
static KnColumn *retyped(const KnActions *actions, const KnAction *action);
static const char *aside_name(const KnObject *type);
static const char *group_of(const KnObject *object);
static KnStep *unmodelled(const char *object, const char *hazard);
static bool is_public(const KnObject *object);
static const char *other_text(const KnOther *other);

/* The steps of an action, not numbered yet. */
List *
step_make(const KnActions *actions, const KnAction *action)
{
	List *steps = NIL;

	switch (action->verb)
	{
		case KN_DO_CREATE:
			make_create(&steps, action);
			break;
		case KN_DO_DROP:
			make_drop(&steps, action);
			break;
		case KN_DO_ALTER:
			make_alter(&steps, actions, action);
			break;
		case KN_DO_ASIDE:
			make_aside(&steps, actions, action);
			break;
		default:
			make_finish(&steps, actions, action);
			break;
	}
	return steps;
}

/* One step a statement. */
static void
add_steps(List **steps, const KnAction *action, const KnObject *object, List *statements)
{
	ListCell *cell;

	foreach(cell, statements)
	{
		KnStatement *statement = lfirst(cell);
		KnStep *step = palloc0(sizeof(KnStep));

		step->kind = statement->kind;
		step->aspect = statement->aspect;
		step->object = name_of(object);
		step->group = group_of(object);
		step->sql = statement->sql;
		hazard_judge(step, action, object);
		*steps = lappend(*steps, step);
	}
}

static void
make_create(List **steps, const KnAction *action)
{
	KnObject *object = action->wanted;
	ListCell *cell;

	add_steps(steps, action, object, ddl_create(object, action->parts));
	add_steps(steps, action, object, decorate(object));
	foreach(cell, action->parts)
		add_steps(steps, action, lfirst(cell), decorate(lfirst(cell)));
}

/* Owner, comment and privileges of an object just created. */
static List *
decorate(const KnObject *object)
{
	List *statements = NIL;

	if (object->owner != NULL)
		statements = list_concat(statements, ddl_owner(object));
	if (object->comment != NULL)
		statements = list_concat(statements, ddl_comment(NULL, object));
	if (object->has_acl)
		statements = list_concat(statements, ddl_acl(NULL, object));
	return statements;
}

static void
make_drop(List **steps, const KnAction *action)
{
	KnObject *object = action->found;

	if (action->is_aside)
	{
		KnObject *aside = palloc(kn_kinds[object->kind].size);

		memcpy(aside, object, kn_kinds[object->kind].size);
		aside->name = aside_name(object);
		aside->key = NULL;
		add_steps(steps, action, object, ddl_drop(aside));
	}
	else
		add_steps(steps, action, object, ddl_drop(object));
}

static void
make_alter(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *found = action->found;
	KnObject *wanted = action->wanted;

	/* The type's name is the same and means another type by now. */
	if (action->change->is_retyped)
		add_steps(steps, action, wanted, ddl_alter(&retyped(actions, action)->head, wanted));
	else
		add_steps(steps, action, wanted, ddl_alter(found, wanted));
	if (found->kind == KN_TABLE)
		keep_persistence(steps, actions, action);
	if (wanted->owner != NULL && !sqltext_equal(found->owner, wanted->owner) && !is_linked(found))
		add_steps(steps, action, wanted, ddl_owner(wanted));
	if (!sqltext_equal(found->comment, wanted->comment))
		add_steps(steps, action, wanted, ddl_comment(found, wanted));
	if (found->has_acl != wanted->has_acl || !schema_list_equal(found->acl, wanted->acl))
		add_steps(steps, action, wanted, ddl_acl(found, wanted));
}

/* Whether it is a sequence that belongs to a column: its owner is that of the table. */
static bool
is_linked(const KnObject *object)
{
	return object->kind == KN_SEQUENCE && ((const KnSequence *) object)->owned_by != NULL;
}

/*
 * From PostgreSQL 15 on, a table's sequences become UNLOGGED or LOGGED along
 * with it, also those that are to be otherwise.
 */
static void
keep_persistence(List **steps, const KnActions *actions, const KnAction *action)
{
#if PG_VERSION_NUM >= 150000
	const char *persistence = ((KnTable *) action->wanted)->persistence;
	const char *table = psprintf("%s.", name_of(action->found));
	ListCell *cell;

	if (sqltext_equal(((KnTable *) action->found)->persistence, persistence))
		return;
	foreach(cell, actions->changes->found->objects)
	{
		KnSequence *found = lfirst(cell);
		KnSequence *wanted;
		KnSequence followed;

		if (found->head.kind != KN_SEQUENCE || found->owned_by == NULL ||
			strncmp(found->owned_by, table, strlen(table)) != 0)
			continue;
		wanted = (KnSequence *) diff_wanted_of(actions->changes, &found->head);
		if (wanted == NULL || sqltext_equal(wanted->persistence, persistence))
			continue;
		followed = *wanted;
		followed.persistence = persistence;
		add_steps(steps, action, &wanted->head, ddl_alter(&followed.head, &wanted->head));
	}
#endif
}

/* The column as found, its type under the name that the type has been given. */
static KnColumn *
retyped(const KnActions *actions, const KnAction *action)
{
	KnColumn *column = palloc(sizeof(KnColumn));
	ListCell *cell;

	memcpy(column, action->found, sizeof(KnColumn));
	foreach(cell, column->head.depends)
	{
		KnObject *type = lfirst(cell);
		const char *name = name_qualified(type->schema, type->name);
		Size length = strlen(name);

		if (action_of(actions, KN_DO_ASIDE, type) != NULL &&
			strncmp(column->type, name, length) == 0 &&
			(column->type[length] == '\0' || column->type[length] == '['))
			column->type = psprintf("%s%s",
									name_qualified(type->schema, aside_name(type)),
									column->type + length);
	}
	return column;
}

/* The name of a type while another takes its place. */
static const char *
aside_name(const KnObject *type)
{
	static const char suffix[] = "__before";
	int room = NAMEDATALEN - (int) sizeof(suffix);

	return psprintf("%.*s%s",
					pg_mbcliplen(type->name, (int) strlen(type->name), room),
					type->name,
					suffix);
}

static void
make_aside(List **steps, const KnActions *actions, const KnAction *action)
{
	add_steps(steps, action, action->found, check_labels(actions, action));
	add_steps(steps, action, action->found, ddl_rename(action->found, aside_name(action->found)));
}

static void
make_finish(List **steps, const KnActions *actions, const KnAction *action)
{
	bool is_new =
		action->change->operation == KN_CREATE || action->change->operation == KN_RECREATE;
	KnObject *from = is_new ? NULL : action->found;

	add_steps(steps, action, action->wanted, ddl_finish(from, action->wanted));
	if (is_new)
		add_steps(steps, action, action->wanted, check_numbers(actions, action));
	if (from != NULL && is_linked(from) && !is_linked(action->wanted) &&
		action->wanted->owner != NULL && !sqltext_equal(from->owner, action->wanted->owner))
		add_steps(steps, action, action->wanted, ddl_owner(action->wanted));
}

static const char *
group_of(const KnObject *object)
{
	if (object->parent != NULL)
		return name_of_parent(object);
	if (object->kind == KN_INDEX)
		return name_qualified(object->schema, ((const KnIndex *) object)->table);
	return name_of(object);
}

/* A step that does nothing, for each object that cannot be planned and may differ. */
List *
step_unmodelled(const KnChanges *changes)
{
	List *steps = NIL;
	ListCell *cell;
	const KnSchema *sides[2] = { changes->wanted, changes->found };

	foreach(cell, changes->wanted->objects)
	{
		KnObject *object = lfirst(cell);

		if (!changes->wanted->has_acls && object->has_acl && !is_public(object))
			steps = lappend(steps,
							unmodelled(psprintf("privileges on %s", object->key),
									   "the desired state states no privileges: left as they are"));
	}
	for (int i = 0; i < 2; i++)
	{
		foreach(cell, sides[i]->objects)
		{
			KnOther *other = lfirst(cell);

			if (other->head.kind != KN_OTHER ||
				(other->definition != NULL && diff_change_of(changes, &other->head) == NULL) ||
				(i == 1 && schema_find(changes->wanted, other->head.key) != NULL))
				continue;
			steps = lappend(
				steps,
				unmodelled(
					other_text(other),
					i == 1
						? "found, and of a kind that is not modelled: left as it is, and not compared"
						: "wanted, and of a kind that is not modelled: left as it is, and not compared"));
		}
	}
	return steps;
}

static KnStep *
unmodelled(const char *object, const char *hazard)
{
	KnStep *step = palloc0(sizeof(KnStep));

	step->kind = "unmodelled";
	step->object = object;
	step->group = object;
	step->severity = KN_WARNING;
	step->is_transactional = true;
	step->phase = "none";
	step->hazards = list_make1((char *) hazard);
	return step;
}

/* Whether this is the schema public, with the privileges that it has in a new database. */
static bool
is_public(const KnObject *object)
{
	return object->kind == KN_SCHEMA && strcmp(object->name, "public") == 0 &&
		   schema_list_equal(
			   object->acl,
			   list_make2("=U/pg_database_owner", "pg_database_owner=UC/pg_database_owner"));
}

/* What it is and its name; the keys of some say both. */
static const char *
other_text(const KnOther *other)
{
	const char *name = name_of(&other->head);

	if (strncmp(name, other->what, strlen(other->what)) == 0)
		return name;
	return psprintf("%s %s", other->what, name);
}
