/*
 * encode.c
 *		Values as parameters, and as fields of COPY.
 *
 * Numbers, times and the like go in binary; text goes as it is, for the server to
 * take for whatever its place asks for, and arrays of types that nobody knows go as it reads
 * them.  A value that does not fit the type it is to be sent
 * as is an error, never something else.
 */
#include "data/data.h"

#include <float.h>
#include <math.h>
#include <string.h>

static kn_status borrow_text(const kn_value *value, kn__parameter *out);
static kn_status put_value(kn__buf *buf, const kn_value *value, const kn__type *type,
						   const char **why);
static kn_status put_int(kn__buf *buf, const kn_value *value, const kn__type *type,
						 const char **why);
static kn_status put_float(kn__buf *buf, const kn_value *value, const kn__type *type,
						   const char **why);
static kn_status put_time(kn__buf *buf, const kn_value *value, const kn__type *type,
						  const char **why);
static kn_status put_text(kn__buf *buf, const kn_value *value, const kn__type *type,
						  const char **why);
static bool is_int(const kn_value *value);

kn_status
kn__encode(kn__buf *buf, const kn_value *value, kn__parameter *out, const char **why)
{
	bool is_array = false;
	const kn__type *type;
	kn_status status;

	*out = (kn__parameter){ .oid = value->oid, .format = 1, .length = -1, .offset = buf->length };
	switch (value->type)
	{
		case KN_TYPE_NULL:
			return KN_OK;
		case KN_TYPE_I64:
			/* The usual key: no more is done for it than it takes. */
			if (value->oid != 0)
				break;
			out->oid = kn__type_oid(KN_TYPE_I64);
			out->length = sizeof(int64_t);
			kn__buf_u64(buf, (uint64_t) value->as.i);
			*why = "out of memory";
			return buf->has_failed ? KN_NO_MEMORY : KN_OK;
		case KN_TYPE_TEXT:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
		case KN_TYPE_NUMERIC:
			*why = "it is longer than a parameter may be";
			return borrow_text(value, out);
		case KN_TYPE_BYTES:
			if (value->oid != 0 && value->oid != kn__type_oid(KN_TYPE_BYTES))
				break;
			out->oid = kn__type_oid(KN_TYPE_BYTES);
			out->length = (int32_t) value->n;
			out->data = value->as.p;
			*why = "it is longer than a parameter may be";
			return value->n > INT32_MAX ? KN_DATA : KN_OK;
		case KN_TYPE_ARRAY:
			if (value->oid == 0)
				out->oid = kn__type_array_oid(value->as.array->element);
			break;
		default:
			if (value->oid == 0)
				out->oid = kn__type_oid((kn_type) value->type);
			break;
	}
	type = kn__type_find(out->oid, &is_array);
	*why = "values of its kind cannot be sent as that type";
	out->format = type != NULL;
	if (type == NULL && value->type == KN_TYPE_ARRAY && value->oid != 0)
		status = kn__array_print(buf, value->as.array, why);
	else if (type == NULL || is_array != (value->type == KN_TYPE_ARRAY))
		return KN_DATA;
	else
		status = is_array ? kn__array_encode(buf, value->as.array, type->oid, why)
						  : put_value(buf, value, type, why);
	if (buf->has_failed)
	{
		*why = "out of memory";
		return KN_NO_MEMORY;
	}
	if (status == KN_OK && buf->length - out->offset > INT32_MAX)
	{
		*why = "it is longer than a parameter may be";
		return KN_DATA;
	}
	out->length = (int32_t) (buf->length - out->offset);
	/* Text has a NUL behind it, which is not of it. */
	if (type == NULL && status == KN_OK)
		out->length--;
	return status;
}

static kn_status
borrow_text(const kn_value *value, kn__parameter *out)
{
	if (out->oid == 0)
		out->oid = kn__type_oid((kn_type) value->type);
	out->format = 0;
	out->data = value->as.p;
	out->length = (int32_t) value->n;
	return value->n > INT32_MAX ? KN_DATA : KN_OK;
}

kn_status
kn__encode_field(kn__buf *buf, const kn_value *value, uint32_t oid, const char **why)
{
	size_t begin = buf->length;
	bool is_array = false;
	const kn__type *type = kn__type_find(oid, &is_array);
	kn_status status;

	if (value->type == KN_TYPE_NULL)
	{
		kn__buf_u32(buf, UINT32_MAX);
		*why = "out of memory";
		return buf->has_failed ? KN_NO_MEMORY : KN_OK;
	}
	*why = "values of its kind cannot be sent as that type";
	if (type == NULL || is_array != (value->type == KN_TYPE_ARRAY))
		return KN_DATA;
	kn__buf_u32(buf, 0);
	status = is_array ? kn__array_encode(buf, value->as.array, type->oid, why)
					  : put_value(buf, value, type, why);
	if (buf->has_failed)
	{
		*why = "out of memory";
		return KN_NO_MEMORY;
	}
	if (status != KN_OK)
		return status;
	*why = "it is longer than a field may be";
	if (buf->length - begin - 4 > INT32_MAX)
		return KN_DATA;
	kn__buf_set_u32(buf, begin, (uint32_t) (buf->length - begin - 4));
	return KN_OK;
}

/* The binary form of a value as that type, behind what is there. */
static kn_status
put_value(kn__buf *buf, const kn_value *value, const kn__type *type, const char **why)
{
	kn_type kind = (kn_type) value->type;

	*why = "values of its kind cannot be sent as that type";
	switch (type->kind)
	{
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
			return put_int(buf, value, type, why);
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			return put_float(buf, value, type, why);
		case KN_TYPE_TEXT:
		case KN_TYPE_JSON:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_INET:
			return put_text(buf, value, type, why);
		case KN_TYPE_DATE:
		case KN_TYPE_TIME:
		case KN_TYPE_TIMESTAMP:
		case KN_TYPE_TIMESTAMPTZ:
			return kind == type->kind ? put_time(buf, value, type, why) : KN_DATA;
		default:
			break;
	}
	if (kind != type->kind)
		return KN_DATA;
	switch (kind)
	{
		case KN_TYPE_BOOL:
			kn__buf_add(buf, value->as.b ? "\001" : "", 1);
			return KN_OK;
		case KN_TYPE_BYTES:
			kn__buf_add(buf, value->as.p, value->n);
			return KN_OK;
		case KN_TYPE_UUID:
			kn__buf_add(buf, value->as.uuid.b, sizeof(value->as.uuid.b));
			return KN_OK;
		case KN_TYPE_INTERVAL:
			kn__buf_u64(buf, (uint64_t) value->as.interval.usec);
			kn__buf_u32(buf, (uint32_t) value->as.interval.days);
			kn__buf_u32(buf, (uint32_t) value->as.interval.months);
			return KN_OK;
		default:
			return KN_DATA;
	}
}

static bool
is_int(const kn_value *value)
{
	return value->type == KN_TYPE_I16 || value->type == KN_TYPE_I32 || value->type == KN_TYPE_I64;
}

static kn_status
put_int(kn__buf *buf, const kn_value *value, const kn__type *type, const char **why)
{
	bool is_oid = type->oid == 26;
	int64_t most = type->kind == KN_TYPE_I16   ? INT16_MAX
				   : is_oid                    ? UINT32_MAX
				   : type->kind == KN_TYPE_I32 ? INT32_MAX
											   : INT64_MAX;
	int64_t least = is_oid ? 0 : -most - 1;

	if (!is_int(value))
		return KN_DATA;
	*why = "it is out of range for that type";
	if (value->as.i < least || value->as.i > most)
		return KN_DATA;
	if (type->kind == KN_TYPE_I16)
		kn__buf_u16(buf, (uint16_t) value->as.i);
	else if (type->kind == KN_TYPE_I32 || is_oid)
		kn__buf_u32(buf, (uint32_t) value->as.i);
	else
		kn__buf_u64(buf, (uint64_t) value->as.i);
	return KN_OK;
}

static kn_status
put_float(kn__buf *buf, const kn_value *value, const kn__type *type, const char **why)
{
	double d;
	uint64_t bits;

	if (value->type == KN_TYPE_F32 || value->type == KN_TYPE_F64)
		d = value->as.d;
	else if (is_int(value) && kn__is_double(value->as.i))
		d = (double) value->as.i;
	else
		return KN_DATA;
	if (type->kind == KN_TYPE_F32)
	{
		float f = isfinite(d) && fabs(d) > (double) FLT_MAX ? (float) INFINITY : (float) d;
		uint32_t half;

		*why = "it loses digits as real";
		if (!isnan(d) && (double) f != d)
			return KN_DATA;
		memcpy(&half, &f, sizeof(half));
		kn__buf_u32(buf, half);
		return KN_OK;
	}
	memcpy(&bits, &d, sizeof(bits));
	kn__buf_u64(buf, bits);
	return KN_OK;
}

static kn_status
put_time(kn__buf *buf, const kn_value *value, const kn__type *type, const char **why)
{
	int64_t i = value->as.i;

	*why = "it is out of range for that type";
	if (type->kind == KN_TYPE_TIME)
	{
		if (i < 0 || i > KN__USEC_PER_DAY)
			return KN_DATA;
		kn__buf_u64(buf, (uint64_t) i);
		return KN_OK;
	}
	if (type->kind == KN_TYPE_DATE)
	{
		if (i == KN_DATE_INFINITY || i == -KN_DATE_INFINITY)
			i = i > 0 ? INT32_MAX : INT32_MIN;
		else if ((i -= KN__EPOCH_DAYS) <= INT32_MIN || i >= INT32_MAX)
			return KN_DATA;
		kn__buf_u32(buf, (uint32_t) i);
		return KN_OK;
	}
	if (i == KN_TIME_INFINITY || i == -KN_TIME_INFINITY)
		i = i > 0 ? INT64_MAX : INT64_MIN;
	else if (i < INT64_MIN + KN__EPOCH_USEC + 1)
		return KN_DATA;
	else
		i -= KN__EPOCH_USEC;
	kn__buf_u64(buf, (uint64_t) i);
	return KN_OK;
}

/* What is text here, as text or as what it stands for. */
static kn_status
put_text(kn__buf *buf, const kn_value *value, const kn__type *type, const char **why)
{
	kn_str text = { value->as.p, value->n };
	bool is_text = value->type == KN_TYPE_TEXT;

	if (!is_text && value->type != type->kind)
		return KN_DATA;
	switch (type->kind)
	{
		case KN_TYPE_NUMERIC:
			return kn__numeric_encode(buf, text, why);
		case KN_TYPE_INET:
			return kn__inet_encode(buf, text, type->oid == 650, why);
		default:
			if (type->oid == 3802)
				kn__buf_add(buf, "\001", 1); /* the version of jsonb */
			kn__buf_add(buf, text.p, text.n);
			return KN_OK;
	}
}
