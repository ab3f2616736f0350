/*
 * error.c
 *		An error with room for its texts, so that noting one cannot fail.
 *
 * A text is either static or stands in the room; "" is static.  So an error can
 * be copied by moving the pointers into the room along.
 */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
kn__fault_clear(kn__fault *fault)
{
	static const kn_error none = {
		.item = -1,
		.row = -1,
		.column = -1,
		.message = "",
		.detail = "",
		.hint = "",
		.context = "",
		.schema_name = "",
		.table_name = "",
		.column_name = "",
		.type_name = "",
		.constraint_name = "",
		.sql = "",
	};

	fault->error = none;
	fault->is_answer = false;
	fault->is_of_servers = false;
	fault->is_unclean = false;
	fault->was_begun = false;
	fault->is_ours = false;
	fault->is_refused = false;
	fault->is_relayed = false;
	fault->may_quote = false;
	fault->used = 0;
}

/* How much of a text fits into size bytes, cut before a character of UTF-8 that does not. */
static size_t
fitting(const char *text, size_t length, size_t size)
{
	if (length <= size)
		return length;
	while (size > 0 && ((unsigned char) text[size] & 0xC0) == 0x80)
		size--;
	return size;
}

void
kn__fault_text(kn__fault *fault, const char **field, const char *text)
{
	size_t room = sizeof(fault->room) - fault->used;
	size_t length;

	if (text == NULL || *text == '\0' || room < 2)
	{
		*field = "";
		return;
	}
	length = fitting(text, strlen(text), room - 1);
	memcpy(fault->room + fault->used, text, length);
	fault->room[fault->used + length] = '\0';
	*field = fault->room + fault->used;
	fault->used += length + 1;
}

/* The arguments may be texts of the error that was there before. */
kn_status
kn__fail(kn__fault *fault, kn_status status, const char *format, ...)
{
	char message[KN__ERROR_ROOM + 4]; /* so long that what is cut off can be seen */
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	kn__fault_clear(fault);
	fault->error.status = status;
	kn__fault_text(fault, &fault->error.message, length < 0 ? format : message);
	return status;
}

/* The same text, in the other error's room if it was in the first one's. */
static const char *
move_text(const kn__fault *from, const kn__fault *to, const char *text)
{
	uintptr_t offset = (uintptr_t) text - (uintptr_t) from->room;

	return offset < sizeof(from->room) ? to->room + offset : text;
}

void
kn__fault_copy(kn__fault *to, const kn__fault *from)
{
	if (to == from)
		return;
	to->error = from->error;
	to->is_answer = from->is_answer;
	to->is_of_servers = from->is_of_servers;
	to->is_unclean = from->is_unclean;
	to->was_begun = from->was_begun;
	to->is_ours = from->is_ours;
	to->is_refused = from->is_refused;
	to->is_relayed = from->is_relayed;
	to->may_quote = from->may_quote;
	to->used = from->used;
	memcpy(to->room, from->room, from->used);
	to->error.message = move_text(from, to, from->error.message);
	to->error.detail = move_text(from, to, from->error.detail);
	to->error.hint = move_text(from, to, from->error.hint);
	to->error.context = move_text(from, to, from->error.context);
	to->error.schema_name = move_text(from, to, from->error.schema_name);
	to->error.table_name = move_text(from, to, from->error.table_name);
	to->error.column_name = move_text(from, to, from->error.column_name);
	to->error.type_name = move_text(from, to, from->error.type_name);
	to->error.constraint_name = move_text(from, to, from->error.constraint_name);
	to->error.sql = move_text(from, to, from->error.sql);
}
