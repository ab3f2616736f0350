/*
 * inet.c
 *		Addresses and networks: text here, bytes on the wire.
 */
#include "data/data.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define FAMILY_4 2 /* as the server numbers them, whatever the system does */
#define FAMILY_6 3

static bool read_bits(const char *text, int most, int *out);

kn_status
kn__inet_encode(kn__buf *buf, kn_str text, bool is_cidr, const char **why)
{
	char copy[INET6_ADDRSTRLEN + 8];
	uint8_t bytes[16];
	char *slash;
	bool is_6;
	int bits;
	int most;

	*why = "it is no network address";
	if (text.n >= sizeof(copy) || memchr(text.p, '\0', text.n) != NULL)
		return KN_DATA;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	is_6 = strchr(copy, ':') != NULL;
	most = bits = is_6 ? 128 : 32;
	if (inet_pton(is_6 ? AF_INET6 : AF_INET, copy, bytes) != 1 ||
		(slash != NULL && !read_bits(slash, most, &bits)))
		return KN_DATA;
	kn__buf_add(buf, is_6 ? "\003" : "\002", 1);
	kn__buf_add(buf, &(char){ (char) bits }, 1);
	kn__buf_add(buf, is_cidr ? "\001" : "", 1);
	kn__buf_add(buf, &(char){ (char) (most / 8) }, 1);
	kn__buf_add(buf, bytes, (size_t) most / 8);
	return KN_OK;
}

static bool
read_bits(const char *text, int most, int *out)
{
	*out = 0;
	if (*text == '\0' || strlen(text) > 3)
		return false;
	for (; *text != '\0'; text++)
	{
		if (*text < '0' || *text > '9')
			return false;
		*out = *out * 10 + (*text - '0');
	}
	return *out <= most;
}

kn_status
kn__inet_decode(kn__arena *arena, const char *bytes, size_t length, kn_str *out, const char **why)
{
	char text[INET6_ADDRSTRLEN + 8];
	size_t size;
	int bits;

	*why = "the message is not a network address";
	if (length < 4 || (bytes[0] != FAMILY_4 && bytes[0] != FAMILY_6))
		return KN_DATA;
	size = bytes[0] == FAMILY_6 ? 16 : 4;
	bits = (uint8_t) bytes[1];
	if ((uint8_t) bytes[3] != size || length != 4 + size || bits > (int) size * 8 ||
		inet_ntop(size == 16 ? AF_INET6 : AF_INET, bytes + 4, text, sizeof(text)) == NULL)
		return KN_DATA;
	/* A host needs no mask, a network always has one. */
	if (bytes[2] != 0 || bits != (int) size * 8)
	{
		size_t end = strlen(text);

		(void) snprintf(text + end, sizeof(text) - end, "/%d", bits);
	}
	out->n = strlen(text);
	out->p = kn__arena_copy(arena, text, out->n);
	*why = "out of memory";
	return out->p == NULL ? KN_NO_MEMORY : KN_OK;
}
