/*
 * transact_again.c
 *		Transactions that run again: after conflicts, in a storm of them, and with another table.
 */
#include "transact.h"

#include <poll.h>
#include <stdatomic.h>

/* What a body has seen, and when it is done. */
typedef struct plan
{
	int runs;
	int order;
	const char *sql; /* fails */
} plan;

static const struct
{
	const char *sql;
	kn_status status;
} conflicts[] = {
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END$$", KN_SERIALIZATION },
	{ "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END$$", KN_DEADLOCK },
};

static kn_status
raise_body(kn_ctx *c, void *argument)
{
	plan *p = argument;

	p->runs++;
	EXPECT_OK(
		c,
		kn_exec(c, "INSERT INTO kn_account SELECT 1 + max(id), 1000 + max(id) FROM kn_account"));
	if (p->runs < p->order)
		return kn_exec_values(c, p->sql, NULL, 0, NULL, NULL);
	return KN_OK;
}

START_TEST(runs_again)
{
	const char *sql = conflicts[_i].sql;
	kn_status status = conflicts[_i].status;
	plan p = { .order = 3, .sql = sql };

	EXPECT_OK(cx, kn_transact(cx, raise_body, &p));
	ck_assert_int_eq(p.runs, 3);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 3);
	p = (plan){ .order = 99, .sql = sql };
	EXPECT(cx, kn_transact(cx, raise_body, &p, .attempts = 5), status);
	ck_assert_int_eq(p.runs, 5);
	ck_assert_int_eq(kn_last_error(cx)->attempts, 5);
	p = (plan){ .order = 99, .sql = sql };
	EXPECT(cx, kn_transact(cx, raise_body, &p, .attempts = 1), status);
	ck_assert_int_eq(p.runs, 1);
}
END_TEST

static int64_t
stand_still(void *user)
{
	return *(const int64_t *) user;
}

static kn_status
stumble_body(kn_ctx *c, void *argument)
{
	return kn_exec(c, argument);
}

/* Each call pays for repeats to come: of itself where it pays for a whole one. */
START_TEST(pays_for_repeats)
{
	int64_t now = INT64_C(1000000000000);
	const kn_clock clock = { .monotonic = stand_still, .user = &now };
	const int calls = 25; /* more than there are at the beginning */
	kn_db *thrifty;
	kn_ctx *c;

	look_do(look,
			"DROP SEQUENCE IF EXISTS kn_steps; CREATE SEQUENCE kn_steps;"
			"CREATE OR REPLACE FUNCTION kn_stumble() RETURNS int LANGUAGE plpgsql AS $$BEGIN"
			" IF nextval('kn_steps') % 2 = 1 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF;"
			" RETURN 1; END$$");
	OPEN(thrifty,
		 .max_connections = 1,
		 .retry_base_ms = 1,
		 .retry_budget_percent = 100,
		 .clock = &clock);
	c = kn_begin(thrifty);
	for (int i = 0; i < calls; i++)
	{
		if (_i == 0)
			EXPECT_OK(c, kn_exec(c, "SELECT kn_stumble()"));
		else
			EXPECT_OK(c, kn_transact(c, stumble_body, "SELECT kn_stumble()"));
	}
	ck_assert_uint_eq(stats_of(thrifty).retries, calls);
	ck_assert_uint_eq(stats_of(thrifty).retries_denied, 0);
	kn_end(c);
	close_even(thrifty);
}
END_TEST

/* Somebody ends what waits to be tried again: within an hour it would be. */
typedef struct patient
{
	kn_db *db;
	kn_ctx *cx;
	bool is_closed;
	_Atomic(bool) waits;
} patient;

static void
note_wait(void *user, const kn_event *event)
{
	(void) event;
	atomic_store(&((patient *) user)->waits, true);
}

static void *
end_wait(void *argument)
{
	patient *p = argument;

	while (!atomic_load(&p->waits))
		(void) poll(NULL, 0, 1);
	if (p->is_closed)
		(void) kn_close(p->db, 0);
	else
		kn_cancel(p->cx);
	return NULL;
}

START_TEST(is_given_up_while_it_waits)
{
	patient p = { .is_closed = (_i & 1) != 0 };
	const kn_hooks hooks = { .size = sizeof(hooks), .user = &p, .retry = note_wait };
	kn_status expected = p.is_closed ? KN_CLOSED : KN_CANCELED;
	char stumble[] = "SELECT kn_fall()";
	pthread_t thread;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_fall() RETURNS int LANGUAGE plpgsql AS"
			" $$BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END$$");
	OPEN(p.db,
		 .max_connections = 1,
		 .retry_base_ms = 3600000,
		 .retry_cap_ms = 3600000,
		 .hooks = &hooks);
	p.cx = kn_begin(p.db, .timeout_ms = -1);
	ck_assert_int_eq(pthread_create(&thread, NULL, end_wait, &p), 0);
	if ((_i & 2) != 0)
		EXPECT(p.cx, kn_transact(p.cx, stumble_body, stumble), expected);
	else
		EXPECT(p.cx, kn_exec(p.cx, stumble), expected);
	ck_assert_int_eq(kn_last_error(p.cx)->status, expected);
	ck_assert_int_eq(kn_last_error(p.cx)->attempts, 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	kn_end(p.cx);
	if (!p.is_closed)
		close_even(p.db);
}
END_TEST

#define STORM_THREADS 4
#define STORM_RUNS    25

static kn_status
storm_body(kn_ctx *c, void *argument)
{
	int64_t balance =
		number_of_or(c, kn_query(c, "SELECT balance FROM kn_account WHERE id = 1"), -1);

	(void) argument;
	if (balance < 0)
		return kn_last_error(c)->status;
	return kn_exec(c, "UPDATE kn_account SET balance = $1 WHERE id = 1", balance + 1);
}

/* What became of the transactions of a thread. */
typedef struct fate
{
	int done;
	int amiss; /* neither done nor given up because they were in each other's way */
} fate;

static void *
storm(void *argument)
{
	fate *mine = argument;

	for (int i = 0; i < STORM_RUNS; i++)
	{
		kn_ctx *c = kn_begin(db);
		kn_status status =
			kn_transact(c, storm_body, NULL, .isolation = KN_SERIALIZABLE, .attempts = 1000);

		mine->done += status == KN_OK;
		if (status != KN_OK && status != KN_SERIALIZATION)
		{
			mine->amiss++;
			(void) fprintf(stderr, "%s: %s\n", kn_status_name(status), kn_last_error(c)->message);
		}
		kn_end(c);
	}
	return NULL;
}

/* How many of all are done. */
static int
let_storm(void)
{
	pthread_t threads[STORM_THREADS];
	fate fates[STORM_THREADS] = { { 0 } };
	int total = 0;

	for (int i = 0; i < STORM_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, storm, &fates[i]), 0);
	for (int i = 0; i < STORM_THREADS; i++)
	{
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		total += fates[i].done;
		ck_assert_int_eq(fates[i].amiss, 0);
	}
	/* The budget of repeats may have been spent. */
	ck_assert_int_gt(total, STORM_THREADS * STORM_RUNS / 2);
	return total;
}

/* What was reported as done is done, and no more; again, where nobody got in anybody's way. */
START_TEST(weathers_a_storm)
{
	int total = 0;

	look_do(look, "ALTER TABLE kn_account DROP CONSTRAINT kn_distinct");
	for (int i = 0; i < 100 && stats_of(db).retries == 0; i++)
		total += let_storm();
	ck_assert_int_eq(look_number(look, "SELECT balance FROM kn_account WHERE id = 1"), 100 + total);
	ck_assert_uint_gt(stats_of(db).retries, 0);
}
END_TEST

typedef struct reshaping
{
	bool is_first; /* the statement is the first of its transaction */
	bool streams;
	int runs;
} reshaping;

static kn_status
reading_body(kn_ctx *c, void *argument)
{
	reshaping *r = argument;
	kn_rows *rows;

	r->runs++;
	if (!r->is_first)
		EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	rows =
		r->streams ? kn_stream(c, "SELECT * FROM kn_shape") : kn_query(c, "SELECT * FROM kn_shape");
	while (kn_next(rows))
		ck_assert_int_eq(kn_get_i32(rows, 0), 1);
	return kn_done(rows);
}

START_TEST(survives_another_shape)
{
	reshaping r = { .is_first = (_i & 1) != 0, .streams = (_i & 2) != 0 };

	look_do(look, "DROP TABLE IF EXISTS kn_shape; CREATE TABLE kn_shape AS SELECT 1 AS a");
	for (int i = 0; i < 4; i++)
		EXPECT_OK(cx, kn_transact(cx, reading_body, &r));
	look_do(look, "ALTER TABLE kn_shape ADD b text");
	for (int i = 0; i < 4; i++)
		EXPECT_OK(cx, kn_transact(cx, reading_body, &r));
	ck_assert_int_le(r.runs, 9);
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
leave_open_body(kn_ctx *c, void *argument)
{
	plan *p = argument;
	kn_rows *rows = kn_stream(c, "SELECT generate_series(1, 2000000000)");

	ck_assert(kn_next(rows));
	return ++p->runs < p->order ? KN_SERIALIZATION : KN_DATA;
}

/* Whatever it takes to give up what it has left open. */
START_TEST(runs_again_for_what_the_body_says)
{
	plan p = { .order = 2 };

	EXPECT(cx, kn_transact(cx, leave_open_body, &p), KN_DATA);
	ck_assert_int_eq(p.runs, 2);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, runs_again, conflicts);
	tcase_add_loop_test(tcase, is_given_up_while_it_waits, 0, 4);
	tcase_add_loop_test(tcase, pays_for_repeats, 0, 2);
	tcase_add_test(tcase, runs_again_for_what_the_body_says);
	tcase_add_test(tcase, weathers_a_storm);
	tcase_add_loop_test(tcase, survives_another_shape, 0, 4);
}

int
main(void)
{
	return suite_run("transact_again", fill);
}
