/*
 * test_run_pool_report.c
 *		What the pool tells: numbers, who holds what, leaks.
 */
#include "pool_fake.h"

START_TEST(counts)
{
	fake f;
	kn__pool *pool;
	kn__member *members[4];
	taker takers[3];
	kn_stats stats;

	fake_init(&f, 4);
	f.options.min = 2;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 2);
	stats = pool_stats(pool);
	ck_assert_int_eq(stats.max, 4);
	ck_assert_int_eq(stats.total, 2);
	ck_assert_int_eq(stats.busy, 0);
	ck_assert_int_eq(stats.waiting, 0);
	for (int i = 0; i < 3; i++)
		members[i] = take(pool);
	kn__pool_note_query(pool, members[0]);
	kn__pool_note_query(pool, members[2]);
	kn__pool_note_query(pool, members[2]);
	stats = pool_stats(pool);
	ck_assert_int_eq(stats.queries, 3);
	ck_assert_int_eq(stats.total, 3);
	ck_assert_int_eq(stats.busy, 3);
	ck_assert_int_eq(stats.idle, 0);
	members[3] = take(pool);
	for (int i = 0; i < 3; i++)
		taker_queue(&takers[i], pool, i == 2 ? kn__after(f.now, 1) : KN__NEVER);
	stats = pool_stats(pool);
	ck_assert_int_eq(stats.waiting, 3);
	fake_advance(&f, pool, 100);
	ck_assert_int_eq(taker_join(&takers[2]), KN_TIMEOUT);
	for (int i = 0; i < 4; i++)
		kn__pool_give(pool, members[i], i == 3 ? KN__GIVE_BROKEN : KN__GIVE_CLEAN);
	for (int i = 0; i < 2; i++)
	{
		ck_assert_int_eq(taker_join(&takers[i]), KN_OK);
		give(pool, takers[i].member);
	}
	stats = pool_stats(pool);
	ck_assert_int_eq(stats.acquires, 6);
	ck_assert_int_eq(stats.timeouts, 1);
	ck_assert_int_eq(stats.closed_broken, 1);
	ck_assert_int_eq(stats.waits, 4); /* two while it grew */
	ck_assert_int_eq(stats.wait_ns, 200 * KN__NS_PER_MS);
	ck_assert_int_eq(stats.wait_histogram[0], 2);
	ck_assert_int_eq(stats.wait_histogram[17], 2); /* 65.5 to 131 ms */
	fake_end(&f, pool);
}
END_TEST

/* What is none of the pool's business stays as it was. */
START_TEST(leaves_the_rest_alone)
{
	fake f;
	kn__pool *pool;
	kn_stats stats;

	memset(&stats, 0x5A, sizeof(stats));
	fake_init(&f, 1);
	pool = fake_pool(&f);
	kn__pool_stats(pool, &stats);
	ck_assert_int_eq(stats.errors, INT64_C(0x5A5A5A5A5A5A5A5A));
	ck_assert_int_eq(stats.retries_denied, INT64_C(0x5A5A5A5A5A5A5A5A));
	ck_assert_int_eq(stats.breaker, 0x5A5A5A5A);
	ck_assert_int_eq(stats.leaks, 0);
	ck_assert_int_eq(stats.queries, 0);
	ck_assert_int_eq(stats.total, 0);
	fake_end(&f, pool);
}
END_TEST

START_TEST(counts_openings)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 3);
	f.options.min = 3;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 3);
	ck_assert_int_eq(pool_stats(pool).opened, 3);
	ck_assert_int_eq(pool_stats(pool).failed_to_open, 0);
	fake_set_status(&f, KN_CONN_LOST);
	kn__pool_renew(pool);
	AWAIT(pool, closed_old == 3);
	AWAIT(pool, failed_to_open > 0);
	ck_assert_int_eq(pool_stats(pool).opened, 3);
	fake_end(&f, pool);
}
END_TEST

START_TEST(counts_time)
{
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 1);
	f.is_gated = true;
	pool = fake_pool(&f);
	taker_queue(&other, pool, KN__NEVER);
	AWAIT_FAKE(&f, opening == 1);
	atomic_fetch_add(&f.now, 30 * KN__NS_PER_MS);
	fake_permit(&f, 1);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	fake_advance(&f, pool, 200);
	give(pool, other.member);
	ck_assert_ptr_eq(take(pool), other.member);
	atomic_fetch_add(&f.now, 200 * KN__NS_PER_MS);
	kn__pool_give(pool, other.member, KN__GIVE_BROKEN);
	ck_assert_int_eq(pool_stats(pool).busy_ns, 400 * KN__NS_PER_MS);
	ck_assert_int_eq(pool_stats(pool).open_ns, 30 * KN__NS_PER_MS);
	fake_end(&f, pool);
}
END_TEST

static const struct
{
	int64_t waited_us;
	int bucket;
} buckets[] = {
	{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 2 }, { 1023, 10 }, { 1024, 11 }, { INT64_C(4000000000), 31 },
};

START_TEST(histogram)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker other;

	fake_init(&f, 1);
	f.options.acquire_ms = -1;
	pool = fake_pool(&f);
	member = take(pool);
	taker_queue(&other, pool, KN__NEVER);
	atomic_fetch_add(&f.now, buckets[_i].waited_us * 1000);
	give(pool, member);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	ck_assert_int_eq(pool_stats(pool).wait_histogram[buckets[_i].bucket], 1 + (_i == 0));
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

START_TEST(dump)
{
	const char expected[] =
		"test.c:11 has one for 1500 ms, active: SELECT 1 FROM t\n"
		"test.c:22 has one for 0 ms, idle\n";
	fake f;
	kn__pool *pool;
	kn__member *members[3];
	char buffer[200];

	fake_init(&f, 3);
	pool = fake_pool(&f);
	members[0] = take_at(pool, 11);
	members[1] = take(pool);
	atomic_fetch_add(&f.now, 1500 * KN__NS_PER_MS);
	members[2] = take_at(pool, 22);
	give(pool, members[1]);
	atomic_store(&members[0]->last_sql, "SELECT 1\nFROM t");
	ck_assert_int_eq(kn__pool_dump(pool, buffer, sizeof(buffer)), sizeof(expected) - 1);
	ck_assert_str_eq(buffer, expected);
	ck_assert_int_eq(kn__pool_dump(pool, NULL, 0), sizeof(expected) - 1);
	ck_assert_int_eq(kn__pool_dump(pool, buffer, 10), sizeof(expected) - 1);
	ck_assert_str_eq(buffer, "test.c:11");
	give(pool, members[0]);
	give(pool, members[2]);
	ck_assert_int_eq(kn__pool_dump(pool, buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(buffer, "");
	fake_end(&f, pool);
}
END_TEST

/* What those are at is for them to say, and between two statements it is the transaction. */
START_TEST(dumps_what_they_do)
{
	static const struct
	{
		int doing;
		const char *sql;
		const char *expected;
	} deeds[] = {
		{ KN__DOING_CALLS, NULL, "idle\n" },
		{ KN__DOING_CALLS, "SELECT 1", "active: SELECT 1\n" },
		{ KN__DOING_TRANSACTION, "SELECT 1", "idle in transaction: SELECT 1\n" },
		{ KN__DOING_FAILED, "SELECT 1", "in a failed transaction: SELECT 1\n" },
	};
	fake f;
	kn__pool *pool;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	for (int i = 0; i < COUNT(deeds); i++)
	{
		kn__member *member = take_at(pool, 7);
		char buffer[200];

		atomic_store(&member->last_sql, deeds[i].sql);
		atomic_store(&member->doing, deeds[i].doing);
		(void) kn__pool_dump(pool, buffer, sizeof(buffer));
		ck_assert_str_eq(strchr(buffer, ',') + 2, deeds[i].expected);
		atomic_store(&member->doing, KN__DOING_CALLS);
		give(pool, member);
	}
	fake_end(&f, pool);
}
END_TEST

/* Long statements are cut, and not in the middle of a character. */
START_TEST(long_statements)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	char sql[400] = "";
	char buffer[600];

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take_at(pool, 1);
	strcat(sql, &"xx"[_i]);
	for (int i = 0; i < 120; i++)
		strcat(sql, "\xE2\x82\xAC");
	atomic_store(&member->last_sql, sql);
	(void) kn__pool_dump(pool, buffer, sizeof(buffer));
	ck_assert_int_eq(strlen(buffer),
					 strlen("test.c:1 has one for 0 ms, active: \n") + 2 - _i +
						 (159 - (2 - _i)) / 3 * 3);
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

/* With many holders an error names those that have had theirs for longest. */
START_TEST(names_the_longest)
{
	fake f;
	kn__pool *pool;
	kn__member *members[12];
	kn__member *none;
	kn__fault fault;
	const char *detail;

	fake_init(&f, 12);
	pool = fake_pool(&f);
	for (int i = 0; i < 12; i++)
	{
		members[i] = take_at(pool, i);
		atomic_fetch_add(&f.now, KN__NS_PER_MS * (i == 5 ? 1000 : 1));
	}
	give(pool, members[0]);
	members[0] = take_at(pool, 100);
	ck_assert_int_eq(kn__pool_take(pool, 0, "test.c", 1, NULL, &none, &fault), KN_TIMEOUT);
	detail = fault.error.detail;
	ck_assert_int_eq(strncmp(detail, "test.c:1 has one for 1010 ms, idle\ntest.c:2 ", 44), 0);
	ck_assert_ptr_nonnull(strstr(detail, "\ntest.c:8 has one for 4 ms, idle\nand 4 more"));
	ck_assert_ptr_null(strstr(detail, "test.c:100"));
	for (int i = 0; i < 12; i++)
		give(pool, members[i]);
	fake_end(&f, pool);
}
END_TEST

START_TEST(leaks_are_reported_once)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	kn__member *other;

	fake_init(&f, 2);
	f.options.leak_ms = 1000;
	pool = fake_pool(&f);
	member = take_at(pool, 77);
	atomic_store(&member->last_sql, "SELECT 1");
	fake_advance(&f, pool, 999);
	other = take_at(pool, 78);
	atomic_store(&other->last_sql, "SELECT 2");
	ck_assert_int_eq(pool_stats(pool).leaks, 0);
	fake_advance(&f, pool, 2);
	AWAIT_FAKE(&f, leaks == 1);
	ck_assert_str_eq(f.leak, "test.c:77 SELECT 1");
	ck_assert_int_ge(f.leak_held, 1000 * KN__NS_PER_MS);
	fake_advance(&f, pool, 998);
	AWAIT_FAKE(&f, leaks == 2);
	ck_assert_str_eq(f.leak, "test.c:78 SELECT 2");
	fake_advance(&f, pool, 5000);
	give(pool, other);
	/* Taken again, it counts anew. */
	other = take_at(pool, 79);
	atomic_store(&other->last_sql, "SELECT 3");
	fake_advance(&f, pool, 1000);
	AWAIT_FAKE(&f, leaks == 3);
	ck_assert_str_eq(f.leak, "test.c:79 SELECT 3");
	ck_assert_int_eq(pool_stats(pool).leaks, 3);
	give(pool, member);
	give(pool, other);
	fake_end(&f, pool);
}
END_TEST

/* Nobody has to listen. */
START_TEST(leaks_are_counted_anyway)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	f.options.leak_ms = 10;
	f.driver.report = NULL;
	pool = fake_pool(&f);
	member = take(pool);
	fake_advance(&f, pool, 10);
	AWAIT(pool, leaks == 1);
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, counts);
	tcase_add_test(tcase, leaves_the_rest_alone);
	tcase_add_test(tcase, counts_openings);
	tcase_add_test(tcase, counts_time);
	LOOP(tcase, histogram, buckets);
	tcase_add_test(tcase, dump);
	tcase_add_test(tcase, dumps_what_they_do);
	tcase_add_loop_test(tcase, long_statements, 0, 3);
	tcase_add_test(tcase, names_the_longest);
	tcase_add_test(tcase, leaks_are_reported_once);
	tcase_add_test(tcase, leaks_are_counted_anyway);
}

int
main(void)
{
	return suite_run("run_pool_report", fill);
}
