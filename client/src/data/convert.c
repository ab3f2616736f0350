/*
 * convert.c
 *		Values as what a program asks for: exactly, or not at all.
 */
#include "data/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char is_null[] = "it is NULL";
static const char is_other[] = "it is of another type";

static kn_status numeric_to_int(kn_str digits, int64_t *out, const char **why);
static size_t print_float(double d, bool single, char *out, size_t room);
static size_t print_uuid(const kn_uuid *uuid, char *out);

static kn_status
refuse(const kn_value *value, const char **why)
{
	*why = value->type == KN_TYPE_NULL ? is_null : is_other;
	return KN_DATA;
}

kn_status
kn__to_bool(const kn_value *value, bool *out, const char **why)
{
	if (value->type != KN_TYPE_BOOL)
		return refuse(value, why);
	*out = value->as.b;
	return KN_OK;
}

kn_status
kn__to_int(const kn_value *value, int64_t least, int64_t most, int64_t *out, const char **why)
{
	kn_status status;

	switch (value->type)
	{
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
			*out = value->as.i;
			break;
		case KN_TYPE_NUMERIC:
			status = numeric_to_int((kn_str){ value->as.p, value->n }, out, why);
			if (status != KN_OK)
				return status;
			break;
		default:
			return refuse(value, why);
	}
	*why = "it is out of range";
	return *out >= least && *out <= most ? KN_OK : KN_DATA;
}

static kn_status
numeric_to_int(kn_str digits, int64_t *out, const char **why)
{
	size_t i = digits.n > 0 && digits.p[0] == '-';
	bool is_negative = i > 0;
	int64_t value = 0;

	*why = "it is no whole number";
	if (i == digits.n || (i + 1 == digits.n && digits.p[i] == '.'))
		return KN_DATA;
	for (; i < digits.n && digits.p[i] != '.'; i++)
	{
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return KN_DATA;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, digits.p[i] - '0', &value))
		{
			*why = "it is out of range";
			return KN_DATA;
		}
	}
	for (i++; i < digits.n; i++)
	{
		if (digits.p[i] != '0')
			return KN_DATA;
	}
	*why = "it is out of range";
	if (!is_negative && value == INT64_MIN)
		return KN_DATA;
	*out = is_negative ? value : -value;
	return KN_OK;
}

bool
kn__is_double(int64_t number)
{
	double d = (double) number;

	return d < 9223372036854775808.0 && (int64_t) d == number;
}

kn_status
kn__to_double(const kn_value *value, bool single, double *out, const char **why)
{
	switch (value->type)
	{
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			*out = value->as.d;
			break;
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
			*why = "it has more digits than a double";
			if (!kn__is_double(value->as.i))
				return KN_DATA;
			*out = (double) value->as.i;
			break;
		default:
			return refuse(value, why);
	}
	*why = "it has more digits than a float";
	return single && !isnan(*out) && (double) (float) *out != *out ? KN_DATA : KN_OK;
}

kn_status
kn__to_text(kn__arena *arena, const kn_value *value, kn_str *out, const char **why)
{
	char text[KN__TIME_ROOM];
	size_t length;

	switch (value->type)
	{
		case KN_TYPE_TEXT:
		case KN_TYPE_BYTES:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			*out = (kn_str){ value->as.p, value->n };
			return KN_OK;
		case KN_TYPE_BOOL:
			*out = value->as.b ? (kn_str){ "true", 4 } : (kn_str){ "false", 5 };
			return KN_OK;
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
			length = (size_t) snprintf(text, sizeof(text), "%lld", (long long) value->as.i);
			break;
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			length = print_float(value->as.d, value->type == KN_TYPE_F32, text, sizeof(text));
			break;
		case KN_TYPE_UUID:
			length = print_uuid(&value->as.uuid, text);
			break;
		case KN_TYPE_DATE:
		case KN_TYPE_TIME:
		case KN_TYPE_TIMESTAMP:
		case KN_TYPE_TIMESTAMPTZ:
		case KN_TYPE_INTERVAL:
			length = kn__time_print(value, text);
			break;
		default:
			return refuse(value, why);
	}
	out->p = kn__arena_copy(arena, text, length);
	out->n = length;
	*why = "out of memory";
	return out->p == NULL ? KN_NO_MEMORY : KN_OK;
}

/* As few digits as bring the same number back. */
static size_t
print_float(double d, bool single, char *out, size_t room)
{
	int most = single ? 9 : 17;
	int length = 0;
	char point[8];
	size_t point_length;
	char *found;

	if (isnan(d))
		return (size_t) snprintf(out, room, "NaN");
	if (isinf(d))
		return (size_t) snprintf(out, room, "%sInfinity", d < 0 ? "-" : "");
	for (int digits = single ? 6 : 15; digits <= most; digits++)
	{
		length = snprintf(out, room, "%.*g", digits, d);
		if (single ? strtof(out, NULL) == (float) d : strtod(out, NULL) == d)
			break;
	}
	/* A point it is, whatever the locale of the program has for one. */
	point_length = kn__decimal_point(point);
	found = strcmp(point, ".") == 0 ? NULL : strstr(out, point);
	if (found == NULL)
		return (size_t) length;
	*found = '.';
	memmove(found + 1, found + point_length, strlen(found + point_length) + 1);
	return strlen(out);
}

size_t
kn__decimal_point(char *out)
{
	char text[16];
	int length =
		snprintf(text, sizeof(text), "%.1f", 0.5); /* unlike localeconv(), for all threads */

	if (length < 3 || length > 9)
		length = snprintf(text, sizeof(text), "0.5");
	memcpy(out, text + 1, (size_t) length - 2);
	out[length - 2] = '\0';
	return (size_t) length - 2;
}

static size_t
print_uuid(const kn_uuid *uuid, char *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[uuid->b[i] >> 4];
		out[at++] = hex[uuid->b[i] & 15];
	}
	out[at] = '\0';
	return at;
}
