/*
 * kints/value.h
 *		A value on its way to or from the server.
 *
 * A kn_value is small, copied freely, and owns nothing: text, bytes and arrays
 * in it are borrowed from whoever made it.  One that comes out of a row lives
 * as long as the row; kn_copy_value() makes it live as long as the context.  One that is sent has
 * to live until the call returns, in a batch until that has run.
 *
 * Functions here cannot fail: what cannot be sent is KN_DATA where it is sent.
 *
 * Threads: values are plain data; functions here keep no state, and may be called from any thread.
 */
#ifndef KINTS_VALUE_H
#define KINTS_VALUE_H

#include "kints/base.h"

KN_BEGIN_DECLS

/* Kinds of values: X(name, what holds it). */
#define KN_TYPES(X)                                                                            \
	X(NULL, "nothing")                                                                         \
	X(BOOL, "as.b")                                                                            \
	X(I16, "as.i")                                                                             \
	X(I32, "as.i")                                                                             \
	X(I64, "as.i")                                                                             \
	X(F32, "as.d")                                                                             \
	X(F64, "as.d")                                                                             \
	X(TEXT, "as.p and n; any type that has no codec comes as this, in the server's own words") \
	X(BYTES, "as.p and n")                                                                     \
	X(UUID, "as.uuid")                                                                         \
	X(NUMERIC, "as.p and n: decimal digits as text, NaN, Infinity or -Infinity")               \
	X(DATE, "as.i: days since 1970-01-01, or KN_DATE_INFINITY, -KN_DATE_INFINITY")             \
	X(TIME, "as.i: microseconds since midnight")                                               \
	X(TIMESTAMP, "as.i: microseconds since 1970-01-01 00:00, without a time zone")             \
	X(TIMESTAMPTZ, "as.i: microseconds since 1970-01-01 00:00 UTC")                            \
	X(INTERVAL, "as.interval")                                                                 \
	X(JSON, "as.p and n: text; for json and jsonb")                                            \
	X(INET, "as.p and n: text; for inet and cidr")                                             \
	X(ARRAY, "as.array")

typedef enum kn_type
{
#define X(name, where) KN_TYPE_##name,
	KN_TYPES(X)
#undef X
	KN_TYPE_COUNT
} kn_type;

/* "I64"; for a number that is no type "UNKNOWN".  Static text. */
KN_API const char *kn_type_name(kn_type type);

#define KN_DATE_INFINITY INT32_MAX /* days; the earliest is the negative of it */
#define KN_TIME_INFINITY INT64_MAX /* microseconds; likewise */

typedef struct kn_uuid
{
	uint8_t b[16];
} kn_uuid;

/* A point in time: microseconds since 1970-01-01 00:00 UTC. */
typedef struct kn_time
{
	int64_t usec;
} kn_time;

/* A day: days since 1970-01-01. */
typedef struct kn_date
{
	int32_t days;
} kn_date;

/* Three parts, as PostgreSQL has them: a month is no number of days, and a day no number of hours.
 */
typedef struct kn_interval
{
	int64_t usec; /* microseconds */
	int32_t days;
	int32_t months;
} kn_interval;

struct kn_value;

/* All elements, row by row, in items; NULL elements are of KN_TYPE_NULL. */
typedef struct kn_array
{
	const struct kn_value *items;
	const int32_t *sizes;        /* of each dimension */
	const int32_t *lower_bounds; /* of each dimension; NULL: 1 */
	int32_t dimensions;          /* 0: an empty array; 6 at the most */
	kn_type element;
} kn_array;

typedef struct kn_value
{
	uint8_t type; /* kn_type */
	uint32_t
		oid; /* the server's type, 0: what the kind implies, or whatever the server takes it for */
	uint32_t n; /* bytes behind as.p; elements of an array */
	union
	{
		bool b;
		int64_t i;
		double d;
		const void *p;
		kn_uuid uuid;
		kn_interval interval;
		const kn_array *array;
	} as;
} kn_value;

/*
 * One of each kind.  Text without a length ends with a NUL; a NULL pointer is
 * the SQL NULL.  Text goes out untyped, so that the server takes it for
 * whatever the place asks for: an enum, a date, json.  Lengths are in bytes; of all
 * values of a statement together they are a little less than 1 GiB at the most, or it is KN_DATA:
 * no message to the server is longer.  An array of text is text[]; for one of an enum the SQL has a
 * cast, $1::mood[], or the value is kn_as() of the array's OID.
 */
KN_API kn_value kn_null(void);
KN_API kn_value kn_bool(bool value);
KN_API kn_value kn_i16(int16_t value);
KN_API kn_value kn_i32(int32_t value);
KN_API kn_value kn_i64(int64_t value);
KN_API kn_value kn_f32(float value);
KN_API kn_value kn_f64(double value);
KN_API kn_value kn_text(const char *value);
KN_API kn_value kn_text_of(kn_str value);
KN_API kn_value kn_bytes(const void *bytes, size_t length);
KN_API kn_value kn_uuid_of(kn_uuid value);
/* Decimal digits, such as "-12.50", or "NaN", "Infinity", "-Infinity". */
KN_API kn_value kn_numeric(const char *digits);
KN_API kn_value kn_date_of(kn_date value);
KN_API kn_value kn_timestamptz(kn_time value);
/* Microseconds since 1970-01-01 00:00, without a time zone. */
KN_API kn_value kn_timestamp(int64_t usec);
/* Microseconds since midnight, 0 to 86400000000. */
KN_API kn_value kn_time_of_day(int64_t usec);
KN_API kn_value kn_interval_of(kn_interval value);
KN_API kn_value kn_json(const char *text);
KN_API kn_value kn_inet(const char *text);
/* Borrows the array with its items and sizes. */
KN_API kn_value kn_array_of(const kn_array *array);
/* The value itself: what kn_v() makes of one. */
KN_API kn_value kn_same(kn_value value);
/* The same value, sent as the server's type of that OID; 0: as the kind implies. */
KN_API kn_value kn_as(kn_value value, uint32_t oid);

/*
 * kn_v(x): the value of a C expression, by its type: bool, short, int, long, long long, float,
 * double, text (char *), kn_str, kn_uuid, kn_date, kn_time, kn_interval, and a kn_value as it is.
 * true and false are ints in C11, and sent as ints: kn_bool(true), or a variable of type bool, is a
 * boolean.
 *
 * Anything else does not compile, and says with a function above, or a cast, what it is meant as.
 * PostgreSQL has no unsigned integers: one that fits is kn_i64((int64_t) x), and a uint64_t that
 * may not fit is kn_numeric() of its digits.  An enum of C is kn_i32(x); bytes are kn_bytes(p, n);
 * arrays kn_array_of(); NULL of no type is kn_null().
 */
#ifndef __cplusplus
#define kn_v(x) \
	_Generic((x),                  \
		bool: kn_bool,             \
		short: kn_i16,             \
		int: kn_i32,               \
		long: kn_i64,              \
		long long: kn_i64,         \
		float: kn_f32,             \
		double: kn_f64,            \
		char *: kn_text,           \
		const char *: kn_text,     \
		kn_str: kn_text_of,        \
		kn_uuid: kn_uuid_of,       \
		kn_date: kn_date_of,       \
		kn_time: kn_timestamptz,   \
		kn_interval: kn_interval_of, \
		kn_value: kn_same)(x)
#else
KN_END_DECLS
inline kn_value
kn_v(bool x)
{
	return kn_bool(x);
}
inline kn_value
kn_v(short x)
{
	return kn_i16(x);
}
inline kn_value
kn_v(int x)
{
	return kn_i32(x);
}
inline kn_value
kn_v(long x)
{
	return kn_i64(x);
}
inline kn_value
kn_v(long long x)
{
	return kn_i64(x);
}
inline kn_value
kn_v(float x)
{
	return kn_f32(x);
}
inline kn_value
kn_v(double x)
{
	return kn_f64(x);
}
inline kn_value
kn_v(const char *x)
{
	return kn_text(x);
}
inline kn_value
kn_v(decltype(nullptr))
{
	return kn_null();
}
/* Any other pointer would go as a boolean. */
kn_value kn_v(const volatile void *) = delete;
template <class R, class... A> kn_value kn_v(R (*)(A...)) = delete;
template <class T, class C> kn_value kn_v(T C::*) = delete;
inline kn_value
kn_v(kn_str x)
{
	return kn_text_of(x);
}
inline kn_value
kn_v(kn_uuid x)
{
	return kn_uuid_of(x);
}
inline kn_value
kn_v(kn_date x)
{
	return kn_date_of(x);
}
inline kn_value
kn_v(kn_time x)
{
	return kn_timestamptz(x);
}
inline kn_value
kn_v(kn_interval x)
{
	return kn_interval_of(x);
}
inline kn_value
kn_v(kn_value x)
{
	return x;
}
KN_BEGIN_DECLS
#endif

KN_END_DECLS

#endif
