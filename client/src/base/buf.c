/*
 * buf.c
 *		Bytes that grow, up to a limit.
 *
 * Once a buffer has failed, for want of memory or by its limit, nothing is added any
 * more; what is in it stays.
 */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 64
/* More than this is given back by kn__buf_clear(). */
#define KEPT_CAPACITY ((size_t) 1024 * 1024)

void
kn__buf_init(kn__buf *buf, const kn_allocator *allocator, size_t limit)
{
	*buf = (kn__buf){ .allocator = allocator, .limit = limit };
}

void
kn__buf_release(kn__buf *buf)
{
	kn__release(buf->allocator, buf->data, buf->capacity);
	kn__buf_init(buf, buf->allocator, buf->limit);
}

void
kn__buf_clear(kn__buf *buf)
{
	if (buf->capacity > KEPT_CAPACITY)
	{
		kn__buf_release(buf);
		return;
	}
	buf->has_failed = false;
	kn__buf_cut(buf, 0);
}

/* Twice as large, or as large as is needed, but never larger than the limit wants it. */
static char *
grow(kn__buf *buf, size_t more)
{
	size_t capacity = buf->capacity;
	size_t needed;
	char *data;

	buf->has_failed = true;
	if (buf->length > buf->limit || more > buf->limit - buf->length ||
		more > SIZE_MAX / 2 - buf->length)
		return NULL;
	needed = buf->length + more + 1;
	capacity = capacity < FIRST_CAPACITY / 2 ? FIRST_CAPACITY : capacity * 2;
	if (capacity > buf->limit)
		capacity = buf->limit + 1;
	if (capacity < needed)
		capacity = needed;
	data = kn__resize(buf->allocator, buf->data, buf->capacity, capacity);
	if (data == NULL)
		return NULL;
	buf->has_failed = false;
	buf->data = data;
	buf->capacity = capacity;
	buf->data[buf->length] = '\0';
	return buf->data + buf->length;
}

char *
kn__buf_room(kn__buf *buf, size_t more)
{
	if (buf->has_failed)
		return NULL;
	if (more < buf->capacity - buf->length)
		return buf->data + buf->length;
	return grow(buf, more);
}

void
kn__buf_add(kn__buf *buf, const void *bytes, size_t length)
{
	char *room = kn__buf_room(buf, length);

	if (room == NULL)
		return;
	if (length > 0)
		memcpy(room, bytes, length);
	kn__buf_count(buf, length);
}

void
kn__buf_text(kn__buf *buf, const char *text)
{
	kn__buf_add(buf, text, strlen(text));
}

/* Numbers with a decimal point are not for this: they would come out as the locale wants. */
void
kn__buf_printf(kn__buf *buf, const char *format, ...)
{
	char *room = kn__buf_room(buf, 0);
	size_t free_room;
	va_list arguments;
	int length;

	if (room == NULL)
		return;
	free_room = buf->capacity - buf->length;
	va_start(arguments, format);
	length = vsnprintf(room, free_room, format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t) length >= free_room)
	{
		*room = '\0';
		room = kn__buf_room(buf, (size_t) length);
		if (room == NULL)
			return;
		va_start(arguments, format);
		length = vsnprintf(room, (size_t) length + 1, format, arguments);
		va_end(arguments);
	}
	if (length < 0)
		buf->has_failed = true;
	else
		kn__buf_count(buf, (size_t) length);
}

void
kn__buf_u16(kn__buf *buf, uint16_t value)
{
	uint8_t bytes[2] = { (uint8_t) (value >> 8), (uint8_t) value };

	kn__buf_add(buf, bytes, sizeof(bytes));
}

void
kn__buf_u32(kn__buf *buf, uint32_t value)
{
	uint8_t bytes[4];

	kn__store_u32(bytes, value);
	kn__buf_add(buf, bytes, sizeof(bytes));
}

void
kn__buf_u64(kn__buf *buf, uint64_t value)
{
	char *room = kn__buf_room(buf, sizeof(value));

	if (room == NULL)
		return;
	kn__store_u64(room, value);
	kn__buf_count(buf, sizeof(value));
}

void
kn__buf_set_u32(kn__buf *buf, size_t at, uint32_t value)
{
	if (at <= buf->length && buf->length - at >= 4)
		kn__store_u32(buf->data + at, value);
}

size_t
kn__buf_copy_out(const kn__buf *buf, char *memory, size_t capacity)
{
	size_t n = buf->has_failed ? 0 : buf->length;

	if (capacity > 0)
	{
		if (n >= capacity)
			n = capacity - 1;
		if (n > 0)
			memcpy(memory, buf->data, n);
		memory[n] = '\0';
	}
	return buf->has_failed ? SIZE_MAX : buf->length;
}
