/*
 * memo.h
 *		What has been found out of something, by its hash: a few flags.
 *
 * A table of fixed size, safe for all threads, a word an entry: the upper bits are those of
 * the key, the lower ones the flags.  Entries overwrite each other, and that is well: what
 * is gone is found out again.
 */
#ifndef KN_SRC_BASE_MEMO_H
#define KN_SRC_BASE_MEMO_H

#include "base/base.h"

#define KN__MEMO_BITS 14 /* so many flags there may be */

typedef struct kn__memo kn__memo;

/* NULL: out of memory. */
extern kn__memo *kn__memo_new(const kn_allocator *allocator);
/* NULL does nothing. */
extern void kn__memo_free(kn__memo *memo);
/* 0: nothing is known. */
extern unsigned kn__memo_find(const kn__memo *memo, uint64_t key);
/* Flags of 0 make it forget. */
extern void kn__memo_note(kn__memo *memo, uint64_t key, unsigned flags);

#endif
