/*
 * password.c
 *		Passwords: where another one is asked for, and what it costs if there is none.
 *
 * Before the pooler that asks nobody there is one that does, in a database's own words: of those
 * whom it knows, kn_guest's password is "right".
 */
#include <unistd.h>

#include "guests.h"

static kn_db *
open_with(const char *conninfo, safe *s)
{
	kn_db *db;

	OPEN(db,
		 .conninfo = conninfo,
		 .max_connections = 1,
		 .secret_ms = -1,
		 .pgbouncer = KN_OFF,
		 .secret = open_safe,
		 .secret_user = s);
	return db;
}

/* Where sslmode leaves it the choice, libpq tries once more in clear text, and is told another. */
static const char *
strict_place(void)
{
	return is_pooled() ? getenv("KN_TEST_STRICT") : "user=kn_strict sslmode=prefer";
}

/* Whoever refuses the password, and whatever else he says, another one is asked for. */
START_TEST(is_asked_for_once_more)
{
	safe s = { .first = "wrong", .then = "right" };
	kn_db *db;
	kn_ctx *cx;

	await_strictness();
	db = open_with(strict_place(), &s);
	cx = kn_begin(db, .timeout_ms = 20000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_int_eq(s.asked, 2);
	ck_assert_int_eq(s.refreshed, 1);
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* That it is refused is what is told, at once, and is no trouble of the server's. */
START_TEST(is_what_was_refused)
{
	safe s = { .first = "wrong", .then = "as wrong" };
	kn_db *db;
	kn_ctx *cx;

	await_strictness();
	db = open_with(strict_place(), &s);
	cx = kn_begin(db, .timeout_ms = 20000);
	for (int i = 0; i < 30; i++)
	{
		EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_AUTH);
		ck_assert_str_eq(kn_last_error(cx)->sqlstate, is_pooled() ? "08P01" : "28P01");
		ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "authentication failed"));
		ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	}
	ck_assert_uint_eq(stats_of(db).breaker_opened, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* A source that hangs costs half of the time that there is, and once. */
START_TEST(is_the_last_one_where_its_source_hangs)
{
	char marker[] = "/tmp/kn_password_XXXXXX";
	int fd = mkstemp(marker);
	const char *const argv[] = { "sh",
								 "-c",
								 "if [ -e $0 ]; then rm $0; echo right; else exec sleep 600; fi",
								 marker,
								 NULL };
	kn_secret_program program = { .size = sizeof(program), .argv = argv };
	kn_db *db;
	kn_ctx *cx;

	ck_assert_int_ge(fd, 0);
	(void) close(fd);
	OPEN(db,
		 .max_connections = 1,
		 .secret_ms = 1,
		 .connect_ms = 3000,
		 .acquire_ms = 20000,
		 .secret = kn_secret_command,
		 .secret_user = &program);
	cx = kn_begin(db);
	for (int i = 0; i < 3; i++)
	{
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		kn_reset_pool(db);
	}
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Nobody has asked the server, so nothing is wrong with it. */
START_TEST(is_no_trouble_of_the_servers_where_there_is_none)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .conninfo = "kn_secret_file=/nowhere/x", .max_connections = 1, .acquire_ms = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 40; i++)
	{
		EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_UNAVAILABLE);
		ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "/nowhere/x"));
		kn_set_timeout(cx, i % 2 == 0 ? 1 : -1);
		ck_assert_int_ne(kn_exec(cx, "SELECT 1"), KN_OK);
		kn_set_timeout(cx, -1);
	}
	ck_assert_uint_eq(stats_of(db).breaker_opened, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, guests_begin, guests_end);
	if (is_pooled() || is_tls())
	{
		tcase_add_test(tcase, is_asked_for_once_more);
		tcase_add_test(tcase, is_what_was_refused);
	}
	tcase_add_test(tcase, is_the_last_one_where_its_source_hangs);
	tcase_add_test(tcase, is_no_trouble_of_the_servers_where_there_is_none);
}

int
main(void)
{
	return suite_run("password", fill);
}
