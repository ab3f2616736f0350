/*
 * decode.c
 *		Any bytes as a value of any type, in binary or as text: refused with a reason, or a value.
 *
 * What comes out can be printed and sent again, and is the same value then.  The first byte
 * says which type, the second which form; the bytes of the value follow.
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

static const uint32_t oids[] = {
	16,   17,   19,   20,   21,   23,   25,   26,   114,  199,  650,  651,  700,  701,  705,  869,
	1000, 1001, 1005, 1007, 1009, 1016, 1021, 1022, 1028, 1041, 1042, 1043, 1082, 1083, 1114, 1115,
	1182, 1183, 1184, 1185, 1186, 1187, 1231, 1700, 2278, 2950, 2951, 3802, 3807, 0,    600,  99999,
};

static void
use_value(kn__arena *arena, const kn_value *value)
{
	const char *why = NULL;
	kn_str text = { NULL, 0 };
	int64_t number;
	double real;
	bool truth;

	MUST(value->type < KN_TYPE_COUNT);
	if (kn__to_text(arena, value, &text, &why) == KN_OK)
		(void) kn__hash(text.p, text.n, 0); /* all of it can be read */
	else
		MUST(why != NULL && (value->type == KN_TYPE_NULL || value->type == KN_TYPE_ARRAY));
	(void) !kn__to_int(value, INT16_MIN, INT16_MAX, &number, &why);
	(void) !kn__to_double(value, true, &real, &why);
	(void) !kn__to_bool(value, &truth, &why);
}

/* What was decoded, encoded and decoded again, prints the same. */
static void
send_again(kn__arena *arena, const kn_value *value, uint32_t oid)
{
	const char *why = NULL;
	kn_value again;
	kn_str before = { NULL, 0 };
	kn_str after = { NULL, 0 };
	kn__parameter parameter;
	int format = KN__FORMAT_BINARY;
	kn__buf buf;
	kn_status status;

	if (!kn__has_codec(oid))
		format |= value->type == KN_TYPE_ARRAY ? KN__FORMAT_TEXTS : KN__FORMAT_AS_TEXT;
	kn__buf_init(&buf, NULL, SIZE_MAX);
	status = kn__encode(&buf, value, &parameter, &why);
	MUST(status == KN_OK || (status == KN_DATA && why != NULL));
	kn__buf_clear(&buf);
	why = NULL;
	status = kn__encode_field(&buf, value, oid, &why);
	MUST(status == KN_OK || (status == KN_DATA && why != NULL));
	if (status == KN_OK)
	{
		int32_t length = (int32_t) kn__load_u32(buf.data);

		MUST(length < 0 || buf.length == (size_t) length + 4);
		MUST(kn__decode(arena, oid, format, buf.data + 4, length, &again, &why) == KN_OK);
		MUST(again.type == value->type && (again.type != KN_TYPE_ARRAY || again.n == value->n));
		/* Digits and addresses are text that anybody may have written. */
		if (value->type != KN_TYPE_NUMERIC && value->type != KN_TYPE_INET &&
			kn__to_text(arena, value, &before, &why) == KN_OK)
		{
			MUST(kn__to_text(arena, &again, &after, &why) == KN_OK);
			MUST(before.n == after.n &&
				 (before.n == 0 || memcmp(before.p, after.p, before.n) == 0));
		}
	}
	kn__buf_release(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kn__arena arena;
	kn_value value;
	const char *why = NULL;
	uint32_t oid;
	int format;
	char *copy;
	kn_status status;

	if (size < 2)
		return 0;
	/* What is known of it is known of types that are not in the list. */
	oid = oids[data[0] % (sizeof(oids) / sizeof(oids[0]))];
	copy = malloc(size - 2 + (size == 2)); /* of its own, so that a look behind its end is seen */
	MUST(copy != NULL);
	memcpy(copy, data + 2, size - 2);
	kn__arena_init(&arena, NULL);
	format = data[1] & (kn__has_codec(oid) ? 1 : 7);
	status = kn__decode(&arena, oid, format, copy, (int32_t) size - 2, &value, &why);
	MUST(status == KN_OK || (status == KN_DATA && why != NULL));
	if (status == KN_OK)
	{
		use_value(&arena, &value);
		send_again(&arena, &value, oid);
	}
	kn__arena_release(&arena);
	free(copy);
	return 0;
}
