/*
 * in_time.c
 *		Deadlines: they are kept while the server is silent, and while it does not stop to talk.
 */
#include "one.h"

#include <time.h>

#define LIMIT_MS 200
#define SLACK_MS 10000 /* of a machine that has much else to do, beside what never ends */
#define TRIES    20    /* the best of which is meant */

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_in_time; CREATE TABLE kn_in_time (id int)");
	/* What had been sent before the server heard of it has to be read. */
	OPEN(db, .max_connections = 1, .cancel_ms = SLACK_MS);
	cx = kn_begin(db, .timeout_ms = 60000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 0"));
}

static double
now_ms(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static long got; /* rows, or pieces */

/* Work of the caller's own, for each thing that he gets; false: it has gone on for far too long. */
static bool
work(void)
{
	static double begun;
	double end = now_ms() + 0.1;

	begun = got++ == 0 ? now_ms() : begun;
	while (now_ms() < end)
		;
	return end < begun + 2 * SLACK_MS;
}

/*
 * More than can be had in any time that this test waits for; nobody knows so beforehand, and takes
 * his time to prepare for it.
 */
#define ENDLESS "SELECT generate_series(1, (SELECT 2000000000)), repeat('x', 50)"

static kn_status
end_stream(kn_rows *rows)
{
	while (kn_next(rows) && work())
		;
	return kn_done(rows);
}

/* By COPY. */
static kn_status
scan(void)
{
	return end_stream(kn_stream(cx, ENDLESS));
}

/* Row after row. */
static kn_status
stream(void)
{
	return end_stream(
		kn_stream(cx, "SELECT generate_series(1, (SELECT $1::int)), repeat('x', 50)", 2000000000));
}

static kn_status
copy_out(void)
{
	kn_copy *copy = kn_copy_out(cx, "COPY (" ENDLESS ") TO STDOUT");
	kn_str piece;

	while (kn_copy_get(copy, &piece) && work())
		;
	return kn_copy_end(copy, NULL);
}

/* What it is to hold in memory would be there after some seconds. */
static kn_status
query(void)
{
	return kn_done(kn_query(cx, "SELECT generate_series(1, (SELECT 1500000)), repeat('x', 200)"));
}

static const struct
{
	const char *name;
	kn_status (*act)(void);
} talks[] = {
	{ "scan", scan },
	{ "stream", stream },
	{ "copy out", copy_out },
	{ "query", query },
};

START_TEST(is_kept_while_rows_keep_coming)
{
	double begun;

	got = 0;
	/* A machine that is at something else may take that time for the first of them. */
	for (int i = 0; i < TRIES && (i == 0 || (got == 0 && talks[_i].act != query)); i++)
	{
		kn_set_timeout(cx, LIMIT_MS);
		begun = now_ms();
		ck_assert_int_eq(talks[_i].act(), KN_TIMEOUT);
		ck_assert_msg(now_ms() - begun < LIMIT_MS + SLACK_MS, "%s", talks[_i].name);
	}
	ck_assert_int_eq(got > 0, talks[_i].act != query);
	kn_set_timeout(cx, 60000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
sleep_in_a_call(void)
{
	return kn_exec(cx, "SELECT pg_sleep(60)");
}

static kn_status
sleep_in_a_stream(void)
{
	return end_stream(kn_stream(cx, "SELECT g, pg_sleep(60) FROM generate_series(1, 9) g"));
}

static kn_status
sleep_in_a_batch(void)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "SELECT 1");
	(void) kn_add(batch, "SELECT pg_sleep(60)");
	return kn_run_batch(batch, NULL);
}

static kn_status
sleep_in_a_copy(void)
{
	kn_copy *copy = kn_copy_out(cx, "COPY (SELECT 1, pg_sleep(60)) TO STDOUT");
	kn_str piece;

	while (kn_copy_get(copy, &piece))
		;
	return kn_copy_end(copy, NULL);
}

static kn_status
sleeping_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_in_time VALUES (1)"));
	return kn_exec(c, "SELECT pg_sleep(60)");
}

static kn_status
sleep_in_a_transaction(void)
{
	return kn_transact(cx, sleeping_body, NULL);
}

static const struct
{
	const char *name;
	kn_status (*act)(void);
} silences[] = {
	{ "call", sleep_in_a_call },
	{ "stream", sleep_in_a_stream },
	{ "batch", sleep_in_a_batch },
	{ "copy out", sleep_in_a_copy },
	{ "transaction", sleep_in_a_transaction },
};

/*
 * How much later than it should libpq by itself ends the same wait, with a cancel and what the
 * server says to that: so much is the machine's, which may be at something else.
 */
static double
libpq_is_late(PGconn *conn, int limit)
{
	struct pollfd wait = { .fd = PQsocket(conn), .events = POLLIN };
	double end = now_ms() + limit;
	PGcancel *cancel = PQgetCancel(conn);
	char why[256];

	ck_assert_msg(PQsendQuery(conn, "SELECT pg_sleep(60)"), "%s", PQerrorMessage(conn));
	while (now_ms() < end)
		if (poll(&wait, 1, (int) (end - now_ms()) + 1) > 0)
			ck_assert_msg(PQconsumeInput(conn), "%s", PQerrorMessage(conn));
	ck_assert_msg(PQcancel(cancel, why, sizeof(why)), "%s", why);
	PQfreeCancel(cancel);
	for (PGresult *result; (result = PQgetResult(conn)) != NULL;)
		PQclear(result);
	return now_ms() - end;
}

/* Never too early, and no more than a tenth too late, beside what is the machine's. */
START_TEST(is_kept_to_the_tenth)
{
	const int limits[] = { 100, 250 };
	PGconn *bare = PQconnectdb("");

	ck_assert_msg(PQstatus(bare) == CONNECTION_OK, "%s", PQerrorMessage(bare));
	for (size_t i = 0; i < COUNT(limits); i++)
	{
		double best = 1e9;
		double of_libpq = 0;

		for (int j = 0; j < TRIES && best > of_libpq + limits[i] / 10.0; j++)
		{
			double begun;
			double late;
			double late_too = libpq_is_late(bare, limits[i]);

			kn_set_timeout(cx, limits[i]);
			begun = now_ms();
			ck_assert_int_eq(silences[_i].act(), KN_TIMEOUT);
			late = now_ms() - begun - limits[i];
			ck_assert_msg(late > -2, "%s: %.1f ms too early", silences[_i].name, -late);
			best = late < best ? late : best;
			of_libpq = j == 0 || late_too < of_libpq ? late_too : of_libpq;
		}
		ck_assert_msg(best <= of_libpq + limits[i] / 10.0,
					  "%s: %.1f ms too late for %d ms, and libpq %.1f",
					  silences[_i].name,
					  best,
					  limits[i],
					  of_libpq);
	}
	PQfinish(bare);
	kn_set_timeout(cx, 60000);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_in_time"), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_kept_while_rows_keep_coming, talks);
	LOOP(tcase, is_kept_to_the_tenth, silences);
}

int
main(void)
{
	return suite_run("in_time", fill);
}
