/*
 * compare.c
 *		Whether two states of one object differ, and if so, whether the one can
 *		be altered into the other, and who sees it.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "diff/diff.h"

static bool is_subsequence(const List *part, const List *whole);
static bool is_prefix(const List *part, const List *whole);
static bool composite_must_recreate(const KnComposite *found, const KnComposite *wanted);
static bool loses(const char *found, const char *wanted);
static bool differs(const char *found, const char *wanted);

/* Whether nothing that is compared differs. */
bool
diff_is_equal(const KnObject *found, const KnObject *wanted)
{
	const KnField *field;

	if (!sqltext_equal(found->owner, wanted->owner) ||
		!sqltext_equal(found->comment, wanted->comment) || found->has_acl != wanted->has_acl ||
		!schema_list_equal(found->acl, wanted->acl))
		return false;
	for (field = kn_kinds[found->kind].fields; field->name != NULL; field++)
	{
		if (field->difference != KN_IGNORE && !schema_field_equal(field, found, wanted))
			return false;
	}
	return true;
}

/* Whether the object has to be dropped and created to become what is wanted. */
bool
diff_must_recreate(const KnObject *found, const KnObject *wanted)
{
	const KnField *field;

	for (field = kn_kinds[found->kind].fields; field->name != NULL; field++)
	{
		if (field->difference != KN_REBUILD || schema_field_equal(field, found, wanted))
			continue;
		/* A generated column can become a plain one in place. */
		if (found->kind == KN_COLUMN && strcmp(field->name, "is_generated") == 0 &&
			KN_FIELD_BOOL(found, field))
			continue;
		return true;
	}
	switch (found->kind)
	{
		case KN_ENUM:
			return !is_subsequence(((const KnEnum *) found)->labels,
								   ((const KnEnum *) wanted)->labels);
		case KN_COMPOSITE:
			return composite_must_recreate((const KnComposite *) found,
										   (const KnComposite *) wanted);
		case KN_FUNCTION:
			return ((const KnFunction *) wanted)->default_count <
				   ((const KnFunction *) found)->default_count;
		case KN_VIEW:
			return !is_prefix(((const KnView *) found)->columns,
							  ((const KnView *) wanted)->columns) ||
				   !is_prefix(((const KnView *) found)->types, ((const KnView *) wanted)->types);
		case KN_CONSTRAINT:
			return ((const KnConstraint *) wanted)->not_valid &&
				   !((const KnConstraint *) found)->not_valid;
		case KN_INDEX:
			return differs(((const KnIndex *) found)->attached_to,
						   ((const KnIndex *) wanted)->attached_to);
		case KN_POLICY:
			return loses(((const KnPolicy *) found)->using_expression,
						 ((const KnPolicy *) wanted)->using_expression) ||
				   loses(((const KnPolicy *) found)->check_expression,
						 ((const KnPolicy *) wanted)->check_expression);
		default:
			return false;
	}
}

/* Whether what needs an object can tell that it is altered. */
bool
diff_is_seen(const KnChange *change)
{
	static const char *const unseen[] = { "options",          "row_security", "force_row_security",
										  "replica_identity", "cluster_on",   "persistence",
										  "access_method",    "tablespace",   "identity_comment",
										  "storage",          "compression",  "statistics" };
	const KnObject *found = change->found;
	const KnObject *wanted = change->wanted;
	const KnField *field;

	if ((found->kind != KN_TABLE && found->kind != KN_COLUMN) || change->is_retyped ||
		!sqltext_equal(found->owner, wanted->owner) || found->has_acl != wanted->has_acl ||
		!schema_list_equal(found->acl, wanted->acl))
		return true;
	for (field = kn_kinds[found->kind].fields; field->name != NULL; field++)
	{
		if (field->difference != KN_IGNORE &&
			!sqltext_is_any(field->name, unseen, lengthof(unseen)) &&
			!schema_field_equal(field, found, wanted))
			return true;
	}
	return false;
}

/* Whether all of part stand in whole, in the same order. */
static bool
is_subsequence(const List *part, const List *whole)
{
	const ListCell *cell;
	int at = 0;

	foreach(cell, part)
	{
		while (at < list_length(whole) && !sqltext_equal(lfirst(cell), list_nth(whole, at)))
			at++;
		if (at++ >= list_length(whole))
			return false;
	}
	return true;
}

static bool
is_prefix(const List *part, const List *whole)
{
	if (list_length(part) > list_length(whole))
		return false;
	for (int i = 0; i < list_length(part); i++)
	{
		if (!sqltext_equal(list_nth(part, i), list_nth(whole, i)))
			return false;
	}
	return true;
}

/*
 * Attributes can be dropped, and added at the end; anything else about their
 * order takes a new type.
 */
static bool
composite_must_recreate(const KnComposite *found, const KnComposite *wanted)
{
	List *reached = NIL;
	ListCell *cell;

	foreach(cell, found->attributes)
	{
		if (sqltext_member(wanted->attributes, lfirst(cell)))
			reached = lappend(reached, lfirst(cell));
	}
	return !is_prefix(reached, wanted->attributes);
}

static bool
loses(const char *found, const char *wanted)
{
	return found != NULL && wanted == NULL;
}

/* Whether both are there and not the same. */
static bool
differs(const char *found, const char *wanted)
{
	return found != NULL && wanted != NULL && strcmp(found, wanted) != 0;
}
