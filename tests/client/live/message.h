/*
 * message.h
 *		Messages of the protocol as they pass: their length, an answer, a text in them.
 */
#ifndef KN_TESTS_MESSAGE_H
#define KN_TESTS_MESSAGE_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define PROXY_BYTES 65536 /* as much as passes at a time */

/* False: the other side is gone. */
static inline bool
pass(int to, const char *bytes, size_t n)
{
	while (n > 0)
	{
		ssize_t sent = send(to, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		n -= (size_t) sent;
	}
	return true;
}

/* Of four bytes: a length, or what is asked for. */
static inline uint32_t
length_at(const char *bytes)
{
	uint32_t length;

	memcpy(&length, bytes, sizeof(length));
	return ntohl(length);
}

/* Reads an answer up to a message of one of these kinds, or what there is of it, PROXY_BYTES at
 * most. */
static inline size_t
read_until(int server, char *bytes, const char *kinds)
{
	size_t have = 0;
	size_t at = 0;

	for (;;)
	{
		ssize_t n;

		while (at + 5 <= have && at + 1 + length_at(bytes + at + 1) <= have)
		{
			bool is_last = strchr(kinds, bytes[at]) != NULL;

			at += 1 + length_at(bytes + at + 1);
			if (is_last)
				return have;
		}
		n = have < PROXY_BYTES ? recv(server, bytes + have, PROXY_BYTES - have, 0) : 0;
		if (n <= 0)
			return have;
		have += (size_t) n;
	}
}

/* The same up to ReadyForQuery. */
static inline size_t
read_answer(int server, char *bytes)
{
	return read_until(server, bytes, "Z");
}

static inline bool
contains(const char *bytes, size_t n, const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i + length <= n; i++)
	{
		if (memcmp(bytes + i, text, length) == 0)
			return true;
	}
	return false;
}

#endif
