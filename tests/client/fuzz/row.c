/*
 * row.c
 *		Any bytes as a row of COPY's binary format: its fields are all of it, and their values are a
 *		row again.
 *
 * The first byte says how many columns, one each follows that says of which type; then comes the
 * row.
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

#define MOST 15

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t oids[] = { 16,   17,   20,   21,   23,   25,   700,  701,
								 1082, 1114, 1184, 1186, 1700, 2950, 1007, 869 };

/* They lie one behind the other, each behind its length, and nothing is between or after them. */
static void
check_fields(const char *bytes, size_t length, const kn__field *fields, int count)
{
	const char *at = bytes + 2;

	for (int i = 0; i < count; i++)
	{
		MUST(fields[i].n >= -1 && (fields[i].p == NULL) == (fields[i].n < 0));
		at += 4;
		MUST(fields[i].n < 0 || fields[i].p == at);
		at += fields[i].n > 0 ? fields[i].n : 0;
	}
	MUST(at == bytes + length);
}

/* False: a field is not what its column's type takes. */
static bool
read_values(kn__arena *arena, const kn__field *fields, const uint32_t *types, int count,
			kn_value *values)
{
	const char *why = NULL;

	for (int i = 0; i < count; i++)
	{
		if (fields[i].n < 0)
			values[i] = kn_null();
		else if (kn__decode(arena, types[i], 1, fields[i].p, fields[i].n, &values[i], &why) !=
				 KN_OK)
			return false;
	}
	return true;
}

/* A row of our own making has the same values, which make the same row. */
static void
write_again(kn__arena *arena, const kn_value *values, const uint32_t *types, int count)
{
	kn__field fields[MOST];
	kn_value again[MOST];
	const char *why = NULL;
	kn__buf first;
	kn__buf second;
	int column;
	kn_status status;

	kn__buf_init(&first, NULL, SIZE_MAX);
	kn__buf_init(&second, NULL, SIZE_MAX);
	kn__buf_text(&first, "head");
	status = kn__row_encode(&first, values, count, types, NULL, &column, &why);
	if (status == KN_OK)
	{
		const char *bytes = first.data + 4;
		size_t length = first.length - 4;

		MUST(column == -1 && kn__row_decode(bytes, length, count, fields));
		check_fields(bytes, length, fields, count);
		for (int i = 0; i < count; i++)
			MUST((fields[i].n < 0) == (values[i].type == KN_TYPE_NULL));
		MUST(read_values(arena, fields, types, count, again));
		MUST(kn__row_encode(&second, again, count, types, NULL, &column, &why) == KN_OK);
		MUST(second.length == length && memcmp(second.data, bytes, length) == 0);
	}
	else /* nothing of it is left behind what was there */
		MUST(status == KN_DATA && why != NULL && column >= 0 && column < count &&
			 first.length == 4);
	kn__buf_release(&first);
	kn__buf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kn__field fields[MOST];
	uint32_t types[MOST];
	kn_value values[MOST];
	kn__arena arena;
	size_t length;
	char *copy;
	int count;

	if (size < 1 || size < 1 + (size_t) (data[0] & MOST))
		return 0;
	count = data[0] & MOST;
	for (int i = 0; i < count; i++)
		types[i] = oids[data[1 + i] & 15];
	length = size - 1 - (size_t) count;
	copy = malloc(length + (length == 0)); /* of its own, so that a look behind its end is seen */
	MUST(copy != NULL);
	memcpy(copy, data + 1 + count, length);
	kn__arena_init(&arena, NULL);
	if (kn__row_decode(copy, length, count, fields))
	{
		check_fields(copy, length, fields, count);
		if (read_values(&arena, fields, types, count, values))
			write_again(&arena, values, types, count);
	}
	kn__arena_release(&arena);
	free(copy);
	return 0;
}
