/*
 * test_base_arena.c
 *		Arenas: alignment, blocks, a lent first block, what clear keeps, out of memory.
 */
#include <stdalign.h>

#include "failing.h"
#include "suite.h"

/* Gets pieces of many sizes, fills each, and sees that none lies over another. */
static bool
get_many(kn__arena *arena, int count)
{
	char *pieces[200];
	size_t sizes[200];

	for (int i = 0; i < count; i++)
	{
		sizes[i] = (size_t) (i * i * 7 % 3000) + (i % 50 == 49 ? 100000 : 0);
		pieces[i] = kn__arena_get(arena, sizes[i]);
		if (pieces[i] == NULL)
			return false;
		ck_assert_uint_eq((uintptr_t) pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], i, sizes[i]);
	}
	for (int i = 0; i < count; i++)
	{
		for (size_t j = 0; j < sizes[i]; j++)
		{
			if ((unsigned char) pieces[i][j] != i)
				ck_abort_msg("byte %zu of piece %d is overwritten", j, i);
		}
	}
	return true;
}

START_TEST(gets)
{
	failing f;
	kn__arena arena;

	failing_init(&f, 0, false);
	kn__arena_init(&arena, &f.allocator);
	ck_assert(get_many(&arena, 200));
	ck_assert_uint_eq(arena.used, f.bytes);
	ck_assert(!arena.has_failed);
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
	ck_assert_uint_eq(arena.used, 0);
	ck_assert(get_many(&arena, 10));
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(zeroed_is_ready)
{
	kn__arena arena = { 0 };

	ck_assert(get_many(&arena, 100));
	kn__arena_clear(&arena);
	ck_assert(get_many(&arena, 100));
	kn__arena_release(&arena);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(few_blocks)
{
	failing f;
	kn__arena arena;

	failing_init(&f, 0, false);
	kn__arena_init(&arena, &f.allocator);
	for (int i = 0; i < 10000; i++)
		kn__arena_get(&arena, 32);
	ck_assert_int_le(f.calls, 20);
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(clear_keeps_one_block)
{
	failing f;
	kn__arena arena;
	long calls;

	failing_init(&f, 0, false);
	kn__arena_init(&arena, &f.allocator);
	kn__arena_clear(&arena);
	ck_assert_int_eq(f.calls, 0);
	ck_assert(get_many(&arena, 200));
	kn__arena_clear(&arena);
	ck_assert_int_eq(f.pieces, 1);
	ck_assert_uint_eq(arena.used, f.bytes);
	ck_assert_uint_le(arena.used, 64 * 1024);
	calls = f.calls;
	ck_assert_ptr_nonnull(kn__arena_get(&arena, 1000));
	ck_assert_int_eq(f.calls, calls);
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(a_large_block_is_not_kept)
{
	failing f;
	kn__arena arena;

	failing_init(&f, 0, false);
	kn__arena_init(&arena, &f.allocator);
	ck_assert_ptr_nonnull(kn__arena_get(&arena, 1000000));
	kn__arena_clear(&arena);
	ck_assert(failing_is_even(&f));
	ck_assert_uint_eq(arena.used, 0);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(lent_block_comes_first)
{
	alignas(max_align_t) char lent[1024];
	failing f;
	kn__arena arena;

	for (size_t skew = 0; skew < 20; skew++)
	{
		failing_init(&f, 0, false);
		kn__arena_init(&arena, &f.allocator);
		kn__arena_lend(&arena, lent + skew, sizeof(lent) - skew);
		for (int round = 0; round < 3; round++)
		{
			char *piece = kn__arena_get(&arena, 100);

			ck_assert(piece > lent && piece + 100 <= lent + sizeof(lent));
			memset(piece, 1, 100);
			ck_assert_int_eq(f.calls, 0);
			kn__arena_clear(&arena);
		}
		ck_assert(get_many(&arena, 100));
		ck_assert_uint_gt(arena.used, f.bytes);
		kn__arena_clear(&arena);
		ck_assert_int_eq(f.pieces, 1);
		ck_assert(get_many(&arena, 100));
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

START_TEST(a_lent_block_may_be_too_small)
{
	char lent[40];

	for (size_t size = 0; size <= sizeof(lent); size++)
	{
		kn__arena arena = { 0 };

		kn__arena_lend(&arena, lent, size);
		ck_assert(get_many(&arena, 10));
		kn__arena_release(&arena);
	}
}
END_TEST

START_TEST(impossible_sizes)
{
	const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX / 2 + 1 };
	kn__arena arena = { 0 };

	for (int i = 0; i < COUNT(sizes); i++)
	{
		ck_assert_ptr_null(kn__arena_get(&arena, sizes[i]));
		ck_assert(arena.has_failed);
		kn__arena_clear(&arena);
		ck_assert(!arena.has_failed);
		ck_assert_ptr_null(kn__arena_copy(&arena, "", sizes[i]));
		ck_assert(arena.has_failed);
		kn__arena_release(&arena);
	}
	ck_assert_ptr_null(kn__arena_get_zero(&arena, SIZE_MAX / 4, 8));
	ck_assert(arena.has_failed);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(zeroes_and_copies)
{
	const char zeros[300] = { 0 };
	kn__arena arena = { 0 };
	char *memory;

	for (int round = 0; round < 2; round++)
	{
		memory = kn__arena_get(&arena, 300);
		memset(memory, 7, 300);
		kn__arena_clear(&arena);
		ck_assert_mem_eq(kn__arena_get_zero(&arena, 100, 3), zeros, 300);
		ck_assert_str_eq(kn__arena_copy(&arena, "abcdef", 3), "abc");
		ck_assert_mem_eq(kn__arena_copy(&arena, "a\0b", 3), "a\0b", 4);
		ck_assert_str_eq(kn__arena_copy(&arena, NULL, 0), "");
	}
	kn__arena_release(&arena);
}
END_TEST

START_TEST(failure_stays)
{
	failing f;
	kn__arena arena;

	failing_init(&f, 2, false);
	kn__arena_init(&arena, &f.allocator);
	ck_assert_ptr_nonnull(kn__arena_get(&arena, 100));
	ck_assert_ptr_null(kn__arena_get(&arena, 50000));
	ck_assert(arena.has_failed);
	ck_assert_ptr_null(kn__arena_get(&arena, 1));
	kn__arena_clear(&arena);
	ck_assert_ptr_nonnull(kn__arena_get(&arena, 50000));
	kn__arena_release(&arena);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	for (int stays = 0; stays < 2; stays++)
	{
		bool is_done = false;

		for (long n = 1; !is_done; n++)
		{
			failing f;
			kn__arena arena;

			failing_init(&f, n, stays != 0);
			kn__arena_init(&arena, &f.allocator);
			is_done = get_many(&arena, 200);
			ck_assert(is_done == !arena.has_failed);
			ck_assert(is_done == (f.calls < n));
			ck_assert_uint_eq(arena.used, f.bytes);
			kn__arena_clear(&arena);
			kn__arena_release(&arena);
			ck_assert(failing_is_even(&f));
		}
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, gets);
	tcase_add_test(tcase, zeroed_is_ready);
	tcase_add_test(tcase, few_blocks);
	tcase_add_test(tcase, clear_keeps_one_block);
	tcase_add_test(tcase, a_large_block_is_not_kept);
	tcase_add_test(tcase, lent_block_comes_first);
	tcase_add_test(tcase, a_lent_block_may_be_too_small);
	tcase_add_test(tcase, impossible_sizes);
	tcase_add_test(tcase, zeroes_and_copies);
	tcase_add_test(tcase, failure_stays);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("base_arena", fill);
}
