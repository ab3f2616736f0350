/*
 * undo.c
 *		How the steps of a plan are undone.
 *
 * No statement takes back some others by itself: a column cannot leave a view
 * while others read it, nor a label an enum that columns have.  The undo of a
 * plan is therefore a plan of its own, from what is wanted back to what was
 * found, and only cut up: each action back goes to the step that it takes back.
 *
 * The undo texts are run from the last step to the first.  So that they come in
 * an order that the plan back could have, an action back that has to wait for
 * others goes no later than these: its place is the lowest of its own and theirs.
 * What has none of its own, because it only makes way for something else or is
 * made again after it, goes along with that.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static int number_actions(const KnActions *actions);
static void give_up(const KnActions *actions);
static void warn_of_declared(const KnActions *back, const KnActions *actions);
static void find_places(const KnActions *back, const KnActions *actions, int last);
static int own_place(const KnAction *action, const KnActions *actions);
static bool moves(const KnChange *change);
static int place_of(const KnActions *actions, KnVerb verb, const List *objects);
static void hand_out(const KnActions *back, const KnActions *actions);
static void spread(const KnAction *action);
static int step_undone(const KnAction *action, const KnStep *back);
static bool is_apart(const KnStep *back);

/*
 * Gives the steps of ordered actions their undo.  Where the way back goes in a
 * circle they are left without, and say so.
 */
void
undo_plan(KnActions *actions)
{
	int last = number_actions(actions);
	KnActions *back;

	if (last == 0)
		return;
	back = order_changes(diff_schemas(actions->changes->wanted, actions->changes->found), actions);
	if (back->loop != NIL)
	{
		give_up(actions);
		return;
	}
	warn_of_declared(back, actions);
	find_places(back, actions, last);
	if (!order_sort(back))
		elog(ERROR, "actions that had an order have none any more");
	hand_out(back, actions);
}

/* Numbers those that have steps from 1 on; returns how many they are. */
static int
number_actions(const KnActions *actions)
{
	int number = 0;
	ListCell *cell;

	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		action->place = action->steps == NIL ? 0 : ++number;
	}
	return number;
}

static void
give_up(const KnActions *actions)
{
	static const char hazard[] = "cannot be undone: the changes back wait for each other";
	ListCell *cell;
	ListCell *step;

	foreach(cell, actions->list)
	{
		foreach(step, ((KnAction *) lfirst(cell))->steps)
			((KnStep *) lfirst(step))->hazards =
				lappend(((KnStep *) lfirst(step))->hazards, (char *) hazard);
	}
}

/* Columns from a parent that is left are the table's own from then on, even if it joins again. */
static void
warn_of_declared(const KnActions *back, const KnActions *actions)
{
	static const char hazard[] = "cannot be undone wholly: the table keeps the columns as its own";
	ListCell *cell;
	ListCell *next;

	foreach(cell, back->changes->list)
	{
		const KnChange *change = lfirst(cell);
		const KnAction *left;
		const KnObject *column = change->wanted;

		if (!unmodelled_is_declared(back->changes, change))
			continue;
		left = action_of(actions,
						 KN_DO_ALTER,
						 schema_find_kind(back->changes->wanted,
										  KN_TABLE,
										  column->schema,
										  NULL,
										  column->parent));
		foreach(next, left == NULL ? NIL : left->steps)
		{
			KnStep *step = lfirst(next);

			if (strcmp(step->kind, "no_inherit") == 0 && !sqltext_member(step->hazards, hazard))
				step->hazards = lappend(step->hazards, (char *) hazard);
		}
	}
}

/* Gives each action back the number of the one that it goes along with. */
static void
find_places(const KnActions *back, const KnActions *actions, int last)
{
	ListCell *cell;
	ListCell *next;

	for (int i = list_length(back->list) - 1; i >= 0; i--)
	{
		KnAction *action = list_nth(back->list, i);

		action->place = own_place(action, actions);
		/* What makes way does so for the first that waits for it. */
		if (action->place == 0 && action->wanted == NULL)
		{
			foreach(next, action->next)
				action->place = Max(action->place, ((KnAction *) lfirst(next))->place);
		}
	}
	foreach(cell, back->list)
	{
		KnAction *action = lfirst(cell);

		if (action->place == 0)
			action->place = last;
		foreach(next, action->next)
		{
			KnAction *waiting = lfirst(next);

			if (waiting->place == 0 || waiting->place > action->place)
				waiting->place = action->place;
		}
	}
}

/*
 * The number of the action that one back takes back, if only a part of it; 0 if
 * there is none.  Parents are left at first and joined at last, either way.
 */
static int
own_place(const KnAction *action, const KnActions *actions)
{
	List *sides = list_make2(action->change->found, action->change->wanted);
	KnVerb verb = action->verb;
	int place;

	if (moves(action->change))
	{
		if (verb == KN_DO_ALTER)
			verb = KN_DO_FINISH;
		else if (verb == KN_DO_FINISH)
			verb = KN_DO_ALTER;
	}
	place = place_of(actions, verb, sides);
	return place > 0 ? place : place_of(actions, verb, action->parts);
}

/* Whether a table leaves or joins parents. */
static bool
moves(const KnChange *change)
{
	const KnTable *found = (const KnTable *) change->found;
	const KnTable *wanted = (const KnTable *) change->wanted;

	return found != NULL && wanted != NULL && found->head.kind == KN_TABLE &&
		   (!sqltext_equal(found->partition_of, wanted->partition_of) ||
			!sqltext_equal(found->partition_bound, wanted->partition_bound) ||
			!schema_list_equal(found->inherits, wanted->inherits));
}

/* The number of the action on any of the objects that is most like the verb's opposite, or 0. */
static int
place_of(const KnActions *actions, KnVerb verb, const List *objects)
{
	static const KnVerb opposites[KN_VERB_COUNT][KN_VERB_COUNT] = {
		[KN_DO_ASIDE] = { KN_DO_DROP, KN_DO_CREATE, KN_DO_ALTER, KN_DO_FINISH, KN_DO_ASIDE },
		[KN_DO_DROP] = { KN_DO_CREATE, KN_DO_ALTER, KN_DO_FINISH, KN_DO_ASIDE, KN_DO_DROP },
		[KN_DO_ALTER] = { KN_DO_ALTER, KN_DO_FINISH, KN_DO_CREATE, KN_DO_DROP, KN_DO_ASIDE },
		[KN_DO_CREATE] = { KN_DO_DROP, KN_DO_ALTER, KN_DO_FINISH, KN_DO_CREATE, KN_DO_ASIDE },
		[KN_DO_FINISH] = { KN_DO_FINISH, KN_DO_ALTER, KN_DO_DROP, KN_DO_CREATE, KN_DO_ASIDE },
	};
	ListCell *cell;

	for (int i = 0; i < KN_VERB_COUNT; i++)
	{
		foreach(cell, objects)
		{
			KnAction *undone = action_of(actions, opposites[verb][i], lfirst(cell));

			if (undone != NULL && undone->place > 0)
				return undone->place;
		}
	}
	return 0;
}

/* Gives each action the steps back that are in its place, and its steps their share of these. */
static void
hand_out(const KnActions *back, const KnActions *actions)
{
	KnAction **places = palloc0(sizeof(KnAction *) * (list_length(actions->list) + 1));
	ListCell *cell;

	foreach(cell, actions->list)
		places[((KnAction *) lfirst(cell))->place] = lfirst(cell);
	foreach(cell, back->list)
	{
		KnAction *action = lfirst(cell);
		KnAction *undone = places[action->place];

		undone->undo = list_concat(undone->undo, step_make(back, action));
	}
	foreach(cell, actions->list)
		spread(lfirst(cell));
}

/*
 * Gives each step back to the step that it takes back.  The later the step, the
 * earlier its undo runs: a step back that has to run before others goes to none
 * that is before theirs.
 */
static void
spread(const KnAction *action)
{
	List **texts = palloc0(sizeof(List *) * Max(list_length(action->steps), 1));
	int latest = 0;

	for (int i = list_length(action->undo) - 1; i >= 0; i--)
	{
		const KnStep *back = list_nth(action->undo, i);
		int at = step_undone(action, back);

		if (at == 0 || !is_apart(back))
			latest = at = Max(at, latest);
		texts[at] = lcons((char *) back->sql, texts[at]);
	}
	for (int i = 0; i < list_length(action->steps); i++)
	{
		if (texts[i] != NIL)
			((KnStep *) list_nth(action->steps, i))->undo = sqltext_join(texts[i], ";\n");
	}
}

/* Which step of an action says the same field of the same object; its first where none does. */
static int
step_undone(const KnAction *action, const KnStep *back)
{
	ListCell *cell;

	if (back->aspect == NULL ||
		(strcmp(back->phase, "alter") != 0 && strcmp(back->phase, "finish") != 0))
		return 0;
	foreach(cell, action->steps)
	{
		const KnStep *step = lfirst(cell);

		if (sqltext_equal(step->aspect, back->aspect) && strcmp(step->object, back->object) == 0)
			return foreach_current_index(cell);
	}
	return 0;
}

/* Whether the step back of an object that stays can as well run before or after others of it. */
static bool
is_apart(const KnStep *back)
{
	static const char *const aspects[] = { "comment",   "default_value", "force_row_security",
										   "options",   "row_security",  "statistics",
										   "tablespace" };

	return sqltext_is_any(back->aspect, aspects, lengthof(aspects));
}
