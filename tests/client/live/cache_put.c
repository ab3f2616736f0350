/*
 * cache_put.c
 *		What a transaction has written goes into the cache with its commit.
 */
#include <sched.h>

#include "proxy.h"
#include "store.h"

static const char x_sum[] = "SELECT sum(n) FROM kn_number";

/* Adds to the sum, and writes it through. */
static void
write_through(kn_ctx *c, int n)
{
	kn_rows *rows;

	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES ($1)", n));
	rows = kn_query(c, x_sum);
	EXPECT_OK(c, kn_cache_rows(c, rows, x_sum, NULL, 0, &cached));
	EXPECT_OK(c, kn_done(rows));
}

static kn_status
putting_body(kn_ctx *c, void *argument)
{
	int puts = kept.puts;

	write_through(c, 10);
	kn_clear(c);
	ck_assert_int_eq(kept.puts, puts);
	return *(kn_status *) argument;
}

START_TEST(is_written_through_by_a_commit_only)
{
	kn_status returns = KN_CONFLICT;
	uint64_t queries;

	ck_assert_int_eq(read_sum(cx), 3);
	EXPECT(cx, kn_transact(cx, putting_body, &returns), KN_CONFLICT);
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(read_sum(cx), 3);
	returns = KN_OK;
	EXPECT_OK(cx, kn_transact(cx, putting_body, &returns));
	ck_assert_int_eq(kept.puts, 2);
	queries = stats_of(db).queries;
	ck_assert_int_eq(read_sum(cx), 13);
	ck_assert_uint_eq(stats_of(db).queries, queries);
	ck_assert_int_eq(kept.removals, 0);
	/* A read may be of another one's statement: the rows are not his. */
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, "SELECT 99", NULL, 0, &cached)), 99);
}
END_TEST

static kn_status
returning_body(kn_ctx *c, void *argument)
{
	static const char sql[] = "UPDATE kn_number SET n = n * 10 WHERE n = 2 RETURNING n";
	kn_value value = kn_i32(20);
	kn_rows *rows = kn_query(c, sql);
	kn_status status = kn_cache_rows(c, rows, argument, &value, 1, &cached);

	ck_assert_int_eq(kn_next(rows), true);
	EXPECT_OK(c, kn_done(rows));
	return status;
}

START_TEST(is_written_through_by_returning)
{
	char sql[] = "SELECT n FROM kn_number WHERE n = $1";
	kn_value value = kn_i32(20);
	uint64_t queries;

	EXPECT_OK(cx, kn_transact(cx, returning_body, sql));
	queries = stats_of(db).queries;
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, sql, &value, 1, &cached)), 20);
	ck_assert_uint_eq(stats_of(db).queries, queries);
}
END_TEST

static kn_status
outer_body(kn_ctx *c, void *argument)
{
	kn_status returns = KN_CONFLICT;

	(void) argument;
	EXPECT(c, kn_transact(c, putting_body, &returns), KN_CONFLICT);
	return KN_OK;
}

START_TEST(is_not_written_through_by_a_savepoint_that_is_undone)
{
	ck_assert_int_eq(read_sum(cx), 3);
	EXPECT_OK(cx, kn_transact(cx, outer_body, NULL));
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(kept.removals, 0);
	ck_assert_int_eq(read_sum(cx), 3);
}
END_TEST

static kn_status
twice_body(kn_ctx *c, void *argument)
{
	(void) argument;
	write_through(c, 10);
	write_through(c, 100);
	return KN_OK;
}

START_TEST(keeps_the_last_that_was_written_through)
{
	uint64_t queries;

	EXPECT_OK(cx, kn_transact(cx, twice_body, NULL));
	queries = stats_of(db).queries;
	ck_assert_int_eq(read_sum(cx), 113);
	ck_assert_uint_eq(stats_of(db).queries, queries);
}
END_TEST

/* Another transaction does as much meanwhile: neither sees what the other does. */
static kn_status
crossing_body(kn_ctx *c, void *argument)
{
	kn_ctx *other = kn_begin(db);
	kn_status returns = KN_OK;

	write_through(c, 100);
	EXPECT_OK(other,
			  *(bool *) argument ? kn_transact(other, putting_body, &returns)
								 : kn_uncache(other, "numbers"));
	kn_end(other);
	return KN_OK;
}

START_TEST(is_removed_where_the_last_word_is_not_known)
{
	bool puts = _i == 1;

	ck_assert_int_eq(read_sum(cx), 3);
	EXPECT_OK(cx, kn_transact(cx, crossing_body, &puts));
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(kept.removals, 2);
	ck_assert_int_eq(read_sum(cx), puts ? 113 : 103);
}
END_TEST

static kn_status
slowly_put_body(kn_ctx *c, void *argument)
{
	kn_rows *rows = kn_query(c, "SELECT 7::int8");

	(void) argument;
	EXPECT_OK(c, kn_cache_rows(c, rows, "SELECT kn_slow()", NULL, 0, &slow));
	EXPECT_OK(c, kn_done(rows));
	return KN_OK;
}

START_TEST(is_not_written_over_by_a_read_that_is_under_way)
{
	pthread_t thread;
	int64_t sum;

	look_do(look, "SELECT pg_advisory_lock(4712)");
	ck_assert_int_eq(pthread_create(&thread, NULL, read_slowly, &sum), 0);
	look_await(look, x_blocked, 1);
	EXPECT_OK(cx, kn_transact(cx, slowly_put_body, NULL));
	look_do(look, "SELECT pg_advisory_unlock(4712)");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(sum, 3);
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, "SELECT kn_slow()", NULL, 0, &slow)), 7);
}
END_TEST

/* A transaction that writes through, and what is under way of others when it returns. */
typedef struct writer
{
	_Atomic(bool) has_ended;
	bool was_putting;
} writer;

static kn_status
adding_body(kn_ctx *c, void *argument)
{
	write_through(c, *(int *) argument);
	return KN_OK;
}

static void *
write_in_thread(void *argument)
{
	writer *w = argument;
	kn_ctx *c = kn_begin(db);
	int n = 10;

	EXPECT_OK(c, kn_transact(c, adding_body, &n));
	w->was_putting = kept.is_putting;
	w->has_ended = true;
	kn_end(c);
	return NULL;
}

/* Who has committed after that does not return before what was put is removed again. */
START_TEST(is_removed_behind_what_is_put_right_now)
{
	writer first = { .has_ended = false };
	writer second = { .has_ended = false };
	pthread_t threads[2];

	kept.is_slow = true;
	ck_assert_int_eq(pthread_create(&threads[0], NULL, write_in_thread, &first), 0);
	while (!kept.is_putting)
		(void) sched_yield();
	ck_assert_int_eq(pthread_create(&threads[1], NULL, write_in_thread, &second), 0);
	look_await(look, x_sum, 23);
	for (int i = 0; i < 200 && !second.has_ended; i++)
		look_do(look, "SELECT 1");
	kept.is_slow = false;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert(!second.was_putting);
	ck_assert_int_eq(read_sum(cx), 23);
}
END_TEST

static kn_status
misusing_body(kn_ctx *c, void *argument)
{
	const kn_options keyless = { .size = sizeof(keyless) };
	kn_ctx *other = kn_begin(db);
	kn_rows *rows = kn_query(other, "SELECT 1");

	(void) argument;
	EXPECT(c, kn_cache_rows(c, rows, "SELECT 1", NULL, 0, &cached), KN_USAGE);
	kn_end(other);
	rows = kn_query(c, "SELECT 1");
	EXPECT(c, kn_cache_rows(c, rows, "SELECT 1", NULL, 0, &keyless), KN_USAGE);
	EXPECT(c, kn_cache_rows(c, rows, NULL, NULL, 0, &cached), KN_USAGE);
	EXPECT(c, kn_cache_rows(c, NULL, "SELECT 1", NULL, 0, &cached), KN_USAGE);
	EXPECT_OK(c, kn_done(rows));
	EXPECT(c, kn_cache_rows(c, rows, "SELECT 1", NULL, 0, &cached), KN_USAGE);
	rows = kn_query(c, "UPDATE kn_number SET n = n");
	EXPECT(c, kn_cache_rows(c, rows, "SELECT 1", NULL, 0, &cached), KN_USAGE);
	return kn_done(rows);
}

START_TEST(refuses_to_write_through)
{
	kn_rows *rows = kn_query(cx, x_sum);

	EXPECT(cx, kn_cache_rows(cx, rows, x_sum, NULL, 0, &cached), KN_USAGE);
	EXPECT_OK(cx, kn_done(rows));
	EXPECT_OK(cx, kn_transact(cx, misusing_body, NULL));
	ck_assert_int_eq(kept.puts, 0);
}
END_TEST

static bool
fall_silent(void *user)
{
	((proxy *) user)->drops = true;
	return true;
}

/* The answer to COMMIT is lost, and nobody can be asked: what is kept may be wrong either way. */
START_TEST(is_removed_by_a_commit_in_doubt)
{
	proxy p = { .when = MOMENT_AFTER, .harm = fall_silent, .user = &p, .text = "COMMIT" };
	kn_status returns = KN_OK;
	kn_db *other;
	kn_ctx *c;

	ck_assert_int_eq(read_sum(cx), 3);
	proxy_start(&p);
	OPEN(other, .conninfo = p.conninfo, .max_connections = 1, .cache = &kept.cache);
	c = kn_begin(other, .timeout_ms = is_slow() ? 5000 : 2000);
	EXPECT(c, kn_transact(c, putting_body, &returns), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(kept.removals, 1);
	ck_assert_int_eq(read_sum(cx), 13);
	kn_end(c);
	proxy_end(&p);
	ck_assert_int_eq(kn_close(other, 1000), KN_OK);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_written_through_by_a_commit_only);
	tcase_add_test(tcase, is_removed_by_a_commit_in_doubt);
	tcase_add_test(tcase, is_written_through_by_returning);
	tcase_add_test(tcase, is_not_written_through_by_a_savepoint_that_is_undone);
	tcase_add_test(tcase, keeps_the_last_that_was_written_through);
	tcase_add_loop_test(tcase, is_removed_where_the_last_word_is_not_known, 0, 2);
	tcase_add_test(tcase, is_not_written_over_by_a_read_that_is_under_way);
	tcase_add_test(tcase, is_removed_behind_what_is_put_right_now);
	tcase_add_test(tcase, refuses_to_write_through);
}

int
main(void)
{
	return suite_run("cache_put", fill);
}
