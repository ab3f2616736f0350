/*
 * memory.c
 *		Where memory comes from: malloc() and its kin, or an allocator of the user's.
 *
 * NULL always means that there is no memory: a size of 0 gets memory too.
 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

static bool
is_system(const kn_allocator *allocator)
{
	return allocator == NULL || allocator->allocate == NULL;
}

void *
kn__allocate(const kn_allocator *allocator, size_t size)
{
	size_t wanted = size > 0 ? size : 1;

	if (is_system(allocator))
		return malloc(wanted);
	return allocator->allocate(allocator->user, wanted);
}

void *
kn__allocate_zero(const kn_allocator *allocator, size_t count, size_t size)
{
	void *memory;

	if (size > 0 && count > SIZE_MAX / size)
		return NULL;
	if (is_system(allocator))
		return calloc(count > 0 ? count : 1, size > 0 ? size : 1);
	memory = kn__allocate(allocator, count * size);
	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

/* When there is no memory, the old one stays as it is. */
void *
kn__resize(const kn_allocator *allocator, void *memory, size_t old_size, size_t new_size)
{
	size_t wanted = new_size > 0 ? new_size : 1;

	if (memory == NULL)
		return kn__allocate(allocator, new_size);
	if (is_system(allocator))
		return realloc(memory, wanted);
	return allocator->resize(allocator->user, memory, old_size > 0 ? old_size : 1, wanted);
}

void
kn__release(const kn_allocator *allocator, void *memory, size_t size)
{
	if (memory == NULL)
		return;
	if (is_system(allocator))
		free(memory);
	else
		allocator->release(allocator->user, memory, size > 0 ? size : 1);
}

void
kn__wipe(void *memory, size_t size)
{
	volatile uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i++)
		bytes[i] = 0;
}
