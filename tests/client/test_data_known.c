/*
 * test_data_known.c
 *		What is kept of types that are a database's own.
 */
#include <pthread.h>

#include "data/data.h"
#include "failing.h"
#include "suite.h"

#define FIRST KN__FIRST_OWN_TYPE

static failing f;
static kn__known *known;

static void
set_up(void)
{
	failing_init(&f, 0, false);
	known = kn__known_new(&f.allocator);
	ck_assert_ptr_nonnull(known);
}

static void
tear_down(void)
{
	kn__known_free(known);
	ck_assert(failing_is_even(&f));
}

START_TEST(is_what_has_been_told)
{
	ck_assert_int_eq(kn__known_find(known, FIRST), KN__FORM_UNKNOWN);
	kn__known_note(known, FIRST, KN__FORM_TEXT);
	kn__known_note(known, UINT32_MAX, KN__FORM_TEXTS);
	kn__known_note(known, FIRST + 1, KN__FORM_OTHER);
	kn__known_note(known, FIRST + 2, KN__FORM_UNKNOWN);
	ck_assert_int_eq(kn__known_find(known, FIRST), KN__FORM_TEXT);
	ck_assert_int_eq(kn__known_find(known, UINT32_MAX), KN__FORM_TEXTS);
	ck_assert_int_eq(kn__known_find(known, FIRST + 1), KN__FORM_OTHER);
	ck_assert_int_eq(kn__known_find(known, FIRST + 2), KN__FORM_UNKNOWN);
	kn__known_note(known, FIRST, KN__FORM_OTHER);
	ck_assert_int_eq(kn__known_find(known, FIRST), KN__FORM_OTHER);
}
END_TEST

/* Nobody is asked for those that come with the server, nor where nothing can be kept. */
START_TEST(is_not_to_be_told)
{
	kn__known_note(known, FIRST - 1, KN__FORM_TEXT);
	kn__known_note(known, 0, KN__FORM_TEXT);
	kn__known_note(NULL, FIRST, KN__FORM_TEXT);
	ck_assert_int_eq(kn__known_find(known, FIRST - 1), KN__FORM_OTHER);
	ck_assert_int_eq(kn__known_find(known, 0), KN__FORM_OTHER);
	ck_assert_int_eq(kn__known_find(NULL, FIRST), KN__FORM_OTHER);
	kn__known_free(NULL);
}
END_TEST

/* Whatever finds room is kept as it was told; the rest has no codec, and none is asked for twice.
 */
START_TEST(has_an_end)
{
	int kept = 0;

	for (uint32_t oid = FIRST; oid < FIRST + 5000; oid++)
		kn__known_note(known, oid, KN__FORM_TEXTS);
	for (uint32_t oid = FIRST; oid < FIRST + 5000; oid++)
	{
		kn__form form = kn__known_find(known, oid);

		ck_assert(form == KN__FORM_TEXTS || form == KN__FORM_OTHER);
		kept += form == KN__FORM_TEXTS;
	}
	ck_assert_int_gt(kept, 1900);
	ck_assert_int_le(kept, 2048);
}
END_TEST

/* A database of some size finds room for all of its types. */
START_TEST(has_room)
{
	for (uint32_t oid = FIRST; oid < FIRST + 3000; oid += 3)
		kn__known_note(known, oid, KN__FORM_TEXT);
	for (uint32_t oid = FIRST; oid < FIRST + 3000; oid++)
		ck_assert_int_eq(kn__known_find(known, oid),
						 (oid - FIRST) % 3 == 0 ? KN__FORM_TEXT : KN__FORM_UNKNOWN);
}
END_TEST

static kn__form
form_of(uint32_t oid)
{
	return oid % 2 == 0 ? KN__FORM_TEXT : KN__FORM_TEXTS;
}

/* Each by himself, and for as long as it was said. */
START_TEST(refuses_who_asked_in_vain)
{
	for (uint32_t asker = 0; asker < 3; asker++)
		ck_assert(!kn__known_is_refused(known, asker, 0));
	kn__known_refuse(known, 1, 10);
	ck_assert(kn__known_is_refused(known, 1, 9));
	ck_assert(!kn__known_is_refused(known, 1, 10));
	ck_assert(!kn__known_is_refused(known, 0, 9));
	kn__known_refuse(known, 0, 20);
	kn__known_refuse(known, UINT32_MAX, UINT32_MAX);
	ck_assert(kn__known_is_refused(known, 0, 19));
	ck_assert(kn__known_is_refused(known, UINT32_MAX, UINT32_MAX - 1));
	for (uint32_t asker = 2; asker < 1000; asker++)
		ck_assert(!kn__known_is_refused(known, asker, 0));
	/* Nobody's chair is taken by another one as long as there are any. */
	for (uint32_t asker = 2; asker < 60; asker++)
		kn__known_refuse(known, asker * 2654435, 100);
	for (uint32_t asker = 2; asker < 60; asker++)
		ck_assert(kn__known_is_refused(known, asker * 2654435, 99));
	kn__known_refuse(NULL, 1, 10);
	ck_assert(!kn__known_is_refused(NULL, 1, 9));
}
END_TEST

/* What came says text or binary; what was kept says all. */
START_TEST(says_what_bytes_are)
{
	kn__known_note(known, FIRST, KN__FORM_TEXT);
	kn__known_note(known, FIRST + 1, KN__FORM_TEXTS);
	kn__known_note(known, FIRST + 2, KN__FORM_OTHER);
	ck_assert_int_eq(kn__known_format(known, FIRST, 0), 0);
	ck_assert_int_eq(kn__known_format(known, FIRST, 1), KN__FORMAT_BINARY | KN__FORMAT_AS_TEXT);
	ck_assert_int_eq(kn__known_format(known, FIRST + 1, 0), KN__FORMAT_TEXTS);
	ck_assert_int_eq(kn__known_format(known, FIRST + 1, 1), KN__FORMAT_BINARY | KN__FORMAT_TEXTS);
	for (int format = 0; format < 2; format++)
	{
		ck_assert_int_eq(kn__known_format(known, FIRST + 2, format), format);
		ck_assert_int_eq(kn__known_format(known, FIRST + 3, format), format);
		ck_assert_int_eq(kn__known_format(known, FIRST - 1, format), format);
		ck_assert_int_eq(kn__known_format(NULL, FIRST, format), format);
	}
	for (int format = 2; format < 8; format++)
		ck_assert_int_eq(kn__known_format(known, FIRST + 1, format), format);
}
END_TEST

static void *
note_all(void *argument)
{
	(void) argument;
	for (uint32_t oid = FIRST; oid < FIRST + 1000; oid++)
	{
		kn__form form = kn__known_find(known, oid);

		if (form != KN__FORM_UNKNOWN && form != form_of(oid))
			return known;
		kn__known_note(known, oid, form_of(oid));
	}
	return NULL;
}

START_TEST(is_for_all_threads)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, note_all, NULL), 0);
	for (int i = 0; i < 4; i++)
	{
		void *wrong;

		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	for (uint32_t oid = FIRST; oid < FIRST + 1000; oid++)
		ck_assert_int_eq(kn__known_find(known, oid), form_of(oid));
}
END_TEST

START_TEST(without_memory)
{
	failing none;

	failing_init(&none, 1, true);
	ck_assert_ptr_null(kn__known_new(&none.allocator));
	ck_assert(failing_is_even(&none));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_what_has_been_told);
	tcase_add_test(tcase, is_not_to_be_told);
	tcase_add_test(tcase, has_an_end);
	tcase_add_test(tcase, has_room);
	tcase_add_test(tcase, is_for_all_threads);
	tcase_add_test(tcase, refuses_who_asked_in_vain);
	tcase_add_test(tcase, says_what_bytes_are);
	tcase_add_test(tcase, without_memory);
}

int
main(void)
{
	return suite_run("data_known", fill);
}
