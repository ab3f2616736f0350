/*
 * utf8.c
 *		Whether text is UTF-8, a character at a time; and where a word is in it.
 */
#include "base/base.h"

#include <string.h>

/* How many bytes a character has that begins with this one; 0: none does. */
static size_t
length_by(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first >= 0xF5)
		return 0;
	return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t
kn__utf8_length(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *) text;
	size_t length = n == 0 ? 0 : length_by(p[0]);

	if (length == 0 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] >= 0xA0) ||
		(p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] >= 0x90))
		return 0; /* too long a form, a surrogate, or beyond U+10FFFF */
	return length;
}

/* As in SQL and conninfos: no letters but those of ASCII have two cases, in any locale. */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
}

const char *
kn__find_folded(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (; *text != '\0'; text++)
	{
		size_t same = 0;

		while (same < n && fold(text[same]) == word[same])
			same++;
		if (same == n)
			return text;
	}
	return NULL;
}
