/*
 * copy.c
 *		Any text as that of a COPY, and as a query that is read by one.
 *
 * What is found in the first lies within it; the text that is made of the second has all of the
 * query's tokens twice, and each place of it is one of the query, or none.
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

#define MOST_PLACES 300 /* each is looked for in the whole text */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_within(kn_str part, kn_str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.n <= (size_t) (whole.p + whole.n - part.p));
}

static void
check_text(kn_str sql)
{
	kn__copy_text text = kn__copy_text_of(sql);
	kn_str list = text.columns;
	kn_str name;
	int count = 0;

	MUST(!text.is_in || !text.is_out);
	MUST(is_within(text.relation, sql) && is_within(text.columns, sql));
	while ((name = kn__copy_next_column(&list)).n > 0)
	{
		MUST(is_within(name, text.columns) && is_within(list, text.columns));
		count++;
	}
	MUST(count == text.column_count);
}

/* Up to the last that is no semicolon. */
static int
count_tokens(kn_str sql, bool *is_broken)
{
	kn__lexer lexer;
	kn__token token;
	int all = 0;
	int count = 0;

	kn__lexer_init(&lexer, sql);
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		all++;
		if (token.n != 1 || *token.p != ';')
			count = all;
		*is_broken |= token.kind == KN__TOKEN_ERROR;
	}
	return count;
}

static int
characters_of(kn_str text)
{
	int count = 0;

	for (size_t i = 0; i < text.n; i++)
		count += ((unsigned char) text.p[i] & 0xC0) != 0x80;
	return count;
}

/* Two stretches of it are the query's, in order and without a gap. */
static void
check_positions(kn_str sql, kn_str scan)
{
	int most = characters_of(sql) + 1;
	int before = 0;
	int begun = 0;

	for (int i = 1; i <= characters_of(scan); i++)
	{
		int position = kn__copy_scan_position(sql, i);

		MUST(position >= 0 && position <= most);
		MUST(position == 0 || position == 1 || position == before + 1);
		begun += position == 1;
		before = position;
	}
	MUST(begun == 2);
}

static void
check_scan(kn_str sql)
{
	bool is_broken = false;
	int tokens = count_tokens(sql, &is_broken);
	kn__buf scan;
	kn__buf none;

	kn__buf_init(&scan, NULL, SIZE_MAX);
	kn__buf_init(&none, NULL, SIZE_MAX);
	kn__copy_scan(&scan, sql);
	kn__copy_scan(&none, (kn_str){ "", 0 });
	if (sql.n <= MOST_PLACES)
		check_positions(sql, (kn_str){ scan.data, scan.length });
	if (!is_broken)
	{
		int frame = count_tokens((kn_str){ none.data, none.length }, &is_broken);

		MUST(count_tokens((kn_str){ scan.data, scan.length }, &is_broken) == frame + 2 * tokens);
		MUST(!is_broken);
	}
	kn__buf_release(&scan);
	kn__buf_release(&none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + (size == 0)); /* of its own, so that a look behind its end is seen */

	MUST(copy != NULL);
	memcpy(copy, data, size);
	check_text((kn_str){ copy, size });
	check_scan((kn_str){ copy, size });
	free(copy);
	return 0;
}
