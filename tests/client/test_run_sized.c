/*
 * test_run_sized.c
 *		Structs that are shorter or longer than ours.
 */
#include "run/sized.h"

#include "suite.h"

typedef struct small
{
	size_t size;
	long a;
} small;

typedef struct large
{
	size_t size;
	long a;
	long b;
} large;

START_TEST(is_copied_as_far_as_it_goes)
{
	large ours = { .b = 7 };
	small theirs = { .size = sizeof(theirs), .a = 1 };

	ck_assert_ptr_null(kn__sized(&ours, sizeof(ours), &theirs));
	ck_assert_int_eq(ours.a, 1);
	ck_assert_int_eq(ours.b, 0);
	ck_assert_uint_eq(ours.size, sizeof(theirs));
}
END_TEST

START_TEST(may_be_longer_if_it_says_nothing_there)
{
	small ours;
	large theirs = { .size = sizeof(theirs), .a = 1 };

	ck_assert_ptr_null(kn__sized(&ours, sizeof(ours), &theirs));
	ck_assert_int_eq(ours.a, 1);
	theirs.b = 1;
	ck_assert_str_eq(kn__sized(&ours, sizeof(ours), &theirs),
					 "a struct has a field set that this version does not know");
}
END_TEST

START_TEST(says_its_size)
{
	small ours;
	small theirs = { .a = 1 };

	ck_assert_str_eq(kn__sized(&ours, sizeof(ours), &theirs),
					 "the size of a struct is not filled in");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_copied_as_far_as_it_goes);
	tcase_add_test(tcase, may_be_longer_if_it_says_nothing_there);
	tcase_add_test(tcase, says_its_size);
}

int
main(void)
{
	return suite_run("run_sized", fill);
}
