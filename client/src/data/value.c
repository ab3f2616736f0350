/*
 * value.c
 *		Values, one of each kind.
 */
#include "data/data.h"

#include <string.h>

/*
 * Values are made in the place where they are returned: gcc copies one that has a name, as a whole
 * and right after it was written in parts, which holds up the processor for longer than all else.
 *
 * A length is kept in 32 bits; what is longer is longer than any parameter may be.
 */
static kn_value
of_bytes(kn_type type, const void *bytes, size_t length)
{
	if (bytes == NULL)
		return kn_null();
	return (kn_value){ .type = (uint8_t) type,
					   .n = length > UINT32_MAX ? UINT32_MAX : (uint32_t) length,
					   .as.p = bytes };
}

static kn_value
of_text(kn_type type, const char *text)
{
	return text == NULL ? kn_null() : of_bytes(type, text, strlen(text));
}

static kn_value
of_int(kn_type type, int64_t i)
{
	return (kn_value){ .type = (uint8_t) type, .as.i = i };
}

const char *
kn_type_name(kn_type type)
{
	static const char *const names[] = {
#define X(name, where) #name,
		KN_TYPES(X)
#undef X
	};

	return (unsigned) type < KN_TYPE_COUNT ? names[type] : "UNKNOWN";
}

kn_value
kn_null(void)
{
	return (kn_value){ .type = KN_TYPE_NULL };
}

kn_value
kn_bool(bool b)
{
	return (kn_value){ .type = KN_TYPE_BOOL, .as.b = b };
}

kn_value
kn_i16(int16_t i)
{
	return of_int(KN_TYPE_I16, i);
}

KN__HOT kn_value
kn_i32(int32_t i)
{
	return of_int(KN_TYPE_I32, i);
}

KN__HOT kn_value
kn_i64(int64_t i)
{
	return of_int(KN_TYPE_I64, i);
}

kn_value
kn_f32(float d)
{
	return (kn_value){ .type = KN_TYPE_F32, .as.d = (double) d };
}

kn_value
kn_f64(double d)
{
	return (kn_value){ .type = KN_TYPE_F64, .as.d = d };
}

KN__HOT kn_value
kn_text(const char *text)
{
	return of_text(KN_TYPE_TEXT, text);
}

kn_value
kn_text_of(kn_str text)
{
	return of_bytes(KN_TYPE_TEXT, text.p, text.n);
}

kn_value
kn_bytes(const void *bytes, size_t length)
{
	return of_bytes(KN_TYPE_BYTES, bytes, length);
}

kn_value
kn_uuid_of(kn_uuid uuid)
{
	return (kn_value){ .type = KN_TYPE_UUID, .as.uuid = uuid };
}

kn_value
kn_numeric(const char *digits)
{
	return of_text(KN_TYPE_NUMERIC, digits);
}

kn_value
kn_date_of(kn_date date)
{
	return of_int(KN_TYPE_DATE, date.days);
}

kn_value
kn_timestamptz(kn_time time)
{
	return of_int(KN_TYPE_TIMESTAMPTZ, time.usec);
}

kn_value
kn_timestamp(int64_t usec)
{
	return of_int(KN_TYPE_TIMESTAMP, usec);
}

kn_value
kn_time_of_day(int64_t usec)
{
	return of_int(KN_TYPE_TIME, usec);
}

kn_value
kn_interval_of(kn_interval interval)
{
	return (kn_value){ .type = KN_TYPE_INTERVAL, .as.interval = interval };
}

kn_value
kn_json(const char *text)
{
	return of_text(KN_TYPE_JSON, text);
}

kn_value
kn_inet(const char *text)
{
	return of_text(KN_TYPE_INET, text);
}

kn_value
kn_array_of(const kn_array *array)
{
	kn_value value = { .type = KN_TYPE_ARRAY };
	uint64_t count = array == NULL || array->dimensions == 0 ? 0 : 1;

	if (array == NULL)
		return kn_null();
	/* What is wrong with it is told where it is sent. */
	if (array->sizes == NULL || array->dimensions > KN__MOST_DIMENSIONS)
		count = 0;
	for (int i = 0; i < array->dimensions && count > 0 && count <= UINT32_MAX; i++)
		count *= array->sizes[i] < 0 ? 0 : (uint64_t) array->sizes[i];
	value.n = count > UINT32_MAX ? UINT32_MAX : (uint32_t) count;
	value.as.array = array;
	return value;
}

kn_value
kn_same(kn_value value)
{
	return value;
}

kn_value
kn_as(kn_value value, uint32_t oid)
{
	value.oid = oid;
	return value;
}
