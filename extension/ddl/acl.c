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

typedef struct Grant
{
	const char *grantee; /* NULL: the owner; "": PUBLIC */
	const char *grantor; /* NULL: the owner */
	AclMode rights;
	AclMode options; /* those that may be passed on; the owner may in any case */
} Grant;

/* The two states that are compared, and how the statements name things. */
typedef struct Comparison
{
	List *found;  /* Grant * */
	List *left;   /* the same, less what revoke() finds that a REVOKE takes along */
	List *wanted; /* Grant * */
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
static const char *owner_of(const KnObject *object);
static List *read_acl(const KnObject *object, const char *new_owner);
static void refuse(const char *text) pg_attribute_noreturn();
static Grant *read_item(const char *text, const char *owner, const char *new_owner);
static const char *read_role(const char **at);
static Grant *new_grant(const char *grantee, AclMode rights);
static List *copy_grants(const List *grants);
static List *default_acl(KnKind kind);
static AclMode all_rights(KnKind kind);
static const char *grant_target(const KnObject *object);
static const char *routine_target(const KnObject *object);
static List *grantees_of(const Comparison *acl);
static Grant sum_of(const List *grants, const char *grantee);
static bool withdraw(const List *grants, const char *grantor, AclMode rights);
static List *revoke(List *statements, const Comparison *acl, const char *grantee);
static List *grant(List *statements, const Comparison *acl, const char *grantee);
static const char *privilege_list(const KnObject *object, AclMode rights);
static const char *grantee_text(const Comparison *acl, const char *grantee);

/* Privileges on the columns of a view come with those on the view. */
List *
ddl_acl(const KnObject *from, const KnObject *to)
{
	Comparison whole;
	bool has_whole = compare(&whole, from, to);
	List *statements = has_whole ? say_difference(NIL, &whole) : NIL;
	ListCell *cell;

	foreach(cell, schema_columns(to))
	{
		Comparison acl;

		if (!compare(&acl, column_of(from, lfirst(cell)), column_of(to, lfirst(cell))))
			continue;
		if (has_whole)
			acl.found = lose_with_whole(acl.found, &whole);
		statements = say_difference(statements, &acl);
	}
	return statements;
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
		owner = owner_of(from) != NULL ? owner_of(from) : owner_of(to);
	acl->owner = owner == NULL ? "CURRENT_USER" : sqltext_identifier(owner);
	acl->found = from != NULL && from->has_acl ? read_acl(from, to->owner) : default_acl(to->kind);
	acl->wanted = to->has_acl ? read_acl(to, NULL) : default_acl(to->kind);
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

/* A column of a view as an object that has its privileges; NULL where there is no view. */
static const KnObject *
column_of(const KnObject *view, const char *name)
{
	KnObject *column;
	ListCell *cell;

	if (view == NULL)
		return NULL;
	column = schema_new_object(KN_COLUMN, view->schema, view->name, name);
	column->owner = owner_of(view);
	foreach(cell, *schema_column_acl((KnObject *) view))
	{
		const char *item = schema_column_item(lfirst(cell), name);

		if (item != NULL)
			column->acl = lappend(column->acl, (char *) item);
	}
	column->has_acl = column->acl != NIL;
	return column;
}

/* What is left of privileges on a column: a REVOKE on the whole is one on its columns, too. */
static List *
lose_with_whole(const List *found, const Comparison *whole)
{
	List *left = copy_grants(found);
	ListCell *cell;

	foreach(cell, left)
	{
		Grant *item = lfirst(cell);
		AclMode lost = sum_of(whole->found, item->grantee).rights &
					   ~sum_of(whole->wanted, item->grantee).rights;

		item->rights &= ~lost;
		item->options &= ~lost;
	}
	return left;
}

/*
 * The owner, where it is not stated from the privileges: only an owner has
 * some from himself, and most others have theirs from him.  NULL: not known.
 */
static const char *
owner_of(const KnObject *object)
{
	const char *found = NULL;
	ListCell *cell;

	if (object->owner != NULL || !object->has_acl)
		return object->owner;
	foreach(cell, object->acl)
	{
		const char *at = lfirst(cell);
		const char *grantee = read_role(&at);
		const char *grantor;

		at += strcspn(at, "/") + 1;
		grantor = read_role(&at);
		if (strcmp(grantee, grantor) == 0)
			return grantor;
		if (found == NULL)
			found = grantor;
	}
	return found;
}

/* The privileges stated for object.  new_owner is who it belongs to by now, if that is another. */
static List *
read_acl(const KnObject *object, const char *new_owner)
{
	const char *owner = owner_of(object);
	List *grants = NIL;
	ListCell *cell;

	foreach(cell, object->acl)
		grants = lappend(grants, read_item(lfirst(cell), owner, new_owner));
	return grants;
}

static void
refuse(const char *text)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("malformed privilege \"%s\"", text),
			errhint("A privilege is an aclitem, such as \"reader=r/owner\"."));
}

static Grant *
read_item(const char *text, const char *owner, const char *new_owner)
{
	const char *at = text;
	Grant *item = new_grant(read_role(&at), 0);

	if (*at++ != '=')
		refuse(text);
	for (; *at != '/' && *at != '\0'; at++)
	{
		const char *letter = strchr(ACL_ALL_RIGHTS_STR, *at);
		AclMode right;

		if (letter == NULL)
			refuse(text);
		right = (AclMode) 1 << (letter - ACL_ALL_RIGHTS_STR);
		item->rights |= right;
		if (at[1] == '*')
		{
			item->options |= right;
			at++;
		}
	}
	if (*at++ != '/')
		refuse(text);
	item->grantor = read_role(&at);
	if (sqltext_equal(item->grantor, owner) || sqltext_equal(item->grantor, new_owner))
		item->grantor = NULL;
	if (sqltext_equal(item->grantee, owner) || sqltext_equal(item->grantee, new_owner))
		item->grantee = NULL;
	return item;
}

/* A role name as aclitemout() spells it, unquoted; *at is left behind it. */
static const char *
read_role(const char **at)
{
	bool is_quoted = false;
	StringInfoData out;

	initStringInfo(&out);
	for (; **at != '\0' && (is_quoted || (**at != '=' && **at != '/')); (*at)++)
	{
		if (**at != '"')
			appendStringInfoChar(&out, **at);
		else if (is_quoted && (*at)[1] == '"')
			appendStringInfoChar(&out, *++(*at));
		else
			is_quoted = !is_quoted;
	}
	return out.data;
}

static Grant *
new_grant(const char *grantee, AclMode rights)
{
	Grant *item = palloc0(sizeof(Grant));

	item->grantee = grantee;
	item->rights = rights;
	return item;
}

static List *
copy_grants(const List *grants)
{
	List *copies = NIL;
	ListCell *cell;

	foreach(cell, grants)
	{
		Grant *copy = palloc(sizeof(Grant));

		*copy = *(const Grant *) lfirst(cell);
		copies = lappend(copies, copy);
	}
	return copies;
}

/* What there is when nobody has granted or revoked anything. */
static List *
default_acl(KnKind kind)
{
	List *grants = list_make1(new_grant(NULL, kind == KN_COLUMN ? 0 : all_rights(kind)));
	AclMode everybody = all_rights(kind) & (ACL_EXECUTE | ACL_USAGE);

	if (kind == KN_SCHEMA || kind == KN_SEQUENCE || everybody == 0)
		return grants;
	return lappend(grants, new_grant("", everybody));
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
		const Grant *item = lfirst(cell);

		if (ddl_position(grantees, item->grantee) < 0)
			grantees = lappend(grantees, (char *) item->grantee);
	}
	return grantees;
}

/* All that one grantee has, whoever granted it. */
static Grant
sum_of(const List *grants, const char *grantee)
{
	Grant sum = { grantee, NULL, 0, 0 };
	ListCell *cell;

	foreach(cell, grants)
	{
		const Grant *item = lfirst(cell);

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
		Grant *item = lfirst(cell);
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
	Grant has = sum_of(acl->found, grantee);
	Grant shall_have = sum_of(acl->wanted, grantee);
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
	Grant has = sum_of(acl->left, grantee);
	Grant shall_have = sum_of(acl->wanted, grantee);
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
