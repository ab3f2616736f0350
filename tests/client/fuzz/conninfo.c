/*
 * conninfo.c
 *		Any text as a conninfo: what is libpq's is found just as libpq finds it.
 *
 * A text that libpq takes as it is has nothing of ours, and all of libpq's.  What was found,
 * written in quotes, is found again.
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

static void
write_option(kn__buf *text, const char *prefix, const kn__conninfo_option *option)
{
	kn__buf_text(text, prefix);
	kn__buf_text(text, option->keyword);
	kn__buf_text(text, " = '");
	for (const char *c = option->value; *c != '\0'; c++)
	{
		if (*c == '\'' || *c == '\\')
			kn__buf_add(text, "\\", 1);
		kn__buf_add(text, c, 1);
	}
	kn__buf_text(text, "' ");
}

static void
check_again(const kn__conninfo *found, kn__arena *arena)
{
	kn__buf text;
	kn__fault fault;
	kn__conninfo again;

	kn__buf_init(&text, NULL, SIZE_MAX);
	for (int i = 0; i < found->our_count; i++)
		write_option(&text, KN__OPTION_PREFIX, &found->ours[i]);
	for (int i = 0; i < found->their_count; i++)
		write_option(&text, "", &found->theirs[i]);
	MUST(!text.has_failed);
	MUST(kn__conninfo_parse(&again, arena, text.data == NULL ? "" : text.data, &fault) == KN_OK);
	MUST(again.our_count == found->our_count && again.their_count == found->their_count);
	for (int i = 0; i < found->our_count; i++)
	{
		MUST(strcmp(again.ours[i].keyword, found->ours[i].keyword) == 0);
		MUST(strcmp(again.ours[i].value, found->ours[i].value) == 0);
	}
	for (int i = 0; i < found->their_count; i++)
		MUST(strcmp(kn__conninfo_find(&again, found->theirs[i].keyword), found->theirs[i].value) ==
			 0);
	kn__buf_release(&text);
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
	if (status == KN_OK)
		check_again(&found, &arena);
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
