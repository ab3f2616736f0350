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

/* Types of numbers. */
enum
{
	RANK_SMALLINT = 1,
	RANK_INTEGER,
	RANK_BIGINT,
	RANK_NUMERIC,
	RANK_REAL,
	RANK_DOUBLE
};

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
static bool is_narrower(const char *from, const char *to);
static bool is_narrower_number(const char *from, const char *to);
static bool numeric_limits(const char *type, int *digits, int *scale);
static bool is_array(const char *type);
static bool has_precision(const char *type);
static int precision_of(const char *type);
static bool is_same_storage(const char *from, const char *to);
static int number_rank(const char *type);
static int length_of(const char *type, const char *base);

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
		return is_relation(object) || object->kind == KN_INDEX || object->kind == KN_COLUMN ||
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
		is_narrower(((KnColumn *) action->found)->type, ((KnColumn *) action->wanted)->type))
		step->kind = "narrow_type";
}

static bool
is_narrower(const char *from, const char *to)
{
	static const char *const unbounded[] = { "text", "character varying", "bpchar", "bit varying" };
	static const char *const bounded[] = { "character varying", "character", "bit varying", "bit" };
	int most = 0;

	if (is_array(from) && is_array(to))
		return is_narrower(pnstrdup(from, strlen(from) - 2), pnstrdup(to, strlen(to) - 2));
	if (number_rank(from) > 0)
		return strcmp(to, "boolean") == 0 || is_narrower_number(from, to);
	if (strcmp(to, "date") == 0 && strncmp(from, "timestamp", 9) == 0)
		return true;
	for (Size i = 0; i < lengthof(bounded); i++)
		most = Max(most, length_of(to, bounded[i]));
	if (most == 0)
		return precision_of(to) >= 0 && has_precision(from) &&
			   (precision_of(from) < 0 || precision_of(from) > precision_of(to));
	for (Size i = 0; i < lengthof(bounded); i++)
	{
		if (length_of(from, bounded[i]) > most || strcmp(from, unbounded[i]) == 0)
			return true;
	}
	return false;
}

/* Whether a number can be too great, or too precise, for another type of numbers. */
static bool
is_narrower_number(const char *from, const char *to)
{
	static const int digits[] = { 0, 5, 10, 19 };
	int before = number_rank(from);
	int after = number_rank(to);
	int scale = 0;
	int whole = 0;
	int scale_before = 0;
	int whole_before = 0;

	if (after == 0)
		return false;
	if (after <= RANK_BIGINT)
		return after < before;
	/* Floating point is exact for a little more than 7 and 15 digits. */
	if (after != RANK_NUMERIC)
		return before == RANK_NUMERIC || (before == RANK_DOUBLE && after == RANK_REAL) ||
			   before == RANK_BIGINT || (before == RANK_INTEGER && after == RANK_REAL);
	if (!numeric_limits(to, &whole, &scale))
		return false;
	if (before <= RANK_BIGINT)
		return whole - scale < digits[before];
	if (!numeric_limits(from, &whole_before, &scale_before))
		return true;
	return whole - scale < whole_before - scale_before || scale < scale_before;
}

static int
number_rank(const char *type)
{
	if (strcmp(type, "smallint") == 0)
		return RANK_SMALLINT;
	if (strcmp(type, "integer") == 0)
		return RANK_INTEGER;
	if (strcmp(type, "bigint") == 0)
		return RANK_BIGINT;
	if (strcmp(type, "numeric") == 0 || strncmp(type, "numeric(", 8) == 0)
		return RANK_NUMERIC;
	if (strcmp(type, "real") == 0)
		return RANK_REAL;
	return strcmp(type, "double precision") == 0 ? RANK_DOUBLE : 0;
}

/* The limits of numeric(digits,scale); false for any other type. */
static bool
numeric_limits(const char *type, int *digits, int *scale)
{
	char *end;

	if (strncmp(type, "numeric(", 8) != 0)
		return false;
	*digits = (int) strtol(type + 8, &end, 10);
	if (*end != ',')
		return false;
	*scale = (int) strtol(end + 1, &end, 10);
	return *end == ')';
}

static bool
is_array(const char *type)
{
	Size length = strlen(type);

	return length > 2 && strcmp(type + length - 2, "[]") == 0;
}

static bool
has_precision(const char *type)
{
	return strncmp(type, "time", 4) == 0 || strncmp(type, "interval", 8) == 0;
}

/* Digits of the fraction of a second; -1 where they are not limited. */
static int
precision_of(const char *type)
{
	const char *open = strchr(type, '(');

	return !has_precision(type) || open == NULL ? -1 : (int) strtol(open + 1, NULL, 10);
}

/* n of base(n), 0 for any other type. */
static int
length_of(const char *type, const char *base)
{
	Size length = strlen(base);

	if (strncmp(type, base, length) != 0 || type[length] != '(')
		return 0;
	return (int) strtol(type + length + 1, NULL, 10);
}

/* A type that holds all values of the one before, if the server can make them of it. */
static void
judge_conversion(KnStep *step, const KnAction *action)
{
	if (is_same_storage(((KnColumn *) action->found)->type, ((KnColumn *) action->wanted)->type))
	{
		step->severity = KN_WARNING;
		step->hazards = NIL;
	}
	else if (strstr(step->sql, " USING ") != NULL && !action->change->is_retyped)
		step->hazards = lappend(step->hazards, "fails where a value cannot be converted");
}

/* Whether the server changes the type without touching the rows. */
static bool
is_same_storage(const char *from, const char *to)
{
	static const char varying[] = "character varying";
	static const char bits[] = "bit varying";
	int digits[2];
	int scale[2];

	if (length_of(from, varying) > 0 || strcmp(from, varying) == 0)
		return strcmp(to, "text") == 0 || strcmp(to, varying) == 0 ||
			   length_of(to, varying) > length_of(from, varying);
	if (strcmp(from, "text") == 0)
		return strcmp(to, varying) == 0;
	if (length_of(from, bits) > 0)
		return strcmp(to, bits) == 0 || length_of(to, bits) > length_of(from, bits);
	if (numeric_limits(from, &digits[0], &scale[0]))
		return strcmp(to, "numeric") == 0 || (numeric_limits(to, &digits[1], &scale[1]) &&
											  scale[0] == scale[1] && digits[1] >= digits[0]);
	if (strncmp(from, "timestamp(", 10) == 0)
		return strncmp(to, "timestamp", 9) == 0 &&
			   strcmp(strchr(from, ')') + 1, to + strcspn(to, " ")) == 0 &&
			   (precision_of(to) < 0 || precision_of(to) > precision_of(from));
	return strcmp(from, "cidr") == 0 && strcmp(to, "inet") == 0;
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
	Size length = strlen(step->sql);

	if (length > 10 && strcmp(step->sql + length - 10, " NOT VALID") == 0)
	{
		step->severity = KN_SAFE;
		step->lock = NULL;
		step->hazards = NIL;
	}
}

const char *
hazard_severity_word(KnSeverity severity)
{
	static const char *const words[] = { "safe", "warning", "unsafe", "destructive" };

	return words[severity];
}
