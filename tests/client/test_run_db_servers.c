/*
 * test_run_db_servers.c
 *		What the handle makes of its options: each of its servers goes by all of them.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "run/pool_parts.h"
#include "run/run.h"
#include "suite.h"

static void
check_pool(const kn__pool_options *has)
{
	ck_assert_int_eq(has->min, 2);
	ck_assert_int_eq(has->max, 3);
	ck_assert_int_eq(has->max_opening, 1);
	ck_assert_int_eq(has->max_waiters, 17);
	ck_assert_int_eq(has->acquire_ms, 101);
	ck_assert_int_eq(has->connect_ms, 102);
	ck_assert_int_eq(has->idle_ms, 103);
	ck_assert_int_eq(has->lifetime_ms, 104);
	ck_assert_int_eq(has->keepalive_ms, 105);
	ck_assert_int_eq(has->leak_ms, 106);
	ck_assert_int_eq(has->slow_ms, 107);
	ck_assert(!has->masks_sql);
}

/* The permit of a probe that nobody hands in again is the one thing that no option says. */
static void
check_breaker(const kn__breaker_options *has)
{
	ck_assert_int_eq(has->failure_percent, 11);
	ck_assert_int_eq(has->slow_percent, 12);
	ck_assert_int_eq(has->slow_ns, 13 * KN__NS_PER_MS);
	ck_assert_int_eq(has->window_seconds, 14);
	ck_assert_int_eq(has->calls, 15);
	ck_assert_int_eq(has->open_ns, 16 * KN__NS_PER_MS);
	ck_assert_int_eq(has->probes, 18);
	ck_assert_int_eq(has->lease_ns, 10 * KN__NS_PER_S);
}

START_TEST(each_server_goes_by_all_options)
{
	const char *const replicas[] = { "host=/nowhere port=2", "host=/nowhere port=3", NULL };
	char why[200];
	kn_db *db;

	ck_assert_int_eq(kn_open(&db,
							 why,
							 sizeof(why),
							 .conninfo = "host=/nowhere",
							 .replicas = replicas,
							 .ignore_environment = true,
							 .min_connections = 2,
							 .max_connections = 3,
							 .max_opening = 1,
							 .max_waiters = 17,
							 .acquire_ms = 101,
							 .connect_ms = 102,
							 .idle_ms = 103,
							 .lifetime_ms = 104,
							 .keepalive_ms = 105,
							 .leak_ms = 106,
							 .slow_ms = 107,
							 .show_parameters = true,
							 .breaker_failure_percent = 11,
							 .breaker_slow_percent = 12,
							 .breaker_slow_ms = 13,
							 .breaker_window = 14,
							 .breaker_calls = 15,
							 .breaker_open_ms = 16,
							 .breaker_probes = 18),
					 KN_OK);
	ck_assert_int_eq(db->server_count, 3);
	for (int i = 0; i < 3; i++)
	{
		check_pool(&db->servers[i].pool->options);
		check_breaker(&db->servers[i].breaker.options);
	}
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
}
END_TEST

/* A thread of the parent's that is not there any more may have held the lock. */
START_TEST(a_child_does_not_reset_it)
{
	char why[200];
	kn_db *db;
	pid_t child;
	int result;

	ck_assert_int_eq(
		kn_open(&db, why, sizeof(why), .conninfo = "host=/nowhere", .ignore_environment = true),
		KN_OK);
	(void) pthread_mutex_lock(&db->lock);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
	{
		kn_reset_pool(db);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert_int_eq(result, 0);
	(void) pthread_mutex_unlock(&db->lock);
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, a_child_does_not_reset_it);
	tcase_add_test(tcase, each_server_goes_by_all_options);
}

int
main(void)
{
	return suite_run("run_db_servers", fill);
}
