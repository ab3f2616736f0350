/*
 * memo.c
 *		What has been found out of something, by its hash.
 */
#include "base/memo.h"

#include <stdatomic.h>

#define ENTRIES 4096 /* a power of two */
#define FLAGS   ((UINT64_C(1) << KN__MEMO_BITS) - 1)

struct kn__memo
{
	const kn_allocator *allocator;
	_Atomic(uint64_t) entries[ENTRIES]; /* 0: nothing */
};

kn__memo *
kn__memo_new(const kn_allocator *allocator)
{
	kn__memo *memo = kn__allocate_zero(allocator, 1, sizeof(kn__memo));

	if (memo != NULL)
		memo->allocator = allocator;
	return memo;
}

void
kn__memo_free(kn__memo *memo)
{
	if (memo != NULL)
		kn__release(memo->allocator, memo, sizeof(kn__memo));
}

unsigned
kn__memo_find(const kn__memo *memo, uint64_t key)
{
	uint64_t entry = atomic_load_explicit(&memo->entries[key >> KN__MEMO_BITS & (ENTRIES - 1)],
										  memory_order_relaxed);

	return ((entry ^ key) & ~FLAGS) == 0 ? (unsigned) (entry & FLAGS) : 0;
}

void
kn__memo_note(kn__memo *memo, uint64_t key, unsigned flags)
{
	atomic_store_explicit(&memo->entries[key >> KN__MEMO_BITS & (ENTRIES - 1)],
						  flags == 0 ? 0 : (key & ~FLAGS) | flags,
						  memory_order_relaxed);
}
