/*
 * test_wire_destination.c
 *		Where libpq would connect to, by all the places where that may be said.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"
#include "suite.h"
#include "wire/conninfo.h"

static const struct
{
	const char *variables[4]; /* NAME=VALUE */
	const char *keywords[3];
	const char *values[3];
	const char *found; /* host port database user connect_timeout */
} cases[] = {
	{ { NULL }, { "host", "user" }, { "h", "u" }, "h 5432 u u -" },
	{ { NULL }, { "hostaddr", "user" }, { "127.0.0.1", "u" }, "127.0.0.1 5432 u u -" },
	{ { NULL }, { "host", "port", "user" }, { "a,b", "1,2", "u" }, "a,b 1 u u -" },
	{ { "PGHOST=e", "PGUSER=v", "PGDATABASE=d", "PGCONNECT_TIMEOUT=4" },
	  { "port" },
	  { "7" },
	  "e 7 d v 4" },
	{ { "PGHOST=e", "PGUSER=v", "PGPORT=9" }, { "host", "user" }, { "h", "u" }, "h 9 u u -" },
	{ { "PGSERVICE=shop" }, { "port" }, { "7" }, "s 7 t w 6" },
	{ { "PGHOST=e", "PGCONNECT_TIMEOUT=4" }, { "service" }, { "shop" }, "s 8 t w 6" },
};

static void
set_up(void)
{
	static const char *const names[] = { "PGHOST",     "PGHOSTADDR", "PGPORT",           "PGUSER",
										 "PGDATABASE", "PGSERVICE",  "PGCONNECT_TIMEOUT" };

	for (int i = 0; i < COUNT(names); i++)
		ck_assert_int_eq(unsetenv(names[i]), 0);
}

static void
set(const char *variable)
{
	char name[40];
	size_t n = strcspn(variable, "=");

	(void) snprintf(name, sizeof(name), "%.*s", (int) n, variable);
	ck_assert_int_eq(setenv(name, variable + n + 1, 1), 0);
}

START_TEST(is_found)
{
	char path[] = "/tmp/kn_service_XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	kn__arena arena = { 0 };
	kn__destination to;
	kn__fault fault;
	kn__settings said;
	char found[200];
	int count = 0;

	ck_assert_ptr_nonnull(file);
	(void) fputs("[shop]\nhost=s\nport=8\ndbname=t\nuser=w\nconnect_timeout=6\npassword=p\n", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(setenv("PGSERVICEFILE", path, 1), 0);
	for (int i = 0; i < COUNT(cases[_i].variables) && cases[_i].variables[i] != NULL; i++)
		set(cases[_i].variables[i]);
	while (count < COUNT(cases[_i].keywords) && cases[_i].keywords[count] != NULL)
		count++;
	said = (kn__settings){ cases[_i].keywords, cases[_i].values, count };
	ck_assert_int_eq(kn__conninfo_resolve(&to, &arena, &said, &fault), KN_OK);
	(void) snprintf(found,
					sizeof(found),
					"%s %d %s %s %s",
					to.host,
					to.port,
					to.database,
					to.user,
					to.connect_timeout == NULL ? "-" : to.connect_timeout);
	ck_assert_str_eq(found, cases[_i].found);
	kn__arena_release(&arena);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* libpq's own default, which depends on how it was built. */
START_TEST(is_somewhere_in_any_case)
{
	kn__arena arena = { 0 };
	kn__settings nothing = { 0 };
	kn__destination to;
	kn__fault fault;

	ck_assert_int_eq(kn__conninfo_resolve(&to, &arena, &nothing, &fault), KN_OK);
	ck_assert_str_ne(to.host, "");
	ck_assert_str_ne(to.user, "");
	ck_assert_str_eq(to.database, to.user);
	ck_assert_int_eq(to.port, 5432);
	kn__arena_release(&arena);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const char *const keywords[] = { "host", "user" };
	const char *const values[] = { "h", "u" };
	kn__settings said = { keywords, values, 2 };
	kn_status status = KN_NO_MEMORY;

	for (long n = 1; status != KN_OK; n++)
	{
		failing f;
		kn__arena arena;
		kn__destination to;
		kn__fault fault;

		failing_init(&f, n, false);
		kn__arena_init(&arena, &f.allocator);
		status = kn__conninfo_resolve(&to, &arena, &said, &fault);
		ck_assert(status == KN_OK || status == KN_NO_MEMORY);
		kn__arena_release(&arena);
		ck_assert(failing_is_even(&f));
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, NULL);
	LOOP(tcase, is_found, cases);
	tcase_add_test(tcase, is_somewhere_in_any_case);
	tcase_add_test(tcase, every_allocation_may_fail);
}

int
main(void)
{
	return suite_run("wire_destination", fill);
}
