/*
 * memory.c
 *		Each allocation of the library fails once, and all from it on, whatever is being done.
 *
 * KN_NO_MEMORY means that nothing was done, and anything else that nothing is amiss: an
 * allocation whose failure is harmless is one that something is only faster for, or that is
 * tried again.  The handle serves afterwards, and all memory comes back.
 */
#include "../failing.h"
#include "scenes.h"

#define MOST 2000 /* allocations of a scene; more would be a loop */

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	scenes_set_up(look);
}

static void
tear_down(void)
{
	PQfinish(look);
}

/*
 * What may come out of a scene besides KN_NO_MEMORY, where nobody could send a cancel request: what
 * was to be cancelled may be done after all, and who wants no more of a COPY has lost the
 * connection.
 */
static bool
is_fair(const scene *s, kn_status status)
{
	if (s->act == act_cancel || s->act == act_canceled)
		return status == KN_NO_MEMORY || status == KN_OUTCOME_UNKNOWN;
	return status == KN_NO_MEMORY || (s->act == act_copy_some && status == KN_CONN_LOST);
}

/* What else than its context a scene has its status from. */
static bool
is_of_another(const scene *s)
{
	return s->act == act_waiters || s->act == act_listen || s->act == act_cached_by_two;
}

static void
play_once(const scene *s, kn_db *db, kn_status *status)
{
	kn_ctx *cx = scene_begin(db, s);

	*status = s->act(cx);
	/* What another context was told is its own affair, and rows of a batch come after it. */
	ck_assert_msg(kn_last_error(cx)->status == *status || is_of_another(s) ||
					  (*status == KN_OK && s->act == act_batch),
				  "%s: %s is returned, and %s is the error",
				  s->name,
				  kn_status_name(*status),
				  kn_status_name(kn_last_error(cx)->status));
	kn_end(cx);
}

/* How many rows there are, once nobody is at it any more. */
static long
rows_there(void)
{
	look_do(look, "BEGIN; LOCK TABLE kn_scene; COMMIT");
	return look_number(look, "SELECT count(*) FROM kn_scene");
}

/* The n-th allocation fails; false: there were not as many.  Warm: a connection is there. */
static bool
play(const scene *s, long n, bool is_warm, bool stays)
{
	failing memory;
	kn_config config = { .size = sizeof(config),
						 .conninfo = "application_name=kn_scene",
						 .max_connections = 2,
						 .acquire_ms = stays ? 200 : 20000,
						 .cancel_ms = 20000,
						 .retry_attempts = 2,
						 .allocator = &memory.allocator };
	kn_db *db;
	char why[256];
	kn_status status = KN_OK;
	bool has_failed;
	long rows;

	failing_init(&memory, 0, stays);
	if (s->configure != NULL)
		s->configure(&config);
	look_do(look, "TRUNCATE kn_scene");
	ck_assert_int_eq(kn_open_config(&db, why, sizeof(why), &config), KN_OK);
	if (s->prepare != NULL)
		s->prepare(s, db);
	else if (is_warm)
	{
		kn_ctx *cx = kn_begin(db);

		/* Whatever time that takes here. */
		while ((status = kn_exec(cx, "SELECT 1")) == KN_CONN_LOST)
			;
		EXPECT_OK(cx, status);
		kn_end(cx);
	}
	failing_arm(&memory, n);
	play_once(s, db, &status);
	has_failed = failing_disarm(&memory);
	ck_assert_msg(status == s->expected || (has_failed && is_fair(s, status)),
				  "%s, allocation %ld: %s",
				  s->name,
				  n,
				  kn_status_name(status));
	rows = rows_there();
	ck_assert_msg(rows == (status == KN_OK ? s->rows : 0) || status == KN_OUTCOME_UNKNOWN,
				  "%s, allocation %ld: %s, and %ld rows",
				  s->name,
				  n,
				  kn_status_name(status),
				  rows);
	if (s->check != NULL)
		s->check(s, db, false);
	look_do(look, "TRUNCATE kn_scene");
	/* Where there is no connection, the next attempt to open one may be a moment away. */
	do
		play_once(s, db, &status);
	while (status == KN_NO_MEMORY && stats_of(db).total == 0 && stats_of(db).failed_to_open > 0);
	ck_assert_msg(status == s->expected,
				  "%s, after allocation %ld: %s",
				  s->name,
				  n,
				  kn_status_name(status));
	ck_assert_int_eq(rows_there(), s->rows);
	if (s->check != NULL)
		s->check(s, db, true);
	close_even(db);
	ck_assert_msg(failing_is_even(&memory),
				  "%s, allocation %ld: %ld pieces are left",
				  s->name,
				  n,
				  (long) memory.pieces);
	return has_failed;
}

static void
sweep(const scene *s, bool is_warm, bool stays)
{
	long n = 1;

	while (play(s, n, is_warm, stays))
		ck_assert_int_lt(++n, MOST);
	ck_assert_int_gt(n, 1);
}

START_TEST(one_fails)
{
	sweep(scene_at(_i), false, false);
}
END_TEST

START_TEST(all_fail)
{
	sweep(scene_at(_i), true, true);
}
END_TEST

/* A handle that has all it can have, or none, and nothing left of it. */
static bool
open_one(long n, bool stays)
{
	failing memory;
	kn_config config = { .size = sizeof(config),
						 .conninfo = "application_name=kn_scene kn_idle_ms=1000",
						 .acquire_ms = 20000,
						 .allocator = &memory.allocator };
	char why[256];
	kn_db *db;
	kn_status status;
	bool has_failed;

	failing_init(&memory, 0, stays);
	configure_all(&config);
	failing_arm(&memory, n);
	status = kn_open_config(&db, why, sizeof(why), &config);
	ck_assert((status == KN_OK) == (db != NULL));
	ck_assert(status == KN_OK || status == KN_NO_MEMORY);
	has_failed = failing_disarm(&memory);
	ck_assert(status == KN_OK || has_failed);
	if (db != NULL)
	{
		kn_ctx *cx = kn_begin(db);

		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		kn_end(cx);
		ck_assert_int_eq(kn_close(db, 5000), KN_OK);
	}
	ck_assert_msg(failing_is_even(&memory), "opening, allocation %ld: memory is left", n);
	return has_failed;
}

START_TEST(opening_fails)
{
	long n = 1;

	while (open_one(n, _i == 1))
		ck_assert_int_lt(++n, MOST);
	ck_assert_int_gt(n, 10);
}
END_TEST

static void
count(void *argument)
{
	++*(int *) argument;
}

static kn_status
noting_body(kn_ctx *cx, void *argument)
{
	for (int i = 0; i < 50; i++)
		EXPECT_OK(cx, kn_after_commit(cx, count, argument));
	return KN_OK;
}

/* One context for as long as the program runs is no leak. */
START_TEST(nothing_is_kept_of_transactions_that_are_over)
{
	failing memory;
	size_t before = 0;
	int called = 0;
	kn_db *db;
	kn_ctx *cx;

	failing_init(&memory, 0, false);
	OPEN(db, .allocator = &memory.allocator);
	cx = kn_begin(db);
	for (int i = 0; i < 200; i++)
	{
		EXPECT_OK(cx, kn_transact(cx, noting_body, &called));
		kn_clear(cx);
		if (i == 100)
			before = memory.bytes;
	}
	ck_assert_int_eq(called, 200 * 50);
	ck_assert_uint_le(memory.bytes, before);
	kn_end(cx);
	close_even(db);
	ck_assert(failing_is_even(&memory));
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	if (!has_standby())
	{
		tcase_add_loop_test(tcase, opening_fails, 0, 2);
		tcase_add_test(tcase, nothing_is_kept_of_transactions_that_are_over);
	}
	tcase_add_loop_test(tcase, one_fails, 0, scene_count());
	tcase_add_loop_test(tcase, all_fail, 0, scene_count());
}

int
main(void)
{
	return suite_run("memory", fill);
}
