/*
 * aclitem.c
 *		Privileges out of aclitem texts, "bob=arw/alice".
 */
#include "kints_norm.h"

#include "base/base.h"
#include "ddl/ddl.h"
#include "utils/acl.h"

static void refuse(const char *text) pg_attribute_noreturn();
static KnGrant *read_item(const char *text, const char *owner, const char *new_owner);
static const char *read_role(const char **at);

/*
 * The owner, where it is not stated from the privileges: only an owner has
 * some from himself, and most others have theirs from him.  NULL: not known.
 */
const char *
ddl_owner_of(const KnObject *object)
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

		at += strcspn(at, "/");
		if (*at++ != '/')
			refuse(lfirst(cell));
		grantor = read_role(&at);
		if (strcmp(grantee, grantor) == 0)
			return grantor;
		if (found == NULL)
			found = grantor;
	}
	return found;
}

/* The privileges stated for object.  new_owner is who it belongs to by now, if that is another. */
List *
ddl_read_acl(const KnObject *object, const char *new_owner)
{
	const char *owner = ddl_owner_of(object);
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

static KnGrant *
read_item(const char *text, const char *owner, const char *new_owner)
{
	const char *at = text;
	KnGrant *item = ddl_new_grant(read_role(&at), 0);

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
	if (*at++ != '/' || *at == '\0')
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

KnGrant *
ddl_new_grant(const char *grantee, AclMode rights)
{
	KnGrant *item = palloc0(sizeof(KnGrant));

	item->grantee = grantee;
	item->rights = rights;
	return item;
}
