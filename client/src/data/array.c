/*
 * array.c
 *		Arrays, in binary and as the server prints them.
 *
 * On the wire: dimensions, whether there are NULLs, the type of the elements, size and lower
 * bound of each dimension, and the elements, row by row, each with its length.
 */
#include "data/data.h"

#include <stdio.h>
#include <string.h>

static const char bad_shape[] =
	"an array has up to 6 dimensions, and as many elements as these say";

/* An array while it is being read. */
typedef struct Shape
{
	int32_t sizes[KN__MOST_DIMENSIONS];
	int32_t bounds[KN__MOST_DIMENSIONS];
	int32_t dimensions;
	uint32_t count;
} Shape;

typedef struct Parser
{
	kn__arena *arena;
	const kn__type *element;
	const char *at;
	const char *end;
	Shape shape;
	bool is_known[KN__MOST_DIMENSIONS]; /* the size of a dimension, once one of it has ended */
	kn_value *items;
	uint32_t count;
	uint32_t room;
	int leaves; /* the depth that the elements are at, -1: none seen */
	char *text; /* where the next element's text goes; there is room for all of them */
	const char **why;
} Parser;

static void print_bounds(kn__buf *buf, const kn_array *array);
static int32_t braces_before(const kn_array *array, int64_t at);
static kn_status print_text(kn__buf *buf, const kn_value *value, const char **why);
static kn_status decode_element(kn__arena *arena, const kn__type *element, int format,
								const char *bytes, int32_t size, kn_value *out, const char **why);
static kn_status finish(kn__arena *arena, const kn__type *element, const Shape *shape,
						kn_value *items, kn_value *out, const char **why);
static bool parse_bounds(Parser *p);
static bool parse_number(Parser *p, int32_t *out);
static kn_status parse_level(Parser *p, int depth);
static bool ends_element(char c);
static kn_status parse_element(Parser *p);
static kn_status add_item(Parser *p, kn_str text, bool is_null);

kn_status
kn__array_encode(kn__buf *buf, const kn_array *array, uint32_t element_oid, const char **why)
{
	bool has_nulls = false;
	int64_t count;
	kn_status status = KN_OK;

	*why = bad_shape;
	if (!kn__array_has_shape(array, &count))
		return KN_DATA;
	for (int64_t i = 0; i < count; i++)
		has_nulls |= array->items[i].type == KN_TYPE_NULL;
	kn__buf_u32(buf, count == 0 ? 0 : (uint32_t) array->dimensions);
	kn__buf_u32(buf, has_nulls);
	kn__buf_u32(buf, element_oid);
	for (int i = 0; i < array->dimensions && count > 0; i++)
	{
		kn__buf_u32(buf, (uint32_t) array->sizes[i]);
		kn__buf_u32(buf, array->lower_bounds == NULL ? 1 : (uint32_t) array->lower_bounds[i]);
	}
	for (int64_t i = 0; i < count && status == KN_OK; i++)
		status = kn__encode_field(buf, &array->items[i], element_oid, why);
	return status;
}

bool
kn__array_has_shape(const kn_array *array, int64_t *count)
{
	*count = array->dimensions == 0 ? 0 : 1;
	if (array->dimensions < 0 || array->dimensions > KN__MOST_DIMENSIONS ||
		(array->dimensions > 0 && array->sizes == NULL))
		return false;
	for (int i = 0; i < array->dimensions; i++)
	{
		if (array->sizes[i] < 0 || (*count *= array->sizes[i]) > INT32_MAX)
			return false;
	}
	return *count == 0 || array->items != NULL;
}

kn_status
kn__array_print(kn__buf *buf, const kn_array *array, const char **why)
{
	int64_t count;
	kn_status status = KN_OK;

	*why = bad_shape;
	if (!kn__array_has_shape(array, &count))
		return KN_DATA;
	if (count > 0)
		print_bounds(buf, array);
	for (int64_t i = 0; i < count && status == KN_OK; i++)
	{
		int32_t braces = braces_before(array, i);

		for (int32_t j = 0; j < braces && i > 0; j++)
			kn__buf_add(buf, "}", 1);
		if (i > 0)
			kn__buf_add(buf, ",", 1);
		for (int32_t j = 0; j < braces; j++)
			kn__buf_add(buf, "{", 1);
		status = print_text(buf, &array->items[i], why);
	}
	for (int32_t j = 0; j < array->dimensions && count > 0; j++)
		kn__buf_add(buf, "}", 1);
	if (count == 0)
		kn__buf_add(buf, "{}", 2);
	kn__buf_add(buf, "", 1);
	return status;
}

/* "[0:2][1:1]=", where they are not as they are without it. */
static void
print_bounds(kn__buf *buf, const kn_array *array)
{
	bool is_needed = false;
	char text[32];

	for (int32_t i = 0; i < array->dimensions && array->lower_bounds != NULL; i++)
		is_needed |= array->lower_bounds[i] != 1;
	if (!is_needed)
		return;
	for (int32_t i = 0; i < array->dimensions; i++)
	{
		int64_t last = (int64_t) array->lower_bounds[i] + array->sizes[i] - 1;

		(void) snprintf(text, sizeof(text), "[%d:%lld]", array->lower_bounds[i], (long long) last);
		kn__buf_add(buf, text, strlen(text));
	}
	kn__buf_add(buf, "=", 1);
}

/* How many dimensions begin anew with an element. */
static int32_t
braces_before(const kn_array *array, int64_t at)
{
	int32_t braces = 0;
	int64_t size = 1;

	for (int32_t i = array->dimensions - 1; i >= 0; i--)
	{
		size *= array->sizes[i];
		if (at % size != 0)
			break;
		braces++;
	}
	return braces;
}

static kn_status
print_text(kn__buf *buf, const kn_value *value, const char **why)
{
	const char *text = value->as.p;

	switch (value->type)
	{
		case KN_TYPE_NULL:
			kn__buf_add(buf, "NULL", 4);
			return KN_OK;
		case KN_TYPE_TEXT:
		case KN_TYPE_JSON:
		case KN_TYPE_INET:
		case KN_TYPE_NUMERIC:
			break;
		default:
			*why = "values of its kind cannot be sent as that type";
			return KN_DATA;
	}
	*why = "text must not have a NUL in it";
	if (value->n > 0 && memchr(text, '\0', value->n) != NULL)
		return KN_DATA;
	kn__buf_add(buf, "\"", 1);
	for (uint32_t i = 0; i < value->n; i++)
	{
		if (text[i] == '"' || text[i] == '\\')
			kn__buf_add(buf, "\\", 1);
		kn__buf_add(buf, &text[i], 1);
	}
	kn__buf_add(buf, "\"", 1);
	return KN_OK;
}

kn_status
kn__array_decode(kn__arena *arena, const kn__type *element, const char *bytes, size_t length,
				 kn_value *out, const char **why)
{
	Shape shape = { .count = 0 };
	const char *end = bytes + length;
	kn_value *items;
	uint64_t count = 1;

	*why = "the message is not an array";
	if (length < 12 || kn__load_u32(bytes) > KN__MOST_DIMENSIONS || kn__load_u32(bytes + 4) > 1 ||
		(element != NULL && kn__load_u32(bytes + 8) != element->oid))
		return KN_DATA;
	shape.dimensions = (int32_t) kn__load_u32(bytes);
	bytes += 12;
	if (end - bytes < shape.dimensions * (ptrdiff_t) 8)
		return KN_DATA;
	for (int i = 0; i < shape.dimensions; i++, bytes += 8)
	{
		shape.sizes[i] = (int32_t) kn__load_u32(bytes);
		shape.bounds[i] = (int32_t) kn__load_u32(bytes + 4);
		/* Each element takes four bytes at least. */
		if (shape.sizes[i] < 0 || (count *= (uint64_t) shape.sizes[i]) > length / 4)
			return KN_DATA;
	}
	shape.count = shape.dimensions == 0 ? 0 : (uint32_t) count;
	items = kn__arena_get(arena, (shape.count + 1) * sizeof(kn_value));
	if (items == NULL)
	{
		*why = "out of memory";
		return KN_NO_MEMORY;
	}
	for (uint32_t i = 0; i < shape.count; i++)
	{
		const char *reason = "";
		int32_t size;
		kn_status status;

		if (end - bytes < 4)
			return KN_DATA;
		size = (int32_t) kn__load_u32(bytes);
		bytes += 4;
		if (size < -1 || (size > 0 && size > end - bytes))
			return KN_DATA;
		status = decode_element(arena, element, KN__FORMAT_BINARY, bytes, size, &items[i], &reason);
		if (status != KN_OK)
		{
			*why = reason;
			return status;
		}
		if (size > 0)
			bytes += size;
	}
	*why = "the message is longer than its array";
	return bytes == end ? finish(arena, element, &shape, items, out, why) : KN_DATA;
}

/* In an array whose type is not in the list elements are texts, or else it is something else. */
static kn_status
decode_element(kn__arena *arena, const kn__type *element, int format, const char *bytes,
			   int32_t size, kn_value *out, const char **why)
{
	if (element != NULL)
		return kn__decode(arena, element->oid, format, bytes, size, out, why);
	memset(out, 0, sizeof(*out));
	if (size < 0)
		return KN_OK;
	*why = "its type has no binary form that is known";
	if (size > 0 && memchr(bytes, '\0', (size_t) size) != NULL)
		return KN_DATA;
	out->type = KN_TYPE_TEXT;
	out->n = (uint32_t) size;
	out->as.p = bytes;
	return KN_OK;
}

static kn_status
finish(kn__arena *arena, const kn__type *element, const Shape *shape, kn_value *items,
	   kn_value *out, const char **why)
{
	kn_array *array = kn__arena_get_zero(arena, 1, sizeof(kn_array));
	size_t size = (size_t) shape->dimensions * sizeof(int32_t);

	*why = "out of memory";
	if (array == NULL)
		return KN_NO_MEMORY;
	array->items = items;
	array->element = element == NULL ? KN_TYPE_TEXT : element->kind;
	array->dimensions = shape->dimensions;
	if (shape->dimensions > 0)
	{
		int32_t *numbers = kn__arena_get(arena, 2 * size);

		if (numbers == NULL)
			return KN_NO_MEMORY;
		memcpy(numbers, shape->sizes, size);
		memcpy(numbers + shape->dimensions, shape->bounds, size);
		array->sizes = numbers;
		array->lower_bounds = numbers + shape->dimensions;
	}
	memset(out, 0, sizeof(*out));
	out->type = KN_TYPE_ARRAY;
	out->n = shape->count;
	out->as.array = array;
	return KN_OK;
}

kn_status
kn__array_parse(kn__arena *arena, const kn__type *element, kn_str text, kn_value *out,
				const char **why)
{
	Parser p = { .arena = arena,
				 .element = element,
				 .at = text.p,
				 .end = text.p + text.n,
				 .leaves = -1,
				 .why = why };
	int32_t stated;
	kn_status status;

	*why = "it is no array as the server prints it";
	for (int i = 0; i < KN__MOST_DIMENSIONS; i++)
		p.shape.bounds[i] = 1;
	if (!parse_bounds(&p))
		return KN_DATA;
	stated = p.shape.dimensions;
	p.shape.dimensions = 0;
	if (stated == 0 && text.n == 2 && memcmp(text.p, "{}", 2) == 0)
		return finish(arena, element, &p.shape, NULL, out, why);
	p.text = kn__arena_get(arena, text.n + 1);
	if (p.text == NULL)
	{
		*why = "out of memory";
		return KN_NO_MEMORY;
	}
	status = parse_level(&p, 0);
	if (status != KN_OK)
		return status;
	if (p.at != p.end || (stated > 0 && stated != p.shape.dimensions))
		return KN_DATA;
	p.shape.count = p.count;
	return finish(arena, element, &p.shape, p.items, out, why);
}

/* "[0:2][1:1]=" before the array. */
static bool
parse_bounds(Parser *p)
{
	if (p->at >= p->end || *p->at != '[')
		return true;
	while (p->at < p->end && *p->at == '[')
	{
		int32_t i = p->shape.dimensions;
		int32_t last;

		p->at++;
		if (i == KN__MOST_DIMENSIONS || !parse_number(p, &p->shape.bounds[i]) || p->at >= p->end ||
			*p->at++ != ':' || !parse_number(p, &last) || p->at >= p->end || *p->at++ != ']' ||
			__builtin_sub_overflow(last, p->shape.bounds[i], &p->shape.sizes[i]) ||
			p->shape.sizes[i] == INT32_MAX || ++p->shape.sizes[i] < 1)
			return false;
		p->is_known[i] = true;
		p->shape.dimensions++;
	}
	return p->at < p->end && *p->at++ == '=';
}

static bool
parse_number(Parser *p, int32_t *out)
{
	bool is_negative = p->at < p->end && *p->at == '-';
	int64_t number = 0;
	int digits = 0;

	p->at += is_negative;
	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9' && digits < 10; digits++)
		number = number * 10 + (*p->at++ - '0');
	if (is_negative)
		number = -number;
	*out = (int32_t) number;
	return digits > 0 && number == *out;
}

/* From '{' to '}'; all of a depth have the same size. */
static kn_status
parse_level(Parser *p, int depth)
{
	int32_t size = 0;

	if (depth == KN__MOST_DIMENSIONS || p->at >= p->end || *p->at != '{' ||
		(p->leaves >= 0 && depth > p->leaves))
		return KN_DATA;
	if (depth >= p->shape.dimensions)
		p->shape.dimensions = depth + 1;
	do
	{
		kn_status status;

		p->at++;
		if (p->at >= p->end)
			return KN_DATA;
		if (*p->at == '{')
			status = parse_level(p, depth + 1);
		else if (depth + 1 < p->shape.dimensions)
			status = KN_DATA;
		else
		{
			p->leaves = depth;
			status = parse_element(p);
		}
		if (status != KN_OK)
			return status;
		size++;
	} while (p->at < p->end && *p->at == ',');
	if (p->at >= p->end || *p->at != '}' || (p->is_known[depth] && p->shape.sizes[depth] != size))
		return KN_DATA;
	p->at++;
	p->shape.sizes[depth] = size;
	p->is_known[depth] = true;
	return KN_OK;
}

/* A NUL ends nothing: it cannot be in text. */
static bool
ends_element(char c)
{
	return c == ',' || c == '{' || c == '}' || c == '"';
}

static kn_status
parse_element(Parser *p)
{
	bool is_quoted = p->at < p->end && *p->at == '"';
	char *text = p->text;
	size_t length = 0;

	p->at += is_quoted;
	while (p->at < p->end)
	{
		if (is_quoted ? *p->at == '"' : ends_element(*p->at))
			break;
		if (*p->at == '\\')
			p->at++;
		if (p->at >= p->end)
			return KN_DATA;
		text[length++] = *p->at++;
	}
	if (p->at >= p->end || (is_quoted && *p->at++ != '"') || (!is_quoted && length == 0))
		return KN_DATA;
	p->text += length;
	return add_item(p,
					(kn_str){ text, length },
					!is_quoted && length == 4 && memcmp(text, "NULL", 4) == 0);
}

static kn_status
add_item(Parser *p, kn_str text, bool is_null)
{
	const char *why = "";
	kn_status status;

	if (p->count == p->room)
	{
		uint32_t room = p->room == 0 ? 8 : p->room * 2;
		kn_value *items = kn__arena_get(p->arena, room * sizeof(kn_value));

		if (items == NULL)
		{
			*p->why = "out of memory";
			return KN_NO_MEMORY;
		}
		if (p->count > 0)
			memcpy(items, p->items, p->count * sizeof(kn_value));
		p->items = items;
		p->room = room;
	}
	status = decode_element(p->arena,
							p->element,
							KN__FORMAT_TEXT,
							text.p,
							is_null ? -1 : (int32_t) text.n,
							&p->items[p->count++],
							&why);
	if (status != KN_OK)
		*p->why = why;
	return status;
}
