/*
 * read.c
 *		Values out of catalog rows.
 *
 * What the server prints on the way is made in in->work, which is emptied
 * again; only the text that is kept is copied to in->result.
 */
#include "kints_norm.h"

#include "access/htup_details.h"
#include "base/base.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_trigger.h"
#include "commands/tablespace.h"
#include "commands/trigger.h"
#include "inspect/inspect.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

static const char version_prefix[] = "pg_attver=";

static bool is_version(ArrayType *array);
static bool is_default_acl(const void *target, Acl *acl, Oid owner);

const char *
read_name(NameData *name)
{
	return pstrdup(NameStr(*name));
}

/* A string of one small letter, which is what the catalogs use for kinds. */
const char *
read_letter(char letter)
{
	static const char letters[] =
		"a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0"
		"n\0o\0p\0q\0r\0s\0t\0u\0v\0w\0x\0y\0z";

	Assert(letter >= 'a' && letter <= 'z');
	return &letters[(Size) 2 * (Size) (letter - 'a')];
}

/* A text attribute, or NULL. */
const char *
read_string(HeapTuple row, TupleDesc shape, int attribute)
{
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * A text[] of name=value, sorted, each with the prefix.  Columns carry a
 * version of their own among their options in recent minor releases, which
 * differs between any two tables and is not a setting: it is left out, as
 * pg_dump does.
 */
List *
read_options(HeapTuple row, TupleDesc shape, int attribute, const char *prefix)
{
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);
	ArrayType *array;
	Datum *items;
	int count;
	List *options = NIL;

	if (isnull)
		return NIL;
	array = DatumGetArrayTypeP(value);
	if (is_version(array))
		return NIL;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		const char *option = TextDatumGetCString(items[i]);

		if (strncmp(option, version_prefix, sizeof(version_prefix) - 1) == 0)
			continue;
		options = lappend(options, psprintf("%s%s", prefix, option));
	}
	list_sort(options, read_compare_text);
	return options;
}

/* Whether a column's version is all there is, as for most columns. */
static bool
is_version(ArrayType *array)
{
	const text *first = (const text *) ARR_DATA_PTR(array);

	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) == 1 && !ARR_HASNULL(array) &&
		   VARSIZE_ANY_EXHDR(first) > sizeof(version_prefix) - 1 &&
		   strncmp(VARDATA_ANY(first), version_prefix, sizeof(version_prefix) - 1) == 0;
}

/* For list_sort(), of strings. */
int
read_compare_text(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* The name of a role. */
const char *
read_owner(KnInspect *in, Oid owner)
{
	bool found;
	KnRole *role = hash_search(in->roles, &owner, HASH_ENTER, &found);

	if (!found)
		role->name = GetUserNameFromId(owner, false);
	return role->name;
}

/* Privileges, unless they are what the owner of such an object has anyway. */
void
read_acl(KnInspect *in, void *target, HeapTuple row, TupleDesc shape, int attribute, Oid owner)
{
	KnObject *object = target;
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);
	Acl *acl;

	(void) in;
	if (isnull)
		return;
	acl = DatumGetAclPCopy(value);
	if (is_default_acl(object, acl, owner))
		return;
	object->has_acl = true;
	object->acl = read_aclitems(row, shape, attribute);
}

/* All privileges that are there, as text and sorted. */
List *
read_aclitems(HeapTuple row, TupleDesc shape, int attribute)
{
	bool isnull;
	Datum value = heap_getattr(row, attribute, shape, &isnull);
	List *items = NIL;
	Acl *acl;

	if (isnull)
		return NIL;
	acl = DatumGetAclP(value);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		AclItem *item = ACL_DAT(acl) + i;

		items =
			lappend(items, DatumGetCString(DirectFunctionCall1(aclitemout, PointerGetDatum(item))));
	}
	list_sort(items, read_compare_text);
	return items;
}

static bool
is_default_acl(const void *target, Acl *acl, Oid owner)
{
	const KnObject *object = target;
	ObjectType type;
	Acl *standard;

	switch (object->kind)
	{
		case KN_SCHEMA:
			type = OBJECT_SCHEMA;
			break;
		case KN_ENUM:
		case KN_RANGE:
		case KN_COMPOSITE:
			type = OBJECT_TYPE;
			break;
		case KN_DOMAIN:
			type = OBJECT_DOMAIN;
			break;
		case KN_FUNCTION:
		case KN_AGGREGATE:
			type = OBJECT_FUNCTION;
			break;
		case KN_SEQUENCE:
			type = OBJECT_SEQUENCE;
			break;
		case KN_COLUMN:
			return ACL_NUM(acl) == 0;
		default:
			type = OBJECT_TABLE;
			break;
	}
	standard = acldefault(type, owner);
	aclitemsort(standard);
	aclitemsort(acl);
	return aclequal(standard, acl);
}

/* What a column definition says of a type with its modifier, and what it implies. */
const KnType *
read_type_facts(KnInspect *in, Oid type, int32 modifier)
{
	KnTypeKey key = { type, modifier };
	bool found;
	KnType *entry = hash_search(in->types, &key, HASH_ENTER, &found);
	Oid element;

	if (found)
		return entry;
	memset((char *) entry + sizeof(KnTypeKey), 0, sizeof(KnType) - sizeof(KnTypeKey));
	entry->text = format_type_extended(type, modifier, FORMAT_TYPE_TYPEMOD_GIVEN);
	entry->collation = get_typcollation(type);
	entry->storage = get_typstorage(type);
	element = get_element_type(type);
	if (get_typtype(type) == TYPTYPE_DOMAIN)
		entry->kind = "d";
	else
		entry->kind = read_letter(get_typtype(OidIsValid(element) ? element : getBaseType(type)));
	return entry;
}

const char *
read_type(KnInspect *in, Oid type, int32 modifier)
{
	return read_type_facts(in, type, modifier)->text;
}

/* A collation, qualified and quoted, where it is not the type's own. */
const char *
read_collation(KnInspect *in, Oid collation, Oid type)
{
	(void) in;
	if (!OidIsValid(collation) || collation == get_typcollation(type))
		return NULL;
	/* generate_collation_name() leaves pg_catalog out, and so does pg_dump for the reader. */
	return generate_collation_name(collation);
}

/* The tablespace's name, quoted; NULL for the database's own. */
const char *
read_tablespace(Oid tablespace)
{
	return OidIsValid(tablespace) ? quote_identifier(get_tablespace_name(tablespace)) : NULL;
}

/* The words for tgenabled and ev_enabled. */
const char *
read_enabled(char letter)
{
	switch (letter)
	{
		case TRIGGER_FIRES_ON_ORIGIN:
			return "ENABLE";
		case TRIGGER_FIRES_ALWAYS:
			return "ENABLE ALWAYS";
		case TRIGGER_FIRES_ON_REPLICA:
			return "ENABLE REPLICA";
		default:
			return "DISABLE";
	}
}

/* What a function such as pg_get_indexdef(oid) prints, without a final semicolon. */
const char *
read_definition(KnInspect *in, PGFunction function, Oid object)
{
	LOCAL_FCINFO(call, 1);
	Datum value;
	char *printed;
	Size length;
	const char *kept;

	MemoryContextSwitchTo(in->work);
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(object);
	call->args[0].isnull = false;
	value = function(call);
	if (call->isnull)
		ereport(ERROR,
				errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				errmsg("the schema changed while it was being read"),
				errhint("Try again."));
	printed = TextDatumGetCString(value);
	length = strlen(printed);
	while (length > 0 && (printed[length - 1] == ';' || printed[length - 1] == '\n'))
		printed[--length] = '\0';
	MemoryContextSwitchTo(in->result);
	kept = pstrdup(printed);
	MemoryContextReset(in->work);
	return kept;
}
