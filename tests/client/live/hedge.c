/*
 * hedge.c
 *		Reads that are sent to a second server: which, how many.  tests/client/replica runs it.
 */
#include "hedge.h"

START_TEST(first_answer_counts)
{
	uint64_t closed;
	uint64_t won;
	int64_t began;
	uint64_t queries;

	warm_up();
	closed = stats_at(A).closed_broken;
	won = stats_at(B).hedges_won;
	queries = stats_at(A).queries + stats_at(B).queries;
	be_slow("kn_a", SLOW);
	began = kn__now(NULL);
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		ck_assert_str_eq(read_at(cx), "kn_b");
		ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	}
	ck_assert_int_lt(kn__now(NULL) - began, SOON_NS);
	ck_assert_uint_ge(stats_at(B).hedges_won, won + BATCH / 4);
	/* Nobody counts twice. */
	ck_assert_uint_eq(stats_at(A).queries + stats_at(B).queries, queries + BATCH);
	/* What has lost is cancelled at the server, and its connection is as good as before. */
	await_even();
	look_await(standby, x_a_reads, 0);
	ck_assert_uint_eq(stats_at(A).closed_broken, closed);
	ck_assert_uint_eq(stats_at(A).errors, 0);
	be_slow("kn_a", "0");
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .route = KN_ROUTE_REPLICA, .timeout_ms = NEVER_MS);

		ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	}
	ck_assert_uint_eq(stats_at(A).errors, 0);
	ck_assert_uint_eq(stats_at(A).closed_broken, closed);
}
END_TEST

/* A connection whose session is cleaned first, in the same message, is no quicker for that. */
START_TEST(after_a_session_was_used)
{
	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_soil() RETURNS text LANGUAGE sql AS"
			" $$ SELECT set_config('app.soil', 'x', false) $$");
	look_await(standby, "SELECT count(*) FROM pg_proc WHERE proname = 'kn_soil'", 1);
	warm_up();
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);

		be_slow("kn_a", "0");
		for (int j = 0; j < 4; j++)
		{
			KN_AUTO(kn_ctx) *soiler = kn_begin(db, .route = KN_ROUTE_REPLICA);

			EXPECT_OK(soiler, kn_exec(soiler, "SELECT kn_soil()"));
		}
		be_slow("kn_a", SLOW);
		ck_assert_str_eq(read_at(cx), "kn_b");
		await_even();
	}
}
END_TEST

/* The same with claims before it, in a batch, and where all of it fails. */
START_TEST(all_kinds_of_reads)
{
	const char *const claims[] = { "app.tenant", "t", NULL };
	uint64_t before;

	warm_up();
	/* What nobody has sent before is not hedged yet. */
	for (int round = 0; round < 2; round++)
	{
		before = hedges();
		for (int i = 0; i < BATCH; i++)
		{
			KN_AUTO(kn_ctx) *cx =
				kn_begin(db, .hedge = true, .claims = claims, .timeout_ms = NEVER_MS);
			kn_batch *batch = kn_begin_batch(cx);
			kn_rows *rows;

			(void) kn_add(batch, "SELECT kn_read($1)", 1);
			(void) kn_add(batch, "SELECT current_setting('app.tenant')");
			(void) kn_add(batch, "SELECT generate_series(1, 3)");
			EXPECT_OK(cx, kn_run_batch(batch, NULL));
			rows = kn_batch_rows(batch, 0);
			ck_assert(kn_next(rows));
			if (round == 1)
				ck_assert_str_eq(kn_get_text(rows, 0), "kn_b");
			EXPECT_OK(cx, kn_done(rows));
			rows = kn_batch_rows(batch, 1);
			ck_assert(kn_next(rows));
			ck_assert_str_eq(kn_get_text(rows, 0), "t");
			EXPECT_OK(cx, kn_done(rows));
			ck_assert_int_eq(kn_row_count(kn_batch_rows(batch, 2)), 3);
			EXPECT(cx, kn_exec(cx, "SELECT kn_read($1), 1 / (kn_read($1) = '')::int", 1), KN_DATA);
			ck_assert_str_eq(kn_last_error(cx)->sqlstate, "22012");
			ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
		}
		if (round == 1)
			ck_assert_uint_ge(hedges(), before + BATCH / 4);
		await_even();
		be_slow("kn_a", SLOW);
	}
	look_await(standby, x_a_reads, 0);
}
END_TEST

static void
read_often(bool hedge)
{
	for (int i = 0; i < 4 * BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = hedge, .timeout_ms = NEVER_MS);

		ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	}
}

START_TEST(only_where_asked)
{
	uint64_t before;

	warm_up();
	be_slow("kn_a", "0.02");
	before = hedges();
	read_often(false);
	ck_assert_uint_eq(hedges(), before);
	read_often(true);
	ck_assert_uint_gt(hedges(), before);
	await_even();
	close_even(db);
	open_with((kn_config){ 0 }, NULL);
	be_slow("kn_a", "0");
	warm_up();
	be_slow("kn_a", "0.02");
	read_often(true);
	ck_assert_uint_eq(hedges(), 0);
}
END_TEST

START_TEST(only_a_share)
{
	await_even();
	close_even(db);
	open_with((kn_config){ .hedge_percent = 5 }, NULL);
	for (int round = 0; round < 6 || (hedges() == 0 && round < 100); round++)
	{
		uint64_t calls;

		be_slow("kn_a", round % 2 == 0 ? "0" : "0.02");
		read_often(true);
		calls = stats_at(PRIMARY).queries + stats_at(A).queries + stats_at(B).queries;
		ck_assert_uint_le(hedges() * 100, calls * 5);
	}
	ck_assert_uint_gt(hedges(), 0);
}
END_TEST

static kn_status
read_body(kn_ctx *cx, void *argument)
{
	ck_assert_int_gt((int) strlen(read_at(cx)), 0);
	(void) argument;
	return KN_OK;
}

/* Writes, transactions and streams are never sent twice, however slow they are. */
START_TEST(nothing_but_reads)
{
	const kn_options writes = { .size = sizeof(writes), .is_write = true };
	uint64_t before;
	long rows;

	warm_up();
	for (int i = 0; i < 300; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .route = KN_ROUTE_PRIMARY);

		(void) read_at(cx);
	}
	await_even();
	before = hedges();
	rows = look_number(look, "SELECT count(*) FROM kn_written");
	be_slow("kn_p", "0.01");
	be_slow("kn_a", "0.01");
	be_slow("kn_b", "0.01");
	for (int i = 0; i < BATCH; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .hedge = true, .timeout_ms = NEVER_MS);
		kn_rows *stream;

		EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_written SELECT kn_read(1)"));
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_read(1), nextval('kn_numbers')"));
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_guess(1)"));
		EXPECT_OK(cx, kn_exec_values(cx, x_read, NULL, 0, &writes, NULL));
		EXPECT_OK(cx, kn_transact(cx, read_body, NULL));
		EXPECT_OK(cx, kn_transact(cx, read_body, NULL, .is_read_only = true));
		stream = kn_stream(cx, x_read);
		ck_assert(kn_next(stream));
		EXPECT_OK(cx, kn_done(stream));
	}
	be_slow("kn_p", "0");
	ck_assert_uint_eq(hedges(), before);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_written"), rows + BATCH);
}
END_TEST

static void
count_hedged(void *user, const kn_event *event)
{
	ck_assert(strcmp(event->what, "hedged") != 0 || event->host != NULL);
	*(_Atomic(int) *) user += strcmp(event->what, "hedged") == 0;
}

START_TEST(is_told)
{
	/* The handle is closed once this is over. */
	static _Atomic(int) told;
	static const kn_hooks hooks = { .size = sizeof(hooks), .user = &told, .retry = count_hedged };

	await_even();
	close_even(db);
	open_with((kn_config){ .hedge_percent = 100, .hooks = &hooks }, NULL);
	warm_up();
	be_slow("kn_a", "0.02");
	read_often(true);
	ck_assert_int_gt(told, 0);
	ck_assert_uint_eq(hedges(), (uint64_t) told);
}
END_TEST

#define THREADS 4

static _Atomic(int) answers;

static void *
read_on(void *argument)
{
	for (int i = 0; i < 200; i++)
	{
		kn_ctx *cx = kn_begin(db, .hedge = true, .timeout_ms = i % 7 == 0 ? 2 : NEVER_MS);

		answers += *read_at(cx) != '\0';
		if (kn_last_error(cx)->status != KN_OK)
			ck_assert_int_eq(kn_last_error(cx)->status, KN_TIMEOUT);
		kn_end(cx);
	}
	return argument;
}

START_TEST(many_at_a_time)
{
	pthread_t threads[THREADS];

	warm_up();
	be_slow("kn_a", "0.004");
	be_slow("kn_b", "0.002");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_ge(answers, THREADS * 170);
	await_even();
	look_await(standby, x_a_reads, 0);
	look_await(standby, x_b_reads, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_unchecked_fixture(tcase, make_tables, NULL);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, first_answer_counts);
	tcase_add_test(tcase, after_a_session_was_used);
	tcase_add_test(tcase, all_kinds_of_reads);
	tcase_add_test(tcase, only_where_asked);
	tcase_add_test(tcase, only_a_share);
	tcase_add_test(tcase, nothing_but_reads);
	tcase_add_test(tcase, is_told);
	tcase_add_test(tcase, many_at_a_time);
}

int
main(void)
{
	return suite_run("hedge", fill);
}
