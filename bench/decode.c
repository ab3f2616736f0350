/*
 * decode.c
 *		What it costs to make values of what the server sent.  No server is needed.
 *
 * Prints a line a figure: name, value, unit, and "-" twice, for nothing is aimed at, separated
 * by tabs.  Values are medians of five rounds, in nanoseconds of processor time for one value:
 *
 *	 decode.WHAT.binary  from its binary form
 *	 decode.WHAT.text    as the server prints it
 *	 encode.WHAT         as a parameter
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/data.h"

#define ROUNDS 5
#define VALUES 2000000

typedef struct sample
{
	const char *name;
	const char *text;
	uint32_t oid;
} sample;

static const sample samples[] = {
	{ "int4", "123456789", 23 },
	{ "int8", "-123456789012345", 20 },
	{ "float8", "3.14159265358979", 701 },
	{ "text", "twenty characters or", 25 },
	{ "numeric", "12345.67", 1700 },
	{ "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 2950 },
	{ "timestamptz", "2026-11-27 12:34:56.789+00", 1184 },
	{ "int4_array", "{1,2,3,4,5,6,7,8}", 1007 },
};

static double
now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static int
order(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
must(bool fact)
{
	if (!fact)
	{
		(void) fprintf(stderr, "a sample cannot be encoded or decoded\n");
		exit(EXIT_FAILURE);
	}
}

static void
report(const char *what, const char *name, const char *how, double *rounds)
{
	qsort(rounds, ROUNDS, sizeof(rounds[0]), order);
	(void) printf("%s.%s%s\t%.1f\tns\t-\t-\n", what, name, how, rounds[ROUNDS / 2]);
}

static void
measure_decode(const sample *s, int format, const char *bytes, int32_t length)
{
	double rounds[ROUNDS];
	kn__arena arena;

	kn__arena_init(&arena, NULL);
	for (int round = 0; round < ROUNDS; round++)
	{
		double begin = now();

		for (int i = 0; i < VALUES; i++)
		{
			kn_value value;
			const char *why;

			must(kn__decode(&arena, s->oid, format, bytes, length, &value, &why) == KN_OK);
			if (i % 100 == 0)
				kn__arena_clear(&arena);
		}
		rounds[round] = (now() - begin) / VALUES;
	}
	kn__arena_release(&arena);
	report("decode", s->name, format != 0 ? ".binary" : ".text", rounds);
}

static void
measure_encode(const sample *s, const kn_value *value)
{
	double rounds[ROUNDS];
	kn__buf buf;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	for (int round = 0; round < ROUNDS; round++)
	{
		double begin = now();

		for (int i = 0; i < VALUES; i++)
		{
			kn__parameter parameter;
			const char *why;

			must(kn__encode(&buf, value, &parameter, &why) == KN_OK);
			if (i % 100 == 0)
				kn__buf_clear(&buf);
		}
		rounds[round] = (now() - begin) / VALUES;
	}
	kn__buf_release(&buf);
	report("encode", s->name, "", rounds);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		const sample *s = &samples[i];
		kn__arena arena;
		kn__buf buf;
		kn_value value;
		const char *why;

		kn__arena_init(&arena, NULL);
		kn__buf_init(&buf, NULL, SIZE_MAX);
		must(kn__decode(&arena, s->oid, 0, s->text, (int32_t) strlen(s->text), &value, &why) ==
			 KN_OK);
		must(kn__encode_field(&buf, &value, s->oid, &why) == KN_OK);
		measure_decode(s, 1, buf.data + 4, (int32_t) kn__load_u32(buf.data));
		measure_decode(s, 0, s->text, (int32_t) strlen(s->text));
		measure_encode(s, &value);
		kn__buf_release(&buf);
		kn__arena_release(&arena);
	}
	return EXIT_SUCCESS;
}
