/*
 * test_base_memory.c
 *		Memory: from the system, from an allocator of the user's, sizes that overflow.
 */
#include "failing.h"
#include "suite.h"

START_TEST(allocates)
{
	const kn_allocator unset = { 0 };
	const kn_allocator *allocators[] = { NULL, &unset };

	for (int i = 0; i < COUNT(allocators); i++)
	{
		char *memory = kn__allocate(allocators[i], 10);

		ck_assert_ptr_nonnull(memory);
		memcpy(memory, "0123456789", 10);
		memory = kn__resize(allocators[i], memory, 10, 5000);
		ck_assert_ptr_nonnull(memory);
		ck_assert_mem_eq(memory, "0123456789", 10);
		kn__release(allocators[i], memory, 5000);
		kn__release(allocators[i], NULL, 0);
	}
}
END_TEST

START_TEST(nothing_is_not_no_memory)
{
	failing f;
	const kn_allocator *allocators[] = { NULL, &f.allocator };

	failing_init(&f, 0, false);
	for (int i = 0; i < COUNT(allocators); i++)
	{
		char *memory = kn__allocate(allocators[i], 0);

		ck_assert_ptr_nonnull(memory);
		memory = kn__resize(allocators[i], memory, 0, 8);
		ck_assert_ptr_nonnull(memory);
		memory = kn__resize(allocators[i], memory, 8, 0);
		ck_assert_ptr_nonnull(memory);
		kn__release(allocators[i], memory, 0);
		memory = kn__allocate_zero(allocators[i], 0, 7);
		ck_assert_ptr_nonnull(memory);
		kn__release(allocators[i], memory, 0);
		memory = kn__resize(allocators[i], NULL, 0, 7);
		ck_assert_ptr_nonnull(memory);
		kn__release(allocators[i], memory, 7);
	}
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(zeroes)
{
	failing f;
	const kn_allocator *allocators[] = { NULL, &f.allocator };
	const char zeros[33 * 3] = { 0 };

	failing_init(&f, 0, false);
	for (int i = 0; i < COUNT(allocators); i++)
	{
		char *memory = kn__allocate_zero(allocators[i], 33, 3);

		ck_assert_ptr_nonnull(memory);
		ck_assert_mem_eq(memory, zeros, sizeof(zeros));
		kn__release(allocators[i], memory, 33 * 3);
		ck_assert_ptr_null(kn__allocate_zero(allocators[i], SIZE_MAX / 2, 3));
		ck_assert_ptr_null(kn__allocate_zero(allocators[i], 3, SIZE_MAX / 2));
	}
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(failure_keeps_the_old)
{
	failing f;
	char *memory;

	failing_init(&f, 2, true);
	memory = kn__allocate(&f.allocator, 4);
	memcpy(memory, "old", 4);
	ck_assert_ptr_null(kn__resize(&f.allocator, memory, 4, 8));
	ck_assert_ptr_null(kn__allocate(&f.allocator, 4));
	ck_assert_ptr_null(kn__allocate_zero(&f.allocator, 4, 4));
	ck_assert_str_eq(memory, "old");
	kn__release(&f.allocator, memory, 4);
	ck_assert(failing_is_even(&f));
}
END_TEST

START_TEST(wipes)
{
	char secret[] = "secret";
	const char zeros[sizeof(secret)] = { 0 };

	kn__wipe(secret, 3);
	ck_assert_mem_eq(secret, "\0\0\0ret", sizeof(secret));
	kn__wipe(secret, sizeof(secret));
	ck_assert_mem_eq(secret, zeros, sizeof(secret));
	kn__wipe(NULL, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, allocates);
	tcase_add_test(tcase, nothing_is_not_no_memory);
	tcase_add_test(tcase, zeroes);
	tcase_add_test(tcase, failure_keeps_the_old);
	tcase_add_test(tcase, wipes);
}

int
main(void)
{
	return suite_run("base_memory", fill);
}
