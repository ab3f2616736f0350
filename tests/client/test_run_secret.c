/*
 * test_run_secret.c
 *		A secret is kept, grows old, is refused and asked for again, by one thread at a time.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "failing.h"
#include "run/secret.h"
#include "suite.h"

/* Gives whatever it is told to give, and counts. */
typedef struct source
{
	const char *text;
	const char *refreshed; /* NULL: the same */
	kn_status status;
	int calls;
	int refreshes;
	int inside;
} source;

static kn_status
give(void *user, const char *name, bool refresh, char *buffer, size_t capacity)
{
	source *s = user;

	ck_assert_int_eq(s->inside++, 0);
	ck_assert_str_eq(name, "shop");
	ck_assert_uint_eq(capacity, KN__SECRET_LIMIT);
	s->calls++;
	s->refreshes += refresh ? 1 : 0;
	if (refresh && s->refreshed != NULL)
		s->text = s->refreshed;
	strcpy(buffer, s->text);
	s->inside--;
	return s->status;
}

static char buffer[KN__SECRET_LIMIT];
static uint64_t version;

#define MS KN__NS_PER_MS

START_TEST(is_kept_for_a_while)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_uint_eq(version, 1);
	s.text = "two";
	ck_assert_int_eq(kn__secret_get(&secret, 99 * MS, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_int_eq(s.calls, 1);
	ck_assert_int_eq(kn__secret_get(&secret, 100 * MS, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(kn__secret_get(&secret, 200 * MS, buffer, &version), KN_OK);
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(s.calls, 3);
	ck_assert_int_eq(s.refreshes, 0);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(may_be_kept_for_ever)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", -1, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, INT64_MAX, buffer, &version), KN_OK);
	ck_assert_int_eq(s.calls, 1);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(without_a_source_there_is_none)
{
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, NULL, NULL, "shop", 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "");
	ck_assert_uint_eq(version, 0);
	ck_assert(!kn__secret_refused(&secret, 0, version));
	kn__secret_release(&secret);
}
END_TEST

/* The first who is refused asks with refresh set; others that were refused the same find it new. */
START_TEST(a_refused_one_is_refreshed_once)
{
	source s = { .text = "one", .refreshed = "two" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	for (int i = 0; i < 3; i++)
		ck_assert(kn__secret_refused(&secret, 1, version));
	ck_assert_int_eq(s.calls, 2);
	ck_assert_int_eq(s.refreshes, 1);
	ck_assert_int_eq(kn__secret_get(&secret, 2, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_uint_eq(version, 2);
	ck_assert_int_eq(s.calls, 2);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(a_refresh_may_not_help)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	for (int i = 0; i < 3; i++)
		ck_assert(!kn__secret_refused(&secret, 1, version));
	ck_assert_int_eq(s.calls, 2);
	s.text = "two"; /* the next connection asks, however young the refused one is */
	ck_assert_int_eq(kn__secret_get(&secret, 2, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "two");
	ck_assert_int_eq(s.calls, 3);
	ck_assert(kn__secret_refused(&secret, 3, 1)); /* it was the old one that was refused */
	ck_assert_int_eq(s.calls, 3);
	kn__secret_release(&secret);
}
END_TEST

START_TEST(a_refused_one_is_not_used_again)
{
	source s = { .text = "one" };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 1000, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	s.status = KN_UNAVAILABLE;
	ck_assert(!kn__secret_refused(&secret, 1, version));
	ck_assert_int_eq(kn__secret_get(&secret, 2, buffer, &version), KN_UNAVAILABLE);
	ck_assert_str_eq(buffer, "");
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 3, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "one");
	kn__secret_release(&secret);
}
END_TEST

/* One that is too old is better than none, but at the beginning there is nothing to fall back on.
 */
START_TEST(the_source_may_fail)
{
	source s = { .text = "one", .status = KN_TIMEOUT };
	kn__secret secret;

	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 100, NULL), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_TIMEOUT);
	ck_assert_str_eq(buffer, "");
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	s.status = KN_TIMEOUT;
	s.text = "two";
	ck_assert_int_eq(kn__secret_get(&secret, 500 * MS, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "one");
	ck_assert_int_eq(s.calls, 3);
	s.status = KN_OK;
	ck_assert_int_eq(kn__secret_get(&secret, 501 * MS, buffer, &version), KN_OK);
	ck_assert_str_eq(buffer, "two");
	s.text = "";
	ck_assert(!kn__secret_refused(&secret, 502 * MS, version)); /* an empty one is none */
	kn__secret_release(&secret);
}
END_TEST

static void *
get_often(void *user)
{
	char mine[KN__SECRET_LIMIT];
	uint64_t number;

	for (int i = 0; i < 200; i++)
	{
		if (kn__secret_get(user, i, mine, &number) != KN_OK || mine[0] == '\0')
			return user;
		if (i % 10 == 0)
			(void) kn__secret_refused(user, i, number);
	}
	return NULL;
}

static kn_status
count_up(void *user, const char *name, bool refresh, char *out, size_t capacity)
{
	int *count = user; /* no atomic: the library takes care that it needs none */

	(void) name;
	(void) refresh;
	(void) snprintf(out, capacity, "secret %d", ++*count);
	return KN_OK;
}

START_TEST(threads_ask_one_after_the_other)
{
	pthread_t threads[4];
	kn__secret secret;
	int count = 0;

	ck_assert_int_eq(kn__secret_init(&secret, count_up, &count, "shop", -1, NULL), KN_OK);
	for (int i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_often, &secret), 0);
	for (int i = 0; i < COUNT(threads); i++)
	{
		void *failed;

		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	ck_assert_uint_eq(secret.version, (uint64_t) count);
	ck_assert_int_ge(count, 21);
	ck_assert_int_le(count, 81);
	kn__secret_release(&secret);
}
END_TEST

/* Memory that goes back has no secret in it. */
static bool was_clean;

static void
look_and_release(void *user, void *memory, size_t size)
{
	const char *bytes = memory;

	for (size_t i = 0; i < size; i++)
		was_clean &= bytes[i] == '\0';
	failing_release(user, memory, size);
}

START_TEST(memory_is_wiped)
{
	source s = { .text = "one" };
	kn__secret secret;
	failing f;

	failing_init(&f, 0, false);
	f.allocator.release = look_and_release;
	was_clean = true;
	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 100, &f.allocator), KN_OK);
	ck_assert_int_eq(kn__secret_get(&secret, 0, buffer, &version), KN_OK);
	kn__secret_release(&secret);
	ck_assert(was_clean);
	ck_assert(failing_is_even(&f));
	failing_init(&f, 1, false);
	ck_assert_int_eq(kn__secret_init(&secret, give, &s, "shop", 100, &f.allocator), KN_NO_MEMORY);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, is_kept_for_a_while);
	tcase_add_test(tcase, may_be_kept_for_ever);
	tcase_add_test(tcase, without_a_source_there_is_none);
	tcase_add_test(tcase, a_refused_one_is_refreshed_once);
	tcase_add_test(tcase, a_refresh_may_not_help);
	tcase_add_test(tcase, a_refused_one_is_not_used_again);
	tcase_add_test(tcase, the_source_may_fail);
	tcase_add_test(tcase, threads_ask_one_after_the_other);
	tcase_add_test(tcase, memory_is_wiped);
}

int
main(void)
{
	return suite_run("run_secret", fill);
}
