/*
 * thaw.c
 *		Any bytes as rows that were kept elsewhere: no rows, or rows that freeze to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

#define MUST(fact)   \
	do               \
	{                \
		if (!(fact)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(const kn__result *result)
{
	kn__arena arena;
	kn_value value;

	kn__arena_init(&arena, NULL);
	for (int column = 0; column < kn__result_columns(result); column++)
	{
		MUST(kn__result_name(result, column) != NULL);
		for (int row = 0; row < kn__result_rows(result); row++)
		{
			const char *why = NULL;
			kn_status status = kn__result_value(result, row, column, NULL, &arena, &value, &why);

			MUST(status == KN_OK || why != NULL);
			MUST(!kn__result_is_null(result, row, column) || value.type == KN_TYPE_NULL);
		}
	}
	kn__arena_release(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + (size == 0)); /* of its own, so that a look behind its end is seen */
	kn__result *result;
	kn__result *again;
	kn__buf buf;

	MUST(copy != NULL);
	memcpy(copy, data, size);
	result = kn__result_thaw(copy, size);
	free(copy); /* nothing is borrowed from it */
	if (result == NULL)
		return 0;
	read_all(result);
	kn__buf_init(&buf, NULL, SIZE_MAX);
	MUST(kn__result_freeze(result, NULL, &buf));
	again = kn__result_thaw(buf.data, buf.length);
	MUST(again != NULL);
	MUST(kn__result_rows(again) == kn__result_rows(result));
	MUST(kn__result_columns(again) == kn__result_columns(result));
	kn__result_free(again);
	kn__result_free(result);
	kn__buf_release(&buf);
	return 0;
}
