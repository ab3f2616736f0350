/*
 * test_run_db.c
 *		Opening a handle: what its configuration points to has to be fit for use.
 */
#include <string.h>

#include "kints/kints.h"
#include "suite.h"

static char why[200];

static void
hear(void *user, const kn_event *event)
{
	(void) user;
	(void) event;
}

static void
get(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	(void) key;
	(void) found;
	(void) into;
}

static void
put(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) user;
	(void) key;
	(void) bytes;
	(void) size;
	(void) ttl_ms;
}

static void
forget(void *user, const char *key)
{
	(void) user;
	(void) key;
}

static kn_status
open_with(const kn_hooks *hooks, const kn_cache *cache)
{
	kn_db *db = NULL;
	kn_status status =
		kn_open(&db, why, sizeof(why), .conninfo = "host=h", .hooks = hooks, .cache = cache);

	ck_assert((db != NULL) == (status == KN_OK));
	ck_assert((why[0] == '\0') == (status == KN_OK));
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
	return status;
}

/* What is handed back says so, whatever was handed in. */
START_TEST(nothing_comes_of_nothing)
{
	kn_db *db = (kn_db *) (void *) why;
	char text[4] = "abc";

	ck_assert_int_eq(kn_open_config(&db, NULL, 0, NULL), KN_USAGE);
	ck_assert_ptr_null(db);
	ck_assert_int_eq(kn_open_config(NULL, NULL, 0, &(kn_config){ .size = sizeof(kn_config) }),
					 KN_USAGE);
	ck_assert_uint_eq(kn_dump_pool(NULL, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(kn_dump_pool(NULL, NULL, 0), 0);
}
END_TEST

START_TEST(hooks_say_their_size)
{
	kn_hooks unsized = { .query = hear };
	kn_hooks hooks = { .size = sizeof(hooks), .query = hear };

	ck_assert_int_eq(open_with(&hooks, NULL), KN_OK);
	ck_assert_int_eq(open_with(&unsized, NULL), KN_CONFIG);
	ck_assert_ptr_nonnull(strstr(why, "\"hooks\""));
	/* Nor behind others. */
	hooks.next = &unsized;
	ck_assert_int_eq(open_with(&hooks, NULL), KN_CONFIG);
	ck_assert_ptr_nonnull(strstr(why, "\"hooks\""));
	/* Those of a header that knew of fewer. */
	unsized.size = offsetof(kn_hooks, slow_query);
	ck_assert_int_eq(open_with(&hooks, NULL), KN_OK);
	unsized.size = offsetof(kn_hooks, query) - 1;
	ck_assert_int_eq(open_with(&hooks, NULL), KN_CONFIG);
}
END_TEST

START_TEST(caches_have_all_functions)
{
	const kn_cache whole = { .get = get, .put = put, .remove = forget };

	ck_assert_int_eq(open_with(NULL, &whole), KN_OK);
	for (int i = 0; i < 3; i++)
	{
		kn_cache cache = whole;

		if (i == 0)
			cache.get = NULL;
		else if (i == 1)
			cache.put = NULL;
		else
			cache.remove = NULL;
		ck_assert_int_eq(open_with(NULL, &cache), KN_CONFIG);
		ck_assert_ptr_nonnull(strstr(why, "\"cache\""));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, nothing_comes_of_nothing);
	tcase_add_test(tcase, hooks_say_their_size);
	tcase_add_test(tcase, caches_have_all_functions);
}

int
main(void)
{
	return suite_run("run_db", fill);
}
