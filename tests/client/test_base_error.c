/*
 * test_base_error.c
 *		Errors: texts in the room, cut at the end of a character, copied whole.
 */
#include <string.h>

#include "base/base.h"
#include "suite.h"

START_TEST(clear_has_no_null)
{
	kn__fault fault;

	memset(&fault, 0xA5, sizeof(fault));
	kn__fault_clear(&fault);
	ck_assert_int_eq(fault.error.status, KN_OK);
	ck_assert_str_eq(fault.error.sqlstate, "");
	ck_assert_int_eq(fault.error.item, -1);
	ck_assert_int_eq(fault.error.row, -1);
	ck_assert_int_eq(fault.error.column, -1);
	ck_assert_int_eq(fault.error.position, 0);
	ck_assert_str_eq(fault.error.message, "");
	ck_assert_str_eq(fault.error.detail, "");
	ck_assert_str_eq(fault.error.hint, "");
	ck_assert_str_eq(fault.error.context, "");
	ck_assert_str_eq(fault.error.schema_name, "");
	ck_assert_str_eq(fault.error.table_name, "");
	ck_assert_str_eq(fault.error.column_name, "");
	ck_assert_str_eq(fault.error.type_name, "");
	ck_assert_str_eq(fault.error.constraint_name, "");
	ck_assert_str_eq(fault.error.sql, "");
}
END_TEST

START_TEST(fails)
{
	kn__fault fault;

	kn__fault_clear(&fault);
	ck_assert_int_eq(kn__fail(&fault, KN_DATA, "%s is %d", "x", 5), KN_DATA);
	ck_assert_int_eq(fault.error.status, KN_DATA);
	ck_assert_str_eq(fault.error.message, "x is 5");
	kn__fault_text(&fault, &fault.error.detail, "a detail");
	kn__fault_text(&fault, &fault.error.hint, NULL);
	kn__fault_text(&fault, &fault.error.sql, "SELECT 1");
	ck_assert_str_eq(fault.error.detail, "a detail");
	ck_assert_str_eq(fault.error.hint, "");
	ck_assert_str_eq(fault.error.sql, "SELECT 1");
	ck_assert_int_eq(kn__fail(&fault, KN_AUTH, "again"), KN_AUTH);
	ck_assert_str_eq(fault.error.message, "again");
	ck_assert_str_eq(fault.error.detail, "");
}
END_TEST

START_TEST(fails_with_its_own_texts)
{
	kn__fault fault;

	kn__fail(&fault, KN_DATA, "first");
	kn__fault_text(&fault, &fault.error.detail, "detail");
	kn__fail(&fault, KN_SERVER, "after %s: %s", fault.error.message, fault.error.detail);
	ck_assert_str_eq(fault.error.message, "after first: detail");
	kn__fault_text(&fault, &fault.error.hint, fault.error.message);
	ck_assert_str_eq(fault.error.hint, "after first: detail");
}
END_TEST

/* Texts of a letter and then characters of one width: whatever is cut, the rest is whole. */
START_TEST(cuts_at_a_character)
{
	const char *const characters[] = { "x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x98" };
	size_t width = strlen(characters[_i]);
	char text[KN__ERROR_ROOM * 2];
	kn__fault fault;

	for (size_t letters = 0; letters < 4; letters++)
	{
		size_t length = 0;
		size_t got;

		while (length < letters)
			text[length++] = 'a';
		while (length + width < sizeof(text))
		{
			memcpy(text + length, characters[_i], width);
			length += width;
		}
		text[length] = '\0';
		kn__fail(&fault, KN_DATA, "%s", text);
		got = strlen(fault.error.message);
		ck_assert_uint_lt(got, KN__ERROR_ROOM);
		ck_assert_uint_ge(got, KN__ERROR_ROOM - width);
		ck_assert_uint_eq((got - letters) % width, 0);
		ck_assert_int_eq(memcmp(fault.error.message, text, got), 0);
	}
}
END_TEST

START_TEST(a_full_room)
{
	kn__fault fault;
	char text[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	kn__fail(&fault, KN_DATA, "message");
	for (int i = 0; i < 10; i++)
	{
		kn__fault_text(&fault, &fault.error.detail, text);
		ck_assert_uint_le(fault.used, sizeof(fault.room));
		ck_assert_ptr_nonnull(fault.error.detail);
	}
	ck_assert_str_eq(fault.error.detail, "");
	ck_assert_str_eq(fault.error.message, "message");
	kn__fault_text(&fault, &fault.error.detail, "y");
	ck_assert_str_eq(fault.error.detail, "");
}
END_TEST

START_TEST(copies)
{
	kn__fault one;
	kn__fault two;

	kn__fail(&one, KN_CHECK, "message");
	kn__fault_text(&one, &one.error.constraint_name, "positive");
	one.error.context = "static";
	one.error.row = 5;
	strcpy(one.error.sqlstate, "23514");
	kn__fault_copy(&two, &one);
	kn__fault_copy(&two, &two);
	memset(&one, 0xA5, sizeof(one));
	ck_assert_int_eq(two.error.status, KN_CHECK);
	ck_assert_str_eq(two.error.message, "message");
	ck_assert_str_eq(two.error.constraint_name, "positive");
	ck_assert_str_eq(two.error.context, "static");
	ck_assert_str_eq(two.error.detail, "");
	ck_assert_str_eq(two.error.sqlstate, "23514");
	ck_assert_int_eq(two.error.row, 5);
	kn__fault_text(&two, &two.error.detail, "more");
	ck_assert_str_eq(two.error.message, "message");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, clear_has_no_null);
	tcase_add_test(tcase, fails);
	tcase_add_test(tcase, fails_with_its_own_texts);
	tcase_add_loop_test(tcase, cuts_at_a_character, 0, 4);
	tcase_add_test(tcase, a_full_room);
	tcase_add_test(tcase, copies);
}

int
main(void)
{
	return suite_run("base_error", fill);
}
