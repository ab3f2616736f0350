/*
 * cache_entry.c
 *		What an entry of the cache begins with: whose it is, and of what.
 *
 * A key is the program's text, and a hash of who asks: short, and not to be relied on, for
 * whoever chooses a claim or a value can make two of them fall together; and a program may
 * have one cache for several databases.  So an entry begins with the server, the database,
 * the user and the options it is connected with, the role, the claims, the statement and its
 * values themselves, each with its length before it, and is somebody else's unless all of
 * that is the same, byte for byte.
 */
#include "run/cache.h"
#include "run/config.h"

#include <stdio.h>
#include <string.h>

#define FORMAT UINT32_C(0x6b6e0003) /* another one where what follows is laid out otherwise */

static void add_place(kn__buf *out, const kn__place *place);
static void add_text(kn__buf *out, const char *text);
static void add_value(kn__buf *out, const kn_value *value);
static void add_array(kn__buf *out, const kn_value *value);

/* The key of an entry; NULL: out of memory. */
const char *
kn__entry_key(kn_ctx *cx, kn__arena *arena, const char *key)
{
	char text[24];
	kn__buf out;
	const char *copy;

	if (cx->prelude_count == 0)
		return kn__arena_copy(arena, key, strlen(key));
	kn__buf_init(&out, cx->db->allocator, KN__ENTRY_MOST);
	for (int i = 0; i < cx->prelude_count; i++)
		add_value(&out, &cx->prelude_values[i]);
	(void) snprintf(text,
					sizeof(text),
					":%016llx",
					(unsigned long long) kn__hash(out.data, out.length, 0));
	kn__buf_clear(&out);
	kn__buf_text(&out, key);
	kn__buf_text(&out, text);
	copy = out.has_failed ? NULL : kn__arena_copy(arena, out.data, out.length);
	kn__buf_release(&out);
	return copy;
}

/* Begins an entry of what a statement gives to who asks by the context. */
void
kn__entry_begin(kn__buf *out, const kn_ctx *cx, const char *sql, const kn_value *values, int count)
{
	kn__buf_u32(out, FORMAT);
	add_place(out, cx->db->servers[0].place);
	kn__buf_u32(out, (uint32_t) cx->prelude_count);
	for (int i = 0; i < cx->prelude_count; i++)
		add_value(out, &cx->prelude_values[i]);
	add_text(out, sql);
	kn__buf_u32(out, (uint32_t) count);
	for (int i = 0; i < count; i++)
		add_value(out, &values[i]);
}

/* Whose rows they are: replicas have the same. */
static void
add_place(kn__buf *out, const kn__place *place)
{
	add_text(out, place->host);
	kn__buf_u32(out, (uint32_t) place->port);
	add_text(out, place->database);
	add_text(out, place->user);
	add_text(out, place->hostaddr);
	add_text(out, place->options);
	add_text(out, place->client_encoding);
}

static void
add_text(kn__buf *out, const char *text)
{
	size_t length = text == NULL ? 0 : strlen(text);

	kn__buf_u64(out, length);
	kn__buf_add(out, text == NULL ? "" : text, length);
}

/* The kind first: 1 is not true, and "1" is neither. */
static void
add_value(kn__buf *out, const kn_value *value)
{
	kn__buf_u32(out, value->type);
	kn__buf_u32(out, value->oid);
	kn__buf_u32(out, value->n);
	switch (value->type)
	{
		case KN_TYPE_TEXT:
		case KN_TYPE_BYTES:
		case KN_TYPE_NUMERIC:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
			kn__buf_add(out, value->as.p, value->n);
			break;
		case KN_TYPE_ARRAY:
			add_array(out, value);
			break;
		case KN_TYPE_NULL:
			break;
		case KN_TYPE_BOOL:
			kn__buf_u32(out, value->as.b);
			break;
		case KN_TYPE_UUID:
			kn__buf_add(out, &value->as.uuid, sizeof(value->as.uuid));
			break;
		case KN_TYPE_INTERVAL:
			kn__buf_add(out, &value->as.interval, sizeof(value->as.interval));
			break;
		default:
			kn__buf_u64(out, (uint64_t) value->as.i);
	}
}

/* What is no array, or has arrays for elements, will be refused when it is to be sent. */
static void
add_array(kn__buf *out, const kn_value *value)
{
	const kn_array *array = value->as.array;
	int64_t count;

	if (array == NULL || !kn__array_has_shape(array, &count))
		return;
	kn__buf_u32(out, array->element);
	kn__buf_u32(out, (uint32_t) array->dimensions);
	for (int i = 0; i < array->dimensions; i++)
	{
		kn__buf_u32(out, (uint32_t) array->sizes[i]);
		kn__buf_u32(out, array->lower_bounds == NULL ? 1 : (uint32_t) array->lower_bounds[i]);
	}
	for (int64_t i = 0; i < count; i++)
	{
		if (array->items[i].type != KN_TYPE_ARRAY)
			add_value(out, &array->items[i]);
	}
}
