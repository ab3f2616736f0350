/*
 * arena.c
 *		Memory that is given back all at once.
 *
 * Pieces are cut off the newest block, one behind the other.  What is too large
 * to be cut off a block gets one of its own, which is put behind the newest, so
 * that the rest of that one is still used.  Blocks double with the arena, up to
 * BLOCK_MOST.
 *
 * AddressSanitizer is told which parts of a block are in use, and pieces are kept
 * apart by a gap, so that it sees an overrun from one into the next.
 */
#include "base/base.h"

#include <stdalign.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define KN__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KN__ASAN 1
#endif
#endif

#ifdef KN__ASAN
#include <sanitizer/asan_interface.h>
#define GAP 32
#else
#define ASAN_POISON_MEMORY_REGION(memory, size)   ((void) (memory), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void) (memory), (void) (size))
#define GAP                                       0
#endif

#define ALIGNMENT   alignof(max_align_t)
#define UP(size)    (((size) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)
#define HEAD        UP(sizeof(kn__block))
#define BLOCK_LEAST ((size_t) 8 * 1024)
#define BLOCK_MOST  ((size_t) 64 * 1024)

struct kn__block
{
	kn__block *older;
	size_t size; /* with this head */
	bool is_lent;
};

/* Cuts pieces off this block from now on; all of it is free. */
static void
use_block(kn__arena *arena, kn__block *block)
{
	arena->next = (char *) block + HEAD;
	arena->end = (char *) block + block->size;
	ASAN_POISON_MEMORY_REGION(arena->next, block->size - HEAD);
}

static void
free_block(kn__arena *arena, kn__block *block)
{
	size_t size = block->size;

	ASAN_UNPOISON_MEMORY_REGION(block, size);
	if (!block->is_lent)
		kn__release(arena->allocator, block, size);
}

void
kn__arena_init(kn__arena *arena, const kn_allocator *allocator)
{
	*arena = (kn__arena){ .allocator = allocator };
}

void
kn__arena_lend(kn__arena *arena, void *memory, size_t size)
{
	size_t skipped = (ALIGNMENT - (uintptr_t) memory % ALIGNMENT) % ALIGNMENT;
	kn__block *block = (kn__block *) (void *) ((char *) memory + skipped);

	if (size < skipped + HEAD + ALIGNMENT)
		return;
	*block = (kn__block){ .size = (size - skipped) / ALIGNMENT * ALIGNMENT, .is_lent = true };
	arena->blocks = block;
	arena->used = block->size;
	use_block(arena, block);
}

/* What kn__arena_clear() keeps: the largest block that is not larger than usual. */
static kn__block *
find_usual(const kn__arena *arena)
{
	kn__block *found = NULL;

	for (kn__block *block = arena->blocks; block != NULL; block = block->older)
	{
		if (!block->is_lent && block->size <= BLOCK_MOST &&
			(found == NULL || block->size > found->size))
			found = block;
	}
	return found;
}

void
kn__arena_clear(kn__arena *arena)
{
	kn__block *kept;
	kn__block *lent = NULL;
	kn__block *older;

	/* What most requests come to: nothing, or one block. */
	if (KN__LIKELY(arena->blocks == NULL ||
				   (arena->blocks->older == NULL && arena->blocks->size <= BLOCK_MOST)))
	{
		arena->has_failed = false;
		if (arena->blocks != NULL)
			use_block(arena, arena->blocks);
		return;
	}
	kept = find_usual(arena);
	for (kn__block *block = arena->blocks; block != NULL; block = older)
	{
		older = block->older;
		if (block->is_lent)
			lent = block;
		else if (block != kept)
			free_block(arena, block);
	}
	if (kept != NULL)
		kept->older = lent;
	else
		kept = lent;
	kn__arena_init(arena, arena->allocator);
	arena->blocks = kept;
	for (kn__block *block = kept; block != NULL; block = block->older)
		arena->used += block->size;
	if (kept != NULL)
		use_block(arena, kept);
}

void
kn__arena_wipe(kn__arena *arena)
{
	for (kn__block *block = arena->blocks; block != NULL; block = block->older)
	{
		ASAN_UNPOISON_MEMORY_REGION(block, block->size);
		kn__wipe((char *) block + HEAD, block->size - HEAD);
	}
}

void
kn__arena_release(kn__arena *arena)
{
	kn__block *older;

	for (kn__block *block = arena->blocks; block != NULL; block = older)
	{
		older = block->older;
		free_block(arena, block);
	}
	kn__arena_init(arena, arena->allocator);
}

/* A new block with so much room behind its head; it is in no list yet. */
static kn__block *
make_block(kn__arena *arena, size_t room)
{
	kn__block *block = kn__allocate(arena->allocator, HEAD + room);

	if (block == NULL)
	{
		arena->has_failed = true;
		return NULL;
	}
	*block = (kn__block){ .size = HEAD + room };
	arena->used += block->size;
	return block;
}

/* The newest block has no room of that size: makes another. */
static void *
get_elsewhere(kn__arena *arena, size_t room)
{
	size_t usual = arena->used < BLOCK_LEAST ? BLOCK_LEAST : arena->used;
	kn__block *block;
	char *memory;

	if (usual > BLOCK_MOST)
		usual = BLOCK_MOST;
	if (room > usual / 4 && arena->blocks != NULL)
	{
		block = make_block(arena, room);
		if (block == NULL)
			return NULL;
		block->older = arena->blocks->older;
		arena->blocks->older = block;
		return (char *) block + HEAD;
	}
	block = make_block(arena, room > usual - HEAD ? room : usual / ALIGNMENT * ALIGNMENT - HEAD);
	if (block == NULL)
		return NULL;
	block->older = arena->blocks;
	arena->blocks = block;
	use_block(arena, block);
	memory = arena->next;
	arena->next += room;
	return memory;
}

void *
kn__arena_get(kn__arena *arena, size_t size)
{
	size_t room = size > 0 ? UP(size) + GAP : ALIGNMENT + GAP;
	char *memory = arena->next;

	if (KN__UNLIKELY(arena->has_failed || size > SIZE_MAX / 2))
	{
		arena->has_failed = true;
		return NULL;
	}
	if (KN__LIKELY(room <= (uintptr_t) arena->end - (uintptr_t) arena->next))
		arena->next += room;
	else
		memory = get_elsewhere(arena, room);
	if (memory != NULL)
	{
		ASAN_POISON_MEMORY_REGION(memory, room);
		ASAN_UNPOISON_MEMORY_REGION(memory, size);
	}
	return memory;
}

void *
kn__arena_get_zero(kn__arena *arena, size_t count, size_t size)
{
	void *memory;

	if (size > 0 && count > SIZE_MAX / size)
	{
		arena->has_failed = true;
		return NULL;
	}
	memory = kn__arena_get(arena, count * size);
	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

char *
kn__arena_copy(kn__arena *arena, const void *bytes, size_t length)
{
	char *copy;

	if (length == SIZE_MAX)
	{
		arena->has_failed = true;
		return NULL;
	}
	copy = kn__arena_get(arena, length + 1);
	if (copy == NULL)
		return NULL;
	if (length > 0)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}
