/*
 * row.c
 *		A row as COPY's binary format has it: how many fields, and each with its length.
 *
 * What most rows are made of goes a short way, for millions of them are written at a time; the
 * rest goes by kn__encode_field().
 */
#include "data/data.h"

#include <string.h>

#define INT4   23
#define INT8   20
#define FLOAT8 701
#define TEXT   25

static bool put_short(char *at, const kn_value *value, uint32_t oid, size_t *size);
static bool put_text(kn__buf *buf, const kn_value *value, uint32_t oid);

kn_status
kn__row_encode(kn__buf *buf, const kn_value *values, int count, const uint32_t *oids, int *column,
			   const char **why)
{
	size_t begin = buf->length;
	size_t most = 2 + (size_t) count * 12;
	char *at = kn__buf_room(buf, most);

	*column = -1;
	*why = "out of memory";
	if (at == NULL)
		return KN_NO_MEMORY;
	at[0] = (char) (count >> 8);
	at[1] = (char) count;
	kn__buf_count(buf, 2);
	for (int i = 0; i < count; i++)
	{
		size_t size;
		kn_status status;

		at = kn__buf_room(buf, 12);
		if (at != NULL && put_short(at, &values[i], oids[i], &size))
		{
			buf->length += size;
			continue;
		}
		if (put_text(buf, &values[i], oids[i]))
			continue;
		*column = i;
		status = kn__encode_field(buf, &values[i], oids[i], why);
		if (status == KN_OK)
			continue;
		kn__buf_cut(buf, begin);
		return status;
	}
	*column = -1;
	return KN_OK;
}

/* A number that is of its column's very type, and NULL; there is room for twelve bytes. */
static bool
put_short(char *at, const kn_value *value, uint32_t oid, size_t *size)
{
	uint64_t bits;

	switch (value->type)
	{
		case KN_TYPE_NULL:
			kn__store_u32(at, UINT32_MAX);
			*size = 4;
			return true;
		case KN_TYPE_I32:
			if (oid != INT4 || value->as.i != (int32_t) value->as.i)
				return false;
			kn__store_u32(at, 4);
			kn__store_u32(at + 4, (uint32_t) value->as.i);
			*size = 8;
			return true;
		case KN_TYPE_I64:
			if (oid != INT8)
				return false;
			bits = (uint64_t) value->as.i;
			break;
		case KN_TYPE_F64:
			if (oid != FLOAT8)
				return false;
			memcpy(&bits, &value->as.d, sizeof(bits));
			break;
		default:
			return false;
	}
	kn__store_u32(at, 8);
	kn__store_u32(at + 4, (uint32_t) (bits >> 32));
	kn__store_u32(at + 8, (uint32_t) bits);
	*size = 12;
	return true;
}

static bool
put_text(kn__buf *buf, const kn_value *value, uint32_t oid)
{
	char *at;

	if (value->type != KN_TYPE_TEXT || oid != TEXT || value->n > INT32_MAX)
		return false;
	at = kn__buf_room(buf, 4 + (size_t) value->n);
	if (at == NULL)
		return false;
	kn__store_u32(at, value->n);
	if (value->n > 0)
		memcpy(at + 4, value->as.p, value->n);
	buf->length += 4 + (size_t) value->n;
	return true;
}

bool
kn__row_decode(const char *bytes, size_t length, int count, kn__field *fields)
{
	const char *end = bytes + length;

	if (length < 2 || kn__load_u16(bytes) != count)
		return false;
	bytes += 2;
	for (int i = 0; i < count; i++)
	{
		int32_t n;

		if (end - bytes < 4)
			return false;
		n = (int32_t) kn__load_u32(bytes);
		bytes += 4;
		if (n < -1 || n > end - bytes)
			return false;
		fields[i] = (kn__field){ n < 0 ? NULL : bytes, n };
		if (n > 0)
			bytes += n;
	}
	return bytes == end;
}
