/*
 * copy_stream.c
 *		Streams whose rows come by COPY: which do, and that nobody can tell.
 */
#include "copy_out.h"

/* What the server was last asked for on a session of the handle's. */
static bool
last_was_copy(void)
{
	return look_number(look,
					   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
					   " WHERE pid <> pg_backend_pid() AND state = 'idle'"
					   " AND query LIKE 'SELECT * FROM (%COPY (%'") > 0;
}

/* The same by rows one by one, which parameters make it, and by COPY. */
START_TEST(streams_the_same)
{
	for (int i = 0; i < 4; i++)
	{
		kn_rows *rows =
			i % 2 == 0
				? kn_stream(
					  cx,
					  "SELECT a, b, b AS a, a = 5 FROM kn_out ORDER BY kn_out.a /* ; */ ; -- x")
				: kn_stream(cx,
							"SELECT a, b, b AS a, a = 5 FROM kn_out WHERE a > $1 ORDER BY kn_out.a",
							0);
		int64_t count = 0;

		while (kn_next(rows))
		{
			char text[24];

			count++;
			ck_assert_int_eq(kn_get_i32(rows, 0), count);
			ck_assert_int_eq(kn_is_null(rows, 1), count % 3 == 0);
			ck_assert_int_eq(kn_column(rows, 2).type, count % 3 == 0 ? KN_TYPE_NULL : KN_TYPE_TEXT);
			ck_assert_int_eq(kn_get_bool(rows, 3), count == 5);
			if (count % 3 == 0)
				continue;
			(void) snprintf(text, sizeof(text), "text %d", (int) count);
			ck_assert_str_eq(kn_get_text(rows, 1), text);
		}
		ck_assert_int_eq(count, 1000);
		ck_assert_int_eq(kn_column_count(rows), 4);
		ck_assert_str_eq(kn_column_name(rows, 3), "?column?");
		ck_assert_int_eq(kn_column_index(rows, "a"), 0);
		ck_assert_uint_eq(kn_column_oid(rows, 1), 25);
		ck_assert_int_eq(kn_row_count(rows), 1000);
		EXPECT_OK(cx, kn_done(rows));
		if (!is_pooled())
			ck_assert_int_eq(last_was_copy(), i % 2 == 0);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* A value that does not fit is told of as with any rows. */
START_TEST(tells_of_values)
{
	kn_rows *rows = kn_stream(cx, "SELECT a, b FROM kn_out ORDER BY a");

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_get_i32(rows, 1), 0);
	ck_assert_int_eq(kn_next(rows), false);
	EXPECT(cx, kn_done(rows), KN_DATA);
	ck_assert_int_eq(kn_last_error(cx)->row, 2);
	ck_assert_int_eq(kn_last_error(cx)->column, 1);
	ck_assert_str_eq(kn_last_error(cx)->column_name, "b");
}
END_TEST

static const struct
{
	const char *sql;
	const char *first;
	bool by_copy;
} kinds[] = {
	{ "SELECT 1", "1", true },
	{ "VALUES ('x'), ('y')", "x", true },
	{ "TABLE kn_out", "1", true },
	{ "WITH x AS (SELECT a FROM kn_out) SELECT * FROM x;;", "1", true },
	{ "(SELECT 1) UNION ALL (SELECT 2)", "1", true },
	{ "SELECT 1 -- the end", "1", true },
	{ "SELECT NULL::int", NULL, true },
	{ "SELECT '{1,2}'::int[]", NULL, true },
	{ "SELECT '1,1'::point", "(1,1)", false },
	{ "SELECT 1, '1,1'::point", "1", false },
	{ "SHOW server_encoding", "UTF8", false },
	{ "EXPLAIN (COSTS off) SELECT 1", "Result", false },
	{ "SELECT a FROM kn_out WHERE a = 1 FOR UPDATE", "1", false },
	{ "INSERT INTO kn_out VALUES (1) RETURNING a", "1", false },
	{ "SELECT 1 WHERE nextval('kn_out_s') > 0", "1", false },
};

/* The second time as well, when it is known of what kind it is. */
START_TEST(streams_what_can_be)
{
	look_do(look, "DROP SEQUENCE IF EXISTS kn_out_s; CREATE SEQUENCE kn_out_s");
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_stream(cx, kinds[_i].sql);
		kn_value value;

		ck_assert_int_eq(kn_next(rows), true);
		value = kn_column(rows, 0);
		if (kinds[_i].first != NULL)
			ck_assert_str_eq(kn_get_text(rows, 0), kinds[_i].first);
		else
			ck_assert(value.type == KN_TYPE_NULL || value.type == KN_TYPE_ARRAY);
		while (kn_next(rows))
			;
		EXPECT_OK(cx, kn_done(rows));
		if (!is_pooled())
			ck_assert_int_eq(last_was_copy(), kinds[_i].by_copy);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static const struct
{
	const char *sql;
	int position;
	kn_status status;
} broken[] = {
	{ "SELECT a, nowhere FROM kn_out", 11, KN_SCHEMA },
	{ "SELECT '\xC3\xA4', nowhere FROM kn_out", 13, KN_SCHEMA },
	{ "SELECT FROM FROM kn_out", 13, KN_SCHEMA },
	{ "SELECT (1", 10, KN_SCHEMA },
	{ "SELECT 1) TO STDOUT; COPY (SELECT 2", 9, KN_USAGE },
};

START_TEST(tells_of_the_callers_text)
{
	for (int i = 0; i < 2; i++)
	{
		EXPECT(cx, kn_done(kn_stream(cx, broken[_i].sql)), broken[_i].status);
		if (broken[_i].status == KN_USAGE)
			continue;
		ck_assert_int_eq(kn_last_error(cx)->position, broken[_i].position);
		ck_assert_str_eq(kn_last_error(cx)->sql, broken[_i].sql);
	}
}
END_TEST

/* It was well when it was first asked for, and now it is not. */
START_TEST(tells_of_what_has_changed)
{
	static const char sql[] = "SELECT '\xC3\xA4', a, b FROM kn_out";
	kn_rows *rows;

	EXPECT_OK(cx, kn_done(kn_stream(cx, sql)));
	look_do(look, "ALTER TABLE kn_out DROP b");
	EXPECT(cx, kn_done(kn_stream(cx, sql)), KN_SCHEMA);
	ck_assert_int_eq(kn_last_error(cx)->position, 16);
	ck_assert_str_eq(kn_last_error(cx)->sql, sql);
	/* Of the same width, and another type. */
	look_do(look, "ALTER TABLE kn_out ADD b float4 DEFAULT 0.5");
	rows = kn_stream(cx, sql);
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert(kn_get_f32(rows, 2) == 0.5F);
	EXPECT_OK(cx, kn_done(rows));
	look_do(look, "ALTER TABLE kn_out DROP b; ALTER TABLE kn_out ADD b int DEFAULT 7");
	rows = kn_stream(cx, sql);
	ck_assert_int_eq(kn_next(rows), true);
	ck_assert_int_eq(kn_get_i32(rows, 2), 7);
	EXPECT_OK(cx, kn_done(rows));
	/* And one that has no codec. */
	look_do(look, "ALTER TABLE kn_out DROP b; ALTER TABLE kn_out ADD b point DEFAULT '1,1'");
	for (int i = 0; i < 2; i++)
	{
		int64_t count = 0;

		rows = kn_stream(cx, sql);
		for (; kn_next(rows); count++)
			ck_assert_str_eq(kn_get_text(rows, 2), "(1,1)");
		ck_assert_int_eq(count, 1000);
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
changing_body(kn_ctx *c, void *argument)
{
	static const char sql[] = "SELECT b FROM kn_out";

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_out VALUES (-1, 'mine')"));
	EXPECT_OK(c, kn_done(kn_stream(c, sql)));
	EXPECT_OK(c, kn_exec(c, "ALTER TABLE kn_out DROP b"));
	EXPECT_OK(c, kn_exec(c, "ALTER TABLE kn_out ADD b point DEFAULT '1,1'"));
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_stream(c, sql);
		int64_t count = 0;

		for (; kn_next(rows); count++)
			ck_assert_str_eq(kn_get_text(rows, 0), "(1,1)");
		ck_assert_int_eq(count, 1001);
		EXPECT_OK(c, kn_done(rows));
	}
	return KN_OK;
}

START_TEST(changes_in_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, changing_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_out WHERE a = -1"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

/* Role and claims hold while rows arrive, and not after. */
START_TEST(streams_with_role_and_claims)
{
	const char *const claims[] = { "app.tenant", "7", NULL };
	static const char sql[] = "SELECT a, current_user::text FROM kn_out";
	kn_ctx *tenant;

	look_do(look,
			"DO $$ BEGIN CREATE ROLE kn_out_role; EXCEPTION WHEN duplicate_object THEN END $$;"
			"GRANT SELECT ON kn_out TO kn_out_role; ALTER TABLE kn_out ENABLE ROW LEVEL SECURITY;"
			"CREATE POLICY p ON kn_out USING (a = current_setting('app.tenant')::int)");
	tenant = kn_begin(db, .role = "kn_out_role", .claims = claims);
	for (int i = 0; i < 4; i++)
	{
		kn_rows *rows = kn_stream(tenant, sql);

		ck_assert_int_eq(kn_next(rows), true);
		ck_assert_int_eq(kn_get_i32(rows, 0), 7);
		ck_assert_str_eq(kn_get_text(rows, 1), "kn_out_role");
		if (i < 3)
			ck_assert_int_eq(kn_next(rows), false);
		EXPECT_OK(tenant, kn_done(rows));
		ck_assert_int_eq(stats_of(db).busy, 0);
		EXPECT_OK(
			cx,
			kn_done(kn_query(
				cx,
				"SELECT 1 / (current_user <> 'kn_out_role' AND coalesce(current_setting('app.tenant', true), '') = '')::int")));
	}
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_stream(tenant, "SELECT generate_series(1, 100000000)");

		ck_assert_int_eq(kn_next(rows), true);
		EXPECT_OK(tenant, kn_done(rows));
		EXPECT(tenant, kn_done(kn_stream(tenant, "SELECT 1 / 0 FROM kn_out")), KN_DATA);
		ck_assert_int_eq(stats_of(db).busy, 0);
	}
	kn_end(tenant);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void *
cancel_it(void *argument)
{
	PGconn *other = look_open();

	look_await(other,
			   "SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
			   " WHERE wait_event = 'PgSleep' AND query LIKE 'SELECT * FROM (%COPY%'",
			   1);
	kn_cancel(argument);
	PQfinish(other);
	return NULL;
}

START_TEST(is_cancelled)
{
	static const char sql[] =
		"SELECT pg_sleep(CASE WHEN g < 10 THEN 0 ELSE 3600 END) IS NULL FROM generate_series(1, 10) g";
	kn_rows *rows;
	pthread_t thread;

	/* So that it is known, and all of it can be read. */
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1 / 0")), KN_DATA);
	kn_set_timeout(cx, 100);
	EXPECT(cx, kn_done(kn_stream(cx, sql)), KN_TIMEOUT);
	kn_set_timeout(cx, -1);
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_it, cx), 0);
	rows = kn_stream(cx, sql);
	while (kn_next(rows))
		;
	EXPECT(cx, kn_done(rows), KN_CANCELED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	kn_clear(cx);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, streams_the_same);
	tcase_add_test(tcase, tells_of_values);
	LOOP(tcase, streams_what_can_be, kinds);
	LOOP(tcase, tells_of_the_callers_text, broken);
	tcase_add_test(tcase, tells_of_what_has_changed);
	tcase_add_test(tcase, changes_in_a_transaction);
	tcase_add_test(tcase, streams_with_role_and_claims);
	tcase_add_test(tcase, is_cancelled);
}

int
main(void)
{
	return suite_run("copy_stream", fill);
}
