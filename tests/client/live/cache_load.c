/*
 * cache_load.c
 *		Reads that go by a cache, by many at a time: one loads what all of them miss.
 */
#include "base/base.h"
#include "store.h"

/* So many have looked by now. */
static void
await_gets(int number)
{
	for (int gets = 0; gets < number;)
	{
		look_do(look, "SELECT 1");
		(void) pthread_mutex_lock(&kept.lock);
		gets = kept.gets;
		(void) pthread_mutex_unlock(&kept.lock);
	}
}

START_TEST(asks_the_server_once)
{
	pthread_t threads[6];
	int64_t sums[6];

	look_do(look, "SELECT pg_advisory_lock(4712)");
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_slowly, &sums[i]), 0);
	look_await(look, x_blocked, 1);
	await_gets(6);
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	for (int i = 0; i < 6; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(sums[i], 3);
	}
	ck_assert_uint_eq(stats_of(db).queries, 1);
	ck_assert_int_eq(kept.puts, 1);
}
END_TEST

/* Nothing is kept of a read that fails: then who waited for it asks at once, not after each other.
 */
START_TEST(makes_nobody_wait_for_what_is_not_kept)
{
	pthread_t threads[6];
	int64_t sums[6];
	int failed = 0;

	look_do(look, "SELECT pg_advisory_lock(4712)");
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_slowly, &sums[i]), 0);
	look_await(look, x_blocked, 1);
	await_gets(6);
	look_do(look,
			"SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
			" WHERE wait_event = 'advisory' AND query ~ 'kn_slow'");
	look_await(look, x_blocked, 5);
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	for (int i = 0; i < 6; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		failed += sums[i] != 3;
	}
	ck_assert_int_eq(failed, 1);
	/* One of them has loaded it for those after him. */
	ck_assert_int_eq(kept.puts, 1);
}
END_TEST

START_TEST(keeps_nothing_that_is_old_already)
{
	pthread_t thread;
	int64_t sum;

	look_do(look, "SELECT pg_advisory_lock(4712)");
	ck_assert_int_eq(pthread_create(&thread, NULL, read_slowly, &sum), 0);
	look_await(look, x_blocked, 1);
	EXPECT_OK(cx, kn_uncache(cx, "slow"));
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(sum, 3);
	ck_assert_int_eq(kept.puts, 0);
}
END_TEST

static _Atomic(bool) is_uncached;

static void *
uncache(void *argument)
{
	kn_ctx *c = kn_begin(db);

	EXPECT_OK(c, kn_uncache(c, "numbers"));
	/* Nothing that is older is put there from here on. */
	*(bool *) argument = !atomic_load(&kept.is_putting);
	atomic_store(&is_uncached, true);
	kn_end(c);
	return NULL;
}

static void *
read_numbers(void *argument)
{
	kn_ctx *c = kn_begin(db);

	*(int64_t *) argument = read_sum(c);
	kn_end(c);
	return NULL;
}

/* A cache may take its time: what is being put there is waited for, and then removed. */
START_TEST(removes_what_is_being_kept)
{
	pthread_t reader;
	pthread_t remover;
	int64_t sum = 0;
	bool is_over = false;

	atomic_store(&kept.is_slow, true);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_numbers, &sum), 0);
	while (!atomic_load(&kept.is_putting))
		(void) poll(NULL, 0, 1);
	look_do(look, "INSERT INTO kn_number VALUES (4)");
	ck_assert_int_eq(pthread_create(&remover, NULL, uncache, &is_over), 0);
	/* One that does not wait is done long before. */
	for (int i = 0; i < 200 && !atomic_load(&is_uncached); i++)
		(void) poll(NULL, 0, 1);
	atomic_store(&kept.is_slow, false);
	ck_assert_int_eq(pthread_join(remover, NULL), 0);
	ck_assert_int_eq(read_sum(cx), 7);
	ck_assert_int_eq(pthread_join(reader, NULL), 0);
	ck_assert_int_eq(sum, 3);
	ck_assert(is_over);
	ck_assert_int_eq(read_sum(cx), 7);
}
END_TEST

START_TEST(does_not_wait_for_ever)
{
	kn_ctx *hasty = kn_begin(db, .timeout_ms = 60);
	pthread_t thread;
	int64_t sum;

	look_do(look, "SELECT pg_advisory_lock(4712)");
	ck_assert_int_eq(pthread_create(&thread, NULL, read_slowly, &sum), 0);
	look_await(look, x_blocked, 1);
	EXPECT(hasty, kn_done(kn_query_values(hasty, "SELECT kn_slow()", NULL, 0, &slow)), KN_TIMEOUT);
	kn_end(hasty);
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(sum, 3);
}
END_TEST

/* Who is cancelled between the look and the wait does not wait for what another one loads. */
START_TEST(is_left_by_who_is_cancelled)
{
	kn_ctx *patient = kn_begin(db, .timeout_ms = 30000);
	int64_t begun;
	pthread_t thread;
	int64_t sum;

	look_do(look, "SELECT pg_advisory_lock(4712)");
	ck_assert_int_eq(pthread_create(&thread, NULL, read_slowly, &sum), 0);
	look_await(look, x_blocked, 1);
	begun = kn__now(NULL);
	kept.cancelled = patient;
	EXPECT(patient,
		   kn_done(kn_query_values(patient, "SELECT kn_slow()", NULL, 0, &slow)),
		   KN_CANCELED);
	kept.cancelled = NULL;
	ck_assert_int_lt(kn__now(NULL) - begun, 10 * KN__NS_PER_S);
	kn_end(patient);
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(sum, 3);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, asks_the_server_once);
	tcase_add_test(tcase, makes_nobody_wait_for_what_is_not_kept);
	tcase_add_test(tcase, keeps_nothing_that_is_old_already);
	tcase_add_test(tcase, removes_what_is_being_kept);
	tcase_add_test(tcase, does_not_wait_for_ever);
	tcase_add_test(tcase, is_left_by_who_is_cancelled);
}

int
main(void)
{
	return suite_run("cache_load", fill);
}
