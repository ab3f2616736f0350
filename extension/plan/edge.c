/*
 * edge.c
 *		Which action has to wait for which.
 *
 * From the dependencies of both states, X needing Y:
 *	 as found	X is dropped before Y is dropped, altered or put aside;
 *				X is altered before Y is dropped
 *	 as wanted	X is created, or altered, after Y is created or altered
 * Names are another matter, and so are foreign keys to indexes: see names.c, key.c.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static void connect_drop(KnActions *actions, KnAction *action, const KnObject *object);
static bool names_no_other(const KnObject *object);
static bool is_in_the_way(const KnObject *object, const KnAction *alter);
static bool goes_when_alone(const KnObject *object);
static void connect_alone(KnActions *actions, KnAction *action, const KnObject *object);
static void connect_create(KnActions *actions, KnAction *action, const KnObject *object);
static void connect_parents(KnActions *actions, KnAction *action);
static void connect_only(KnActions *actions, KnAction *action);
static void connect_alter(KnActions *actions, KnAction *action);
static void connect_finish(KnActions *actions, KnAction *action);
static void connect_sequence(KnActions *actions, KnAction *action);
static void connect_joined(KnActions *actions, KnAction *waiting, const KnObject *before,
						   const KnObject *after);
static bool must_be_gone(const KnObject *object, const KnObject *part);
static void connect_index(KnAction *finish, KnAction *create);
static void connect_same(KnActions *actions, KnAction *action);
static void connect_persistence(KnActions *actions);
static void connect_foreign_key(KnActions *actions, const KnSchema *side, const KnConstraint *key);
static bool changes_persistence(const KnAction *action);

/* Adds all edges. */
void
edge_connect(KnActions *actions)
{
	ListCell *cell;
	ListCell *part;

	foreach(cell, actions->list)
	{
		KnAction *action = lfirst(cell);

		switch (action->verb)
		{
			case KN_DO_DROP:
				connect_drop(actions, action, action->found);
				if (goes_when_alone(action->found))
					connect_alone(actions, action, action->found);
				foreach(part, action->parts)
					connect_drop(actions, action, lfirst(part));
				break;
			case KN_DO_CREATE:
				connect_create(actions, action, action->wanted);
				foreach(part, action->parts)
					connect_create(actions, action, lfirst(part));
				connect_parents(actions, action);
				connect_only(actions, action);
				connect_same(actions, action);
				break;
			case KN_DO_ALTER:
				connect_alter(actions, action);
				connect_parents(actions, action);
				break;
			case KN_DO_FINISH:
				connect_finish(actions, action);
				break;
			default:
				break;
		}
	}
	names_connect(actions);
	key_connect(actions);
	connect_persistence(actions);
}

/* Makes an action wait for another, if both are there. */
void
edge_wait(KnAction *waiting, KnAction *first)
{
	if (first == NULL || waiting == NULL || first == waiting)
		return;
	first->next = lappend(first->next, waiting);
}

static void
connect_drop(KnActions *actions, KnAction *action, const KnObject *object)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		KnObject *needed = lfirst(cell);

		edge_wait(action_of(actions, KN_DO_DROP, needed), action);
		/* What was put aside goes along with what it needs. */
		if (!action->is_aside)
		{
			if (!names_no_other(object))
				edge_wait(action_of(actions, KN_DO_ASIDE, needed), action);
			/* What uses a sequence does not mind its being altered. */
			if (needed->kind != KN_SEQUENCE &&
				is_in_the_way(object, action_of(actions, KN_DO_ALTER, needed)))
				edge_wait(action_of(actions, KN_DO_ALTER, needed), action);
		}
	}
}

/* Whether it is a type, which is dropped by its own name whatever those inside it are called by
 * then. */
static bool
names_no_other(const KnObject *object)
{
	return object->kind == KN_COMPOSITE || object->kind == KN_DOMAIN || object->kind == KN_RANGE;
}

/* Whether the object has to be dropped before what it needs can be altered. */
static bool
is_in_the_way(const KnObject *object, const KnAction *alter)
{
	if (alter == NULL || alter->found->kind == KN_SEQUENCE || !diff_is_seen(alter->change))
		return false;
	return alter->found->kind != KN_TABLE ||
		   (!goes_when_alone(object) && object->kind != KN_DEFAULT);
}

/* Whether its table has to leave its parents before the object can be dropped. */
static bool
goes_when_alone(const KnObject *object)
{
	return object->kind == KN_COLUMN ||
		   (object->kind == KN_CONSTRAINT && ((const KnConstraint *) object)->is_inherited) ||
		   (object->kind == KN_INDEX && ((const KnIndex *) object)->attached_to != NULL);
}

/* It goes after its table has left its parents, before theirs goes, and before it joins others. */
static void
connect_alone(KnActions *actions, KnAction *action, const KnObject *object)
{
	KnObject *table = schema_relation_of(actions->changes->found, object);
	KnObject *wanted = table == NULL ? NULL : diff_wanted_of(actions->changes, table);
	KnAction *alter = wanted == NULL ? NULL : action_of(actions, KN_DO_ALTER, table);
	KnObject *above;

	if (wanted == NULL || table->kind != KN_TABLE)
		return;
	if (alter != NULL && diff_is_seen(alter->change))
		edge_wait(action, alter);
	edge_wait(action_of(actions, KN_DO_FINISH, wanted), action);
	if (((KnTable *) table)->partition_of == NULL)
		return;
	above = schema_find_qualified(actions->changes->found,
								  object->kind,
								  sqltext_concat(((KnTable *) table)->partition_of,
												 ".",
												 sqltext_identifier(object->name),
												 NULL));
	if (above != NULL)
		edge_wait(action_of(actions, KN_DO_DROP, above), action);
}

static void
connect_create(KnActions *actions, KnAction *action, const KnObject *object)
{
	ListCell *cell;

	foreach(cell, object->depends)
	{
		KnObject *needed = lfirst(cell);
		KnAction *alter = action_of(actions, KN_DO_ALTER, needed);

		edge_wait(action, action_of(actions, KN_DO_CREATE, needed));
		if (alter != NULL && diff_is_seen(alter->change))
			edge_wait(action, alter);
		/* The trigger comes along when the partition is attached. */
		if (object->kind == KN_TRIGGER && ((const KnTrigger *) object)->inherited != NULL)
			edge_wait(action, action_of(actions, KN_DO_FINISH, needed));
	}
}

/* What a table, a column or its default gets from above has to be there, and be as it is wanted. */
static void
connect_parents(KnActions *actions, KnAction *action)
{
	List *objects = lcons(action->wanted, list_copy(action->parts));
	ListCell *cell;
	ListCell *first;

	if (action->wanted->kind == KN_DEFAULT)
		objects = action->wanted->depends;
	else if (action->wanted->kind != KN_COLUMN &&
			 (action->wanted->kind != KN_TABLE || action->verb != KN_DO_CREATE ||
			  ((const KnTable *) action->wanted)->inherits == NIL))
		return;
	foreach(cell, objects)
	{
		foreach(first, inherit_first(actions, lfirst(cell)))
			edge_wait(action, lfirst(first));
	}
}

/*
 * Attaching a partition gives it all indexes of the partitioned table: one that
 * is to be ONLY on that is made when the partitions are there.
 */
static void
connect_only(KnActions *actions, KnAction *action)
{
	const KnIndex *index = (const KnIndex *) action->wanted;
	const char *table;
	ListCell *cell;
	ListCell *other;

	if (index->head.kind != KN_INDEX || !index->is_invalid)
		return;
	table = name_qualified(index->head.schema, index->table);
	foreach(cell, actions->list)
	{
		KnAction *finish = lfirst(cell);
		bool is_attached = false;

		if (finish->verb != KN_DO_FINISH || finish->wanted->kind != KN_TABLE ||
			!sqltext_equal(((const KnTable *) finish->wanted)->partition_of, table))
			continue;
		foreach(other, actions->changes->wanted->objects)
		{
			const KnIndex *below = lfirst(other);

			is_attached |= below->head.kind == KN_INDEX &&
						   sqltext_equal(below->attached_to, name_of(action->wanted)) &&
						   sqltext_equal(below->head.schema, finish->wanted->schema) &&
						   sqltext_equal(below->table, finish->wanted->name);
		}
		if (!is_attached)
			edge_wait(action, finish);
	}
}

static void
connect_alter(KnActions *actions, KnAction *action)
{
	ListCell *cell;

	foreach(cell, action->found->depends)
	{
		edge_wait(action_of(actions, KN_DO_DROP, lfirst(cell)), action);
		/* What the type gets, a table that is no longer of it does not get. */
		if (action->found->kind == KN_TABLE && ((const KnTable *) action->found)->of_type != NULL &&
			((const KnTable *) action->wanted)->of_type == NULL)
			edge_wait(action_of(actions, KN_DO_ALTER, lfirst(cell)), action);
	}
	connect_create(actions, action, action->wanted);
	if (action->found->kind == KN_TABLE)
		connect_joined(actions,
					   action,
					   action->found,
					   parents_join_first(actions->changes, action->found));
}

/* What is said last waits for the object and for all that it could mention. */
static void
connect_finish(KnActions *actions, KnAction *action)
{
	const KnSchema *wanted = actions->changes->wanted;
	KnObject *object = action->wanted;
	ListCell *cell;

	edge_wait(action, action_of(actions, KN_DO_CREATE, object));
	edge_wait(action, action_of(actions, KN_DO_ALTER, object));
	connect_create(actions, action, object);
	if (object->kind == KN_INDEX)
	{
		KnObject *table = schema_find_kind(wanted,
										   KN_TABLE,
										   object->schema,
										   NULL,
										   ((const KnIndex *) object)->table);
		KnObject *parent =
			schema_find_qualified(wanted, KN_INDEX, ((const KnIndex *) object)->attached_to);

		if (table != NULL)
			edge_wait(action, action_of(actions, KN_DO_FINISH, table));
		if (parent != NULL)
			edge_wait(action, action_of(actions, KN_DO_CREATE, parent));
		return;
	}
	if (object->kind == KN_SEQUENCE)
	{
		connect_sequence(actions, action);
		return;
	}
	if (object->kind == KN_TABLE && action->found != NULL)
		connect_joined(actions,
					   action,
					   parents_join_first(actions->changes, action->found),
					   object);
	foreach(cell, actions->changes->list)
	{
		const KnChange *other = lfirst(cell);

		if (other->found != NULL && must_be_gone(object, other->found))
			edge_wait(action, action_of(actions, KN_DO_DROP, other->found));
	}
	foreach(cell, actions->list)
	{
		KnAction *other = lfirst(cell);
		const KnObject *made = other->wanted;

		if (made == NULL || !sqltext_equal(made->schema, object->schema) ||
			(other->verb != KN_DO_CREATE && made->kind != KN_COLUMN))
			continue;
		if ((made->kind == KN_CONSTRAINT || made->kind == KN_COLUMN) &&
			sqltext_equal(made->parent, object->name))
			edge_wait(action, other);
		else if (made->kind == KN_INDEX &&
				 sqltext_equal(((const KnIndex *) made)->table, object->name))
			connect_index(action, other);
	}
}

/* A sequence is owned by a column once that is there. */
static void
connect_sequence(KnActions *actions, KnAction *action)
{
	const KnSchema *wanted = actions->changes->wanted;
	const KnSchema *found = actions->changes->found;
	KnObject *object = action->wanted;
	KnObject *column = schema_find_qualified(wanted, KN_COLUMN, ((KnSequence *) object)->owned_by);

	if (column != NULL)
	{
		KnObject *table = schema_find_kind(wanted, KN_TABLE, column->schema, NULL, column->parent);

		edge_wait(action, action_of(actions, KN_DO_CREATE, column));
		/* A table takes along the sequences that it owns by then. */
		if (table != NULL && changes_persistence(action_of(actions, KN_DO_ALTER, table)))
			edge_wait(action, action_of(actions, KN_DO_ALTER, table));
	}
	column =
		action->found == NULL
			? NULL
			: schema_find_qualified(found, KN_COLUMN, ((KnSequence *) action->found)->owned_by);
	/* It is let go at first, and owned anew at last. */
	if (column != NULL)
		edge_wait(action_of(actions, KN_DO_DROP, column),
				  ((KnSequence *) object)->owned_by == NULL
					  ? action
					  : action_of(actions, KN_DO_ALTER, object));
}

/* INHERIT wants the child to have all columns that the new parent has by then. */
static void
connect_joined(KnActions *actions, KnAction *waiting, const KnObject *before, const KnObject *after)
{
	const List *old = ((const KnTable *) before)->inherits;
	const List *new = ((const KnTable *) after)->inherits;
	ListCell *cell;

	foreach(cell, schema_list_equal(old, new) ? NIL : actions->list)
	{
		KnAction *other = lfirst(cell);
		const KnObject *object = other->found != NULL ? other->found : other->wanted;

		if (object->kind == KN_COLUMN && sqltext_member(new, name_of_parent(object)) &&
			!sqltext_member(old, name_of_parent(object)))
			edge_wait(waiting, other);
	}
}

/* Whether something is part of a table that another joins, which may not have the like. */
static bool
must_be_gone(const KnObject *object, const KnObject *part)
{
	const KnTable *table = (const KnTable *) object;
	const char *parent;

	if (object->kind != KN_TABLE || (table->partition_of == NULL && table->inherits == NIL) ||
		(part->kind != KN_COLUMN && part->kind != KN_CONSTRAINT))
		return false;
	parent = name_of_parent(part);
	return sqltext_equal(table->partition_of, parent) || sqltext_member(table->inherits, parent);
}

/* ATTACH PARTITION takes any index that fits: what is to stay alone comes later. */
static void
connect_index(KnAction *finish, KnAction *create)
{
	const KnIndex *index = (const KnIndex *) create->wanted;
	const KnTable *table = (const KnTable *) finish->wanted;

	if (finish->wanted->kind == KN_TABLE && table->partition_of != NULL &&
		index->attached_to == NULL && table->cluster_on == NULL &&
		strncmp(table->replica_identity, "USING", 5) != 0)
		edge_wait(create, finish);
	else
		edge_wait(finish, create);
}

/* Recreating: first it goes, or makes way; what was put aside goes when all is done. */
static void
connect_same(KnActions *actions, KnAction *action)
{
	KnObject *found = action->change->found;
	KnAction *drop;
	ListCell *cell;

	foreach(cell, action->parts)
	{
		KnChange *change = diff_change_of(actions->changes, lfirst(cell));

		if (change != NULL && change->found != NULL)
			edge_wait(action, action_of(actions, KN_DO_DROP, change->found));
	}
	if (found == NULL)
		return;
	drop = action_of(actions, KN_DO_DROP, found);
	if (drop != NULL && drop->is_aside)
	{
		edge_wait(action, action_of(actions, KN_DO_ASIDE, found));
		edge_wait(drop, action);
	}
	else
		edge_wait(action, drop);
}

/*
 * A table that is logged cannot refer to one that is not: the order in which
 * both ends of a foreign key change, and in which it goes and comes.
 */
static void
connect_persistence(KnActions *actions)
{
	const KnSchema *sides[2] = { actions->changes->found, actions->changes->wanted };
	bool changes = false;
	ListCell *cell;

	foreach(cell, actions->list)
		changes |= changes_persistence(lfirst(cell));
	for (int i = 0; changes && i < 2; i++)
	{
		foreach(cell, sides[i]->objects)
		{
			const KnConstraint *key = lfirst(cell);

			if (key->head.kind == KN_CONSTRAINT && key->references != NULL)
				connect_foreign_key(actions, sides[i], key);
		}
	}
}

static void
connect_foreign_key(KnActions *actions, const KnSchema *side, const KnConstraint *key)
{
	KnObject *from = schema_find_kind(side, KN_TABLE, key->head.schema, NULL, key->head.parent);
	KnObject *to = schema_find_qualified(side, KN_TABLE, key->references);
	KnAction *ends[2] = { NULL, NULL };

	if (from != NULL)
		ends[0] = action_of(actions, KN_DO_ALTER, from);
	if (to != NULL)
		ends[1] = action_of(actions, KN_DO_ALTER, to);
	for (int i = 0; i < 2; i++)
	{
		if (!changes_persistence(ends[i]))
			continue;
		edge_wait(ends[i], action_of(actions, KN_DO_DROP, &key->head));
		edge_wait(action_of(actions, KN_DO_CREATE, &key->head), ends[i]);
	}
	if (!changes_persistence(ends[0]) || !changes_persistence(ends[1]) ||
		action_of(actions, KN_DO_DROP, &key->head) != NULL ||
		action_of(actions, KN_DO_CREATE, &key->head) != NULL)
		return;
	if (*((KnTable *) ends[0]->wanted)->persistence != '\0')
		edge_wait(ends[1], ends[0]);
	else
		edge_wait(ends[0], ends[1]);
}

static bool
changes_persistence(const KnAction *action)
{
	return action != NULL && action->verb == KN_DO_ALTER && action->wanted->kind == KN_TABLE &&
		   !sqltext_equal(((const KnTable *) action->found)->persistence,
						  ((const KnTable *) action->wanted)->persistence);
}
