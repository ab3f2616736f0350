/*
 * starved.c
 *		Each allocation of the process fails once, those of libpq and of the C library with it.
 *
 * What libpq makes of it differs from place to place, and it may lose the connection over it, or
 * the answer of a statement that is done.  So other statuses may come out than in memory.c, but
 * none that is not true: KN_OK is one time, KN_OUTCOME_UNKNOWN one time or never, and anything
 * else never.
 *
 * malloc() and its kin are defined here, in front of those of the C library, so this program
 * is of no use under sanitizers, which do the same.
 */
#include "scenes.h"

#include <errno.h>
#include <sys/auxv.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

#define LOADER_SIZE ((uintptr_t) 256 * 1024)
#define MOST        3000 /* allocations of a scene; more would be a loop */

static _Atomic(long) left = -1; /* allocations until one fails; below 0: none does */
static PGconn *look;

/*
 * What the loader asks for, namely for threads, is granted: the C library insists on it.  It goes
 * by errno as well.
 */
static bool
is_refused(const void *caller)
{
	if ((uintptr_t) caller - getauxval(AT_BASE) < LOADER_SIZE)
		return false;
	if (atomic_load_explicit(&left, memory_order_relaxed) < 0 || atomic_fetch_sub(&left, 1) != 0)
		return false;
	errno = ENOMEM;
	return true;
}

KN_API void *
malloc(size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

KN_API void *
calloc(size_t count, size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

KN_API void *
realloc(void *memory, size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

static void
set_up(void)
{
	/* Those who went before leave more behind than the server takes in at once. */
	look = look_again();
	scenes_set_up(look);
}

static void
tear_down(void)
{
	PQfinish(look);
}

static bool
is_fair(kn_status status)
{
	return status == KN_NO_MEMORY || status == KN_CONN_LOST || status == KN_OUTCOME_UNKNOWN ||
		   status == KN_UNAVAILABLE;
}

/* The rows that there are once nobody is at it any more: all of a scene's, or none. */
static void
expect_rows(const scene *s, long n, kn_status status, long least, long most)
{
	long rows;

	look_do(look, "BEGIN; LOCK TABLE kn_scene; COMMIT");
	rows = look_number(look, "SELECT count(*) FROM kn_scene");
	ck_assert_msg(rows == least || rows == most,
				  "%s, allocation %ld: %s, and %ld rows",
				  s->name,
				  n,
				  kn_status_name(status),
				  rows);
}

static kn_status
play_once(const scene *s, kn_db *db)
{
	kn_ctx *cx = scene_begin(db, s);
	kn_status status = s->act(cx);

	kn_end(cx);
	return status;
}

/* The n-th allocation fails; false: there were not as many.  Warm: a connection is there. */
static bool
play(const scene *s, long n, bool is_warm)
{
	kn_config config = { .size = sizeof(config),
						 .conninfo = "application_name=kn_scene",
						 .max_connections = 2,
						 .acquire_ms = 20000,
						 .cancel_ms = 20000 };
	kn_db *db;
	char why[256];
	kn_status status;
	bool has_failed;
	long least;
	long most;

	if (s->configure != NULL)
		s->configure(&config);
	look_do(look, "TRUNCATE kn_scene");
	ck_assert_int_eq(kn_open_config(&db, why, sizeof(why), &config), KN_OK);
	if (s->prepare != NULL)
		s->prepare(s, db);
	else if (is_warm)
	{
		kn_ctx *cx = kn_begin(db);

		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		kn_end(cx);
	}
	atomic_store(&left, n - 1);
	status = play_once(s, db);
	has_failed = atomic_exchange(&left, -1) < 0;
	ck_assert_msg(status == s->expected || (has_failed && is_fair(status)),
				  "%s, allocation %ld: %s",
				  s->name,
				  n,
				  kn_status_name(status));
	least = status == KN_OK ? s->rows : 0;
	most = status == KN_OUTCOME_UNKNOWN ? (s->rows > 0 ? s->rows : 1) : least;
	expect_rows(s, n, status, least, most);
	if (s->check != NULL)
		s->check(s, db, false);
	/* What has not arrived yet of a connection that is gone comes on top of these. */
	do
		status = play_once(s, db);
	while (status != s->expected && stats_of(db).total == 0 && stats_of(db).failed_to_open > 0);
	ck_assert_msg(status == s->expected,
				  "%s, after allocation %ld: %s",
				  s->name,
				  n,
				  kn_status_name(status));
	expect_rows(s, n, status, least + s->rows, most + s->rows);
	if (s->check != NULL)
		s->check(s, db, true);
	close_even(db);
	return has_failed;
}

static void
sweep(const scene *s, bool is_warm)
{
	long n = 1;

	while (play(s, n, is_warm))
		ck_assert_int_lt(++n, MOST);
	ck_assert_int_gt(n, 1);
}

START_TEST(with_a_connection)
{
	sweep(scene_at(_i), true);
}
END_TEST

/* Connecting is the same whatever comes after it. */
START_TEST(without_a_connection)
{
	sweep(scene_at(0), false);
}
END_TEST

START_TEST(while_opening)
{
	long n = 0;
	bool has_failed;

	do
	{
		kn_config config = { .size = sizeof(config), .conninfo = "kn_idle_ms=1000" };
		kn_db *db;
		char why[256];
		kn_status status;

		configure_all(&config);
		atomic_store(&left, n++);
		status = kn_open_config(&db, why, sizeof(why), &config);
		has_failed = atomic_exchange(&left, -1) < 0;
		ck_assert_msg(status == KN_OK || (has_failed && status == KN_NO_MEMORY),
					  "allocation %ld: %s, %s",
					  n,
					  kn_status_name(status),
					  why);
		if (status != KN_OK)
			continue;
		ck_assert_int_eq(kn_close(db, 5000), KN_OK);
	} while (has_failed && n < MOST);
	ck_assert(n > 10 && n < MOST);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	if (!has_standby())
	{
		tcase_add_test(tcase, while_opening);
		tcase_add_test(tcase, without_a_connection);
	}
	tcase_add_loop_test(tcase, with_a_connection, 0, scene_count());
}

int
main(void)
{
	/* By TCP libpq looks for tickets of Kerberos, whose library crashes without memory. */
	if (setenv("PGGSSENCMODE", "disable", 1) != 0)
		return 1;
	return suite_run("starved", fill);
}
