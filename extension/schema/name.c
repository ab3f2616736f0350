/*
 * name.c
 *		Names of objects: as keys, as people write them.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "schema/schema.h"

/*
 * The key of an object: "table public.users", "column public.users.email",
 * "function public.f(integer)".  Quoted as SQL would, so it is unambiguous.
 */
const char *
name_key(KnKind kind, const char *schema, const char *parent, const char *name,
		 const char *arguments)
{
	return sqltext_concat(kn_kinds[kind].word,
						  " ",
						  schema == NULL ? "" : sqltext_identifier(schema),
						  schema == NULL ? "" : ".",
						  parent == NULL ? "" : sqltext_identifier(parent),
						  parent == NULL ? "" : ".",
						  sqltext_identifier(name),
						  arguments == NULL ? "" : "(",
						  arguments == NULL ? "" : arguments,
						  arguments == NULL ? "" : ")",
						  NULL);
}

/* The key of what is not modelled: several kinds of it may have one name. */
const char *
name_key_other(const char *what, const char *name)
{
	return sqltext_concat(kn_kinds[KN_OTHER].word, " ", what, " ", name, NULL);
}

/* The key without its kind word: "public.users.email". */
const char *
name_of(const KnObject *object)
{
	return strchr(object->key, ' ') + 1;
}

const char *
name_qualified(const char *schema, const char *name)
{
	return sqltext_qualified(schema, name);
}

/* The relation an object is part of, qualified and quoted. */
const char *
name_of_parent(const KnObject *object)
{
	return sqltext_qualified(object->schema, object->parent);
}
