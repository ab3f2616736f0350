/*
 * shapes.c
 *		Of which statements all columns can be had in binary.
 *
 * libpq asks for all columns of a result in one format, so it has to be known
 * beforehand whether each of them has a codec.  What the server has said once
 * of a statement is kept in a memo.  What is wrong there, for the schema has changed, is
 * found out when the result comes, and noted anew.
 */
#include "wire/conn.h"

/* Of a description, or of a result. */
kn__shape
kn__shape_of(const PGresult *result)
{
	for (int i = 0; i < PQnfields(result); i++)
	{
		if (!kn__has_codec(PQftype(result, i)))
			return KN__SHAPE_TEXT;
	}
	return KN__SHAPE_BINARY;
}
