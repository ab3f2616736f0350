/*
 * other.c
 *		What is seen and not modelled has no SQL of ours.
 */
#include "kints_norm.h"

#include "ddl/ddl.h"

List *
ddl_create_unmodelled(const KnOther *object, const List *parts)
{
	(void) object;
	(void) parts;
	return NIL;
}

List *
ddl_drop_unmodelled(const KnOther *object)
{
	(void) object;
	return NIL;
}

List *
ddl_alter_unmodelled(const KnOther *from, const KnOther *to)
{
	(void) from;
	(void) to;
	return NIL;
}
