/*
 * array.c
 *		Any bytes as an array: as many elements as its sizes say, and the same when sent again.
 *
 * The first byte says which elements and which form; the bytes of the array follow.  With 16 in it
 * the type of the elements is not in the list: they are texts.
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

static const uint32_t oids[] = { 23, 25, 16, 17, 1700, 1184, 1186, 869 };

static void
check_shape(const kn_value *value, kn_type kind)
{
	const kn_array *array = value->as.array;
	uint64_t count = array->dimensions == 0 ? 0 : 1;

	MUST(value->type == KN_TYPE_ARRAY && array->element == kind);
	MUST(array->dimensions >= 0 && array->dimensions <= 6);
	for (int i = 0; i < array->dimensions; i++)
	{
		MUST(array->sizes[i] >= 0);
		count *= (uint64_t) array->sizes[i];
	}
	MUST(count == value->n);
	for (uint32_t i = 0; i < value->n; i++)
		MUST(array->items[i].type == KN_TYPE_NULL || array->items[i].type == kind);
	MUST(kn_array_of(array).n == value->n);
}

/* Once more through the binary form, whose bytes do not change any more. */
static void
send_again(kn__arena *arena, const kn_value *value, const kn__type *element)
{
	const char *why = NULL;
	kn__buf first;
	kn__buf second;
	kn_value again;

	kn__buf_init(&first, NULL, SIZE_MAX);
	kn__buf_init(&second, NULL, SIZE_MAX);
	if (kn__array_encode(&first, value->as.array, element->oid, &why) == KN_OK)
	{
		MUST(kn__array_decode(arena, element, first.data, first.length, &again, &why) == KN_OK);
		check_shape(&again, element->kind);
		MUST(again.n == value->n);
		MUST(kn__array_encode(&second, again.as.array, element->oid, &why) == KN_OK);
		MUST(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
	}
	else
		MUST(why != NULL);
	kn__buf_release(&first);
	kn__buf_release(&second);
}

/* Texts are printed, and read back as they were; those of the binary form have no NUL in them. */
static void
print_again(kn__arena *arena, const kn_value *value)
{
	const kn_array *array = value->as.array;
	const char *why = NULL;
	kn__buf buf;
	kn_value again;

	kn__buf_init(&buf, NULL, SIZE_MAX);
	MUST(kn__array_print(&buf, array, &why) == KN_OK);
	MUST(buf.data[buf.length - 1] == '\0' && strlen(buf.data) == buf.length - 1);
	/* What goes beyond the numbers of elements that there are is the server's to refuse. */
	if (kn__array_parse(arena, NULL, (kn_str){ buf.data, buf.length - 1 }, &again, &why) == KN_OK)
	{
		check_shape(&again, KN_TYPE_TEXT);
		MUST(again.n == value->n);
		for (uint32_t i = 0; i < again.n; i++)
		{
			const kn_value *a = &array->items[i];
			const kn_value *b = &again.as.array->items[i];

			MUST(a->type == b->type && a->n == b->n);
			MUST(a->n == 0 || memcmp(a->as.p, b->as.p, a->n) == 0);
		}
	}
	else
		MUST(value->n > 0 && array->lower_bounds != NULL);
	kn__buf_release(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kn__arena arena;
	const kn__type *element;
	const char *why = NULL;
	kn_value value;
	kn_status status;
	bool is_array;
	char *copy;

	if (size < 1)
		return 0;
	element = (data[0] & 16) != 0 ? NULL : kn__type_find(oids[data[0] >> 1 & 7], &is_array);
	copy = malloc(size); /* of its own, so that a look behind its end is seen */
	MUST(copy != NULL);
	memcpy(copy, data, size);
	kn__arena_init(&arena, NULL);
	if ((data[0] & 1) != 0)
		status = kn__array_decode(&arena, element, copy + 1, size - 1, &value, &why);
	else
		status = kn__array_parse(&arena, element, (kn_str){ copy + 1, size - 1 }, &value, &why);
	MUST(status == KN_OK || (status == KN_DATA && why != NULL));
	/* Memory for each byte there is, and not for what the bytes claim; numerics may be long. */
	MUST((element != NULL && element->oid == 1700) || arena.used < 128 * 1024 + 256 * size);
	if (status == KN_OK)
		check_shape(&value, element == NULL ? KN_TYPE_TEXT : element->kind);
	if (status == KN_OK && element != NULL)
		send_again(&arena, &value, element);
	else if (status == KN_OK)
		print_again(&arena, &value);
	kn__arena_release(&arena);
	free(copy);
	return 0;
}
