/*
 * decode.c
 *		What the server sent, as values.
 */
#include "data/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static kn_status decode_binary(kn__arena *arena, const kn__type *type, const char *bytes,
							   size_t length, kn_value *out, const char **why);
static kn_status decode_number(const kn__type *type, const char *bytes, size_t length,
							   kn_value *out);
static kn_status decode_time(const kn__type *type, const char *bytes, size_t length, kn_value *out,
							 const char **why);
static kn_status decode_text(kn__arena *arena, const kn__type *type, kn_str text, kn_value *out,
							 const char **why);
static kn_status parse_int(kn_str text, kn_type kind, kn_value *out);
static kn_status parse_float(kn_str text, kn_value *out);
static bool is_special(kn_str text, double *out);
static kn_status parse_uuid(kn_str text, kn_value *out);
static kn_status parse_bytes(kn__arena *arena, kn_str text, kn_value *out, const char **why);
static int hex_digit(char c);

static const char no_form[] = "its type has no binary form that is known";

kn_status
kn__decode(kn__arena *arena, uint32_t oid, int format, const char *bytes, int32_t length,
		   kn_value *out, const char **why)
{
	bool is_array;
	const kn__type *type = kn__type_find(oid, &is_array);

	out->type = KN_TYPE_NULL;
	out->oid = oid;
	out->n = 0;
	out->as.i = 0;
	if (length < 0)
		return KN_OK;
	if (type == NULL && (format == KN__FORMAT_TEXT || (format & KN__FORMAT_AS_TEXT) != 0))
	{
		out->type = KN_TYPE_TEXT;
		out->n = (uint32_t) length;
		out->as.p = bytes;
		return KN_OK;
	}
	if (type == NULL && (format & KN__FORMAT_TEXTS) == 0)
	{
		*why = no_form;
		return KN_DATA;
	}
	if (type == NULL || is_array)
	{
		kn_status status =
			(format & KN__FORMAT_BINARY) != 0
				? kn__array_decode(arena, type, bytes, (size_t) length, out, why)
				: kn__array_parse(arena, type, (kn_str){ bytes, (size_t) length }, out, why);

		out->oid = oid;
		if (status == KN_DATA && type == NULL && (format & KN__FORMAT_BINARY) != 0)
			*why = no_form;
		return status;
	}
	out->type = (uint8_t) type->kind;
	if (format != KN__FORMAT_BINARY)
		return decode_text(arena, type, (kn_str){ bytes, (size_t) length }, out, why);
	*why = "the message is not of its type's length";
	return decode_binary(arena, type, bytes, (size_t) length, out, why);
}

static kn_status
decode_binary(kn__arena *arena, const kn__type *type, const char *bytes, size_t length,
			  kn_value *out, const char **why)
{
	kn_str text = { bytes, length };
	kn_status status = KN_OK;

	switch (type->kind)
	{
		case KN_TYPE_BOOL:
			out->as.b = length == 1 && bytes[0] != 0;
			return length == 1 ? KN_OK : KN_DATA;
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			return decode_number(type, bytes, length, out);
		case KN_TYPE_UUID:
			if (length != sizeof(out->as.uuid.b))
				return KN_DATA;
			memcpy(out->as.uuid.b, bytes, length);
			return KN_OK;
		case KN_TYPE_DATE:
		case KN_TYPE_TIME:
		case KN_TYPE_TIMESTAMP:
		case KN_TYPE_TIMESTAMPTZ:
		case KN_TYPE_INTERVAL:
			return decode_time(type, bytes, length, out, why);
		case KN_TYPE_NUMERIC:
			status = kn__numeric_decode(arena, bytes, length, &text, why);
			break;
		case KN_TYPE_INET:
			status = kn__inet_decode(arena, bytes, length, &text, why);
			break;
		case KN_TYPE_JSON:
			if (type->oid != 3802)
				break;
			*why = "it is of a version of jsonb that is not known";
			if (length < 1 || bytes[0] != 1)
				return KN_DATA;
			text = (kn_str){ bytes + 1, length - 1 };
			break;
		default:
			break;
	}
	out->as.p = text.p;
	out->n = (uint32_t) text.n;
	return status;
}

static kn_status
decode_number(const kn__type *type, const char *bytes, size_t length, kn_value *out)
{
	size_t size = type->kind == KN_TYPE_I16                      ? 2
				  : type->kind == KN_TYPE_I32 || type->oid == 26 ? 4
				  : type->kind == KN_TYPE_F32                    ? 4
																 : 8;

	if (length != size)
		return KN_DATA;
	switch (type->kind)
	{
		case KN_TYPE_I16:
			out->as.i = (int16_t) kn__load_u16(bytes);
			break;
		case KN_TYPE_I32:
			out->as.i = (int32_t) kn__load_u32(bytes);
			break;
		case KN_TYPE_F32:
		{
			uint32_t bits = kn__load_u32(bytes);
			float f;

			memcpy(&f, &bits, sizeof(f));
			out->as.d = (double) f;
			break;
		}
		case KN_TYPE_F64:
		{
			uint64_t bits = kn__load_u64(bytes);

			memcpy(&out->as.d, &bits, sizeof(bits));
			break;
		}
		default:
			out->as.i = size == 4 ? (int64_t) kn__load_u32(bytes) : (int64_t) kn__load_u64(bytes);
			break;
	}
	return KN_OK;
}

static kn_status
decode_time(const kn__type *type, const char *bytes, size_t length, kn_value *out, const char **why)
{
	size_t size = type->kind == KN_TYPE_DATE ? 4 : type->kind == KN_TYPE_INTERVAL ? 16 : 8;
	int64_t i;

	if (length != size)
		return KN_DATA;
	if (type->kind == KN_TYPE_INTERVAL)
	{
		out->as.interval.usec = (int64_t) kn__load_u64(bytes);
		out->as.interval.days = (int32_t) kn__load_u32(bytes + 8);
		out->as.interval.months = (int32_t) kn__load_u32(bytes + 12);
		return KN_OK;
	}
	if (type->kind == KN_TYPE_DATE)
	{
		bool is_infinite;

		i = (int32_t) kn__load_u32(bytes);
		is_infinite = i == INT32_MAX || i == INT32_MIN;
		if (is_infinite)
			i = i > 0 ? KN_DATE_INFINITY : -KN_DATE_INFINITY;
		else
			i += KN__EPOCH_DAYS;
		*why = "it is out of range";
		out->as.i = i;
		return i < KN_DATE_INFINITY || is_infinite ? KN_OK : KN_DATA;
	}
	i = (int64_t) kn__load_u64(bytes);
	out->as.i = i;
	if (type->kind == KN_TYPE_TIME)
	{
		*why = "it is out of range";
		return i >= 0 && i <= KN__USEC_PER_DAY ? KN_OK : KN_DATA;
	}
	if (i == INT64_MAX || i == INT64_MIN)
		out->as.i = i > 0 ? KN_TIME_INFINITY : -KN_TIME_INFINITY;
	else
	{
		*why = "it is out of range: the year is 294247 or later";
		if (i > INT64_MAX - KN__EPOCH_USEC - 1)
			return KN_DATA;
		out->as.i = i + KN__EPOCH_USEC;
	}
	return KN_OK;
}

static kn_status
decode_text(kn__arena *arena, const kn__type *type, kn_str text, kn_value *out, const char **why)
{
	kn_status status;
	uint32_t oid = out->oid;

	*why = "it is not what its type prints";
	switch (type->kind)
	{
		case KN_TYPE_BOOL:
			out->as.b = text.n == 1 && *text.p == 't';
			return text.n == 1 && (*text.p == 't' || *text.p == 'f') ? KN_OK : KN_DATA;
		case KN_TYPE_I16:
		case KN_TYPE_I32:
		case KN_TYPE_I64:
			return parse_int(text, type->kind, out);
		case KN_TYPE_F32:
		case KN_TYPE_F64:
			return parse_float(text, out);
		case KN_TYPE_UUID:
			return parse_uuid(text, out);
		case KN_TYPE_BYTES:
			return parse_bytes(arena, text, out, why);
		case KN_TYPE_DATE:
		case KN_TYPE_TIME:
		case KN_TYPE_TIMESTAMP:
		case KN_TYPE_TIMESTAMPTZ:
		case KN_TYPE_INTERVAL:
			status = kn__time_parse(type->kind, text, out, why);
			out->oid = oid;
			return status;
		default:
			out->as.p = text.p;
			out->n = (uint32_t) text.n;
			return KN_OK;
	}
}

static kn_status
parse_int(kn_str text, kn_type kind, kn_value *out)
{
	int64_t most = kind == KN_TYPE_I16 ? INT16_MAX : kind == KN_TYPE_I32 ? INT32_MAX : INT64_MAX;
	bool is_negative = text.n > 0 && *text.p == '-';
	int64_t value = 0;

	if (text.n == (size_t) is_negative)
		return KN_DATA;
	for (size_t i = is_negative; i < text.n; i++)
	{
		int digit = text.p[i] - '0';

		/* Downwards, for there is one more of these. */
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, digit, &value))
			return KN_DATA;
	}
	if (value < -most - (is_negative ? 1 : 0))
		return KN_DATA;
	out->as.i = is_negative ? value : -value;
	return KN_OK;
}

/*
 * The standard library reads the point of the program's locale, and much that the server
 * does not print.
 */
static kn_status
parse_float(kn_str text, kn_value *out)
{
	char copy[80];
	char *end;

	if (text.n == 0 || text.n >= 64)
		return KN_DATA;
	if (is_special(text, &out->as.d))
		return KN_OK;
	for (size_t i = 0; i < text.n; i++)
	{
		char c = text.p[i];

		if ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != 'e')
			return KN_DATA;
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	for (int attempt = 0; attempt < 2; attempt++)
	{
		out->as.d = out->type == KN_TYPE_F32 ? (double) strtof(copy, &end) : strtod(copy, &end);
		if (*end != '.' || attempt > 0)
			break;
		/* It is no point here: once more with what is one. */
		text.p += end + 1 - copy;
		text.n -= (size_t) (end + 1 - copy);
		end += kn__decimal_point(end);
		memcpy(end, text.p, text.n);
		end[text.n] = '\0';
	}
	return end != copy && *end == '\0' && isfinite(out->as.d) ? KN_OK : KN_DATA;
}

static bool
is_special(kn_str text, double *out)
{
	static const struct
	{
		const char *text;
		double value;
	} specials[] = {
		{ "NaN", (double) NAN },
		{ "Infinity", (double) INFINITY },
		{ "-Infinity", (double) -INFINITY },
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
	{
		*out = specials[i].value;
		if (strlen(specials[i].text) == text.n && memcmp(specials[i].text, text.p, text.n) == 0)
			return true;
	}
	return false;
}

static kn_status
parse_uuid(kn_str text, kn_value *out)
{
	size_t at = 0;

	for (int i = 0; i < 16; i++)
	{
		int high;
		int low;

		if (at < text.n && text.p[at] == '-' && (i == 4 || i == 6 || i == 8 || i == 10))
			at++;
		if (at + 2 > text.n)
			return KN_DATA;
		high = hex_digit(text.p[at]);
		low = hex_digit(text.p[at + 1]);
		if (high < 0 || low < 0)
			return KN_DATA;
		out->as.uuid.b[i] = (uint8_t) (high << 4 | low);
		at += 2;
	}
	return at == text.n ? KN_OK : KN_DATA;
}

/* "\x00ff", or as it was before that: bytes as they are, or as three octal digits. */
static kn_status
parse_bytes(kn__arena *arena, kn_str text, kn_value *out, const char **why)
{
	uint8_t *bytes = kn__arena_get(arena, text.n + 1);
	uint32_t count = 0;

	if (bytes == NULL)
	{
		*why = "out of memory";
		return KN_NO_MEMORY;
	}
	if (text.n >= 2 && text.p[0] == '\\' && text.p[1] == 'x')
	{
		if (text.n % 2 != 0)
			return KN_DATA;
		for (size_t i = 2; i < text.n; i += 2)
		{
			int high = hex_digit(text.p[i]);
			int low = hex_digit(text.p[i + 1]);

			if (high < 0 || low < 0)
				return KN_DATA;
			bytes[count++] = (uint8_t) (high << 4 | low);
		}
	}
	else
	{
		for (size_t i = 0; i < text.n; i++)
		{
			int value = 0;

			if (text.p[i] != '\\')
				bytes[count++] = (uint8_t) text.p[i];
			else if (i + 1 < text.n && text.p[i + 1] == '\\')
				bytes[count++] = (uint8_t) text.p[++i];
			else
			{
				if (i + 3 >= text.n)
					return KN_DATA;
				for (int j = 0; j < 3; j++)
				{
					int digit = text.p[++i] - '0';

					if (digit < 0 || digit > 7)
						return KN_DATA;
					value = value * 8 + digit;
				}
				if (value > 255)
					return KN_DATA;
				bytes[count++] = (uint8_t) value;
			}
		}
	}
	out->as.p = bytes;
	out->n = count;
	return KN_OK;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
