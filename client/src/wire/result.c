/*
 * result.c
 *		Rows that have arrived.
 *
 * A kn__result is libpq's own, under another name: nothing is copied, and
 * values are decoded when they are asked for.
 */
#include "wire/conn.h"

static const PGresult *
of(const kn__result *result)
{
	return (const PGresult *) result;
}

void
kn__result_free(kn__result *result)
{
	if (result != NULL)
		PQclear((PGresult *) result);
}

int
kn__result_rows(const kn__result *result)
{
	return PQntuples(of(result));
}

int
kn__result_columns(const kn__result *result)
{
	return PQnfields(of(result));
}

const char *
kn__result_name(const kn__result *result, int column)
{
	if (column < 0 || column >= PQnfields(of(result)))
		return NULL;
	return PQfname(of(result), column);
}

uint32_t
kn__result_oid(const kn__result *result, int column)
{
	if (column < 0 || column >= PQnfields(of(result)))
		return 0;
	return PQftype(of(result), column);
}

bool
kn__result_is_null(const kn__result *result, int row, int column)
{
	return PQgetisnull(of(result), row, column) != 0;
}

bool
kn__result_is_binary(const kn__result *result)
{
	return PQbinaryTuples(of(result)) != 0;
}

kn_type
kn__result_kind(const kn__result *result, int column)
{
	bool is_array;
	const kn__type *type = kn__type_find(PQftype(of(result), column), &is_array);

	return type == NULL || is_array ? KN_TYPE_NULL : type->kind;
}

const char *
kn__result_bytes(const kn__result *result, int row, int column, int32_t *length)
{
	*length = PQgetlength(of(result), row, column);
	return PQgetvalue(of(result), row, column);
}

int
kn__result_format(const kn__result *result, int column, const kn__known *known)
{
	return kn__known_format(known, PQftype(of(result), column), PQfformat(of(result), column));
}

kn_status
kn__result_value(const kn__result *result, int row, int column, const kn__known *known,
				 kn__arena *arena, kn_value *out, const char **why)
{
	const PGresult *pg = of(result);
	int32_t length = PQgetlength(pg, row, column);

	if (length == 0 && PQgetisnull(pg, row, column))
		length = -1;
	return kn__decode(arena,
					  PQftype(pg, column),
					  kn__result_format(result, column, known),
					  PQgetvalue(pg, row, column),
					  length,
					  out,
					  why);
}
