/*
 * numeric.c
 *		Any text as digits and any bytes as a numeric: what is taken is the same number again.
 *
 * The first byte says whether it is text; the rest is it.
 */
#include <stdlib.h>
#include <string.h>

#include "data/data.h"

#define MUST(fact)   \
	do               \
	{                \
		if (!(fact)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only what the server would print, but for zeros in front of what a stranger has sent. */
static void
check_digits(kn_str digits)
{
	size_t i = digits.n > 0 && digits.p[0] == '-';
	int points = 0;

	if ((digits.n == 3 && memcmp(digits.p, "NaN", 3) == 0) ||
		(digits.n - i == 8 && memcmp(digits.p + i, "Infinity", 8) == 0))
		return;
	MUST(i < digits.n && digits.p[i] != '.' && digits.p[digits.n - 1] != '.');
	for (; i < digits.n; i++)
	{
		points += digits.p[i] == '.';
		MUST(digits.p[i] == '.' || (digits.p[i] >= '0' && digits.p[i] <= '9'));
	}
	MUST(points <= 1);
}

static void
read_back(kn__arena *arena, kn_str digits, bool is_ours)
{
	const char *why = NULL;
	kn_str once = { NULL, 0 };
	kn_str twice = { NULL, 0 };
	kn__buf buf;
	kn_status status;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	status = kn__numeric_encode(&buf, digits, &why);
	MUST(status == KN_OK || (status == KN_DATA && why != NULL && !is_ours));
	if (status == KN_OK)
	{
		MUST(kn__numeric_decode(arena, buf.data, buf.length, &once, &why) == KN_OK);
		check_digits(once);
		kn__buf_clear(&buf);
		MUST(kn__numeric_encode(&buf, once, &why) == KN_OK);
		MUST(kn__numeric_decode(arena, buf.data, buf.length, &twice, &why) == KN_OK);
		MUST(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
	}
	kn__buf_release(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	kn_str digits;
	kn__arena arena;
	kn_status status;
	char *copy;

	if (size < 1)
		return 0;
	copy = malloc(size); /* of its own, so that a look behind its end is seen */
	MUST(copy != NULL);
	memcpy(copy, data, size);
	kn__arena_init(&arena, NULL);
	if ((data[0] & 1) != 0)
		read_back(&arena, (kn_str){ copy + 1, size - 1 }, false);
	else
	{
		status = kn__numeric_decode(&arena, copy + 1, size - 1, &digits, &why);
		MUST(status == KN_OK || (status == KN_DATA && why != NULL));
		if (status == KN_OK)
		{
			check_digits(digits);
			read_back(&arena, digits, true);
		}
	}
	kn__arena_release(&arena);
	free(copy);
	return 0;
}
