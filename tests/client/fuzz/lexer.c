/*
 * lexer.c
 *		Any text at all: tokens lie within it, in order, and there are not more than bytes.
 *
 * The first byte says whether backslashes quote; the text is what follows.
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

static void
check_tokens(kn_str sql, bool backslash_quotes, bool *is_broken, uint32_t *parameters)
{
	const char *at = sql.p;
	const char *end = sql.p + sql.n;
	kn__lexer lexer;
	kn__token token;

	kn__lexer_init(&lexer, sql);
	lexer.backslash_quotes = backslash_quotes;
	while ((token = kn__lexer_next(&lexer)).kind != KN__TOKEN_END)
	{
		MUST(token.n > 0);
		MUST(token.p >= at && token.n <= (size_t) (end - token.p));
		MUST(token.kind != KN__TOKEN_PARAMETER || token.number <= INT32_MAX);
		(void) kn__token_is(&token, "select");
		if (token.kind == KN__TOKEN_WORD || token.kind == KN__TOKEN_QUOTED)
			(void) kn__function_effects(NULL, &token);
		*is_broken |= token.kind == KN__TOKEN_ERROR;
		if (token.kind == KN__TOKEN_PARAMETER && token.number > *parameters)
			*parameters = token.number;
		at = token.p + token.n;
	}
	MUST(token.p == end && token.n == 0);
	MUST(kn__lexer_next(&lexer).kind == KN__TOKEN_END);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;
	kn_str sql;
	bool is_broken = false;
	uint32_t parameters = 0;
	kn__statement statement;

	if (size == 0)
		return 0;
	copy = malloc(size); /* of its own, so that a look behind its end is seen */
	MUST(copy != NULL);
	memcpy(copy, data, size);
	sql = (kn_str){ copy + 1, size - 1 };
	check_tokens(sql, (data[0] & 1) != 0, &is_broken, &parameters);
	if ((data[0] & 1) == 0)
	{
		statement = kn__statement_of(sql);
		MUST(statement.is_broken == is_broken);
		MUST(!statement.is_read || !is_broken);
		MUST(statement.parameters >= 0 && (uint32_t) statement.parameters <= parameters);
		MUST(statement.verb != NULL);
	}
	free(copy);
	return 0;
}
