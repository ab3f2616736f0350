/*
 * make.c
 *		From what is wanted to a plan.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "desired/desired.h"
#include "inspect/inspect.h"
#include "plan/plan.h"

/* How often the live schemas are read, where they change all the time. */
#define READ_TRIES 10

static KnActions *act_between(const KnSchema *found, const KnSchema *wanted);
static List *all_steps(const KnActions *actions);
static bool is_ignored(const KnObject *object, const List *patterns);
static bool matches(const char *text, const char *pattern);
static void number_steps(List *steps);
static void read_found(KnPlan *plan);
static void check_extensions(const KnSchema *found, const KnSchema *wanted);
static List *name_unstated(const KnPlan *plan, const KnDesired *desired, const KnOptions *options);
static List *name_outside(const KnPlan *plan, const KnOptions *options);
static void throw_changed(void) pg_attribute_noreturn();
static const char *print_creation(const KnSchema *schema);

/* The steps between two schemas, in order and numbered, without their undo; pure. */
List *
plan_between(const KnSchema *found, const KnSchema *wanted)
{
	return all_steps(act_between(found, wanted));
}

/* The same with their undo, which is the work of a second plan. */
List *
plan_with_undo(const KnSchema *found, const KnSchema *wanted)
{
	KnActions *actions = act_between(found, wanted);
	List *steps = all_steps(actions);

	undo_plan(actions);
	return steps;
}

/* The actions that lead from one schema to another, in order, with their steps. */
static KnActions *
act_between(const KnSchema *found, const KnSchema *wanted)
{
	KnActions *actions = order_changes(diff_schemas(found, wanted), NULL);
	ListCell *cell;

	if (actions->loop != NIL)
		order_refuse(actions);
	foreach(cell, actions->list)
		((KnAction *) lfirst(cell))->steps = step_make(actions, lfirst(cell));
	return actions;
}

static List *
all_steps(const KnActions *actions)
{
	List *steps = unmodelled_steps(actions->changes);
	List *done = NIL;
	ListCell *cell;

	foreach(cell, actions->list)
		done = list_concat(done, ((KnAction *) lfirst(cell))->steps);
	steps = list_concat(steps, done == NIL ? unmodelled_rest(actions->changes) : done);
	number_steps(steps);
	return steps;
}

static void
number_steps(List *steps)
{
	ListCell *cell;

	foreach(cell, steps)
		((KnStep *) lfirst(cell))->number = foreach_current_index(cell) + 1;
}

/*
 * The plan that takes the live schemas to a desired state, given as SQL or as
 * jsonb (the other one NULL).
 */
KnPlan *
plan_make(KnOptions *options, const char *sql, Jsonb *json)
{
	KnPlan *plan = palloc0(sizeof(KnPlan));
	KnDesired *desired;
	List *renames;

	desired_print_creation = print_creation;
	desired = sql != NULL ? desired_from_sql(sql, options->schemas, options->all_schemas)
						  : desired_from_json(json, options->schemas, options->all_schemas);
	options->rename_count = list_length(options->rename_from);
	options->rename_from = list_concat(options->rename_from, desired->rename_from);
	options->rename_to = list_concat(options->rename_to, desired->rename_to);
	plan->schemas = desired->schemas;
	plan->wanted = desired->schema;
	read_found(plan);
	if (desired->leaves_extensions)
		check_extensions(plan->found, plan->wanted);
	if (options->expect != NULL && strcmp(options->expect, plan->fingerprint) != 0)
		ereport(ERROR,
				errcode(KN_ERRCODE_PLAN_STALE),
				errmsg("the schema is not the one that was expected"),
				errdetail("Its fingerprint is %s, not %s.", plan->fingerprint, options->expect),
				errhint("Make a new plan, and review it."));
	renames = plan_renames(plan->found, options);
	if (renames != NIL)
		plan->found = rename_found(plan->found, plan->schemas, renames);
	plan_leave_out(plan->found, options->ignore);
	plan_leave_out(plan->wanted, options->ignore);
	plan->steps = list_concat(name_unstated(plan, desired, options), name_outside(plan, options));
	plan->steps = list_concat(plan->steps, renames);
	plan->steps = list_concat(plan->steps, plan_with_undo(plan->found, plan->wanted));
	number_steps(plan->steps);
	return plan;
}

/*
 * Reads the live schemas.  The server spells some definitions as they are now
 * and not as they were in the snapshot, so where the catalogs changed in the
 * meantime, what was read has to be read twice alike.
 */
static void
read_found(KnPlan *plan)
{
	KnDigest before = inspect_digest();

	plan->found = inspect_schemas(plan->schemas);
	plan->fingerprint = snapshot_fingerprint(plan->found);
	for (int i = 0; i < READ_TRIES; i++)
	{
		KnDigest after = inspect_digest();
		const char *fingerprint = plan->fingerprint;

		if (inspect_digest_equal(&before, &after))
			return;
		before = after;
		plan->found = inspect_schemas(plan->schemas);
		plan->fingerprint = snapshot_fingerprint(plan->found);
		if (strcmp(fingerprint, plan->fingerprint) == 0)
			return;
	}
	throw_changed();
}

/*
 * A script that says nothing of extensions means those that there were when it
 * was elaborated.  One that came or went since must not be taken for a change
 * that it asks for.
 */
static void
check_extensions(const KnSchema *found, const KnSchema *wanted)
{
	ListCell *cell;

	foreach(cell, found->objects)
	{
		const KnObject *object = lfirst(cell);
		const char *schema;

		if (object->kind != KN_EXTENSION)
			continue;
		schema = ((const KnExtension *) object)->schema;
		if (schema_find(wanted, object->key) == NULL &&
			schema_find_kind(wanted, KN_SCHEMA, NULL, NULL, schema) != NULL)
			throw_changed();
	}
	foreach(cell, wanted->objects)
	{
		const KnObject *object = lfirst(cell);

		if (object->kind == KN_EXTENSION && schema_find(found, object->key) == NULL)
			throw_changed();
	}
}

static void
throw_changed(void)
{
	ereport(ERROR,
			errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			errmsg("the schema changed while the plan was being made"),
			errhint("Try again."));
}

/*
 * What the desired state leaves open.  The owners only where it is meant as the
 * whole of a database: who writes down one schema need not say whose it is.
 */
static List *
name_unstated(const KnPlan *plan, const KnDesired *desired, const KnOptions *options)
{
	List *steps = options->all_schemas ? unmodelled_owners(plan->found, plan->wanted) : NIL;
	ListCell *cell;

	foreach(cell, desired->unstated)
	{
		KnObject *extension = schema_new_object(KN_EXTENSION, NULL, NULL, lfirst(cell));

		extension->key = name_key(KN_EXTENSION, NULL, NULL, extension->name, NULL);
		if (!is_ignored(extension, options->ignore))
			steps = lappend(steps, unmodelled_extension(extension));
	}
	return steps;
}

/* What is found outside of all schemas, and not to be left alone. */
static List *
name_outside(const KnPlan *plan, const KnOptions *options)
{
	List *steps = NIL;
	ListCell *cell;

	foreach(cell, inspect_outside(plan->schemas, options->all_schemas))
	{
		const KnObject *object = lfirst(cell);

		if (!is_ignored(object, options->ignore))
			steps = lappend(steps, unmodelled_found((const KnOther *) object));
	}
	return steps;
}

/* Takes out of a schema what the caller wants left alone. */
void
plan_leave_out(KnSchema *schema, const List *patterns)
{
	List *kept = NIL;
	ListCell *cell;

	if (patterns == NIL)
		return;
	foreach(cell, schema->objects)
	{
		KnObject *object = lfirst(cell);

		if (is_ignored(object, patterns))
			schema_forget(schema, object);
		else
			kept = lappend(kept, object);
	}
	schema->objects = kept;
}

/* An object is ignored by its own name, or by that of the relation it is part of. */
static bool
is_ignored(const KnObject *object, const List *patterns)
{
	const char *name = name_of(object);
	const char *relation = NULL;
	const ListCell *cell;

	/* The name of one that is not modelled is qualified, if its kind has schemas. */
	if (object->kind == KN_OTHER)
		name = object->name;
	if (object->parent != NULL)
		relation = name_of_parent(object);
	else if (object->kind == KN_INDEX)
		relation = name_qualified(object->schema, ((const KnIndex *) object)->table);
	foreach(cell, patterns)
	{
		if (matches(name, lfirst(cell)) || (relation != NULL && matches(relation, lfirst(cell))))
			return true;
	}
	return false;
}

/*
 * Shell-like: * stands for anything, ? for one character.  Only the last * ever
 * has to stand for more, so it takes no longer than length times length.
 */
static bool
matches(const char *text, const char *pattern)
{
	const char *after_star = NULL;
	const char *from = NULL; /* what the last * does not stand for */

	while (*text != '\0')
	{
		if (*pattern == '*')
		{
			after_star = ++pattern;
			from = text;
		}
		else if (*pattern != '\0' && (*pattern == '?' || *pattern == *text))
		{
			pattern++;
			text++;
		}
		else if (after_star != NULL)
		{
			pattern = after_star;
			text = ++from;
		}
		else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static const char *
print_creation(const KnSchema *schema)
{
	return format_sql(plan_between(schema_new(schema->schemas), schema));
}
