/*
 * hazard.c
 *		What a step locks, may lose, and costs.
 *
 * One row a kind of statement; what depends on the object is added below.  The
 * lock is the strongest one on a relation that others may be using: creating
 * an object locks only what it touches besides itself.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

typedef struct KindRow
{
	const char *kind;
	KnSeverity severity;
	const char *lock;
	const char *hazard;
} KindRow;

static const char exclusive[] = "ACCESS EXCLUSIVE";
static const char share_row[] = "SHARE ROW EXCLUSIVE";
static const char share_update[] = "SHARE UPDATE EXCLUSIVE";

/* clang-format off */
static const KindRow rows[] = {
	{ "add_attribute", KN_SAFE, exclusive, NULL },
	{ "add_column", KN_SAFE, exclusive, NULL },
	{ "add_constraint", KN_WARNING, exclusive, "scans the table while it is locked" },
	{ "add_domain_constraint", KN_WARNING, "SHARE", "scans the tables that have the domain; fails where a value does not fit" },
	{ "alter_attribute_type", KN_WARNING, exclusive, NULL },
	{ "alter_column_type", KN_UNSAFE, exclusive, "rewrites the table and its indexes while it is locked" },
	{ "add_identity", KN_SAFE, exclusive, NULL },
	{ "alter_constraint", KN_SAFE, exclusive, NULL },
	{ "alter_identity", KN_SAFE, exclusive, NULL },
	{ "alter_policy", KN_WARNING, exclusive, "changes who sees which rows" },
	{ "alter_sequence", KN_WARNING, share_row, NULL },
	{ "attach_index", KN_SAFE, share_update, NULL },
	{ "attach_partition", KN_WARNING, share_update, "scans the partition" },
	{ "check_values", KN_WARNING, "ACCESS SHARE", "reads the table; fails where a row has a value that goes" },
	{ "cluster_on", KN_SAFE, share_update, NULL },
	{ "create_index", KN_WARNING, "SHARE", "blocks writes while the index is built" },
	{ "create_policy", KN_WARNING, exclusive, "changes who sees which rows" },
	{ "create_rule", KN_WARNING, exclusive, NULL },
	{ "create_statistics", KN_SAFE, share_update, NULL },
	{ "create_trigger", KN_SAFE, share_row, NULL },
	{ "detach_partition", KN_WARNING, exclusive, NULL },
	{ "drop_aggregate", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_attribute", KN_DESTRUCTIVE, exclusive, "loses the attribute's values" },
	{ "drop_column", KN_DESTRUCTIVE, exclusive, "loses the column's data" },
	{ "drop_constraint", KN_DESTRUCTIVE, exclusive, "rows are no longer checked" },
	{ "drop_default", KN_SAFE, exclusive, NULL },
	{ "drop_domain", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_domain_constraint", KN_WARNING, NULL, "values are no longer checked" },
	{ "drop_domain_not_null", KN_WARNING, NULL, "readers may not expect null" },
	{ "drop_expression", KN_WARNING, exclusive, "values are no longer computed" },
	{ "drop_extension", KN_DESTRUCTIVE, NULL, "takes along what belongs to the extension" },
	{ "drop_function", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_identity", KN_WARNING, exclusive, NULL },
	{ "drop_index", KN_DESTRUCTIVE, exclusive, "queries may slow down" },
	{ "drop_materialized_view", KN_DESTRUCTIVE, exclusive, NULL },
	{ "drop_not_null", KN_WARNING, exclusive, "readers may not expect null" },
	{ "drop_policy", KN_DESTRUCTIVE, exclusive, "changes who sees which rows" },
	{ "drop_procedure", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_rule", KN_DESTRUCTIVE, exclusive, NULL },
	{ "drop_schema", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_sequence", KN_DESTRUCTIVE, exclusive, "loses the sequence's position" },
	{ "drop_statistics", KN_DESTRUCTIVE, share_update, NULL },
	{ "drop_table", KN_DESTRUCTIVE, exclusive, "loses the table's rows" },
	{ "drop_trigger", KN_DESTRUCTIVE, exclusive, "rows are no longer handled by it" },
	{ "drop_type", KN_DESTRUCTIVE, NULL, NULL },
	{ "drop_view", KN_DESTRUCTIVE, exclusive, NULL },
	{ "enable_rule", KN_WARNING, exclusive, NULL },
	{ "enable_trigger", KN_WARNING, share_row, NULL },
	{ "follow_rows", KN_SAFE, "ACCESS SHARE", "reads the column, for the sequence to go on from there" },
	{ "grant", KN_WARNING, NULL, "changes who may do what" },
	{ "inherit", KN_WARNING, exclusive, NULL },
	{ "narrow_type", KN_DESTRUCTIVE, exclusive, "fails, or loses data, where a value does not fit" },
	{ "no_inherit", KN_WARNING, exclusive, NULL },
	{ "of_type", KN_WARNING, exclusive, NULL },
	{ "own_sequence", KN_SAFE, share_row, NULL },
	{ "raise_sequence", KN_SAFE, "ROW EXCLUSIVE", NULL },
	{ "rename_sequence", KN_WARNING, exclusive, "programs that use the old name fail" },
	{ "replace_function", KN_WARNING, NULL, NULL },
	{ "replace_view", KN_SAFE, exclusive, NULL },
	{ "replace_rule", KN_WARNING, exclusive, NULL },
	{ "replica_identity", KN_WARNING, exclusive, "changes what logical replication sends" },
	{ "revoke", KN_WARNING, NULL, "changes who may do what" },
	{ "row_security", KN_WARNING, exclusive, "changes who sees which rows" },
	{ "set_access_method", KN_UNSAFE, exclusive, "rewrites the table while it is locked" },
	{ "set_column_options", KN_SAFE, share_update, NULL },
	{ "set_comment", KN_SAFE, share_update, NULL },
	{ "set_compression", KN_SAFE, exclusive, NULL },
	{ "set_default", KN_SAFE, exclusive, NULL },
	{ "set_domain_not_null", KN_WARNING, "SHARE", "scans the tables that have the domain; fails where there is a null" },
	{ "set_index_options", KN_SAFE, share_update, NULL },
	{ "set_not_null", KN_WARNING, exclusive, "scans the table while it is locked; fails where there is a null" },
	{ "set_owner", KN_WARNING, exclusive, "changes who may do what" },
	{ "set_persistence", KN_UNSAFE, exclusive, "rewrites the table while it is locked" },
	{ "set_statistics", KN_SAFE, share_update, NULL },
	{ "set_storage", KN_SAFE, exclusive, NULL },
	{ "set_table_options", KN_SAFE, share_update, NULL },
	{ "set_tablespace", KN_UNSAFE, exclusive, "copies the table while it is locked" },
	{ "set_view_options", KN_WARNING, exclusive, NULL },
	{ "validate_constraint", KN_SAFE, share_update, "scans the table" },
	{ "validate_domain_constraint", KN_SAFE, "SHARE", "scans the tables that have the domain" },
};
/* clang-format on */

static const KindRow *find_row(const char *kind);
static const char *lock_of(const KnStep *step, const KnAction *action, const KnObject *object,
						   const char *usual);
static bool is_relation(const KnObject *object);
static bool is_of_new_object(const KnStep *step, const KnAction *action, const KnObject *object);
static bool is_on_new(const KnAction *action);
static void judge_drop(KnStep *step, const KnAction *action);
static void judge_type(KnStep *step, const KnAction *action);
static void judge_column(KnStep *step, const KnAction *action);
static void judge_constraint(KnStep *step, const KnAction *action);
static void judge_conversion(KnStep *step, const KnAction *action);
static void judge_domain(KnStep *step);
static void judge_attribute(KnStep *step);
static bool ends(const char *text, const char *with);

/* Fills in severity, lock, hazards and phase of a step that says something of an object. */
void
hazard_judge(KnStep *step, const KnAction *action, const KnObject *object)
{
	const KindRow *row;

	if (strcmp(step->kind, "alter_column_type") == 0)
		judge_type(step, action);
	row = find_row(step->kind);
	step->is_transactional = true;
	step->phase = action->verb == KN_DO_DROP     ? "drop"
				  : action->verb == KN_DO_CREATE ? "create"
				  : action->verb == KN_DO_FINISH ? "finish"
												 : "alter";
	if (row == NULL)
		return;
	step->severity = row->severity;
	step->lock = lock_of(step, action, object, row->lock);
	if (row->hazard != NULL)
		step->hazards = lappend(step->hazards, (char *) row->hazard);
	if (action->verb == KN_DO_DROP)
		judge_drop(step, action);
	else if (strcmp(step->kind, "alter_column_type") == 0)
		judge_conversion(step, action);
	else if (strcmp(step->kind, "add_column") == 0)
		judge_column(step, action);
	else if (strcmp(step->kind, "add_constraint") == 0)
		judge_constraint(step, action);
	else if (strcmp(step->kind, "add_domain_constraint") == 0)
		judge_domain(step);
	else if (strcmp(step->kind, "alter_attribute_type") == 0)
		judge_attribute(step);
	else if (step->severity == KN_DESTRUCTIVE)
		step->is_gated = true;
	if ((action->verb == KN_DO_CREATE &&
		 (is_on_new(action) || is_of_new_object(step, action, object))) ||
		(action->verb == KN_DO_FINISH && action->is_on_new))
	{
		step->severity = KN_SAFE;
		step->lock = NULL;
		step->hazards = NIL;
	}
}

/* The lock on a relation, where it hangs on more than on the kind of step. */
static const char *
lock_of(const KnStep *step, const KnAction *action, const KnObject *object, const char *usual)
{
	bool is_composite = object->kind == KN_COMPOSITE;
	const char *kind = step->kind;

	if (strcmp(kind, "set_owner") == 0)
		return is_relation(object) || is_composite ? usual : NULL;
	if (strcmp(kind, "set_comment") == 0)
		return is_relation(object) || object->kind == KN_INDEX ||
					   (object->kind == KN_COLUMN &&
						strncmp(step->sql, "COMMENT ON SEQUENCE ", 20) != 0) ||
					   strncmp(step->sql, "COMMENT ON COLUMN ", 18) == 0 ||
					   strncmp(step->sql, "COMMENT ON INDEX ", 17) == 0
				   ? usual
				   : NULL;
	if (strcmp(kind, "set_statistics") == 0 && object->kind == KN_STATISTICS)
		return NULL;
	if (strcmp(kind, "drop_type") == 0 || strcmp(kind, "rename_type") == 0)
		return is_composite ? exclusive : usual;
	if (strcmp(kind, "own_sequence") == 0 && action->change->operation != KN_CHANGE)
		return NULL;
	/* A table that is there already cannot be used while it becomes a partition. */
	if (strcmp(kind, "attach_partition") == 0 && action->change->operation == KN_CHANGE)
		return exclusive;
	if (strcmp(kind, "set_table_options") == 0 && strstr(step->sql, "user_catalog_table") != NULL)
		return exclusive;
	if (strcmp(kind, "set_index_options") == 0 && strstr(step->sql, "buffering") != NULL)
		return exclusive;
	return usual;
}

static bool
is_relation(const KnObject *object)
{
	return object->kind == KN_TABLE || object->kind == KN_VIEW || object->kind == KN_MATVIEW ||
		   object->kind == KN_SEQUENCE;
}

static const KindRow *
find_row(const char *kind)
{
	for (Size i = 0; i < lengthof(rows); i++)
	{
		if (strcmp(rows[i].kind, kind) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Whether nobody else can be using the new object or what it is created on. */
static bool
is_on_new(const KnAction *action)
{
	const KnObject *object = action->wanted;

	return action->is_on_new ||
		   (object->parent == NULL && object->kind != KN_INDEX && object->kind != KN_STATISTICS);
}

/* Whether the step completes an object that has just been created, and touches no other. */
static bool
is_of_new_object(const KnStep *step, const KnAction *action, const KnObject *object)
{
	return object == action->wanted && object->parent == NULL &&
		   strncmp(step->kind, "create_", 7) != 0;
}

/* What comes back at once is not lost, and needs no permission. */
static void
judge_drop(KnStep *step, const KnAction *action)
{
	bool loses_values =
		action->found->kind == KN_COLUMN && !((KnColumn *) action->found)->is_generated;

	if (action->change->operation != KN_RECREATE || loses_values)
	{
		step->is_gated = step->severity == KN_DESTRUCTIVE;
		return;
	}
	step->severity = action->found->kind == KN_COLUMN ? KN_UNSAFE : KN_WARNING;
	if (strcmp(step->kind, "drop_expression") == 0)
		return;
	step->hazards = NIL;
	if (action->change->because != NULL)
		step->hazards = list_make1(psprintf("created again below, after a change of %s",
											name_of(action->change->because)));
	else if (!action->is_aside)
		step->hazards = list_make1("created again below");
}

/* A type that cannot hold all values of the one before takes a permission of its own. */
static void
judge_type(KnStep *step, const KnAction *action)
{
	if (action->verb == KN_DO_ALTER && action->found->kind == KN_COLUMN &&
		conversion_narrows_column((KnColumn *) action->found, (KnColumn *) action->wanted))
		step->kind = "narrow_type";
}

/* A type that holds all values of the one before, if the server can make them of it. */
static void
judge_conversion(KnStep *step, const KnAction *action)
{
	if (conversion_keeps_rows(((KnColumn *) action->found)->type,
							  ((KnColumn *) action->wanted)->type))
	{
		step->severity = KN_WARNING;
		step->hazards = NIL;
	}
	else if (strstr(step->sql, " USING ") != NULL && !action->change->is_retyped)
		step->hazards = lappend(step->hazards, "fails where a value cannot be converted");
}

/* A new column costs nothing, unless rows have to be given values. */
static void
judge_column(KnStep *step, const KnAction *action)
{
	KnColumn *column = (KnColumn *) action->wanted;
	KnDefault *value = action->parts == NIL ? NULL : linitial(action->parts);

	if (column->is_generated || column->identity != NULL)
	{
		step->severity = KN_UNSAFE;
		step->hazards = list_make1("rewrites the table while it is locked");
	}
	else if (value != NULL && strchr(value->expression, '(') != NULL)
	{
		step->severity = KN_WARNING;
		step->hazards =
			list_make1("rewrites the table while it is locked if the default is volatile");
	}
	else if (column->not_null && value == NULL)
	{
		step->severity = KN_UNSAFE;
		step->hazards = list_make1("fails if the table has rows, for there is no default");
	}
}

static void
judge_constraint(KnStep *step, const KnAction *action)
{
	KnConstraint *constraint = (KnConstraint *) action->wanted;

	if (constraint->head.kind != KN_CONSTRAINT)
		return;
	if (constraint->type[0] == 'f')
	{
		step->lock = share_row;
		step->hazards = list_make1("blocks writes to both tables while rows are checked");
	}
	else if (strchr("pux", constraint->type[0]) != NULL)
		step->hazards = list_make1("builds an index while the table is locked");
	if (constraint->not_valid)
	{
		step->severity = KN_SAFE;
		step->hazards = NIL;
	}
}

static void
judge_domain(KnStep *step)
{
	if (ends(step->sql, " NOT VALID"))
	{
		step->severity = KN_SAFE;
		step->lock = NULL;
		step->hazards = NIL;
	}
}

/* A type that has tables alters their columns. */
static void
judge_attribute(KnStep *step)
{
	if (ends(step->sql, " CASCADE"))
	{
		step->severity = KN_UNSAFE;
		step->hazards = list_make1("rewrites the tables of the type while they are locked");
	}
}

static bool
ends(const char *text, const char *with)
{
	Size length = strlen(text);

	return length >= strlen(with) && strcmp(text + length - strlen(with), with) == 0;
}

const char *
hazard_severity_word(KnSeverity severity)
{
	static const char *const words[] = { "safe", "warning", "unsafe", "destructive" };

	return words[severity];
}

/* What was computed by a function's old body, and stays when it gets another one. */
void
hazard_judge_kept(List *steps, const KnActions *actions, const KnObject *function)
{
	List *keepers = NIL;
	ListCell *cell;

	foreach(cell, diff_dependents(actions->changes, function))
	{
		const KnObject *object = lfirst(cell);

		if ((object->kind == KN_INDEX || object->kind == KN_CONSTRAINT ||
			 (object->kind == KN_DEFAULT && ((const KnDefault *) object)->is_generated)) &&
			diff_change_of(actions->changes, object) == NULL)
			keepers = lappend(keepers, (char *) name_of(object));
	}
	foreach(cell, keepers == NIL ? NIL : steps)
	{
		KnStep *step = lfirst(cell);

		if (strcmp(step->kind, "replace_function") != 0)
			continue;
		step->severity = KN_UNSAFE;
		step->hazards = lappend(
			step->hazards,
			psprintf("what the old function gave stays in %s", sqltext_join(keepers, ", ")));
	}
}
