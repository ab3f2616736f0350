/*
 * batch_told.c
 *		What is told of a batch: as one call, and in the audit of each that may write.
 */
#include "notes.h"

static kn_db *db;
static kn_ctx *cx;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_told CASCADE;"
			"CREATE TABLE kn_told (id int PRIMARY KEY, mail text);"
			"INSERT INTO kn_told VALUES (1, 'a'), (2, 'b')");
	forget();
}

static void
tear_down(void)
{
	kn_end(cx);
	close_even(db);
	PQfinish(look);
}

/* The n-th of a kind, in the order they were told. */
static const note *
nth(kn_event_kind kind, int n)
{
	for (int i = 0; i < count; i++)
	{
		if (notes[i].kind == kind && n-- == 0)
			return &notes[i];
	}
	ck_abort_msg("too few %s were told", kn_event_name(kind));
	return NULL;
}

static kn_batch *
batch_of(const char *const *statements)
{
	kn_batch *batch = kn_begin_batch(cx);

	for (int i = 0; statements[i] != NULL; i++)
		ck_assert_int_eq(kn_add_values(batch, statements[i], NULL, 0), i);
	return batch;
}

static const struct
{
	const char *statements[4];
	const char *operation;
	const char *sql;
	int64_t rows, affected;
} batches[] = {
	{ { "SELECT id FROM kn_told", "SELECT mail FROM kn_told WHERE id = 1" },
	  "BATCH SELECT",
	  "SELECT id FROM kn_told; SELECT mail FROM kn_told WHERE id = ?",
	  3,
	  3 },
	{ { "INSERT INTO kn_told VALUES (3, 's3cret')", "insert into kn_told values (4, 's3cret')" },
	  "BATCH INSERT",
	  "INSERT INTO kn_told VALUES (?, ?); insert into kn_told values (?, ?)",
	  0,
	  2 },
	{ { "UPDATE kn_told SET mail = 's3cret'", "SELECT id FROM kn_told", "ANALYZE kn_told" },
	  "BATCH",
	  "UPDATE kn_told SET mail = ?; SELECT id FROM kn_told; ANALYZE kn_told",
	  2,
	  4 },
	{ { "", "" }, "BATCH", "", 0, -1 },
	{ { "ANALYZE kn_told", "ANALYZE kn_told" }, "BATCH ANALYZE", "ANALYZE kn_told", 0, -1 },
};

START_TEST(is_one_call)
{
	const note *n;

	OPEN(db, .hooks = &all);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_run_batch(batch_of(batches[_i].statements), NULL));
	n = told(KN_EVENT_QUERY, "");
	ck_assert_int_eq(times_told(KN_EVENT_QUERY, NULL), 1);
	ck_assert_str_eq(n->operation, batches[_i].operation);
	ck_assert_str_eq(n->sql, batches[_i].sql);
	ck_assert_int_eq(n->rows, batches[_i].rows);
	ck_assert_int_eq(n->affected, batches[_i].affected);
	ck_assert_int_eq(n->batch_size, batches[_i].statements[2] == NULL ? 2 : 3);
}
END_TEST

START_TEST(is_slow_as_a_whole)
{
	static const char *const statements[] = { "SELECT 's3cret'", "SELECT pg_sleep(0.012)", NULL };
	const note *n;

	OPEN(db, .hooks = &all, .slow_ms = 10);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_run_batch(batch_of(statements), NULL));
	n = told(KN_EVENT_SLOW_QUERY, "");
	ck_assert_int_eq(times_told(KN_EVENT_SLOW_QUERY, NULL), 1);
	ck_assert_str_eq(n->operation, "BATCH SELECT");
	ck_assert_str_eq(n->sql, "SELECT ?; SELECT pg_sleep(?)");
	ck_assert_int_ge(n->duration_ns, 12000000);
}
END_TEST

START_TEST(has_each_write_in_the_audit)
{
	kn_batch *batch;
	const note *n;

	OPEN(db, .hooks = &all, .show_parameters = true);
	cx = kn_begin(db, .actor = "ada");
	batch = kn_begin_batch(cx);
	(void) kn_add(batch, "SELECT id FROM kn_told WHERE id = $1", 1);
	(void) kn_add(batch, "INSERT INTO kn_told VALUES ($1, $2)", 3, "c");
	(void) kn_add(batch, "UPDATE kn_told SET mail = $1", "d");
	(void) kn_add(batch, "DELETE FROM kn_told WHERE id > $1 RETURNING id", 1);
	EXPECT_OK(cx, kn_run_batch(batch, NULL));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 3);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "committed"), 3);
	n = nth(KN_EVENT_AUDIT, 0);
	ck_assert_str_eq(n->sql, "INSERT INTO kn_told VALUES ($1, $2)");
	ck_assert_str_eq(n->operation, "INSERT");
	ck_assert_str_eq(n->actor, "ada");
	ck_assert_int_eq(n->affected, 1);
	ck_assert_int_eq(n->parameters, 2);
	ck_assert_int_eq(n->batch_size, 4);
	n = nth(KN_EVENT_AUDIT, 1);
	ck_assert_str_eq(n->sql, "UPDATE kn_told SET mail = $1");
	ck_assert_int_eq(n->affected, 3);
	ck_assert_int_eq(n->parameters, 1);
	n = nth(KN_EVENT_AUDIT, 2);
	ck_assert_str_eq(n->operation, "DELETE");
	ck_assert_int_eq(n->affected, 2);
	ck_assert_int_eq(n->rows, 2);
	/* Of the call itself no parameters are told, for nobody knows whose they are. */
	ck_assert_int_eq(told(KN_EVENT_QUERY, "")->parameters, -1);
}
END_TEST

/* What fails is undone as a whole, and what reads is in no audit, or in it where it calls
 * something. */
START_TEST(says_in_the_audit_what_became_of_it)
{
	static const char *const failing[] = { "UPDATE kn_told SET mail = 'x'",
										   "INSERT INTO kn_told VALUES (1, 'x')",
										   "SELECT 1",
										   NULL };
	static const char *const reading[] = { "SELECT 1", "SELECT 2", NULL };
	static const char *const calling[] = { "SELECT 1", "SELECT kn_told_too()", NULL };
	const kn_options harmless = { .size = sizeof(harmless), .is_read = true };
	const kn_options harmful = { .size = sizeof(harmful), .is_write = true };

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_told_too() RETURNS int LANGUAGE sql AS 'SELECT 1'");
	OPEN(db, .hooks = &all);
	cx = kn_begin(db);
	EXPECT(cx, kn_run_batch(batch_of(failing), NULL), KN_DUPLICATE);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 2);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "failed"), 2);
	for (int i = 0; i < 2; i++)
	{
		const note *n = nth(KN_EVENT_AUDIT, i);

		ck_assert_str_eq(n->operation, i == 0 ? "UPDATE" : "INSERT");
		ck_assert_str_eq(n->error, "KN_DUPLICATE");
		ck_assert_int_eq(n->affected, -1);
	}
	ck_assert_int_eq(told(KN_EVENT_QUERY, "")->affected, -1);
	forget();
	EXPECT_OK(cx, kn_run_batch(batch_of(reading), NULL));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 0);
	EXPECT_OK(cx, kn_run_batch(batch_of(calling), NULL));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 1);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "committed")->sql, "SELECT kn_told_too()");
	forget();
	EXPECT_OK(cx, kn_run_batch(batch_of(calling), &harmless));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, NULL), 0);
	EXPECT_OK(cx, kn_run_batch(batch_of(reading), &harmful));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "committed"), 2);
}
END_TEST

static kn_status
body(kn_ctx *in, void *argument)
{
	static const char *const statements[] = { "UPDATE kn_told SET mail = 'x'",
											  "DELETE FROM kn_told",
											  NULL };

	(void) argument;
	return kn_run_batch(batch_of(statements), NULL) == KN_OK ? KN_OK : kn_last_error(in)->status;
}

START_TEST(is_pending_in_a_transaction)
{
	OPEN(db, .hooks = &all);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_transact(cx, body, NULL));
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "pending"), 2);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "committed"), 1);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "committed")->operation, "COMMIT");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_one_call, batches);
	tcase_add_test(tcase, is_slow_as_a_whole);
	tcase_add_test(tcase, has_each_write_in_the_audit);
	tcase_add_test(tcase, says_in_the_audit_what_became_of_it);
	tcase_add_test(tcase, is_pending_in_a_transaction);
}

int
main(void)
{
	return suite_run("batch_told", fill);
}
