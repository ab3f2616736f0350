/*
 * row.c
 *		A row as COPY's binary format has it: how many fields, and each with its length.
 *
 * What most rows are made of goes a short way, for millions of them are written at a time; the
 * rest goes by kn__encode_field().
 */
#include "data/data.h"

#include <string.h>

#define INT4       23
#define INT8       20
#define FLOAT8     701
#define TEXT       25
#define ELEMENT_AT 12 /* where the type of its elements is in an array's field */
#define SHORT      12 /* bytes of the longest field that goes the short way whatever is in it */

static char *put_short(char *at, const kn_value *value, uint32_t oid);
static char *put_text(char *at, const char *end, const kn_value *value, uint32_t oid);

/* Short fields have room before they are looked at, those still to come as well. */
kn_status
kn__row_encode(kn__buf *buf, const kn_value *values, int count, const uint32_t *oids,
			   const uint32_t *elements, int *column, const char **why)
{
	size_t begin = buf->length;
	char *at = kn__buf_room(buf, 2 + (size_t) count * SHORT);

	*column = -1;
	*why = "out of memory";
	if (at == NULL)
		return KN_NO_MEMORY;
	at[0] = (char) (count >> 8);
	at[1] = (char) count;
	at += 2;
	for (int i = 0; i < count; i++)
	{
		size_t left = (size_t) (count - 1 - i) * SHORT;
		char *next = put_short(at, &values[i], oids[i]);
		size_t field;
		kn_status status;

		if (next == NULL)
			next = put_text(at, buf->data + buf->capacity - 1 - left, &values[i], oids[i]);
		if (next != NULL)
		{
			at = next;
			continue;
		}
		buf->length = field = (size_t) (at - buf->data);
		status = kn__encode_field(buf, &values[i], oids[i], why);
		if (status == KN_OK && elements != NULL && elements[i] != 0 &&
			values[i].type == KN_TYPE_ARRAY)
			kn__buf_set_u32(buf, field + ELEMENT_AT, elements[i]);
		if (status != KN_OK)
			*column = i;
		else if ((at = kn__buf_room(buf, left)) == NULL)
			status = KN_NO_MEMORY;
		if (status == KN_OK)
			continue;
		kn__buf_cut(buf, begin);
		return status;
	}
	kn__buf_cut(buf, (size_t) (at - buf->data));
	return KN_OK;
}

/* A number that is of its column's very type, and NULL; what comes after it, NULL: neither. */
static char *
put_short(char *at, const kn_value *value, uint32_t oid)
{
	uint64_t bits;

	switch (value->type)
	{
		case KN_TYPE_NULL:
			kn__store_u32(at, UINT32_MAX);
			return at + 4;
		case KN_TYPE_I32:
			if (oid != INT4 || value->as.i != (int32_t) value->as.i)
				return NULL;
			kn__store_u32(at, 4);
			kn__store_u32(at + 4, (uint32_t) value->as.i);
			return at + 8;
		case KN_TYPE_I64:
			if (oid != INT8)
				return NULL;
			bits = (uint64_t) value->as.i;
			break;
		case KN_TYPE_F64:
			if (oid != FLOAT8)
				return NULL;
			memcpy(&bits, &value->as.d, sizeof(bits));
			break;
		default:
			return NULL;
	}
	kn__store_u32(at, 8);
	kn__store_u32(at + 4, (uint32_t) (bits >> 32));
	kn__store_u32(at + 8, (uint32_t) bits);
	return at + 12;
}

/* Text that fits before the end; what comes after it. */
static char *
put_text(char *at, const char *end, const kn_value *value, uint32_t oid)
{
	if (value->type != KN_TYPE_TEXT || oid != TEXT || value->n > INT32_MAX ||
		(size_t) value->n + 4 > (size_t) (end - at))
		return NULL;
	kn__store_u32(at, value->n);
	if (value->n > 0)
		memcpy(at + 4, value->as.p, value->n);
	return at + 4 + value->n;
}

bool
kn__row_decode(const char *bytes, size_t length, int count, kn__field *fields)
{
	size_t left = length - 2;

	if (length < 2 || length > INT32_MAX || kn__load_u16(bytes) != count)
		return false;
	bytes += 2;
	for (kn__field *field = fields; field < fields + count; field++)
	{
		uint32_t n;

		if (left < 4)
			return false;
		n = kn__load_u32(bytes);
		bytes += 4;
		left -= 4;
		if (n <= left)
		{
			*field = (kn__field){ bytes, (int32_t) n };
			bytes += n;
			left -= n;
			continue;
		}
		if (n != UINT32_MAX)
			return false;
		*field = (kn__field){ NULL, -1 };
	}
	return left == 0;
}
