/*
 * test_base_memo.c
 *		What a memo knows, forgets, and mixes up never.
 */
#include "base/memo.h"
#include "failing.h"
#include "suite.h"

#define MOST ((1U << KN__MEMO_BITS) - 1)

static const uint64_t keys[] = { 0, 1, 511, 512, UINT64_C(1) << 63, UINT64_MAX };

START_TEST(knows)
{
	kn__memo *memo = kn__memo_new(NULL);

	ck_assert_ptr_nonnull(memo);
	ck_assert_uint_eq(kn__memo_find(memo, keys[_i]), 0);
	kn__memo_note(memo, keys[_i], 1);
	ck_assert_uint_eq(kn__memo_find(memo, keys[_i]), 1);
	kn__memo_note(memo, keys[_i], MOST);
	ck_assert_uint_eq(kn__memo_find(memo, keys[_i]), MOST);
	kn__memo_note(memo, keys[_i], 0);
	ck_assert_uint_eq(kn__memo_find(memo, keys[_i]), 0);
	kn__memo_free(memo);
}
END_TEST

START_TEST(overwrites)
{
	kn__memo *memo = kn__memo_new(NULL);
	uint64_t key = UINT64_C(0x123456789abcde00);
	uint64_t other = key ^ UINT64_C(1) << 40;

	ck_assert_ptr_nonnull(memo);
	kn__memo_note(memo, key, 1);
	ck_assert_uint_eq(kn__memo_find(memo, other), 0);
	kn__memo_note(memo, other, 2);
	ck_assert_uint_eq(kn__memo_find(memo, key), 0);
	ck_assert_uint_eq(kn__memo_find(memo, other), 2);
	kn__memo_free(memo);
}
END_TEST

START_TEST(without_memory)
{
	failing f;

	failing_init(&f, 1, true);
	ck_assert_ptr_null(kn__memo_new(&f.allocator));
	kn__memo_free(NULL);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, knows, keys);
	tcase_add_test(tcase, overwrites);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("base_memo", fill);
}
