/*
 * test_run_pool_news.c
 *		What the pool tells as it happens: opened, closed and why, waits that failed or were long.
 */
#include "pool_fake.h"

/* Takes what has been told so far. */
static const char *
news_of(fake *f)
{
	static char news[sizeof(f->news)];

	fake_lock(f);
	strcpy(news, f->news);
	f->news[0] = '\0';
	fake_unlock(f);
	return news;
}

/* Closed for each reason there is, which is told with how long it was open. */
START_TEST(tells_why_one_was_closed)
{
	fake f;
	kn__pool *pool;
	kn__member *member;

	fake_init(&f, 1);
	f.options.idle_ms = 1000;
	f.options.lifetime_ms = 10000;
	f.options.keepalive_ms = 600;
	pool = fake_pool(&f);
	give(pool, take(pool));
	ck_assert_str_eq(news_of(&f), "opened 1 - - -:0 0\n");
	fake_advance(&f, pool, 500);
	kn__pool_give(pool, take(pool), KN__GIVE_BROKEN);
	ck_assert_str_eq(news_of(&f), "closed 1 - broken -:0 500\n");
	member = take(pool);
	give(pool, member);
	atomic_store(&((fake_member *) member)->is_dead, true);
	give(pool, take(pool));
	ck_assert_str_eq(news_of(&f),
					 "opened 2 - - -:0 0\nclosed 2 - dead -:0 0\nopened 3 - - -:0 0\n");
	fake_lock(&f);
	f.is_unkept = true;
	fake_unlock(&f);
	fake_advance(&f, pool, 600);
	AWAIT(pool, closed_broken == 3);
	ck_assert_str_eq(news_of(&f), "closed 3 - dead -:0 600\n");
	fake_lock(&f);
	f.is_unkept = false;
	fake_unlock(&f);
	member = take(pool);
	kn__pool_renew(pool);
	give(pool, member);
	ck_assert_str_eq(news_of(&f), "opened 4 - - -:0 0\nclosed 4 - reset -:0 0\n");
	member = take(pool);
	fake_advance(&f, pool, 11000);
	give(pool, member);
	member = take(pool);
	ck_assert_str_eq(news_of(&f),
					 "opened 5 - - -:0 0\nclosed 5 - lifetime -:0 11000\nopened 6 - - -:0 0\n");
	give(pool, member);
	fake_advance(&f, pool, 1000);
	AWAIT(pool, closed_idle == 1);
	ck_assert_str_eq(news_of(&f), "closed 6 - idle -:0 1000\n");
	give(pool, take(pool));
	ck_assert_int_eq(pool_stats(pool).closed_old, 2);
	ck_assert_int_eq(pool_stats(pool).closed_broken, 3);
	ck_assert_int_eq(pool_stats(pool).closed_idle, 1);
	ck_assert_int_eq(kn__pool_drain(pool, KN__NEVER), KN_OK);
	ck_assert_str_eq(news_of(&f), "opened 7 - - -:0 0\nclosed 7 - drained -:0 0\n");
	fake_end(&f, pool);
}
END_TEST

START_TEST(tells_that_none_was_opened)
{
	fake f;
	kn__pool *pool;
	taker t;

	fake_init(&f, 1);
	f.open_status = KN_AUTH;
	pool = fake_pool(&f);
	taker_start(&t, pool, KN__NEVER);
	ck_assert_int_eq(taker_join(&t), KN_AUTH);
	ck_assert_str_eq(news_of(&f),
					 "open_failed 0 KN_AUTH - -:0 0\nwait_failed 0 KN_AUTH  taker.c:1 0\n");
	fake_end(&f, pool);
}
END_TEST

/* The statements that others are at are nobody's business: they may have values in them. */
START_TEST(tells_why_a_wait_failed)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker t;
	kn__fault fault;

	fake_init(&f, 1);
	f.options.acquire_ms = 40;
	f.options.max_waiters = 1;
	pool = fake_pool(&f);
	member = take_at(pool, 77);
	atomic_store(&member->last_sql, "SELECT 'secret'");
	(void) news_of(&f);
	taker_queue(&t, pool, KN__NEVER);
	ck_assert_int_eq(
		kn__pool_take(pool, KN__NEVER, "second.c", 2, NULL, &(kn__member *){ NULL }, &fault),
		KN_POOL_FULL);
	ck_assert_str_eq(
		news_of(&f),
		"wait_failed 0 KN_POOL_FULL test.c:77 has one for 0 ms, active second.c:2 0\n");
	fake_advance(&f, pool, 40);
	ck_assert_int_eq(taker_join(&t), KN_POOL_TIMEOUT);
	ck_assert_str_eq(
		news_of(&f),
		"wait_failed 0 KN_POOL_TIMEOUT test.c:77 has one for 40 ms, active taker.c:1 40\n");
	ck_assert_ptr_nonnull(strstr(t.fault.error.detail, "SELECT 'secret'"));
	give(pool, member);
	fake_end(&f, pool);
}
END_TEST

START_TEST(tells_that_a_wait_was_long)
{
	fake f;
	kn__pool *pool;
	taker t;

	fake_init(&f, 1);
	f.options.slow_ms = 30;
	pool = fake_pool(&f);
	for (int waited = 29; waited <= 30; waited++)
	{
		kn__member *member = take(pool);

		(void) news_of(&f);
		taker_queue(&t, pool, KN__NEVER);
		fake_advance(&f, pool, waited);
		give(pool, member);
		ck_assert_int_eq(taker_join(&t), KN_OK);
		ck_assert_str_eq(news_of(&f), waited < 30 ? "" : "waited 0 - - taker.c:1 30\n");
		give(pool, t.member);
	}
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, tells_why_one_was_closed);
	tcase_add_test(tcase, tells_that_none_was_opened);
	tcase_add_test(tcase, tells_why_a_wait_failed);
	tcase_add_test(tcase, tells_that_a_wait_was_long);
}

int
main(void)
{
	return suite_run("run_pool_news", fill);
}
