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

static void make_create(List **steps, const KnActions *actions, const KnAction *action);
static void make_drop(List **steps, const KnActions *actions, const KnAction *action);
static bool is_referred_to(const KnActions *actions, const KnTable *partition);
static void make_alter(List **steps, const KnActions *actions, const KnAction *action);
static void alter_table(List **steps, const KnActions *actions, const KnAction *action);
static void keep_persistence(List **steps, const KnActions *actions, const KnAction *action);
static void make_aside(List **steps, const KnActions *actions, const KnAction *action);
static void make_finish(List **steps, const KnActions *actions, const KnAction *action);
static List *decorate(const KnObject *object);
static List *cascade(const KnActions *actions, const KnObject *type, const KnObject *wanted,
					 List *statements);
static bool narrows_attribute(const KnStatement *statement, const KnObject *found,
							  const KnObject *wanted);
static bool is_linked(const KnObject *object);
static KnColumn *retyped(const KnActions *actions, const KnAction *action);
static const char *aside_name(const KnObject *type);
static const char *group_of(const KnObject *object);

/* The steps of an action, not numbered yet. */
List *
step_make(const KnActions *actions, const KnAction *action)
{
	List *steps = NIL;

	switch (action->verb)
	{
		case KN_DO_CREATE:
			make_create(&steps, actions, action);
			break;
		case KN_DO_DROP:
			make_drop(&steps, actions, action);
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
void
step_add(List **steps, const KnAction *action, const KnObject *object, List *statements)
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
make_create(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *object = action->wanted;
	ListCell *cell;

	step_add(steps, action, object, ddl_create(object, action->parts));
	step_add(steps, action, object, inherit_undefault(actions, action));
	step_add(steps, action, object, decorate(object));
	foreach(cell, action->parts)
		step_add(steps, action, lfirst(cell), decorate(lfirst(cell)));
	if (action->change->found != NULL &&
		(object->kind == KN_INDEX || object->kind == KN_CONSTRAINT))
		again_say(steps, actions, action);
}

/* Owner, comment and privileges of an object just created, and what only its owner should do. */
static List *
decorate(const KnObject *object)
{
	List *statements = NIL;

	if (object->owner != NULL)
		statements = list_concat(statements, ddl_owner(object));
	if (object->comment != NULL)
		statements = list_concat(statements, ddl_comment(NULL, object));
	statements = list_concat(statements, ddl_acl(NULL, object));
	if (object->kind == KN_MATVIEW)
		statements =
			list_concat(statements, ddl_fill_materialized_view((const KnMatview *) object));
	return statements;
}

static void
make_drop(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *object = action->found;

	if (object->kind == KN_TABLE && is_referred_to(actions, (const KnTable *) object))
	{
		KnTable detached = *(const KnTable *) object;

		detached.partition_of = NULL;
		detached.partition_bound = NULL;
		step_add(steps, action, object, ddl_alter_table((const KnTable *) object, &detached));
	}
	if (action->is_aside)
	{
		KnObject *aside = palloc(kn_kinds[object->kind].size);

		memcpy(aside, object, kn_kinds[object->kind].size);
		aside->name = aside_name(object);
		aside->key = NULL;
		step_add(steps, action, object, ddl_drop(aside));
	}
	else
		step_add(steps, action, object, ddl_drop(object));
}

/*
 * Whether foreign keys refer to what the table is a partition of, at any depth: they
 * refer to the partition too, which can be detached then, but not be dropped.  Those
 * that are dropped by themselves have gone by then.
 */
static bool
is_referred_to(const KnActions *actions, const KnTable *partition)
{
	const KnSchema *schema = actions->changes->found;
	const char *whole = partition->partition_of;
	const KnTable *table;
	ListCell *cell;

	if (whole == NULL)
		return false;
	foreach(cell, schema->objects)
	{
		const KnConstraint *key = lfirst(cell);
		const KnAction *drop;

		if (key->head.kind != KN_CONSTRAINT || !sqltext_equal(key->references, whole))
			continue;
		drop = action_of(actions, KN_DO_DROP, &key->head);
		if (drop == NULL || drop->found != &key->head)
			return true;
	}
	table = (const KnTable *) schema_find_qualified(schema, KN_TABLE, whole);
	return table != NULL && is_referred_to(actions, table);
}

static void
make_alter(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *found = action->found;
	KnObject *wanted = action->wanted;

	/* The type's name is the same and means another type by now. */
	if (action->change->is_retyped)
		step_add(steps, action, wanted, ddl_alter(&retyped(actions, action)->head, wanted));
	else if (found->kind == KN_TABLE)
		alter_table(steps, actions, action);
	else
	{
		bool is_typed;

		if (found->kind == KN_COLUMN)
			found = &inherit_followed(actions, action->change, &is_typed)->head;
		step_add(steps, action, wanted, cascade(actions, found, wanted, ddl_alter(found, wanted)));
	}
	if (found->kind == KN_FUNCTION)
		hazard_judge_kept(*steps, actions, found);
	if (wanted->owner != NULL && !sqltext_equal(found->owner, wanted->owner) && !is_linked(found))
		step_add(steps, action, wanted, ddl_owner(wanted));
	if (!sqltext_equal(found->comment, wanted->comment))
		step_add(steps, action, wanted, ddl_comment(found, wanted));
	grant_alter(steps, actions, action);
}

/* Which parents are joined and left when: see parents.c. */
static void
alter_table(List **steps, const KnActions *actions, const KnAction *action)
{
	KnObject *found = action->found;
	KnObject *wanted = action->wanted;
	KnObject *joined = parents_join_first(actions->changes, found);

	if (joined != found)
		step_add(steps, action, wanted, ddl_finish(found, joined));
	step_add(steps, action, wanted, ddl_alter(joined, wanted));
	keep_persistence(steps, actions, action);
}

/* The attributes of a type are the columns of its typed tables: these have to be mentioned. */
static List *
cascade(const KnActions *actions, const KnObject *type, const KnObject *wanted, List *statements)
{
	bool is_typed = false;
	ListCell *cell;

	if (type->kind != KN_COMPOSITE)
		return statements;
	foreach(cell, diff_dependents(actions->changes, type))
	{
		const KnTable *table = lfirst(cell);

		is_typed |= table->head.kind == KN_TABLE && sqltext_equal(table->of_type, name_of(type));
	}
	foreach(cell, is_typed ? statements : NIL)
	{
		KnStatement *statement = lfirst(cell);

		if (strstr(statement->kind, "_attribute") == NULL)
			continue;
		if (narrows_attribute(statement, type, wanted))
			statement->kind = "narrow_type";
		statement->sql = psprintf("%s CASCADE", statement->sql);
	}
	return statements;
}

/* Whether a statement gives an attribute a type that may not hold its values. */
static bool
narrows_attribute(const KnStatement *statement, const KnObject *found, const KnObject *wanted)
{
	const KnComposite *from = (const KnComposite *) found;
	const KnComposite *to = (const KnComposite *) wanted;

	for (int i = 0; i < list_length(to->attributes); i++)
	{
		const char *name = list_nth(to->attributes, i);
		const char *begin = psprintf("ALTER TYPE %s ALTER ATTRIBUTE %s TYPE ",
									 name_of(wanted),
									 sqltext_identifier(name));
		int before = ddl_position(from->attributes, name);

		if (before >= 0 && strncmp(statement->sql, begin, strlen(begin)) == 0)
			return conversion_narrows(list_nth(from->types, before), list_nth(to->types, i));
	}
	return false;
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
		step_add(steps, action, &wanted->head, ddl_alter(&followed.head, &wanted->head));
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
	step_add(steps, action, action->found, check_labels(actions, action));
	step_add(steps, action, action->found, ddl_rename(action->found, aside_name(action->found)));
}

static void
make_finish(List **steps, const KnActions *actions, const KnAction *action)
{
	bool is_new =
		action->change->operation == KN_CREATE || action->change->operation == KN_RECREATE;
	KnObject *from = is_new ? NULL : parents_join_first(actions->changes, action->found);

	step_add(steps, action, action->wanted, ddl_finish(from, action->wanted));
	if (is_new)
		step_add(steps, action, action->wanted, check_numbers(actions, action));
	if (from != NULL && is_linked(from) && !is_linked(action->wanted) &&
		action->wanted->owner != NULL && !sqltext_equal(from->owner, action->wanted->owner))
		step_add(steps, action, action->wanted, ddl_owner(action->wanted));
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
