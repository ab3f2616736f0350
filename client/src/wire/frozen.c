/*
 * frozen.c
 *		Rows as bytes that can be kept elsewhere, and back.
 *
 * Numbers are in network order.  What comes back is checked, for nobody knows where it
 * has been: a wrong length is a miss, and no harm.
 */
#include "wire/conn.h"

#include <string.h>

#define MAGIC        UINT32_C(0x6b6e7232) /* another one where the same bytes mean something else */
#define MOST_COLUMNS 1664                 /* as the server has it */
#define LEAST_COLUMN 13                   /* bytes: three numbers, and the end of a name */

typedef struct Reader
{
	const char *at;
	size_t left;
	bool has_failed;
} Reader;

static uint32_t read_number(Reader *reader);
static const char *read_bytes(Reader *reader, size_t size);
static bool thaw_columns(Reader *reader, PGresult *result, uint32_t columns);
static bool thaw_rows(Reader *reader, PGresult *result, uint32_t rows, uint32_t columns);

bool
kn__result_freeze(const kn__result *result, const kn__known *known, kn__buf *out)
{
	const PGresult *pg = (const PGresult *) result;
	int columns = PQnfields(pg);
	int rows = PQntuples(pg);

	kn__buf_u32(out, MAGIC);
	kn__buf_u32(out, (uint32_t) columns);
	kn__buf_u32(out, (uint32_t) rows);
	for (int i = 0; i < columns; i++)
	{
		const char *name = PQfname(pg, i);

		kn__buf_u32(out, PQftype(pg, i));
		kn__buf_u32(out, (uint32_t) kn__result_format(result, i, known));
		kn__buf_u32(out, (uint32_t) strlen(name));
		kn__buf_add(out, name, strlen(name) + 1);
	}
	for (int row = 0; row < rows; row++)
	{
		for (int i = 0; i < columns; i++)
		{
			int length = PQgetlength(pg, row, i);

			if (PQgetisnull(pg, row, i))
			{
				kn__buf_u32(out, UINT32_MAX);
				continue;
			}
			kn__buf_u32(out, (uint32_t) length);
			kn__buf_add(out, PQgetvalue(pg, row, i), (size_t) length);
		}
	}
	return !out->has_failed;
}

kn__result *
kn__result_thaw(const void *bytes, size_t size)
{
	Reader reader = { .at = bytes, .left = size };
	bool is_ours = read_number(&reader) == MAGIC;
	uint32_t columns = read_number(&reader);
	uint32_t rows = read_number(&reader);
	PGresult *result;

	if (!is_ours || reader.has_failed || columns > MOST_COLUMNS ||
		columns > reader.left / LEAST_COLUMN)
		return NULL;
	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	if (result == NULL)
		return NULL;
	if (thaw_columns(&reader, result, columns) && thaw_rows(&reader, result, rows, columns) &&
		reader.left == 0)
		return (kn__result *) result;
	PQclear(result);
	return NULL;
}

static uint32_t
read_number(Reader *reader)
{
	const char *bytes = read_bytes(reader, 4);

	return bytes == NULL ? 0 : kn__load_u32(bytes);
}

static const char *
read_bytes(Reader *reader, size_t size)
{
	const char *bytes = reader->at;

	if (reader->has_failed || size > reader->left)
	{
		reader->has_failed = true;
		return NULL;
	}
	reader->at += size;
	reader->left -= size;
	return bytes;
}

static bool
thaw_columns(Reader *reader, PGresult *result, uint32_t columns)
{
	/* Of the result's memory, and not of the stack: they can be many. */
	PGresAttDesc *shape = PQresultAlloc(result, (columns + 1) * sizeof(shape[0]));

	if (shape == NULL)
		return false;
	memset(shape, 0, columns * sizeof(shape[0]));
	for (uint32_t i = 0; i < columns; i++)
	{
		uint32_t length;
		const char *name;

		shape[i].typid = read_number(reader);
		shape[i].format = (int) (read_number(reader) &
								 (KN__FORMAT_BINARY | KN__FORMAT_TEXTS | KN__FORMAT_AS_TEXT));
		shape[i].typlen = -1;
		length = read_number(reader);
		name = length < UINT32_MAX ? read_bytes(reader, (size_t) length + 1) : NULL;
		if (name == NULL || name[length] != '\0')
			return false;
		/* libpq copies it. */
		shape[i].name = (char *) (uintptr_t) name;
	}
	return columns == 0 || PQsetResultAttrs(result, (int) columns, shape);
}

static bool
thaw_rows(Reader *reader, PGresult *result, uint32_t rows, uint32_t columns)
{
	if (columns == 0 || rows > reader->left / (columns * (size_t) 4))
		return rows == 0;
	for (uint32_t row = 0; row < rows; row++)
	{
		for (uint32_t i = 0; i < columns; i++)
		{
			uint32_t length = read_number(reader);
			bool is_null = length == UINT32_MAX;
			const char *value = is_null ? NULL : read_bytes(reader, length);

			if (reader->has_failed || (!is_null && length > INT32_MAX) ||
				!PQsetvalue(result,
							(int) row,
							(int) i,
							(char *) (uintptr_t) value,
							is_null ? -1 : (int) length))
				return false;
		}
	}
	return true;
}
