/*
 * numeric.c
 *		Decimal digits, and numeric as the server sends it.
 *
 * On the wire: the number of digits, the weight of the first, sign, digits behind the point,
 * and then the digits, in base 10000.
 */
#include "data/data.h"

#include <string.h>

#define GROUP      4 /* decimal digits in one of the server's */
#define NEGATIVE   0x4000
#define NAN_SIGN   0xC000
#define PLUS_SIGN  0xD000 /* of infinity */
#define MINUS_SIGN 0xF000
#define MOST_SCALE 16383
#define MOST_WHOLE 131072

/* A number in decimal: its digits without a point, and how many stand before that. */
typedef struct Decimal
{
	const char *whole;
	size_t whole_count;
	const char *part;
	size_t part_count;
	bool is_negative;
} Decimal;

static bool is_special(kn_str digits, uint16_t *sign);
static bool split(kn_str digits, Decimal *out);
static int digit_at(const Decimal *decimal, int64_t place);
static char *put_group(char *at, int value);
static char *skip_zeros(char *end);
static void put_digits(kn__arena *arena, const char *bytes, size_t count, int weight, int scale,
					   bool is_negative, kn_str *out);

kn_status
kn__numeric_encode(kn__buf *buf, kn_str digits, const char **why)
{
	Decimal decimal;
	uint16_t sign;
	int64_t first; /* the places of the groups: 0 is the one just before the point */
	int64_t last;

	if (is_special(digits, &sign))
	{
		kn__buf_u16(buf, 0);
		kn__buf_u16(buf, 0);
		kn__buf_u16(buf, sign);
		kn__buf_u16(buf, 0);
		return KN_OK;
	}
	*why = "it is no decimal number";
	if (!split(digits, &decimal))
		return KN_DATA;
	*why = "it has too many digits for a numeric";
	if (decimal.whole_count > MOST_WHOLE || decimal.part_count > MOST_SCALE)
		return KN_DATA;
	first = ((int64_t) decimal.whole_count + GROUP - 1) / GROUP - 1;
	last = -(((int64_t) decimal.part_count + GROUP - 1) / GROUP);
	kn__buf_u16(buf, (uint16_t) (first - last + 1));
	kn__buf_u16(buf, (uint16_t) first);
	kn__buf_u16(buf, decimal.is_negative ? NEGATIVE : 0);
	kn__buf_u16(buf, (uint16_t) decimal.part_count);
	for (int64_t group = first; group >= last; group--)
	{
		int value = 0;

		for (int i = GROUP - 1; i >= 0; i--)
			value = value * 10 + digit_at(&decimal, group * GROUP + i);
		kn__buf_u16(buf, (uint16_t) value);
	}
	return KN_OK;
}

static bool
is_special(kn_str digits, uint16_t *sign)
{
	static const struct
	{
		const char *text;
		uint16_t sign;
	} specials[] = {
		{ "NaN", NAN_SIGN },
		{ "Infinity", PLUS_SIGN },
		{ "-Infinity", MINUS_SIGN },
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
	{
		*sign = specials[i].sign;
		if (strlen(specials[i].text) == digits.n &&
			memcmp(specials[i].text, digits.p, digits.n) == 0)
			return true;
	}
	return false;
}

static bool
split(kn_str digits, Decimal *out)
{
	const char *at = digits.p;
	const char *end = digits.p + digits.n;

	memset(out, 0, sizeof(*out));
	if (at < end && (*at == '-' || *at == '+'))
		out->is_negative = *at++ == '-';
	out->whole = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	out->whole_count = (size_t) (at - out->whole);
	if (at < end && *at == '.')
		at++;
	out->part = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	out->part_count = (size_t) (at - out->part);
	if (at != end || out->whole_count + out->part_count == 0)
		return false;
	while (out->whole_count > 0 && *out->whole == '0')
	{
		out->whole++;
		out->whole_count--;
	}
	return true;
}

/* The digit at a power of ten; 0 outside of what is given. */
static int
digit_at(const Decimal *decimal, int64_t place)
{
	if (place >= 0)
		return place < (int64_t) decimal->whole_count
				   ? decimal->whole[(int64_t) decimal->whole_count - 1 - place] - '0'
				   : 0;
	return -place <= (int64_t) decimal->part_count ? decimal->part[-place - 1] - '0' : 0;
}

kn_status
kn__numeric_decode(kn__arena *arena, const char *bytes, size_t length, kn_str *out,
				   const char **why)
{
	size_t count;
	int weight;
	uint16_t sign;
	int scale;

	*why = "the message is not a numeric";
	if (length < 8)
		return KN_DATA;
	count = kn__load_u16(bytes);
	weight = (int16_t) kn__load_u16(bytes + 2);
	sign = kn__load_u16(bytes + 4);
	scale = kn__load_u16(bytes + 6);
	if (length != 8 + 2 * count || scale > MOST_SCALE)
		return KN_DATA;
	*out = (kn_str){ "NaN", 3 };
	if (sign == NAN_SIGN)
		return KN_OK;
	*out = sign == PLUS_SIGN ? (kn_str){ "Infinity", 8 } : (kn_str){ "-Infinity", 9 };
	if (sign == PLUS_SIGN || sign == MINUS_SIGN)
		return KN_OK;
	if (sign != 0 && sign != NEGATIVE)
		return KN_DATA;
	for (size_t i = 0; i < count; i++)
	{
		if (kn__load_u16(bytes + 8 + 2 * i) > 9999)
			return KN_DATA;
	}
	put_digits(arena, bytes + 8, count, weight, scale, sign == NEGATIVE, out);
	*why = "out of memory";
	return out->p == NULL ? KN_NO_MEMORY : KN_OK;
}

static void
put_digits(kn__arena *arena, const char *bytes, size_t count, int weight, int scale,
		   bool is_negative, kn_str *out)
{
	size_t groups = weight >= 0 ? (size_t) weight + 1 : 0;
	size_t room = 1 + (groups == 0 ? 1 : groups * GROUP) + 1 + (size_t) scale + GROUP + 1;
	char *text = kn__arena_get(arena, room);
	char *at = text;

	*out = (kn_str){ text, 0 };
	if (text == NULL)
		return;
	if (is_negative)
		*at++ = '-';
	for (size_t i = 0; i < groups; i++)
	{
		int value = i < count ? kn__load_u16(bytes + 2 * i) : 0;

		at = put_group(at, value);
		/* The first one has no zeros before it. */
		if (i == 0)
			at = skip_zeros(at);
	}
	if (groups == 0)
		*at++ = '0';
	if (scale > 0)
	{
		char *begin;

		*at++ = '.';
		begin = at;
		for (int place = -1; at - begin < scale; place--)
		{
			int64_t i = (int64_t) weight - place;
			int value = i >= 0 && i < (int64_t) count ? kn__load_u16(bytes + 2 * i) : 0;

			at = put_group(at, value);
		}
		at = begin + scale;
	}
	*at = '\0';
	out->n = (size_t) (at - text);
}

/* Four digits; returns where the next go. */
static char *
put_group(char *at, int value)
{
	for (int i = GROUP - 1; i >= 0; i--, value /= 10)
		at[i] = (char) ('0' + value % 10);
	return at + GROUP;
}

/* Takes the zeros before the last digit of a group away; returns its new end. */
static char *
skip_zeros(char *end)
{
	const char *first = end - GROUP;
	size_t count;

	while (first < end - 1 && *first == '0')
		first++;
	count = (size_t) (end - first);
	memmove(end - GROUP, first, count);
	return end - GROUP + count;
}
