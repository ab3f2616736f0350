/*
 * shapes.c
 *		Of which statements all columns can be had in binary.
 *
 * libpq asks for all columns of a result in one format, so it has to be known
 * beforehand whether each of them has a codec.  What the server has said once
 * of a statement is kept here: a table of fixed size, a word an entry, the last bit
 * of which is the answer.  Entries overwrite each other, and that is well: one that is
 * gone is asked for again.  One that is wrong, for the schema has changed, is found out
 * when the result comes, and noted anew.
 */
#include "wire/conn.h"

#define ENTRIES 4096 /* a power of two */

struct kn__shapes
{
	const kn_allocator *allocator;
	_Atomic(uint64_t) entries[ENTRIES]; /* the key but for its last bit, which says "text" */
};

kn__shapes *
kn__shapes_new(const kn_allocator *allocator)
{
	kn__shapes *shapes = kn__allocate_zero(allocator, 1, sizeof(kn__shapes));

	if (shapes != NULL)
		shapes->allocator = allocator;
	return shapes;
}

void
kn__shapes_free(kn__shapes *shapes)
{
	if (shapes != NULL)
		kn__release(shapes->allocator, shapes, sizeof(kn__shapes));
}

kn__shape
kn__shapes_find(const kn__shapes *shapes, uint64_t key)
{
	uint64_t entry =
		atomic_load_explicit(&shapes->entries[(key >> 1) % ENTRIES], memory_order_relaxed);

	if (entry == 0 || (entry | 1) != (key | 1))
		return KN__SHAPE_UNKNOWN;
	return (entry & 1) != 0 ? KN__SHAPE_TEXT : KN__SHAPE_BINARY;
}

void
kn__shapes_note(kn__shapes *shapes, uint64_t key, kn__shape shape)
{
	uint64_t entry = (key & ~UINT64_C(1)) | (shape == KN__SHAPE_TEXT);

	if (shape == KN__SHAPE_UNKNOWN)
		entry = 0;
	atomic_store_explicit(&shapes->entries[(key >> 1) % ENTRIES], entry, memory_order_relaxed);
}

/* Of a description, or of a result. */
kn__shape
kn__shape_of(const PGresult *result)
{
	for (int i = 0; i < PQnfields(result); i++)
	{
		if (!kn__has_codec(PQftype(result, i)))
			return KN__SHAPE_TEXT;
	}
	return KN__SHAPE_BINARY;
}
