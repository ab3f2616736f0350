/*
 * check.c
 *		Steps that look before they leap.
 *
 * An enum that loses labels is made anew, and the columns that have it are
 * converted.  A row that still has such a label makes that fail; the check
 * before it says which column it is, and what to do.
 *
 * A sequence that is made for a column with rows looks where to go on.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static List *lost_labels(const KnEnum *found, const KnEnum *wanted);
static const char *check_text(const KnObject *type, const KnColumn *column, const List *lost);
static const char *dollar_quoted(const char *body);

/* The statements (KnStatement *) that check all columns of a type to be made anew. */
List *
check_labels(const KnActions *actions, const KnAction *action)
{
	const KnObject *type = action->found;
	List *statements = NIL;
	List *lost;
	ListCell *cell;

	if (type->kind != KN_ENUM || action->change->wanted == NULL)
		return NIL;
	lost = lost_labels((const KnEnum *) type, (const KnEnum *) action->change->wanted);
	if (lost == NIL)
		return NIL;
	foreach(cell, diff_dependents(actions->changes, type))
	{
		const KnColumn *column = lfirst(cell);
		const KnChange *change = diff_change_of(actions->changes, &column->head);
		const char *name = name_of(type);
		Size length = strlen(name);

		/* Not where it is inside of another type: its values are checked one by one. */
		if (column->head.kind == KN_COLUMN && change != NULL && change->is_retyped &&
			strncmp(column->type, name, length) == 0 &&
			(column->type[length] == '\0' || column->type[length] == '['))
			statements = ddl_say(statements,
								 "check_values",
								 NULL,
								 "DO %s",
								 dollar_quoted(check_text(type, column, lost)));
	}
	return statements;
}

static List *
lost_labels(const KnEnum *found, const KnEnum *wanted)
{
	List *lost = NIL;
	ListCell *cell;

	foreach(cell, found->labels)
	{
		if (!sqltext_member(wanted->labels, lfirst(cell)))
			lost = lappend(lost, (char *) sqltext_literal(lfirst(cell)));
	}
	return lost;
}

static const char *
check_text(const KnObject *type, const KnColumn *column, const List *lost)
{
	const char *labels = sqltext_join(lost, ", ");
	bool is_array = strchr(column->type, '[') != NULL;

	return psprintf(
		"\nBEGIN\n"
		"    IF EXISTS (SELECT FROM %s WHERE %s::pg_catalog.text%s) THEN\n"
		"        RAISE EXCEPTION USING ERRCODE = 'check_violation',\n"
		"            MESSAGE = %s,\n"
		"            HINT = 'Give those rows other values first.';\n"
		"    END IF;\n"
		"END\n",
		name_of_parent(&column->head),
		sqltext_identifier(column->head.name),
		is_array ? psprintf("[] OPERATOR(pg_catalog.&&) ARRAY[%s]", labels)
				 : psprintf(" OPERATOR(pg_catalog.=) ANY (ARRAY[%s])", labels),
		sqltext_literal(psprintf("column %s has values that type %s is to lose: %s",
								 name_of(&column->head),
								 name_of(type),
								 labels)));
}

/* The statement that lets a new sequence go on from the numbers of a column that was there before.
 */
List *
check_numbers(const KnActions *actions, const KnAction *action)
{
	const KnSequence *sequence = (const KnSequence *) action->wanted;
	const KnColumn *column;

	if (sequence->head.kind != KN_SEQUENCE || sequence->owned_by == NULL)
		return NIL;
	column = (const KnColumn *) schema_find_qualified(actions->changes->wanted,
													  KN_COLUMN,
													  sequence->owned_by);
	if (column == NULL || schema_find(actions->changes->found, column->head.key) == NULL ||
		action_of(actions, KN_DO_CREATE, &column->head) != NULL ||
		(strcmp(column->type, "smallint") != 0 && strcmp(column->type, "integer") != 0 &&
		 strcmp(column->type, "bigint") != 0))
		return NIL;
	return ddl_follow_rows(NIL,
						   "rows",
						   name_of(action->wanted),
						   column,
						   sequence->min_value,
						   sequence->max_value,
						   sequence->increment_by < 0);
}

static const char *
dollar_quoted(const char *body)
{
	static const char mark[] = "$check$";

	if (strstr(body, mark) != NULL)
		return sqltext_literal(body);
	return sqltext_concat(mark, body, mark, NULL);
}
