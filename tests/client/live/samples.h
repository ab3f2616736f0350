/*
 * samples.h
 *		Random values of the server's types, written as its input functions take them.
 *
 * Extremes, special values and what is awkward to print come far more often than chance has
 * it.  Some of the values are out of the type's range, and are for the server to refuse.
 */
#ifndef KN_TESTS_SAMPLES_H
#define KN_TESTS_SAMPLES_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define PICK(list) ((list)[below((uint32_t) (sizeof(list) / sizeof((list)[0])))])

typedef void sample(kn__buf *out);

static uint64_t state;

static inline uint64_t
any(void)
{
	uint64_t x = (state += UINT64_C(0x9E3779B97F4A7C15));

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

static inline uint32_t
below(uint32_t limit)
{
	return (uint32_t) (any() >> 32) % limit;
}

/* Of any magnitude up to so many bits, or next to the ends of them. */
static inline int64_t
whole(int bits)
{
	uint64_t x = any() >> (64 - bits);

	switch (below(8))
	{
		case 0:
			x = (UINT64_C(1) << (bits - 1)) + below(3) - 1;
			break;
		case 1:
			x = (uint64_t) 0 - below(3);
			break;
		default:
			x >>= below((uint32_t) bits);
			break;
	}
	x <<= 64 - bits;
	return (int64_t) x >> (64 - bits);
}

static inline void
put_bool(kn__buf *out)
{
	kn__buf_text(out, below(2) == 0 ? "t" : "f");
}

static inline void
put_int2(kn__buf *out)
{
	kn__buf_printf(out, "%" PRId64, whole(16));
}

static inline void
put_int4(kn__buf *out)
{
	kn__buf_printf(out, "%" PRId64, whole(32));
}

static inline void
put_int8(kn__buf *out)
{
	kn__buf_printf(out, "%" PRId64, whole(64));
}

static inline void
put_oid(kn__buf *out)
{
	kn__buf_printf(out, "%" PRIu32, (uint32_t) whole(32));
}

static inline bool
put_special(kn__buf *out)
{
	static const char *const specials[] = { "NaN", "Infinity", "-Infinity", "0", "-0", "1" };

	if (below(8) > 0)
		return false;
	kn__buf_text(out, PICK(specials));
	return true;
}

static inline void
put_float4(kn__buf *out)
{
	static const char *const edges[] = { "3.4028235e38", "-3.4028235e38", "1e-45", "1.1754944e-38",
										 "16777216",     "0.1",           "1e10",  "1e-5" };
	uint32_t bits = (uint32_t) any();
	float f;

	memcpy(&f, &bits, sizeof(f));
	if (put_special(out))
		return;
	if (below(8) == 0)
		kn__buf_text(out, PICK(edges));
	else if (below(3) == 0)
		kn__buf_printf(out, "%" PRId64 ".%u", whole(16), below(1000));
	else if (f != f)
		kn__buf_text(out, "NaN");
	else
		kn__buf_printf(out, "%.9g", (double) f);
}

static inline void
put_float8(kn__buf *out)
{
	static const char *const edges[] = {
		"1.7976931348623157e308",
		"-1.7976931348623157e308",
		"5e-324",
		"2.2250738585072014e-308",
		"9007199254740993",
		"0.3",
		"1e23",
		"1e15",
	};
	uint64_t bits = any();
	double d;

	memcpy(&d, &bits, sizeof(d));
	if (put_special(out))
		return;
	if (below(8) == 0)
		kn__buf_text(out, PICK(edges));
	else if (below(3) == 0)
		kn__buf_printf(out, "%" PRId64 ".%u", whole(40), below(100000));
	else if (d != d)
		kn__buf_text(out, "NaN");
	else
		kn__buf_printf(out, "%.17g", d);
}

static inline void
put_digits(kn__buf *out, uint32_t count)
{
	/* Runs of the same digit, for zeros and nines are what goes wrong. */
	while (count > 0)
	{
		static const char digits[] = "0000999123456780";
		char digit = digits[below(16)];

		for (uint32_t run = 1 + below(below(3) == 0 ? 9 : 1); run > 0 && count > 0; run--, count--)
			kn__buf_add(out, &digit, 1);
	}
}

static inline void
put_numeric(kn__buf *out)
{
	static const char *const edges[] = { "1e131071", "1e-16383", "-9e131071", "1e131072",
										 "0.0000",   "10000",    "0.0001",    "9999.9999" };

	if (put_special(out))
		return;
	if (below(40) == 0)
	{
		kn__buf_text(out, PICK(edges));
		return;
	}
	if (below(2) == 0)
		kn__buf_text(out, "-");
	put_digits(out, 1 + below(below(4) == 0 ? 60 : 8));
	if (below(3) == 0)
		return;
	kn__buf_text(out, ".");
	put_digits(out, 1 + below(below(4) == 0 ? 60 : 8));
	if (below(6) == 0)
		kn__buf_printf(out, "e%d", (int) below(below(2) == 0 ? 600 : 40) - 20);
}

static inline void
put_text(kn__buf *out)
{
	static const char *const pieces[] = {
		"a", "B",        "'",    "\"",           "\\",   "{",
		"}", ",",        " ",    "\n",           "NULL", "null",
		"%", "\xc3\xa9", "\x01", "\xe2\x82\xac", "\t",   "\xf0\x9f\x98\x80",
		"x", "\\x41",    "=",    "[1:2]=",       "$1",   "0",
	};

	for (uint32_t n = below(below(20) == 0 ? 15 : 6); n > 0; n--)
		kn__buf_text(out, PICK(pieces));
}

static inline void
put_bytea(kn__buf *out)
{
	kn__buf_text(out, "\\x");
	for (uint32_t n = below(below(20) == 0 ? 300 : 10); n > 0; n--)
		kn__buf_printf(out, "%02x", below(3) == 0 ? 0x5c : below(256));
}

static inline void
put_uuid(kn__buf *out)
{
	kn__buf_printf(out, "%016" PRIx64 "%016" PRIx64, any(), any() >> below(64));
}

/* A year, month and day; the era goes to the end of all. */
static inline const char *
put_days(kn__buf *out, int last_year, int first_year_bc)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_bc = below(4) == 0;
	uint32_t most = (uint32_t) (is_bc ? first_year_bc : last_year);
	uint32_t month = below(12);
	uint32_t year;

	switch (below(4))
	{
		case 0:
			year = 1 + below(most);
			break;
		case 1:
			year = most - below(2);
			break;
		case 2:
			year = 1 + below(10);
			break;
		default:
			year = is_bc ? 100 * (1 + below(40)) : 1890 + below(200);
			break;
	}
	if (below(8) == 0 && !is_bc && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		kn__buf_printf(out, "%04u-02-29", year);
	else
		kn__buf_printf(out,
					   "%04u-%02u-%02u",
					   year,
					   month + 1,
					   1 + below((uint32_t) lengths[month]));
	return is_bc ? " BC" : "";
}

static inline bool
put_infinity(kn__buf *out)
{
	if (below(16) > 0)
		return false;
	kn__buf_text(out, below(2) == 0 ? "infinity" : "-infinity");
	return true;
}

static inline void
put_date(kn__buf *out)
{
	if (!put_infinity(out))
		kn__buf_text(out, put_days(out, 5874897, 4713));
}

static inline void
put_time(kn__buf *out)
{
	static const char *const edges[] = { "00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1" };

	if (below(8) == 0)
		kn__buf_text(out, PICK(edges));
	else
		kn__buf_printf(out, "%02u:%02u:%02u", below(24), below(60), below(60));
	if (below(2) == 0 && out->length > 3 && strchr(out->data, '.') == NULL)
		kn__buf_printf(out, ".%0*u", 1 + (int) below(6), below(10));
}

static inline void
put_clock(kn__buf *out)
{
	kn__buf_printf(out, " %02u:%02u:%02u", below(24), below(60), below(60));
	if (below(2) == 0)
		kn__buf_printf(out, ".%06u", below(3) == 0 ? below(10) * 100000 : below(1000000));
}

static inline void
put_timestamp(kn__buf *out)
{
	const char *era;

	if (put_infinity(out))
		return;
	era = put_days(out, below(8) == 0 ? 294277 : 294246, 4714);
	put_clock(out);
	kn__buf_text(out, era);
}

static inline void
put_timestamptz(kn__buf *out)
{
	static const char *const zones[] = { "", "+00", "-03:30", "+14", "-12", "+05:45", "+00:19:32" };
	const char *era;

	if (put_infinity(out))
		return;
	era = put_days(out, below(8) == 0 ? 294277 : 294246, 4714);
	put_clock(out);
	kn__buf_text(out, PICK(zones));
	kn__buf_text(out, era);
}

static inline void
put_interval(kn__buf *out)
{
	int64_t usec = whole(64);

	if (below(3) == 0)
		usec = below(2) == 0 ? 0 : whole(33);
	kn__buf_printf(out,
				   "%" PRId64 " mons %" PRId64 " days %s%" PRIu64 ".%06" PRIu64 " secs",
				   below(3) == 0 ? 0 : whole(32),
				   below(3) == 0 ? 0 : whole(32),
				   usec < 0 ? "-" : "",
				   (usec < 0 ? -(uint64_t) usec : (uint64_t) usec) / 1000000,
				   (usec < 0 ? -(uint64_t) usec : (uint64_t) usec) % 1000000);
}

static inline void
put_json(kn__buf *out)
{
	static const char *const leaves[] = { "1",        "-2.50", "null",     "true",    "\"a\"",
										  "\"\\\"\"", "1e5",   "\"\\\\\"", "\"{},\"", "[]" };

	switch (below(4))
	{
		case 0:
			kn__buf_printf(out, "{\"b\": %s , \"a\":%s}", PICK(leaves), PICK(leaves));
			break;
		case 1:
			kn__buf_printf(out, "[%s,  %s]", PICK(leaves), PICK(leaves));
			break;
		default:
			kn__buf_text(out, PICK(leaves));
			break;
	}
}

static inline void
put_address(kn__buf *out, bool is_network)
{
	bool is_6 = below(2) == 0;
	int size = is_6 ? 16 : 4;
	int bits = below(3) == 0 ? size * 8 : (int) below((uint32_t) size * 8 + 1);
	uint8_t bytes[16];
	uint32_t zeros = below(2) == 0 ? 0 : (uint32_t) any(); /* a mask of words that are zero */

	for (int i = 0; i < size; i++)
	{
		bytes[i] = (uint8_t) any();
		if (is_6 && (zeros >> (i / 2) & 1) != 0)
			bytes[i] = 0;
		else if (is_6 && below(12) == 0)
			bytes[i] = below(2) == 0 ? 0 : 0xff;
		if (is_network && i * 8 + 8 > bits)
			bytes[i] = (uint8_t) (i * 8 >= bits ? 0 : bytes[i] & 0xff << (i * 8 + 8 - bits));
	}
	if (is_6 && below(4) == 0 && !is_network)
	{
		/* What has a IPv4 address in its end, or nearly so. */
		memset(bytes, 0, below(2) == 0 ? 12 : 14);
		if (below(2) == 0)
			bytes[10] = bytes[11] = 0xff;
	}
	for (int i = 0; i < size; i += is_6 ? 2 : 1)
	{
		if (is_6)
			kn__buf_printf(out, "%s%x", i > 0 ? ":" : "", bytes[i] << 8 | bytes[i + 1]);
		else
			kn__buf_printf(out, "%s%d", i > 0 ? "." : "", bytes[i]);
	}
	kn__buf_printf(out, "/%d", bits);
}

static inline void
put_inet(kn__buf *out)
{
	put_address(out, false);
}

static inline void
put_cidr(kn__buf *out)
{
	put_address(out, true);
}

/* See mood.h. */
static inline void
put_mood(kn__buf *out)
{
	static const char *const labels[] = { "",  "sad", "so so", "NULL", "null",     "a,b",   "{",
										  "}", "\"",  "\\",    " x",   "\xc3\xa9", "tab\t", "'" };

	kn__buf_text(out, PICK(labels));
}

/* A literal of an array: bounds, NULLs, and elements that are always quoted. */
static inline void
put_level(kn__buf *out, sample *put, const uint32_t *sizes, int dimensions)
{
	kn__buf_text(out, "{");
	for (uint32_t i = 0; i < sizes[0]; i++)
	{
		kn__buf element;

		kn__buf_text(out, i > 0 ? "," : "");
		if (dimensions > 1)
		{
			put_level(out, put, sizes + 1, dimensions - 1);
			continue;
		}
		if (below(6) == 0)
		{
			kn__buf_text(out, "NULL");
			continue;
		}
		kn__buf_init(&element, NULL, SIZE_MAX);
		put(&element);
		kn__buf_text(out, "\"");
		for (size_t j = 0; j < element.length; j++)
		{
			if (element.data[j] == '"' || element.data[j] == '\\')
				kn__buf_text(out, "\\");
			kn__buf_add(out, &element.data[j], 1);
		}
		kn__buf_text(out, "\"");
		kn__buf_release(&element);
	}
	kn__buf_text(out, "}");
}

static inline void
put_array(kn__buf *out, sample *put)
{
	int dimensions = 1 + (int) below(3);
	uint32_t sizes[3];

	if (below(20) == 0)
	{
		kn__buf_text(out, "{}");
		return;
	}
	for (int i = 0; i < dimensions; i++)
		sizes[i] = 1 + below(3);
	if (below(3) == 0)
	{
		for (int i = 0; i < dimensions; i++)
		{
			int64_t bound = below(8) == 0 ? INT32_MIN : (int64_t) below(7) - 3;

			kn__buf_printf(out, "[%" PRId64 ":%" PRId64 "]", bound, bound + sizes[i] - 1);
		}
		kn__buf_text(out, "=");
	}
	put_level(out, put, sizes, dimensions);
}

#endif
