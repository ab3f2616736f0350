/*
 * misspelt.c
 *		Whether a name is most likely another one, with a slip in it.
 *
 * Names of the same beginning may be anybody's: a program has variables of its own, and
 * orchestrators make some of the names of services.  So what only looks strange is let be.
 */
#include "run/misspelt.h"

#include <string.h>

#define LETTERS_A_SLIP 4 /* a name of three has no room for any */
#define MOST_SLIPS     2

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length);
static size_t least(size_t a, size_t b);

bool
kn__is_misspelt(const char *given, size_t n, const char *meant)
{
	size_t length = strlen(meant);
	size_t slips = least(length / LETTERS_A_SLIP, MOST_SLIPS);
	size_t found;

	if (n >= KN__NAME_LIMIT || length >= KN__NAME_LIMIT)
		return false;
	found = distance(given, n, meant, length);
	return found > 0 && found <= slips;
}

/* How many letters have to be put in, taken out or made another to have the one of the other. */
static size_t
distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[KN__NAME_LIMIT];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++)
	{
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++)
		{
			size_t other = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

			diagonal = row[j];
			row[j] = least(other, least(row[j - 1], row[j]) + 1);
		}
	}
	return row[b_length];
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}
