/*
 * conninfo.c
 *		Any text as a conninfo: what is libpq's is found just as libpq finds it.
 *
 * A text that libpq takes as it is has nothing of ours, and all of libpq's.
 */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "wire/conninfo.h"

#define MUST(fact)   \
	do               \
	{                \
		if (!(fact)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(const kn__conninfo *found, const PQconninfoOption *options)
{
	int count = 0;

	MUST(found->our_count == 0);
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
	{
		const char *value = kn__conninfo_find(found, o->keyword);

		MUST((value == NULL) == (o->val == NULL));
		MUST(value == NULL || strcmp(value, o->val) == 0);
		count += o->val != NULL ? 1 : 0;
	}
	MUST(found->their_count == count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kn__arena arena = { 0 };
	kn__fault fault;
	kn__conninfo found;
	PQconninfoOption *options;
	kn_status status;
	char *error = NULL;
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	status = kn__conninfo_parse(&found, &arena, text, &fault);
	MUST(status == KN_OK || status == KN_CONFIG);
	MUST(status == KN_OK || fault.error.message[0] != '\0');
	options = PQconninfoParse(text, &error);
	if (options != NULL)
	{
		MUST(status == KN_OK);
		compare(&found, options);
	}
	else if (status == KN_OK)
		MUST(found.our_count > 0); /* else libpq's word counts */
	PQconninfoFree(options);
	PQfreemem(error);
	kn__arena_release(&arena);
	free(text);
	return 0;
}
