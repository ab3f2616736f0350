/*
 * hash.c
 *		A hash of bytes: XXH64, which is fast and well mixed, and has published values.
 *
 * It is no secret-keyed hash: do not use it where an attacker chooses the keys
 * and gains by their falling together.
 */
#include "base/base.h"

#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

/* Little-endian loads, whatever the machine is; compilers make one instruction of each. */
static uint32_t
load_32(const uint8_t *b)
{
	return (uint32_t) b[3] << 24 | (uint32_t) b[2] << 16 | (uint32_t) b[1] << 8 | b[0];
}

static uint64_t
load_64(const uint8_t *b)
{
	return (uint64_t) load_32(b + 4) << 32 | load_32(b);
}

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t
mix(uint64_t lane, uint64_t word)
{
	return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

/* Four lanes side by side, while there are 32 bytes; *at is moved behind them. */
static uint64_t
hash_stripes(const uint8_t **at, const uint8_t *end, uint64_t seed)
{
	uint64_t lanes[4] = { seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1 };
	const uint8_t *p = *at;
	uint64_t hash;

	for (; end - p >= 32; p += 32)
	{
		for (int i = 0; i < 4; i++)
			lanes[i] = mix(lanes[i], load_64(p + (ptrdiff_t) 8 * i));
	}
	hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
	for (int i = 0; i < 4; i++)
		hash = (hash ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
	*at = p;
	return hash;
}

uint64_t
kn__hash(const void *bytes, size_t length, uint64_t seed)
{
	const uint8_t *p = bytes;
	const uint8_t *end;
	uint64_t hash = seed + PRIME_5;

	if (length > 0)
	{
		end = p + length;
		if (length >= 32)
			hash = hash_stripes(&p, end, seed);
		hash += length;
		for (; end - p >= 8; p += 8)
			hash = rotate(hash ^ mix(0, load_64(p)), 27) * PRIME_1 + PRIME_4;
		if (end - p >= 4)
		{
			hash = rotate(hash ^ load_32(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
			p += 4;
		}
		for (; p < end; p++)
			hash = rotate(hash ^ *p * PRIME_5, 11) * PRIME_1;
	}
	hash = (hash ^ hash >> 33) * PRIME_2;
	hash = (hash ^ hash >> 29) * PRIME_3;
	return hash ^ hash >> 32;
}
