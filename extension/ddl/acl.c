/*
 * acl.c
 *		From the privileges one state gives to those of another.
 *
 * Privileges are read from aclitem texts, "bob=arw/alice", and compared grantee
 * by grantee; who granted them is kept only to know what a REVOKE takes along.
 * The owner is a grantee without a name, so that a change of owner is not one
 * of privileges: ALTER ... OWNER TO, which runs before, moves them.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"
#include "utils/acl.h"

/* The two states that are compared, and how the statements name things. */
typedef struct Comparison
{
	List *found;  /* KnGrant * */
	List *left;   /* the same, less what revoke() finds that a REVOKE takes along */
	List *wanted; /* KnGrant * */
	const KnObject *object;
	const char *owner; /* as it stands in SQL */
	const char *on;    /* "TABLE public.t" */
} Comparison;

/* In the order of the letters in ACL_ALL_RIGHTS_STR. */
static const char *const x_privileges[] = { "INSERT",   "SELECT",       "UPDATE",  "DELETE",
											"TRUNCATE", "REFERENCES",   "TRIGGER", "EXECUTE",
											"USAGE",    "CREATE",       "TEMP",    "CONNECT",
											"SET",      "ALTER SYSTEM", "MAINTAIN" };

static bool compare(Comparison *acl, const KnObject *from, const KnObject *to);
static List *say_difference(List *statements, Comparison *acl);
static const KnObject *column_of(const KnObject *view, const char *name);
static List *lose_with_whole(const List *found, const Comparison *whole);
static List *copy_grants(const List *grants);
static List *default_acl(KnKind kind);
static AclMode all_rights(KnKind kind);
static const char *grant_target(const KnObject *object);
static const char *routine_target(const KnObject *object);
static List *grantees_of(const Comparison *acl);
static KnGrant sum_of(const List *grants, const char *grantee);
static bool withdraw(const List *grants, const char *grantor, AclMode rights);
static List *revoke(List *statements, const Comparison *acl, const char *grantee);
static List *grant(List *statements, const Comparison *acl, const char *grantee);
static const char *privilege_list(const KnObject *object, AclMode rights);
static const char *grantee_text(const Comparison *acl, const char *grantee);

/* Privileges on the columns of a view come with those on the view. */
List *
ddl_acl(const KnObject *from, const KnObject *to)
{
	Comparison acl;
	List *statements = compare(&acl, from, to) ? say_difference(NIL, &acl) : NIL;
	ListCell *cell;

	foreach(cell, schema_columns(to))
		statements = list_concat(statements,
								 ddl_column_acl(from,
												to,
												from == NULL ? NULL : column_of(from, lfirst(cell)),
												column_of(to, lfirst(cell))));
	return statements;
}

/*
 * Privileges on a column, after those on the whole relation.  A REVOKE on the
 * whole is one on its columns, too.
 */
List *
ddl_column_acl(const KnObject *from_whole, const KnObject *to_whole, const KnObject *from,
			   const KnObject *to)
{
	Comparison whole;
	Comparison acl;

	if (!compare(&acl, from, to))
		return NIL;
	if (compare(&whole, from_whole, to_whole))
		acl.found = lose_with_whole(acl.found, &whole);
	return say_difference(NIL, &acl);
}

/* False where there is nothing to compare: neither state has privileges of its own. */
static bool
compare(Comparison *acl, const KnObject *from, const KnObject *to)
{
	const char *owner = to->owner;

	if ((from == NULL || !from->has_acl) && !to->has_acl)
		return false;
	acl->object = to;
	acl->on = grant_target(to);
	if (acl->on == NULL)
		return false;
	if (owner == NULL && from != NULL)
		owner = ddl_owner_of(from) != NULL ? ddl_owner_of(from) : ddl_owner_of(to);
	acl->owner = owner == NULL ? "CURRENT_USER" : sqltext_identifier(owner);
	acl->found =
		from != NULL && from->has_acl ? ddl_read_acl(from, to->owner) : default_acl(to->kind);
	acl->wanted = to->has_acl ? ddl_read_acl(to, NULL) : default_acl(to->kind);
	return true;
}

static List *
say_difference(List *statements, Comparison *acl)
{
	List *grantees = grantees_of(acl);
	ListCell *cell;

	acl->left = copy_grants(acl->found);
	foreach(cell, grantees)
		statements = revoke(statements, acl, lfirst(cell));
	foreach(cell, grantees)
		statements = grant(statements, acl, lfirst(cell));
	return statements;
}

/* A column of a view as an object that has its privileges. */
static const KnObject *
column_of(const KnObject *view, const char *name)
{
	KnObject *column = schema_new_object(KN_COLUMN, view->schema, view->name, name);
	ListCell *cell;

	column->owner = ddl_owner_of(view);
	foreach(cell, *schema_column_acl((KnObject *) view))
	{
		const char *item = schema_column_item(lfirst(cell), name);

		if (item != NULL)
			column->acl = lappend(column->acl, (char *) item);
	}
	column->has_acl = column->acl != NIL;
	return column;
}

/* What is left of privileges on a column, once those on the whole are what they shall be. */
static List *
lose_with_whole(const List *found, const Comparison *whole)
{
	List *left = copy_grants(found);
	ListCell *cell;

	foreach(cell, left)
	{
		KnGrant *item = lfirst(cell);
		AclMode lost = sum_of(whole->found, item->grantee).rights &
					   ~sum_of(whole->wanted, item->grantee).rights;

		item->rights &= ~lost;
		item->options &= ~lost;
	}
	return left;
}

static List *
copy_grants(const List *grants)
{
	List *copies = NIL;
	ListCell *cell;

	foreach(cell, grants)
	{
		KnGrant *copy = palloc(sizeof(KnGrant));

		*copy = *(const KnGrant *) lfirst(cell);
		copies = lappend(copies, copy);
	}
	return copies;
}

/* What there is when nobody has granted or revoked anything. */
static List *
default_acl(KnKind kind)
{
	List *grants = list_make1(ddl_new_grant(NULL, kind == KN_COLUMN ? 0 : all_rights(kind)));
	AclMode everybody = all_rights(kind) & (ACL_EXECUTE | ACL_USAGE);

	if (kind == KN_SCHEMA || kind == KN_SEQUENCE || everybody == 0)
		return grants;
	return lappend(grants, ddl_new_grant("", everybody));
}

static AclMode
all_rights(KnKind kind)
{
	switch (kind)
	{
		case KN_TABLE:
		case KN_VIEW:
		case KN_MATVIEW:
			return ACL_ALL_RIGHTS_RELATION;
		case KN_COLUMN:
			return ACL_ALL_RIGHTS_COLUMN;
		case KN_SEQUENCE:
			return ACL_ALL_RIGHTS_SEQUENCE;
		case KN_FUNCTION:
		case KN_AGGREGATE:
			return ACL_ALL_RIGHTS_FUNCTION;
		case KN_SCHEMA:
			return ACL_ALL_RIGHTS_SCHEMA;
		case KN_ENUM:
		case KN_RANGE:
		case KN_COMPOSITE:
		case KN_DOMAIN:
			return ACL_ALL_RIGHTS_TYPE;
		default:
			return 0;
	}
}

/* The object as GRANT ... ON names it; NULL for a kind without privileges. */
static const char *
grant_target(const KnObject *object)
{
	const char *name = sqltext_qualified(object->schema, object->name);

	switch (object->kind)
	{
		case KN_TABLE:
		case KN_VIEW:
		case KN_MATVIEW:
			return psprintf("TABLE %s", name);
		case KN_COLUMN:
			return psprintf("TABLE %s", name_of_parent(object));
		case KN_FUNCTION:
		case KN_AGGREGATE:
			return routine_target(object);
		case KN_SCHEMA:
		case KN_SEQUENCE:
		case KN_ENUM:
		case KN_RANGE:
		case KN_COMPOSITE:
		case KN_DOMAIN:
			return psprintf("%s %s", kn_kinds[object->kind].sql, name);
		default:
			return NULL;
	}
}

/* GRANT knows aggregates as functions. */
static const char *
routine_target(const KnObject *object)
{
	bool is_procedure = object->kind == KN_FUNCTION
	&&((const KnFunction *) object)->is_procedure;

	return psprintf("%s %s(%s)",
					is_procedure ? "PROCEDURE" : "FUNCTION",
					sqltext_qualified(object->schema, object->name),
					object->arguments == NULL ? "" : object->arguments);
}

/* Everybody who has or shall have something, each once. */
static List *
grantees_of(const Comparison *acl)
{
	List *all = list_concat_copy(acl->found, acl->wanted);
	List *grantees = NIL;
	ListCell *cell;

	foreach(cell, all)
	{
		const KnGrant *item = lfirst(cell);

		if (ddl_position(grantees, item->grantee) < 0)
			grantees = lappend(grantees, (char *) item->grantee);
	}
	return grantees;
}

/* All that one grantee has, whoever granted it. */
static KnGrant
sum_of(const List *grants, const char *grantee)
{
	KnGrant sum = { grantee, NULL, 0, 0 };
	ListCell *cell;

	foreach(cell, grants)
	{
		const KnGrant *item = lfirst(cell);

		if (!sqltext_equal(item->grantee, grantee))
			continue;
		sum.rights |= item->rights;
		sum.options |= item->options;
	}
	return sum;
}

/* Takes out what grantor has passed on of rights; returns whether that was anything. */
static bool
withdraw(const List *grants, const char *grantor, AclMode rights)
{
	bool was_any = false;
	ListCell *cell;

	foreach(cell, grants)
	{
		KnGrant *item = lfirst(cell);
		AclMode lost = item->rights & rights;

		if (item->grantor == NULL || !sqltext_equal(item->grantor, grantor) || lost == 0)
			continue;
		was_any = true;
		item->rights &= ~lost;
		item->options &= ~lost;
		withdraw(grants, item->grantee, lost);
	}
	return was_any;
}

/* What the grantee has too much: whole privileges, or only the option to pass them on. */
static List *
revoke(List *statements, const Comparison *acl, const char *grantee)
{
	KnGrant has = sum_of(acl->found, grantee);
	KnGrant shall_have = sum_of(acl->wanted, grantee);
	AclMode rights = has.rights & ~shall_have.rights;
	AclMode options = has.options & ~shall_have.options & ~rights;

	if (rights != 0)
		statements = ddl_say(statements,
							 "revoke",
							 "acl",
							 "REVOKE %s ON %s FROM %s%s",
							 privilege_list(acl->object, rights),
							 acl->on,
							 grantee_text(acl, grantee),
							 withdraw(acl->left, grantee, rights) ? " CASCADE" : "");
	if (options != 0)
		statements = ddl_say(statements,
							 "revoke",
							 "acl",
							 "REVOKE GRANT OPTION FOR %s ON %s FROM %s%s",
							 privilege_list(acl->object, options),
							 acl->on,
							 grantee_text(acl, grantee),
							 withdraw(acl->left, grantee, options) ? " CASCADE" : "");
	return statements;
}

/* What the grantee lacks, with and without the option to pass it on. */
static List *
grant(List *statements, const Comparison *acl, const char *grantee)
{
	KnGrant has = sum_of(acl->left, grantee);
	KnGrant shall_have = sum_of(acl->wanted, grantee);
	AclMode options = shall_have.options & ~has.options;
	AclMode rights = shall_have.rights & ~has.rights & ~options;

	if (rights != 0)
		statements = ddl_say(statements,
							 "grant",
							 "acl",
							 "GRANT %s ON %s TO %s",
							 privilege_list(acl->object, rights),
							 acl->on,
							 grantee_text(acl, grantee));
	if (options != 0)
		statements = ddl_say(statements,
							 "grant",
							 "acl",
							 "GRANT %s ON %s TO %s WITH GRANT OPTION",
							 privilege_list(acl->object, options),
							 acl->on,
							 grantee_text(acl, grantee));
	return statements;
}

/* The privileges by name, each with the column if they are a column's. */
static const char *
privilege_list(const KnObject *object, AclMode rights)
{
	const char *column = "";
	List *names = NIL;

	if (object->kind == KN_COLUMN)
		column = psprintf(" (%s)", sqltext_identifier(object->name));
	if (rights == all_rights(object->kind))
		return psprintf("ALL%s", column);
	for (int i = 0; i < (int) lengthof(x_privileges); i++)
	{
		if (rights & ((AclMode) 1 << i))
			names = lappend(names, psprintf("%s%s", x_privileges[i], column));
	}
	return sqltext_join(names, ", ");
}

static const char *
grantee_text(const Comparison *acl, const char *grantee)
{
	if (grantee == NULL)
		return acl->owner;
	return *grantee == '\0' ? "PUBLIC" : sqltext_identifier(grantee);
}
